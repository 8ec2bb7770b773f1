/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * security.dll: the old name of secur32.dll. All it has are the forwards in its spec file.
 */
#include <windows.h>

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) DisableThreadLibraryCalls(instance);
    return TRUE;
}
