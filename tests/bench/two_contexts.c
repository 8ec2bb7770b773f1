/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two Kerberos contexts, each sealing on a thread of its own, against one of them alone: what the time of one message
 * comes to. Two that had nothing in common but the machine would take half of the time.
 */
#include "bench.h"

#include <pthread.h>
#include <stdatomic.h>

/* A round is shorter than what a scheduler gives to one thread at a time. */
enum { ROUNDS = 101, LARGEST = 262144, ROUND_BYTES = 1 << 20, MOST_MESSAGES = 2048 };

struct worker {
    atomic_int *missing; /* workers that have yet to arrive; a thread that slept here would wake up late */
    struct bench_message message;
    void *pair;
    size_t count;
    double start, end;
    uint8_t block[LARGEST + 2 * BENCH_SPARE];
};

static void *run(void *argument)
{
    struct worker *worker = argument;
    atomic_fetch_sub(worker->missing, 1);
    while (atomic_load(worker->missing) > 0) {
    }
    worker->start = bench_now();
    for (size_t i = 0; i < worker->count; i++) bench_ours_kerberos.seal(worker->pair, &worker->message);
    worker->end = bench_now();
    return NULL;
}

static double one_alone(struct worker *worker)
{
    atomic_int missing = 1;
    worker->missing = &missing;
    run(worker);
    return (worker->end - worker->start) / (double)worker->count;
}

static double both(struct worker workers[2])
{
    atomic_int missing = 2;
    pthread_t thread;
    workers[0].missing = workers[1].missing = &missing;
    bench_require(!pthread_create(&thread, NULL, run, &workers[1]), "thread");
    run(&workers[0]);
    bench_require(!pthread_join(thread, NULL), "thread");
    const double start = workers[0].start < workers[1].start ? workers[0].start : workers[1].start;
    const double end = workers[0].end > workers[1].end ? workers[0].end : workers[1].end;
    return (end - start) / (double)(workers[0].count + workers[1].count);
}

static void measure(const char *name, struct worker workers[2], size_t size)
{
    double one[ROUNDS], two[ROUNDS];
    const size_t fitting = ROUND_BYTES / size;
    for (int i = 0; i < 2; i++) {
        workers[i].message = (struct bench_message){.data = workers[i].block + BENCH_SPARE, .size = size};
        workers[i].count = fitting < MOST_MESSAGES ? fitting : MOST_MESSAGES;
    }
    for (int i = 0; i < ROUNDS; i++) {
        one[i] = one_alone(&workers[i % 2]);
        two[i] = both(workers);
    }
    bench_row(name, size, bench_median(two, ROUNDS), "one context", bench_median(one, ROUNDS));
}

void bench_two_contexts(const char *name)
{
    static struct worker workers[2];
    static const size_t sizes[] = {64, 16384, LARGEST};
    bench_kerberos.begin();
    for (int i = 0; i < 2; i++) workers[i].pair = bench_ours_kerberos.open();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) measure(name, workers, sizes[i]);
    for (int i = 0; i < 2; i++) bench_ours_kerberos.close(workers[i].pair);
    bench_kerberos.end();
}
