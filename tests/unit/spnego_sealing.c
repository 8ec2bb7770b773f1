/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptMessage (Negotiate) and DecryptMessage (Negotiate) after an exchange over NTLM within SPNEGO: what their pages
 * promise, and each of their codes that Unix code can return.
 */
#include "sealed_text.h"

static struct pair_setup sealing_setup(void)
{
    struct pair_setup setup = known_setup();
    setup.client_request |= ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT;
    setup.server_request |= ASC_REQ_SEQUENCE_DETECT | ASC_REQ_REPLAY_DETECT;
    return setup;
}

/* A complete exchange of the package Negotiate. */
static struct sessions open_negotiate(struct pair *pair)
{
    const struct pair_setup setup = sealing_setup();
    pair_open(pair, "Negotiate", &setup);
    assert_int_equal(pair_run(pair), SEC_E_OK);
    return (struct sessions){cs_context_session(pair->client), cs_context_session(pair->server)};
}

/* Each function, on a message of a TOKEN and a DATA, all of them on the same session. */
static void expect_each(struct cs_session *session, SECURITY_STATUS expected, void *data, size_t size)
{
    uint8_t token[16] = {0};
    assert_int_equal(seal(session, 0, data, size, token), expected);
    assert_int_equal(unseal(session, data, size, token), expected);
    assert_int_equal(sign(session, data, size, token), expected);
    assert_int_equal(verify(session, data, size, token), expected);
}

/* errors.tsv EncryptMessage Negotiate: SEC_E_CONTEXT_EXPIRED, from ptsExpiry on */
static void expired(void **state)
{
    struct pair pair;
    const struct sessions sessions = open_negotiate(&pair);
    char untouched[sizeof text];
    (void)state;
    assert_int_equal(sessions.client->expiry, pair.client_leg.expiry);
    assert_int_equal(sessions.server->expiry, pair.server_leg.expiry);
    memcpy(untouched, text, sizeof text);
    sessions.client->expiry = sessions.server->expiry = cs_now();
    expect_each(sessions.client, SEC_E_CONTEXT_EXPIRED, untouched, sizeof untouched);
    expect_each(sessions.server, SEC_E_CONTEXT_EXPIRED, untouched, sizeof untouched);
    assert_memory_equal(untouched, text, sizeof text);
    sessions.client->expiry = sessions.server->expiry = cs_now() + 600000000;
    const struct sent sent = seal_text(sessions.client);
    expect_genuine(sessions.server, &sent);
    pair_close(&pair);
}

/* Refused before a byte is touched (there is none), and the sequence goes on where it was. */
static void too_long(void **state)
{
    struct pair pair;
    const struct sessions sessions = open_negotiate(&pair);
    (void)state;
    expect_each(sessions.client, SEC_E_INVALID_TOKEN, NULL, 0x80000000);
    expect_each(sessions.server, SEC_E_INVALID_TOKEN, NULL, 0xFFFFFFFF);
    expect_messages_pass(&pair);
    pair_close(&pair);
}

/* errors.tsv EncryptMessage Negotiate: SEC_E_BUFFER_TOO_SMALL, SEC_E_INVALID_TOKEN, whichever quality is asked for */
static void wrong_shapes(void **state)
{
    struct pair pair;
    const struct sessions sessions = open_negotiate(&pair);
    uint8_t bytes[16] = {0};
    (void)state;
    for (int i = 0; i < 2; i++) {
        const uint32_t qop = i ? SECQOP_WRAP_NO_ENCRYPT : 0;
        struct parts small = {.count = 0}, no_token = {.count = 0}, no_data = {.count = 0};
        add_part(&small, SECBUFFER_TOKEN, bytes, 15);
        add_part(&small, SECBUFFER_DATA, bytes, 1);
        add_part(&no_token, SECBUFFER_DATA, bytes, 16);
        add_part(&no_data, SECBUFFER_TOKEN, bytes, 16);
        const struct cs_message messages[] = {message_over(&small), message_over(&no_token), message_over(&no_data)};
        const SECURITY_STATUS expected[] = {SEC_E_BUFFER_TOO_SMALL, SEC_E_INVALID_TOKEN, SEC_E_INVALID_TOKEN};
        for (size_t j = 0; j < 3; j++) {
            uint32_t received = 0;
            assert_int_equal(cs_encrypt(sessions.client, qop, &messages[j]), expected[j]);
            assert_int_equal(cs_decrypt(sessions.server, &messages[j], &received), expected[j]);
        }
    }
    expect_messages_pass(&pair);
    pair_close(&pair);
}

static SECURITY_STATUS unseal_telling(struct cs_session *session, struct sent *sent, uint32_t *qop)
{
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_TOKEN, sent->token, sizeof sent->token);
    add_part(&parts, SECBUFFER_DATA, sent->data, sizeof sent->data);
    const struct cs_message message = message_over(&parts);
    return cs_decrypt(session, &message, qop);
}

/* 0 and what is not known encrypt; SECQOP_WRAP_NO_ENCRYPT does not, and the receiver is told (errors.tsv, notes). */
static void qualities(void **state)
{
    const uint32_t untouched = 0xdeadbeef, qops[] = {0, 10, 51566, 0xFFFFFFFF, SECQOP_WRAP_NO_ENCRYPT};
    struct pair pair;
    const struct sessions sessions = open_negotiate(&pair);
    (void)state;
    for (size_t i = 0; i < sizeof qops / sizeof *qops; i++) {
        const bool plain = qops[i] == SECQOP_WRAP_NO_ENCRYPT;
        struct sent sent;
        uint32_t told = untouched;
        memcpy(sent.data, text, sizeof text);
        assert_int_equal(seal(sessions.client, qops[i], sent.data, sizeof text, sent.token), SEC_E_OK);
        assert_int_equal(!memcmp(sent.data, text, sizeof text), plain);
        assert_int_equal(unseal_telling(sessions.server, &sent, &told), SEC_E_OK);
        assert_memory_equal(sent.data, text, sizeof text);
        assert_int_equal(told, plain ? SECQOP_WRAP_NO_ENCRYPT : untouched);
    }
    pair_close(&pair);
}

/* What is sealed but not encrypted is as well protected against changes. */
static void plain_is_signed(void **state)
{
    struct pair pair;
    const struct sessions sessions = open_negotiate(&pair);
    struct sent sent;
    (void)state;
    memcpy(sent.data, text, sizeof text);
    assert_int_equal(seal(sessions.client, SECQOP_WRAP_NO_ENCRYPT, sent.data, sizeof text, sent.token), SEC_E_OK);
    for (size_t bit = 0; bit < 8 * sizeof text; bit++) {
        struct sent forged = sent;
        forged.data[bit / 8] = (char)(forged.data[bit / 8] ^ 1 << bit % 8);
        expect_altered(sessions.server, &forged);
    }
    expect_genuine(sessions.server, &sent);
    expect_altered(sessions.server, &sent);
    pair_close(&pair);
}

/* PADDING and STREAM_TRAILER get length 0, EMPTY and READONLY stay as they are. */
static void other_buffers(void **state)
{
    struct pair pair;
    const struct sessions sessions = open_negotiate(&pair);
    uint8_t token[16], pad[16] = "pad";
    char data[sizeof text];
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct parts parts = {.count = 0};
        add_part(&parts, i ? SECBUFFER_STREAM_HEADER : SECBUFFER_TOKEN, token, sizeof token);
        add_part(&parts, SECBUFFER_DATA, data, sizeof data);
        add_part(&parts, i ? SECBUFFER_STREAM_TRAILER : SECBUFFER_PADDING, pad, sizeof pad);
        add_part(&parts, i ? SECBUFFER_EMPTY : SECBUFFER_DATA | SECBUFFER_READONLY, pad, sizeof pad);
        const struct cs_message message = message_over(&parts);
        uint32_t qop = 0;
        memcpy(data, text, sizeof text);
        assert_int_equal(cs_encrypt(sessions.client, 0, &message), SEC_E_OK);
        assert_memory_not_equal(data, text, sizeof text);
        assert_int_equal(parts.buffers[2].size, 0);
        assert_int_equal(parts.buffers[3].size, sizeof pad);
        assert_string_equal((char *)pad, "pad");
        assert_int_equal(cs_decrypt(sessions.server, &message, &qop), SEC_E_OK);
        assert_memory_equal(data, text, sizeof text);
    }
    pair_close(&pair);
}

/* The granted flags promise what the test below looks for. */
static void expect_detection(const struct pair *pair)
{
    const uint32_t client = ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT;
    const uint32_t server = ASC_REQ_SEQUENCE_DETECT | ASC_REQ_REPLAY_DETECT;
    assert_int_equal(pair->client_leg.granted & client, client);
    assert_int_equal(pair->server_leg.granted & server, server);
}

/* A message again, one of another exchange, the receiver's own one, and one without its predecessor; after each of them
 * the messages go on as if it had not been. */
static void sequence(void **state)
{
    struct pair pair, other;
    const struct sessions sessions = open_negotiate(&pair), strangers = open_negotiate(&other);
    (void)state;
    expect_detection(&pair);
    const struct sent first = seal_text(sessions.client), second = seal_text(sessions.client);
    const struct sent third = seal_text(sessions.client);
    const struct sent foreign = seal_text(strangers.client), own = seal_text(sessions.server);
    expect_altered(sessions.server, &foreign);
    expect_altered(sessions.server, &own);
    expect_genuine(sessions.server, &first);
    expect_altered(sessions.server, &first);
    expect_altered(sessions.server, &third);
    expect_genuine(sessions.server, &second);
    expect_genuine(sessions.server, &third);
    expect_altered(sessions.server, &second);
    expect_genuine(sessions.client, &own);
    pair_close(&pair);
    pair_close(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_buffers), cmocka_unit_test(expired),   cmocka_unit_test(too_long),
        cmocka_unit_test(wrong_shapes),  cmocka_unit_test(qualities), cmocka_unit_test(plain_is_signed),
        cmocka_unit_test(sequence),
    };
    return cmocka_run_group_tests_name("spnego_sealing", tests, known_account, forget_account);
}
