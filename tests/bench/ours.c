/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ours: the native library, through the calls that the bridge makes.
 */
#include "bench.h"
#include "ours.h"

#include <stdlib.h>

static void require(SECURITY_STATUS status, const char *what)
{
    bench_require_status((uint32_t)status, SEC_E_OK, "ours", what);
}

void bench_ours_setup(struct pair_setup *setup)
{
    *setup = (struct pair_setup){
        .user = BENCH_USER,
        .domain = BENCH_DOMAIN,
        .password = BENCH_PASSWORD,
        .target = "cifs/bench",
        .client_request = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT,
        .server_request = ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY | ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT,
    };
}

void bench_ours_environment(void)
{
    char line[256];
    pair_account_line(line, sizeof line, BENCH_USER, BENCH_PASSWORD);
    pair_environment(line);
}

const struct bench_world bench_ntlm = {bench_ours_environment, pair_environment_end};

static void setup_kerberos(struct pair_setup *setup)
{
    bench_ours_setup(setup);
    setup->user = setup->domain = setup->password = NULL;
    setup->target = BENCH_SERVICE "/" BENCH_HOST;
    setup->client_request |= ISC_REQ_MUTUAL_AUTH;
}

static void run(struct pair *pair)
{
    require(pair_run(pair), "handshake");
}

static void *open_pair(const char *package, void (*set_up)(struct pair_setup *setup))
{
    struct pair *pair = malloc(sizeof *pair);
    struct pair_setup setup;
    bench_require(pair != NULL, "memory");
    set_up(&setup);
    pair_open(pair, package, &setup);
    run(pair);
    return pair;
}

static void *open_ntlm(void)
{
    return open_pair("NTLM", bench_ours_setup);
}

static void *open_negotiate(void)
{
    return open_pair("Negotiate", bench_ours_setup);
}

static void *open_kerberos(void)
{
    return open_pair("Kerberos", setup_kerberos);
}

static void close_pair(void *state)
{
    pair_close(state);
    free(state);
}

static void handshake(void *state)
{
    struct pair *pair = state;
    cs_context_release(pair->client);
    cs_context_release(pair->server);
    pair->client = pair->server = NULL;
    run(pair);
}

/* TOKEN, DATA. */
static struct cs_message flatten(struct cs_buffer buffers[2], struct bench_message *message, uint32_t token_size)
{
    buffers[0] = (struct cs_buffer){token_size, SECBUFFER_TOKEN, (uintptr_t)message->token};
    buffers[1] = (struct cs_buffer){(uint32_t)message->size, SECBUFFER_DATA, (uintptr_t)message->data};
    return (struct cs_message){buffers, 2};
}

static void seal(void *state, struct bench_message *message)
{
    struct pair *pair = state;
    struct cs_buffer buffers[2];
    struct cs_session *session = cs_context_session(pair->client);
    struct cs_message flat = flatten(buffers, message, session->sizes.security_trailer);
    require(cs_encrypt(session, 0, &flat), "seal");
    message->token_size = buffers[0].size;
}

static void unseal(void *state, struct bench_message *message)
{
    struct pair *pair = state;
    struct cs_buffer buffers[2];
    struct cs_message flat = flatten(buffers, message, message->token_size);
    uint32_t qop = 0;
    require(cs_decrypt(cs_context_session(pair->server), &flat, &qop), "unseal");
}

static void sign(void *state, struct bench_message *message)
{
    struct pair *pair = state;
    struct cs_buffer buffers[2];
    struct cs_session *session = cs_context_session(pair->client);
    struct cs_message flat = flatten(buffers, message, session->sizes.max_signature);
    require(cs_make_signature(session, &flat), "sign");
    message->token_size = buffers[0].size;
}

static void verify(void *state, struct bench_message *message)
{
    struct pair *pair = state;
    struct cs_buffer buffers[2];
    struct cs_message flat = flatten(buffers, message, message->token_size);
    require(cs_verify_signature(cs_context_session(pair->server), &flat), "verify");
}

#define OPERATIONS                                                                                                     \
    .seal = seal, .unseal = unseal, .sign = sign, .verify = verify, .handshake = handshake, .close = close_pair

const struct bench_peer bench_ours = {.name = "ours", .open = open_ntlm, OPERATIONS};
const struct bench_peer bench_own_ntlm = {.name = "own-ntlm", .open = open_ntlm, OPERATIONS};
const struct bench_peer bench_ours_negotiate = {.name = "ours", .open = open_negotiate, OPERATIONS};
const struct bench_peer bench_ours_kerberos = {.name = "ours", .open = open_kerberos, OPERATIONS};
