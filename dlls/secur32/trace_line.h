/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The line of a call.
 */
#ifndef SECUR32_TRACE_LINE_H
#define SECUR32_TRACE_LINE_H

#include "trace.h"
#include "trace_text.h"

/* Room for any line; a longer one loses its middle, never its status. */
enum { TRACE_LINE_ROOM = 3072 };

/*
 * Appends the line of RECORD, whose call came to STATUS after so many MICROSECONDS, to an empty TEXT with
 * TRACE_LINE_ROOM:
 *
 *   2024-03-01T09:30:00.123456Z 0020:0024 InitializeSecurityContextW NTLM handle=1:20000001 target="HTTP/server"
 *   request=CONFIDENTIALITY|ALLOCATE_MEMORY granted=CONFIDENTIALITY|INTEGRITY in{TOKEN 206} out{TOKEN 516}
 *   SEC_I_CONTINUE_NEEDED 142us
 *
 * (one line). The time is when the call was over, in UTC; then come process and thread, in hexadecimal. The package is
 * "-" when it is not known; one that does not exist is quoted. Buffers have their types and sizes as the call left
 * them, message buffers READONLY as RO and READONLY_WITH_CHECKSUM as RO_CHECKSUM. Flags and statuses without a name are
 * numbers.
 */
void trace_line(struct trace_text *text, const struct trace_record *record, SECURITY_STATUS status, ULONG microseconds);

/* Whether the call looked at its buffers: with a bad handle it did not, and their addresses may be anything. */
static inline BOOL trace_has_buffers(SECURITY_STATUS status)
{
    return status != SEC_E_INVALID_HANDLE;
}

#endif
