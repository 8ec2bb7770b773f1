/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Security packages that others bring: added to this process, or by the registry to all.
 *
 *     packages                     all cases of one process; their DLLs lie beside the program
 *     packages add DLL TYPE        adds it permanently: of TYPE lsa or sspi
 *     packages delete NAME         deletes a package
 *     packages use NAME DLL        finds a package that it has not added, and uses it; prints the status
 *     packages list                prints the names of all packages
 *     packages lists LSA SSPI      writes the registry's two lists; "|" stands for the end of a string in the first
 *     packages unreadable          writes lists of other types than they should have
 */
#include "cases.h"
#include "packages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_all(void)
{
    test_refusals();
    test_adding();
    test_contexts(&ssp_ap);
    test_contexts(&ssp);
    test_import(&ssp_ap);
    test_import(&ssp);
    test_lsa();
    test_lacking();
    test_threads();
    test_deleting(&ssp_ap);
    test_deleting(&ssp);
    return finish_cases();
}

static int show(SECURITY_STATUS status)
{
    printf("%08lx\n", status);
    return status != SEC_E_OK;
}

static int add(char *dll, const char *type)
{
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof options,
                                        .Type =
                                            strcmp(type, "lsa") ? SECPKG_OPTIONS_TYPE_SSPI : SECPKG_OPTIONS_TYPE_LSA,
                                        .Flags = SECPKG_OPTIONS_PERMANENT};
    return show(AddSecurityPackageA(dll, &options));
}

static int use(const char *package, const char *dll)
{
    WCHAR wide_package[64], wide_dll[64];
    const struct subject subject = {wide_package, wide_dll, FALSE};
    struct pair pair;
    MultiByteToWideChar(CP_ACP, 0, package, -1, wide_package, ARRAYSIZE(wide_package));
    MultiByteToWideChar(CP_ACP, 0, dll, -1, wide_dll, ARRAYSIZE(wide_dll));
    SECURITY_STATUS status = acquire_pair(&subject, NULL, &pair);
    if (status) return show(status);
    FreeCredentialsHandle(&pair.credentials[CLIENT]);
    FreeCredentialsHandle(&pair.credentials[SERVER]);
    if (!establish_pair(&subject, &pair) || !talk(&pair, CLIENT) || !free_pair(&pair) || !nothing_is_left(&subject))
        status = SEC_E_INTERNAL_ERROR;
    return show(status);
}

static int list(void)
{
    ULONG count;
    SecPkgInfoA *infos;
    const SECURITY_STATUS status = EnumerateSecurityPackagesA(&count, &infos);
    if (status) return show(status);
    for (ULONG i = 0; i < count; i++) puts(infos[i].Name);
    return FreeContextBuffer(infos) != SEC_E_OK;
}

static BOOL write_value(const char *key, const char *value, DWORD type, const void *data, DWORD size)
{
    HKEY handle;
    if (RegCreateKeyA(HKEY_LOCAL_MACHINE, key, &handle)) return FALSE;
    const LSTATUS status = RegSetValueExA(handle, value, 0, type, data, size);
    RegCloseKey(handle);
    return !status;
}

#define LSA_KEY "SYSTEM\\CurrentControlSet\\Control\\Lsa"
#define SSPI_KEY "SYSTEM\\CurrentControlSet\\Control\\SecurityProviders"

static int write_lists(char *lsa, const char *sspi)
{
    const DWORD size = (DWORD)strlen(lsa) + 2;
    char *copy = calloc(1, size);
    for (DWORD i = 0; copy && lsa[i]; i++) copy[i] = lsa[i] == '|' ? 0 : lsa[i];
    const BOOL written = copy && write_value(LSA_KEY, "Security Packages", REG_MULTI_SZ, copy, size) &&
                         write_value(SSPI_KEY, "SecurityProviders", REG_SZ, sspi, (DWORD)strlen(sspi) + 1);
    free(copy);
    return !written;
}

static int write_unreadable(void)
{
    const DWORD number = 4711;
    return !write_value(LSA_KEY, "Security Packages", REG_DWORD, &number, sizeof number) ||
           !write_value(SSPI_KEY, "SecurityProviders", REG_BINARY, "abc", 3);
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "";
    if (count == 1) return test_all();
    if (!strcmp(what, "add") && count == 4) return add(arguments[2], arguments[3]);
    if (!strcmp(what, "delete") && count == 3) return show(DeleteSecurityPackageA(arguments[2]));
    if (!strcmp(what, "use") && count == 4) return use(arguments[2], arguments[3]);
    if (!strcmp(what, "list")) return list();
    if (!strcmp(what, "lists") && count == 4) return write_lists(arguments[2], arguments[3]);
    if (!strcmp(what, "unreadable")) return write_unreadable();
    fprintf(stderr, "packages: see the head of packages.c\n");
    return 2;
}
