/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NTLM exchanges: a client against a server in this process, or a client alone against a challenge from a table.
 */
#ifndef CONFORMANCE_EXCHANGE_H
#define CONFORMANCE_EXCHANGE_H

#include "harness.h"

#define TOKEN_MAX 4096  /* bytes; more than NTLM's cbMaxToken on any Windows */
#define OUTCOME_MAX 256 /* bytes of the text of exchange_outcome */

struct token {
    unsigned char bytes[TOKEN_MAX];
    ULONG size;
};

/* What one InitializeSecurityContext or AcceptSecurityContext call gave back. */
struct leg {
    SECURITY_STATUS status;
    ULONG attributes;
    TimeStamp expiry;
    struct token output;
    ULONG output_type;    /* the type of the output buffer afterwards */
    void *output_pointer; /* pvBuffer afterwards, as given or allocated; only to compare, memory is freed by then */
    bool made;            /* whether the call was reached */
};

struct exchange_request {
    const SEC_WINNT_AUTH_IDENTITY_A *identity; /* NULL: default credentials */
    const char *target;                        /* NULL: none */
    ULONG client_flags;
    ULONG server_flags;
    ULONG data_representation;
};

enum { CLIENT_FIRST, SERVER_FIRST, CLIENT_LAST, SERVER_LAST, LEG_COUNT };

struct exchange {
    CredHandle client_credential, server_credential;
    CtxtHandle client, server;
    struct leg legs[LEG_COUNT];
};

/*
 * Runs a whole exchange, client and server in this process; the server's credential is the default one. Returns
 * whether both ended with SEC_E_OK. exchange_close releases what was made, whatever the result.
 */
bool exchange_run(struct exchange *exchange, const struct exchange_request *request);

/*
 * Only the client: the first leg, then a second with CHALLENGE as input and no credential handle. Returns whether
 * it ended with SEC_E_OK. exchange_close releases what was made.
 */
bool exchange_with_challenge(struct exchange *exchange, const struct exchange_request *request,
                             const struct token *challenge);

/* The same with a credential that is there; it becomes the exchange's, to be freed by exchange_close. */
bool exchange_with_credential(struct exchange *exchange, CredHandle *credential, const struct exchange_request *request,
                              const struct token *challenge);

void exchange_close(struct exchange *exchange);

/* The statuses of the calls made, as one line. TEXT holds OUTCOME_MAX bytes; returned. */
const char *exchange_outcome(const struct exchange *exchange, char *text);

/* An ANSI identity over three strings, which stay the caller's. NULL leaves a member NULL with length 0. */
SEC_WINNT_AUTH_IDENTITY_A ansi_identity(const char *user, const char *domain, const char *password);

/* A credential for NTLM; IDENTITY may be NULL. */
SECURITY_STATUS ntlm_credential(ULONG use, const SEC_WINNT_AUTH_IDENTITY_A *identity, CredHandle *credential);

/* The first client leg on CREDENTIAL: makes CONTEXT and fills LEG. */
void first_client_leg(CredHandle *credential, CtxtHandle *context, const struct exchange_request *request,
                      struct leg *leg);

#endif
