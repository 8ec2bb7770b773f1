/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What reaches others in a client's name (kerberos_onward_credential), packed along with its session (client.h): where
 * Heimdal looks, how patient it is, and either the tickets that were forwarded or the one that was shown. Those of a
 * server with an identity of its own stay behind, for its password does.
 */
#include "kerberos_tickets.h"
#include "secure.h"
#include "utf16.h"

#include <stdlib.h>
#include <string.h>

enum { FORWARDED = 1, SHOWN = 2, MOST_TICKETS = 64 };

/* ---- out ----------------------------------------------------------------------------------------------------------
 */

/* A size and bytes; NULL is the empty text. */
static void write_bytes(struct cs_writer *packed, struct cs_span bytes)
{
    cs_write_u32(packed, (uint32_t)bytes.size);
    cs_write_span(packed, bytes);
}

static void write_text(struct cs_writer *packed, const char *text)
{
    write_bytes(packed, text ? cs_span_of(text) : (struct cs_span){NULL, 0});
}

/* What is in STORAGE, which is freed, and wiped where it was. */
static void write_storage(struct cs_writer *packed, krb5_storage *storage, krb5_error_code code)
{
    krb5_data data = {0, NULL};
    if (!code) code = krb5_storage_to_data(storage, &data);
    if (code)
        packed->failed = true;
    else
        write_bytes(packed, (struct cs_span){data.data, data.length});
    cs_wipe_free(data.data, data.length);
    krb5_storage_free(storage);
}

static void write_principal(struct cs_writer *packed, krb5_const_principal principal)
{
    krb5_storage *storage = krb5_storage_emem();
    if (storage)
        write_storage(packed, storage, krb5_store_principal(storage, principal));
    else
        packed->failed = true;
}

static void write_ticket(struct cs_writer *packed, krb5_creds *creds)
{
    krb5_storage *storage = krb5_storage_emem();
    if (storage)
        write_storage(packed, storage, krb5_store_creds(storage, creds));
    else
        packed->failed = true;
}

static void write_tickets(krb5_context context, const struct kerberos_logon *logon, struct cs_writer *packed)
{
    krb5_cc_cursor cursor;
    krb5_creds creds;
    unsigned count = 0;
    if (krb5_cc_start_seq_get(context, logon->ccache, &cursor)) return;
    while (!krb5_cc_next_cred(context, logon->ccache, &cursor, &creds)) {
        if (count++ < MOST_TICKETS) write_ticket(packed, &creds);
        krb5_free_cred_contents(context, &creds);
    }
    krb5_cc_end_seq_get(context, logon->ccache, &cursor);
}

static void pack_forwarded(krb5_context context, const struct kerberos_logon *logon, struct cs_writer *packed)
{
    cs_write_u8(packed, FORWARDED);
    write_principal(packed, logon->client);
    cs_write_u64(packed, (uint64_t)logon->expiry);
    write_tickets(context, logon, packed);
}

static void pack_shown(const struct kerberos_proxy *proxy, struct cs_writer *packed)
{
    cs_write_u8(packed, SHOWN);
    write_principal(packed, proxy->client);
    cs_write_u64(packed, (uint64_t)proxy->endtime);
    write_bytes(packed, proxy->request);
}

static void pack_places(const struct kerberos_credential *credential, struct cs_writer *packed)
{
    const struct kerberos_places *places = &credential->client.contexts->places;
    write_text(packed, places->config);
    write_text(packed, places->keytab);
    cs_write_u32(packed, credential->patience.wait_time);
    cs_write_u32(packed, credential->patience.send_retries);
    cs_write_u32(packed, credential->patience.backoff_time);
    cs_write_u8(packed, credential->suppress_bindings);
}

void kerberos_pack_onward(const struct cs_credential *head, struct cs_writer *packed)
{
    const struct kerberos_credential *credential = (const struct kerberos_credential *)head;
    const struct kerberos_client *client = &credential->client;
    krb5_context context;
    if (client->proxy.client && credential->acceptor->server.is_default) {
        pack_places(credential, packed);
        pack_shown(&client->proxy, packed);
    } else if (client->logon && !kerberos_borrow(client->contexts, &context)) {
        pack_places(credential, packed);
        pack_forwarded(context, client->logon, packed);
        kerberos_give_back(client->contexts, context);
    }
}

/* ---- in -----------------------------------------------------------------------------------------------------------
 */

static struct cs_span read_bytes(struct cs_reader *packed)
{
    return cs_read_span(packed, cs_read_u32(packed));
}

/* NULL for the empty text. */
static char *read_text(struct cs_reader *packed)
{
    const struct cs_span text = read_bytes(packed);
    char *copy = text.size ? strndup((const char *)text.data, text.size) : NULL;
    if (text.size && !copy) packed->failed = true;
    return copy;
}

/* What Heimdal is to read from BYTES. It allocates by the numbers that it finds: no more than there are bytes for. */
static krb5_storage *storage_of(struct cs_span bytes)
{
    krb5_storage *storage = bytes.size ? krb5_storage_from_readonly_mem(bytes.data, bytes.size) : NULL;
    if (storage) krb5_storage_set_max_alloc(storage, 16 * bytes.size);
    return storage;
}

static krb5_principal read_principal(struct cs_reader *packed)
{
    krb5_storage *storage = storage_of(read_bytes(packed));
    krb5_principal principal = NULL;
    if (!storage || krb5_ret_principal(storage, &principal)) packed->failed = true;
    if (storage) krb5_storage_free(storage);
    return principal;
}

static krb5_error_code read_ticket(krb5_context context, struct cs_span bytes, const struct kerberos_logon *logon)
{
    krb5_creds creds = {0};
    krb5_storage *storage = storage_of(bytes);
    if (!storage) return KRB5_CC_FORMAT;
    krb5_error_code code = krb5_ret_creds(storage, &creds);
    krb5_storage_free(storage);
    if (code) return code;
    code = krb5_cc_store_cred(context, logon->ccache, &creds);
    krb5_free_cred_contents(context, &creds);
    return code;
}

static krb5_error_code fill_cache(krb5_context context, struct cs_reader *packed, struct kerberos_logon *logon)
{
    krb5_error_code code = krb5_cc_new_unique(context, "MEMORY", NULL, &logon->ccache);
    if (code) return code;
    logon->own = true;
    code = krb5_cc_initialize(context, logon->ccache, logon->client);
    while (!code && packed->remaining && !packed->failed) code = read_ticket(context, read_bytes(packed), logon);
    return code || !packed->failed ? code : KRB5_CC_FORMAT;
}

static bool unpack_forwarded(krb5_context context, struct cs_reader *packed, struct kerberos_exchange *exchange)
{
    struct kerberos_logon *logon = calloc(1, sizeof *logon);
    if (!logon) return false;
    logon->references = 1;
    logon->client = read_principal(packed);
    logon->expiry = (krb5_timestamp)cs_read_u64(packed);
    exchange->delegated = logon;
    return !packed->failed && !fill_cache(context, packed, logon);
}

static bool unpack_shown(struct cs_reader *packed, struct kerberos_exchange *exchange)
{
    struct kerberos_proxy *proxy = &exchange->proxy;
    proxy->client = read_principal(packed);
    proxy->endtime = (krb5_timestamp)cs_read_u64(packed);
    return cs_span_copy(&proxy->request, read_bytes(packed)) && !packed->failed && !packed->remaining;
}

/* A server's credential in the place of the one that accepted the client, which is in another process. */
static struct kerberos_credential *unpack_acceptor(struct cs_reader *packed)
{
    struct kerberos_places places = {.config = read_text(packed)};
    places.keytab = read_text(packed);
    struct kerberos_credential *acceptor = kerberos_make_acceptor(places);
    if (!acceptor) return NULL;
    acceptor->patience.wait_time = cs_read_u32(packed);
    acceptor->patience.send_retries = cs_read_u32(packed);
    acceptor->patience.backoff_time = cs_read_u32(packed);
    acceptor->suppress_bindings = cs_read_u8(packed) != 0;
    return acceptor;
}

static struct cs_credential *unpack(krb5_context context, struct cs_reader *packed,
                                    struct kerberos_credential *acceptor)
{
    struct kerberos_exchange exchange = {.credential = acceptor};
    const uint8_t kind = cs_read_u8(packed);
    bool well = false;
    if (kind == FORWARDED) well = unpack_forwarded(context, packed, &exchange);
    if (kind == SHOWN) well = unpack_shown(packed, &exchange);
    struct cs_credential *credential = well ? kerberos_onward_credential(&exchange) : NULL;
    kerberos_logon_release(context, exchange.delegated);
    kerberos_proxy_drop(context, &exchange.proxy);
    return credential;
}

struct cs_credential *kerberos_unpack_onward(struct cs_span bytes)
{
    struct cs_reader packed = cs_reader_of(bytes);
    struct cs_credential *credential = NULL;
    krb5_context context;
    struct kerberos_credential *acceptor = unpack_acceptor(&packed);
    if (!acceptor) return NULL;
    if (!packed.failed && !kerberos_borrow(acceptor->client.contexts, &context)) {
        credential = unpack(context, &packed, acceptor);
        kerberos_give_back(acceptor->client.contexts, context);
    }
    cs_credential_release(&acceptor->head);
    return credential;
}
