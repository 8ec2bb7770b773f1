/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lists in the registry. In memory a list is its names, each with its terminator, and one terminator more, as
 * REG_MULTI_SZ has it; SecurityProviders separates them by commas and blanks.
 */
#include "package_lists.h"

#include <string.h>

struct list {
    const WCHAR *key, *value;
    DWORD type;
};

static const struct list lists[] = {
    {L"SYSTEM\\CurrentControlSet\\Control\\Lsa", L"Security Packages", REG_MULTI_SZ},
    {L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders", L"SecurityProviders", REG_SZ},
};

static SIZE_T base_length(const WCHAR *base)
{
    const SIZE_T length = wcslen(base);
    return length > 4 && !_wcsicmp(base + length - 4, L".dll") ? length - 4 : length;
}

static const WCHAR *base_of(const WCHAR *name)
{
    const WCHAR *base = name;
    for (; *name; name++)
        if (*name == '\\' || *name == '/' || *name == ':') base = name + 1;
    return base;
}

BOOL package_same_dll(const WCHAR *left, const WCHAR *right)
{
    const WCHAR *a = base_of(left), *b = base_of(right);
    const SIZE_T length = base_length(a);
    return length == base_length(b) && !_wcsnicmp(a, b, length);
}

/* Commas, and the blanks beside them: those inside a path are its own. */
static void split_at_separators(WCHAR *names, SIZE_T count)
{
    for (SIZE_T i = 0; i < count; i++)
        if (names[i] == ',' || (names[i] == ' ' && (!i || !names[i - 1]))) names[i] = 0;
    for (SIZE_T i = count; i-- > 1;)
        if (!names[i] && names[i - 1] == ' ') names[i - 1] = 0;
}

/*
 * *count characters with room for EXTRA more behind them, to be freed; where there is no list, an empty one. NULL: what
 * is there is no list, or cannot be read, or there is no memory.
 */
static WCHAR *read_list(const struct list *list, SIZE_T extra, SIZE_T *count)
{
    const DWORD types = RRF_RT_REG_SZ | RRF_RT_REG_MULTI_SZ;
    DWORD size = 0;
    const LSTATUS status = RegGetValueW(HKEY_LOCAL_MACHINE, list->key, list->value, types, NULL, NULL, &size);
    *count = 0;
    if (status == ERROR_FILE_NOT_FOUND)
        size = 0;
    else if (status)
        return NULL;
    WCHAR *names = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, size + (extra + 2) * sizeof *names);
    if (!names || !size) return names;
    if (RegGetValueW(HKEY_LOCAL_MACHINE, list->key, list->value, types, NULL, names, &size)) {
        HeapFree(GetProcessHeap(), 0, names);
        return NULL;
    }
    *count = size / sizeof *names;
    if (list->type == REG_SZ) split_at_separators(names, *count);
    return names;
}

/* The next name at or behind AT, over the empty ones that stand in Windows's lists; NULL at the end. */
static WCHAR *next_name(WCHAR *at, const WCHAR *end)
{
    while (at < end && (!*at || *at == '"')) at++;
    return at < end ? at : NULL;
}

void package_lists_each(void (*take)(const WCHAR *dll))
{
    for (SIZE_T i = 0; i < ARRAYSIZE(lists); i++) {
        SIZE_T count;
        WCHAR *names = read_list(&lists[i], 0, &count);
        for (WCHAR *name = names; name && (name = next_name(name, names + count)); name += wcslen(name)) take(name);
        HeapFree(GetProcessHeap(), 0, names);
    }
}

static BOOL write_list(const struct list *list, WCHAR *names, SIZE_T count)
{
    const SIZE_T size = (list->type == REG_SZ && count ? count : count + 1) * sizeof *names;
    HKEY key;
    if (list->type == REG_SZ)
        for (SIZE_T i = 0; i + 1 < count; i++)
            if (!names[i]) names[i] = names[i + 1] ? ',' : ' ';
    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, list->key, 0, NULL, 0, KEY_SET_VALUE, NULL, &key, NULL)) return FALSE;
    const LSTATUS status = RegSetValueExW(key, list->value, 0, list->type, (const BYTE *)names, (DWORD)size);
    RegCloseKey(key);
    return status == ERROR_SUCCESS;
}

/* Copies the names of LIST other than DLL to the front; yields how many characters they take, *found whether it was. */
static SIZE_T keep_others(WCHAR *names, SIZE_T count, const WCHAR *dll, BOOL *found)
{
    WCHAR *kept = names;
    for (WCHAR *name = names; (name = next_name(name, names + count));) {
        const SIZE_T size = wcslen(name) + 1;
        const BOOL same = package_same_dll(name, dll);
        *found |= same;
        if (!same) memmove(kept, name, size * sizeof *name);
        if (!same) kept += size;
        name += size;
    }
    *kept = 0;
    return (SIZE_T)(kept - names);
}

/* LIST without DLL, and with it again at its end if APPEND. */
static BOOL change_list(const struct list *list, const WCHAR *dll, BOOL append)
{
    const SIZE_T size = wcslen(dll) + 1;
    BOOL found = FALSE, done = TRUE;
    SIZE_T count;
    WCHAR *names = read_list(list, size, &count);
    if (!names) return FALSE;
    count = keep_others(names, count, dll, &found);
    if (append) {
        memcpy(names + count, dll, size * sizeof *dll);
        count += size;
        names[count] = 0;
    }
    if (append || found) done = write_list(list, names, count);
    HeapFree(GetProcessHeap(), 0, names);
    return done;
}

BOOL package_lists_add(const WCHAR *dll, ULONG type)
{
    return change_list(&lists[type == SECPKG_OPTIONS_TYPE_SSPI], dll, TRUE);
}

BOOL package_lists_remove(const WCHAR *dll)
{
    return change_list(&lists[0], dll, FALSE) & change_list(&lists[1], dll, FALSE);
}
