/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Appending to the text of a trace.
 */
#include "trace_text.h"

#include <stdarg.h>
#include <string.h>

void trace_add_bytes(struct trace_text *text, const char *addition, size_t size)
{
    if (text->cut || size > text->room - text->size) {
        text->cut = TRUE;
        return;
    }
    memcpy(text->bytes + text->size, addition, size);
    text->size += size;
}

void trace_add(struct trace_text *text, const char *format, ...)
{
    char addition[256];
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(addition, sizeof addition, format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof addition)
        text->cut = TRUE;
    else
        trace_add_bytes(text, addition, (size_t)size);
}

/* What a line does not show as it is: controls, surrogates, and what has no width or turns the direction. */
static BOOL is_hidden(ULONG character)
{
    static const struct {
        ULONG first, last;
    } hidden[] = {{0, 0x1F},        {'"', '"'},       {0x7F, 0x9F},     {0xAD, 0xAD},      {0x61C, 0x61C},
                  {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F},  {0xD800, 0xDFFF},
                  {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xFFFE, 0xFFFF}, {0xE0000, 0xE0FFF}};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (character >= hidden[i].first && character <= hidden[i].last) return TRUE;
    return FALSE;
}

/* The character at STRING, of LENGTH units (at least one), and how many of them it takes. */
static ULONG character_at(const WCHAR *string, size_t length, int *units)
{
    *units = length > 1 && IS_SURROGATE_PAIR(string[0], string[1]) ? 2 : 1;
    return *units == 2 ? 0x10000 + ((ULONG)(string[0] - 0xD800) << 10) + (string[1] - 0xDC00u) : string[0];
}

static size_t to_utf8(const WCHAR *string, int units, char utf8[4])
{
    return (size_t)WideCharToMultiByte(CP_UTF8, 0, string, units, utf8, 4, NULL, NULL);
}

/* Yields the number of units that the character takes. */
static int add_character(struct trace_text *text, const WCHAR *string, size_t length)
{
    char utf8[4];
    int units;
    const ULONG character = character_at(string, length, &units);
    if (is_hidden(character))
        trace_add(text, "\\u{%04lX}", character);
    else
        trace_add_bytes(text, utf8, to_utf8(string, units, utf8));
    return units;
}

void trace_add_quoted(struct trace_text *text, const WCHAR *string, size_t limit)
{
    const size_t length = wcsnlen(string, limit);
    trace_add(text, "\"");
    for (size_t i = 0; i < length;) i += (size_t)add_character(text, string + i, length - i);
    trace_add(text, length == limit && string[length] ? "\"..." : "\"");
}
