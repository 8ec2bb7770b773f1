/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: the administrator's list of cipher suites ("Functions" in the registry): what is not in it does not come
 * out of a handshake, and its order decides.
 */
#include "tls_unit.h"

static struct cs_span suites(const char *text)
{
    static struct bytes kept[2];
    static unsigned next;
    struct bytes *const at = &kept[next++ % 2];
    *at = utf16(text);
    return span_over(at);
}

static void expect_read(const char *text, size_t size, const uint16_t *numbers, unsigned count)
{
    struct cs_writer names = {0};
    struct tls_suite_order order;
    for (size_t i = 0; i < size; i++) cs_write_u16(&names, (uint8_t)text[i]);
    assert_true(tls_suite_order_read(cs_written(&names), &order));
    cs_writer_drop(&names);
    assert_int_equal(order.limited, size > 0);
    assert_int_equal(order.count, count);
    for (unsigned i = 0; i < count; i++) assert_int_equal(order.numbers[i], numbers[i]);
}

#define EXPECT_READ(text, ...)                                                                                         \
    expect_read(text, sizeof text - 1, (const uint16_t[]){__VA_ARGS__},                                                \
                sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

/* The group policy's text, several strings, what nobody knows, what stands there twice, Windows 8's names. */
static void every_form(void **state)
{
    (void)state;
    EXPECT_READ("TLS_AES_256_GCM_SHA384", 0x1302);
    EXPECT_READ("TLS_AES_256_GCM_SHA384,TLS_AES_128_GCM_SHA256", 0x1302, 0x1301);
    EXPECT_READ(" TLS_AES_128_GCM_SHA256 , TLS_AES_256_GCM_SHA384,", 0x1301, 0x1302);
    EXPECT_READ("TLS_AES_128_GCM_SHA256\0TLS_AES_256_GCM_SHA384\0", 0x1301, 0x1302);
    EXPECT_READ("TLS_PSK_WITH_NULL_SHA256,,TLS_AES_256_GCM_SHA384,x", 0x1302);
    EXPECT_READ("TLS_RSA_WITH_AES_128_CBC_SHA,TLS_AES_256_GCM_SHA384,TLS_RSA_WITH_AES_128_CBC_SHA", 0x002F, 0x1302);
    EXPECT_READ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256_P256,TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256_P384", 0xC027);
    expect_read("", 0, NULL, 0);
    expect_read("TLS_AES_256_GCM_SHA38", 21, NULL, 0);
    expect_read(",\0,", 3, NULL, 0);
}

static void long_names(void **state)
{
    char text[400];
    (void)state;
    for (size_t size = 1; size < sizeof text; size++) {
        memset(text, 'T', size);
        expect_read(text, size, NULL, 0);
    }
}

/* The suite that comes out, by its number; 0: none, and both sides have failed with SEC_E_ALGORITHM_MISMATCH. */
static uint32_t suite_of(const struct tls_world_setup *setup)
{
    struct tls_world_pair pair;
    struct tls_info info = {0};
    assert_int_equal(tls_world_open(&pair, setup), SEC_E_OK);
    if (tls_world_shake(&pair, setup, 0))
        assert_int_equal(tls_query(pair.server, &info), SEC_E_OK);
    else if (pair.client_status != SEC_E_ALGORITHM_MISMATCH && pair.server_status != SEC_E_ALGORITHM_MISMATCH)
        fail_msg("client %08x, server %08x", (unsigned)pair.client_status, (unsigned)pair.server_status);
    tls_world_close(&pair);
    return info.suite;
}

#define RSA_256 "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
#define RSA_128 "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
#define RSA_CHACHA "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
#define ECDSA_128 "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
#define RSA_CBC "TLS_RSA_WITH_AES_128_CBC_SHA"

static void what_comes_out(void **state)
{
    static const struct {
        const char *client, *server;
        uint32_t suite;
    } cases[] = {
        {"", "", 0x1302},
        {"TLS_AES_128_GCM_SHA256", "", 0x1301},
        {"", "TLS_AES_128_GCM_SHA256", 0x1301},
        {"TLS_AES_256_GCM_SHA384,TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384", 0x1301},
        {"TLS_CHACHA20_POLY1305_SHA256", "", 0x1303},
        {"", RSA_128 "," RSA_256, 0xC02F}, /* no suite of TLS 1.3's is no TLS 1.3 */
        {"", RSA_256 "," RSA_128, 0xC030},
        {RSA_CBC, "", 0x002F},
        {"", RSA_CBC, 0x002F},
        {RSA_CHACHA "," RSA_CBC, RSA_CBC "," RSA_256, 0x002F},
        {"TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", 0},
        {RSA_256, RSA_CBC, 0},
        {ECDSA_128, "", 0}, /* the server's key is of RSA */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct tls_world_setup setup = {.client_suites = suites(cases[i].client),
                                              .server_suites = suites(cases[i].server)};
        const uint32_t suite = suite_of(&setup);
        if (suite != cases[i].suite) fail_msg("case %zu: %04x", i, suite);
    }
}

/* What a credential takes away is gone from the list, too. */
static void less_what_is_taken_away(void **state)
{
    const struct tls_world_setup setup = {ONLY_TLS1_2, .client_suites = suites(RSA_256 "," RSA_128),
                                          .client_without = TLS_WITHOUT_AES256};
    const struct tls_world_setup nothing = {.client_suites = suites(RSA_256), .client_without = TLS_WITHOUT_AES256};
    struct tls_world_pair pair;
    (void)state;
    assert_int_equal(suite_of(&setup), 0xC02F);
    assert_int_equal(tls_world_open(&pair, &nothing), SEC_E_ALGORITHM_MISMATCH);
    tls_world_close(&pair);
}

/* A list that leaves nothing is not the same as none. */
static void nothing_known(void **state)
{
    static const char *const lists[] = {"TLS_NO_SUCH_SUITE", ",", "TLS_AES_256_GCM_SHA384"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct tls_world_setup setup = {ONLY_TLS1_2, .client_suites = suites(lists[i])};
        struct tls_world_pair pair;
        assert_int_equal(tls_world_open(&pair, &setup), SEC_E_ALGORITHM_MISMATCH);
        tls_world_close(&pair);
    }
}

/* A credential for TLS and DTLS, and a list of TLS 1.3's suites. */
static void nothing_for_datagrams(void **state)
{
    const struct tls_world_setup setup = {.client_protocols = SP_PROT_TLS1_3_CLIENT | SP_PROT_DTLS1_2_CLIENT,
                                          .client_suites = suites("TLS_AES_128_GCM_SHA256")};
    struct tls_world_setup datagrams = setup;
    struct tls_world_pair pair;
    struct cs_writer hello = {0};
    size_t consumed;
    (void)state;
    assert_int_equal(suite_of(&setup), 0x1301);
    datagrams.datagram = true;
    assert_int_equal(tls_world_open(&pair, &datagrams), SEC_E_OK);
    assert_int_equal(tls_world_leg(&pair, &datagrams, true, (struct cs_span){NULL, 0}, &consumed, &hello),
                     SEC_E_ALGORITHM_MISMATCH);
    cs_writer_drop(&hello);
    tls_world_close(&pair);
}

/* GnuTLS offers and takes what can be put together of a list, RSA with AES-128 here: it is refused. */
static void mixtures(void **state)
{
    const struct cs_span mixed = suites(RSA_256 "," ECDSA_128);
    (void)state;
    for (unsigned server = 0; server < 2; server++) {
        struct tls_world_setup setup = {ONLY_TLS1_2};
        struct tls_world_pair pair;
        struct tls_peer peer;
        *(server ? &setup.server_suites : &setup.client_suites) = mixed;
        assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
        tls_peer_open(&peer, !server, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM",
                      server ? TLS_WORLD_KEYS : TLS_WORLD_RSA, 0);
        assert_false(tls_peer_shake(&peer, &pair, &setup));
        assert_int_equal(server ? pair.server_status : pair.client_status, SEC_E_ALGORITHM_MISMATCH);
        tls_peer_close(&peer);
        tls_world_close(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form),
        cmocka_unit_test(long_names),
        cmocka_unit_test(what_comes_out),
        cmocka_unit_test(less_what_is_taken_away),
        cmocka_unit_test(nothing_known),
        cmocka_unit_test(mixtures),
        cmocka_unit_test(nothing_for_datagrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
