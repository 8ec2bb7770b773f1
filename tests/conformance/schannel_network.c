/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "schannel_network.h"

#include <stdlib.h>
#include <string.h>

static struct schannel_side *side_of(struct schannel_network *network, bool client)
{
    return client ? &network->pair.client : &network->pair.server;
}

/* Two of five are lost, where it is lossy; no flight has five datagrams, of which the same would always be lost. */
static void send_datagram(struct schannel_network *network, bool to_client, const SecBuffer *token)
{
    struct schannel_queue *queue = &network->queues[to_client];
    const unsigned number = network->sent++ % 5;

    if (token->cbBuffer > network->largest) network->largest = token->cbBuffer;
    if (network->lossy && (number == 0 || number == 3)) return;
    if (queue->end == SCHANNEL_QUEUE_MAX || token->cbBuffer > SCHANNEL_DATAGRAM_ROOM) return;
    memcpy(queue->bytes[queue->end], token->pvBuffer, token->cbBuffer);
    queue->sizes[queue->end++] = token->cbBuffer;
}

static SECURITY_STATUS call(struct schannel_network *network, bool client, SecBufferDesc *input, SecBufferDesc *output)
{
    struct schannel_side *side = side_of(network, client);
    CtxtHandle *context = side->has_context ? &side->context : NULL;

    if (client)
        return InitializeSecurityContextA(&side->credential, context, (SEC_CHAR *)"localhost",
                                          network->request | ISC_REQ_DATAGRAM | ISC_REQ_ALLOCATE_MEMORY, 0, 0, input, 0,
                                          &side->context, output, &side->attributes, &side->expiry);
    return AcceptSecurityContext(&side->credential, context, input, ASC_REQ_DATAGRAM | ASC_REQ_ALLOCATE_MEMORY, 0,
                                 &side->context, output, &side->attributes, &side->expiry);
}

/* One call with that datagram, or none. */
static SECURITY_STATUS one_leg(struct schannel_network *network, bool client, void *bytes, ULONG size)
{
    struct schannel_side *side = side_of(network, client);
    SecBuffer in[3 + SCHANNEL_FIRST_MAX] = {{size, SECBUFFER_TOKEN, bytes}}, out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc input = {SECBUFFER_VERSION, bytes ? 1 : 0, in}, output = {SECBUFFER_VERSION, 1, &out};

    if (network->mtu && !side->has_context)
        in[input.cBuffers++] = (SecBuffer){sizeof(network->mtu), SECBUFFER_DTLS_MTU, &network->mtu};
    for (ULONG i = 0; i < network->first_counts[client] && !side->has_context; i++)
        in[input.cBuffers++] = network->first[client][i];
    if (network->address && !client)
        in[input.cBuffers++] = (SecBuffer){(ULONG)strlen(network->address), SECBUFFER_EXTRA, (void *)network->address};
    side->status = call(network, client, input.cBuffers ? &input : NULL, &output);
    side->leg_count++;
    if (side->status >= 0) side->has_context = true;
    if (out.pvBuffer && out.cbBuffer) send_datagram(network, !client, &out);
    if (out.pvBuffer) FreeContextBuffer(out.pvBuffer);
    return side->status;
}

SECURITY_STATUS schannel_network_leg(struct schannel_network *network, bool client, void *bytes, ULONG size)
{
    SECURITY_STATUS status = one_leg(network, client, bytes, size);

    for (unsigned i = 0; i < SCHANNEL_QUEUE_MAX && status == SEC_I_MESSAGE_FRAGMENT; i++) {
        network->fragmented = true;
        status = one_leg(network, client, NULL, 0);
    }
    return status;
}

static bool has_failed(const struct schannel_side *side)
{
    return side->leg_count && side->status < 0;
}

/* The server's last flight, asked for again, is the next leg's of one that is through. */
bool schannel_network_deliver(struct schannel_network *network, bool client)
{
    struct schannel_queue *queue = &network->queues[client];
    struct schannel_side *side = side_of(network, client);

    if (queue->first == queue->end || has_failed(side)) return false;
    const unsigned next = queue->first++;
    const SECURITY_STATUS before = side->status;
    schannel_network_leg(network, client, queue->bytes[next], queue->sizes[next]);
    if (before == SEC_E_OK && side->has_context && side->leg_count > 1 && side->status > 0) side->status = before;
    if (queue->first == queue->end) queue->first = queue->end = 0;
    return true;
}

static bool is_through(const struct schannel_side *side)
{
    return side->has_context && side->status == SEC_E_OK;
}

bool schannel_network_shake(struct schannel_network *network)
{
    struct schannel_side *client = &network->pair.client, *server = &network->pair.server;

    schannel_network_leg(network, true, NULL, 0);
    for (unsigned silences = 0; silences < 12 && !has_failed(client) && !has_failed(server);) {
        const bool moved = schannel_network_deliver(network, false), back = schannel_network_deliver(network, true);

        if (is_through(client) && is_through(server)) return true;
        if (moved || back) continue;
        silences++;
        if (!is_through(client)) schannel_network_leg(network, true, NULL, 0);
        if (server->has_context && !is_through(server)) schannel_network_leg(network, false, NULL, 0);
    }
    return false;
}

bool schannel_network_open(struct schannel_network *network, DWORD protocols)
{
    const struct schannel_setup setup = {.protocols = protocols};

    network->queues = calloc(2, sizeof(*network->queues));
    return network->queues && schannel_pair_open(&network->pair, &setup);
}

void schannel_network_close(struct schannel_network *network)
{
    schannel_pair_close(&network->pair);
    free(network->queues);
}
