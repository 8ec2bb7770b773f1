/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos sessions that no exchange was needed for, and messages through them, for the tests of its protecting half.
 */
#ifndef COUNTERSIGN_TESTS_KERBEROS_PAIR_H
#define COUNTERSIGN_TESTS_KERBEROS_PAIR_H

#include "kerberos_protect.h"
#include "kerberos_wrap.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { KERBEROS_ORDERED = ISC_REQ_CONFIDENTIALITY | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT, TOKEN_ROOM = 96 };

static const int32_t kerberos_etypes[] = {17, 18, 19, 20, 23};

static inline uint32_t key_size_of(int32_t etype)
{
    return etype == 18 || etype == 20 ? 32 : 16;
}

/* What TOKEN is in front of a message, and a MIC; RC4's framing is one of the shortest. */
static inline uint32_t sealed_token_size(int32_t etype, uint32_t granted)
{
    const uint32_t ec = granted & ISC_REQ_USE_DCE_STYLE ? 16 : 0;
    return etype == 23 ? 45 : etype == 20 ? 72 + ec : etype == 19 ? 64 + ec : 60 + ec;
}

static inline uint32_t mic_size(int32_t etype)
{
    return etype == 23 ? 37 : etype == 20 ? 40 : etype == 19 ? 32 : 28;
}

/* The client sends from FIRST on, the server from FIRST + 1000. */
static inline struct kerberos_session_seed kerberos_seed(int32_t etype, uint32_t granted, bool initiator,
                                                         uint64_t first)
{
    struct kerberos_session_seed seed = {.initiator = initiator,
                                         .granted = granted | (initiator ? ISC_REQ_INTEGRITY : ASC_REQ_INTEGRITY),
                                         .etype = etype,
                                         .key_size = key_size_of(etype),
                                         .acceptor_subkey = true,
                                         .send_sequence = initiator ? first : first + 1000,
                                         .receive_sequence = initiator ? first + 1000 : first,
                                         .expiry = INT64_MAX};
    for (uint8_t i = 0; i < seed.key_size; i++) seed.key[i] = (uint8_t)(7 * i + 1);
    return seed;
}

static inline struct sessions kerberos_sessions_from(int32_t etype, uint32_t granted, uint64_t first)
{
    const struct kerberos_session_seed client = kerberos_seed(etype, granted, true, first);
    const struct kerberos_session_seed server = kerberos_seed(etype, granted, false, first);
    struct sessions sessions = {kerberos_session_create(&client), kerberos_session_create(&server)};
    assert_non_null(sessions.client);
    assert_non_null(sessions.server);
    return sessions;
}

static inline struct sessions kerberos_sessions(int32_t etype, uint32_t granted)
{
    return kerberos_sessions_from(etype, granted, 0x12345678);
}

static inline void kerberos_sessions_end(struct sessions *sessions)
{
    cs_session_release(sessions->client);
    cs_session_release(sessions->server);
}

/* A message as it goes over the wire: TOKEN, DATA, PADDING in one block. */
struct wire {
    uint8_t bytes[TOKEN_ROOM + 4200 + 1];
    uint32_t token_size, data_size, padding_size;
};

static inline uint8_t *wire_data(struct wire *wire)
{
    return wire->bytes + wire->token_size;
}

static inline uint32_t wire_size(const struct wire *wire)
{
    return wire->token_size + wire->data_size + wire->padding_size;
}

/* {TOKEN, DATA, PADDING} over WIRE. */
static inline struct parts wire_parts(struct wire *wire)
{
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_TOKEN, wire->bytes, wire->token_size);
    add_part(&parts, SECBUFFER_DATA, wire_data(wire), wire->data_size);
    add_part(&parts, SECBUFFER_PADDING, wire_data(wire) + wire->data_size, wire->padding_size);
    return parts;
}

/* EncryptMessage with TEXT, SIZE bytes, put together as programs do. */
static inline struct wire kerberos_wrap(struct cs_session *session, uint32_t qop, const void *text, size_t size)
{
    struct wire wire = {.bytes = {0}};
    uint8_t token[TOKEN_ROOM], data[4200], padding[1] = {0xEE};
    struct parts parts = {.count = 0};
    assert_true(size <= sizeof data);
    memcpy(data, text, size);
    add_part(&parts, SECBUFFER_TOKEN, token, session->sizes.security_trailer);
    add_part(&parts, SECBUFFER_DATA, data, size);
    add_part(&parts, SECBUFFER_PADDING, padding, session->sizes.block_size);
    const struct cs_message message = message_over(&parts);
    assert_int_equal(cs_encrypt(session, qop, &message), SEC_E_OK);
    wire.token_size = parts.buffers[0].size;
    wire.data_size = parts.buffers[1].size;
    wire.padding_size = parts.buffers[2].size;
    memcpy(wire.bytes, token, wire.token_size);
    memcpy(wire_data(&wire), data, size);
    memcpy(wire_data(&wire) + size, padding, wire.padding_size);
    return wire;
}

/* DecryptMessage on {TOKEN, DATA, PADDING}; on success DATA lies at wire_data. */
static inline SECURITY_STATUS kerberos_unwrap(struct cs_session *session, struct wire *wire, uint32_t *qop)
{
    struct parts parts = wire_parts(wire);
    const struct cs_message message = message_over(&parts);
    SECURITY_STATUS status = cs_decrypt(session, &message, qop);
    wire->data_size = parts.buffers[1].size;
    return status;
}

/* DecryptMessage on {STREAM, DATA}; *data is where DATA then is. */
static inline SECURITY_STATUS kerberos_unwrap_stream(struct cs_session *session, uint8_t *bytes, size_t size,
                                                     struct cs_span *data, uint32_t *qop)
{
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_STREAM, bytes, size);
    add_part(&parts, SECBUFFER_DATA, NULL, 0);
    const struct cs_message message = message_over(&parts);
    SECURITY_STATUS status = cs_decrypt(session, &message, qop);
    *data = (struct cs_span){cs_buffer_bytes(&parts.buffers[1]), parts.buffers[1].size};
    return status;
}

/* MakeSignature and VerifySignature over one DATA. */
static inline void kerberos_sign(struct cs_session *session, const void *text, size_t size, uint8_t token[TOKEN_ROOM])
{
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_DATA, text, size);
    add_part(&parts, SECBUFFER_TOKEN, token, session->sizes.max_signature);
    const struct cs_message message = message_over(&parts);
    assert_int_equal(cs_make_signature(session, &message), SEC_E_OK);
    assert_int_equal(parts.buffers[1].size, session->sizes.max_signature);
}

static inline SECURITY_STATUS kerberos_verify(struct cs_session *session, const void *text, size_t size,
                                              const uint8_t *token, size_t token_size)
{
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_DATA, text, size);
    add_part(&parts, SECBUFFER_TOKEN, token, token_size);
    const struct cs_message message = message_over(&parts);
    return cs_verify_signature(session, &message);
}

#endif
