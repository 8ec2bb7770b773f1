/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a Negotiate context over NTLM knows, before it is complete and after: the attributes are the mechanism's.
 */
#include "attributes.h"
#include "groups.h"
#include "spnego_pair.h"
#include "status.h"

#include <string.h>

#define SIZES "max token 2888, signature 16, block 0, trailer 16"
#define OLD_SIZES "5.2:max token 1904, signature 16, block 0, trailer 16"
#define KEY_INFO "HMAC-MD5 / RSADSI RC4, 0xffffff76, 128, 0x6801"
#define SEALED (ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY)

static const struct conformance_case cases[] = {
    {"spnego-attributes/before.client-package", "attributes PACKAGE_INFO Negotiate", "Negotiate", NULL, WINE_DIFFERS},
    {"spnego-attributes/client.package", "attributes PACKAGE_INFO Negotiate", "NTLM", NULL, WINE_DIFFERS},
    {"spnego-attributes/server.package", "attributes PACKAGE_INFO Negotiate", "NTLM", NULL, WINE_DIFFERS},
    {"spnego-attributes/client.negotiation", "behaviour 62", "SEC_E_OK, 0, NTLM", NULL, WINE_DIFFERS},
    {"spnego-attributes/server.negotiation", "attributes NEGOTIATION_INFO Negotiate", "SEC_E_OK, 0, NTLM", NULL,
     WINE_DIFFERS},
    {"spnego-attributes/chosen.rpc-id", "behaviour 62", "10", NULL, WINE_DIFFERS},
    {"spnego-attributes/chosen.version", "behaviour 62", "1", NULL, WINE_DIFFERS},
    {"spnego-attributes/chosen.capabilities", "behaviour 63, packages NTLM", "0x02882b37",
     "5.2:0x00002b37 or 6.0:0x00022b37 or 6.1:0x00082b37 or 10.0:0x00882b37", WINE_DIFFERS},
    {"spnego-attributes/chosen.one-block", "behaviour 64", "yes", NULL, WINE_DIFFERS},
    {"spnego-attributes/chosen.free", "behaviour 64", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"spnego-attributes/client.sizes", "behaviour 61", SIZES, OLD_SIZES, WINE_DIFFERS},
    {"spnego-attributes/server.sizes", "attributes SIZES Negotiate", SIZES, OLD_SIZES, WINE_DIFFERS},
    {"spnego-attributes/client.key-info", "attributes KEY_INFO NTLM (the mechanism answers)", KEY_INFO, NULL,
     WINE_DIFFERS},
    {"spnego-attributes/server.key-info", "attributes KEY_INFO NTLM (the mechanism answers)", KEY_INFO, NULL,
     WINE_DIFFERS},
    {"spnego-attributes/client.stream-sizes", "attributes STREAM_SIZES NTLM (the mechanism answers)",
     "SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE_DIFFERS},
    {"spnego-attributes/server.stream-sizes", "attributes STREAM_SIZES NTLM (the mechanism answers)",
     "SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE_DIFFERS},
    {"spnego-attributes/names.equal", "attributes NAMES NTLM+Negotiate", "yes", NULL, WINE_DIFFERS},
    {"spnego-attributes/names.form", "attributes NAMES NTLM+Negotiate", "DOMAIN\\user", NULL, WINE_DIFFERS},
    {"spnego-attributes/session-key.size", "attributes SESSION_KEY NTLM+Negotiate", "16", NULL, WINE_DIFFERS},
    {"spnego-attributes/session-key.equal", "attributes SESSION_KEY NTLM+Negotiate", "yes", NULL, WINE_DIFFERS},
    {"spnego-attributes/client.flags", "attributes FLAGS Negotiate (documented)", "as granted", NULL, WINE_DIFFERS},
    {"spnego-attributes/server.flags", "attributes FLAGS Negotiate (documented)", "as granted", NULL, WINE_DIFFERS},
    {"spnego-attributes/client.expiry", "attributes Expiry NTLM+Negotiate", "in 1 hour to 10 days", NULL, WINE_DIFFERS},
    {"spnego-attributes/close.client", "behaviour 65", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"spnego-attributes/close.server", "behaviour 65", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"spnego-attributes/close.client-credential", "behaviour 65", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"spnego-attributes/close.server-credential", "behaviour 65", "SEC_E_OK", NULL, WINE_DIFFERS},
};

static void before_completion(struct conformance_run *run)
{
    const struct spnego_request request = {.packages = SPNEGO_NO_KERBEROS};
    struct spnego_pair pair;
    char text[OBSERVED_MAX];

    if (spnego_pair_open(&pair, &request) && spnego_client_leg(&pair, &request))
        observe(run, "spnego-attributes/before.client-package", "%s", package_text(&pair.client.context, text));
    spnego_pair_close(&pair);
}

static void packages(struct conformance_run *run, struct spnego_pair *pair)
{
    char text[OBSERVED_MAX];

    observe(run, "spnego-attributes/client.package", "%s", package_text(&pair->client.context, text));
    observe(run, "spnego-attributes/server.package", "%s", package_text(&pair->server.context, text));
    observe(run, "spnego-attributes/client.negotiation", "%s", negotiation_text(&pair->client.context, text));
    observe(run, "spnego-attributes/server.negotiation", "%s", negotiation_text(&pair->server.context, text));
}

static bool is_one_block(const SecPkgInfoA *info)
{
    const SIZE_T size = sizeof(*info) + strlen(info->Name) + 1 + strlen(info->Comment) + 1;

    return HeapSize(GetProcessHeap(), 0, info) == size && info->Name > (char *)info &&
           info->Name < (char *)info + size && info->Comment > (char *)info && info->Comment < (char *)info + size;
}

static void chosen_package(struct conformance_run *run, CtxtHandle *context)
{
    SecPkgContext_NegotiationInfoA info = {NULL, 0};

    if (QueryContextAttributesA(context, SECPKG_ATTR_NEGOTIATION_INFO, &info) || !info.PackageInfo) return;
    observe(run, "spnego-attributes/chosen.rpc-id", "%u", info.PackageInfo->wRPCID);
    observe(run, "spnego-attributes/chosen.version", "%u", info.PackageInfo->wVersion);
    observe(run, "spnego-attributes/chosen.capabilities", "0x%08lx", info.PackageInfo->fCapabilities);
    observe_bool(run, "spnego-attributes/chosen.one-block", is_one_block(info.PackageInfo));
    observe_status(run, "spnego-attributes/chosen.free", FreeContextBuffer(info.PackageInfo));
}

static void sizes_and_algorithms(struct conformance_run *run, struct spnego_pair *pair)
{
    SecPkgContext_StreamSizes sizes;
    char text[OBSERVED_MAX];

    observe(run, "spnego-attributes/client.sizes", "%s", sizes_text(&pair->client.context, text));
    observe(run, "spnego-attributes/server.sizes", "%s", sizes_text(&pair->server.context, text));
    observe(run, "spnego-attributes/client.key-info", "%s", key_info_text(&pair->client.context, text));
    observe(run, "spnego-attributes/server.key-info", "%s", key_info_text(&pair->server.context, text));
    observe_status(run, "spnego-attributes/client.stream-sizes",
                   QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_STREAM_SIZES, &sizes));
    observe_status(run, "spnego-attributes/server.stream-sizes",
                   QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_STREAM_SIZES, &sizes));
}

static void names(struct conformance_run *run, struct spnego_pair *pair)
{
    char client[OBSERVED_MAX], server[OBSERVED_MAX];

    names_text(&pair->client.context, client);
    names_text(&pair->server.context, server);
    observe_bool(run, "spnego-attributes/names.equal", !strcmp(client, server));
    observe(run, "spnego-attributes/names.form", "%s", name_form(client));
}

static void session_keys(struct conformance_run *run, struct spnego_pair *pair)
{
    unsigned char client[SESSION_KEY_MAX], server[SESSION_KEY_MAX];
    SECURITY_STATUS released = SEC_E_INTERNAL_ERROR;
    ULONG client_size, server_size;

    if (session_key(&pair->client.context, client, &client_size, &released)) return;
    if (session_key(&pair->server.context, server, &server_size, &released)) return;
    observe(run, "spnego-attributes/session-key.size", "%lu", client_size);
    observe_bool(run, "spnego-attributes/session-key.equal",
                 client_size == server_size && !memcmp(client, server, client_size));
}

static void close_all(struct conformance_run *run, struct spnego_pair *pair)
{
    observe_status(run, "spnego-attributes/close.client", DeleteSecurityContext(&pair->client.context));
    observe_status(run, "spnego-attributes/close.server", DeleteSecurityContext(&pair->server.context));
    observe_status(run, "spnego-attributes/close.client-credential", FreeCredentialsHandle(&pair->client.credential));
    observe_status(run, "spnego-attributes/close.server-credential", FreeCredentialsHandle(&pair->server.credential));
    SecInvalidateHandle(&pair->client.context);
    SecInvalidateHandle(&pair->server.context);
    SecInvalidateHandle(&pair->client.credential);
    SecInvalidateHandle(&pair->server.credential);
}

static void run_attributes(struct conformance_run *run)
{
    struct spnego_pair pair;
    char text[OBSERVED_MAX];

    before_completion(run);
    if (!spnego_open_pair(run, &pair, SEALED)) return;
    packages(run, &pair);
    chosen_package(run, &pair.client.context);
    sizes_and_algorithms(run, &pair);
    names(run, &pair);
    session_keys(run, &pair);
    observe(run, "spnego-attributes/client.flags", "%s",
            flags_text(&pair.client.context, spnego_last_leg(&pair.client)->attributes, text));
    observe(run, "spnego-attributes/server.flags", "%s",
            flags_text(&pair.server.context, spnego_last_leg(&pair.server)->attributes, text));
    observe(run, "spnego-attributes/client.expiry", "%s", expiry_text(spnego_last_leg(&pair.client)->expiry, text));
    close_all(run, &pair);
    spnego_pair_close(&pair);
}

const struct conformance_group spnego_attributes_group = {
    .name = "spnego-attributes", .cases = cases, .case_count = COUNT_OF(cases), .run = run_attributes};
