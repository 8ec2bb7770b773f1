/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ssp.dll: a security package with SSPI's own functions (InitSecurityInterfaceW) and nothing else, an SSP. Both words
 * of its handles matter, and its table is of version 1 and ends where that version ends.
 */
#include "counters.h"
#include "live.h"
#include "toy.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What stands in the upper word of a handle; the lower one has the object's address. */
#define CREDENTIAL_MARK ((ULONG_PTR)0x43726564)
#define CONTEXT_MARK ((ULONG_PTR)0x43747874)

struct credential {
    ULONG use;
    WCHAR user[TOY_NAME];
};

static struct live credentials, contexts;
static struct counters counters;

static SecPkgInfoW infos[] = {
    {SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY, 3, 0xC6, TOY_MAX_TOKEN, (WCHAR *)L"Countersign Test SSP",
     (WCHAR *)L"A package of the tests, with SSPI's own functions"},
    {SECPKG_FLAG_INTEGRITY, 3, 0xC7, TOY_MAX_TOKEN, (WCHAR *)L"Countersign Test SSP 2",
     (WCHAR *)L"Another of the same DLL"},
};

/* Programs free it with secur32's FreeContextBuffer, which takes what LocalAlloc gave. */
static void *allocate(SIZE_T size)
{
    return LocalAlloc(LPTR, size);
}

/* ---- credentials ------------------------------------------------------------------------------------------------- */

static struct credential *find_credential(const CredHandle *handle, void *(*look)(struct live *, ULONG_PTR))
{
    const BOOL marked = handle && handle->dwUpper == CREDENTIAL_MARK;
    return look(&credentials, marked ? handle->dwLower : 0);
}

static SECURITY_STATUS WINAPI acquire(SEC_WCHAR *principal, SEC_WCHAR *package, ULONG use, void *logon_id,
                                      void *auth_data, SEC_GET_KEY_FN get_key, void *get_key_argument,
                                      PCredHandle handle, PTimeStamp expiry)
{
    (void)logon_id, (void)get_key, (void)get_key_argument;
    if (_wcsicmp(package, infos[0].Name) && _wcsicmp(package, infos[1].Name)) return SEC_E_SECPKG_NOT_FOUND;
    if (principal && !wcscmp(principal, L"refused")) return SEC_E_UNKNOWN_CREDENTIALS;
    struct credential *credential = calloc(1, sizeof *credential);
    if (!credential || !live_add(&credentials, (ULONG_PTR)credential, credential)) return SEC_E_INSUFFICIENT_MEMORY;
    credential->use = use;
    toy_take_user(auth_data, credential->user);
    *handle = (CredHandle){(ULONG_PTR)credential, CREDENTIAL_MARK};
    expiry->LowPart = 0x11223344;
    expiry->HighPart = 0x01D00000;
    return SEC_E_OK;
}

static SECURITY_STATUS WINAPI free_credential(PCredHandle handle)
{
    struct credential *credential = find_credential(handle, live_take);
    free(credential);
    return credential ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

static SECURITY_STATUS WINAPI query_credential(PCredHandle handle, ULONG attribute, void *buffer)
{
    const struct credential *credential = find_credential(handle, live_find);
    SecPkgCredentials_NamesW *names = buffer;
    if (!credential) return SEC_E_INVALID_HANDLE;
    if (attribute != SECPKG_CRED_ATTR_NAMES) return SEC_E_UNSUPPORTED_FUNCTION;
    names->sUserName = allocate(sizeof credential->user);
    if (!names->sUserName) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(names->sUserName, credential->user, sizeof credential->user);
    return SEC_E_OK;
}

/* ---- contexts ---------------------------------------------------------------------------------------------------- */

static struct toy *find_context(const CtxtHandle *handle, void *(*look)(struct live *, ULONG_PTR))
{
    const BOOL marked = handle && handle->dwUpper == CONTEXT_MARK;
    return look(&contexts, marked ? handle->dwLower : 0);
}

static SECURITY_STATUS WINAPI delete_context(PCtxtHandle handle)
{
    struct toy *toy = find_context(handle, live_take);
    free(toy);
    return toy ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

/* The context of a leg. Its credential must be there in every leg, as SSPI lets a package ask for. */
static struct toy *enter(const CredHandle *credential_handle, const CtxtHandle *context, BOOL initiator)
{
    const struct credential *credential = credential_handle ? find_credential(credential_handle, live_find) : NULL;
    if (!credential) return NULL;
    if (context) return find_context(context, live_find);
    struct toy *toy = calloc(1, sizeof *toy);
    if (!toy || !live_add(&contexts, (ULONG_PTR)toy, toy)) return NULL;
    toy->initiator = initiator;
    memcpy(toy->user, credential->user, sizeof toy->user);
    return toy;
}

static SECURITY_STATUS leave(struct toy *toy, SECURITY_STATUS status, BOOL first, PCtxtHandle new_context,
                             PTimeStamp expiry)
{
    CtxtHandle handle = {(ULONG_PTR)toy, CONTEXT_MARK};
    if (status < 0) {
        if (first) delete_context(&handle);
        return status;
    }
    *new_context = handle;
    expiry->LowPart = 0x55667788;
    expiry->HighPart = 0x01D00000;
    return status;
}

static SECURITY_STATUS WINAPI initialize(PCredHandle credential, PCtxtHandle context, SEC_WCHAR *target, ULONG request,
                                         ULONG reserved1, ULONG data_rep, PSecBufferDesc input, ULONG reserved2,
                                         PCtxtHandle new_context, PSecBufferDesc output, ULONG *attributes,
                                         PTimeStamp expiry)
{
    struct toy *toy = enter(credential, context, TRUE);
    (void)reserved1, (void)data_rep, (void)reserved2;
    if (!toy) return SEC_E_INVALID_HANDLE;
    return leave(toy, toy_leg(toy, target, request, input, output, allocate, attributes), !context, new_context,
                 expiry);
}

static SECURITY_STATUS WINAPI accept(PCredHandle credential, PCtxtHandle context, PSecBufferDesc input, ULONG request,
                                     ULONG data_rep, PCtxtHandle new_context, PSecBufferDesc output, ULONG *attributes,
                                     PTimeStamp expiry)
{
    struct toy *toy = enter(credential, context, FALSE);
    (void)data_rep;
    if (!toy) return SEC_E_INVALID_HANDLE;
    return leave(toy, toy_leg(toy, NULL, request, input, output, allocate, attributes), !context, new_context, expiry);
}

static SECURITY_STATUS WINAPI query_context(PCtxtHandle handle, ULONG attribute, void *buffer)
{
    const struct toy *toy = find_context(handle, live_find);
    SecPkgContext_PackageInfoW *info = buffer;
    if (!toy) return SEC_E_INVALID_HANDLE;
    InterlockedIncrement(&counters.user_queries);
    if (attribute == SECPKG_ATTR_PACKAGE_INFO) return toy_copy_info(&infos[0], &info->PackageInfo, allocate);
    return toy->complete ? toy_query(toy, attribute, buffer, allocate) : SEC_E_INVALID_HANDLE;
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static SECURITY_STATUS WINAPI make_signature(PCtxtHandle handle, ULONG qop, PSecBufferDesc message, ULONG sequence)
{
    struct toy *toy = find_context(handle, live_find);
    return toy && toy->complete ? toy_protect(toy, qop, message, sequence, FALSE) : SEC_E_INVALID_HANDLE;
}

static SECURITY_STATUS WINAPI verify_signature(PCtxtHandle handle, PSecBufferDesc message, ULONG sequence, ULONG *qop)
{
    struct toy *toy = find_context(handle, live_find);
    return toy && toy->complete ? toy_unprotect(toy, message, sequence, qop, FALSE) : SEC_E_INVALID_HANDLE;
}

static SECURITY_STATUS WINAPI encrypt(PCtxtHandle handle, ULONG qop, PSecBufferDesc message, ULONG sequence)
{
    struct toy *toy = find_context(handle, live_find);
    return toy && toy->complete ? toy_protect(toy, qop, message, sequence, TRUE) : SEC_E_INVALID_HANDLE;
}

static SECURITY_STATUS WINAPI decrypt(PCtxtHandle handle, PSecBufferDesc message, ULONG sequence, ULONG *qop)
{
    struct toy *toy = find_context(handle, live_find);
    return toy && toy->complete ? toy_unprotect(toy, message, sequence, qop, TRUE) : SEC_E_INVALID_HANDLE;
}

/* ---- import and export ------------------------------------------------------------------------------------------- */

static SECURITY_STATUS WINAPI export_context(PCtxtHandle handle, ULONG flags, PSecBuffer packed, void **token)
{
    const struct toy *toy = find_context(handle, live_find);
    (void)flags;
    if (!toy) return SEC_E_INVALID_HANDLE;
    void *bytes = allocate(sizeof *toy);
    if (!bytes) return SEC_E_INSUFFICIENT_MEMORY;
    *packed = (SecBuffer){sizeof *toy, SECBUFFER_TOKEN, memcpy(bytes, toy, sizeof *toy)};
    if (token) *token = NULL;
    return SEC_E_OK;
}

static SECURITY_STATUS WINAPI import_context(SEC_WCHAR *package, PSecBuffer packed, void *token, PCtxtHandle handle)
{
    (void)token;
    if (_wcsicmp(package, infos[0].Name)) return SEC_E_SECPKG_NOT_FOUND;
    if (packed->cbBuffer != sizeof(struct toy)) return SEC_E_INVALID_TOKEN;
    struct toy *toy = calloc(1, sizeof *toy);
    if (!toy || !live_add(&contexts, (ULONG_PTR)toy, toy)) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(toy, packed->pvBuffer, sizeof *toy);
    *handle = (CtxtHandle){(ULONG_PTR)toy, CONTEXT_MARK};
    return SEC_E_OK;
}

/* ---- the exports ------------------------------------------------------------------------------------------------- */

static SECURITY_STATUS WINAPI enumerate(ULONG *count, PSecPkgInfoW *out)
{
    *count = ARRAYSIZE(infos);
    *out = infos;
    return SEC_E_OK;
}

static const SecurityFunctionTableW functions = {
    .dwVersion = SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION,
    .EnumerateSecurityPackagesW = enumerate,
    .QueryCredentialsAttributesW = query_credential,
    .AcquireCredentialsHandleW = acquire,
    .FreeCredentialsHandle = free_credential,
    .InitializeSecurityContextW = initialize,
    .AcceptSecurityContext = accept,
    .DeleteSecurityContext = delete_context,
    .QueryContextAttributesW = query_context,
    .MakeSignature = make_signature,
    .VerifySignature = verify_signature,
    .ExportSecurityContext = export_context,
    .ImportSecurityContextW = import_context,
    .EncryptMessage = encrypt,
    .DecryptMessage = decrypt,
};

__declspec(dllexport) PSecurityFunctionTableW SEC_ENTRY InitSecurityInterfaceW(void)
{
    InterlockedIncrement(&counters.initialized);
    return toy_copy_to_page_end(&functions, offsetof(SecurityFunctionTableW, SetContextAttributesW));
}

__declspec(dllexport) count_function TestCounters;

void TestCounters(struct counters *out)
{
    *out = counters;
    out->credentials_made = credentials.made;
    out->credentials_freed = credentials.freed;
    out->contexts_made = contexts.made;
    out->contexts_freed = contexts.freed;
    out->foreign = credentials.foreign + contexts.foreign;
}
