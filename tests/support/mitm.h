/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The man in the middle: runs a pair's exchange and lets a test look at, change and keep each message on its way.
 */
#ifndef COUNTERSIGN_TESTS_MITM_H
#define COUNTERSIGN_TESTS_MITM_H

#include "pair.h"

/* Where the NEGOTIATE flags of the three messages lie, in bytes (MS-NLMP 2.2.1). */
enum { MITM_NEGOTIATE_FLAGS = 12, MITM_CHALLENGE_FLAGS = 20, MITM_AUTHENTICATE_FLAGS = 60 };

/* Negotiate's exchange has four messages; tampering may make it longer. */
enum { MITM_MESSAGES = 6 };

struct mitm {
    /* Changes message NUMBER, from 1 on, before its receiver gets it. May be NULL. */
    void (*edit)(struct mitm *mitm, unsigned number, struct cs_writer *message);
    uint32_t clear, set; /* for mitm_change_flags: in message target_message */
    unsigned target_message;
    void *data;                                /* the test's */
    struct cs_writer delivered[MITM_MESSAGES]; /* the messages as their receivers got them; mitm_end drops them */
    unsigned refused;                          /* which message its receiver refused; 0: none */
};

/*
 * Runs the exchange of PAIR. Every message is delivered in a heap block of exactly its size, so that a sanitizer sees
 * a read behind its end. The status of the leg that failed, or SEC_E_OK; SEC_I_CONTINUE_NEEDED: one side waits for
 * what the other will not send.
 */
SECURITY_STATUS mitm_run(struct mitm *mitm, struct pair *pair);
void mitm_end(struct mitm *mitm);

/* An edit: clears and sets NEGOTIATE flags in the message that mitm->target_message says. */
void mitm_change_flags(struct mitm *mitm, unsigned number, struct cs_writer *message);

/* Message NUMBER as it was delivered. */
static inline struct cs_span mitm_message(const struct mitm *mitm, unsigned number)
{
    return cs_written(&mitm->delivered[number - 1]);
}

/* Reads and writes the little-endian 32-bit word at OFFSET of MESSAGE; aborts if it is not there. */
uint32_t mitm_word(struct cs_span message, size_t offset);
void mitm_set_word(struct cs_writer *message, size_t offset, uint32_t value);

/* Deliver INPUT in a block of exactly its size. */
SECURITY_STATUS mitm_to_client(struct pair *pair, struct cs_span input);
SECURITY_STATUS mitm_to_server(struct pair *pair, struct cs_span input);

#endif
