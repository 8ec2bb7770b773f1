/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cipher suites and groups in Windows's words.
 */
#ifndef COUNTERSIGN_TLS_SUITES_H
#define COUNTERSIGN_TLS_SUITES_H

#include "reader.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

struct tls_suite {
    uint16_t number;
    const char *name; /* IANA's */
    const char *cipher, *hash, *exchange;
    uint32_t cipher_id, hash_id, exchange_id; /* ALG_ID; 0 for none */
    uint32_t cipher_bits, cipher_block, hash_bits;
};

/* Which suites may come out of a handshake, the best first; not limited: all that a credential leaves. */
enum { TLS_MOST_SUITES = 64 };
struct tls_suite_order {
    bool limited;
    unsigned count;
    uint16_t numbers[TLS_MOST_SUITES];
};

/* tls_suite_order.c. NAMES as in tls.h; empty: no limit. False: no memory. Has: whether the suite NUMBER may come out.
 */
bool tls_suite_order_read(struct cs_span names, struct tls_suite_order *order);
bool tls_suite_order_has(const struct tls_suite_order *order, uint16_t number);

/* The suite of that name, or NULL. */
const struct tls_suite *tls_suite_find(const char *name);

/* IANA's number of GROUP, and its size in bits; 0 for none. */
uint32_t tls_group_number(gnutls_group_t group);
uint32_t tls_group_bits(gnutls_group_t group);

#endif
