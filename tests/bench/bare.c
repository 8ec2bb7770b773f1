/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The work of an NTLM message without NTLM: the sequence number stands before the data and the checksum behind it, so
 * that one call takes the MAC and one applies RC4.
 */
#include "bare.h"

#include <stdlib.h>
#include <string.h>

enum { CHECKSUM = 8, SEQUENCE = 4 };

struct bare_direction {
    void *handle;
    uint32_t sequence;
};

struct bare_pair {
    const struct bare_library *library;
    struct bare_direction client, server;
};

void *bare_open(const struct bare_library *library)
{
    static const uint8_t seal_key[BARE_KEY] = "bench's seal key", sign_key[BARE_KEY] = "bench's sign key";
    struct bare_pair *pair = calloc(1, sizeof *pair);
    bench_require(pair != NULL, "memory");
    pair->library = library;
    pair->client.handle = library->open(seal_key, sign_key);
    pair->server.handle = library->open(seal_key, sign_key);
    return pair;
}

void bare_close(void *state)
{
    struct bare_pair *pair = state;
    pair->library->close(pair->client.handle);
    pair->library->close(pair->server.handle);
    free(pair);
}

static void mac(const struct bare_library *library, struct bare_direction *direction, struct bench_message *message,
                uint8_t result[BARE_MAC])
{
    uint8_t *start = message->data - SEQUENCE;
    memcpy(start, &direction->sequence, SEQUENCE);
    direction->sequence++;
    library->mac(direction->handle, SEQUENCE + message->size, start, result);
}

void bare_seal(void *state, struct bench_message *message)
{
    struct bare_pair *pair = state;
    uint8_t result[BARE_MAC];
    mac(pair->library, &pair->client, message, result);
    memcpy(message->data + message->size, result, CHECKSUM);
    pair->library->rc4(pair->client.handle, message->size + CHECKSUM, message->data);
}

void bare_unseal(void *state, struct bench_message *message)
{
    struct bare_pair *pair = state;
    uint8_t result[BARE_MAC];
    pair->library->rc4(pair->server.handle, message->size + CHECKSUM, message->data);
    mac(pair->library, &pair->server, message, result);
    bench_require(!memcmp(result, message->data + message->size, CHECKSUM), pair->library->name);
}

void bare_sign(void *state, struct bench_message *message)
{
    struct bare_pair *pair = state;
    mac(pair->library, &pair->client, message, message->token);
    pair->library->rc4(pair->client.handle, CHECKSUM, message->token);
}

void bare_verify(void *state, struct bench_message *message)
{
    struct bare_pair *pair = state;
    uint8_t result[BARE_MAC];
    mac(pair->library, &pair->server, message, result);
    pair->library->rc4(pair->server.handle, CHECKSUM, result);
    bench_require(!memcmp(result, message->token, CHECKSUM), pair->library->name);
}
