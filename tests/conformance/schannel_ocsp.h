/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OCSP responses (RFC 6960) of the authority of schannel_authority.h, about what it has issued.
 */
#ifndef CONFORMANCE_SCHANNEL_OCSP_H
#define CONFORMANCE_SCHANNEL_OCSP_H

#include "schannel_authority.h"

#define OCSP_ROOM 2048 /* bytes of one response */

struct ocsp_response {
    BYTE serial; /* of the certificate that it is about */
    bool revoked;
    bool forged; /* in the authority's name, but signed with another key */
    int days;    /* from now, when the next one is due; this one is a month old */
};

/* Into BYTES, which have OCSP_ROOM. Returns the size; 0: this system does not make it. */
DWORD ocsp_write(const struct ocsp_response *response, BYTE *bytes);

#endif
