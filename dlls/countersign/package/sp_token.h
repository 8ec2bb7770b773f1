/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Access tokens of an acceptor's clients.
 */
#ifndef COUNTERSIGN_SP_TOKEN_H
#define COUNTERSIGN_SP_TOKEN_H

#include "package.h"

/* A client's token, and the reference by which the Unix half keeps what it stands for. */
struct sp_token {
    UINT64 client;
    HANDLE token;          /* protected from being closed: programs get it lent (SECPKG_ATTR_ACCESS_TOKEN) */
    struct sp_token *next; /* among those whose context is gone */
};

/*
 * The token of CONTEXT's client, made at the first call, which stays the context's; of an imported one that was given a
 * token, that. SEC_E_OK; SEC_E_INVALID_HANDLE: the
 * context is not complete; SEC_E_NO_IMPERSONATION: it is a client's, or no token can be made (errors.tsv
 * ImpersonateSecurityContext); SEC_E_INSUFFICIENT_MEMORY.
 */
NTSTATUS sp_context_token(struct sp_context *context, HANDLE *token);

/* SpGetContextToken, user mode: the same, lent. */
SpGetContextTokenFn sp_get_context_token;

/*
 * Lets go of a context's token; NULL is fine. As long as a thread or a handle has it, what it stands for stays; that
 * is looked at again whenever another is let go of or made.
 */
void sp_token_release(struct sp_token *token);

#endif
