/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What complete contexts cost in memory, and whether a call takes longer where there are many of them.
 */
#include "bench.h"
#include "ours.h"

#include <malloc.h>
#include <stdlib.h>

enum { MANY = 100000, BUDGET = 4096, ROUNDS = 101, BATCH = 100 };

/* Bytes that the heap has handed out, its own overhead included. */
static size_t heap_in_use(void)
{
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* Bytes that the heap has taken from the system: what is handed out, and the gaps between. */
static size_t heap_taken(void)
{
    const struct mallinfo2 info = mallinfo2();
    return info.arena + info.hblkhd;
}

static void establish(struct pair *pair)
{
    bench_require_status((uint32_t)pair_run(pair), SEC_E_OK, "ours", "handshake");
}

static void release(struct pair *pair)
{
    cs_context_release(pair->client);
    cs_context_release(pair->server);
    pair->client = pair->server = NULL;
}

/* The larger of a client's and a server's context. */
static double one_context(struct pair *pair)
{
    establish(pair);
    const size_t both = heap_in_use();
    cs_context_release(pair->client);
    pair->client = NULL;
    const size_t server = heap_in_use();
    release(pair);
    const size_t none = heap_in_use();
    return (double)(both - server > server - none ? both - server : server - none);
}

static double encrypt_batch(struct cs_session *session)
{
    uint8_t token[16], data[64] = {0};
    const double start = bench_now();
    for (int i = 0; i < BATCH; i++) {
        struct cs_buffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, (uintptr_t)token},
                                       {sizeof data, SECBUFFER_DATA, (uintptr_t)data}};
        const struct cs_message message = {buffers, 2};
        bench_require_status((uint32_t)cs_encrypt(session, 0, &message), SEC_E_OK, "ours", "encrypt");
    }
    return (bench_now() - start) / BATCH;
}

/* In turns on the first and the last context. */
static double call_time(const struct pair *first, const struct pair *last)
{
    double samples[2 * ROUNDS];
    for (size_t i = 0; i < ROUNDS; i++) {
        samples[2 * i] = encrypt_batch(cs_context_session(first->client));
        samples[2 * i + 1] = encrypt_batch(cs_context_session(last->client));
    }
    return bench_median(samples, 2 * ROUNDS);
}

/* Half of them clients' and half servers', all with the credentials of the first pair, which is there already. */
static double many_contexts(struct pair *pairs, size_t count)
{
    const size_t before = heap_taken();
    for (size_t i = 1; i < count; i++) {
        pairs[i] = pairs[0];
        pairs[i].client = pairs[i].server = NULL;
        establish(&pairs[i]);
    }
    return (double)(heap_taken() - before) / (double)(2 * count - 2);
}

void bench_context_memory(const char *name)
{
    const size_t count = MANY / 2;
    struct pair *pairs = calloc(count, sizeof *pairs);
    struct pair_setup setup;
    bench_require(pairs != NULL, "memory");
    bench_ours_environment();
    bench_ours_setup(&setup);
    pair_open(&pairs[0], "NTLM", &setup);
    establish(&pairs[0]); /* what the first use of everything allocates is no context's */
    release(&pairs[0]);
    bench_row(name, 1, one_context(&pairs[0]), "budget", BUDGET);
    establish(&pairs[0]);
    const double alone = call_time(&pairs[0], &pairs[0]);
    bench_row(name, MANY, many_contexts(pairs, count), "budget", BUDGET);
    bench_row("context-call", MANY, call_time(&pairs[0], &pairs[count - 1]), "one context", alone);
    for (size_t i = 1; i < count; i++) release(&pairs[i]);
    pair_close(&pairs[0]);
    pair_environment_end();
    free(pairs);
}
