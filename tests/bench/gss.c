/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos through a GSS-API library: MIT's (with GSS_OF_MIT) or Heimdal's. Their headers and functions have the same
 * names, so this is made into one shared library for each; which of the two a function is bound to, its version says.
 * Messages are protected in place, by gss_wrap_iov into room that the caller has: the fastest way that there is.
 */
#include "bench.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>
#ifdef GSS_OF_MIT
#include <gssapi/gssapi_ext.h>
#endif

#include <stdlib.h>
#include <string.h>

#ifdef GSS_OF_MIT
#define LIBRARY "mit"
#else
#define LIBRARY "heimdal"
#endif

/* What AES-SHA1 puts before the data when nothing may follow it (RFC 4121 4.2.4). */
enum { HEADER = 60 };

struct gss_pair {
    gss_name_t target;
    gss_cred_id_t client_credential, server_credential;
    gss_ctx_id_t client, server;
};

/* Where an identity's tickets and a server's keys are. */
struct places {
    krb5_ccache ccache;
    krb5_keytab keytab;
};

static void require(OM_uint32 major, const char *what)
{
    bench_require_status(major, GSS_S_COMPLETE, LIBRARY, what);
}

static void require_krb5(krb5_error_code code, const char *what)
{
    bench_require_status((uint32_t)code, 0, LIBRARY, what);
}

/* Those that the environment names. */
static void open_files(krb5_context context, struct places *places)
{
    require_krb5(krb5_cc_default(context, &places->ccache), "credential cache");
    require_krb5(krb5_kt_default(context, &places->keytab), "keytab");
}

static void import(gss_cred_id_t *credential, krb5_ccache ccache, krb5_keytab keytab)
{
    OM_uint32 minor;
    require(gss_krb5_import_cred(&minor, ccache, NULL, keytab, credential), "gss_krb5_import_cred");
}

static void acquire(struct gss_pair *pair, void (*open_places)(krb5_context context, struct places *places))
{
    struct places places;
    krb5_context context;
    require_krb5(krb5_init_context(&context), "krb5_init_context");
    open_places(context, &places);
    import(&pair->client_credential, places.ccache, NULL);
    import(&pair->server_credential, NULL, places.keytab);
    krb5_cc_close(context, places.ccache);
    krb5_kt_close(context, places.keytab);
    krb5_free_context(context);
}

static void name_target(struct gss_pair *pair)
{
    static char text[] = BENCH_SERVICE "@" BENCH_HOST;
    gss_buffer_desc buffer = {sizeof text - 1, text};
    OM_uint32 minor;
    require(gss_import_name(&minor, &buffer, GSS_C_NT_HOSTBASED_SERVICE, &pair->target), "gss_import_name");
}

static void establish(struct gss_pair *pair)
{
    const OM_uint32 flags =
        GSS_C_MUTUAL_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;
    gss_buffer_desc request = GSS_C_EMPTY_BUFFER, reply = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    OM_uint32 major = gss_init_sec_context(&minor, pair->client_credential, &pair->client, pair->target,
                                           (gss_OID)(uintptr_t)gss_mech_krb5, flags, 0, GSS_C_NO_CHANNEL_BINDINGS,
                                           GSS_C_NO_BUFFER, NULL, &request, NULL, NULL);
    bench_require_status(major, GSS_S_CONTINUE_NEEDED, LIBRARY, "gss_init_sec_context, first leg");
    require(gss_accept_sec_context(&minor, &pair->server, pair->server_credential, &request, GSS_C_NO_CHANNEL_BINDINGS,
                                   NULL, NULL, &reply, NULL, NULL, NULL),
            "gss_accept_sec_context");
    gss_release_buffer(&minor, &request);
    require(gss_init_sec_context(&minor, pair->client_credential, &pair->client, pair->target,
                                 (gss_OID)(uintptr_t)gss_mech_krb5, flags, 0, GSS_C_NO_CHANNEL_BINDINGS, &reply, NULL,
                                 &request, NULL, NULL),
            "gss_init_sec_context, second leg");
    gss_release_buffer(&minor, &reply);
}

static void *open_pair(void (*open_places)(krb5_context context, struct places *places))
{
    struct gss_pair *pair = calloc(1, sizeof *pair);
    bench_require(pair != NULL, "memory");
    name_target(pair);
    acquire(pair, open_places);
    establish(pair);
    return pair;
}

static void *open_on_files(void)
{
    return open_pair(open_files);
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
    free(pair);
}

static void handshake(void *state)
{
    release_contexts(state);
    establish(state);
}

enum { IOV_HEADER, IOV_DATA, IOV_PADDING, IOVS };

static void lay_out(gss_iov_buffer_desc iov[IOVS], struct bench_message *message)
{
    iov[IOV_HEADER] = (gss_iov_buffer_desc){GSS_IOV_BUFFER_TYPE_HEADER, {HEADER, message->token}};
    iov[IOV_DATA] = (gss_iov_buffer_desc){GSS_IOV_BUFFER_TYPE_DATA, {message->size, message->data}};
    iov[IOV_PADDING] = (gss_iov_buffer_desc){GSS_IOV_BUFFER_TYPE_PADDING, {0, NULL}};
}

static void seal(void *state, struct bench_message *message)
{
    struct gss_pair *pair = state;
    gss_iov_buffer_desc iov[IOVS];
    OM_uint32 minor;
    int confidential = 0;
    lay_out(iov, message);
    require(gss_wrap_iov(&minor, pair->client, 1, GSS_C_QOP_DEFAULT, &confidential, iov, IOVS), "gss_wrap_iov");
}

static void unseal(void *state, struct bench_message *message)
{
    struct gss_pair *pair = state;
    gss_iov_buffer_desc iov[IOVS];
    OM_uint32 minor;
    int confidential = 0;
    lay_out(iov, message);
    require(gss_unwrap_iov(&minor, pair->server, &confidential, NULL, iov, IOVS), "gss_unwrap_iov");
}

static void sign(void *state, struct bench_message *message)
{
    struct gss_pair *pair = state;
    gss_buffer_desc plain = {message->size, message->data}, token = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    require(gss_get_mic(&minor, pair->client, GSS_C_QOP_DEFAULT, &plain, &token), "gss_get_mic");
    message->sealed = (struct bench_block){token.value, token.length};
}

static void verify(void *state, struct bench_message *message)
{
    struct gss_pair *pair = state;
    gss_buffer_desc plain = {message->size, message->data}, token = {message->sealed.size, message->sealed.data};
    OM_uint32 minor;
    require(gss_verify_mic(&minor, pair->server, &plain, &token, NULL), "gss_verify_mic");
}

static void drop(struct bench_message *message)
{
    gss_buffer_desc token = {message->sealed.size, message->sealed.data};
    OM_uint32 minor;
    if (token.value) gss_release_buffer(&minor, &token);
    message->sealed = (struct bench_block){NULL, 0};
}

#define OPERATIONS                                                                                                     \
    .seal = seal, .unseal = unseal, .sign = sign, .verify = verify, .drop = drop, .handshake = handshake,              \
    .close = close_pair

#ifdef GSS_OF_MIT
const struct bench_peer bench_mit = {.name = "mit", .open = open_on_files, OPERATIONS};
#else
/* Copies of those that the environment names. */
static void open_memory(krb5_context context, struct places *places)
{
    struct places files;
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    open_files(context, &files);
    require_krb5(krb5_cc_resolve(context, "MEMORY:bench", &places->ccache), "credential cache in memory");
    require_krb5(krb5_kt_resolve(context, "MEMORY:bench", &places->keytab), "keytab in memory");
    require_krb5(krb5_cc_copy_cache(context, files.ccache, places->ccache), "krb5_cc_copy_cache");
    require_krb5(krb5_kt_start_seq_get(context, files.keytab, &cursor), "krb5_kt_start_seq_get");
    while (!krb5_kt_next_entry(context, files.keytab, &entry, &cursor)) {
        require_krb5(krb5_kt_add_entry(context, places->keytab, &entry), "krb5_kt_add_entry");
        krb5_kt_free_entry(context, &entry);
    }
    krb5_kt_end_seq_get(context, files.keytab, &cursor);
    krb5_cc_close(context, files.ccache);
    krb5_kt_close(context, files.keytab);
}

static void *open_in_memory(void)
{
    return open_pair(open_memory);
}

const struct bench_peer bench_heimdal = {.name = "heimdal", .open = open_on_files, OPERATIONS};
const struct bench_peer bench_heimdal_file = {.name = "heimdal-file", .open = open_on_files, OPERATIONS};
const struct bench_peer bench_heimdal_memory = {.name = "heimdal-memory", .open = open_in_memory, OPERATIONS};
#endif
