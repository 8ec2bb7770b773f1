/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the LSA calls share.
 */
#ifndef SECUR32_LSA_H
#define SECUR32_LSA_H

#include <windows.h>

/* Whether HANDLE is what LsaConnectUntrusted gave, as far as a kernel handle can be told apart. */
BOOL lsa_is_connection(HANDLE handle);

#endif
