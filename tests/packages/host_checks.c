/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A package tries its host out.
 */
#include "host_checks.h"

#include <stddef.h>
#include <string.h>

LONG host_missing(const LSA_SECPKG_FUNCTION_TABLE *table)
{
    enum { NEWER = 12 }; /* Windows 10's, behind the last one that all headers have */
    void *const *slots = (void *const *)table;
    LONG missing = 0;
    for (SIZE_T i = 0; i < offsetof(LSA_SECPKG_FUNCTION_TABLE, CrediWrite) / sizeof *slots + 1 + NEWER; i++)
        missing += !slots[i];
    return missing;
}

static BOOL lends_memory(const LSA_SECPKG_FUNCTION_TABLE *table)
{
    BYTE *memory = table->AllocateLsaHeap(64), *secret = table->AllocatePrivateHeap(64);
    const BOOL lent = memory && secret;
    if (lent) memset(memory, 1, 64);
    if (lent) memset(secret, 1, 64);
    table->FreeLsaHeap(memory);
    table->FreePrivateHeap(secret);
    return lent;
}

static BOOL lends_client_memory(const LSA_SECPKG_FUNCTION_TABLE *table)
{
    char text[8] = "there", back[8] = "";
    void *client = NULL;
    if (table->AllocateClientBuffer(NULL, sizeof text, &client)) return FALSE;
    const BOOL whole = !table->CopyToClientBuffer(NULL, sizeof text, client, text) &&
                       !table->CopyFromClientBuffer(NULL, sizeof back, back, client) && !strcmp(back, text);
    return !table->FreeClientBuffer(NULL, client) && whole;
}

static BOOL lends_shared_memory(const LSA_SECPKG_FUNCTION_TABLE *table)
{
    void *shared = table->CreateSharedMemory(0x10000, 0x1000);
    char *piece = shared ? table->AllocateSharedMemory(shared, 16) : NULL;
    if (!piece) return FALSE;
    strcpy(piece, "shared");
    table->FreeSharedMemory(shared, piece);
    return table->DeleteSharedMemory(shared);
}

static BOOL tells_who_calls(const LSA_SECPKG_FUNCTION_TABLE *table)
{
    SECPKG_CLIENT_INFO client;
    SECPKG_CALL_INFO call;
    return !table->GetClientInfo(&client) && client.ProcessID == GetCurrentProcessId() &&
           client.ThreadID == GetCurrentThreadId() && !client.Impersonating && table->GetCallInfo(&call) &&
           call.ProcessId == GetCurrentProcessId() && call.ThreadId == GetCurrentThreadId();
}

static BOOL maps_buffers(const LSA_SECPKG_FUNCTION_TABLE *table)
{
    char text[8] = "mapped";
    SecBuffer buffer = {sizeof text, SECBUFFER_DATA | SECBUFFER_UNMAPPED, text}, mapped = {0, 0, NULL};
    return !table->MapBuffer(&buffer, &mapped) && mapped.cbBuffer == sizeof text && !strcmp(mapped.pvBuffer, text);
}

static BOOL duplicates_handles(const LSA_SECPKG_FUNCTION_TABLE *table)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL), twin = NULL;
    const BOOL same = !table->DuplicateHandle(event, &twin) && SetEvent(twin) && !WaitForSingleObject(event, 0);
    CloseHandle(event);
    CloseHandle(twin);
    return same;
}

static DWORD WINAPI answer(void *argument)
{
    return *(const DWORD *)argument;
}

static BOOL runs_threads(const LSA_SECPKG_FUNCTION_TABLE *table)
{
    DWORD number = 4711, result = 0;
    ULONG id;
    HANDLE thread = table->CreateThread(NULL, 0, answer, &number, 0, &id);
    if (!thread) return FALSE;
    WaitForSingleObject(thread, 10000);
    GetExitCodeThread(thread, &result);
    CloseHandle(thread);
    return result == number;
}

static BOOL impersonates(const LSA_SECPKG_FUNCTION_TABLE *table)
{
    HANDLE token = NULL;
    if (table->ImpersonateClient()) return FALSE;
    const BOOL impersonated = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token);
    CloseHandle(token);
    return RevertToSelf() && impersonated;
}

static BOOL calls_packages(const LSA_SECPKG_FUNCTION_TABLE *table)
{
    UNICODE_STRING nobody = {12, 14, (WCHAR *)L"nobody"}, negotiate = {18, 20, (WCHAR *)L"Negotiate"};
    ULONG caller_name[3] = {1}, size = 0; /* NegGetCallerName, and the caller's own logon session */
    NTSTATUS protocol = STATUS_SUCCESS;
    void *result = NULL;
    return table->CallPackage(&nobody, caller_name, sizeof caller_name, &result, &size, &protocol) ==
               STATUS_NO_SUCH_PACKAGE &&
           table->CallPackage(&negotiate, caller_name, sizeof caller_name, &result, &size, &protocol) ==
               STATUS_SUCCESS &&
           protocol == STATUS_NO_SUCH_LOGON_SESSION;
}

/* What takes an LSA with accounts is refused in a way that a package can see. */
static BOOL refuses_the_rest(const LSA_SECPKG_FUNCTION_TABLE *table)
{
    LUID session = {0, 0};
    void *user = NULL;
    SECURITY_STRING name = {0, 0, NULL};
    return table->CreateLogonSession(&session) < 0 &&
           table->OpenSamUser(&name, SecNameSamCompatible, NULL, FALSE, 0, &user) < 0 &&
           !table->RegisterNotification(NULL, NULL, 0, 0, 0, 0, NULL);
}

static BOOL describes_itself(const SECPKG_PARAMETERS *parameters)
{
    return parameters && parameters->Version && parameters->DomainName.Buffer && parameters->DnsDomainName.Buffer &&
           (parameters->MachineState & SECPKG_STATE_ENCRYPTION_PERMITTED);
}

const char *host_check(const SECPKG_PARAMETERS *parameters, const LSA_SECPKG_FUNCTION_TABLE *table)
{
    if (!describes_itself(parameters)) return "SECPKG_PARAMETERS";
    if (!lends_memory(table)) return "AllocateLsaHeap, AllocatePrivateHeap";
    if (!lends_client_memory(table)) return "AllocateClientBuffer, CopyToClientBuffer, CopyFromClientBuffer";
    if (!lends_shared_memory(table)) return "CreateSharedMemory, AllocateSharedMemory";
    if (!tells_who_calls(table)) return "GetClientInfo, GetCallInfo";
    if (!maps_buffers(table)) return "MapBuffer";
    if (!duplicates_handles(table)) return "DuplicateHandle";
    if (!runs_threads(table)) return "CreateThread";
    if (!impersonates(table)) return "ImpersonateClient";
    if (!calls_packages(table)) return "CallPackage";
    if (!refuses_the_rest(table)) return "CreateLogonSession, OpenSamUser, RegisterNotification";
    return NULL;
}
