/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of security packages: our own, those that the registry names, and those that the program adds.
 */
#include "package_join.h"
#include "package_lists.h"
#include "secur32.h"

#include <stdio.h>

enum { MAX_PACKAGES = 64 };

/* In the order in which Windows lists them (packages.tsv). */
static const WCHAR *const own_dlls[] = {L"negotiate.dll", L"kerberos.dll", L"msv1_0.dll", L"schannel.dll"};

/* Others that stand in Windows's lists, in one version or another, where Windows brings them. */
static const WCHAR *const windows_dlls[] = {L"wdigest", L"tspkg",  L"pku2u",    L"cloudap", L"livessp",
                                            L"credssp", L"digest", L"msapsspc", L"msnsspc"};

/* Read without the lock, which those take who add: a package is there before the count says so. */
static struct {
    INIT_ONCE once;
    CRITICAL_SECTION lock; /* entered again by a package that calls secur32 while it starts */
    volatile LONG ready;
    BOOL loading;
    volatile LONG count;
    struct package *packages[MAX_PACKAGES];
} table = {.once = INIT_ONCE_STATIC_INIT};

static BOOL CALLBACK make_lock(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    InitializeCriticalSection(&table.lock);
    return TRUE;
}

static void enter(void)
{
    InitOnceExecuteOnce(&table.once, make_lock, NULL, NULL);
    EnterCriticalSection(&table.lock);
}

static void list_package(struct package *package)
{
    if (table.count == MAX_PACKAGES) return; /* a package that adds others from its start may have filled it */
    table.packages[table.count] = package;
    InterlockedIncrement(&table.count);
}

/* The joined packages of MODULE go into the table as far as there is room. */
static SECURITY_STATUS list_module(HMODULE module, ULONG type, BOOL own)
{
    struct package *joined[MAX_PACKAGES];
    const ULONG room = MAX_PACKAGES - (ULONG)table.count;
    const ULONG count = package_join(module, type, (ULONG)table.count, joined, room);
    for (ULONG i = 0; i < count; i++) {
        joined[i]->own = own;
        list_package(joined[i]);
    }
    if (count) return SEC_E_OK;
    return room ? SEC_E_SECPKG_NOT_FOUND : SEC_E_INSUFFICIENT_MEMORY;
}

static void load_own(const WCHAR *name)
{
    HMODULE module = LoadLibraryW(name);
    if (module)
        list_module(module, SECPKG_OPTIONS_TYPE_LSA, TRUE);
    else
        fprintf(stderr, "countersign: %ls cannot be loaded (error %lu); is it, and countersign.dll, in system32?\n",
                name, GetLastError());
}

static BOOL is_one_of(const WCHAR *name, const WCHAR *const *list, SIZE_T count)
{
    for (SIZE_T i = 0; i < count; i++)
        if (package_same_dll(name, list[i])) return TRUE;
    return FALSE;
}

static void load_listed(const WCHAR *dll)
{
    if (is_one_of(dll, own_dlls, ARRAYSIZE(own_dlls)) || is_one_of(dll, windows_dlls, ARRAYSIZE(windows_dlls))) return;
    if (packages_add(dll, SECPKG_OPTIONS_TYPE_UNKNOWN))
        fprintf(stderr, "countersign: %ls, which the registry lists, cannot be loaded or is no security package\n",
                dll);
}

/* Once. A package that calls secur32 from its start sees what is there so far; other threads wait for all of it. */
static void load_all(void)
{
    if (table.ready) return;
    enter();
    if (!table.ready && !table.loading) {
        table.loading = TRUE;
        for (ULONG i = 0; i < ARRAYSIZE(own_dlls); i++) load_own(own_dlls[i]);
        package_lists_each(load_listed);
        InterlockedExchange(&table.ready, 1);
    }
    LeaveCriticalSection(&table.lock);
}

ULONG packages_count(void)
{
    load_all();
    return (ULONG)table.count;
}

const struct package *packages_at(ULONG number)
{
    if (number >= packages_count() || table.packages[number]->deleted) return NULL;
    return table.packages[number];
}

const struct package *packages_find(const WCHAR *name)
{
    const ULONG count = packages_count();
    for (ULONG i = 0; name && i < count; i++) {
        const struct package *package = packages_at(i);
        if (package && !_wcsicmp(package->info.Name, name)) return package;
    }
    return NULL;
}

/* FALSE: none of MODULE's is in the table. */
static BOOL list_again(HMODULE module)
{
    BOOL found = FALSE;
    for (LONG i = 0; i < table.count; i++) {
        if (table.packages[i]->module != module) continue;
        InterlockedExchange(&table.packages[i]->deleted, FALSE);
        found = TRUE;
    }
    return found;
}

/* A bare name is looked for beside the program and in system32, never in the current folder. */
static HMODULE load_library(const WCHAR *dll)
{
    const BOOL path = wcspbrk(dll, L"\\/") != NULL;
    if (path && dll[1] != ':' && !(dll[0] == '\\' && dll[1] == '\\')) return NULL;
    return LoadLibraryExW(dll, NULL, path ? LOAD_WITH_ALTERED_SEARCH_PATH : LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
}

SECURITY_STATUS packages_add(const WCHAR *dll, ULONG type)
{
    HMODULE module = dll && *dll ? load_library(dll) : NULL;
    SECURITY_STATUS status = SEC_E_OK;
    if (!module) return SEC_E_SECPKG_NOT_FOUND;
    load_all();
    enter();
    if (!list_again(module)) status = list_module(module, type, FALSE);
    LeaveCriticalSection(&table.lock);
    FreeLibrary(module); /* one that has joined is pinned */
    return status;
}

/* PATH: what a path may be long; gets the package's DLL. */
static BOOL is_named(const struct package *package, const WCHAR *name, WCHAR *path)
{
    if (!GetModuleFileNameW(package->module, path, MAX_PATH)) return FALSE;
    return !_wcsicmp(package->info.Name, name) || package_same_dll(path, name);
}

SECURITY_STATUS packages_delete(const WCHAR *name, WCHAR *dll)
{
    WCHAR path[MAX_PATH];
    SECURITY_STATUS status = SEC_E_SECPKG_NOT_FOUND;
    load_all();
    enter();
    for (LONG i = 0; name && i < table.count && status != SEC_E_UNSUPPORTED_FUNCTION; i++) {
        struct package *package = table.packages[i];
        if (package->deleted || !is_named(package, name, path)) continue;
        status = package->own ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_OK; /* ours stand first */
        wcscpy(dll, path);
        InterlockedExchange(&package->deleted, !package->own);
    }
    LeaveCriticalSection(&table.lock);
    return status;
}
