/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trace: one line a call, and no secret in it: no identity, no message's data, no key. The variable
 * COUNTERSIGN_TRACE, read when the first call is made, says how much goes where:
 *
 *   unset, empty, 0      nothing; a call then costs a load and a branch more
 *   1                    a line a call, to standard error
 *   2                    and the tokens of each leg decoded, in lines that begin with blanks
 *   1:PATH or 2:PATH     the same, appended to a file (made for its owner alone, and no symbolic link)
 *   PATH                 as 1:PATH
 *
 * PATH is the Unix one if it begins with '/', or else a Windows one, also relative to the current folder. A line and
 * the tokens below it are written at once, so that those of other threads and processes stand before or behind them.
 * trace_line.h says what is in a line.
 */
#ifndef SECUR32_TRACE_H
#define SECUR32_TRACE_H

#include <windows.h>
#include <security.h>

/* What a call has to say for itself once it is over; fields that do not apply are zero. */
struct trace_record {
    const char *function;
    const WCHAR *package;
    const SecHandle *handle; /* the context's or the credential's */
    const char *flags;       /* "ISC", "ASC" or "CRED": whose names request and granted have; NULL: none */
    ULONG request, granted;
    const WCHAR *target;
    const SecBufferDesc *input, *output; /* tokens; decoded at level 2, the output after a success only */
    const SecBufferDesc *message;        /* of the message functions; never shown but for its shape */
    ULONG attribute;                     /* of the queries */
    BOOL has_attribute;
};

/* 0 when nothing is traced; another value before the first call, too. For the two functions below alone. */
extern volatile LONG trace_level;

/* What they do when something is traced, or may be. */
INT64 trace_begin(void);
void trace_finish(INT64 start, const struct trace_record *record, SECURITY_STATUS status);

/* The performance counter now, for trace_end, or 0 when nothing is traced. */
static inline INT64 trace_start(void)
{
    return trace_level ? trace_begin() : 0;
}

/* Writes RECORD's line, for a call that began at START and came to STATUS. START 0: does nothing. Yields STATUS. */
static inline SECURITY_STATUS trace_end(INT64 start, const struct trace_record *record, SECURITY_STATUS status)
{
    if (start) trace_finish(start, record, status);
    return status;
}

#endif
