/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of the caller and of the computer. A prefix is a stand-alone machine: it has accounts of its own and no
 * directory, so the only name anybody has there is domain\user, and questions to a domain end as on a machine in none.
 */
#include <windows.h>
#include <security.h>

#include "caller.h"

static BOOLEAN fail(DWORD error)
{
    SetLastError(error);
    return FALSE;
}

/* The terminator counts in the size asked for and in the one a refusal reports, not in the one a success reports. */
BOOLEAN WINAPI GetUserNameExW(EXTENDED_NAME_FORMAT NameFormat, LPWSTR lpNameBuffer, PULONG nSize)
{
    struct caller caller;
    SIZE_T domain, name;

    if (NameFormat == NameUnknown) return fail(ERROR_NO_SUCH_USER);      /* behaviour.md row 19 */
    if (NameFormat != NameSamCompatible) return fail(ERROR_NONE_MAPPED); /* row 18 */
    if (!caller_look_up(&caller)) return FALSE;
    domain = wcslen(caller.domain);
    name = wcslen(caller.name);
    if (*nSize < domain + name + 2) { /* rows 20-24 */
        *nSize = (ULONG)(domain + name + 2);
        return fail(ERROR_MORE_DATA);
    }
    memcpy(lpNameBuffer, caller.domain, domain * sizeof(WCHAR)); /* a NULL buffer faults: row 25 */
    lpNameBuffer[domain] = L'\\';
    memcpy(lpNameBuffer + domain + 1, caller.name, (name + 1) * sizeof(WCHAR));
    *nSize = (ULONG)(domain + name + 1);
    return TRUE;
}

BOOLEAN WINAPI GetUserNameExA(EXTENDED_NAME_FORMAT NameFormat, LPSTR lpNameBuffer, PULONG nSize)
{
    WCHAR wide[2 * CALLER_MAX_NAME];
    char name[sizeof(wide)];
    ULONG length = ARRAYSIZE(wide);
    int size;

    if (!GetUserNameExW(NameFormat, wide, &length)) return FALSE;
    size = WideCharToMultiByte(CP_ACP, 0, wide, (int)length + 1, name, sizeof(name), NULL, NULL);
    if (!size) return FALSE;
    if (*nSize < (ULONG)size) {
        *nSize = (ULONG)size;
        return fail(ERROR_MORE_DATA);
    }
    memcpy(lpNameBuffer, name, (SIZE_T)size);
    *nSize = (ULONG)size - 1;
    return TRUE;
}

/* behaviour.md rows 12-16 */
BOOLEAN WINAPI GetComputerObjectNameW(EXTENDED_NAME_FORMAT NameFormat, LPWSTR, PULONG)
{
    return fail(NameFormat == NameUnknown ? ERROR_INVALID_PARAMETER : ERROR_CANT_ACCESS_DOMAIN_INFO);
}

BOOLEAN WINAPI GetComputerObjectNameA(EXTENDED_NAME_FORMAT NameFormat, LPSTR, PULONG nSize)
{
    return GetComputerObjectNameW(NameFormat, NULL, nSize);
}
