/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exchanges of the package Negotiate, and of Kerberos by itself: a client against a server in this process, leg by leg,
 * however many there are.
 */
#ifndef CONFORMANCE_SPNEGO_PAIR_H
#define CONFORMANCE_SPNEGO_PAIR_H

#include "harness.h"

#define SPNEGO_LEGS_MAX 4              /* a side; one more than any exchange over NTLM takes */
#define SPNEGO_OUTCOME_MAX 512         /* bytes of the text of spnego_outcome */
#define SPNEGO_NO_KERBEROS "!Kerberos" /* the package list that leaves NTLM, within SPNEGO */

/* What one InitializeSecurityContext or AcceptSecurityContext call gave back. */
struct spnego_leg {
    SECURITY_STATUS status;
    ULONG attributes;
    TimeStamp expiry;
    ULONG output_type; /* of the one output buffer, afterwards */
    ULONG size;        /* bytes of output */
    bool with_hint;    /* the hint name of NegTokenInit2 stands in the output */
    unsigned char start[8];
};

struct spnego_side {
    CredHandle credential;
    CtxtHandle context;
    struct spnego_leg legs[SPNEGO_LEGS_MAX];
    unsigned leg_count;
    unsigned char *output; /* max_token bytes of the pair, from malloc */
};

struct spnego_pair {
    struct spnego_side client, server;
    ULONG max_token; /* the package's cbMaxToken */
};

struct spnego_request {
    const char *package;                              /* NULL: Negotiate */
    const char *packages;                             /* PackageList of the client's identity; NULL: none */
    const SEC_WINNT_AUTH_IDENTITY_A *identity;        /* NULL: default credentials */
    const SEC_WINNT_AUTH_IDENTITY_A *server_identity; /* likewise, the server's */
    const char *target;                               /* NULL: none */
    ULONG client_flags;
    ULONG server_flags;
    SecBuffer client_bindings, server_bindings; /* of type CHANNEL_BINDINGS; empty: none */
};

/*
 * A credential for Negotiate; IDENTITY and PACKAGES may be NULL. With a package list the identity goes as a
 * SEC_WINNT_AUTH_IDENTITY_EX.
 */
SECURITY_STATUS spnego_credential(ULONG use, const SEC_WINNT_AUTH_IDENTITY_A *identity, const char *packages,
                                  CredHandle *credential);

/*
 * The credentials of both. A status other than SEC_E_OK stands for the first leg
 * that would use it; false then. spnego_pair_close releases what was made, whatever the result.
 */
bool spnego_pair_open(struct spnego_pair *pair, const struct spnego_request *request);

/* One more leg of a side, with the other's last output as input. Returns whether it left something for the other. */
bool spnego_client_leg(struct spnego_pair *pair, const struct spnego_request *request);
bool spnego_server_leg(struct spnego_pair *pair, const struct spnego_request *request);

/* spnego_pair_open and every leg. Returns whether both ended with SEC_E_OK. */
bool spnego_pair_run(struct spnego_pair *pair, const struct spnego_request *request);

void spnego_pair_close(struct spnego_pair *pair);

/* The last leg of a side that has had one. */
const struct spnego_leg *spnego_last_leg(const struct spnego_side *side);

/* The statuses of the calls made, as one line. TEXT holds SPNEGO_OUTCOME_MAX bytes; returned. */
const char *spnego_outcome(const struct spnego_pair *pair, char *text);

/* The outcome of REQUEST as what was observed for case ID. */
void spnego_observe(struct conformance_run *run, const char *id, const struct spnego_request *request);

/*
 * spnego_pair_run over NTLM within SPNEGO with default credentials and FLAGS for the client. When it does not complete,
 * closes the pair, gives the reason to not_reached and returns false. Of the flags, INTEGRITY, CONFIDENTIALITY,
 * SEQUENCE_DETECT and REPLAY_DETECT are given to the server as well.
 */
bool spnego_open_pair(struct conformance_run *run, struct spnego_pair *pair, ULONG flags);

#endif
