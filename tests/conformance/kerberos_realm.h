/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The realm that the groups of Kerberos run in. The environment names it; without, there is none:
 *
 *     CONFORMANCE_KERBEROS_REALM, _USER, _PASSWORD    an account
 *     CONFORMANCE_KERBEROS_TARGET                     a service whose keys this process accepts with, SERVICE/HOST
 */
#ifndef CONFORMANCE_KERBEROS_REALM_H
#define CONFORMANCE_KERBEROS_REALM_H

#include "spnego_pair.h"

#define REALM_NAME_MAX 128

struct kerberos_realm {
    char realm[REALM_NAME_MAX], user[REALM_NAME_MAX], password[REALM_NAME_MAX], target[REALM_NAME_MAX];
    SEC_WINNT_AUTH_IDENTITY_A identity; /* of that user */
};

/* Reads the environment. Without a realm, says by not_run what is lacking and returns false. */
bool kerberos_realm_find(struct conformance_run *run, struct kerberos_realm *realm);

/* That user, who asks that service for FLAGS; the server asks for nothing but DCE style where the client does. */
struct spnego_request kerberos_request(const struct kerberos_realm *realm, ULONG flags);

/* spnego_pair_run of such a request; when it does not complete, as spnego_open_pair. */
bool kerberos_open_pair(struct conformance_run *run, const struct kerberos_realm *realm, struct spnego_pair *pair,
                        ULONG flags);

#endif
