/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The exports whose work is still to come. Each refuses with the status that Windows has for a function a package does
 * not support, and touches nothing its caller passes. unsupported.tsv lists them with what will bring them, for the
 * README and for tests/exports, which compares; a function that gets its work leaves this file and that list.
 */
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>

#include <countersign/sspi_extra.h>

static BOOLEAN fail(void)
{
    SetLastError(ERROR_NOT_SUPPORTED);
    return FALSE;
}

/* Accounts */

SECURITY_STATUS WINAPI ChangeAccountPasswordA(SEC_CHAR *, SEC_CHAR *, SEC_CHAR *, SEC_CHAR *, SEC_CHAR *, BOOLEAN,
                                              ULONG, PSecBufferDesc)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI ChangeAccountPasswordW(SEC_WCHAR *, SEC_WCHAR *, SEC_WCHAR *, SEC_WCHAR *, SEC_WCHAR *, BOOLEAN,
                                              ULONG, PSecBufferDesc)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI GetSecurityUserInfo(PLUID, ULONG, struct _SECURITY_USER_DATA **)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

BOOLEAN WINAPI TranslateNameA(LPCSTR, EXTENDED_NAME_FORMAT, EXTENDED_NAME_FORMAT, LPSTR, PULONG)
{
    return fail();
}

BOOLEAN WINAPI TranslateNameW(LPCWSTR, EXTENDED_NAME_FORMAT, EXTENDED_NAME_FORMAT, LPWSTR, PULONG)
{
    return fail();
}

/* What the parameters of the Secp functions are is not published. */
BOOLEAN WINAPI SecpTranslateName(void *, void *, void *, void *, void *, void *)
{
    return fail();
}

BOOLEAN WINAPI SecpTranslateNameEx(void *, void *, void *, void *, void *, void *)
{
    return fail();
}

VOID WINAPI SecpFreeMemory(void *)
{
}

/* Targets in the credential manager. ntsecpkg.h's declarations of these two are wrong on i386: see sspi_extra.h. */

NTSTATUS WINAPI CredMarshalTargetInfo(void *, PUSHORT *, PULONG)
{
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS WINAPI CredUnmarshalTargetInfo(PUSHORT, ULONG, void *, PULONG)
{
    return STATUS_NOT_SUPPORTED;
}

/* Properties of the thread's next call */

SECURITY_STATUS WINAPI SeciAllocateAndSetCallFlags(ULONG, PBOOL)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SeciAllocateAndSetIPAddress(PUCHAR, ULONG, PBOOL)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}

SECURITY_STATUS WINAPI SeciFreeCallContext(void)
{
    return SEC_E_UNSUPPORTED_FUNCTION;
}
