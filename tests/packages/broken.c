/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * broken.dll: a security package that does not come to be, in the way that the environment variable BROKEN names.
 */
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <ntsecapi.h>
#include <security.h>
#include <ntsecpkg.h>

#include <string.h>

static BOOL broken(const char *how)
{
    char value[64] = "";
    GetEnvironmentVariableA("BROKEN", value, sizeof value);
    return !strcmp(value, how);
}

/* Tells, in a variable that outlives this DLL, whether it is started and not shut down again. */
static NTSTATUS NTAPI initialize(ULONG_PTR id, PSECPKG_PARAMETERS parameters, PLSA_SECPKG_FUNCTION_TABLE table)
{
    (void)id, (void)parameters, (void)table;
    if (broken("Initialize")) return STATUS_UNSUCCESSFUL;
    SetEnvironmentVariableA("BROKEN_RUNS", "1");
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI shut_down(void)
{
    SetEnvironmentVariableA("BROKEN_RUNS", NULL);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI get_info(PSecPkgInfoW info)
{
    if (broken("GetInfo")) return STATUS_UNSUCCESSFUL;
    *info = (SecPkgInfoW){.wVersion = 1,
                          .Name = (WCHAR *)(broken("Name") ? NULL : L"Countersign Test Broken"),
                          .Comment = (WCHAR *)(broken("Comment") ? NULL : L"")};
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI instance_init(ULONG version, PSECPKG_DLL_FUNCTIONS functions, PVOID *user)
{
    (void)version, (void)functions, (void)user;
    return broken("InstanceInit") ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

NTSTATUS SEC_ENTRY SpLsaModeInitialize(ULONG version, ULONG *package_version, PSECPKG_FUNCTION_TABLE *tables,
                                       ULONG *count);
NTSTATUS SEC_ENTRY SpUserModeInitialize(ULONG version, ULONG *package_version, PSECPKG_USER_FUNCTION_TABLE *tables,
                                        ULONG *count);

__declspec(dllexport) NTSTATUS SEC_ENTRY
    SpLsaModeInitialize(ULONG version, ULONG *package_version, PSECPKG_FUNCTION_TABLE *tables, ULONG *count)
{
    static SECPKG_FUNCTION_TABLE without_info,
        whole = {.Initialize = initialize, .Shutdown = shut_down, .GetInfo = get_info};
    (void)version;
    if (broken("SpLsaModeInitialize")) return STATUS_UNSUCCESSFUL;
    *package_version = SECPKG_INTERFACE_VERSION_3;
    *tables = broken("no table") ? NULL : broken("no GetInfo") ? &without_info : &whole;
    *count = broken("no tables") || broken("SSPI") || broken("SSPI name") || broken("SSPI list") ? 0 : 1;
    return STATUS_SUCCESS;
}

__declspec(dllexport) NTSTATUS SEC_ENTRY
    SpUserModeInitialize(ULONG version, ULONG *package_version, PSECPKG_USER_FUNCTION_TABLE *tables, ULONG *count)
{
    static SECPKG_USER_FUNCTION_TABLE table = {.InstanceInit = instance_init};
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = &table;
    *count = 1;
    return STATUS_SUCCESS;
}

/* SSPI's functions, all of them there and none of them to be called. */
static SECURITY_STATUS WINAPI enumerate(ULONG *count, PSecPkgInfoW *infos)
{
    static SecPkgInfoW nameless;
    *count = 1;
    *infos = broken("SSPI list") ? NULL : &nameless;
    return SEC_E_OK;
}

static void unused(void)
{
}

__declspec(dllexport) PSecurityFunctionTableW SEC_ENTRY InitSecurityInterfaceW(void)
{
    static SecurityFunctionTableW table = {.dwVersion = SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION};
    if (!broken("SSPI name") && !broken("SSPI list")) return broken("SSPI") ? &table : NULL;
    table.EnumerateSecurityPackagesW = enumerate;
    table.AcquireCredentialsHandleW = (ACQUIRE_CREDENTIALS_HANDLE_FN_W)(void *)unused;
    table.FreeCredentialsHandle = (FREE_CREDENTIALS_HANDLE_FN)(void *)unused;
    table.InitializeSecurityContextW = (INITIALIZE_SECURITY_CONTEXT_FN_W)(void *)unused;
    table.AcceptSecurityContext = (ACCEPT_SECURITY_CONTEXT_FN)(void *)unused;
    table.DeleteSecurityContext = (DELETE_SECURITY_CONTEXT_FN)(void *)unused;
    return &table;
}
