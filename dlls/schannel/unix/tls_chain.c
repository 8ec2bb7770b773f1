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

SECURITY_STATUS tls_verify_signature(struct cs_span certificate, struct cs_span issuer)
{
    const unsigned flags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS |
                           GNUTLS_VERIFY_DISABLE_CA_SIGN | GNUTLS_VERIFY_ALLOW_ANY_X509_V1_CA_CRT;
    gnutls_x509_crt_t signed_one = tls_certificate_read(certificate), signer = tls_certificate_read(issuer);
    unsigned wrong = 0;
    const bool good = signed_one && signer && !gnutls_x509_crt_verify(signed_one, &signer, 1, flags, &wrong) && !wrong;
    gnutls_x509_crt_deinit(signed_one);
    gnutls_x509_crt_deinit(signer);
    return good ? SEC_E_OK : SEC_E_CERT_UNKNOWN;
}
