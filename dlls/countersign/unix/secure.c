/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Wiping, constant-time comparison, randomness and robust locks.
 */
#include "secure.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <nettle/memops.h>
#include <stdlib.h>

void cs_wipe(void *data, size_t size)
{
    if (size) gnutls_memset(data, 0, size);
}

void cs_wipe_free(void *data, size_t size)
{
    if (data) cs_wipe(data, size);
    free(data);
}

bool cs_same(const void *left, const void *right, size_t size)
{
    return memeql_sec(left, right, size) != 0;
}

bool cs_random(void *data, size_t size)
{
    return gnutls_rnd(GNUTLS_RND_KEY, data, size) == 0;
}

bool cs_lock_init(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;
    if (pthread_mutexattr_init(&attributes)) return false;
    int error = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    if (!error) error = pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return error == 0;
}

bool cs_lock(pthread_mutex_t *lock)
{
    if (pthread_mutex_lock(lock) != EOWNERDEAD) return true;
    pthread_mutex_consistent(lock);
    return false;
}

void cs_unlock(pthread_mutex_t *lock)
{
    pthread_mutex_unlock(lock);
}
