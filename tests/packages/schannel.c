/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our Schannel in our secur32, where nobody knows what Windows does.
 *
 * Attributes that its contexts do not have, queried and set in both roles. Pages list some of them for all packages
 * (attributes.tsv), and Windows may know more; of TARGET_INFORMATION ("marshalled target") and of what EAP_PRF_INFO
 * takes no form is published, so that there is nothing to answer with.
 *
 * Data that is under way when a client begins another handshake (RFC 5246 7.4.1.1): it comes out after that.
 */
#include "../conformance/schannel_certificates.h"
#include "../conformance/schannel_pair.h"
#include "cases.h"
#include "schannel_pointers.h"

#include <stdio.h>
#include <string.h>

#define CREDS_2 0x80000086 /* ntsecpkg.h of newer SDKs: CredSSP's */

static const struct {
    const char *name;
    ULONG attribute;
} attributes[] = {
    {"TARGET_INFORMATION", SECPKG_ATTR_TARGET_INFORMATION},
    {"EAP_PRF_INFO", SECPKG_ATTR_EAP_PRF_INFO},
    {"DCE_INFO", SECPKG_ATTR_DCE_INFO},
    {"PASSWORD_EXPIRY", SECPKG_ATTR_PASSWORD_EXPIRY},
    {"SESSION_KEY", SECPKG_ATTR_SESSION_KEY},
    {"USER_FLAGS", SECPKG_ATTR_USER_FLAGS},
    {"NEGOTIATION_INFO", SECPKG_ATTR_NEGOTIATION_INFO},
    {"NATIVE_NAMES", SECPKG_ATTR_NATIVE_NAMES},
    {"CREDENTIAL_NAME", SECPKG_ATTR_CREDENTIAL_NAME},
    {"ACCESS_TOKEN", SECPKG_ATTR_ACCESS_TOKEN},
    {"TARGET", SECPKG_ATTR_TARGET},
    {"AUTHENTICATION_ID", SECPKG_ATTR_AUTHENTICATION_ID},
    {"LOGOFF_TIME", SECPKG_ATTR_LOGOFF_TIME},
    {"NEGO_KEYS", SECPKG_ATTR_NEGO_KEYS},
    {"CLIENT_SPECIFIED_TARGET", SECPKG_ATTR_CLIENT_SPECIFIED_TARGET},
    {"LAST_CLIENT_TOKEN_STATUS", SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS},
    {"NEGO_PKG_INFO", SECPKG_ATTR_NEGO_PKG_INFO},
    {"NEGO_STATUS", SECPKG_ATTR_NEGO_STATUS},
    {"SUBJECT_SECURITY_ATTRIBUTES", SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES},
    {"ISSUER_LIST", SECPKG_ATTR_ISSUER_LIST},
    {"REMOTE_CRED", SECPKG_ATTR_REMOTE_CRED},
    {"LOCAL_CRED", SECPKG_ATTR_LOCAL_CRED},
    {"ROOT_STORE", SECPKG_ATTR_ROOT_STORE},
    {"MAPPED_CRED_ATTR", SECPKG_ATTR_MAPPED_CRED_ATTR},
    {"REMOTE_CERTIFICATES", SECPKG_ATTR_REMOTE_CERTIFICATES},
    {"CLIENT_CERT_POLICY", SECPKG_ATTR_CLIENT_CERT_POLICY},
    {"CC_POLICY_RESULT", SECPKG_ATTR_CC_POLICY_RESULT},
    {"USE_NCRYPT", SECPKG_ATTR_USE_NCRYPT},
    {"LOCAL_CERT_INFO", SECPKG_ATTR_LOCAL_CERT_INFO},
    {"UI_INFO", SECPKG_ATTR_UI_INFO},
    {"TOKEN_BINDING", SECPKG_ATTR_TOKEN_BINDING},
    {"KEYING_MATERIAL_TOKEN_BINDING", SECPKG_ATTR_KEYING_MATERIAL_TOKEN_BINDING},
    {"CREDS_2", CREDS_2},
};

/* Those that can be queried and not set (attributes.tsv: "every other package/attribute"). */
static const struct {
    const char *name;
    ULONG attribute;
} queried[] = {
    {"SIZES", SECPKG_ATTR_SIZES},
    {"NAMES", SECPKG_ATTR_NAMES},
    {"STREAM_SIZES", SECPKG_ATTR_STREAM_SIZES},
    {"CONNECTION_INFO", SECPKG_ATTR_CONNECTION_INFO},
    {"KEYING_MATERIAL", SECPKG_ATTR_KEYING_MATERIAL},
    {"NEGOTIATED_TLS_EXTENSIONS", SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS},
    {"SRTP_PARAMETERS", SECPKG_ATTR_SRTP_PARAMETERS},
};

enum { ROOM = 1024, UNTOUCHED = 0x5A };

static void check_query(CtxtHandle *context, const char *role, const char *name, ULONG attribute)
{
    BYTE room[ROOM], before[ROOM];
    char what[96];
    memset(room, UNTOUCHED, sizeof room);
    memcpy(before, room, sizeof room);
    snprintf(what, sizeof what, "%s: %s is not known", role, name);
    check_status(QueryContextAttributesW(context, attribute, room), SEC_E_UNSUPPORTED_FUNCTION, what);
    snprintf(what, sizeof what, "%s: %s, in ANSI", role, name);
    check_status(QueryContextAttributesA(context, attribute, room), SEC_E_UNSUPPORTED_FUNCTION, what);
    snprintf(what, sizeof what, "%s: nothing is written for %s", role, name);
    check(!memcmp(room, before, sizeof room), what);
}

static void check_set(CtxtHandle *context, const char *role, const char *name, ULONG attribute)
{
    BYTE room[ROOM] = {0};
    char what[96];
    snprintf(what, sizeof what, "%s: %s cannot be set", role, name);
    check_status(SetContextAttributesW(context, attribute, room, sizeof room), SEC_E_UNSUPPORTED_FUNCTION, what);
    check_status(SetContextAttributesA(context, attribute, room, sizeof room), SEC_E_UNSUPPORTED_FUNCTION, what);
}

static void test_side(CtxtHandle *context, const char *role)
{
    for (ULONG i = 0; i < ARRAYSIZE(attributes); i++) {
        check_query(context, role, attributes[i].name, attributes[i].attribute);
        check_set(context, role, attributes[i].name, attributes[i].attribute);
    }
    for (ULONG i = 0; i < ARRAYSIZE(queried); i++) check_set(context, role, queried[i].name, queried[i].attribute);
}

static void test_protocol(DWORD protocol)
{
    const struct schannel_setup setup = {.protocols = protocol};
    struct schannel_pair pair;
    if (schannel_pair_run(&pair, &setup)) {
        test_side(&pair.client.context, "client");
        test_side(&pair.server.context, "server");
    } else {
        check(FALSE, "a handshake");
    }
    schannel_pair_close(&pair);
}

/* ---- data under way ---- */

/* A client's call without input, on a context that is through. What it yields waits at the server. */
static SECURITY_STATUS begin_again(struct schannel_pair *pair)
{
    SecBuffer token = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &token};
    struct schannel_side *client = &pair->client, *server = &pair->server;
    const SECURITY_STATUS status = InitializeSecurityContextA(
        &client->credential, &client->context, (SEC_CHAR *)"localhost", ISC_REQ_ALLOCATE_MEMORY, 0, 0, NULL, 0,
        &client->context, &output, &client->attributes, &client->expiry);
    if (status >= 0 && token.pvBuffer) {
        memcpy(server->waiting + server->size, token.pvBuffer, token.cbBuffer);
        server->size += token.cbBuffer;
    }
    if (token.pvBuffer) FreeContextBuffer(token.pvBuffer);
    return status;
}

static void check_receives(struct schannel_side *side, const char *wanted, const char *what)
{
    char text[OBSERVED_MAX];
    schannel_receive(side, text);
    if (strcmp(text, wanted)) printf("      %s, not %s\n", text, wanted);
    check(!strcmp(text, wanted), what);
}

/* The server's data is on its way before it hears of the client's wish; FORGED: with a bit of it changed. */
static void test_under_way(BOOL forged)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT};
    struct schannel_pair pair;
    struct schannel_side *client = &pair.client, *server = &pair.server;
    char text[OBSERVED_MAX];
    check(schannel_pair_run(&pair, &setup), "a handshake");
    schannel_send(server, client, "one");
    schannel_send(server, client, "two");
    if (forged) client->waiting[client->size - 1] ^= 1;
    check_status(begin_again(&pair), SEC_I_CONTINUE_NEEDED, "the client begins another");
    check_status(schannel_receive(server, text), SEC_I_RENEGOTIATE, "the server is told");
    check_status(schannel_server_leg(&pair, &setup), SEC_I_CONTINUE_NEEDED, "it answers");
    if (forged) {
        check_status(schannel_client_leg(&pair, &setup), SEC_E_MESSAGE_ALTERED, "a client refuses what is forged");
        check_status(schannel_receive(client, text), SEC_E_MESSAGE_ALTERED, "and gives out nothing of it");
    } else {
        check_status(schannel_client_leg(&pair, &setup), SEC_I_CONTINUE_NEEDED, "the client goes on past the data");
        check_status(schannel_server_leg(&pair, &setup), SEC_E_OK, "the server is through");
        check_status(schannel_client_leg(&pair, &setup), SEC_E_OK, "and the client");
        check(client->size == 6, "it is told of what has come, in place of its leg's last bytes");
        check_receives(client, "SEC_E_OK onetwo", "DecryptMessage hands it out");
        check(client->size == 0, "and nothing else");
        schannel_send(server, client, "three");
        check_receives(client, "SEC_E_OK three", "what is sent then follows");
        schannel_send(client, server, "back");
        check_receives(server, "SEC_E_OK back", "and the other way round");
    }
    schannel_pair_close(&pair);
}

int main(void)
{
    section("QueryContextAttributes, SetContextAttributes: what Schannel has not");
    test_protocol(SP_PROT_TLS1_2_CLIENT);
    test_protocol(SP_PROT_TLS1_3_CLIENT);
    section("DecryptMessage, Schannel: data under way when another handshake begins");
    test_under_way(FALSE);
    test_under_way(TRUE);
    section("InitializeSecurityContext, AcceptSecurityContext, Schannel: a caller's bad pointers");
    test_pointers();
    delete_containers();
    return finish_cases();
}
