/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What attributes ask of a context.
 */
#include "tls_suites.h"
#include "tls_context.h"

#include "secure.h"

#include <gnutls/ocsp.h>
#include <gnutls/x509.h>
#include <string.h>

#define CALG_RSA_SIGN 0x2400
#define CALG_ECDSA 0x2203

static void fill_version(const struct tls_context *context, struct tls_info *info)
{
    static const struct {
        gnutls_protocol_t version;
        uint16_t wire;
        uint32_t server, client;
    } versions[] = {
        {GNUTLS_TLS1_0, 0x0301, SP_PROT_TLS1_0_SERVER, SP_PROT_TLS1_0_CLIENT},
        {GNUTLS_TLS1_1, 0x0302, SP_PROT_TLS1_1_SERVER, SP_PROT_TLS1_1_CLIENT},
        {GNUTLS_TLS1_2, 0x0303, SP_PROT_TLS1_2_SERVER, SP_PROT_TLS1_2_CLIENT},
        {GNUTLS_TLS1_3, 0x0304, SP_PROT_TLS1_3_SERVER, SP_PROT_TLS1_3_CLIENT},
        {GNUTLS_DTLS1_0, 0xFEFF, SP_PROT_DTLS1_0_SERVER, SP_PROT_DTLS1_0_CLIENT},
        {GNUTLS_DTLS1_2, 0xFEFD, SP_PROT_DTLS1_2_SERVER, SP_PROT_DTLS1_2_CLIENT},
    };
    const gnutls_protocol_t version = gnutls_protocol_get_version(context->session);
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        if (versions[i].version != version) continue;
        info->version = versions[i].wire;
        info->protocol = context->server ? versions[i].server : versions[i].client;
    }
}

/* The server's own is that of its credential: GnuTLS knows none in a resumed session. False: there is none. */
static bool server_certificate(const struct tls_context *context, gnutls_datum_t *der)
{
    unsigned count = 0;
    if (!context->server) {
        const gnutls_datum_t *peers = gnutls_certificate_get_peers(context->session, &count);
        if (peers) *der = *peers;
        return peers;
    }
    tls_chain_read(context->credential->chain, der, 1, &count); /* the first of however many */
    return count == 1;
}

/* The kind of key in the server's certificate. */
static gnutls_pk_algorithm_t server_key(const struct tls_context *context, unsigned *bits)
{
    gnutls_datum_t der;
    gnutls_x509_crt_t certificate;
    gnutls_pk_algorithm_t algorithm = GNUTLS_PK_UNKNOWN;
    *bits = 0;
    if (!server_certificate(context, &der) || gnutls_x509_crt_init(&certificate)) return algorithm;
    if (!gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER)) {
        const int found = gnutls_x509_crt_get_pk_algorithm(certificate, bits);
        if (found > 0) algorithm = (gnutls_pk_algorithm_t)found;
    }
    gnutls_x509_crt_deinit(certificate);
    return algorithm;
}

static void fill_keys(const struct tls_context *context, struct tls_info *info)
{
    const gnutls_group_t group = gnutls_group_get(context->session);
    unsigned bits;
    const gnutls_pk_algorithm_t key = server_key(context, &bits);
    const bool rsa = key == GNUTLS_PK_RSA || key == GNUTLS_PK_RSA_PSS;
    info->key_type = tls_group_number(group);
    info->exchange_bits = info->key_type ? tls_group_bits(group) : bits;
    if (!info->key_type && gnutls_kx_get(context->session) == GNUTLS_KX_DHE_RSA)
        info->exchange_bits = (uint32_t)gnutls_dh_get_prime_bits(context->session);
    info->certificate = rsa ? "RSA" : key == GNUTLS_PK_ECDSA ? "ECDSA" : "";
    info->signature_id = rsa ? CALG_RSA_SIGN : key == GNUTLS_PK_ECDSA ? CALG_ECDSA : 0;
}

static void fill_suite(const struct tls_context *context, struct tls_info *info)
{
    static const struct tls_suite unknown = {0, "", "", "", "", 0, 0, 0, 0, 0, 0};
    const struct tls_suite *suite = tls_suite_find(gnutls_ciphersuite_get(context->session));
    if (!suite) suite = &unknown;
    info->suite = suite->number;
    info->suite_name = suite->name;
    info->cipher = suite->cipher;
    info->cipher_id = suite->cipher_id;
    info->cipher_bits = suite->cipher_bits;
    info->cipher_block = suite->cipher_block;
    info->hash = suite->hash;
    info->hash_id = suite->hash_id;
    info->hash_bits = suite->hash_bits;
    info->exchange = suite->exchange;
    info->exchange_id = suite->exchange_id;
}

static void fill_session(const struct tls_context *context, struct tls_info *info)
{
    gnutls_datum_t protocol;
    size_t size = sizeof info->session_id;
    info->resumed = gnutls_session_is_resumed(context->session);
    if (!gnutls_session_get_id(context->session, info->session_id, &size)) info->session_id_size = (uint32_t)size;
    if (!gnutls_alpn_get_selected_protocol(context->session, &protocol) && protocol.size <= sizeof info->alpn_name) {
        info->alpn = true;
        info->alpn_size = protocol.size;
        memcpy(info->alpn_name, protocol.data, protocol.size);
    }
}

static bool is_through(const struct tls_context *context)
{
    return context->phase == TLS_COMPLETE || context->phase == TLS_CLOSED;
}

/* Queries hold both locks, as legs do. */
static bool enter(struct tls_context *context)
{
    const bool reading = tls_lock_reading(context), writing = tls_lock_writing(context);
    return reading && writing && context->session;
}

static void leave(struct tls_context *context)
{
    cs_unlock(&context->writing);
    cs_unlock(&context->reading);
}

SECURITY_STATUS tls_query(struct tls_context *context, struct tls_info *info)
{
    memset(info, 0, sizeof *info);
    const bool ready = enter(context) && is_through(context);
    if (ready) {
        fill_version(context, info);
        fill_suite(context, info);
        fill_keys(context, info);
        fill_session(context, info);
        info->header = context->header;
        info->trailer = context->trailer;
        info->maximum = context->maximum;
    }
    leave(context);
    return ready ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

static SECURITY_STATUS binding(const struct tls_context *context, gnutls_channel_binding_t type, const char *prefix,
                               struct cs_writer *output)
{
    gnutls_datum_t value;
    if (gnutls_session_channel_binding(context->session, type, &value)) return SEC_E_UNSUPPORTED_FUNCTION;
    cs_write_span(output, (struct cs_span){(const uint8_t *)prefix, strlen(prefix)});
    cs_write_span(output, (struct cs_span){value.data, value.size});
    gnutls_free(value.data);
    return SEC_E_OK;
}

/* RFC 5929 4.1: the certificate's own hash, but SHA-256 for MD5 and SHA-1. GnuTLS's own binding knows only clients. */
static gnutls_digest_algorithm_t binding_hash(const gnutls_datum_t *der)
{
    gnutls_x509_crt_t certificate;
    gnutls_digest_algorithm_t hash = GNUTLS_DIG_SHA256;
    if (gnutls_x509_crt_init(&certificate)) return hash;
    if (!gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER)) {
        const int algorithm = gnutls_x509_crt_get_signature_algorithm(certificate);
        if (algorithm > 0) hash = gnutls_sign_get_hash_algorithm((gnutls_sign_algorithm_t)algorithm);
    }
    gnutls_x509_crt_deinit(certificate);
    return hash == GNUTLS_DIG_SHA384 || hash == GNUTLS_DIG_SHA512 ? hash : GNUTLS_DIG_SHA256;
}

static SECURITY_STATUS endpoint_binding(const struct tls_context *context, struct cs_writer *output)
{
    static const char prefix[] = "tls-server-end-point:";
    gnutls_datum_t der;
    uint8_t digest[64];
    if (!server_certificate(context, &der)) return SEC_E_NO_CREDENTIALS;
    const gnutls_digest_algorithm_t hash = binding_hash(&der);
    if (gnutls_hash_fast(hash, der.data, der.size, digest)) return SEC_E_INTERNAL_ERROR;
    cs_write_span(output, (struct cs_span){(const uint8_t *)prefix, sizeof prefix - 1});
    cs_write_span(output, (struct cs_span){digest, gnutls_hash_get_len(hash)});
    return SEC_E_OK;
}

static SECURITY_STATUS peer_chain(const struct tls_context *context, struct cs_writer *output)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(context->session, &count);
    if (!chain || !count) return SEC_E_NO_CREDENTIALS;
    tls_chain_write(output, chain, count);
    return SEC_E_OK;
}

static SECURITY_STATUS local_chain(const struct tls_context *context, struct cs_writer *output)
{
    const struct cs_span chain = context->credential->chain;
    const bool asked = context->server || gnutls_certificate_client_get_request_status(context->session);
    if (!asked || !chain.size) return SEC_E_NO_CREDENTIALS;
    cs_write_span(output, chain);
    return SEC_E_OK;
}

static SECURITY_STATUS server_name(const struct tls_context *context, struct cs_writer *output)
{
    char name[256];
    size_t size = sizeof name;
    unsigned type;
    if (gnutls_server_name_get(context->session, name, &size, &type, 0)) return SEC_E_NO_CREDENTIALS;
    cs_write_span(output, (struct cs_span){(const uint8_t *)name, size});
    return SEC_E_OK;
}

static SECURITY_STATUS stapled(const struct tls_context *context, struct cs_writer *output)
{
    gnutls_datum_t response;
    if (gnutls_ocsp_status_request_get2(context->session, 0, &response)) return SEC_E_NO_CREDENTIALS;
    cs_write_span(output, (struct cs_span){response.data, response.size});
    return SEC_E_OK;
}

/* Each certificate of TLS 1.3 has its own; in TLS 1.2 it is the first one's. */
static enum tls_stapled check_stapled(const struct tls_context *context, struct cs_span certificate,
                                      struct cs_span issuer)
{
    unsigned count = 0;
    gnutls_datum_t response;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(context->session, &count);
    for (unsigned i = 0; chain && i < count; i++)
        if (chain[i].size == certificate.size && !memcmp(chain[i].data, certificate.data, certificate.size))
            return gnutls_ocsp_status_request_get2(context->session, i, &response)
                       ? TLS_STAPLED_NONE
                       : tls_stapled_judge((struct cs_span){response.data, response.size}, certificate, issuer);
    return TLS_STAPLED_NONE;
}

SECURITY_STATUS tls_check_stapled(struct tls_context *context, struct cs_span certificate, struct cs_span issuer,
                                  enum tls_stapled *found)
{
    const bool entered = enter(context);
    *found = entered ? check_stapled(context, certificate, issuer) : TLS_STAPLED_NONE;
    leave(context);
    return entered ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

SECURITY_STATUS tls_check_name(struct tls_context *context, struct cs_span certificate)
{
    SECURITY_STATUS status = enter(context) ? tls_name_check(context, certificate) : SEC_E_INVALID_HANDLE;
    leave(context);
    return status;
}

static SECURITY_STATUS extensions(const struct tls_context *context, struct cs_writer *output)
{
    if (context->extensions.failed) return SEC_E_INSUFFICIENT_MEMORY;
    cs_write_span(output, cs_written(&context->extensions));
    return SEC_E_OK;
}

static SECURITY_STATUS query_bytes(const struct tls_context *context, enum tls_bytes which, struct cs_writer *output)
{
    if (which == TLS_PEER_CHAIN) return peer_chain(context, output);
    if (which == TLS_STAPLED) return stapled(context, output);
    if (which == TLS_ISSUERS) {
        cs_write_span(output, context->issuers);
        return SEC_E_OK;
    }
    if (!is_through(context)) return SEC_E_INVALID_HANDLE;
    switch (which) {
    case TLS_LOCAL_CHAIN: return local_chain(context, output);
    case TLS_ENDPOINT_BINDINGS: return endpoint_binding(context, output);
    case TLS_UNIQUE_BINDINGS: return binding(context, GNUTLS_CB_TLS_UNIQUE, "tls-unique:", output);
    case TLS_EXPORTER_BINDINGS: return binding(context, GNUTLS_CB_TLS_EXPORTER, "tls-exporter:", output);
    case TLS_SERVER_NAME: return server_name(context, output);
    case TLS_EXTENSIONS: return extensions(context, output);
    case TLS_SRTP: tls_srtp_write(context, output); return SEC_E_OK;
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
}

SECURITY_STATUS tls_query_bytes(struct tls_context *context, enum tls_bytes which, struct cs_writer *output)
{
    SECURITY_STATUS status = enter(context) ? query_bytes(context, which, output) : SEC_E_INVALID_HANDLE;
    leave(context);
    return output->failed ? SEC_E_INSUFFICIENT_MEMORY : status;
}

SECURITY_STATUS tls_export(struct tls_context *context, struct cs_span label, struct cs_span context_value, size_t size,
                           struct cs_writer *output)
{
    SECURITY_STATUS status = SEC_E_INVALID_HANDLE;
    uint8_t *room = cs_write_room(output, size);
    if (enter(context) && is_through(context) && !output->failed)
        status = size && gnutls_prf_rfc5705(context->session, label.size, (const char *)label.data, context_value.size,
                                            (const char *)context_value.data, size, (char *)room)
                     ? SEC_E_INTERNAL_ERROR
                     : SEC_E_OK;
    leave(context);
    return output->failed ? SEC_E_INSUFFICIENT_MEMORY : status;
}
