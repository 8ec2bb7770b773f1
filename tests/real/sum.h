/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A sum of what was fetched, for the programs that print it: Adler's, so that order counts. It begins as {0, 1, 0}.
 */
#ifndef REAL_SUM_H
#define REAL_SUM_H

#include <windows.h>
#include <stdio.h>

struct sum {
    ULONG size, a, b;
};

/* Adds SIZE bytes. */
static inline void sum_add(struct sum *sum, const BYTE *bytes, DWORD size)
{
    for (DWORD i = 0; i < size; i++) {
        sum->a = (sum->a + bytes[i]) % 65521;
        sum->b = (sum->b + sum->a) % 65521;
    }
    sum->size += size;
}

/* Prints a line: CODE, HTTP's, the size, the sum. Returns 0. */
static inline int sum_print(DWORD code, const struct sum *sum)
{
    printf("%lu %lu %08lx\n", code, sum->size, sum->b << 16 | sum->a);
    return 0;
}

#endif
