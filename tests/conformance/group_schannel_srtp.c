/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SRTP over Schannel's DTLS (RFC 5764): profiles and identifiers of master keys in both roles, and the keys.
 */
#include "groups.h"
#include "schannel_certificates.h"
#include "schannel_network.h"
#include "status.h"

#include <string.h>

#define NAME "schannel-srtp/"
#define BUFFERS "sspi.h SECBUFFER_SRTP_PROTECTION_PROFILES (documented), "
#define PARAMETERS "schannel.h SECPKG_ATTR_SRTP_PARAMETERS (documented), "

static const struct conformance_case cases[] = {
    {NAME "profile", PARAMETERS "RFC 5764 4.1.1", "SEC_E_OK 1, SEC_E_OK 1", NULL, WINE_DIFFERS},
    {NAME "profile.second", PARAMETERS "RFC 5764 4.1.1", "SEC_E_OK 2, SEC_E_OK 2", NULL, WINE_DIFFERS},
    {NAME "identifier", PARAMETERS "RFC 5764 4.1.3", "SEC_E_OK 1 mki, SEC_E_OK 1 mki", NULL, WINE_DIFFERS},
    {NAME "none-in-common", PARAMETERS "RFC 5764 4.1.1 (derived: as APPLICATION_PROTOCOL)", "SEC_E_OK 0, SEC_E_OK 0",
     NULL, WINE_DIFFERS},
    {NAME "not-asked-for", PARAMETERS "RFC 5764 4.1.1 (derived: as APPLICATION_PROTOCOL)", "SEC_E_OK 0, SEC_E_OK 0",
     NULL, WINE_DIFFERS},
    {NAME "keys", "attributes Schannel KEYING_MATERIAL (documented), RFC 5764 4.2",
     "SEC_E_OK SEC_E_OK, both sides the same", NULL, WINE8_DIFFERS},
    {NAME "cut.client", BUFFERS "behaviour 162 (derived)", "SEC_E_INVALID_TOKEN", NULL, WINE_DIFFERS},
    {NAME "cut.server", BUFFERS "behaviour 162 (derived)", "SEC_E_INVALID_TOKEN", NULL, WINE_DIFFERS},
    {NAME "odd", BUFFERS "behaviour 162 (derived)", "SEC_E_INVALID_TOKEN", NULL, WINE_DIFFERS},
    {NAME "identifier.cut", BUFFERS "behaviour 162 (derived)", "SEC_E_INVALID_TOKEN", NULL, WINE_DIFFERS},
};

/* SEC_SRTP_PROTECTION_PROFILES, and SEC_SRTP_MASTER_KEY_IDENTIFIER (NULL: none), of one side's first leg. */
static void give(struct schannel_network *network, bool client, const USHORT *profiles, ULONG size,
                 const char *identifier)
{
    network->first_counts[client] = identifier ? 2 : 1;
    network->first[client][0] = (SecBuffer){size, SECBUFFER_SRTP_PROTECTION_PROFILES, (void *)profiles};
    if (identifier)
        network->first[client][1] =
            (SecBuffer){(ULONG)strlen(identifier), SECBUFFER_SRTP_MASTER_KEY_IDENTIFIER, (void *)identifier};
}

static const USHORT first_of_both[] = {4, 1, 2}, second_alone[] = {2, 2}, first_alone[] = {2, 1};

/* "STATUS PROFILE IDENTIFIER" in TEXT, which is returned. */
static const char *parameters(struct schannel_side *side, char *text)
{
    SecPkgContext_SrtpParameters srtp = {0xFFFF, 0, NULL};
    char name[STATUS_NAME_MAX];
    const SECURITY_STATUS status = QueryContextAttributesA(&side->context, SECPKG_ATTR_SRTP_PARAMETERS, &srtp);

    snprintf(text, OBSERVED_MAX, "%s %u%s%.*s", status_name(status, name), srtp.ProtectionProfile,
             srtp.MasterKeyIdentifierSize ? " " : "", srtp.MasterKeyIdentifierSize,
             (const char *)srtp.MasterKeyIdentifier);
    if (srtp.MasterKeyIdentifier && FreeContextBuffer(srtp.MasterKeyIdentifier)) text[0] = 0;
    return text;
}

static SECURITY_STATUS make_key(CtxtHandle *context, SecPkgContext_KeyingMaterial *key)
{
    static char label[] = "EXTRACTOR-dtls_srtp";
    SecPkgContext_KeyingMaterialInfo info = {.cbLabel = sizeof(label), .pszLabel = label, .cbKeyingMaterial = 60};
    const SECURITY_STATUS status =
        SetContextAttributesA(context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &info, sizeof(info));

    return status ? status : QueryContextAttributesA(context, SECPKG_ATTR_KEYING_MATERIAL, key);
}

static void observe_keys(struct conformance_run *run, struct schannel_pair *pair)
{
    SecPkgContext_KeyingMaterial client = {0}, server = {0};
    char one[STATUS_NAME_MAX], two[STATUS_NAME_MAX];
    const SECURITY_STATUS status = make_key(&pair->client.context, &client);
    const SECURITY_STATUS server_status = make_key(&pair->server.context, &server);
    const bool same = client.pbKeyingMaterial && server.pbKeyingMaterial &&
                      !memcmp(client.pbKeyingMaterial, server.pbKeyingMaterial, 60);

    observe(run, NAME "keys", "%s %s, both sides %s", status_name(status, one), status_name(server_status, two),
            same ? "the same" : "another");
    if (client.pbKeyingMaterial) FreeContextBuffer(client.pbKeyingMaterial);
    if (server.pbKeyingMaterial) FreeContextBuffer(server.pbKeyingMaterial);
}

/* A handshake with what was given. */
static void try_agreement(struct conformance_run *run, const char *id, struct schannel_network *network)
{
    char client[OBSERVED_MAX], server[OBSERVED_MAX];

    if (schannel_network_open(network, SP_PROT_DTLS1_2_CLIENT) && schannel_network_shake(network)) {
        observe(run, id, "%s, %s", parameters(&network->pair.client, client),
                parameters(&network->pair.server, server));
        if (!strcmp(id, NAME "profile")) observe_keys(run, &network->pair);
    }
    schannel_network_close(network);
}

static void try_agreements(struct conformance_run *run)
{
    struct schannel_network first = {0}, second = {0}, identified = {0}, nothing = {0}, unasked = {0};

    give(&first, CLIENT, first_of_both, sizeof(first_of_both), NULL);
    give(&first, SERVER, first_of_both, sizeof(first_of_both), NULL);
    try_agreement(run, NAME "profile", &first);
    give(&second, CLIENT, first_of_both, sizeof(first_of_both), NULL);
    give(&second, SERVER, second_alone, sizeof(second_alone), NULL);
    try_agreement(run, NAME "profile.second", &second);
    give(&identified, CLIENT, first_alone, sizeof(first_alone), "\003mki");
    give(&identified, SERVER, first_alone, sizeof(first_alone), "\003mki");
    try_agreement(run, NAME "identifier", &identified);
    give(&nothing, CLIENT, first_alone, sizeof(first_alone), NULL);
    give(&nothing, SERVER, second_alone, sizeof(second_alone), NULL);
    try_agreement(run, NAME "none-in-common", &nothing);
    give(&unasked, SERVER, first_alone, sizeof(first_alone), NULL);
    try_agreement(run, NAME "not-asked-for", &unasked);
}

static void try_bad(struct conformance_run *run, const char *id, bool client, ULONG size, const char *identifier)
{
    static const USHORT longer[] = {4, 1}, odd[] = {3, 1, 0};
    struct schannel_network network = {0};
    BYTE none[1] = {0};

    give(&network, client, size % 2 ? odd : longer, size, identifier);
    if (schannel_network_open(&network, SP_PROT_DTLS1_2_CLIENT))
        observe_status(run, id, schannel_network_leg(&network, client, client ? NULL : none, 0));
    schannel_network_close(&network);
}

static void run_srtp(struct conformance_run *run)
{
    try_agreements(run);
    try_bad(run, NAME "cut.client", CLIENT, 4, NULL);
    try_bad(run, NAME "cut.server", SERVER, 4, NULL);
    try_bad(run, NAME "odd", CLIENT, 5, NULL);
    try_bad(run, NAME "identifier.cut", CLIENT, 4, "\004mki");
    delete_containers();
}

const struct conformance_group schannel_srtp_group = {
    .name = "schannel-srtp",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_srtp,
};
