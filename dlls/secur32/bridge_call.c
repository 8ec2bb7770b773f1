/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls through the bridge that no package makes.
 */
#include "bridge_call.h"

#include <sspi.h>

NTSTATUS call_bridge(ULONG call, void *block)
{
    typedef NTSTATUS(WINAPI * bridge_call)(ULONG call, void *block);
    HMODULE bridge = GetModuleHandleW(L"countersign.dll");
    bridge_call function = bridge ? (bridge_call)(void *)GetProcAddress(bridge, "CountersignCall") : NULL;
    return function ? function(call, block) : SEC_E_SECPKG_NOT_FOUND;
}
