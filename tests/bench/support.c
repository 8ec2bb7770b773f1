/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every benchmark needs: the clock, the median, the row, and the end on failure.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void bench_require(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

void bench_require_status(uint32_t status, uint32_t wanted, const char *peer, const char *call)
{
    if (status == wanted) return;
    fprintf(stderr, "bench: %s: %s: 0x%08x\n", peer, call, (unsigned)status);
    exit(1);
}

void bench_private_file(char path[BENCH_PATH], const char *text)
{
    snprintf(path, BENCH_PATH, "/tmp/countersign-bench-XXXXXX");
    int fd = mkstemp(path);
    bench_require(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !close(fd), "temporary file");
}

double bench_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double bench_median(double *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, compare);
    return samples[count / 2];
}

void bench_row(const char *name, size_t size, double ours, const char *peer, double theirs)
{
    printf("%s\t%zu\t%.3f\t%s\t%.3f\t%.2f\n", name, size, ours, peer, theirs, theirs / ours);
    fflush(stdout);
}
