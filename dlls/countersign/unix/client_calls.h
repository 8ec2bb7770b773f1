/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The calls from PE code that are about clients (client.h); blocks.h has their blocks.
 */
#ifndef COUNTERSIGN_CLIENT_CALLS_H
#define COUNTERSIGN_CLIENT_CALLS_H

#include "session.h"

/* ARGS: struct cs_block_client. SEC_E_OK; of cs_client_of. */
SECURITY_STATUS client_call_of_session(void *args);

/* ARGS: struct cs_block_client. SEC_E_OK; SEC_E_NO_CREDENTIALS: nobody has that identifier. */
SECURITY_STATUS client_call_find(void *args);

/* ARGS: struct cs_block_text: DOMAIN\user. SEC_E_OK. */
SECURITY_STATUS client_call_name(void *args);

/* ARGS: struct cs_block_text: an array of struct cs_client_sid. SEC_E_OK or SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS client_call_sids(void *args);

/* ARGS: struct cs_block_object. SEC_E_OK. */
SECURITY_STATUS client_call_release(void *args);

#endif
