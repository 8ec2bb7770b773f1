/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose certificates a server takes: the names in its CertificateRequest. A client tells its program, and looks whether
 * its own certificate is one of them; a server offers those of its credential's roots.
 */
#include "tls_context.h"

#include "secure.h"
#include "utf16.h"

#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>

enum { CERTIFICATE_AUTHORITIES = 47 };

/* Each name behind its length in two bytes, none of them empty (RFC 5246 7.4.4, RFC 8446 4.2.4). */
static bool are_names(struct cs_span list)
{
    struct cs_reader reader = cs_reader_of(list);
    while (reader.remaining && !reader.failed)
        if (!cs_read_span(&reader, (size_t)cs_read_be(&reader, 2)).size) return false;
    return !reader.failed;
}

/*
 * RFC 5246 7.4.4: types, signatures, names. Up to TLS 1.1 there are no signatures (RFC 4346 7.4.4), which the length
 * tells: the two forms never end at the same place.
 */
static bool read_tls12(struct cs_span body, struct cs_span *names)
{
    struct cs_reader reader = cs_reader_of(body);
    cs_read_span(&reader, cs_read_u8(&reader));
    *names = cs_read_span(&reader, (size_t)cs_read_be(&reader, 2));
    if (reader.remaining) *names = cs_read_span(&reader, (size_t)cs_read_be(&reader, 2));
    return !reader.failed && !reader.remaining;
}

/* RFC 8446 4.3.2: a context, and extensions, of which one may have the names, behind a length of their own. */
static bool read_tls13(struct cs_span body, struct cs_span *names)
{
    struct cs_reader reader = cs_reader_of(body);
    cs_read_span(&reader, cs_read_u8(&reader));
    struct cs_reader extensions = cs_reader_of(cs_read_span(&reader, (size_t)cs_read_be(&reader, 2)));
    *names = (struct cs_span){NULL, 0};
    while (extensions.remaining && !extensions.failed) {
        const uint64_t type = cs_read_be(&extensions, 2);
        struct cs_reader value = cs_reader_of(cs_read_span(&extensions, (size_t)cs_read_be(&extensions, 2)));
        if (type != CERTIFICATE_AUTHORITIES) continue;
        *names = cs_read_span(&value, (size_t)cs_read_be(&value, 2));
        if (value.failed || value.remaining) return false;
    }
    return !reader.failed && !reader.remaining && !extensions.failed;
}

bool tls_issuers_read(struct cs_span body, bool tls13, struct cs_span *names)
{
    const bool read = tls13 ? read_tls13(body, names) : read_tls12(body, names);
    if (read && are_names(*names)) return true;
    *names = (struct cs_span){NULL, 0};
    return false;
}

/* What cannot be read is GnuTLS's to refuse, and no list. */
void tls_issuers_keep(struct tls_context *context, struct cs_span body, bool tls13)
{
    struct cs_span names;
    cs_span_drop(&context->issuers);
    if (tls_issuers_read(body, tls13, &names) && names.size) cs_span_copy(&context->issuers, names);
}

static bool is_listed(const gnutls_datum_t *name, struct cs_span issuers)
{
    struct cs_reader reader = cs_reader_of(issuers);
    while (reader.remaining) {
        const struct cs_span listed = cs_read_span(&reader, (size_t)cs_read_be(&reader, 2));
        if (listed.size == name->size && !memcmp(listed.data, name->data, listed.size)) return true;
    }
    return false;
}

static bool is_issued_by_listed(const gnutls_datum_t *der, struct cs_span issuers)
{
    gnutls_x509_crt_t certificate;
    gnutls_datum_t name = {NULL, 0};
    if (gnutls_x509_crt_init(&certificate)) return false;
    const bool listed = !gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER) &&
                        !gnutls_x509_crt_get_raw_issuer_dn(certificate, &name) && is_listed(&name, issuers);
    gnutls_free(name.data);
    gnutls_x509_crt_deinit(certificate);
    return listed;
}

bool tls_issuers_accept(const struct tls_context *context)
{
    const struct cs_span chain = context->credential->chain;
    gnutls_datum_t certificates[TLS_MAX_CHAIN];
    unsigned count;
    if (!chain.size || tls_chain_read(chain, certificates, TLS_MAX_CHAIN, &count)) return false;
    if (!context->issuers.size) return true; /* whoever it is from (RFC 5246 7.4.4) */
    for (unsigned i = 0; i < count; i++)
        if (is_issued_by_listed(&certificates[i], context->issuers)) return true;
    return false;
}

/* The one certificate DER becomes an issuer that GnuTLS's server names. */
static SECURITY_STATUS offer_one(gnutls_certificate_credentials_t certificates, const gnutls_datum_t *der, size_t *left)
{
    gnutls_x509_crt_t root;
    gnutls_datum_t name = {NULL, 0};
    SECURITY_STATUS status = SEC_E_OK;
    if (gnutls_x509_crt_init(&root)) return SEC_E_INSUFFICIENT_MEMORY;
    if (!gnutls_x509_crt_import(root, der, GNUTLS_X509_FMT_DER) && !gnutls_x509_crt_get_raw_dn(root, &name) &&
        name.size + 2 <= *left) {
        *left -= name.size + 2;
        if (gnutls_certificate_set_x509_trust(certificates, &root, 1) < 0) status = SEC_E_INSUFFICIENT_MEMORY;
    }
    gnutls_free(name.data);
    gnutls_x509_crt_deinit(root);
    return status;
}

SECURITY_STATUS tls_issuers_offer(gnutls_certificate_credentials_t certificates, struct cs_span roots)
{
    struct cs_reader reader = cs_reader_of(roots);
    size_t left = TLS_MAX_ISSUERS;
    SECURITY_STATUS status = SEC_E_OK;
    while (status == SEC_E_OK && reader.remaining && !reader.failed) {
        const struct cs_span der = cs_read_span(&reader, (size_t)cs_read_be(&reader, 3));
        if (!reader.failed)
            status = offer_one(certificates, &(gnutls_datum_t){(uint8_t *)der.data, (unsigned)der.size}, &left);
    }
    return status ? status : reader.failed ? SEC_E_UNKNOWN_CREDENTIALS : SEC_E_OK;
}
