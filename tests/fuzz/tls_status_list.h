/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a leg of Schannel's may answer, whatever comes (errors.tsv, InitializeSecurityContext and AcceptSecurityContext,
 * Schannel).
 */
#ifndef COUNTERSIGN_TESTS_FUZZ_TLS_STATUS_LIST_H
#define COUNTERSIGN_TESTS_FUZZ_TLS_STATUS_LIST_H

#include "fuzz.h"
#include "sspi_values.h"

#include <stdio.h>

/* Aborts for any other. */
static inline void fuzz_tls_status(SECURITY_STATUS status)
{
    static const SECURITY_STATUS documented[] = {
        SEC_E_OK,
        SEC_I_CONTINUE_NEEDED,
        SEC_I_CONTEXT_EXPIRED,
        SEC_E_INCOMPLETE_MESSAGE,
        SEC_E_INVALID_TOKEN,
        SEC_E_ILLEGAL_MESSAGE,
        SEC_E_MESSAGE_ALTERED,
        SEC_E_DECRYPT_FAILURE,
        SEC_E_UNSUPPORTED_FUNCTION,
        SEC_E_ALGORITHM_MISMATCH,
        SEC_E_APPLICATION_PROTOCOL_MISMATCH,
        SEC_E_INTERNAL_ERROR,
        SEC_E_NO_CREDENTIALS,
        SEC_E_LOGON_DENIED,
        SEC_E_UNTRUSTED_ROOT,
        SEC_E_CERT_EXPIRED,
        SEC_E_CERT_UNKNOWN,
        CRYPT_E_REVOKED,
        SEC_E_UNFINISHED_CONTEXT_DELETED,
    };
    bool found = false;
    for (size_t i = 0; i < sizeof documented / sizeof *documented; i++) found |= status == documented[i];
    if (!found) fprintf(stderr, "%08x\n", (unsigned)status);
    fuzz_require(found, "a status that is not among those documented");
}

#endif
