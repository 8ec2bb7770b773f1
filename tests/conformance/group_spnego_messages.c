/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The message functions on a Negotiate pair over NTLM, after SPNEGO has signed its list of mechanisms with the same
 * keys. What must fail gets a pair of its own.
 */
#include "groups.h"
#include "packet.h"
#include "spnego_pair.h"
#include "status.h"

#include <stddef.h>
#include <string.h>

#define GOOD "SEC_E_OK, qop untouched"
#define ALTERED "SEC_E_MESSAGE_ALTERED, qop untouched"
#define SEALED (ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY)
#define ENCRYPT "errors EncryptMessage/Negotiate "
#define SHAPE "EncryptMessage (Negotiate), the four buffers (documented)"

static const struct conformance_case cases[] = {
    {"spnego-messages/encrypt", "behaviour 113 (the mechanism answers)", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"spnego-messages/encrypt.sequence", "attributes flags Negotiate mechListMIC", "01000000", NULL, WINE_DIFFERS},
    {"spnego-messages/decrypt", "behaviour 114 (the mechanism answers)", GOOD, NULL, WINE_DIFFERS},
    {"spnego-messages/decrypt.text", "behaviour 114 (the mechanism answers)", "yes", NULL, WINE_DIFFERS},
    {"spnego-messages/reply", "behaviour 114 (the mechanism answers)", GOOD, NULL, WINE_DIFFERS},
    {"spnego-messages/sign", "errors MakeSignature/all SEC_E_OK (documented)", "SEC_E_OK", NULL, WINE_DIFFERS},
    {"spnego-messages/verify", "errors VerifySignature/all SEC_E_OK (documented)", GOOD, NULL, WINE_DIFFERS},
    {"spnego-messages/verify-stream", "errors VerifySignature/Kerberos+Negotiate STREAM", "SEC_E_OK, DATA inside", NULL,
     WINE_DIFFERS},
    {"spnego-messages/only-data.sign", "errors MakeSignature/NTLM+Negotiate one DATA", "SEC_E_INVALID_TOKEN", NULL,
     WINE_DIFFERS},
    {"spnego-messages/only-data.encrypt", "errors EncryptMessage/NTLM+Negotiate one DATA", "SEC_E_INVALID_TOKEN", NULL,
     WINE_DIFFERS},
    {"spnego-messages/verify.altered-text", "errors VerifySignature/NTLM+Negotiate changed", ALTERED, NULL,
     WINE_DIFFERS},
    {"spnego-messages/verify.altered-token", "errors VerifySignature/NTLM+Negotiate changed", ALTERED, NULL,
     WINE_DIFFERS},
    {"spnego-messages/decrypt.altered-text", "errors DecryptMessage/NTLM+Negotiate changed", ALTERED, NULL,
     WINE_DIFFERS},
    {"spnego-messages/decrypt.altered-token", "errors DecryptMessage/NTLM+Negotiate changed", ALTERED, NULL,
     WINE_DIFFERS},
    {"spnego-messages/no-data", ENCRYPT "INVALID_TOKEN (documented)", "SEC_E_INVALID_TOKEN", NULL, WINE_DIFFERS},
    {"spnego-messages/small-token", ENCRYPT "BUFFER_TOO_SMALL (documented)", "SEC_E_BUFFER_TOO_SMALL", NULL,
     WINE_DIFFERS},
    {"spnego-messages/deleted-context", ENCRYPT "INVALID_HANDLE (documented)", "SEC_E_INVALID_HANDLE", NULL,
     WINE_DIFFERS},
    {"spnego-messages/integrity-alone", "errors EncryptMessage/NTLM works when either is set", "SEC_E_OK", NULL,
     WINE_DIFFERS},
    /* The page of Negotiate says QOP_NOT_SUPPORTED, which nobody has seen. */
    {"spnego-messages/neither", "errors EncryptMessage/NTLM neither", "SEC_E_UNSUPPORTED_FUNCTION", NULL, WINE_DIFFERS},
    {"spnego-messages/no-encrypt", "errors NOTE EncryptMessage fQOP WRAP_NO_ENCRYPT (documented)",
     "SEC_E_OK, text stays", NULL, WINE_DIFFERS},
    {"spnego-messages/four-buffers", SHAPE, "SEC_E_OK, trailer 0, empty stays", NULL, WINE_DIFFERS},
    {"spnego-messages/four-buffers.decrypt", SHAPE, GOOD, NULL, WINE_DIFFERS},
    {"spnego-messages/four-buffers.text", SHAPE, "yes", NULL, WINE_DIFFERS},
};

/* The number in a signature's last four bytes: NTLM's own counter, which the mechListMIC has used once. */
#define SEQUENCE_OFFSET 12

static void sealed_message(struct conformance_run *run, struct spnego_pair *pair)
{
    struct packet sent, received;
    char text[OBSERVED_MAX];

    packet_init(&sent, SHAPE_TOKEN_DATA);
    observe_status(run, "spnego-messages/encrypt", packet_encrypt(&pair->client.context, &sent));
    observe_hex(run, "spnego-messages/encrypt.sequence", sent.token + SEQUENCE_OFFSET, 4);
    packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
    observe(run, "spnego-messages/decrypt", "%s", packet_decrypt(&pair->server.context, &received, text));
    observe_bool(run, "spnego-messages/decrypt.text", packet_text_is_plain(&received));
    packet_init(&sent, SHAPE_TOKEN_DATA);
    packet_encrypt(&pair->server.context, &sent);
    packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
    observe(run, "spnego-messages/reply", "%s", packet_decrypt(&pair->client.context, &received, text));
}

static void signed_message(struct conformance_run *run, struct spnego_pair *pair)
{
    struct packet sent, received;
    char text[OBSERVED_MAX];

    packet_init(&sent, SHAPE_TOKEN_DATA);
    observe_status(run, "spnego-messages/sign", packet_sign(&pair->client.context, &sent));
    packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
    observe(run, "spnego-messages/verify", "%s", packet_verify(&pair->server.context, &received, text));
}

/* Token and text in one block, as it travels. */
static void signed_stream(struct conformance_run *run, struct spnego_pair *pair)
{
    unsigned char wire[PACKET_TOKEN_SIZE + PACKET_TEXT_SIZE];
    SecBuffer buffers[2] = {{sizeof(wire), SECBUFFER_STREAM, wire}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    struct packet sent;
    SECURITY_STATUS status;
    char name[STATUS_NAME_MAX];
    ULONG qop;

    packet_init(&sent, SHAPE_TOKEN_DATA);
    if (packet_sign(&pair->client.context, &sent)) return;
    memcpy(wire, sent.token, PACKET_TOKEN_SIZE);
    memcpy(wire + PACKET_TOKEN_SIZE, sent.text, sizeof(sent.text));
    status = VerifySignature(&pair->server.context, &message, 0, &qop);
    observe(run, "spnego-messages/verify-stream", "%s, DATA %s", status_name(status, name),
            buffers[1].pvBuffer == wire + PACKET_TOKEN_SIZE && buffers[1].cbBuffer == PACKET_TEXT_SIZE ? "inside"
                                                                                                        : "elsewhere");
}

static void good_messages(struct conformance_run *run)
{
    struct spnego_pair pair;

    if (!spnego_open_pair(run, &pair, SEALED)) return;
    sealed_message(run, &pair);
    signed_message(run, &pair);
    signed_stream(run, &pair);
    spnego_pair_close(&pair);
}

static void wrong_shapes(struct conformance_run *run)
{
    struct spnego_pair pair;
    struct packet packet;

    if (!spnego_open_pair(run, &pair, SEALED)) return;
    packet_init(&packet, SHAPE_DATA);
    observe_status(run, "spnego-messages/only-data.sign", packet_sign(&pair.client.context, &packet));
    observe_status(run, "spnego-messages/only-data.encrypt", packet_encrypt(&pair.client.context, &packet));
    packet_init(&packet, SHAPE_TOKEN);
    observe_status(run, "spnego-messages/no-data", packet_encrypt(&pair.client.context, &packet));
    packet_init(&packet, SHAPE_TOKEN_DATA);
    packet.buffers[0].cbBuffer = PACKET_TOKEN_SIZE / 2;
    observe_status(run, "spnego-messages/small-token", packet_encrypt(&pair.client.context, &packet));
    packet_init(&packet, SHAPE_TOKEN_DATA);
    DeleteSecurityContext(&pair.client.context);
    observe_status(run, "spnego-messages/deleted-context", packet_encrypt(&pair.client.context, &packet));
    SecInvalidateHandle(&pair.client.context);
    spnego_pair_close(&pair);
}

/* Changes the byte at OFFSET of struct packet on the way of a signed and of a sealed message. */
static void altered(struct conformance_run *run, const char *verify_id, const char *decrypt_id, size_t offset)
{
    struct spnego_pair pair;
    struct packet sent, received;
    char text[OBSERVED_MAX];

    if (!spnego_open_pair(run, &pair, SEALED)) return;
    packet_init(&sent, SHAPE_TOKEN_DATA);
    packet_sign(&pair.client.context, &sent);
    packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
    ((unsigned char *)&received)[offset] ^= 0x20;
    observe(run, verify_id, "%s", packet_verify(&pair.server.context, &received, text));
    packet_init(&sent, SHAPE_TOKEN_DATA);
    packet_encrypt(&pair.server.context, &sent);
    packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
    ((unsigned char *)&received)[offset] ^= 0x20;
    observe(run, decrypt_id, "%s", packet_decrypt(&pair.client.context, &received, text));
    spnego_pair_close(&pair);
}

/* NTLM's bare tokens: within SPNEGO a client asks its mechanism for integrity whatever the program says. */
static void half_protected(struct conformance_run *run, const char *id, ULONG flags)
{
    const struct spnego_request request = {.packages = "NTLM", .client_flags = flags};
    struct spnego_pair pair;
    struct packet packet;

    if (spnego_pair_run(&pair, &request)) {
        packet_init(&packet, SHAPE_TOKEN_DATA);
        observe_status(run, id, packet_encrypt(&pair.client.context, &packet));
    }
    spnego_pair_close(&pair);
}

static void without_encryption(struct conformance_run *run)
{
    struct spnego_pair pair;
    struct packet packet;
    char name[STATUS_NAME_MAX];
    SECURITY_STATUS status;

    if (!spnego_open_pair(run, &pair, SEALED)) return;
    packet_init(&packet, SHAPE_TOKEN_DATA);
    status = EncryptMessage(&pair.client.context, SECQOP_WRAP_NO_ENCRYPT, &packet.message, 0);
    observe(run, "spnego-messages/no-encrypt", "%s, text %s", status_name(status, name),
            packet_text_is_plain(&packet) ? "stays" : "changed");
    spnego_pair_close(&pair);
}

/* What a program of the page's shape has in memory. */
struct four_buffers {
    unsigned char header[PACKET_TOKEN_SIZE], text[PACKET_TEXT_SIZE], trailer[16];
    SecBuffer buffers[4];
    SecBufferDesc message;
};

static void four_buffers_init(struct four_buffers *four)
{
    memset(four, 0, sizeof(*four));
    memcpy(four->text, PACKET_TEXT, sizeof(four->text));
    four->buffers[0] = (SecBuffer){sizeof(four->header), SECBUFFER_STREAM_HEADER, four->header};
    four->buffers[1] = (SecBuffer){sizeof(four->text), SECBUFFER_DATA, four->text};
    four->buffers[2] = (SecBuffer){sizeof(four->trailer), SECBUFFER_STREAM_TRAILER, four->trailer};
    four->buffers[3] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    four->message = (SecBufferDesc){SECBUFFER_VERSION, COUNT_OF(four->buffers), four->buffers};
}

static void four_buffers(struct conformance_run *run, struct spnego_pair *pair)
{
    struct four_buffers four;
    char name[STATUS_NAME_MAX], text[OBSERVED_MAX];
    SECURITY_STATUS status;
    ULONG qop = UNTOUCHED_QOP;

    four_buffers_init(&four);
    status = EncryptMessage(&pair->client.context, 0, &four.message, 0);
    observe(run, "spnego-messages/four-buffers", "%s, trailer %lu, empty %s", status_name(status, name),
            four.buffers[2].cbBuffer,
            four.buffers[3].BufferType == SECBUFFER_EMPTY && !four.buffers[3].cbBuffer ? "stays" : "changed");
    if (status) return;
    status = DecryptMessage(&pair->server.context, &four.message, 0, &qop);
    observe(run, "spnego-messages/four-buffers.decrypt", "%s", qop_text(status, qop, text));
    observe_bool(run, "spnego-messages/four-buffers.text", !memcmp(four.text, PACKET_TEXT, sizeof(four.text)));
}

static void documented_shape(struct conformance_run *run)
{
    struct spnego_pair pair;

    if (!spnego_open_pair(run, &pair, SEALED)) return;
    four_buffers(run, &pair);
    spnego_pair_close(&pair);
}

static void run_messages(struct conformance_run *run)
{
    good_messages(run);
    wrong_shapes(run);
    altered(run, "spnego-messages/verify.altered-text", "spnego-messages/decrypt.altered-text",
            offsetof(struct packet, text));
    altered(run, "spnego-messages/verify.altered-token", "spnego-messages/decrypt.altered-token",
            offsetof(struct packet, token) + 5);
    half_protected(run, "spnego-messages/integrity-alone", ISC_REQ_INTEGRITY);
    half_protected(run, "spnego-messages/neither", ISC_REQ_NO_INTEGRITY);
    without_encryption(run);
    documented_shape(run);
}

const struct conformance_group spnego_messages_group = {
    .name = "spnego-messages", .cases = cases, .case_count = COUNT_OF(cases), .run = run_messages};
