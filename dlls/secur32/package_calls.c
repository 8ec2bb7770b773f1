/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions of a handle that not every package has: they go to the package, and where it lacks them the answer is
 * SEC_E_UNSUPPORTED_FUNCTION. A handle that is none is SEC_E_INVALID_HANDLE before that (errors.tsv).
 */
#include "probe.h"
#include "secur32.h"
#include "sspi_package.h"
#include "trace.h"

static SECURITY_STATUS traced(INT64 start, const char *function, const SecHandle *handle, SECURITY_STATUS status)
{
    return trace_end(start, &(struct trace_record){.function = function, .handle = handle}, status);
}

/* The token is the package's, which keeps it as long as the context. */
static NTSTATUS context_token(const struct context *context, HANDLE *token)
{
    SpGetContextTokenFn *function = context->package->user.GetContextToken;
    if (!function) return SEC_E_UNSUPPORTED_FUNCTION;
    return context->user_mode ? function(context->handle, token) : SEC_E_INVALID_HANDLE;
}

static NTSTATUS copy_token(const struct context *context, HANDLE *copy)
{
    const HANDLE self = GetCurrentProcess();
    HANDLE token;
    NTSTATUS status = context_token(context, &token);
    if (status) return status;
    return DuplicateHandle(self, token, self, copy, 0, FALSE, DUPLICATE_SAME_ACCESS) ? SEC_E_OK
                                                                                     : SEC_E_NO_IMPERSONATION;
}

SECURITY_STATUS WINAPI QuerySecurityContextToken(PCtxtHandle handle, HANDLE *token)
{
    const INT64 start = trace_start();
    SECURITY_STATUS status = SEC_E_INVALID_HANDLE;
    struct context_use use;
    probe(token, sizeof *token, TRUE);
    if (context_enter(handle, &use)) status = context_leave(&use, copy_token(use.context, token));
    return traced(start, __func__, handle, status);
}

static NTSTATUS impersonate(const struct context *context)
{
    HANDLE token;
    NTSTATUS status = context_token(context, &token);
    if (status) return status;
    return SetThreadToken(NULL, token) ? SEC_E_OK : SEC_E_NO_IMPERSONATION;
}

SECURITY_STATUS WINAPI ImpersonateSecurityContext(PCtxtHandle handle)
{
    const INT64 start = trace_start();
    SECURITY_STATUS status = SEC_E_INVALID_HANDLE;
    struct context_use use;
    if (context_enter(handle, &use)) status = context_leave(&use, impersonate(use.context));
    return traced(start, __func__, handle, status);
}

static NTSTATUS revert(const struct context *context)
{
    if (!context->package->user.GetContextToken) return SEC_E_UNSUPPORTED_FUNCTION;
    return RevertToSelf() ? SEC_E_OK : SEC_E_NO_IMPERSONATION;
}

SECURITY_STATUS WINAPI RevertSecurityContext(PCtxtHandle handle)
{
    const INT64 start = trace_start();
    SECURITY_STATUS status = SEC_E_INVALID_HANDLE;
    struct context_use use;
    if (context_enter(handle, &use)) status = context_leave(&use, revert(use.context));
    return traced(start, __func__, handle, status);
}

static NTSTATUS export(const struct context *context, ULONG flags, SecBuffer *packed, HANDLE *token)
{
    SpExportSecurityContextFn *function = context->package->user.ExportContext;
    if (!function) return SEC_E_UNSUPPORTED_FUNCTION;
    return context->user_mode ? function(context->handle, flags, packed, token) : SEC_E_INVALID_HANDLE;
}

SECURITY_STATUS WINAPI ExportSecurityContext(PCtxtHandle handle, ULONG flags, PSecBuffer packed, void **token)
{
    const INT64 start = trace_start();
    SECURITY_STATUS status = SEC_E_INVALID_HANDLE;
    struct context_use use;
    probe(packed, sizeof *packed, TRUE);
    probe(token, sizeof *token, TRUE);
    if (context_enter(handle, &use)) status = context_leave(&use, export(use.context, flags, packed, token));
    return traced(start, __func__, handle, status);
}

static NTSTATUS call_import(const struct package *package, SecBuffer *packed, HANDLE token, LSA_SEC_HANDLE *inner)
{
    if (package->sspi) return sspi_package_import(package, packed, token, inner);
    return package->user.ImportContext ? package->user.ImportContext(packed, token, inner) : SEC_E_UNSUPPORTED_FUNCTION;
}

/* An imported context is complete, and its package's user-mode half alone knows it. */
static SECURITY_STATUS import(const WCHAR *name, SecBuffer *packed, HANDLE token, CtxtHandle *handle)
{
    const struct package *package = packages_find(name);
    if (!package) return SEC_E_SECPKG_NOT_FOUND;
    if (!handle) return SEC_E_INVALID_HANDLE;
    probe(handle, sizeof *handle, TRUE);
    probe(packed, sizeof *packed, FALSE);
    if (packed) probe(packed->pvBuffer, packed->cbBuffer, FALSE);
    struct context *context = HeapAlloc(GetProcessHeap(), 0, sizeof *context);
    struct handle entered;
    if (!context) return SEC_E_INSUFFICIENT_MEMORY;
    *context = (struct context){.package = package, .imported = !package->sspi};
    NTSTATUS status = call_import(package, packed, token, &context->handle);
    if (status) {
        HeapFree(GetProcessHeap(), 0, context);
        return status;
    }
    context->user_mode = 1;
    if (!handle_table_add(&context_handles, context, &entered)) {
        context_handles.destroy(context);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    handle_set(handle, entered);
    return SEC_E_OK;
}

SECURITY_STATUS WINAPI ImportSecurityContextW(SEC_WCHAR *name, PSecBuffer packed, void *token, PCtxtHandle handle)
{
    const INT64 start = trace_start();
    return traced(start, __func__, NULL, import(name, packed, token, handle));
}

SECURITY_STATUS WINAPI ImportSecurityContextA(SEC_CHAR *name, PSecBuffer packed, void *token, PCtxtHandle handle)
{
    WCHAR *wide_name = wide_of(name);
    SECURITY_STATUS status = ImportSecurityContextW(wide_name, packed, token, handle);
    HeapFree(GetProcessHeap(), 0, wide_name);
    return status;
}

static NTSTATUS apply_token(const struct context *context, SecBufferDesc *token)
{
    SpApplyControlTokenFn *function = context->package->lsa.ApplyControlToken;
    return function && !context->imported ? function(context->handle, token) : SEC_E_UNSUPPORTED_FUNCTION;
}

/* Every package but Schannel answers SEC_E_UNSUPPORTED_FUNCTION in Windows, too. */
SECURITY_STATUS WINAPI ApplyControlToken(PCtxtHandle handle, PSecBufferDesc token)
{
    const INT64 start = trace_start();
    SECURITY_STATUS status = SEC_E_INVALID_HANDLE;
    struct context_use use;
    if (context_enter(handle, &use)) status = context_leave(&use, apply_token(use.context, token));
    return traced(start, __func__, handle, status);
}

static NTSTATUS set_attribute(const struct context *context, ULONG attribute, void *buffer, ULONG size)
{
    SpSetContextAttributesFn *function = context->package->lsa.SetContextAttributes;
    return function && !context->imported ? function(context->handle, attribute, buffer, size)
                                          : SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SetContextAttributesW(PCtxtHandle handle, ULONG attribute, void *buffer, ULONG size)
{
    const INT64 start = trace_start();
    SECURITY_STATUS status = SEC_E_INVALID_HANDLE;
    struct context_use use;
    probe(buffer, size, FALSE);
    if (context_enter(handle, &use)) status = context_leave(&use, set_attribute(use.context, attribute, buffer, size));
    return traced(start, __func__, handle, status);
}

/* No attribute that can be set has a string. */
SECURITY_STATUS WINAPI SetContextAttributesA(PCtxtHandle handle, ULONG attribute, void *buffer, ULONG size)
{
    return SetContextAttributesW(handle, attribute, buffer, size);
}
