/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Access tokens of accounts that the process is not of.
 */
#ifndef COUNTERSIGN_SP_TOKEN_CREATE_H
#define COUNTERSIGN_SP_TOKEN_CREATE_H

#include "package.h"

/*
 * An impersonation token with CLIENT's SID, groups and level, without a mark: the caller closes it. SEC_E_OK;
 * SEC_E_UNSUPPORTED_FUNCTION: this Wine has no NtCreateToken (before 10); else what that says.
 */
NTSTATUS sp_token_create(const struct cs_block_client *client, HANDLE *token);

#endif
