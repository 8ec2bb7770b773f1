/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: whose certificates a server takes. The names in a CertificateRequest, in each version's form, cut and
 * forged; what a client's program learns, and what becomes of a certificate that is not from one of them.
 */
#include "tls_unit.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <time.h>

/* ---- the message ---- */

static const struct {
    const char *body;
    bool tls13, good;
    const char *names;
} messages[] = {
    {"0101"
     "0000",
     false, true, ""}, /* TLS 1.0 */
    {"0101"
     "0007"
     "0002aabb"
     "0001cc",
     false, true, "0002aabb0001cc"}, /* TLS 1.0 */
    {"0101"
     "00020403"
     "0000",
     false, true, ""}, /* TLS 1.2 */
    {"0101"
     "00020403"
     "0007"
     "0002aabb"
     "0001cc",
     false, true, "0002aabb0001cc"},
    {"0101"
     "00020403"
     "0002"
     "0000",
     false, false, ""}, /* an empty name */
    {"0101"
     "00020403"
     "0004"
     "0003aabb",
     false, false, ""}, /* a name that goes on behind the end */
    {"0101"
     "00020403"
     "0003"
     "0001aa"
     "00",
     false, false, ""}, /* something behind */
    {"00"
     "0000",
     true, true, ""},
    {"00"
     "0008"
     "000d0004"
     "00020403",
     true, true, ""}, /* signature_algorithms alone */
    {"00"
     "0009"
     "002f0005"
     "0003"
     "0001aa",
     true, true, "0001aa"},
    {"00"
     "0011"
     "000d0004"
     "00020403"
     "002f0005"
     "0003"
     "0001aa",
     true, true, "0001aa"},
    {"00"
     "000a"
     "002f0006"
     "0003"
     "0001aa"
     "00",
     true, false, ""}, /* something behind the list */
    {"00"
     "0008"
     "002f0004"
     "0003"
     "0001",
     true, false, ""},
    {"00"
     "0008"
     "002f0004"
     "0002"
     "0000",
     true, false, ""},
    {"02aabb"
     "0009"
     "002f0005"
     "0003"
     "0001aa",
     true, true, "0001aa"}, /* after the handshake */
};
enum { MESSAGES = sizeof messages / sizeof *messages };

static void every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGES; i++) {
        const struct bytes body = unhex(messages[i].body), expected = unhex(messages[i].names);
        struct cs_span names = {NULL, 7};
        if (tls_issuers_read(span_over(&body), messages[i].tls13, &names) != messages[i].good)
            fail_msg("%s", messages[i].body);
        assert_int_equal(names.size, expected.size);
        if (names.size) assert_memory_equal(names.data, expected.data, names.size);
    }
}

/* Each from memory of its own size. A TLS 1.2 message may be cut to a TLS 1.0 one, which ends where its list does. */
static void cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGES; i++) {
        const struct bytes body = unhex(messages[i].body);
        for (size_t size = 0; size < body.size; size++) {
            uint8_t *copy = test_malloc(size + !size);
            struct cs_span names;
            memcpy(copy, body.data, size);
            if (tls_issuers_read((struct cs_span){copy, size}, messages[i].tls13, &names) && messages[i].tls13)
                fail_msg("%s, %zu bytes of it", messages[i].body, size);
            assert_true(names.size <= size);
            test_free(copy);
        }
    }
}

/* ---- handshakes ---- */

/* A root with that name, in tls.h's form, at the end of CHAIN. */
static void add_root(struct cs_writer *chain, const char *name)
{
    static gnutls_x509_privkey_t key;
    gnutls_x509_crt_t root;
    gnutls_datum_t der;
    if (!key) {
        assert_int_equal(gnutls_x509_privkey_init(&key), 0);
        assert_int_equal(gnutls_x509_privkey_generate(key, GNUTLS_PK_EDDSA_ED25519, 256, 0), 0);
    }
    assert_int_equal(gnutls_x509_crt_init(&root), 0);
    gnutls_x509_crt_set_version(root, 3);
    gnutls_x509_crt_set_serial(root, "\x01", 1);
    gnutls_x509_crt_set_activation_time(root, time(NULL) - 3600);
    gnutls_x509_crt_set_expiration_time(root, time(NULL) + 86400);
    assert_int_equal(gnutls_x509_crt_set_dn(root, name, NULL), 0);
    assert_int_equal(gnutls_x509_crt_set_key(root, key), 0);
    assert_int_equal(gnutls_x509_crt_sign2(root, root, key, GNUTLS_DIG_SHA512, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(root, GNUTLS_X509_FMT_DER, &der), 0);
    cs_write_be(chain, der.size, 3);
    cs_write_span(chain, (struct cs_span){der.data, der.size});
    gnutls_free(der.data);
    gnutls_x509_crt_deinit(root);
}

static const struct tls_world_setup versions[] = {
    {ONLY_TLS1_3, .key = TLS_WORLD_P256},
    {ONLY_TLS1_2, .key = TLS_WORLD_P256},
    {ONLY_TLS1_0, .key = TLS_WORLD_RSA},
};
enum { VERSIONS = sizeof versions / sizeof *versions };

static struct tls_world_setup asking(size_t version, struct cs_span issuers)
{
    struct tls_world_setup setup = versions[version];
    setup.client_flags = TLS_LEG_TELL_ASKED;
    setup.server_flags = TLS_LEG_ASK_PEER;
    setup.issuers = issuers;
    return setup;
}

/* How many names the client has, whose sizes must add up. */
static unsigned count_names(struct tls_context *client, size_t *size)
{
    struct cs_writer names = {0};
    unsigned count = 0;
    assert_int_equal(tls_query_bytes(client, TLS_ISSUERS, &names), SEC_E_OK);
    struct cs_reader reader = cs_reader_of(cs_written(&names));
    *size = names.size;
    while (reader.remaining) {
        assert_true(cs_read_span(&reader, (size_t)cs_read_be(&reader, 2)).size > 0);
        count++;
    }
    assert_false(reader.failed);
    cs_writer_drop(&names);
    return count;
}

static bool sent_certificate(struct tls_world_pair *pair)
{
    struct cs_writer chain = {0};
    const SECURITY_STATUS status = tls_query_bytes(pair->server, TLS_PEER_CHAIN, &chain);
    cs_writer_drop(&chain);
    return status == SEC_E_OK;
}

/* A program without a certificate is told, and can ask whose it should bring. */
static void told_to_program(void **state)
{
    struct cs_writer roots = {0};
    size_t size;
    (void)state;
    add_root(&roots, "CN=One,O=Countersign");
    add_root(&roots, "CN=Two,O=Countersign");
    for (size_t i = 0; i < VERSIONS; i++)
        for (unsigned named = 0; named < 2; named++) {
            const struct tls_world_setup setup = asking(i, named ? cs_written(&roots) : (struct cs_span){NULL, 0});
            struct tls_world_pair pair;
            struct cs_writer to_server = {0}, to_client = {0};
            size_t consumed;
            assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
            tls_world_leg(&pair, &setup, true, (struct cs_span){NULL, 0}, &consumed, &to_server);
            assert_int_equal(count_names(pair.client, &size), 0);
            tls_world_leg(&pair, &setup, false, cs_written(&to_server), &consumed, &to_client);
            assert_int_equal(tls_world_leg(&pair, &setup, true, cs_written(&to_client), &consumed, &to_server),
                             SEC_I_INCOMPLETE_CREDENTIALS);
            assert_int_equal(count_names(pair.client, &size), named ? 2 : 0);
            cs_writer_drop(&to_server);
            cs_writer_drop(&to_client);
            tls_world_close(&pair);
        }
    cs_writer_drop(&roots);
}

/* errors.tsv SEC_I_INCOMPLETE_CREDENTIALS: also for a certificate from somebody else, without which it then goes on. */
static void certificate_of_another(void **state)
{
    struct cs_writer roots = {0};
    size_t size;
    (void)state;
    add_root(&roots, "CN=One,O=Countersign");
    for (size_t i = 0; i < VERSIONS; i++)
        for (unsigned listed = 0; listed < 2; listed++) {
            const struct cs_span own = tls_world_certificate(versions[i].key)->chain;
            struct tls_world_setup setup = asking(i, listed ? own : cs_written(&roots));
            struct tls_world_pair pair;
            setup.client_certificate = true;
            tls_open_through(&pair, &setup);
            assert_int_equal(pair.client->told_asked, !listed);
            assert_int_equal(sent_certificate(&pair), listed);
            assert_int_equal(count_names(pair.client, &size), 1);
            tls_world_close(&pair);
        }
    cs_writer_drop(&roots);
}

/* As on Windows a list has 16384 bytes at most; names that find no room are left out. */
static void list_is_bounded(void **state)
{
    struct cs_writer roots = {0};
    (void)state;
    for (unsigned i = 0; i < 400; i++) {
        char name[128];
        snprintf(name, sizeof name, "CN=Root %u,O=Countersign with a name that takes some room,C=DE", i);
        add_root(&roots, name);
    }
    for (size_t i = 0; i < VERSIONS; i++) {
        const struct tls_world_setup setup = asking(i, cs_written(&roots));
        struct tls_world_pair pair;
        size_t size;
        tls_open_through(&pair, &setup);
        assert_in_range(count_names(pair.client, &size), 100, 399);
        assert_in_range(size, TLS_MAX_ISSUERS - 200, TLS_MAX_ISSUERS);
        tls_world_close(&pair);
    }
    cs_writer_drop(&roots);
}

/* Roots that cross must be certificates, each whole. */
static void roots_cut(void **state)
{
    struct cs_writer roots = {0};
    (void)state;
    add_root(&roots, "CN=One");
    for (size_t size = 1; size < roots.size; size++) {
        struct tls_credential *credential = NULL;
        const struct tls_credential_request request = {
            .server = true, .protocols = SP_PROT_TLS1_2_SERVER, .issuers = {roots.data, size}};
        assert_int_equal(tls_credential_new(&request, &credential), SEC_E_UNKNOWN_CREDENTIALS);
    }
    cs_writer_drop(&roots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form),      cmocka_unit_test(cut),
        cmocka_unit_test(told_to_program), cmocka_unit_test(certificate_of_another),
        cmocka_unit_test(list_is_bounded), cmocka_unit_test(roots_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
