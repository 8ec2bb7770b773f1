/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bridge, for the few things that secur32 asks of it itself. It is there when one of our packages is loaded.
 */
#ifndef SECUR32_BRIDGE_CALL_H
#define SECUR32_BRIDGE_CALL_H

#include "blocks.h"

#include <windows.h>
#include <winternl.h>

/* CountersignCall; SEC_E_SECPKG_NOT_FOUND without the bridge, or when it has no Unix half. */
NTSTATUS call_bridge(ULONG call, void *block);

#endif
