/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets, as KDCs and credential caches give them: the calls that may take as long as a network does.
 */
#ifndef COUNTERSIGN_KERBEROS_TICKETS_H
#define COUNTERSIGN_KERBEROS_TICKETS_H

#include "kerberos.h"

/* Opens the user's credential cache into LOGON. KRB5_CC_NOTFOUND, KRB5_FCC_NOFILE and their like: there is none. */
krb5_error_code kerberos_open_user_cache(krb5_context context, struct kerberos_logon *logon);

/*
 * The state of the user's cache, before it is read. False: it is no file, or not there, and what is read of it is not
 * to be kept.
 */
bool kerberos_stamp_user_cache(krb5_context context, struct kerberos_stamp *stamp);

/*
 * The AS exchange for ACCOUNT, into a cache in memory that is LOGON's own. Errors: what the KDC answers; an expired
 * password is not asked to be changed.
 */
krb5_error_code kerberos_ask_for_logon(krb5_context context, const struct kerberos_account *account,
                                       struct kerberos_logon *logon);

/*
 * The same for PRINCIPAL with its key in KEYTAB. Errors besides: KRB5_KT_NOTFOUND.
 */
krb5_error_code kerberos_ask_with_key(krb5_context context, krb5_principal principal, krb5_keytab keytab,
                                      struct kerberos_logon *logon);

/* The TGS exchange for SERVER, unless LOGON's cache has a ticket. The caller frees *creds. */
krb5_error_code kerberos_ask_for_ticket(krb5_context context, const struct kerberos_logon *logon,
                                        krb5_const_principal server, krb5_creds **creds);

/*
 * The same of the KDC alone, without referrals and without keeping the ticket, which is encrypted under the session key
 * of TGT, an encoded ticket, unless that is empty. The KDC may name another server in it: the caller compares.
 */
krb5_error_code kerberos_ask_directly(krb5_context context, const struct kerberos_logon *logon,
                                      krb5_const_principal server, struct cs_span tgt, krb5_creds **creds);

#endif
