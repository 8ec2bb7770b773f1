/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the unit tests of Schannel share: pairs that are through, setups of each kind of record, and data across them.
 */
#ifndef COUNTERSIGN_TESTS_TLS_UNIT_H
#define COUNTERSIGN_TESTS_TLS_UNIT_H

#include "sspi_values.h"
#include "tls_peer.h"
#include "tls_world.h"
#include "unit.h"

#include <string.h>

#define ONLY_TLS1_3 .client_protocols = SP_PROT_TLS1_3_CLIENT, .server_protocols = SP_PROT_TLS1_3_SERVER
#define ONLY_TLS1_2 .client_protocols = SP_PROT_TLS1_2_CLIENT, .server_protocols = SP_PROT_TLS1_2_SERVER
#define ONLY_TLS1_0 .client_protocols = SP_PROT_TLS1_0_CLIENT, .server_protocols = SP_PROT_TLS1_0_SERVER

enum { WITHOUT_AES = TLS_WITHOUT_AES128 | TLS_WITHOUT_AES256, WITHOUT_AEAD = TLS_WITHOUT_GCM | TLS_WITHOUT_CHACHA20 };

/* Each way in which records are protected. */
struct tls_kind {
    const char *name;
    uint16_t suite; /* that comes out, with a key of RSA */
    struct tls_world_setup setup;
};

static const struct tls_kind tls_kinds[] = {
    {"TLS 1.3, AES-256-GCM", 0x1302, {ONLY_TLS1_3}},
    {"TLS 1.3, AES-128-GCM", 0x1301, {ONLY_TLS1_3, .client_without = TLS_WITHOUT_AES256}},
    {"TLS 1.3, ChaCha20", 0x1303, {ONLY_TLS1_3, .client_without = WITHOUT_AES}},
    {"TLS 1.2, AES-256-GCM", 0xC030, {ONLY_TLS1_2}},
    {"TLS 1.2, AES-128-GCM", 0xC02F, {ONLY_TLS1_2, .client_without = TLS_WITHOUT_AES256}},
    {"TLS 1.2, ChaCha20", 0xCCA8, {ONLY_TLS1_2, .client_without = WITHOUT_AES}},
    {"TLS 1.2, AES-256-CBC, SHA-384", 0xC028, {ONLY_TLS1_2, .client_without = WITHOUT_AEAD}},
    {"TLS 1.2, AES-128-CBC, SHA-256", 0xC027, {ONLY_TLS1_2, .client_without = WITHOUT_AEAD | TLS_WITHOUT_AES256}},
    {"TLS 1.2, AES-256-CBC, SHA-1",
     0xC014,
     {ONLY_TLS1_2, .client_without = WITHOUT_AEAD | TLS_WITHOUT_SHA256 | TLS_WITHOUT_SHA384}},
    {"TLS 1.0, AES-256-CBC, SHA-1", 0xC014, {ONLY_TLS1_0}},
};
enum { TLS_KINDS = sizeof tls_kinds / sizeof *tls_kinds, TLS_AEAD_KINDS = 6 };

/* A handshake, which must succeed. */
static inline void tls_open_through(struct tls_world_pair *pair, const struct tls_world_setup *setup)
{
    assert_int_equal(tls_world_open(pair, setup), SEC_E_OK);
    if (!tls_world_shake(pair, setup, 0))
        fail_msg("client %08x, server %08x", (unsigned)pair->client_status, (unsigned)pair->server_status);
}

/* The same of ours with a peer that is not. */
static inline void tls_open_with_peer(struct tls_peer *peer, struct tls_world_pair *pair,
                                      const struct tls_world_setup *setup)
{
    assert_int_equal(tls_world_open(pair, setup), SEC_E_OK);
    if (!tls_peer_shake(peer, pair, setup))
        fail_msg("ours %08x, peer %s", (unsigned)(peer->server ? pair->client_status : pair->server_status),
                 gnutls_strerror(peer->result));
}

/* One record of SIZE bytes, which the caller drops. */
static inline struct cs_writer tls_sealed(struct tls_context *from, const void *data, size_t size)
{
    struct cs_writer record = {0};
    assert_int_equal(tls_world_seal(from, data, size, &record), SEC_E_OK);
    return record;
}

/* RECORD opens at TO, and is those SIZE bytes. It is changed by that. */
static inline void tls_expect_opens(struct tls_context *to, struct cs_writer *record, const void *data, size_t size)
{
    struct cs_buffer buffers[4];
    assert_int_equal(tls_world_open_record(to, record->data, record->size, buffers), SEC_E_OK);
    assert_int_equal(buffers[0].type, SECBUFFER_STREAM_HEADER);
    assert_int_equal(buffers[1].type, SECBUFFER_DATA);
    assert_int_equal(buffers[2].type, SECBUFFER_STREAM_TRAILER);
    assert_int_equal(buffers[3].type, SECBUFFER_EMPTY);
    assert_int_equal(buffers[1].size, size);
    if (size) assert_memory_equal(cs_buffer_bytes(&buffers[1]), data, size);
}

static inline void tls_expect_passes(struct tls_context *from, struct tls_context *to, const void *data, size_t size)
{
    struct cs_writer record = tls_sealed(from, data, size);
    if (size || record.size) tls_expect_opens(to, &record, data, size);
    cs_writer_drop(&record);
}

/* A few words each way. */
static inline void tls_expect_talk(const struct tls_world_pair *pair)
{
    tls_expect_passes(pair->client, pair->server, "there", 5);
    tls_expect_passes(pair->server, pair->client, "and back", 8);
}

/* What ours sends reaches PEER, and the other way round. */
static inline void tls_expect_peer_talk(struct tls_peer *peer, struct tls_context *ours)
{
    uint8_t room[64];
    struct cs_writer record = tls_sealed(ours, "from ours", 9);
    assert_int_equal(tls_peer_receive(peer, cs_written(&record), room, sizeof room), 9);
    assert_memory_equal(room, "from ours", 9);
    cs_writer_drop(&record);
    tls_peer_send(peer, "from the peer", 13);
    tls_expect_opens(ours, &peer->outgoing, "from the peer", 13);
    cs_writer_drop(&peer->outgoing);
}

#endif
