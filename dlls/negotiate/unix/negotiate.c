/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Negotiate's credentials, and the steps that both roles share.
 */
#include "negotiate.h"

#include "secure.h"
#include "utf16.h"

#include <stdlib.h>
#include <string.h>

const struct candidate negotiate_candidates[CANDIDATES] = {
    {"Kerberos", {&spnego_ms_krb5, &spnego_krb5, &spnego_krb5_user_to_user}},
    {"NTLM", {&spnego_ntlm, NULL, NULL}},
};

/* FILETIME's end of time */
static const int64_t never = 0x7FFFFFFFFFFFFFFF;

static void release_credential(struct cs_credential *head)
{
    struct negotiate_credential *credential = (struct negotiate_credential *)head;
    for (int i = 0; i < CANDIDATES; i++) cs_credential_release(credential->inner[i]);
    free(credential);
}

/* One name of a package list such as "!ntlm,Kerberos": the next one, without its exclamation mark. */
static struct cs_span next_package(struct cs_span *list, bool *excluded)
{
    const uint8_t *comma = memchr(list->data, ',', list->size);
    struct cs_span name = {list->data, comma ? (size_t)(comma - list->data) : list->size};
    list->size -= name.size + (comma != NULL);
    list->data += name.size + (comma != NULL);
    *excluded = name.size && *name.data == '!';
    name.data += *excluded;
    name.size -= *excluded;
    return name;
}

static bool is_named(struct cs_span name, const char *package)
{
    return name.size == strlen(package) && !strncasecmp((const char *)name.data, package, name.size);
}

/* A list that names packages without "!" admits those alone; one that only excludes admits the others. */
static bool admitted(struct cs_span list, const char *package)
{
    bool includes = false, named = false, excluded;
    while (list.size) {
        struct cs_span name = next_package(&list, &excluded);
        if (excluded && is_named(name, package)) return false;
        includes |= !excluded;
        named |= !excluded && is_named(name, package);
    }
    return named || !includes;
}

/* Windows sends NTLM's bare tokens when the list is NTLM and nothing else (attributes.tsv, Negotiate, PackageList). */
static bool is_ntlm_alone(struct cs_span list)
{
    return is_named(list, "NTLM");
}

static SECURITY_STATUS acquire_inner(struct negotiate_credential *credential,
                                     const struct cs_credential_request *request, struct cs_span list)
{
    for (int i = 0; i < CANDIDATES; i++) {
        const char *package = negotiate_candidates[i].package;
        if (!admitted(list, package)) continue;
        /* NTLM has nothing that could be passed on: its client's name is never acted in. */
        if (request->identity.kind == CS_IDENTITY_CLIENT && i > 0) continue;
        SECURITY_STATUS status = cs_acquire_credential(cs_find_mechanism(package), request, &credential->inner[i]);
        if (status == SEC_E_INSUFFICIENT_MEMORY) return status;
    }
    credential->bare = is_ntlm_alone(list);
    return SEC_E_OK;
}

/* That no mechanism is left shows when a context is asked for (errors.tsv, Negotiate, SEC_E_NO_CREDENTIALS). */
static SECURITY_STATUS acquire(const struct cs_credential_request *request, struct cs_credential **out)
{
    struct negotiate_credential *credential = calloc(1, sizeof *credential);
    struct cs_writer list = {0};
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    credential->head.expiry = never;
    SECURITY_STATUS status = SEC_E_UNKNOWN_CREDENTIALS;
    if (cs_utf8_of(&list, request->identity.package_list))
        status = acquire_inner(credential, request, cs_written(&list));
    cs_writer_drop(&list);
    if (status)
        release_credential(&credential->head);
    else
        *out = &credential->head;
    return status;
}

static SECURITY_STATUS credential_names(const struct cs_credential *head, struct cs_writer *output)
{
    const struct negotiate_credential *credential = (const struct negotiate_credential *)head;
    SECURITY_STATUS status = SEC_E_NO_CREDENTIALS;
    for (int i = 0; i < CANDIDATES && status == SEC_E_NO_CREDENTIALS; i++)
        if (credential->inner[i])
            status = credential->inner[i]->mechanism->credential_names(credential->inner[i], output);
    return status;
}

static void drop_first_leg(struct negotiation *negotiation)
{
    struct cs_identity *identity = &negotiation->identity;
    cs_span_drop(&identity->user);
    cs_span_drop(&identity->domain);
    cs_span_drop(&identity->password);
    cs_span_drop(&negotiation->target);
}

/* Programs give the target, and the credential manager the identity, with the first leg alone: a server that chooses
 * another mechanism on the second must not get a logon without the target's name in its proof. */
static bool keep_first_leg(struct negotiation *negotiation, const struct cs_leg *leg)
{
    struct cs_identity *identity = &negotiation->identity;
    identity->kind = leg->identity.kind;
    return cs_span_copy(&negotiation->target, leg->target) && cs_span_copy(&identity->user, leg->identity.user) &&
           cs_span_copy(&identity->domain, leg->identity.domain) &&
           cs_span_copy(&identity->password, leg->identity.password);
}

static void *begin(const struct cs_leg *leg, bool initiator)
{
    struct negotiation *negotiation = calloc(1, sizeof *negotiation);
    if (!negotiation) return NULL;
    negotiation->initiator = initiator;
    negotiation->credential = (const struct negotiate_credential *)leg->credential;
    negotiation->chosen = -1;
    if (!initiator || keep_first_leg(negotiation, leg)) return negotiation;
    drop_first_leg(negotiation);
    free(negotiation);
    return NULL;
}

static const struct cs_mechanism *mechanism_of(const struct negotiation *negotiation)
{
    return negotiation->credential->inner[negotiation->chosen]->mechanism;
}

static void drop_inner(struct negotiation *negotiation)
{
    if (negotiation->inner) mechanism_of(negotiation)->end(negotiation->inner);
    negotiation->inner = NULL;
    negotiation->inner_done = false;
}

static void end(void *state)
{
    struct negotiation *negotiation = state;
    drop_inner(negotiation);
    cs_session_release(negotiation->session);
    cs_writer_drop(&negotiation->mech_list);
    drop_first_leg(negotiation);
    free(negotiation);
}

/*
 * The mechanism is always asked for mutual authentication (MS-SPNG 3.1.5.3), and for integrity, without which there is
 * no mechListMIC.
 */
static struct cs_leg inner_leg(const struct negotiation *negotiation, const struct turn *turn)
{
    struct cs_leg leg = *turn->leg;
    leg.credential = negotiation->credential->inner[negotiation->chosen];
    leg.input = turn->token;
    if (negotiation->initiator) leg.target = negotiation->target;
    if (negotiation->initiator) leg.identity = negotiation->identity;
    if (negotiation->initiator) leg.request |= ISC_REQ_MUTUAL_AUTH;
    if (negotiation->initiator && !(leg.request & ISC_REQ_NO_INTEGRITY)) leg.request |= ISC_REQ_INTEGRITY;
    return leg;
}

SECURITY_STATUS negotiate_choose(struct negotiation *negotiation, int candidate, const struct cs_leg *leg)
{
    if (negotiation->chosen >= 0) drop_inner(negotiation);
    negotiation->chosen = candidate;
    const struct turn turn = {.leg = (struct cs_leg *)(uintptr_t)leg};
    struct cs_leg inner = inner_leg(negotiation, &turn);
    negotiation->inner = mechanism_of(negotiation)->begin(&inner, negotiation->initiator);
    return negotiation->inner ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

int negotiate_find(const struct negotiation *negotiation, struct cs_span oid, struct cs_span *name)
{
    for (int i = 0; i < CANDIDATES * CANDIDATE_OIDS; i++) {
        const int candidate = i / CANDIDATE_OIDS;
        const struct cs_span *known = negotiate_candidates[candidate].oids[i % CANDIDATE_OIDS];
        if (!negotiation->credential->inner[candidate] || !known || !spnego_same_oid(oid, *known)) continue;
        if (!negotiate_offers(negotiation, known)) return -1;
        if (name) *name = *known;
        return candidate;
    }
    return -1;
}

bool negotiate_offers(const struct negotiation *negotiation, const struct cs_span *oid)
{
    if (!negotiation->initiator || oid == &spnego_ntlm) return true;
    return negotiation->user_to_user == (oid == &spnego_krb5_user_to_user);
}

void negotiate_list(const struct negotiation *negotiation, int index, struct spnego_init *message)
{
    if (!negotiation->credential->inner[index]) return;
    for (int i = 0; i < CANDIDATE_OIDS; i++)
        if (negotiate_candidates[index].oids[i] && negotiate_offers(negotiation, negotiate_candidates[index].oids[i]))
            message->mechs[message->mech_count++] = *negotiate_candidates[index].oids[i];
}

bool negotiate_can_accept(const struct negotiation *negotiation, int index)
{
    const struct cs_credential *inner = negotiation->credential->inner[index];
    return inner && (!inner->mechanism->can_accept || inner->mechanism->can_accept(inner));
}

SECURITY_STATUS negotiate_run_mechanism(struct negotiation *negotiation, struct turn *turn)
{
    const bool waits = negotiation->inner && !negotiation->inner_done;
    if (turn->token.size && !waits) return SEC_E_INVALID_TOKEN;
    if (!turn->token.size && !turn->start) return waits && !turn->mic.data ? SEC_E_INVALID_TOKEN : SEC_E_OK;
    struct cs_leg leg = inner_leg(negotiation, turn);
    SECURITY_STATUS status =
        mechanism_of(negotiation)->step(negotiation->inner, &leg, &turn->answer, &negotiation->session);
    if (status < 0) return status;
    negotiation->inner_done = status == SEC_E_OK;
    turn->granted = leg.granted;
    turn->leg->expiry = leg.expiry;
    return turn->answer.failed ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK;
}

bool negotiate_has_integrity(const struct negotiation *negotiation)
{
    const uint32_t integrity = negotiation->initiator ? ISC_REQ_INTEGRITY : ASC_REQ_INTEGRITY;
    return negotiation->session && (negotiation->session->flags & integrity);
}

/*
 * Each MIC leaves the stream where it was before (MS-SPNG 3.2.5.1, 3.3.5.1): after both is too late for NTLM without
 * extended session security, which has one stream for both directions.
 */
static void rewind_stream(struct cs_session *session)
{
    session->protection->rewind(session);
}

SECURITY_STATUS negotiate_verify_mic(struct negotiation *negotiation, const struct turn *turn)
{
    struct cs_buffer buffers[2] = {
        {(uint32_t)turn->mic.size, SECBUFFER_TOKEN, (uintptr_t)turn->mic.data},
        {(uint32_t)negotiation->mech_list.size, SECBUFFER_DATA, (uintptr_t)negotiation->mech_list.data},
    };
    const struct cs_message message = {buffers, 2};
    if (!turn->mic.data) return SEC_E_OK;
    if (!negotiation->inner_done || !negotiate_has_integrity(negotiation)) return SEC_E_INVALID_TOKEN;
    SECURITY_STATUS status = cs_verify_signature(negotiation->session, &message);
    if (status) return turn->mic.size < negotiation->session->sizes.max_signature ? SEC_E_INVALID_TOKEN : status;
    negotiation->mic_verified = true;
    rewind_stream(negotiation->session);
    return SEC_E_OK;
}

SECURITY_STATUS negotiate_make_mic(struct negotiation *negotiation, struct turn *turn)
{
    const uint32_t size = negotiation->session->sizes.max_signature;
    uint8_t *room = cs_write_room(&turn->own_mic, size);
    struct cs_buffer buffers[2] = {
        {size, SECBUFFER_TOKEN, (uintptr_t)room},
        {(uint32_t)negotiation->mech_list.size, SECBUFFER_DATA, (uintptr_t)negotiation->mech_list.data},
    };
    const struct cs_message message = {buffers, 2};
    if (!room) return SEC_E_INSUFFICIENT_MEMORY;
    SECURITY_STATUS status = cs_make_signature(negotiation->session, &message);
    turn->own_mic.size = buffers[0].size;
    negotiation->mic_sent = status == SEC_E_OK;
    if (negotiation->mic_sent) rewind_stream(negotiation->session);
    return status;
}

/*
 * The session leaves as the mechanism's, but answers with the flags that Negotiate granted; the last leg may be one
 * that the mechanism had no part in.
 */
static void hand_over(struct negotiation *negotiation, struct cs_leg *leg, struct cs_session **session)
{
    negotiation->session->flags |= leg->granted;
    leg->expiry = negotiation->session->expiry;
    *session = negotiation->session;
    negotiation->session = NULL;
}

/* NTLM proves nothing of the server but MUTUAL_AUTH is granted all the same (attributes.tsv, Negotiate, observed). */
static uint32_t granted_flags(const struct negotiation *negotiation, const struct turn *turn, bool first)
{
    const uint32_t asked = ISC_REQ_MUTUAL_AUTH | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT |
                           ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_CONNECTION;
    const uint32_t granted = negotiation->session ? negotiation->session->flags : turn->granted;
    /* Integrity shows only once the context is complete (observed, first server leg). */
    if (!negotiation->initiator) return negotiation->inner_done ? granted : granted & ~ASC_REQ_INTEGRITY;
    if (first) return (turn->leg->request & asked) | ISC_RET_INTERMEDIATE_RETURN;
    return granted | ISC_REQ_MUTUAL_AUTH;
}

static SECURITY_STATUS step(void *state, struct cs_leg *leg, struct cs_writer *output, struct cs_session **session)
{
    struct negotiation *negotiation = state;
    struct turn turn = {.leg = leg, .state = SPNEGO_NO_STATE};
    const bool first = negotiation->leg++ == 0;
    SECURITY_STATUS status = negotiation->initiator ? negotiate_initiate(negotiation, &turn, output)
                                                    : negotiate_accept(negotiation, &turn, output);
    if (status >= 0) leg->granted = granted_flags(negotiation, &turn, first);
    if (status == SEC_E_OK) hand_over(negotiation, leg, session);
    cs_writer_drop(&turn.answer);
    cs_writer_drop(&turn.own_mic);
    return status;
}

const struct cs_mechanism negotiate_mechanism = {
    .package = "Negotiate",
    .acquire = acquire,
    .release_credential = release_credential,
    .begin = begin,
    .step = step,
    .end = end,
    .credential_names = credential_names,
};
