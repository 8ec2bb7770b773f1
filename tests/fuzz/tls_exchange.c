/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tls_exchange.h"
#include "tls_status_list.h"

#include "changes.h"
#include "tls_context.h"
#include "tls_ocsp.h"
#include "utf16.h"

#include <stdio.h>
#include <string.h>

enum { SETUPS = 10, STAPLED = 8 /* from that one on */, MOST_CHANGES = 4, MOST_TURNS = 10, LATER = 4 };

#define ONLY_1_3 .client_protocols = SP_PROT_TLS1_3_CLIENT, .server_protocols = SP_PROT_TLS1_3_SERVER
#define ONLY_1_2 .client_protocols = SP_PROT_TLS1_2_CLIENT, .server_protocols = SP_PROT_TLS1_2_SERVER
static const struct tls_world_setup setups[SETUPS] = {
    {.key = TLS_WORLD_P256},
    {ONLY_1_3, .key = TLS_WORLD_P256, .resume = true},
    {ONLY_1_2, .key = TLS_WORLD_P256, .resume = true},
    {ONLY_1_2, .key = TLS_WORLD_RSA, .client_without = TLS_WITHOUT_ECDHE | TLS_WITHOUT_DHE},
    {ONLY_1_2, .key = TLS_WORLD_P256, .client_without = TLS_WITHOUT_GCM | TLS_WITHOUT_CHACHA20},
    {ONLY_1_2, .key = TLS_WORLD_P256, .client_certificate = true, .server_flags = TLS_LEG_ASK_PEER},
    {ONLY_1_3, .key = TLS_WORLD_ED25519, .client_certificate = true, .server_flags = TLS_LEG_ASK_PEER},
    {.client_protocols = SP_PROT_TLS1_0_CLIENT, .server_protocols = SP_PROT_TLS1_0_SERVER, .key = TLS_WORLD_P256},
    {ONLY_1_3},
    {ONLY_1_2},
};

/* For as long as anybody fuzzes. */
static struct cs_span stapled_response(void)
{
    static struct cs_writer response;
    struct tls_ocsp good = tls_ocsp_about_leaf(TLS_OCSP_GOOD);
    good.singles[0].to = 30 * 86400;
    if (!response.size) tls_ocsp_write(&response, &good);
    return cs_written(&response);
}

/* Whatever comes of a response that says "good", it has not said anything else. */
static SECURITY_STATUS judge(struct tls_context *context)
{
    enum tls_stapled found;
    const SECURITY_STATUS status =
        tls_check_stapled(context, tls_ocsp_der(TLS_OCSP_LEAF), tls_ocsp_der(TLS_OCSP_MIDDLE), &found);
    fuzz_require(status == SEC_E_OK && found != TLS_STAPLED_REVOKED && found != TLS_STAPLED_UNKNOWN, "another word");
    return SEC_E_OK;
}

/* Credentials are made once. */
static struct tls_world_pair *open_pair(unsigned which)
{
    static struct tls_world_pair pairs[SETUPS];
    struct tls_world_pair *pair = &pairs[which];
    struct tls_world_setup setup = setups[which];
    if (pair->client_credential) return pair;
    if (which >= STAPLED) {
        setup.server_certificate = tls_ocsp_server();
        setup.stapled = stapled_response();
    }
    fuzz_require(tls_world_open(pair, &setup) == SEC_E_OK, "credentials");
    pair->judge = judge;
    return pair;
}

/* What TOKEN becomes; whether it is another one now. */
static bool disturb(struct cs_writer *token, struct cs_reader *input)
{
    enum { AS_IT_IS, CHANGED, REPLACED, GLUED, HOWS };
    const unsigned how = cs_read_u8(input) % HOWS;
    if (how == CHANGED) return fuzz_change(token, input, 1 + cs_read_u8(input) % MOST_CHANGES);
    if (how == AS_IT_IS) return false;
    const struct cs_span bytes = cs_read_span(input, cs_read_u16(input) % (input->remaining + 1));
    if (how == REPLACED) cs_writer_drop(token);
    cs_write_span(token, bytes);
    return how == REPLACED || bytes.size;
}

/* Leg by leg; whether anything was changed. */
static bool shake(struct tls_world_pair *pair, const struct tls_world_setup *setup, struct cs_reader *input,
                  bool client_is_attacked)
{
    struct cs_writer token = {0};
    bool client = true, changed = false;
    pair->client_status = pair->server_status = SEC_I_CONTINUE_NEEDED;
    for (unsigned turn = 0; turn < MOST_TURNS; turn++, client = !client) {
        SECURITY_STATUS *status = client ? &pair->client_status : &pair->server_status;
        struct cs_writer next = {0};
        size_t consumed;
        if (turn && client == client_is_attacked) changed |= disturb(&token, input);
        if (*status == SEC_E_OK && !token.size) break;
        const struct cs_span span = {turn ? token.data : NULL, token.size};
        *status = tls_world_leg(pair, setup, client, span, &consumed, &next);
        fuzz_tls_status(*status);
        fuzz_require(consumed <= token.size, "more taken than there is");
        cs_writer_drop(&token);
        token = next;
        if (*status < 0 && *status != SEC_E_INCOMPLETE_MESSAGE && !token.size) break;
    }
    cs_writer_drop(&token);
    return changed;
}

static void require_same(struct tls_world_pair *pair, enum tls_bytes which)
{
    struct cs_writer one = {0}, other = {0};
    const SECURITY_STATUS status = tls_query_bytes(pair->client, which, &one);
    fuzz_require(status == tls_query_bytes(pair->server, which, &other), "bindings on one side");
    fuzz_require(one.size == other.size && (!one.size || !memcmp(one.data, other.data, one.size)), "other bindings");
    cs_writer_drop(&one);
    cs_writer_drop(&other);
}

static void require_agreement(struct tls_world_pair *pair)
{
    struct tls_info client, server;
    struct cs_writer one = {0}, other = {0};
    const struct cs_span label = cs_span_of("EXPERIMENTAL fuzz"), none = {NULL, 0};
    fuzz_require(tls_query(pair->client, &client) == SEC_E_OK && tls_query(pair->server, &server) == SEC_E_OK, "query");
    fuzz_require(client.version == server.version && client.suite == server.suite && client.key_type == server.key_type,
                 "they do not agree");
    fuzz_require(tls_export(pair->client, label, none, 32, &one) == SEC_E_OK &&
                     tls_export(pair->server, label, none, 32, &other) == SEC_E_OK && !memcmp(one.data, other.data, 32),
                 "other keys");
    require_same(pair, TLS_ENDPOINT_BINDINGS);
    require_same(pair, TLS_EXTENSIONS);
    cs_writer_drop(&one);
    cs_writer_drop(&other);
}

/* Something that the trusted library itself says after the handshake. */
static void say(struct tls_context *context, unsigned what, struct cs_writer *out)
{
    struct tls_leg leg = {.flags = TLS_LEG_NO_INPUT, .room = 65536};
    if (what == 0) {
        tls_world_seal(context, "what was sealed", 15, out);
        return;
    }
    if (what == 1) tls_shut_down(context);
    if (what == 2) tls_alert(context, true, 49);
    tls_leg(&context, &leg);
    uint8_t *room = leg.token_size ? cs_write_room(out, leg.token_size) : NULL;
    if (room) tls_fetch_token(context, room, leg.token_size);
}

/* As a program would: messages, and a leg wherever one is asked for. */
static void take(struct tls_context *context, struct cs_writer *bytes)
{
    uint8_t *next = bytes->data;
    size_t size = bytes->size;
    for (unsigned calls = 0; calls < 64; calls++) {
        struct cs_buffer buffers[4];
        const SECURITY_STATUS status = tls_world_open_record(context, next, size, buffers);
        if (status == SEC_E_OK && buffers[1].size)
            fuzz_require(buffers[1].size == 15 && !memcmp(cs_buffer_bytes(&buffers[1]), "what was sealed", 15),
                         "data that nobody sealed");
        if (status != SEC_E_OK && status != SEC_I_RENEGOTIATE) return;
        if (buffers[3].type == SECBUFFER_EXTRA) next = cs_buffer_bytes(&buffers[3]);
        size = buffers[3].type == SECBUFFER_EXTRA ? buffers[3].size : 0;
        if (status == SEC_E_OK) continue;
        struct tls_leg leg = {.input = {next, size}, .room = 65536, .flags = TLS_LEG_TRUST_PEER};
        const SECURITY_STATUS taken = tls_leg(&context, &leg);
        fuzz_tls_status(taken);
        fuzz_require(leg.consumed <= size, "more taken than there is");
        if (taken || !leg.consumed) return;
        next += leg.consumed;
        size -= leg.consumed;
    }
}

static void afterwards(struct tls_context *from, struct tls_context *to, struct cs_reader *input)
{
    for (unsigned i = 0; i < LATER && input->remaining; i++) {
        struct cs_writer bytes = {0};
        say(from, cs_read_u8(input) % 4, &bytes);
        disturb(&bytes, input);
        take(to, &bytes);
        cs_writer_drop(&bytes);
    }
}

void fuzz_tls_exchange(const uint8_t *data, size_t size, bool client_is_attacked)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){data, size});
    const unsigned which = cs_read_u8(&reader) % SETUPS;
    struct tls_world_pair *pair = open_pair(which);
    const bool changed = shake(pair, &setups[which], &reader, client_is_attacked);
    const bool through = pair->client_status == SEC_E_OK && pair->server_status == SEC_E_OK;
    if (!changed) fuzz_require(through, "a handshake that nobody changed");
    if (through) {
        require_agreement(pair);
        afterwards(client_is_attacked ? pair->server : pair->client, client_is_attacked ? pair->client : pair->server,
                   &reader);
    }
    tls_world_hang_up(pair);
}
