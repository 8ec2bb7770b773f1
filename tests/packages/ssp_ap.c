/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ssp_ap.dll: a security package by the contract of ntsecpkg.h, an SSP/AP. Its LSA-mode half establishes contexts, its
 * user-mode half knows of them only what it is handed over packed. Both tables are of version 1 and end where that
 * version ends.
 */
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <ntsecapi.h>
#include "counters.h"
#include "host_checks.h"
#include "live.h"
#include "toy.h"
#include <ntsecpkg.h>

#include <stddef.h>
#include <string.h>

struct credential {
    ULONG use;
    WCHAR user[TOY_NAME];
};

static struct live credentials, contexts, user_contexts;
static struct counters counters;
static LSA_SECPKG_FUNCTION_TABLE host;
static SECPKG_DLL_FUNCTIONS dll_host;

static const SecPkgInfoW package_info = {.fCapabilities =
                                             SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY | SECPKG_FLAG_CONNECTION,
                                         .wVersion = 7,
                                         .wRPCID = 0xC5,
                                         .cbMaxToken = TOY_MAX_TOKEN,
                                         .Name = (WCHAR *)L"Countersign Test SSP/AP",
                                         .Comment = (WCHAR *)L"A package of the tests, with both halves"};

/* ---- the LSA-mode half ------------------------------------------------------------------------------------------- */

static void *lsa_allocate(SIZE_T size)
{
    return host.AllocateLsaHeap((ULONG)size);
}

static NTSTATUS NTAPI initialize(ULONG_PTR package_id, PSECPKG_PARAMETERS parameters, PLSA_SECPKG_FUNCTION_TABLE table)
{
    host = *table;
    counters.package_id = package_id;
    counters.missing = host_missing(table);
    counters.host_fault = counters.missing ? "slots are empty" : host_check(parameters, table);
    InterlockedIncrement(&counters.initialized);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI shut_down(void)
{
    InterlockedIncrement(&counters.shut_downs);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI get_info(PSecPkgInfoW info)
{
    *info = package_info;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI acquire(PUNICODE_STRING principal, ULONG use, PLUID logon_id, PVOID auth_data, PVOID get_key,
                              PVOID get_key_argument, PLSA_SEC_HANDLE handle, PTimeStamp expiry)
{
    SECPKG_CLIENT_INFO client;
    (void)logon_id, (void)get_key, (void)get_key_argument;
    if (principal && !wcsncmp(principal->Buffer, L"refused", 7)) return SEC_E_UNKNOWN_CREDENTIALS;
    if (host.GetClientInfo(&client) || client.ProcessID != GetCurrentProcessId()) return SEC_E_INTERNAL_ERROR;
    struct credential *credential = lsa_allocate(sizeof *credential);
    if (!credential || !live_add(&credentials, (ULONG_PTR)credential, credential)) return SEC_E_INSUFFICIENT_MEMORY;
    credential->use = use;
    toy_take_user(auth_data, credential->user);
    *handle = (LSA_SEC_HANDLE)credential;
    expiry->LowPart = 0x11223344;
    expiry->HighPart = 0x01D00000;
    return SEC_E_OK;
}

static NTSTATUS NTAPI free_credential(LSA_SEC_HANDLE handle)
{
    struct credential *credential = live_take(&credentials, handle);
    if (!credential) return SEC_E_INVALID_HANDLE;
    host.FreeLsaHeap(credential);
    return SEC_E_OK;
}

static NTSTATUS NTAPI query_credential(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    const struct credential *credential = live_find(&credentials, handle);
    SecPkgCredentials_NamesW *names = buffer;
    if (!credential) return SEC_E_INVALID_HANDLE;
    if (attribute != SECPKG_CRED_ATTR_NAMES) return SEC_E_UNSUPPORTED_FUNCTION;
    names->sUserName = lsa_allocate(sizeof credential->user);
    if (!names->sUserName) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(names->sUserName, credential->user, sizeof credential->user);
    return SEC_E_OK;
}

/* The context of a leg: the one there is, or on the first leg a new one of CREDENTIAL's. NULL: *status says why. */
static struct toy *enter(LSA_SEC_HANDLE credential_handle, LSA_SEC_HANDLE context, BOOL initiator, NTSTATUS *status)
{
    *status = SEC_E_INVALID_HANDLE;
    if (context) return live_find(&contexts, context);
    const struct credential *credential = live_find(&credentials, credential_handle);
    if (!credential) return NULL;
    *status = SEC_E_INSUFFICIENT_MEMORY;
    struct toy *toy = lsa_allocate(sizeof *toy);
    if (!toy || !live_add(&contexts, (ULONG_PTR)toy, toy)) return NULL;
    toy->initiator = initiator;
    memcpy(toy->user, credential->user, sizeof toy->user);
    return toy;
}

static NTSTATUS NTAPI delete_context(LSA_SEC_HANDLE handle)
{
    struct toy *toy = live_take(&contexts, handle);
    if (!toy) return SEC_E_INVALID_HANDLE;
    host.FreeLsaHeap(toy);
    return SEC_E_OK;
}

/* The packed context: all that the other half needs, as bytes. */
static NTSTATUS hand_over(const struct toy *toy, PBOOLEAN mapped, PSecBuffer packed)
{
    void *bytes = lsa_allocate(sizeof *toy);
    if (!bytes) return SEC_E_INSUFFICIENT_MEMORY;
    *packed = (SecBuffer){sizeof *toy, SECBUFFER_TOKEN, memcpy(bytes, toy, sizeof *toy)};
    *mapped = TRUE;
    return SEC_E_OK;
}

/* A first leg that fails leaves nothing, so that nobody needs to delete anything. */
static NTSTATUS leave(struct toy *toy, NTSTATUS status, BOOL first, PLSA_SEC_HANDLE new_context, PTimeStamp expiry,
                      PBOOLEAN mapped, PSecBuffer packed)
{
    if (status == SEC_E_OK) status = hand_over(toy, mapped, packed);
    if (status < 0) {
        if (first) delete_context((LSA_SEC_HANDLE)toy);
        return status;
    }
    *new_context = (LSA_SEC_HANDLE)toy;
    expiry->LowPart = 0x55667788;
    expiry->HighPart = 0x01D00000;
    return status;
}

static NTSTATUS NTAPI init_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context, PUNICODE_STRING target,
                                   ULONG request, ULONG data_rep, PSecBufferDesc input, PLSA_SEC_HANDLE new_context,
                                   PSecBufferDesc output, PULONG attributes, PTimeStamp expiry, PBOOLEAN mapped,
                                   PSecBuffer packed)
{
    NTSTATUS status;
    struct toy *toy = enter(credential, context, TRUE, &status);
    (void)data_rep;
    if (!toy) return status;
    status = toy_leg(toy, target ? target->Buffer : NULL, request, input, output, lsa_allocate, attributes);
    return leave(toy, status, !context, new_context, expiry, mapped, packed);
}

static NTSTATUS NTAPI accept_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context, PSecBufferDesc input,
                                     ULONG request, ULONG data_rep, PLSA_SEC_HANDLE new_context, PSecBufferDesc output,
                                     PULONG attributes, PTimeStamp expiry, PBOOLEAN mapped, PSecBuffer packed)
{
    NTSTATUS status;
    struct toy *toy = enter(credential, context, FALSE, &status);
    (void)data_rep;
    if (!toy) return status;
    status = toy_leg(toy, NULL, request, input, output, lsa_allocate, attributes);
    return leave(toy, status, !context, new_context, expiry, mapped, packed);
}

static NTSTATUS NTAPI control_token(LSA_SEC_HANDLE handle, PSecBufferDesc token)
{
    (void)token;
    if (!live_find(&contexts, handle)) return SEC_E_INVALID_HANDLE;
    InterlockedIncrement(&counters.control_tokens);
    return SEC_E_OK;
}

/* While a context is established there is nothing to tell of it but its package. */
static NTSTATUS NTAPI query_lsa_context(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    SecPkgContext_PackageInfoW *info = buffer;
    InterlockedIncrement(&counters.lsa_queries);
    if (!live_find(&contexts, handle)) return SEC_E_INVALID_HANDLE;
    if (attribute != SECPKG_ATTR_PACKAGE_INFO) return SEC_E_INVALID_HANDLE;
    return toy_copy_info(&package_info, &info->PackageInfo, lsa_allocate);
}

/* Answers with the message backwards, but for its first four bytes, which become the protocol status. */
static NTSTATUS NTAPI call_untrusted(PLSA_CLIENT_REQUEST request, PVOID message, PVOID client_base, ULONG size,
                                     PVOID *answer, PULONG answer_size, PNTSTATUS protocol)
{
    BYTE backwards[256];
    SECPKG_CALL_INFO call;
    (void)client_base;
    if (size < sizeof *protocol || size > sizeof backwards) return STATUS_INVALID_PARAMETER;
    if (!host.GetCallInfo(&call) || call.ProcessId != GetCurrentProcessId()) return STATUS_UNSUCCESSFUL;
    memcpy(protocol, message, sizeof *protocol);
    *answer_size = size - sizeof *protocol;
    for (ULONG i = 0; i < *answer_size; i++) backwards[i] = ((const BYTE *)message)[size - 1 - i];
    NTSTATUS status = host.AllocateClientBuffer(request, *answer_size, answer);
    return status ? status : host.CopyToClientBuffer(request, *answer_size, *answer, backwards);
}

static const SECPKG_FUNCTION_TABLE lsa_functions = {
    .CallPackageUntrusted = call_untrusted,
    .Initialize = initialize,
    .Shutdown = shut_down,
    .GetInfo = get_info,
    .AcquireCredentialsHandle = acquire,
    .QueryCredentialsAttributes = query_credential,
    .FreeCredentialsHandle = free_credential,
    .InitLsaModeContext = init_context,
    .AcceptLsaModeContext = accept_context,
    .DeleteContext = delete_context,
    .ApplyControlToken = control_token,
    .QueryContextAttributes = query_lsa_context,
};

/* ---- the user-mode half ------------------------------------------------------------------------------------------ */

static void *user_allocate(SIZE_T size)
{
    return dll_host.AllocateHeap((ULONG)size);
}

static NTSTATUS NTAPI instance_init(ULONG version, PSECPKG_DLL_FUNCTIONS functions, PVOID *user)
{
    (void)user;
    if (!version || !functions || !functions->AllocateHeap || !functions->FreeHeap) return STATUS_INVALID_PARAMETER;
    dll_host = *functions;
    InterlockedIncrement(&counters.instances);
    return STATUS_SUCCESS;
}

/* TOY's copy as the user-mode context of HANDLE. */
static NTSTATUS make_user_context(LSA_SEC_HANDLE handle, const SecBuffer *packed)
{
    struct toy *toy = user_allocate(sizeof *toy);
    if (!toy) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(toy, packed->pvBuffer, sizeof *toy);
    return live_add(&user_contexts, handle, toy) ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

static NTSTATUS NTAPI init_user_context(LSA_SEC_HANDLE handle, PSecBuffer packed)
{
    return packed->cbBuffer == sizeof(struct toy) ? make_user_context(handle, packed) : SEC_E_INVALID_TOKEN;
}

static NTSTATUS NTAPI delete_user_context(LSA_SEC_HANDLE handle)
{
    struct toy *toy = live_take(&user_contexts, handle);
    if (!toy) return SEC_E_INVALID_HANDLE;
    dll_host.FreeHeap(toy);
    return SEC_E_OK;
}

static NTSTATUS NTAPI make_signature(LSA_SEC_HANDLE handle, ULONG qop, PSecBufferDesc message, ULONG sequence)
{
    struct toy *toy = live_find(&user_contexts, handle);
    return toy ? toy_protect(toy, qop, message, sequence, FALSE) : SEC_E_INVALID_HANDLE;
}

static NTSTATUS NTAPI verify_signature(LSA_SEC_HANDLE handle, PSecBufferDesc message, ULONG sequence, PULONG qop)
{
    struct toy *toy = live_find(&user_contexts, handle);
    return toy ? toy_unprotect(toy, message, sequence, qop, FALSE) : SEC_E_INVALID_HANDLE;
}

static NTSTATUS NTAPI seal(LSA_SEC_HANDLE handle, ULONG qop, PSecBufferDesc message, ULONG sequence)
{
    struct toy *toy = live_find(&user_contexts, handle);
    return toy ? toy_protect(toy, qop, message, sequence, TRUE) : SEC_E_INVALID_HANDLE;
}

static NTSTATUS NTAPI unseal(LSA_SEC_HANDLE handle, PSecBufferDesc message, ULONG sequence, PULONG qop)
{
    struct toy *toy = live_find(&user_contexts, handle);
    return toy ? toy_unprotect(toy, message, sequence, qop, TRUE) : SEC_E_INVALID_HANDLE;
}

static NTSTATUS NTAPI query_user_context(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    const struct toy *toy = live_find(&user_contexts, handle);
    SecPkgContext_PackageInfoW *info = buffer;
    InterlockedIncrement(&counters.user_queries);
    if (!toy) return SEC_E_INVALID_HANDLE;
    if (attribute == SECPKG_ATTR_PACKAGE_INFO) return toy_copy_info(&package_info, &info->PackageInfo, user_allocate);
    return toy_query(toy, attribute, buffer, user_allocate);
}

static HANDLE make_token(void)
{
    HANDLE own, token = NULL;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE, &own)) return NULL;
    DuplicateTokenEx(own, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenImpersonation, &token);
    CloseHandle(own);
    return token;
}

/* Whoever logs on here is the process's own user, with one token for all, which is lent: a host closes none. */
static NTSTATUS NTAPI context_token(LSA_SEC_HANDLE handle, PHANDLE token)
{
    static void *volatile lent;
    if (!live_find(&user_contexts, handle)) return SEC_E_INVALID_HANDLE;
    HANDLE made = lent ? NULL : make_token();
    if (made && InterlockedCompareExchangePointer(&lent, made, NULL)) CloseHandle(made);
    *token = lent;
    return lent ? SEC_E_OK : SEC_E_NO_IMPERSONATION;
}

static NTSTATUS NTAPI export_context(LSA_SEC_HANDLE handle, ULONG flags, PSecBuffer packed, PHANDLE token)
{
    const struct toy *toy = live_find(&user_contexts, handle);
    (void)flags;
    if (!toy) return SEC_E_INVALID_HANDLE;
    void *bytes = user_allocate(sizeof *toy);
    if (!bytes) return SEC_E_INSUFFICIENT_MEMORY;
    *packed = (SecBuffer){sizeof *toy, SECBUFFER_TOKEN, memcpy(bytes, toy, sizeof *toy)};
    if (token) *token = NULL;
    return SEC_E_OK;
}

/* Its handle is one that the LSA-mode half has never heard of. */
static NTSTATUS NTAPI import_context(PSecBuffer packed, HANDLE token, PLSA_SEC_HANDLE handle)
{
    static volatile LONG imported;
    (void)token;
    if (packed->cbBuffer != sizeof(struct toy)) return SEC_E_INVALID_TOKEN;
    *handle = (LSA_SEC_HANDLE)InterlockedIncrement(&imported) * 2 - 1;
    return make_user_context(*handle, packed);
}

static const SECPKG_USER_FUNCTION_TABLE user_functions = {
    .InstanceInit = instance_init,
    .InitUserModeContext = init_user_context,
    .MakeSignature = make_signature,
    .VerifySignature = verify_signature,
    .SealMessage = seal,
    .UnsealMessage = unseal,
    .GetContextToken = context_token,
    .QueryContextAttributes = query_user_context,
    .DeleteUserModeContext = delete_user_context,
    .ExportContext = export_context,
    .ImportContext = import_context,
};

/* ---- the exports ------------------------------------------------------------------------------------------------- */

NTSTATUS SEC_ENTRY SpLsaModeInitialize(ULONG version, ULONG *package_version, PSECPKG_FUNCTION_TABLE *tables,
                                       ULONG *count);
NTSTATUS SEC_ENTRY SpUserModeInitialize(ULONG version, ULONG *package_version, PSECPKG_USER_FUNCTION_TABLE *tables,
                                        ULONG *count);

__declspec(dllexport) NTSTATUS SEC_ENTRY
    SpLsaModeInitialize(ULONG version, ULONG *package_version, PSECPKG_FUNCTION_TABLE *tables, ULONG *count)
{
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = toy_copy_to_page_end(&lsa_functions, offsetof(SECPKG_FUNCTION_TABLE, SetContextAttributes));
    *count = 1;
    return *tables ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

__declspec(dllexport) NTSTATUS SEC_ENTRY
    SpUserModeInitialize(ULONG version, ULONG *package_version, PSECPKG_USER_FUNCTION_TABLE *tables, ULONG *count)
{
    (void)version;
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = toy_copy_to_page_end(&user_functions, sizeof user_functions);
    *count = 1;
    return *tables ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

__declspec(dllexport) count_function TestCounters;

void TestCounters(struct counters *out)
{
    *out = counters;
    out->credentials_made = credentials.made;
    out->credentials_freed = credentials.freed;
    out->contexts_made = contexts.made;
    out->contexts_freed = contexts.freed;
    out->user_contexts_made = user_contexts.made;
    out->user_contexts_freed = user_contexts.freed;
    out->foreign = credentials.foreign + contexts.foreign + user_contexts.foreign;
}
