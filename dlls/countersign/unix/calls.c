/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where calls from PE code arrive: each takes its parameter block apart and calls the native function. Wine finds the
 * two tables by name; they are the same, since the blocks are.
 */
#include "call_blocks.h"
#include "client.h"
#include "client_calls.h"
#include "describe.h"
#include "export.h"
#include "kerberos_list.h"
#include "tls_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(struct cs_buffer) == 16 && offsetof(struct cs_buffer, type) == 4 &&
                   offsetof(struct cs_buffer, address) == 8,
               "struct cs_buffer");
_Static_assert(sizeof(struct cs_policy) == sizeof(struct cs_block_policy), "struct cs_policy");

#define EXPORT __attribute__((visibility("default")))

static struct cs_identity identity_of(const struct cs_block_identity *block)
{
    return (struct cs_identity){.kind = block->kind,
                                .user = span_of(block->user),
                                .domain = span_of(block->domain),
                                .password = span_of(block->password),
                                .package_list = span_of(block->package_list)};
}

static SECURITY_STATUS call_version(void *args)
{
    struct cs_block_version *block = args;
    block->version = CS_BLOCKS_VERSION;
    block->calls = CS_CALL_COUNT;
    return SEC_E_OK;
}

static SECURITY_STATUS call_acquire(void *args)
{
    struct cs_block_acquire *block = args;
    struct cs_credential_request request = {.use = block->use,
                                            .identity = identity_of(&block->identity),
                                            .machine = span_of(block->machine),
                                            .dns_host = span_of(block->dns_host),
                                            .krb5_config = span_of(block->krb5_config),
                                            .krb5_ccname = span_of(block->krb5_ccname),
                                            .krb5_ktname = span_of(block->krb5_ktname)};
    const struct cs_mechanism *mechanism = cs_find_mechanism(block->package);
    struct cs_credential *credential = NULL;
    if (!mechanism) return SEC_E_SECPKG_NOT_FOUND;
    memcpy(&request.policy, &block->policy, sizeof request.policy);
    if (request.identity.kind == CS_IDENTITY_CLIENT) request.client = cs_client_find(block->client);
    SECURITY_STATUS status = cs_acquire_credential(mechanism, &request, &credential);
    cs_client_release(request.client);
    if (status) return status;
    block->credential = (uintptr_t)credential;
    block->expiry = credential->expiry;
    return SEC_E_OK;
}

static SECURITY_STATUS call_release_credential(void *args)
{
    struct cs_block_object *block = args;
    cs_credential_release(object_of(block->object));
    return SEC_E_OK;
}

static SECURITY_STATUS call_credential_names(void *args)
{
    struct cs_block_text *block = args;
    const struct cs_credential *credential = object_of(block->object);
    struct cs_writer names = {0};
    return give_written(block, &names, credential->mechanism->credential_names(credential, &names));
}

static SECURITY_STATUS call_leg(void *args)
{
    struct cs_block_leg *block = args;
    struct cs_context *context = object_of(block->context);
    struct cs_leg leg = {.credential = object_of(block->credential),
                         .identity = identity_of(&block->identity),
                         .target = span_of(block->target),
                         .request = block->request,
                         .input = span_of(block->input),
                         .bindings = span_of(block->bindings),
                         .room = block->room};
    SECURITY_STATUS status = block->initiator ? cs_initialize(&context, &leg) : cs_accept(&context, &leg);
    block->context = (uintptr_t)context;
    block->granted = leg.granted;
    block->expiry = leg.expiry;
    block->token_size = (uint32_t)leg.token_size;
    block->token_number = leg.token_number;
    block->session = context ? (uintptr_t)cs_context_session(context) : 0;
    return status;
}

static SECURITY_STATUS call_fetch_token(void *args)
{
    struct cs_block_fetch *block = args;
    return cs_fetch_token(object_of(block->context), block->token_number, object_of(block->token.address),
                          block->token.size);
}

static SECURITY_STATUS call_release_context(void *args)
{
    struct cs_block_object *block = args;
    cs_context_release(object_of(block->object));
    return SEC_E_OK;
}

static SECURITY_STATUS call_session_info(void *args)
{
    struct cs_block_session *block = args;
    const struct cs_session *session = object_of(block->session);
    if (!cs_session_key(session, block->session_key)) return SEC_E_INVALID_HANDLE;
    block->initiator = session->initiator;
    block->flags = session->flags;
    block->start = session->start;
    block->expiry = session->expiry;
    block->max_token = session->sizes.max_token;
    block->max_signature = session->sizes.max_signature;
    block->block_size = session->sizes.block_size;
    block->security_trailer = session->sizes.security_trailer;
    block->key_size = session->key_info.key_size;
    block->signature_algorithm = session->key_info.signature_algorithm;
    block->encrypt_algorithm = session->key_info.encrypt_algorithm;
    block->session_key_size = session->session_key_size;
    copy_name(block->signature_name, sizeof block->signature_name, session->key_info.signature_name);
    copy_name(block->package, sizeof block->package, session->package);
    copy_name(block->encrypt_name, sizeof block->encrypt_name, session->key_info.encrypt_name);
    return SEC_E_OK;
}

static struct cs_span session_text(const struct cs_session *session, uint32_t which)
{
    switch (which) {
    case CS_SESSION_TARGET: return session->target;
    case CS_SESSION_NATIVE_CLIENT: return session->native_client;
    case CS_SESSION_NATIVE_SERVER: return session->native_server;
    default: return session->names;
    }
}

static SECURITY_STATUS call_session_text(void *args)
{
    struct cs_block_text *block = args;
    const struct cs_session *session = object_of(block->object);
    if (cs_session_retired(session)) return SEC_E_INVALID_HANDLE;
    give_text(block, session_text(session, block->which));
    return SEC_E_OK;
}

static SECURITY_STATUS call_make_signature(void *args)
{
    const struct cs_block_message *block = args;
    struct cs_message message = message_of(block);
    return cs_make_signature(object_of(block->session), &message);
}

static SECURITY_STATUS call_verify_signature(void *args)
{
    const struct cs_block_message *block = args;
    struct cs_message message = message_of(block);
    return cs_verify_signature(object_of(block->session), &message);
}

static SECURITY_STATUS call_encrypt(void *args)
{
    const struct cs_block_message *block = args;
    struct cs_message message = message_of(block);
    return cs_encrypt(object_of(block->session), block->qop, &message);
}

static SECURITY_STATUS call_decrypt(void *args)
{
    struct cs_block_message *block = args;
    struct cs_message message = message_of(block);
    return cs_decrypt(object_of(block->session), &message, &block->qop);
}

static SECURITY_STATUS call_export_session(void *args)
{
    struct cs_block_export *block = args;
    struct cs_writer packed = {0};
    size_t needed = 0;
    SECURITY_STATUS status =
        cs_export_session(object_of(block->session), block->package, block->flags, block->out.size, &packed, &needed);
    block->needed = (uint32_t)needed;
    if (status == SEC_E_OK) memcpy(object_of(block->out.address), packed.data, packed.size);
    cs_writer_drop(&packed);
    return status;
}

static SECURITY_STATUS call_import_session(void *args)
{
    struct cs_block_import *block = args;
    struct cs_session *session;
    SECURITY_STATUS status = cs_import_session(block->package, span_of(block->packed), &session);
    block->session = (uintptr_t)session;
    return status;
}

static SECURITY_STATUS call_release_session(void *args)
{
    struct cs_block_object *block = args;
    cs_session_release(object_of(block->object));
    return SEC_E_OK;
}

static SECURITY_STATUS call_describe_token(void *args)
{
    struct cs_block_text *block = args;
    struct cs_writer text = {0};
    cs_describe_token(span_of(block->in), &text);
    return give_written(block, &text, SEC_E_OK);
}

static int open_trace(struct cs_span path)
{
    char *name = path.size ? strndup((const char *)path.data, path.size) : NULL;
    int fd = name ? open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600) : STDERR_FILENO;
    free(name);
    return fd;
}

static SECURITY_STATUS call_trace(void *args)
{
    const struct cs_block_trace *block = args;
    struct cs_span text = span_of(block->text);
    int fd = open_trace(span_of(block->path));
    if (fd < 0) return SEC_E_INTERNAL_ERROR;
    ssize_t written = write(fd, text.data, text.size);
    if (fd != STDERR_FILENO) close(fd);
    return written == (ssize_t)text.size ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

static struct kerberos_request request_of(const struct cs_block_tickets *block)
{
    return (struct kerberos_request){.config = span_of(block->krb5_config),
                                     .ccname = span_of(block->krb5_ccname),
                                     .client = span_of(block->client),
                                     .client_realm = span_of(block->client_realm),
                                     .server = span_of(block->server),
                                     .server_realm = span_of(block->server_realm),
                                     .etype = block->etype,
                                     .retrieve = block->retrieve};
}

/* The answer waits in a heap block of its own until it is fetched. */
static SECURITY_STATUS keep_tickets(struct cs_block_tickets *block, struct kerberos_answer *answer)
{
    struct cs_writer *kept = malloc(sizeof *kept);
    if (!kept) {
        cs_writer_drop(&answer->output);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    *kept = answer->output;
    block->tickets = (uintptr_t)kept;
    block->size = (uint32_t)kept->size;
    block->count = answer->count;
    block->parts = answer->parts;
    return SEC_E_OK;
}

static SECURITY_STATUS call_list_tickets(void *args)
{
    struct kerberos_request request = request_of(args);
    struct kerberos_answer answer;
    SECURITY_STATUS status = kerberos_list(&request, &answer);
    return status == SEC_E_OK ? keep_tickets(args, &answer) : status;
}

static SECURITY_STATUS call_retrieve_ticket(void *args)
{
    struct kerberos_request request = request_of(args);
    struct kerberos_answer answer;
    SECURITY_STATUS status = kerberos_retrieve(&request, &answer);
    return status == SEC_E_OK ? keep_tickets(args, &answer) : status;
}

static SECURITY_STATUS call_purge_tickets(void *args)
{
    struct kerberos_request request = request_of(args);
    return kerberos_purge(&request);
}

static SECURITY_STATUS call_fetch_tickets(void *args)
{
    struct cs_block_text *block = args;
    struct cs_writer *kept = object_of(block->object);
    give_text(block, cs_written(kept));
    cs_writer_drop(kept);
    free(kept);
    return SEC_E_OK;
}

typedef SECURITY_STATUS (*unix_call)(void *args);

EXPORT extern const unix_call __wine_unix_call_funcs[CS_CALL_COUNT];
const unix_call __wine_unix_call_funcs[CS_CALL_COUNT] = {
    [CS_CALL_VERSION] = call_version,
    [CS_CALL_ACQUIRE_CREDENTIAL] = call_acquire,
    [CS_CALL_RELEASE_CREDENTIAL] = call_release_credential,
    [CS_CALL_CREDENTIAL_NAMES] = call_credential_names,
    [CS_CALL_LEG] = call_leg,
    [CS_CALL_FETCH_TOKEN] = call_fetch_token,
    [CS_CALL_RELEASE_CONTEXT] = call_release_context,
    [CS_CALL_SESSION_INFO] = call_session_info,
    [CS_CALL_SESSION_TEXT] = call_session_text,
    [CS_CALL_MAKE_SIGNATURE] = call_make_signature,
    [CS_CALL_VERIFY_SIGNATURE] = call_verify_signature,
    [CS_CALL_ENCRYPT] = call_encrypt,
    [CS_CALL_DECRYPT] = call_decrypt,
    [CS_CALL_EXPORT_SESSION] = call_export_session,
    [CS_CALL_IMPORT_SESSION] = call_import_session,
    [CS_CALL_RELEASE_SESSION] = call_release_session,
    [CS_CALL_DESCRIBE_TOKEN] = call_describe_token,
    [CS_CALL_TRACE] = call_trace,
    [CS_CALL_LIST_TICKETS] = call_list_tickets,
    [CS_CALL_RETRIEVE_TICKET] = call_retrieve_ticket,
    [CS_CALL_PURGE_TICKETS] = call_purge_tickets,
    [CS_CALL_FETCH_TICKETS] = call_fetch_tickets,
    [CS_CALL_SESSION_CLIENT] = client_call_of_session,
    [CS_CALL_FIND_CLIENT] = client_call_find,
    [CS_CALL_CLIENT_NAME] = client_call_name,
    [CS_CALL_CLIENT_SIDS] = client_call_sids,
    [CS_CALL_RELEASE_CLIENT] = client_call_release,
    [CS_CALL_TLS_ACQUIRE] = tls_call_acquire,
    [CS_CALL_TLS_RELEASE_CREDENTIAL] = tls_call_release_credential,
    [CS_CALL_TLS_LEG] = tls_call_leg,
    [CS_CALL_TLS_FETCH_TOKEN] = tls_call_fetch_token,
    [CS_CALL_TLS_RELEASE_CONTEXT] = tls_call_release_context,
    [CS_CALL_TLS_ALERT] = tls_call_alert,
    [CS_CALL_TLS_ENCRYPT] = tls_call_encrypt,
    [CS_CALL_TLS_DECRYPT] = tls_call_decrypt,
    [CS_CALL_TLS_QUERY] = tls_call_query,
    [CS_CALL_TLS_QUERY_BYTES] = tls_call_query_bytes,
    [CS_CALL_TLS_EXPORT] = tls_call_export,
    [CS_CALL_TLS_SET_MTU] = tls_call_set_mtu,
    [CS_CALL_TLS_CHECK_STAPLED] = tls_call_check_stapled,
    [CS_CALL_TLS_CHECK_NAME] = tls_call_check_name,
    [CS_CALL_TLS_VERIFY_CHAIN] = tls_call_verify_chain,
    [CS_CALL_TLS_VERIFY_LIST] = tls_call_verify_list,
};

EXPORT extern const unix_call __wine_unix_call_wow64_funcs[CS_CALL_COUNT]
    __attribute__((alias("__wine_unix_call_funcs")));
