/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the main program needs of the two halves behind harness.h: observing (a child process, one group) and comparing
 * (the parent, after the child has ended).
 */
#ifndef CONFORMANCE_RUN_H
#define CONFORMANCE_RUN_H

#include "harness.h"

struct conformance_run {
    const struct conformance_group *group;
    FILE *observations;  /* one "id TAB value" line a case; "* TAB reason" for not_reached, "-" for not_run */
    bool *seen;          /* one flag a case of the group */
    const char *program; /* path of this executable, for child processes */
};

struct tally {
    unsigned total; /* cases that ran, or should have */
    unsigned same;
    unsigned skipped; /* not run */
};

/* A Windows version as the case tables name it; MAJOR 0 on Wine, where no older answer is accepted. */
struct system_version {
    DWORD major;
    DWORD minor;
};

struct system_version system_version(void);
bool running_on_wine(void);

/*
 * Starts this program again with the given arguments and waits for it, at most MILLISECONDS. Returns its exit code,
 * which is the exception's code after a crash; WAIT_TIMEOUT after a time-out (the child is ended then).
 */
DWORD run_child(const char *program, const char *arguments, DWORD milliseconds);

/*
 * Reads the observations of GROUP from the text OBSERVATIONS (NUL-terminated), compares each case and writes one line a
 * case to REPORT: case, source, expected, observed, verdict, Wine's expected answer, architecture, LABEL; separated by
 * tabs. ENDED says how the child ended if that was before its time, else it is NULL; it stands at the cases that were
 * not reached, before any reason that the group gave.
 */
void report_group(FILE *report, const struct conformance_group *group, const char *observations, const char *ended,
                  const char *label, struct tally *tally);

/* Whether OBSERVED is one of Windows's answers for CASE on a system of VERSION. */
bool is_windows_answer(const struct conformance_case *item, const char *observed, struct system_version version);

#endif
