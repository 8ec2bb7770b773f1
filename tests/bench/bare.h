/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A crypto library as the limit that our figures are held against: its own calls on contiguous bytes, its handles
 * prepared, and none of SSPI around them.
 */
#ifndef COUNTERSIGN_BENCH_BARE_H
#define COUNTERSIGN_BENCH_BARE_H

#include "bench.h"

enum { BARE_KEY = 16, BARE_MAC = 16 };

/* One direction of a session. */
struct bare_library {
    const char *name;
    /* Prepares RC4 and HMAC-MD5 handles; CLOSE frees them. */
    void *(*open)(const uint8_t seal_key[BARE_KEY], const uint8_t sign_key[BARE_KEY]);
    void (*rc4)(void *handle, size_t size, uint8_t *data);
    void (*mac)(void *handle, size_t size, const uint8_t *data, uint8_t mac[BARE_MAC]);
    void (*close)(void *handle);
};

/* The bench_peer functions over LIBRARY. */
void *bare_open(const struct bare_library *library);
void bare_seal(void *pair, struct bench_message *message);
void bare_unseal(void *pair, struct bench_message *message);
void bare_sign(void *pair, struct bench_message *message);
void bare_verify(void *pair, struct bench_message *message);
void bare_close(void *pair);

#endif
