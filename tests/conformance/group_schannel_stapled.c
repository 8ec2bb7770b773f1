/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stapled OCSP responses: a server whose certificate's context has one (CERT_OCSP_RESPONSE_PROP_ID), and what a client
 * makes of it, which finds no list of what is revoked.
 */
#include "groups.h"
#include "schannel_ocsp.h"
#include "schannel_pair.h"

#include <string.h>

#define NAME "schannel-stapled/"
#define STAPLED "wincrypt.h CERT_OCSP_RESPONSE_PROP_ID, RFC 6066 8, RFC 8446 4.4.2.1 (documented)"

static const struct conformance_case cases[] = {
    {NAME "good", STAPLED, "SEC_E_OK", NULL, WINE_SAME},
    {NAME "good.tls12", STAPLED, "SEC_E_OK", NULL, WINE_SAME},
    {NAME "good.chain", STAPLED, "SEC_E_OK", NULL, WINE_SAME},
    {NAME "revoked", STAPLED, "CRYPT_E_REVOKED", NULL, WINE_SAME},
    {NAME "revoked.server", "errors received TLS alert 44", "CRYPT_E_REVOKED", NULL, WINE_SAME},
    {NAME "revoked.tls12", STAPLED, "CRYPT_E_REVOKED", NULL, WINE_SAME},
    {NAME "revoked.tls12.server", "errors received TLS alert 44", "CRYPT_E_REVOKED", NULL, WINE_SAME},
    {NAME "revoked.not-asked", STAPLED, "SEC_E_OK", NULL, WINE_SAME},
    {NAME "none", STAPLED, "CRYPT_E_NO_REVOCATION_CHECK", NULL, WINE_SAME},
    {NAME "forged", STAPLED, "CRYPT_E_NO_REVOCATION_CHECK", NULL, WINE_SAME},
    {NAME "forged.revoked", STAPLED ", a word that is nobody's", "SEC_E_OK", NULL, WINE_SAME},
    {NAME "old", STAPLED, "CRYPT_E_NO_REVOCATION_CHECK", NULL, WINE_SAME},
    {NAME "other", STAPLED ", about another certificate", "CRYPT_E_NO_REVOCATION_CHECK", NULL, WINE_SAME},
    {NAME "good.list-revokes", STAPLED ", and a list that says otherwise", "CRYPT_E_REVOKED", NULL, WINE_SAME},
    {NAME "property", STAPLED ", of REMOTE_CERT_CONTEXT", "the server's", NULL, WINE_SAME},
    {NAME "property.none", STAPLED ", of REMOTE_CERT_CONTEXT", "none", NULL, WINE_SAME},
};

enum { SERIAL = 7, OTHER = 8, CHECK = SCH_CRED_REVOCATION_CHECK_END_CERT };

/* A certificate with RESPONSE at it; NULL: with none. */
static PCCERT_CONTEXT certificate_with(const struct ocsp_response *response, BYTE *bytes, DWORD *size)
{
    PCCERT_CONTEXT certificate = authority_issue(L"CN=localhost", SERIAL, NULL);
    CRYPT_DATA_BLOB blob = {0, bytes};

    if (response) blob.cbData = ocsp_write(response, bytes);
    if (certificate && response) CertSetCertificateContextProperty(certificate, CERT_OCSP_RESPONSE_PROP_ID, 0, &blob);
    if (size) *size = blob.cbData;
    return certificate;
}

static void attempt(struct conformance_run *run, const char *id, const struct ocsp_response *response, DWORD flags)
{
    BYTE bytes[OCSP_ROOM];
    const struct schannel_setup setup = {.protocols = strstr(id, ".tls12") ? SP_PROT_TLS1_2_CLIENT : 0,
                                         .client_cred_flags = SCH_CRED_AUTO_CRED_VALIDATION | flags,
                                         .client_request = ISC_REQ_EXTENDED_ERROR,
                                         .server_certificate = certificate_with(response, bytes, NULL),
                                         .client_roots = store_of(authority_root())};
    struct schannel_pair pair;
    char server[96];

    schannel_pair_run(&pair, &setup);
    observe_status(run, id, pair.client.status);
    snprintf(server, sizeof(server), "%s.server", id);
    if (!strcmp(id, NAME "revoked") || !strcmp(id, NAME "revoked.tls12"))
        observe_status(run, server, pair.server.status);
    schannel_pair_close(&pair);
}

/* With a list at hand that revokes the certificate. */
static void against_list(struct conformance_run *run, const struct ocsp_response *good)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_REGISTRY_W, 0, 0, CERT_SYSTEM_STORE_CURRENT_USER, L"CA");
    PCCRL_CONTEXT added = NULL;

    CertAddCRLContextToStore(store, authority_revoke(SERIAL, false, 30), CERT_STORE_ADD_REPLACE_EXISTING, &added);
    CertControlStore(store, 0, CERT_STORE_CTRL_COMMIT, NULL); /* Wine writes no sooner */
    attempt(run, NAME "good.list-revokes", good, CHECK);
    if (added) CertDeleteCRLFromStore(added);
    CertCloseStore(store, 0);
}

/* A program that looks at certificates itself finds it there, whatever it says. */
static void look_for_property(struct conformance_run *run, const char *id, const struct ocsp_response *response)
{
    BYTE bytes[OCSP_ROOM], found[OCSP_ROOM];
    DWORD size, found_size = sizeof(found);
    const struct schannel_setup setup = {.server_certificate = certificate_with(response, bytes, &size)};
    struct schannel_pair pair;
    PCCERT_CONTEXT remote = NULL;

    if (!schannel_pair_ready(run, &pair, &setup)) return;
    QueryContextAttributesA(&pair.client.context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &remote);
    if (!remote || !CertGetCertificateContextProperty(remote, CERT_OCSP_RESPONSE_PROP_ID, found, &found_size))
        observe(run, id, "none");
    else
        observe(run, id, found_size == size && !memcmp(found, bytes, size) ? "the server's" : "another");
    if (remote) CertFreeCertificateContext(remote);
    schannel_pair_close(&pair);
}

static void run_stapled(struct conformance_run *run)
{
    static const struct ocsp_response good = {.serial = SERIAL, .days = 30},
                                      revoked = {.serial = SERIAL, .revoked = true, .days = 30},
                                      forged = {.serial = SERIAL, .forged = true, .days = 30},
                                      forged_revoked = {.serial = SERIAL, .revoked = true, .forged = true, .days = 30},
                                      old = {.serial = SERIAL, .days = -1}, other = {.serial = OTHER, .days = 30};
    BYTE bytes[OCSP_ROOM];

    if (!ocsp_write(&good, bytes)) {
        not_reached(run, "no authority, error 0x%lx", GetLastError());
        return;
    }
    attempt(run, NAME "good", &good, CHECK);
    attempt(run, NAME "good.tls12", &good, CHECK);
    attempt(run, NAME "good.chain", &good, SCH_CRED_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT);
    attempt(run, NAME "revoked", &revoked, CHECK);
    attempt(run, NAME "revoked.tls12", &revoked, CHECK);
    attempt(run, NAME "revoked.not-asked", &revoked, 0);
    attempt(run, NAME "none", NULL, CHECK);
    attempt(run, NAME "forged", &forged, CHECK);
    attempt(run, NAME "forged.revoked", &forged_revoked, CHECK | SCH_CRED_IGNORE_NO_REVOCATION_CHECK);
    attempt(run, NAME "old", &old, CHECK);
    attempt(run, NAME "other", &other, CHECK);
    against_list(run, &good);
    look_for_property(run, NAME "property", &revoked);
    look_for_property(run, NAME "property.none", NULL);
    delete_containers();
}

const struct conformance_group schannel_stapled_group = {
    .name = "schannel-stapled",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_stapled,
};
