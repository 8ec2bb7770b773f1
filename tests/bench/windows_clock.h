/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the benchmarks' Windows programs take time by.
 */
#ifndef COUNTERSIGN_BENCH_WINDOWS_CLOCK_H
#define COUNTERSIGN_BENCH_WINDOWS_CLOCK_H

#include <windows.h>
#include <stdlib.h>

/* Microseconds. */
static inline double now(void)
{
    LARGE_INTEGER ticks, frequency;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&ticks);
    return (double)ticks.QuadPart * 1e6 / (double)frequency.QuadPart;
}

static inline int compare_times(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Sorts the samples. */
static inline double median(double *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, compare_times);
    return samples[count / 2];
}

#endif
