/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole exchanges of Schannel's client with its server: what they agree on, and a server that asks for a certificate.
 */
#include "groups.h"
#include "schannel_certificates.h"
#include "schannel_pair.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

#define NAME "schannel-exchange/"

static const struct conformance_case cases[] = {
    {NAME "tls10.client", "behaviour 175", "SEC_I_CONTINUE_NEEDED SEC_I_CONTINUE_NEEDED SEC_E_OK", NULL, WINE8_DIFFERS},
    {NAME "tls10.server", "behaviour 175", "SEC_I_CONTINUE_NEEDED SEC_E_OK", NULL, WINE8_DIFFERS},
    {NAME "alpn.server-order", "behaviour 177", "SEC_E_OK, Success, ALPN, h2", NULL, WINE_SAME},
    {NAME "alpn.same-order", "behaviour 178", "SEC_E_OK, Success, ALPN, http/1.1", NULL, WINE8_DIFFERS},
    {NAME "alpn.none", "attributes Schannel APPLICATION_PROTOCOL (observed)", "SEC_E_OK, None", NULL, WINE_SAME},
    {NAME "alpn.mismatch", "errors InitializeSecurityContext SEC_E_APPLICATION_PROTOCOL_MISMATCH (documented)",
     "SEC_E_APPLICATION_PROTOCOL_MISMATCH", NULL, WINE_SAME},
    {NAME "default.suite", "attributes Schannel CIPHER_INFO (SCH_CREDENTIALS, observed)", "TLS_AES_256_GCM_SHA384",
     "6.3:not there", WINE_SAME},
    {NAME "old-structure.suite", "attributes Schannel CIPHER_INFO (SCHANNEL_CRED caps at TLS 1.2, observed)",
     "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", NULL, WINE_SAME},
    {NAME "without-gcm.suite", "attributes Schannel CIPHER_INFO (disabling GCM, observed)",
     "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", NULL, WINE_SAME},
    {NAME "without-aes-256.suite", "attributes Schannel CIPHER_INFO (disabling AES-256, observed)",
     "TLS_AES_128_GCM_SHA256", NULL, WINE_SAME},
    {NAME "certificate-asked.none", "errors InitializeSecurityContext SEC_I_INCOMPLETE_CREDENTIALS (documented)",
     "SEC_I_INCOMPLETE_CREDENTIALS, then SEC_I_CONTINUE_NEEDED", NULL, WINE_SAME},
    {NAME "certificate-asked.supplied", "schannel.h ISC_REQ_USE_SUPPLIED_CREDS (documented)", "SEC_I_CONTINUE_NEEDED",
     NULL, WINE_SAME},
    {NAME "certificate-asked.another-credential",
     "errors InitializeSecurityContext SEC_I_INCOMPLETE_CREDENTIALS (documented)",
     "SEC_I_INCOMPLETE_CREDENTIALS, then SEC_E_OK SEC_E_OK, the client's certificate", NULL, WINE_SAME},
    {NAME "certificate-asked.another-credential.tls13",
     "errors InitializeSecurityContext SEC_I_INCOMPLETE_CREDENTIALS (documented)",
     "SEC_I_INCOMPLETE_CREDENTIALS, then SEC_E_OK SEC_E_OK, the client's certificate", NULL, WINE_SAME},
};

static void try_tls10(struct conformance_run *run)
{
    struct schannel_setup setup = {.protocols = SP_PROT_TLS1_CLIENT,
                                   .server_certificate = make_certificate(&(struct certificate_request){0})};
    struct schannel_pair pair;
    char text[OBSERVED_MAX];

    schannel_pair_run(&pair, &setup);
    observe(run, NAME "tls10.client", "%s", schannel_outcome(&pair.client, text));
    observe(run, NAME "tls10.server", "%s", schannel_outcome(&pair.server, text));
    schannel_pair_close(&pair);
}

static void describe_protocol(CtxtHandle *context, char *text)
{
    SecPkgContext_ApplicationProtocol protocol = {0};
    char name[STATUS_NAME_MAX];
    const SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_APPLICATION_PROTOCOL, &protocol);
    const bool alpn = protocol.ProtoNegoExt == SecApplicationProtocolNegotiationExt_ALPN;

    if (protocol.ProtoNegoStatus == SecApplicationProtocolNegotiationStatus_Success)
        snprintf(text, OBSERVED_MAX, "%s, Success, %s, %.*s", status_name(status, name), alpn ? "ALPN" : "another",
                 protocol.ProtocolIdSize, (const char *)protocol.ProtocolId);
    else
        snprintf(text, OBSERVED_MAX, "%s, None", status_name(status, name));
}

static void try_protocols(struct conformance_run *run)
{
    static const struct {
        const char *id, *client, *server;
    } attempts[] = {{NAME "alpn.server-order", "http/1.1 h2", "h2 http/1.1"},
                    {NAME "alpn.same-order", "http/1.1 h2", "http/1.1 h2"},
                    {NAME "alpn.none", NULL, "h2"}};
    char text[OBSERVED_MAX];

    for (size_t i = 0; i < COUNT_OF(attempts); i++) {
        const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT,
                                             .client_protocols = attempts[i].client,
                                             .server_protocols = attempts[i].server};
        struct schannel_pair pair;

        if (schannel_pair_run(&pair, &setup)) {
            describe_protocol(&pair.client.context, text);
            observe(run, attempts[i].id, "%s", text);
        }
        schannel_pair_close(&pair);
    }
}

/* The server refuses, and the alert tells the client why. */
static void try_protocol_mismatch(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT,
                                         .server_request = ASC_REQ_EXTENDED_ERROR,
                                         .client_protocols = "spdy/3",
                                         .server_protocols = "h2"};
    struct schannel_pair pair;

    schannel_pair_run(&pair, &setup);
    observe_status(run, NAME "alpn.mismatch", pair.client.status);
    schannel_pair_close(&pair);
}

static void try_suites(struct conformance_run *run)
{
    static const struct {
        const char *id;
        struct schannel_setup setup;
    } attempts[] = {
        {NAME "default.suite", {0}},
        {NAME "old-structure.suite", {.protocols = SP_PROT_TLS1_2_CLIENT}},
        {NAME "without-gcm.suite", {.disabled = L"AES", .disabled_mode = L"ChainingModeGCM"}},
        {NAME "without-aes-256.suite", {.disabled = L"AES", .disabled_bits = 256}},
    };

    for (size_t i = 0; i < COUNT_OF(attempts); i++) {
        struct schannel_pair pair;
        SecPkgContext_CipherInfo info = {0};

        if (schannel_pair_run(&pair, &attempts[i].setup)) {
            QueryContextAttributesA(&pair.client.context, SECPKG_ATTR_CIPHER_INFO, &info);
            observe(run, attempts[i].id, "%ls", info.szCipherSuite);
        }
        schannel_pair_close(&pair);
    }
}

/* ---- a server that asks for a certificate, and a client that has none: told once, it goes on with or without ---- */

static bool open_asked(struct schannel_pair *pair, const struct schannel_setup *setup)
{
    return schannel_pair_open(pair, setup) && schannel_client_leg(pair, setup) == SEC_I_CONTINUE_NEEDED &&
           schannel_server_leg(pair, setup) == SEC_I_CONTINUE_NEEDED;
}

/* The client's leg after which it is asked; what it had to read comes once more. */
static SECURITY_STATUS asked_leg(struct schannel_pair *pair, const struct schannel_setup *setup)
{
    struct schannel_side *client = &pair->client;
    const ULONG size = client->size;
    BYTE *kept = malloc(size);

    memcpy(kept, client->waiting, size);
    const SECURITY_STATUS status = schannel_client_leg(pair, setup);
    memcpy(client->waiting, kept, size);
    client->size = size;
    free(kept);
    return status;
}

static void try_asked(struct conformance_run *run)
{
    struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT, .server_request = ASC_REQ_MUTUAL_AUTH};
    struct schannel_pair pair;
    char name[STATUS_NAME_MAX], again[STATUS_NAME_MAX];

    if (open_asked(&pair, &setup)) {
        const SECURITY_STATUS first = asked_leg(&pair, &setup);
        const SECURITY_STATUS next = schannel_client_leg(&pair, &setup);
        observe(run, NAME "certificate-asked.none", "%s, then %s", status_name(first, name), status_name(next, again));
    }
    schannel_pair_close(&pair);
    setup.client_request = ISC_REQ_USE_SUPPLIED_CREDS;
    if (open_asked(&pair, &setup))
        observe_status(run, NAME "certificate-asked.supplied", schannel_client_leg(&pair, &setup));
    schannel_pair_close(&pair);
}

static void try_another_credential(struct conformance_run *run, const char *id, DWORD protocols)
{
    const struct schannel_setup setup = {.protocols = protocols,
                                         .server_request = ASC_REQ_MUTUAL_AUTH,
                                         .server_cred_flags = SCH_CRED_MANUAL_CRED_VALIDATION};
    struct schannel_pair opened, *pair = &opened;
    PCCERT_CONTEXT remote = NULL;
    char name[STATUS_NAME_MAX], client[STATUS_NAME_MAX], server[STATUS_NAME_MAX];

    if (open_asked(pair, &setup)) {
        const SECURITY_STATUS first = asked_leg(pair, &setup);
        FreeCredentialsHandle(&pair->client.credential);
        schannel_credential(SECPKG_CRED_OUTBOUND, protocols, issued_certificate(), &pair->client.credential);
        for (int i = 0; i < 4 && (pair->server.size || (pair->client.status && pair->client.size)); i++) {
            if (pair->client.status && pair->client.size) schannel_client_leg(pair, &setup);
            if (pair->server.size) schannel_server_leg(pair, &setup);
        }
        QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &remote);
        observe(run, id, "%s, then %s %s, %s", status_name(first, name), status_name(pair->client.status, client),
                status_name(pair->server.status, server), remote ? "the client's certificate" : "no certificate");
        if (remote) CertFreeCertificateContext(remote);
    }
    schannel_pair_close(pair);
}

static void run_exchange(struct conformance_run *run)
{
    try_tls10(run);
    try_protocols(run);
    try_protocol_mismatch(run);
    try_suites(run);
    try_asked(run);
    try_another_credential(run, NAME "certificate-asked.another-credential", SP_PROT_TLS1_2_CLIENT);
    try_another_credential(run, NAME "certificate-asked.another-credential.tls13", SP_PROT_TLS1_3_CLIENT);
    delete_containers();
}

const struct conformance_group schannel_exchange_group = {
    .name = "schannel-exchange",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_exchange,
};
