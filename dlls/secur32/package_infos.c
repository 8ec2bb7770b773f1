/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions that list packages.
 */
#include "secur32.h"
#include "trace.h"

#include <string.h>

static SIZE_T text_bytes(const WCHAR *text)
{
    return (wcslen(text) + 1) * sizeof(WCHAR);
}

static WCHAR *place_text(BYTE **end, const WCHAR *text)
{
    WCHAR *copy = memcpy(*end, text, text_bytes(text));
    *end += text_bytes(text);
    return copy;
}

/* One block that one FreeContextBuffer frees (behaviour.md row 2). */
static SecPkgInfoW *copy_infos(const struct package *const *packages, ULONG count)
{
    SIZE_T size = count * sizeof(SecPkgInfoW);
    for (ULONG i = 0; i < count; i++)
        size += text_bytes(packages[i]->info.Name) + text_bytes(packages[i]->info.Comment);
    SecPkgInfoW *infos = HeapAlloc(GetProcessHeap(), 0, size);
    BYTE *end = (BYTE *)(infos + count);
    for (ULONG i = 0; infos && i < count; i++) {
        infos[i] = packages[i]->info;
        infos[i].Name = place_text(&end, packages[i]->info.Name);
        infos[i].Comment = place_text(&end, packages[i]->info.Comment);
    }
    return infos;
}

static SIZE_T ansi_bytes(const WCHAR *text)
{
    return (SIZE_T)WideCharToMultiByte(CP_ACP, 0, text, -1, NULL, 0, NULL, NULL);
}

static char *place_ansi(char **end, const WCHAR *text)
{
    char *copy = *end;
    *end += WideCharToMultiByte(CP_ACP, 0, text, -1, copy, (int)ansi_bytes(text), NULL, NULL);
    return copy;
}

static SecPkgInfoA *copy_infos_ansi(const SecPkgInfoW *infos, ULONG count)
{
    SIZE_T size = count * sizeof(SecPkgInfoA);
    for (ULONG i = 0; i < count; i++) size += ansi_bytes(infos[i].Name) + ansi_bytes(infos[i].Comment);
    SecPkgInfoA *copies = HeapAlloc(GetProcessHeap(), 0, size);
    char *end = (char *)(copies + count);
    for (ULONG i = 0; copies && i < count; i++) {
        copies[i] = (SecPkgInfoA){.fCapabilities = infos[i].fCapabilities,
                                  .wVersion = infos[i].wVersion,
                                  .wRPCID = infos[i].wRPCID,
                                  .cbMaxToken = infos[i].cbMaxToken};
        copies[i].Name = place_ansi(&end, infos[i].Name);
        copies[i].Comment = place_ansi(&end, infos[i].Comment);
    }
    return copies;
}

SecPkgInfoA *ansi_package_info(const SecPkgInfoW *info)
{
    return copy_infos_ansi(info, 1);
}

/* *count of those that are listed now, in an array to be freed. NULL without memory. */
static const struct package **listed_packages(ULONG *count)
{
    const ULONG all = packages_count();
    const struct package **listed = HeapAlloc(GetProcessHeap(), 0, all * sizeof *listed);
    *count = 0;
    for (ULONG i = 0; listed && i < all; i++) {
        listed[*count] = packages_at(i);
        if (listed[*count]) ++*count;
    }
    return listed;
}

SECURITY_STATUS WINAPI EnumerateSecurityPackagesW(ULONG *count, PSecPkgInfoW *infos)
{
    const INT64 start = trace_start();
    ULONG number;
    const struct package **listed = listed_packages(&number);
    *count = 0;
    *infos = listed ? copy_infos(listed, number) : NULL;
    if (*infos) *count = number;
    HeapFree(GetProcessHeap(), 0, listed);
    return trace_end(start, &(struct trace_record){.function = __func__},
                     *infos ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY);
}

SECURITY_STATUS WINAPI EnumerateSecurityPackagesA(ULONG *count, PSecPkgInfoA *infos)
{
    PSecPkgInfoW wide;
    SECURITY_STATUS status = EnumerateSecurityPackagesW(count, &wide);
    if (status) return status;
    *infos = copy_infos_ansi(wide, *count);
    FreeContextBuffer(wide);
    return *infos ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* An unknown name leaves the output pointer as it was (behaviour.md rows 6 and 7). */
SECURITY_STATUS WINAPI QuerySecurityPackageInfoW(SEC_WCHAR *name, PSecPkgInfoW *info)
{
    const INT64 start = trace_start();
    const struct package *package = packages_find(name);
    SECURITY_STATUS status = SEC_E_SECPKG_NOT_FOUND;
    if (package) {
        *info = copy_infos(&package, 1);
        status = *info ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
    }
    return trace_end(start, &(struct trace_record){.function = __func__, .package = name}, status);
}

SECURITY_STATUS WINAPI QuerySecurityPackageInfoA(SEC_CHAR *name, PSecPkgInfoA *info)
{
    WCHAR *wide_name = wide_of(name);
    PSecPkgInfoW wide;
    SECURITY_STATUS status = QuerySecurityPackageInfoW(wide_name, &wide);
    HeapFree(GetProcessHeap(), 0, wide_name);
    if (status) return status;
    *info = ansi_package_info(wide);
    FreeContextBuffer(wide);
    return *info ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* Everything that secur32 and its packages hand out is of the process heap. */
SECURITY_STATUS WINAPI FreeContextBuffer(void *memory)
{
    HeapFree(GetProcessHeap(), 0, memory);
    return SEC_E_OK;
}
