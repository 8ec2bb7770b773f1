/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private keys, in the forms in which Windows's key stores export them (wincrypt.h, bcrypt.h).
 */
#include "tls_context.h"

#include "secure.h"

#include <gnutls/abstract.h>
#include <string.h>

#define RSA2 0x32415352u           /* RSAPUBKEY.magic of a private key */
#define RSAFULLPRIVATE 0x33415352u /* BCRYPT_RSAKEY_BLOB.Magic */
#define PRIVATEKEYBLOB 7
#define LARGEST_RSA 16384

/* The eight numbers of an RSA key, big-endian; those of a CAPI blob are turned round in ROOM. */
struct rsa {
    gnutls_datum_t modulus, exponent, private_exponent, prime1, prime2, coefficient, exponent1, exponent2;
};

static gnutls_datum_t take(struct cs_reader *reader, size_t size)
{
    const struct cs_span span = cs_read_span(reader, size);
    return (gnutls_datum_t){(uint8_t *)span.data, (unsigned)span.size};
}

static gnutls_datum_t take_reversed(struct cs_reader *reader, size_t size, struct cs_writer *room)
{
    const struct cs_span span = cs_read_span(reader, size);
    uint8_t *out = cs_write_room(room, span.size);
    if (!out) return (gnutls_datum_t){NULL, 0};
    for (size_t i = 0; i < span.size; i++) out[i] = span.data[span.size - 1 - i];
    return (gnutls_datum_t){out, (unsigned)span.size};
}

/* NUMBER, whose bytes are GnuTLS's and go, is the one at GIVEN, which may have zeros in front. */
static bool is_number(gnutls_datum_t *number, const gnutls_datum_t *given)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){given->data, given->size});
    bool same = true;
    while (reader.remaining > number->size) same &= !cs_read_u8(&reader);
    same &= reader.remaining == number->size && cs_same(reader.next, number->data, number->size);
    cs_wipe(number->data, number->size);
    gnutls_free(number->data);
    return same;
}

/* GnuTLS works out for itself what follows from the primes and the private exponent, and passes over what it was given:
 * a blob that says otherwise is no key. */
static bool is_consistent(const struct rsa *rsa, gnutls_privkey_t key)
{
    gnutls_datum_t coefficient, exponent1, exponent2;
    if (gnutls_privkey_export_rsa_raw2(key, NULL, NULL, NULL, NULL, NULL, &coefficient, &exponent1, &exponent2,
                                       GNUTLS_EXPORT_FLAG_NO_LZ))
        return false;
    bool same = is_number(&coefficient, &rsa->coefficient);
    same &= is_number(&exponent1, &rsa->exponent1);
    same &= is_number(&exponent2, &rsa->exponent2);
    return same;
}

static SECURITY_STATUS import_rsa(const struct rsa *rsa, gnutls_privkey_t key)
{
    if (gnutls_privkey_import_rsa_raw(key, &rsa->modulus, &rsa->exponent, &rsa->private_exponent, &rsa->prime1,
                                      &rsa->prime2, &rsa->coefficient, &rsa->exponent1, &rsa->exponent2))
        return SEC_E_UNKNOWN_CREDENTIALS;
    return is_consistent(rsa, key) ? SEC_E_OK : SEC_E_UNKNOWN_CREDENTIALS;
}

/* PUBLICKEYSTRUC, RSAPUBKEY, and the numbers, all little-endian. The room is made at once: a number lies where it is.
 */
static SECURITY_STATUS read_capi(struct cs_span blob, gnutls_privkey_t key)
{
    struct cs_reader reader = cs_reader_of(blob);
    struct cs_writer room = {0};
    struct rsa rsa;
    const uint8_t type = cs_read_u8(&reader);
    cs_read_span(&reader, 7); /* version, reserved, algorithm */
    const uint32_t magic = cs_read_u32(&reader), bits = cs_read_u32(&reader);
    if (type != PRIVATEKEYBLOB || magic != RSA2 || !bits || bits % 16 || bits > LARGEST_RSA)
        return SEC_E_UNKNOWN_CREDENTIALS;
    const size_t whole = bits / 8, half = bits / 16;
    if (!cs_write_room(&room, 4 + 2 * whole + 5 * half)) return SEC_E_INSUFFICIENT_MEMORY;
    room.size = 0;
    rsa.exponent = take_reversed(&reader, 4, &room);
    rsa.modulus = take_reversed(&reader, whole, &room);
    rsa.prime1 = take_reversed(&reader, half, &room);
    rsa.prime2 = take_reversed(&reader, half, &room);
    rsa.exponent1 = take_reversed(&reader, half, &room);
    rsa.exponent2 = take_reversed(&reader, half, &room);
    rsa.coefficient = take_reversed(&reader, half, &room);
    rsa.private_exponent = take_reversed(&reader, whole, &room);
    SECURITY_STATUS status = reader.failed ? SEC_E_UNKNOWN_CREDENTIALS : import_rsa(&rsa, key);
    cs_writer_drop(&room);
    return status;
}

/* BCRYPT_RSAKEY_BLOB and the numbers, big-endian. */
static SECURITY_STATUS read_cng_rsa(struct cs_span blob, gnutls_privkey_t key)
{
    struct cs_reader reader = cs_reader_of(blob);
    struct rsa rsa;
    const uint32_t magic = cs_read_u32(&reader), bits = cs_read_u32(&reader), exponent = cs_read_u32(&reader);
    const uint32_t modulus = cs_read_u32(&reader), prime1 = cs_read_u32(&reader), prime2 = cs_read_u32(&reader);
    if (magic != RSAFULLPRIVATE || !bits || bits > LARGEST_RSA) return SEC_E_UNKNOWN_CREDENTIALS;
    rsa.exponent = take(&reader, exponent);
    rsa.modulus = take(&reader, modulus);
    rsa.prime1 = take(&reader, prime1);
    rsa.prime2 = take(&reader, prime2);
    rsa.exponent1 = take(&reader, prime1);
    rsa.exponent2 = take(&reader, prime2);
    rsa.coefficient = take(&reader, prime1);
    rsa.private_exponent = take(&reader, modulus);
    return reader.failed ? SEC_E_UNKNOWN_CREDENTIALS : import_rsa(&rsa, key);
}

/* BCRYPT_ECCKEY_BLOB.dwMagic: ECDSA's and ECDH's private keys, "ECS2" to "ECS6" and "ECK2" to "ECK6". */
static gnutls_ecc_curve_t curve_of(uint32_t magic)
{
    switch (magic) {
    case 0x32534345:
    case 0x324B4345: return GNUTLS_ECC_CURVE_SECP256R1;
    case 0x34534345:
    case 0x344B4345: return GNUTLS_ECC_CURVE_SECP384R1;
    case 0x36534345:
    case 0x364B4345: return GNUTLS_ECC_CURVE_SECP521R1;
    default: return GNUTLS_ECC_CURVE_INVALID;
    }
}

static SECURITY_STATUS read_cng_ecc(struct cs_span blob, gnutls_privkey_t key)
{
    struct cs_reader reader = cs_reader_of(blob);
    const gnutls_ecc_curve_t curve = curve_of(cs_read_u32(&reader));
    const uint32_t size = cs_read_u32(&reader);
    const gnutls_datum_t x = take(&reader, size), y = take(&reader, size), k = take(&reader, size);
    if (reader.failed || curve == GNUTLS_ECC_CURVE_INVALID || gnutls_privkey_import_ecc_raw(key, curve, &x, &y, &k))
        return SEC_E_UNKNOWN_CREDENTIALS;
    return SEC_E_OK;
}

static SECURITY_STATUS read_pkcs8(struct cs_span blob, gnutls_privkey_t key)
{
    const gnutls_datum_t der = {(uint8_t *)blob.data, (unsigned)blob.size};
    return gnutls_privkey_import_x509_raw(key, &der, GNUTLS_X509_FMT_DER, NULL, 0) ? SEC_E_UNKNOWN_CREDENTIALS
                                                                                   : SEC_E_OK;
}

static SECURITY_STATUS read_into(struct cs_span blob, enum tls_key_format format, gnutls_privkey_t key)
{
    switch (format) {
    case TLS_KEY_CAPI: return read_capi(blob, key);
    case TLS_KEY_CNG_RSA: return read_cng_rsa(blob, key);
    case TLS_KEY_CNG_ECC: return read_cng_ecc(blob, key);
    case TLS_KEY_PKCS8: return read_pkcs8(blob, key);
    default: return SEC_E_UNKNOWN_CREDENTIALS;
    }
}

/*
 * That the two exponents of an RSA key undo each other: GnuTLS compares neither with the other, and a signature under a
 * wrong one gives a prime away (Boneh, DeMillo, Lipton 1997).
 */
static bool signs(gnutls_privkey_t key)
{
    static const uint8_t text[] = "whatever";
    const gnutls_datum_t data = {(uint8_t *)text, sizeof text};
    gnutls_datum_t signature = {NULL, 0};
    gnutls_pubkey_t public;
    if (gnutls_privkey_get_pk_algorithm(key, NULL) != GNUTLS_PK_RSA) return true;
    if (gnutls_pubkey_init(&public)) return false;
    const bool good = !gnutls_pubkey_import_privkey(public, key, 0, 0) &&
                      !gnutls_privkey_sign_data(key, GNUTLS_DIG_SHA256, 0, &data, &signature) &&
                      !gnutls_pubkey_verify_data2(public, GNUTLS_SIGN_RSA_SHA256, 0, &data, &signature);
    gnutls_free(signature.data);
    gnutls_pubkey_deinit(public);
    return good;
}

SECURITY_STATUS tls_key_read(struct cs_span blob, enum tls_key_format format, gnutls_privkey_t *out)
{
    gnutls_privkey_t key;
    if (gnutls_privkey_init(&key)) return SEC_E_INSUFFICIENT_MEMORY;
    SECURITY_STATUS status = read_into(blob, format, key);
    if (status == SEC_E_OK && (gnutls_privkey_verify_params(key) || !signs(key))) status = SEC_E_UNKNOWN_CREDENTIALS;
    if (status)
        gnutls_privkey_deinit(key);
    else
        *out = key;
    return status;
}
