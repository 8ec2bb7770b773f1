/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A peer that is not ours: a session of GnuTLS's own, over memory, for what ours never does by itself (key updates,
 * padding, small records, another certificate in a second handshake).
 */
#ifndef COUNTERSIGN_TESTS_TLS_PEER_H
#define COUNTERSIGN_TESTS_TLS_PEER_H

#include "tls_world.h"
#include "writer.h"

#include <gnutls/gnutls.h>

struct tls_peer {
    bool server;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    struct cs_writer incoming, outgoing; /* from ours, as far as not taken; to ours */
    size_t taken;
    int result; /* of the handshake */
};

/* A peer with PRIORITY, GnuTLS's words, and the certificate KEY; TLS_WORLD_KEYS: none. FLAGS: gnutls_init's, besides.
 */
void tls_peer_open(struct tls_peer *peer, bool server, const char *priority, enum tls_world_key key, unsigned flags);
void tls_peer_close(struct tls_peer *peer);

/* Another certificate for the handshakes to come. */
void tls_peer_use(struct tls_peer *peer, enum tls_world_key key);

/* Goes on with its handshake. */
void tls_peer_step(struct tls_peer *peer);

/*
 * The handshake of PEER with the other role's side of PAIR; also one after the first. True: both are through. What the
 * peer has sent after it stays in its outgoing.
 */
bool tls_peer_shake(struct tls_peer *peer, struct tls_world_pair *pair, const struct tls_world_setup *setup);

/* The peer's application data. Receive yields GnuTLS's result; what is in BYTES is all there is. */
void tls_peer_send(struct tls_peer *peer, const void *data, size_t size);
ssize_t tls_peer_receive(struct tls_peer *peer, struct cs_span bytes, void *data, size_t room);

#endif
