/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: whole exchanges in both roles with one message changed on its way. Input: options, the number of the
 * message in the mode, then changes: how, where, how much, and bytes.
 */
#include "changes.h"

#include <limits.h>

struct changes {
    struct cs_reader *input;
    unsigned number;
    bool changed, loses_session_security;
};

static void change(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    struct changes *changes = mitm->data;
    if (number == 1 && changes->loses_session_security) {
        const uint32_t flags = mitm_word(cs_written(message), MITM_NEGOTIATE_FLAGS);
        mitm_set_word(message, MITM_NEGOTIATE_FLAGS, flags & ~NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY);
        changes->changed |= (flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) != 0;
    }
    if (number == changes->number) changes->changed |= fuzz_change(message, changes->input, UINT_MAX);
}

/* Whoever is in the middle may log on as nobody where that is allowed; what he gets says that it is nobody's. */
static bool is_of_nobody(const struct pair *pair)
{
    return cs_context_session(pair->server)->flags & ASC_RET_NULL_SESSION;
}

/*
 * Nothing changed: it must succeed, unless bindings are asked for that NTLMv1 and null sessions cannot send, or null
 * sessions are not allowed. Something changed: with NTLMv2 the MIC tells, and nothing may come of it.
 */
static void check(const struct fuzz_options *options, const struct changes *changes, const struct pair *pair,
                  SECURITY_STATUS status)
{
    const bool has_mic =
        options->identity == FUZZ_LOOPBACK || (options->identity != FUZZ_ANONYMOUS && options->level > 2);
    const bool refused = options->identity == FUZZ_ANONYMOUS ? !options->null_sessions || options->bindings
                                                             : !has_mic && options->bindings;
    fuzz_require_leg_status(status);
    if (status == SEC_E_OK && changes->changed)
        fuzz_require(!has_mic || is_of_nobody(pair), "a changed message was accepted");
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
    struct changes changes = {.input = &reader, .number = options.mode % 4, .loses_session_security = options.mode & 4};
    struct mitm mitm = {.edit = change, .data = &changes};
    pair_open(&pair, "NTLM", &options.setup);
    check(&options, &changes, &pair, mitm_run(&mitm, &pair));
    pair_close(&pair);
    mitm_end(&mitm);
    return 0;
}
