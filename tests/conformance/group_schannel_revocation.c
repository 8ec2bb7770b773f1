/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a certificate has been revoked, by a list in the user's "CA" store: what a client answers that asks for it
 * (SCH_CRED_REVOCATION_CHECK_...), and what alert the server gets.
 */
#include "groups.h"
#include "schannel_authority.h"
#include "schannel_pair.h"

#include <string.h>

#define NAME "schannel-revocation/"
#define CHECK "schannel.h SCH_CRED_REVOCATION_CHECK_ (documented)"

static const struct conformance_case cases[] = {
    {NAME "end-certificate", CHECK, "CRYPT_E_REVOKED", NULL, WINE_SAME},
    {NAME "end-certificate.server", "errors received TLS alert 44", "CRYPT_E_REVOKED", NULL, WINE_SAME},
    {NAME "chain-without-root", CHECK, "CRYPT_E_REVOKED", NULL, WINE_SAME},
    {NAME "not-asked", CHECK, "SEC_E_OK", NULL, WINE_SAME},
    {NAME "another-revoked", CHECK, "SEC_E_OK", NULL, WINE_SAME},
    {NAME "no-list", CHECK, "CRYPT_E_NO_REVOCATION_CHECK", NULL, WINE_SAME},
    {NAME "no-list.ignored", "schannel.h SCH_CRED_IGNORE_NO_REVOCATION_CHECK (documented)", "SEC_E_OK", NULL,
     WINE_SAME},
    {NAME "forged-list", CHECK ", a list that its issuer has not signed", "CRYPT_E_NO_REVOCATION_CHECK", NULL,
     WINE_SAME},
    {NAME "old-list", CHECK ", a list whose next one is overdue", "CRYPT_E_REVOCATION_OFFLINE", NULL, WINE_SAME},
    {NAME "old-list.ignored", "schannel.h SCH_CRED_IGNORE_REVOCATION_OFFLINE (documented)", "SEC_E_OK", NULL,
     WINE_SAME},
    {NAME "old-list.revoked", CHECK ", what is revoked stays so", "CRYPT_E_REVOKED", NULL, WINE_SAME},
};

enum { SERIAL = 7, OTHER = 8 };

/* LIST in the store while the pair runs; NULL: none. */
static void attempt(struct conformance_run *run, const char *id, PCCRL_CONTEXT list, DWORD flags)
{
    const struct schannel_setup setup = {.client_cred_flags = SCH_CRED_AUTO_CRED_VALIDATION | flags,
                                         .client_request = ISC_REQ_EXTENDED_ERROR,
                                         .server_certificate = authority_issue(L"CN=localhost", SERIAL, NULL),
                                         .client_roots = store_of(authority_root())};
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_REGISTRY_W, 0, 0, CERT_SYSTEM_STORE_CURRENT_USER, L"CA");
    PCCRL_CONTEXT added = NULL;
    struct schannel_pair pair;
    char server[96];

    if (list) CertAddCRLContextToStore(store, list, CERT_STORE_ADD_REPLACE_EXISTING, &added);
    CertControlStore(store, 0, CERT_STORE_CTRL_COMMIT, NULL); /* Wine writes no sooner */
    schannel_pair_run(&pair, &setup);
    observe_status(run, id, pair.client.status);
    snprintf(server, sizeof(server), "%s.server", id);
    if (!strcmp(id, NAME "end-certificate")) observe_status(run, server, pair.server.status);
    schannel_pair_close(&pair);
    if (added) CertDeleteCRLFromStore(added);
    CertCloseStore(store, 0);
}

static void run_revocation(struct conformance_run *run)
{
    PCCRL_CONTEXT revoked = authority_revoke(SERIAL, false, 30);

    if (!authority_root() || !revoked) {
        not_reached(run, "no authority, error 0x%lx", GetLastError());
        return;
    }
    attempt(run, NAME "end-certificate", revoked, SCH_CRED_REVOCATION_CHECK_END_CERT);
    attempt(run, NAME "chain-without-root", revoked, SCH_CRED_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT);
    attempt(run, NAME "not-asked", revoked, 0);
    attempt(run, NAME "another-revoked", authority_revoke(OTHER, false, 30), SCH_CRED_REVOCATION_CHECK_END_CERT);
    attempt(run, NAME "no-list", NULL, SCH_CRED_REVOCATION_CHECK_END_CERT);
    attempt(run, NAME "no-list.ignored", NULL,
            SCH_CRED_REVOCATION_CHECK_END_CERT | SCH_CRED_IGNORE_NO_REVOCATION_CHECK);
    attempt(run, NAME "forged-list", authority_revoke(SERIAL, true, 30), SCH_CRED_REVOCATION_CHECK_END_CERT);
    attempt(run, NAME "old-list", authority_revoke(OTHER, false, -1), SCH_CRED_REVOCATION_CHECK_END_CERT);
    attempt(run, NAME "old-list.ignored", authority_revoke(OTHER, false, -1),
            SCH_CRED_REVOCATION_CHECK_END_CERT | SCH_CRED_IGNORE_REVOCATION_OFFLINE);
    attempt(run, NAME "old-list.revoked", authority_revoke(SERIAL, false, -1),
            SCH_CRED_REVOCATION_CHECK_END_CERT | SCH_CRED_IGNORE_REVOCATION_OFFLINE);
    delete_containers();
}

const struct conformance_group schannel_revocation_group = {
    .name = "schannel-revocation",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_revocation,
};
