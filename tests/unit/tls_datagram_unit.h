/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the unit tests of DTLS share: pairs on a network, and data across it.
 */
#ifndef COUNTERSIGN_TESTS_TLS_DATAGRAM_UNIT_H
#define COUNTERSIGN_TESTS_TLS_DATAGRAM_UNIT_H

#include "tls_datagram.h"
#include "tls_network.h"
#include "tls_unit.h"

#define ONLY_DTLS1_2                                                                                                   \
    .datagram = true, .client_protocols = SP_PROT_DTLS1_2_CLIENT, .server_protocols = SP_PROT_DTLS1_2_SERVER
#define ONLY_DTLS1_0                                                                                                   \
    .datagram = true, .client_protocols = SP_PROT_DTLS1_0_CLIENT, .server_protocols = SP_PROT_DTLS1_0_SERVER
#define ADDRESS                                                                                                        \
    {                                                                                                                  \
        (const uint8_t *)"192.0.2.1:4433", 14                                                                          \
    }
static const struct cs_span dtls_address = ADDRESS;

static inline void dtls_open_network(struct tls_network *network, struct tls_world_pair *pair,
                                     const struct tls_world_setup *setup)
{
    assert_int_equal(tls_world_open(pair, setup), SEC_E_OK);
    pair->client_status = pair->server_status = SEC_I_CONTINUE_NEEDED;
    *network = (struct tls_network){.pair = pair, .setup = setup};
}

/* A handshake, which must succeed. */
static inline void dtls_open_through(struct tls_network *network, struct tls_world_pair *pair,
                                     const struct tls_world_setup *setup)
{
    dtls_open_network(network, pair, setup);
    if (!tls_network_shake(network))
        fail_msg("client %08x, server %08x", (unsigned)pair->client_status, (unsigned)pair->server_status);
}

static inline void dtls_close(struct tls_network *network)
{
    tls_network_clear(network);
    tls_world_close(network->pair);
}

static inline void dtls_expect_passes(struct tls_context *from, struct tls_context *to, const void *data, size_t size)
{
    struct cs_writer record = tls_sealed(from, data, size);
    tls_expect_opens(to, &record, data, size);
    cs_writer_drop(&record);
}

static inline void dtls_expect_talk(const struct tls_world_pair *pair)
{
    dtls_expect_passes(pair->client, pair->server, "there", 5);
    dtls_expect_passes(pair->server, pair->client, "and back", 8);
}

#endif
