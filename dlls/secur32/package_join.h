/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a DLL becomes a security package of this process: by the entry points that Windows knows.
 */
#ifndef SECUR32_PACKAGE_JOIN_H
#define SECUR32_PACKAGE_JOIN_H

#include "secur32.h"

/*
 * Starts the packages of MODULE and pins it. TYPE: SECPKG_OPTIONS_TYPE_LSA asks for SpLsaModeInitialize, _SSPI for
 * InitSecurityInterfaceW, _UNKNOWN for either. The first is told NUMBER as its identifier, the next NUMBER + 1. Fills
 * JOINED, at most ROOM, of the process heap, and yields how many: 0 for a DLL that is no package.
 */
ULONG package_join(HMODULE module, ULONG type, ULONG number, struct package **joined, ULONG room);

#endif
