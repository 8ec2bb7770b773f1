/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The man in the middle.
 */
#include "mitm.h"

#include <stdio.h>
#include <stdlib.h>

static const size_t flag_offsets[] = {MITM_NEGOTIATE_FLAGS, MITM_CHALLENGE_FLAGS, MITM_AUTHENTICATE_FLAGS};

static void require(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "tests/support/mitm: %s\n", what);
    abort();
}

uint32_t mitm_word(struct cs_span message, size_t offset)
{
    struct cs_reader reader = cs_reader_of(message);
    cs_read_span(&reader, offset);
    uint32_t value = cs_read_u32(&reader);
    require(!reader.failed, "no such word in the message");
    return value;
}

void mitm_set_word(struct cs_writer *message, size_t offset, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    cs_write_over(message, offset, (struct cs_span){bytes, sizeof bytes});
    require(!message->failed, "no such word in the message");
}

void mitm_change_flags(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    if (number != mitm->target_message) return;
    const size_t offset = flag_offsets[number - 1];
    const uint32_t flags = mitm_word(cs_written(message), offset);
    mitm_set_word(message, offset, (flags & ~mitm->clear) | mitm->set);
}

SECURITY_STATUS mitm_to_client(struct pair *pair, struct cs_span input)
{
    struct cs_span exact;
    require(cs_span_copy(&exact, input), "memory");
    SECURITY_STATUS status = pair_client_step(pair, exact);
    cs_span_drop(&exact);
    return status;
}

SECURITY_STATUS mitm_to_server(struct pair *pair, struct cs_span input)
{
    struct cs_span exact;
    require(cs_span_copy(&exact, input), "memory");
    SECURITY_STATUS status = pair_server_step(pair, exact);
    cs_span_drop(&exact);
    return status;
}

/* Hands on what one side has written, as message NUMBER. */
static struct cs_span pass_on(struct mitm *mitm, unsigned number, struct cs_span token)
{
    struct cs_writer *message = &mitm->delivered[number - 1];
    cs_write_span(message, token);
    if (mitm->edit) mitm->edit(mitm, number, message);
    require(!message->failed, "edit");
    mitm->refused = number; /* until its receiver has taken it */
    return cs_written(message);
}

SECURITY_STATUS mitm_run(struct mitm *mitm, struct pair *pair)
{
    SECURITY_STATUS client = pair_client_step(pair, (struct cs_span){0}), server = SEC_I_CONTINUE_NEEDED;
    mitm->refused = 0;
    for (unsigned number = 1; client >= 0 && number <= MITM_MESSAGES; number += 2) {
        if (server != SEC_I_CONTINUE_NEEDED) return client;
        server = mitm_to_server(pair, pass_on(mitm, number, cs_token(pair->client)));
        if (server >= 0) mitm->refused = 0;
        if (server < 0 || client == SEC_E_OK) return server;
        client = mitm_to_client(pair, pass_on(mitm, number + 1, cs_token(pair->server)));
        if (client >= 0) mitm->refused = 0;
        if (client == SEC_E_OK && server == SEC_E_OK) break;
    }
    return client;
}

void mitm_end(struct mitm *mitm)
{
    for (size_t i = 0; i < sizeof mitm->delivered / sizeof *mitm->delivered; i++) cs_writer_drop(&mitm->delivered[i]);
}
