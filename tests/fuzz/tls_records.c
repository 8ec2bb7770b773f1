/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: records of application data, changed on their way. Input: the kind of record; how many records, and how
 * long each is; changes; and where the stream is cut. Only what was sealed comes out, in its order.
 */
#include "changes.h"
#include "tls_context.h"
#include "tls_world.h"

#include <string.h>

enum { KINDS = 7, MOST_RECORDS = 6, MOST_CHANGES = 4 };

/* One connection of each kind lasts until GnuTLS has given it up. */
static struct tls_world_pair pairs[KINDS];

#define ONLY_1_3 .client_protocols = SP_PROT_TLS1_3_CLIENT, .server_protocols = SP_PROT_TLS1_3_SERVER
#define ONLY_1_2 .client_protocols = SP_PROT_TLS1_2_CLIENT, .server_protocols = SP_PROT_TLS1_2_SERVER
static const struct tls_world_setup setups[KINDS] = {
    {ONLY_1_3, .key = TLS_WORLD_P256},
    {ONLY_1_3, .key = TLS_WORLD_P256, .client_without = TLS_WITHOUT_AES256},
    {ONLY_1_3, .key = TLS_WORLD_P256, .client_without = TLS_WITHOUT_GCM},
    {ONLY_1_2, .key = TLS_WORLD_P256},
    {ONLY_1_2, .key = TLS_WORLD_P256, .client_without = TLS_WITHOUT_AES256},
    {ONLY_1_2, .key = TLS_WORLD_P256, .client_without = TLS_WITHOUT_GCM},
    {ONLY_1_2, .key = TLS_WORLD_P256, .client_without = TLS_WITHOUT_GCM | TLS_WITHOUT_CHACHA20},
};

static struct tls_world_pair *connect(size_t kind)
{
    struct tls_world_pair *pair = &pairs[kind];
    if (pair->client && pair->server->phase == TLS_COMPLETE) return pair;
    if (pair->client) tls_world_close(pair);
    fuzz_require(tls_world_open(pair, &setups[kind]) == SEC_E_OK && tls_world_shake(pair, &setups[kind], 0),
                 "handshake");
    return pair;
}

/* The same connection for the next input, unless GnuTLS has seen something that it does not forgive. */
static void mend(struct tls_world_pair *pair, bool beyond)
{
    if (beyond) pair->server->phase = TLS_FAILED;
    if (beyond || pair->server->read.protection == TLS_BY_GNUTLS) return;
    pair->server->phase = TLS_COMPLETE;
    pair->server->read.sequence = pair->client->write.sequence;
}

static uint8_t byte_of(unsigned record, size_t at)
{
    return (uint8_t)(record * 31 + at);
}

static void seal_all(struct tls_world_pair *pair, const uint16_t *sizes, unsigned count, struct cs_writer *stream)
{
    for (unsigned i = 0; i < count; i++) {
        uint8_t text[1024];
        for (size_t at = 0; at < sizes[i]; at++) text[at] = byte_of(i, at);
        fuzz_require(tls_world_seal(pair->client, text, sizes[i], stream) == SEC_E_OK, "sealing");
    }
}

/* Opens what there is of STREAM up to END; how many records came out. *next moves. */
static SECURITY_STATUS open_up_to(struct tls_world_pair *pair, struct cs_writer *stream, size_t *next, size_t end,
                                  const uint16_t *sizes, unsigned count, unsigned *came)
{
    struct cs_buffer buffers[4];
    while (*next < end) {
        const SECURITY_STATUS status = tls_world_open_record(pair->server, stream->data + *next, end - *next, buffers);
        if (status) return status;
        while (*came < count && !sizes[*came] && buffers[1].size) (*came)++; /* CBC has no empty ones */
        fuzz_require(*came < count && buffers[1].size == sizes[*came], "another length than was sealed");
        for (size_t at = 0; at < buffers[1].size; at++)
            fuzz_require(cs_buffer_bytes(&buffers[1])[at] == byte_of(*came, at), "other bytes than were sealed");
        (*came)++;
        *next = buffers[3].type == SECBUFFER_EXTRA ? end - buffers[3].size : end;
    }
    return SEC_E_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){data, size});
    struct tls_world_pair *pair = connect(cs_read_u8(&reader) % KINDS);
    const unsigned count = cs_read_u8(&reader) % (MOST_RECORDS + 1);
    uint16_t sizes[MOST_RECORDS];
    struct cs_writer stream = {0};
    size_t next = 0;
    unsigned came = 0;
    for (unsigned i = 0; i < count; i++) sizes[i] = cs_read_u16(&reader) % 1024;
    const size_t cut = cs_read_u16(&reader);
    seal_all(pair, sizes, count, &stream);
    const bool changed = fuzz_change(&stream, &reader, MOST_CHANGES);
    SECURITY_STATUS status = SEC_E_OK;
    if (cut < stream.size) status = open_up_to(pair, &stream, &next, cut, sizes, count, &came);
    if (status == SEC_E_OK || status == SEC_E_INCOMPLETE_MESSAGE)
        status = open_up_to(pair, &stream, &next, stream.size, sizes, count, &came);
    if (!changed) fuzz_require(status == SEC_E_OK && next == stream.size, "what nobody changed does not open");
    const bool left = next < stream.size, by_gnutls = pair->server->read.protection == TLS_BY_GNUTLS;
    mend(pair, by_gnutls ? changed : left && stream.data[next] != TLS_APPLICATION_DATA);
    cs_writer_drop(&stream);
    return 0;
}
