/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names that the trace has for SSPI's numbers: those of the Windows headers, without their prefixes (statuses keep
 * theirs). All tables are constant; a number that is in none has no name.
 */
#ifndef SECUR32_TRACE_NAMES_H
#define SECUR32_TRACE_NAMES_H

#include <windows.h>
#include <sspi.h>

struct trace_name {
    ULONG value;
    const char *name;
};

/* A table of flags; those of several bits come before the bits they are made of. */
struct trace_flags {
    const struct trace_name *names;
    size_t count;
};

/* SEC_E_, SEC_I_ and the other statuses that programs see from SSPI (MS-ERREF 2.1). NULL: none of them. */
const char *trace_status_name(SECURITY_STATUS status);

/* SECBUFFER_ without SECBUFFER_ATTRMASK's bits. NULL: unknown. */
const char *trace_buffer_name(ULONG type);

/* SECPKG_ATTR_, or for a credential SECPKG_CRED_ATTR_: the numbers are used twice. NULL: unknown. */
const char *trace_attribute_name(ULONG attribute, BOOL of_credential);

/* The table for OWNER, a trace_record's flags: of what was requested, or of what was granted. Empty for NULL. */
struct trace_flags trace_flag_names(const char *owner, BOOL granted);

#endif
