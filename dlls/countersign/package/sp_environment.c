/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Heimdal's variables, as the program has them.
 */
#include "package.h"

/* ROOM gets the variable in UTF-8. One that is unset, or does not fit, is none. */
static struct cs_bytes read_variable(const WCHAR *name, char *room, int room_size)
{
    WCHAR value[1024];
    const DWORD length = GetEnvironmentVariableW(name, value, ARRAYSIZE(value));
    if (!length || length >= ARRAYSIZE(value)) return (struct cs_bytes){0};
    const int size = WideCharToMultiByte(CP_UTF8, 0, value, (int)length, room, room_size, NULL, NULL);
    return sp_bytes(size ? room : NULL, (SIZE_T)size);
}

void sp_read_environment(struct sp_environment *environment)
{
    const int size = sizeof *environment->room;
    environment->krb5_config = read_variable(L"KRB5_CONFIG", environment->room[0], size);
    environment->krb5_ccname = read_variable(L"KRB5CCNAME", environment->room[1], size);
    environment->krb5_ktname = read_variable(L"KRB5_KTNAME", environment->room[2], size);
}
