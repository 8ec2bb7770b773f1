/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packages are added, listed, and taken away.
 */
#include "cases.h"
#include "packages.h"

#include <stdio.h>
#include <string.h>

const struct subject ssp_ap = {L"Countersign Test SSP/AP", L"ssp_ap.dll", FALSE};
const struct subject ssp = {L"Countersign Test SSP", L"ssp.dll", TRUE};

ULONG listed_count(void)
{
    ULONG count;
    SecPkgInfoW *infos;
    if (EnumerateSecurityPackagesW(&count, &infos)) return 0;
    FreeContextBuffer(infos);
    return count;
}

static ULONG times_listed(const WCHAR *package)
{
    ULONG count, times = 0;
    SecPkgInfoW *infos;
    if (EnumerateSecurityPackagesW(&count, &infos)) return 0;
    for (ULONG i = 0; i < count; i++) times += !wcscmp(infos[i].Name, package);
    FreeContextBuffer(infos);
    return times;
}

BOOL is_listed(const WCHAR *package)
{
    SecPkgInfoW *info;
    if (times_listed(package) != 1 || QuerySecurityPackageInfoW((WCHAR *)package, &info)) return FALSE;
    FreeContextBuffer(info);
    return TRUE;
}

static SECURITY_STATUS add(const WCHAR *dll, ULONG type)
{
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof options, .Type = type};
    return AddSecurityPackageW((WCHAR *)dll, &options);
}

/* The first time a DLL is loaded, the type counts. */
static void test_types(void)
{
    check_status(add(ssp_ap.dll, SECPKG_OPTIONS_TYPE_SSPI), SEC_E_SECPKG_NOT_FOUND, "an SSP/AP as an SSP");
    check_status(add(ssp.dll, SECPKG_OPTIONS_TYPE_LSA), SEC_E_SECPKG_NOT_FOUND, "an SSP as an SSP/AP");
    check(!is_listed(ssp_ap.package) && !is_listed(ssp.package), "neither is listed then");
    check_status(add(ssp_ap.dll, SECPKG_OPTIONS_TYPE_LSA), SEC_E_OK, "an SSP/AP");
    check_status(add(ssp.dll, SECPKG_OPTIONS_TYPE_UNKNOWN), SEC_E_OK, "an SSP, the type unknown");
    check_status(add(ssp_ap.dll, SECPKG_OPTIONS_TYPE_LSA), SEC_E_OK, "one that is there already");
    check(is_listed(ssp_ap.package) && is_listed(ssp.package), "each is listed once");
    check(is_listed(L"Countersign Test SSP 2"), "and so is the second package of one DLL");
    check(!add(L"negotiate.dll", SECPKG_OPTIONS_TYPE_LSA) && !add(L"msv1_0", SECPKG_OPTIONS_TYPE_UNKNOWN) &&
              !add(L"kerberos", SECPKG_OPTIONS_TYPE_LSA) && is_listed(L"Negotiate") && is_listed(L"NTLM") &&
              is_listed(L"Kerberos"),
          "our own are there already, and are not listed twice");
}

static BOOL add_and_delete(const WCHAR *dll)
{
    char name[MAX_PATH];
    WideCharToMultiByte(CP_ACP, 0, dll, -1, name, sizeof name, NULL, NULL);
    const BOOL wide = !add(dll, SECPKG_OPTIONS_TYPE_SSPI) && is_listed(ssp.package) &&
                      !DeleteSecurityPackageW((WCHAR *)dll) && !is_listed(ssp.package);
    return wide && !AddSecurityPackageA(name, NULL) && is_listed(ssp.package) && !DeleteSecurityPackageA(name) &&
           !is_listed(ssp.package);
}

/* By every name that means the DLL; it stays added. */
static void test_names(void)
{
    WCHAR path[MAX_PATH], *end;
    GetModuleFileNameW(NULL, path, ARRAYSIZE(path));
    end = wcsrchr(path, '\\') + 1;
    DeleteSecurityPackageW((WCHAR *)ssp.dll);
    check(add_and_delete(L"ssp.dll"), "a name beside the program");
    check(add_and_delete(L"SSP"), "a name in capitals without .dll");
    wcscpy(end, L"ssp.dll");
    check(add_and_delete(path), "a path");
    wcscpy(end, L"ssp");
    check(add_and_delete(path), "a path without .dll");
    for (WCHAR *at = path; *at; at++)
        if (*at == '\\') *at = '/';
    check(add_and_delete(path), "a path with Unix's slashes");
    check_status(add(L"ssp", SECPKG_OPTIONS_TYPE_SSPI), SEC_E_OK, "once more, to stay");
}

static BOOL is_ours(const SecPkgInfoW *info)
{
    return info->fCapabilities == (SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY | SECPKG_FLAG_CONNECTION) &&
           info->wVersion == 7 && info->wRPCID == 0xC5 && info->cbMaxToken == TOY_MAX_TOKEN &&
           !wcscmp(info->Comment, L"A package of the tests, with both halves");
}

static BOOL is_ours_ansi(const SecPkgInfoA *info)
{
    return info->wVersion == 7 && info->wRPCID == 0xC5 && info->cbMaxToken == TOY_MAX_TOKEN &&
           !strcmp(info->Name, "Countersign Test SSP/AP") &&
           !strcmp(info->Comment, "A package of the tests, with both halves");
}

/* All of what the package says of itself, and behind ours. */
static void test_listing(void)
{
    ULONG count, found = 0;
    SecPkgInfoW *infos, *info;
    SecPkgInfoA *ansi;
    section("EnumerateSecurityPackages");
    check(!EnumerateSecurityPackagesW(&count, &infos), "it lists");
    for (ULONG i = 0; i < count; i++)
        if (!wcscmp(infos[i].Name, ssp_ap.package) && is_ours(&infos[i])) found = i;
    check(found >= 3 && !wcscmp(infos[0].Name, L"Negotiate") && !wcscmp(infos[1].Name, L"Kerberos") &&
              !wcscmp(infos[2].Name, L"NTLM"),
          "the package with its own values, behind ours");
    FreeContextBuffer(infos);
    check(!EnumerateSecurityPackagesA(&count, &ansi) && found < count && is_ours_ansi(&ansi[found]), "in ANSI too");
    FreeContextBuffer(ansi);
    section("QuerySecurityPackageInfo");
    check(!QuerySecurityPackageInfoW((WCHAR *)L"countersign test ssp/ap", &info) && is_ours(info),
          "the package's own values, whatever the name's case");
    FreeContextBuffer(info);
    check(!QuerySecurityPackageInfoA((char *)"Countersign Test SSP/AP", &ansi) && is_ours_ansi(ansi), "in ANSI too");
    FreeContextBuffer(ansi);
}

/* The package has looked at what it was given. */
static void test_host(void)
{
    const struct counters counters = counters_of(&ssp_ap);
    char what[160];
    section("SpInitialize");
    check(counters.initialized == 1, "called once, however often the package is added");
    check(counters.missing == 0, "no function of LSA_SECPKG_FUNCTION_TABLE is NULL");
    snprintf(what, sizeof what, "what the host lends works%s%s", counters.host_fault ? ", but not " : "",
             counters.host_fault ? counters.host_fault : "");
    check(!counters.host_fault, what);
    section("SpInstanceInit");
    check(counters.instances == 1, "called once, with functions");
}

void test_adding(void)
{
    section("AddSecurityPackage");
    test_types();
    test_names();
    test_listing();
    test_host();
}

/* A live pair goes on, also while the package is not there for anybody else. */
static void test_live_contexts(const struct subject *subject)
{
    struct pair pair, late = {0};
    CredHandle credential;
    TimeStamp expiry;
    check(establish_pair(subject, &pair), "two sides are established");
    check_status(DeleteSecurityPackageW((WCHAR *)subject->package), SEC_E_OK, "by the package's name");
    check(!is_listed(subject->package), "it is no longer listed");
    check_status(AcquireCredentialsHandleW(NULL, (WCHAR *)subject->package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL,
                                           NULL, &credential, &expiry),
                 SEC_E_SECPKG_NOT_FOUND, "no credentials of it any more");
    check(talk(&pair, CLIENT) && talk(&pair, SERVER), "the two sides go on");
    late.credentials[CLIENT] = pair.credentials[CLIENT];
    check(pair_leg(&late, CLIENT, TRUE) == SEC_I_CONTINUE_NEEDED && !DeleteSecurityContext(&late.contexts[CLIENT]),
          "a credential from before makes contexts");
    check(free_pair(&pair) && nothing_is_left(subject), "all of it is freed");
    check_status(DeleteSecurityPackageW((WCHAR *)subject->package), SEC_E_SECPKG_NOT_FOUND, "not a second time");
    check(!AddSecurityPackageW((WCHAR *)subject->dll, NULL) && establish_pair(subject, &pair) && talk(&pair, CLIENT) &&
              free_pair(&pair) && nothing_is_left(subject),
          "added again, it works again");
    check(counters_of(subject).initialized == 1, "it is not started again");
}

static void test_undeletable(void)
{
    check_status(DeleteSecurityPackageW((WCHAR *)L"NTLM"), SEC_E_UNSUPPORTED_FUNCTION, "NTLM stays");
    check_status(DeleteSecurityPackageW((WCHAR *)L"negotiate.dll"), SEC_E_UNSUPPORTED_FUNCTION, "negotiate.dll stays");
    check_status(DeleteSecurityPackageW((WCHAR *)L"Kerberos"), SEC_E_UNSUPPORTED_FUNCTION, "Kerberos stays");
    check(is_listed(L"NTLM") && is_listed(L"Negotiate") && is_listed(L"Kerberos"), "all are listed");
    check_status(DeleteSecurityPackageA((char *)"nobody"), SEC_E_SECPKG_NOT_FOUND, "one that is not there");
    check_status(DeleteSecurityPackageA((char *)""), SEC_E_SECPKG_NOT_FOUND, "an empty name");
    check_status(DeleteSecurityPackageA(NULL), SEC_E_SECPKG_NOT_FOUND, "no name, ANSI");
    check_status(DeleteSecurityPackageW(NULL), SEC_E_SECPKG_NOT_FOUND, "no name");
}

void test_deleting(const struct subject *subject)
{
    section(subject->ssp ? "DeleteSecurityPackage, an SSP" : "DeleteSecurityPackage, an SSP/AP");
    test_live_contexts(subject);
    if (subject->ssp) test_undeletable();
    check(!DeleteSecurityPackageW((WCHAR *)subject->dll) && !is_listed(subject->package), "by the DLL's name");
    check(!is_listed(L"Countersign Test SSP 2") || !subject->ssp, "with all of its packages");
}
