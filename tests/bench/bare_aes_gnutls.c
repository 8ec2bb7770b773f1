/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bare GnuTLS, with AES.
 */
#include "bare_aes.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

struct handles {
    gnutls_cipher_hd_t aes;
    gnutls_hmac_hd_t mac;
};

static void *open_handles(const uint8_t seal_key[BARE_AES_KEY], const uint8_t sign_key[BARE_AES_KEY])
{
    struct handles *handles = malloc(sizeof *handles);
    const gnutls_datum_t key = {(unsigned char *)(uintptr_t)seal_key, BARE_AES_KEY};
    bench_require(handles && !gnutls_cipher_init(&handles->aes, GNUTLS_CIPHER_AES_256_CBC, &key, NULL) &&
                      !gnutls_hmac_init(&handles->mac, GNUTLS_MAC_SHA1, sign_key, BARE_AES_KEY),
                  "bare-gnutls: handles");
    return handles;
}

static void start(struct handles *handles)
{
    uint8_t iv[BARE_AES_BLOCK] = {0};
    gnutls_cipher_set_iv(handles->aes, iv, sizeof iv);
}

static void encrypt(void *state, size_t size, uint8_t *data)
{
    struct handles *handles = state;
    start(handles);
    gnutls_cipher_encrypt(handles->aes, data, size);
}

static void decrypt(void *state, size_t size, uint8_t *data)
{
    struct handles *handles = state;
    start(handles);
    gnutls_cipher_decrypt(handles->aes, data, size);
}

static void mac(void *state, size_t size, const uint8_t *data, uint8_t result[BARE_AES_MAC])
{
    struct handles *handles = state;
    gnutls_hmac(handles->mac, data, size);
    gnutls_hmac_output(handles->mac, result);
}

static void close_handles(void *state)
{
    struct handles *handles = state;
    gnutls_cipher_deinit(handles->aes);
    gnutls_hmac_deinit(handles->mac, NULL);
    free(handles);
}

static const struct bare_aes_library library = {"bare-gnutls: verify", open_handles, encrypt, decrypt, mac,
                                                close_handles};

static void *open_pair(void)
{
    return bare_aes_open(&library);
}

const struct bench_peer bench_bare_aes_gnutls = {
    .name = "bare-gnutls",
    .open = open_pair,
    .seal = bare_aes_seal,
    .unseal = bare_aes_unseal,
    .sign = bare_aes_sign,
    .verify = bare_aes_verify,
    .close = bare_aes_close,
};
