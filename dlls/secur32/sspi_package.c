/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The adapters. A handle of the contract is the address of the package's own handle beside its table. What such a
 * package allocates for programs must come from the process's heap (LocalAlloc), for FreeContextBuffer cannot know
 * whose memory it is given.
 */
#include "sspi_package.h"

struct adapted_credential {
    const SecurityFunctionTableW *table;
    CredHandle handle;
    volatile LONG references; /* secur32's, and one for each context */
};

struct adapted_context {
    const SecurityFunctionTableW *table;
    CtxtHandle handle;
    struct adapted_credential *credential; /* secur32 knows the first leg's only, such a package may want it in each;
                                              NULL: imported */
    void *volatile token;                  /* the client's, once somebody has asked for it */
};

static struct adapted_credential *credential_of(LSA_SEC_HANDLE handle)
{
    return (struct adapted_credential *)handle;
}

static struct adapted_context *context_of(LSA_SEC_HANDLE handle)
{
    return (struct adapted_context *)handle;
}

NTSTATUS sspi_package_acquire(const struct package *package, UNICODE_STRING *principal, ULONG use, LUID *logon_id,
                              void *auth_data, void *get_key, void *get_key_argument, LSA_SEC_HANDLE *credential,
                              TimeStamp *expiry)
{
    struct adapted_credential *adapted = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *adapted);
    if (!adapted) return SEC_E_INSUFFICIENT_MEMORY;
    adapted->table = package->sspi;
    adapted->references = 1;
    NTSTATUS status = package->sspi->AcquireCredentialsHandleW(principal ? principal->Buffer : NULL, package->info.Name,
                                                               use, logon_id, auth_data, (SEC_GET_KEY_FN)get_key,
                                                               get_key_argument, &adapted->handle, expiry);
    if (status == SEC_E_OK)
        *credential = (LSA_SEC_HANDLE)adapted;
    else
        HeapFree(GetProcessHeap(), 0, adapted);
    return status;
}

NTSTATUS sspi_package_import(const struct package *package, SecBuffer *packed, HANDLE token, LSA_SEC_HANDLE *context)
{
    if (!package->sspi->ImportSecurityContextW) return SEC_E_UNSUPPORTED_FUNCTION;
    struct adapted_context *adapted = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *adapted);
    if (!adapted) return SEC_E_INSUFFICIENT_MEMORY;
    adapted->table = package->sspi;
    NTSTATUS status = package->sspi->ImportSecurityContextW(package->info.Name, packed, token, &adapted->handle);
    if (status == SEC_E_OK)
        *context = (LSA_SEC_HANDLE)adapted;
    else
        HeapFree(GetProcessHeap(), 0, adapted);
    return status;
}

static NTSTATUS release_credential(struct adapted_credential *credential)
{
    if (!credential || InterlockedDecrement(&credential->references)) return SEC_E_OK;
    NTSTATUS status = credential->table->FreeCredentialsHandle(&credential->handle);
    HeapFree(GetProcessHeap(), 0, credential);
    return status;
}

static NTSTATUS NTAPI free_credential(LSA_SEC_HANDLE handle)
{
    return release_credential(credential_of(handle));
}

static NTSTATUS NTAPI query_credential(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    struct adapted_credential *credential = credential_of(handle);
    if (!credential->table->QueryCredentialsAttributesW) return SEC_E_UNSUPPORTED_FUNCTION;
    return credential->table->QueryCredentialsAttributesW(&credential->handle, attribute, buffer);
}

/* The context of a leg: the one there is, or a new one of CREDENTIAL's package. NULL without memory. */
static struct adapted_context *enter(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context)
{
    if (context) return context_of(context);
    struct adapted_context *adapted = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *adapted);
    if (!adapted) return NULL;
    adapted->table = credential_of(credential)->table;
    adapted->credential = credential_of(credential);
    InterlockedIncrement(&adapted->credential->references);
    return adapted;
}

static CredHandle *credential_in(struct adapted_context *adapted)
{
    return adapted->credential ? &adapted->credential->handle : NULL;
}

static void discard(struct adapted_context *adapted)
{
    release_credential(adapted->credential);
    if (adapted->token) CloseHandle(adapted->token);
    HeapFree(GetProcessHeap(), 0, adapted);
}

/* Mapped from the first leg on: when its message functions work is the package's own business. */
static NTSTATUS leave(struct adapted_context *adapted, NTSTATUS status, LSA_SEC_HANDLE context,
                      PLSA_SEC_HANDLE new_context, PBOOLEAN mapped)
{
    if (status < 0) {
        if (!context) discard(adapted);
        return status;
    }
    *new_context = (LSA_SEC_HANDLE)adapted;
    *mapped = TRUE;
    return status;
}

static NTSTATUS NTAPI initialize(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context, PUNICODE_STRING target,
                                 ULONG request, ULONG data_rep, PSecBufferDesc input, PLSA_SEC_HANDLE new_context,
                                 PSecBufferDesc output, PULONG attributes, PTimeStamp expiry, PBOOLEAN mapped,
                                 PSecBuffer packed)
{
    struct adapted_context *adapted = enter(credential, context);
    if (!adapted) return SEC_E_INSUFFICIENT_MEMORY;
    (void)packed;
    NTSTATUS status = adapted->table->InitializeSecurityContextW(
        credential_in(adapted), context ? &adapted->handle : NULL, target ? target->Buffer : NULL, request, 0, data_rep,
        input, 0, &adapted->handle, output, attributes, expiry);
    return leave(adapted, status, context, new_context, mapped);
}

static NTSTATUS NTAPI accept(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context, PSecBufferDesc input, ULONG request,
                             ULONG data_rep, PLSA_SEC_HANDLE new_context, PSecBufferDesc output, PULONG attributes,
                             PTimeStamp expiry, PBOOLEAN mapped, PSecBuffer packed)
{
    struct adapted_context *adapted = enter(credential, context);
    if (!adapted) return SEC_E_INSUFFICIENT_MEMORY;
    (void)packed;
    NTSTATUS status =
        adapted->table->AcceptSecurityContext(credential_in(adapted), context ? &adapted->handle : NULL, input, request,
                                              data_rep, &adapted->handle, output, attributes, expiry);
    return leave(adapted, status, context, new_context, mapped);
}

static NTSTATUS NTAPI delete_context(LSA_SEC_HANDLE handle)
{
    struct adapted_context *context = context_of(handle);
    NTSTATUS status = context->table->DeleteSecurityContext(&context->handle);
    discard(context);
    return status;
}

static NTSTATUS NTAPI query_context(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer)
{
    struct adapted_context *context = context_of(handle);
    if (!context->table->QueryContextAttributesW) return SEC_E_UNSUPPORTED_FUNCTION;
    return context->table->QueryContextAttributesW(&context->handle, attribute, buffer);
}

static NTSTATUS NTAPI set_context(LSA_SEC_HANDLE handle, ULONG attribute, PVOID buffer, ULONG size)
{
    struct adapted_context *context = context_of(handle);
    if (context->table->dwVersion < SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_2 ||
        !context->table->SetContextAttributesW)
        return SEC_E_UNSUPPORTED_FUNCTION;
    return context->table->SetContextAttributesW(&context->handle, attribute, buffer, size);
}

static NTSTATUS NTAPI apply_token(LSA_SEC_HANDLE handle, PSecBufferDesc token)
{
    struct adapted_context *context = context_of(handle);
    if (!context->table->ApplyControlToken) return SEC_E_UNSUPPORTED_FUNCTION;
    return context->table->ApplyControlToken(&context->handle, token);
}

static const SECPKG_FUNCTION_TABLE lsa_adapters = {
    .QueryCredentialsAttributes = query_credential,
    .FreeCredentialsHandle = free_credential,
    .InitLsaModeContext = initialize,
    .AcceptLsaModeContext = accept,
    .DeleteContext = delete_context,
    .ApplyControlToken = apply_token,
    .QueryContextAttributes = query_context,
    .SetContextAttributes = set_context,
};

static NTSTATUS NTAPI take_over(LSA_SEC_HANDLE handle, PSecBuffer packed)
{
    (void)handle, (void)packed;
    return SEC_E_OK;
}

/* delete_context follows and frees both halves. */
static NTSTATUS NTAPI let_go(LSA_SEC_HANDLE handle)
{
    (void)handle;
    return SEC_E_OK;
}

static NTSTATUS NTAPI make_signature(LSA_SEC_HANDLE handle, ULONG qop, PSecBufferDesc message, ULONG sequence)
{
    struct adapted_context *context = context_of(handle);
    if (!context->table->MakeSignature) return SEC_E_UNSUPPORTED_FUNCTION;
    return context->table->MakeSignature(&context->handle, qop, message, sequence);
}

static NTSTATUS NTAPI verify_signature(LSA_SEC_HANDLE handle, PSecBufferDesc message, ULONG sequence, PULONG qop)
{
    struct adapted_context *context = context_of(handle);
    if (!context->table->VerifySignature) return SEC_E_UNSUPPORTED_FUNCTION;
    return context->table->VerifySignature(&context->handle, message, sequence, qop);
}

static NTSTATUS NTAPI seal(LSA_SEC_HANDLE handle, ULONG qop, PSecBufferDesc message, ULONG sequence)
{
    struct adapted_context *context = context_of(handle);
    if (!context->table->EncryptMessage) return SEC_E_UNSUPPORTED_FUNCTION;
    return context->table->EncryptMessage(&context->handle, qop, message, sequence);
}

static NTSTATUS NTAPI unseal(LSA_SEC_HANDLE handle, PSecBufferDesc message, ULONG sequence, PULONG qop)
{
    struct adapted_context *context = context_of(handle);
    if (!context->table->DecryptMessage) return SEC_E_UNSUPPORTED_FUNCTION;
    return context->table->DecryptMessage(&context->handle, message, sequence, qop);
}

/* What an SSP gives away is kept, for the contract lends it. */
static NTSTATUS NTAPI context_token(LSA_SEC_HANDLE handle, PHANDLE token)
{
    struct adapted_context *context = context_of(handle);
    HANDLE given;
    if (!context->table->QuerySecurityContextToken) return SEC_E_UNSUPPORTED_FUNCTION;
    if (!context->token) {
        NTSTATUS status = context->table->QuerySecurityContextToken(&context->handle, &given);
        if (status) return status;
        if (InterlockedCompareExchangePointer(&context->token, given, NULL)) CloseHandle(given);
    }
    *token = context->token;
    return SEC_E_OK;
}

static NTSTATUS NTAPI complete(LSA_SEC_HANDLE handle, PSecBufferDesc token)
{
    struct adapted_context *context = context_of(handle);
    if (!context->table->CompleteAuthToken) return SEC_E_UNSUPPORTED_FUNCTION;
    return context->table->CompleteAuthToken(&context->handle, token);
}

static NTSTATUS NTAPI export_context(LSA_SEC_HANDLE handle, ULONG flags, PSecBuffer packed, PHANDLE token)
{
    struct adapted_context *context = context_of(handle);
    if (!context->table->ExportSecurityContext) return SEC_E_UNSUPPORTED_FUNCTION;
    return context->table->ExportSecurityContext(&context->handle, flags, packed, (void **)token);
}

static const SECPKG_USER_FUNCTION_TABLE user_adapters = {
    .InitUserModeContext = take_over,
    .MakeSignature = make_signature,
    .VerifySignature = verify_signature,
    .SealMessage = seal,
    .UnsealMessage = unseal,
    .GetContextToken = context_token,
    .QueryContextAttributes = query_context,
    .CompleteAuthToken = complete,
    .DeleteUserModeContext = let_go,
    .ExportContext = export_context,
};

/* Without these there is nothing that a program could do with the package. Our own table is what secur32.dll and
 * security.dll answer, which are no packages. */
static BOOL is_whole(const SecurityFunctionTableW *table)
{
    return table && table != InitSecurityInterfaceW() && table->EnumerateSecurityPackagesW &&
           table->AcquireCredentialsHandleW && table->FreeCredentialsHandle && table->InitializeSecurityContextW &&
           table->AcceptSecurityContext && table->DeleteSecurityContext;
}

ULONG sspi_package_join(HMODULE module, struct package **joined, ULONG room)
{
    INIT_SECURITY_INTERFACE_W init =
        (INIT_SECURITY_INTERFACE_W)(void *)GetProcAddress(module, SECURITY_ENTRYPOINT_ANSIW);
    const SecurityFunctionTableW *table = init ? init() : NULL;
    SecPkgInfoW *infos = NULL; /* the packages' strings are theirs: never freed */
    ULONG count = 0, made = 0;
    if (!is_whole(table) || table->EnumerateSecurityPackagesW(&count, &infos) || !infos) return 0;
    for (ULONG i = 0; i < count && made < room; i++) {
        if (!infos[i].Name || !infos[i].Comment) continue;
        struct package *package = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *package);
        if (!package) break;
        *package = (struct package){
            .info = infos[i], .lsa = lsa_adapters, .user = user_adapters, .sspi = table, .module = module};
        joined[made++] = package;
    }
    return made;
}
