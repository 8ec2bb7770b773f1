/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names for the status codes and last errors that the cases compare. */
#ifndef CONFORMANCE_STATUS_H
#define CONFORMANCE_STATUS_H

#include "harness.h"

#define STATUS_NAME_MAX 48 /* bytes of the longest name, terminator included */

/* The name of a SECURITY_STATUS or NTSTATUS. BUFFER (STATUS_NAME_MAX bytes) holds the number of one without a name. */
const char *status_name(LONG status, char *buffer);

/* The same for a Win32 error. */
const char *error_name(DWORD error, char *buffer);

#endif
