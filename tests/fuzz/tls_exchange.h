/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole connections of Schannel's, with what one side says changed on its way.
 */
#ifndef COUNTERSIGN_TESTS_FUZZ_TLS_EXCHANGE_H
#define COUNTERSIGN_TESTS_FUZZ_TLS_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Runs the connection that DATA describes: which setup; for each token of the SIDE that is not to be trusted, whether
 * it is replaced by bytes or changed, and how; the same for what it sends afterwards (data, tickets, alerts, wishes).
 * The other side must end with a documented status; if both are through, they agree on all that they have agreed on.
 */
void fuzz_tls_exchange(const uint8_t *data, size_t size, bool client_is_attacked);

#endif
