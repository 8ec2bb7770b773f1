/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The account behind the caller's token.
 */
#include "caller.h"

#include "bridge_call.h"
#include "client_token.h"

#include <string.h>

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

static BOOL look_up_account(struct caller *caller)
{
    DWORD name_size = CALLER_MAX_NAME, domain_size = CALLER_MAX_NAME;
    SID_NAME_USE use;
    return LookupAccountSidW(NULL, caller->sid.user.User.Sid, caller->name, &name_size, caller->domain, &domain_size,
                             &use);
}

/* Takes DOMAIN\user apart. */
static BOOL take_name(WCHAR *name, struct caller *caller)
{
    WCHAR *slash = wcschr(name, '\\');
    const WCHAR *user = slash ? slash + 1 : name;
    if (slash) *slash = 0;
    const WCHAR *domain = slash ? name : L"";
    if (wcslen(domain) >= CALLER_MAX_NAME || wcslen(user) >= CALLER_MAX_NAME) return FALSE;
    wcscpy(caller->domain, domain);
    wcscpy(caller->name, user);
    return TRUE;
}

static BOOL look_up_client(const struct client_mark *mark, struct caller *caller)
{
    WCHAR name[2 * CALLER_MAX_NAME] = L"";
    const UINT32 room = sizeof name - sizeof *name;
    struct cs_block_client client = {.session = 0};
    memcpy(client.id, mark->id, sizeof client.id);
    if (call_bridge(CS_CALL_FIND_CLIENT, &client)) return FALSE;
    struct cs_block_object object = {client.client};
    struct cs_block_text text = {.object = client.client, .out = {(ULONG_PTR)name, room, 0}};
    const NTSTATUS status = call_bridge(CS_CALL_CLIENT_NAME, &text);
    call_bridge(CS_CALL_RELEASE_CLIENT, &object);
    return !status && text.needed <= room && take_name(name, caller);
}

BOOL caller_look_up(struct caller *caller)
{
    struct client_mark mark;
    HANDLE token;
    BOOL marked;

    if (!open_token(&token)) return FALSE;
    const BOOL read = read_token(token, caller);
    CloseHandle(token);
    if (!read || client_mark_of_caller(&marked, &mark)) return FALSE;
    if (!marked) return look_up_account(caller);
    if (look_up_client(&mark, caller)) return TRUE;
    SetLastError(ERROR_NO_SUCH_LOGON_SESSION);
    return FALSE;
}
