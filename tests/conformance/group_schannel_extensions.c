/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which TLS extensions Schannel has negotiated: those that the server has answered.
 */
#include "groups.h"
#include "schannel_certificates.h"
#include "schannel_pair.h"
#include "status.h"

#include <string.h>

#define NAME "schannel-extensions/"
#define EXTENSIONS "sspi.h SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS (documented), "

static const struct conformance_case cases[] = {
    {NAME "tls12", EXTENSIONS "RFC 5246 7.4.1.4", "SEC_E_OK, both sides the same, with ALPN, freed SEC_E_OK", NULL,
     WINE_DIFFERS},
    {NAME "tls12.without", EXTENSIONS "RFC 5246 7.4.1.4", "SEC_E_OK, both sides the same, without ALPN, freed SEC_E_OK",
     NULL, WINE_DIFFERS},
    {NAME "tls13", EXTENSIONS "RFC 8446 4.2", "SEC_E_OK, both sides the same, with ALPN, freed SEC_E_OK", NULL,
     WINE_DIFFERS},
    {NAME "tls13.versions", EXTENSIONS "RFC 8446 4.2.1", "yes", NULL, WINE_DIFFERS},
    {NAME "before", EXTENSIONS "attributes Schannel CONNECTION_INFO (derived: as that)", "as CONNECTION_INFO", NULL,
     WINE_SAME},
};

enum { ALPN = 16, SUPPORTED_VERSIONS = 43 };

static bool has(const SecPkgContext_NegotiatedTlsExtensions *extensions, unsigned number)
{
    for (DWORD i = 0; extensions->Extensions && i < extensions->ExtensionsCount; i++)
        if (extensions->Extensions[i] == number) return true;
    return false;
}

static bool same(const SecPkgContext_NegotiatedTlsExtensions *left, const SecPkgContext_NegotiatedTlsExtensions *right)
{
    return left->ExtensionsCount && left->ExtensionsCount == right->ExtensionsCount &&
           !memcmp(left->Extensions, right->Extensions, left->ExtensionsCount * sizeof(*left->Extensions));
}

static void try_version(struct conformance_run *run, const char *id, DWORD protocols, const char *server_protocols)
{
    const struct schannel_setup setup = {
        .protocols = protocols, .client_protocols = "h2", .server_protocols = server_protocols};
    SecPkgContext_NegotiatedTlsExtensions client = {0, NULL}, server = {0, NULL};
    struct schannel_pair pair;
    char name[STATUS_NAME_MAX], freed[STATUS_NAME_MAX];

    if (schannel_pair_run(&pair, &setup)) {
        const SECURITY_STATUS status =
            QueryContextAttributesA(&pair.client.context, SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS, &client);
        QueryContextAttributesW(&pair.server.context, SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS, &server);
        const bool both = same(&client, &server), alpn = has(&client, ALPN);

        if (!strcmp(id, NAME "tls13")) observe_bool(run, NAME "tls13.versions", has(&client, SUPPORTED_VERSIONS));
        observe(run, id, "%s, both sides %s, %s ALPN, freed %s", status_name(status, name),
                both ? "the same" : "another", alpn ? "with" : "without",
                status_name(FreeContextBuffer(client.Extensions), freed));
        if (server.Extensions) FreeContextBuffer(server.Extensions);
    }
    schannel_pair_close(&pair);
}

static void try_before(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT};
    SecPkgContext_NegotiatedTlsExtensions extensions = {0, NULL};
    SecPkgContext_ConnectionInfo info;
    struct schannel_pair pair;
    char name[STATUS_NAME_MAX];

    if (schannel_pair_open(&pair, &setup) && schannel_client_leg(&pair, &setup) >= 0) {
        const SECURITY_STATUS status =
            QueryContextAttributesA(&pair.client.context, SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS, &extensions);
        const bool as_info =
            status == QueryContextAttributesA(&pair.client.context, SECPKG_ATTR_CONNECTION_INFO, &info);

        observe(run, NAME "before", "%s", as_info && status ? "as CONNECTION_INFO" : status_name(status, name));
    }
    schannel_pair_close(&pair);
}

static void run_extensions(struct conformance_run *run)
{
    try_version(run, NAME "tls12", SP_PROT_TLS1_2_CLIENT, "h2");
    try_version(run, NAME "tls12.without", SP_PROT_TLS1_2_CLIENT, NULL);
    try_version(run, NAME "tls13", SP_PROT_TLS1_3_CLIENT, "h2");
    try_before(run);
    delete_containers();
}

const struct conformance_group schannel_extensions_group = {
    .name = "schannel-extensions",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_extensions,
};
