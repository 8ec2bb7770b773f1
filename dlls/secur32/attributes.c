/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Context attributes. The package answers in UTF-16; QueryContextAttributesA turns what has strings into ANSI.
 */
#include "probe.h"
#include "secur32.h"
#include "trace.h"

#include "../sspicli/attributes_ex.h"

/* The user-mode half answers once it has the context, the LSA-mode half before (ntsecpkg.h). */
static NTSTATUS query(const struct context *context, ULONG attribute, void *buffer)
{
    SpQueryContextAttributesFn *function = context->user_mode ? context->package->user.QueryContextAttributes
                                                              : context->package->lsa.QueryContextAttributes;
    if (!buffer) return SEC_E_INTERNAL_ERROR;
    if (!function) return SEC_E_UNSUPPORTED_FUNCTION;
    return function(context->handle, attribute, buffer);
}

SECURITY_STATUS WINAPI QueryContextAttributesW(PCtxtHandle handle, ULONG attribute, void *buffer)
{
    const INT64 start = trace_start();
    SECURITY_STATUS status = SEC_E_INVALID_HANDLE;
    struct context_use use;
    probe(buffer, context_attribute_size(attribute), TRUE);
    if (context_enter(handle, &use)) status = context_leave(&use, query(use.context, attribute, buffer));
    return trace_end(
        start,
        &(struct trace_record){.function = __func__, .handle = handle, .attribute = attribute, .has_attribute = TRUE},
        status);
}

static BOOL package_to_ansi(void *field)
{
    SecPkgInfoW **wide = field;
    SecPkgInfoA *ansi = ansi_package_info(*wide);
    FreeContextBuffer(*wide);
    *(SecPkgInfoA **)field = ansi;
    return ansi != NULL;
}

/* The A structures differ from the W ones in what their pointers point to alone. */
static BOOL to_ansi(ULONG attribute, void *buffer)
{
    SecPkgContext_KeyInfoW *key = buffer;
    SecPkgContext_NativeNamesW *native = buffer;
    switch (attribute) {
    case SECPKG_ATTR_NAMES:
    case SECPKG_ATTR_AUTHORITY:
    case SECPKG_ATTR_PROTO_INFO: return replace_by_ansi(buffer);
    case SECPKG_ATTR_KEY_INFO:
        return replace_by_ansi(&key->sSignatureAlgorithmName) & replace_by_ansi(&key->sEncryptAlgorithmName);
    case SECPKG_ATTR_NATIVE_NAMES: return replace_by_ansi(&native->sClientName) & replace_by_ansi(&native->sServerName);
    case SECPKG_ATTR_PACKAGE_INFO:
    case SECPKG_ATTR_NEGOTIATION_INFO: return package_to_ansi(buffer);
    default: return TRUE;
    }
}

SECURITY_STATUS WINAPI QueryContextAttributesA(PCtxtHandle handle, ULONG attribute, void *buffer)
{
    SECURITY_STATUS status = QueryContextAttributesW(handle, attribute, buffer);
    if (status) return status;
    return to_ansi(attribute, buffer) ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}
