/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cookies of DTLS (RFC 6347 4.2.1): a server that knows whence a ClientHello comes does nothing before the client has
 * shown that it is there.
 */
#include "tls_datagram_unit.h"

#include <stdlib.h>

static const struct tls_world_setup setup = {ONLY_DTLS1_2, .key = TLS_WORLD_P256, .address = ADDRESS};

enum { HELLO_VERIFY_REQUEST = 3, TYPE_AT = DTLS_HEADER, COOKIE_AT = DTLS_HEADER + DTLS_MESSAGE_HEADER + 3 };

/* The client's second ClientHello, with its cookie, which the caller drops; the server has answered the first. */
static struct cs_writer second_hello(struct tls_network *network, struct tls_world_pair *pair)
{
    dtls_open_network(network, pair, &setup);
    tls_network_leg(network, true, (struct cs_span){NULL, 0});
    assert_true(tls_network_deliver(network, false));
    assert_int_equal(network->waiting[1], 1);
    assert_true(tls_network_deliver(network, true));
    assert_int_equal(network->waiting[0], 1);
    network->waiting[0] = 0;
    return network->queues[0][0];
}

static void hello_verify_request(void **state)
{
    struct tls_world_pair pair;
    struct tls_network network;
    (void)state;
    dtls_open_network(&network, &pair, &setup);
    tls_network_leg(&network, true, (struct cs_span){NULL, 0});
    const size_t hello = network.queues[0][0].size;
    for (unsigned i = 0; i < 3; i++) {
        if (i) tls_network_leg(&network, true, (struct cs_span){NULL, 0});
        assert_true(tls_network_deliver(&network, false));
        assert_int_equal(pair.server_status, SEC_I_CONTINUE_NEEDED);
        assert_int_equal(network.waiting[1], i + 1);
        const struct cs_writer *request = &network.queues[1][i];
        assert_true(request->size < hello); /* nobody is flooded by it */
        assert_int_equal(request->data[TYPE_AT], HELLO_VERIFY_REQUEST);
        assert_int_equal(request->data[10], i); /* the ClientHello's number (4.2.1) */
        assert_memory_equal(request->data + COOKIE_AT, network.queues[1][0].data + COOKIE_AT,
                            request->size - COOKIE_AT);
    }
    /* It keeps no time, and sends nothing again by itself. */
    assert_int_equal(tls_network_leg(&network, false, (struct cs_span){NULL, 0}), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(network.waiting[1], 3);
    dtls_close(&network);
}

/* One leg of a server that has only just begun; what it sends goes to OUT. */
static SECURITY_STATUS fresh_leg(struct tls_world_pair *pair, struct cs_span hello, struct cs_span address,
                                 struct cs_writer *out)
{
    struct tls_world_setup other = setup;
    size_t consumed;
    other.address = address;
    tls_context_release(pair->server);
    pair->server = NULL;
    return tls_world_leg(pair, &other, false, hello, &consumed, out);
}

static void expect_asks(struct tls_world_pair *pair, struct cs_span hello, struct cs_span address, const char *what,
                        size_t where)
{
    struct cs_writer out = {0};
    const SECURITY_STATUS status = fresh_leg(pair, hello, address, &out);
    if (status != SEC_I_CONTINUE_NEEDED || out.size < COOKIE_AT || out.data[TYPE_AT] != HELLO_VERIFY_REQUEST)
        fail_msg("%s %zu: %08x, %zu bytes", what, where, (unsigned)status, out.size);
    cs_writer_drop(&out);
}

/* The right one is good for any context of the credential's, and for that address alone. */
static void without_state(void **state)
{
    struct tls_world_pair pair, other;
    struct tls_network network;
    struct cs_writer out = {0};
    (void)state;
    struct cs_writer hello = second_hello(&network, &pair);
    assert_int_equal(fresh_leg(&pair, cs_written(&hello), dtls_address, &out), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(out.data[TYPE_AT], 2); /* ServerHello */
    cs_writer_drop(&out);
    expect_asks(&pair, cs_written(&hello), (struct cs_span){(const uint8_t *)"192.0.2.1:4434", 14}, "port", 0);
    expect_asks(&pair, cs_written(&hello), (struct cs_span){(const uint8_t *)"192.0.2.1:443", 13}, "port", 1);
    expect_asks(&pair, cs_written(&hello), (struct cs_span){(const uint8_t *)"192.0.2.2:4433", 14}, "address", 0);
    assert_int_equal(tls_world_open(&other, &setup), SEC_E_OK);
    expect_asks(&other, cs_written(&hello), dtls_address, "another credential", 0);
    tls_world_close(&other);
    cs_writer_drop(&hello);
    dtls_close(&network);
}

/* Where the cookie lies in a ClientHello without a session to resume. */
static size_t cookie_in(const struct cs_writer *hello)
{
    const size_t session_at = DTLS_HEADER + DTLS_MESSAGE_HEADER + 34;
    assert_int_equal(hello->data[session_at], 0);
    assert_true(hello->data[session_at + 1] > 15);
    return session_at + 2;
}

static void wrong_cookies(void **state)
{
    struct tls_world_pair pair;
    struct tls_network network;
    (void)state;
    struct cs_writer hello = second_hello(&network, &pair);
    const size_t at = cookie_in(&hello), size = hello.data[at - 1];
    for (size_t bit = 0; bit < 8 * size; bit++) {
        hello.data[at + bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_asks(&pair, cs_written(&hello), dtls_address, "bit", bit);
        hello.data[at + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t length = 0; length < 256; length++) {
        if (length == size) continue;
        hello.data[at - 1] = (uint8_t)length;
        expect_asks(&pair, cs_written(&hello), dtls_address, "length", length);
    }
    hello.data[at - 1] = (uint8_t)size;
    uint8_t copy[32];
    memcpy(copy, hello.data + at, size);
    memset(hello.data + at, 0, size);
    expect_asks(&pair, cs_written(&hello), dtls_address, "zeros", 0);
    memcpy(hello.data + at, copy, size);
    /* All of that has spoilt nothing. */
    struct cs_writer out = {0};
    assert_int_equal(fresh_leg(&pair, cs_written(&hello), dtls_address, &out), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(out.data[TYPE_AT], 2);
    cs_writer_drop(&out);
    cs_writer_drop(&hello);
    dtls_close(&network);
}

/* ClientHellos of any length, their headers true or not: asked or dropped, and nothing read beyond them. */
static void cut_hellos(void **state)
{
    struct tls_world_pair pair;
    struct tls_network network;
    (void)state;
    struct cs_writer hello = second_hello(&network, &pair);
    for (size_t size = 0; size < hello.size; size++)
        for (unsigned honest = 0; honest < 2; honest++) {
            uint8_t *exact = malloc(size ? size : 1);
            struct cs_writer out = {0};
            memcpy(exact, hello.data, size);
            if (honest && size >= DTLS_HEADER) cs_put_be(exact + 11, size - DTLS_HEADER, 2);
            const SECURITY_STATUS status = fresh_leg(&pair, (struct cs_span){exact, size}, dtls_address, &out);
            if (status != SEC_E_INVALID_TOKEN && status != SEC_I_CONTINUE_NEEDED)
                fail_msg("%zu bytes, %u: %08x", size, honest, (unsigned)status);
            if (out.size) assert_int_equal(out.data[TYPE_AT], HELLO_VERIFY_REQUEST);
            cs_writer_drop(&out);
            free(exact);
        }
    cs_writer_drop(&hello);
    dtls_close(&network);
}

/* Without an address there is nothing to bind a cookie to. */
static void no_address(void **state)
{
    struct tls_world_setup none = setup;
    struct tls_world_pair pair;
    struct tls_network network;
    (void)state;
    none.address = (struct cs_span){NULL, 0};
    dtls_open_network(&network, &pair, &none);
    tls_network_leg(&network, true, (struct cs_span){NULL, 0});
    assert_true(tls_network_deliver(&network, false));
    assert_int_equal(network.queues[1][0].data[TYPE_AT], 2);
    dtls_close(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_verify_request), cmocka_unit_test(without_state), cmocka_unit_test(wrong_cookies),
        cmocka_unit_test(cut_hellos),           cmocka_unit_test(no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
