/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tls_ocsp.h"

#include "tlv.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>

static void must(int result)
{
    if (result < 0) abort();
}

/* ---- certificates ---- */

enum { DAY = 86400 };

static const struct kind {
    const char *name;
    enum tls_ocsp_certificate issuer;
    bool authority;
    const char *purpose;
    int from, to; /* seconds from now */
} kinds[TLS_OCSP_CERTIFICATES] = {
    [TLS_OCSP_ROOT] = {"CN=Root", TLS_OCSP_ROOT, true, NULL, -DAY, DAY},
    [TLS_OCSP_MIDDLE] = {"CN=Middle", TLS_OCSP_ROOT, true, NULL, -DAY, DAY},
    [TLS_OCSP_TWIN] = {"CN=Middle", TLS_OCSP_ROOT, true, NULL, -DAY, DAY},
    [TLS_OCSP_LEAF] = {"CN=localhost", TLS_OCSP_MIDDLE, false, GNUTLS_KP_TLS_WWW_SERVER, -DAY, DAY},
    [TLS_OCSP_RESPONDER] = {"CN=Responder", TLS_OCSP_MIDDLE, false, GNUTLS_KP_OCSP_SIGNING, -DAY, DAY},
    [TLS_OCSP_UNPURPOSED] = {"CN=Nothing", TLS_OCSP_MIDDLE, false, NULL, -DAY, DAY},
    [TLS_OCSP_SERVER] = {"CN=Server", TLS_OCSP_MIDDLE, false, GNUTLS_KP_TLS_WWW_SERVER, -DAY, DAY},
    [TLS_OCSP_FORMER] = {"CN=Former", TLS_OCSP_MIDDLE, false, GNUTLS_KP_OCSP_SIGNING, -2 * DAY, -DAY},
    [TLS_OCSP_TWIN_RESPONDER] = {"CN=Twin", TLS_OCSP_TWIN, false, GNUTLS_KP_OCSP_SIGNING, -DAY, DAY},
    [TLS_OCSP_ROOT_RESPONDER] = {"CN=Elder", TLS_OCSP_ROOT, false, GNUTLS_KP_OCSP_SIGNING, -DAY, DAY},
};

struct made {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
    gnutls_datum_t der;
};

static const struct made *make(enum tls_ocsp_certificate which);

static void sign_certificate(struct made *made, const struct kind *kind, const struct made *issuer)
{
    gnutls_x509_crt_t certificate = made->certificate;
    if (kind->authority) {
        must(gnutls_x509_crt_set_basic_constraints(certificate, 1, -1));
        must(gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_DIGITAL_SIGNATURE));
    }
    if (kind->purpose) must(gnutls_x509_crt_set_key_purpose_oid(certificate, kind->purpose, 0));
    must(gnutls_x509_crt_sign2(certificate, issuer->certificate, issuer->key, GNUTLS_DIG_SHA256, 0));
    must(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &made->der));
}

static const struct made *make(enum tls_ocsp_certificate which)
{
    static struct made all[TLS_OCSP_CERTIFICATES];
    struct made *made = &all[which];
    const struct kind *kind = &kinds[which];
    const uint8_t serial = which == TLS_OCSP_LEAF ? TLS_OCSP_SERIAL : (uint8_t)(TLS_OCSP_OTHERS + which);
    if (made->der.size) return made;
    must(gnutls_x509_privkey_init(&made->key));
    must(gnutls_x509_privkey_generate(made->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    must(gnutls_x509_crt_init(&made->certificate));
    must(gnutls_x509_crt_set_version(made->certificate, 3));
    must(gnutls_x509_crt_set_serial(made->certificate, &serial, 1));
    must(gnutls_x509_crt_set_activation_time(made->certificate, time(NULL) + kind->from));
    must(gnutls_x509_crt_set_expiration_time(made->certificate, time(NULL) + kind->to));
    must(gnutls_x509_crt_set_dn(made->certificate, kind->name, NULL));
    must(gnutls_x509_crt_set_key(made->certificate, made->key));
    sign_certificate(made, kind, kind->issuer == which ? made : make(kind->issuer));
    return made;
}

struct cs_span tls_ocsp_der(enum tls_ocsp_certificate which)
{
    const struct made *made = make(which);
    return (struct cs_span){made->der.data, made->der.size};
}

static void append_certificate(struct cs_writer *chain, enum tls_ocsp_certificate which)
{
    const struct cs_span der = tls_ocsp_der(which);
    cs_write_be(chain, der.size, 3);
    cs_write_span(chain, der);
}

const struct tls_world_certificate *tls_ocsp_server(void)
{
    static struct tls_world_certificate server;
    if (server.chain.size) return &server;
    struct cs_writer chain = {0};
    gnutls_datum_t key;
    append_certificate(&chain, TLS_OCSP_LEAF);
    append_certificate(&chain, TLS_OCSP_MIDDLE);
    must(gnutls_x509_privkey_export2_pkcs8(make(TLS_OCSP_LEAF)->key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN,
                                           &key));
    server = (struct tls_world_certificate){cs_written(&chain), {key.data, key.size}};
    return &server;
}

/* ---- responses ---- */

enum { DER_BIT_STRING = 0x03, DER_GENERALIZED_TIME = 0x18 };

#define BYTES(text) ((struct cs_span){(const uint8_t *)(text), sizeof(text) - 1})

static void write_time(struct cs_writer *output, int seconds)
{
    char text[16];
    struct tm parts;
    const time_t when = time(NULL) + seconds;
    gmtime_r(&when, &parts);
    strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &parts);
    cs_der_write(output, DER_GENERALIZED_TIME, (struct cs_span){(const uint8_t *)text, 15});
}

static void write_hash(struct cs_writer *output, bool sha256, struct cs_span bytes)
{
    const gnutls_digest_algorithm_t algorithm = sha256 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA1;
    uint8_t digest[32];
    must(gnutls_hash_fast(algorithm, bytes.data, bytes.size, digest));
    cs_der_write(output, DER_OCTET_STRING, (struct cs_span){digest, gnutls_hash_get_len(algorithm)});
}

/* The bits of its public key: of an uncompressed point on P-256 all but the first 26 bytes of its information. */
static void write_key_hash(struct cs_writer *output, bool sha256, enum tls_ocsp_certificate which)
{
    gnutls_pubkey_t key;
    gnutls_datum_t info;
    must(gnutls_pubkey_init(&key));
    must(gnutls_pubkey_import_x509(key, make(which)->certificate, 0));
    must(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &info));
    write_hash(output, sha256, (struct cs_span){info.data + 26, info.size - 26});
    gnutls_free(info.data);
    gnutls_pubkey_deinit(key);
}

static struct cs_span name_of(enum tls_ocsp_certificate which, gnutls_datum_t *owned)
{
    must(gnutls_x509_crt_get_raw_dn(make(which)->certificate, owned));
    return (struct cs_span){owned->data, owned->size};
}

static void write_id(struct cs_writer *output, const struct tls_ocsp_single *single)
{
    const size_t start = output->size;
    gnutls_datum_t name;
    cs_write_span(output, single->sha256 ? BYTES("\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01")
                                         : BYTES("\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a"));
    write_hash(output, single->sha256, name_of(single->name_of, &name));
    gnutls_free(name.data);
    write_key_hash(output, single->sha256, single->key_of);
    cs_der_write(output, DER_INTEGER, (struct cs_span){&single->serial, 1});
    cs_der_wrap(output, start, DER_SEQUENCE);
}

static void write_single(struct cs_writer *output, const struct tls_ocsp_single *single)
{
    const size_t start = output->size;
    write_id(output, single);
    const size_t status = output->size;
    if (single->status == TLS_OCSP_REVOKED) write_time(output, -7200);
    cs_der_wrap(output, status, (uint8_t)(single->status == TLS_OCSP_REVOKED ? 0xA1 : 0x80 | single->status));
    write_time(output, single->from);
    const size_t next = output->size;
    if (single->to) {
        write_time(output, single->to);
        cs_der_wrap(output, next, DER_CONTEXT_0);
    }
    cs_der_wrap(output, start, DER_SEQUENCE);
}

static void write_responder(struct cs_writer *output, const struct tls_ocsp *description)
{
    const size_t start = output->size;
    gnutls_datum_t name;
    if (description->by_key) {
        write_key_hash(output, false, description->signer);
    } else {
        cs_write_span(output, name_of(description->signer, &name));
        gnutls_free(name.data);
    }
    cs_der_wrap(output, start, DER_CONTEXT_0 + (description->by_key ? 2 : 1));
}

void tls_ocsp_write_data(struct cs_writer *output, const struct tls_ocsp *description)
{
    const size_t start = output->size;
    write_responder(output, description);
    write_time(output, 0);
    const size_t singles = output->size;
    for (unsigned i = 0; i < description->count; i++) write_single(output, &description->singles[i]);
    cs_der_wrap(output, singles, DER_SEQUENCE);
    if (description->critical) /* [1] SEQUENCE of SEQUENCE {1.2.3.4, TRUE, NULL} */
        cs_write_span(output, BYTES("\xa1\x10\x30\x0e\x30\x0c\x06\x03\x2a\x03\x04\x01\x01\xff\x04\x02\x05\x00"));
    cs_der_wrap(output, start, DER_SEQUENCE);
}

static void write_signature(struct cs_writer *output, const struct tls_ocsp *description, struct cs_span tbs)
{
    const gnutls_datum_t data = {(uint8_t *)tbs.data, (unsigned)tbs.size};
    gnutls_privkey_t key;
    gnutls_datum_t signature;
    cs_write_span(output, description->sha1 ? BYTES("\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01")
                                            : BYTES("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"));
    must(gnutls_privkey_init(&key));
    must(gnutls_privkey_import_x509(key, make(description->signer)->key, 0));
    must(gnutls_privkey_sign_data(key, description->sha1 ? GNUTLS_DIG_SHA1 : GNUTLS_DIG_SHA256, 0, &data, &signature));
    const size_t start = output->size;
    cs_write_u8(output, 0);
    cs_write_span(output, (struct cs_span){signature.data, signature.size});
    cs_der_wrap(output, start, DER_BIT_STRING);
    gnutls_free(signature.data);
    gnutls_privkey_deinit(key);
}

static void write_certificates(struct cs_writer *output, const struct tls_ocsp *description)
{
    const size_t start = output->size;
    const bool known = description->signer == TLS_OCSP_ROOT || description->signer == TLS_OCSP_MIDDLE;
    if (known || description->without_certificate) return;
    cs_write_span(output, tls_ocsp_der(description->signer));
    cs_der_wrap(output, start, DER_SEQUENCE);
    cs_der_wrap(output, start, DER_CONTEXT_0);
}

void tls_ocsp_sign(struct cs_writer *output, const struct tls_ocsp *description, struct cs_span tbs)
{
    const size_t start = output->size;
    cs_der_write(output, DER_ENUMERATED, (struct cs_span){&description->response_status, 1});
    const size_t bytes = output->size;
    if (!description->response_status || description->answers_all_the_same) {
        cs_der_write(output, DER_OID, BYTES("\x2b\x06\x01\x05\x05\x07\x30\x01\x01"));
        const size_t basic = output->size;
        cs_write_span(output, tbs);
        write_signature(output, description, tbs);
        write_certificates(output, description);
        cs_der_wrap(output, basic, DER_SEQUENCE);
        cs_der_wrap(output, basic, DER_OCTET_STRING);
        cs_der_wrap(output, bytes, DER_SEQUENCE);
        cs_der_wrap(output, bytes, DER_CONTEXT_0);
    }
    cs_der_wrap(output, start, DER_SEQUENCE);
}

void tls_ocsp_write(struct cs_writer *output, const struct tls_ocsp *description)
{
    struct cs_writer tbs = {0};
    tls_ocsp_write_data(&tbs, description);
    tls_ocsp_sign(output, description, cs_written(&tbs));
    cs_writer_drop(&tbs);
}

struct tls_ocsp tls_ocsp_about_leaf(enum tls_ocsp_status status)
{
    return (struct tls_ocsp){.count = 1,
                             .singles = {{.status = status,
                                          .from = -3600,
                                          .to = 3600,
                                          .serial = TLS_OCSP_SERIAL,
                                          .name_of = TLS_OCSP_MIDDLE,
                                          .key_of = TLS_OCSP_MIDDLE}},
                             .signer = TLS_OCSP_MIDDLE};
}
