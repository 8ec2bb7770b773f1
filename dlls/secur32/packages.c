/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of security packages, and the functions that list them.
 */
#include "secur32.h"
#include "trace.h"

#include <stdio.h>
#include <string.h>

/* In the order in which Windows lists them (packages.tsv). */
static const WCHAR *const package_dlls[] = {L"negotiate.dll", L"msv1_0.dll"};

static struct {
    INIT_ONCE once;
    struct package packages[ARRAYSIZE(package_dlls)];
    ULONG count;
} table = {.once = INIT_ONCE_STATIC_INIT};

/* What secur32 lends a package: one process plays LSA and program, so both heaps are the program's. */
static void *NTAPI lend_memory(ULONG size)
{
    return HeapAlloc(GetProcessHeap(), 0, size);
}

static void NTAPI take_memory(void *memory)
{
    HeapFree(GetProcessHeap(), 0, memory);
}

static NTSTATUS NTAPI copy_client_buffer(PLSA_CLIENT_REQUEST request, ULONG size, void *to, void *from)
{
    (void)request;
    memcpy(to, from, size);
    return SEC_E_OK;
}

static NTSTATUS NTAPI lend_client_buffer(PLSA_CLIENT_REQUEST request, ULONG size, void **memory)
{
    (void)request;
    *memory = lend_memory(size);
    return *memory ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static NTSTATUS NTAPI take_client_buffer(PLSA_CLIENT_REQUEST request, void *memory)
{
    (void)request;
    take_memory(memory);
    return SEC_E_OK;
}

static const LSA_SECPKG_FUNCTION_TABLE lsa_functions = {
    .AllocateLsaHeap = lend_memory,
    .FreeLsaHeap = take_memory,
    .AllocateClientBuffer = lend_client_buffer,
    .FreeClientBuffer = take_client_buffer,
    .CopyToClientBuffer = copy_client_buffer,
    .CopyFromClientBuffer = copy_client_buffer,
    .FreeReturnBuffer = take_memory,
    .AllocatePrivateHeap = (void *)lend_memory,
    .FreePrivateHeap = take_memory,
};

static const SECPKG_DLL_FUNCTIONS dll_functions = {.AllocateHeap = lend_memory, .FreeHeap = take_memory};

static BOOL join_package(HMODULE module, struct package *package)
{
    SpLsaModeInitializeFn lsa_init = (SpLsaModeInitializeFn)(void *)GetProcAddress(module, SECPKG_LSAMODEINIT_NAME);
    SpUserModeInitializeFn user_init = (SpUserModeInitializeFn)(void *)GetProcAddress(module, SECPKG_USERMODEINIT_NAME);
    PSECPKG_FUNCTION_TABLE lsa;
    PSECPKG_USER_FUNCTION_TABLE user;
    ULONG version, count;
    void *unused;

    if (!lsa_init || !user_init) return FALSE;
    if (lsa_init(SECPKG_INTERFACE_VERSION, &version, &lsa, &count) || !count) return FALSE;
    if (user_init(SECPKG_INTERFACE_VERSION, &version, &user, &count) || !count) return FALSE;
    if (lsa->Initialize(table.count, NULL, (LSA_SECPKG_FUNCTION_TABLE *)&lsa_functions)) return FALSE;
    if (user->InstanceInit(SECPKG_INTERFACE_VERSION, (SECPKG_DLL_FUNCTIONS *)&dll_functions, &unused)) return FALSE;
    package->lsa = lsa;
    package->user = user;
    return lsa->GetInfo(&package->info) == SEC_E_OK;
}

/* Packages stay: handles hold on to their functions for as long as the process lives. */
static void load_package(const WCHAR *name)
{
    HMODULE module = LoadLibraryW(name), pinned;
    if (!module) {
        fprintf(stderr, "countersign: %ls cannot be loaded (error %lu); is it, and countersign.dll, in system32?\n",
                name, GetLastError());
        return;
    }
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR)module,
                       &pinned);
    if (join_package(module, &table.packages[table.count])) table.count++;
}

static BOOL CALLBACK load_all(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    for (ULONG i = 0; i < ARRAYSIZE(package_dlls); i++) load_package(package_dlls[i]);
    return TRUE;
}

const struct package *packages_all(ULONG *count)
{
    InitOnceExecuteOnce(&table.once, load_all, NULL, NULL);
    *count = table.count;
    return table.packages;
}

const struct package *packages_find(const WCHAR *name)
{
    ULONG count;
    const struct package *packages = packages_all(&count);
    for (ULONG i = 0; name && i < count; i++)
        if (!_wcsicmp(packages[i].info.Name, name)) return &packages[i];
    return NULL;
}

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
static SecPkgInfoW *copy_infos(const struct package *packages, ULONG count)
{
    SIZE_T size = count * sizeof(SecPkgInfoW);
    for (ULONG i = 0; i < count; i++) size += text_bytes(packages[i].info.Name) + text_bytes(packages[i].info.Comment);
    SecPkgInfoW *infos = HeapAlloc(GetProcessHeap(), 0, size);
    BYTE *end = (BYTE *)(infos + count);
    for (ULONG i = 0; infos && i < count; i++) {
        infos[i] = packages[i].info;
        infos[i].Name = place_text(&end, packages[i].info.Name);
        infos[i].Comment = place_text(&end, packages[i].info.Comment);
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

SECURITY_STATUS WINAPI EnumerateSecurityPackagesW(ULONG *count, PSecPkgInfoW *infos)
{
    const INT64 start = trace_start();
    ULONG number;
    const struct package *packages = packages_all(&number);
    *count = 0;
    *infos = copy_infos(packages, number);
    if (*infos) *count = number;
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
        *info = copy_infos(package, 1);
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
