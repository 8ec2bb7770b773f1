/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: credentials: keys as Windows's key stores export them, chains, and what is left to negotiate.
 */
#include "tls_keys.h"
#include "tls_unit.h"

#include <gnutls/x509.h>

static const struct {
    const char *name;
    enum tls_key_format format;
    enum tls_world_key key;
} formats[] = {
    {"CAPI", TLS_KEY_CAPI, TLS_WORLD_RSA},           {"CNG, RSA", TLS_KEY_CNG_RSA, TLS_WORLD_RSA},
    {"CNG, P-256", TLS_KEY_CNG_ECC, TLS_WORLD_P256}, {"CNG, P-384", TLS_KEY_CNG_ECC, TLS_WORLD_P384},
    {"PKCS #8, RSA", TLS_KEY_PKCS8, TLS_WORLD_RSA},  {"PKCS #8, Ed25519", TLS_KEY_PKCS8, TLS_WORLD_ED25519},
};
enum { FORMATS = sizeof formats / sizeof *formats };

static struct tls_credential_request server_of(struct cs_span chain, struct cs_span key, enum tls_key_format format)
{
    return (struct tls_credential_request){.server = true,
                                           .protocols = SP_PROT_TLS1_2_SERVER | SP_PROT_TLS1_3_SERVER,
                                           .chain = chain,
                                           .key = key,
                                           .key_format = format};
}

static SECURITY_STATUS make(struct cs_span chain, struct cs_span key, enum tls_key_format format)
{
    const struct tls_credential_request request = server_of(chain, key, format);
    struct tls_credential *credential = NULL;
    const SECURITY_STATUS status = tls_credential_new(&request, &credential);
    assert_int_equal(credential != NULL, status == SEC_E_OK);
    tls_credential_release(credential);
    return status;
}

static struct cs_writer blob_of(size_t format)
{
    struct cs_writer blob = {0};
    tls_keys_write(&blob, formats[format].format, formats[format].key);
    return blob;
}

static struct cs_span chain_of(size_t format)
{
    return tls_world_certificate(formats[format].key)->chain;
}

/* The key signs a handshake. */
static void every_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMATS; i++) {
        const struct tls_world_setup setup = {.key = formats[i].key};
        struct tls_world_pair pair;
        struct cs_writer blob = blob_of(i);
        print_message("%s\n", formats[i].name);
        assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
        tls_credential_release(pair.server_credential);
        const struct tls_credential_request request = server_of(chain_of(i), cs_written(&blob), formats[i].format);
        assert_int_equal(tls_credential_new(&request, &pair.server_credential), SEC_E_OK);
        assert_true(tls_world_shake(&pair, &setup, 0));
        tls_expect_talk(&pair);
        cs_writer_drop(&blob);
        tls_world_close(&pair);
    }
}

/* Each from memory of its own size, so that AddressSanitizer sees a byte too many. */
static void truncated_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMATS; i++) {
        struct cs_writer blob = blob_of(i);
        for (size_t size = 0; size < blob.size; size++) {
            uint8_t *copy = test_malloc(size + !size);
            if (size) memcpy(copy, blob.data, size);
            assert_int_equal(make(chain_of(i), (struct cs_span){copy, size}, formats[i].format),
                             SEC_E_UNKNOWN_CREDENTIALS);
            test_free(copy);
        }
        cs_writer_drop(&blob);
    }
}

/* Lengths at their extremes, wherever there are any. A key may still be one when its algorithm is another's number. */
static void lengths_that_wrap(void **state)
{
    static const uint32_t lengths[] = {0,          1,          0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFF0,
                                       0xFFFFFFE0, 0x20000000, 0x10000,    0x4001,     8,          24};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct cs_writer blob = blob_of(i);
        const size_t first = formats[i].format == TLS_KEY_CAPI ? 8 : 0;
        const size_t end = formats[i].format == TLS_KEY_CAPI ? 16 : formats[i].format == TLS_KEY_CNG_RSA ? 24 : 8;
        for (size_t at = first; at < end; at += 4)
            for (size_t length = 0; length < sizeof lengths / sizeof *lengths; length++) {
                uint8_t old[4];
                const uint32_t value = lengths[length];
                memcpy(old, blob.data + at, 4);
                for (size_t byte = 0; byte < 4; byte++) blob.data[at + byte] = (uint8_t)(value >> 8 * byte);
                const SECURITY_STATUS status = make(chain_of(i), cs_written(&blob), formats[i].format);
                const bool unused = formats[i].format == TLS_KEY_CNG_RSA && at == 4 && value && value <= 16384;
                if (status != (unused ? SEC_E_OK : SEC_E_UNKNOWN_CREDENTIALS))
                    fail_msg("%s, %zu: %08x: %08x", formats[i].name, at, (unsigned)value, (unsigned)status);
                memcpy(blob.data + at, old, 4);
            }
        cs_writer_drop(&blob);
    }
}

/* A number of the key at all zeros, all ones, or one: refused, and no division by it. */
static void numbers_that_are_none(void **state)
{
    static const size_t heads[] = {20, 27, 8, 8};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct cs_writer good = blob_of(i);
        const size_t step = i < 2 ? 128 : i == 2 ? 32 : 48;
        for (size_t at = heads[i]; at + step <= good.size; at += step)
            for (unsigned how = 0; how < 3; how++) {
                struct cs_writer bad = {0};
                cs_write_span(&bad, cs_written(&good));
                memset(bad.data + at, how == 1 ? 0xFF : 0, step);
                if (how == 2) bad.data[i ? at + step - 1 : at] = 1;
                const SECURITY_STATUS status = make(chain_of(i), cs_written(&bad), formats[i].format);
                if (status != SEC_E_UNKNOWN_CREDENTIALS)
                    fail_msg("%s, number at %zu, %u: %08x", formats[i].name, at, how, (unsigned)status);
                cs_writer_drop(&bad);
            }
        cs_writer_drop(&good);
    }
}

/*
 * A private exponent of the forger's with what follows from it: each number agrees with the others but for the public
 * exponent, which such a key's signatures would not answer to.
 */
static void forged_exponents(void **state)
{
    static const struct {
        size_t exponent1, private_exponent;
        bool little;
    } places[] = {{20 + 4 * 128, 20 + 7 * 128, true}, {27 + 4 * 128, 27 + 7 * 128, false}};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (uint8_t exponent = 1; exponent < 8; exponent += 2) {
            struct cs_writer blob = blob_of(i);
            uint8_t *const numbers[] = {blob.data + places[i].exponent1, blob.data + places[i].exponent1 + 128,
                                        blob.data + places[i].private_exponent};
            const size_t sizes[] = {128, 128, 256};
            assert_int_equal(make(chain_of(i), cs_written(&blob), formats[i].format), SEC_E_OK);
            for (size_t number = 0; number < 3; number++) {
                memset(numbers[number], 0, sizes[number]);
                numbers[number][places[i].little ? 0 : sizes[number] - 1] = exponent;
            }
            assert_int_equal(make(chain_of(i), cs_written(&blob), formats[i].format), SEC_E_UNKNOWN_CREDENTIALS);
            cs_writer_drop(&blob);
        }
}

static void keys_of_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMATS; i++) {
        struct cs_writer blob = blob_of(i);
        for (enum tls_world_key other = 0; other < TLS_WORLD_KEYS; other++) {
            if (other == formats[i].key) continue;
            assert_int_equal(make(tls_world_certificate(other)->chain, cs_written(&blob), formats[i].format),
                             SEC_E_UNKNOWN_CREDENTIALS);
        }
        for (enum tls_key_format format = TLS_KEY_CAPI; format <= TLS_KEY_PKCS8 + 1; format++)
            if (format != formats[i].format)
                assert_int_equal(make(chain_of(i), cs_written(&blob), format), SEC_E_UNKNOWN_CREDENTIALS);
        cs_writer_drop(&blob);
    }
    /* behaviour.md rows 143 and 144 */
    assert_int_equal(make(chain_of(0), (struct cs_span){NULL, 0}, TLS_KEY_NONE), SEC_E_NO_CREDENTIALS);
}

/* The same kind of key, but not that of the certificate. */
static void another_key_of_that_kind(void **state)
{
    gnutls_x509_privkey_t other;
    gnutls_datum_t der;
    (void)state;
    assert_int_equal(gnutls_x509_privkey_init(&other), 0);
    assert_int_equal(
        gnutls_x509_privkey_generate(other, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
    assert_int_equal(gnutls_x509_privkey_export2_pkcs8(other, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &der), 0);
    assert_int_equal(
        make(tls_world_certificate(TLS_WORLD_P256)->chain, (struct cs_span){der.data, der.size}, TLS_KEY_PKCS8),
        SEC_E_UNKNOWN_CREDENTIALS);
    gnutls_free(der.data);
    gnutls_x509_privkey_deinit(other);
}

/* behaviour.md row 142 */
static void chains(void **state)
{
    const struct tls_world_certificate *own = tls_world_certificate(TLS_WORLD_P256);
    (void)state;
    for (size_t size = 1; size < own->chain.size; size++)
        assert_int_equal(make((struct cs_span){own->chain.data, size}, own->key, TLS_KEY_PKCS8),
                         SEC_E_UNKNOWN_CREDENTIALS);
    static const char *const bad[] = {"000000", "ffffff", "00000130", "0000023000", "00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct bytes bytes = unhex(bad[i]);
        assert_int_equal(make(span_over(&bytes), own->key, TLS_KEY_PKCS8), SEC_E_UNKNOWN_CREDENTIALS);
    }
    for (unsigned count = 1; count <= TLS_MAX_CHAIN + 1; count++) {
        struct cs_writer chain = {0};
        for (unsigned i = 0; i < count; i++) cs_write_span(&chain, own->chain);
        assert_int_equal(make(cs_written(&chain), own->key, TLS_KEY_PKCS8),
                         count > TLS_MAX_CHAIN ? SEC_E_UNKNOWN_CREDENTIALS : SEC_E_OK);
        cs_writer_drop(&chain);
    }
}

/* errors.tsv AcquireCredentialsHandle/Schannel, and what can still be agreed on. */
static void nothing_left(void **state)
{
    static const struct {
        uint32_t protocols, without;
        SECURITY_STATUS status;
    } cases[] = {
        {SP_PROT_TLS1_2_CLIENT, 0, SEC_E_OK},
        {SP_PROT_TLS1_2_CLIENT, WITHOUT_AES, SEC_E_OK},
        {SP_PROT_TLS1_2_CLIENT, WITHOUT_AES | TLS_WITHOUT_CHACHA20, SEC_E_ALGORITHM_MISMATCH},
        {SP_PROT_TLS1_2_CLIENT, WITHOUT_AEAD, SEC_E_OK},
        {SP_PROT_TLS1_2_CLIENT, WITHOUT_AEAD | TLS_WITHOUT_CBC, SEC_E_ALGORITHM_MISMATCH},
        {SP_PROT_TLS1_2_CLIENT, WITHOUT_AEAD | TLS_WITHOUT_SHA1 | TLS_WITHOUT_SHA256 | TLS_WITHOUT_SHA384,
         SEC_E_ALGORITHM_MISMATCH},
        {SP_PROT_TLS1_2_CLIENT, TLS_WITHOUT_ECDHE | TLS_WITHOUT_DHE, SEC_E_OK},
        {SP_PROT_TLS1_2_CLIENT, TLS_WITHOUT_ECDHE | TLS_WITHOUT_DHE | TLS_WITHOUT_RSA_KEY_EXCHANGE,
         SEC_E_ALGORITHM_MISMATCH},
        {SP_PROT_TLS1_3_CLIENT, 0, SEC_E_OK},
        {SP_PROT_TLS1_3_CLIENT, WITHOUT_AEAD, SEC_E_ALGORITHM_MISMATCH},
        {SP_PROT_TLS1_3_CLIENT, TLS_WITHOUT_ECDHE | TLS_WITHOUT_DHE, SEC_E_ALGORITHM_MISMATCH},
        {SP_PROT_TLS1_3_CLIENT | SP_PROT_TLS1_2_CLIENT, TLS_WITHOUT_ECDHE | TLS_WITHOUT_DHE, SEC_E_OK},
        {SP_PROT_TLS1_0_CLIENT, TLS_WITHOUT_CBC, SEC_E_ALGORITHM_MISMATCH},
        {SP_PROT_TLS1_0_CLIENT, TLS_WITHOUT_SHA1, SEC_E_ALGORITHM_MISMATCH},
        {SP_PROT_TLS1_2_SERVER, 0, SEC_E_OK},
        {0x30, 0, SEC_E_ALGORITHM_MISMATCH}, /* SSL 3.0 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct tls_credential_request request = {.protocols = cases[i].protocols, .without = cases[i].without};
        struct tls_credential *credential = NULL;
        const SECURITY_STATUS status = tls_credential_new(&request, &credential);
        if (status != cases[i].status) fail_msg("case %zu: %08x", i, (unsigned)status);
        tls_credential_release(credential);
    }
}

/* Whatever the two sides take away: they agree, or both say why not; never on what either has taken away. */
static void every_pair_of_limits(void **state)
{
    (void)state;
    for (uint32_t bit = 1; bit <= TLS_WITHOUT_SHA384; bit <<= 1)
        for (uint32_t other = 0; other <= TLS_WITHOUT_SHA384; other = other ? other << 1 : 1) {
            const struct tls_world_setup setup = {.key = TLS_WORLD_RSA,
                                                  .client_without = bit,
                                                  .server_without = other,
                                                  .client_flags = TLS_LEG_TRUST_PEER};
            struct tls_world_pair pair;
            struct tls_info info;
            assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
            if (tls_world_shake(&pair, &setup, 0)) {
                const uint32_t without = bit | other;
                assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
                assert_false(without & TLS_WITHOUT_AES256 && strstr(info.suite_name, "AES_256"));
                assert_false(without & TLS_WITHOUT_GCM && strstr(info.suite_name, "GCM"));
                assert_false(without & TLS_WITHOUT_ECDHE && info.key_type && info.key_type < 0x100);
            } else {
                assert_int_equal(pair.server_status, SEC_E_ALGORITHM_MISMATCH);
                /* The version is agreed on first, and TLS 1.3 has no other suites, or groups. */
                const uint32_t without = bit | other;
                const bool none = without == WITHOUT_AEAD || without == (TLS_WITHOUT_ECDHE | TLS_WITHOUT_DHE);
                if (!none && !(without & TLS_WITHOUT_RSA_SIGNATURES))
                    fail_msg("%x and %x do not agree", (unsigned)bit, (unsigned)other);
            }
            tls_world_close(&pair);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format),
        cmocka_unit_test(truncated_keys),
        cmocka_unit_test(lengths_that_wrap),
        cmocka_unit_test(numbers_that_are_none),
        cmocka_unit_test(forged_exponents),
        cmocka_unit_test(keys_of_others),
        cmocka_unit_test(another_key_of_that_kind),
        cmocka_unit_test(chains),
        cmocka_unit_test(nothing_left),
        cmocka_unit_test(every_pair_of_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
