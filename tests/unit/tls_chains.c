/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: chains and lists that the engine has found, looked at once more: whose signature is on them.
 *
 *  F3  certificates that chain to nothing
 */
#include "tls_ocsp.h"
#include "tls_unit.h"
#include "tlv.h"

#include <gnutls/x509.h>
#include <string.h>

static void append(struct cs_writer *chain, struct cs_span der)
{
    cs_write_be(chain, der.size, 3);
    cs_write_span(chain, der);
}

static SECURITY_STATUS verify_those(const enum tls_ocsp_certificate *which, size_t count)
{
    struct cs_writer chain = {0};
    for (size_t i = 0; i < count; i++) append(&chain, tls_ocsp_der(which[i]));
    SECURITY_STATUS status = tls_verify_chain(cs_written(&chain));
    cs_writer_drop(&chain);
    return status;
}

/* The twin has the middle's name, and another key. */
static void who_has_signed_whom(void **state)
{
    static const struct {
        SECURITY_STATUS status;
        size_t count;
        enum tls_ocsp_certificate chain[3];
    } cases[] = {
        {SEC_E_OK, 3, {TLS_OCSP_LEAF, TLS_OCSP_MIDDLE, TLS_OCSP_ROOT}},
        {SEC_E_OK, 2, {TLS_OCSP_MIDDLE, TLS_OCSP_ROOT}},
        {SEC_E_OK, 1, {TLS_OCSP_ROOT}},
        {SEC_E_CERT_UNKNOWN, 3, {TLS_OCSP_LEAF, TLS_OCSP_TWIN, TLS_OCSP_ROOT}},
        {SEC_E_CERT_UNKNOWN, 2, {TLS_OCSP_LEAF, TLS_OCSP_TWIN}},
        {SEC_E_CERT_UNKNOWN, 2, {TLS_OCSP_LEAF, TLS_OCSP_ROOT}},
        {SEC_E_CERT_UNKNOWN, 2, {TLS_OCSP_ROOT, TLS_OCSP_MIDDLE}},
        {SEC_E_CERT_UNKNOWN, 0, {0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (verify_those(cases[i].chain, cases[i].count) != cases[i].status) fail_msg("case %zu", i);
}

static void too_long(void **state)
{
    enum tls_ocsp_certificate chain[17];
    (void)state;
    for (size_t i = 0; i < 17; i++) chain[i] = TLS_OCSP_ROOT;
    assert_int_equal(verify_those(chain, 17), SEC_E_CERT_UNKNOWN);
}

/* Each byte of a certificate is signed, is the signature, or says how long they are. */
static void any_byte_altered(void **state)
{
    struct cs_writer chain = {0};
    (void)state;
    append(&chain, tls_ocsp_der(TLS_OCSP_LEAF));
    append(&chain, tls_ocsp_der(TLS_OCSP_MIDDLE));
    const size_t altered = chain.size;
    append(&chain, tls_ocsp_der(TLS_OCSP_ROOT));
    for (size_t i = 0; i < altered; i++) {
        chain.data[i] ^= 1;
        if (tls_verify_chain(cs_written(&chain)) == SEC_E_OK) fail_msg("byte %zu", i);
        chain.data[i] ^= 1;
    }
    assert_int_equal(tls_verify_chain(cs_written(&chain)), SEC_E_OK);
    cs_writer_drop(&chain);
}

static void cut_anywhere(void **state)
{
    struct cs_writer chain = {0};
    (void)state;
    append(&chain, tls_ocsp_der(TLS_OCSP_LEAF));
    const size_t leaf = chain.size;
    append(&chain, tls_ocsp_der(TLS_OCSP_MIDDLE));
    for (size_t size = 0; size < chain.size; size++)
        if (size != leaf) assert_int_equal(tls_verify_chain((struct cs_span){chain.data, size}), SEC_E_CERT_UNKNOWN);
    cs_writer_drop(&chain);
}

/* A list of one's, whatever its time: that is PE code's to look at. */
static struct cs_writer make_list(enum tls_world_key key, int from_days)
{
    const struct tls_world_certificate *by = tls_world_certificate(key);
    const gnutls_datum_t der = {(uint8_t *)by->chain.data + 3, (unsigned)by->chain.size - 3};
    const gnutls_datum_t pkcs8 = {(uint8_t *)by->key.data, (unsigned)by->key.size};
    const uint8_t serial = 7;
    gnutls_x509_crt_t issuer;
    gnutls_x509_privkey_t signer;
    gnutls_x509_crl_t list;
    gnutls_datum_t bytes;
    struct cs_writer written = {0};
    const time_t from = time(NULL) + (time_t)from_days * 86400;
    assert_false(gnutls_x509_crt_init(&issuer) || gnutls_x509_crt_import(issuer, &der, GNUTLS_X509_FMT_DER));
    assert_false(gnutls_x509_privkey_init(&signer) ||
                 gnutls_x509_privkey_import_pkcs8(signer, &pkcs8, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN));
    assert_false(gnutls_x509_crl_init(&list) || gnutls_x509_crl_set_version(list, 2) ||
                 gnutls_x509_crl_set_this_update(list, from) || gnutls_x509_crl_set_next_update(list, from + 86400) ||
                 gnutls_x509_crl_set_crt_serial(list, &serial, 1, from));
    assert_false(gnutls_x509_crl_sign2(list, issuer, signer, GNUTLS_DIG_SHA256, 0));
    assert_false(gnutls_x509_crl_export2(list, GNUTLS_X509_FMT_DER, &bytes));
    cs_write_span(&written, (struct cs_span){bytes.data, bytes.size});
    gnutls_free(bytes.data);
    gnutls_x509_crl_deinit(list);
    gnutls_x509_privkey_deinit(signer);
    gnutls_x509_crt_deinit(issuer);
    return written;
}

static struct cs_span issuer_of(enum tls_world_key key)
{
    const struct cs_span chain = tls_world_certificate(key)->chain;
    return (struct cs_span){chain.data + 3, chain.size - 3};
}

/* GnuTLS goes by the algorithm that is signed, and passes over the one beside the signature. */
static void alter_any_byte(struct cs_writer *list)
{
    struct cs_reader whole = cs_reader_of(cs_written(list)), parts = cs_der_enter(&whole, DER_SEQUENCE);
    cs_der_read(&parts, DER_SEQUENCE);
    const size_t from = (size_t)(parts.next - list->data);
    cs_der_read(&parts, DER_SEQUENCE);
    const size_t to = (size_t)(parts.next - list->data);
    for (size_t i = 0; i < list->size; i++) {
        if (i >= from && i < to) continue;
        list->data[i] ^= 1;
        if (tls_verify_list(cs_written(list), issuer_of(TLS_WORLD_P256)) == SEC_E_OK) fail_msg("byte %zu", i);
        list->data[i] ^= 1;
    }
}

static void lists(void **state)
{
    static const int from[] = {0, -30, 30};
    (void)state;
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        struct cs_writer list = make_list(TLS_WORLD_P256, from[i]);
        assert_int_equal(tls_verify_list(cs_written(&list), issuer_of(TLS_WORLD_P256)), SEC_E_OK);
        assert_int_equal(tls_verify_list(cs_written(&list), issuer_of(TLS_WORLD_P384)), SEC_E_CERT_UNKNOWN);
        assert_int_equal(tls_verify_list(cs_written(&list), (struct cs_span){NULL, 0}), SEC_E_CERT_UNKNOWN);
        alter_any_byte(&list);
        cs_writer_drop(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_signed_whom), cmocka_unit_test(too_long), cmocka_unit_test(any_byte_altered),
        cmocka_unit_test(cut_anywhere),        cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
