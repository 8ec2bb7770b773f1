/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * COUNTERSIGN_TRACE: one line a call. Unset or 0 costs a load and a branch.
 */
#ifndef SECUR32_TRACE_H
#define SECUR32_TRACE_H

#include <windows.h>
#include <security.h>

/* What a call has to say for itself once it is over; fields that do not apply are zero. */
struct trace_record {
    const char *function;
    const WCHAR *package;
    const SecHandle *handle;             /* the context's or the credential's */
    const char *flags;                   /* "ISC", "ASC" or "CRED": whose names request and granted have; NULL: none */
    ULONG request, granted;
    const WCHAR *target;
    const SecBufferDesc *input, *output; /* tokens; shown decoded at level 2 after a success */
    const SecBufferDesc *message;        /* of the message functions; never shown but for its shape */
    ULONG attribute;                     /* of the queries */
    BOOL has_attribute;
};

/* The time now in 100 ns, or 0 when nothing is traced. */
INT64 trace_start(void);

/* Writes RECORD's line, for a call that began at START and came to STATUS. START 0: does nothing. Yields STATUS. */
SECURITY_STATUS trace_end(INT64 start, const struct trace_record *record, SECURITY_STATUS status);

#endif
