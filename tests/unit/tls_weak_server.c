/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: a client and a server of TLS 1.2 that signs whatever it likes: primes that anybody can break
 * (CVE-2015-4000) and signatures over something else.
 */
#include "tls_unit.h"

#include <gnutls/abstract.h>

enum { SERVER_HELLO = 2, CERTIFICATE = 11, SERVER_KEY_EXCHANGE = 12, SERVER_HELLO_DONE = 14 };
enum { SIGNED_RIGHT, SIGNED_OTHER_RANDOM, SIGNED_NOTHING };

static const uint8_t server_random[32] = {1};

static void write_message(struct cs_writer *out, uint8_t type, struct cs_span body)
{
    cs_write_span(out, (struct cs_span){(const uint8_t *)"\x16\x03\x03", 3});
    cs_write_be(out, body.size + 4, 2);
    cs_write_u8(out, type);
    cs_write_be(out, body.size, 3);
    cs_write_span(out, body);
}

static void write_hello(struct cs_writer *out)
{
    struct cs_writer body = {0};
    cs_write_span(&body, (struct cs_span){(const uint8_t *)"\3\3", 2});
    cs_write_span(&body, (struct cs_span){server_random, 32});
    cs_write_u8(&body, 0);
    cs_write_be(&body, 0x009F, 2); /* TLS_DHE_RSA_WITH_AES_256_GCM_SHA384 */
    cs_write_u8(&body, 0);
    cs_write_span(&body, (struct cs_span){(const uint8_t *)"\0\5\xFF\1\0\1\0", 7}); /* RFC 5746: a first handshake */
    write_message(out, SERVER_HELLO, cs_written(&body));
    cs_writer_drop(&body);
}

static void write_certificate(struct cs_writer *out)
{
    const struct cs_span chain = tls_world_certificate(TLS_WORLD_RSA)->chain;
    struct cs_writer body = {0};
    cs_write_be(&body, chain.size, 3);
    cs_write_span(&body, chain);
    write_message(out, CERTIFICATE, cs_written(&body));
    cs_writer_drop(&body);
}

static void write_signature(struct cs_writer *out, struct cs_span covered)
{
    const struct cs_span pkcs8 = tls_world_certificate(TLS_WORLD_RSA)->key;
    const gnutls_datum_t der = {(uint8_t *)pkcs8.data, (unsigned)pkcs8.size},
                         data = {(uint8_t *)covered.data, (unsigned)covered.size};
    gnutls_privkey_t key;
    gnutls_datum_t signature;
    assert_int_equal(gnutls_privkey_init(&key), 0);
    assert_int_equal(gnutls_privkey_import_x509_raw(key, &der, GNUTLS_X509_FMT_DER, NULL, 0), 0);
    assert_int_equal(gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &data, &signature), 0);
    cs_write_be(out, 0x0401, 2); /* rsa_pkcs1_sha256 */
    cs_write_be(out, signature.size, 2);
    cs_write_span(out, (struct cs_span){signature.data, signature.size});
    gnutls_free(signature.data);
    gnutls_privkey_deinit(key);
}

static void write_vector(struct cs_writer *out, struct cs_span bytes)
{
    cs_write_be(out, bytes.size, 2);
    cs_write_span(out, bytes);
}

/* RFC 5246 7.4.3: prime, generator, the server's public value, and the signature over the randoms and those. */
static void write_key_exchange(struct cs_writer *out, struct cs_span client_random, struct cs_span prime, unsigned how)
{
    struct cs_writer body = {0}, covered = {0};
    uint8_t value[512] = {0x12, 0x34};
    write_vector(&body, prime);
    write_vector(&body, (struct cs_span){(const uint8_t *)"\2", 1});
    write_vector(&body, (struct cs_span){value, prime.size - 1});
    if (how != SIGNED_NOTHING) {
        cs_write_span(&covered, client_random);
        cs_write_span(&covered, (struct cs_span){server_random, 32});
        if (how == SIGNED_OTHER_RANDOM) covered.data[0] ^= 1;
        cs_write_span(&covered, cs_written(&body));
        write_signature(&body, cs_written(&covered));
    }
    write_message(out, SERVER_KEY_EXCHANGE, cs_written(&body));
    cs_writer_drop(&body);
    cs_writer_drop(&covered);
}

static SECURITY_STATUS client_says(size_t prime_size, unsigned how, bool *goes_on)
{
    const struct tls_world_setup setup = {.client_protocols = SP_PROT_TLS1_2_CLIENT,
                                          .client_flags = TLS_LEG_TRUST_PEER};
    struct tls_world_pair pair;
    struct cs_writer hello = {0}, flight = {0}, answer = {0};
    uint8_t prime[512] = {0};
    size_t consumed;
    prime[0] = 0x80;
    prime[prime_size - 1] = 1;
    memset(prime + 1, 0x5A, prime_size - 2); /* no prime, but nobody has time to look */
    assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
    assert_int_equal(tls_world_leg(&pair, &setup, true, (struct cs_span){NULL, 0}, &consumed, &hello),
                     SEC_I_CONTINUE_NEEDED);
    write_hello(&flight);
    write_certificate(&flight);
    write_key_exchange(&flight, (struct cs_span){hello.data + 11, 32}, (struct cs_span){prime, prime_size}, how);
    write_message(&flight, SERVER_HELLO_DONE, (struct cs_span){NULL, 0});
    const SECURITY_STATUS status = tls_world_leg(&pair, &setup, true, cs_written(&flight), &consumed, &answer);
    *goes_on = answer.size > 7 && answer.data[0] == TLS_HANDSHAKE;
    struct cs_writer *const drop[] = {&hello, &flight, &answer};
    for (size_t i = 0; i < 3; i++) cs_writer_drop(drop[i]);
    tls_world_close(&pair);
    return status;
}

/* Windows takes no less than 1024 bits by default. */
static void short_primes(void **state)
{
    static const size_t sizes[] = {8, 32, 48, 64, 96, 112, 120};
    bool goes_on;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const SECURITY_STATUS status = client_says(sizes[i], SIGNED_RIGHT, &goes_on);
        if (status != SEC_E_ALGORITHM_MISMATCH) fail_msg("%zu bytes: %08x", sizes[i], (unsigned)status);
        assert_false(goes_on);
    }
    assert_int_equal(client_says(256, SIGNED_RIGHT, &goes_on), SEC_I_CONTINUE_NEEDED);
    assert_true(goes_on);
}

static void bad_signatures(void **state)
{
    bool goes_on;
    (void)state;
    for (unsigned how = SIGNED_OTHER_RANDOM; how <= SIGNED_NOTHING; how++) {
        const SECURITY_STATUS status = client_says(256, how, &goes_on);
        if (status >= 0 || goes_on) fail_msg("%u: %08x", how, (unsigned)status);
    }
    assert_int_equal(client_says(256, SIGNED_OTHER_RANDOM, &goes_on), SEC_E_DECRYPT_FAILURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_primes),
        cmocka_unit_test(bad_signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
