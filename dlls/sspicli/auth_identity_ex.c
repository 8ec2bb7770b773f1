/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The identity functions that only sspicli has.
 */
#include <windows.h>
#include <security.h>

/*
 * Encryption for the logon session or for the system wants a key that other processes can reach and other users cannot.
 * Wine has none, and an identity marked so without one could be read nowhere else: these options are refused.
 */
SECURITY_STATUS WINAPI SspiEncryptAuthIdentityEx(ULONG Options, PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData)
{
    if (Options != SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS) return SEC_E_UNSUPPORTED_FUNCTION;
    return SspiEncryptAuthIdentity(AuthData);
}

SECURITY_STATUS WINAPI SspiDecryptAuthIdentityEx(ULONG Options, PSEC_WINNT_AUTH_IDENTITY_OPAQUE EncryptedAuthData)
{
    if (Options != SEC_WINNT_AUTH_IDENTITY_ENCRYPT_SAME_PROCESS) return SEC_E_UNSUPPORTED_FUNCTION;
    return SspiDecryptAuthIdentity(EncryptedAuthData);
}
