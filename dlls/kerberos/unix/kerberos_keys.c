/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server's keys: the keytab's, read again when the file changes, or those that a password gives. What was read
 * stays as it is for whoever holds it.
 */
#include "kerberos_keys.h"
#include "secure.h"

#include <errno.h>
#include <krb5_err.h>
#include <stdlib.h>
#include <string.h>

bool kerberos_server_init(struct kerberos_server *server, struct kerberos_contexts *contexts)
{
    *server = (struct kerberos_server){.contexts = contexts, .is_default = true};
    return cs_lock_init(&server->lock);
}

void kerberos_server_drop(krb5_context context, struct kerberos_server *server)
{
    kerberos_key_set_release(context, server->set);
    kerberos_logon_release(context, server->logon);
    kerberos_account_drop(context, &server->account);
    pthread_mutex_destroy(&server->lock);
}

void kerberos_key_set_release(krb5_context context, struct kerberos_key_set *set)
{
    if (!set || __atomic_sub_fetch(&set->references, 1, __ATOMIC_ACQ_REL)) return;
    for (size_t i = 0; i < set->count; i++) {
        krb5_free_principal(context, set->keys[i].principal);
        kerberos_drop_key(&set->keys[i].key);
    }
    free(set->keys);
    free(set);
}

krb5_error_code kerberos_key_set_add(krb5_context context, struct kerberos_key_set *set, krb5_const_principal principal,
                                     krb5_kvno kvno, const krb5_keyblock *key)
{
    if (!kerberos_allows(context, key->keytype)) return 0;
    struct kerberos_key *keys = realloc(set->keys, (set->count + 1) * sizeof *keys);
    if (!keys) return ENOMEM;
    set->keys = keys;
    struct kerberos_key *added = &keys[set->count];
    *added = (struct kerberos_key){.kvno = kvno};
    krb5_error_code code = krb5_copy_principal(context, principal, &added->principal);
    if (!code && !kerberos_copy_key(&added->key, key)) {
        krb5_free_principal(context, added->principal);
        code = ENOMEM;
    }
    if (!code) set->count++;
    return code;
}

krb5_error_code kerberos_open_keytab(krb5_context context, const struct kerberos_server *server, krb5_keytab *keytab)
{
    const char *place = server->contexts->places.keytab;
    return place ? krb5_kt_resolve(context, place, keytab) : krb5_kt_default(context, keytab);
}

static krb5_error_code read_keytab(krb5_context context, krb5_keytab keytab, struct kerberos_key_set *set)
{
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    krb5_error_code code = krb5_kt_start_seq_get(context, keytab, &cursor);
    if (code) return code;
    while (!code && !(code = krb5_kt_next_entry(context, keytab, &entry, &cursor))) {
        code = kerberos_key_set_add(context, set, entry.principal, (krb5_kvno)entry.vno, &entry.keyblock);
        krb5_kt_free_entry(context, &entry);
    }
    krb5_kt_end_seq_get(context, keytab, &cursor);
    return code == KRB5_KT_END ? 0 : code;
}

/* False for keytabs that are no file, which are read each time. */
static bool stamp_of(krb5_context context, krb5_keytab keytab, struct kerberos_stamp *stamp)
{
    char *name = NULL;
    const bool is_file = !krb5_kt_get_full_name(context, keytab, &name) && kerberos_stamp(name, stamp);
    krb5_xfree(name);
    return is_file;
}

static struct kerberos_key_set *kept_keys(struct kerberos_server *server, const struct kerberos_stamp *stamp)
{
    struct kerberos_key_set *set = NULL;
    cs_lock(&server->lock);
    if (server->set && kerberos_same_stamp(stamp, &server->file)) set = server->set;
    if (set) __atomic_add_fetch(&set->references, 1, __ATOMIC_RELAXED);
    cs_unlock(&server->lock);
    return set;
}

static void keep_keys(krb5_context context, struct kerberos_server *server, const struct kerberos_stamp *stamp,
                      struct kerberos_key_set *set)
{
    __atomic_add_fetch(&set->references, 1, __ATOMIC_RELAXED);
    cs_lock(&server->lock);
    struct kerberos_key_set *old = server->set;
    server->set = set;
    server->file = *stamp;
    cs_unlock(&server->lock);
    kerberos_key_set_release(context, old);
}

/* STAMP was taken before the keys are read: a change in between is seen the next time. */
static SECURITY_STATUS read_keys(struct kerberos_server *server, krb5_context context, krb5_keytab keytab,
                                 const struct kerberos_stamp *stamp, struct kerberos_key_set **set)
{
    struct kerberos_key_set *made = calloc(1, sizeof *made);
    if (!made) return SEC_E_INSUFFICIENT_MEMORY;
    made->references = 1;
    krb5_error_code code =
        server->is_default ? read_keytab(context, keytab, made) : kerberos_derive_keys(context, &server->account, made);
    made->made = kerberos_clock();
    if (!code && !made->count) code = KRB5_KT_NOTFOUND;
    if (code) {
        kerberos_key_set_release(context, made);
        return kerberos_status(code);
    }
    if (stamp) keep_keys(context, server, stamp, made);
    *set = made;
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_server_keys(struct kerberos_server *server, krb5_context context,
                                     struct kerberos_key_set **set)
{
    krb5_keytab keytab = NULL;
    struct kerberos_stamp stamp = {0};
    bool lasts = !server->is_default;
    *set = NULL;
    if (server->is_default) {
        krb5_error_code code = kerberos_open_keytab(context, server, &keytab);
        if (code) return kerberos_status(code);
        lasts = stamp_of(context, keytab, &stamp);
    }
    if (lasts) *set = kept_keys(server, &stamp);
    SECURITY_STATUS status = *set ? SEC_E_OK : read_keys(server, context, keytab, lasts ? &stamp : NULL, set);
    if (keytab) krb5_kt_close(context, keytab);
    return status;
}

bool kerberos_server_doubts(const struct kerberos_key_set *set, uint32_t backoff)
{
    return set->guessed && kerberos_clock() - set->made >= INT64_C(1000) * backoff;
}

SECURITY_STATUS kerberos_server_renew(struct kerberos_server *server, krb5_context context,
                                      struct kerberos_key_set **set)
{
    const struct kerberos_stamp stamp = {0};
    *set = NULL;
    return read_keys(server, context, NULL, &stamp, set);
}

/* What opening TICKET with one key says; the caller frees *part if 0. Heimdal checks its times and its path, too. */
static krb5_error_code try_key(krb5_context context, const struct kerberos_key *key, Ticket *ticket,
                               EncTicketPart *part)
{
    return krb5_decrypt_ticket(context, ticket, (krb5_keyblock *)(uintptr_t)&key->key, part, 0);
}

/* Whether a key failed, so that another may open the ticket; anything else is said by the ticket. */
static bool wrong_key(krb5_error_code code)
{
    return code == KRB5KRB_AP_ERR_BAD_INTEGRITY || code == KRB5KRB_AP_ERR_MODIFIED || code == KRB5_BAD_MSIZE;
}

static bool is_named(const struct kerberos_key *key, const Ticket *ticket)
{
    const Principal named = {.name = ticket->sname, .realm = ticket->realm};
    return krb5_principal_compare(NULL, key->principal, &named);
}

static bool has_version(const struct kerberos_key *key, const Ticket *ticket)
{
    /* Keytabs of old keep eight bits of it. */
    return !key->kvno || !ticket->enc_part.kvno || (uint8_t)key->kvno == (uint8_t)*ticket->enc_part.kvno;
}

bool kerberos_same_key(const krb5_keyblock *one, const krb5_keyblock *other)
{
    return one->keytype == other->keytype && one->keyvalue.length == other->keyvalue.length &&
           cs_same(one->keyvalue.data, other->keyvalue.data, one->keyvalue.length);
}

bool kerberos_key_vouches(const struct kerberos_key_set *set, const krb5_keyblock *key, const Ticket *ticket)
{
    for (size_t i = 0; i < set->count; i++)
        if (kerberos_same_key(&set->keys[i].key, key) && !is_named(&set->keys[i], ticket)) return false;
    return true;
}

krb5_error_code kerberos_open_ticket(krb5_context context, const struct kerberos_key_set *set, Ticket *ticket,
                                     EncTicketPart *part, const krb5_keyblock **key)
{
    krb5_error_code code = KRB5KRB_AP_ERR_NOKEY;
    bool named = false, versioned = false;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < set->count; i++) {
            const struct kerberos_key *candidate = &set->keys[i];
            const bool own = is_named(candidate, ticket), right = has_version(candidate, ticket);
            named |= own;
            versioned |= own && right;
            if ((ENCTYPE)candidate->key.keytype != ticket->enc_part.etype || (own && right) != (round == 0)) continue;
            code = try_key(context, candidate, ticket, part);
            *key = &candidate->key;
            if (!wrong_key(code)) return code;
        }
    }
    if (code == KRB5KRB_AP_ERR_NOKEY) return code;
    return named && !versioned ? KRB5KRB_AP_ERR_BADKEYVER : KRB5KRB_AP_ERR_MODIFIED;
}
