/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The encryption of whole messages against Heimdal's, both ways, every length of some blocks, and what is refused.
 */
#include "kerberos_cipher.h"

#include "unit.h"

#include <krb5.h>
#include <string.h>

enum { LARGEST = 600, USAGE = KRB5_KU_AP_REQ_AUTH };

/* One encryption type, with its key in both shapes. */
struct subject {
    const struct kerberos_etype *etype;
    krb5_context context;
    krb5_keyblock key;
    krb5_crypto crypto;
    uint8_t text[LARGEST];
};

static void open_subject(struct subject *subject, int32_t number)
{
    subject->etype = kerberos_etype(number);
    assert_non_null(subject->etype);
    assert_int_equal(krb5_init_context(&subject->context), 0);
    assert_int_equal(krb5_generate_random_keyblock(subject->context, number, &subject->key), 0);
    assert_int_equal(krb5_crypto_init(subject->context, &subject->key, 0, &subject->crypto), 0);
    for (size_t i = 0; i < LARGEST; i++) subject->text[i] = (uint8_t)(i * 7);
}

static void close_subject(struct subject *subject)
{
    krb5_crypto_destroy(subject->context, subject->crypto);
    krb5_free_keyblock_contents(subject->context, &subject->key);
    krb5_free_context(subject->context);
}

static size_t encrypt(const struct subject *subject, size_t size, uint8_t *out)
{
    const struct cs_span text = {subject->text, size};
    assert_true(kerberos_cipher_encrypt(subject->etype, subject->key.keyvalue.data, USAGE, text, out));
    return size + kerberos_cipher_excess(subject->etype);
}

static bool decrypt(const struct subject *subject, const uint8_t *cipher, size_t size, uint8_t *out)
{
    const struct cs_span span = {cipher, size};
    return kerberos_cipher_decrypt(subject->etype, subject->key.keyvalue.data, USAGE, span, out);
}

static void to_heimdal(const struct subject *subject, size_t size)
{
    uint8_t cipher[LARGEST + 64];
    krb5_data plain;
    const size_t cipher_size = encrypt(subject, size, cipher);
    assert_int_equal(krb5_decrypt(subject->context, subject->crypto, USAGE, cipher, cipher_size, &plain), 0);
    assert_int_equal(plain.length, size);
    assert_memory_equal(plain.data, subject->text, size);
    krb5_data_free(&plain);
}

static void from_heimdal(const struct subject *subject, size_t size)
{
    uint8_t plain[LARGEST];
    krb5_data cipher;
    assert_int_equal(
        krb5_encrypt(subject->context, subject->crypto, USAGE, (void *)(uintptr_t)subject->text, size, &cipher), 0);
    assert_true(decrypt(subject, cipher.data, cipher.length, plain));
    assert_int_equal(cipher.length, size + kerberos_cipher_excess(subject->etype));
    assert_memory_equal(plain, subject->text, size);
    krb5_data_free(&cipher);
}

static void against_heimdal(void **state)
{
    (void)state;
    for (int32_t number = 17; number <= 20; number++) {
        struct subject subject;
        open_subject(&subject, number);
        for (size_t size = 0; size <= LARGEST; size += size < 300 ? 1 : 75) {
            to_heimdal(&subject, size);
            from_heimdal(&subject, size);
        }
        close_subject(&subject);
    }
}

/* Bytes in a row that the text has as well would not be there by chance. */
static bool tells(const struct subject *subject, const uint8_t *out, size_t size)
{
    for (size_t i = 0; i + 8 <= size; i++)
        if (!memcmp(out + i, subject->text + i, 8)) return true;
    return false;
}

static void refuses_altered(const struct subject *subject, size_t size)
{
    uint8_t cipher[LARGEST + 64], out[LARGEST];
    const size_t cipher_size = encrypt(subject, size, cipher);
    for (size_t i = 0; i < cipher_size; i++) {
        cipher[i] ^= 0x10;
        assert_false(decrypt(subject, cipher, cipher_size, out));
        assert_false(tells(subject, out, size));
        cipher[i] ^= 0x10;
    }
    assert_true(decrypt(subject, cipher, cipher_size, out));
    assert_true(tells(subject, out, size));
}

static void altered(void **state)
{
    (void)state;
    for (int32_t number = 17; number <= 20; number++) {
        struct subject subject;
        open_subject(&subject, number);
        refuses_altered(&subject, 90);
        refuses_altered(&subject, LARGEST);
        close_subject(&subject);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_heimdal),
        cmocka_unit_test(altered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
