/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages over Kerberos: qualities of protection, shapes of the buffers, what comes out of order, and what is refused.
 */
#include "groups.h"
#include "kerberos_realm.h"
#include "packet.h"
#include "status.h"

#include <string.h>

#define TRAILER_SIZE 76 /* cbSecurityTrailer with AES-SHA1 */
#define BACK "SEC_E_OK, text back"
#define FLAGS (ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONFIDENTIALITY | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT)
#define QUALITIES "errors EncryptMessage/NTLM+Kerberos unknown fQOP"
#define ORDER "errors EncryptMessage/NTLM+Kerberos buffer order"
#define COVERAGE "errors EncryptMessage/NTLM+Kerberos READONLY_WITH_CHECKSUM"

static const struct conformance_case cases[] = {
    {"kerberos-messages/qop-0", QUALITIES, BACK, NULL, WINE_SAME},
    {"kerberos-messages/qop-10", QUALITIES, BACK, NULL, WINE_SAME},
    {"kerberos-messages/qop-51566", QUALITIES, BACK, NULL, WINE_SAME},
    {"kerberos-messages/qop-no-encrypt", "errors NOTE DecryptMessage *pfQOP (documented)", BACK ", qop 0x80000001",
     NULL, WINE_SAME},
    {"kerberos-messages/message-number-1", "errors EncryptMessage/NTLM+Kerberos MessageSeqNo 1", BACK, NULL, WINE_SAME},
    {"kerberos-messages/data-token", ORDER, BACK, NULL, WINE_SAME},
    {"kerberos-messages/token-data-padding", ORDER, BACK, NULL, WINE_SAME},
    {"kerberos-messages/rpc", COVERAGE, BACK, NULL, WINE_SAME},
    {"kerberos-messages/rpc.ends-stay", COVERAGE, "yes", NULL, WINE_SAME},
    {"kerberos-messages/readonly", COVERAGE, BACK, NULL, WINE_SAME},
    {"kerberos-messages/readonly.ends-stay", COVERAGE, "yes", NULL, WINE_SAME},
    {"kerberos-messages/stream", "errors VerifySignature/Kerberos+Negotiate STREAM", BACK, NULL, WINE8_DIFFERS},
    {"kerberos-messages/encrypt.out-of-sequence", "errors DecryptMessage/Kerberos wrong order",
     "SEC_E_OUT_OF_SEQUENCE, qop untouched", NULL, WINE_SAME},
    {"kerberos-messages/sign.out-of-sequence", "errors VerifySignature/Kerberos one skipped",
     "SEC_E_OUT_OF_SEQUENCE, qop untouched", NULL, WINE_SAME},
    {"kerberos-messages/encrypt.replayed", "errors DecryptMessage/Kerberos OUT_OF_SEQUENCE (documented)",
     "SEC_E_OUT_OF_SEQUENCE, qop untouched", NULL, WINE8_DIFFERS},
    {"kerberos-messages/encrypt.altered", "errors DecryptMessage MESSAGE_ALTERED (documented)",
     "SEC_E_MESSAGE_ALTERED, qop untouched", NULL, WINE8_DIFFERS},
    {"kerberos-messages/encrypt.short-stream", "errors DecryptMessage/Kerberos INCOMPLETE_MESSAGE (documented)",
     "SEC_E_INCOMPLETE_MESSAGE, qop untouched", NULL, WINE8_DIFFERS},
    {"kerberos-messages/encrypt.small-token", "errors EncryptMessage/Kerberos BUFFER_TOO_SMALL (documented)",
     "SEC_E_BUFFER_TOO_SMALL", NULL, WINE_SAME},
    {"kerberos-messages/encrypt.no-data", "errors EncryptMessage/Kerberos INVALID_TOKEN (documented)",
     "SEC_E_INVALID_TOKEN", NULL, WINE_SAME},
    {"kerberos-messages/encrypt.deleted-context", "errors EncryptMessage/Kerberos INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},
    {"kerberos-messages/integrity-only.encrypt", "errors EncryptMessage/Kerberos without CONFIDENTIALITY",
     "SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE8_DIFFERS},
    {"kerberos-messages/no-integrity.sign", "errors MakeSignature/Kerberos without integrity", "SEC_E_OK, a MIC", NULL,
     WINE_SAME},
};

/* "SEC_E_OK, text back", or what went wrong, and the quality if there is one. TEXT holds OBSERVED_MAX; returned. */
static const char *back_text(SECURITY_STATUS status, const void *received, ULONG qop, char *text)
{
    char name[STATUS_NAME_MAX], told[32] = "";

    if (qop != UNTOUCHED_QOP && qop) snprintf(told, sizeof(told), ", qop 0x%lx", qop);
    snprintf(text, OBSERVED_MAX, "%s, %s%s", status_name(status, name),
             !memcmp(received, PACKET_TEXT, PACKET_TEXT_SIZE) ? "text back" : "another text", told);
    return text;
}

static void make_packet(struct packet *packet, enum shape shape)
{
    packet_init(packet, shape);
    packet_token(packet)->cbBuffer = TRAILER_SIZE;
}

/* There and back. SENT is what went over the wire. */
static void round_trip(struct conformance_run *run, const char *id, struct spnego_pair *pair, enum shape shape,
                       ULONG qop, ULONG number, struct packet *sent)
{
    struct packet received;
    char text[OBSERVED_MAX];
    ULONG told = UNTOUCHED_QOP;
    SECURITY_STATUS status;

    make_packet(sent, shape);
    status = EncryptMessage(&pair->client.context, qop, &sent->message, number);
    packet_receive(&received, sent, shape);
    if (!status) status = DecryptMessage(&pair->server.context, &received.message, number, &told);
    observe(run, id, "%s", back_text(status, received.text, told, text));
}

static void qualities(struct conformance_run *run, struct spnego_pair *pair)
{
    struct packet sent;

    round_trip(run, "kerberos-messages/qop-0", pair, SHAPE_TOKEN_DATA, 0, 0, &sent);
    round_trip(run, "kerberos-messages/qop-10", pair, SHAPE_TOKEN_DATA, 10, 0, &sent);
    round_trip(run, "kerberos-messages/qop-51566", pair, SHAPE_TOKEN_DATA, 51566, 0, &sent);
    round_trip(run, "kerberos-messages/qop-no-encrypt", pair, SHAPE_TOKEN_DATA, SECQOP_WRAP_NO_ENCRYPT, 0, &sent);
    round_trip(run, "kerberos-messages/message-number-1", pair, SHAPE_TOKEN_DATA, 0, 1, &sent);
}

static void shapes(struct conformance_run *run, struct spnego_pair *pair)
{
    struct packet sent;

    round_trip(run, "kerberos-messages/data-token", pair, SHAPE_DATA_TOKEN, 0, 0, &sent);
    round_trip(run, "kerberos-messages/token-data-padding", pair, SHAPE_TOKEN_DATA_PADDING, 0, 0, &sent);
}

/* The ends go beside the token: the shape of RPC, for which DCE style is made. */
static void rpc_shapes(struct conformance_run *run, struct spnego_pair *pair)
{
    struct packet sent;

    round_trip(run, "kerberos-messages/rpc", pair, SHAPE_RPC, 0, 0, &sent);
    observe_bool(run, "kerberos-messages/rpc.ends-stay", packet_ends_are_plain(&sent));
    round_trip(run, "kerberos-messages/readonly", pair, SHAPE_RPC_READONLY, 0, 0, &sent);
    observe_bool(run, "kerberos-messages/readonly.ends-stay", packet_ends_are_plain(&sent));
}

/* One buffer with all that the sender's hold, in the order of the wire; DATA then points into it. */
static void stream(struct conformance_run *run, struct spnego_pair *pair)
{
    unsigned char wire[TRAILER_SIZE + PACKET_TEXT_SIZE];
    SecBuffer buffers[2] = {{0, SECBUFFER_STREAM, wire}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    struct packet sent;
    char text[OBSERVED_MAX];
    ULONG qop = UNTOUCHED_QOP, token_size;
    SECURITY_STATUS status;

    make_packet(&sent, SHAPE_TOKEN_DATA);
    if (packet_encrypt(&pair->client.context, &sent)) return;
    token_size = packet_token(&sent)->cbBuffer;
    memcpy(wire, sent.token, token_size);
    memcpy(wire + token_size, sent.text, PACKET_TEXT_SIZE);
    buffers[0].cbBuffer = token_size + PACKET_TEXT_SIZE;
    status = DecryptMessage(&pair->server.context, &message, 0, &qop);
    observe(run, "kerberos-messages/stream", "%s",
            back_text(status, buffers[1].cbBuffer == PACKET_TEXT_SIZE ? buffers[1].pvBuffer : wire, qop, text));
}

static void short_stream(struct conformance_run *run, struct spnego_pair *pair)
{
    unsigned char wire[8] = {5, 4};
    SecBuffer buffers[2] = {{sizeof(wire), SECBUFFER_STREAM, wire}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    ULONG qop = UNTOUCHED_QOP;
    char text[OBSERVED_MAX];
    SECURITY_STATUS status = DecryptMessage(&pair->server.context, &message, 0, &qop);

    observe(run, "kerberos-messages/encrypt.short-stream", "%s", qop_text(status, qop, text));
}

static void decrypt_copy(struct conformance_run *run, const char *id, struct spnego_pair *pair,
                         const struct packet *sent)
{
    struct packet received;
    char text[OBSERVED_MAX];

    packet_receive(&received, sent, SHAPE_TOKEN_DATA);
    packet_decrypt(&pair->server.context, &received, text);
    if (id) observe(run, id, "%s", text);
}

static void disorder(struct conformance_run *run, struct spnego_pair *pair)
{
    struct packet first, second;

    make_packet(&first, SHAPE_TOKEN_DATA);
    make_packet(&second, SHAPE_TOKEN_DATA);
    if (packet_encrypt(&pair->client.context, &first) || packet_encrypt(&pair->client.context, &second)) return;
    decrypt_copy(run, "kerberos-messages/encrypt.out-of-sequence", pair, &second);
    first.text[0] ^= 1;
    decrypt_copy(run, "kerberos-messages/encrypt.altered", pair, &first);
    first.text[0] ^= 1;
    decrypt_copy(run, NULL, pair, &first);
    decrypt_copy(run, "kerberos-messages/encrypt.replayed", pair, &first);
}

static void skipped_signature(struct conformance_run *run, struct spnego_pair *pair)
{
    struct packet first, second, received;
    char text[OBSERVED_MAX];

    make_packet(&first, SHAPE_TOKEN_DATA);
    make_packet(&second, SHAPE_TOKEN_DATA);
    if (packet_sign(&pair->client.context, &first) || packet_sign(&pair->client.context, &second)) return;
    packet_receive(&received, &second, SHAPE_TOKEN_DATA);
    observe(run, "kerberos-messages/sign.out-of-sequence", "%s", packet_verify(&pair->server.context, &received, text));
}

static void refused(struct conformance_run *run, struct spnego_pair *pair)
{
    struct packet packet;

    packet_init(&packet, SHAPE_TOKEN_DATA);
    observe_status(run, "kerberos-messages/encrypt.small-token", packet_encrypt(&pair->client.context, &packet));
    make_packet(&packet, SHAPE_TOKEN);
    observe_status(run, "kerberos-messages/encrypt.no-data", packet_encrypt(&pair->client.context, &packet));
    short_stream(run, pair);
    DeleteSecurityContext(&pair->client.context);
    make_packet(&packet, SHAPE_TOKEN_DATA);
    observe_status(run, "kerberos-messages/encrypt.deleted-context", packet_encrypt(&pair->client.context, &packet));
    SecInvalidateHandle(&pair->client.context);
}

static void unprotected(struct conformance_run *run, const struct kerberos_realm *realm)
{
    static const unsigned char mic_token[2] = {4, 4}; /* RFC 4121 4.2.6.1 */
    struct spnego_pair pair;
    struct packet packet;
    char name[STATUS_NAME_MAX];

    if (kerberos_open_pair(run, realm, &pair, ISC_REQ_MUTUAL_AUTH | ISC_REQ_INTEGRITY)) {
        make_packet(&packet, SHAPE_TOKEN_DATA);
        observe_status(run, "kerberos-messages/integrity-only.encrypt", packet_encrypt(&pair.client.context, &packet));
        spnego_pair_close(&pair);
    }
    if (kerberos_open_pair(run, realm, &pair, ISC_REQ_NO_INTEGRITY)) {
        make_packet(&packet, SHAPE_TOKEN_DATA);
        SECURITY_STATUS status = packet_sign(&pair.client.context, &packet);
        observe(run, "kerberos-messages/no-integrity.sign", "%s, %s", status_name(status, name),
                memcmp(packet.token, mic_token, sizeof(mic_token)) ? "no MIC" : "a MIC");
        spnego_pair_close(&pair);
    }
}

/* Runs WITH on a pair of its own. */
static void on_pair(struct conformance_run *run, const struct kerberos_realm *realm, ULONG flags,
                    void (*with)(struct conformance_run *run, struct spnego_pair *pair))
{
    struct spnego_pair pair;

    if (!kerberos_open_pair(run, realm, &pair, flags)) return;
    with(run, &pair);
    spnego_pair_close(&pair);
}

static void run_messages(struct conformance_run *run)
{
    struct kerberos_realm realm;

    if (!kerberos_realm_find(run, &realm)) return;
    on_pair(run, &realm, FLAGS, qualities);
    on_pair(run, &realm, FLAGS, shapes);
    on_pair(run, &realm, FLAGS | ISC_REQ_USE_DCE_STYLE, rpc_shapes);
    on_pair(run, &realm, FLAGS, stream);
    on_pair(run, &realm, FLAGS, disorder);
    on_pair(run, &realm, FLAGS, skipped_signature);
    on_pair(run, &realm, FLAGS, refused);
    unprotected(run, &realm);
}

const struct conformance_group kerberos_messages_group = {
    .name = "kerberos-messages", .cases = cases, .case_count = COUNT_OF(cases), .run = run_messages};
