/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: the initiator's second leg. Input: options, then the CHALLENGE_MESSAGE.
 */
#include "fuzz.h"

static void check_answer(const struct pair *pair, const struct fuzz_options *options, struct cs_span challenge)
{
    struct ntlm_authenticate message;
    struct ntlm_challenge read;
    fuzz_require(cs_context_session(pair->client) != NULL, "complete without a session");
    fuzz_require(!ntlm_authenticate_read(cs_token(pair->client), &message), "an answer that cannot be read");
    fuzz_require(!ntlm_challenge_read(challenge, &read), "an answer to what cannot be read");
    /* The loopback logon's proof goes to nobody who did not show the mark first. */
    if (options->identity == FUZZ_LOOPBACK)
        fuzz_require(read.flags & NTLMSSP_NEGOTIATE_LOCAL_CALL, "a loopback logon that was not offered");
    if (options->identity == FUZZ_ANONYMOUS) fuzz_require(!message.nt_response.size, "a response of nobody's");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){data, size});
    struct fuzz_options options;
    struct pair pair;
    fuzz_options_read(&options, &reader);
    if (options.mode & 1) options.policy.ntlm_min_client_sec = NTLMSSP_NEGOTIATE_128;
    if (options.mode & 2) options.policy.suppress_extended_protection = 1;
    pair_open(&pair, "NTLM", &options.setup);
    fuzz_require(pair_client_step(&pair, (struct cs_span){0}) == SEC_I_CONTINUE_NEEDED, "the first leg");
    const struct cs_span challenge = fuzz_rest(&reader);
    SECURITY_STATUS status = mitm_to_client(&pair, challenge);
    fuzz_require_leg_status(status);
    if (status == SEC_E_OK)
        check_answer(&pair, &options, challenge);
    else
        fuzz_require(status < 0 && !cs_context_session(pair.client) && !cs_token(pair.client).size,
                     "something left of a failed leg");
    pair_close(&pair);
    return 0;
}
