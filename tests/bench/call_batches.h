/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What both halves of call-overhead do alike: EncryptMessage on so many bytes, so many calls a sample, so many samples.
 */
#ifndef COUNTERSIGN_BENCH_CALL_BATCHES_H
#define COUNTERSIGN_BENCH_CALL_BATCHES_H

enum { CALL_SIZE = 64, CALL_BATCH = 2000, CALL_ROUNDS = 51 };

#endif
