/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making sets of keys.
 */
#ifndef COUNTERSIGN_KERBEROS_KEYS_H
#define COUNTERSIGN_KERBEROS_KEYS_H

#include "kerberos.h"

/* The keytab that SERVER's keys are in; the caller closes it. Errors of krb5_kt_resolve. */
krb5_error_code kerberos_open_keytab(krb5_context context, const struct kerberos_server *server, krb5_keytab *keytab);

/* In constant time for keys of one size. */
bool kerberos_same_key(const krb5_keyblock *one, const krb5_keyblock *other);

/* Appends copies of PRINCIPAL and KEY to SET, unless KEY's encryption type is refused. ENOMEM. */
krb5_error_code kerberos_key_set_add(krb5_context context, struct kerberos_key_set *set, krb5_const_principal principal,
                                     krb5_kvno kvno, const krb5_keyblock *key);

/*
 * Appends the keys that ACCOUNT's password gives: with the salts that its KDC names (ETYPE-INFO2), or the default salt
 * if no KDC answers. ENOMEM.
 */
krb5_error_code kerberos_derive_keys(krb5_context context, const struct kerberos_account *account,
                                     struct kerberos_key_set *set);

#endif
