/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SASL over SSPI. Its profiles (GSSAPI, GSS-SPNEGO, DIGEST-MD5, EXTERNAL) belong to packages still to come, so all of
 * it refuses as unsupported.c does, and is listed with that.
 */
#include <windows.h>
#include <security.h>

SECURITY_STATUS WINAPI SaslEnumerateProfilesA(LPSTR *, ULONG *)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SaslEnumerateProfilesW(LPWSTR *, ULONG *)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SaslGetProfilePackageA(LPSTR, PSecPkgInfoA *)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SaslGetProfilePackageW(LPWSTR, PSecPkgInfoW *)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SaslIdentifyPackageA(PSecBufferDesc, PSecPkgInfoA *)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SaslIdentifyPackageW(PSecBufferDesc, PSecPkgInfoW *)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SaslInitializeSecurityContextA(PCredHandle, PCtxtHandle, LPSTR, ULONG, ULONG, ULONG,
                                                      PSecBufferDesc, ULONG, PCtxtHandle, PSecBufferDesc, ULONG *,
                                                      PTimeStamp)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SaslInitializeSecurityContextW(PCredHandle, PCtxtHandle, LPWSTR, ULONG, ULONG, ULONG,
                                                      PSecBufferDesc, ULONG, PCtxtHandle, PSecBufferDesc, ULONG *,
                                                      PTimeStamp)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SaslAcceptSecurityContext(PCredHandle, PCtxtHandle, PSecBufferDesc, ULONG, ULONG, PCtxtHandle,
                                                 PSecBufferDesc, ULONG *, PTimeStamp)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SaslSetContextOption(PCtxtHandle, ULONG, PVOID, ULONG)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SaslGetContextOption(PCtxtHandle, ULONG, PVOID, ULONG, PULONG)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}
