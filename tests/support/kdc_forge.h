/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A KDC's replies opened with the keys that they are for, changed, and closed again.
 */
#ifndef COUNTERSIGN_TESTS_KDC_FORGE_H
#define COUNTERSIGN_TESTS_KDC_FORGE_H

#include "kdc_proxy.h"

#include <krb5.h>

/* The first byte of each message (RFC 4120 5.10). */
enum { KDC_AS_REQ = 0x6A, KDC_AS_REP = 0x6B, KDC_TGS_REQ = 0x6C, KDC_TGS_REP = 0x6D, KDC_ERROR = 0x7E };

/* Both parts of a reply: what is in clear, and what is encrypted; and the key that it is encrypted with. */
struct kdc_reply {
    KDC_REP clear;
    EncKDCRepPart part;
    krb5_keyblock key;
};

struct kdc_forge {
    krb5_context krb5;
    const char *user, *password; /* of EXAMPLE.TEST */
    krb5_keyblock session;       /* the ticket-granting ticket's, once an AS-REP has come by */
};

/*
 * Passes MESSAGE's reply on with CHANGE made, or without for NULL. TGS-REPs can be changed once an AS-REP has come by.
 * Aborts on what is none of both.
 */
void kdc_forge_reply(struct kdc_forge *forge, const struct kdc_message *message, void (*change)(struct kdc_reply *),
                     struct cs_writer *output);
void kdc_forge_drop(struct kdc_forge *forge);

/* A KRB-ERROR. */
struct kdc_error {
    krb5_error_code code; /* of krb5_err.h */
    struct cs_span e_data;
    const char *realm; /* the client's; NULL: not said */
    KerberosTime time; /* 0: now */
};
void kdc_forge_error(const struct kdc_error *error, struct cs_writer *output);

#endif
