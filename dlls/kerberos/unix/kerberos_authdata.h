/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a client says in the authenticator's authorization data, under the ticket's session key: which target its
 * program named, and that its programs give channel bindings (MS-KILE 3.2.5.8). Both lie in an AD-IF-RELEVANT, which
 * other acceptors pass over (RFC 4120 5.2.6.1).
 */
#ifndef COUNTERSIGN_KERBEROS_AUTHDATA_H
#define COUNTERSIGN_KERBEROS_AUTHDATA_H

#include "kerberos.h"

enum {
    KERBEROS_AUTHDATA_AP_OPTIONS = 143,
    KERBEROS_AUTHDATA_TARGET = 144,
    KERBEROS_AP_OPTIONS_CBT = 0x4000,
};

struct kerberos_authdata {
    bool has_options, has_target;
    uint32_t options;
    struct cs_span target; /* UTF-16LE, owned */
};

/*
 * Appends to DATA that bindings are given where there is a channel, and TARGET, UTF-16LE, unless it is empty. The
 * caller frees DATA, also on failure: ENOMEM, or the ASN.1 library's.
 */
krb5_error_code kerberos_authdata_write(struct cs_span target, AuthorizationData *data);

/*
 * Reads DATA, which may be NULL. The caller drops *said, also on failure. SEC_E_INVALID_TOKEN: what one of the two has
 * is none, or is there twice; SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS kerberos_authdata_read(const AuthorizationData *data, struct kerberos_authdata *said);
void kerberos_authdata_drop(struct kerberos_authdata *said);

#endif
