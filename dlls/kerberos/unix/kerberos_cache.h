/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the calls on the user's credential cache share.
 */
#ifndef COUNTERSIGN_KERBEROS_CACHE_H
#define COUNTERSIGN_KERBEROS_CACHE_H

#include "kerberos_list.h"
#include "kerberos_tickets.h"

#include <errno.h>
#include <heim_err.h>
#include <krb5_err.h>

/* The user's cache, open. */
struct kerberos_cache {
    krb5_context context;
    struct kerberos_logon logon;
};

/*
 * Opens the cache where REQUEST says; the caller closes it, also after failure. KRB5_CC_NOTFOUND, KRB5_FCC_NOFILE and
 * their like as of kerberos_open_user_cache.
 */
krb5_error_code kerberos_cache_open(const struct kerberos_request *request, struct kerberos_cache *cache);
/* What reading a cache came to: Heimdal 7.8 has several errors for a file that does not parse. */
static inline krb5_error_code kerberos_cache_error(krb5_error_code code)
{
    return code == EINVAL || code == HEIM_ERR_TOO_BIG || code == HEIM_ERR_EOF ? KRB5_CC_FORMAT : code;
}

void kerberos_cache_close(struct kerberos_cache *cache);

/* An answer that is being made. */
struct kerberos_writing {
    struct cs_writer tickets, bytes;
    uint32_t count, parts;
};

enum kerberos_form {
    KERBEROS_LISTED,   /* without the ticket itself and its session key */
    KERBEROS_ZERO_KEY, /* with both, but zeros in the key's place */
    KERBEROS_WHOLE
};

/* Appends CREDS, the ticket itself in a KRB-CRED if AS_CRED. */
void kerberos_write_ticket(const struct kerberos_cache *cache, const krb5_creds *creds, enum kerberos_form form,
                           bool as_cred, struct kerberos_writing *writing);

/* kerberos_cred.c: appends CREDS as a KRB-CRED in clear, with zeros in the key's place unless WITH_KEY. */
bool kerberos_write_cred(const krb5_creds *creds, bool with_key, struct cs_writer *output);

/* Puts ANSWER together and drops WRITING. SEC_E_OK or SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS kerberos_finish_answer(struct kerberos_writing *writing, struct kerberos_answer *answer);

/* Whether CREDS, of a cache, are a ticket: neither a setting of Heimdal's nor one that was removed. */
bool kerberos_is_ticket(krb5_context context, const krb5_creds *creds);

/* Whether PRINCIPAL is some krbtgt's. */
bool kerberos_is_tgs(krb5_context context, krb5_const_principal principal);

/* Appends PRINCIPAL's name without its realm, each part but the last followed by BETWEEN. Yields the number of parts.
 */
uint32_t kerberos_write_parts(krb5_context context, krb5_const_principal principal, uint16_t between,
                              struct cs_writer *output);

#endif
