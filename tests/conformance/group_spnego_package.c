/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the package Negotiate says of itself, its credentials, and the package lists that leave it no mechanism.
 */
#include "attributes.h"
#include "exchange.h"
#include "groups.h"
#include "spnego_pair.h"
#include "status.h"

#include <string.h>

#define EMPTY_LIST "errors InitializeSecurityContext/Negotiate no usable mechanism"

static const struct conformance_case cases[] = {
    {"spnego-package/status", "behaviour 53", "SEC_E_OK", NULL, WINE_SAME},
    {"spnego-package/capabilities", "behaviour 53, packages Negotiate", "0x00883bb3",
     "5.2:0x00003bb3 or 6.0:0x00023bb3 or 6.1:0x00083bb3", WINE8_DIFFERS},
    {"spnego-package/version", "behaviour 54", "1", NULL, WINE_SAME},
    {"spnego-package/rpc-id", "behaviour 54", "9", NULL, WINE_SAME},
    {"spnego-package/name", "behaviour 54", "Negotiate", NULL, WINE_SAME},
    {"spnego-package/comment", "packages Negotiate", "Microsoft Package Negotiator", NULL, WINE_SAME},
    {"spnego-package/max-token", "packages Negotiate", "48256", "6.1:12256", WINE8_DIFFERS},
    {"spnego-package/place", "packages Negotiate", "first", NULL, WINE_DIFFERS},
    {"spnego-package/outbound-identity", "behaviour 55", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"spnego-package/outbound-default", "errors AcquireCredentialsHandle/CredSSP+Negotiate NULL (reported)", "SEC_E_OK",
     NULL, WINE_NEEDS_HELPER},
    {"spnego-package/inbound", "behaviour 56", "SEC_E_OK", NULL, WINE_SAME},
    {"spnego-package/list-extender", EMPTY_LIST, "SEC_E_NO_CREDENTIALS", NULL, WINE_DIFFERS},
    {"spnego-package/list-excludes", EMPTY_LIST, "SEC_E_NO_CREDENTIALS", NULL, WINE_DIFFERS},
    {"spnego-package/set-kdc-proxy", "attributes SetCredentialsAttributes Kerberos+Negotiate", "SEC_E_OK", NULL,
     WINE_DIFFERS},
};

static void query(struct conformance_run *run)
{
    SecPkgInfoA *info = NULL;
    SECURITY_STATUS status = QuerySecurityPackageInfoA((SEC_CHAR *)"Negotiate", &info);

    observe_status(run, "spnego-package/status", status);
    if (status || !info) return;
    observe(run, "spnego-package/capabilities", "0x%08lx", info->fCapabilities);
    observe(run, "spnego-package/version", "%u", info->wVersion);
    observe(run, "spnego-package/rpc-id", "%u", info->wRPCID);
    observe(run, "spnego-package/name", "%s", info->Name);
    observe(run, "spnego-package/comment", "%s", info->Comment);
    observe(run, "spnego-package/max-token", "%lu", info->cbMaxToken);
    FreeContextBuffer(info);
}

static void place(struct conformance_run *run)
{
    SecPkgInfoA *packages = NULL;
    ULONG count = 0, i = 0;

    if (EnumerateSecurityPackagesA(&count, &packages) || !packages) return;
    while (i < count && strcmp(packages[i].Name, "Negotiate")) i++;
    if (i == 0 && count)
        observe(run, "spnego-package/place", "first");
    else
        observe(run, "spnego-package/place", "%lu of %lu", i, count);
    FreeContextBuffer(packages);
}

static void credential(struct conformance_run *run, const char *id, ULONG use,
                       const SEC_WINNT_AUTH_IDENTITY_A *identity)
{
    CredHandle made;
    SECURITY_STATUS status = spnego_credential(use, identity, NULL, &made);

    observe_status(run, id, status);
    if (!status) FreeCredentialsHandle(&made);
}

/* What is left of no mechanism shows when a context is asked for; the credential itself can be had. */
static void empty_list(struct conformance_run *run, const char *id, const char *packages)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = ansi_identity("testuser", "WORKGROUP", "testpass");
    const struct spnego_request request = {.packages = packages, .identity = &identity};
    struct spnego_pair pair;

    if (spnego_pair_open(&pair, &request)) {
        spnego_client_leg(&pair, &request);
        observe_status(run, id, pair.client.legs[0].status);
    } else {
        observe(run, id, "no credential");
    }
    spnego_pair_close(&pair);
}

static void set_kdc_proxy(struct conformance_run *run)
{
    CredHandle made;
    char text[OBSERVED_MAX];

    if (spnego_credential(SECPKG_CRED_OUTBOUND, NULL, NULL, &made)) return;
    observe(run, "spnego-package/set-kdc-proxy", "%s", set_kdc_proxy_text(&made, text));
    FreeCredentialsHandle(&made);
}

static void run_package(struct conformance_run *run)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = ansi_identity("testuser", "WORKGROUP", "testpass");

    query(run);
    place(run);
    credential(run, "spnego-package/outbound-identity", SECPKG_CRED_OUTBOUND, &identity);
    credential(run, "spnego-package/outbound-default", SECPKG_CRED_OUTBOUND, NULL);
    credential(run, "spnego-package/inbound", SECPKG_CRED_INBOUND, NULL);
    set_kdc_proxy(run);
    empty_list(run, "spnego-package/list-extender", "NegoExtender");
    empty_list(run, "spnego-package/list-excludes", "!NTLM,!Kerberos");
}

const struct conformance_group spnego_package_group = {
    .name = "spnego-package", .cases = cases, .case_count = COUNT_OF(cases), .run = run_package};
