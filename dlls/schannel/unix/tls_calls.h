/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel's functions of the call table; each takes the parameter block that blocks.h names for its number.
 */
#ifndef COUNTERSIGN_TLS_CALLS_H
#define COUNTERSIGN_TLS_CALLS_H

#include "sspi_values.h"

SECURITY_STATUS tls_call_acquire(void *args);
SECURITY_STATUS tls_call_release_credential(void *args);
SECURITY_STATUS tls_call_leg(void *args);
SECURITY_STATUS tls_call_fetch_token(void *args);
SECURITY_STATUS tls_call_release_context(void *args);
SECURITY_STATUS tls_call_alert(void *args);
SECURITY_STATUS tls_call_encrypt(void *args);
SECURITY_STATUS tls_call_decrypt(void *args);
SECURITY_STATUS tls_call_query(void *args);
SECURITY_STATUS tls_call_query_bytes(void *args);
SECURITY_STATUS tls_call_check_stapled(void *args);
SECURITY_STATUS tls_call_check_name(void *args);
SECURITY_STATUS tls_call_verify_chain(void *args);
SECURITY_STATUS tls_call_verify_list(void *args);
SECURITY_STATUS tls_call_export(void *args);
SECURITY_STATUS tls_call_set_mtu(void *args);

#endif
