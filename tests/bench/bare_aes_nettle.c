/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bare nettle, with AES.
 */
#include "bare_aes.h"

#include <nettle/aes.h>
#include <nettle/cbc.h>
#include <nettle/hmac.h>
#include <stdlib.h>

struct handles {
    struct aes256_ctx encrypt, decrypt;
    struct hmac_sha1_ctx mac;
};

static void *open_handles(const uint8_t seal_key[BARE_AES_KEY], const uint8_t sign_key[BARE_AES_KEY])
{
    struct handles *handles = malloc(sizeof *handles);
    bench_require(handles != NULL, "bare-nettle: handles");
    aes256_set_encrypt_key(&handles->encrypt, seal_key);
    aes256_set_decrypt_key(&handles->decrypt, seal_key);
    hmac_sha1_set_key(&handles->mac, BARE_AES_KEY, sign_key);
    return handles;
}

static void encrypt(void *state, size_t size, uint8_t *data)
{
    const struct handles *handles = state;
    uint8_t iv[BARE_AES_BLOCK] = {0};
    cbc_aes256_encrypt(&handles->encrypt, iv, size, data, data);
}

static void decrypt(void *state, size_t size, uint8_t *data)
{
    const struct handles *handles = state;
    uint8_t iv[BARE_AES_BLOCK] = {0};
    cbc_decrypt(&handles->decrypt, (nettle_cipher_func *)aes256_decrypt, sizeof iv, iv, size, data, data);
}

static void mac(void *state, size_t size, const uint8_t *data, uint8_t result[BARE_AES_MAC])
{
    struct handles *handles = state;
    hmac_sha1_update(&handles->mac, size, data);
    hmac_sha1_digest(&handles->mac, BARE_AES_MAC, result);
}

static const struct bare_aes_library library = {"bare-nettle: verify", open_handles, encrypt, decrypt, mac, free};

static void *open_pair(void)
{
    return bare_aes_open(&library);
}

const struct bench_peer bench_bare_aes_nettle = {
    .name = "bare-nettle",
    .open = open_pair,
    .seal = bare_aes_seal,
    .unseal = bare_aes_unseal,
    .sign = bare_aes_sign,
    .verify = bare_aes_verify,
    .close = bare_aes_close,
};
