/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A package's contexts on their way to another process, and in from there. All that is packed the Unix half knows; the
 * access token travels beside it, as a handle that the program takes along.
 */
#include "package.h"
#include "sp_token.h"

#include <string.h>

/* More than the packed form of nearly every session; one that is larger is packed again. */
enum { FIRST_ROOM = 2048 };

static NTSTATUS cross(const struct sp_context *context, ULONG flags, void *room, ULONG size, ULONG *needed)
{
    struct cs_block_export block = {.session = sp_session(context), .out = sp_bytes(room, size), .flags = flags};
    memcpy(block.package, sp_mechanism, sizeof block.package);
    NTSTATUS status = CountersignCall(CS_CALL_EXPORT_SESSION, &block);
    *needed = block.needed;
    return status;
}

/* What did not fit has changed nothing (SEC_E_BUFFER_TOO_SMALL). */
static NTSTATUS pack(const struct sp_context *context, ULONG flags, SecBuffer *packed)
{
    ULONG size = FIRST_ROOM, needed;
    NTSTATUS status;
    void *room;
    do {
        room = sp_allocate(size);
        if (!room) return SEC_E_INSUFFICIENT_MEMORY;
        status = cross(context, flags, room, size, &needed);
        if (status) sp_free(room);
        size = needed;
    } while (status == SEC_E_BUFFER_TOO_SMALL);
    if (status) return status;
    packed->pvBuffer = room;
    packed->cbBuffer = needed;
    return SEC_E_OK;
}

/* The access token of a server's client, for whoever is to import the context; NULL of a client's. */
static NTSTATUS copy_token(struct sp_context *context, HANDLE *copy)
{
    const HANDLE self = GetCurrentProcess();
    HANDLE token;
    *copy = NULL;
    NTSTATUS status = sp_context_token(context, &token);
    if (status) return status == SEC_E_NO_IMPERSONATION ? SEC_E_OK : status;
    return DuplicateHandle(self, token, self, copy, 0, FALSE, DUPLICATE_SAME_ACCESS) ? SEC_E_OK
                                                                                     : SEC_E_INSUFFICIENT_MEMORY;
}

/*
 * DELETE_OLD leaves the handle to be deleted: a program has no other way to give it back, and another thread may just
 * be using it.
 */
NTSTATUS NTAPI sp_export_security_context(LSA_SEC_HANDLE handle, ULONG flags, PSecBuffer packed, PHANDLE token)
{
    struct sp_context *context = (struct sp_context *)handle;
    if (context->failed) return context->failed;
    if (!sp_session(context)) return SEC_E_INVALID_HANDLE;
    if (!packed) return SEC_E_INVALID_PARAMETER;
    HANDLE copy = NULL;
    NTSTATUS status = token ? copy_token(context, &copy) : SEC_E_OK;
    if (status) return status;
    status = pack(context, flags, packed);
    if (status == (NTSTATUS)STATUS_ACCESS_VIOLATION) context->failed = SEC_E_INTERNAL_ERROR;
    if (status) {
        if (copy) CloseHandle(copy);
        return status;
    }
    if (token) *token = copy;
    if (flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD) context->failed = SEC_E_INVALID_HANDLE;
    return SEC_E_OK;
}

static NTSTATUS unpack(const SecBuffer *packed, UINT64 *session)
{
    struct cs_block_import block = {.packed = sp_bytes(packed->pvBuffer, packed->pvBuffer ? packed->cbBuffer : 0)};
    memcpy(block.package, sp_mechanism, sizeof block.package);
    NTSTATUS status = CountersignCall(CS_CALL_IMPORT_SESSION, &block);
    *session = block.session;
    return status;
}

/* The token stays the program's to close; the context has a handle of its own. */
static BOOL keep_token(HANDLE token, struct sp_context *context)
{
    const HANDLE process = GetCurrentProcess();
    return !token || DuplicateHandle(process, token, process, &context->given, 0, FALSE, DUPLICATE_SAME_ACCESS);
}

NTSTATUS NTAPI sp_import_security_context(PSecBuffer packed, HANDLE token, PLSA_SEC_HANDLE handle)
{
    if (!packed) return SEC_E_INVALID_TOKEN;
    struct sp_context *context = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *context);
    if (!context) return SEC_E_INSUFFICIENT_MEMORY;
    NTSTATUS status = unpack(packed, &context->session);
    if (status) {
        HeapFree(GetProcessHeap(), 0, context);
        return status;
    }
    if (!keep_token(token, context)) {
        sp_delete_user_mode_context((LSA_SEC_HANDLE)context);
        return SEC_E_INVALID_HANDLE;
    }
    *handle = (LSA_SEC_HANDLE)context;
    return SEC_E_OK;
}
