/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tls_keys.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>

/* An RSA key's numbers in the order of gnutls_x509_privkey_export_rsa_raw2. */
enum { MODULUS, EXPONENT, PRIVATE, PRIME1, PRIME2, COEFFICIENT, EXPONENT1, EXPONENT2, NUMBERS };

static void must(int result)
{
    if (result < 0) abort();
}

static gnutls_x509_privkey_t key_of(enum tls_world_key kind)
{
    const struct cs_span pkcs8 = tls_world_certificate(kind)->key;
    const gnutls_datum_t der = {(uint8_t *)pkcs8.data, (unsigned)pkcs8.size};
    gnutls_x509_privkey_t key;
    must(gnutls_x509_privkey_init(&key));
    must(gnutls_x509_privkey_import2(key, &der, GNUTLS_X509_FMT_DER, NULL, 0));
    return key;
}

/* NUMBER in SIZE bytes, big-endian or turned round. */
static void write_number(struct cs_writer *blob, const gnutls_datum_t *number, size_t size, bool reversed)
{
    uint8_t *out = cs_write_room(blob, size);
    for (size_t i = 0; i < size && i < number->size; i++)
        out[reversed ? i : size - 1 - i] = number->data[number->size - 1 - i];
}

static void write_rsa(struct cs_writer *blob, bool capi, gnutls_x509_privkey_t key)
{
    static const int order[] = {PRIME1, PRIME2, EXPONENT1, EXPONENT2, COEFFICIENT};
    gnutls_datum_t n[NUMBERS];
    must(gnutls_x509_privkey_export_rsa_raw2(key, &n[MODULUS], &n[EXPONENT], &n[PRIVATE], &n[PRIME1], &n[PRIME2],
                                             &n[COEFFICIENT], &n[EXPONENT1], &n[EXPONENT2]));
    const uint32_t whole = 256, half = 128;
    if (capi) { /* PUBLICKEYSTRUC: PRIVATEKEYBLOB, version 2, CALG_RSA_KEYX; RSAPUBKEY */
        cs_write_span(blob, (struct cs_span){(const uint8_t *)"\7\2\0\0\0\xA4\0\0RSA2", 12});
        cs_write_u32(blob, 8 * whole);
        write_number(blob, &n[EXPONENT], 4, true);
    } else {
        const uint32_t head[] = {8 * whole, 3, whole, half, half};
        cs_write_span(blob, (struct cs_span){(const uint8_t *)"RSA3", 4});
        for (size_t i = 0; i < 5; i++) cs_write_u32(blob, head[i]);
        write_number(blob, &n[EXPONENT], 3, false);
    }
    write_number(blob, &n[MODULUS], whole, capi);
    for (size_t i = 0; i < 5; i++) write_number(blob, &n[order[i]], half, capi);
    write_number(blob, &n[PRIVATE], whole, capi);
    for (size_t i = 0; i < NUMBERS; i++) gnutls_free(n[i].data);
}

static void write_ecc(struct cs_writer *blob, enum tls_world_key kind, gnutls_x509_privkey_t key)
{
    const uint32_t size = kind == TLS_WORLD_P256 ? 32 : 48;
    gnutls_ecc_curve_t curve;
    gnutls_datum_t x, y, k;
    must(gnutls_x509_privkey_export_ecc_raw(key, &curve, &x, &y, &k));
    cs_write_span(blob, (struct cs_span){(const uint8_t *)(kind == TLS_WORLD_P256 ? "ECS2" : "ECS4"), 4});
    cs_write_u32(blob, size);
    write_number(blob, &x, size, false);
    write_number(blob, &y, size, false);
    write_number(blob, &k, size, false);
    gnutls_free(x.data);
    gnutls_free(y.data);
    gnutls_free(k.data);
}

void tls_keys_write(struct cs_writer *blob, enum tls_key_format format, enum tls_world_key kind)
{
    if (format == TLS_KEY_PKCS8) {
        cs_write_span(blob, tls_world_certificate(kind)->key);
        return;
    }
    gnutls_x509_privkey_t key = key_of(kind);
    if (format == TLS_KEY_CNG_ECC)
        write_ecc(blob, kind, key);
    else
        write_rsa(blob, format == TLS_KEY_CAPI, key);
    gnutls_x509_privkey_deinit(key);
}
