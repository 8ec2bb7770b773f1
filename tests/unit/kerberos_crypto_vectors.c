/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos's cryptography against published values, and against Heimdal's for what nobody has published: every length,
 * cut into buffers in many ways.
 */
#include "kerberos_seal.h"
#include "kerberos_vectors.h"

#include "unit.h"

#include <krb5.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_OF_BUFFERS = 6 };

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const int32_t etypes[] = {17, 18, 19, 20};

static void nfold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(nfold_vectors); i++) {
        const struct cs_span in = {(const uint8_t *)nfold_vectors[i].input, strlen(nfold_vectors[i].input)};
        uint8_t out[32];
        const size_t size = strlen(nfold_vectors[i].output) / 2;
        kerberos_nfold(in, out, size);
        expect_hex(((struct cs_span){out, size}), nfold_vectors[i].output);
    }
}

/* All blocks but the last two in one go, as the message functions have it. */
static size_t before_end(size_t size)
{
    return size <= 16 ? 0 : size - 17 - (size - 1) % 16;
}

static void ciphertext_stealing(void **state)
{
    const struct bytes key = unhex(cts_key);
    struct kerberos_aes aes;
    (void)state;
    assert_true(kerberos_aes_prepare(&aes, key.data, key.size, true));
    for (size_t i = 0; i < COUNT(cts_vectors); i++) {
        struct bytes bytes = unhex(cts_vectors[i].input);
        const size_t size = before_end(bytes.size);
        uint8_t iv[16] = {0};
        kerberos_cbc_encrypt(&aes, iv, size, bytes.data);
        kerberos_cts_encrypt(&aes, iv, bytes.size - size, bytes.data + size);
        expect_hex(span_over(&bytes), cts_vectors[i].output);
        expect_hex(((struct cs_span){iv, sizeof iv}), cts_vectors[i].next_iv);
        memset(iv, 0, sizeof iv);
        kerberos_cbc_decrypt(&aes, iv, size, bytes.data);
        kerberos_cts_decrypt(&aes, iv, bytes.size - size, bytes.data + size);
        expect_hex(span_over(&bytes), cts_vectors[i].input);
    }
    kerberos_aes_release(&aes);
}

static void derivation(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(derive_vectors); i++) {
        const struct kerberos_etype *etype = kerberos_etype(derive_vectors[i].etype);
        const struct bytes key = unhex(derive_vectors[i].key), constant = unhex(derive_vectors[i].constant);
        const uint32_t usage = (uint32_t)(constant.data[2] << 8 | constant.data[3]);
        uint8_t derived[KERBEROS_MAX_KEY];
        const size_t size = kerberos_derive(etype, key.data, usage, (enum kerberos_derived)constant.data[4], derived);
        expect_hex(((struct cs_span){derived, size}), derive_vectors[i].derived);
    }
}

static void checksums(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(checksum_vectors); i++) {
        const struct kerberos_etype *etype = kerberos_etype(checksum_vectors[i].etype);
        const struct bytes key = unhex(checksum_vectors[i].key), plain = unhex(checksum_vectors[i].plain);
        struct kerberos_mac_key mac_key;
        struct kerberos_mac mac;
        uint8_t out[KERBEROS_MAX_MAC];
        for (int bulk = 0; bulk < 2; bulk++) {
            assert_true(
                kerberos_mac_key_derive(&mac_key, etype, key.data, checksum_vectors[i].usage, KERBEROS_KC, bulk));
            kerberos_mac_start(&mac, &mac_key, bulk ? SIZE_MAX : 0);
            kerberos_mac_update(&mac, plain.size, plain.data);
            kerberos_mac_end(&mac, out);
            expect_hex(((struct cs_span){out, etype->mac_size}), checksum_vectors[i].checksum);
            kerberos_mac_key_release(&mac_key);
        }
    }
}

/* SEALED is confounder, ciphertext and checksum. */
static void encryption(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(encryption_vectors); i++) {
        const struct kerberos_etype *etype = kerberos_etype(encryption_vectors[i].etype);
        const struct bytes key = unhex(encryption_vectors[i].key), sealed = unhex(encryption_vectors[i].sealed);
        struct bytes bytes = sealed;
        struct cs_buffer data = {(uint32_t)(sealed.size - 16 - etype->mac_size), SECBUFFER_DATA,
                                 (uint64_t)(uintptr_t)(bytes.data + 16)};
        const struct kerberos_parts parts = {.head = {bytes.data, 16}, .message = {&data, 1}};
        uint8_t mac[KERBEROS_MAX_MAC];
        struct kerberos_sealer sealer;
        assert_true(kerberos_sealer_prepare(&sealer, etype, key.data, encryption_vectors[i].usage, true));
        assert_true(kerberos_unseal(&sealer, &parts, sealed.data + sealed.size - etype->mac_size));
        expect_hex(((struct cs_span){bytes.data + 16, data.size}), encryption_vectors[i].plain);
        kerberos_seal(&sealer, &parts, mac);
        assert_memory_equal(bytes.data, sealed.data, sealed.size);
        assert_memory_equal(mac, sealed.data + sealed.size - etype->mac_size, etype->mac_size);
        kerberos_sealer_release(&sealer);
    }
}

/* Heimdal makes the keys of passwords: here it is what is held against the values, before anything builds on it. */
static void expect_password_key(krb5_context context, int32_t etype, struct bytes password, struct bytes salt,
                                struct bytes iterations, const char *expected)
{
    krb5_data password_data = {password.size, password.data}, parameter = {iterations.size, iterations.data};
    krb5_salt krb5_salt = {KRB5_PW_SALT, {salt.size, salt.data}};
    krb5_keyblock key;
    assert_int_equal(krb5_string_to_key_data_salt_opaque(context, etype, password_data, krb5_salt, parameter, &key), 0);
    expect_hex(((struct cs_span){key.keyvalue.data, key.keyvalue.length}), expected);
    krb5_free_keyblock_contents(context, &key);
}

static void passwords(void **state)
{
    krb5_context context = *state;
    for (size_t i = 0; i < COUNT(password_vectors); i++)
        expect_password_key(context, password_vectors[i].etype, unhex(password_vectors[i].password),
                            unhex(password_vectors[i].salt), unhex(password_vectors[i].iterations),
                            password_vectors[i].key);
}

/* kile-4.4: 120 times U+FFFF, in UTF-8; 1000 iterations */
static void machine_password(void **state)
{
    const char *salt = "DOMAIN.COMhostclient.domain.com";
    struct bytes password = {.size = 360}, salt_bytes = {.size = strlen(salt)};
    for (size_t i = 0; i < password.size; i++) password.data[i] = (const uint8_t[]){0xEF, 0xBF, 0xBF}[i % 3];
    memcpy(salt_bytes.data, salt, salt_bytes.size);
    expect_password_key(*state, 17, password, salt_bytes, unhex("000003e8"), "b82ee122531c2d94821ac755bccb5879");
}

/* A message of Heimdal's, which it makes and opens in one piece: confounder, data, checksum. */
struct oracle {
    krb5_context context;
    krb5_crypto crypto;
    krb5_keyblock key;
};

static void oracle_open(struct oracle *oracle, krb5_context context, int32_t etype)
{
    oracle->context = context;
    assert_int_equal(krb5_generate_random_keyblock(context, etype, &oracle->key), 0);
    assert_int_equal(krb5_crypto_init(context, &oracle->key, 0, &oracle->crypto), 0);
}

static void oracle_close(struct oracle *oracle)
{
    krb5_crypto_destroy(oracle->context, oracle->crypto);
    krb5_free_keyblock_contents(oracle->context, &oracle->key);
}

/* Cuts SIZE bytes at DATA into buffers: none, one or many of them of no size. */
static struct cs_message cut(struct cs_buffer buffers[COUNT_OF_BUFFERS], uint8_t *data, size_t size, unsigned *seed)
{
    for (uint32_t i = 0; i < COUNT_OF_BUFFERS; i++) {
        const size_t n = i + 1 == COUNT_OF_BUFFERS ? size : (size_t)rand_r(seed) % (size + 1);
        buffers[i] = (struct cs_buffer){(uint32_t)n, SECBUFFER_DATA, (uint64_t)(uintptr_t)data};
        data += n;
        size -= n;
    }
    return (struct cs_message){buffers, COUNT_OF_BUFFERS};
}

static void expect_like_oracle(const struct oracle *oracle, const struct kerberos_sealer *sealer, size_t size,
                               unsigned *seed)
{
    const size_t mac_size = sealer->etype->mac_size;
    uint8_t plain[4200], bytes[sizeof plain + 16], mac[KERBEROS_MAX_MAC];
    struct cs_buffer buffers[COUNT_OF_BUFFERS];
    krb5_data theirs;
    for (size_t i = 0; i < size; i++) plain[i] = (uint8_t)rand_r(seed);

    assert_int_equal(krb5_encrypt(oracle->context, oracle->crypto, 24, plain, size, &theirs), 0);
    assert_int_equal(theirs.length, 16 + size + mac_size);
    memcpy(bytes, theirs.data, 16 + size);
    struct kerberos_parts parts = {.head = {bytes, 16}, .message = cut(buffers, bytes + 16, size, seed)};
    assert_true(kerberos_unseal(sealer, &parts, (uint8_t *)theirs.data + 16 + size));
    assert_memory_equal(bytes + 16, plain, size);

    parts.message = cut(buffers, bytes + 16, size, seed);
    kerberos_seal(sealer, &parts, mac);
    assert_memory_equal(bytes, theirs.data, 16 + size);
    assert_memory_equal(mac, (uint8_t *)theirs.data + 16 + size, mac_size);
    mac[(size_t)rand_r(seed) % mac_size] ^= 1;
    assert_false(kerberos_unseal(sealer, &parts, mac));
    assert_memory_equal(bytes, theirs.data, 16 + size);
    krb5_data_free(&theirs);
}

static void lengths_and_cuts(void **state)
{
    unsigned seed = 1;
    for (size_t i = 0; i < COUNT(etypes); i++) {
        struct kerberos_sealer sealer;
        struct oracle oracle;
        oracle_open(&oracle, *state, etypes[i]);
        assert_true(kerberos_sealer_prepare(&sealer, kerberos_etype(etypes[i]), oracle.key.keyvalue.data, 24, true));
        for (size_t size = 0; size <= 300; size++)
            for (int j = 0; j < 5; j++) expect_like_oracle(&oracle, &sealer, size, &seed);
        for (size_t size = 4080; size < 4120; size++) expect_like_oracle(&oracle, &sealer, size, &seed);
        kerberos_sealer_release(&sealer);
        oracle_close(&oracle);
    }
}

static int open_heimdal(void **state)
{
    krb5_context context;
    if (krb5_init_context(&context)) return -1;
    *state = context;
    return 0;
}

static int close_heimdal(void **state)
{
    krb5_free_context(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nfold),
        cmocka_unit_test(ciphertext_stealing),
        cmocka_unit_test(derivation),
        cmocka_unit_test(checksums),
        cmocka_unit_test(encryption),
        cmocka_unit_test(passwords),
        cmocka_unit_test(machine_password),
        cmocka_unit_test(lengths_and_cuts),
    };
    return cmocka_run_group_tests_name("kerberos_crypto_vectors", tests, open_heimdal, close_heimdal);
}
