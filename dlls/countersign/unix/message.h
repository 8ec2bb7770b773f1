/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A protected message as its caller laid it out: a list of buffers, and the one check of their shape that
 * MakeSignature, VerifySignature, EncryptMessage and DecryptMessage share.
 */
#ifndef COUNTERSIGN_MESSAGE_H
#define COUNTERSIGN_MESSAGE_H

#include "sspi_values.h"

#include <stdbool.h>

/* A SecBuffer with a 64-bit address, so that 32-bit and 64-bit callers write the same. Part of blocks.h's layout. */
struct cs_buffer {
    uint32_t size; /* bytes; rewritten where SSPI says so */
    uint32_t type; /* SECBUFFER_ number with attributes */
    uint64_t address;
};

struct cs_message {
    struct cs_buffer *buffers;
    uint32_t count;
};

/* Bytes of message, all buffers together. What is longer is refused: libraries below count in int. */
enum { CS_MESSAGE_MAX = 0x7FFFFFFF };

enum cs_operation { CS_MAKE_SIGNATURE, CS_VERIFY_SIGNATURE, CS_ENCRYPT, CS_DECRYPT };

/* Where a well-shaped message has its parts. On receipt STREAM replaces TOKEN, and DATA is set into it. */
struct cs_shape {
    struct cs_buffer *token;  /* TOKEN or STREAM_HEADER; at least the signature's size when there is no stream */
    struct cs_buffer *stream; /* on receipt only: signature and message in one block */
    struct cs_buffer *data;   /* the first DATA; with a stream the only one */
    uint32_t data_count;
    uint64_t length; /* bytes that the operation covers; no more than CS_MESSAGE_MAX when there is no stream */
};

static inline uint32_t cs_buffer_type(const struct cs_buffer *buffer)
{
    return buffer->type & ~SECBUFFER_ATTRMASK;
}

static inline uint8_t *cs_buffer_bytes(const struct cs_buffer *buffer)
{
    return (uint8_t *)(uintptr_t)buffer->address;
}

/*
 * Whether the operation's checksum covers BUFFER. MakeSignature and VerifySignature cover plain READONLY too: .NET's
 * NegotiateStream signs its payload in one (errors.tsv MakeSignature/VerifySignature NTLM). EncryptMessage and
 * DecryptMessage pass READONLY over, and cover READONLY_WITH_CHECKSUM.
 */
static inline bool cs_buffer_signed(const struct cs_buffer *buffer, enum cs_operation operation)
{
    if (cs_buffer_type(buffer) != SECBUFFER_DATA) return false;
    return operation == CS_MAKE_SIGNATURE || operation == CS_VERIFY_SIGNATURE || !(buffer->type & SECBUFFER_READONLY);
}

/* Whether EncryptMessage and DecryptMessage change BUFFER's bytes. */
static inline bool cs_buffer_sealed(const struct cs_buffer *buffer)
{
    return cs_buffer_type(buffer) == SECBUFFER_DATA &&
           !(buffer->type & (SECBUFFER_READONLY | SECBUFFER_READONLY_WITH_CHECKSUM));
}

/*
 * Finds the parts of MESSAGE for OPERATION. SIGNATURE_SIZE is what the mechanism puts into TOKEN, in bytes.
 * EncryptMessage and DecryptMessage also take {STREAM_HEADER, DATA, STREAM_TRAILER, EMPTY}, as EncryptMessage
 * (Negotiate) is documented: the first is their TOKEN.
 * SEC_E_OK; SEC_E_INVALID_TOKEN: no TOKEN (or STREAM), several, or no DATA (behaviour.md row 107, errors.tsv), or more
 * than CS_MESSAGE_MAX bytes of message; SEC_E_BUFFER_TOO_SMALL: TOKEN is shorter than the signature;
 * SEC_E_INCOMPLETE_MESSAGE: STREAM is.
 */
SECURITY_STATUS cs_message_shape(const struct cs_message *message, enum cs_operation operation, uint32_t signature_size,
                                 struct cs_shape *shape);

/* Gives every PADDING of MESSAGE, and STREAM_TRAILER, length 0, for mechanisms whose messages need none. */
void cs_message_no_padding(const struct cs_message *message);

#endif
