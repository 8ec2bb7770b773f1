/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mark by which an access token says whose client's it is: an identifier of the Unix half's (unix/client.h), in an
 * entry of the token's default DACL, which DuplicateTokenEx copies. The entry is of no account and grants nothing.
 * Linked into secur32 and into every security package.
 */
#ifndef COUNTERSIGN_CLIENT_TOKEN_H
#define COUNTERSIGN_CLIENT_TOKEN_H

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <winternl.h>

struct client_mark {
    BYTE id[16];
};

/*
 * Reads the mark of the caller's token, which is its thread's if it impersonates, else the process's. STATUS_SUCCESS
 * with *marked; else, with neither written, why it cannot be told: nobody's own credentials are to be used then.
 */
NTSTATUS client_mark_of_caller(BOOL *marked, struct client_mark *mark);

/* Puts MARK on TOKEN, open for TOKEN_QUERY and TOKEN_ADJUST_DEFAULT, in the place of one that it has. */
NTSTATUS client_mark_token(HANDLE token, const struct client_mark *mark);

#endif
