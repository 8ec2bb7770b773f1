/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A clock for extremes, to be preloaded: the coarse one, which session expiry goes by, is thirty days ahead while
 * the file is there that COUNTERSIGN_TEST_LATER names.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const time_t thirty_days = 30 * 86400;
    const char *file = getenv("COUNTERSIGN_TEST_LATER");
    const int status = (int)syscall(SYS_clock_gettime, clock, now);
    if (!status && clock == CLOCK_REALTIME_COARSE && file && !access(file, F_OK)) now->tv_sec += thirty_days;
    return status;
}
