/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text of the trace in memory of a fixed size.
 */
#ifndef SECUR32_TRACE_TEXT_H
#define SECUR32_TRACE_TEXT_H

#include <stdio.h>
#include <windows.h>

/*
 * The first addition that does not fit sets CUT and is left out, with all after it. Zero but for BYTES and ROOM is an
 * empty text.
 */
struct trace_text {
    char *bytes; /* UTF-8, no NUL behind them */
    size_t size, room;
    BOOL cut;
};

/* Appends SIZE bytes of ADDITION, all or nothing. */
void trace_add_bytes(struct trace_text *text, const char *addition, size_t size);

/* Appends what printf makes of it: less than 256 bytes, more does not fit. */
void trace_add(struct trace_text *text, const char *format, ...) __attribute__((format(__MINGW_PRINTF_FORMAT, 2, 3)));

/*
 * Appends a program's STRING in quotation marks, at most LIMIT UTF-16 units of it and then "...". What could end a
 * line or mislead its reader (controls, quotation marks, invisible and direction marks, lone surrogates) appears as
 * \u{NNNN}.
 */
void trace_add_quoted(struct trace_text *text, const WCHAR *string, size_t limit);

#endif
