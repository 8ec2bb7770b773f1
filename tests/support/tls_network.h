/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A network of datagrams between a client and a server of ours, which may lose, double, reorder and change them.
 */
#ifndef COUNTERSIGN_TESTS_TLS_NETWORK_H
#define COUNTERSIGN_TESTS_TLS_NETWORK_H

#include "tls_world.h"
#include "writer.h"

enum { TLS_NETWORK_QUEUE = 64 };

enum tls_fate { TLS_FATE_ARRIVES, TLS_FATE_IS_LOST, TLS_FATE_IS_DOUBLED, TLS_FATE_IS_LATE };

struct tls_network {
    struct tls_world_pair *pair;
    const struct tls_world_setup *setup;
    /* What becomes of the datagram NUMBER, from 0, of that side; it may be changed. NULL: all arrive. */
    enum tls_fate (*fate)(struct tls_network *network, bool from_client, unsigned number, struct cs_writer *datagram);
    uint64_t plan;                   /* FATE's own */
    bool client_waits, server_waits; /* that side keeps no time: it sends nothing again by itself */
    /* out */
    struct cs_writer queues[2][TLS_NETWORK_QUEUE]; /* on their way, to the server and to the client */
    size_t waiting[2];
    struct cs_writer late[2];   /* behind the next one */
    unsigned sent[2], silences; /* datagrams of the server and of the client; times that nothing was on its way */
    size_t largest;             /* datagram, bytes */
};

/* A handshake. True: both sides are through, and nothing is on its way. */
bool tls_network_shake(struct tls_network *network);

/* One leg with that input, or none; what it yields is on its way, all fragments of it. */
SECURITY_STATUS tls_network_leg(struct tls_network *network, bool client, struct cs_span input);

/* The next datagram for that side is taken by it; false: there is none. */
bool tls_network_deliver(struct tls_network *network, bool client);

/* Everything that is on its way is lost. */
void tls_network_clear(struct tls_network *network);

#endif
