/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What joins a package to its host and to the Unix half, and what the host lends.
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
    PLSA_GET_CALL_INFO call_info;
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

ULONG sp_call_attributes(void)
{
    SECPKG_CALL_INFO info = {0};
    return host.call_info && host.call_info(&info) ? info.Attributes : 0;
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

NTSTATUS NTAPI sp_initialize(ULONG_PTR package_id, PSECPKG_PARAMETERS parameters, PLSA_SECPKG_FUNCTION_TABLE table)
{
    (void)package_id;
    (void)parameters;
    if (!CountersignReady()) return SEC_E_SECPKG_NOT_FOUND;
    host.allocate = table->AllocateLsaHeap;
    host.release = table->FreeLsaHeap;
    host.allocate_client = table->AllocateClientBuffer;
    host.release_client = table->FreeClientBuffer;
    host.client_info = table->GetClientInfo;
    host.call_info = table->GetCallInfo;
    return SEC_E_OK;
}

NTSTATUS NTAPI sp_shut_down(void)
{
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
