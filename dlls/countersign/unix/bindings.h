/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Channel bindings: SEC_CHANNEL_BINDINGS as a program passes them, and the MD5 hash that goes over the wire.
 */
#ifndef COUNTERSIGN_BINDINGS_H
#define COUNTERSIGN_BINDINGS_H

#include "reader.h"
#include "sspi_values.h"

enum { CS_BINDINGS_HASH_SIZE = 16 };

/*
 * Hashes BINDINGS, the whole SECBUFFER_CHANNEL_BINDINGS: a 32-byte header of little-endian words and the data that
 * it points to, by offset from its start. The hash is that of gss_channel_bindings_struct (MS-NLMP 2.2.2.1,
 * RFC 4121 4.1.1.2; vectors.md channel-binding-md5). SEC_E_OK; SEC_E_BAD_BINDINGS when a part lies outside.
 */
SECURITY_STATUS cs_bindings_hash(struct cs_span bindings, uint8_t hash[CS_BINDINGS_HASH_SIZE]);

#endif
