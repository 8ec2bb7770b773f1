/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handshakes: from the first message until both sides are complete; credentials are acquired before, and Kerberos has
 * its service ticket. NTLM's acceptors look the account up in a file each time. Kerberos's look for replays, ours and
 * MIT's in a file, Heimdal's not at all. Behind each, outside of the time, a message shows that the two sides agree.
 */
#include "contest.h"

#include <string.h>

enum { ROUNDS = 101, BATCH = 20 };

struct handshake {
    const char *name;
    const struct bench_world *world;
    const struct bench_peer *peers[CONTEST_MOST]; /* the first is ours; until NULL */
};

static const struct handshake handshakes[] = {
    {"ntlm-handshake", &bench_ntlm, {&bench_ours, &bench_gss_ntlmssp, &bench_winpr}},
    {"negotiate-handshake", &bench_ntlm, {&bench_ours_negotiate, &bench_mit_spnego, &bench_own_ntlm}},
    {"kerberos-handshake",
     &bench_kerberos,
     {&bench_ours_kerberos, &bench_mit, &bench_heimdal_file, &bench_heimdal_memory}},
    {"schannel-handshake-12", &bench_tls, {&bench_ours_tls12_256, &bench_gnutls_tls12_256}},
    {"schannel-handshake-13", &bench_tls, {&bench_ours_tls13_256, &bench_gnutls_tls13_256}},
    {"schannel-resume-12", &bench_tls, {&bench_ours_tls12_resume, &bench_gnutls_tls12_resume}},
    {"schannel-resume-13", &bench_tls, {&bench_ours_tls13_resume, &bench_gnutls_tls13_resume}},
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
    handshake->world->begin();
    for (size_t i = 0; handshake->peers[i]; i++) contest_join(&contest, handshake->peers[i]);
    contest_run(&contest, ROUNDS, run_batch, NULL, figures);
    for (size_t i = 1; i < contest.count; i++) bench_row(name, 1, figures[0], contest.peers[i]->name, figures[i]);
    contest_end(&contest);
    handshake->world->end();
}
