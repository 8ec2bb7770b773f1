/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos message protection with RC4: RFC 4757 section 7 in the shapes that Windows gives its tokens (MS-KILE 4.5). A
 * token is framed as GSS-API's first tokens are, and the framing's length counts the data, which lies in buffers of its
 * own. In DCE style it does not, and there is no padding.
 */
#include "kerberos_session.h"
#include "kerberos_token.h"
#include "secure.h"

#include <nettle/arcfour.h>
#include <nettle/hmac.h>
#include <stdlib.h>
#include <string.h>

enum { KEY = KERBEROS_RC4_KEY, FIELD = 8, MIC_BODY = 24, WRAP_BODY = 32, MIN_FRAMING = 13, MAX_FRAMING = 17 };
enum { MIN_WRAP = MIN_FRAMING + WRAP_BODY, MAX_TOKEN = MAX_FRAMING + WRAP_BODY };

/* Where a token's fields begin after its framing; the confounder is a Wrap token's. */
enum { SND_SEQ = 8, SGN_CKSUM = 16, CONFOUNDER = 24 };

struct rc4_session {
    struct kerberos_session common;
    struct hmac_md5_ctx sign, sequence, data; /* keyed with Ksign, and with what Kseq and Kcrypt come from; constant */
    struct kerberos_sequence send, receive;
};

/* The kinds of token: what they begin with, and the number that stands for them in the checksum (RFC 4757 7.2, 7.3). */
struct kind {
    uint8_t start[FIELD];
    uint8_t usage;
    uint8_t body_size;
};

static const struct kind mic_kind = {{1, 1, 0x11, 0, 0xFF, 0xFF, 0xFF, 0xFF}, 15, MIC_BODY};
static const struct kind sealed_kind = {{2, 1, 0x11, 0, 0x10, 0, 0xFF, 0xFF}, 13, WRAP_BODY};
static const struct kind signed_kind = {{2, 1, 0x11, 0, 0xFF, 0xFF, 0xFF, 0xFF}, 13, WRAP_BODY};

/* One message: the buffers, and the padding behind them. */
struct body {
    const struct cs_message *message;
    enum cs_operation operation;
    struct cs_buffer *padding; /* NULL: none */
};

/* A token; the framing is in front of it. */
struct token {
    uint8_t bytes[MAX_TOKEN];
    uint32_t framing_size, size;
};

static struct rc4_session *rc4_session_of(struct cs_session *session)
{
    return (struct rc4_session *)session;
}

static void hmac(const struct hmac_md5_ctx *key, size_t size, const uint8_t *data, uint8_t out[KEY])
{
    struct hmac_md5_ctx context = *key;
    hmac_md5_update(&context, size, data);
    hmac_md5_digest(&context, KEY, out);
    cs_wipe(&context, sizeof context);
}

static void rc4(const struct hmac_md5_ctx *key, struct cs_span derivation, struct arcfour_ctx *cipher)
{
    uint8_t derived[KEY];
    hmac(key, derivation.size, derivation.data, derived);
    arcfour_set_key(cipher, KEY, derived);
    cs_wipe(derived, sizeof derived);
}

static struct cs_buffer *padding_of(const struct cs_message *message)
{
    for (uint32_t i = 0; i < message->count; i++)
        if (cs_buffer_type(&message->buffers[i]) == SECBUFFER_PADDING) return &message->buffers[i];
    return NULL;
}

static size_t sealed_size(const struct body *body)
{
    size_t size = body->padding ? body->padding->size : 0;
    for (uint32_t i = 0; i < body->message->count; i++)
        if (cs_buffer_sealed(&body->message->buffers[i])) size += body->message->buffers[i].size;
    return size;
}

/* RFC 2743 3.1: 60, the length of what follows, and the mechanism's identifier. */
static uint32_t write_framing(size_t size, uint8_t out[MAX_FRAMING])
{
    const size_t length = size + 2 + kerberos_oid.size;
    uint32_t n = 0, octets = 0;
    out[n++] = 0x60;
    if (length >= 0x80)
        for (size_t rest = length; rest; rest >>= 8) octets++;
    if (octets)
        out[n++] = (uint8_t)(0x80 | octets);
    else
        out[n++] = (uint8_t)length;
    for (; octets; octets--) out[n++] = (uint8_t)(length >> (8 * (octets - 1)));
    out[n++] = 0x06;
    out[n++] = (uint8_t)kerberos_oid.size;
    memcpy(out + n, kerberos_oid.data, kerberos_oid.size);
    return n + (uint32_t)kerberos_oid.size;
}

/* Begins a token of KIND over a message of SIZE bytes. */
static struct token token_of(const struct rc4_session *session, const struct kind *kind, size_t size)
{
    struct token token = {.size = kind->body_size};
    const size_t counted = kind == &mic_kind || session->common.dce_style ? 0 : size;
    token.framing_size = write_framing(kind->body_size + counted, token.bytes);
    token.size += token.framing_size;
    memcpy(token.bytes + token.framing_size, kind->start, sizeof kind->start);
    return token;
}

/* SGN_CKSUM of the plain text: RFC 4757 7.3. FIELDS is the token after its framing. */
static void checksum(const struct rc4_session *session, const struct kind *kind, const struct body *body,
                     const uint8_t *fields, uint8_t out[FIELD])
{
    const uint8_t usage[4] = {kind->usage};
    uint8_t digest[KEY], mac[KEY];
    struct md5_ctx md5;
    md5_init(&md5);
    md5_update(&md5, sizeof usage, usage);
    md5_update(&md5, sizeof kind->start, kind->start);
    if (kind != &mic_kind) md5_update(&md5, FIELD, fields + CONFOUNDER);
    for (uint32_t i = 0; i < body->message->count; i++) {
        const struct cs_buffer *buffer = &body->message->buffers[i];
        if (cs_buffer_signed(buffer, body->operation) && buffer->size)
            md5_update(&md5, buffer->size, cs_buffer_bytes(buffer));
    }
    if (body->padding) md5_update(&md5, body->padding->size, cs_buffer_bytes(body->padding));
    md5_digest(&md5, sizeof digest, digest);
    hmac(&session->sign, sizeof digest, digest, mac);
    memcpy(out, mac, FIELD);
}

/* Kcrypt's stream over confounder and data; both ways the same. */
static void crypt(const struct rc4_session *session, const struct body *body, uint32_t number, uint8_t *confounder)
{
    const uint8_t sequence[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                                 (uint8_t)number};
    struct arcfour_ctx cipher;
    rc4(&session->data, (struct cs_span){sequence, sizeof sequence}, &cipher);
    arcfour_crypt(&cipher, FIELD, confounder, confounder);
    for (uint32_t i = 0; i < body->message->count; i++) {
        const struct cs_buffer *buffer = &body->message->buffers[i];
        if (cs_buffer_sealed(buffer) && buffer->size)
            arcfour_crypt(&cipher, buffer->size, cs_buffer_bytes(buffer), cs_buffer_bytes(buffer));
    }
    if (body->padding)
        arcfour_crypt(&cipher, body->padding->size, cs_buffer_bytes(body->padding), cs_buffer_bytes(body->padding));
    cs_wipe(&cipher, sizeof cipher);
}

/* SND_SEQ under RC4: the number, and the direction, zeros from the initiator; both ways the same. */
static void crypt_sequence(const struct rc4_session *session, const uint8_t *sgn_cksum, uint8_t snd_seq[FIELD])
{
    struct arcfour_ctx cipher;
    rc4(&session->sequence, (struct cs_span){sgn_cksum, FIELD}, &cipher);
    arcfour_crypt(&cipher, FIELD, snd_seq, snd_seq);
    cs_wipe(&cipher, sizeof cipher);
}

/* Makes the token of KIND for BODY and encrypts. */
static SECURITY_STATUS produce(struct rc4_session *session, const struct kind *kind, const struct body *body,
                               struct token *token, struct cs_buffer *out)
{
    uint8_t *fields = token->bytes + token->framing_size;
    const uint8_t direction = session->common.head.initiator ? 0 : 0xFF;
    if (kind != &mic_kind && !cs_random(fields + CONFOUNDER, FIELD)) return SEC_E_INTERNAL_ERROR;
    const bool usable = kerberos_sequence_enter(&session->send);
    const uint32_t number = usable ? (uint32_t)kerberos_sequence_send(&session->send) : 0;
    kerberos_sequence_leave(&session->send);
    if (!usable) return SEC_E_CONTEXT_EXPIRED;

    checksum(session, kind, body, fields, fields + SGN_CKSUM);
    if (kind == &sealed_kind) crypt(session, body, number, fields + CONFOUNDER);
    for (int i = 0; i < 4; i++) fields[SND_SEQ + i] = (uint8_t)(number >> (24 - 8 * i));
    memset(fields + SND_SEQ + 4, direction, 4);
    crypt_sequence(session, fields + SGN_CKSUM, fields + SND_SEQ);
    kerberos_session_done(&session->common);
    memcpy(cs_buffer_bytes(out), token->bytes, token->size);
    out->size = token->size;
    return SEC_E_OK;
}

static SECURITY_STATUS make_signature(struct cs_session *base, const struct cs_message *message)
{
    struct rc4_session *session = rc4_session_of(base);
    const struct body body = {message, CS_MAKE_SIGNATURE, NULL};
    struct token token = token_of(session, &mic_kind, 0);
    struct cs_shape shape;
    SECURITY_STATUS status = cs_message_shape(message, CS_MAKE_SIGNATURE, token.size, &shape);
    return status ? status : produce(session, &mic_kind, &body, &token, shape.token);
}

/* One byte that says so, whatever the size: RC4's "block" (RFC 4757 7.3). False: no room for it. */
static bool add_padding(const struct rc4_session *session, struct body *body)
{
    if (session->common.dce_style) return true;
    body->padding = padding_of(body->message);
    if (!body->padding || !body->padding->size) return false;
    body->padding->size = 1;
    *cs_buffer_bytes(body->padding) = 1;
    return true;
}

static SECURITY_STATUS encrypt(struct cs_session *base, uint32_t qop, const struct cs_message *message)
{
    struct rc4_session *session = rc4_session_of(base);
    const struct kind *kind = qop == SECQOP_WRAP_NO_ENCRYPT ? &signed_kind : &sealed_kind;
    struct body body = {message, CS_ENCRYPT, NULL};
    struct cs_shape shape;
    SECURITY_STATUS status = kerberos_may_wrap(base, qop);
    if (status) return status;
    struct token token = token_of(session, kind, sealed_size(&body) + 1);
    status = cs_message_shape(message, CS_ENCRYPT, token.size, &shape);
    if (status) return status;
    if (!add_padding(session, &body)) return SEC_E_BUFFER_TOO_SMALL;
    if (session->common.dce_style) cs_message_no_padding(message);
    return produce(session, kind, &body, &token, shape.token);
}

/* A token on its way in, as the caller's copy; refers to itself. */
struct incoming {
    struct token token;
    const struct kind *kind;
    struct body body;
    struct cs_buffer rest; /* of a stream: what follows the token */
    struct cs_message streamed;
};

/* Bytes of the framing that BYTES begin with; more than MAX_FRAMING if it is none. */
static uint32_t framing_size(const uint8_t bytes[2])
{
    return MIN_FRAMING + (bytes[1] < 0x80 ? 0 : bytes[1] & 0x7Fu);
}

/* Nothing vouches for framing and filler, so no more than one spelling of them is taken. */
static bool is_kind(const struct rc4_session *session, const struct incoming *incoming, const struct kind *kind)
{
    const struct token expected = token_of(session, kind, sealed_size(&incoming->body));
    return expected.size == incoming->token.size &&
           !memcmp(expected.bytes, incoming->token.bytes, expected.framing_size + sizeof kind->start);
}

static bool read_incoming(const struct rc4_session *session, enum cs_operation operation,
                          const struct cs_message *message, const struct cs_shape *shape, struct incoming *incoming)
{
    const struct cs_buffer *source = shape->stream ? shape->stream : shape->token;
    struct token *token = &incoming->token;
    token->framing_size = framing_size(cs_buffer_bytes(source));
    token->size = token->framing_size + (operation == CS_VERIFY_SIGNATURE ? MIC_BODY : WRAP_BODY);
    if (token->framing_size > MAX_FRAMING || token->size > source->size) return false;
    memcpy(token->bytes, cs_buffer_bytes(source), token->size);
    incoming->rest = (struct cs_buffer){source->size - token->size, SECBUFFER_DATA, source->address + token->size};
    incoming->streamed = (struct cs_message){&incoming->rest, 1};
    incoming->body = (struct body){shape->stream ? &incoming->streamed : message, operation, NULL};
    if (!shape->stream && !session->common.dce_style && operation == CS_DECRYPT)
        incoming->body.padding = padding_of(message);
    const bool sealed = is_kind(session, incoming, &sealed_kind);
    incoming->kind = operation == CS_VERIFY_SIGNATURE ? &mic_kind : sealed ? &sealed_kind : &signed_kind;
    return is_kind(session, incoming, incoming->kind);
}

/* The buffer that the padding is at the end of; NULL if there are no bytes. */
static struct cs_buffer *last_buffer(const struct body *body)
{
    if (body->padding && body->padding->size) return body->padding;
    for (uint32_t i = body->message->count; i > 0; i--) {
        struct cs_buffer *buffer = &body->message->buffers[i - 1];
        if (cs_buffer_sealed(buffer) && buffer->size) return buffer;
    }
    return NULL;
}

/* Bytes of padding at the end of LAST, 1 to 8, each of which says how many they are; 0: it is none. */
static uint32_t padding_size(const struct body *body, const struct cs_buffer *last)
{
    const uint8_t *bytes = last ? cs_buffer_bytes(last) : NULL;
    const uint32_t size = last ? bytes[last->size - 1] : 0;
    if (size > 8 || (last && size > last->size) || (last == body->padding && last && size != last->size)) return 0;
    for (uint32_t i = 1; i <= size; i++)
        if (bytes[last->size - i] != size) return 0;
    return size;
}

/* A message whose bytes lie plain: whether they, and their place in the order, are what the token says. */
static SECURITY_STATUS accept(struct rc4_session *session, const struct incoming *incoming, const uint8_t *fields,
                              uint32_t number)
{
    const struct body *body = &incoming->body;
    const bool padded = body->operation == CS_DECRYPT && !session->common.dce_style;
    struct cs_buffer *last = last_buffer(body);
    uint8_t expected[FIELD];
    checksum(session, incoming->kind, body, fields, expected);
    if (!cs_same(expected, fields + SGN_CKSUM, FIELD)) return SEC_E_MESSAGE_ALTERED;
    const uint32_t padding = padded ? padding_size(body, last) : 0;
    if (padded && !padding) return SEC_E_MESSAGE_ALTERED;
    if (!kerberos_sequence_receive(&session->receive, number)) return SEC_E_OUT_OF_SEQUENCE;
    if (padded && last != body->padding) last->size -= padding;
    return SEC_E_OK;
}

static SECURITY_STATUS consume(struct rc4_session *session, struct incoming *incoming)
{
    uint8_t *fields = incoming->token.bytes + incoming->token.framing_size;
    const uint8_t from = session->common.head.initiator ? 0xFF : 0, direction[4] = {from, from, from, from};
    const bool sealed = incoming->kind == &sealed_kind;
    uint32_t number = 0;
    crypt_sequence(session, fields + SGN_CKSUM, fields + SND_SEQ);
    if (memcmp(fields + SND_SEQ + 4, direction, sizeof direction)) return SEC_E_MESSAGE_ALTERED;
    for (int i = 0; i < 4; i++) number = number << 8 | fields[SND_SEQ + i];
    if (sealed) crypt(session, &incoming->body, number, fields + CONFOUNDER);
    SECURITY_STATUS status = accept(session, incoming, fields, number);
    if (status && sealed) crypt(session, &incoming->body, number, fields + CONFOUNDER);
    return status;
}

static SECURITY_STATUS receive(struct rc4_session *session, enum cs_operation operation,
                               const struct cs_message *message, uint32_t size, uint32_t *qop)
{
    struct incoming incoming;
    struct cs_shape shape;
    SECURITY_STATUS status = cs_message_shape(message, operation, size, &shape);
    if (status) return status;
    if (!read_incoming(session, operation, message, &shape, &incoming)) return SEC_E_MESSAGE_ALTERED;
    status = kerberos_sequence_enter(&session->receive) ? consume(session, &incoming) : SEC_E_CONTEXT_EXPIRED;
    kerberos_sequence_leave(&session->receive);
    if (status) return status;
    if (qop && incoming.kind == &signed_kind) *qop = SECQOP_WRAP_NO_ENCRYPT;
    if (!shape.stream) return SEC_E_OK;
    shape.data->address = incoming.rest.address;
    shape.data->size = incoming.rest.size;
    return SEC_E_OK;
}

static SECURITY_STATUS verify_signature(struct cs_session *base, const struct cs_message *message)
{
    struct rc4_session *session = rc4_session_of(base);
    return receive(session, CS_VERIFY_SIGNATURE, message, base->sizes.max_signature, NULL);
}

static SECURITY_STATUS decrypt(struct cs_session *base, const struct cs_message *message, uint32_t *qop)
{
    struct rc4_session *session = rc4_session_of(base);
    return receive(session, CS_DECRYPT, message, MIN_WRAP, qop);
}

static void forget_keys(struct kerberos_session *common)
{
    struct rc4_session *session = rc4_session_of(&common->head);
    cs_wipe(&session->sign, sizeof session->sign);
    cs_wipe(&session->sequence, sizeof session->sequence);
    cs_wipe(&session->data, sizeof session->data);
}

static void release(struct cs_session *base)
{
    struct rc4_session *session = rc4_session_of(base);
    pthread_mutex_destroy(&session->send.lock);
    pthread_mutex_destroy(&session->receive.lock);
    kerberos_session_forget(base);
    cs_wipe_free(session, sizeof *session);
}

static const struct cs_protection rc4_protection = {
    .make_signature = make_signature,
    .verify_signature = verify_signature,
    .encrypt = encrypt,
    .decrypt = decrypt,
    .rewind = kerberos_session_settle,
    .release = release,
};

/* Keys OUT with HMAC(KEY, TEXT), which Kseq and Kcrypt are then made with. */
static void derive(const uint8_t key[KEY], struct cs_span text, struct hmac_md5_ctx *out)
{
    struct hmac_md5_ctx context;
    uint8_t derived[KEY];
    hmac_md5_set_key(&context, KEY, key);
    hmac(&context, text.size, text.data, derived);
    hmac_md5_set_key(out, KEY, derived);
    cs_wipe(&context, sizeof context);
    cs_wipe(derived, sizeof derived);
}

static void prepare_keys(struct rc4_session *session, const uint8_t key[KEY])
{
    static const char signature_key[] = "signaturekey"; /* with its NUL */
    static const uint8_t zero[4];
    uint8_t local[KEY];
    for (int i = 0; i < KEY; i++) local[i] = key[i] ^ 0xF0;
    derive(key, (struct cs_span){(const uint8_t *)signature_key, sizeof signature_key}, &session->sign);
    derive(key, (struct cs_span){zero, sizeof zero}, &session->sequence);
    derive(local, (struct cs_span){zero, sizeof zero}, &session->data);
    cs_wipe(local, sizeof local);
}

/*
 * attributes.tsv SIZES, Kerberos with RC4, and four bytes more in the trailer: the framing counts the data, and a
 * length of 128 or more is written with up to five bytes.
 */
static const struct cs_sizes rc4_sizes = {KERBEROS_MAX_TOKEN, MIN_FRAMING + MIC_BODY, 1, MAX_TOKEN};

struct kerberos_session *kerberos_rc4_session_create(const struct kerberos_session_seed *seed)
{
    struct rc4_session *session = seed->key_size == KEY ? calloc(1, sizeof *session) : NULL;
    if (!session) return NULL;
    const bool sends = kerberos_sequence_init(&session->send, seed->send_sequence, seed->granted, 32);
    const bool receives = kerberos_sequence_init(&session->receive, seed->receive_sequence, seed->granted, 32);
    struct kerberos_session *common = &session->common;
    common->head.protection = &rc4_protection;
    common->head.initiator = seed->initiator;
    common->head.sizes = rc4_sizes;
    common->head.key_info = (struct cs_key_info){"HMAC-MD5", "RSADSI RC4-HMAC(NT)", 8 * KEY, 0xFFFFFF76, 23};
    common->dce_style = seed->granted & ISC_REQ_USE_DCE_STYLE;
    common->send = &session->send;
    common->receive = &session->receive;
    common->forget_keys = forget_keys;
    prepare_keys(session, seed->key);
    if (sends && receives) return common;
    release(&common->head);
    return NULL;
}
