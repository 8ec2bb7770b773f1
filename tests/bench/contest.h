/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The runner: peers that do the same work take turns within one run, so that whatever else the machine does falls on
 * all of them alike.
 */
#ifndef COUNTERSIGN_BENCH_CONTEST_H
#define COUNTERSIGN_BENCH_CONTEST_H

#include "bench.h"

enum { CONTEST_MOST = 8 };

/* Who takes part; the first is ours. */
struct contest {
    size_t count;
    const struct bench_peer *peers[CONTEST_MOST];
    void *pairs[CONTEST_MOST];
};

/* One sample of one peer, in microseconds. */
typedef double contest_round(const struct bench_peer *peer, void *pair, void *argument);

/* Opens PEER and lets it take part. */
void contest_join(struct contest *contest, const struct bench_peer *peer);

/* Runs ROUNDS, ours before each of the others, after one round to warm up. FIGURES gets the medians. */
void contest_run(const struct contest *contest, size_t rounds, contest_round *round, void *argument,
                 double figures[CONTEST_MOST]);

/* Closes all. */
void contest_end(struct contest *contest);

#endif
