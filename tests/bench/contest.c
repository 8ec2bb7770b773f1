/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The runner.
 */
#include "contest.h"

#include <stdlib.h>

void contest_join(struct contest *contest, const struct bench_peer *peer)
{
    bench_require(contest->count < CONTEST_MOST, "too many peers");
    contest->peers[contest->count] = peer;
    contest->pairs[contest->count] = peer->open();
    contest->count++;
}

void contest_run(const struct contest *contest, size_t rounds, contest_round *round, void *argument,
                 double figures[CONTEST_MOST])
{
    const size_t others = contest->count - 1;
    double *ours = calloc(rounds * others, sizeof *ours);
    double *theirs = calloc(rounds * contest->count, sizeof *theirs);
    size_t taken = 0;
    bench_require(ours && theirs, "memory");
    for (size_t i = 0; i <= others; i++) round(contest->peers[i], contest->pairs[i], argument);
    for (size_t n = 0; n < rounds; n++)
        for (size_t i = 1; i <= others; i++) {
            ours[taken++] = round(contest->peers[0], contest->pairs[0], argument);
            theirs[i * rounds + n] = round(contest->peers[i], contest->pairs[i], argument);
        }
    figures[0] = bench_median(ours, taken);
    for (size_t i = 1; i <= others; i++) figures[i] = bench_median(theirs + i * rounds, rounds);
    free(ours);
    free(theirs);
}

void contest_end(struct contest *contest)
{
    for (size_t i = 0; i < contest->count; i++) contest->peers[i]->close(contest->pairs[i]);
    contest->count = 0;
}
