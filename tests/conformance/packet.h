/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A message to protect, in the buffer shapes that programs use. A packet carries its memory, so that the receiver's
 * copy shares nothing with the sender's.
 */
#ifndef CONFORMANCE_PACKET_H
#define CONFORMANCE_PACKET_H

#include "exchange.h"

enum shape {
    SHAPE_TOKEN_DATA,
    SHAPE_DATA_TOKEN,
    SHAPE_TOKEN_DATA_PADDING,     /* what HTTP and SASL programs give */
    SHAPE_RPC,                    /* header and trailer READONLY_WITH_CHECKSUM, DATA between, TOKEN last */
    SHAPE_RPC_READONLY,           /* the same with plain READONLY */
    SHAPE_TOKEN_READONLY_PAYLOAD, /* DATA|READONLY, as .NET signs */
    SHAPE_DATA,
    SHAPE_TWO_DATA,
    SHAPE_TOKEN,
};

#define PACKET_TEXT "Hello, world!"
#define PACKET_TEXT_SIZE ((ULONG)sizeof(PACKET_TEXT) - 1)
#define PACKET_HEADER "Header Test"
#define PACKET_HEADER_SIZE ((ULONG)sizeof(PACKET_HEADER))
#define PACKET_TOKEN_SIZE 16 /* NTLM's */
#define PACKET_TOKEN_MAX 128
#define UNTOUCHED_QOP 0xdeadbeef

struct packet {
    unsigned char text[PACKET_TEXT_SIZE];
    unsigned char header[PACKET_HEADER_SIZE];
    unsigned char trailer[PACKET_HEADER_SIZE];
    unsigned char token[PACKET_TOKEN_MAX];
    unsigned char padding[16];
    SecBuffer buffers[4];
    SecBufferDesc message;
};

/* Fills PACKET with the plain text in the given shape. */
void packet_init(struct packet *packet, enum shape shape);

/* The TOKEN buffer of a packet that has one; it is PACKET_TOKEN_SIZE bytes long, with room for PACKET_TOKEN_MAX. */
SecBuffer *packet_token(struct packet *packet);

/* The packet as the peer receives it: the same bytes and buffer sizes in memory of its own. */
void packet_receive(struct packet *received, const struct packet *sent, enum shape shape);

/* Whether text, header or trailer are what packet_init put there. */
bool packet_text_is_plain(const struct packet *packet);
bool packet_ends_are_plain(const struct packet *packet);

/* "STATUS, qop untouched" or "STATUS, qop N" for a call that got UNTOUCHED_QOP. TEXT holds OBSERVED_MAX; returned. */
const char *qop_text(SECURITY_STATUS status, ULONG qop, char *text);

/* The four calls with a packet. verify and decrypt give qop_text. */
SECURITY_STATUS packet_sign(CtxtHandle *context, struct packet *packet);
SECURITY_STATUS packet_encrypt(CtxtHandle *context, struct packet *packet);
const char *packet_verify(CtxtHandle *context, struct packet *packet, char *text);
const char *packet_decrypt(CtxtHandle *context, struct packet *packet, char *text);

/*
 * A loopback pair with the given flags in PAIR; when it cannot be had, closes it, gives the reason to not_reached and
 * returns false. Of the flags, INTEGRITY and CONFIDENTIALITY are given to the server as well.
 */
bool open_pair(struct conformance_run *run, struct exchange *pair, ULONG client_flags);

#endif
