/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of security packages: enumerating, querying one, an unknown one, and what NTLM says of itself.
 */
#include "groups.h"
#include "status.h"

#include <string.h>

#define SCHANNEL_LISTED "listed once, 0x004107b3, 1, 14, 24576, Schannel Security Package"

static const struct conformance_case cases[] = {
    {"packages/init.table", "behaviour 1", "yes", NULL, WINE_SAME},
    {"packages/enumerate.A.status", "behaviour 2", "SEC_E_OK", NULL, WINE_SAME},
    {"packages/enumerate.A.filled", "behaviour 2", "yes", NULL, WINE_SAME},
    {"packages/enumerate.A.ntlm", "packages NTLM", "listed once", NULL, WINE_NEEDS_HELPER},
    {"packages/enumerate.A.free", "behaviour 2", "SEC_E_OK", NULL, WINE_SAME},
    {"packages/enumerate.W.status", "behaviour 2", "SEC_E_OK", NULL, WINE_SAME},
    {"packages/enumerate.W.filled", "behaviour 2", "yes", NULL, WINE_SAME},
    {"packages/enumerate.W.free", "behaviour 2", "SEC_E_OK", NULL, WINE_SAME},
    {"packages/enumerate.null", "behaviour 3", OBSERVED_ACCESS_VIOLATION, NULL, WINE_SAME},
    {"packages/ntlm.A.status", "behaviour 4", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"packages/ntlm.A.version", "behaviour 4", "1", NULL, WINE_NEEDS_HELPER},
    {"packages/ntlm.A.free", "behaviour 5", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"packages/ntlm.A.name", "packages NTLM", "NTLM", NULL, WINE_NEEDS_HELPER},
    {"packages/ntlm.A.comment", "packages NTLM", "NTLM Security Package", NULL, WINE_NEEDS_HELPER},
    {"packages/ntlm.A.capabilities", "packages NTLM", "0x02882b37", "6.1:0x00082b37 or 10.0:0x00882b37", WINE8_DIFFERS},
    {"packages/ntlm.A.rpc-id", "packages NTLM", "10", NULL, WINE_NEEDS_HELPER},
    {"packages/ntlm.A.max-token", "packages NTLM", "2888", "5.2:1904", WINE8_DIFFERS},
    {"packages/ntlm.W.status", "behaviour 4", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"packages/ntlm.W.version", "behaviour 4", "1", NULL, WINE_NEEDS_HELPER},
    {"packages/ntlm.W.free", "behaviour 5", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"packages/ntlm.W.name", "packages NTLM", "NTLM", NULL, WINE_NEEDS_HELPER},
    {"packages/ntlm.W.comment", "packages NTLM", "NTLM Security Package", NULL, WINE_NEEDS_HELPER},
    {"packages/schannel", "packages Schannel (dumps A, C)", SCHANNEL_LISTED, NULL, WINE_SAME},
    {"packages/schannel.unified", "packages Microsoft Unified Security Protocol Provider (dumps A, C)", SCHANNEL_LISTED,
     NULL, WINE_SAME},
    {"packages/schannel.default", "packages Default TLS SSP (dumps A, C)", SCHANNEL_LISTED, NULL, WINE_SAME},
    {"packages/unknown.A.status", "behaviour 6", "SEC_E_SECPKG_NOT_FOUND", NULL, WINE_SAME},
    {"packages/unknown.A.untouched", "behaviour 7", "yes", NULL, WINE_SAME},
    {"packages/unknown.W.status", "behaviour 6", "SEC_E_SECPKG_NOT_FOUND", NULL, WINE_SAME},
    {"packages/unknown.W.untouched", "behaviour 7", "yes", NULL, WINE_SAME},
};

static void enumerate_into_nothing(void)
{
    EnumerateSecurityPackagesA(NULL, NULL);
}

static const struct raising_call raising[] = {{"packages/enumerate.null", enumerate_into_nothing}};

static unsigned count_by_name(const SecPkgInfoA *packages, ULONG count, const char *name)
{
    unsigned found = 0;

    for (ULONG i = 0; i < count; i++) found += !strcmp(packages[i].Name, name);
    return found;
}

static void enumerate_a(struct conformance_run *run)
{
    SecPkgInfoA *packages = NULL;
    ULONG count = 0;
    SECURITY_STATUS status = EnumerateSecurityPackagesA(&count, &packages);
    unsigned ntlm;

    observe_status(run, "packages/enumerate.A.status", status);
    observe_bool(run, "packages/enumerate.A.filled", count && packages);
    if (status || !packages) return;
    ntlm = count_by_name(packages, count, "NTLM");
    observe(run, "packages/enumerate.A.ntlm", ntlm == 1 ? "listed once" : "listed %u times", ntlm);
    observe_status(run, "packages/enumerate.A.free", FreeContextBuffer(packages));
}

/* One DLL, three names. */
static void find_schannel(struct conformance_run *run)
{
    static const struct {
        const char *id, *name;
    } names[] = {{"packages/schannel", "Schannel"},
                 {"packages/schannel.unified", "Microsoft Unified Security Protocol Provider"},
                 {"packages/schannel.default", "Default TLS SSP"}};
    SecPkgInfoA *packages = NULL, *info;
    ULONG count = 0;

    if (EnumerateSecurityPackagesA(&count, &packages)) return;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const unsigned listed = count_by_name(packages, count, names[i].name);

        if (listed != 1 || QuerySecurityPackageInfoA((SEC_CHAR *)names[i].name, &info)) {
            observe(run, names[i].id, "listed %u times", listed);
            continue;
        }
        observe(run, names[i].id, "listed once, 0x%08lx, %u, %u, %lu, %s", info->fCapabilities, info->wVersion,
                info->wRPCID, info->cbMaxToken, info->Comment);
        FreeContextBuffer(info);
    }
    FreeContextBuffer(packages);
}

static void enumerate_w(struct conformance_run *run)
{
    SecPkgInfoW *packages = NULL;
    ULONG count = 0;
    SECURITY_STATUS status = EnumerateSecurityPackagesW(&count, &packages);

    observe_status(run, "packages/enumerate.W.status", status);
    observe_bool(run, "packages/enumerate.W.filled", count && packages);
    if (!status && packages) observe_status(run, "packages/enumerate.W.free", FreeContextBuffer(packages));
}

static void query_ntlm_a(struct conformance_run *run)
{
    SecPkgInfoA *info = NULL;
    SECURITY_STATUS status = QuerySecurityPackageInfoA((SEC_CHAR *)"NTLM", &info);

    observe_status(run, "packages/ntlm.A.status", status);
    if (status || !info) return;
    observe(run, "packages/ntlm.A.version", "%u", info->wVersion);
    observe(run, "packages/ntlm.A.name", "%s", info->Name);
    observe(run, "packages/ntlm.A.comment", "%s", info->Comment);
    observe(run, "packages/ntlm.A.capabilities", "0x%08lx", info->fCapabilities);
    observe(run, "packages/ntlm.A.rpc-id", "%u", info->wRPCID);
    observe(run, "packages/ntlm.A.max-token", "%lu", info->cbMaxToken);
    observe_status(run, "packages/ntlm.A.free", FreeContextBuffer(info));
}

static void query_ntlm_w(struct conformance_run *run)
{
    SecPkgInfoW *info = NULL;
    SECURITY_STATUS status = QuerySecurityPackageInfoW((SEC_WCHAR *)L"NTLM", &info);

    observe_status(run, "packages/ntlm.W.status", status);
    if (status || !info) return;
    observe(run, "packages/ntlm.W.version", "%u", info->wVersion);
    observe(run, "packages/ntlm.W.name", "%ls", info->Name);
    observe(run, "packages/ntlm.W.comment", "%ls", info->Comment);
    observe_status(run, "packages/ntlm.W.free", FreeContextBuffer(info));
}

static void query_unknown(struct conformance_run *run)
{
    SecPkgInfoA sentinel_a, *info_a = &sentinel_a;
    SecPkgInfoW sentinel_w, *info_w = &sentinel_w;

    observe_status(run, "packages/unknown.A.status", QuerySecurityPackageInfoA((SEC_CHAR *)"Winetest", &info_a));
    observe_bool(run, "packages/unknown.A.untouched", info_a == &sentinel_a);
    observe_status(run, "packages/unknown.W.status", QuerySecurityPackageInfoW((SEC_WCHAR *)L"Winetest", &info_w));
    observe_bool(run, "packages/unknown.W.untouched", info_w == &sentinel_w);
}

static void run_packages(struct conformance_run *run)
{
    observe_bool(run, "packages/init.table", InitSecurityInterfaceA() != NULL);
    enumerate_a(run);
    enumerate_w(run);
    find_schannel(run);
    observe_exception(run, "packages/enumerate.null");
    query_ntlm_a(run);
    query_ntlm_w(run);
    query_unknown(run);
}

const struct conformance_group packages_group = {
    .name = "packages",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_packages,
    .raising = raising,
    .raising_count = COUNT_OF(raising),
};
