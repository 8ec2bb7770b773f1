/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: connections of DTLS on a network that does what the input says. Its first byte is the setup; then comes,
 * for each datagram of either side, what becomes of it: it is lost, doubled, late, changed or replaced by bytes; and
 * after the handshake the same for data. A network that only loses and reorders keeps nobody from getting through;
 * whatever it does, only what was sealed comes out, and once; and whoever has failed says why by a documented status.
 */
#include "changes.h"
#include "tls_context.h"
#include "tls_network.h"
#include "tls_status_list.h"

#include <stdio.h>
#include <string.h>

enum { SETUPS = 8, MOST_CHANGES = 4, MOST_FATES = 16, RECORDS = 12 };

#define ONLY_1_2                                                                                                       \
    .datagram = true, .client_protocols = SP_PROT_DTLS1_2_CLIENT, .server_protocols = SP_PROT_DTLS1_2_SERVER,          \
    .key = TLS_WORLD_P256
#define ADDRESS .address = {(const uint8_t *)"192.0.2.1:4433", 14}
/* SEC_SRTP_PROTECTION_PROFILES and SEC_SRTP_MASTER_KEY_IDENTIFIER */
static const uint8_t two_profiles[] = {4, 0, 1, 0, 7, 0}, one_profile[] = {2, 0, 7, 0},
                     identifier[] = {3, 'm', 'k', 'i'};
#define SPAN(bytes)                                                                                                    \
    {                                                                                                                  \
        bytes, sizeof bytes                                                                                            \
    }
static const struct tls_world_setup setups[SETUPS] = {
    {ONLY_1_2},
    {ONLY_1_2, ADDRESS, .mtu = 300},
    {ONLY_1_2, ADDRESS, .resume = true},
    {ONLY_1_2, .client_without = TLS_WITHOUT_GCM | TLS_WITHOUT_CHACHA20},
    {ONLY_1_2, .client_certificate = true, .server_flags = TLS_LEG_ASK_PEER, .mtu = 300},
    {.datagram = true,
     .client_protocols = SP_PROT_DTLS1_0_CLIENT,
     .server_protocols = SP_PROT_DTLS1_0_SERVER,
     .key = TLS_WORLD_P256,
     ADDRESS},
    {ONLY_1_2, .client_profiles = SPAN(two_profiles), .server_profiles = SPAN(one_profile)},
    {ONLY_1_2, ADDRESS, .client_profiles = SPAN(two_profiles), .server_profiles = SPAN(two_profiles),
     .client_identifier = SPAN(identifier), .server_identifier = SPAN(identifier)},
};

struct world {
    struct tls_network network;
    struct cs_reader input;
    bool changed;
};

/* Credentials are made once. */
static struct tls_world_pair *open_pair(unsigned which)
{
    static struct tls_world_pair pairs[SETUPS];
    struct tls_world_pair *pair = &pairs[which];
    if (!pair->client_credential) fuzz_require(tls_world_open(pair, &setups[which]) == SEC_E_OK, "credentials");
    return pair;
}

/* What DATAGRAM becomes; whether it is another one now. */
static bool disturb(struct cs_writer *datagram, struct cs_reader *input, uint8_t how)
{
    if (how % 2) return fuzz_change(datagram, input, 1 + cs_read_u8(input) % MOST_CHANGES);
    const struct cs_span bytes = cs_read_span(input, cs_read_u16(input) % (input->remaining + 1));
    cs_writer_drop(datagram);
    cs_write_span(datagram, bytes);
    return true;
}

static enum tls_fate fate(struct tls_network *network, bool from_client, unsigned number, struct cs_writer *datagram)
{
    struct world *world = (struct world *)network;
    const uint8_t how = cs_read_u8(&world->input);
    (void)from_client;
    if (how < 0x80 || number > MOST_FATES) return TLS_FATE_ARRIVES; /* no network loses for ever */
    if (how >= 0xE0) world->changed |= disturb(datagram, &world->input, how);
    return how >= 0xE0 ? TLS_FATE_ARRIVES : (enum tls_fate)(how % 4);
}

/* SEALED comes out of BYTES, if anything does, and has not done so before. */
static void open_one(struct tls_context *to, struct cs_writer *datagram, bool came[RECORDS])
{
    struct cs_buffer buffers[4];
    const SECURITY_STATUS status = tls_world_open_record(to, datagram->data, datagram->size, buffers);
    if (status == SEC_E_OK && buffers[1].size) {
        const uint8_t *plain = cs_buffer_bytes(&buffers[1]);
        fuzz_require(buffers[1].size == 9 && !memcmp(plain + 1, "a record", 8), "data that nobody sealed");
        fuzz_require(plain[0] < RECORDS && !came[plain[0]], "data for a second time");
        came[plain[0]] = true;
        return;
    }
    const bool known = status == SEC_E_OK || status == SEC_E_MESSAGE_ALTERED || status == SEC_E_OUT_OF_SEQUENCE ||
                       status == SEC_I_RENEGOTIATE || to->phase == TLS_CLOSED || to->phase == TLS_FAILED;
    if (!known) fprintf(stderr, "%08x\n", (unsigned)status);
    fuzz_require(known, "a status of DecryptMessage's that is none");
}

static void data(struct world *world, struct tls_context *from, struct tls_context *to)
{
    bool came[RECORDS] = {false};
    for (uint8_t i = 0; i < RECORDS && world->input.remaining; i++) {
        uint8_t text[] = "?a record";
        struct cs_writer record = {0};
        text[0] = i;
        fuzz_require(tls_world_seal(from, text, sizeof text - 1, &record) == SEC_E_OK, "sealing");
        const uint8_t how = cs_read_u8(&world->input);
        const bool changed = how >= 0x80 && disturb(&record, &world->input, how);
        open_one(to, &record, came);
        if (!changed && to->phase == TLS_COMPLETE) fuzz_require(came[i], "what nobody changed does not open");
        cs_writer_drop(&record);
    }
}

/* Both are through: they have agreed on what the hellos say, whatever was done to them. */
static void require_same(const struct tls_world_pair *pair, enum tls_bytes which)
{
    struct cs_writer one = {0}, other = {0};
    if (pair->client->phase == TLS_FAILED || pair->server->phase == TLS_FAILED) return; /* since then */
    fuzz_require(tls_query_bytes(pair->client, which, &one) == SEC_E_OK &&
                     tls_query_bytes(pair->server, which, &other) == SEC_E_OK,
                 "query");
    fuzz_require(one.size == other.size && !memcmp(one.data, other.data, one.size), "they do not agree");
    cs_writer_drop(&one);
    cs_writer_drop(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct world world = {.input = cs_reader_of((struct cs_span){bytes, size})};
    const unsigned which = cs_read_u8(&world.input) % SETUPS;
    struct tls_world_pair *pair = open_pair(which);
    world.network.pair = pair;
    world.network.setup = &setups[which];
    world.network.fate = fate;
    const bool through = tls_network_shake(&world.network);
    tls_network_clear(&world.network);
    fuzz_tls_status(pair->client_status);
    fuzz_tls_status(pair->server_status);
    if (!world.changed) fuzz_require(through, "a handshake on a network that only loses");
    if (through) {
        require_same(pair, TLS_EXTENSIONS);
        require_same(pair, TLS_SRTP);
    }
    if (through && !world.changed) {
        data(&world, pair->client, pair->server);
        data(&world, pair->server, pair->client);
    }
    tls_world_hang_up(pair);
    return 0;
}
