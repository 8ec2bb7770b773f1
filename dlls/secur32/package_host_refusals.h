/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an LSA with accounts, logon sessions and notifications does for its packages and secur32 cannot. Each answers
 * STATUS_NOT_SUPPORTED (a NULL handle for the one that yields a handle) and touches nothing: a package that asks must
 * not jump to address 0.
 */
#ifndef SECUR32_PACKAGE_HOST_REFUSALS_H
#define SECUR32_PACKAGE_HOST_REFUSALS_H

#include "secur32.h"

LSA_CREATE_LOGON_SESSION refuse_create_logon_session;
LSA_DELETE_LOGON_SESSION refuse_delete_logon_session;
LSA_ADD_CREDENTIAL refuse_add_credential;
LSA_GET_CREDENTIALS refuse_get_credentials;
LSA_DELETE_CREDENTIAL refuse_delete_credential;
LSA_UNLOAD_PACKAGE refuse_unload_package;
LSA_SAVE_SUPPLEMENTAL_CREDENTIALS refuse_save_supplemental_credentials;
LSA_REGISTER_NOTIFICATION refuse_register_notification;
LSA_CANCEL_NOTIFICATION refuse_cancel_notification;
LSA_CREATE_TOKEN refuse_create_token;
LSA_OPEN_SAM_USER refuse_open_sam_user;
LSA_GET_USER_CREDENTIALS refuse_get_user_credentials;
LSA_GET_USER_AUTH_DATA refuse_get_user_auth_data;
LSA_CLOSE_SAM_USER refuse_close_sam_user;
LSA_CONVERT_AUTH_DATA_TO_TOKEN refuse_convert_auth_data_to_token;
LSA_CLIENT_CALLBACK refuse_client_callback;
LSA_UPDATE_PRIMARY_CREDENTIALS refuse_update_primary_credentials;
LSA_GET_AUTH_DATA_FOR_USER refuse_get_auth_data_for_user;
LSA_CRACK_SINGLE_NAME refuse_crack_single_name;
LSA_AUDIT_ACCOUNT_LOGON refuse_audit_account_logon;
LSA_CALL_PACKAGE_PASSTHROUGH refuse_call_package_passthrough;
LSA_OPEN_TOKEN_BY_LOGON_ID refuse_open_token_by_logon_id;
LSA_EXPAND_AUTH_DATA_FOR_DOMAIN refuse_expand_auth_data_for_domain;
LSA_CREATE_TOKEN_EX refuse_create_token_ex;

/* The LSA's credential manager, which programs have through advapi32. Nothing of it is ever handed out to be freed. */
CredReadFn refuse_credi_read;
CredReadDomainCredentialsFn refuse_credi_read_domain;
CredFreeCredentialsFn refuse_credi_free;
CredWriteFn refuse_credi_write;

/* package_host_newer.c: the slots behind CrediWrite, in their order. */
enum { HOST_NEWER = 12 };
extern void *const package_host_newer[HOST_NEWER];

#endif
