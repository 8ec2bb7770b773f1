/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TLS: ours, GnuTLS's own records over memory (peer gnutls-record), and its AEAD calls alone, in place with prepared
 * handles (peer bare). Handshakes: ours against GnuTLS's own, with the same certificate, both sides.
 */
#include "bench.h"
#include "tls_world.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { POOL = 128, RECORD = 16384 + 256, TAG = 16 };

/* What is compared with what: a version and a cipher. */
struct flavour {
    uint32_t client, server, without;
    const char *priority;
    gnutls_cipher_algorithm_t cipher;
    bool resume;
};

#define TLS_1_2 .client = SP_PROT_TLS1_2_CLIENT, .server = SP_PROT_TLS1_2_SERVER
#define TLS_1_3 .client = SP_PROT_TLS1_3_CLIENT, .server = SP_PROT_TLS1_3_SERVER
#define PRIORITY(version, cipher)                                                                                      \
    "NONE:+CTYPE-X509:+VERS-" version ":+" cipher ":+AEAD:+ECDHE-RSA:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256"       \
    ":+GROUP-X25519"

static const struct flavour tls12_128 = {TLS_1_2, .without = TLS_WITHOUT_AES256,
                                         .priority = PRIORITY("TLS1.2", "AES-128-GCM"),
                                         .cipher = GNUTLS_CIPHER_AES_128_GCM};
static const struct flavour tls12_256 = {TLS_1_2, .priority = PRIORITY("TLS1.2", "AES-256-GCM"),
                                         .cipher = GNUTLS_CIPHER_AES_256_GCM};
static const struct flavour tls13_128 = {TLS_1_3, .without = TLS_WITHOUT_AES256,
                                         .priority = PRIORITY("TLS1.3", "AES-128-GCM"),
                                         .cipher = GNUTLS_CIPHER_AES_128_GCM};
static const struct flavour tls13_256 = {TLS_1_3, .priority = PRIORITY("TLS1.3", "AES-256-GCM"),
                                         .cipher = GNUTLS_CIPHER_AES_256_GCM};
static const struct flavour tls12_resume = {TLS_1_2, .priority = PRIORITY("TLS1.2", "AES-256-GCM"),
                                            .cipher = GNUTLS_CIPHER_AES_256_GCM, .resume = true};
static const struct flavour tls13_resume = {TLS_1_3, .priority = PRIORITY("TLS1.3", "AES-256-GCM"),
                                            .cipher = GNUTLS_CIPHER_AES_256_GCM, .resume = true};

static void require(int result, const char *what)
{
    bench_require(result >= 0, what);
}

static void require_status(SECURITY_STATUS status, const char *what)
{
    bench_require_status((uint32_t)status, SEC_E_OK, "ours", what);
}

/* ---- ours ---- */

struct ours {
    struct tls_world_setup setup;
    struct tls_world_pair pair;
    struct tls_info info;
};

static void shake(struct ours *ours)
{
    bench_require(tls_world_shake(&ours->pair, &ours->setup, 0), "ours: handshake");
}

static void *open_ours(const struct flavour *flavour)
{
    struct ours *ours = calloc(1, sizeof *ours);
    bench_require(ours != NULL, "memory");
    ours->setup = (struct tls_world_setup){.client_protocols = flavour->client,
                                           .server_protocols = flavour->server,
                                           .client_without = flavour->without,
                                           .server_without = flavour->without,
                                           .client_flags = TLS_LEG_TRUST_PEER,
                                           .resume = flavour->resume};
    require_status(tls_world_open(&ours->pair, &ours->setup), "credentials");
    shake(ours);
    require_status(tls_query(ours->pair.client, &ours->info), "query");
    return ours;
}

static void close_ours(void *state)
{
    struct ours *ours = state;
    tls_world_close(&ours->pair);
    free(ours);
}

static void handshake_ours(void *state)
{
    struct ours *ours = state;
    tls_world_hang_up(&ours->pair);
    shake(ours);
}

static void seal_ours(void *state, struct bench_message *message)
{
    const struct ours *ours = state;
    struct cs_buffer buffers[4] = {
        {ours->info.header, SECBUFFER_STREAM_HEADER, (uintptr_t)(message->data - ours->info.header)},
        {(uint32_t)message->size, SECBUFFER_DATA, (uintptr_t)message->data},
        {ours->info.trailer, SECBUFFER_STREAM_TRAILER, (uintptr_t)(message->data + message->size)},
    };
    require_status(tls_encrypt(ours->pair.client, &(struct cs_message){buffers, 4}), "EncryptMessage");
}

static void unseal_ours(void *state, struct bench_message *message)
{
    const struct ours *ours = state;
    const size_t size = ours->info.header + message->size + ours->info.trailer;
    struct cs_buffer buffers[4] = {{(uint32_t)size, SECBUFFER_DATA, (uintptr_t)(message->data - ours->info.header)}};
    require_status(tls_decrypt(ours->pair.server, &(struct cs_message){buffers, 4}), "DecryptMessage");
}

/* ---- GnuTLS's own ---- */

struct line {
    uint8_t bytes[POOL][RECORD];
    size_t size[POOL], first, next, taken;
};

struct theirs {
    const struct flavour *flavour;
    gnutls_certificate_credentials_t client_credential, server_credential;
    gnutls_session_t client, server;
    gnutls_datum_t ticket_key, kept;
    struct line to_server, to_client;
};

struct end {
    gnutls_session_t session;
    struct line *in, *out;
};

/* A place of the pool for each call, round and round. */
static ssize_t push(gnutls_transport_ptr_t pointer, const void *data, size_t size)
{
    struct line *out = ((struct end *)pointer)->out;
    if (size > RECORD) size = RECORD;
    memcpy(out->bytes[out->next % POOL], data, size);
    out->size[out->next++ % POOL] = size;
    return (ssize_t)size;
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *data, size_t size)
{
    struct end *end = pointer;
    struct line *in = end->in;
    if (in->first == in->next) {
        gnutls_transport_set_errno(end->session, EAGAIN);
        return -1;
    }
    const size_t left = in->size[in->first % POOL] - in->taken;
    if (size > left) size = left;
    memcpy(data, in->bytes[in->first % POOL] + in->taken, size);
    in->taken += size;
    if (size == left) in->first++, in->taken = 0;
    return (ssize_t)size;
}

static gnutls_session_t begin(struct theirs *theirs, bool client)
{
    struct end *end = malloc(sizeof *end);
    gnutls_session_t session;
    require(gnutls_init(&session, (client ? GNUTLS_CLIENT : GNUTLS_SERVER) | GNUTLS_NONBLOCK), "gnutls_init");
    require(gnutls_priority_set_direct(session, theirs->flavour->priority, NULL), "gnutls_priority_set_direct");
    require(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
                                   client ? theirs->client_credential : theirs->server_credential),
            "gnutls_credentials_set");
    *end = (struct end){session, client ? &theirs->to_client : &theirs->to_server,
                        client ? &theirs->to_server : &theirs->to_client};
    gnutls_transport_set_ptr(session, end);
    gnutls_transport_set_push_function(session, push);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_handshake_set_timeout(session, 0);
    if (client) require(gnutls_server_name_set(session, GNUTLS_NAME_DNS, "localhost", 9), "gnutls_server_name_set");
    if (client && theirs->kept.size)
        require(gnutls_session_set_data(session, theirs->kept.data, theirs->kept.size), "gnutls_session_set_data");
    if (!client && theirs->flavour->resume)
        require(gnutls_session_ticket_enable_server(session, &theirs->ticket_key), "tickets");
    return session;
}

static void end(gnutls_session_t session)
{
    if (!session) return;
    free(gnutls_transport_get_ptr(session));
    gnutls_deinit(session);
}

/* Tickets are read, as ours does, and kept for the next time. */
static void keep(struct theirs *theirs)
{
    uint8_t none[1];
    gnutls_record_recv(theirs->client, none, sizeof none);
    if (theirs->flavour->resume) {
        gnutls_free(theirs->kept.data);
        require(gnutls_session_get_data2(theirs->client, &theirs->kept), "gnutls_session_get_data2");
    }
}

static void handshake_theirs(void *state)
{
    struct theirs *theirs = state;
    int client = GNUTLS_E_AGAIN, server = GNUTLS_E_AGAIN;
    end(theirs->client);
    end(theirs->server);
    memset(&theirs->to_client.first, 0, 3 * sizeof(size_t));
    memset(&theirs->to_server.first, 0, 3 * sizeof(size_t));
    theirs->client = begin(theirs, true);
    theirs->server = begin(theirs, false);
    while (client == GNUTLS_E_AGAIN || server == GNUTLS_E_AGAIN) {
        if (client) client = gnutls_handshake(theirs->client);
        if (server) server = gnutls_handshake(theirs->server);
    }
    require(client, "GnuTLS's client");
    require(server, "GnuTLS's server");
    keep(theirs);
}

static void *open_theirs(const struct flavour *flavour)
{
    const struct tls_world_certificate *certificate = tls_world_certificate(TLS_WORLD_RSA);
    struct theirs *theirs = calloc(1, sizeof *theirs);
    bench_require(theirs != NULL, "memory");
    theirs->flavour = flavour;
    const gnutls_datum_t der = {(uint8_t *)certificate->chain.data + 3, (unsigned)certificate->chain.size - 3};
    const gnutls_datum_t key = {(uint8_t *)certificate->key.data, (unsigned)certificate->key.size};
    require(gnutls_certificate_allocate_credentials(&theirs->client_credential), "credentials");
    require(gnutls_certificate_allocate_credentials(&theirs->server_credential), "credentials");
    require(gnutls_certificate_set_x509_key_mem2(theirs->server_credential, &der, &key, GNUTLS_X509_FMT_DER, NULL, 0),
            "gnutls_certificate_set_x509_key_mem2");
    require(gnutls_session_ticket_key_generate(&theirs->ticket_key), "gnutls_session_ticket_key_generate");
    handshake_theirs(theirs);
    return theirs;
}

static void close_theirs(void *state)
{
    struct theirs *theirs = state;
    end(theirs->client);
    end(theirs->server);
    gnutls_certificate_free_credentials(theirs->client_credential);
    gnutls_certificate_free_credentials(theirs->server_credential);
    gnutls_free(theirs->ticket_key.data);
    gnutls_free(theirs->kept.data);
    free(theirs);
}

static void seal_theirs(void *state, struct bench_message *message)
{
    struct theirs *theirs = state;
    bench_require(gnutls_record_send(theirs->client, message->data, message->size) == (ssize_t)message->size,
                  "gnutls_record_send");
}

static void unseal_theirs(void *state, struct bench_message *message)
{
    struct theirs *theirs = state;
    bench_require(gnutls_record_recv(theirs->server, message->data, message->size) == (ssize_t)message->size,
                  "gnutls_record_recv");
}

/* ---- the AEAD alone ---- */

struct bare {
    gnutls_aead_cipher_hd_t cipher;
};

static void *open_bare(const struct flavour *flavour)
{
    static uint8_t bytes[32] = "the key of bench";
    const gnutls_datum_t key = {bytes, (unsigned)gnutls_cipher_get_key_size(flavour->cipher)};
    struct bare *bare = malloc(sizeof *bare);
    bench_require(bare != NULL, "memory");
    require(gnutls_aead_cipher_init(&bare->cipher, flavour->cipher, &key), "gnutls_aead_cipher_init");
    return bare;
}

static void close_bare(void *state)
{
    struct bare *bare = state;
    gnutls_aead_cipher_deinit(bare->cipher);
    free(bare);
}

static const uint8_t nonce[12], covered[13];

static void seal_bare(void *state, struct bench_message *message)
{
    const struct bare *bare = state;
    size_t written = message->size + TAG;
    require(gnutls_aead_cipher_encrypt(bare->cipher, nonce, sizeof nonce, covered, sizeof covered, TAG, message->data,
                                       message->size, message->data, &written),
            "gnutls_aead_cipher_encrypt");
}

static void unseal_bare(void *state, struct bench_message *message)
{
    const struct bare *bare = state;
    size_t written = message->size;
    require(gnutls_aead_cipher_decrypt(bare->cipher, nonce, sizeof nonce, covered, sizeof covered, TAG, message->data,
                                       message->size + TAG, message->data, &written),
            "gnutls_aead_cipher_decrypt");
}

static void nothing(void)
{
}

const struct bench_world bench_tls = {nothing, nothing};

/* Three peers of a flavour. */
#define PEERS(flavour)                                                                                                 \
    static void *open_ours_##flavour(void)                                                                             \
    {                                                                                                                  \
        return open_ours(&(flavour));                                                                                  \
    }                                                                                                                  \
    static void *open_theirs_##flavour(void)                                                                           \
    {                                                                                                                  \
        return open_theirs(&(flavour));                                                                                \
    }                                                                                                                  \
    static void *open_bare_##flavour(void)                                                                             \
    {                                                                                                                  \
        return open_bare(&(flavour));                                                                                  \
    }                                                                                                                  \
    const struct bench_peer bench_ours_##flavour = {.name = "ours",                                                    \
                                                    .open = open_ours_##flavour,                                       \
                                                    .seal = seal_ours,                                                 \
                                                    .unseal = unseal_ours,                                             \
                                                    .handshake = handshake_ours,                                       \
                                                    .close = close_ours};                                              \
    const struct bench_peer bench_gnutls_##flavour = {.name = "gnutls-record",                                         \
                                                      .open = open_theirs_##flavour,                                   \
                                                      .seal = seal_theirs,                                             \
                                                      .unseal = unseal_theirs,                                         \
                                                      .handshake = handshake_theirs,                                   \
                                                      .close = close_theirs};                                          \
    const struct bench_peer bench_bare_##flavour = {                                                                   \
        .name = "aead", .open = open_bare_##flavour, .seal = seal_bare, .unseal = unseal_bare, .close = close_bare};

PEERS(tls12_128)
PEERS(tls12_256)
PEERS(tls13_128)
PEERS(tls13_256)
PEERS(tls12_resume)
PEERS(tls13_resume)
