/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a side says of the other's certificate when nobody but Schannel looks at it: F3 of the classes of published
 * faults. Every case is seen with TLS 1.2 and with TLS 1.3, where the client is through before the server has heard of
 * it; the server then gets the alert.
 */
#include "groups.h"
#include "schannel_certificates.h"
#include "schannel_pair.h"
#include "status.h"

#include <string.h>

#define NAME "schannel-verify/"

/* What a client answers, and what the server then gets (errors.tsv, received TLS alerts). */
#define BOTH_VERSIONS(what, source, answer, alert)                                                                     \
    {NAME what ".tls12", source, answer, NULL, WINE_SAME},                                                             \
        {NAME what ".tls12.server", source, alert, NULL, WINE_SAME},                                                   \
        {NAME what ".tls13", source, answer, NULL, WINE_SAME},                                                         \
        {NAME what ".tls13.server", source, alert, NULL, WINE_SAME},

#define ISC_ERRORS "errors InitializeSecurityContext/Schannel, "

#define NO_MAPPER "schannel.h SCH_CRED_NO_SYSTEM_MAPPER (documented); .NET's SslStream leaves clients to its callback"

static const struct conformance_case cases[] = {
    BOTH_VERSIONS("unknown-root", ISC_ERRORS "received TLS alert 48", "SEC_E_UNTRUSTED_ROOT", "SEC_E_UNTRUSTED_ROOT")
        BOTH_VERSIONS("other-root", ISC_ERRORS "received TLS alert 48", "SEC_E_UNTRUSTED_ROOT", "SEC_E_UNTRUSTED_ROOT")
            BOTH_VERSIONS("own-root", "schannel.h SCHANNEL_CRED.hRootStore (documented)", "SEC_E_OK", "SEC_E_OK")
                BOTH_VERSIONS("own-root.self-signed", "schannel.h SCHANNEL_CRED.hRootStore (documented)", "SEC_E_OK",
                              "SEC_E_OK") BOTH_VERSIONS("expired", ISC_ERRORS "received TLS alert 45",
                                                        "SEC_E_CERT_EXPIRED", "SEC_E_CERT_EXPIRED")
                    BOTH_VERSIONS("not-yet", ISC_ERRORS "received TLS alert 45", "SEC_E_CERT_EXPIRED",
                                  "SEC_E_CERT_EXPIRED") BOTH_VERSIONS("wrong-name",
                                                                      ISC_ERRORS "SEC_E_WRONG_PRINCIPAL (documented)",
                                                                      "SEC_E_WRONG_PRINCIPAL", "SEC_E_CERT_UNKNOWN")
                        BOTH_VERSIONS("wrong-name.unchecked", "schannel.h SCH_CRED_NO_SERVERNAME_CHECK (documented)",
                                      "SEC_E_OK", "SEC_E_OK") BOTH_VERSIONS("no-name", "schannel.h, no pszTargetName",
                                                                            "SEC_E_OK", "SEC_E_OK")
                            BOTH_VERSIONS("wrong-usage", ISC_ERRORS "SEC_E_CERT_WRONG_USAGE", "SEC_E_CERT_WRONG_USAGE",
                                          "SEC_E_CERT_UNKNOWN")
                                BOTH_VERSIONS("manual", "schannel.h SCH_CRED_MANUAL_CRED_VALIDATION (documented)",
                                              "SEC_E_OK", "SEC_E_OK")
                                    BOTH_VERSIONS("manual-request",
                                                  "schannel.h ISC_REQ_MANUAL_CRED_VALIDATION (documented)", "SEC_E_OK",
                                                  "SEC_E_OK")
                                        BOTH_VERSIONS("sealed-key",
                                                      "schannel.h, the LSA uses keys that may not be exported",
                                                      "SEC_E_OK", "SEC_E_OK")
                                            BOTH_VERSIONS("key-of-1024-bits", "Microsoft KB 2661254 (documented)",
                                                          "SEC_E_OK", "SEC_E_OK")
                                                BOTH_VERSIONS("key-of-768-bits", "Microsoft KB 2661254 (documented)",
                                                              "SEC_E_CERT_UNKNOWN", "SEC_E_CERT_UNKNOWN")
    /* a client's certificate, at a server */
    {NAME "client.unknown-root", "errors AcceptSecurityContext/Schannel, received TLS alert 48", "SEC_E_UNTRUSTED_ROOT",
     NULL, WINE_SAME},
    {NAME "client.own-root", "attributes Schannel flags (documented)", "SEC_E_OK, MUTUAL_AUTH", NULL, WINE_SAME},
    {NAME "client.wrong-usage", "errors AcceptSecurityContext/Schannel", "SEC_E_CERT_WRONG_USAGE", NULL, WINE_SAME},
    {NAME "client.expired", "errors AcceptSecurityContext/Schannel, received TLS alert 45", "SEC_E_CERT_EXPIRED", NULL,
     WINE_SAME},
    /* the same of a server that decides itself, which takes it, and is not told that it is good */
    {NAME "client.unknown-root.no-mapper", NO_MAPPER, "SEC_E_OK, no MUTUAL_AUTH", NULL, WINE_SAME},
    {NAME "client.own-root.no-mapper", NO_MAPPER, "SEC_E_OK, MUTUAL_AUTH", NULL, WINE_SAME},
    {NAME "client.expired.no-mapper", NO_MAPPER, "SEC_E_OK, no MUTUAL_AUTH", NULL, WINE_SAME},
    {NAME "client.unknown-root.no-mapper.automatic", NO_MAPPER, "SEC_E_UNTRUSTED_ROOT", NULL, WINE_SAME},
};

static const DWORD automatic = SCH_CRED_AUTO_CRED_VALIDATION;

/* One case: the server's certificate, and which root the client takes. */
struct attempt {
    const char *what;
    struct certificate_request request;
    bool issued;                  /* the server has issued_certificate instead */
    PCCERT_CONTEXT (*root)(void); /* NULL: none; see self_root */
    DWORD flags;                  /* SCH_CRED_; 0: AUTO_CRED_VALIDATION */
    ULONG client_request;
    const char *target;
};

static PCCERT_CONTEXT current; /* the server's in the case that runs */

static PCCERT_CONTEXT self_root(void)
{
    return current;
}

static const struct attempt attempts[] = {
    {.what = "unknown-root", .issued = true},
    {.what = "other-root", .root = root_certificate},
    {.what = "own-root", .issued = true, .root = root_certificate},
    {.what = "own-root.self-signed", .root = self_root},
    {.what = "expired", .root = self_root, .request = {.from_days = -20, .to_days = -10}},
    {.what = "not-yet", .root = self_root, .request = {.from_days = 10, .to_days = 20}},
    {.what = "wrong-name", .issued = true, .root = root_certificate, .target = "other.test"},
    {.what = "wrong-name.unchecked",
     .issued = true,
     .root = root_certificate,
     .target = "other.test",
     .flags = SCH_CRED_AUTO_CRED_VALIDATION | SCH_CRED_NO_SERVERNAME_CHECK},
    {.what = "no-name", .issued = true, .root = root_certificate, .target = ""},
    {.what = "wrong-usage", .root = self_root, .request = {.usage = szOID_PKIX_KP_CLIENT_AUTH}},
    {.what = "manual", .issued = true, .flags = SCH_CRED_MANUAL_CRED_VALIDATION, .target = "other.test"},
    {.what = "manual-request",
     .issued = true,
     .flags = SCH_CRED_DISABLE_RECONNECTS,
     .client_request = ISC_REQ_MANUAL_CRED_VALIDATION},
    {.what = "key-of-1024-bits", .root = self_root, .request = {.bits = 1024}},
    {.what = "key-of-768-bits", .root = self_root, .request = {.bits = 768}},
    {.what = "sealed-key", .root = self_root, .request = {.sealed = true}},
};

static void observe_version(struct conformance_run *run, const char *what, const char *version,
                            const struct schannel_setup *setup)
{
    struct schannel_pair pair;
    char id[96];

    schannel_pair_run(&pair, setup);
    snprintf(id, sizeof(id), NAME "%s.%s", what, version);
    observe_status(run, id, pair.client.status);
    /* In TLS 1.2 the server's last leg has not been yet when the client refuses; in 1.3, too, it reads the alert. */
    snprintf(id, sizeof(id), NAME "%s.%s.server", what, version);
    observe_status(run, id, pair.server.status);
    schannel_pair_close(&pair);
}

static void try_attempt(struct conformance_run *run, const struct attempt *attempt)
{
    struct schannel_setup setup = {.client_cred_flags = attempt->flags ? attempt->flags : automatic,
                                   .client_request = attempt->client_request | ISC_REQ_EXTENDED_ERROR,
                                   .target = attempt->target};

    current = attempt->issued ? issued_certificate() : make_certificate(&attempt->request);
    if (!current) return;
    setup.server_certificate = current;
    if (attempt->root) setup.client_roots = store_of(attempt->root());
    setup.protocols = SP_PROT_TLS1_2_CLIENT;
    observe_version(run, attempt->what, "tls12", &setup);
    setup.protocols = 0;
    observe_version(run, attempt->what, "tls13", &setup);
    if (setup.client_roots) CertCloseStore(setup.client_roots, 0);
}

static void try_client_certificate(struct conformance_run *run, const char *id,
                                   const struct certificate_request *request, bool trusted, DWORD flags)
{
    struct schannel_setup setup = {
        .protocols = SP_PROT_TLS1_2_CLIENT, .server_request = ASC_REQ_MUTUAL_AUTH, .server_cred_flags = flags};
    struct schannel_pair pair;
    char name[STATUS_NAME_MAX];

    setup.client_certificate = make_certificate(request);
    if (!setup.client_certificate) return;
    if (trusted) setup.server_roots = store_of(setup.client_certificate);
    schannel_pair_run(&pair, &setup);
    if (pair.server.status == SEC_E_OK)
        observe(run, id, "%s, %s", status_name(pair.server.status, name),
                pair.server.attributes & ASC_RET_MUTUAL_AUTH ? "MUTUAL_AUTH" : "no MUTUAL_AUTH");
    else
        observe_status(run, id, pair.server.status);
    schannel_pair_close(&pair);
    if (setup.server_roots) CertCloseStore(setup.server_roots, 0);
}

static void run_verify(struct conformance_run *run)
{
    static const struct certificate_request any = {0}, expired = {.from_days = -20, .to_days = -10};

    for (size_t i = 0; i < COUNT_OF(attempts); i++) try_attempt(run, &attempts[i]);
    try_client_certificate(run, NAME "client.unknown-root", &any, false, 0);
    try_client_certificate(run, NAME "client.own-root", &any, true, 0);
    try_client_certificate(run, NAME "client.wrong-usage",
                           &(struct certificate_request){.usage = szOID_PKIX_KP_SERVER_AUTH}, true, 0);
    try_client_certificate(run, NAME "client.expired", &expired, true, 0);
    try_client_certificate(run, NAME "client.unknown-root.no-mapper", &any, false, SCH_CRED_NO_SYSTEM_MAPPER);
    try_client_certificate(run, NAME "client.own-root.no-mapper", &any, true, SCH_CRED_NO_SYSTEM_MAPPER);
    try_client_certificate(run, NAME "client.expired.no-mapper", &expired, true, SCH_CRED_NO_SYSTEM_MAPPER);
    try_client_certificate(run, NAME "client.unknown-root.no-mapper.automatic", &any, false,
                           SCH_CRED_NO_SYSTEM_MAPPER | SCH_CRED_AUTO_CRED_VALIDATION);
    delete_containers();
}

const struct conformance_group schannel_verify_group = {
    .name = "schannel-verify",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_verify,
};
