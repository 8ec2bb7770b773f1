/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cipher suites and groups in Windows's words.
 */
#ifndef COUNTERSIGN_TLS_SUITES_H
#define COUNTERSIGN_TLS_SUITES_H

#include <gnutls/gnutls.h>
#include <stdint.h>

struct tls_suite {
    uint16_t number;
    const char *name; /* IANA's */
    const char *cipher, *hash, *exchange;
    uint32_t cipher_id, hash_id, exchange_id; /* ALG_ID; 0 for none */
    uint32_t cipher_bits, cipher_block, hash_bits;
};

/* The suite of that name, or NULL. */
const struct tls_suite *tls_suite_find(const char *name);

/* IANA's number of GROUP, and its size in bits; 0 for none. */
uint32_t tls_group_number(gnutls_group_t group);
uint32_t tls_group_bits(gnutls_group_t group);

#endif
