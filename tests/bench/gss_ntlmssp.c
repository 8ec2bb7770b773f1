/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gss-ntlmssp, as programs use it: through MIT's GSSAPI, which loads it as a mechanism, bare or inside of its SPNEGO.
 * Its credentials, the client's password and the server's account alike, come from the file that NTLM_USER_FILE names.
 */
#include "bench.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gss_pair {
    char user_file[BENCH_PATH];
    gss_OID mechanism;
    gss_name_t target;
    gss_cred_id_t client_credential, server_credential;
    gss_ctx_id_t client, server;
};

/* 1.3.6.1.4.1.311.2.2.10, 1.3.6.1.5.5.2 */
static gss_OID_desc ntlmssp = {10, "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
static gss_OID_desc spnego = {6, "\x2b\x06\x01\x05\x05\x02"};

static void require(OM_uint32 major, const char *what)
{
    bench_require_status(major, GSS_S_COMPLETE, "MIT's GSSAPI", what);
}

static gss_name_t import_name(char *text, gss_OID type)
{
    gss_buffer_desc buffer = {strlen(text), text};
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 minor;
    require(gss_import_name(&minor, &buffer, type, &name), "gss_import_name");
    return name;
}

static void write_user_file(struct gss_pair *pair)
{
    bench_private_file(pair->user_file, BENCH_DOMAIN ":" BENCH_USER ":" BENCH_PASSWORD "\n");
    setenv("NTLM_USER_FILE", pair->user_file, 1);
}

/* Else SPNEGO would try Kerberos first, as ours, which has no other mechanism, does not. */
static void restrict_to_ntlm(struct gss_pair *pair)
{
    gss_OID_set_desc mechanisms = {1, &ntlmssp};
    OM_uint32 minor;
    require(gss_set_neg_mechs(&minor, pair->client_credential, &mechanisms), "gss_set_neg_mechs, client");
    require(gss_set_neg_mechs(&minor, pair->server_credential, &mechanisms), "gss_set_neg_mechs, server");
}

static void acquire(struct gss_pair *pair)
{
    static char user_text[] = BENCH_DOMAIN "\\" BENCH_USER, target_text[] = "cifs@bench";
    gss_OID_set_desc mechanisms = {1, pair->mechanism};
    gss_name_t user = import_name(user_text, GSS_C_NT_USER_NAME);
    OM_uint32 minor;
    require(gss_acquire_cred(&minor, user, GSS_C_INDEFINITE, &mechanisms, GSS_C_INITIATE, &pair->client_credential,
                             NULL, NULL),
            "gss_acquire_cred, client");
    require(gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechanisms, GSS_C_ACCEPT,
                             &pair->server_credential, NULL, NULL),
            "gss_acquire_cred, server");
    gss_release_name(&minor, &user);
    if (pair->mechanism == &spnego) restrict_to_ntlm(pair);
    pair->target = import_name(target_text, GSS_C_NT_HOSTBASED_SERVICE);
}

static OM_uint32 client_step(struct gss_pair *pair, gss_buffer_t input, gss_buffer_t output)
{
    const OM_uint32 flags = GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;
    OM_uint32 minor, granted = 0;
    OM_uint32 major =
        gss_init_sec_context(&minor, pair->client_credential, &pair->client, pair->target, pair->mechanism, flags, 0,
                             GSS_C_NO_CHANNEL_BINDINGS, input, NULL, output, &granted, NULL);
    if (major != GSS_S_CONTINUE_NEEDED) require(major, "gss_init_sec_context");
    return major;
}

static OM_uint32 server_step(struct gss_pair *pair, gss_buffer_t input, gss_buffer_t output)
{
    OM_uint32 minor;
    OM_uint32 major = gss_accept_sec_context(&minor, &pair->server, pair->server_credential, input,
                                             GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL, output, NULL, NULL, NULL);
    if (major != GSS_S_CONTINUE_NEEDED) require(major, "gss_accept_sec_context");
    return major;
}

static void establish(struct gss_pair *pair)
{
    gss_buffer_desc to_client = GSS_C_EMPTY_BUFFER, to_server = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor, client = GSS_S_CONTINUE_NEEDED, server = GSS_S_CONTINUE_NEEDED;
    while (client == GSS_S_CONTINUE_NEEDED || server == GSS_S_CONTINUE_NEEDED) {
        client = client_step(pair, &to_client, &to_server);
        gss_release_buffer(&minor, &to_client);
        if (server == GSS_S_CONTINUE_NEEDED) server = server_step(pair, &to_server, &to_client);
        gss_release_buffer(&minor, &to_server);
    }
    gss_release_buffer(&minor, &to_client);
}

static void *open_pair(gss_OID mechanism)
{
    struct gss_pair *pair = calloc(1, sizeof *pair);
    bench_require(pair != NULL, "memory");
    pair->mechanism = mechanism;
    write_user_file(pair);
    acquire(pair);
    establish(pair);
    return pair;
}

static void *open_ntlmssp(void)
{
    return open_pair(&ntlmssp);
}

static void *open_spnego(void)
{
    return open_pair(&spnego);
}

static void release_contexts(struct gss_pair *pair)
{
    OM_uint32 minor;
    gss_delete_sec_context(&minor, &pair->client, GSS_C_NO_BUFFER);
    gss_delete_sec_context(&minor, &pair->server, GSS_C_NO_BUFFER);
}

static void close_pair(void *state)
{
    struct gss_pair *pair = state;
    OM_uint32 minor;
    release_contexts(pair);
    gss_release_cred(&minor, &pair->client_credential);
    gss_release_cred(&minor, &pair->server_credential);
    gss_release_name(&minor, &pair->target);
    unlink(pair->user_file);
    free(pair);
}

static void handshake(void *state)
{
    release_contexts(state);
    establish(state);
}

static void keep(struct bench_block *block, const gss_buffer_desc *buffer)
{
    block->data = buffer->value;
    block->size = buffer->length;
}

static gss_buffer_desc of_block(const struct bench_block *block)
{
    return (gss_buffer_desc){block->size, block->data};
}

static void seal(void *state, struct bench_message *message)
{
    struct gss_pair *pair = state;
    gss_buffer_desc plain = {message->size, message->data}, sealed = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    int confidential = 0;
    require(gss_wrap(&minor, pair->client, 1, GSS_C_QOP_DEFAULT, &plain, &confidential, &sealed), "gss_wrap");
    keep(&message->sealed, &sealed);
}

static void unseal(void *state, struct bench_message *message)
{
    struct gss_pair *pair = state;
    gss_buffer_desc sealed = of_block(&message->sealed), plain = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    int confidential = 0;
    require(gss_unwrap(&minor, pair->server, &sealed, &plain, &confidential, NULL), "gss_unwrap");
    keep(&message->opened, &plain);
}

static void sign(void *state, struct bench_message *message)
{
    struct gss_pair *pair = state;
    gss_buffer_desc plain = {message->size, message->data}, token = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    require(gss_get_mic(&minor, pair->client, GSS_C_QOP_DEFAULT, &plain, &token), "gss_get_mic");
    keep(&message->sealed, &token);
}

static void verify(void *state, struct bench_message *message)
{
    struct gss_pair *pair = state;
    gss_buffer_desc plain = {message->size, message->data}, token = of_block(&message->sealed);
    OM_uint32 minor;
    require(gss_verify_mic(&minor, pair->server, &plain, &token, NULL), "gss_verify_mic");
}

static void drop_block(struct bench_block *block)
{
    gss_buffer_desc buffer = of_block(block);
    OM_uint32 minor;
    if (buffer.value) gss_release_buffer(&minor, &buffer);
    *block = (struct bench_block){NULL, 0};
}

static void drop(struct bench_message *message)
{
    drop_block(&message->sealed);
    drop_block(&message->opened);
}

#define OPERATIONS                                                                                                     \
    .seal = seal, .unseal = unseal, .sign = sign, .verify = verify, .drop = drop, .handshake = handshake,              \
    .close = close_pair

const struct bench_peer bench_gss_ntlmssp = {.name = "gss-ntlmssp", .open = open_ntlmssp, OPERATIONS};
const struct bench_peer bench_mit_spnego = {.name = "mit-spnego", .open = open_spnego, OPERATIONS};
