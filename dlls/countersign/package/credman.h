/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The prefix's credential manager, for default credentials.
 */
#ifndef COUNTERSIGN_CREDMAN_H
#define COUNTERSIGN_CREDMAN_H

#include "package.h"

struct stored_credential {
    BOOL found;
    struct cs_block_identity identity; /* points into what credman_release frees */
    void *memory;
};

/*
 * Looks for a domain password stored for TARGET as it stands, then for its host. *stored must be zero and is given to
 * credman_release, found or not. A user name DOMAIN\user is taken apart.
 */
void credman_find(const UNICODE_STRING *target, struct stored_credential *stored);
void credman_release(struct stored_credential *stored);

#endif
