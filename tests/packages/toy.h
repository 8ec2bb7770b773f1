/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The toy protocol of the tests' own security packages: two tokens, a key from their two nonces, and messages with a
 * checksum and a counter. It keeps nothing secret; it shows whether what a package is given, and what it gives back,
 * went through whole.
 */
#ifndef TOY_H
#define TOY_H

#include <windows.h>
#include <security.h>

#define TOY_NOBODY L"nobody"          /* who a client without an identity is */
#define TOY_UNREACHABLE L"toy/nobody" /* the target that a client refuses: SEC_E_TARGET_UNKNOWN */

enum {
    TOY_NAME = 16,         /* characters of a user's name, terminator included */
    TOY_MAX_TOKEN = 40,    /* bytes of the longer token */
    TOY_MAX_SIGNATURE = 12 /* bytes of a message's TOKEN */
};

/* What is granted, whatever was asked for. */
#define TOY_ATTRIBUTES (ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT | ISC_RET_CONFIDENTIALITY | ISC_RET_INTEGRITY)

/* One side, from its first leg to its last message. Flat: a package may hand it over as bytes. */
struct toy {
    ULONG initiator, nonce, key, complete;
    ULONG sent, received; /* messages */
    WCHAR user[TOY_NAME]; /* the client's, on both sides */
};

/* The user of an AcquireCredentialsHandle: of a wide SEC_WINNT_AUTH_IDENTITY, or nobody for NULL. */
void toy_take_user(const void *auth_data, WCHAR user[TOY_NAME]);

/*
 * One leg. ALLOCATE gives the memory for the output where REQUEST asks for it (ISC_REQ_ALLOCATE_MEMORY), and
 * *attributes gets what was granted. SEC_E_OK: complete; SEC_I_CONTINUE_NEEDED; SEC_E_TARGET_UNKNOWN;
 * SEC_E_INVALID_TOKEN; SEC_E_BUFFER_TOO_SMALL; SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS toy_leg(struct toy *toy, const WCHAR *target, ULONG request, const SecBufferDesc *input,
                        SecBufferDesc *output, void *(*allocate)(SIZE_T size), ULONG *attributes);

/*
 * A message: signed, and encrypted if SEAL. The receiver learns the sender's QOP, and must name the same SEQUENCE.
 * SEC_E_INVALID_TOKEN: no TOKEN, or one too short; SEC_E_MESSAGE_ALTERED; SEC_E_OUT_OF_SEQUENCE: seen before, or ahead.
 */
SECURITY_STATUS toy_protect(struct toy *toy, ULONG qop, SecBufferDesc *message, ULONG sequence, BOOL seal);
SECURITY_STATUS toy_unprotect(struct toy *toy, SecBufferDesc *message, ULONG sequence, ULONG *qop, BOOL seal);

/* SECPKG_ATTR_SIZES and SECPKG_ATTR_NAMES of a complete side; another attribute: SEC_E_UNSUPPORTED_FUNCTION. */
SECURITY_STATUS toy_query(const struct toy *toy, ULONG attribute, void *buffer, void *(*allocate)(SIZE_T size));

/* SECPKG_ATTR_PACKAGE_INFO: INFO with its strings in one block. */
SECURITY_STATUS toy_copy_info(const SecPkgInfoW *info, SecPkgInfoW **copy, void *(*allocate)(SIZE_T size));

/*
 * A copy of SIZE bytes that end where a page ends which nobody may read: whoever reads more of a package's table than
 * its version has, faults. Never freed. NULL without memory.
 */
void *toy_copy_to_page_end(const void *bytes, SIZE_T size);

#endif
