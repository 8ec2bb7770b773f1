/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sealing, unsealing, signing and verifying. A round makes a batch of messages and takes it in, so that both sides
 * stay in step and every message is seen to come out as it went in; one half of it is the figure.
 */
#include "contest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A batch is long enough for the clock, and small enough for the second-level cache, as one buffer used again and
 * again would be. */
enum { ROUNDS = 61, LARGEST_BATCH = 128, BATCH_BYTES = 1 << 18 };

/* Who takes part, the first being ours, and the libraries that set the limit, if any; both until NULL. */
struct field {
    const struct bench_world *world;
    const struct bench_peer *peers[CONTEST_MOST], *bare_peers[CONTEST_MOST];
};

static const struct field ntlm_field = {
    &bench_ntlm,
    {&bench_ours, &bench_gss_ntlmssp, &bench_winpr},
    {&bench_bare_gnutls, &bench_bare_nettle, &bench_bare_hcrypto},
};
static const struct field negotiate_field = {&bench_ntlm, {&bench_ours_negotiate, &bench_own_ntlm}, {NULL}};
static const struct field kerberos_field = {
    &bench_kerberos,
    {&bench_ours_kerberos, &bench_mit, &bench_heimdal},
    {&bench_bare_aes_gnutls, &bench_bare_aes_nettle},
};

static const struct field tls12_128_field = {
    &bench_tls, {&bench_ours_tls12_128, &bench_gnutls_tls12_128}, {&bench_bare_tls12_128}};
static const struct field tls12_256_field = {
    &bench_tls, {&bench_ours_tls12_256, &bench_gnutls_tls12_256}, {&bench_bare_tls12_256}};
static const struct field tls13_128_field = {
    &bench_tls, {&bench_ours_tls13_128, &bench_gnutls_tls13_128}, {&bench_bare_tls13_128}};
static const struct field tls13_256_field = {
    &bench_tls, {&bench_ours_tls13_256, &bench_gnutls_tls13_256}, {&bench_bare_tls13_256}};

struct kind {
    const char *name;
    const struct field *field;
    bool seals, receives;
    size_t largest; /* bytes */
};

static const struct kind kinds[] = {
    {"ntlm-seal", &ntlm_field, true, false, 262144},
    {"ntlm-unseal", &ntlm_field, true, true, 262144},
    {"ntlm-sign", &ntlm_field, false, false, 262144},
    {"ntlm-verify", &ntlm_field, false, true, 262144},
    {"negotiate-seal", &negotiate_field, true, false, 1024},
    {"kerberos-seal", &kerberos_field, true, false, 262144},
    {"kerberos-unseal", &kerberos_field, true, true, 262144},
    {"kerberos-sign", &kerberos_field, false, false, 262144},
    {"kerberos-verify", &kerberos_field, false, true, 262144},
    {"schannel-encrypt-12-128", &tls12_128_field, true, false, 16384},
    {"schannel-decrypt-12-128", &tls12_128_field, true, true, 16384},
    {"schannel-encrypt-12-256", &tls12_256_field, true, false, 16384},
    {"schannel-decrypt-12-256", &tls12_256_field, true, true, 16384},
    {"schannel-encrypt-13-128", &tls13_128_field, true, false, 16384},
    {"schannel-decrypt-13-128", &tls13_128_field, true, true, 16384},
    {"schannel-encrypt-13-256", &tls13_256_field, true, false, 16384},
    {"schannel-decrypt-13-256", &tls13_256_field, true, true, 16384},
};

struct batch {
    const struct kind *kind;
    size_t count;
    struct bench_message messages[LARGEST_BATCH];
    uint8_t *plain;
};

static void make_batch(struct batch *batch, const struct kind *kind, size_t size)
{
    const size_t fitting = BATCH_BYTES / size;
    batch->kind = kind;
    batch->count = fitting < LARGEST_BATCH ? fitting : LARGEST_BATCH;
    batch->plain = malloc(size);
    bench_require(batch->plain != NULL, "memory");
    for (size_t i = 0; i < size; i++) batch->plain[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < batch->count; i++) {
        uint8_t *block = malloc(size + 2 * BENCH_SPARE);
        bench_require(block != NULL, "memory");
        batch->messages[i] = (struct bench_message){.data = block + BENCH_SPARE, .size = size};
        memcpy(block + BENCH_SPARE, batch->plain, size);
    }
}

static void drop_batch(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) free(batch->messages[i].data - BENCH_SPARE);
    free(batch->plain);
}

static void check_message(const struct bench_peer *peer, const struct batch *batch, struct bench_message *message)
{
    const struct bench_block in_place = {message->data, message->size};
    const struct bench_block opened = message->opened.data ? message->opened : in_place;
    bench_require(opened.size == message->size && !memcmp(opened.data, batch->plain, message->size), peer->name);
    if (peer->drop) peer->drop(message);
}

static double run_batch(const struct bench_peer *peer, void *pair, void *argument)
{
    struct batch *batch = argument;
    void (*produce)(void *, struct bench_message *) = batch->kind->seals ? peer->seal : peer->sign;
    void (*consume)(void *, struct bench_message *) = batch->kind->seals ? peer->unseal : peer->verify;
    const double start = bench_now();
    for (size_t i = 0; i < batch->count; i++) produce(pair, &batch->messages[i]);
    const double middle = bench_now();
    for (size_t i = 0; i < batch->count; i++) consume(pair, &batch->messages[i]);
    const double end = bench_now();
    for (size_t i = 0; i < batch->count; i++) check_message(peer, batch, &batch->messages[i]);
    return (batch->kind->receives ? end - middle : middle - start) / (double)batch->count;
}

/* A peer that does not do what KIND is about has no row, and standard error says so. */
static void join(struct contest *contest, const struct bench_peer *peer, const struct kind *kind)
{
    contest_join(contest, peer);
    if (kind->seals || !peer->can_sign || peer->can_sign(contest->pairs[contest->count - 1])) return;
    fprintf(stderr, "bench: %s: %s has no such function in this version\n", kind->name, peer->name);
    contest->count--;
    peer->close(contest->pairs[contest->count]);
}

static size_t join_all(struct contest *contest, const struct kind *kind)
{
    const struct field *field = kind->field;
    for (size_t i = 0; field->peers[i]; i++) join(contest, field->peers[i], kind);
    const size_t first_bare = contest->count;
    for (size_t i = 0; field->bare_peers[i]; i++) join(contest, field->bare_peers[i], kind);
    return first_bare;
}

/* The fastest of the bare ones, if there are any, is the limit. */
static void measure(const struct contest *contest, size_t first_bare, const struct kind *kind, size_t size)
{
    struct batch batch;
    double figures[CONTEST_MOST];
    make_batch(&batch, kind, size);
    contest_run(contest, ROUNDS, run_batch, &batch, figures);
    drop_batch(&batch);
    double bare = INFINITY;
    for (size_t i = 1; i < contest->count; i++) {
        bench_row(kind->name, size, figures[0], contest->peers[i]->name, figures[i]);
        if (i >= first_bare && figures[i] < bare) bare = figures[i];
    }
    if (first_bare < contest->count) bench_row(kind->name, size, figures[0], "bare", bare);
}

static const struct kind *find_kind(const char *name)
{
    const struct kind *kind = kinds;
    while (strcmp(kind->name, name)) kind++;
    return kind;
}

void bench_messages(const char *name)
{
    static const size_t sizes[] = {64, 1024, 16384, 262144};
    const struct kind *kind = find_kind(name);
    struct contest contest = {0};
    kind->field->world->begin();
    const size_t first_bare = join_all(&contest, kind);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && sizes[i] <= kind->largest; i++)
        measure(&contest, first_bare, kind, sizes[i]);
    contest_end(&contest);
    kind->field->world->end();
}
