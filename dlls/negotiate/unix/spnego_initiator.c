/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SPNEGO's initiator.
 */
#include "kerberos_token.h"
#include "negotiate.h"
#include "utf16.h"

#include <arpa/inet.h>
#include <string.h>

/* Whatever can run here, from the one that has started on: what could not is not offered. */
static void list_mechs(const struct negotiation *negotiation, struct spnego_init *message)
{
    for (int i = negotiation->chosen; i < CANDIDATES; i++) negotiate_list(negotiation, i, message);
}

/* Whether TARGET, service/host, names its host by address: Windows then takes NTLM without asking a KDC. */
static bool is_address(struct cs_span target)
{
    struct cs_writer utf8 = {0};
    struct in6_addr address;
    char text[256] = "";
    if (cs_utf8_of(&utf8, target) && utf8.size && utf8.size < sizeof text) memcpy(text, utf8.data, utf8.size);
    cs_writer_drop(&utf8);
    char *host = strchr(text, '/');
    host = host ? host + 1 : text;
    if (inet_pton(AF_INET6, host, &address) == 1) return true;
    host[strcspn(host, ":@/")] = 0;
    return inet_pton(AF_INET, host, &address) == 1;
}

/*
 * Why another mechanism may be tried: this one has nothing to begin with, no name and no ticket, or nobody to ask. What
 * somebody answered stands: a refusal is not gone round.
 */
static const SECURITY_STATUS cannot_begin[] = {
    SEC_E_NO_CREDENTIALS,              /* the user has no ticket */
    SEC_E_UNKNOWN_CREDENTIALS,         /* the identity is no name of this mechanism's */
    STATUS_NO_SUCH_USER,               /* nor of anybody whom the KDC knows: an account of the server's own, say */
    SEC_E_NO_AUTHENTICATING_AUTHORITY, /* no realm, or no KDC in it answers */
    SEC_E_TARGET_UNKNOWN,              /* no target, or none that the KDC knows */
    SEC_E_KDC_UNABLE_TO_REFER,         /* nor knows who does */
    SEC_E_NO_TGT_REPLY,                /* it is to be user-to-user, and that cannot be begun here */
};

static bool may_go_on(SECURITY_STATUS status)
{
    for (size_t i = 0; i < sizeof cannot_begin / sizeof *cannot_begin; i++)
        if (cannot_begin[i] == status) return true;
    return false;
}

static bool is_kerberos(int candidate)
{
    return negotiate_candidates[candidate].oids[0] == &spnego_ms_krb5;
}

/*
 * Whether Kerberos's first token is user-to-user's, which has a name of its own in the list: an acceptor that does not
 * know it leaves it aside. The other names are not offered then, lest plain Kerberos be chosen where it must not be.
 */
static bool is_user_to_user(struct cs_span token)
{
    struct kerberos_token first;
    return kerberos_token_read(token, &first) && first.user_to_user;
}

/* The optimistic token is that of the first mechanism that starts. */
static SECURITY_STATUS start_first_mechanism(struct negotiation *negotiation, struct turn *turn)
{
    SECURITY_STATUS status = SEC_E_NO_CREDENTIALS;
    turn->start = true;
    for (int i = 0; i < CANDIDATES; i++) {
        if (!negotiation->credential->inner[i] || (is_kerberos(i) && is_address(turn->leg->target))) continue;
        status = negotiate_choose(negotiation, i, turn->leg);
        if (status == SEC_E_OK) status = negotiate_run_mechanism(negotiation, turn);
        if (!may_go_on(status)) break;
        cs_writer_drop(&turn->answer);
    }
    return status;
}

static SECURITY_STATUS open_negotiation(struct negotiation *negotiation, struct turn *turn, struct cs_writer *output)
{
    struct spnego_init message = {.mech_count = 0};
    SECURITY_STATUS status = start_first_mechanism(negotiation, turn);
    if (status) return status;
    negotiation->bare = negotiation->credential->bare;
    negotiation->user_to_user = is_user_to_user(cs_written(&turn->answer));
    if (negotiation->bare) {
        cs_write_span(output, cs_written(&turn->answer));
        return SEC_I_CONTINUE_NEEDED;
    }
    list_mechs(negotiation, &message);
    message.mech_token = cs_written(&turn->answer);
    spnego_mech_list_write(&negotiation->mech_list, &message);
    spnego_init_write(output, &message);
    return negotiation->mech_list.failed ? SEC_E_INSUFFICIENT_MEMORY : SEC_I_CONTINUE_NEEDED;
}

/*
 * Another mechanism than the first one offered is what a man in the middle would bring about: a MIC must follow. An
 * acceptor may agree to the first one and still leave the optimistic token aside (RFC 4178 section 3): the same
 * mechanism then begins again, so that nobody gains by taking the token away; but once only, and not after it has had
 * an answer.
 */
static SECURITY_STATUS follow_selection(struct negotiation *negotiation, struct turn *turn, struct cs_span mech)
{
    if (!mech.data || negotiation->inner_done) return SEC_E_OK;
    const int selected = negotiate_find(negotiation, mech, NULL);
    if (selected < 0 || selected < negotiation->chosen) return SEC_E_INVALID_TOKEN;
    const bool left_aside = negotiation->leg == 2 && !turn->token.size;
    if (selected == negotiation->chosen && !left_aside) return SEC_E_OK;
    if (selected != negotiation->chosen) negotiation->mic_required = true;
    turn->start = !turn->token.size;
    return negotiate_choose(negotiation, selected, turn->leg);
}

static SECURITY_STATUS take_input(struct negotiation *negotiation, struct turn *turn)
{
    struct spnego_resp message;
    turn->token = turn->leg->input;
    if (negotiation->bare) return SEC_E_OK;
    SECURITY_STATUS status = spnego_resp_read(turn->leg->input, &message);
    if (status) return status;
    if (message.state == SPNEGO_REJECT) return SEC_E_LOGON_DENIED;
    if (message.state == SPNEGO_REQUEST_MIC) negotiation->mic_required = true;
    turn->state = message.state;
    turn->token = message.response_token;
    turn->mic = message.mech_list_mic;
    return follow_selection(negotiation, turn, message.supported_mech);
}

/*
 * Windows sends a mechListMIC with NTLM's last token, always; with another mechanism where one is required. MIT's
 * acceptor of 1.21 looks for it at another tag than RFC 4178's and passes over it, so that the first message is a gap
 * to it.
 */
static SECURITY_STATUS exchange_mic(struct negotiation *negotiation, struct turn *turn)
{
    SECURITY_STATUS status = negotiate_verify_mic(negotiation, turn);
    if (status || !negotiation->inner_done || negotiation->mic_sent) return status;
    const bool peer_done = turn->state == SPNEGO_ACCEPT_COMPLETED;
    if (!negotiation->mic_required && (peer_done || is_kerberos(negotiation->chosen))) return SEC_E_OK;
    if (negotiate_has_integrity(negotiation)) return negotiate_make_mic(negotiation, turn);
    return negotiation->mic_required ? SEC_E_INVALID_TOKEN : SEC_E_OK;
}

/*
 * Done when the acceptor says so, or says nothing of it with its last token (RFC 4178 4.2.2), and has shown its MIC
 * where one is required. Who has nothing to send and is told to go on has been told so by a man in the middle.
 */
static SECURITY_STATUS conclude(const struct negotiation *negotiation, const struct turn *turn)
{
    const bool silent = !turn->answer.size && !turn->own_mic.size;
    if (negotiation->bare) return negotiation->inner_done ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
    if (!silent && turn->state != SPNEGO_ACCEPT_COMPLETED) return SEC_I_CONTINUE_NEEDED;
    if (turn->state != SPNEGO_ACCEPT_COMPLETED && turn->state != SPNEGO_NO_STATE) return SEC_E_INVALID_TOKEN;
    if (!negotiation->inner_done || turn->answer.size) return SEC_E_INVALID_TOKEN;
    return negotiation->mic_required && !negotiation->mic_verified ? SEC_E_INVALID_TOKEN : SEC_E_OK;
}

static void write_output(const struct negotiation *negotiation, const struct turn *turn, struct cs_writer *output)
{
    const struct spnego_resp message = {.state = SPNEGO_ACCEPT_INCOMPLETE,
                                        .response_token = cs_written(&turn->answer),
                                        .mech_list_mic = cs_written(&turn->own_mic)};
    if (negotiation->bare)
        cs_write_span(output, cs_written(&turn->answer));
    else if (turn->answer.size || turn->own_mic.size)
        spnego_resp_write(output, &message);
}

SECURITY_STATUS negotiate_initiate(struct negotiation *negotiation, struct turn *turn, struct cs_writer *output)
{
    if (negotiation->chosen < 0) return open_negotiation(negotiation, turn, output);
    SECURITY_STATUS status = take_input(negotiation, turn);
    if (status == SEC_E_OK) status = negotiate_run_mechanism(negotiation, turn);
    if (status == SEC_E_OK && !negotiation->bare) status = exchange_mic(negotiation, turn);
    if (status == SEC_E_OK) status = conclude(negotiation, turn);
    if (status >= 0) write_output(negotiation, turn, output);
    return status;
}
