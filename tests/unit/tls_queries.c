/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: what the two sides have agreed on, as attributes tell it: ALPN, server names, channel bindings, exported
 * keys, suites (behaviour.md rows 177 to 200).
 */
#include "tls_unit.h"

#include <stdio.h>

/* ---- ALPN ---- */

/* SEC_APPLICATION_PROTOCOLS with one list of ALPN. NAMES: with a blank between. The caller drops it. */
static struct cs_writer offer_of(const char *names)
{
    struct cs_writer list = {0}, offer = {0};
    for (const char *name = names; *name;) {
        const size_t size = strcspn(name, " ");
        cs_write_u8(&list, (uint8_t)size);
        cs_write_span(&list, (struct cs_span){(const uint8_t *)name, size});
        name += size;
        if (*name) name++;
    }
    cs_write_u32(&offer, (uint32_t)list.size + 6);
    cs_write_u32(&offer, 2);
    cs_write_u16(&offer, (uint16_t)list.size);
    cs_write_span(&offer, cs_written(&list));
    cs_writer_drop(&list);
    return offer;
}

static void application_protocols(void **state)
{
    static const struct {
        const char *client, *server, *chosen; /* NULL: no list */
        SECURITY_STATUS status;
    } cases[] = {
        {"http/1.1 h2", "http/1.1 h2", "http/1.1", SEC_E_OK}, /* row 178 */
        {"http/1.1 h2", "h2 http/1.1", "h2", SEC_E_OK},       /* row 177: the server's order */
        {"h2", "http/1.1", NULL, SEC_E_APPLICATION_PROTOCOL_MISMATCH},
        {NULL, "h2", NULL, SEC_E_OK}, /* attributes.tsv, APPLICATION_PROTOCOL */
        {"h2", NULL, NULL, SEC_E_OK},
        {"a b c d e f g h", "h", "h", SEC_E_OK},
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const char *const client = cases[i / 2].client, *const server = cases[i / 2].server;
        struct cs_writer client_offer = {0}, server_offer = {0};
        if (client) client_offer = offer_of(client);
        if (server) server_offer = offer_of(server);
        struct tls_world_setup setup = tls_kinds[i % 2 ? 0 : 3].setup;
        setup.client_offer = cs_written(&client_offer);
        setup.server_offer = cs_written(&server_offer);
        struct tls_world_pair pair;
        assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
        tls_world_shake(&pair, &setup, 0);
        assert_int_equal(pair.client_status, cases[i / 2].status);
        assert_int_equal(pair.server_status, cases[i / 2].status);
        struct tls_context *const both[] = {pair.client, pair.server};
        for (size_t side = 0; side < 2 && cases[i / 2].status == SEC_E_OK; side++) {
            struct tls_info info;
            const char *chosen = cases[i / 2].chosen;
            assert_int_equal(tls_query(both[side], &info), SEC_E_OK);
            assert_int_equal(info.alpn, chosen != NULL);
            if (!chosen) continue;
            assert_int_equal(info.alpn_size, strlen(chosen));
            assert_memory_equal(info.alpn_name, chosen, info.alpn_size);
        }
        cs_writer_drop(&client_offer);
        cs_writer_drop(&server_offer);
        tls_world_close(&pair);
    }
}

/* Each list cut at every byte, and with lengths that are not there. */
static void bad_offers(void **state)
{
    static const char *const bad[] = {
        "ffffffff020000000300026832",
        "0900000002000000ffff026832",
        "09000000020000000300036832",
        "09000000020000000300016800",
        "08000000020000000300026832",
        "0700000002000000010000",
        "06000000020000",
    };
    struct tls_world_pair pair;
    struct tls_world_setup setup = tls_kinds[0].setup;
    struct cs_writer good = offer_of("h2 http/1.1");
    size_t consumed;
    (void)state;
    assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
    for (size_t size = 1; size < good.size + sizeof bad / sizeof *bad; size++) {
        struct cs_writer none = {0};
        struct bytes bytes = {.size = 0};
        if (size >= good.size) bytes = unhex(bad[size - good.size]);
        setup.client_offer = size < good.size ? (struct cs_span){good.data, size} : span_over(&bytes);
        const SECURITY_STATUS status = tls_world_leg(&pair, &setup, true, (struct cs_span){NULL, 0}, &consumed, &none);
        if (status != SEC_E_INVALID_TOKEN) fail_msg("%zu: %08x", size, (unsigned)status);
        assert_int_equal(none.size, 0);
        tls_world_hang_up(&pair);
    }
    cs_writer_drop(&good);
    tls_world_close(&pair);
}

/* ---- names ---- */

static void server_names(void **state)
{
    static const struct {
        const char *target, *name; /* NULL: none is sent */
    } cases[] = {
        {"localhost", "localhost"},
        {"www.example.org", "www.example.org"},
        {"127.0.0.1", NULL},
        {"10.255.0.1", NULL},
        {"::1", NULL},
        {"fe80::1", NULL},
        {"", NULL},
        {"b\xC3\xBC"
         "cher.example",
         "xn--bcher-kva.example"},
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const struct tls_world_setup setup = tls_kinds[i % 2 ? 0 : 3].setup;
        const struct bytes target = utf16(cases[i / 2].target);
        const char *name = cases[i / 2].name;
        struct tls_world_pair pair;
        struct cs_writer bytes = {0}, hello = {0};
        assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
        struct tls_leg leg = {.credential = pair.client_credential,
                              .flags = TLS_LEG_NO_INPUT,
                              .target = span_over(&target),
                              .room = 65536};
        assert_int_equal(tls_leg(&pair.client, &leg), SEC_I_CONTINUE_NEEDED);
        uint8_t *room = cs_write_room(&hello, leg.token_size);
        assert_int_equal(tls_fetch_token(pair.client, room, leg.token_size), SEC_E_OK);
        if (name) assert_non_null(memmem(hello.data, hello.size, name, strlen(name)));
        if (!name && *cases[i / 2].target)
            assert_null(memmem(hello.data, hello.size, cases[i / 2].target, strlen(cases[i / 2].target)));
        struct tls_world_setup rest = setup;
        rest.client_flags = TLS_LEG_TRUST_PEER;
        struct cs_writer input = hello;
        bool client = false;
        for (unsigned turn = 0; turn < 6; turn++, client = !client) {
            struct cs_writer output = {0};
            size_t consumed;
            tls_world_leg(&pair, &rest, client, (struct cs_span){input.data, input.size}, &consumed, &output);
            cs_writer_drop(&input);
            input = output;
            if (!input.size) break;
        }
        cs_writer_drop(&input);
        assert_int_equal(tls_query_bytes(pair.server, TLS_SERVER_NAME, &bytes), name ? SEC_E_OK : SEC_E_NO_CREDENTIALS);
        if (name) assert_int_equal(bytes.size, strlen(name));
        if (name) assert_memory_equal(bytes.data, name, bytes.size);
        cs_writer_drop(&bytes);
        tls_world_close(&pair);
    }
}

/* Half a character, half a surrogate pair, an end in the middle. */
static void names_that_are_none(void **state)
{
    static const char *const bad[] = {"61", "610000006200", "00d8", "6100000000d8", "0000"};
    struct tls_world_pair pair;
    (void)state;
    assert_int_equal(tls_world_open(&pair, &tls_kinds[0].setup), SEC_E_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct bytes target = unhex(bad[i]);
        struct tls_leg leg = {.credential = pair.client_credential,
                              .flags = TLS_LEG_NO_INPUT,
                              .target = span_over(&target),
                              .room = 65536};
        assert_int_equal(tls_leg(&pair.client, &leg), SEC_E_TARGET_UNKNOWN);
        assert_int_equal(tls_leg(&pair.client, &leg), SEC_E_TARGET_UNKNOWN);
        tls_world_hang_up(&pair);
    }
    tls_world_close(&pair);
}

/* ---- bindings ---- */

static struct cs_writer bytes_of(struct tls_context *context, enum tls_bytes which)
{
    struct cs_writer bytes = {0};
    assert_int_equal(tls_query_bytes(context, which, &bytes), SEC_E_OK);
    return bytes;
}

static void expect_same(struct tls_context *left, struct tls_context *right, enum tls_bytes which,
                        struct cs_span wanted)
{
    struct tls_context *const both[] = {left, right};
    for (size_t i = 0; i < 2; i++) {
        struct cs_writer bytes = bytes_of(both[i], which);
        assert_int_equal(bytes.size, wanted.size);
        assert_memory_equal(bytes.data, wanted.data, wanted.size);
        cs_writer_drop(&bytes);
    }
}

/* Rows 185 and 186, RFC 5929 4.1: the hash of the certificate's own signature. */
static void endpoint_bindings(void **state)
{
    static const struct {
        enum tls_world_key key;
        gnutls_digest_algorithm_t hash;
    } cases[] = {
        {TLS_WORLD_RSA, GNUTLS_DIG_SHA256}, {TLS_WORLD_P256, GNUTLS_DIG_SHA256}, {TLS_WORLD_P384, GNUTLS_DIG_SHA384}};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        struct tls_world_setup setup = tls_kinds[i % 2 ? 0 : 3].setup;
        struct tls_world_pair pair;
        struct cs_writer wanted = {0};
        setup.key = cases[i / 2].key;
        tls_open_through(&pair, &setup);
        const struct cs_span chain = tls_world_certificate(setup.key)->chain;
        cs_write_span(&wanted, cs_span_of("tls-server-end-point:"));
        uint8_t *room = cs_write_room(&wanted, gnutls_hash_get_len(cases[i / 2].hash));
        assert_int_equal(gnutls_hash_fast(cases[i / 2].hash, chain.data + 3, chain.size - 3, room), 0);
        expect_same(pair.client, pair.server, TLS_ENDPOINT_BINDINGS, cs_written(&wanted));
        cs_writer_drop(&wanted);
        tls_world_close(&pair);
    }
}

/* What a peer that is not ours computes, in TLS 1.2 and 1.3 (row 187; RFC 9266). */
static void bindings_of_a_peer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const bool later = i & 1, server = i & 2;
        const struct tls_world_setup setup = {.key = TLS_WORLD_P256};
        struct tls_peer peer;
        struct tls_world_pair pair;
        gnutls_datum_t unique, exporter;
        struct cs_writer wanted = {0}, none = {0};
        tls_peer_open(&peer, server, later ? "NORMAL:-VERS-ALL:+VERS-TLS1.3" : "NORMAL:-VERS-ALL:+VERS-TLS1.2",
                      server ? TLS_WORLD_P256 : TLS_WORLD_KEYS, 0);
        tls_open_with_peer(&peer, &pair, &setup);
        struct tls_context *ours = server ? pair.client : pair.server;
        assert_int_equal(gnutls_session_channel_binding(peer.session, GNUTLS_CB_TLS_EXPORTER, &exporter), 0);
        cs_write_span(&wanted, cs_span_of("tls-exporter:"));
        cs_write_span(&wanted, (struct cs_span){exporter.data, exporter.size});
        expect_same(ours, ours, TLS_EXPORTER_BINDINGS, cs_written(&wanted));
        cs_writer_drop(&wanted);
        if (later) {
            assert_int_equal(tls_query_bytes(ours, TLS_UNIQUE_BINDINGS, &none), SEC_E_UNSUPPORTED_FUNCTION);
            assert_int_equal(none.size, 0);
        } else {
            assert_int_equal(gnutls_session_channel_binding(peer.session, GNUTLS_CB_TLS_UNIQUE, &unique), 0);
            cs_write_span(&wanted, cs_span_of("tls-unique:"));
            cs_write_span(&wanted, (struct cs_span){unique.data, unique.size});
            expect_same(ours, ours, TLS_UNIQUE_BINDINGS, cs_written(&wanted));
            gnutls_free(unique.data);
        }
        uint8_t material[48];
        struct cs_writer exported = {0};
        for (unsigned context = 0; context < 3; context++) {
            const struct cs_span value = {context ? (const uint8_t *)"context" : NULL, context == 2 ? 7 : 0};
            assert_int_equal(gnutls_prf_rfc5705(peer.session, 12, "EXPERIMENTAL", value.size, (const char *)value.data,
                                                sizeof material, (char *)material),
                             0);
            assert_int_equal(tls_export(ours, cs_span_of("EXPERIMENTAL"), value, sizeof material, &exported), SEC_E_OK);
            assert_int_equal(exported.size, sizeof material);
            assert_memory_equal(exported.data, material, sizeof material);
            cs_writer_drop(&exported);
        }
        assert_int_equal(tls_export(ours, cs_span_of("EXPERIMENTAL"), (struct cs_span){NULL, 0}, 0, &exported),
                         SEC_E_OK);
        assert_int_equal(exported.size, 0);
        gnutls_free(exporter.data);
        cs_writer_drop(&wanted);
        tls_peer_close(&peer);
        tls_world_close(&pair);
    }
}

/* ---- suites ---- */

/* Rows 188 to 198: the words of each kind, the same on both sides. */
static void suites(void **state)
{
    static const struct {
        const char *name, *cipher, *hash, *exchange;
        uint32_t bits, hash_bits, header, trailer;
    } wanted[TLS_KINDS] = {
        {"TLS_AES_256_GCM_SHA384", "AES", "", "ECDH", 256, 0, 5, 17},
        {"TLS_AES_128_GCM_SHA256", "AES", "", "ECDH", 128, 0, 5, 17},
        {"TLS_CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305", "", "ECDH", 256, 0, 5, 17},
        {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "AES", "", "ECDH", 256, 0, 13, 16},
        {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "AES", "", "ECDH", 128, 0, 13, 16},
        {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305", "", "ECDH", 256, 0, 5, 16},
        {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", "AES", "SHA384", "ECDH", 256, 384, 21, 64},
        {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "AES", "SHA256", "ECDH", 128, 256, 21, 64},
        {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "AES", "SHA1", "ECDH", 256, 160, 21, 64},
        {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "AES", "SHA1", "ECDH", 256, 160, 21, 64},
    };
    (void)state;
    for (size_t i = 0; i < 2 * TLS_KINDS; i++) {
        struct tls_world_pair pair;
        struct tls_info info;
        tls_open_through(&pair, &tls_kinds[i / 2].setup);
        assert_int_equal(tls_query(i % 2 ? pair.server : pair.client, &info), SEC_E_OK);
        assert_string_equal(info.suite_name, wanted[i / 2].name);
        assert_string_equal(info.cipher, wanted[i / 2].cipher);
        assert_string_equal(info.hash, wanted[i / 2].hash);
        assert_string_equal(info.exchange, wanted[i / 2].exchange);
        assert_string_equal(info.certificate, "RSA");
        assert_int_equal(info.suite, tls_kinds[i / 2].suite);
        assert_int_equal(info.cipher_bits, wanted[i / 2].bits);
        assert_int_equal(info.hash_bits, wanted[i / 2].hash_bits);
        assert_int_equal(info.header, wanted[i / 2].header);
        assert_int_equal(info.trailer, wanted[i / 2].trailer);
        assert_int_equal(info.key_type, 0x1D);
        assert_int_equal(info.signature_id, 0x2400);
        const struct tls_world_setup *setup = &tls_kinds[i / 2].setup;
        assert_int_equal(info.protocol, i % 2 ? setup->server_protocols : setup->client_protocols);
        tls_world_close(&pair);
    }
}

/* All that can be agreed on has its names: no suite of GnuTLS's is missing in the table. */
static void every_suite(void **state)
{
    static const char *const exchanges[] = {"ECDHE-ECDSA", "ECDHE-RSA", "DHE-RSA", "RSA"};
    static const char *const ciphers[] = {"AES-256-GCM:+AEAD",   "AES-128-GCM:+AEAD",  "CHACHA20-POLY1305:+AEAD",
                                          "AES-256-CBC:+SHA1",   "AES-128-CBC:+SHA1",  "AES-256-CBC:+SHA256",
                                          "AES-256-CBC:+SHA384", "AES-128-CBC:+SHA256"};
    unsigned found = 0;
    (void)state;
    for (size_t i = 0; i < 4 * 8; i++) {
        const enum tls_world_key key = i / 8 ? TLS_WORLD_RSA : TLS_WORLD_P256;
        const struct tls_world_setup setup = {.key = key, .client_flags = TLS_LEG_TRUST_PEER};
        char priority[160];
        struct tls_peer peer;
        struct tls_world_pair pair;
        struct tls_info info;
        snprintf(priority, sizeof priority, "NONE:+CTYPE-X509:+SIGN-ALL:+GROUP-ALL:+VERS-TLS1.2:+%s:+%s",
                 exchanges[i / 8], ciphers[i % 8]);
        gnutls_priority_t exists;
        if (i == 26 || gnutls_priority_init(&exists, priority, NULL)) continue; /* RSA has no ChaCha20; nor the like */
        gnutls_priority_deinit(exists);
        tls_peer_open(&peer, true, priority, key, 0);
        tls_open_with_peer(&peer, &pair, &setup);
        assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
        if (!info.suite) fail_msg("no name for %s", gnutls_ciphersuite_get(peer.session));
        assert_string_equal(info.suite_name, gnutls_ciphersuite_get(peer.session));
        found++;
        tls_expect_peer_talk(&peer, pair.client);
        tls_peer_close(&peer);
        tls_world_close(&pair);
    }
    assert_int_equal(found, 27);
}

/* Groups for DHE have no names before RFC 7919, and many clients still know none. */
static void old_client(void **state)
{
    const struct tls_world_setup setup = {.key = TLS_WORLD_RSA};
    struct tls_peer peer;
    struct tls_world_pair pair;
    struct tls_info info;
    (void)state;
    tls_peer_open(&peer, false, "NONE:+CTYPE-X509:+SIGN-ALL:+VERS-TLS1.2:+DHE-RSA:+AES-128-GCM:+AEAD", TLS_WORLD_KEYS,
                  0);
    tls_open_with_peer(&peer, &pair, &setup);
    assert_int_equal(tls_query(pair.server, &info), SEC_E_OK);
    assert_string_equal(info.suite_name, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256");
    assert_int_equal(info.exchange_bits, 2048);
    tls_expect_peer_talk(&peer, pair.server);
    tls_peer_close(&peer);
    tls_world_close(&pair);
}

/* A certificate of the client's is known on both sides. */
static void chains(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct tls_world_setup setup = tls_kinds[i % 2 ? 0 : 3].setup;
        struct tls_world_pair pair;
        struct cs_writer none = {0};
        const bool certificate = i & 2;
        setup.client_certificate = certificate;
        setup.server_flags = TLS_LEG_ASK_PEER;
        tls_open_through(&pair, &setup);
        const struct cs_span chain = tls_world_certificate(setup.key)->chain;
        expect_same(pair.client, pair.client, TLS_PEER_CHAIN, chain);
        expect_same(pair.server, pair.server, TLS_LOCAL_CHAIN, chain);
        if (certificate) {
            expect_same(pair.server, pair.client, TLS_PEER_CHAIN, chain);
            expect_same(pair.client, pair.client, TLS_LOCAL_CHAIN, chain);
        } else {
            assert_int_equal(tls_query_bytes(pair.server, TLS_PEER_CHAIN, &none), SEC_E_NO_CREDENTIALS);
            assert_int_equal(tls_query_bytes(pair.client, TLS_LOCAL_CHAIN, &none), SEC_E_NO_CREDENTIALS);
        }
        cs_writer_drop(&none);
        tls_world_close(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(application_protocols),
        cmocka_unit_test(bad_offers),
        cmocka_unit_test(server_names),
        cmocka_unit_test(names_that_are_none),
        cmocka_unit_test(endpoint_bindings),
        cmocka_unit_test(bindings_of_a_peer),
        cmocka_unit_test(suites),
        cmocka_unit_test(every_suite),
        cmocka_unit_test(old_client),
        cmocka_unit_test(chains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
