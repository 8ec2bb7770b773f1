/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What secrets need: wiping that the compiler keeps, comparison in constant time, random bytes, and a lock that a
 * thread cannot take with it when it dies.
 */
#ifndef COUNTERSIGN_SECURE_H
#define COUNTERSIGN_SECURE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Overwrites SIZE bytes with zeros, also when nobody reads them again. */
void cs_wipe(void *data, size_t size);

/* Wipes SIZE bytes and frees the heap block; NULL is fine. */
void cs_wipe_free(void *data, size_t size);

/* Compares SIZE bytes; the time taken depends on SIZE alone. */
bool cs_same(const void *left, const void *right, size_t size);

/* Fills SIZE bytes from GnuTLS's key-quality generator; false when that fails, and then nothing may be built on DATA.
 */
bool cs_random(void *data, size_t size);

/*
 * A robust mutex: when its owner dies (TerminateThread) the next cs_lock still gets it and reports false, because the
 * state it guards may be half-written. Otherwise true. cs_unlock follows either.
 */
bool cs_lock_init(pthread_mutex_t *lock);
bool cs_lock(pthread_mutex_t *lock);
void cs_unlock(pthread_mutex_t *lock);

#endif
