/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The group Protected Users, by its SID.
 */
#ifndef SSPICLI_PROTECTED_USER_H
#define SSPICLI_PROTECTED_USER_H

#include <windows.h>

/* S-1-5-21, the domain's three numbers, 525 (MS-DTYP 2.4.2.4, PROTECTED_USERS). */
static inline BOOL is_protected_users(PSID sid)
{
    const SID_IDENTIFIER_AUTHORITY nt = {SECURITY_NT_AUTHORITY};
    enum { SUBAUTHORITIES = 5, PROTECTED_USERS = 525 };
    return IsValidSid(sid) && *GetSidSubAuthorityCount(sid) == SUBAUTHORITIES &&
           !memcmp(GetSidIdentifierAuthority(sid), &nt, sizeof nt) &&
           *GetSidSubAuthority(sid, 0) == SECURITY_NT_NON_UNIQUE &&
           *GetSidSubAuthority(sid, SUBAUTHORITIES - 1) == PROTECTED_USERS;
}

#endif
