/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Windows program that is built with nothing of ours but the installed headers and import libraries: it calls one
 * function of each of secur32, sspicli and security, two of which mingw-w64's own headers do not declare.
 */
#include <windows.h>
#include <security.h>
#include <countersign/sspi_extra.h>
#include <stdio.h>

int main(void)
{
    SecPkgInfoA *packages = NULL;
    ULONG count = 0;
    const DWORD secur32 = OpenLsaPerformanceData(NULL);
    const SECURITY_STATUS sspicli = SecCacheSspiPackages();
    const SECURITY_STATUS security = EnumerateSecurityPackagesA(&count, &packages);
    printf("secur32 %lu, sspicli %ld, security %ld, %lu packages\n", secur32, sspicli, security, count);
    if (packages) FreeContextBuffer(packages);
    return secur32 || sspicli || security || !count;
}
