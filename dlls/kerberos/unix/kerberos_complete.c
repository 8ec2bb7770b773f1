/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of an exchange: what both roles hand to the protecting half.
 */
#include "kerberos.h"
#include "kerberos_protect.h"
#include "secure.h"
#include "utf16.h"

#include <string.h>

/* A key from the wire: of a type that may be used, and as long as the type says. */
bool kerberos_usable_key(krb5_context context, const krb5_keyblock *key)
{
    size_t size;
    return kerberos_allows(context, key->keytype) && !krb5_enctype_keysize(context, key->keytype, &size) &&
           key->keyvalue.length == size && size <= KERBEROS_MAX_KEY;
}

/* Replaces TEXT by what WRITER, which is dropped, has. */
static SECURITY_STATUS keep(struct cs_writer *writer, SECURITY_STATUS status, struct cs_span *text)
{
    cs_span_drop(text);
    if (status == SEC_E_OK && !cs_span_copy(text, cs_written(writer))) status = SEC_E_INSUFFICIENT_MEMORY;
    cs_writer_drop(writer);
    return status;
}

static SECURITY_STATUS note(krb5_context context, krb5_const_principal principal, int flags, struct cs_span *text)
{
    struct cs_writer utf16 = {0};
    char *name = NULL;
    if (krb5_unparse_name_flags(context, principal, flags, &name)) return SEC_E_INVALID_TOKEN;
    SECURITY_STATUS status = kerberos_write_text(name, &utf16);
    krb5_xfree(name);
    return keep(&utf16, status, text);
}

SECURITY_STATUS kerberos_note_principals(krb5_context context, struct kerberos_exchange *exchange,
                                         krb5_const_principal client, krb5_const_principal server)
{
    struct cs_writer names = {0};
    SECURITY_STATUS status = kerberos_write_name(context, client, &names);
    status = keep(&names, status, &exchange->names);
    if (status == SEC_E_OK) status = note(context, client, 0, &exchange->client);
    if (status == SEC_E_OK) status = note(context, server, 0, &exchange->server);
    return status;
}

SECURITY_STATUS kerberos_note_target(krb5_context context, struct kerberos_exchange *exchange,
                                     krb5_const_principal server)
{
    return note(context, server, KRB5_PRINCIPAL_UNPARSE_NO_REALM, &exchange->target);
}

bool kerberos_note_names(struct kerberos_exchange *exchange, struct cs_span domain, struct cs_span user)
{
    struct cs_writer names = {0};
    cs_span_drop(&exchange->names);
    cs_write_span(&names, domain);
    if (domain.size) cs_write_u16(&names, '\\');
    cs_write_span(&names, user);
    const bool noted = !names.failed && cs_span_copy(&exchange->names, cs_written(&names));
    cs_writer_drop(&names);
    return noted;
}

/* The key in force, RFC 4121 2: the acceptor's subkey, else the initiator's, else the ticket's. */
static const krb5_keyblock *key_in_force(const struct kerberos_exchange *exchange)
{
    if (exchange->acceptor_subkey.keyvalue.length) return &exchange->acceptor_subkey;
    return exchange->subkey.keyvalue.length ? &exchange->subkey : &exchange->session_key;
}

static int64_t filetime_of(krb5_timestamp seconds)
{
    const int64_t unix_epoch = 116444736000000000;
    return unix_epoch + (int64_t)seconds * 10000000;
}

/* The ticket's end, or before that the time at which the domain wants its user gone (MS-PAC 2.5, KickOffTime). */
static int64_t expiry_of(const struct kerberos_exchange *exchange)
{
    const int64_t end = filetime_of(exchange->endtime);
    return exchange->kick_off < end ? exchange->kick_off : end;
}

static void fill_seed(const struct kerberos_exchange *exchange, const struct cs_leg *leg,
                      struct kerberos_session_seed *seed)
{
    const krb5_keyblock *key = key_in_force(exchange);
    *seed = (struct kerberos_session_seed){.initiator = exchange->initiator,
                                           .granted = leg->granted,
                                           .etype = key->keytype,
                                           .key_size = (uint32_t)key->keyvalue.length,
                                           .acceptor_subkey = key == &exchange->acceptor_subkey,
                                           .send_sequence = exchange->own_sequence,
                                           .receive_sequence = exchange->peer_sequence,
                                           .expiry = expiry_of(exchange)};
    memcpy(seed->key, key->keyvalue.data, key->keyvalue.length);
}

/* What the session answers queries with besides what its protecting half needs. */
static void attach(struct kerberos_exchange *exchange, struct cs_session *session)
{
    session->native_client = exchange->client;
    session->native_server = exchange->server;
    exchange->client = exchange->server = (struct cs_span){NULL, 0};
    session->logon = exchange->logon;
    exchange->logon = NULL;
    if (!session->initiator) session->onward = kerberos_onward_credential(exchange);
}

SECURITY_STATUS kerberos_complete(struct kerberos_exchange *exchange, struct cs_leg *leg, struct cs_session **session)
{
    struct kerberos_session_seed seed;
    fill_seed(exchange, leg, &seed);
    seed.names = exchange->names;
    exchange->names = (struct cs_span){NULL, 0};
    leg->expiry = seed.expiry;
    if (cs_span_copy(&seed.target, exchange->target))
        *session = kerberos_session_create(&seed);
    else
        cs_span_drop(&seed.names);
    cs_wipe(&seed, sizeof seed);
    if (*session) attach(exchange, *session);
    return *session ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}
