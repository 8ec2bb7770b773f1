/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The entry points of a security package: SpLsaModeInitialize and SpUserModeInitialize hand out its tables, Initialize
 * joins it to its host and to the Unix half.
 */
#include "package.h"

#include <string.h>

/* What the host lends. Until it has, or if it lends nothing, the process heap, which is what ours lends. */
static struct {
    PLSA_ALLOCATE_LSA_HEAP allocate;
    PLSA_FREE_LSA_HEAP release;
    PLSA_ALLOCATE_CLIENT_BUFFER allocate_client;
    PLSA_FREE_CLIENT_BUFFER release_client;
    PLSA_GET_CLIENT_INFO client_info;
} host;

void *sp_allocate(SIZE_T size)
{
    return host.allocate ? host.allocate((ULONG)size) : HeapAlloc(GetProcessHeap(), 0, size);
}

void sp_free(void *memory)
{
    if (host.release)
        host.release(memory);
    else
        HeapFree(GetProcessHeap(), 0, memory);
}

void *sp_allocate_client(PLSA_CLIENT_REQUEST client, SIZE_T size)
{
    void *memory = NULL;
    if (!host.allocate_client) return HeapAlloc(GetProcessHeap(), 0, size);
    return host.allocate_client(client, (ULONG)size, &memory) ? NULL : memory;
}

void sp_free_client(PLSA_CLIENT_REQUEST client, void *memory)
{
    if (host.release_client)
        host.release_client(client, memory);
    else
        HeapFree(GetProcessHeap(), 0, memory);
}

BOOL sp_logon_id(LUID *logon_id)
{
    SECPKG_CLIENT_INFO info;
    if (!host.client_info || host.client_info(&info)) return FALSE;
    *logon_id = info.LogonId;
    return TRUE;
}

struct cs_bytes sp_bytes(const void *address, SIZE_T size)
{
    return (struct cs_bytes){.address = (ULONG_PTR)address, .size = (ULONG)size};
}

void sp_time_stamp(INT64 utc, TimeStamp *stamp)
{
    const INT64 never = 0x7FFFFFFFFFFFFFFF;
    FILETIME in = {(DWORD)utc, (DWORD)(utc >> 32)}, out = in;
    if (utc != never) FileTimeToLocalFileTime(&in, &out);
    stamp->LowPart = out.dwLowDateTime;
    stamp->HighPart = (LONG)out.dwHighDateTime;
}

static NTSTATUS NTAPI initialize(ULONG_PTR package_id, PSECPKG_PARAMETERS parameters, PLSA_SECPKG_FUNCTION_TABLE table)
{
    (void)package_id;
    (void)parameters;
    if (!CountersignReady()) return SEC_E_SECPKG_NOT_FOUND;
    host.allocate = table->AllocateLsaHeap;
    host.release = table->FreeLsaHeap;
    host.allocate_client = table->AllocateClientBuffer;
    host.release_client = table->FreeClientBuffer;
    host.client_info = table->GetClientInfo;
    return SEC_E_OK;
}

static NTSTATUS NTAPI shut_down(void)
{
    return SEC_E_OK;
}

static NTSTATUS NTAPI get_info(PSecPkgInfoW info)
{
    *info = *sp_find_info(sp_mechanism);
    return SEC_E_OK;
}

SecPkgInfoW *sp_copy_info(const SecPkgInfoW *info)
{
    const SIZE_T name = (wcslen(info->Name) + 1) * sizeof(WCHAR), comment = (wcslen(info->Comment) + 1) * sizeof(WCHAR);
    SecPkgInfoW *copy = sp_allocate(sizeof *copy + name + comment);
    if (!copy) return NULL;
    *copy = *info;
    copy->Name = memcpy(copy + 1, info->Name, name);
    copy->Comment = memcpy((BYTE *)(copy + 1) + name, info->Comment, comment);
    return copy;
}

/* Complete but for what each package defines itself, which SpLsaModeInitialize puts in. */
static SECPKG_FUNCTION_TABLE lsa_functions = {
    .Initialize = initialize,
    .Shutdown = shut_down,
    .GetInfo = get_info,
    .AcquireCredentialsHandle = sp_acquire_credentials_handle,
    .QueryCredentialsAttributes = sp_query_credentials_attributes,
    .SetCredentialsAttributes = sp_set_credentials_attributes,
    .FreeCredentialsHandle = sp_free_credentials_handle,
    .InitLsaModeContext = sp_init_lsa_mode_context,
    .AcceptLsaModeContext = sp_accept_lsa_mode_context,
    .DeleteContext = sp_delete_context,
    .QueryContextAttributes = sp_query_context_attributes,
};

static SpInstanceInitFn instance_init;

static const SECPKG_USER_FUNCTION_TABLE user_functions = {
    .InstanceInit = instance_init,
    .InitUserModeContext = sp_init_user_mode_context,
    .MakeSignature = sp_make_signature,
    .VerifySignature = sp_verify_signature,
    .SealMessage = sp_seal_message,
    .UnsealMessage = sp_unseal_message,
    .QueryContextAttributes = sp_query_context_attributes,
    .DeleteUserModeContext = sp_delete_user_mode_context,
};

/* Called in the process that uses contexts; the tables are the same for every version asked for. */
static NTSTATUS NTAPI instance_init(ULONG version, PSECPKG_DLL_FUNCTIONS functions, void **user)
{
    (void)version;
    (void)functions;
    if (user) *user = (void *)&user_functions;
    return CountersignReady() ? SEC_E_OK : SEC_E_SECPKG_NOT_FOUND;
}

NTSTATUS NTAPI SpInstanceInit(ULONG version, PSECPKG_DLL_FUNCTIONS functions, void **user)
{
    return instance_init(version, functions, user);
}

NTSTATUS SEC_ENTRY SpLsaModeInitialize(ULONG version, ULONG *package_version, PSECPKG_FUNCTION_TABLE *tables,
                                       ULONG *count)
{
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION_3; /* the first with SetCredentialsAttributes */
    lsa_functions.CallPackageUntrusted = sp_call_untrusted;
    *tables = &lsa_functions;
    *count = 1;
    return SEC_E_OK;
}

NTSTATUS SEC_ENTRY SpUserModeInitialize(ULONG version, ULONG *package_version, PSECPKG_USER_FUNCTION_TABLE *tables,
                                        ULONG *count)
{
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = (SECPKG_USER_FUNCTION_TABLE *)&user_functions;
    *count = 1;
    return SEC_E_OK;
}
