/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Observing: each value is one line in a file that the parent process reads after this one has ended, whichever way.
 */
#include "run.h"
#include "status.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define RAISING_CALL_MILLISECONDS 60000

static size_t case_index(const struct conformance_group *group, const char *id)
{
    for (size_t i = 0; i < group->case_count; i++)
        if (!strcmp(group->cases[i].id, id)) return i;
    fprintf(stderr, "conformance: group %s has no case %s\n", group->name, id);
    exit(3);
}

static void mark_seen(struct conformance_run *run, const char *id)
{
    size_t index = case_index(run->group, id);

    if (run->seen[index]) {
        fprintf(stderr, "conformance: case %s was observed twice\n", id);
        exit(3);
    }
    run->seen[index] = true;
}

/* A name that a system gives (a user, a package) may hold what would break the line format. */
static void flatten(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ') *text = ' ';
}

static void write_line(struct conformance_run *run, const char *id, const char *format, va_list arguments)
{
    char text[OBSERVED_MAX];

    vsnprintf(text, sizeof(text), format, arguments);
    flatten(text);
    fprintf(run->observations, "%s\t%s\n", id, text);
    fflush(run->observations);
}

void observe(struct conformance_run *run, const char *id, const char *format, ...)
{
    va_list arguments;

    mark_seen(run, id);
    va_start(arguments, format);
    write_line(run, id, format, arguments);
    va_end(arguments);
}

void not_reached(struct conformance_run *run, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(run, "*", format, arguments);
    va_end(arguments);
}

void not_run(struct conformance_run *run, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_line(run, "-", format, arguments);
    va_end(arguments);
}

void observe_status(struct conformance_run *run, const char *id, SECURITY_STATUS status)
{
    char name[STATUS_NAME_MAX];

    observe(run, id, "%s", status_name(status, name));
}

void observe_bool(struct conformance_run *run, const char *id, bool value)
{
    observe(run, id, value ? "yes" : "no");
}

void observe_result(struct conformance_run *run, const char *id, BOOL ok, DWORD error)
{
    char name[STATUS_NAME_MAX];

    if (ok)
        observe(run, id, "TRUE");
    else
        observe(run, id, "FALSE %s", error_name(error, name));
}

void observe_hex(struct conformance_run *run, const char *id, const void *bytes, size_t size)
{
    char text[OBSERVED_MAX] = "";
    size_t shown = size < (sizeof(text) - 4) / 2 ? size : (sizeof(text) - 4) / 2;

    for (size_t i = 0; i < shown; i++) snprintf(text + 2 * i, 3, "%02x", ((const unsigned char *)bytes)[i]);
    observe(run, id, "%s%s", text, shown < size ? "..." : "");
}

static DWORD run_call(struct conformance_run *run, const char *id)
{
    char arguments[128];

    case_index(run->group, id);
    snprintf(arguments, sizeof(arguments), "--raise %s", id);
    return run_child(run->program, arguments, RAISING_CALL_MILLISECONDS);
}

void observe_child_status(struct conformance_run *run, const char *id)
{
    observe_status(run, id, (SECURITY_STATUS)run_call(run, id));
}

void observe_exception(struct conformance_run *run, const char *id)
{
    const DWORD code = run_call(run, id);

    if (code == WAIT_TIMEOUT)
        observe(run, id, "did not return");
    else if (code & 0x80000000)
        observe(run, id, "exception 0x%08lx", code);
    else
        observe(run, id, "returned");
}

FARPROC optional_function(const char *dll, const char *name)
{
    HMODULE module = LoadLibraryA(dll);

    return module ? GetProcAddress(module, name) : NULL;
}
