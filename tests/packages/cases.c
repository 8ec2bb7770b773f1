/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cases.
 */
#include "cases.h"

#include <stdio.h>

static const char *current = "";
static ULONG passed, failed;

void section(const char *text)
{
    current = text;
}

void check(BOOL held, const char *what)
{
    printf("%s %s: %s\n", held ? "ok   " : "FAIL ", current, what);
    fflush(stdout);
    ++*(held ? &passed : &failed);
}

void check_status(LONG status, LONG expected, const char *what)
{
    if (status != expected) printf("      %08lx, not %08lx:\n", status, expected);
    check(status == expected, what);
}

int finish_cases(void)
{
    printf("%lu passed, %lu failed, 0 skipped\n", passed, failed);
    return failed != 0;
}
