/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The authenticator's checksum of type 0x8003, in which GSS-API's flags, channel bindings and a delegated credential
 * travel (RFC 4121 4.1.1).
 */
#ifndef COUNTERSIGN_KERBEROS_CHECKSUM_H
#define COUNTERSIGN_KERBEROS_CHECKSUM_H

#include "bindings.h"
#include "writer.h"

enum { KERBEROS_CHECKSUM_TYPE = 0x8003 };

/* Flags, RFC 4121 4.1.1.1 and MS-KILE 3.2.5.2. */
enum {
    KERBEROS_DELEGATE = 1,
    KERBEROS_MUTUAL = 2,
    KERBEROS_REPLAY = 4,
    KERBEROS_SEQUENCE = 8,
    KERBEROS_CONFIDENTIALITY = 16,
    KERBEROS_INTEGRITY = 32,
    KERBEROS_DCE_STYLE = 0x1000,
    KERBEROS_IDENTIFY = 0x2000,
    KERBEROS_EXTENDED_ERROR = 0x4000
};

struct kerberos_checksum {
    uint8_t bindings[CS_BINDINGS_HASH_SIZE]; /* zeros: none */
    uint32_t flags;
    struct cs_span delegated; /* a KRB-CRED, with flag DELEGATE alone; borrowed */
};

/* Reads INPUT; extensions after the known fields are passed over (RFC 4121 4.1.1). False: a field is not there. */
bool kerberos_checksum_read(struct cs_span input, struct kerberos_checksum *checksum);

/* Appends CHECKSUM. */
void kerberos_checksum_write(struct cs_writer *output, const struct kerberos_checksum *checksum);

/* The flags that REQUEST (ISC_REQ_) asks for, and what FLAGS grant as ISC_RET_ or ASC_RET_ (attributes.tsv, flags). */
uint32_t kerberos_flags_of(uint32_t request);
uint32_t kerberos_granted(uint32_t flags, bool initiator);

#endif
