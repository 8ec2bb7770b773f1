/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bare.dll: two security packages that have next to nothing. Of the first all functions but those that a package
 * cannot be without are missing; the second has a credential and a context as well. A user-mode half is announced for
 * both and is not there.
 */
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <ntsecapi.h>
#include <security.h>
#include <ntsecpkg.h>

static NTSTATUS NTAPI bare_info(PSecPkgInfoW info)
{
    *info = (SecPkgInfoW){.wVersion = 1, .Name = (WCHAR *)L"Countersign Test Bare", .Comment = (WCHAR *)L""};
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI half_info(PSecPkgInfoW info)
{
    *info = (SecPkgInfoW){.wVersion = 1, .Name = (WCHAR *)L"Countersign Test Half", .Comment = (WCHAR *)L""};
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI acquire(PUNICODE_STRING principal, ULONG use, PLUID logon_id, PVOID auth_data, PVOID get_key,
                              PVOID get_key_argument, PLSA_SEC_HANDLE handle, PTimeStamp expiry)
{
    (void)principal, (void)use, (void)logon_id, (void)auth_data, (void)get_key, (void)get_key_argument, (void)expiry;
    *handle = 1;
    return SEC_E_OK;
}

static NTSTATUS NTAPI init_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context, PUNICODE_STRING target,
                                   ULONG request, ULONG data_rep, PSecBufferDesc input, PLSA_SEC_HANDLE new_context,
                                   PSecBufferDesc output, PULONG attributes, PTimeStamp expiry, PBOOLEAN mapped,
                                   PSecBuffer packed)
{
    (void)credential, (void)context, (void)target, (void)request, (void)data_rep, (void)input, (void)output;
    (void)attributes, (void)expiry, (void)packed;
    *new_context = 2;
    *mapped = TRUE;
    return SEC_E_OK;
}

static const SECPKG_FUNCTION_TABLE functions[] = {
    {.GetInfo = bare_info},
    {.GetInfo = half_info, .AcquireCredentialsHandle = acquire, .InitLsaModeContext = init_context},
};

NTSTATUS SEC_ENTRY SpLsaModeInitialize(ULONG version, ULONG *package_version, PSECPKG_FUNCTION_TABLE *tables,
                                       ULONG *count);

__declspec(dllexport) NTSTATUS SEC_ENTRY
    SpLsaModeInitialize(ULONG version, ULONG *package_version, PSECPKG_FUNCTION_TABLE *tables, ULONG *count)
{
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION_3;
    *tables = (SECPKG_FUNCTION_TABLE *)functions;
    *count = ARRAYSIZE(functions);
    return STATUS_SUCCESS;
}

NTSTATUS SEC_ENTRY SpUserModeInitialize(ULONG version, ULONG *package_version, PSECPKG_USER_FUNCTION_TABLE *tables,
                                        ULONG *count);

__declspec(dllexport) NTSTATUS SEC_ENTRY
    SpUserModeInitialize(ULONG version, ULONG *package_version, PSECPKG_USER_FUNCTION_TABLE *tables, ULONG *count)
{
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = NULL;
    *count = ARRAYSIZE(functions);
    return STATUS_SUCCESS;
}
