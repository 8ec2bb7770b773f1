/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AP-REQs with tickets of our own making.
 */
#include "ticket_forge.h"

#include "kerberos_checksum.h"
#include "kerberos_token.h"
#include "pac_forge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void require(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "tests/support/ticket_forge: %s\n", what);
    abort();
}

struct ticket_forge ticket_forge_right(krb5_context krb5, const krb5_keyblock *key)
{
    const int64_t now = time(NULL);
    return (struct ticket_forge){.krb5 = krb5,
                                 .service_key = key,
                                 .kvno = 1,
                                 .realm = "EXAMPLE.TEST",
                                 .client = "user",
                                 .host = "server.example.test",
                                 .start = now - 60,
                                 .end = now + 3600,
                                 .made = now,
                                 .pvno = 5,
                                 .session_type = KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96,
                                 .subkey_size = 32};
}

/* The session key, the same for all: what matters is which type it has. */
static krb5_keyblock session_key(const struct ticket_forge *forge)
{
    return pac_key(forge->krb5, forge->session_type, 0x5E);
}

static void edit(const struct ticket_forge *forge, enum ticket_layer layer, krb5_data *plain)
{
    struct cs_writer encoding = {0};
    if (!forge->edit) return;
    cs_write_span(&encoding, (struct cs_span){plain->data, plain->length});
    forge->edit(forge->edit_data, layer, &encoding);
    krb5_data_free(plain);
    require(!krb5_data_copy(plain, encoding.data, encoding.size), "memory");
    cs_writer_drop(&encoding);
}

static void encrypt(const struct ticket_forge *forge, const krb5_keyblock *key, unsigned usage, krb5_data *plain,
                    EncryptedData *cipher)
{
    krb5_crypto crypto;
    require(!krb5_crypto_init(forge->krb5, key, KRB5_ENCTYPE_NULL, &crypto), "key");
    require(!krb5_encrypt_EncryptedData(forge->krb5, crypto, usage, plain->data, plain->length, 0, cipher), "cipher");
    krb5_crypto_destroy(forge->krb5, crypto);
    krb5_data_free(plain);
}

void ticket_forge_add(AuthorizationData *data, int type, struct cs_span bytes)
{
    const AuthorizationDataElement element = {.ad_type = type, .ad_data = {bytes.size, (void *)(uintptr_t)bytes.data}};
    require(!add_AuthorizationData(data, &element), "memory");
}

void ticket_forge_contain(AuthorizationData *data, AuthorizationData *inner)
{
    krb5_data encoded;
    size_t size;
    int code;
    ASN1_MALLOC_ENCODE(AuthorizationData, encoded.data, encoded.length, inner, &size, code);
    require(!code, "authorization data");
    ticket_forge_add(data, KRB5_AUTHDATA_IF_RELEVANT, (struct cs_span){encoded.data, encoded.length});
    krb5_data_free(&encoded);
    free_AuthorizationData(inner);
}

static void add_pac(const struct ticket_forge *forge, AuthorizationData *data)
{
    AuthorizationData inner = {0, NULL};
    ticket_forge_add(&inner, KRB5_AUTHDATA_WIN2K_PAC, forge->pac);
    ticket_forge_contain(data, &inner);
}

static void seal_ticket(const struct ticket_forge *forge, const krb5_principal client, EncryptedData *cipher)
{
    krb5_keyblock key = session_key(forge);
    KerberosTime start = forge->start;
    AuthorizationData data = {0, NULL};
    EncTicketPart part = {.key = key,
                          .crealm = client->realm,
                          .cname = client->name,
                          .authtime = forge->start,
                          .starttime = &start,
                          .endtime = forge->end};
    krb5_data plain;
    size_t size;
    int code;
    part.flags.invalid = forge->invalid;
    part.transited.tr_type = DOMAIN_X500_COMPRESS;
    if (forge->pac.size) add_pac(forge, &data);
    if (data.len) part.authorization_data = &data;
    ASN1_MALLOC_ENCODE(EncTicketPart, plain.data, plain.length, &part, &size, code);
    require(!code, "ticket");
    edit(forge, TICKET_PART, &plain);
    encrypt(forge, forge->service_key, KRB5_KU_TICKET, &plain, cipher);
    free_AuthorizationData(&data);
    krb5_free_keyblock_contents(forge->krb5, &key);
}

static void seal_authenticator(const struct ticket_forge *forge, const krb5_principal speaker, EncryptedData *cipher)
{
    static uint8_t bytes[64] = {1};
    static krb5int32 cusec;
    krb5_keyblock key = session_key(forge);
    Checksum sum = {.cksumtype = (CKSUMTYPE)KERBEROS_CHECKSUM_TYPE,
                    .checksum = {forge->checksum.size, (void *)(uintptr_t)forge->checksum.data}};
    EncryptionKey subkey = {.keytype = forge->session_type, .keyvalue = {forge->subkey_size, bytes}};
    Authenticator authenticator = {.authenticator_vno = 5,
                                   .crealm = speaker->realm,
                                   .cname = speaker->name,
                                   .ctime = forge->made,
                                   .cusec = ++cusec};
    krb5_data plain;
    size_t size;
    int code;
    if (forge->checksum.size) authenticator.cksum = &sum;
    if (forge->subkey_size) authenticator.subkey = &subkey;
    authenticator.authorization_data = (AuthorizationData *)(uintptr_t)forge->said;
    ASN1_MALLOC_ENCODE(Authenticator, plain.data, plain.length, &authenticator, &size, code);
    require(!code, "authenticator");
    edit(forge, TICKET_AUTHENTICATOR, &plain);
    encrypt(forge, &key, KRB5_KU_AP_REQ_AUTH, &plain, cipher);
    krb5_free_keyblock_contents(forge->krb5, &key);
}

static krb5_principal principal_of(const struct ticket_forge *forge, const char *name)
{
    krb5_principal principal;
    require(!krb5_make_principal(forge->krb5, &principal, forge->realm, name, NULL), "principal");
    return principal;
}

static void write_request(AP_REQ *request, bool user_to_user, struct cs_writer *token)
{
    krb5_data message;
    size_t size;
    int code;
    ASN1_MALLOC_ENCODE(AP_REQ, message.data, message.length, request, &size, code);
    require(!code, "request");
    const struct kerberos_token framed = {KERBEROS_AP_REQ, true, {message.data, message.length}, user_to_user};
    kerberos_token_write(token, &framed);
    krb5_data_free(&message);
}

void ticket_forge(const struct ticket_forge *forge, struct cs_writer *token)
{
    krb5_principal client = principal_of(forge, forge->client), server;
    krb5_principal speaker = principal_of(forge, forge->speaker ? forge->speaker : forge->client);
    krb5int32 kvno = forge->kvno;
    AP_REQ request = {.pvno = forge->pvno, .msg_type = krb_ap_req};
    require(!krb5_make_principal(forge->krb5, &server, forge->realm, "HTTP", forge->host, NULL), "server");
    request.ap_options.use_session_key = forge->user_to_user;
    request.ticket.tkt_vno = 5;
    request.ticket.realm = server->realm;
    request.ticket.sname = server->name;
    seal_ticket(forge, client, &request.ticket.enc_part);
    seal_authenticator(forge, speaker, &request.authenticator);
    if (kvno) request.ticket.enc_part.kvno = &kvno;
    write_request(&request, forge->user_to_user_frame, token);
    request.ticket.enc_part.kvno = NULL;
    free_EncryptedData(&request.ticket.enc_part);
    free_EncryptedData(&request.authenticator);
    krb5_free_principal(forge->krb5, client);
    krb5_free_principal(forge->krb5, server);
    krb5_free_principal(forge->krb5, speaker);
}
