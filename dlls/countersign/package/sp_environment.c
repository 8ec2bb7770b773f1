/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Heimdal's variables, as the program has them.
 */
#include "package.h"

static void *allocate(SIZE_T size)
{
    return HeapAlloc(GetProcessHeap(), 0, size);
}

static void release(void *memory)
{
    HeapFree(GetProcessHeap(), 0, memory);
}

/* The variable, which another thread may be changing, with *length characters. NULL: no memory; empty: it is unset. */
static WCHAR *copy_variable(const WCHAR *name, DWORD *length)
{
    DWORD size = 128;
    WCHAR *value = allocate(size * sizeof *value);
    while (value && (*length = GetEnvironmentVariableW(name, value, size)) >= size) {
        size = *length + 1;
        release(value);
        value = allocate(size * sizeof *value);
    }
    return value;
}

/* In UTF-8; the caller releases *address. */
static BOOL read_variable(const WCHAR *name, struct cs_bytes *bytes)
{
    DWORD length = 0;
    WCHAR *value = copy_variable(name, &length);
    char *text = value ? allocate(3 * (SIZE_T)length + 1) : NULL; /* no character takes more */
    *bytes = (struct cs_bytes){0};
    if (text && length) {
        const int room = 3 * (int)length;
        const int size = WideCharToMultiByte(CP_UTF8, 0, value, (int)length, text, room, NULL, NULL);
        *bytes = sp_bytes(text, (SIZE_T)size);
    }
    const BOOL read = text != NULL;
    if (text && !bytes->size) release(text);
    if (value) release(value);
    return read;
}

static void release_variable(struct cs_bytes *bytes)
{
    if (bytes->size) release((void *)(ULONG_PTR)bytes->address);
    *bytes = (struct cs_bytes){0};
}

void sp_release_environment(struct sp_environment *environment)
{
    release_variable(&environment->krb5_config);
    release_variable(&environment->krb5_ccname);
    release_variable(&environment->krb5_ktname);
}

BOOL sp_read_environment(struct sp_environment *environment)
{
    *environment = (struct sp_environment){0};
    if (read_variable(L"KRB5_CONFIG", &environment->krb5_config) &&
        read_variable(L"KRB5CCNAME", &environment->krb5_ccname) &&
        read_variable(L"KRB5_KTNAME", &environment->krb5_ktname))
        return TRUE;
    sp_release_environment(environment);
    return FALSE;
}
