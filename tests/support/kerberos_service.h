/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Kerberos service without a KDC: a krb5.conf, a keytab, a replay cache and a ticket-granting ticket of the test's
 * own in a fresh folder, and the keys for whoever forges tickets for it.
 */
#ifndef COUNTERSIGN_TESTS_KERBEROS_SERVICE_H
#define COUNTERSIGN_TESTS_KERBEROS_SERVICE_H

#include "pair.h"

#include <krb5.h>

struct kerberos_service {
    char folder[32];
    krb5_context krb5;
    krb5_keyblock key, key_128, rc4; /* in the keytab: HTTP/server.example.test, HTTP/alias.example.test, the first */
    krb5_keyblock other;             /* of type AES-256, in no keytab */
    krb5_keyblock tgt;               /* the session key of peer@EXAMPLE.TEST's, in the ticket cache */
    struct pair pair;                /* its server side is the service's credential */
};

/* Makes the folder, points the environment there, and acquires the credential. Aborts on failure. */
void kerberos_service_open(struct kerberos_service *service);

/* Acquires the credential anew, where krb5.conf's [libdefaults] has LINES besides. */
void kerberos_service_reopen(struct kerberos_service *service, const char *lines);

/* Puts that ticket with KEY, and END, into the ticket cache, alone. */
void kerberos_service_log_on(const struct kerberos_service *service, const krb5_keyblock *key, int64_t end);

/* Releases everything and removes the folder. */
void kerberos_service_close(struct kerberos_service *service);

/* A fresh server context's answer to TOKEN; it stays in service->pair until the next. */
SECURITY_STATUS kerberos_service_offer(struct kerberos_service *service, struct cs_span token);

/* The same of one that has been asked for its ticket-granting ticket, and has shown it; aborts if it does not. */
SECURITY_STATUS kerberos_service_offer_user_to_user(struct kerberos_service *service, struct cs_span token);

/* Appends a KERB-TGT-REQUEST that names nobody. */
void kerberos_service_ask_for_tgt(struct cs_writer *token);

#endif
