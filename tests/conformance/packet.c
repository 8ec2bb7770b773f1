/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packets and the four message functions on them.
 */
#include "packet.h"
#include "status.h"

#include <string.h>

enum part { TEXT, HEADER, TRAILER, TOKEN, PADDING };

struct layout {
    ULONG count;
    struct {
        enum part part;
        ULONG type;
    } buffers[4];
};

#define COVERED (SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM)
#define READONLY_DATA (SECBUFFER_DATA | SECBUFFER_READONLY)

static const struct layout layouts[] = {
    [SHAPE_TOKEN_DATA] = {2, {{TOKEN, SECBUFFER_TOKEN}, {TEXT, SECBUFFER_DATA}}},
    [SHAPE_DATA_TOKEN] = {2, {{TEXT, SECBUFFER_DATA}, {TOKEN, SECBUFFER_TOKEN}}},
    [SHAPE_TOKEN_DATA_PADDING] = {3, {{TOKEN, SECBUFFER_TOKEN}, {TEXT, SECBUFFER_DATA}, {PADDING, SECBUFFER_PADDING}}},
    [SHAPE_RPC] = {4, {{HEADER, COVERED}, {TEXT, SECBUFFER_DATA}, {TRAILER, COVERED}, {TOKEN, SECBUFFER_TOKEN}}},
    [SHAPE_RPC_READONLY] =
        {4, {{HEADER, READONLY_DATA}, {TEXT, SECBUFFER_DATA}, {TRAILER, READONLY_DATA}, {TOKEN, SECBUFFER_TOKEN}}},
    [SHAPE_TOKEN_READONLY_PAYLOAD] = {2, {{TOKEN, SECBUFFER_TOKEN}, {TEXT, READONLY_DATA}}},
    [SHAPE_DATA] = {1, {{TEXT, SECBUFFER_DATA}}},
    [SHAPE_TWO_DATA] = {2, {{TEXT, SECBUFFER_DATA}, {HEADER, SECBUFFER_DATA}}},
    [SHAPE_TOKEN] = {1, {{TOKEN, SECBUFFER_TOKEN}}},
};

static SecBuffer describe_part(struct packet *packet, enum part part, ULONG type)
{
    switch (part) {
    case TEXT: return (SecBuffer){sizeof(packet->text), type, packet->text};
    case HEADER: return (SecBuffer){sizeof(packet->header), type, packet->header};
    case TRAILER: return (SecBuffer){sizeof(packet->trailer), type, packet->trailer};
    case TOKEN: return (SecBuffer){PACKET_TOKEN_SIZE, type, packet->token};
    default: return (SecBuffer){sizeof(packet->padding), type, packet->padding};
    }
}

static void describe(struct packet *packet, enum shape shape)
{
    const struct layout *layout = &layouts[shape];

    for (ULONG i = 0; i < layout->count; i++)
        packet->buffers[i] = describe_part(packet, layout->buffers[i].part, layout->buffers[i].type);
    packet->message = (SecBufferDesc){SECBUFFER_VERSION, layout->count, packet->buffers};
}

void packet_init(struct packet *packet, enum shape shape)
{
    memset(packet, 0, sizeof(*packet));
    memcpy(packet->text, PACKET_TEXT, sizeof(packet->text));
    memcpy(packet->header, PACKET_HEADER, sizeof(packet->header));
    memcpy(packet->trailer, PACKET_HEADER, sizeof(packet->trailer));
    describe(packet, shape);
}

SecBuffer *packet_token(struct packet *packet)
{
    SecBuffer *buffer = packet->buffers;

    while (buffer->pvBuffer != packet->token) buffer++;
    return buffer;
}

void packet_receive(struct packet *received, const struct packet *sent, enum shape shape)
{
    memcpy(received, sent, sizeof(*received));
    describe(received, shape);
    for (ULONG i = 0; i < received->message.cBuffers; i++) received->buffers[i].cbBuffer = sent->buffers[i].cbBuffer;
}

bool packet_text_is_plain(const struct packet *packet)
{
    return !memcmp(packet->text, PACKET_TEXT, sizeof(packet->text));
}

bool packet_ends_are_plain(const struct packet *packet)
{
    return !memcmp(packet->header, PACKET_HEADER, sizeof(packet->header)) &&
           !memcmp(packet->trailer, PACKET_HEADER, sizeof(packet->trailer));
}

const char *qop_text(SECURITY_STATUS status, ULONG qop, char *text)
{
    char name[STATUS_NAME_MAX];

    if (qop == UNTOUCHED_QOP)
        snprintf(text, OBSERVED_MAX, "%s, qop untouched", status_name(status, name));
    else
        snprintf(text, OBSERVED_MAX, "%s, qop 0x%lx", status_name(status, name), qop);
    return text;
}

SECURITY_STATUS packet_sign(CtxtHandle *context, struct packet *packet)
{
    return MakeSignature(context, 0, &packet->message, 0);
}

SECURITY_STATUS packet_encrypt(CtxtHandle *context, struct packet *packet)
{
    return EncryptMessage(context, 0, &packet->message, 0);
}

const char *packet_verify(CtxtHandle *context, struct packet *packet, char *text)
{
    ULONG qop = UNTOUCHED_QOP;
    SECURITY_STATUS status = VerifySignature(context, &packet->message, 0, &qop);

    return qop_text(status, qop, text);
}

const char *packet_decrypt(CtxtHandle *context, struct packet *packet, char *text)
{
    ULONG qop = UNTOUCHED_QOP;
    SECURITY_STATUS status = DecryptMessage(context, &packet->message, 0, &qop);

    return qop_text(status, qop, text);
}

/* The flags have one meaning and, but for CONFIDENTIALITY, two numbers. */
static ULONG server_flags(ULONG client_flags)
{
    return (client_flags & ISC_REQ_INTEGRITY ? ASC_REQ_INTEGRITY : 0) |
           (client_flags & ISC_REQ_CONFIDENTIALITY ? ASC_REQ_CONFIDENTIALITY : 0);
}

bool open_pair(struct conformance_run *run, struct exchange *pair, ULONG client_flags)
{
    const struct exchange_request request = {.client_flags = client_flags,
                                             .server_flags = server_flags(client_flags),
                                             .data_representation = SECURITY_NATIVE_DREP};
    char text[OUTCOME_MAX];

    if (exchange_run(pair, &request)) return true;
    not_reached(run, "%s", exchange_outcome(pair, text));
    exchange_close(pair);
    return false;
}
