/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: a client of Schannel's, in every phase, and what its peer says changed on its way (tls_exchange.h).
 */
#include "fuzz.h"
#include "tls_exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_tls_exchange(data, size, true);
    return 0;
}
