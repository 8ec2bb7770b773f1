/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Windows's SSPI headers declare and mingw-w64's do not: the rest of the functions that secur32.dll and
 * sspicli.dll export, and the attributes of CredSSP. Include it with SECURITY_WIN32 defined.
 *
 * sspi.h gives SecurityFunctionTable its last two slots, QueryContextAttributesEx and QueryCredentialsAttributesEx,
 * only if _WIN32_WINNT is 0x0a00 or above (the default). CredMarshalTargetInfo and CredUnmarshalTargetInfo are missing
 * here because ntsecpkg.h does declare them, but on i386 without the calling convention they have.
 */
#ifndef COUNTERSIGN_SSPI_EXTRA_H
#define COUNTERSIGN_SSPI_EXTRA_H

#include <windows.h>
#include <security.h>
#include <ntsecapi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* QueryContextAttributes, CredSSP only */
#define SECPKG_ATTR_C_ACCESS_TOKEN 0x80000012      /* SecPkgContext_AccessToken */
#define SECPKG_ATTR_CREDS 0x80000080               /* SecPkgContext_ClientCreds */
#define SECPKG_ATTR_NEGOTIATION_PACKAGE 0x80000081 /* SecPkgContext_PackageInfo */
#define SECPKG_ATTR_C_FULL_ACCESS_TOKEN 0x80000082 /* SecPkgContext_AccessToken */
#define SECPKG_ATTR_SERVER_AUTH_FLAGS 0x80000083   /* SecPkgContext_Flags */
#define SECPKG_ATTR_CERT_TRUST_STATUS 0x80000084   /* CERT_TRUST_STATUS */
#define SECPKG_ATTR_CREDS_2 0x80000086             /* SecPkgContext_ClientCreds */

/* SECPKG_CALL_INFO.Attributes, of ours alone: winhttp.dll or wininet.dll is acquiring a credential */
#define SECPKG_CALL_HTTP_CLIENT 0x40000000

/* secur32.dll and sspicli.dll */
struct _SECURITY_USER_DATA; /* ntsecpkg.h */
SECURITY_STATUS WINAPI GetSecurityUserInfo(PLUID LogonId, ULONG Flags, struct _SECURITY_USER_DATA **UserInformation);
SECURITY_STATUS WINAPI SeciAllocateAndSetCallFlags(ULONG Flags, PBOOL FreeCallContext);
SECURITY_STATUS WINAPI SeciAllocateAndSetIPAddress(PUCHAR IpAddress, ULONG IpAddressLength, PBOOL FreeCallContext);
SECURITY_STATUS WINAPI SeciFreeCallContext(void);

/* secur32.dll only: the calls of a performance counter provider (Windows 10; absent from Windows 11) */
DWORD WINAPI OpenLsaPerformanceData(LPWSTR DeviceNames);
DWORD WINAPI CollectLsaPerformanceData(LPWSTR ValueName, LPVOID *Data, LPDWORD TotalBytes, LPDWORD ObjectTypes);
DWORD WINAPI CloseLsaPerformanceData(void);

/* sspicli.dll only */
BOOL WINAPI LogonUserExExW(LPCWSTR Username, LPCWSTR Domain, LPCWSTR Password, DWORD LogonType, DWORD LogonProvider,
                           PTOKEN_GROUPS TokenGroups, PHANDLE Token, PSID *LogonSid, PVOID *ProfileBuffer,
                           LPDWORD ProfileLength, PQUOTA_LIMITS QuotaLimits);
SECURITY_STATUS WINAPI SecCacheSspiPackages(void);
NTSTATUS WINAPI SeciIsProtectedUser(PBOOLEAN ProtectedUser);
SECURITY_STATUS WINAPI SspiSetChannelBindingFlags(SecPkgContext_Bindings *Bindings, ULONG Flags);

#ifdef __cplusplus
}
#endif

#endif
