/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of packages.
 */
#include <countersign/sspi_extra.h>

/* secur32 holds the list from its start: there is nothing left to cache. */
SECURITY_STATUS WINAPI SecCacheSspiPackages(void)
{
    return SEC_E_OK;
}
