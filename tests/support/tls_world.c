/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tls_world.h"

#include "sspi_values.h"
#include "utf16.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BOTH_CLIENT (SP_PROT_TLS1_2_CLIENT | SP_PROT_TLS1_3_CLIENT)
#define BOTH_SERVER (SP_PROT_TLS1_2_SERVER | SP_PROT_TLS1_3_SERVER)

/* ---- certificates ---- */

static void must(int result)
{
    if (result < 0) abort();
}

static gnutls_x509_privkey_t make_key(enum tls_world_key kind)
{
    gnutls_x509_privkey_t key;
    must(gnutls_x509_privkey_init(&key));
    switch (kind) {
    case TLS_WORLD_P256:
    case TLS_WORLD_P384: {
        const gnutls_ecc_curve_t curve =
            kind == TLS_WORLD_P256 ? GNUTLS_ECC_CURVE_SECP256R1 : GNUTLS_ECC_CURVE_SECP384R1;
        must(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(curve), 0));
        break;
    }
    case TLS_WORLD_ED25519: must(gnutls_x509_privkey_generate(key, GNUTLS_PK_EDDSA_ED25519, 256, 0)); break;
    default: must(gnutls_x509_privkey_generate(key, GNUTLS_PK_RSA, 2048, 0)); break;
    }
    return key;
}

static gnutls_x509_crt_t make_certificate(gnutls_x509_privkey_t key, enum tls_world_key kind)
{
    const gnutls_digest_algorithm_t hash = kind == TLS_WORLD_P384      ? GNUTLS_DIG_SHA384
                                           : kind == TLS_WORLD_ED25519 ? GNUTLS_DIG_SHA512
                                                                       : GNUTLS_DIG_SHA256;
    gnutls_x509_crt_t certificate;
    must(gnutls_x509_crt_init(&certificate));
    must(gnutls_x509_crt_set_version(certificate, 3));
    must(gnutls_x509_crt_set_serial(certificate, "\x01", 1));
    must(gnutls_x509_crt_set_activation_time(certificate, time(NULL) - 3600));
    must(gnutls_x509_crt_set_expiration_time(certificate, time(NULL) + 86400));
    must(gnutls_x509_crt_set_dn(certificate, "CN=localhost", NULL));
    must(gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, "localhost", 9, GNUTLS_FSAN_SET));
    must(gnutls_x509_crt_set_key(certificate, key));
    must(gnutls_x509_crt_sign2(certificate, certificate, key, hash, 0));
    return certificate;
}

static struct cs_span chain_of(gnutls_x509_crt_t certificate)
{
    gnutls_datum_t der;
    struct cs_writer chain = {0};
    must(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der));
    cs_write_be(&chain, der.size, 3);
    cs_write_span(&chain, (struct cs_span){der.data, der.size});
    gnutls_free(der.data);
    return cs_written(&chain);
}

static struct cs_span pkcs8_of(gnutls_x509_privkey_t key)
{
    gnutls_datum_t der;
    must(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_DER, NULL, GNUTLS_PKCS_PLAIN, &der));
    return (struct cs_span){der.data, der.size};
}

const struct tls_world_certificate *tls_world_certificate(enum tls_world_key kind)
{
    static struct tls_world_certificate made[TLS_WORLD_KEYS];
    if (!made[kind].chain.size) {
        gnutls_x509_privkey_t key = make_key(kind);
        gnutls_x509_crt_t certificate = make_certificate(key, kind);
        made[kind] = (struct tls_world_certificate){chain_of(certificate), pkcs8_of(key)};
        gnutls_x509_crt_deinit(certificate);
        gnutls_x509_privkey_deinit(key);
    }
    return &made[kind];
}

/* ---- both ends ---- */

static SECURITY_STATUS make_credential(const struct tls_world_setup *setup, bool server, struct tls_credential **out)
{
    struct tls_credential_request request = {.server = server, .resume = setup->resume, .habits = setup->habits};
    request.protocols = server ? setup->server_protocols : setup->client_protocols;
    if (!request.protocols) request.protocols = server ? BOTH_SERVER : BOTH_CLIENT;
    request.without = server ? setup->server_without : setup->client_without;
    request.lifespan = server ? setup->server_lifespan : setup->client_lifespan;
    request.suites = server ? setup->server_suites : setup->client_suites;
    if (server) request.issuers = setup->issuers;
    if (server) request.stapled = setup->stapled;
    if (server || setup->client_certificate) {
        const bool other = server && setup->server_certificate;
        const struct tls_world_certificate *certificate =
            other ? setup->server_certificate : tls_world_certificate(setup->key);
        request.chain = certificate->chain;
        request.key = certificate->key;
        request.key_format = TLS_KEY_PKCS8;
    }
    return tls_credential_new(&request, out);
}

SECURITY_STATUS tls_world_open(struct tls_world_pair *pair, const struct tls_world_setup *setup)
{
    *pair = (struct tls_world_pair){0};
    SECURITY_STATUS status = make_credential(setup, false, &pair->client_credential);
    return status ? status : make_credential(setup, true, &pair->server_credential);
}

static void fetch(struct tls_context *context, const struct tls_leg *leg, struct cs_writer *output)
{
    uint8_t *room = leg->token_size ? cs_write_room(output, leg->token_size) : NULL;
    if (leg->token_size && tls_fetch_token(context, room, leg->token_size)) abort();
}

/* In UTF-16LE. Returns its size. */
static size_t target_of(const struct tls_world_setup *setup, uint8_t bytes[128])
{
    const char *target = setup->target ? setup->target : "localhost";
    size_t i = 0;
    for (; target[i] && i < 64; i++) bytes[2 * i] = (uint8_t)target[i], bytes[2 * i + 1] = 0;
    return 2 * i;
}

SECURITY_STATUS tls_world_leg(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client,
                              struct cs_span input, size_t *consumed, struct cs_writer *output)
{
    uint8_t target[128];
    struct tls_context **context = client ? &pair->client : &pair->server;
    struct tls_leg leg = {.credential = client ? pair->client_credential : pair->server_credential,
                          .flags = client ? setup->client_flags : setup->server_flags,
                          .target = {target, client ? target_of(setup, target) : 0},
                          .input = input,
                          .protocols = client ? setup->client_offer : setup->server_offer,
                          .srtp_profiles = client ? setup->client_profiles : setup->server_profiles,
                          .srtp_identifier = client ? setup->client_identifier : setup->server_identifier,
                          .mtu = setup->mtu,
                          .address = client ? (struct cs_span){NULL, 0} : setup->address,
                          .room = 65536};
    if (!input.data) leg.flags |= TLS_LEG_NO_INPUT;
    if (setup->datagram) leg.flags |= TLS_LEG_DATAGRAM;
    SECURITY_STATUS status = tls_leg(context, &leg);
    *consumed = leg.consumed;
    while (status == TLS_I_VERIFY_PEER) {
        struct cs_reader rest = cs_reader_of(input);
        cs_read_span(&rest, *consumed);
        leg.input = (struct cs_span){rest.next, rest.remaining};
        leg.flags |= TLS_LEG_VERDICT;
        leg.verdict = pair->judge ? pair->judge(*context) : pair->verdict;
        leg.consumed = 0;
        pair->asked++;
        status = tls_leg(context, &leg);
        *consumed += leg.consumed;
    }
    if (*context) fetch(*context, &leg, output);
    return status;
}

/* What one side has sent and the other has not taken yet. */
struct line {
    struct cs_writer bytes;
    size_t taken;
};

/* One leg with what is there; whether anything happened. */
static bool turn(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client, struct line *in,
                 struct line *out, size_t piece)
{
    SECURITY_STATUS *status = client ? &pair->client_status : &pair->server_status;
    size_t size = in->bytes.size - in->taken, consumed = 0, offered = piece && piece < size ? piece : size;
    const bool begins = client && !pair->client;
    if (!begins && !size) return false;
    do {
        const struct cs_span input = {begins ? NULL : in->bytes.data + in->taken, offered};
        *status = tls_world_leg(pair, setup, client, input, &consumed, &out->bytes);
        if (*status != SEC_E_INCOMPLETE_MESSAGE) break;
        if (!client && pair->server && offered < size && !in->taken) { /* nothing is begun with half a record */
            tls_context_release(pair->server);
            pair->server = NULL;
        }
        offered += piece;
        if (offered > size) offered = size;
    } while (piece && consumed == 0 && offered <= size && (offered < size || piece < size));
    if (*status != SEC_I_INCOMPLETE_CREDENTIALS) in->taken += consumed; /* all of it comes once more */
    return true;
}

bool tls_world_shake(struct tls_world_pair *pair, const struct tls_world_setup *setup, size_t piece)
{
    struct line to_server = {0}, to_client = {0};
    bool moved = true;
    pair->client_status = pair->server_status = SEC_I_CONTINUE_NEEDED;
    while (moved && pair->client_status >= 0 && pair->server_status >= 0) {
        moved = false;
        if (pair->client_status != SEC_E_OK) moved |= turn(pair, setup, true, &to_client, &to_server, piece);
        if (pair->client_status >= 0 && pair->server_status != SEC_E_OK)
            moved |= turn(pair, setup, false, &to_server, &to_client, piece);
    }
    /* An alert still reaches the other side. Tickets wait for whoever reads them. */
    if (pair->client_status < 0) turn(pair, setup, false, &to_server, &to_client, 0);
    if (pair->server_status < 0) turn(pair, setup, true, &to_client, &to_server, 0);
    const bool through = pair->client_status == SEC_E_OK && pair->server_status == SEC_E_OK;
    if (through && setup->habits & TLS_QUIET)
        cs_write_span(&pair->left,
                      (struct cs_span){to_client.bytes.data + to_client.taken, to_client.bytes.size - to_client.taken});
    else if (through && to_client.taken < to_client.bytes.size)
        turn(pair, setup, true, &to_client, &to_server, 0);
    cs_writer_drop(&to_server.bytes);
    cs_writer_drop(&to_client.bytes);
    return through;
}

void tls_world_hang_up(struct tls_world_pair *pair)
{
    tls_context_release(pair->client);
    tls_context_release(pair->server);
    pair->client = pair->server = NULL;
}

void tls_world_close(struct tls_world_pair *pair)
{
    tls_world_hang_up(pair);
    cs_writer_drop(&pair->left);
    tls_credential_release(pair->client_credential);
    tls_credential_release(pair->server_credential);
}

SECURITY_STATUS tls_world_seal(struct tls_context *from, const void *data, size_t size, struct cs_writer *record)
{
    struct tls_info info;
    SECURITY_STATUS status = tls_query(from, &info);
    if (status) return status;
    const size_t start = record->size;
    uint8_t *room = cs_write_room(record, info.header + size + info.trailer);
    if (size) memcpy(room + info.header, data, size);
    struct cs_buffer buffers[] = {
        {info.header, SECBUFFER_STREAM_HEADER, (uintptr_t)room},
        {(uint32_t)size, SECBUFFER_DATA, (uintptr_t)(room + info.header)},
        {info.trailer, SECBUFFER_STREAM_TRAILER, (uintptr_t)(room + info.header + size)},
        {0, SECBUFFER_EMPTY, 0},
    };
    status = tls_encrypt(from, &(struct cs_message){buffers, 4});
    record->size = start + (status ? 0 : buffers[0].size + buffers[1].size + buffers[2].size);
    return status;
}

SECURITY_STATUS tls_world_open_record(struct tls_context *to, uint8_t *bytes, size_t size, struct cs_buffer buffers[4])
{
    memset(buffers, 0, 4 * sizeof *buffers);
    buffers[0] = (struct cs_buffer){(uint32_t)size, SECBUFFER_DATA, (uintptr_t)bytes};
    return tls_decrypt(to, &(struct cs_message){buffers, 4});
}
