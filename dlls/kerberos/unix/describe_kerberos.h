/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the descriptions of Kerberos's messages share. Heimdal's ASN.1 library takes a message or refuses it as a whole,
 * so that what is wrong inside one has no offset; none of these functions calls itself by way of the others, however
 * messages are put into one another.
 */
#ifndef COUNTERSIGN_DESCRIBE_KERBEROS_H
#define COUNTERSIGN_DESCRIBE_KERBEROS_H

#include "describe.h"

#include <krb5.h>

#ifndef KRB5_GC_ANONYMOUS
#error "This krb5.h is not Heimdal's."
#endif

static inline struct cs_span kerberos_span_of(const heim_octet_string *string)
{
    return (struct cs_span){string->data, string->length};
}

/* describe_kerberos_values.c: lines with one value */

/* Each yields the name that the specifications give NUMBER, or NULL. */
const char *kerberos_error_name(int32_t number);
const char *kerberos_padata_name(int32_t number);
const char *kerberos_authdata_name(int32_t number);
const char *kerberos_checksum_name(int32_t number);

/* Appends NAME, and NUMBER in parentheses; NUMBER alone if NAME is NULL. */
void kerberos_describe_number(struct cs_description *description, const char *name, int32_t number);

/* The same for an encryption type. */
void kerberos_describe_etype(struct cs_description *description, int32_t etype);

/* TEXT is UTF-8, as Windows has it; other bytes are shown as such. */
void kerberos_describe_text(struct cs_description *description, const char *label, const char *text);

/* The parts of NAME with slashes between them; a slash that is in a part has a backslash before it. */
void kerberos_describe_principal(struct cs_description *description, const char *label, const PrincipalName *name);

/* A time, UTC; USEC is less than 0 if it has no microseconds. */
void kerberos_describe_time(struct cs_description *description, const char *label, KerberosTime seconds, int32_t usec);
void kerberos_describe_optional_time(struct cs_description *description, const char *label, const KerberosTime *time);

/* BITS as Heimdal has them, bit 0 lowest; RFC 4120 has it highest, and so have the 32 NAMES and what is shown. */
void kerberos_describe_bits(struct cs_description *description, const char *label, unsigned bits,
                            const char *const names[32]);
void kerberos_describe_ticket_flags(struct cs_description *description, const char *label, TicketFlags flags);

/* What kind of key KEY is. */
void kerberos_describe_key(struct cs_description *description, const char *label, const EncryptionKey *key);

/* How DATA is encrypted, and its size. */
void kerberos_describe_encrypted(struct cs_description *description, const char *label, const EncryptedData *data);

/* describe_kerberos_keys.c: what keys open */

struct kerberos_opened {
    krb5_data plain;          /* data NULL: it stays closed */
    const krb5_keyblock *key; /* borrowed, until another one is noted */
};

/*
 * Opens DATA, which was encrypted for USAGE or OTHER_USAGE, with any key that does, and says so in a line if there are
 * keys at all. The caller drops OPENED.
 */
struct kerberos_opened kerberos_open_data(struct cs_description *description, const EncryptedData *data, unsigned usage,
                                          unsigned other_usage);
void kerberos_opened_drop(struct kerberos_opened *opened);

/* Keeps a copy of KEY among those that are tried; the oldest goes. */
void kerberos_note_key(struct cs_describe_keys *keys, const EncryptionKey *key);

krb5_context kerberos_keys_context(const struct cs_describe_keys *keys);

/* Says that NAME cannot be decoded. */
void kerberos_describe_undecodable(struct cs_description *description, const char *name);

/* describe_kerberos_ticket.c */

/* TICKET, and what is inside if a key opens it; its session key is noted. */
void kerberos_describe_ticket(struct cs_description *description, const char *label, const Ticket *ticket);

/* The types of the elements of DATA, which may be NULL. */
void kerberos_describe_authdata(struct cs_description *description, const AuthorizationData *data);

/* describe_kerberos_exchange.c: messages; each yields false when it cannot be decoded */

bool kerberos_describe_ap_req(struct cs_description *description, struct cs_span message);
bool kerberos_describe_ap_rep(struct cs_description *description, struct cs_span message);
bool kerberos_describe_cred(struct cs_description *description, struct cs_span message);
bool kerberos_describe_tgt_request(struct cs_description *description, struct cs_span message);
bool kerberos_describe_tgt_reply(struct cs_description *description, struct cs_span message);

/* describe_kerberos_padata.c: padata, which may be NULL */
void kerberos_describe_padata(struct cs_description *description, const METHOD_DATA *padata);

/* describe_kerberos_kdc.c: likewise messages */
bool kerberos_describe_as_req(struct cs_description *description, struct cs_span message);
bool kerberos_describe_as_rep(struct cs_description *description, struct cs_span message);
bool kerberos_describe_tgs_req(struct cs_description *description, struct cs_span message);
bool kerberos_describe_tgs_rep(struct cs_description *description, struct cs_span message);
bool kerberos_describe_error(struct cs_description *description, struct cs_span message);

/* describe_kerberos_tokens.c: per-message tokens */

/* RFC 4121 4.2.6: MIC and Wrap, which have no framing. */
bool kerberos_is_message_token(struct cs_span token);
void kerberos_describe_message_token(struct cs_description *description);

/* RFC 4757 7.2 and 7.3, RFC 1964 1.2: the rest of a framed token of token id ID. False if it is no such. */
bool kerberos_describe_framed_message_token(struct cs_description *description, struct cs_walk *walk, unsigned id);

#endif
