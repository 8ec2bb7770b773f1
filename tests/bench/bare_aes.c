/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The work of a Kerberos message without Kerberos: a confounder stands before the data and the header's copy behind it
 * (RFC 4121 4.2.4), so that one call takes the MAC and one applies the cipher. The checksum is not encrypted.
 */
#include "bare_aes.h"

#include <stdlib.h>
#include <string.h>

enum { CONFOUNDER = BARE_AES_BLOCK, HEADER = BARE_AES_BLOCK, CHECKSUM = 12 };

struct bare_aes_pair {
    const struct bare_aes_library *library;
    void *client, *server;
};

void *bare_aes_open(const struct bare_aes_library *library)
{
    static const uint8_t seal_key[BARE_AES_KEY] = "the key of bench that encrypts";
    static const uint8_t sign_key[BARE_AES_KEY] = "the key of bench that signs";
    struct bare_aes_pair *pair = malloc(sizeof *pair);
    bench_require(pair != NULL, "memory");
    pair->library = library;
    pair->client = library->open(seal_key, sign_key);
    pair->server = library->open(seal_key, sign_key);
    return pair;
}

void bare_aes_close(void *state)
{
    struct bare_aes_pair *pair = state;
    pair->library->close(pair->client);
    pair->library->close(pair->server);
    free(pair);
}

static size_t sealed_size(const struct bench_message *message)
{
    return CONFOUNDER + message->size + HEADER;
}

void bare_aes_seal(void *state, struct bench_message *message)
{
    struct bare_aes_pair *pair = state;
    uint8_t *start = message->data - CONFOUNDER, mac[BARE_AES_MAC];
    pair->library->mac(pair->client, sealed_size(message), start, mac);
    memcpy(start + sealed_size(message), mac, CHECKSUM);
    pair->library->encrypt(pair->client, sealed_size(message), start);
}

void bare_aes_unseal(void *state, struct bench_message *message)
{
    struct bare_aes_pair *pair = state;
    uint8_t *start = message->data - CONFOUNDER, mac[BARE_AES_MAC];
    pair->library->decrypt(pair->server, sealed_size(message), start);
    pair->library->mac(pair->server, sealed_size(message), start, mac);
    bench_require(!memcmp(mac, start + sealed_size(message), CHECKSUM), pair->library->name);
}

/* A MIC token's checksum is over the data and then the header. */
static void mac_of(const struct bare_aes_library *library, void *handle, const struct bench_message *message,
                   uint8_t mac[BARE_AES_MAC])
{
    library->mac(handle, message->size + HEADER, message->data, mac);
}

void bare_aes_sign(void *state, struct bench_message *message)
{
    struct bare_aes_pair *pair = state;
    uint8_t mac[BARE_AES_MAC];
    mac_of(pair->library, pair->client, message, mac);
    memcpy(message->token, mac, CHECKSUM);
}

void bare_aes_verify(void *state, struct bench_message *message)
{
    struct bare_aes_pair *pair = state;
    uint8_t mac[BARE_AES_MAC];
    mac_of(pair->library, pair->server, message, mac);
    bench_require(!memcmp(mac, message->token, CHECKSUM), pair->library->name);
}
