/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The per-message tokens of RFC 4121 4.2: their header, and where the parts of a Wrap token lie in the buffers of a
 * message, however its sender has rotated it.
 */
#ifndef COUNTERSIGN_KERBEROS_WRAP_H
#define COUNTERSIGN_KERBEROS_WRAP_H

#include "message.h"

#include <stddef.h>

enum { KERBEROS_HEADER = 16 };

enum kerberos_message_id { KERBEROS_MIC = 0x0404, KERBEROS_WRAP = 0x0504 };

/* RFC 4121 4.2.2 */
enum { KERBEROS_SENT_BY_ACCEPTOR = 1, KERBEROS_SEALED = 2, KERBEROS_ACCEPTOR_SUBKEY = 4 };

/* RFC 4121 4.2.6; a MIC token has 0xFFFF for EC and RRC. */
struct kerberos_header {
    uint16_t id;
    uint8_t flags;
    uint16_t ec, rrc; /* "extra count" and "right rotation count", bytes */
    uint64_t sequence;
};

void kerberos_header_write(const struct kerberos_header *header, uint8_t out[KERBEROS_HEADER]);

/* False when the filler is not. */
bool kerberos_header_read(const uint8_t in[KERBEROS_HEADER], struct kerberos_header *header);

/*
 * A received Wrap token: HEAD | plain | TAIL, after the header. Windows sends TAIL and HEAD in TOKEN, which is what a
 * rotation by the size of TAIL comes to; GSS-API libraries without IOV calls do not rotate, and send one stream.
 */
struct kerberos_frame {
    uint8_t *head, *tail;
    struct cs_message plain;
    /* inside */
    struct cs_buffer first; /* of the bytes that were rotated: those of TOKEN's copy, or the stream's */
    uint8_t few[128];       /* TOKEN after its header, as far as it is used: its own memory may be read-only */
    uint8_t *many;          /* the same where that is too little, as it is in no message of Windows's; owned */
    struct cs_buffer data;  /* PLAIN, of a stream */
    size_t turned;          /* bytes by which kerberos_frame_open has turned the token left */
    size_t size;            /* bytes of HEAD, plain and TAIL */
};

/*
 * Finds the parts of MESSAGE's token, which its sender rotated right by ROTATION bytes; HEAD_SIZE and TAIL_SIZE are
 * what the token's header leads to. Rotates the bytes in place where plain would not lie in one piece in the DATA
 * buffers, or in the stream; TOKEN itself is never written to. FRAME refers to MESSAGE and to itself, and is closed in
 * every case. SEC_E_OK; SEC_E_MESSAGE_ALTERED: the buffers' sizes are not such a token's; SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS kerberos_frame_open(struct kerberos_frame *frame, const struct cs_message *message,
                                    const struct cs_shape *shape, uint32_t rotation, uint32_t head_size,
                                    uint32_t tail_size);

/* Puts the bytes back where they were before kerberos_frame_open. */
void kerberos_frame_restore(const struct kerberos_frame *frame);

void kerberos_frame_close(struct kerberos_frame *frame);

#endif
