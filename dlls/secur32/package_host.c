/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What secur32 lends its packages and can do in a process of the program's.
 */
#define WIN32_NO_STATUS
#include "package_host.h"
#include "call_origin.h"
#undef WIN32_NO_STATUS
#include <ntstatus.h>

#include "caller.h"
#include "lsa.h"
#include "package_host_refusals.h"

#include <string.h>

static PVOID NTAPI lend_memory(ULONG size)
{
    return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
}

static PVOID NTAPI lend_private_memory(SIZE_T size)
{
    return HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size);
}

static VOID NTAPI take_memory(PVOID memory)
{
    HeapFree(GetProcessHeap(), 0, memory);
}

static NTSTATUS NTAPI lend_client_buffer(PLSA_CLIENT_REQUEST request, ULONG size, PVOID *memory)
{
    (void)request;
    *memory = lend_memory(size);
    return *memory ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

static NTSTATUS NTAPI take_client_buffer(PLSA_CLIENT_REQUEST request, PVOID memory)
{
    (void)request;
    take_memory(memory);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI copy_client_buffer(PLSA_CLIENT_REQUEST request, ULONG size, PVOID to, PVOID from)
{
    (void)request;
    memcpy(to, from, size);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI map_buffer(PSecBuffer in, PSecBuffer out)
{
    *out = *in;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI impersonate_client(void)
{
    return ImpersonateSelf(SecurityImpersonation) ? STATUS_SUCCESS : STATUS_BAD_IMPERSONATION_LEVEL;
}

static NTSTATUS NTAPI duplicate_handle(HANDLE from, PHANDLE to)
{
    const HANDLE self = GetCurrentProcess();
    return DuplicateHandle(self, from, self, to, 0, FALSE, DUPLICATE_SAME_ACCESS) ? STATUS_SUCCESS
                                                                                  : STATUS_INVALID_HANDLE;
}

static HANDLE NTAPI create_thread(SEC_ATTRS attributes, ULONG stack, SEC_THREAD_START start, PVOID argument,
                                  ULONG flags, PULONG id)
{
    return CreateThread(attributes, stack, start, argument, flags, id);
}

static NTSTATUS NTAPI client_info(PSECPKG_CLIENT_INFO info)
{
    HANDLE token = NULL;
    memset(info, 0, sizeof *info);
    if (!caller_logon_id(&info->LogonId)) return STATUS_NO_TOKEN;
    info->ProcessID = GetCurrentProcessId();
    info->ThreadID = GetCurrentThreadId();
    info->Impersonating = (BOOLEAN)OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token);
    info->ImpersonationLevel = SecurityImpersonation;
    if (token) CloseHandle(token);
    return STATUS_SUCCESS;
}

static BOOLEAN NTAPI call_info(PSECPKG_CALL_INFO info)
{
    *info = (SECPKG_CALL_INFO){
        .ProcessId = GetCurrentProcessId(), .ThreadId = GetCurrentThreadId(), .Attributes = SECPKG_CALL_IN_PROC};
    if (call_origin_is_http()) info->Attributes |= SECPKG_CALL_HTTP_CLIENT;
    return TRUE;
}

static NTSTATUS NTAPI call_package(PUNICODE_STRING name, PVOID submit, ULONG size, PVOID *answer, PULONG answer_size,
                                   PNTSTATUS protocol)
{
    WCHAR text[64];
    if (name->Length >= sizeof text) return STATUS_NO_SUCH_PACKAGE;
    memcpy(text, name->Buffer, name->Length);
    text[name->Length / sizeof *text] = 0;
    const struct package *package = packages_find(text);
    return package ? lsa_call_package(package, submit, size, answer, answer_size, protocol) : STATUS_NO_SUCH_PACKAGE;
}

static NTSTATUS NTAPI call_package_ex(PUNICODE_STRING name, PVOID base, PVOID submit, ULONG size, PVOID *answer,
                                      PULONG answer_size, PNTSTATUS protocol)
{
    (void)base;
    return call_package(name, submit, size, answer, answer_size, protocol);
}

/* Memory that LSA and client share is any memory. */
static PVOID NTAPI create_shared_memory(ULONG max_size, ULONG initial_size)
{
    (void)initial_size;
    return HeapCreate(0, 0, max_size);
}

static PVOID NTAPI lend_shared_memory(PVOID shared, ULONG size)
{
    return HeapAlloc(shared, 0, size);
}

static VOID NTAPI take_shared_memory(PVOID shared, PVOID memory)
{
    HeapFree(shared, 0, memory);
}

static BOOLEAN NTAPI delete_shared_memory(PVOID shared)
{
    return (BOOLEAN)HeapDestroy(shared);
}

/* Nobody audits here, and no memory leaves the process. */
static VOID NTAPI audit_logon(NTSTATUS status, NTSTATUS sub_status, PUNICODE_STRING account, PUNICODE_STRING authority,
                              PUNICODE_STRING workstation, PSID user, SECURITY_LOGON_TYPE type, PTOKEN_SOURCE source,
                              PLUID logon_id)
{
    (void)status, (void)sub_status, (void)account, (void)authority, (void)workstation, (void)user, (void)type;
    (void)source, (void)logon_id;
}

static VOID NTAPI leave_memory(PVOID memory, ULONG size)
{
    (void)memory, (void)size;
}

static const LSA_SECPKG_FUNCTION_TABLE functions = {
    .CreateLogonSession = refuse_create_logon_session,
    .DeleteLogonSession = refuse_delete_logon_session,
    .AddCredential = refuse_add_credential,
    .GetCredentials = refuse_get_credentials,
    .DeleteCredential = refuse_delete_credential,
    .UnloadPackage = refuse_unload_package,
    .SaveSupplementalCredentials = refuse_save_supplemental_credentials,
    .RegisterNotification = refuse_register_notification,
    .CancelNotification = refuse_cancel_notification,
    .CreateToken = refuse_create_token,
    .OpenSamUser = refuse_open_sam_user,
    .GetUserCredentials = refuse_get_user_credentials,
    .GetUserAuthData = refuse_get_user_auth_data,
    .CloseSamUser = refuse_close_sam_user,
    .ConvertAuthDataToToken = refuse_convert_auth_data_to_token,
    .ClientCallback = refuse_client_callback,
    .UpdateCredentials = refuse_update_primary_credentials,
    .GetAuthDataForUser = refuse_get_auth_data_for_user,
    .CrackSingleName = refuse_crack_single_name,
    .AuditAccountLogon = refuse_audit_account_logon,
    .CallPackagePassthrough = refuse_call_package_passthrough,
    .OpenTokenByLogonId = refuse_open_token_by_logon_id,
    .ExpandAuthDataForDomain = refuse_expand_auth_data_for_domain,
    .CreateTokenEx = refuse_create_token_ex,
    .CrediRead = refuse_credi_read,
    .CrediReadDomainCredentials = refuse_credi_read_domain,
    .CrediFreeCredentials = refuse_credi_free,
    .CrediWrite = refuse_credi_write,
    .AllocateLsaHeap = lend_memory,
    .FreeLsaHeap = take_memory,
    .AllocateClientBuffer = lend_client_buffer,
    .FreeClientBuffer = take_client_buffer,
    .CopyToClientBuffer = copy_client_buffer,
    .CopyFromClientBuffer = copy_client_buffer,
    .ImpersonateClient = impersonate_client,
    .DuplicateHandle = duplicate_handle,
    .CreateThread = create_thread,
    .GetClientInfo = client_info,
    .MapBuffer = map_buffer,
    .AuditLogon = audit_logon,
    .CallPackage = call_package,
    .FreeReturnBuffer = take_memory,
    .GetCallInfo = call_info,
    .CallPackageEx = call_package_ex,
    .CreateSharedMemory = create_shared_memory,
    .AllocateSharedMemory = lend_shared_memory,
    .FreeSharedMemory = take_shared_memory,
    .DeleteSharedMemory = delete_shared_memory,
    .LsaProtectMemory = leave_memory,
    .LsaUnprotectMemory = leave_memory,
    .AllocatePrivateHeap = lend_private_memory,
    .FreePrivateHeap = take_memory,
};

/* The table as packages of newer SDKs know it, however much of it the headers here have. */
static union {
    LSA_SECPKG_FUNCTION_TABLE known;
    void *slots[sizeof functions / sizeof(void *) + HOST_NEWER];
} whole;

static BOOL CALLBACK complete(INIT_ONCE *once, void *parameter, void **context)
{
    const SIZE_T first = offsetof(LSA_SECPKG_FUNCTION_TABLE, CrediWrite) / sizeof(void *) + 1;
    (void)once, (void)parameter, (void)context;
    whole.known = functions;
    for (SIZE_T i = 0; i < HOST_NEWER; i++) whole.slots[first + i] = package_host_newer[i];
    return TRUE;
}

PLSA_SECPKG_FUNCTION_TABLE package_host_functions(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    InitOnceExecuteOnce(&once, complete, NULL, NULL);
    return &whole.known;
}

PSECPKG_PARAMETERS package_host_parameters(void)
{
    static const SECPKG_PARAMETERS parameters = {
        .Version = SECPKG_INTERFACE_VERSION,
        .MachineState =
            SECPKG_STATE_ENCRYPTION_PERMITTED | SECPKG_STATE_STRONG_ENCRYPTION_PERMITTED | SECPKG_STATE_STANDALONE,
        .DomainName = {0, sizeof(WCHAR), L""},
        .DnsDomainName = {0, sizeof(WCHAR), L""},
    };
    return (SECPKG_PARAMETERS *)&parameters;
}

static NTSTATUS NTAPI register_callback(ULONG id, PLSA_CALLBACK_FUNCTION callback)
{
    (void)id, (void)callback;
    return STATUS_NOT_SUPPORTED;
}

PSECPKG_DLL_FUNCTIONS package_host_dll_functions(void)
{
    static const SECPKG_DLL_FUNCTIONS dll_functions = {lend_memory, take_memory, register_callback};
    return (SECPKG_DLL_FUNCTIONS *)&dll_functions;
}
