/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packages that a program adds and deletes: for itself, and with SECPKG_OPTIONS_PERMANENT for every process that starts
 * after.
 */
#include "package_lists.h"
#include "secur32.h"
#include "trace.h"

static SECURITY_STATUS add_package(const WCHAR *dll, const SECURITY_PACKAGE_OPTIONS *options)
{
    const ULONG type = options ? options->Type : SECPKG_OPTIONS_TYPE_UNKNOWN;
    SECURITY_STATUS status = packages_add(dll, type);
    if (status || !options || !(options->Flags & SECPKG_OPTIONS_PERMANENT)) return status;
    return package_lists_add(dll, type) ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

SECURITY_STATUS WINAPI AddSecurityPackageW(LPWSTR name, PSECURITY_PACKAGE_OPTIONS options)
{
    const INT64 start = trace_start();
    return trace_end(start, &(struct trace_record){.function = __func__, .package = name}, add_package(name, options));
}

SECURITY_STATUS WINAPI AddSecurityPackageA(LPSTR name, PSECURITY_PACKAGE_OPTIONS options)
{
    WCHAR *wide = wide_of(name);
    SECURITY_STATUS status = AddSecurityPackageW(wide, options);
    HeapFree(GetProcessHeap(), 0, wide);
    return status;
}

/* The registry names DLLs. A name that is only there is taken away too: nobody else could, once its DLL is gone. */
static SECURITY_STATUS delete_package(const WCHAR *name)
{
    WCHAR dll[MAX_PATH];
    SECURITY_STATUS status = packages_delete(name, dll);
    if (!name || status == SEC_E_UNSUPPORTED_FUNCTION) return status;
    return package_lists_remove(status == SEC_E_OK ? dll : name) ? status : SEC_E_INTERNAL_ERROR;
}

SECURITY_STATUS WINAPI DeleteSecurityPackageW(SEC_WCHAR *name)
{
    const INT64 start = trace_start();
    return trace_end(start, &(struct trace_record){.function = __func__, .package = name}, delete_package(name));
}

SECURITY_STATUS WINAPI DeleteSecurityPackageA(SEC_CHAR *name)
{
    WCHAR *wide = wide_of(name);
    SECURITY_STATUS status = DeleteSecurityPackageW(wide);
    HeapFree(GetProcessHeap(), 0, wide);
    return status;
}
