/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handshakes: three messages, both sides complete, the account looked up in a file by every acceptor; credentials are
 * acquired before.
 */
#include "contest.h"

enum { ROUNDS = 101, BATCH = 20 };

static double run_batch(const struct bench_peer *peer, void *pair, void *argument)
{
    (void)argument;
    const double start = bench_now();
    for (int i = 0; i < BATCH; i++) peer->handshake(pair);
    return (bench_now() - start) / BATCH;
}

void bench_handshake(const char *name)
{
    struct contest contest = {0};
    double figures[CONTEST_MOST];
    contest_join(&contest, &bench_ours);
    contest_join(&contest, &bench_gss_ntlmssp);
    contest_join(&contest, &bench_winpr);
    contest_run(&contest, ROUNDS, run_batch, NULL, figures);
    for (size_t i = 1; i < contest.count; i++) bench_row(name, 1, figures[0], contest.peers[i]->name, figures[i]);
    contest_end(&contest);
}
