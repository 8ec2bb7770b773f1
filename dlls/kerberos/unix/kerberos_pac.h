/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The privilege attribute certificate: what a KDC says of a user's names and groups, inside the ticket (MS-PAC).
 */
#ifndef COUNTERSIGN_KERBEROS_PAC_H
#define COUNTERSIGN_KERBEROS_PAC_H

#include "logon.h"
#include "sspi_values.h"

#include <krb5.h>

#ifndef KRB5_GC_ANONYMOUS
#error "This krb5.h is not Heimdal's."
#endif

/*
 * What a PAC says. Strings are UTF-16LE and owned; those that it does not say are empty. Without LOGON_INFO (the KDCs
 * of MIT and Heimdal make such) there is no logon.
 */
struct kerberos_pac {
    struct cs_logon logon; /* user and domain: EffectiveName, LogonDomainName */
    struct cs_span upn, dns_domain;
    int64_t kick_off; /* FILETIME, UTC: when the session must end; INT64_MAX for never */
};

/*
 * Reads PAC, the authorization data of a ticket that has been decrypted with KEY, for the ticket's CLIENT and AUTHTIME
 * (seconds since 1970). RESULT is to be dropped in every case. Nothing is in it unless the server's signature holds and
 * the PAC is this client's, of this logon (MS-PAC 2.8, 2.7): clients may put authorization data of their own into
 * tickets, that of an older one of theirs too.
 *
 *     SEC_E_OK                  all of that is so
 *     SEC_E_INVALID_TOKEN       it is no PAC, or parts that we read are not in form or there twice
 *     SEC_E_LOGON_DENIED        a signature or the client's name is missing, not of KEY's own type, or does not hold;
 * or there are more groups than a token may have SEC_E_INSUFFICIENT_MEMORY
 */
SECURITY_STATUS kerberos_pac_read(krb5_context krb5, const krb5_keyblock *key, krb5_const_principal client,
                                  int64_t authtime, struct cs_span pac, struct kerberos_pac *result);

void kerberos_pac_drop(struct kerberos_pac *pac);

/*
 * kerberos_pac_ticket.c: the PAC in TICKET, read as above; SEC_E_OK and an empty RESULT if there is none. Of two nobody
 * knows which one the KDC put there: SEC_E_INVALID_TOKEN.
 */
SECURITY_STATUS kerberos_pac_of_ticket(krb5_context krb5, const krb5_keyblock *key, const EncTicketPart *ticket,
                                       struct kerberos_pac *result);

/*
 * kerberos_pac_logon.c: reads LOGON_INFO, a KERB_VALIDATION_INFO in NDR (MS-PAC 2.5, MS-RPCE 2.2.6), into the members
 * of RESULT that come from there. SEC_E_INVALID_TOKEN, SEC_E_LOGON_DENIED: too many groups; SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS kerberos_pac_logon(struct cs_span info, struct kerberos_pac *result);

#endif
