/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the benchmarks set up our own side.
 */
#ifndef COUNTERSIGN_BENCH_OURS_H
#define COUNTERSIGN_BENCH_OURS_H

#include "pair.h"

/* Signing and sealing for the account of bench.h. */
void bench_ours_setup(struct pair_setup *setup);

/* The account file for it; pair_environment_end() removes it. */
void bench_ours_environment(void);

#endif
