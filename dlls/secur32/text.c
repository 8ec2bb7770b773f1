/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Strings between the ANSI code page and UTF-16.
 */
#include "secur32.h"

WCHAR *wide_of(const char *text)
{
    const int size = text ? MultiByteToWideChar(CP_ACP, 0, text, -1, NULL, 0) : 0;
    WCHAR *wide = size ? HeapAlloc(GetProcessHeap(), 0, size * sizeof(WCHAR)) : NULL;
    if (wide) MultiByteToWideChar(CP_ACP, 0, text, -1, wide, size);
    return wide;
}

char *ansi_of(const WCHAR *text)
{
    const int size = text ? WideCharToMultiByte(CP_ACP, 0, text, -1, NULL, 0, NULL, NULL) : 0;
    char *ansi = size ? HeapAlloc(GetProcessHeap(), 0, (SIZE_T)size) : NULL;
    if (ansi) WideCharToMultiByte(CP_ACP, 0, text, -1, ansi, size, NULL, NULL);
    return ansi;
}

BOOL replace_by_ansi(void *text)
{
    WCHAR **wide = text;
    char *ansi = ansi_of(*wide);
    const BOOL copied = ansi || !*wide;
    HeapFree(GetProcessHeap(), 0, *wide);
    *(char **)text = ansi;
    return copied;
}
