/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handshake, for the legs.
 */
#ifndef COUNTERSIGN_TLS_HANDSHAKE_H
#define COUNTERSIGN_TLS_HANDSHAKE_H

#include "tls_context.h"

/* Makes GnuTLS's session for the first leg. SEC_E_OK, SEC_E_TARGET_UNKNOWN, SEC_E_INVALID_TOKEN (protocols, SRTP),
 * SEC_E_ALGORITHM_MISMATCH: the credential is for TLS and DTLS is wanted, or the other way round;
 * SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS tls_handshake_begin(struct tls_context *context, const struct tls_leg *leg);

/* The handshake that begins is that of the context's credential, with the flags of LEG. SEC_E_OK,
 * SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS tls_handshake_use(struct tls_context *context, const struct tls_leg *leg);

/*
 * Goes on with context->incoming; what is to be sent is in context->outgoing, an alert too. SEC_I_CONTINUE_NEEDED,
 * TLS_I_VERIFY_PEER, SEC_E_OK with the phase TLS_COMPLETE, or why it failed.
 */
SECURITY_STATUS tls_handshake_run(struct tls_context *context);

#endif
