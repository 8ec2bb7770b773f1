/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client without a certificate is asked for one: Schannel looks for it among the user's own ("MY"), unless the
 * program forbids that. Each certificate is there for one handshake.
 */
#include "groups.h"
#include "schannel_authority.h"
#include "schannel_pair.h"
#include "status.h"

#include <string.h>

#define NAME "schannel-default/"
#define FLAGS "schannel.h SCHANNEL_CRED.dwFlags SCH_CRED_USE_DEFAULT_CREDS, SCH_CRED_NO_DEFAULT_CREDS (documented)"
#define SUPPLIED "InitializeSecurityContext ISC_REQ_USE_SUPPLIED_CREDS (documented)"
#define SENT "the user's certificate"
#define TOLD "SEC_I_INCOMPLETE_CREDENTIALS"

static const struct conformance_case cases[] = {
    {NAME "found.tls12", FLAGS, SENT, NULL, WINE_DIFFERS},
    {NAME "found.tls13", FLAGS, SENT, NULL, WINE_DIFFERS},
    {NAME "named-issuer.tls12", FLAGS, SENT, NULL, WINE_DIFFERS},
    {NAME "named-issuer.tls13", FLAGS, SENT, NULL, WINE_DIFFERS},
    {NAME "other-issuer.tls12", FLAGS, TOLD, NULL, WINE_DIFFERS},
    {NAME "other-issuer.tls13", FLAGS, TOLD, NULL, WINE_DIFFERS},
    {NAME "forbidden.tls12", FLAGS, TOLD, NULL, WINE_DIFFERS},
    {NAME "forbidden.tls13", FLAGS, TOLD, NULL, WINE_DIFFERS},
    {NAME "supplied-alone.tls12", SUPPLIED, "no certificate", NULL, WINE_SAME}, /* 10.0; 8.0 differs */
    {NAME "supplied-alone.tls13", SUPPLIED, "no certificate", NULL, WINE_DIFFERS},
    {NAME "for-servers.tls12", FLAGS, TOLD, NULL, WINE_DIFFERS},
    {NAME "expired.tls12", FLAGS, TOLD, NULL, WINE_DIFFERS},
    {NAME "without-key.tls12", FLAGS, TOLD, NULL, WINE_DIFFERS},
    {NAME "lost-key.tls12", FLAGS, TOLD, NULL, WINE_DIFFERS},
};

static bool is_same(PCCERT_CONTEXT left, PCCERT_CONTEXT right)
{
    return left && left->cbCertEncoded == right->cbCertEncoded &&
           !memcmp(left->pbCertEncoded, right->pbCertEncoded, left->cbCertEncoded);
}

/* What the server got to see of a handshake, unless the client's program was told first. */
static void shake(struct conformance_run *run, const char *id, const struct schannel_setup *setup, PCCERT_CONTEXT own)
{
    struct schannel_pair pair;
    PCCERT_CONTEXT remote = NULL;
    char name[STATUS_NAME_MAX];
    bool told = false;

    if (!schannel_pair_open(&pair, setup)) return;
    schannel_client_leg(&pair, setup);
    for (int i = 0; i < 4 && !told && (pair.server.size || pair.client.size); i++) {
        if (pair.server.size) schannel_server_leg(&pair, setup);
        if (pair.client.status && pair.client.size)
            told = schannel_client_leg(&pair, setup) == SEC_I_INCOMPLETE_CREDENTIALS;
    }
    QueryContextAttributesA(&pair.server.context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &remote);
    if (told || pair.server.status)
        observe(run, id, "%s", status_name(told ? pair.client.status : pair.server.status, name));
    else
        observe(run, id, "%s", is_same(remote, own) ? SENT : remote ? "another certificate" : "no certificate");
    if (remote) CertFreeCertificateContext(remote);
    schannel_pair_close(&pair);
}

/* OWN is the user's only for as long as that takes. ROOT: whose certificates the server takes; NULL: those of OWN,
 * which has signed itself. */
static void attempt(struct conformance_run *run, const char *what, DWORD protocols, PCCERT_CONTEXT own,
                    PCCERT_CONTEXT root, DWORD flags, ULONG request)
{
    const struct schannel_setup setup = {.protocols = protocols,
                                         .client_cred_flags = SCH_CRED_MANUAL_CRED_VALIDATION | flags,
                                         .by_default = true,
                                         .client_request = request,
                                         .server_request = ASC_REQ_MUTUAL_AUTH,
                                         .server_cred_flags = SCH_CRED_MANUAL_CRED_VALIDATION,
                                         .server_roots = root || own ? store_of(root ? root : own) : NULL};
    const HCERTSTORE store = CertOpenSystemStoreW(0, L"MY");
    PCCERT_CONTEXT added = NULL;
    char id[96];

    snprintf(id, sizeof(id), NAME "%s.%s", what, protocols == SP_PROT_TLS1_2_CLIENT ? "tls12" : "tls13");
    if (own && store && CertAddCertificateContextToStore(store, own, CERT_STORE_ADD_ALWAYS, &added)) {
        CertControlStore(store, 0, CERT_STORE_CTRL_COMMIT, NULL);
        shake(run, id, &setup, own);
        CertDeleteCertificateFromStore(added);
        CertControlStore(store, 0, CERT_STORE_CTRL_COMMIT, NULL);
    } else {
        not_reached(run, "%s: no certificate of the user's, error 0x%lx", id, GetLastError());
    }
    if (store) CertCloseStore(store, 0);
}

static PCCERT_CONTEXT self_signed(const WCHAR *name, const char *usage, int to_days)
{
    return make_certificate(&(struct certificate_request){
        .name = name, .usage = usage, .from_days = to_days ? -20 : 0, .to_days = to_days});
}

static void run_default(struct conformance_run *run)
{
    static const DWORD versions[] = {SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_3_CLIENT};
    PCCERT_CONTEXT own = self_signed(L"CN=for clients", szOID_PKIX_KP_CLIENT_AUTH, 0),
                   any = self_signed(L"CN=for anything", NULL, 0), issued = authority_issue(L"CN=client", 31, NULL),
                   keyless = self_signed(L"CN=without a key", NULL, 0);

    if (!authority_root() || !own || !issued || !any || !keyless) {
        not_reached(run, "no certificates, error 0x%lx", GetLastError());
        return;
    }
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        attempt(run, "found", versions[i], own, NULL, 0, 0);
        attempt(run, "named-issuer", versions[i], issued, authority_root(), SCH_CRED_USE_DEFAULT_CREDS, 0);
        attempt(run, "other-issuer", versions[i], own, authority_root(), 0, 0);
        attempt(run, "forbidden", versions[i], any, NULL, SCH_CRED_NO_DEFAULT_CREDS, 0);
        attempt(run, "supplied-alone", versions[i], any, NULL, 0, ISC_REQ_USE_SUPPLIED_CREDS);
    }
    attempt(run, "for-servers", SP_PROT_TLS1_2_CLIENT, self_signed(L"CN=for servers", szOID_PKIX_KP_SERVER_AUTH, 0),
            NULL, 0, 0);
    attempt(run, "expired", SP_PROT_TLS1_2_CLIENT, self_signed(L"CN=expired", NULL, -1), NULL, 0, 0);
    attempt(run, "without-key", SP_PROT_TLS1_2_CLIENT, without_key(keyless), NULL, 0, 0);
    attempt(run, "lost-key", SP_PROT_TLS1_2_CLIENT, with_lost_key(keyless), NULL, 0, 0);
    delete_containers();
}

const struct conformance_group schannel_default_group = {
    .name = "schannel-default",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_default,
};
