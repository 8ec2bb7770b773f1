/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bare hcrypto, Heimdal's. Its HMAC has no way back to the keyed state but HMAC_Init_ex with the key, so the two MD5
 * states that the key makes are prepared here and copied.
 */
#include "bare.h"

#include <hcrypto/evp.h>
#include <hcrypto/md5.h>
#include <hcrypto/rc4.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 };

struct handles {
    RC4_KEY rc4;
    MD5_CTX inner, outer;
};

static void keyed(MD5_CTX *md5, const uint8_t sign_key[BARE_KEY], uint8_t pad)
{
    uint8_t block[BLOCK];
    memset(block, pad, sizeof block);
    for (size_t i = 0; i < BARE_KEY; i++) block[i] ^= sign_key[i];
    MD5_Init(md5);
    MD5_Update(md5, block, sizeof block);
}

static void *open_handles(const uint8_t seal_key[BARE_KEY], const uint8_t sign_key[BARE_KEY])
{
    struct handles *handles = malloc(sizeof *handles);
    bench_require(handles != NULL, "bare-hcrypto: handles");
    RC4_set_key(&handles->rc4, BARE_KEY, seal_key);
    keyed(&handles->inner, sign_key, 0x36);
    keyed(&handles->outer, sign_key, 0x5c);
    return handles;
}

static void rc4(void *state, size_t size, uint8_t *data)
{
    struct handles *handles = state;
    RC4(&handles->rc4, (int)size, data, data);
}

static void mac(void *state, size_t size, const uint8_t *data, uint8_t result[BARE_MAC])
{
    const struct handles *handles = state;
    MD5_CTX inner = handles->inner, outer = handles->outer;
    uint8_t digest[BARE_MAC];
    MD5_Update(&inner, data, size);
    MD5_Final(digest, &inner);
    MD5_Update(&outer, digest, sizeof digest);
    MD5_Final(result, &outer);
}

static const struct bare_library library = {"bare-hcrypto: verify", open_handles, rc4, mac, free};

static void *open_pair(void)
{
    return bare_open(&library);
}

const struct bench_peer bench_bare_hcrypto = {
    .name = "bare-hcrypto",
    .open = open_pair,
    .seal = bare_seal,
    .unseal = bare_unseal,
    .sign = bare_sign,
    .verify = bare_verify,
    .close = bare_close,
};
