/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: whole exchanges of Negotiate in both roles, with any of the messages changed on its way. Input:
 * options; in the mode, whether the server speaks first and the client's package list; then for each message how
 * many changes, and those.
 */
#include "changes.h"

#include <string.h>

enum { SERVER_FIRST = 1, MOST_CHANGES = 4 };

static const char *const package_lists[] = {NULL, "NTLM", "!Kerberos", "Kerberos,NTLM"};

struct changes {
    struct cs_reader *input;
    bool changed;
};

static void change(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    struct changes *changes = mitm->data;
    (void)number;
    const unsigned most = cs_read_u8(changes->input) % (MOST_CHANGES + 1);
    changes->changed |= fuzz_change(message, changes->input, most);
}

/* What an exchange came to. */
struct outcome {
    SECURITY_STATUS status;
    uint32_t client, server, client_granted, server_granted;
};

static void require_no_half_session(const struct pair *pair, const struct outcome *outcome)
{
    const struct cs_session *client = cs_context_session(pair->client), *server = cs_context_session(pair->server);
    if (outcome->status == SEC_E_OK) {
        fuzz_require(client && server, "a session that is not there");
        fuzz_require(!strcmp(client->package, "NTLM") && !strcmp(server->package, "NTLM"), "another mechanism");
    } else {
        fuzz_require(!client || !server, "two sessions of an exchange that failed");
    }
}

static struct outcome run(const struct fuzz_options *options, struct changes *changes, struct pair *pair)
{
    struct mitm mitm = {.edit = changes ? change : NULL, .data = changes};
    struct outcome outcome = {.status = SEC_I_CONTINUE_NEEDED};
    fuzz_seed_random(0);
    pair_open(pair, "Negotiate", &options->setup);
    if (options->mode & SERVER_FIRST) outcome.status = pair_server_step(pair, (struct cs_span){NULL, 0});
    fuzz_require(outcome.status == SEC_I_CONTINUE_NEEDED, "hints");
    outcome.status = mitm_run(&mitm, pair);
    mitm_end(&mitm);
    fuzz_require_leg_status(outcome.status);
    fuzz_require(outcome.status != SEC_I_CONTINUE_NEEDED, "both sides wait");
    require_no_half_session(pair, &outcome);
    if (outcome.status) return outcome;
    outcome.client = cs_context_session(pair->client)->flags;
    outcome.server = cs_context_session(pair->server)->flags;
    outcome.client_granted = pair->client_leg.granted;
    outcome.server_granted = pair->server_leg.granted;
    return outcome;
}

static void require_same_keys(const struct pair *pair)
{
    const struct cs_session *client = cs_context_session(pair->client), *server = cs_context_session(pair->server);
    fuzz_require(client->session_key_size == server->session_key_size &&
                     !memcmp(client->session_key, server->session_key, client->session_key_size),
                 "keys that differ");
}

/* The run without the attacker; its messages pass. */
static struct outcome undisturbed(const struct fuzz_options *options)
{
    struct pair pair;
    const struct outcome outcome = run(options, NULL, &pair);
    if (outcome.status == SEC_E_OK) {
        require_same_keys(&pair);
        fuzz_require_messages_pass(cs_context_session(pair.client), cs_context_session(pair.server));
        fuzz_require_messages_pass(cs_context_session(pair.server), cs_context_session(pair.client));
    }
    pair_close(&pair);
    return outcome;
}

/* NTLMv1 and null sessions have no MIC that would tell what was done to NTLM's own flags. */
static bool has_mic(const struct fuzz_options *options)
{
    return options->identity == FUZZ_LOOPBACK || (options->identity != FUZZ_ANONYMOUS && options->level > 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){data, size});
    struct fuzz_options options;
    struct pair pair;
    fuzz_options_read(&options, &reader);
    options.setup.client_packages = package_lists[options.mode >> 1 & 3];
    struct changes changes = {.input = &reader};
    const struct outcome expected = undisturbed(&options), outcome = run(&options, &changes, &pair);
    fuzz_require(expected.status == SEC_E_OK || !has_mic(&options), "an exchange that nobody changed");
    /* Whoever is in the middle may log on as nobody where that is allowed, and it says so. */
    const bool of_nobody = outcome.server & ASC_RET_NULL_SESSION;
    if (outcome.status == SEC_E_OK && has_mic(&options) && !of_nobody) {
        fuzz_require(!memcmp(&outcome, &expected, sizeof outcome), "flags that the attacker changed");
        require_same_keys(&pair);
    }
    if (!changes.changed) fuzz_require(outcome.status == expected.status, "a run that cannot be repeated");
    pair_close(&pair);
    return 0;
}
