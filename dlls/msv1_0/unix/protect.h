/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NTLM's protecting half: MS-NLMP section 3.4, GSS_WrapEx and GSS_GetMICEx and their inverses, on a session record.
 */
#ifndef COUNTERSIGN_NTLM_PROTECT_H
#define COUNTERSIGN_NTLM_PROTECT_H

#include "crypto.h"
#include "session.h"

/* What a completed exchange knows about its session. The spans become the session's, also on failure. */
struct ntlm_session_seed {
    bool initiator;
    uint32_t flags; /* NEGOTIATE flags in force */
    uint8_t exported_session_key[NTLM_KEY];
    uint32_t granted;             /* ISC_RET_ or ASC_RET_ */
    int64_t expiry;               /* FILETIME, UTC */
    struct cs_span names, target; /* as in struct cs_session */
};

/*
 * Makes the session record, with key schedules set up once (3.4.5). The seed's key is the caller's to wipe.
 * NULL without memory.
 */
struct cs_session *ntlm_session_create(const struct ntlm_session_seed *seed);

#endif
