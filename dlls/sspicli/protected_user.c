/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether the caller is a protected user: a domain says so, by a group in his access token. A local user is none.
 */
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>

#include <countersign/sspi_extra.h>

#include "protected_user.h"

/* Enabled or not: protection is not given up by giving up a group. */
static BOOLEAN is_member(const TOKEN_GROUPS *groups)
{
    for (DWORD i = 0; i < groups->GroupCount; i++)
        if (is_protected_users(groups->Groups[i].Sid)) return TRUE;
    return FALSE;
}

static NTSTATUS look_at_groups(HANDLE token, BOOLEAN *protected_user)
{
    DWORD size = 0;
    GetTokenInformation(token, TokenGroups, NULL, 0, &size);
    TOKEN_GROUPS *groups = size ? HeapAlloc(GetProcessHeap(), 0, size) : NULL;
    if (!groups) return size ? STATUS_NO_MEMORY : STATUS_ACCESS_DENIED;
    const BOOL read = GetTokenInformation(token, TokenGroups, groups, size, &size);
    if (read) *protected_user = is_member(groups);
    HeapFree(GetProcessHeap(), 0, groups);
    return read ? STATUS_SUCCESS : STATUS_ACCESS_DENIED;
}

NTSTATUS WINAPI SeciIsProtectedUser(PBOOLEAN ProtectedUser)
{
    BOOLEAN found = FALSE;
    HANDLE token;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token) &&
        !OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return STATUS_ACCESS_DENIED;
    NTSTATUS status = look_at_groups(token, &found);
    CloseHandle(token);
    if (status == STATUS_SUCCESS) *ProtectedUser = found;
    return status;
}
