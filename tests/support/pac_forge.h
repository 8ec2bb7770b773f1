/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PACs of our own making, good and bad (MS-PAC 2.3), signed with a key that the forger has.
 */
#ifndef COUNTERSIGN_TESTS_PAC_FORGE_H
#define COUNTERSIGN_TESTS_PAC_FORGE_H

#include "writer.h"

#include <krb5.h>

/* MS-PAC 2.4, ulType. */
enum pac_type {
    PAC_LOGON_INFO = 1,
    PAC_SERVER_CHECKSUM = 6,
    PAC_KDC_CHECKSUM = 7,
    PAC_CLIENT_INFO = 10,
    PAC_UPN_DNS_INFO = 12,
    PAC_TYPES
};

/* What goes in. Zeroed but for the first four, it has CLIENT_INFO and the two signatures, as MIT's KDC makes it. */
struct pac_forge {
    krb5_context krb5;
    const krb5_keyblock *key;
    const char *client; /* UTF-8, without its realm */
    int64_t authtime;
    struct cs_span logon_info;
    struct cs_span upn_dns_info;
    int32_t signature_type; /* the server's, if it is not that of the key */
    uint32_t without;       /* 1 << type: leave it out */
    uint32_t twice;         /* 1 << type: put it in twice */
};

/* Appends the PAC to PAC, which is empty. Aborts on failure. */
void pac_forge(const struct pac_forge *forge, struct cs_writer *pac);

/* Signs PAC anew, after a change; false if it has no room for the signatures where it says that they are. */
bool pac_sign(const struct pac_forge *forge, struct cs_writer *pac);

/* Appends a UPN_DNS_INFO with these two, UTF-8. */
void pac_write_upn(struct cs_writer *info, const char *upn, const char *dns_domain);

/* A key of ETYPE whose bytes are all FILL. The caller frees its contents with krb5_free_keyblock_contents. */
krb5_keyblock pac_key(krb5_context krb5, krb5_enctype etype, uint8_t fill);

#endif
