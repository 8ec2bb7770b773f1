/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How large the structures of attributes are: what the queries with Ex compare with, and secur32 touches beforehand.
 */
#ifndef SSPICLI_ATTRIBUTES_EX_H
#define SSPICLI_ATTRIBUTES_EX_H

#include <windows.h>

/* Bytes of the structure of SECPKG_ATTR_ or SECPKG_CRED_ATTR_ ATTRIBUTE, A or W; 0 for one that is not known here. */
ULONG context_attribute_size(ULONG attribute);
ULONG credential_attribute_size(ULONG attribute);

#endif
