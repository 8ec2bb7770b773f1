/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making an access token.
 */
#ifndef COUNTERSIGN_SP_TOKEN_MAKE_H
#define COUNTERSIGN_SP_TOKEN_MAKE_H

#include "package.h"

/*
 * A marked impersonation token of CLIENT, with the level that it has: the caller closes it. SEC_E_OK;
 * SEC_E_NO_IMPERSONATION: Wine makes none; SEC_E_INSUFFICIENT_MEMORY.
 */
NTSTATUS sp_token_make(const struct cs_block_client *client, HANDLE *token);

#endif
