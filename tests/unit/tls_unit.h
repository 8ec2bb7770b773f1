/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the unit tests of Schannel share: pairs that are through, setups of each kind of record, and data across them.
 */
#ifndef COUNTERSIGN_TESTS_TLS_UNIT_H
#define COUNTERSIGN_TESTS_TLS_UNIT_H

#include "sspi_values.h"
#include "tls_context.h"
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

/* What EncryptMessage says to a few bytes, with room for any kind of record. */
static inline SECURITY_STATUS tls_seal_status(struct tls_context *context)
{
    struct parts parts = {0};
    uint8_t room[128] = {0};
    add_part(&parts, SECBUFFER_STREAM_HEADER, room, 32);
    add_part(&parts, SECBUFFER_DATA, room + 32, 4);
    add_part(&parts, SECBUFFER_STREAM_TRAILER, room + 36, 64);
    const struct cs_message message = message_over(&parts);
    return tls_encrypt(context, &message);
}

/* What nobody would send: INNER, its type at its end, as it is under FROM's key of TLS 1.3. The caller drops it. */
static inline struct cs_writer tls_protect_inner(struct tls_context *from, struct cs_span inner)
{
    struct cs_writer record = {0};
    uint8_t nonce[12];
    size_t size = inner.size + 16;
    cs_write_span(&record, (struct cs_span){(const uint8_t *)"\x17\x03\x03", 3});
    cs_write_be(&record, size, 2);
    uint8_t *body = cs_write_room(&record, size);
    memcpy(nonce, from->write.iv, sizeof nonce);
    for (size_t i = 0; i < 8; i++) nonce[11 - i] ^= (uint8_t)(from->write.sequence >> 8 * i);
    assert_int_equal(gnutls_aead_cipher_encrypt(from->write.cipher, nonce, sizeof nonce, record.data, 5, 16, inner.data,
                                                inner.size, body, &size),
                     0);
    from->write.sequence++;
    return record;
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
