/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SPNEGO's acceptor.
 */
#include "kerberos_token.h"
#include "negotiate.h"

#include <string.h>

/* A first call without a token: the server speaks first and says what it can (MS-SPNG 3.2.5.2). */
static SECURITY_STATUS write_hints(const struct negotiation *negotiation, struct cs_writer *output)
{
    static const char hint[] = "not_defined_in_RFC4178@please_ignore";
    struct spnego_init message = {.hint_name = {(const uint8_t *)hint, sizeof hint - 1}};
    for (int i = 0; i < CANDIDATES; i++)
        if (negotiate_can_accept(negotiation, i)) negotiate_list(negotiation, i, &message);
    if (!message.mech_count) return SEC_E_NO_CREDENTIALS;
    spnego_init_write(output, &message);
    return SEC_I_CONTINUE_NEEDED;
}

/*
 * Which mechanism's token INPUT is without SPNEGO around it, or -1: clients with NTLM alone leave SPNEGO out, and so
 * may those of Kerberos (MS-SPNG, Windows behaviour 8).
 */
static int find_bare(const struct negotiation *negotiation, struct cs_span input)
{
    struct kerberos_token token;
    if (input.size >= 8 && !memcmp(input.data, "NTLMSSP", 8)) return negotiate_find(negotiation, spnego_ntlm, NULL);
    if (kerberos_token_read(input, &token)) return negotiate_find(negotiation, spnego_krb5, NULL);
    return -1;
}

/*
 * Makes the client's mechanism NUMBER the chosen one, and gives it the optimistic token if that is its: then its own
 * step tells whether it has keys. Without a token nothing would, until the client has spent a leg on it.
 */
static SECURITY_STATUS try_mechanism(struct negotiation *negotiation, struct turn *turn,
                                     const struct spnego_init *message, size_t number, int candidate)
{
    negotiation->mic_required = number > 0;
    turn->token = number == 0 ? message->mech_token : (struct cs_span){NULL, 0};
    if (!turn->token.size && !negotiate_can_accept(negotiation, candidate)) return SEC_E_NO_CREDENTIALS;
    SECURITY_STATUS status = negotiate_choose(negotiation, candidate, turn->leg);
    if (status || !turn->token.size) return status;
    return negotiate_run_mechanism(negotiation, turn);
}

/*
 * Takes the client's first mechanism that can run here: for one of which this server has no keys it has another. The
 * optimistic token is of use only if that is the client's first choice; otherwise somebody may have tampered with the
 * list, and a MIC must show that nobody has. One in this message shows nothing: RFC 4178 4.2.1 has room for it, but a
 * client of NTLM has no key yet to make it with. It is passed over, for it may be anything, and never counts as the one
 * that is required.
 */
static SECURITY_STATUS select_mechanism(struct negotiation *negotiation, struct turn *turn,
                                        const struct spnego_init *message)
{
    SECURITY_STATUS status = SEC_E_INVALID_TOKEN;
    int without_keys = -1;
    cs_write_span(&negotiation->mech_list, message->mech_list);
    if (negotiation->mech_list.failed) return SEC_E_INSUFFICIENT_MEMORY;
    for (size_t i = 0; i < message->mech_count; i++) {
        const int found = negotiate_find(negotiation, message->mechs[i], &negotiation->chosen_oid);
        if (found < 0 || found == without_keys) continue;
        status = try_mechanism(negotiation, turn, message, i, found);
        if (status != SEC_E_NO_CREDENTIALS) break;
        without_keys = found;
    }
    return status;
}

static SECURITY_STATUS take_first_input(struct negotiation *negotiation, struct turn *turn)
{
    struct spnego_init message;
    const int bare = find_bare(negotiation, turn->leg->input);
    if (bare >= 0) {
        negotiation->bare = true;
        turn->token = turn->leg->input;
        SECURITY_STATUS status = negotiate_choose(negotiation, bare, turn->leg);
        return status ? status : negotiate_run_mechanism(negotiation, turn);
    }
    SECURITY_STATUS status = spnego_init_read(turn->leg->input, &message);
    return status ? status : select_mechanism(negotiation, turn, &message);
}

static SECURITY_STATUS take_next_input(struct negotiation *negotiation, struct turn *turn)
{
    struct spnego_resp message;
    turn->token = turn->leg->input;
    if (negotiation->bare) return negotiate_run_mechanism(negotiation, turn);
    SECURITY_STATUS status = spnego_resp_read(turn->leg->input, &message);
    if (status) return status;
    if (message.state == SPNEGO_REJECT) return SEC_E_LOGON_DENIED;
    turn->token = message.response_token;
    turn->mic = message.mech_list_mic;
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
    if (first) message.supported_mech = negotiation->chosen_oid;
    if (first && negotiation->mic_required) message.state = SPNEGO_REQUEST_MIC;
    if (is_complete(negotiation)) message.state = SPNEGO_ACCEPT_COMPLETED;
    spnego_resp_write(output, &message);
}

SECURITY_STATUS negotiate_accept(struct negotiation *negotiation, struct turn *turn, struct cs_writer *output)
{
    const bool first = negotiation->chosen < 0;
    if (first && negotiation->leg == 1 && !turn->leg->input.size) return write_hints(negotiation, output);
    SECURITY_STATUS status = first ? take_first_input(negotiation, turn) : take_next_input(negotiation, turn);
    if (status == SEC_E_OK && !negotiation->bare) status = exchange_mic(negotiation, turn);
    if (status) return status;
    write_output(negotiation, turn, first, output);
    return is_complete(negotiation) ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
}
