/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What secur32 lends its packages only to refuse it.
 */
#define WIN32_NO_STATUS
#include "package_host_refusals.h"
#undef WIN32_NO_STATUS
#include <ntstatus.h>

NTSTATUS NTAPI refuse_create_logon_session(PLUID)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_delete_logon_session(PLUID)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_add_credential(PLUID, ULONG, PLSA_STRING, PLSA_STRING)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_get_credentials(PLUID, ULONG, PULONG, BOOLEAN, PLSA_STRING, PULONG, PLSA_STRING)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_delete_credential(PLUID, ULONG, PLSA_STRING)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_unload_package(void)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_save_supplemental_credentials(PLUID, ULONG, PVOID, BOOLEAN)
{
    return STATUS_NOT_SUPPORTED;
}

HANDLE NTAPI refuse_register_notification(SEC_THREAD_START, PVOID, ULONG, ULONG, ULONG, ULONG, HANDLE)
{
    return NULL;
}

NTSTATUS NTAPI refuse_cancel_notification(HANDLE)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_create_token(PLUID, PTOKEN_SOURCE, SECURITY_LOGON_TYPE, SECURITY_IMPERSONATION_LEVEL,
                                   LSA_TOKEN_INFORMATION_TYPE, PVOID, PTOKEN_GROUPS, PUNICODE_STRING, PUNICODE_STRING,
                                   PUNICODE_STRING, PUNICODE_STRING, PHANDLE, PNTSTATUS)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_open_sam_user(PSECURITY_STRING, SECPKG_NAME_TYPE, PSECURITY_STRING, BOOLEAN, ULONG, PVOID *)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_get_user_credentials(PVOID, PVOID *, PULONG, PVOID *, PULONG)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_get_user_auth_data(PVOID, PUCHAR *, PULONG)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_close_sam_user(PVOID)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_convert_auth_data_to_token(PVOID, ULONG, SECURITY_IMPERSONATION_LEVEL, PTOKEN_SOURCE,
                                                 SECURITY_LOGON_TYPE, PUNICODE_STRING, PHANDLE, PLUID, PUNICODE_STRING,
                                                 PNTSTATUS)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_client_callback(PCHAR, ULONG_PTR, ULONG_PTR, PSecBuffer, PSecBuffer)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_update_primary_credentials(PSECPKG_PRIMARY_CRED, PSECPKG_SUPPLEMENTAL_CRED_ARRAY)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_get_auth_data_for_user(PSECURITY_STRING, SECPKG_NAME_TYPE, PSECURITY_STRING, PUCHAR *, PULONG,
                                             PUNICODE_STRING)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_crack_single_name(ULONG, BOOLEAN, PUNICODE_STRING, PUNICODE_STRING, ULONG, PUNICODE_STRING,
                                        PUNICODE_STRING, PULONG)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_audit_account_logon(ULONG, BOOLEAN, PUNICODE_STRING, PUNICODE_STRING, PUNICODE_STRING, NTSTATUS)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_call_package_passthrough(PUNICODE_STRING, PVOID, PVOID, ULONG, PVOID *, PULONG, PNTSTATUS)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_open_token_by_logon_id(PLUID, HANDLE *)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_expand_auth_data_for_domain(PUCHAR, ULONG, PVOID, PUCHAR *, PULONG)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_create_token_ex(PLUID, PTOKEN_SOURCE, SECURITY_LOGON_TYPE, SECURITY_IMPERSONATION_LEVEL,
                                      LSA_TOKEN_INFORMATION_TYPE, PVOID, PTOKEN_GROUPS, PUNICODE_STRING,
                                      PUNICODE_STRING, PVOID, SECPKG_SESSIONINFO_TYPE, PHANDLE, PNTSTATUS)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_credi_read(PLUID, ULONG, LPWSTR, ULONG, ULONG, PENCRYPTED_CREDENTIALW *)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI refuse_credi_read_domain(PLUID, ULONG, PCREDENTIAL_TARGET_INFORMATIONW, ULONG, PULONG,
                                        PENCRYPTED_CREDENTIALW **)
{
    return STATUS_NOT_SUPPORTED;
}

VOID NTAPI refuse_credi_free(ULONG, PENCRYPTED_CREDENTIALW *)
{
}

NTSTATUS NTAPI refuse_credi_write(PLUID, ULONG, PENCRYPTED_CREDENTIALW, ULONG)
{
    return STATUS_NOT_SUPPORTED;
}
