/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which module has called AcquireCredentialsHandle. Windows's own HTTP clients know more of Schannel than the structure
 * says that Wine's pass to it; what they are is told to the package as an attribute of the call.
 */
#include "call_origin.h"

#include <winternl.h>
#include <string.h>

static struct {
    INIT_ONCE once;
    DWORD slot;
} origin = {.once = INIT_ONCE_STATIC_INIT, .slot = TLS_OUT_OF_INDEXES};

static BOOL CALLBACK take_slot(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    origin.slot = TlsAlloc();
    return TRUE;
}

void call_origin_set(const void *address)
{
    const DWORD error = GetLastError();
    InitOnceExecuteOnce(&origin.once, take_slot, NULL, NULL);
    if (origin.slot != TLS_OUT_OF_INDEXES) TlsSetValue(origin.slot, (void *)address);
    SetLastError(error);
}

static BOOL is_in(const void *address, const WCHAR *name)
{
    HMODULE expected = GetModuleHandleW(name), module;
    const DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    return expected && GetModuleHandleExW(flags, address, &module) && module == expected;
}

BOOL call_origin_is_http(void)
{
    const DWORD error = GetLastError();
    const void *address = origin.slot == TLS_OUT_OF_INDEXES ? NULL : TlsGetValue(origin.slot);
    const BOOL http = address && (is_in(address, L"winhttp.dll") || is_in(address, L"wininet.dll"));
    SetLastError(error);
    return http;
}
