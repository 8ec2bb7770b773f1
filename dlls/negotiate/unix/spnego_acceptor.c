/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SPNEGO's acceptor.
 */
#include "negotiate.h"

#include <string.h>

/* A first call without a token: the server speaks first and says what it can (MS-SPNG 3.2.5.2). */
static SECURITY_STATUS write_hints(const struct negotiation *negotiation, struct cs_writer *output)
{
    static const char hint[] = "not_defined_in_RFC4178@please_ignore";
    struct spnego_init message = {.hint_name = {(const uint8_t *)hint, sizeof hint - 1}};
    for (int i = 0; i < CANDIDATES; i++)
        if (negotiation->credential->inner[i]) message.mechs[message.mech_count++] = *negotiate_candidates[i].oid;
    if (!message.mech_count) return SEC_E_NO_CREDENTIALS;
    spnego_init_write(output, &message);
    return SEC_I_CONTINUE_NEEDED;
}

/* Clients with NTLM alone leave SPNEGO out (MS-SPNG, Windows behaviour 8). */
static bool is_bare_ntlm(struct cs_span token)
{
    return token.size >= 8 && !memcmp(token.data, "NTLMSSP", 8);
}

/*
 * Takes the client's first mechanism that can run here. Its optimistic token is of use only if that is its first
 * choice; otherwise somebody may have tampered with the list, and a MIC must show that nobody has. One in this message
 * shows nothing: RFC 4178 4.2.1 has room for it, but a client of NTLM has no key yet to make it with. It is passed
 * over, for it may be anything, and never counts as the one that is required.
 */
static SECURITY_STATUS select_mechanism(struct negotiation *negotiation, struct turn *turn,
                                        const struct spnego_init *message)
{
    int found = -1;
    size_t i = 0;
    while (i < message->mech_count && (found = negotiate_find(negotiation, message->mechs[i])) < 0) i++;
    if (found < 0) return SEC_E_INVALID_TOKEN;
    negotiation->mic_required = i > 0;
    turn->token = i == 0 ? message->mech_token : (struct cs_span){NULL, 0};
    cs_write_span(&negotiation->mech_list, message->mech_list);
    if (negotiation->mech_list.failed) return SEC_E_INSUFFICIENT_MEMORY;
    return negotiate_choose(negotiation, found, turn->leg);
}

static SECURITY_STATUS take_first_input(struct negotiation *negotiation, struct turn *turn)
{
    struct spnego_init message;
    if (is_bare_ntlm(turn->leg->input)) {
        const int ntlm = negotiate_find(negotiation, spnego_ntlm);
        if (ntlm < 0) return SEC_E_INVALID_TOKEN;
        negotiation->bare = true;
        turn->token = turn->leg->input;
        return negotiate_choose(negotiation, ntlm, turn->leg);
    }
    SECURITY_STATUS status = spnego_init_read(turn->leg->input, &message);
    return status ? status : select_mechanism(negotiation, turn, &message);
}

static SECURITY_STATUS take_input(struct negotiation *negotiation, struct turn *turn)
{
    struct spnego_resp message;
    if (negotiation->chosen < 0) return take_first_input(negotiation, turn);
    turn->token = turn->leg->input;
    if (negotiation->bare) return SEC_E_OK;
    SECURITY_STATUS status = spnego_resp_read(turn->leg->input, &message);
    if (status) return status;
    if (message.state == SPNEGO_REJECT) return SEC_E_LOGON_DENIED;
    turn->token = message.response_token;
    turn->mic = message.mech_list_mic;
    return SEC_E_OK;
}

/* Before the mechanism has had a token there is nothing to run: the client was told which one to start. */
static SECURITY_STATUS run_mechanism(struct negotiation *negotiation, struct turn *turn, bool first)
{
    if (first && !negotiation->bare && !turn->token.size) return SEC_E_OK;
    return negotiate_run_mechanism(negotiation, turn);
}

/* The client's last token comes with its MIC; a mechanism whose last token is the server's gets one more leg. */
static SECURITY_STATUS exchange_mic(struct negotiation *negotiation, struct turn *turn)
{
    SECURITY_STATUS status = negotiate_verify_mic(negotiation, turn);
    if (status || !negotiation->inner_done) return status;
    const bool last_is_ours = turn->answer.size > 0;
    if (negotiation->mic_required && !negotiation->mic_verified && !last_is_ours) return SEC_E_INVALID_TOKEN;
    if (negotiation->mic_sent || !(negotiation->mic_required || negotiation->mic_verified)) return SEC_E_OK;
    return negotiate_has_integrity(negotiation) ? negotiate_make_mic(negotiation, turn) : SEC_E_INVALID_TOKEN;
}

static bool is_complete(const struct negotiation *negotiation)
{
    return negotiation->inner_done && (!negotiation->mic_required || negotiation->mic_verified);
}

static void write_output(const struct negotiation *negotiation, const struct turn *turn, bool first,
                         struct cs_writer *output)
{
    struct spnego_resp message = {.state = SPNEGO_ACCEPT_INCOMPLETE,
                                  .response_token = cs_written(&turn->answer),
                                  .mech_list_mic = cs_written(&turn->own_mic)};
    if (negotiation->bare) {
        cs_write_span(output, cs_written(&turn->answer));
        return;
    }
    if (first) message.supported_mech = *negotiate_candidates[negotiation->chosen].oid;
    if (first && negotiation->mic_required) message.state = SPNEGO_REQUEST_MIC;
    if (is_complete(negotiation)) message.state = SPNEGO_ACCEPT_COMPLETED;
    spnego_resp_write(output, &message);
}

SECURITY_STATUS negotiate_accept(struct negotiation *negotiation, struct turn *turn, struct cs_writer *output)
{
    const bool first = negotiation->chosen < 0;
    if (first && negotiation->leg == 1 && !turn->leg->input.size) return write_hints(negotiation, output);
    SECURITY_STATUS status = take_input(negotiation, turn);
    if (status == SEC_E_OK) status = run_mechanism(negotiation, turn, first);
    if (status == SEC_E_OK && !negotiation->bare) status = exchange_mic(negotiation, turn);
    if (status) return status;
    write_output(negotiation, turn, first, output);
    return is_complete(negotiation) ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
}
