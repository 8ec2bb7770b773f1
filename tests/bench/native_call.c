/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The native half of call-overhead: what call_overhead.c does, without a Windows program around it. Prints the
 * microseconds of a call and nothing else.
 */
#include "bench.h"
#include "call_batches.h"
#include "ours.h"

#include <stdio.h>

static double run_batch(struct cs_session *session, uint8_t data[CALL_SIZE])
{
    uint8_t token[16];
    const double start = bench_now();
    for (int i = 0; i < CALL_BATCH; i++) {
        struct cs_buffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, (uintptr_t)token},
                                       {CALL_SIZE, SECBUFFER_DATA, (uintptr_t)data}};
        const struct cs_message message = {buffers, 2};
        bench_require_status((uint32_t)cs_encrypt(session, 0, &message), SEC_E_OK, "ours", "encrypt");
    }
    return (bench_now() - start) / CALL_BATCH;
}

void bench_native_call(const char *name)
{
    struct pair_setup setup;
    struct pair pair;
    double samples[CALL_ROUNDS];
    uint8_t data[CALL_SIZE] = {0};
    (void)name;
    bench_ours_environment();
    bench_ours_setup(&setup);
    pair_open(&pair, "NTLM", &setup);
    bench_require_status((uint32_t)pair_run(&pair), SEC_E_OK, "ours", "handshake");
    for (int i = 0; i < CALL_ROUNDS; i++) samples[i] = run_batch(cs_context_session(pair.client), data);
    printf("%.4f\n", bench_median(samples, CALL_ROUNDS));
    pair_close(&pair);
    pair_environment_end();
}
