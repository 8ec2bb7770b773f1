/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bare nettle.
 */
#include "bare.h"

#include <nettle/arcfour.h>
#include <nettle/hmac.h>
#include <stdlib.h>

struct handles {
    struct arcfour_ctx rc4;
    struct hmac_md5_ctx mac;
};

static void *open_handles(const uint8_t seal_key[BARE_KEY], const uint8_t sign_key[BARE_KEY])
{
    struct handles *handles = malloc(sizeof *handles);
    bench_require(handles != NULL, "bare-nettle: handles");
    arcfour_set_key(&handles->rc4, BARE_KEY, seal_key);
    hmac_md5_set_key(&handles->mac, BARE_KEY, sign_key);
    return handles;
}

static void rc4(void *state, size_t size, uint8_t *data)
{
    struct handles *handles = state;
    arcfour_crypt(&handles->rc4, size, data, data);
}

static void mac(void *state, size_t size, const uint8_t *data, uint8_t result[BARE_MAC])
{
    struct handles *handles = state;
    hmac_md5_update(&handles->mac, size, data);
    hmac_md5_digest(&handles->mac, BARE_MAC, result);
}

static const struct bare_library library = {"bare-nettle: verify", open_handles, rc4, mac, free};

static void *open_pair(void)
{
    return bare_open(&library);
}

const struct bench_peer bench_bare_nettle = {
    .name = "bare-nettle",
    .open = open_pair,
    .seal = bare_seal,
    .unseal = bare_unseal,
    .sign = bare_sign,
    .verify = bare_verify,
    .close = bare_close,
};
