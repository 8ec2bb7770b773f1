/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose certificates a server takes, as a client's program learns it when it is asked for one.
 */
#include "groups.h"
#include "schannel_authority.h"
#include "schannel_pair.h"
#include "status.h"

#include <string.h>

#define NAME "schannel-issuers/"
#define ROOTS "schannel.h SCHANNEL_CRED.hRootStore (documented), attributes Schannel ISSUER_LIST_EX"
#define ASKED "errors InitializeSecurityContext SEC_I_INCOMPLETE_CREDENTIALS (documented)"
#define AUTHORITY_NAME "CN=Countersign conformance authority"

static const struct conformance_case cases[] = {
    {NAME "before", "attributes Schannel ISSUER_LIST_EX", "SEC_I_CONTINUE_NEEDED: none", NULL, WINE_DIFFERS},
    {NAME "named.tls12", ROOTS, "SEC_I_INCOMPLETE_CREDENTIALS: " AUTHORITY_NAME, NULL, WINE_DIFFERS},
    {NAME "named.tls13", ROOTS, "SEC_I_INCOMPLETE_CREDENTIALS: " AUTHORITY_NAME, NULL, WINE_DIFFERS},
    {NAME "nobody.tls12", ROOTS, "SEC_I_INCOMPLETE_CREDENTIALS: none", NULL, WINE_DIFFERS},
    {NAME "nobody.tls13", ROOTS, "SEC_I_INCOMPLETE_CREDENTIALS: none", NULL, WINE_DIFFERS},
    {NAME "of-another.tls12", ASKED, "SEC_I_INCOMPLETE_CREDENTIALS: " AUTHORITY_NAME, NULL, WINE_DIFFERS},
    {NAME "of-another.tls13", ASKED, "SEC_I_INCOMPLETE_CREDENTIALS: " AUTHORITY_NAME, NULL, WINE_DIFFERS},
    {NAME "of-it.tls12", ASKED, "SEC_I_CONTINUE_NEEDED: " AUTHORITY_NAME, NULL, WINE_DIFFERS},
    {NAME "of-it.tls13", ASKED, "SEC_E_OK: " AUTHORITY_NAME, NULL, WINE_DIFFERS},
};

/* The status of the last leg, and the first name. */
static void observe_issuers(struct conformance_run *run, const char *id, struct schannel_side *side)
{
    SecPkgContext_IssuerListInfoEx issuers = {NULL, 0};
    char name[STATUS_NAME_MAX], first[128] = "none";
    const SECURITY_STATUS status = QueryContextAttributesA(&side->context, SECPKG_ATTR_ISSUER_LIST_EX, &issuers);

    if (status) snprintf(first, sizeof(first), "%s", status_name(status, name));
    if (status == SEC_E_OK && issuers.cIssuers)
        CertNameToStrA(X509_ASN_ENCODING, issuers.aIssuers, CERT_X500_NAME_STR, first, sizeof(first));
    observe(run, id, "%s: %s", status_name(side->status, name), first);
    if (status == SEC_E_OK && issuers.aIssuers) FreeContextBuffer(issuers.aIssuers);
}

/* Up to the client's answer to the server's flight. */
static void attempt(struct conformance_run *run, const char *what, DWORD protocols, PCCERT_CONTEXT root,
                    PCCERT_CONTEXT own)
{
    const struct schannel_setup setup = {.protocols = protocols,
                                         .server_request = ASC_REQ_MUTUAL_AUTH,
                                         .client_certificate = own,
                                         .server_roots = root ? store_of(root) : NULL};
    struct schannel_pair pair;
    char id[96];

    snprintf(id, sizeof(id), NAME "%s.%s", what, protocols == SP_PROT_TLS1_2_CLIENT ? "tls12" : "tls13");
    if (schannel_pair_open(&pair, &setup) && schannel_client_leg(&pair, &setup) >= 0) {
        if (!strcmp(id, NAME "nobody.tls12")) observe_issuers(run, NAME "before", &pair.client);
        if (schannel_server_leg(&pair, &setup) >= 0) {
            schannel_client_leg(&pair, &setup);
            observe_issuers(run, id, &pair.client);
        }
    }
    schannel_pair_close(&pair);
}

static void run_issuers(struct conformance_run *run)
{
    static const DWORD versions[] = {SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_3_CLIENT};
    PCCERT_CONTEXT own = authority_issue(L"CN=client", 30, NULL),
                   other = make_certificate(&(struct certificate_request){0});

    if (!authority_root() || !own || !other) {
        not_reached(run, "no authority, error 0x%lx", GetLastError());
        return;
    }
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        attempt(run, "named", versions[i], authority_root(), NULL);
        attempt(run, "nobody", versions[i], NULL, NULL);
        attempt(run, "of-another", versions[i], authority_root(), other);
        attempt(run, "of-it", versions[i], authority_root(), own);
    }
    delete_containers();
}

const struct conformance_group schannel_issuers_group = {
    .name = "schannel-issuers",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_issuers,
};
