/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is no security package, or one that does not come to be: SEC_E_SECPKG_NOT_FOUND, nothing listed, and the DLL is
 * gone again.
 */
#include "cases.h"
#include "packages.h"

#include <stdio.h>

static const ULONG types[] = {SECPKG_OPTIONS_TYPE_UNKNOWN, SECPKG_OPTIONS_TYPE_LSA, SECPKG_OPTIONS_TYPE_SSPI};

/* By both functions, without options and with each type. */
static BOOL is_refused(const char *name)
{
    WCHAR wide[MAX_PATH];
    const ULONG before = listed_count();
    BOOL refused = AddSecurityPackageA((char *)name, NULL) == SEC_E_SECPKG_NOT_FOUND;
    if (name) MultiByteToWideChar(CP_ACP, 0, name, -1, wide, ARRAYSIZE(wide));
    for (ULONG i = 0; i < ARRAYSIZE(types); i++) {
        SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof options, .Type = types[i]};
        refused &= AddSecurityPackageW(name ? wide : NULL, &options) == SEC_E_SECPKG_NOT_FOUND;
    }
    return refused && listed_count() == before;
}

/* A text file beside the program. */
static BOOL write_file(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) return FALSE;
    fputs("This is no DLL.\n", file);
    return !fclose(file);
}

static void test_files(void)
{
    char path[MAX_PATH], *end;
    GetModuleFileNameA(NULL, path, sizeof path);
    end = strrchr(path, '\\') + 1;
    strcpy(end, "text.dll");
    check(write_file(path) && is_refused("text.dll") && is_refused(path), "a file that is no DLL");
    remove(path);
    strcpy(end, "missing.dll");
    check(is_refused("missing.dll") && is_refused(path), "a missing file");
    check(is_refused("C:\\no\\such\\folder\\package.dll"), "a missing folder");
    *end = 0;
    check(is_refused(path), "a folder");
    check(is_refused(""), "an empty name");
    check(is_refused(NULL), "no name");
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = 0;
    check(is_refused(path), "a name as long as a path may be");
}

static void test_others(void)
{
    check(is_refused("not_package.dll") && is_refused("not_package"), "a DLL without the entry points");
    check(!GetModuleHandleA("not_package.dll"), "it is not left loaded");
    check(is_refused("kernel32.dll"), "kernel32.dll");
    check(is_refused("secur32.dll") && is_refused("security.dll") && is_refused("sspicli.dll"),
          "secur32.dll, security.dll, sspicli.dll, which hand out SSPI's functions and are no packages");
}

/* Each way in which broken.dll can be broken; whatever it has started is shut down before it goes. */
static void test_broken(void)
{
    static const char *const ways[] = {
        "SpLsaModeInitialize", "no table", "no tables", "no GetInfo", "Initialize", "GetInfo",
        "InstanceInit",        "Name",     "Comment",   "SSPI",       "SSPI name",  "SSPI list"};
    for (ULONG i = 0; i < ARRAYSIZE(ways); i++) {
        char what[64], value[8];
        snprintf(what, sizeof what, "a package that is broken: %s", ways[i]);
        SetEnvironmentVariableA("BROKEN", ways[i]);
        check(is_refused("broken.dll") && !GetModuleHandleA("broken.dll"), what);
        snprintf(what, sizeof what, "it is not left running: %s", ways[i]);
        check(!GetEnvironmentVariableA("BROKEN_RUNS", value, sizeof value), what);
        SetEnvironmentVariableA("BROKEN_RUNS", NULL);
    }
}

void test_refusals(void)
{
    section("AddSecurityPackage refuses");
    test_files();
    test_others();
    section("SpLsaModeInitialize, SpInitialize, SpGetInfo");
    test_broken();
}
