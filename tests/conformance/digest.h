/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two digests that the cases need to recompute what NTLM sends, from Windows's bcrypt.dll. */
#ifndef CONFORMANCE_DIGEST_H
#define CONFORMANCE_DIGEST_H

#include "harness.h"

#define DIGEST_SIZE 16

struct part {
    const void *bytes;
    ULONG size;
};

/* HMAC-MD5 with KEY over COUNT parts, one after the other. False if bcrypt.dll refuses. */
bool hmac_md5(struct part key, const struct part *parts, size_t count, unsigned char digest[DIGEST_SIZE]);

/* NTOWFv2 of MS-NLMP 3.3.2 for ASCII strings. False if bcrypt.dll refuses. */
bool ntowf_v2(const char *user, const char *domain, const char *password, unsigned char key[DIGEST_SIZE]);

#endif
