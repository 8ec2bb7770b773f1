/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: the acceptor's second leg. Input: options, then the AUTHENTICATE_MESSAGE. The mode says whether its
 * proof, and its MIC, are made right first, so that what lies behind them is reached.
 */
#include "fuzz.h"
#include "ntlm.h"

#include <string.h>

enum { MAKE_PROOF = 1, MAKE_MIC = 2, WITHOUT_SESSION_SECURITY = 4, OEM = 8 };

/* The NEGOTIATE_MESSAGE that the options' client sends, and what the mode takes from it. */
static void send_negotiate(struct pair *pair, const struct fuzz_options *options, struct cs_writer *negotiate)
{
    const uint32_t clear = (options->mode & WITHOUT_SESSION_SECURITY ? NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY : 0) |
                           (options->mode & OEM ? NTLMSSP_NEGOTIATE_UNICODE : 0);
    fuzz_require(pair_client_step(pair, (struct cs_span){0}) == SEC_I_CONTINUE_NEEDED, "the first leg");
    cs_write_span(negotiate, cs_token(pair->client));
    mitm_set_word(negotiate, MITM_NEGOTIATE_FLAGS, mitm_word(cs_written(negotiate), MITM_NEGOTIATE_FLAGS) & ~clear);
    fuzz_require(mitm_to_server(pair, cs_written(negotiate)) == SEC_I_CONTINUE_NEEDED, "the second leg");
}

static bool is_anonymous(struct cs_span token)
{
    struct ntlm_authenticate message;
    return !ntlm_authenticate_read(token, &message) && !message.user.size && !message.nt_response.size;
}

/* The key that a proof must come from: the loopback secret's if both sides' flags make a local call, else the
 * account's. */
static void choose_key(struct forge *forge, bool local)
{
    memcpy(forge->ntowfv1, fuzz_ntowfv1, NTLM_KEY);
    if (local) fuzz_require(ntlm_loopback_hash(forge->ntowfv1), "loopback secret");
}

static bool is_local_call(const struct forge *forge, struct cs_span token)
{
    struct ntlm_authenticate message;
    struct ntlm_challenge challenge;
    return !ntlm_authenticate_read(token, &message) && !ntlm_challenge_read(forge->challenge, &challenge) &&
           message.flags & challenge.flags & NTLMSSP_NEGOTIATE_LOCAL_CALL;
}

static void check_session(const struct pair *pair, const struct fuzz_options *options, struct forge *forge,
                          struct cs_span token)
{
    choose_key(forge, is_local_call(forge, token));
    fuzz_require(cs_context_session(pair->server) != NULL, "complete without a session");
    if (options->null_sessions && is_anonymous(token))
        fuzz_require(pair->server_leg.granted & ASC_RET_NULL_SESSION, "a null session that does not say so");
    else
        fuzz_require(forge_proof_holds(forge, token), "a session without a right proof");
}

static void run(struct pair *pair, const struct fuzz_options *options, struct cs_span input)
{
    struct cs_writer negotiate = {0}, challenge = {0}, token = {0};
    struct forge forge;
    send_negotiate(pair, options, &negotiate);
    cs_write_span(&challenge, cs_token(pair->server));
    cs_write_span(&token, input);
    forge.negotiate = cs_written(&negotiate);
    forge.challenge = cs_written(&challenge);
    choose_key(&forge, options->identity == FUZZ_LOOPBACK);
    if (options->mode & MAKE_PROOF) forge_proof(&forge, &token);
    if (options->mode & MAKE_MIC) forge_mic(&forge, &token);
    SECURITY_STATUS status = mitm_to_server(pair, cs_written(&token));
    fuzz_require_leg_status(status);
    if (status == SEC_E_OK)
        check_session(pair, options, &forge, cs_written(&token));
    else
        fuzz_require(status < 0 && !cs_context_session(pair->server), "a session with a failure");
    cs_writer_drop(&negotiate);
    cs_writer_drop(&challenge);
    cs_writer_drop(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){data, size});
    struct fuzz_options options;
    struct pair pair;
    fuzz_options_read(&options, &reader);
    pair_open(&pair, "NTLM", &options.setup);
    run(&pair, &options, fuzz_rest(&reader));
    pair_close(&pair);
    return 0;
}
