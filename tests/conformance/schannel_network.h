/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client and a server of Schannel's DTLS in this process, and a network of datagrams between them, which may lose
 * some.
 */
#ifndef CONFORMANCE_SCHANNEL_NETWORK_H
#define CONFORMANCE_SCHANNEL_NETWORK_H

#include "schannel_pair.h"

enum { SCHANNEL_DATAGRAM_ROOM = 2048, SCHANNEL_QUEUE_MAX = 16, SCHANNEL_FIRST_MAX = 2, SERVER = 0, CLIENT = 1 };

struct schannel_queue {
    BYTE bytes[SCHANNEL_QUEUE_MAX][SCHANNEL_DATAGRAM_ROOM];
    ULONG sizes[SCHANNEL_QUEUE_MAX];
    unsigned first, end;
};

struct schannel_network {
    struct schannel_pair pair;
    ULONG request; /* the client's, besides DATAGRAM */
    WORD mtu;      /* of both; 0: not said */
    const char *address;
    bool lossy;
    SecBuffer first[2][SCHANNEL_FIRST_MAX]; /* of the input of SERVER's and CLIENT's first leg */
    ULONG first_counts[2];
    struct schannel_queue *queues; /* to the server, and to the client */
    bool fragmented;               /* SEC_I_MESSAGE_FRAGMENT has been seen */
    ULONG largest;
    unsigned sent;
};

/* Both credentials; schannel_network_close frees, whatever the result. */
bool schannel_network_open(struct schannel_network *network, DWORD protocols);
void schannel_network_close(struct schannel_network *network);

/* A handshake. Returns whether both sides are through. */
bool schannel_network_shake(struct schannel_network *network);

/* One leg with that datagram, or none (NULL), and all that it has to send. */
SECURITY_STATUS schannel_network_leg(struct schannel_network *network, bool client, void *bytes, ULONG size);

/* A leg of that side with the next datagram that waits for it; false: none does. */
bool schannel_network_deliver(struct schannel_network *network, bool client);

#endif
