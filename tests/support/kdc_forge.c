/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AS-REPs are encrypted with the user's key, TGS-REPs with the subkey that the request's authenticator holds.
 */
#include "kdc_forge.h"

#include <errno.h>
#include <krb5_err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void require(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "tests/support/kdc_forge: %s\n", what);
    abort();
}

static bool is_as(const struct kdc_message *message)
{
    return message->reply.data[0] == KDC_AS_REP;
}

static krb5_data decrypt(krb5_context krb5, const krb5_keyblock *key, unsigned usage, const EncryptedData *cipher)
{
    krb5_crypto crypto = NULL;
    krb5_data plain;
    require(!krb5_crypto_init(krb5, key, KRB5_ENCTYPE_NULL, &crypto), "key");
    require(!krb5_decrypt_EncryptedData(krb5, crypto, usage, cipher, &plain), "it is for another key");
    krb5_crypto_destroy(krb5, crypto);
    return plain;
}

static krb5_keyblock user_key(const struct kdc_forge *forge, krb5_enctype etype)
{
    krb5_principal user;
    krb5_keyblock key;
    require(!krb5_make_principal(forge->krb5, &user, "EXAMPLE.TEST", forge->user, NULL), "user");
    require(!krb5_string_to_key(forge->krb5, etype, forge->password, user, &key), "password");
    krb5_free_principal(forge->krb5, user);
    return key;
}

/* The AP-REQ in the first of a TGS-REQ's preauthentication data (RFC 4120 5.2.7.1). */
static krb5_keyblock request_subkey(const struct kdc_forge *forge, struct cs_span request)
{
    TGS_REQ tgs;
    AP_REQ ap;
    Authenticator authenticator;
    krb5_keyblock key;
    size_t size;
    require(!decode_TGS_REQ(request.data, request.size, &tgs, &size) && tgs.padata && tgs.padata->len, "TGS-REQ");
    require(tgs.padata->val[0].padata_type == KRB5_PADATA_TGS_REQ, "PA-TGS-REQ");
    const krb5_data *value = &tgs.padata->val[0].padata_value;
    require(!decode_AP_REQ(value->data, value->length, &ap, &size), "AP-REQ");
    krb5_data plain = decrypt(forge->krb5, &forge->session, KRB5_KU_TGS_REQ_AUTH, &ap.authenticator);
    require(!decode_Authenticator(plain.data, plain.length, &authenticator, &size) && authenticator.subkey, "subkey");
    require(!krb5_copy_keyblock_contents(forge->krb5, authenticator.subkey, &key), "memory");
    krb5_data_free(&plain);
    free_Authenticator(&authenticator);
    free_AP_REQ(&ap);
    free_TGS_REQ(&tgs);
    return key;
}

static unsigned usage_of(const struct kdc_message *message)
{
    return is_as(message) ? KRB5_KU_AS_REP_ENC_PART : KRB5_KU_TGS_REP_ENC_PART_SUB_KEY;
}

static void open_reply(const struct kdc_forge *forge, const struct kdc_message *message, struct kdc_reply *reply)
{
    const struct cs_span bytes = message->reply;
    size_t size;
    if (is_as(message))
        require(!decode_AS_REP(bytes.data, bytes.size, &reply->clear, &size), "AS-REP");
    else
        require(!decode_TGS_REP(bytes.data, bytes.size, &reply->clear, &size), "TGS-REP");
    reply->key =
        is_as(message) ? user_key(forge, reply->clear.enc_part.etype) : request_subkey(forge, message->request);
    krb5_data plain = decrypt(forge->krb5, &reply->key, usage_of(message), &reply->clear.enc_part);
    require(!decode_EncASRepPart(plain.data, plain.length, &reply->part, &size) ||
                !decode_EncTGSRepPart(plain.data, plain.length, &reply->part, &size),
            "encrypted part");
    krb5_data_free(&plain);
}

static void close_reply(const struct kdc_forge *forge, const struct kdc_message *message, struct kdc_reply *reply,
                        struct cs_writer *output)
{
    krb5_data plain, whole;
    krb5_crypto crypto = NULL;
    size_t size;
    int code;
    ASN1_MALLOC_ENCODE(EncTGSRepPart, plain.data, plain.length, &reply->part, &size, code);
    require(!code && !krb5_crypto_init(forge->krb5, &reply->key, KRB5_ENCTYPE_NULL, &crypto), "encrypted part");
    free_EncryptedData(&reply->clear.enc_part);
    require(!krb5_encrypt_EncryptedData(forge->krb5, crypto, usage_of(message), plain.data, plain.length, 0,
                                        &reply->clear.enc_part),
            "encryption");
    krb5_crypto_destroy(forge->krb5, crypto);
    krb5_data_free(&plain);
    if (is_as(message))
        ASN1_MALLOC_ENCODE(AS_REP, whole.data, whole.length, &reply->clear, &size, code);
    else
        ASN1_MALLOC_ENCODE(TGS_REP, whole.data, whole.length, &reply->clear, &size, code);
    require(!code, "reply");
    cs_write_span(output, (struct cs_span){whole.data, whole.length});
    krb5_data_free(&whole);
}

void kdc_forge_drop(struct kdc_forge *forge)
{
    krb5_free_keyblock_contents(forge->krb5, &forge->session);
}

void kdc_forge_reply(struct kdc_forge *forge, const struct kdc_message *message, void (*change)(struct kdc_reply *),
                     struct cs_writer *output)
{
    struct kdc_reply reply;
    open_reply(forge, message, &reply);
    if (is_as(message)) {
        krb5_free_keyblock_contents(forge->krb5, &forge->session);
        require(!krb5_copy_keyblock_contents(forge->krb5, &reply.part.key, &forge->session), "memory");
    }
    if (change) change(&reply);
    close_reply(forge, message, &reply, output);
    free_KDC_REP(&reply.clear);
    free_EncKDCRepPart(&reply.part);
    krb5_free_keyblock_contents(forge->krb5, &reply.key);
}

void kdc_forge_error(const struct kdc_error *error, struct cs_writer *output)
{
    Realm own = (char *)(uintptr_t) "EXAMPLE.TEST", client = (char *)(uintptr_t)error->realm;
    krb5_data data = {error->e_data.size, (void *)(uintptr_t)error->e_data.data}, message;
    KRB_ERROR whole = {.pvno = 5, .msg_type = krb_error, .realm = own};
    size_t size;
    int code;
    whole.stime = error->time ? error->time : time(NULL);
    whole.error_code = error->code - KRB5KDC_ERR_NONE;
    if (error->realm) whole.crealm = &client;
    if (data.length) whole.e_data = &data;
    ASN1_MALLOC_ENCODE(KRB_ERROR, message.data, message.length, &whole, &size, code);
    require(!code, "KRB-ERROR");
    cs_write_span(output, (struct cs_span){message.data, message.length});
    krb5_data_free(&message);
}
