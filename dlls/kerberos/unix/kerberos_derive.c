/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys that a server's password gives. The salt is the KDC's to say: it comes with the demand for
 * preauthentication (RFC 4120 5.2.7.5), which is answered to anyone who asks for a ticket, and with nothing more.
 */
#include "kerberos_keys.h"
#include "secure.h"

#include <errno.h>
#include <krb5_err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY = 24 * 60 * 60 };

static const krb5_enctype derived[] = {
    KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96,    KRB5_ENCTYPE_AES128_CTS_HMAC_SHA1_96,
    KRB5_ENCTYPE_AES256_CTS_HMAC_SHA384_192, KRB5_ENCTYPE_AES128_CTS_HMAC_SHA256_128,
    KRB5_ENCTYPE_ARCFOUR_HMAC_MD5,
};

static krb5_error_code encode_request(krb5_context context, krb5_const_principal client, krb5_const_principal service,
                                      krb5_data *request)
{
    krb5_principal_data from = *client, to = *service; /* everything in them is borrowed */
    krb5_enctype etypes[sizeof derived / sizeof *derived];
    AS_REQ whole = {.pvno = 5, .msg_type = krb_as_req};
    KDC_REQ_BODY *body = &whole.req_body;
    KerberosTime till = time(NULL) + DAY;
    size_t size;
    krb5_error_code code;
    body->cname = &from.name;
    body->realm = from.realm;
    body->sname = &to.name;
    body->till = &till;
    body->etype.val = etypes;
    for (size_t i = 0; i < sizeof derived / sizeof *derived; i++)
        if (kerberos_allows(context, derived[i])) etypes[body->etype.len++] = derived[i];
    if (!cs_random(&body->nonce, sizeof body->nonce)) return KRB5_CRYPTO_INTERNAL;
    body->nonce &= INT32_MAX;
    ASN1_MALLOC_ENCODE(AS_REQ, request->data, request->length, &whole, &size, code);
    return code;
}

/* What the KDC says to a request without preauthentication. The caller frees *reply. */
static krb5_error_code ask_without(krb5_context context, krb5_const_principal client, krb5_data *reply)
{
    const char *realm = krb5_principal_get_realm(context, client);
    krb5_principal service = NULL;
    krb5_data request = {0, NULL};
    krb5_error_code code = krb5_make_principal(context, &service, realm, KRB5_TGS_NAME, realm, NULL);
    if (!code) code = encode_request(context, client, service, &request);
    if (!code) code = krb5_sendto_context(context, NULL, &request, realm, reply);
    if (service) krb5_free_principal(context, service);
    krb5_data_free(&request);
    return code;
}

static bool read_info(const PA_DATA *data, ETYPE_INFO2 *info)
{
    size_t used;
    return data->padata_type == KRB5_PADATA_ETYPE_INFO2 &&
           !decode_ETYPE_INFO2(data->padata_value.data, data->padata_value.length, info, &used);
}

static void read_demand(const KRB_ERROR *error, ETYPE_INFO2 *info)
{
    METHOD_DATA methods = {0, NULL};
    size_t used;
    bool found = false;
    if (!error->e_data || decode_METHOD_DATA(error->e_data->data, error->e_data->length, &methods, &used)) return;
    for (unsigned i = 0; i < methods.len && !found; i++) found = read_info(&methods.val[i], info);
    free_METHOD_DATA(&methods);
}

/* The caller frees *info, which stays empty if the KDC names none. False: it has not answered. */
static bool ask_for_salts(krb5_context context, krb5_principal principal, ETYPE_INFO2 *info)
{
    krb5_data reply = {0, NULL};
    KRB_ERROR error;
    size_t used;
    const bool answered = !ask_without(context, principal, &reply);
    if (answered && !decode_KRB_ERROR(reply.data, reply.length, &error, &used)) {
        read_demand(&error, info);
        free_KRB_ERROR(&error);
    }
    krb5_data_free(&reply);
    return answered;
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

static krb5_data parameters_of(const ETYPE_INFO2_ENTRY *entry, krb5_enctype etype)
{
    const krb5_data none = {0, NULL};
    if (!entry || entry->etype != (ENCTYPE)etype || !entry->s2kparams) return none;
    return kerberos_is_bearable(entry->s2kparams) ? *entry->s2kparams : none;
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
    set->guessed = !ask_for_salts(context, account->principal, &info);
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
