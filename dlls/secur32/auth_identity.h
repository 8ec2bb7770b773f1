/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Opaque identities: how secur32 builds what the Sspi*AuthIdentity functions hand out.
 */
#ifndef SECUR32_AUTH_IDENTITY_H
#define SECUR32_AUTH_IDENTITY_H

#include "identity.h"

/*
 * Builds an opaque identity: a SEC_WINNT_AUTH_IDENTITY_EXW with its strings behind it in one block, so that a program
 * which takes it for such a structure is right. If the source was encrypted, so is the password of the new one.
 *
 * out: set on success only, to be freed with SspiFreeAuthIdentity.
 * SEC_E_OK, SEC_E_INSUFFICIENT_MEMORY, SEC_E_ENCRYPT_FAILURE.
 */
SECURITY_STATUS auth_identity_create(const struct identity *identity, PSEC_WINNT_AUTH_IDENTITY_OPAQUE *out);

/* A copy of length characters with a terminator, to be freed with SspiLocalFree; NULL if out of memory. */
WCHAR *auth_identity_string(const WCHAR *text, ULONG length);

#endif
