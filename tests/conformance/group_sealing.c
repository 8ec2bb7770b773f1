/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptMessage and DecryptMessage on a loopback pair with confidentiality and integrity. What must fail gets a pair
 * of its own.
 */
#include "groups.h"
#include "packet.h"
#include "status.h"

#include <stddef.h>
#include <string.h>

#define GOOD "SEC_E_OK, qop untouched"
#define ALTERED "SEC_E_MESSAGE_ALTERED, qop untouched"
#define SEALED (ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY)

static const struct conformance_case cases[] = {
    {"sealing/encrypt", "behaviour 113", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"sealing/encrypt.trailer", "behaviour 113", "01000000", NULL, WINE_DIFFERS},
    {"sealing/encrypt.hides", "behaviour 113", "yes", NULL, WINE_DIFFERS},
    {"sealing/decrypt", "behaviour 114", GOOD, NULL, WINE_DIFFERS},
    {"sealing/decrypt.text", "behaviour 114", "yes", NULL, WINE_DIFFERS},
    {"sealing/rpc.encrypt", "behaviour 115", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"sealing/rpc.trailer", "behaviour 115", "01000000", NULL, WINE_DIFFERS},
    {"sealing/rpc.ends-stay", "errors EncryptMessage/NTLM DCE pattern", "yes", NULL, WINE_DIFFERS},
    {"sealing/rpc.decrypt", "behaviour 115", GOOD, NULL, WINE_DIFFERS},
    {"sealing/rpc.text", "behaviour 115", "yes", NULL, WINE_DIFFERS},
    {"sealing/data-token", "errors EncryptMessage/NTLM+Kerberos buffer order", "SEC_E_OK, text back", NULL,
     WINE_DIFFERS},
    {"sealing/token-data-padding", "errors EncryptMessage/NTLM+Kerberos buffer order", "SEC_E_OK, text back", NULL,
     WINE_DIFFERS},
    {"sealing/rpc-readonly", "errors EncryptMessage/NTLM READONLY header", "SEC_E_OK, text back", NULL, WINE_DIFFERS},
    {"sealing/reply", "behaviour 114", "SEC_E_OK, text back", NULL, WINE_DIFFERS},
    {"sealing/stream", "errors DecryptMessage/NTLM STREAM", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"sealing/stream.points-inside", "errors DecryptMessage/NTLM STREAM", "yes", NULL, WINE_DIFFERS},
    {"sealing/stream.text", "errors DecryptMessage/NTLM STREAM", "yes", NULL, WINE_DIFFERS},
    {"sealing/only-data", "errors EncryptMessage/NTLM one DATA", "SEC_E_INVALID_TOKEN", NULL, WINE_DIFFERS},
    {"sealing/only-token", "errors EncryptMessage/NTLM no DATA (documented)", "SEC_E_INVALID_TOKEN", NULL,
     WINE_DIFFERS},
    {"sealing/decrypt-only-token", "errors DecryptMessage/General no DATA (documented)",
     "SEC_E_INVALID_TOKEN, qop untouched", NULL, WINE_DIFFERS},
    {"sealing/small-token", "errors EncryptMessage/NTLM BUFFER_TOO_SMALL (documented)", "SEC_E_BUFFER_TOO_SMALL", NULL,
     WINE_DIFFERS},
    {"sealing/message-number-1", "errors EncryptMessage/NTLM+Kerberos MessageSeqNo 1", "SEC_E_OK SEC_E_OK", NULL,
     WINE_DIFFERS},
    {"sealing/qop-10", "errors EncryptMessage/NTLM+Kerberos unknown fQOP", "SEC_E_OK SEC_E_OK", NULL, WINE_DIFFERS},
    {"sealing/qop-51566", "errors EncryptMessage/NTLM+Kerberos unknown fQOP", "SEC_E_OK SEC_E_OK", NULL, WINE_DIFFERS},
    {"sealing/no-encrypt", "errors NOTE EncryptMessage fQOP WRAP_NO_ENCRYPT (documented)", "SEC_E_OK, text stays", NULL,
     WINE_DIFFERS},
    {"sealing/altered-text", "errors DecryptMessage/NTLM changed", ALTERED, NULL, WINE_DIFFERS},
    {"sealing/altered-checksum", "errors DecryptMessage/NTLM changed", ALTERED, NULL, WINE_DIFFERS},
    {"sealing/rpc.altered-header", "errors DecryptMessage/NTLM changed", ALTERED, NULL, WINE_DIFFERS},
    {"sealing/out-of-order", "errors DecryptMessage/NTLM wrong order", ALTERED, NULL, WINE_DIFFERS},
    {"sealing/signature-after-seal", "behaviour 113, errors VerifySignature/all SEC_E_OK (documented)", GOOD, NULL,
     WINE_DIFFERS},
};

static void sealed_message(struct conformance_run *run, struct exchange *pair)
{
    struct packet sent, received;
    char text[OBSERVED_MAX];
    SECURITY_STATUS status;

    packet_init(&sent, SHAPE_TOKEN_DATA);
    status = packet_encrypt(&pair->client, &sent);
    observe_status(run, "sealing/encrypt", status);
    if (status) return;
    observe_hex(run, "sealing/encrypt.trailer", sent.token, 4);
    observe_bool(run, "sealing/encrypt.hides", !packet_text_is_plain(&sent));
    packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
    observe(run, "sealing/decrypt", "%s", packet_decrypt(&pair->server, &received, text));
    observe_bool(run, "sealing/decrypt.text", packet_text_is_plain(&received));
}

static void rpc_message(struct conformance_run *run, struct exchange *pair)
{
    struct packet sent, received;
    char text[OBSERVED_MAX];
    SECURITY_STATUS status;

    packet_init(&sent, SHAPE_RPC);
    status = packet_encrypt(&pair->client, &sent);
    observe_status(run, "sealing/rpc.encrypt", status);
    if (status) return;
    observe_hex(run, "sealing/rpc.trailer", sent.token, 4);
    observe_bool(run, "sealing/rpc.ends-stay", packet_ends_are_plain(&sent));
    packet_receive(&received, &sent, SHAPE_RPC);
    observe(run, "sealing/rpc.decrypt", "%s", packet_decrypt(&pair->server, &received, text));
    observe_bool(run, "sealing/rpc.text", packet_text_is_plain(&received) && packet_ends_are_plain(&received));
}

/* There and back in SHAPE; tells the first status that is not SEC_E_OK. */
static void round_trip(struct conformance_run *run, const char *id, enum shape shape, CtxtHandle *from, CtxtHandle *to)
{
    struct packet sent, received;
    SECURITY_STATUS status;
    ULONG qop;

    packet_init(&sent, shape);
    status = packet_encrypt(from, &sent);
    if (!status) {
        packet_receive(&received, &sent, shape);
        status = DecryptMessage(to, &received.message, 0, &qop);
    }
    if (status)
        observe_status(run, id, status);
    else
        observe(run, id, "SEC_E_OK, %s",
                packet_text_is_plain(&received) && packet_ends_are_plain(&received) ? "text back" : "another text");
}

/* Token and text in one block, as it travels. */
static void stream_message(struct conformance_run *run, struct exchange *pair)
{
    unsigned char wire[PACKET_TOKEN_SIZE + PACKET_TEXT_SIZE];
    SecBuffer buffers[2] = {{sizeof(wire), SECBUFFER_STREAM, wire}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    struct packet sent;
    SECURITY_STATUS status;
    ULONG qop = 0;

    packet_init(&sent, SHAPE_TOKEN_DATA);
    if (packet_encrypt(&pair->client, &sent)) return;
    memcpy(wire, sent.token, PACKET_TOKEN_SIZE);
    memcpy(wire + PACKET_TOKEN_SIZE, sent.text, sizeof(sent.text));
    status = DecryptMessage(&pair->server, &message, 0, &qop);
    observe_status(run, "sealing/stream", status);
    if (status) return;
    observe_bool(run, "sealing/stream.points-inside", buffers[1].pvBuffer == wire + PACKET_TOKEN_SIZE);
    observe_bool(run, "sealing/stream.text",
                 buffers[1].cbBuffer == PACKET_TEXT_SIZE &&
                     !memcmp(buffers[1].pvBuffer, PACKET_TEXT, PACKET_TEXT_SIZE));
}

static void good_messages(struct conformance_run *run)
{
    struct exchange pair;
    struct packet sent, received;
    char text[OBSERVED_MAX];

    if (!open_pair(run, &pair, SEALED)) return;
    sealed_message(run, &pair);
    rpc_message(run, &pair);
    round_trip(run, "sealing/data-token", SHAPE_DATA_TOKEN, &pair.client, &pair.server);
    round_trip(run, "sealing/token-data-padding", SHAPE_TOKEN_DATA_PADDING, &pair.client, &pair.server);
    round_trip(run, "sealing/rpc-readonly", SHAPE_RPC_READONLY, &pair.client, &pair.server);
    round_trip(run, "sealing/reply", SHAPE_TOKEN_DATA, &pair.server, &pair.client);
    stream_message(run, &pair);
    packet_init(&sent, SHAPE_TOKEN_DATA);
    if (!packet_sign(&pair.client, &sent)) {
        packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
        observe(run, "sealing/signature-after-seal", "%s", packet_verify(&pair.server, &received, text));
    }
    exchange_close(&pair);
}

static void wrong_shapes(struct conformance_run *run)
{
    struct exchange pair;
    struct packet packet;
    char text[OBSERVED_MAX];

    if (!open_pair(run, &pair, SEALED)) return;
    packet_init(&packet, SHAPE_DATA);
    observe_status(run, "sealing/only-data", packet_encrypt(&pair.client, &packet));
    packet_init(&packet, SHAPE_TOKEN);
    observe_status(run, "sealing/only-token", packet_encrypt(&pair.client, &packet));
    packet_init(&packet, SHAPE_TOKEN_DATA);
    packet.buffers[0].cbBuffer = PACKET_TOKEN_SIZE / 2;
    observe_status(run, "sealing/small-token", packet_encrypt(&pair.client, &packet));
    packet_init(&packet, SHAPE_TOKEN);
    observe(run, "sealing/decrypt-only-token", "%s", packet_decrypt(&pair.server, &packet, text));
    exchange_close(&pair);
}

/* One message with the caller's quality of protection and number. */
static void with_arguments(struct conformance_run *run, const char *id, ULONG qop, ULONG number)
{
    struct exchange pair;
    struct packet sent, received;
    char first[STATUS_NAME_MAX], second[STATUS_NAME_MAX];
    SECURITY_STATUS encrypted, decrypted;
    ULONG received_qop;

    if (!open_pair(run, &pair, SEALED)) return;
    packet_init(&sent, SHAPE_TOKEN_DATA);
    encrypted = EncryptMessage(&pair.client, qop, &sent.message, number);
    packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
    decrypted = DecryptMessage(&pair.server, &received.message, number, &received_qop);
    observe(run, id, "%s %s", status_name(encrypted, first), status_name(decrypted, second));
    exchange_close(&pair);
}

static void without_encryption(struct conformance_run *run)
{
    struct exchange pair;
    struct packet packet;
    char name[STATUS_NAME_MAX];
    SECURITY_STATUS status;

    if (!open_pair(run, &pair, SEALED)) return;
    packet_init(&packet, SHAPE_TOKEN_DATA);
    status = EncryptMessage(&pair.client, SECQOP_WRAP_NO_ENCRYPT, &packet.message, 0);
    observe(run, "sealing/no-encrypt", "%s, text %s", status_name(status, name),
            packet_text_is_plain(&packet) ? "stays" : "changed");
    exchange_close(&pair);
}

/* Changes the byte at OFFSET of struct packet on the way. */
static void altered(struct conformance_run *run, const char *id, enum shape shape, size_t offset)
{
    struct exchange pair;
    struct packet sent, received;
    char text[OBSERVED_MAX];

    if (!open_pair(run, &pair, SEALED)) return;
    packet_init(&sent, shape);
    if (!packet_encrypt(&pair.client, &sent)) {
        packet_receive(&received, &sent, shape);
        ((unsigned char *)&received)[offset] ^= 0x20;
        observe(run, id, "%s", packet_decrypt(&pair.server, &received, text));
    }
    exchange_close(&pair);
}

static void out_of_order(struct conformance_run *run)
{
    struct exchange pair;
    struct packet first, second, received;
    char text[OBSERVED_MAX];

    if (!open_pair(run, &pair, SEALED)) return;
    packet_init(&first, SHAPE_TOKEN_DATA);
    packet_init(&second, SHAPE_TOKEN_DATA);
    if (!packet_encrypt(&pair.client, &first) && !packet_encrypt(&pair.client, &second)) {
        packet_receive(&received, &second, SHAPE_TOKEN_DATA);
        observe(run, "sealing/out-of-order", "%s", packet_decrypt(&pair.server, &received, text));
    }
    exchange_close(&pair);
}

static void run_sealing(struct conformance_run *run)
{
    good_messages(run);
    wrong_shapes(run);
    with_arguments(run, "sealing/message-number-1", 0, 1);
    with_arguments(run, "sealing/qop-10", 10, 0);
    with_arguments(run, "sealing/qop-51566", 51566, 0);
    without_encryption(run);
    altered(run, "sealing/altered-text", SHAPE_TOKEN_DATA, offsetof(struct packet, text));
    altered(run, "sealing/altered-checksum", SHAPE_TOKEN_DATA, offsetof(struct packet, token) + 5);
    altered(run, "sealing/rpc.altered-header", SHAPE_RPC, offsetof(struct packet, header));
    out_of_order(run);
}

const struct conformance_group sealing_group = {
    .name = "sealing", .cases = cases, .case_count = COUNT_OF(cases), .run = run_sealing};
