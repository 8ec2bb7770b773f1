/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys that a server's password gives. The salt is the KDC's to say: it comes with the demand for
 * preauthentication (RFC 4120 5.2.7.5), which is answered to anyone who asks for a ticket, and with nothing more.
 */
#include "kerberos_keys.h"

#include <errno.h>
#include <krb5_err.h>
#include <string.h>

static const krb5_enctype derived[] = {
    KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96,    KRB5_ENCTYPE_AES128_CTS_HMAC_SHA1_96,
    KRB5_ENCTYPE_AES256_CTS_HMAC_SHA384_192, KRB5_ENCTYPE_AES128_CTS_HMAC_SHA256_128,
    KRB5_ENCTYPE_ARCFOUR_HMAC_MD5,
};

/* The KDC's demand for preauthentication. The caller frees *error if 0. */
static krb5_error_code ask_for_demand(krb5_context context, krb5_principal principal, KRB_ERROR *error)
{
    krb5_init_creds_context exchange = NULL;
    krb5_error_code code = krb5_init_creds_init(context, principal, NULL, NULL, 0, NULL, &exchange);
    if (code) return code;
    krb5_init_creds_get(context, exchange); /* must fail: it has no password */
    code = krb5_init_creds_get_error(context, exchange, error);
    krb5_init_creds_free(context, exchange);
    return code;
}

static bool read_info(const PA_DATA *data, ETYPE_INFO2 *info)
{
    size_t used;
    return data->padata_type == KRB5_PADATA_ETYPE_INFO2 &&
           !decode_ETYPE_INFO2(data->padata_value.data, data->padata_value.length, info, &used);
}

/* The caller frees *info, which stays empty if the KDC says nothing. */
static void ask_for_salts(krb5_context context, krb5_principal principal, ETYPE_INFO2 *info)
{
    KRB_ERROR error;
    METHOD_DATA methods = {0, NULL};
    size_t used;
    bool found = false;
    if (ask_for_demand(context, principal, &error)) return;
    if (error.e_data && !decode_METHOD_DATA(error.e_data->data, error.e_data->length, &methods, &used))
        for (unsigned i = 0; i < methods.len && !found; i++) found = read_info(&methods.val[i], info);
    free_METHOD_DATA(&methods);
    free_KRB_ERROR(&error);
}

/* The entry of ETYPE, else any with a salt: a KDC lists the types of the request alone, and salts them alike. */
static const ETYPE_INFO2_ENTRY *entry_for(const ETYPE_INFO2 *info, krb5_enctype etype)
{
    const ETYPE_INFO2_ENTRY *other = NULL;
    for (unsigned i = 0; i < info->len; i++) {
        if (info->val[i].etype == (ENCTYPE)etype) return &info->val[i];
        if (info->val[i].salt) other = &info->val[i];
    }
    return other;
}

/* The iterations that the KDC names, unless they would keep this thread for minutes: nobody vouches for them. */
static krb5_data parameters_of(const ETYPE_INFO2_ENTRY *entry, krb5_enctype etype)
{
    const krb5_data none = {0, NULL};
    if (!entry || entry->etype != (ENCTYPE)etype || !entry->s2kparams) return none;
    const struct cs_span text = {entry->s2kparams->data, entry->s2kparams->length};
    struct cs_reader reader = cs_reader_of(text);
    uint32_t iterations = 0;
    for (int i = 0; i < 4; i++) iterations = iterations << 8 | cs_read_u8(&reader);
    return !reader.failed && !reader.remaining && iterations && iterations <= 1000000 ? *entry->s2kparams : none;
}

static krb5_error_code derive(krb5_context context, const struct kerberos_account *account, krb5_enctype etype,
                              const ETYPE_INFO2_ENTRY *entry, krb5_keyblock *key)
{
    krb5_salt salt;
    const krb5_data parameters = parameters_of(entry, etype);
    if (entry && entry->salt) {
        salt = (krb5_salt){KRB5_PW_SALT, {strlen(*entry->salt), *entry->salt}};
        return krb5_string_to_key_salt_opaque(context, etype, account->password, salt, parameters, key);
    }
    krb5_error_code code = krb5_get_pw_salt(context, account->principal, &salt);
    if (code) return code;
    code = krb5_string_to_key_salt_opaque(context, etype, account->password, salt, parameters, key);
    krb5_free_salt(context, salt);
    return code;
}

krb5_error_code kerberos_derive_keys(krb5_context context, const struct kerberos_account *account,
                                     struct kerberos_key_set *set)
{
    ETYPE_INFO2 info = {0, NULL};
    krb5_error_code code = 0;
    ask_for_salts(context, account->principal, &info);
    for (size_t i = 0; i < sizeof derived / sizeof *derived && !code; i++) {
        krb5_keyblock key = {.keytype = KRB5_ENCTYPE_NULL};
        if (!kerberos_allows(context, derived[i])) continue;
        code = derive(context, account, derived[i], entry_for(&info, derived[i]), &key);
        if (!code) code = kerberos_key_set_add(context, set, account->principal, 0, &key);
        krb5_free_keyblock_contents(context, &key);
    }
    free_ETYPE_INFO2(&info);
    return code;
}
