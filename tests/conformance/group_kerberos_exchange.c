/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos's legs: how many there are, what their tokens look like, and what ends them.
 */
#include "exchange.h"
#include "groups.h"
#include "kerberos_realm.h"
#include "status.h"

#include <string.h>

#define MUTUAL "errors InitializeSecurityContext+AcceptSecurityContext/Kerberos (documented)"
#define DCE "attributes flags Kerberos USE_DCE_STYLE"

static const struct conformance_case cases[] = {
    {"kerberos-exchange/mutual", MUTUAL, "client SEC_I_CONTINUE_NEEDED, server SEC_E_OK, client SEC_E_OK", NULL,
     WINE_SAME},
    {"kerberos-exchange/mutual.first-token", "RFC 4121 4.1 (MS-KILE 3.4.5)", "GSS-API, Kerberos, AP-REQ", NULL,
     WINE_SAME},
    {"kerberos-exchange/mutual.answer", "RFC 4121 4.1 (MS-KILE 3.4.5)", "GSS-API, Kerberos, AP-REP", NULL, WINE_SAME},
    {"kerberos-exchange/one-way", MUTUAL, "client SEC_E_OK, server SEC_E_OK", NULL, WINE_SAME},
    {"kerberos-exchange/dce", DCE,
     "client SEC_I_CONTINUE_NEEDED, server SEC_I_CONTINUE_NEEDED, client SEC_E_OK, server SEC_E_OK", NULL, WINE_SAME},
    {"kerberos-exchange/dce.first-token", DCE, "bare AP-REQ", NULL, WINE_SAME},
    {"kerberos-exchange/dce.answer", DCE, "bare AP-REP", NULL, WINE_SAME},
    {"kerberos-exchange/dce.third-token", DCE, "bare AP-REP", NULL, WINE_SAME},
    {"kerberos-exchange/unknown-target", "errors InitializeSecurityContext/Kerberos TARGET_UNKNOWN (documented)",
     "client SEC_E_TARGET_UNKNOWN", NULL, WINE8_DIFFERS},
    {"kerberos-exchange/wrong-password", "errors InitializeSecurityContext/Kerberos LOGON_DENIED (documented)",
     "client SEC_E_LOGON_DENIED", NULL, WINE8_DIFFERS},
    {"kerberos-exchange/unknown-user", "errors InitializeSecurityContext/Kerberos LOGON_DENIED (documented)",
     "client SEC_E_LOGON_DENIED", NULL, WINE8_DIFFERS},
    {"kerberos-exchange/unknown-realm",
     "errors InitializeSecurityContext/Kerberos NO_AUTHENTICATING_AUTHORITY (documented)",
     "client SEC_E_NO_AUTHENTICATING_AUTHORITY", NULL, WINE8_DIFFERS},
    {"kerberos-exchange/no-ticket", "errors InitializeSecurityContext/Kerberos NO_CREDENTIALS (documented)",
     "client SEC_E_NO_CREDENTIALS", NULL, WINE8_DIFFERS},
    {"kerberos-exchange/garbage", "errors AcceptSecurityContext/Kerberos INVALID_TOKEN (documented)",
     "SEC_E_INVALID_TOKEN", NULL, WINE8_DIFFERS},
    {"kerberos-exchange/truncated", "errors AcceptSecurityContext/Kerberos INVALID_TOKEN (documented)",
     "SEC_E_INVALID_TOKEN", NULL, WINE8_DIFFERS},
    {"kerberos-exchange/spnego",
     "errors AcceptSecurityContext/Kerberos INVALID_TOKEN (documented), INSUFFICIENT_MEMORY (reported)",
     "SEC_E_INVALID_TOKEN or SEC_E_INSUFFICIENT_MEMORY", NULL, WINE8_DIFFERS},
    {"kerberos-exchange/small-buffer", "errors InitializeSecurityContext/Kerberos BUFFER_TOO_SMALL (reported)",
     "SEC_E_BUFFER_TOO_SMALL", NULL, WINE8_DIFFERS},
    {"kerberos-exchange/bindings.same", "errors AcceptSecurityContext/NTLM+Kerberos+Negotiate BAD_BINDINGS",
     "client SEC_I_CONTINUE_NEEDED, server SEC_E_OK, client SEC_E_OK", NULL, WINE_SAME},
    {"kerberos-exchange/bindings.other", "errors AcceptSecurityContext/NTLM+Kerberos+Negotiate BAD_BINDINGS",
     "client SEC_I_CONTINUE_NEEDED, server SEC_E_BAD_BINDINGS", NULL, WINE8_DIFFERS},
};

static const char *bare_name(unsigned char first)
{
    enum { AP_REQ = 0x6e, AP_REP = 0x6f };

    return first == AP_REQ ? "bare AP-REQ" : first == AP_REP ? "bare AP-REP" : "something else";
}

/* RFC 2743 3.1: the object identifier stands behind the tag and a length of one to three bytes. */
static const char *token_name(const struct spnego_side *side)
{
    static const unsigned char kerberos[] = {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2};
    const unsigned char *token = side->output;
    enum { INITIAL_CONTEXT_TOKEN = 0x60, LONG_LENGTH = 0x80 };
    size_t header;

    if (spnego_last_leg(side)->size < 32) return "too short";
    if (token[0] != INITIAL_CONTEXT_TOKEN) return bare_name(token[0]);
    header = token[1] < LONG_LENGTH ? 2 : 2u + (token[1] & 3);
    if (memcmp(token + header, kerberos, sizeof(kerberos))) return "GSS-API, another mechanism";
    token += header + sizeof(kerberos);
    if (token[0] > 2 || token[1]) return "GSS-API, Kerberos, something else";
    return token[0] == 1 ? "GSS-API, Kerberos, AP-REQ" : "GSS-API, Kerberos, AP-REP";
}

static void mutual(struct conformance_run *run, const struct kerberos_realm *realm)
{
    const struct spnego_request request = kerberos_request(realm, ISC_REQ_MUTUAL_AUTH),
                                one_way = kerberos_request(realm, 0);
    struct spnego_pair pair;

    spnego_observe(run, "kerberos-exchange/mutual", &request);
    spnego_observe(run, "kerberos-exchange/one-way", &one_way);
    if (spnego_pair_open(&pair, &request) && spnego_client_leg(&pair, &request)) {
        observe(run, "kerberos-exchange/mutual.first-token", "%s", token_name(&pair.client));
        if (spnego_server_leg(&pair, &request))
            observe(run, "kerberos-exchange/mutual.answer", "%s", token_name(&pair.server));
    }
    spnego_pair_close(&pair);
}

static void dce_style(struct conformance_run *run, const struct kerberos_realm *realm)
{
    const struct spnego_request request = kerberos_request(realm, ISC_REQ_MUTUAL_AUTH | ISC_REQ_USE_DCE_STYLE);
    struct spnego_pair pair;

    spnego_observe(run, "kerberos-exchange/dce", &request);
    if (spnego_pair_open(&pair, &request) && spnego_client_leg(&pair, &request)) {
        observe(run, "kerberos-exchange/dce.first-token", "%s", token_name(&pair.client));
        if (spnego_server_leg(&pair, &request)) {
            observe(run, "kerberos-exchange/dce.answer", "%s", token_name(&pair.server));
            if (spnego_client_leg(&pair, &request))
                observe(run, "kerberos-exchange/dce.third-token", "%s", token_name(&pair.client));
        }
    }
    spnego_pair_close(&pair);
}

static void wrong_requests(struct conformance_run *run, const struct kerberos_realm *realm)
{
    const SEC_WINNT_AUTH_IDENTITY_A wrong_password = ansi_identity(realm->user, realm->realm, "not this one"),
                                    unknown_user = ansi_identity("nobody-at-all", realm->realm, realm->password),
                                    unknown_realm = ansi_identity(realm->user, "NOWHERE.INVALID", realm->password);
    struct spnego_request request = kerberos_request(realm, ISC_REQ_MUTUAL_AUTH);

    request.target = "nosuch/service.invalid";
    spnego_observe(run, "kerberos-exchange/unknown-target", &request);
    request.target = realm->target;
    request.identity = &wrong_password;
    spnego_observe(run, "kerberos-exchange/wrong-password", &request);
    request.identity = &unknown_user;
    spnego_observe(run, "kerberos-exchange/unknown-user", &request);
    request.identity = &unknown_realm;
    spnego_observe(run, "kerberos-exchange/unknown-realm", &request);
    request.identity = NULL;
    spnego_observe(run, "kerberos-exchange/no-ticket", &request);
}

/* What the server says to SIZE bytes of TOKEN as a first token. */
static void accept_token(struct conformance_run *run, const char *id, struct spnego_pair *pair,
                         const struct spnego_request *request, const void *token, ULONG size)
{
    memcpy(pair->client.output, token, size);
    pair->client.legs[0].size = size;
    pair->client.leg_count = 1;
    spnego_server_leg(pair, request);
    observe_status(run, id, spnego_last_leg(&pair->server)->status);
}

static void wrong_token(struct conformance_run *run, const char *id, const struct kerberos_realm *realm,
                        const void *token, ULONG size)
{
    const struct spnego_request request = kerberos_request(realm, 0);
    struct spnego_pair pair;

    if (spnego_pair_open(&pair, &request)) accept_token(run, id, &pair, &request, token, size);
    spnego_pair_close(&pair);
}

static void truncated(struct conformance_run *run, const struct kerberos_realm *realm)
{
    const struct spnego_request request = kerberos_request(realm, ISC_REQ_MUTUAL_AUTH);
    struct spnego_pair pair;

    if (spnego_pair_open(&pair, &request) && spnego_client_leg(&pair, &request)) {
        pair.client.legs[0].size -= 40;
        spnego_server_leg(&pair, &request);
        observe_status(run, "kerberos-exchange/truncated", spnego_last_leg(&pair.server)->status);
    }
    spnego_pair_close(&pair);
}

static void small_buffer(struct conformance_run *run, const struct kerberos_realm *realm)
{
    const struct spnego_request request = kerberos_request(realm, ISC_REQ_MUTUAL_AUTH);
    struct spnego_pair pair;
    ULONG whole;

    if (spnego_pair_open(&pair, &request)) {
        whole = pair.max_token;
        pair.max_token = 100;
        spnego_client_leg(&pair, &request);
        pair.max_token = whole;
        observe_status(run, "kerberos-exchange/small-buffer", pair.client.legs[0].status);
    }
    spnego_pair_close(&pair);
}

/* SEC_CHANNEL_BINDINGS with the application data of an endpoint behind it. */
struct bindings {
    SEC_CHANNEL_BINDINGS head;
    char data[24];
};

static void with_bindings(struct conformance_run *run, const char *id, const struct kerberos_realm *realm,
                          const char *client_data, const char *server_data)
{
    struct bindings client = {.head = {.cbApplicationDataLength = sizeof(client.data),
                                       .dwApplicationDataOffset = sizeof(client.head)}},
                    server = client;
    struct spnego_request request = kerberos_request(realm, ISC_REQ_MUTUAL_AUTH);

    strcpy(client.data, client_data);
    strcpy(server.data, server_data);
    request.client_bindings = (SecBuffer){sizeof(client), SECBUFFER_CHANNEL_BINDINGS, &client};
    request.server_bindings = (SecBuffer){sizeof(server), SECBUFFER_CHANNEL_BINDINGS, &server};
    spnego_observe(run, id, &request);
}

static void run_exchange(struct conformance_run *run)
{
    static const unsigned char garbage[64] = {0x6e, 0x3e, 'n', 'o'},
                               spnego[64] = {0x60, 0x3e, 6, 6, 0x2b, 6, 1, 5, 5, 2, 0xa0, 0x34};
    struct kerberos_realm realm;

    if (!kerberos_realm_find(run, &realm)) return;
    mutual(run, &realm);
    dce_style(run, &realm);
    wrong_requests(run, &realm);
    wrong_token(run, "kerberos-exchange/garbage", &realm, garbage, sizeof(garbage));
    wrong_token(run, "kerberos-exchange/spnego", &realm, spnego, sizeof(spnego));
    truncated(run, &realm);
    small_buffer(run, &realm);
    with_bindings(run, "kerberos-exchange/bindings.same", &realm, "tls-unique:here", "tls-unique:here");
    with_bindings(run, "kerberos-exchange/bindings.other", &realm, "tls-unique:here", "tls-unique:there");
}

const struct conformance_group kerberos_exchange_group = {
    .name = "kerberos-exchange", .cases = cases, .case_count = COUNT_OF(cases), .run = run_exchange};
