/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every group of the conformance program sees: the shape of a case, of a group, and the calls that write down what
 * this system answered. A group states Windows's answers in a const table and then only observes; comparing is done by
 * one place (compare.c), for all of them.
 */
#ifndef CONFORMANCE_HARNESS_H
#define CONFORMANCE_HARNESS_H

#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#ifndef NTDDI_VERSION
#define NTDDI_VERSION 0x0A000000
#endif
#ifndef SECURITY_WIN32
#define SECURITY_WIN32
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#include <security.h>
#include <stdbool.h>
#include <stdio.h>

#define OBSERVED_MAX 512 /* bytes of one observed value, terminator included */

/* Whether Wine's own DLLs are known to give another answer than Windows; tools/conformance checks that this is seen. */
enum wine_answer {
    WINE_SAME,         /* as Windows, or not known */
    WINE_NEEDS_HELPER, /* differs unless Samba's ntlm_auth is installed: Wine's NTLM is that program */
    WINE_DIFFERS,      /* differs in 8.0 and 10.0 */
    WINE8_DIFFERS,     /* differs in 8.0; right, or not known, later */
};

struct conformance_case {
    const char *id;      /* "group/what", unique in the program */
    const char *source;  /* the row of the collected Windows facts: table name and row */
    const char *windows; /* the answer of Windows 10 and 11; alternatives are separated by " or " */
    const char *older;   /* NULL, or "6.1:answer or 5.2:answer": what Windows up to that version answered */
    enum wine_answer wine;
};

struct conformance_run; /* where a group's observations go */

/* A call that must end in an exception; it runs in a process of its own. */
struct raising_call {
    const char *id; /* of its case */
    void (*call)(void);
};

struct conformance_group {
    const char *name;
    const struct conformance_case *cases;
    size_t case_count;
    void (*run)(struct conformance_run *run);
    const struct raising_call *raising;
    size_t raising_count;
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The answers that many cases share. */
#define OBSERVED_ACCESS_VIOLATION "exception 0xc0000005"

/*
 * Each of these writes one observation for the case ID of the running group and flushes it, so that a crash later
 * loses nothing. An ID that is not in the group's table, or is observed twice, ends the program with status 3.
 */
void observe(struct conformance_run *run, const char *id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void observe_status(struct conformance_run *run, const char *id, SECURITY_STATUS status);
void observe_bool(struct conformance_run *run, const char *id, bool value); /* "yes" or "no" */
void observe_result(struct conformance_run *run, const char *id, BOOL ok,
                    DWORD error); /* "TRUE" or "FALSE ERROR_..." */
void observe_hex(struct conformance_run *run, const char *id, const void *bytes,
                 size_t size); /* lower case, no spaces */

/* Runs the raising call of case ID in a child process; observes "exception 0x..." or "returned". */
void observe_exception(struct conformance_run *run, const char *id);

/* Runs that call in a child process, which ends with a status as its exit code; observes the status. */
void observe_child_status(struct conformance_run *run, const char *id);

/* Gives the reason that stands at every case of the running group that is never observed. The last one counts. */
void not_reached(struct conformance_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The same for a group that this machine lacks something for: its cases are not run, and count for nothing.
 */
void not_run(struct conformance_run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* GetProcAddress in a DLL that stays loaded, or NULL: for exports that this system may lack. */
FARPROC optional_function(const char *dll, const char *name);

#endif
