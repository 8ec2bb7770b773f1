/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: private keys as Windows's key stores export them. Input: the format, and the blob. What is taken for a
 * key signs.
 */
#include "fuzz.h"
#include "tls_context.h"

#include <gnutls/abstract.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){data, size});
    const enum tls_key_format format = cs_read_u8(&reader) % (TLS_KEY_PKCS8 + 2);
    gnutls_privkey_t key = NULL;
    const SECURITY_STATUS status = tls_key_read(fuzz_rest(&reader), format, &key);
    fuzz_require(status == SEC_E_OK || status == SEC_E_UNKNOWN_CREDENTIALS, "status");
    if (status == SEC_E_OK) {
        fuzz_require(key && gnutls_privkey_get_pk_algorithm(key, NULL) > 0, "no key");
        gnutls_privkey_deinit(key);
    }
    return 0;
}
