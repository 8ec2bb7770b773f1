/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos message protection: the per-message tokens of RFC 4121 (AES) and RFC 4757 (RC4), made from what the AP
 * exchange agreed on.
 */
#ifndef COUNTERSIGN_KERBEROS_PROTECT_H
#define COUNTERSIGN_KERBEROS_PROTECT_H

#include "session.h"

enum { KERBEROS_MAX_KEY = 32 };

/* What the AP exchange agreed on. */
struct kerberos_session_seed {
    bool initiator;
    uint32_t granted; /* ISC_RET_ or ASC_RET_: INTEGRITY, CONFIDENTIALITY, SEQUENCE_DETECT, REPLAY_DETECT, DCE style */
    int32_t etype;    /* RFC 3961 number: 17, 18, 19, 20 or 23 */
    uint8_t key[KERBEROS_MAX_KEY]; /* the acceptor's subkey if there is one, else the initiator's, else the ticket's */
    uint32_t key_size;             /* bytes */
    bool acceptor_subkey;          /* KEY is the acceptor's: RFC 4121 4.2.2's AcceptorSubkey flag */
    uint64_t send_sequence, receive_sequence; /* the first number of each direction */
    int64_t expiry;                           /* FILETIME, UTC */
    struct cs_span names, target;             /* UTF-16LE; taken over, also on failure */
};

/*
 * Makes the session record; the caller releases it with cs_session_release and wipes SEED. NULL: no memory, or an
 * encryption type that is not one of the five.
 */
struct cs_session *kerberos_session_create(const struct kerberos_session_seed *seed);

#endif
