/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions that Windows 10's LSA has behind CrediWrite. Debian 12's headers (mingw-w64 10) end there, so that
 * nothing here has their types. Each refuses, and touches nothing, as those of package_host_refusals.c.
 */
#define WIN32_NO_STATUS
#include "package_host_refusals.h"
#undef WIN32_NO_STATUS
#include <ntstatus.h>

static NTSTATUS NTAPI unmarshal_and_decode_string(void *string, void *blob, void *size, void *fatal)
{
    (void)string, (void)blob, (void)size, (void)fatal;
    return STATUS_NOT_SUPPORTED;
}

static void NTAPI dummy(void *memory, ULONG size)
{
    (void)memory, (void)size;
}

static NTSTATUS NTAPI get_extended_call_flags(void *flags)
{
    (void)flags;
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI duplicate_token_handle(HANDLE source, void *destination)
{
    (void)source, (void)destination;
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI get_service_account_password(void *account, void *domain, ULONG fetch, void *expiry,
                                                   void *current, void *previous, void *valid)
{
    (void)account, (void)domain, (void)fetch, (void)expiry, (void)current, (void)previous, (void)valid;
    return STATUS_NOT_SUPPORTED;
}

static void NTAPI audit_logon_ex(NTSTATUS status, NTSTATUS sub_status, void *account, void *authority,
                                 void *workstation, void *user, ULONG type, ULONG level, void *source, void *logon_id)
{
    (void)status, (void)sub_status, (void)account, (void)authority, (void)workstation, (void)user, (void)type;
    (void)level, (void)source, (void)logon_id;
}

static NTSTATUS NTAPI check_protected_user_by_token(HANDLE token, void *is_protected)
{
    (void)token, (void)is_protected;
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI query_client_request(void *request, ULONG type, void *reply)
{
    (void)request, (void)type, (void)reply;
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI get_app_mode_info(void *function, void *first, void *second, void *data, void *returns)
{
    (void)function, (void)first, (void)second, (void)data, (void)returns;
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI set_app_mode_info(ULONG function, ULONG_PTR first, ULONG_PTR second, void *data, BOOLEAN returns)
{
    (void)function, (void)first, (void)second, (void)data, (void)returns;
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS NTAPI get_client_info_ex(void *client, ULONG size)
{
    (void)client, (void)size;
    return STATUS_NOT_SUPPORTED;
}

void *const package_host_newer[HOST_NEWER] = {
    unmarshal_and_decode_string,
    dummy,
    get_extended_call_flags,
    duplicate_token_handle,
    get_service_account_password,
    dummy,
    audit_logon_ex,
    check_protected_user_by_token,
    query_client_request,
    get_app_mode_info,
    set_app_mode_info,
    get_client_info_ex,
};
