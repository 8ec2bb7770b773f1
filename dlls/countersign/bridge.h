/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bridge: what countersign.dll exports to the security packages.
 */
#ifndef COUNTERSIGN_BRIDGE_H
#define COUNTERSIGN_BRIDGE_H

#include "blocks.h"

#include <windows.h>
#include <winternl.h>

/* Whether the Unix half is there and of the same version. The first caller learns why not on standard error. */
BOOL WINAPI CountersignReady(void);

/*
 * Calls the Unix half: CALL is an enum cs_call, BLOCK its parameter block. Yields the call's SECURITY_STATUS;
 * STATUS_ACCESS_VIOLATION when it faulted on an address in the block, with a lock perhaps still held; after
 * CountersignReady has said no, or on the way out of the process, SEC_E_SECPKG_NOT_FOUND.
 */
NTSTATUS WINAPI CountersignCall(ULONG call, void *block);

#endif
