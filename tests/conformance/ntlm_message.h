/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NTLM messages as the cases need them: challenges made from a description, AUTHENTICATE messages taken apart.
 * MS-NLMP 2.2.1 and 2.2.2.1.
 */
#ifndef CONFORMANCE_NTLM_MESSAGE_H
#define CONFORMANCE_NTLM_MESSAGE_H

#include "exchange.h"

enum {
    AV_END = 0,
    AV_SERVER = 1,
    AV_DOMAIN = 2,
    AV_DNS_SERVER = 3,
    AV_DNS_DOMAIN = 4,
    AV_DNS_FOREST = 5,
    AV_FLAGS = 6,
    AV_TIMESTAMP = 7,
    AV_SINGLE_HOST = 8,
    AV_TARGET_NAME = 9,
    AV_CHANNEL_BINDINGS = 10,
};

/* One AV pair to put into a challenge: text (sent as UTF-16) or, when TEXT is NULL, SIZE bytes. */
struct av_pair {
    USHORT id;
    const char *text;
    const unsigned char *bytes;
    USHORT size;
};

struct challenge {
    ULONG flags;
    unsigned char nonce[8];
    unsigned char version[8]; /* all zero: none */
    const char *target;
    const struct av_pair *pairs; /* without the closing one */
    size_t pair_count;
};

/* A part of a message; BYTES points into it. */
struct span {
    const unsigned char *bytes;
    ULONG size;
};

struct authenticate {
    struct span lm, nt, domain, user, workstation, key;
    ULONG flags;
    const unsigned char *version; /* 8 bytes */
    const unsigned char *mic;     /* 16 bytes */
};

#define AUTHENTICATE_MIC_OFFSET 72
#define NT_PROOF_SIZE 16
#define NT_BLOB_PAIRS 44 /* offset of the AV pairs in an NTLMv2 response: proof 16, fixed part of the blob 28 */

/* Writes CHALLENGE as a CHALLENGE_MESSAGE. All names are ASCII and the whole fits TOKEN_MAX. */
void make_challenge(const struct challenge *challenge, struct token *token);

/* Takes an AUTHENTICATE_MESSAGE with version and MIC apart. False for anything else and when a field lies outside. */
bool parse_authenticate(const struct token *token, struct authenticate *message);

/* The AV pairs of an NTLMv2 response; empty for another response. */
struct span response_pairs(const struct authenticate *message);

/* Finds the first pair ID. COUNT, if not NULL, gets how often it stands there. */
struct span find_pair(struct span pairs, USHORT id, unsigned *count);

/* The ids of the pairs in order, closing one left out, separated by blanks. TEXT holds SIZE bytes; returned. */
const char *list_pairs(struct span pairs, char *text, size_t size);

/* UTF-16 text of a message as ASCII. TEXT holds SIZE bytes; returned. */
const char *ascii_text(struct span utf16, char *text, size_t size);

ULONG read_u32(const unsigned char *bytes);

#endif
