/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tls_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void must(int result)
{
    if (result < 0) abort();
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *data, size_t size)
{
    struct tls_peer *peer = pointer;
    const size_t left = peer->incoming.size - peer->taken;
    if (!left) {
        gnutls_transport_set_errno(peer->session, EAGAIN);
        return -1;
    }
    if (size > left) size = left;
    memcpy(data, peer->incoming.data + peer->taken, size);
    peer->taken += size;
    return (ssize_t)size;
}

static ssize_t push(gnutls_transport_ptr_t pointer, const void *data, size_t size)
{
    struct tls_peer *peer = pointer;
    cs_write_span(&peer->outgoing, (struct cs_span){data, size});
    return (ssize_t)size;
}

/* It waits for nobody. */
static int ready(gnutls_transport_ptr_t pointer, unsigned milliseconds)
{
    const struct tls_peer *peer = pointer;
    (void)milliseconds;
    return peer->incoming.size > peer->taken;
}

void tls_peer_use(struct tls_peer *peer, enum tls_world_key kind)
{
    gnutls_certificate_credentials_t former = peer->credentials;
    must(gnutls_certificate_allocate_credentials(&peer->credentials));
    if (kind != TLS_WORLD_KEYS) {
        const struct tls_world_certificate *certificate = tls_world_certificate(kind);
        const gnutls_datum_t der = {(uint8_t *)certificate->chain.data + 3, (unsigned)certificate->chain.size - 3};
        const gnutls_datum_t key = {(uint8_t *)certificate->key.data, (unsigned)certificate->key.size};
        must(gnutls_certificate_set_x509_key_mem2(peer->credentials, &der, &key, GNUTLS_X509_FMT_DER, NULL, 0));
    }
    must(gnutls_credentials_set(peer->session, GNUTLS_CRD_CERTIFICATE, peer->credentials));
    if (former) gnutls_certificate_free_credentials(former);
}

void tls_peer_open(struct tls_peer *peer, bool server, const char *priority, enum tls_world_key key, unsigned flags)
{
    *peer = (struct tls_peer){.server = server, .result = GNUTLS_E_AGAIN};
    must(gnutls_init(&peer->session, flags | GNUTLS_NONBLOCK | (server ? GNUTLS_SERVER : GNUTLS_CLIENT)));
    must(gnutls_priority_set_direct(peer->session, priority, NULL));
    gnutls_transport_set_ptr(peer->session, peer);
    gnutls_transport_set_pull_function(peer->session, pull);
    gnutls_transport_set_pull_timeout_function(peer->session, ready);
    gnutls_transport_set_push_function(peer->session, push);
    tls_peer_use(peer, key);
}

void tls_peer_close(struct tls_peer *peer)
{
    gnutls_deinit(peer->session);
    gnutls_certificate_free_credentials(peer->credentials);
    cs_writer_drop(&peer->incoming);
    cs_writer_drop(&peer->outgoing);
}

void tls_peer_step(struct tls_peer *peer)
{
    do peer->result = gnutls_handshake(peer->session);
    while (peer->result == GNUTLS_E_WARNING_ALERT_RECEIVED || peer->result == GNUTLS_E_GOT_APPLICATION_DATA);
    if (peer->result < 0 && gnutls_error_is_fatal(peer->result))
        gnutls_alert_send_appropriate(peer->session, peer->result);
}

/* Whether ours took anything, or has begun. */
static bool step_ours(struct tls_peer *peer, struct tls_world_pair *pair, const struct tls_world_setup *setup)
{
    SECURITY_STATUS *status = peer->server ? &pair->client_status : &pair->server_status;
    struct cs_writer rest = {0};
    const bool begins = peer->server && !pair->client;
    size_t consumed;
    if (!begins && !peer->outgoing.size) return false;
    const struct cs_span input = {begins ? NULL : peer->outgoing.data, peer->outgoing.size};
    *status = tls_world_leg(pair, setup, peer->server, input, &consumed, &peer->incoming);
    cs_write_span(&rest, (struct cs_span){peer->outgoing.data + consumed, peer->outgoing.size - consumed});
    cs_writer_drop(&peer->outgoing);
    peer->outgoing = rest;
    return begins || consumed;
}

bool tls_peer_shake(struct tls_peer *peer, struct tls_world_pair *pair, const struct tls_world_setup *setup)
{
    SECURITY_STATUS *status = peer->server ? &pair->client_status : &pair->server_status;
    bool moved = true;
    *status = SEC_I_CONTINUE_NEEDED;
    peer->result = GNUTLS_E_AGAIN;
    if (!peer->server) tls_peer_step(peer);
    while (moved && *status >= 0 && (*status != SEC_E_OK || peer->result < 0)) {
        moved = *status != SEC_E_OK && step_ours(peer, pair, setup);
        if (peer->result == GNUTLS_E_AGAIN && peer->incoming.size > peer->taken) {
            tls_peer_step(peer);
            moved = true;
        }
    }
    return *status == SEC_E_OK && peer->result == 0;
}

void tls_peer_send(struct tls_peer *peer, const void *data, size_t size)
{
    must((int)gnutls_record_send(peer->session, data, size));
}

ssize_t tls_peer_receive(struct tls_peer *peer, struct cs_span bytes, void *data, size_t room)
{
    ssize_t size;
    cs_write_span(&peer->incoming, bytes);
    do size = gnutls_record_recv(peer->session, data, room);
    while (size == GNUTLS_E_AGAIN && peer->taken < peer->incoming.size); /* tickets, keys */
    return size;
}
