/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Touching a caller's memory before it is used where a fault raises no exception. The fault happens here, in the
 * caller's thread and in PE code, before any reference is taken: the program gets the exception that Windows raises,
 * and nothing is left behind.
 */
#ifndef SECUR32_PROBE_H
#define SECUR32_PROBE_H

#include <windows.h>
#include <sspi.h>

enum { PAGE_BYTES = 4096 };

/* The or with 0 is atomic: another thread may be writing to the same byte. */
static inline void touch(BYTE *byte, BOOL write)
{
    if (write)
        __atomic_fetch_or(byte, 0, __ATOMIC_RELAXED);
    else
        (void)*(volatile BYTE *)byte;
}

static inline void probe(void *memory, SIZE_T size, BOOL write)
{
    BYTE *byte = memory, *end = byte + size;
    if (!memory || !size) return;
    if (end < byte) end = (BYTE *)~(ULONG_PTR)0; /* a size that runs over the end of the address space faults before */
    for (; byte < end; byte = (BYTE *)(((ULONG_PTR)byte | (PAGE_BYTES - 1)) + 1)) touch(byte, write);
    touch(end - 1, write);
}

/* A message's buffers: those that OPERATION writes to (SEALS: DATA; SIGNS: TOKEN) for writing. */
static inline void probe_message(const SecBufferDesc *message, BOOL seals, BOOL signs)
{
    for (ULONG i = 0; i < message->cBuffers; i++) {
        const SecBuffer *buffer = &message->pBuffers[i];
        const ULONG type = buffer->BufferType & ~SECBUFFER_ATTRMASK;
        const BOOL read_only = buffer->BufferType & (SECBUFFER_READONLY | SECBUFFER_READONLY_WITH_CHECKSUM);
        if (type == SECBUFFER_DATA)
            probe(buffer->pvBuffer, buffer->cbBuffer, seals && !read_only);
        else if (type == SECBUFFER_STREAM)
            probe(buffer->pvBuffer, buffer->cbBuffer, seals);
        else if (type == SECBUFFER_TOKEN || type == SECBUFFER_STREAM_HEADER || type == SECBUFFER_STREAM_TRAILER)
            probe(buffer->pvBuffer, buffer->cbBuffer, signs);
        else if (type == SECBUFFER_PADDING)
            probe(buffer->pvBuffer, buffer->cbBuffer, seals);
    }
}

/* What packages read of a leg's input; a server's EXTRA is a client's address with datagrams, and nobody's else. */
static inline BOOL is_read(ULONG type, BOOL address)
{
    return type == SECBUFFER_TOKEN || type == SECBUFFER_CHANNEL_BINDINGS || type == SECBUFFER_APPLICATION_PROTOCOLS ||
           type == SECBUFFER_SRTP_PROTECTION_PROFILES || type == SECBUFFER_SRTP_MASTER_KEY_IDENTIFIER ||
           type == SECBUFFER_DTLS_MTU || (address && type == SECBUFFER_EXTRA);
}

static inline void probe_input(const SecBufferDesc *input, BOOL address)
{
    for (ULONG i = 0; input && i < input->cBuffers; i++) {
        SecBuffer *buffer = &input->pBuffers[i];
        const ULONG type = buffer->BufferType & ~SECBUFFER_ATTRMASK;
        if (type == SECBUFFER_EMPTY) probe(buffer, sizeof *buffer, TRUE); /* Schannel's becomes EXTRA or MISSING */
        if (is_read(type, address)) probe(buffer->pvBuffer, buffer->cbBuffer, FALSE);
    }
}

/* TOKEN is written to, and EMPTY where it may become one; of ALERT its size alone. */
static inline void probe_output(const SecBufferDesc *output, BOOL allocate)
{
    for (ULONG i = 0; output && i < output->cBuffers; i++) {
        SecBuffer *buffer = &output->pBuffers[i];
        const ULONG type = buffer->BufferType & ~SECBUFFER_ATTRMASK;
        const BOOL token = type == SECBUFFER_TOKEN || (allocate && type == SECBUFFER_EMPTY);
        if (token || type == SECBUFFER_ALERT) probe(buffer, sizeof *buffer, TRUE);
        if (token && !allocate) probe(buffer->pvBuffer, buffer->cbBuffer, TRUE);
    }
}

#endif
