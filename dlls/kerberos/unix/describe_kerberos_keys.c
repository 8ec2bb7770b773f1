/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys for descriptions. Whose they are does not matter: a part that one of them opens is shown, and the session keys
 * inside open what comes next (an AP-REP after its AP-REQ).
 */
#include "describe_kerberos.h"
#include "kerberos.h"
#include "secure.h"

#include <errno.h>
#include <krb5_err.h>
#include <libintl.h>
#include <stdlib.h>
#include <string.h>

#define _(text) dgettext("countersign", text)

enum { NOTED = 8 };

struct cs_describe_keys {
    krb5_context context;
    krb5_keyblock *keytab;
    size_t count;
    krb5_keyblock noted[NOTED]; /* a ring; no bytes: none yet */
    size_t next;
};

krb5_context kerberos_keys_context(const struct cs_describe_keys *keys)
{
    return keys->context;
}

/* Reading */

static krb5_error_code add_key(struct cs_describe_keys *keys, const krb5_keyblock *key)
{
    krb5_keyblock *grown = realloc(keys->keytab, (keys->count + 1) * sizeof *grown);
    if (!grown) return ENOMEM;
    keys->keytab = grown;
    grown[keys->count] = (krb5_keyblock){.keytype = KRB5_ENCTYPE_NULL};
    if (!kerberos_copy_key(&grown[keys->count], key)) return ENOMEM;
    keys->count++;
    return 0;
}

static krb5_error_code read_entries(struct cs_describe_keys *keys, krb5_keytab keytab)
{
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    krb5_error_code code = krb5_kt_start_seq_get(keys->context, keytab, &cursor);
    if (code) return code;
    while (!code && !(code = krb5_kt_next_entry(keys->context, keytab, &entry, &cursor))) {
        code = add_key(keys, &entry.keyblock);
        krb5_kt_free_entry(keys->context, &entry);
    }
    krb5_kt_end_seq_get(keys->context, keytab, &cursor);
    if (code == KRB5_KT_END) code = keys->count ? 0 : KRB5_KT_NOTFOUND;
    return code;
}

static krb5_error_code read_keytab(struct cs_describe_keys *keys, const char *name)
{
    const struct kerberos_places places = {0};
    krb5_keytab keytab;
    krb5_error_code code = kerberos_open(&places, &keys->context);
    if (!code) code = krb5_kt_resolve(keys->context, name, &keytab);
    if (code) return code;
    code = read_entries(keys, keytab);
    krb5_kt_close(keys->context, keytab);
    return code;
}

static char *words_of(krb5_context context, krb5_error_code code)
{
    const char *words = krb5_get_error_message(context, code);
    char *copy = words ? strdup(words) : NULL;
    krb5_free_error_message(context, words);
    return copy;
}

struct cs_describe_keys *cs_describe_keys_read(const char *name, char **problem)
{
    struct cs_describe_keys *keys = calloc(1, sizeof *keys);
    *problem = NULL;
    if (!keys) return NULL;
    const krb5_error_code code = read_keytab(keys, name);
    if (!code) return keys;
    *problem = words_of(keys->context, code);
    cs_describe_keys_drop(keys);
    return NULL;
}

void cs_describe_keys_drop(struct cs_describe_keys *keys)
{
    if (!keys) return;
    for (size_t i = 0; i < keys->count; i++) kerberos_drop_key(&keys->keytab[i]);
    for (size_t i = 0; i < NOTED; i++) kerberos_drop_key(&keys->noted[i]);
    if (keys->context) krb5_free_context(keys->context);
    free(keys->keytab);
    free(keys);
}

/* Opening */

static bool try_key(krb5_context context, const krb5_keyblock *key, const EncryptedData *data, unsigned usage,
                    krb5_data *plain)
{
    krb5_crypto crypto = NULL;
    if (!key->keyvalue.length || (ENCTYPE)key->keytype != data->etype) return false;
    krb5_error_code code = krb5_crypto_init(context, key, KRB5_ENCTYPE_NULL, &crypto);
    if (!code) code = krb5_decrypt_EncryptedData(context, crypto, usage, data, plain);
    if (crypto) krb5_crypto_destroy(context, crypto);
    return !code;
}

static bool try_keys(krb5_context context, const krb5_keyblock *keys, size_t count, const EncryptedData *data,
                     unsigned usage, struct kerberos_opened *opened)
{
    for (size_t i = 0; i < count; i++) {
        if (!try_key(context, &keys[i], data, usage, &opened->plain)) continue;
        opened->key = &keys[i];
        return true;
    }
    return false;
}

static bool try_usage(const struct cs_describe_keys *keys, const EncryptedData *data, unsigned usage,
                      struct kerberos_opened *opened)
{
    return try_keys(keys->context, keys->noted, NOTED, data, usage, opened) ||
           try_keys(keys->context, keys->keytab, keys->count, data, usage, opened);
}

struct kerberos_opened kerberos_open_data(struct cs_description *description, const EncryptedData *data, unsigned usage,
                                          unsigned other_usage)
{
    struct kerberos_opened opened = {.plain = {0, NULL}};
    const struct cs_describe_keys *keys = description->keys;
    if (!keys) return opened;
    bool opens = try_usage(keys, data, usage, &opened);
    if (!opens && other_usage != usage) opens = try_usage(keys, data, other_usage, &opened);
    if (!opens) {
        opened = (struct kerberos_opened){.plain = {0, NULL}};
        cs_describe_line(description, _("Encrypted"), "%s", _("no key opens it"));
    }
    return opened;
}

void kerberos_opened_drop(struct kerberos_opened *opened)
{
    cs_wipe_free(opened->plain.data, opened->plain.length);
    *opened = (struct kerberos_opened){.plain = {0, NULL}};
}

void kerberos_note_key(struct cs_describe_keys *keys, const EncryptionKey *key)
{
    if (!key->keyvalue.length) return;
    if (kerberos_copy_key(&keys->noted[keys->next], key)) keys->next = (keys->next + 1) % NOTED;
}
