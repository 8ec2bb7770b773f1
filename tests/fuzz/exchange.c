/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: whole exchanges in both roles with one message changed on its way. Input: options, the number of the
 * message in the mode, then changes: how, where, how much, and bytes.
 */
#include "fuzz.h"

#include <string.h>

enum { XOR, OVERWRITE, INSERT, CUT, HOWS };

struct changes {
    struct cs_reader *input;
    unsigned number;
    bool changed, loses_session_security;
};

static void exchange_bytes(struct cs_writer *message, size_t at, size_t remove, struct cs_span insert)
{
    struct cs_reader old = cs_reader_of(cs_written(message));
    struct cs_writer made = {0};
    cs_write_span(&made, cs_read_span(&old, at));
    cs_write_span(&made, insert);
    cs_read_span(&old, remove);
    cs_write_span(&made, cs_read_span(&old, old.remaining));
    cs_writer_drop(message);
    *message = made;
}

static void xor_bytes(struct cs_writer *message, size_t at, struct cs_span bytes)
{
    for (size_t i = 0; i < bytes.size; i++) message->data[at + i] ^= bytes.data[i];
}

static void change_once(struct cs_writer *message, struct cs_reader *input)
{
    const unsigned how = cs_read_u8(input) % HOWS;
    const size_t at = cs_read_u16(input) % (message->size + 1);
    const size_t asked = cs_read_u8(input), rest = message->size - at;
    const size_t within = asked < rest ? asked : rest;
    if (how == CUT) {
        exchange_bytes(message, at, within, (struct cs_span){NULL, 0});
        return;
    }
    const struct cs_span bytes = cs_read_span(input, how == INSERT ? asked : within);
    if (how == XOR)
        xor_bytes(message, at, bytes);
    else
        exchange_bytes(message, at, how == INSERT ? 0 : bytes.size, bytes);
}

static void change(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    struct changes *changes = mitm->data;
    struct cs_span before;
    if (number == 1 && changes->loses_session_security) {
        const uint32_t flags = mitm_word(cs_written(message), MITM_NEGOTIATE_FLAGS);
        mitm_set_word(message, MITM_NEGOTIATE_FLAGS, flags & ~NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY);
        changes->changed |= (flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) != 0;
    }
    if (number != changes->number) return;
    fuzz_require(cs_span_copy(&before, cs_written(message)), "memory");
    while (changes->input->remaining && !changes->input->failed && message->size < 65536)
        change_once(message, changes->input);
    changes->changed |= message->size != before.size ||
                        (before.size && memcmp(message->data, before.data, before.size));
    cs_span_drop(&before);
}

/*
 * Nothing changed: it must succeed, unless bindings are asked for that NTLMv1 and null sessions cannot send, or null
 * sessions are not allowed. Something changed: with NTLMv2 the MIC tells, and nothing may come of it.
 */
static void check(const struct fuzz_options *options, const struct changes *changes, const struct pair *pair,
                  SECURITY_STATUS status)
{
    const bool has_mic = options->identity == FUZZ_LOOPBACK ||
                         (options->identity != FUZZ_ANONYMOUS && options->level > 2);
    const bool refused = options->identity == FUZZ_ANONYMOUS ? !options->null_sessions || options->bindings
                                                             : !has_mic && options->bindings;
    fuzz_require_leg_status(status);
    if (status == SEC_E_OK && changes->changed) fuzz_require(!has_mic, "a changed message was accepted");
    if (changes->changed) return;
    fuzz_require((status == SEC_E_OK) == !refused, "an exchange that nobody changed");
    if (status) return;
    fuzz_require_messages_pass(cs_context_session(pair->client), cs_context_session(pair->server));
    fuzz_require_messages_pass(cs_context_session(pair->server), cs_context_session(pair->client));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){data, size});
    struct fuzz_options options;
    struct pair pair;
    fuzz_options_read(&options, &reader);
    struct changes changes = {.input = &reader,
                              .number = options.mode % 4,
                              .loses_session_security = options.mode & 4};
    struct mitm mitm = {.edit = change, .data = &changes};
    pair_open(&pair, "NTLM", &options.setup);
    check(&options, &changes, &pair, mitm_run(&mitm, &pair));
    pair_close(&pair);
    mitm_end(&mitm);
    return 0;
}
