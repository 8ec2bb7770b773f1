/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The replay cache: an authenticator serves once (RFC 4120 3.2.3). What this Unix user's acceptors have seen is in a
 * file that all their processes share and that outlives them.
 */
#ifndef COUNTERSIGN_KERBEROS_REPLAY_H
#define COUNTERSIGN_KERBEROS_REPLAY_H

#include "reader.h"
#include "sspi_values.h"

struct kerberos_replay_cache;

/*
 * Any number of threads may share one. The file (COUNTERSIGN_REPLAY_CACHE names it, else it is
 * countersign/kerberos.replay below XDG_CACHE_HOME or ~/.cache) is opened, and made if there is none, by the first
 * check. The caller closes it; NULL: no memory.
 */
struct kerberos_replay_cache *kerberos_replay_open(void);
void kerberos_replay_close(struct kerberos_replay_cache *cache);

/*
 * Whether CIPHER, the ciphertext of an authenticator that has been decrypted and verified, comes for the first time;
 * from then on it has come. MADE is the authenticator's ctime, NOW the time of the call, both in seconds since 1970;
 * SKEW is by how many seconds they may differ, also when the file has been waited for.
 *
 *     SEC_E_OK                   it is new, and will be known
 *     SEC_E_LOGON_DENIED         it has been here before: KRB_AP_ERR_REPEAT. Also if it is from before a moment at
 *                                which the file was found damaged, and could have been here
 *     SEC_E_TIME_SKEW            MADE and NOW differ by more
 *     SEC_E_INSUFFICIENT_MEMORY  too many have come within SKEW (4.5 million at the most): it cannot be remembered
 *     SEC_E_INTERNAL_ERROR       the file is not to be had, is not this user's alone, or another process has held it
 *                                for some seconds
 */
SECURITY_STATUS kerberos_replay_check(struct kerberos_replay_cache *cache, struct cs_span cipher, int64_t made,
                                      int64_t now, int64_t skew);

#endif
