/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * MakeSignature and VerifySignature on a loopback pair with integrity. A changed message gets a pair of its own:
 * whether sequence state moves on one that does not verify is not what these cases ask.
 */
#include "groups.h"
#include "packet.h"
#include "status.h"

#include <stddef.h>
#include <string.h>

#define GOOD "SEC_E_OK, qop untouched"
#define ALTERED "SEC_E_MESSAGE_ALTERED, qop untouched"

static const struct conformance_case cases[] = {
    {"signing/sign", "errors MakeSignature/all SEC_E_OK (documented)", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"signing/signature.version", "vectors nlmp-4.2.4-ntlmv2 signature", "01000000", NULL, WINE_DIFFERS},
    {"signing/signature.first-number", "vectors nlmp-4.2.4-ntlmv2 signature", "00000000", NULL, WINE_DIFFERS},
    {"signing/signature.second-number", "vectors nlmp-4.2.4-ntlmv2 signature", "01000000", NULL, WINE_DIFFERS},
    {"signing/text-stays", "errors MakeSignature/all SEC_E_OK (documented)", "yes", NULL, WINE_DIFFERS},
    {"signing/verify", "errors VerifySignature/all SEC_E_OK (documented)", GOOD, NULL, WINE_DIFFERS},
    {"signing/verify-second", "errors VerifySignature/all SEC_E_OK (documented)", GOOD, NULL, WINE_DIFFERS},
    {"signing/verify-reply", "errors VerifySignature/all SEC_E_OK (documented)", GOOD, NULL, WINE_DIFFERS},
    {"signing/only-data", "errors MakeSignature/NTLM one DATA", "SEC_E_INVALID_TOKEN", NULL, WINE_DIFFERS},
    {"signing/two-data", "errors MakeSignature/NTLM two DATA", "SEC_E_INVALID_TOKEN", NULL, WINE_DIFFERS},
    {"signing/verify-only-data", "errors VerifySignature/all no TOKEN (documented)",
     "SEC_E_INVALID_TOKEN, qop untouched", NULL, WINE_DIFFERS},
    {"signing/altered-text", "errors VerifySignature/NTLM changed", ALTERED, NULL, WINE_DIFFERS},
    {"signing/altered-checksum", "errors VerifySignature/NTLM bad signature", ALTERED, NULL, WINE_DIFFERS},
    {"signing/altered-version", "errors VerifySignature/NTLM bad signature", ALTERED, NULL, WINE_DIFFERS},
    {"signing/rpc.sign", "errors EncryptMessage/NTLM DCE pattern", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"signing/rpc.verify", "errors EncryptMessage/NTLM DCE pattern", GOOD, NULL, WINE_DIFFERS},
    {"signing/rpc.altered-header", "errors EncryptMessage/NTLM DCE pattern", ALTERED, NULL, WINE_DIFFERS},
    {"signing/readonly-payload.verify", "errors MakeSignature/VerifySignature NTLM READONLY payload", GOOD, NULL,
     WINE_DIFFERS},
    {"signing/readonly-payload.altered", "errors MakeSignature/VerifySignature NTLM READONLY payload", ALTERED, NULL,
     WINE_DIFFERS},
    /* Documented as OUT_OF_SEQUENCE; but NTLM counts for itself and finds a checksum over another number. */
    {"signing/early", "errors VerifySignature/all OUT_OF_SEQUENCE (documented), DecryptMessage/NTLM wrong order",
     ALTERED " or SEC_E_OUT_OF_SEQUENCE, qop untouched", NULL, WINE_DIFFERS},
    {"signing/encrypt", "errors EncryptMessage/NTLM either is set", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"signing/decrypt", "errors EncryptMessage/NTLM either is set", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"signing/message-number-1", "errors EncryptMessage/NTLM+Kerberos MessageSeqNo 1", "SEC_E_OK SEC_E_OK", NULL,
     WINE_DIFFERS},
};

static void send_and_verify(struct conformance_run *run, const char *id, CtxtHandle *from, CtxtHandle *to,
                            struct packet *sent)
{
    struct packet received;
    char text[OBSERVED_MAX];

    packet_init(sent, SHAPE_TOKEN_DATA);
    if (packet_sign(from, sent)) return;
    packet_receive(&received, sent, SHAPE_TOKEN_DATA);
    observe(run, id, "%s", packet_verify(to, &received, text));
}

static void good_signatures(struct conformance_run *run, struct exchange *pair)
{
    struct packet packet, received;
    char text[OBSERVED_MAX];
    SECURITY_STATUS status;

    packet_init(&packet, SHAPE_TOKEN_DATA);
    status = packet_sign(&pair->client, &packet);
    observe_status(run, "signing/sign", status);
    if (status) return;
    observe_hex(run, "signing/signature.version", packet.token, 4);
    observe_hex(run, "signing/signature.first-number", packet.token + 12, 4);
    observe_bool(run, "signing/text-stays", packet_text_is_plain(&packet));
    packet_receive(&received, &packet, SHAPE_TOKEN_DATA);
    observe(run, "signing/verify", "%s", packet_verify(&pair->server, &received, text));
    send_and_verify(run, "signing/verify-second", &pair->client, &pair->server, &packet);
    observe_hex(run, "signing/signature.second-number", packet.token + 12, 4);
    send_and_verify(run, "signing/verify-reply", &pair->server, &pair->client, &packet);
}

static void wrong_shapes(struct conformance_run *run, struct exchange *pair)
{
    struct packet packet;
    char text[OBSERVED_MAX];

    packet_init(&packet, SHAPE_DATA);
    observe_status(run, "signing/only-data", packet_sign(&pair->client, &packet));
    packet_init(&packet, SHAPE_TWO_DATA);
    observe_status(run, "signing/two-data", packet_sign(&pair->client, &packet));
    packet_init(&packet, SHAPE_DATA);
    observe(run, "signing/verify-only-data", "%s", packet_verify(&pair->server, &packet, text));
}

static void rpc_shape(struct conformance_run *run, struct exchange *pair)
{
    struct packet sent, received;
    char text[OBSERVED_MAX];
    SECURITY_STATUS status;

    packet_init(&sent, SHAPE_RPC);
    status = packet_sign(&pair->client, &sent);
    observe_status(run, "signing/rpc.sign", status);
    if (status) return;
    packet_receive(&received, &sent, SHAPE_RPC);
    observe(run, "signing/rpc.verify", "%s", packet_verify(&pair->server, &received, text));
}

static void encrypted(struct conformance_run *run, struct exchange *pair)
{
    struct packet sent, received;
    SECURITY_STATUS status;
    ULONG qop;

    packet_init(&sent, SHAPE_TOKEN_DATA);
    status = packet_encrypt(&pair->client, &sent);
    observe_status(run, "signing/encrypt", status);
    if (status) return;
    packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
    observe_status(run, "signing/decrypt", DecryptMessage(&pair->server, &received.message, 0, &qop));
}

static void numbered_by_caller(struct conformance_run *run)
{
    struct exchange pair;
    struct packet sent, received;
    char first[STATUS_NAME_MAX], second[STATUS_NAME_MAX];
    SECURITY_STATUS made, verified;
    ULONG qop;

    if (!open_pair(run, &pair, ISC_REQ_INTEGRITY)) return;
    packet_init(&sent, SHAPE_TOKEN_DATA);
    made = MakeSignature(&pair.client, 0, &sent.message, 1);
    packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
    verified = VerifySignature(&pair.server, &received.message, 1, &qop);
    observe(run, "signing/message-number-1", "%s %s", status_name(made, first), status_name(verified, second));
    exchange_close(&pair);
}

/* One change to a signed message on its way: where, and which byte of it. */
struct alteration {
    const char *id;
    enum shape shape;
    size_t offset; /* of the byte in struct packet; 0 with ALTERS false: none */
    bool alters;
};

static const struct alteration alterations[] = {
    {"signing/altered-text", SHAPE_TOKEN_DATA, offsetof(struct packet, text), true},
    {"signing/altered-checksum", SHAPE_TOKEN_DATA, offsetof(struct packet, token) + 5, true},
    {"signing/altered-version", SHAPE_TOKEN_DATA, offsetof(struct packet, token), true},
    {"signing/rpc.altered-header", SHAPE_RPC, offsetof(struct packet, header), true},
    {"signing/readonly-payload.verify", SHAPE_TOKEN_READONLY_PAYLOAD, 0, false},
    {"signing/readonly-payload.altered", SHAPE_TOKEN_READONLY_PAYLOAD, offsetof(struct packet, text), true},
};

static void altered(struct conformance_run *run, const struct alteration *alteration)
{
    struct exchange pair;
    struct packet sent, received;
    char text[OBSERVED_MAX];

    if (!open_pair(run, &pair, ISC_REQ_INTEGRITY)) return;
    packet_init(&sent, alteration->shape);
    if (!packet_sign(&pair.client, &sent)) {
        packet_receive(&received, &sent, alteration->shape);
        if (alteration->alters) ((unsigned char *)&received)[alteration->offset] ^= 0x20;
        observe(run, alteration->id, "%s", packet_verify(&pair.server, &received, text));
    }
    exchange_close(&pair);
}

static void too_early(struct conformance_run *run)
{
    struct exchange pair;
    struct packet first, second, received;
    char text[OBSERVED_MAX];

    if (!open_pair(run, &pair, ISC_REQ_INTEGRITY)) return;
    packet_init(&first, SHAPE_TOKEN_DATA);
    packet_init(&second, SHAPE_TOKEN_DATA);
    if (!packet_sign(&pair.client, &first) && !packet_sign(&pair.client, &second)) {
        packet_receive(&received, &second, SHAPE_TOKEN_DATA);
        observe(run, "signing/early", "%s", packet_verify(&pair.server, &received, text));
    }
    exchange_close(&pair);
}

static void run_signing(struct conformance_run *run)
{
    struct exchange pair;

    if (!open_pair(run, &pair, ISC_REQ_INTEGRITY)) return;
    good_signatures(run, &pair);
    wrong_shapes(run, &pair);
    rpc_shape(run, &pair);
    encrypted(run, &pair);
    exchange_close(&pair);
    for (size_t i = 0; i < COUNT_OF(alterations); i++) altered(run, &alterations[i]);
    too_early(run);
    numbered_by_caller(run);
}

const struct conformance_group signing_group = {
    .name = "signing", .cases = cases, .case_count = COUNT_OF(cases), .run = run_signing};
