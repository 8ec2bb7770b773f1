/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets with PACs, as a KDC that knows the service's key makes them, in the user's credential cache: whole exchanges
 * take them from there.
 */
#ifndef COUNTERSIGN_TESTS_PAC_TICKET_H
#define COUNTERSIGN_TESTS_PAC_TICKET_H

#include "reader.h"

#include <krb5.h>

enum { PAC_TICKET_MOST = 2 };

struct pac_ticket {
    krb5_context krb5;
    const char *client, *service; /* principals, with their realms */
    const krb5_keyblock *key;     /* the service's */
    int kvno;
    int64_t authtime, endtime; /* seconds since 1970; good from authtime on */
    struct cs_span pacs[PAC_TICKET_MOST];
    unsigned pac_count;
};

/* Puts the ticket alone into the cache, KRB5CCNAME. Aborts on failure. */
void pac_ticket_store(const struct pac_ticket *ticket);

/* The key of SERVICE in the keytab, KRB5_KTNAME, and its number. The caller frees its contents. Aborts on failure. */
krb5_keyblock pac_ticket_key(krb5_context krb5, const char *service, int *kvno);

#endif
