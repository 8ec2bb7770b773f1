/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DTLS of Schannel: whole connections of both roles on a network that loses some, datagrams and their MTU, cookies, and
 * what DecryptMessage says of datagrams that are changed, come twice, or in another order.
 */
#include "groups.h"
#include "schannel_certificates.h"
#include "schannel_network.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

#define NAME "schannel-datagrams/"
#define DECRYPT "errors DecryptMessage "

static const struct conformance_case cases[] = {
    {NAME "dtls12", "behaviour 152, schannel.h SP_PROT_DTLS1_2", "SEC_E_OK SEC_E_OK, 0x80000 0x40000", NULL,
     WINE8_DIFFERS},
    {NAME "dtls10", "behaviour 152, schannel.h SP_PROT_DTLS1_0", "SEC_E_OK SEC_E_OK, 0x20000 0x10000", NULL,
     WINE8_DIFFERS},
    {NAME "default", "Protocols in TLS/SSL (Schannel SSP) (documented)", "SEC_E_OK SEC_E_OK, 0x80000 0x40000",
     "6.3:SEC_E_UNKNOWN_CREDENTIALS SEC_E_UNKNOWN_CREDENTIALS, no connection, 0x0 0x0", WINE8_DIFFERS},
    {NAME "flags", "attributes Schannel flags (documented)", "0x8449c, 0x41c and STREAM", NULL, WINE8_DIFFERS},
    {NAME "fragments", "naming SEC_I_MESSAGE_FRAGMENT (documented), attributes DTLS_MTU",
     "SEC_I_MESSAGE_FRAGMENT, none above 400 bytes", NULL, WINE8_DIFFERS},
    {NAME "losses", "behaviour 182", "SEC_E_OK SEC_E_OK", NULL, WINE8_DIFFERS},
    {NAME "untrusted", "errors InitializeSecurityContext/Schannel, received TLS alert 48", "SEC_E_UNTRUSTED_ROOT", NULL,
     WINE8_DIFFERS},
    {NAME "cookie", "RFC 6347 4.2.1", "SEC_I_CONTINUE_NEEDED, message 3", NULL, WINE8_DIFFERS},
    {NAME "cookie.right", "RFC 6347 4.2.1", "SEC_I_CONTINUE_NEEDED, message 2", NULL, WINE8_DIFFERS},
    {NAME "cookie.elsewhere", "RFC 6347 4.2.1", "SEC_I_CONTINUE_NEEDED, message 3", NULL, WINE8_DIFFERS},
    {NAME "mtu", "attributes DTLS_MTU (documented)", "SEC_E_OK 1096", NULL, WINE8_DIFFERS},
    {NAME "mtu.set", "attributes DTLS_MTU (documented)", "SEC_E_OK, SEC_E_OK 500", NULL, WINE8_DIFFERS},
    {NAME "mtu.sizes", "attributes DTLS_MTU (documented)", "4 buffers, 500 bytes", NULL, WINE8_DIFFERS},
    {NAME "mtu.stream", "attributes DTLS_MTU (documented)", "SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE_SAME},
    {NAME "data", "behaviour 202", "SEC_E_OK there, SEC_E_OK back", NULL, WINE8_DIFFERS},
    {NAME "data.reordered", "RFC 6347 4.1.2.6", "SEC_E_OK second, SEC_E_OK first", NULL, WINE8_DIFFERS},
    {NAME "data.replayed", DECRYPT "SEC_E_OUT_OF_SEQUENCE (documented)", "SEC_E_OUT_OF_SEQUENCE, SEC_E_OK next", NULL,
     WINE8_DIFFERS},
    {NAME "data.altered", DECRYPT "SEC_E_MESSAGE_ALTERED (documented)", "SEC_E_MESSAGE_ALTERED, SEC_E_OK next", NULL,
     WINE8_DIFFERS},
    {NAME "data.cut", DECRYPT "SEC_E_MESSAGE_ALTERED (documented)", "SEC_E_MESSAGE_ALTERED, SEC_E_OK next", NULL,
     WINE8_DIFFERS},
    {NAME "close-notify", DECRYPT "SEC_I_CONTEXT_EXPIRED (documented)", "SEC_I_CONTEXT_EXPIRED", NULL, WINE8_DIFFERS},
};

/* ---- handshakes ---- */

static DWORD protocol_of(struct schannel_side *side)
{
    SecPkgContext_ConnectionInfo info = {0};

    QueryContextAttributesA(&side->context, SECPKG_ATTR_CONNECTION_INFO, &info);
    return info.dwProtocol;
}

static const char *outcome(struct schannel_network *network, bool through, char *text)
{
    char client[STATUS_NAME_MAX], server[STATUS_NAME_MAX];

    snprintf(text, OBSERVED_MAX, "%s %s%s", status_name(network->pair.client.status, client),
             status_name(network->pair.server.status, server), through ? "" : ", no connection");
    return text;
}

static void try_version(struct conformance_run *run, const char *id, DWORD protocol)
{
    struct schannel_network network = {0};
    char text[OBSERVED_MAX];
    const bool through = schannel_network_open(&network, protocol) && schannel_network_shake(&network);

    observe(run, id, "%s, 0x%lx 0x%lx", outcome(&network, through, text),
            through ? protocol_of(&network.pair.client) : 0, through ? protocol_of(&network.pair.server) : 0);
    schannel_network_close(&network);
}

static void try_fragments(struct conformance_run *run)
{
    struct schannel_network network = {.mtu = 400};
    const bool through = schannel_network_open(&network, SP_PROT_DTLS1_2_CLIENT) && schannel_network_shake(&network);

    observe(run, NAME "fragments", "%s, %s%s", network.fragmented ? "SEC_I_MESSAGE_FRAGMENT" : "no fragments",
            network.largest > 400 ? "a larger one" : "none above 400 bytes", through ? "" : ", no connection");
    schannel_network_close(&network);
}

static void try_losses(struct conformance_run *run)
{
    struct schannel_network network = {.mtu = 400, .lossy = true};
    char text[OBSERVED_MAX];
    const bool through = schannel_network_open(&network, SP_PROT_DTLS1_2_CLIENT) && schannel_network_shake(&network);

    observe(run, NAME "losses", "%s", outcome(&network, through, text));
    schannel_network_close(&network);
}

static void try_untrusted(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_DTLS1_2_CLIENT,
                                         .client_cred_flags = SCH_CRED_AUTO_CRED_VALIDATION};
    struct schannel_network network = {.queues = calloc(2, sizeof(struct schannel_queue))};

    if (network.queues && schannel_pair_open(&network.pair, &setup)) schannel_network_shake(&network);
    observe_status(run, NAME "untrusted", network.pair.client.status);
    schannel_network_close(&network);
}

/* ---- cookies ---- */

/* The type of the message that waits for the client first, behind the record's header of 13 bytes. */
static void observe_message(struct conformance_run *run, const char *id, struct schannel_network *network)
{
    const struct schannel_queue *queue = &network->queues[CLIENT];
    char name[STATUS_NAME_MAX];

    observe(run, id, "%s, message %d", status_name(network->pair.server.status, name),
            queue->end ? queue->bytes[0][13] : -1);
}

static void try_cookies(struct conformance_run *run)
{
    struct schannel_network network = {.address = "192.0.2.1:4433"};
    struct schannel_queue *to_server, *to_client;

    if (!schannel_network_open(&network, SP_PROT_DTLS1_2_CLIENT)) {
        schannel_network_close(&network);
        return;
    }
    to_server = &network.queues[SERVER];
    to_client = &network.queues[CLIENT];
    schannel_network_leg(&network, CLIENT, NULL, 0);
    schannel_network_deliver(&network, SERVER);
    observe_message(run, NAME "cookie", &network);
    schannel_network_deliver(&network, CLIENT);
    if (to_server->end) {
        network.address = "192.0.2.2:4433";
        schannel_network_leg(&network, SERVER, to_server->bytes[0], to_server->sizes[0]);
        observe_message(run, NAME "cookie.elsewhere", &network);
        to_client->first = to_client->end = 0;
        network.address = "192.0.2.1:4433";
        schannel_network_leg(&network, SERVER, to_server->bytes[0], to_server->sizes[0]);
        observe_message(run, NAME "cookie.right", &network);
    }
    schannel_network_close(&network);
}

/* ---- once it is through ---- */

static void try_mtu(struct conformance_run *run, struct schannel_pair *pair)
{
    SecPkgContext_StreamSizes sizes = {0};
    ULONG mtu = 0, other = 500;
    char one[STATUS_NAME_MAX], two[STATUS_NAME_MAX];
    SECURITY_STATUS status = QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_DTLS_MTU, &mtu);

    observe(run, NAME "mtu", "%s %lu", status_name(status, one), mtu);
    status = SetContextAttributesA(&pair->client.context, SECPKG_ATTR_DTLS_MTU, &other, sizeof(other));
    mtu = 0;
    const SECURITY_STATUS queried = QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_DTLS_MTU, &mtu);
    observe(run, NAME "mtu.set", "%s, %s %lu", status_name(status, one), status_name(queried, two), mtu);
    QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_STREAM_SIZES, &sizes);
    observe(run, NAME "mtu.sizes", "%lu buffers, %lu bytes", sizes.cBuffers,
            sizes.cbHeader + sizes.cbMaximumMessage + sizes.cbTrailer);
}

static void try_mtu_of_stream(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT};
    struct schannel_pair pair;
    ULONG mtu = 500;

    if (schannel_pair_run(&pair, &setup))
        observe_status(run, NAME "mtu.stream",
                       SetContextAttributesA(&pair.client.context, SECPKG_ATTR_DTLS_MTU, &mtu, sizeof(mtu)));
    schannel_pair_close(&pair);
}

static void try_data(struct conformance_run *run, struct schannel_pair *pair)
{
    char there[OBSERVED_MAX], back[OBSERVED_MAX];

    schannel_send(&pair->client, &pair->server, "there");
    schannel_receive(&pair->server, there);
    schannel_send(&pair->server, &pair->client, "back");
    schannel_receive(&pair->client, back);
    observe(run, NAME "data", "%s, %s", there, back);
}

/* One that TEXT is in, in a copy. */
static ULONG sealed(struct schannel_pair *pair, const char *text, BYTE *room)
{
    schannel_send(&pair->client, &pair->server, text);
    const ULONG size = pair->server.size;
    memcpy(room, pair->server.waiting, size);
    pair->server.size = 0;
    return size;
}

static const char *opened(struct schannel_pair *pair, const BYTE *datagram, ULONG size, char *text)
{
    memcpy(pair->server.waiting, datagram, size);
    pair->server.size = size;
    schannel_receive(&pair->server, text);
    pair->server.size = 0;
    return text;
}

static void try_order(struct conformance_run *run, struct schannel_pair *pair)
{
    BYTE first[256], second[256], third[256];
    char one[OBSERVED_MAX], two[OBSERVED_MAX];
    const ULONG first_size = sealed(pair, "first", first), second_size = sealed(pair, "second", second);
    const ULONG third_size = sealed(pair, "next", third);

    opened(pair, second, second_size, one);
    opened(pair, first, first_size, two);
    observe(run, NAME "data.reordered", "%s, %s", one, two);
    opened(pair, first, first_size, one);
    opened(pair, third, third_size, two);
    observe(run, NAME "data.replayed", "%s, %s", one, two);
}

static void try_forgeries(struct conformance_run *run, struct schannel_pair *pair)
{
    BYTE bad[256], good[256];
    char one[OBSERVED_MAX], two[OBSERVED_MAX];
    ULONG bad_size = sealed(pair, "altered", bad), good_size = sealed(pair, "next", good);

    bad[bad_size - 1] ^= 1;
    opened(pair, bad, bad_size, one);
    opened(pair, good, good_size, two);
    observe(run, NAME "data.altered", "%s, %s", one, two);
    bad_size = sealed(pair, "cut", bad);
    good_size = sealed(pair, "next", good);
    opened(pair, bad, bad_size - 1, one);
    opened(pair, good, good_size, two);
    observe(run, NAME "data.cut", "%s, %s", one, two);
}

static void try_close(struct conformance_run *run, struct schannel_network *network)
{
    DWORD shutdown = SCHANNEL_SHUTDOWN;
    SecBuffer token = {sizeof(shutdown), SECBUFFER_TOKEN, &shutdown};
    SecBufferDesc control = {SECBUFFER_VERSION, 1, &token};
    struct schannel_pair *pair = &network->pair;
    struct schannel_queue *queue = &network->queues[SERVER];
    char text[OBSERVED_MAX];

    queue->first = queue->end = 0;
    ApplyControlToken(&pair->client.context, &control);
    schannel_network_leg(network, CLIENT, NULL, 0);
    observe(run, NAME "close-notify", "%s", opened(pair, queue->bytes[0], queue->sizes[0], text));
}

static void run_datagrams(struct conformance_run *run)
{
    struct schannel_network network = {.request = ISC_REQ_EXTENDED_ERROR | ISC_REQ_USE_SUPPLIED_CREDS |
                                                  ISC_REQ_MANUAL_CRED_VALIDATION};
    char text[OBSERVED_MAX];

    try_version(run, NAME "dtls12", SP_PROT_DTLS1_2_CLIENT);
    try_version(run, NAME "dtls10", SP_PROT_DTLS1_0_CLIENT);
    try_version(run, NAME "default", 0);
    try_fragments(run);
    try_losses(run);
    try_untrusted(run);
    try_cookies(run);
    try_mtu_of_stream(run);
    if (schannel_network_open(&network, SP_PROT_DTLS1_2_CLIENT) && schannel_network_shake(&network)) {
        const ULONG client = network.pair.client.attributes & ~(ULONG)ISC_RET_ALLOCATED_MEMORY;
        const ULONG server = network.pair.server.attributes & ~(ULONG)ASC_RET_ALLOCATED_MEMORY;

        observe(run, NAME "flags", "0x%lx, 0x%lx%s", client & ~(ULONG)ISC_RET_STREAM, server & ~(ULONG)ASC_RET_STREAM,
                client & ISC_RET_STREAM && server & ASC_RET_STREAM ? " and STREAM" : "");
        try_data(run, &network.pair);
        try_order(run, &network.pair);
        try_forgeries(run, &network.pair);
        try_mtu(run, &network.pair);
        try_close(run, &network);
    } else {
        not_reached(run, "%s", outcome(&network, false, text));
    }
    schannel_network_close(&network);
    delete_containers();
}

const struct conformance_group schannel_datagrams_group = {
    .name = "schannel-datagrams",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_datagrams,
};
