/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a finished Kerberos exchange is asked for: names, the same key on both sides, and messages that pass.
 */
#ifndef COUNTERSIGN_TESTS_KERBEROS_TALK_H
#define COUNTERSIGN_TESTS_KERBEROS_TALK_H

#include "unit.h"

static inline void expect_text(struct cs_span got, const char *text)
{
    struct bytes expected = utf16(text);
    assert_int_equal(got.size, expected.size);
    if (expected.size) assert_memory_equal(got.data, expected.data, expected.size);
}

/* A message through EncryptMessage's usual shape, and one through MakeSignature's. */
static inline void expect_passes(struct cs_session *from, struct cs_session *to)
{
    char text[] = "between the two of us", token[128] = {0}, padding[16] = {0};
    uint32_t qop;
    struct parts parts = {.count = 0};
    struct cs_buffer *first = add_part(&parts, SECBUFFER_TOKEN, token, from->sizes.security_trailer);
    add_part(&parts, SECBUFFER_DATA, text, sizeof text);
    add_part(&parts, SECBUFFER_PADDING, padding, from->sizes.block_size);
    struct cs_message message = message_over(&parts);
    assert_int_equal(cs_encrypt(from, 0, &message), SEC_E_OK);
    assert_memory_not_equal(text, "between the two of us", sizeof text);
    assert_true(first->size <= from->sizes.security_trailer);
    assert_int_equal(cs_decrypt(to, &message, &qop), SEC_E_OK);
    assert_string_equal(text, "between the two of us");

    struct parts signature = {.count = 0};
    add_part(&signature, SECBUFFER_DATA, text, sizeof text);
    add_part(&signature, SECBUFFER_TOKEN, token, from->sizes.max_signature);
    message = message_over(&signature);
    assert_int_equal(cs_make_signature(from, &message), SEC_E_OK);
    assert_int_equal(cs_verify_signature(to, &message), SEC_E_OK);
}

static inline void expect_pair_talks(const struct pair *pair)
{
    struct cs_session *client = cs_context_session(pair->client), *server = cs_context_session(pair->server);
    assert_int_equal(client->session_key_size, server->session_key_size);
    assert_memory_equal(client->session_key, server->session_key, client->session_key_size);
    expect_passes(client, server);
    expect_passes(server, client);
    expect_passes(client, server);
}

#endif
