/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contexts that negotiated neither signing nor sealing: dummy signatures, and no encryption. Once on a client alone
 * (which verifies what it made itself), once on a loopback pair.
 */
#include "groups.h"
#include "ntlm_message.h"
#include "packet.h"
#include "status.h"

#include <string.h>

#define DUMMY "01000000000000000000000000000000"

static const struct conformance_case cases[] = {
    {"unprotected/alone.sign-without-token", "behaviour 107", "SEC_E_INVALID_TOKEN", NULL, WINE_NEEDS_HELPER},
    {"unprotected/alone.sign", "behaviour 108", "SEC_E_OK " DUMMY, NULL, WINE_NEEDS_HELPER},
    {"unprotected/alone.verify-other", "behaviour 109", "SEC_E_MESSAGE_ALTERED, qop untouched", NULL,
     WINE_NEEDS_HELPER},
    {"unprotected/alone.verify", "behaviour 110", "SEC_E_OK, qop untouched", NULL, WINE_NEEDS_HELPER},
    {"unprotected/alone.rpc.sign", "behaviour 111", "SEC_E_OK " DUMMY, NULL, WINE_NEEDS_HELPER},
    {"unprotected/alone.rpc.verify", "behaviour 111", "SEC_E_OK, qop untouched", NULL, WINE_NEEDS_HELPER},
    {"unprotected/alone.encrypt", "behaviour 112", "SEC_E_UNSUPPORTED_FUNCTION", "5.2:SEC_E_OK", WINE_DIFFERS},
    {"unprotected/pair.sign-without-token", "behaviour 107", "SEC_E_INVALID_TOKEN", NULL, WINE_DIFFERS},
    {"unprotected/pair.sign", "behaviour 108", "SEC_E_OK " DUMMY, NULL, WINE_DIFFERS},
    {"unprotected/pair.verify-other", "behaviour 109", "SEC_E_MESSAGE_ALTERED, qop untouched", NULL, WINE_DIFFERS},
    {"unprotected/pair.verify", "behaviour 110", "SEC_E_OK, qop untouched", NULL, WINE_DIFFERS},
    {"unprotected/pair.rpc.sign", "behaviour 111", "SEC_E_OK " DUMMY, NULL, WINE_DIFFERS},
    {"unprotected/pair.rpc.verify", "behaviour 111", "SEC_E_OK, qop untouched", NULL, WINE_DIFFERS},
    {"unprotected/pair.encrypt", "behaviour 112", "SEC_E_UNSUPPORTED_FUNCTION", "5.2:SEC_E_OK", WINE_DIFFERS},
    /* Documented as QOP_NOT_SUPPORTED for both directions; seen as UNSUPPORTED_FUNCTION for encrypting. */
    {"unprotected/pair.decrypt", "errors DecryptMessage/General neither (documented)",
     "SEC_E_UNSUPPORTED_FUNCTION, qop untouched or SEC_E_QOP_NOT_SUPPORTED, qop untouched",
     "5.2:SEC_E_OK, qop untouched", WINE_DIFFERS},
};

static const struct av_pair pairs[] = {{.id = AV_DOMAIN, .text = "WORKGROUP"}, {.id = AV_SERVER, .text = "OLDSERVER"}};

static const struct challenge unprotected_challenge = {
    .flags = 0xa0828205,
    .nonce = {1, 2, 3, 4, 5, 6, 7, 8},
    .target = "OLDSERVER",
    .pairs = pairs,
    .pair_count = COUNT_OF(pairs),
};

static const char *case_id(char *id, size_t size, const char *who, const char *what)
{
    snprintf(id, size, "unprotected/%s.%s", who, what);
    return id;
}

static void observe_signature(struct conformance_run *run, const char *id, SECURITY_STATUS status,
                              const struct packet *packet)
{
    char text[2 * PACKET_TOKEN_SIZE + 1] = "", name[STATUS_NAME_MAX];

    for (size_t i = 0; i < PACKET_TOKEN_SIZE; i++) snprintf(text + 2 * i, 3, "%02x", packet->token[i]);
    observe(run, id, "%s %s", status_name(status, name), status ? "" : text);
}

static void dummy_signatures(struct conformance_run *run, const char *who, CtxtHandle *maker, CtxtHandle *verifier)
{
    struct packet sent, received;
    char id[64], text[OBSERVED_MAX];

    packet_init(&sent, SHAPE_TWO_DATA);
    observe_status(run, case_id(id, sizeof(id), who, "sign-without-token"), packet_sign(maker, &sent));
    packet_init(&sent, SHAPE_TOKEN_DATA);
    observe_signature(run, case_id(id, sizeof(id), who, "sign"), packet_sign(maker, &sent), &sent);
    packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
    memset(received.token, 0xff, PACKET_TOKEN_SIZE);
    observe(run, case_id(id, sizeof(id), who, "verify-other"), "%s", packet_verify(verifier, &received, text));
    packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
    observe(run, case_id(id, sizeof(id), who, "verify"), "%s", packet_verify(verifier, &received, text));
}

/* The maker verifies its own, on a pair as well. */
static void rpc_signatures(struct conformance_run *run, const char *who, CtxtHandle *maker)
{
    struct packet packet;
    char id[64], text[OBSERVED_MAX];

    packet_init(&packet, SHAPE_RPC);
    observe_signature(run, case_id(id, sizeof(id), who, "rpc.sign"), packet_sign(maker, &packet), &packet);
    observe(run, case_id(id, sizeof(id), who, "rpc.verify"), "%s", packet_verify(maker, &packet, text));
}

static void no_encryption(struct conformance_run *run, const char *who, CtxtHandle *maker)
{
    struct packet packet;
    char id[64];

    packet_init(&packet, SHAPE_TOKEN_DATA);
    observe_status(run, case_id(id, sizeof(id), who, "encrypt"), packet_encrypt(maker, &packet));
}

static void on_pair(struct conformance_run *run)
{
    struct exchange pair;
    struct packet packet;
    char text[OBSERVED_MAX];

    if (!open_pair(run, &pair, 0)) return;
    dummy_signatures(run, "pair", &pair.client, &pair.server);
    rpc_signatures(run, "pair", &pair.client);
    no_encryption(run, "pair", &pair.client);
    packet_init(&packet, SHAPE_TOKEN_DATA);
    observe(run, "unprotected/pair.decrypt", "%s", packet_decrypt(&pair.server, &packet, text));
    exchange_close(&pair);
}

static void alone(struct conformance_run *run)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = ansi_identity("testuser", "WORKGROUP", "testpass");
    const struct exchange_request request = {.identity = &identity, .data_representation = SECURITY_NATIVE_DREP};
    struct exchange exchange;
    struct token challenge;

    make_challenge(&unprotected_challenge, &challenge);
    if (exchange_with_challenge(&exchange, &request, &challenge)) {
        dummy_signatures(run, "alone", &exchange.client, &exchange.client);
        rpc_signatures(run, "alone", &exchange.client);
        no_encryption(run, "alone", &exchange.client);
    }
    exchange_close(&exchange);
}

static void run_unprotected(struct conformance_run *run)
{
    alone(run);
    on_pair(run);
}

const struct conformance_group unprotected_group = {
    .name = "unprotected", .cases = cases, .case_count = COUNT_OF(cases), .run = run_unprotected};
