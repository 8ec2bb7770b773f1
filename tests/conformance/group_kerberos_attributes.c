/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The attributes of Kerberos contexts, in a realm whose keys are AES-256's.
 */
#include "attributes.h"
#include "groups.h"
#include "kerberos_realm.h"

#include <string.h>

#define SIZES "max token 48000, signature 28, block 1, trailer 76"
#define SIZES_ROW "attributes SIZES Kerberos"
#define FLAGS (ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONFIDENTIALITY | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT)

static const struct conformance_case cases[] = {
    {"kerberos-attributes/client.package", "attributes PACKAGE_INFO Kerberos", "Kerberos", NULL, WINE8_DIFFERS},
    {"kerberos-attributes/server.package", "attributes PACKAGE_INFO Kerberos", "Kerberos", NULL, WINE8_DIFFERS},
    {"kerberos-attributes/client.sizes", SIZES_ROW, SIZES, NULL, WINE8_DIFFERS},
    {"kerberos-attributes/server.sizes", SIZES_ROW, SIZES, NULL, WINE8_DIFFERS},
    {"kerberos-attributes/dce.sizes", SIZES_ROW, SIZES, NULL, WINE8_DIFFERS},
    {"kerberos-attributes/key-info.equal", "attributes KEY_INFO Kerberos (documented)", "yes", NULL, WINE_SAME},
    {"kerberos-attributes/key-info.bits", "attributes SESSION_KEY Kerberos", "256", NULL, WINE8_DIFFERS},
    {"kerberos-attributes/session-key.size", "attributes SESSION_KEY Kerberos", "32", NULL, WINE8_DIFFERS},
    {"kerberos-attributes/session-key.equal", "attributes SESSION_KEY Kerberos", "yes", NULL, WINE8_DIFFERS},
    {"kerberos-attributes/names.form", "attributes NAMES Kerberos+Negotiate", "DOMAIN\\user", NULL, WINE8_DIFFERS},
    {"kerberos-attributes/client.native-names", "attributes NATIVE_NAMES Kerberos (reported)",
     "user@REALM, service/host@REALM", NULL, WINE8_DIFFERS},
    {"kerberos-attributes/server.native-names", "attributes NATIVE_NAMES Kerberos (reported)",
     "user@REALM, service/host@REALM", NULL, WINE8_DIFFERS},
    {"kerberos-attributes/server.target", "attributes CLIENT_SPECIFIED_TARGET Kerberos (documented)",
     "what the client named", NULL, WINE8_DIFFERS},
    {"kerberos-attributes/client.flags", "attributes FLAGS Kerberos (documented)", "as granted", NULL, WINE8_DIFFERS},
    {"kerberos-attributes/server.flags", "attributes FLAGS Kerberos (documented)", "as granted", NULL, WINE8_DIFFERS},
};

static void packages_and_sizes(struct conformance_run *run, struct spnego_pair *pair)
{
    char text[OBSERVED_MAX];

    observe(run, "kerberos-attributes/client.package", "%s", package_text(&pair->client.context, text));
    observe(run, "kerberos-attributes/server.package", "%s", package_text(&pair->server.context, text));
    observe(run, "kerberos-attributes/client.sizes", "%s", sizes_text(&pair->client.context, text));
    observe(run, "kerberos-attributes/server.sizes", "%s", sizes_text(&pair->server.context, text));
}

static void key_info(struct conformance_run *run, struct spnego_pair *pair)
{
    char client[OBSERVED_MAX], server[OBSERVED_MAX];
    SecPkgContext_KeyInfoA info;

    observe_bool(run, "kerberos-attributes/key-info.equal",
                 !strcmp(key_info_text(&pair->client.context, client), key_info_text(&pair->server.context, server)));
    if (QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_KEY_INFO, &info)) return;
    observe(run, "kerberos-attributes/key-info.bits", "%lu", info.KeySize);
    FreeContextBuffer(info.sSignatureAlgorithmName);
    FreeContextBuffer(info.sEncryptAlgorithmName);
}

static void session_keys(struct conformance_run *run, struct spnego_pair *pair)
{
    unsigned char client[SESSION_KEY_MAX], server[SESSION_KEY_MAX];
    SECURITY_STATUS released = SEC_E_INTERNAL_ERROR;
    ULONG client_size, server_size;

    if (session_key(&pair->client.context, client, &client_size, &released)) return;
    if (session_key(&pair->server.context, server, &server_size, &released)) return;
    observe(run, "kerberos-attributes/session-key.size", "%lu", client_size);
    observe_bool(run, "kerberos-attributes/session-key.equal",
                 client_size == server_size && !memcmp(client, server, client_size));
}

static void names(struct conformance_run *run, const struct kerberos_realm *realm, struct spnego_pair *pair)
{
    char text[OBSERVED_MAX], expected[OBSERVED_MAX];

    names_text(&pair->server.context, text);
    observe(run, "kerberos-attributes/names.form", "%s", name_form(text));
    snprintf(expected, sizeof(expected), "%s@%s, %s@%s", realm->user, realm->realm, realm->target, realm->realm);
    native_names_text(&pair->client.context, text);
    observe(run, "kerberos-attributes/client.native-names", "%s",
            strcmp(text, expected) ? text : "user@REALM, service/host@REALM");
    native_names_text(&pair->server.context, text);
    observe(run, "kerberos-attributes/server.native-names", "%s",
            strcmp(text, expected) ? text : "user@REALM, service/host@REALM");
}

/* Only a server is told. */
static void client_target(struct conformance_run *run, const struct kerberos_realm *realm, struct spnego_pair *pair)
{
    SecPkgContext_ClientSpecifiedTarget target;
    WCHAR expected[OBSERVED_MAX];

    swprintf(expected, OBSERVED_MAX, L"%hs", realm->target);
    SECURITY_STATUS status =
        QueryContextAttributesW(&pair->server.context, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, &target);
    if (status) {
        observe_status(run, "kerberos-attributes/server.target", status);
        return;
    }
    observe(run, "kerberos-attributes/server.target", "%ls",
            wcscmp(target.sTargetName, expected) ? target.sTargetName : L"what the client named");
    FreeContextBuffer(target.sTargetName);
}

static void granted_flags(struct conformance_run *run, struct spnego_pair *pair)
{
    char text[OBSERVED_MAX];

    observe(run, "kerberos-attributes/client.flags", "%s",
            flags_text(&pair->client.context, spnego_last_leg(&pair->client)->attributes, text));
    observe(run, "kerberos-attributes/server.flags", "%s",
            flags_text(&pair->server.context, spnego_last_leg(&pair->server)->attributes, text));
}

static void run_attributes(struct conformance_run *run)
{
    struct kerberos_realm realm;
    struct spnego_pair pair;
    char text[OBSERVED_MAX];

    if (!kerberos_realm_find(run, &realm)) return;
    if (kerberos_open_pair(run, &realm, &pair, FLAGS)) {
        packages_and_sizes(run, &pair);
        key_info(run, &pair);
        session_keys(run, &pair);
        names(run, &realm, &pair);
        client_target(run, &realm, &pair);
        granted_flags(run, &pair);
        spnego_pair_close(&pair);
    }
    if (kerberos_open_pair(run, &realm, &pair, FLAGS | ISC_REQ_USE_DCE_STYLE)) {
        observe(run, "kerberos-attributes/dce.sizes", "%s", sizes_text(&pair.client.context, text));
        spnego_pair_close(&pair);
    }
}

const struct conformance_group kerberos_attributes_group = {
    .name = "kerberos-attributes", .cases = cases, .case_count = COUNT_OF(cases), .run = run_attributes};
