/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptMessage and DecryptMessage, which rewrites types and addresses of its caller's buffers as well as sizes. The
 * first buffers count; no shape of Schannel's has more than five.
 */
#include "schannel.h"

enum { MOST = 8 };

/* struct cs_buffer of the Unix half's message.h */
struct flat_buffer {
    UINT32 size, type;
    UINT64 address;
};

C_ASSERT(sizeof(struct flat_buffer) == 16);

static ULONG flatten(const SecBufferDesc *message, struct flat_buffer *flat)
{
    const ULONG count = message->cBuffers < MOST ? message->cBuffers : MOST;
    for (ULONG i = 0; i < count; i++) {
        const SecBuffer *buffer = &message->pBuffers[i];
        flat[i] = (struct flat_buffer){buffer->pvBuffer ? buffer->cbBuffer : 0, buffer->BufferType,
                                       (ULONG_PTR)buffer->pvBuffer};
    }
    return count;
}

static void unflatten(const struct flat_buffer *flat, ULONG count, const SecBufferDesc *message)
{
    for (ULONG i = 0; i < count; i++)
        message->pBuffers[i] = (SecBuffer){flat[i].size, flat[i].type, (void *)(ULONG_PTR)flat[i].address};
}

/* Failures leave the buffers alone, but for what is missing. */
static NTSTATUS cross(LSA_SEC_HANDLE handle, ULONG call, const SecBufferDesc *message)
{
    struct schannel_context *context = (struct schannel_context *)handle;
    struct flat_buffer flat[MOST];
    if (context->failed) return context->failed;
    const ULONG count = flatten(message, flat);
    struct cs_block_message block = {.session = context->context, .buffers = (ULONG_PTR)flat, .count = count};
    NTSTATUS status = CountersignCall(call, &block);
    if (status == (NTSTATUS)STATUS_ACCESS_VIOLATION) context->failed = SEC_E_INTERNAL_ERROR;
    if (status >= 0 || status == SEC_E_INCOMPLETE_MESSAGE) unflatten(flat, count, message);
    return status;
}

NTSTATUS NTAPI schannel_seal_message(LSA_SEC_HANDLE handle, ULONG qop, PSecBufferDesc message, ULONG sequence)
{
    (void)qop, (void)sequence;
    return cross(handle, CS_CALL_TLS_ENCRYPT, message);
}

NTSTATUS NTAPI schannel_unseal_message(LSA_SEC_HANDLE handle, PSecBufferDesc message, ULONG sequence, PULONG qop)
{
    (void)sequence;
    NTSTATUS status = cross(handle, CS_CALL_TLS_DECRYPT, message);
    if (status == SEC_E_OK && qop) *qop = 0;
    return status;
}
