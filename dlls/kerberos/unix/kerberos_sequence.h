/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sequence numbers of one direction: those that are given out, and which of those that arrive are taken.
 */
#ifndef COUNTERSIGN_KERBEROS_SEQUENCE_H
#define COUNTERSIGN_KERBEROS_SEQUENCE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* What a direction moves, and the lock that it is moved under. */
struct kerberos_sequence {
    pthread_mutex_t lock;
    uint64_t mask;    /* numbers count modulo this plus one */
    uint64_t next;    /* the next in order: what is sent, or expected */
    uint64_t seen;    /* bit I: NEXT - 1 - I has arrived */
    uint64_t first;   /* NEXT when the exchange ended */
    uint32_t at_work; /* tokens that have a number and are not done: their threads hold no lock */
    bool ordered;     /* only NEXT is taken */
    bool unique;      /* anything that has not arrived yet is, unless it is 64 or more before the last */
    bool broken;      /* a thread died with the lock held, or the session is retired */
};

/*
 * FIRST is the first number of this direction, GRANTED has ISC_RET_SEQUENCE_DETECT and ISC_RET_REPLAY_DETECT (the same
 * values for ASC_RET_). BITS: 64 for RFC 4121, 32 for RFC 4757. False: no lock. Released by destroying the lock.
 */
bool kerberos_sequence_init(struct kerberos_sequence *sequence, uint64_t first, uint32_t granted, unsigned bits);

/* Takes the lock; false, with the lock held, once a thread has died with it. kerberos_sequence_leave follows either. */
bool kerberos_sequence_enter(struct kerberos_sequence *sequence);
void kerberos_sequence_leave(struct kerberos_sequence *sequence);

/* Between enter and leave: the number for a token to send. Its keys are in use until kerberos_session_done. */
uint64_t kerberos_sequence_send(struct kerberos_sequence *sequence);

/* Between enter and leave: the exchange has ended here. */
void kerberos_sequence_settle(struct kerberos_sequence *sequence);

/*
 * Between enter and leave, for a token that has verified: whether NUMBER may arrive now. If so it has arrived; else
 * nothing changes.
 */
bool kerberos_sequence_receive(struct kerberos_sequence *sequence, uint64_t number);

#endif
