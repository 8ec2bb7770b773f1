/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The account behind the caller's token.
 */
#include "caller.h"

static BOOL read_token(HANDLE token, struct caller *caller)
{
    TOKEN_STATISTICS statistics;
    DWORD size;

    if (!GetTokenInformation(token, TokenUser, &caller->sid, sizeof(caller->sid), &size)) return FALSE;
    if (!GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &size)) return FALSE;
    caller->logon_id = statistics.AuthenticationId;
    return TRUE;
}

static BOOL open_token(HANDLE *token)
{
    return OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, token) ||
           OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, token);
}

BOOL caller_logon_id(LUID *logon_id)
{
    struct caller caller;
    HANDLE token;
    BOOL read;

    if (!open_token(&token)) return FALSE;
    if ((read = read_token(token, &caller))) *logon_id = caller.logon_id;
    CloseHandle(token);
    return read;
}

BOOL caller_look_up(struct caller *caller)
{
    DWORD name_size = CALLER_MAX_NAME, domain_size = CALLER_MAX_NAME;
    SID_NAME_USE use;
    HANDLE token;
    BOOL read;

    if (!open_token(&token)) return FALSE;
    read = read_token(token, caller);
    CloseHandle(token);
    return read && LookupAccountSidW(NULL, caller->sid.user.User.Sid, caller->name, &name_size, caller->domain,
                                     &domain_size, &use);
}
