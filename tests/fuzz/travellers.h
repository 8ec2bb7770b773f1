/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clients of acceptors' sessions (client.h), made without a KDC, for the target that packs and unpacks them.
 */
#ifndef COUNTERSIGN_TESTS_FUZZ_TRAVELLERS_H
#define COUNTERSIGN_TESTS_FUZZ_TRAVELLERS_H

#include "context.h"

/*
 * What a session knows of its client. The last two are of Kerberos alone: its tickets, or the one that it has shown,
 * for a service whose key is in the keytab. In NTLM's sessions they are what groups are.
 */
enum traveller {
    TRAVELLER_PLAIN,
    TRAVELLER_IDENTIFIED,
    TRAVELLER_GROUPS,
    TRAVELLER_FORWARDED,
    TRAVELLER_SHOWN,
    TRAVELLERS
};

/* Gives SESSION, an acceptor's that nobody has asked for its client, one of KIND. */
void traveller_arrives(struct cs_session *session, enum traveller kind);

/*
 * Does with SESSION's client, which may have been unpacked from anything, all that a server can: ends the run if what
 * it is told of it is not well formed, or if anything but Kerberos's own credential goes on.
 */
void traveller_goes_on(struct cs_session *session);

#endif
