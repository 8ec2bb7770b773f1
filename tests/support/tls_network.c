/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tls_network.h"

#include "sspi_values.h"
#include "tls_context.h"

#include <stdlib.h>

static void enqueue(struct tls_network *network, bool to_client, struct cs_span datagram)
{
    struct cs_writer copy = {0};
    if (network->waiting[to_client] == TLS_NETWORK_QUEUE) return;
    cs_write_span(&copy, datagram);
    network->queues[to_client][network->waiting[to_client]++] = copy;
}

static void release_late(struct tls_network *network, bool to_client)
{
    if (network->late[to_client].size) enqueue(network, to_client, cs_written(&network->late[to_client]));
    cs_writer_drop(&network->late[to_client]);
}

static void send_datagram(struct tls_network *network, bool from_client, struct cs_writer *datagram)
{
    const unsigned number = network->sent[from_client]++;
    const bool to_client = !from_client;
    enum tls_fate fate = TLS_FATE_ARRIVES;
    if (datagram->size > network->largest) network->largest = datagram->size;
    if (network->fate) fate = network->fate(network, from_client, number, datagram);
    if (fate == TLS_FATE_IS_LATE && !network->late[to_client].size) {
        network->late[to_client] = *datagram;
        *datagram = (struct cs_writer){0};
        return;
    }
    if (fate != TLS_FATE_IS_LOST) enqueue(network, to_client, cs_written(datagram));
    if (fate == TLS_FATE_IS_DOUBLED) enqueue(network, to_client, cs_written(datagram));
    release_late(network, to_client);
    cs_writer_drop(datagram);
}

SECURITY_STATUS tls_network_leg(struct tls_network *network, bool client, struct cs_span input)
{
    SECURITY_STATUS *kept = client ? &network->pair->client_status : &network->pair->server_status, status;
    do {
        struct cs_writer token = {0};
        size_t consumed;
        status = tls_world_leg(network->pair, network->setup, client, input, &consumed, &token);
        if (token.size) send_datagram(network, client, &token);
        input = (struct cs_span){NULL, 0};
    } while (status == SEC_I_MESSAGE_FRAGMENT);
    *kept = status;
    return status;
}

/* As a program does once the handshake is through. */
static void decrypt(struct tls_network *network, bool client, struct cs_writer *datagram)
{
    struct cs_buffer buffers[4];
    uint8_t *next = datagram->data;
    size_t size = datagram->size;
    while (size) {
        const SECURITY_STATUS status =
            tls_world_open_record(client ? network->pair->client : network->pair->server, next, size, buffers);
        if (status == SEC_I_RENEGOTIATE) tls_network_leg(network, client, (struct cs_span){next, size});
        if (status || buffers[3].type != SECBUFFER_EXTRA) return;
        next = cs_buffer_bytes(&buffers[3]);
        size = buffers[3].size;
    }
}

bool tls_network_deliver(struct tls_network *network, bool client)
{
    struct cs_writer *queue = network->queues[client];
    if (!network->waiting[client]) return false;
    struct cs_writer datagram = queue[0];
    network->waiting[client]--;
    for (size_t i = 0; i < network->waiting[client]; i++) queue[i] = queue[i + 1];
    const SECURITY_STATUS status = client ? network->pair->client_status : network->pair->server_status;
    if (status == SEC_E_OK)
        decrypt(network, client, &datagram);
    else
        tls_network_leg(network, client, cs_written(&datagram));
    cs_writer_drop(&datagram);
    return true;
}

static void keep_time(struct tls_network *network)
{
    const struct tls_world_pair *pair = network->pair;
    const struct cs_span none = {NULL, 0};
    network->silences++;
    release_late(network, false);
    release_late(network, true);
    /* A server knows of nobody before there is a ClientHello that it takes, and whoever is through keeps no time. */
    const bool client_through = pair->client_status == SEC_E_OK, server_through = pair->server_status == SEC_E_OK;
    const bool known = pair->server && pair->server->hello_came;
    if (!client_through && (!network->client_waits || !known || server_through)) tls_network_leg(network, true, none);
    if (!server_through && pair->server && (!network->server_waits || client_through))
        tls_network_leg(network, false, none);
}

bool tls_network_shake(struct tls_network *network)
{
    enum { MOST_SILENCES = 80 }; /* more than the datagrams that any test or fuzzer loses, each of which costs one */
    struct tls_world_pair *pair = network->pair;
    pair->client_status = pair->server_status = SEC_I_CONTINUE_NEEDED;
    tls_network_leg(network, true, (struct cs_span){NULL, 0});
    while (network->silences < MOST_SILENCES) {
        bool moved = tls_network_deliver(network, false);
        moved |= tls_network_deliver(network, true);
        if (pair->client_status < 0 || (pair->server_status < 0 && pair->server_status != SEC_E_INVALID_TOKEN))
            return false;
        if (moved) continue;
        if (pair->client_status == SEC_E_OK && pair->server_status == SEC_E_OK) return true;
        keep_time(network);
    }
    return false;
}

void tls_network_clear(struct tls_network *network)
{
    for (size_t side = 0; side < 2; side++) {
        while (network->waiting[side]) cs_writer_drop(&network->queues[side][--network->waiting[side]]);
        cs_writer_drop(&network->late[side]);
    }
}
