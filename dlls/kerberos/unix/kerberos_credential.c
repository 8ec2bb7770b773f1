/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos credentials, and the table through which establishing comes here.
 */
#include "kerberos_tickets.h"
#include "secure.h"
#include "utf16.h"

#include <stdlib.h>
#include <string.h>

/* FILETIME's end of time: the credential outlives its tickets, which are asked for again. */
static const int64_t never = 0x7FFFFFFFFFFFFFFF;

static void drop_halves(krb5_context context, struct kerberos_credential *credential)
{
    kerberos_client_drop(context, &credential->client);
    kerberos_server_drop(context, &credential->server);
}

/* A context is always at hand: the one with which the credential was made, or one of no less use. */
static void release_credential(struct cs_credential *head)
{
    struct kerberos_credential *credential = (struct kerberos_credential *)head;
    struct kerberos_credential *acceptor = credential->acceptor;
    struct kerberos_contexts *contexts = credential->client.contexts;
    krb5_context context;
    if (!kerberos_borrow(contexts, &context)) {
        drop_halves(context, credential);
        kerberos_give_back(contexts, context);
    }
    kerberos_replay_close(credential->replays);
    if (!acceptor) kerberos_contexts_drop(&credential->contexts);
    cs_wipe_free(credential, sizeof *credential);
    if (acceptor) cs_credential_release(&acceptor->head);
}

static SECURITY_STATUS take_identity(krb5_context context, struct kerberos_credential *credential,
                                     const struct cs_credential_request *request)
{
    if (request->identity.kind == CS_IDENTITY_DEFAULT) return SEC_E_OK;
    /* An acceptor too has tickets of its own: user-to-user shows one. */
    credential->client.is_default = false;
    if (request->identity.kind == CS_IDENTITY_CLIENT) return SEC_E_OK;
    SECURITY_STATUS status = kerberos_account_make(context, &request->identity, &credential->client.account);
    if (status == SEC_E_OK && (request->use & SECPKG_CRED_INBOUND)) {
        credential->server.is_default = false;
        status = kerberos_account_make(context, &request->identity, &credential->server.account);
    }
    return status;
}

static struct kerberos_credential *make_credential(struct kerberos_places places)
{
    struct kerberos_credential *credential = calloc(1, sizeof *credential);
    if (!credential) return NULL;
    credential->head.expiry = never;
    if (kerberos_contexts_init(&credential->contexts, places) &&
        kerberos_client_init(&credential->client, &credential->contexts) &&
        kerberos_server_init(&credential->server, &credential->contexts))
        return credential;
    free(credential);
    return NULL;
}

/* What is empty is the environment's to say. */
static char *place_of(struct cs_span text)
{
    return text.size ? strndup((const char *)text.data, text.size) : NULL;
}

static struct kerberos_places places_of(const struct cs_credential_request *request)
{
    return (struct kerberos_places){place_of(request->krb5_config), place_of(request->krb5_ccname),
                                    place_of(request->krb5_ktname)};
}

/* Everything that is not the client's is its acceptor's: policy, and the contexts. */
static struct kerberos_credential *make_client_credential(struct kerberos_credential *acceptor)
{
    struct kerberos_credential *credential = calloc(1, sizeof *credential);
    if (!credential) return NULL;
    if (!kerberos_client_init(&credential->client, acceptor->client.contexts) ||
        !kerberos_server_init(&credential->server, acceptor->client.contexts)) {
        free(credential);
        return NULL;
    }
    credential->head = (struct cs_credential){&kerberos_mechanism, 1, SECPKG_CRED_OUTBOUND, never};
    credential->patience = acceptor->patience;
    credential->suppress_bindings = acceptor->suppress_bindings;
    credential->client.is_default = false;
    credential->acceptor = acceptor;
    cs_credential_addref(&acceptor->head);
    return credential;
}

struct cs_credential *kerberos_onward_credential(struct kerberos_exchange *exchange)
{
    if (!exchange->delegated && !exchange->proxy.client) return NULL;
    struct kerberos_credential *credential = make_client_credential(exchange->credential);
    if (!credential) return NULL;
    credential->client.logon = exchange->delegated;
    credential->client.proxy = exchange->proxy;
    credential->client.proxy.acceptor = exchange->credential;
    exchange->delegated = NULL;
    exchange->proxy = (struct kerberos_proxy){.client = NULL};
    return &credential->head;
}

struct kerberos_credential *kerberos_make_acceptor(struct kerberos_places places)
{
    struct kerberos_credential *credential = make_credential(places);
    if (credential) credential->head = (struct cs_credential){&kerberos_mechanism, 1, 0, never};
    return credential;
}

/* No KDC is asked yet, and no ticket needed (behaviour.md rows 49 and 55). Nobody has no ticket in Kerberos. */
static SECURITY_STATUS acquire(const struct cs_credential_request *request, struct cs_credential **out)
{
    krb5_context context;
    if (request->identity.kind == CS_IDENTITY_ANONYMOUS) return SEC_E_NO_CREDENTIALS;
    struct kerberos_credential *credential = make_credential(places_of(request));
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    credential->suppress_bindings = request->policy.suppress_extended_protection != 0;
    credential->patience = kerberos_patience_of(&request->policy);
    SECURITY_STATUS status = kerberos_status(kerberos_borrow(credential->client.contexts, &context));
    if (status == SEC_E_OK) {
        status = take_identity(context, credential, request);
        kerberos_give_back(credential->client.contexts, context);
    }
    if (status == SEC_E_OK && (request->use & SECPKG_CRED_INBOUND) && !(credential->replays = kerberos_replay_open()))
        status = SEC_E_INSUFFICIENT_MEMORY;
    if (status)
        release_credential(&credential->head);
    else
        *out = &credential->head;
    return status;
}

static SECURITY_STATUS write_names(krb5_context context, const struct kerberos_credential *credential,
                                   struct cs_writer *output)
{
    struct kerberos_logon logon = {.references = 1};
    const struct kerberos_client *client = &credential->client;
    SECURITY_STATUS status = SEC_E_OK;
    if (credential->server.account.principal) {
        status = kerberos_write_name(context, credential->server.account.principal, output);
    } else if (client->account.principal) {
        status = kerberos_write_name(context, client->account.principal, output);
    } else if (client->proxy.client) {
        status = kerberos_write_name(context, client->proxy.client, output);
    } else if (client->logon && !client->is_default) {
        status = kerberos_write_name(context, client->logon->client, output); /* delegated */
    } else if (!client->is_default) {
        status = SEC_E_NO_CREDENTIALS;
    } else {
        status = kerberos_status(kerberos_open_user_cache(context, &logon));
        if (status == SEC_E_OK) status = kerberos_write_name(context, logon.client, output);
        kerberos_logon_drop(context, &logon);
    }
    return status;
}

static SECURITY_STATUS credential_names(const struct cs_credential *head, struct cs_writer *output)
{
    struct kerberos_credential *credential = (struct kerberos_credential *)(uintptr_t)head;
    krb5_context context;
    SECURITY_STATUS status = kerberos_status(kerberos_borrow(credential->client.contexts, &context));
    if (status) return status;
    status = write_names(context, credential, output);
    kerberos_give_back(credential->client.contexts, context);
    return status == SEC_E_OK ? SEC_E_OK : SEC_E_NO_CREDENTIALS;
}

/* A password makes keys. A keytab may come, change and go while the credential lives. */
static bool can_accept(const struct cs_credential *head)
{
    struct kerberos_credential *credential = (struct kerberos_credential *)(uintptr_t)head;
    struct kerberos_key_set *keys = NULL;
    krb5_context context;
    if (!credential->server.is_default) return true;
    if (kerberos_borrow(credential->client.contexts, &context)) return false;
    const bool has_keys = kerberos_server_keys(&credential->server, context, &keys) == SEC_E_OK;
    kerberos_key_set_release(context, keys);
    kerberos_give_back(credential->client.contexts, context);
    return has_keys;
}

static SECURITY_STATUS make_given(struct kerberos_exchange *exchange, const struct cs_identity *identity,
                                  struct kerberos_client *given)
{
    struct kerberos_contexts *contexts = exchange->credential->client.contexts;
    krb5_context context;
    SECURITY_STATUS status = kerberos_status(kerberos_borrow(contexts, &context));
    if (status) return status;
    status = kerberos_account_make(context, identity, &given->account);
    if (status == SEC_E_OK) given->is_default = false;
    if (status) kerberos_client_drop(context, given);
    kerberos_give_back(contexts, context);
    return status;
}

/*
 * What the credential manager held for the target serves a default credential. One that is nobody to Kerberos is for
 * the first leg to refuse, so that Negotiate goes on with NTLM, which may know him. False without memory.
 */
static bool take_given(struct kerberos_exchange *exchange, const struct cs_identity *identity)
{
    if (identity->kind != CS_IDENTITY_EXPLICIT || !exchange->credential->client.is_default) return true;
    struct kerberos_client *given = calloc(1, sizeof *given);
    if (!given || !kerberos_client_init(given, exchange->credential->client.contexts)) {
        free(given);
        return false;
    }
    exchange->given_status = make_given(exchange, identity, given);
    if (exchange->given_status == SEC_E_OK)
        exchange->given = given;
    else
        free(given);
    return exchange->given_status != SEC_E_INSUFFICIENT_MEMORY;
}

static void drop_exchange(krb5_context context, struct kerberos_exchange *exchange)
{
    kerberos_ticket_release(context, exchange->ticket);
    kerberos_logon_release(context, exchange->delegated);
    kerberos_proxy_drop(context, &exchange->proxy);
    kerberos_key_set_release(context, exchange->shown);
    if (exchange->given) kerberos_client_drop(context, exchange->given);
    free(exchange->given);
}

static void end(void *state)
{
    struct kerberos_exchange *exchange = state;
    struct kerberos_contexts *contexts = exchange->credential->client.contexts;
    krb5_context context;
    if (!kerberos_borrow(contexts, &context)) {
        drop_exchange(context, exchange);
        kerberos_give_back(contexts, context);
    }
    kerberos_drop_key(&exchange->session_key);
    kerberos_drop_key(&exchange->subkey);
    kerberos_drop_key(&exchange->acceptor_subkey);
    cs_logon_release(exchange->logon);
    cs_writer_drop(&exchange->reply);
    cs_span_drop(&exchange->target);
    cs_span_drop(&exchange->names);
    cs_span_drop(&exchange->client);
    cs_span_drop(&exchange->server);
    cs_wipe_free(exchange, sizeof *exchange);
}

static void *begin(const struct cs_leg *leg, bool initiator)
{
    struct kerberos_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange) return NULL;
    exchange->initiator = initiator;
    exchange->request = leg->request;
    exchange->kick_off = INT64_MAX;
    exchange->credential = (struct kerberos_credential *)leg->credential;
    if (cs_span_copy(&exchange->target, leg->target) && take_given(exchange, &leg->identity)) return exchange;
    end(exchange);
    return NULL;
}

static SECURITY_STATUS step(void *state, struct cs_leg *leg, struct cs_writer *output, struct cs_session **session)
{
    struct kerberos_exchange *exchange = state;
    struct kerberos_wait wait;
    krb5_context context;
    SECURITY_STATUS status = kerberos_status(kerberos_borrow(exchange->credential->client.contexts, &context));
    if (status) return status;
    kerberos_wait_begin(&wait, &exchange->credential->patience);
    status = exchange->initiator ? kerberos_initiate(exchange, context, leg, output, session)
                                 : kerberos_accept(exchange, context, leg, output, session);
    kerberos_wait_end(&wait);
    kerberos_give_back(exchange->credential->client.contexts, context);
    return status;
}

const struct cs_mechanism kerberos_mechanism = {
    .package = "Kerberos",
    .acquire = acquire,
    .release_credential = release_credential,
    .begin = begin,
    .step = step,
    .end = end,
    .credential_names = credential_names,
    .can_accept = can_accept,
    .pack_onward = kerberos_pack_onward,
    .unpack_onward = kerberos_unpack_onward,
};
