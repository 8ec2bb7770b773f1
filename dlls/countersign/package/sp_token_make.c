/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making an access token: of the client's own account where Wine can, else of the process's.
 */
#include "sp_token_make.h"

#include "client_token.h"
#include "sp_token_create.h"

#include <string.h>

/* The process's, whoever the thread acts as just now. */
static NTSTATUS duplicate_own(SECURITY_IMPERSONATION_LEVEL level, HANDLE *token)
{
    HANDLE own;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE, &own)) return SEC_E_NO_IMPERSONATION;
    const BOOL made = DuplicateTokenEx(own, TOKEN_ALL_ACCESS, NULL, level, TokenImpersonation, token);
    CloseHandle(own);
    return made ? SEC_E_OK : SEC_E_NO_IMPERSONATION;
}

NTSTATUS sp_token_make(const struct cs_block_client *client, HANDLE *token)
{
    struct client_mark mark;
    HANDLE made;
    memcpy(mark.id, client->id, sizeof mark.id);
    NTSTATUS status = sp_token_create(client, &made);
    if (status) status = duplicate_own(client->level, &made);
    if (status) return status;
    status = client_mark_token(made, &mark);
    if (status) {
        CloseHandle(made);
        return status == (NTSTATUS)STATUS_NO_MEMORY ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_NO_IMPERSONATION;
    }
    *token = made;
    return SEC_E_OK;
}
