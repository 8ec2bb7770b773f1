/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: the acceptor's first leg. Input: options, then the NEGOTIATE_MESSAGE.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){data, size});
    struct fuzz_options options;
    struct ntlm_challenge challenge;
    struct pair pair;
    fuzz_options_read(&options, &reader);
    if (options.mode & 1) options.policy.ntlm_min_server_sec = NTLMSSP_NEGOTIATE_128;
    pair_open(&pair, "NTLM", &options.setup);
    SECURITY_STATUS status = mitm_to_server(&pair, fuzz_rest(&reader));
    fuzz_require_leg_status(status);
    fuzz_require(!cs_context_session(pair.server), "a session after one leg");
    if (status == SEC_I_CONTINUE_NEEDED)
        fuzz_require(!ntlm_challenge_read(cs_token(pair.server), &challenge), "a challenge that cannot be read");
    else
        fuzz_require(status < 0 && !cs_token(pair.server).size, "a token with a failure");
    pair_close(&pair);
    return 0;
}
