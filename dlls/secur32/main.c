/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * secur32.dll's entry point. It pins itself: handles and function tables outlive any FreeLibrary.
 */
#include <windows.h>

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    HMODULE pinned;
    (void)reserved;
    if (reason != DLL_PROCESS_ATTACH) return TRUE;
    DisableThreadLibraryCalls(instance);
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR)instance,
                       &pinned);
    return TRUE;
}
