/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The calls of a performance counter provider, which the registry's HKEY_PERFORMANCE_DATA makes. This LSA has no
 * counters: a provider says so by collecting zero objects (Windows SDK, "CollectPerformanceData").
 */
#include <countersign/sspi_extra.h>

DWORD WINAPI OpenLsaPerformanceData(LPWSTR)
{
    return ERROR_SUCCESS;
}

DWORD WINAPI CollectLsaPerformanceData(LPWSTR, LPVOID *, LPDWORD TotalBytes, LPDWORD ObjectTypes)
{
    *TotalBytes = 0;
    *ObjectTypes = 0;
    return ERROR_SUCCESS;
}

DWORD WINAPI CloseLsaPerformanceData(void)
{
    return ERROR_SUCCESS;
}
