/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: SEC_CHANNEL_BINDINGS. Input: the structure with what follows it.
 */
#include "bindings.h"

#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t hash[CS_BINDINGS_HASH_SIZE], again[CS_BINDINGS_HASH_SIZE];
    const struct cs_span bindings = {data, size};
    const SECURITY_STATUS status = cs_bindings_hash(bindings, hash);
    fuzz_require(status == SEC_E_OK || status == SEC_E_BAD_BINDINGS, "a status that is not among those documented");
    fuzz_require(status == cs_bindings_hash(bindings, again), "another status for the same bindings");
    if (status) return 0;
    fuzz_require(size >= 32, "bindings without a header");
    fuzz_require(!memcmp(hash, again, sizeof hash), "another hash of the same bindings");
    return 0;
}
