/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which module has called AcquireCredentialsHandle.
 */
#ifndef SECUR32_CALL_ORIGIN_H
#define SECUR32_CALL_ORIGIN_H

#include <windows.h>

/* The call at hand, on this thread, returns to ADDRESS; NULL: it is over. */
void call_origin_set(const void *address);

/* Whether winhttp.dll or wininet.dll makes it. */
BOOL call_origin_is_http(void);

#endif
