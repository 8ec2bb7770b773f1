/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The realm in which the Kerberos benchmarks run.
 */
#include "bench.h"
#include "realm.h"

#include <stdio.h>
#include <stdlib.h>

/* MIT's replay cache, too, is to be one of the benchmark's own. */
static void begin(void)
{
    char cache[128];
    realm_start("");
    realm_add_user(BENCH_USER, BENCH_PASSWORD);
    realm_add_service(BENCH_SERVICE "/" BENCH_HOST);
    realm_kinit(BENCH_USER, BENCH_PASSWORD);
    snprintf(cache, sizeof cache, "file2:%s", realm_path("mit-replays"));
    setenv("KRB5RCACHENAME", cache, 1);
}

const struct bench_world bench_kerberos = {begin, realm_end};
