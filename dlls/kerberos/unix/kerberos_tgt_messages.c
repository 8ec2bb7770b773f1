/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The messages by which a ticket-granting ticket is asked for and shown (draft-swift-win2k-krb-user2user):
 *
 *     KERB-TGT-REQUEST ::= SEQUENCE { pvno [0] INTEGER (5), msg-type [1] INTEGER (16),
 *                                     server-name [2] PrincipalName OPTIONAL, realm [3] Realm OPTIONAL }
 *     KERB-TGT-REPLY ::= SEQUENCE { pvno [0] INTEGER (5), msg-type [1] INTEGER (17), ticket [2] Ticket }
 *
 * Heimdal's ASN.1 library has neither, but what is in them.
 */
#include "kerberos_user_to_user.h"
#include "tlv.h"
#include "utf16.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PVNO = 5, TGT_REQUEST = 16, TGT_REPLY = 17 };

static bool read_number(struct cs_reader *reader, uint8_t field, uint8_t expected)
{
    const struct cs_span number = cs_der_read_explicit(reader, DER_CONTEXT_0 + field, DER_INTEGER);
    return !reader->failed && number.size == 1 && *number.data == expected;
}

/* What both begin with; the reader behind it is *fields. */
static bool read_head(struct cs_span message, uint8_t type, struct cs_reader *fields)
{
    struct cs_reader reader = cs_reader_of(message);
    *fields = cs_der_enter(&reader, DER_SEQUENCE);
    return !reader.remaining && read_number(fields, 0, PVNO) && read_number(fields, 1, type);
}

static void write_number(struct cs_writer *output, uint8_t field, uint8_t number)
{
    cs_der_write_explicit(output, DER_CONTEXT_0 + field, DER_INTEGER, (struct cs_span){&number, 1});
}

static void write_head(struct cs_writer *output, uint8_t type)
{
    write_number(output, 0, PVNO);
    write_number(output, 1, type);
}

static bool read_name(struct cs_span bytes, PrincipalName *name)
{
    size_t used;
    const bool read = !decode_PrincipalName(bytes.data, bytes.size, name, &used);
    if (read && used == bytes.size) return true;
    if (read) free_PrincipalName(name);
    *name = (PrincipalName){.name_type = KRB5_NT_UNKNOWN};
    return false;
}

/* As Heimdal has a Realm: text with a NUL in it would end there. */
static bool read_realm(struct cs_span bytes, Realm *realm)
{
    if (memchr(bytes.data, 0, bytes.size)) return false;
    *realm = strndup((const char *)bytes.data, bytes.size);
    return *realm != NULL;
}

bool kerberos_read_tgt_request(struct cs_span message, Principal *wanted)
{
    struct cs_reader fields;
    struct cs_span name = {NULL, 0}, realm = {NULL, 0};
    *wanted = (Principal){.realm = NULL};
    if (!read_head(message, TGT_REQUEST, &fields)) return false;
    if (cs_der_next_is(&fields, DER_CONTEXT_0 + 2)) name = cs_der_read(&fields, DER_CONTEXT_0 + 2);
    if (cs_der_next_is(&fields, DER_CONTEXT_0 + 3))
        realm = cs_der_read_explicit(&fields, DER_CONTEXT_0 + 3, DER_GENERAL_STRING);
    if (fields.failed || fields.remaining || (name.data && !read_name(name, &wanted->name))) return false;
    if (!realm.data || read_realm(realm, &wanted->realm)) return true;
    free_Principal(wanted);
    *wanted = (Principal){.realm = NULL};
    return false;
}

krb5_error_code kerberos_write_tgt_request(krb5_context context, krb5_const_principal server, struct cs_writer *output)
{
    const char *realm = krb5_principal_get_realm(context, server);
    const size_t start = output->size;
    krb5_data name = {0, NULL};
    size_t size;
    int code;
    ASN1_MALLOC_ENCODE(PrincipalName, name.data, name.length, &server->name, &size, code);
    if (code) return code;
    write_head(output, TGT_REQUEST);
    cs_der_write(output, DER_CONTEXT_0 + 2, (struct cs_span){name.data, name.length});
    if (krb5_principal_get_num_comp(context, server) == 1)
        cs_der_write_explicit(output, DER_CONTEXT_0 + 3, DER_GENERAL_STRING, cs_span_of(realm));
    cs_der_wrap(output, start, DER_SEQUENCE);
    krb5_data_free(&name);
    return 0;
}

bool kerberos_read_tgt_reply(struct cs_span message, struct cs_span *ticket)
{
    struct cs_reader fields;
    Ticket decoded;
    size_t used;
    if (!read_head(message, TGT_REPLY, &fields)) return false;
    *ticket = cs_der_read(&fields, DER_CONTEXT_0 + 2);
    if (fields.failed || fields.remaining) return false;
    if (decode_Ticket(ticket->data, ticket->size, &decoded, &used)) return false;
    free_Ticket(&decoded);
    return used == ticket->size;
}

void kerberos_write_tgt_reply(struct cs_span ticket, struct cs_writer *output)
{
    const size_t start = output->size;
    write_head(output, TGT_REPLY);
    cs_der_write(output, DER_CONTEXT_0 + 2, ticket);
    cs_der_wrap(output, start, DER_SEQUENCE);
}
