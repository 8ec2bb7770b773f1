/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys made from a session's, and what a program keeps with a context: attributes that are set as well.
 */
#include "groups.h"
#include "schannel_certificates.h"
#include "schannel_pair.h"
#include "status.h"

#include <string.h>

#define NAME "schannel-material/"

static const struct conformance_case cases[] = {
    {NAME "eap-key-block", "attributes Schannel EAP_KEY_BLOCK (documented), RFC 5216 2.3",
     "SEC_E_OK, both sides the same", NULL, WINE_SAME},
    {NAME "keying-material.unset", "attributes Schannel KEYING_MATERIAL (documented: needs KEYING_MATERIAL_INFO)",
     "refused", NULL, WINE_SAME},
    {NAME "keying-material", "attributes Schannel KEYING_MATERIAL (documented), RFC 5705",
     "SEC_E_OK SEC_E_OK, both sides the same", NULL, WINE_SAME},
    {NAME "keying-material.context", "attributes Schannel KEYING_MATERIAL (documented), RFC 5705 4",
     "SEC_E_OK SEC_E_OK, both sides the same, not as without", NULL, WINE_SAME},
    {NAME "app-data", "attributes Schannel APP_DATA (documented: get and set)", "SEC_E_OK, SEC_E_OK, what was set",
     NULL, WINE_SAME},
    {NAME "set.unsupported", "attributes Schannel SetContextAttributes (documented)", "SEC_E_UNSUPPORTED_FUNCTION",
     NULL, WINE_SAME},
};

/* SetContextAttributes and KEYING_MATERIAL; the caller frees with FreeContextBuffer. */
static SECURITY_STATUS make_key(CtxtHandle *context, const char *value, SecPkgContext_KeyingMaterial *key)
{
    SecPkgContext_KeyingMaterialInfo info = {.cbLabel = (WORD)strlen("EXPORTER-conformance") + 1,
                                             .pszLabel = (LPSTR) "EXPORTER-conformance",
                                             .cbContextValue = value ? (WORD)strlen(value) : 0,
                                             .pbContextValue = (PBYTE)value,
                                             .cbKeyingMaterial = 48};
    const SECURITY_STATUS status =
        SetContextAttributesA(context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &info, sizeof(info));

    *key = (SecPkgContext_KeyingMaterial){0};
    return status ? status : QueryContextAttributesA(context, SECPKG_ATTR_KEYING_MATERIAL, key);
}

static bool same_key(const SecPkgContext_KeyingMaterial *left, const SecPkgContext_KeyingMaterial *right)
{
    return left->pbKeyingMaterial && right->pbKeyingMaterial && left->cbKeyingMaterial == 48 &&
           right->cbKeyingMaterial == 48 && !memcmp(left->pbKeyingMaterial, right->pbKeyingMaterial, 48);
}

static void try_keys(struct conformance_run *run, struct schannel_pair *pair)
{
    SecPkgContext_KeyingMaterial client[2], server[2], unset = {0};
    SECURITY_STATUS client_status[2], server_status[2];
    static const char *const contexts[2] = {NULL, "context"};
    static const char *const ids[2] = {NAME "keying-material", NAME "keying-material.context"};
    char name[STATUS_NAME_MAX], server_name[STATUS_NAME_MAX];

    observe(run, NAME "keying-material.unset", "%s",
            QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_KEYING_MATERIAL, &unset) ? "refused" : "given");
    for (int i = 0; i < 2; i++) {
        client_status[i] = make_key(&pair->client.context, contexts[i], &client[i]);
        server_status[i] = make_key(&pair->server.context, contexts[i], &server[i]);
    }
    for (int i = 0; i < 2; i++)
        observe(run, ids[i], "%s %s, both sides %s%s", status_name(client_status[i], name),
                status_name(server_status[i], server_name), same_key(&client[i], &server[i]) ? "the same" : "another",
                !i                                 ? ""
                : same_key(&client[0], &client[1]) ? ", as without"
                                                   : ", not as without");
    for (int i = 0; i < 2; i++) {
        if (client[i].pbKeyingMaterial) FreeContextBuffer(client[i].pbKeyingMaterial);
        if (server[i].pbKeyingMaterial) FreeContextBuffer(server[i].pbKeyingMaterial);
    }
}

static void try_eap(struct conformance_run *run, struct schannel_pair *pair)
{
    SecPkgContext_EapKeyBlock client = {{0}, {0}}, server = {{1}, {0}};
    char name[STATUS_NAME_MAX];
    const SECURITY_STATUS status = QueryContextAttributesA(&pair->client.context, SECPKG_ATTR_EAP_KEY_BLOCK, &client);

    QueryContextAttributesA(&pair->server.context, SECPKG_ATTR_EAP_KEY_BLOCK, &server);
    observe(run, NAME "eap-key-block", "%s, both sides %s", status_name(status, name),
            memcmp(&client, &server, sizeof(client)) ? "another" : "the same");
}

static void try_app_data(struct conformance_run *run, CtxtHandle *context)
{
    static const char data[] = "some data";
    SecPkgContext_SessionAppData given = {.cbAppData = sizeof(data), .pbAppData = (PBYTE)data}, got = {0};
    char name[STATUS_NAME_MAX], query_name[STATUS_NAME_MAX];
    const SECURITY_STATUS set = SetContextAttributesA(context, SECPKG_ATTR_APP_DATA, &given, sizeof(given));
    const SECURITY_STATUS query = QueryContextAttributesA(context, SECPKG_ATTR_APP_DATA, &got);
    const bool same = got.pbAppData && got.cbAppData == sizeof(data) && !memcmp(got.pbAppData, data, sizeof(data));

    observe(run, NAME "app-data", "%s, %s, %s", status_name(set, name), status_name(query, query_name),
            same ? "what was set" : "another");
    if (got.pbAppData) FreeContextBuffer(got.pbAppData);
    observe_status(run, NAME "set.unsupported",
                   SetContextAttributesA(context, SECPKG_ATTR_SIZES, &given, sizeof(given)));
}

static void run_material(struct conformance_run *run)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT};
    struct schannel_pair pair;

    if (!schannel_pair_ready(run, &pair, &setup)) return;
    try_eap(run, &pair);
    try_keys(run, &pair);
    try_app_data(run, &pair.client.context);
    schannel_pair_close(&pair);
    delete_containers();
}

const struct conformance_group schannel_material_group = {
    .name = "schannel-material",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_material,
};
