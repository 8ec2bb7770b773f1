/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cases of the Windows test programs: a line each, after the function or the part of the contract that they test, and
 * the counts at the end. A section's name is the source: the reference of sspi.h, ntsecapi.h or ntsecpkg.h on it.
 */
#ifndef CASES_H
#define CASES_H

#include <windows.h>

/* What the cases that follow are of. TEXT must last. */
void section(const char *text);

/* One case. */
void check(BOOL held, const char *what);

/* The same for a status, which a failure shows. */
void check_status(LONG status, LONG expected, const char *what);

/* Prints the last line, and yields the program's exit code. */
int finish_cases(void);

#endif
