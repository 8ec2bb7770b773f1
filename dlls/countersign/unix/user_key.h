/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys that every process of this Unix user can make on this machine, as long as it runs, and nobody else: from a
 * secret in a file that only this user can read, and from the machine, since a home folder may be shared by several.
 */
#ifndef COUNTERSIGN_USER_KEY_H
#define COUNTERSIGN_USER_KEY_H

#include "reader.h"

enum { CS_USER_KEY = 32 };

/*
 * HMAC-SHA256 under the secret (COUNTERSIGN_LOOPBACK_SECRET, or loopback.secret in countersign's folder; made if there
 * is none), over LABEL, which says what the key is for, the machine and its start, A and B: the first SIZE bytes, at
 * most CS_USER_KEY. The file is read anew each time. False: the secret is not to be had.
 */
bool cs_user_key(const char *label, struct cs_span a, struct cs_span b, uint8_t *key, size_t size);

#endif
