/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The limit of Kerberos with AES-256-SHA1, as bare.h has NTLM's.
 */
#ifndef COUNTERSIGN_BENCH_BARE_AES_H
#define COUNTERSIGN_BENCH_BARE_AES_H

#include "bench.h"

enum { BARE_AES_KEY = 32, BARE_AES_BLOCK = 16, BARE_AES_MAC = 20 };

/* One direction of a session. */
struct bare_aes_library {
    const char *name;
    /* Prepares AES-256-CBC and HMAC-SHA1 handles; CLOSE frees them. */
    void *(*open)(const uint8_t seal_key[BARE_AES_KEY], const uint8_t sign_key[BARE_AES_KEY]);
    /* SIZE is a multiple of BARE_AES_BLOCK; the IV is zero. */
    void (*encrypt)(void *handle, size_t size, uint8_t *data);
    void (*decrypt)(void *handle, size_t size, uint8_t *data);
    void (*mac)(void *handle, size_t size, const uint8_t *data, uint8_t mac[BARE_AES_MAC]);
    void (*close)(void *handle);
};

/* The bench_peer functions over LIBRARY. */
void *bare_aes_open(const struct bare_aes_library *library);
void bare_aes_seal(void *pair, struct bench_message *message);
void bare_aes_unseal(void *pair, struct bench_message *message);
void bare_aes_sign(void *pair, struct bench_message *message);
void bare_aes_verify(void *pair, struct bench_message *message);
void bare_aes_close(void *pair);

#endif
