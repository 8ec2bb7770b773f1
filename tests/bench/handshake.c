/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handshakes: from the first message until both sides are complete, the account looked up in a file by every acceptor;
 * credentials are acquired before. Behind each, outside of the time, a message shows that the two sides agree.
 */
#include "contest.h"
#include "ours.h"

#include <string.h>

enum { ROUNDS = 101, BATCH = 20 };

struct handshake {
    const char *name;
    const struct bench_peer *peers[CONTEST_MOST]; /* the first is ours; until NULL */
};

static const struct handshake handshakes[] = {
    {"ntlm-handshake", {&bench_ours, &bench_gss_ntlmssp, &bench_winpr}},
    {"negotiate-handshake", {&bench_ours_negotiate, &bench_mit_spnego, &bench_own_ntlm}},
};

static void check(const struct bench_peer *peer, void *pair)
{
    static const char plain[] = "both sides agree";
    uint8_t block[sizeof plain + 2 * BENCH_SPARE];
    struct bench_message message = {.data = block + BENCH_SPARE, .size = sizeof plain};
    memcpy(message.data, plain, sizeof plain);
    peer->seal(pair, &message);
    peer->unseal(pair, &message);
    const uint8_t *opened = message.opened.data ? message.opened.data : message.data;
    bench_require(!memcmp(opened, plain, sizeof plain), peer->name);
    if (peer->drop) peer->drop(&message);
}

static double run_batch(const struct bench_peer *peer, void *pair, void *argument)
{
    double taken = 0;
    (void)argument;
    for (int i = 0; i < BATCH; i++) {
        const double start = bench_now();
        peer->handshake(pair);
        taken += bench_now() - start;
        check(peer, pair);
    }
    return taken / BATCH;
}

static const struct handshake *find_handshake(const char *name)
{
    const struct handshake *handshake = handshakes;
    while (strcmp(handshake->name, name)) handshake++;
    return handshake;
}

void bench_handshake(const char *name)
{
    const struct handshake *handshake = find_handshake(name);
    struct contest contest = {0};
    double figures[CONTEST_MOST];
    bench_ours_environment();
    for (size_t i = 0; handshake->peers[i]; i++) contest_join(&contest, handshake->peers[i]);
    contest_run(&contest, ROUNDS, run_batch, NULL, figures);
    for (size_t i = 1; i < contest.count; i++) bench_row(name, 1, figures[0], contest.peers[i]->name, figures[i]);
    contest_end(&contest);
    pair_environment_end();
}
