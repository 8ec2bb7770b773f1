/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of status codes. A code without a name is shown as a number and still compares.
 */
#include "status.h"

struct named_code {
    DWORD code;
    const char *name;
};

static const struct named_code statuses[] = {
    {0x00000000, "SEC_E_OK"},
    {0x00090312, "SEC_I_CONTINUE_NEEDED"},
    {0x00090313, "SEC_I_COMPLETE_NEEDED"},
    {0x00090314, "SEC_I_COMPLETE_AND_CONTINUE"},
    {0x00090317, "SEC_I_CONTEXT_EXPIRED"},
    {0x00090321, "SEC_I_RENEGOTIATE"},
    {0x80090300, "SEC_E_INSUFFICIENT_MEMORY"},
    {0x80090301, "SEC_E_INVALID_HANDLE"},
    {0x80090302, "SEC_E_UNSUPPORTED_FUNCTION"},
    {0x80090303, "SEC_E_TARGET_UNKNOWN"},
    {0x80090304, "SEC_E_INTERNAL_ERROR"},
    {0x80090305, "SEC_E_SECPKG_NOT_FOUND"},
    {0x80090306, "SEC_E_NOT_OWNER"},
    {0x80090308, "SEC_E_INVALID_TOKEN"},
    {0x8009030a, "SEC_E_QOP_NOT_SUPPORTED"},
    {0x8009030b, "SEC_E_NO_IMPERSONATION"},
    {0x8009030c, "SEC_E_LOGON_DENIED"},
    {0x8009030d, "SEC_E_UNKNOWN_CREDENTIALS"},
    {0x8009030e, "SEC_E_NO_CREDENTIALS"},
    {0x8009030f, "SEC_E_MESSAGE_ALTERED"},
    {0x80090310, "SEC_E_OUT_OF_SEQUENCE"},
    {0x80090311, "SEC_E_NO_AUTHENTICATING_AUTHORITY"},
    {0x80090317, "SEC_E_CONTEXT_EXPIRED"},
    {0x80090318, "SEC_E_INCOMPLETE_MESSAGE"},
    {0x80090321, "SEC_E_BUFFER_TOO_SMALL"},
    {0x80090322, "SEC_E_WRONG_PRINCIPAL"},
    {0x80090329, "SEC_E_ENCRYPT_FAILURE"},
    {0x80090330, "SEC_E_DECRYPT_FAILURE"},
    {0x80090332, "SEC_E_SECURITY_QOS_FAILED"},
    {0x80090334, "SEC_E_NO_TGT_REPLY"},
    {0x80090337, "SEC_E_CRYPTO_SYSTEM_INVALID"},
    {0x80090346, "SEC_E_BAD_BINDINGS"},
    {0x8009035d, "SEC_E_INVALID_PARAMETER"},
    {0xc0000001, "STATUS_UNSUCCESSFUL"},
    {0xc0000002, "STATUS_NOT_IMPLEMENTED"},
    {0xc0000005, "STATUS_ACCESS_VIOLATION"},
    {0xc0000008, "STATUS_INVALID_HANDLE"},
    {0xc000000d, "STATUS_INVALID_PARAMETER"},
    {0xc000005f, "STATUS_NO_SUCH_LOGON_SESSION"},
    {0xc000006d, "STATUS_LOGON_FAILURE"},
    {0xc00000fe, "STATUS_NO_SUCH_PACKAGE"},
};

static const struct named_code errors[] = {
    {ERROR_SUCCESS, "ERROR_SUCCESS"},
    {ERROR_NOT_SUPPORTED, "ERROR_NOT_SUPPORTED"},
    {ERROR_INVALID_PARAMETER, "ERROR_INVALID_PARAMETER"},
    {ERROR_CALL_NOT_IMPLEMENTED, "ERROR_CALL_NOT_IMPLEMENTED"},
    {ERROR_INSUFFICIENT_BUFFER, "ERROR_INSUFFICIENT_BUFFER"},
    {ERROR_MORE_DATA, "ERROR_MORE_DATA"},
    {ERROR_NO_SUCH_USER, "ERROR_NO_SUCH_USER"},
    {ERROR_NONE_MAPPED, "ERROR_NONE_MAPPED"},
    {ERROR_CANT_ACCESS_DOMAIN_INFO, "ERROR_CANT_ACCESS_DOMAIN_INFO"},
    {11001, "WSAHOST_NOT_FOUND"},
};

static const char *find_name(const struct named_code *codes, size_t count, DWORD code, char *buffer)
{
    for (size_t i = 0; i < count; i++)
        if (codes[i].code == code) return codes[i].name;
    snprintf(buffer, STATUS_NAME_MAX, "0x%08lx", code);
    return buffer;
}

const char *status_name(LONG status, char *buffer)
{
    return find_name(statuses, COUNT_OF(statuses), (DWORD)status, buffer);
}

const char *error_name(DWORD error, char *buffer)
{
    return find_name(errors, COUNT_OF(errors), error, buffer);
}
