/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NTLM's session record, as its message functions (protect.c) and its way out of the process (ntlm_export.c) see it.
 */
#ifndef COUNTERSIGN_NTLM_SESSION_H
#define COUNTERSIGN_NTLM_SESSION_H

#include "protect.h"

#include <hcrypto/rc4.h>
#include <nettle/hmac.h>
#include <pthread.h>

/* What a message moves; moved back when its token does not verify. hcrypto's RC4 is the fastest of the three
 * libraries (tools/bench). */
struct ntlm_cipher {
    RC4_KEY rc4;
    uint32_t sequence;
};

struct ntlm_direction {
    pthread_mutex_t lock;
    struct ntlm_cipher state;
    struct hmac_md5_ctx mac; /* keyed; a digest puts it back to keyed */
    uint32_t first;          /* the sequence number when the exchange ended */
    bool broken;             /* its thread died inside, and the stream's position is unknown; or it is retired */
};

struct ntlm_session {
    struct cs_session head;
    uint32_t flags;
    struct ntlm_direction directions[2];
    struct ntlm_direction *send, *receive;
};

static inline struct ntlm_session *ntlm_session_of(struct cs_session *session)
{
    return (struct ntlm_session *)session;
}

/* Takes DIRECTION's lock; SEC_E_CONTEXT_EXPIRED, with the lock held, once its stream has lost its place. */
SECURITY_STATUS ntlm_direction_enter(struct ntlm_direction *direction);

#endif
