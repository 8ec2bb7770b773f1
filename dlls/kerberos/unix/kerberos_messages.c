/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The messages of the AP exchange: RFC 4120 5.5 and 5.9, by Heimdal's ASN.1 library. AES is our own, RC4 Heimdal's.
 */
#include "kerberos.h"
#include "kerberos_authdata.h"
#include "kerberos_cipher.h"
#include "secure.h"

#include <errno.h>
#include <krb5_err.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool kerberos_copy_key(krb5_keyblock *key, const krb5_keyblock *from)
{
    kerberos_drop_key(key);
    key->keytype = from->keytype;
    key->keyvalue.data = malloc(from->keyvalue.length);
    if (!key->keyvalue.data) return false;
    memcpy(key->keyvalue.data, from->keyvalue.data, from->keyvalue.length);
    key->keyvalue.length = from->keyvalue.length;
    return true;
}

void kerberos_drop_key(krb5_keyblock *key)
{
    cs_wipe_free(key->keyvalue.data, key->keyvalue.length);
    *key = (krb5_keyblock){.keytype = KRB5_ENCTYPE_NULL};
}

/* An encoded message that is a secret before it is encrypted. */
static void drop_plain(krb5_data *plain)
{
    cs_wipe_free(plain->data, plain->length);
    *plain = (krb5_data){0, NULL};
}

static bool make_room(krb5_data *data, size_t size)
{
    data->data = malloc(size);
    data->length = data->data ? size : 0;
    return data->data != NULL;
}

/* The AES type of KEY, if it is one, with a key of its size. */
static const struct kerberos_etype *aes_of(const krb5_keyblock *key)
{
    const struct kerberos_etype *etype = kerberos_etype(key->keytype);
    return etype && key->keyvalue.length == etype->key_size ? etype : NULL;
}

static krb5_error_code encrypt_aes(const struct kerberos_etype *etype, const krb5_keyblock *key, unsigned usage,
                                   const krb5_data *plain, krb5_data *cipher)
{
    const struct cs_span text = {plain->data, plain->length};
    if (!make_room(cipher, plain->length + kerberos_cipher_excess(etype))) return ENOMEM;
    if (kerberos_cipher_encrypt(etype, key->keyvalue.data, usage, text, cipher->data)) return 0;
    krb5_data_free(cipher);
    return KRB5_CRYPTO_INTERNAL;
}

static krb5_error_code encrypt_other(krb5_context context, const krb5_keyblock *key, unsigned usage,
                                     const krb5_data *plain, krb5_data *cipher)
{
    krb5_crypto crypto = NULL;
    krb5_error_code code = krb5_crypto_init(context, key, KRB5_ENCTYPE_NULL, &crypto);
    if (!code) code = krb5_encrypt(context, crypto, usage, plain->data, plain->length, cipher);
    if (crypto) krb5_crypto_destroy(context, crypto);
    return code;
}

/* Encrypts PLAIN, which is dropped, under KEY. The caller frees *cipher. */
static krb5_error_code encrypt(krb5_context context, const krb5_keyblock *key, unsigned usage, krb5_data *plain,
                               krb5_data *cipher)
{
    const struct kerberos_etype *etype = aes_of(key);
    const krb5_error_code code =
        etype ? encrypt_aes(etype, key, usage, plain, cipher) : encrypt_other(context, key, usage, plain, cipher);
    drop_plain(plain);
    return code;
}

static krb5_error_code decrypt_aes(const struct kerberos_etype *etype, const krb5_keyblock *key, unsigned usage,
                                   const EncryptedData *cipher, krb5_data *plain)
{
    const struct cs_span bytes = {cipher->cipher.data, cipher->cipher.length};
    if (bytes.size < kerberos_cipher_excess(etype)) return KRB5_BAD_MSIZE;
    if (!make_room(plain, bytes.size - kerberos_cipher_excess(etype))) return ENOMEM;
    if (kerberos_cipher_decrypt(etype, key->keyvalue.data, usage, bytes, plain->data)) return 0;
    krb5_data_free(plain);
    return KRB5KRB_AP_ERR_BAD_INTEGRITY;
}

static krb5_error_code decrypt_other(krb5_context context, const krb5_keyblock *key, unsigned usage,
                                     const EncryptedData *cipher, krb5_data *plain)
{
    krb5_crypto crypto = NULL;
    krb5_error_code code = krb5_crypto_init(context, key, KRB5_ENCTYPE_NULL, &crypto);
    if (!code) code = krb5_decrypt_EncryptedData(context, crypto, usage, cipher, plain);
    if (crypto) krb5_crypto_destroy(context, crypto);
    return code;
}

static krb5_error_code decrypt(krb5_context context, const krb5_keyblock *key, unsigned usage,
                               const EncryptedData *cipher, krb5_data *plain)
{
    const struct kerberos_etype *etype = aes_of(key);
    if (cipher->etype != (ENCTYPE)key->keytype) return KRB5KRB_AP_ERR_BAD_INTEGRITY;
    return etype ? decrypt_aes(etype, key, usage, cipher, plain) : decrypt_other(context, key, usage, cipher, plain);
}

/* The target goes where the bindings go: policy suppresses both. */
static krb5_error_code add_authdata(const struct kerberos_exchange *exchange, AuthorizationData *data)
{
    return exchange->credential->suppress_bindings ? 0 : kerberos_authdata_write(exchange->target, data);
}

/* The authenticator, whose parts are borrowed from EXCHANGE. */
static krb5_error_code encode_authenticator(const struct kerberos_exchange *exchange, struct cs_span checksum,
                                            krb5_data *plain)
{
    const krb5_creds *creds = exchange->ticket->creds;
    krb5uint32 sequence = exchange->own_sequence;
    EncryptionKey subkey = exchange->subkey;
    Checksum sum = {.cksumtype = (CKSUMTYPE)KERBEROS_CHECKSUM_TYPE,
                    .checksum = {checksum.size, (void *)(uintptr_t)checksum.data}};
    Authenticator authenticator = {.authenticator_vno = 5,
                                   .crealm = creds->client->realm,
                                   .cname = creds->client->name,
                                   .cksum = &sum,
                                   .cusec = exchange->cusec,
                                   .ctime = exchange->ctime,
                                   .subkey = &subkey,
                                   .seq_number = &sequence};
    AuthorizationData data = {0, NULL};
    size_t length = 0;
    int code = add_authdata(exchange, &data);
    if (data.len) authenticator.authorization_data = &data;
    if (!code) ASN1_MALLOC_ENCODE(Authenticator, plain->data, plain->length, &authenticator, &length, code);
    free_AuthorizationData(&data);
    return code;
}

krb5_error_code kerberos_write_request(krb5_context context, const struct kerberos_exchange *exchange,
                                       struct cs_span checksum, struct cs_writer *output)
{
    krb5_creds *creds = exchange->ticket->creds;
    krb5_data plain = {0, NULL}, cipher = {0, NULL}, request = {0, NULL};
    const krb5_flags options = (exchange->flags & KERBEROS_MUTUAL ? AP_OPTS_MUTUAL_REQUIRED : 0) |
                               (exchange->user_to_user ? AP_OPTS_USE_SESSION_KEY : 0);
    krb5_error_code code = encode_authenticator(exchange, checksum, &plain);
    if (!code) code = encrypt(context, &creds->session, KRB5_KU_AP_REQ_AUTH, &plain, &cipher);
    /* which takes the ciphertext over */
    if (!code) code = krb5_build_ap_req(context, creds->session.keytype, creds, options, cipher, &request);
    if (!code) cs_write_span(output, (struct cs_span){request.data, request.length});
    krb5_data_free(&request);
    return code;
}

static krb5_error_code encode_reply_part(const struct kerberos_exchange *exchange, uint32_t sequence,
                                         const krb5_keyblock *subkey, krb5_data *plain)
{
    EncryptionKey key = {.keytype = 0};
    krb5uint32 number = sequence;
    EncAPRepPart part = {.ctime = exchange->ctime, .cusec = exchange->cusec, .seq_number = &number};
    size_t length = 0;
    int code;
    if (subkey) key = *subkey;
    if (subkey) part.subkey = &key;
    ASN1_MALLOC_ENCODE(EncAPRepPart, plain->data, plain->length, &part, &length, code);
    return code;
}

static krb5_error_code encode_reply(const krb5_keyblock *key, krb5_data *cipher, struct cs_writer *output)
{
    AP_REP reply = {.pvno = 5, .msg_type = krb_ap_rep};
    krb5_data message = {0, NULL};
    size_t length = 0;
    int code;
    reply.enc_part.etype = (ENCTYPE)key->keytype;
    reply.enc_part.cipher = *cipher;
    ASN1_MALLOC_ENCODE(AP_REP, message.data, message.length, &reply, &length, code);
    if (!code) cs_write_span(output, (struct cs_span){message.data, message.length});
    krb5_data_free(&message);
    return code;
}

krb5_error_code kerberos_write_reply(krb5_context context, const struct kerberos_exchange *exchange, uint32_t sequence,
                                     const krb5_keyblock *subkey, struct cs_writer *output)
{
    krb5_data plain = {0, NULL}, cipher = {0, NULL};
    krb5_error_code code = encode_reply_part(exchange, sequence, subkey, &plain);
    if (!code) code = encrypt(context, &exchange->session_key, KRB5_KU_AP_REQ_ENC_PART, &plain, &cipher);
    if (!code) code = encode_reply(&exchange->session_key, &cipher, output);
    krb5_data_free(&cipher);
    return code;
}

krb5_error_code kerberos_read_reply(krb5_context context, const struct kerberos_exchange *exchange,
                                    struct cs_span message, EncAPRepPart *part)
{
    AP_REP reply;
    krb5_data plain = {0, NULL};
    size_t used;
    if (decode_AP_REP(message.data, message.size, &reply, &used)) return KRB5KRB_AP_ERR_MSG_TYPE;
    krb5_error_code code = reply.pvno == 5 && reply.msg_type == krb_ap_rep ? 0 : KRB5KRB_AP_ERR_MSG_TYPE;
    if (!code) code = decrypt(context, &exchange->session_key, KRB5_KU_AP_REQ_ENC_PART, &reply.enc_part, &plain);
    if (!code) code = decode_EncAPRepPart(plain.data, plain.length, part, &used);
    drop_plain(&plain);
    free_AP_REP(&reply);
    return code;
}

krb5_error_code kerberos_read_authenticator(krb5_context context, const AP_REQ *request, const krb5_keyblock *key,
                                            Authenticator *authenticator)
{
    krb5_data plain = {0, NULL};
    size_t used;
    krb5_error_code code = decrypt(context, key, KRB5_KU_AP_REQ_AUTH, &request->authenticator, &plain);
    if (!code) code = decode_Authenticator(plain.data, plain.length, authenticator, &used);
    drop_plain(&plain);
    return code;
}

krb5_error_code kerberos_write_error(krb5_context context, krb5_error_code code, krb5_const_principal server,
                                     struct cs_span data, struct cs_writer *output)
{
    krb5_data message = {0, NULL};
    const krb5_data e_data = {data.size, (void *)(uintptr_t)data.data};
    krb5_error_code failed = krb5_mk_error(context, code, "", data.size ? &e_data : NULL, NULL,
                                           (krb5_principal)(uintptr_t)server, NULL, NULL, &message);
    if (!failed) cs_write_span(output, (struct cs_span){message.data, message.length});
    krb5_data_free(&message);
    return failed;
}

krb5_error_code kerberos_read_error(struct cs_span message, KerberosTime *peer_time, struct cs_writer *data)
{
    KRB_ERROR error;
    size_t used;
    if (decode_KRB_ERROR(message.data, message.size, &error, &used)) return KRB5KRB_AP_ERR_MSG_TYPE;
    /* Codes of the protocol are those of the error table, counted from its base (RFC 4120 7.5.9). */
    const bool known = error.error_code > 0 && error.error_code < 128;
    *peer_time = error.stime;
    if (error.e_data) cs_write_span(data, (struct cs_span){error.e_data->data, error.e_data->length});
    const krb5_error_code code = known ? KRB5KDC_ERR_NONE + error.error_code : KRB5KRB_ERR_GENERIC;
    free_KRB_ERROR(&error);
    return code;
}
