/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Negotiate: SPNEGO's state machine (RFC 4178, MS-SPNG) around the mechanisms. A leg has four steps: take the input,
 * run the mechanism, exchange the mechListMIC, write the output. The session record that comes out is the mechanism's
 * own.
 */
#ifndef COUNTERSIGN_NEGOTIATE_H
#define COUNTERSIGN_NEGOTIATE_H

#include "context.h"
#include "spnego.h"

extern const struct cs_mechanism negotiate_mechanism;

/* What can be negotiated, in Windows's order of preference (attributes.tsv, Negotiate), each with its names. */
struct candidate {
    const char *package;
    const struct cs_span *oids[3]; /* NULL: no such one */
};

enum { CANDIDATES = 2, CANDIDATE_OIDS = 3 };
extern const struct candidate negotiate_candidates[CANDIDATES];

struct negotiate_credential {
    struct cs_credential head;
    struct cs_credential *inner[CANDIDATES]; /* NULL: excluded, or none to be had */
    bool bare;                               /* the package list names NTLM alone: NTLM's tokens as they are */
};

/* One exchange. */
struct negotiation {
    bool initiator;
    unsigned leg;
    /* initiator: what the first leg brought, for a mechanism that begins on a later one; owned, wiped */
    struct cs_span target;
    struct cs_identity identity;
    const struct negotiate_credential *credential; /* the context's reference keeps it */
    int chosen;                                    /* index of a candidate, -1 before there is one */
    struct cs_span chosen_oid;                     /* acceptor: which of its names the initiator used; static */
    void *inner;                                   /* the chosen mechanism's state */
    bool bare;                                     /* no SPNEGO around the mechanism's tokens */
    bool user_to_user;                             /* initiator: Kerberos has begun with it, and is offered as that */
    bool inner_done;
    struct cs_writer mech_list; /* what the mechListMIC covers: mechTypes as the initiator sent it */
    bool mic_required;          /* the first choice was not taken, or the peer asked */
    bool mic_sent, mic_verified;
    struct cs_session *session; /* the mechanism's, until it is handed out */
};

/* What one leg passes from step to step. Spans point into the input. */
struct turn {
    struct cs_leg *leg;
    struct cs_span token;    /* for the mechanism; data NULL: none came */
    struct cs_span mic;      /* the peer's mechListMIC; data NULL: none came */
    enum spnego_state state; /* what the peer says of the negotiation */
    bool start;              /* the mechanism begins with this leg, without input */
    struct cs_writer answer; /* the mechanism's token */
    struct cs_writer own_mic;
    uint32_t granted; /* by the mechanism */
};

/* The roles, statuses as cs_mechanism.step. */
SECURITY_STATUS negotiate_initiate(struct negotiation *negotiation, struct turn *turn, struct cs_writer *output);
SECURITY_STATUS negotiate_accept(struct negotiation *negotiation, struct turn *turn, struct cs_writer *output);

/* Makes CANDIDATE the chosen mechanism; what another had begun is dropped. SEC_E_OK or SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS negotiate_choose(struct negotiation *negotiation, int candidate, const struct cs_leg *leg);

/* The candidate with that OID and a credential, or -1; *name, unless NULL, is the OID, static. */
int negotiate_find(const struct negotiation *negotiation, struct cs_span oid, struct cs_span *name);

/* Whether candidate INDEX has a credential that could accept somebody now: Kerberos's may have no keys. */
bool negotiate_can_accept(const struct negotiation *negotiation, int index);

/*
 * Appends the names of candidate INDEX to MESSAGE's list if it has a credential: an acceptor's are all, an initiator's
 * those by which it has begun (attributes.tsv, Negotiate, both lists).
 */
void negotiate_list(const struct negotiation *negotiation, int index, struct spnego_init *message);

/*
 * Step two: gives the turn's token to the mechanism. SEC_E_OK, also while it goes on; its failures;
 * SEC_E_INVALID_TOKEN: a token where the mechanism is done, or none where it waits for one (CVE-2014-4344).
 */
SECURITY_STATUS negotiate_run_mechanism(struct negotiation *negotiation, struct turn *turn);

/* Step three, in parts: SEC_E_OK; SEC_E_MESSAGE_ALTERED: the MIC does not hold; SEC_E_INVALID_TOKEN: it came too early.
 */
SECURITY_STATUS negotiate_verify_mic(struct negotiation *negotiation, const struct turn *turn);
SECURITY_STATUS negotiate_make_mic(struct negotiation *negotiation, struct turn *turn);

/* Whether an initiator has offered that OID of a candidate's. */
bool negotiate_offers(const struct negotiation *negotiation, const struct cs_span *oid);

/* Whether the session can make a MIC at all. */
bool negotiate_has_integrity(const struct negotiation *negotiation);

#endif
