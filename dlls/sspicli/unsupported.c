/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The exports that only sspicli has and whose work is still to come. dlls/secur32/unsupported.tsv lists them with the
 * others; the rules are those of dlls/secur32/unsupported.c.
 */
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>

#include <countersign/sspi_extra.h>

BOOL WINAPI LogonUserExExW(LPCWSTR, LPCWSTR, LPCWSTR, DWORD, DWORD, PTOKEN_GROUPS, PHANDLE, PSID *, PVOID *, LPDWORD,
                           PQUOTA_LIMITS)
{
    SetLastError(ERROR_NOT_SUPPORTED);
    return FALSE;
}

SECURITY_STATUS WINAPI SspiSetChannelBindingFlags(SecPkgContext_Bindings *, ULONG)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

/* The parameters of the rest are not published; only how many bytes they are on i386, and of the last three not even
 * that: these pop nothing. */

SECURITY_STATUS WINAPI SecInitUserModeContext(void *, void *)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SecDeleteUserModeContext(void *)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SspiUnmarshalAuthIdentityInternal(void *, void *, void *, void *)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SspiGetComputerNameForSPN(void *, void *)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SeciAllocateAndSetCallTarget(void)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

NTSTATUS WINAPI LsaConnectLocalUser(void)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS WINAPI LsaSetMachineCertificate(void)
{
    return STATUS_NOT_SUPPORTED;
}
