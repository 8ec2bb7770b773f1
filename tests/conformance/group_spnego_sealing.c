/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the pages of EncryptMessage (Negotiate) and DecryptMessage (Negotiate) promise, on a pair over NTLM: qualities
 * of protection, shapes and places of the buffers, and messages that come twice, from elsewhere, or not at all.
 */
#include "groups.h"
#include "packet.h"
#include "spnego_pair.h"
#include "status.h"

#include <string.h>

#define GOOD "SEC_E_OK, qop untouched"
#define ALTERED "SEC_E_MESSAGE_ALTERED, qop untouched"
#define BACK "SEC_E_OK, text back"
#define FLAGS (ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT)
#define QUALITIES "errors EncryptMessage/NTLM+Kerberos unknown fQOP (the mechanism answers)"
#define ORDER "errors EncryptMessage/NTLM+Kerberos buffer order (the mechanism answers)"
#define NOTE_READONLY "errors NOTE EncryptMessage READONLY (documented)"
#define SHAPE "EncryptMessage (Negotiate), the four buffers (documented)"
#define PLACES "EncryptMessage (Negotiate), contiguous or scattered (documented)"
#define DISORDER "errors DecryptMessage/NTLM wrong order (the mechanism answers)"

static const struct conformance_case cases[] = {
    {"spnego-sealing/qop-0", QUALITIES, BACK ", qop untouched", NULL, WINE_DIFFERS},
    {"spnego-sealing/qop-10", QUALITIES, BACK ", qop untouched", NULL, WINE_DIFFERS},
    {"spnego-sealing/qop-51566", QUALITIES, BACK ", qop untouched", NULL, WINE_DIFFERS},
    {"spnego-sealing/qop-no-encrypt", "errors NOTE DecryptMessage *pfQOP (documented)", BACK ", qop 0x80000001", NULL,
     WINE_DIFFERS},
    {"spnego-sealing/message-number-1", "errors EncryptMessage/NTLM+Kerberos MessageSeqNo 1 (the mechanism answers)",
     BACK ", qop untouched", NULL, WINE_DIFFERS},
    {"spnego-sealing/in-place", "EncryptMessage (Negotiate), in place (documented)", "same buffer, other bytes", NULL,
     WINE_DIFFERS},
    {"spnego-sealing/data-token", ORDER, BACK, NULL, WINE_DIFFERS},
    {"spnego-sealing/token-data-padding", ORDER, BACK, NULL, WINE_DIFFERS},
    {"spnego-sealing/rpc", "behaviour 115 (the mechanism answers)", BACK, NULL, WINE_DIFFERS},
    {"spnego-sealing/readonly", NOTE_READONLY, BACK, NULL, WINE_DIFFERS},
    {"spnego-sealing/readonly.ends-stay", NOTE_READONLY, "yes", NULL, WINE_DIFFERS},
    {"spnego-sealing/order.header-data-trailer-empty", SHAPE, "SEC_E_OK", NULL, WINE_DIFFERS},
    {"spnego-sealing/order.data-header-trailer-empty", SHAPE, "SEC_E_INVALID_TOKEN", NULL, WINE_DIFFERS},
    {"spnego-sealing/order.header-trailer-data-empty", SHAPE, "SEC_E_INVALID_TOKEN", NULL, WINE_DIFFERS},
    {"spnego-sealing/order.empty-header-data-trailer", SHAPE, "SEC_E_INVALID_TOKEN", NULL, WINE_DIFFERS},
    {"spnego-sealing/contiguous", PLACES, BACK, NULL, WINE_DIFFERS},
    {"spnego-sealing/scattered", PLACES, BACK, NULL, WINE_DIFFERS},
    {"spnego-sealing/scattered-to-contiguous", PLACES, BACK, NULL, WINE_DIFFERS},
    {"spnego-sealing/contiguous-to-scattered", PLACES, BACK, NULL, WINE_DIFFERS},
    {"spnego-sealing/detection.client", "InitializeSecurityContext flags (documented)", "granted", NULL, WINE_DIFFERS},
    {"spnego-sealing/detection.server", "AcceptSecurityContext flags (documented)", "granted", NULL, WINE_DIFFERS},
    /* The page of Negotiate says OUT_OF_SEQUENCE; NTLM counts for itself and finds a checksum over another number. */
    {"spnego-sealing/replay", DISORDER, ALTERED, NULL, WINE_DIFFERS},
    {"spnego-sealing/insertion", DISORDER, ALTERED, NULL, WINE_DIFFERS},
    {"spnego-sealing/reflection", DISORDER, ALTERED, NULL, WINE_DIFFERS},
    {"spnego-sealing/suppression", DISORDER, ALTERED, NULL, WINE_DIFFERS},
    {"spnego-sealing/decrypt.no-token", "errors DecryptMessage/General wrong buffer types (documented)",
     "SEC_E_INVALID_TOKEN, qop untouched", NULL, WINE_DIFFERS},
    {"spnego-sealing/decrypt.no-data", "errors DecryptMessage/General no DATA (documented)",
     "SEC_E_INVALID_TOKEN, qop untouched", NULL, WINE_DIFFERS},
    {"spnego-sealing/decrypt.small-token", "errors DecryptMessage/General BUFFER_TOO_SMALL (documented)",
     "SEC_E_BUFFER_TOO_SMALL, qop untouched", NULL, WINE_DIFFERS},
    {"spnego-sealing/decrypt.short-stream", "errors DecryptMessage/Negotiate INCOMPLETE_MESSAGE (documented)",
     "SEC_E_INCOMPLETE_MESSAGE, qop untouched", NULL, WINE_DIFFERS},
    {"spnego-sealing/decrypt.deleted-context", "errors DecryptMessage/General INVALID_HANDLE (documented)",
     "SEC_E_INVALID_HANDLE, qop untouched", NULL, WINE_DIFFERS},
};

/* "SEC_E_OK, text back", or what went wrong. TEXT holds OBSERVED_MAX; returned. */
static const char *back_text(SECURITY_STATUS status, const void *received, char *text)
{
    char name[STATUS_NAME_MAX];

    snprintf(text, OBSERVED_MAX, "%s, %s", status_name(status, name),
             !memcmp(received, PACKET_TEXT, PACKET_TEXT_SIZE) ? "text back" : "another text");
    return text;
}

/* There and back with the caller's quality of protection and number. */
static void with_arguments(struct conformance_run *run, const char *id, struct spnego_pair *pair, ULONG qop,
                           ULONG number)
{
    struct packet sent, received;
    char text[OBSERVED_MAX];
    ULONG told = UNTOUCHED_QOP;
    SECURITY_STATUS status;

    packet_init(&sent, SHAPE_TOKEN_DATA);
    status = EncryptMessage(&pair->client.context, qop, &sent.message, number);
    packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
    if (!status) status = DecryptMessage(&pair->server.context, &received.message, number, &told);
    back_text(status, received.text, text);
    if (told == UNTOUCHED_QOP)
        observe(run, id, "%s, qop untouched", text);
    else
        observe(run, id, "%s, qop 0x%lx", text, told);
}

static void qualities(struct conformance_run *run, struct spnego_pair *pair)
{
    with_arguments(run, "spnego-sealing/qop-0", pair, 0, 0);
    with_arguments(run, "spnego-sealing/qop-10", pair, 10, 0);
    with_arguments(run, "spnego-sealing/qop-51566", pair, 51566, 0);
    with_arguments(run, "spnego-sealing/qop-no-encrypt", pair, SECQOP_WRAP_NO_ENCRYPT, 0);
    with_arguments(run, "spnego-sealing/message-number-1", pair, 0, 1);
}

/* There and back in SHAPE. SENT is what went over the wire. */
static void round_trip(struct conformance_run *run, const char *id, struct spnego_pair *pair, enum shape shape,
                       struct packet *sent)
{
    struct packet received;
    char text[OBSERVED_MAX];
    SECURITY_STATUS status;
    ULONG qop;

    packet_init(sent, shape);
    status = packet_encrypt(&pair->client.context, sent);
    packet_receive(&received, sent, shape);
    if (!status) status = DecryptMessage(&pair->server.context, &received.message, 0, &qop);
    observe(run, id, "%s", back_text(status, received.text, text));
}

static void in_place(struct conformance_run *run, struct spnego_pair *pair)
{
    struct packet sent, received;
    char text[OBSERVED_MAX];
    bool same;

    packet_init(&sent, SHAPE_TOKEN_DATA);
    if (packet_encrypt(&pair->client.context, &sent)) return;
    same = sent.buffers[1].pvBuffer == sent.text && sent.buffers[1].cbBuffer == PACKET_TEXT_SIZE;
    observe(run, "spnego-sealing/in-place", "%s buffer, %s bytes", same ? "same" : "another",
            packet_text_is_plain(&sent) ? "the same" : "other");
    packet_receive(&received, &sent, SHAPE_TOKEN_DATA);
    packet_decrypt(&pair->server.context, &received, text);
}

static void shapes(struct conformance_run *run, struct spnego_pair *pair)
{
    struct packet sent;

    round_trip(run, "spnego-sealing/data-token", pair, SHAPE_DATA_TOKEN, &sent);
    round_trip(run, "spnego-sealing/token-data-padding", pair, SHAPE_TOKEN_DATA_PADDING, &sent);
    round_trip(run, "spnego-sealing/rpc", pair, SHAPE_RPC, &sent);
    round_trip(run, "spnego-sealing/readonly", pair, SHAPE_RPC_READONLY, &sent);
    observe_bool(run, "spnego-sealing/readonly.ends-stay", packet_ends_are_plain(&sent));
}

/* Where the parts of a message lie: in one block, or far from one another. */
struct places {
    unsigned char *token, *pieces[3];
};

enum { PIECE = 4, LAST_PIECE = PACKET_TEXT_SIZE - 2 * PIECE, APART = 1024 };

static struct places contiguous_places(unsigned char *block)
{
    unsigned char *text = block + PACKET_TOKEN_SIZE;

    return (struct places){block, {text, text + PIECE, text + 2 * PIECE}};
}

/* Backwards, as well. */
static struct places scattered_places(unsigned char *block)
{
    return (struct places){block + 3 * APART, {block + 2 * APART, block + APART, block}};
}

static const ULONG piece_sizes[] = {PIECE, PIECE, LAST_PIECE};

static void copy_text(const struct places *places, unsigned char *text)
{
    for (int i = 0; i < 3; i++) memcpy(text + i * PIECE, places->pieces[i], piece_sizes[i]);
}

static void put_text(const struct places *places, const unsigned char *text)
{
    for (int i = 0; i < 3; i++) memcpy(places->pieces[i], text + i * PIECE, piece_sizes[i]);
}

static SECURITY_STATUS call_with(const struct places *places, CtxtHandle *context, bool encrypt)
{
    SecBuffer buffers[4] = {{PACKET_TOKEN_SIZE, SECBUFFER_TOKEN, places->token}};
    SecBufferDesc message = {SECBUFFER_VERSION, COUNT_OF(buffers), buffers};
    ULONG qop;

    for (int i = 0; i < 3; i++) buffers[i + 1] = (SecBuffer){piece_sizes[i], SECBUFFER_DATA, places->pieces[i]};
    return encrypt ? EncryptMessage(context, 0, &message, 0) : DecryptMessage(context, &message, 0, &qop);
}

static void from_places_to_places(struct conformance_run *run, const char *id, struct spnego_pair *pair,
                                  const struct places *from, const struct places *to)
{
    unsigned char wire[PACKET_TEXT_SIZE];
    char text[OBSERVED_MAX];
    SECURITY_STATUS status;

    put_text(from, (const unsigned char *)PACKET_TEXT);
    status = call_with(from, &pair->client.context, true);
    copy_text(from, wire);
    memmove(to->token, from->token, PACKET_TOKEN_SIZE);
    put_text(to, wire);
    if (!status) status = call_with(to, &pair->server.context, false);
    copy_text(to, wire);
    observe(run, id, "%s", back_text(status, wire, text));
}

static void places(struct conformance_run *run, struct spnego_pair *pair)
{
    static unsigned char blocks[2][4 * APART];
    const struct places one = contiguous_places(blocks[0]), apart = scattered_places(blocks[1]);

    from_places_to_places(run, "spnego-sealing/contiguous", pair, &one, &one);
    from_places_to_places(run, "spnego-sealing/scattered", pair, &apart, &apart);
    from_places_to_places(run, "spnego-sealing/scattered-to-contiguous", pair, &apart, &one);
    from_places_to_places(run, "spnego-sealing/contiguous-to-scattered", pair, &one, &apart);
}

/* The four documented buffers, in other orders too. */
struct ordered {
    const char *id;
    ULONG types[4];
};

static const struct ordered orders[] = {
    {"spnego-sealing/order.header-data-trailer-empty",
     {SECBUFFER_STREAM_HEADER, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER, SECBUFFER_EMPTY}},
    {"spnego-sealing/order.data-header-trailer-empty",
     {SECBUFFER_DATA, SECBUFFER_STREAM_HEADER, SECBUFFER_STREAM_TRAILER, SECBUFFER_EMPTY}},
    {"spnego-sealing/order.header-trailer-data-empty",
     {SECBUFFER_STREAM_HEADER, SECBUFFER_STREAM_TRAILER, SECBUFFER_DATA, SECBUFFER_EMPTY}},
    {"spnego-sealing/order.empty-header-data-trailer",
     {SECBUFFER_EMPTY, SECBUFFER_STREAM_HEADER, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER}},
};

static void encrypt_ordered(struct conformance_run *run, const struct ordered *order)
{
    unsigned char memory[4][PACKET_TOKEN_SIZE] = {{0}};
    SecBuffer buffers[4];
    SecBufferDesc message = {SECBUFFER_VERSION, COUNT_OF(buffers), buffers};
    struct spnego_pair pair;

    if (!spnego_open_pair(run, &pair, FLAGS)) return;
    for (int i = 0; i < 4; i++) {
        const bool empty = order->types[i] == SECBUFFER_EMPTY;
        buffers[i] = (SecBuffer){empty ? 0 : PACKET_TOKEN_SIZE, order->types[i], empty ? NULL : memory[i]};
    }
    observe_status(run, order->id, EncryptMessage(&pair.client.context, 0, &message, 0));
    spnego_pair_close(&pair);
}

/* Deciphers a copy of SENT and tells how that went. */
static void receive(struct conformance_run *run, const char *id, CtxtHandle *context, const struct packet *sent)
{
    struct packet received;
    char text[OBSERVED_MAX];

    packet_receive(&received, sent, SHAPE_TOKEN_DATA);
    packet_decrypt(context, &received, text);
    if (id) observe(run, id, "%s", text);
}

static void make(CtxtHandle *context, struct packet *packet)
{
    packet_init(packet, SHAPE_TOKEN_DATA);
    packet_encrypt(context, packet);
}

static const char *granted(const struct spnego_side *side, ULONG flags)
{
    return (spnego_last_leg(side)->attributes & flags) == flags ? "granted" : "not granted";
}

static void detection_granted(struct conformance_run *run)
{
    struct spnego_pair pair;

    if (!spnego_open_pair(run, &pair, FLAGS)) return;
    observe(run, "spnego-sealing/detection.client", "%s",
            granted(&pair.client, ISC_RET_SEQUENCE_DETECT | ISC_RET_REPLAY_DETECT));
    observe(run, "spnego-sealing/detection.server", "%s",
            granted(&pair.server, ASC_RET_SEQUENCE_DETECT | ASC_RET_REPLAY_DETECT));
    spnego_pair_close(&pair);
}

static void replay_and_reflection(struct conformance_run *run)
{
    struct spnego_pair pair;
    struct packet sent;

    if (!spnego_open_pair(run, &pair, FLAGS)) return;
    make(&pair.client.context, &sent);
    receive(run, NULL, &pair.server.context, &sent);
    receive(run, "spnego-sealing/replay", &pair.server.context, &sent);
    receive(run, "spnego-sealing/reflection", &pair.client.context, &sent);
    spnego_pair_close(&pair);
}

/* A message of another exchange, put before the first. */
static void insertion(struct conformance_run *run)
{
    struct spnego_pair pair, other;
    struct packet sent;

    if (!spnego_open_pair(run, &pair, FLAGS)) return;
    if (spnego_open_pair(run, &other, FLAGS)) {
        make(&other.client.context, &sent);
        receive(run, "spnego-sealing/insertion", &pair.server.context, &sent);
        spnego_pair_close(&other);
    }
    spnego_pair_close(&pair);
}

/* The first message never comes. */
static void suppression(struct conformance_run *run)
{
    struct spnego_pair pair;
    struct packet first, second;

    if (!spnego_open_pair(run, &pair, FLAGS)) return;
    make(&pair.client.context, &first);
    make(&pair.client.context, &second);
    receive(run, "spnego-sealing/suppression", &pair.server.context, &second);
    spnego_pair_close(&pair);
}

static void short_stream(struct conformance_run *run, CtxtHandle *context)
{
    unsigned char wire[PACKET_TOKEN_SIZE / 2] = {1};
    SecBuffer buffers[2] = {{sizeof(wire), SECBUFFER_STREAM, wire}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    ULONG qop = UNTOUCHED_QOP;
    char text[OBSERVED_MAX];
    SECURITY_STATUS status = DecryptMessage(context, &message, 0, &qop);

    observe(run, "spnego-sealing/decrypt.short-stream", "%s", qop_text(status, qop, text));
}

static void wrong_to_decrypt(struct conformance_run *run)
{
    struct spnego_pair pair;
    struct packet packet;
    char text[OBSERVED_MAX];

    if (!spnego_open_pair(run, &pair, FLAGS)) return;
    packet_init(&packet, SHAPE_DATA);
    observe(run, "spnego-sealing/decrypt.no-token", "%s", packet_decrypt(&pair.server.context, &packet, text));
    packet_init(&packet, SHAPE_TOKEN);
    observe(run, "spnego-sealing/decrypt.no-data", "%s", packet_decrypt(&pair.server.context, &packet, text));
    packet_init(&packet, SHAPE_TOKEN_DATA);
    packet.buffers[0].cbBuffer = PACKET_TOKEN_SIZE / 2;
    observe(run, "spnego-sealing/decrypt.small-token", "%s", packet_decrypt(&pair.server.context, &packet, text));
    short_stream(run, &pair.server.context);
    packet_init(&packet, SHAPE_TOKEN_DATA);
    DeleteSecurityContext(&pair.server.context);
    observe(run, "spnego-sealing/decrypt.deleted-context", "%s", packet_decrypt(&pair.server.context, &packet, text));
    SecInvalidateHandle(&pair.server.context);
    spnego_pair_close(&pair);
}

static void run_sealing(struct conformance_run *run)
{
    struct spnego_pair pair;

    if (!spnego_open_pair(run, &pair, FLAGS)) return;
    qualities(run, &pair);
    in_place(run, &pair);
    shapes(run, &pair);
    places(run, &pair);
    spnego_pair_close(&pair);
    for (size_t i = 0; i < COUNT_OF(orders); i++) encrypt_ordered(run, &orders[i]);
    detection_granted(run);
    replay_and_reflection(run);
    insertion(run);
    suppression(run);
    wrong_to_decrypt(run);
}

const struct conformance_group spnego_sealing_group = {
    .name = "spnego-sealing", .cases = cases, .case_count = COUNT_OF(cases), .run = run_sealing};
