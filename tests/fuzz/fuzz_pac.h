/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose the PACs are that the target reads and seeds.c makes: one client's, under one key.
 */
#ifndef COUNTERSIGN_TESTS_FUZZ_PAC_H
#define COUNTERSIGN_TESTS_FUZZ_PAC_H

#include "pac_forge.h"

/* The first byte of the input: what the rest is. */
enum fuzz_pac { FUZZ_LOGON_INFO, FUZZ_UPN_DNS_INFO, FUZZ_PAC_AS_IT_IS, FUZZ_PAC_TO_BE_SIGNED };

#define FUZZ_PAC_CLIENT "user"

/* KEY is made here; the caller frees its contents. */
static inline struct pac_forge fuzz_pac_forge(krb5_context krb5, krb5_keyblock *key)
{
    *key = pac_key(krb5, ETYPE_AES256_CTS_HMAC_SHA1_96, 0x55);
    return (struct pac_forge){.krb5 = krb5, .key = key, .client = FUZZ_PAC_CLIENT, .authtime = 1700000000};
}

#endif
