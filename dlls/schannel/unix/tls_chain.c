/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Certificates: as they stand in a Certificate message (RFC 5246 7.4.2), each behind its length in three bytes; read;
 * and who has signed one.
 */
#include "tls_context.h"

#include <gnutls/x509.h>

SECURITY_STATUS tls_chain_read(struct cs_span chain, gnutls_datum_t *certificates, unsigned room, unsigned *count)
{
    struct cs_reader reader = cs_reader_of(chain);
    *count = 0;
    while (reader.remaining && !reader.failed && *count < room) {
        const struct cs_span der = cs_read_span(&reader, cs_read_be(&reader, 3));
        certificates[(*count)++] = (gnutls_datum_t){(uint8_t *)der.data, (unsigned)der.size};
    }
    return reader.failed || reader.remaining ? SEC_E_UNKNOWN_CREDENTIALS : SEC_E_OK;
}

void tls_chain_write(struct cs_writer *output, const gnutls_datum_t *certificates, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        cs_write_be(output, certificates[i].size, 3);
        cs_write_span(output, (struct cs_span){certificates[i].data, certificates[i].size});
    }
}

gnutls_x509_crt_t tls_certificate_read(struct cs_span der)
{
    const gnutls_datum_t bytes = {(uint8_t *)der.data, (unsigned)der.size};
    gnutls_x509_crt_t certificate;
    if (gnutls_x509_crt_init(&certificate)) return NULL;
    if (!gnutls_x509_crt_import(certificate, &bytes, GNUTLS_X509_FMT_DER)) return certificate;
    gnutls_x509_crt_deinit(certificate);
    return NULL;
}

enum {
    /* Times and who is an authority are the engine's to judge; SHA-1 is good enough for Windows. */
    SIGNATURES = GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS |
                 GNUTLS_VERIFY_DISABLE_CA_SIGN | GNUTLS_VERIFY_ALLOW_SIGN_WITH_SHA1
};

/* Each certificate is READ's caller's to let go of, also when one cannot be read. */
static bool read_chain(struct cs_span chain, gnutls_x509_crt_t *read, unsigned *count)
{
    gnutls_datum_t ders[TLS_MAX_CHAIN];
    unsigned given;
    *count = 0;
    if (tls_chain_read(chain, ders, TLS_MAX_CHAIN, &given)) return false;
    while (*count < given) {
        read[*count] = tls_certificate_read((struct cs_span){ders[*count].data, ders[*count].size});
        if (!read[*count]) return false;
        ++*count;
    }
    return *count > 0;
}

/* A root that is alone is its own. */
static bool is_chain_good(gnutls_x509_crt_t *chain, unsigned count)
{
    unsigned wrong = 0;
    if (count == 1) return true;
    return !gnutls_x509_crt_list_verify(chain, count - 1, &chain[count - 1], 1, NULL, 0, SIGNATURES, &wrong) && !wrong;
}

SECURITY_STATUS tls_verify_chain(struct cs_span chain)
{
    gnutls_x509_crt_t read[TLS_MAX_CHAIN];
    unsigned count;
    const bool good = read_chain(chain, read, &count) && is_chain_good(read, count);
    for (unsigned i = 0; i < count; i++) gnutls_x509_crt_deinit(read[i]);
    return good ? SEC_E_OK : SEC_E_CERT_UNKNOWN;
}

SECURITY_STATUS tls_verify_list(struct cs_span list, struct cs_span issuer)
{
    const gnutls_datum_t bytes = {(uint8_t *)list.data, (unsigned)list.size};
    /* Of its time GnuTLS speaks whatever it is told. */
    const unsigned outdated =
        GNUTLS_CERT_INVALID | GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED | GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE;
    gnutls_x509_crt_t signer = tls_certificate_read(issuer);
    gnutls_x509_crl_t read = NULL;
    unsigned wrong = 0;
    const bool good = signer && !gnutls_x509_crl_init(&read) &&
                      !gnutls_x509_crl_import(read, &bytes, GNUTLS_X509_FMT_DER) &&
                      !gnutls_x509_crl_verify(read, &signer, 1, SIGNATURES, &wrong) && !(wrong & ~outdated);
    if (read) gnutls_x509_crl_deinit(read);
    gnutls_x509_crt_deinit(signer);
    return good ? SEC_E_OK : SEC_E_CERT_UNKNOWN;
}
