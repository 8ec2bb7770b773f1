/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes that leave the process and come back, to this one or to another of the same Unix user on the same machine
 * before it is started again. Whoever carries them can neither read nor change them:
 *
 *     magic (8), version (4), owner's user ID (4), salt (32)      in clear, and covered by the tag
 *     the content                                                 AES-256-GCM
 *     tag (16)
 *
 * Integers are little-endian. The salt is random, and gives each its own key, so that the nonce may be zero.
 */
#ifndef COUNTERSIGN_SEALED_H
#define COUNTERSIGN_SEALED_H

#include "sspi_values.h"
#include "writer.h"

enum { CS_SEALED_VERSION = 1, CS_SEALED_OWNER = 12, CS_SEALED_HEADER = 48, CS_SEALED_TAG = 16 };

/* Writes the header. The content is appended to it; cs_sealed_end then encrypts it where it lies. */
void cs_sealed_begin(struct cs_writer *sealed);

/*
 * SEC_E_OK; SEC_E_INSUFFICIENT_MEMORY: no memory, or no random numbers; SEC_E_INTERNAL_ERROR: no secret of the user.
 * After a failure the content is still plain: it is to be dropped.
 */
SECURITY_STATUS cs_sealed_end(struct cs_writer *sealed);

/*
 * Yields the content in OPENED, an empty writer that the caller drops: it holds the header too, and *content points
 * behind it. SEC_E_OK; SEC_E_NOT_OWNER: of another user; SEC_E_INVALID_TOKEN: not what cs_sealed_end made, of another
 * version, machine or start of it; SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR: no secret of the user. SEALED may
 * change meanwhile: it is read once.
 */
SECURITY_STATUS cs_sealed_open(struct cs_span sealed, struct cs_writer *opened, struct cs_span *content);

#endif
