/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A ticket as a KRB-CRED message (RFC 4120 5.8) that is not encrypted, for whoever asks the LSA for that form.
 */
#include "kerberos_cache.h"
#include "secure.h"

#include <stdlib.h>

static krb5_error_code encode_part(const krb5_creds *creds, const krb5_keyblock *key, krb5_data *part)
{
    krb5_creds own = *creds; /* everything in it is borrowed */
    KrbCredInfo info = {.key = *key,
                        .prealm = &own.client->realm,
                        .pname = &own.client->name,
                        .flags = &own.flags.b,
                        .authtime = &own.times.authtime,
                        .starttime = own.times.starttime ? &own.times.starttime : NULL,
                        .endtime = &own.times.endtime,
                        .renew_till = own.flags.b.renewable ? &own.times.renew_till : NULL,
                        .srealm = &own.server->realm,
                        .sname = &own.server->name};
    const EncKrbCredPart whole = {.ticket_info = {1, &info}};
    size_t size;
    krb5_error_code code;
    ASN1_MALLOC_ENCODE(EncKrbCredPart, part->data, part->length, &whole, &size, code);
    return code;
}

static krb5_error_code encode(const krb5_creds *creds, const krb5_data *part, krb5_data *message)
{
    Ticket ticket = {0};
    size_t size;
    krb5_error_code code = decode_Ticket(creds->ticket.data, creds->ticket.length, &ticket, &size);
    if (code) return code;
    const KRB_CRED whole = {.pvno = 5,
                            .msg_type = krb_cred,
                            .tickets = {1, &ticket},
                            .enc_part = {.etype = KRB5_ENCTYPE_NULL, .cipher = *part}};
    ASN1_MALLOC_ENCODE(KRB_CRED, message->data, message->length, &whole, &size, code);
    free_Ticket(&ticket);
    return code;
}

static void wipe(krb5_data *data)
{
    if (data->data) cs_wipe_free(data->data, data->length);
}

bool kerberos_write_cred(const krb5_creds *creds, bool with_key, struct cs_writer *output)
{
    krb5_keyblock key = creds->session;
    krb5_data part = {0, NULL}, message = {0, NULL};
    void *zeros = with_key ? NULL : calloc(1, key.keyvalue.length + 1);
    if (!with_key) key.keyvalue.data = zeros;
    krb5_error_code code = key.keyvalue.data ? encode_part(creds, &key, &part) : ENOMEM;
    if (!code) code = encode(creds, &part, &message);
    if (!code) cs_write_span(output, (struct cs_span){message.data, message.length});
    wipe(&part);
    wipe(&message);
    free(zeros);
    return !code;
}
