/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bare GnuTLS.
 */
#include "bare.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

struct handles {
    gnutls_cipher_hd_t rc4;
    gnutls_hmac_hd_t mac;
};

static void *open_handles(const uint8_t seal_key[BARE_KEY], const uint8_t sign_key[BARE_KEY])
{
    struct handles *handles = malloc(sizeof *handles);
    const gnutls_datum_t key = {(unsigned char *)(uintptr_t)seal_key, BARE_KEY};
    bench_require(handles && !gnutls_cipher_init(&handles->rc4, GNUTLS_CIPHER_ARCFOUR_128, &key, NULL) &&
                      !gnutls_hmac_init(&handles->mac, GNUTLS_MAC_MD5, sign_key, BARE_KEY),
                  "bare-gnutls: handles");
    return handles;
}

static void rc4(void *state, size_t size, uint8_t *data)
{
    struct handles *handles = state;
    gnutls_cipher_encrypt(handles->rc4, data, size);
}

static void mac(void *state, size_t size, const uint8_t *data, uint8_t result[BARE_MAC])
{
    struct handles *handles = state;
    gnutls_hmac(handles->mac, data, size);
    gnutls_hmac_output(handles->mac, result);
}

static void close_handles(void *state)
{
    struct handles *handles = state;
    gnutls_cipher_deinit(handles->rc4);
    gnutls_hmac_deinit(handles->mac, NULL);
    free(handles);
}

static const struct bare_library library = {"bare-gnutls: verify", open_handles, rc4, mac, close_handles};

static void *open_pair(void)
{
    return bare_open(&library);
}

const struct bench_peer bench_bare_gnutls = {
    .name = "bare-gnutls",
    .open = open_pair,
    .seal = bare_seal,
    .unseal = bare_unseal,
    .sign = bare_sign,
    .verify = bare_verify,
    .close = bare_close,
};
