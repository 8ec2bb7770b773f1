/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The KDC that a target is, in the place of kerberos_ask_directly: there is no other one.
 */
#ifndef COUNTERSIGN_TESTS_FUZZ_KDC_H
#define COUNTERSIGN_TESTS_FUZZ_KDC_H

#include "kerberos_tickets.h"

typedef krb5_error_code fuzz_kdc(krb5_context context, const struct kerberos_logon *logon, krb5_const_principal server,
                                 struct cs_span tgt, krb5_creds **creds);

extern fuzz_kdc *fuzz_kdc_answer; /* NULL: none answers */

#endif
