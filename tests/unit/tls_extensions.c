/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: which TLS extensions a handshake has agreed on (sspi.h, SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS): those that
 * the server has answered, in the ServerHello (RFC 5246 7.4.1.4) and in EncryptedExtensions (RFC 8446 4.3.1).
 */
#include "tls_unit.h"

enum { ALPN = 16, RECORD_LIMIT = 28, VERSIONS = 43, KEY_SHARE = 51, RENEGOTIATION = 0xFF01 };

/* SEC_APPLICATION_PROTOCOLS: h2, by ALPN */
static const uint8_t offer_bytes[] = {9, 0, 0, 0, 2, 0, 0, 0, 3, 0, 2, 'h', '2'};
static const struct cs_span offer = {offer_bytes, sizeof offer_bytes};

/* None of them twice: a handshake answers each once. */
static struct cs_writer answered(struct tls_context *context)
{
    struct cs_writer numbers = {0};
    assert_int_equal(tls_query_bytes(context, TLS_EXTENSIONS, &numbers), SEC_E_OK);
    assert_int_equal(numbers.size % 2, 0);
    for (size_t i = 0; i < numbers.size; i += 2)
        for (size_t j = 0; j < i; j += 2) assert_memory_not_equal(numbers.data + i, numbers.data + j, 2);
    return numbers;
}

static bool has(struct tls_context *context, uint16_t number)
{
    struct cs_writer numbers = answered(context);
    struct cs_reader reader = cs_reader_of(cs_written(&numbers));
    bool found = false;
    while (reader.remaining) found |= cs_read_u16(&reader) == number;
    cs_writer_drop(&numbers);
    return found;
}

static void expect_numbers(struct tls_context *context, struct cs_span wanted)
{
    struct cs_writer numbers = answered(context);
    assert_int_equal(numbers.size, wanted.size);
    if (wanted.size) assert_memory_equal(numbers.data, wanted.data, wanted.size);
    cs_writer_drop(&numbers);
}

static void expect_same(const struct tls_world_pair *pair)
{
    struct cs_writer numbers = answered(pair->client);
    assert_true(numbers.size > 0);
    expect_numbers(pair->server, cs_written(&numbers));
    cs_writer_drop(&numbers);
}

/* ---- what stands in a ServerHello ---- */

static struct cs_span extensions_of_hello(struct cs_span flight)
{
    struct cs_reader reader = cs_reader_of(flight);
    cs_read_span(&reader, 5 + 4 + 2 + 32);
    cs_read_span(&reader, cs_read_u8(&reader));
    cs_read_span(&reader, 3);
    return cs_read_span(&reader, (size_t)cs_read_be(&reader, 2));
}

static struct cs_writer numbers_of(struct cs_span extensions)
{
    struct cs_writer numbers = {0};
    struct cs_reader reader = cs_reader_of(extensions);
    while (reader.remaining && !reader.failed) {
        cs_write_u16(&numbers, (uint16_t)cs_read_be(&reader, 2));
        cs_read_span(&reader, (size_t)cs_read_be(&reader, 2));
    }
    assert_false(reader.failed);
    return numbers;
}

/* Both first legs; what the server has said is in *flight, which the caller drops. */
static void begin(struct tls_world_pair *pair, const struct tls_world_setup *setup, struct cs_writer *flight)
{
    struct cs_writer hello = {0};
    size_t consumed;
    assert_int_equal(tls_world_leg(pair, setup, true, (struct cs_span){NULL, 0}, &consumed, &hello),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(tls_world_leg(pair, setup, false, cs_written(&hello), &consumed, flight), SEC_I_CONTINUE_NEEDED);
    cs_writer_drop(&hello);
}

static void end(struct tls_world_pair *pair, const struct tls_world_setup *setup, const struct cs_writer *flight)
{
    struct cs_writer to_server = {0}, to_client = {0};
    size_t consumed;
    assert_int_equal(tls_world_leg(pair, setup, true, cs_written(flight), &consumed, &to_server),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(tls_world_leg(pair, setup, false, cs_written(&to_server), &consumed, &to_client), SEC_E_OK);
    assert_int_equal(tls_world_leg(pair, setup, true, cs_written(&to_client), &consumed, &to_server), SEC_E_OK);
    cs_writer_drop(&to_server);
    cs_writer_drop(&to_client);
}

/* ---- tests ---- */

static void expect_refused(struct tls_context *context)
{
    struct cs_writer none = {0};
    assert_int_equal(tls_query_bytes(context, TLS_EXTENSIONS, &none), SEC_E_INVALID_HANDLE);
    assert_int_equal(none.size, 0);
}

/* TLS 1.2: all of the ServerHello's, in both roles, and not before the handshake is through. */
static void as_in_the_hello(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct tls_world_setup setup = {ONLY_TLS1_2, .key = TLS_WORLD_P256, .client_offer = offer,
                                              .server_offer = i ? offer : (struct cs_span){0}};
        struct tls_world_pair pair;
        struct cs_writer flight = {0};
        assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
        begin(&pair, &setup, &flight);
        expect_refused(pair.client);
        expect_refused(pair.server);
        struct cs_writer wanted = numbers_of(extensions_of_hello(cs_written(&flight)));
        end(&pair, &setup, &flight);
        expect_numbers(pair.client, cs_written(&wanted));
        expect_numbers(pair.server, cs_written(&wanted));
        assert_int_equal(has(pair.client, ALPN), i);
        assert_true(has(pair.client, RENEGOTIATION)); /* RFC 5746 3.4: said by the client, answered by the server */
        assert_false(has(pair.client, VERSIONS));
        cs_writer_drop(&wanted);
        cs_writer_drop(&flight);
        tls_world_close(&pair);
    }
}

/* TLS 1.3: the ServerHello's come first, then what is encrypted. */
static void encrypted_ones(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct tls_world_setup setup = {ONLY_TLS1_3, .key = TLS_WORLD_P256, .client_offer = offer,
                                              .server_offer = i ? offer : (struct cs_span){0}};
        struct tls_world_pair pair;
        tls_open_through(&pair, &setup);
        expect_same(&pair);
        assert_true(has(pair.server, VERSIONS) && has(pair.server, KEY_SHARE));
        assert_int_equal(has(pair.server, ALPN), i);
        struct cs_writer numbers = answered(pair.client);
        struct cs_reader reader = cs_reader_of(cs_written(&numbers));
        const uint16_t first = cs_read_u16(&reader), second = cs_read_u16(&reader);
        assert_true((first == VERSIONS && second == KEY_SHARE) || (first == KEY_SHARE && second == VERSIONS));
        cs_writer_drop(&numbers);
        tls_world_close(&pair);
    }
}

/* RFC 8446 4.1.4: a HelloRetryRequest answers nothing for good; each number comes once. */
static void after_a_retry(void **state)
{
    const struct tls_world_setup setup = {ONLY_TLS1_3, .key = TLS_WORLD_P256};
    struct tls_peer peer;
    struct tls_world_pair pair;
    (void)state;
    tls_peer_open(&peer, true, "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP384R1", TLS_WORLD_P256, 0);
    tls_open_with_peer(&peer, &pair, &setup);
    assert_true(has(pair.client, VERSIONS) && has(pair.client, KEY_SHARE));
    assert_true(has(pair.client, RECORD_LIMIT)); /* GnuTLS's servers answer that */
    tls_peer_close(&peer);
    tls_world_close(&pair);
}

/* A second handshake's take the place of the first one's, once it is through. */
static void second_handshake(void **state)
{
    const struct tls_world_setup setup = {ONLY_TLS1_2, .key = TLS_WORLD_P256, .client_offer = offer};
    const gnutls_datum_t h2 = {(unsigned char *)"h2", 2};
    struct tls_peer peer;
    struct tls_world_pair pair;
    size_t consumed;
    (void)state;
    tls_peer_open(&peer, true, "NORMAL:-VERS-ALL:+VERS-TLS1.2", TLS_WORLD_P256, 0);
    tls_open_with_peer(&peer, &pair, &setup);
    assert_false(has(pair.client, ALPN));
    assert_int_equal(gnutls_alpn_set_protocols(peer.session, &h2, 1, 0), 0);
    assert_int_equal(tls_world_leg(&pair, &setup, true, (struct cs_span){NULL, 0}, &consumed, &peer.incoming),
                     SEC_I_CONTINUE_NEEDED);
    expect_refused(pair.client);
    assert_true(tls_peer_shake(&peer, &pair, &setup));
    assert_true(has(pair.client, ALPN));
    tls_peer_close(&peer);
    tls_world_close(&pair);
}

/* A resumed session's are those of the handshake that has resumed it: TLS 1.2's answers other ones than the first. */
static void resumed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct tls_world_setup setup = tls_kinds[i ? 0 : 3].setup;
        struct tls_world_pair pair;
        struct tls_info info;
        setup.resume = true;
        setup.client_offer = offer;
        tls_open_through(&pair, &setup);
        assert_false(has(pair.client, ALPN));
        tls_world_hang_up(&pair);
        setup.server_offer = offer;
        assert_true(tls_world_shake(&pair, &setup, 0));
        assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
        assert_true(info.resumed);
        expect_same(&pair);
        assert_true(has(pair.client, ALPN));
        if (i) assert_true(has(pair.client, 41)); /* pre_shared_key */
        tls_world_close(&pair);
    }
}

/* Nobody under way adds, takes or changes one (the Finished covers them). */
static void forged(void **state)
{
    const struct tls_world_setup setup = {ONLY_TLS1_2, .key = TLS_WORLD_P256, .client_offer = offer,
                                          .server_offer = offer};
    size_t size = 1;
    (void)state;
    for (size_t at = 0; at < size; at++) {
        struct tls_world_pair pair;
        struct cs_writer flight = {0}, to_server = {0}, to_client = {0};
        size_t consumed;
        assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
        begin(&pair, &setup, &flight);
        const struct cs_span extensions = extensions_of_hello(cs_written(&flight));
        size = extensions.size;
        assert_true(size > 8);
        flight.data[(size_t)(extensions.data - flight.data) + at] ^= 0x10;
        SECURITY_STATUS status = tls_world_leg(&pair, &setup, true, cs_written(&flight), &consumed, &to_server);
        if (status >= 0) status = tls_world_leg(&pair, &setup, false, cs_written(&to_server), &consumed, &to_client);
        if (status >= 0) fail_msg("byte %zu: %08x", at, (unsigned)status);
        expect_refused(pair.client);
        cs_writer_drop(&flight);
        cs_writer_drop(&to_server);
        cs_writer_drop(&to_client);
        tls_world_close(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_in_the_hello),  cmocka_unit_test(encrypted_ones), cmocka_unit_test(after_a_retry),
        cmocka_unit_test(second_handshake), cmocka_unit_test(resumed),        cmocka_unit_test(forged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
