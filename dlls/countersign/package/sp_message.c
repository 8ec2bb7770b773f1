/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A package's message functions: a SecBufferDesc becomes a row of {size, type, address} on this thread's stack, and
 * crosses. What programs pass beyond that (MessageSeqNo) no package here uses.
 */
#include "package.h"

enum { ON_STACK = 32 };

/* struct cs_buffer of the Unix half's message.h */
struct flat_buffer {
    UINT32 size, type;
    UINT64 address;
};

C_ASSERT(sizeof(struct flat_buffer) == 16);

/* The caller's list, read once: another thread may change it while we look. */
struct list {
    SecBuffer *buffers;
    ULONG count;
};

static void flatten(const struct list *list, struct flat_buffer *flat)
{
    for (ULONG i = 0; i < list->count; i++) {
        const SecBuffer *buffer = &list->buffers[i];
        flat[i] = (struct flat_buffer){buffer->pvBuffer ? buffer->cbBuffer : 0, buffer->BufferType,
                                       (ULONG_PTR)buffer->pvBuffer};
    }
}

/* The Unix half has set sizes (TOKEN, PADDING), and where DATA lies in a STREAM. */
static void unflatten(const struct flat_buffer *flat, const struct list *list)
{
    for (ULONG i = 0; i < list->count; i++) {
        SecBuffer *buffer = &list->buffers[i];
        if (flat[i].address && buffer->cbBuffer != flat[i].size) buffer->cbBuffer = flat[i].size;
        if ((ULONG_PTR)buffer->pvBuffer != flat[i].address) buffer->pvBuffer = (void *)(ULONG_PTR)flat[i].address;
    }
}

static NTSTATUS cross(struct sp_context *context, ULONG call, const struct list *list, struct flat_buffer *flat,
                      ULONG *qop)
{
    struct cs_block_message block = {
        .session = sp_session(context), .buffers = (ULONG_PTR)flat, .count = list->count, .qop = qop ? *qop : 0};
    flatten(list, flat);
    NTSTATUS status = CountersignCall(call, &block);
    if (status == (NTSTATUS)STATUS_ACCESS_VIOLATION) context->failed = SEC_E_INTERNAL_ERROR;
    if (status == SEC_E_OK) {
        unflatten(flat, list);
        if (qop && *qop != block.qop) *qop = block.qop;
    }
    return status;
}

/* NULL also where a 32-bit program's size would wrap. */
static struct flat_buffer *allocate(ULONG count)
{
    const UINT64 size = count * (UINT64)sizeof(struct flat_buffer);
    return size == (SIZE_T)size ? HeapAlloc(GetProcessHeap(), 0, (SIZE_T)size) : NULL;
}

static NTSTATUS protect(LSA_SEC_HANDLE handle, ULONG call, const SecBufferDesc *desc, ULONG *qop)
{
    struct sp_context *context = (struct sp_context *)handle;
    const struct list list = {desc->pBuffers, desc->cBuffers};
    struct flat_buffer on_stack[ON_STACK], *flat = on_stack;
    if (context->failed) return context->failed;
    if (!sp_session(context)) return SEC_E_INVALID_HANDLE;
    if (list.count > ON_STACK) flat = allocate(list.count);
    if (!flat) return SEC_E_INSUFFICIENT_MEMORY;
    NTSTATUS status = cross(context, call, &list, flat, qop);
    if (flat != on_stack) HeapFree(GetProcessHeap(), 0, flat);
    return status;
}

NTSTATUS NTAPI sp_make_signature(LSA_SEC_HANDLE context, ULONG qop, PSecBufferDesc message, ULONG sequence)
{
    (void)qop;
    (void)sequence;
    return protect(context, CS_CALL_MAKE_SIGNATURE, message, NULL);
}

NTSTATUS NTAPI sp_verify_signature(LSA_SEC_HANDLE context, PSecBufferDesc message, ULONG sequence, PULONG qop)
{
    (void)qop; /* Windows leaves it as it was (behaviour.md rows 109 to 111) */
    (void)sequence;
    return protect(context, CS_CALL_VERIFY_SIGNATURE, message, NULL);
}

NTSTATUS NTAPI sp_seal_message(LSA_SEC_HANDLE context, ULONG qop, PSecBufferDesc message, ULONG sequence)
{
    (void)sequence;
    return protect(context, CS_CALL_ENCRYPT, message, &qop);
}

NTSTATUS NTAPI sp_unseal_message(LSA_SEC_HANDLE context, PSecBufferDesc message, ULONG sequence, PULONG qop)
{
    (void)sequence;
    return protect(context, CS_CALL_DECRYPT, message, qop);
}
