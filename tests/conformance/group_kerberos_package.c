/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the package Kerberos says of itself, and the credentials that can be had without a realm.
 */
#include "attributes.h"
#include "exchange.h"
#include "groups.h"
#include "status.h"

#include <ntsecapi.h>
#include <string.h>

static const struct conformance_case cases[] = {
    {"kerberos-package/status", "behaviour 46", "SEC_E_OK", NULL, WINE_SAME},
    {"kerberos-package/capabilities", "behaviour 47, packages Kerberos", "0x028f3bbf",
     "6.0:0x00073bbf or 6.1:0x000f3bbf or 6.1:0x020f3bbf or 10.0:0x008f3bbf", WINE8_DIFFERS},
    {"kerberos-package/version", "behaviour 48", "1", NULL, WINE_SAME},
    {"kerberos-package/rpc-id", "behaviour 48", "16", NULL, WINE_SAME},
    {"kerberos-package/name", "behaviour 48", "Kerberos", NULL, WINE_SAME},
    {"kerberos-package/comment", "behaviour 48", "Microsoft Kerberos V1.0", NULL, WINE_SAME},
    {"kerberos-package/max-token", "packages Kerberos", "48000 or 65535", "6.1:12000", WINE8_DIFFERS},
    {"kerberos-package/place", "packages, dumps A to C", "between Negotiate and NTLM", NULL, WINE8_DIFFERS},
    {"kerberos-package/outbound-default", "behaviour 49", "SEC_E_OK", NULL, WINE8_DIFFERS},
    {"kerberos-package/lsa-lookup", "behaviour 51", "SEC_E_OK", NULL, WINE_SAME},
    {"kerberos-package/set-kdc-proxy", "attributes SetCredentialsAttributes Kerberos+Negotiate", "SEC_E_OK", NULL,
     WINE8_DIFFERS},
    {"kerberos-package/set-kdc-proxy.ntlm", "errors SetCredentialsAttributes/NTLM", "SEC_E_INVALID_HANDLE", NULL,
     WINE8_DIFFERS},
};

static void query(struct conformance_run *run)
{
    SecPkgInfoA *info = NULL;
    SECURITY_STATUS status = QuerySecurityPackageInfoA((SEC_CHAR *)"Kerberos", &info);

    observe_status(run, "kerberos-package/status", status);
    if (status || !info) return;
    observe(run, "kerberos-package/capabilities", "0x%08lx", info->fCapabilities);
    observe(run, "kerberos-package/version", "%u", info->wVersion);
    observe(run, "kerberos-package/rpc-id", "%u", info->wRPCID);
    observe(run, "kerberos-package/name", "%s", info->Name);
    observe(run, "kerberos-package/comment", "%s", info->Comment);
    observe(run, "kerberos-package/max-token", "%lu", info->cbMaxToken);
    FreeContextBuffer(info);
}

static ULONG place_of(const SecPkgInfoA *packages, ULONG count, const char *name)
{
    ULONG i = 0;

    while (i < count && strcmp(packages[i].Name, name)) i++;
    return i;
}

static void place(struct conformance_run *run)
{
    SecPkgInfoA *packages = NULL;
    ULONG count = 0, kerberos;

    if (EnumerateSecurityPackagesA(&count, &packages) || !packages) return;
    kerberos = place_of(packages, count, "Kerberos");
    if (place_of(packages, count, "Negotiate") < kerberos && kerberos < place_of(packages, count, "NTLM"))
        observe(run, "kerberos-package/place", "between Negotiate and NTLM");
    else
        observe(run, "kerberos-package/place", "%lu of %lu", kerberos, count);
    FreeContextBuffer(packages);
}

/* No ticket is asked for, and none need be there, until a context is. */
static void default_credential(struct conformance_run *run)
{
    CredHandle made;
    TimeStamp expiry;
    char text[OBSERVED_MAX];
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, (SEC_CHAR *)"Kerberos", SECPKG_CRED_OUTBOUND, NULL, NULL,
                                                       NULL, NULL, &made, &expiry);

    observe_status(run, "kerberos-package/outbound-default", status);
    if (status) return;
    observe(run, "kerberos-package/set-kdc-proxy", "%s", set_kdc_proxy_text(&made, text));
    FreeCredentialsHandle(&made);
}

static void ntlm_has_no_kdc(struct conformance_run *run)
{
    CredHandle made;
    char text[OBSERVED_MAX];

    if (ntlm_credential(SECPKG_CRED_OUTBOUND, NULL, &made)) return;
    observe(run, "kerberos-package/set-kdc-proxy.ntlm", "%s", set_kdc_proxy_text(&made, text));
    FreeCredentialsHandle(&made);
}

static void lookup(struct conformance_run *run)
{
    LSA_STRING name = {8, 9, (char *)"Kerberos"};
    HANDLE lsa;
    ULONG package;

    if (LsaConnectUntrusted(&lsa)) return;
    observe_status(run, "kerberos-package/lsa-lookup", LsaLookupAuthenticationPackage(lsa, &name, &package));
    LsaDeregisterLogonProcess(lsa);
}

static void run_package(struct conformance_run *run)
{
    query(run);
    place(run);
    default_credential(run);
    ntlm_has_no_kdc(run);
    lookup(run);
}

const struct conformance_group kerberos_package_group = {
    .name = "kerberos-package", .cases = cases, .case_count = COUNT_OF(cases), .run = run_package};
