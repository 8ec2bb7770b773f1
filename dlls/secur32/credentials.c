/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credential handles.
 */
#include "call_origin.h"
#include "probe.h"
#include "secur32.h"
#include "sspi_package.h"
#include "trace.h"

#include "../sspicli/attributes_ex.h"

static void destroy_credential(void *object)
{
    struct credential *credential = object;
    credential->package->lsa.FreeCredentialsHandle(credential->handle);
    HeapFree(GetProcessHeap(), 0, credential);
}

struct handle_table credential_handles = {.kind = 1, .destroy = destroy_credential};

static SECURITY_STATUS enter_credential(const struct package *package, LSA_SEC_HANDLE inner, PCredHandle out)
{
    struct credential *credential = HeapAlloc(GetProcessHeap(), 0, sizeof *credential);
    struct handle handle;
    if (credential) {
        *credential = (struct credential){package, inner};
        if (handle_table_add(&credential_handles, credential, &handle)) {
            handle_set(out, handle);
            return SEC_E_OK;
        }
    }
    HeapFree(GetProcessHeap(), 0, credential);
    package->lsa.FreeCredentialsHandle(inner);
    return SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS acquire(const WCHAR *principal, const WCHAR *name, ULONG use, LUID *logon_id, void *auth_data,
                               SEC_GET_KEY_FN get_key, void *get_key_argument, PCredHandle out, PTimeStamp expiry)
{
    const struct package *package = packages_find(name);
    UNICODE_STRING principal_string;
    LSA_SEC_HANDLE inner = 0;
    TimeStamp unwanted;

    if (!package) return SEC_E_SECPKG_NOT_FOUND;
    if (!(use & SECPKG_CRED_BOTH)) return SEC_E_NO_CREDENTIALS;
    probe(out, sizeof *out, TRUE);
    probe(expiry, sizeof *expiry, TRUE);
    RtlInitUnicodeString(&principal_string, principal);
    UNICODE_STRING *given = principal ? &principal_string : NULL;
    TimeStamp *until = expiry ? expiry : &unwanted;
    NTSTATUS status = package->sspi
                          ? sspi_package_acquire(package, given, use, logon_id, auth_data, (void *)get_key,
                                                 get_key_argument, &inner, until)
                          : package->lsa.AcquireCredentialsHandle(given, use, logon_id, auth_data, (void *)get_key,
                                                                  get_key_argument, &inner, until);
    if (status) return raise_fault(status);
    if (out) return enter_credential(package, inner, out);
    package->lsa.FreeCredentialsHandle(inner); /* the package's refusal comes first (behaviour.md rows 127 to 130) */
    return raise_fault(STATUS_ACCESS_VIOLATION);
}

static SECURITY_STATUS acquire_traced(const void *origin, const WCHAR *principal, const WCHAR *package, ULONG use,
                                      void *logon_id, void *auth_data, SEC_GET_KEY_FN get_key, void *get_key_argument,
                                      PCredHandle credential, PTimeStamp expiry)
{
    const INT64 start = trace_start();
    call_origin_set(origin);
    SECURITY_STATUS status =
        acquire(principal, package, use, logon_id, auth_data, get_key, get_key_argument, credential, expiry);
    call_origin_set(NULL);
    return trace_end(start,
                     &(struct trace_record){.function = "AcquireCredentialsHandleW",
                                            .package = package,
                                            .handle = status ? NULL : credential,
                                            .flags = "CRED",
                                            .request = use},
                     status);
}

SECURITY_STATUS WINAPI AcquireCredentialsHandleW(SEC_WCHAR *principal, SEC_WCHAR *package, ULONG use, void *logon_id,
                                                 void *auth_data, SEC_GET_KEY_FN get_key, void *get_key_argument,
                                                 PCredHandle credential, PTimeStamp expiry)
{
    return acquire_traced(__builtin_return_address(0), principal, package, use, logon_id, auth_data, get_key,
                          get_key_argument, credential, expiry);
}

/* Flags say how the identity is encoded, not this function's letter (behaviour.md row 79). */
SECURITY_STATUS WINAPI AcquireCredentialsHandleA(SEC_CHAR *principal, SEC_CHAR *package, ULONG use, void *logon_id,
                                                 void *auth_data, SEC_GET_KEY_FN get_key, void *get_key_argument,
                                                 PCredHandle credential, PTimeStamp expiry)
{
    WCHAR *wide_principal = wide_of(principal), *wide_package = wide_of(package);
    SECURITY_STATUS status = acquire_traced(__builtin_return_address(0), wide_principal, wide_package, use, logon_id,
                                            auth_data, get_key, get_key_argument, credential, expiry);
    HeapFree(GetProcessHeap(), 0, wide_principal);
    HeapFree(GetProcessHeap(), 0, wide_package);
    return status;
}

/* A credential in use by one call. The handle is the caller's memory, so it is read once. */
struct use {
    struct handle handle;
    struct credential *credential;
};

static BOOL enter(const CredHandle *handle, struct use *use)
{
    if (!handle) return FALSE;
    use->handle = handle_of(handle);
    use->credential = handle_table_take(&credential_handles, use->handle);
    return use->credential != NULL;
}

static SECURITY_STATUS leave(const struct use *use, SECURITY_STATUS status)
{
    handle_table_release(&credential_handles, use->handle);
    return raise_fault(status);
}

/* What AddCredentials is to add. The strings are the caller's. */
struct addition {
    UNICODE_STRING principal, package;
    ULONG use;
    void *auth_data;
    SEC_GET_KEY_FN get_key;
    void *get_key_argument;
    PTimeStamp expiry;
};

/* None of ours has the function: a credential of theirs never changes, so that any thread may use it. */
static SECURITY_STATUS add(const struct credential *credential, struct addition *addition)
{
    SpAddCredentialsFn *function = credential->package->lsa.AddCredentials;
    if (!function) return SEC_E_UNSUPPORTED_FUNCTION;
    return function(credential->handle, &addition->principal, &addition->package, addition->use, addition->auth_data,
                    (void *)addition->get_key, addition->get_key_argument, addition->expiry);
}

/* Whatever may fault is read before there is a reference, which the fault would leave behind. */
static SECURITY_STATUS add_to(const CredHandle *handle, const WCHAR *principal, const WCHAR *package,
                              struct addition *addition)
{
    struct use use;
    if (!handle || !handle_table_holds(&credential_handles, handle_of(handle))) return SEC_E_INVALID_HANDLE;
    if (!packages_find(package)) return SEC_E_SECPKG_NOT_FOUND;
    RtlInitUnicodeString(&addition->principal, principal);
    RtlInitUnicodeString(&addition->package, package);
    probe(addition->expiry, sizeof *addition->expiry, TRUE);
    return enter(handle, &use) ? leave(&use, add(use.credential, addition)) : SEC_E_INVALID_HANDLE;
}

SECURITY_STATUS WINAPI AddCredentialsW(PCredHandle handle, SEC_WCHAR *principal, SEC_WCHAR *package, ULONG usage,
                                       void *auth_data, SEC_GET_KEY_FN get_key, void *get_key_argument,
                                       PTimeStamp expiry)
{
    const INT64 start = trace_start();
    struct addition addition = {.use = usage,
                                .auth_data = auth_data,
                                .get_key = get_key,
                                .get_key_argument = get_key_argument,
                                .expiry = expiry};
    SECURITY_STATUS status = add_to(handle, principal, package, &addition);
    return trace_end(start, &(struct trace_record){.function = __func__, .handle = handle}, status);
}

SECURITY_STATUS WINAPI AddCredentialsA(PCredHandle handle, SEC_CHAR *principal, SEC_CHAR *package, ULONG use,
                                       void *auth_data, SEC_GET_KEY_FN get_key, void *get_key_argument,
                                       PTimeStamp expiry)
{
    WCHAR *wide_principal = wide_of(principal), *wide_package = wide_of(package);
    SECURITY_STATUS status =
        AddCredentialsW(handle, wide_principal, wide_package, use, auth_data, get_key, get_key_argument, expiry);
    HeapFree(GetProcessHeap(), 0, wide_principal);
    HeapFree(GetProcessHeap(), 0, wide_package);
    return status;
}

SECURITY_STATUS WINAPI FreeCredentialsHandle(PCredHandle handle)
{
    const INT64 start = trace_start();
    const BOOL closed = handle && handle_table_close(&credential_handles, handle_of(handle));
    return trace_end(start, &(struct trace_record){.function = __func__, .handle = handle},
                     closed ? SEC_E_OK : SEC_E_INVALID_HANDLE);
}

static SECURITY_STATUS query(const struct credential *credential, ULONG attribute, void *buffer)
{
    if (!buffer) return SEC_E_INTERNAL_ERROR;
    return credential->package->lsa.QueryCredentialsAttributes(credential->handle, attribute, buffer);
}

SECURITY_STATUS WINAPI QueryCredentialsAttributesW(PCredHandle handle, ULONG attribute, void *buffer)
{
    const INT64 start = trace_start();
    SECURITY_STATUS status = SEC_E_INVALID_HANDLE;
    struct use use;
    probe(buffer, credential_attribute_size(attribute), TRUE);
    if (enter(handle, &use)) status = leave(&use, query(use.credential, attribute, buffer));
    return trace_end(
        start,
        &(struct trace_record){.function = __func__, .handle = handle, .attribute = attribute, .has_attribute = TRUE},
        status);
}

SECURITY_STATUS WINAPI QueryCredentialsAttributesA(PCredHandle handle, ULONG attribute, void *buffer)
{
    SECURITY_STATUS status = QueryCredentialsAttributesW(handle, attribute, buffer);
    if (status || attribute != SECPKG_CRED_ATTR_NAMES) return status;
    return replace_by_ansi(buffer) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* A package that knows no such attribute finds no such handle: NTLM with KDC_PROXY_SETTINGS (errors.tsv, observed). */
static SECURITY_STATUS set_attribute(const struct credential *credential, ULONG attribute, void *buffer, ULONG size)
{
    SpSetCredentialsAttributesFn *function = credential->package->lsa.SetCredentialsAttributes;
    return function ? function(credential->handle, attribute, buffer, size) : SEC_E_INVALID_HANDLE;
}

SECURITY_STATUS WINAPI SetCredentialsAttributesW(PCredHandle handle, ULONG attribute, void *buffer, ULONG size)
{
    const INT64 start = trace_start();
    SECURITY_STATUS status = SEC_E_INVALID_HANDLE;
    struct use use;
    probe(buffer, size, FALSE);
    if (enter(handle, &use)) status = leave(&use, set_attribute(use.credential, attribute, buffer, size));
    return trace_end(
        start,
        &(struct trace_record){.function = __func__, .handle = handle, .attribute = attribute, .has_attribute = TRUE},
        status);
}

SECURITY_STATUS WINAPI SetCredentialsAttributesA(PCredHandle handle, ULONG attribute, void *buffer, ULONG size)
{
    return SetCredentialsAttributesW(handle, attribute, buffer, size);
}
