/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NTLM message protection. A direction is one RC4 stream with its signing key and counter, under one lock; without
 * extended session security both directions share the first (vectors.md wine-ntlmv1-noess-seal). Connection contexts
 * count for themselves, so MessageSeqNo never gets here.
 */
#include "ntlm_flags.h"
#include "ntlm_session.h"
#include "secure.h"
#include "utf16.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SIGNATURE_SIZE = 16, CHECKSUM_SIZE = 8, MD5_BLOCK = 64 };

/* The checksum of one message while its buffers pass by: HMAC-MD5, or CRC-32 without extended session security. */
struct checksum {
    struct hmac_md5_ctx *mac;
    uLong crc;
    size_t passed; /* bytes so far */
};

static void checksum_update(struct checksum *checksum, size_t size, const uint8_t *data)
{
    checksum->passed += size;
    if (checksum->mac)
        hmac_md5_update(checksum->mac, size, data);
    else
        checksum->crc = crc32_z(checksum->crc, data, size);
}

static struct checksum checksum_start(const struct ntlm_session *session, struct ntlm_direction *direction)
{
    struct checksum checksum = {NULL, 0, 0};
    if (session->flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) {
        const uint32_t n = direction->state.sequence;
        const uint8_t sequence[4] = {(uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24)};
        checksum.mac = &direction->mac;
        checksum_update(&checksum, sizeof sequence, sequence);
    }
    return checksum;
}

static void put_le32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(value >> (8 * i));
}

/* NTLMSSP_MESSAGE_SIGNATURE, 2.2.2.9.1: Version 1, RandomPad (zero on the wire), Checksum, SeqNum, all but Version
 * under RC4 in that order (3.4.4.1). */
static void sign_crc(struct ntlm_cipher *state, uLong crc, uint8_t signature[SIGNATURE_SIZE])
{
    uint8_t sealed[12] = {0};
    put_le32(sealed + 4, (uint32_t)crc);
    RC4(&state->rc4, sizeof sealed, sealed, sealed);
    put_le32(signature, 1);
    put_le32(signature + 4, 0);
    memcpy(signature + 8, sealed + 4, 4);
    /* The stream over zeros, then the number: the same as encrypting the number. */
    uint8_t sequence[4];
    put_le32(sequence, state->sequence);
    for (int i = 0; i < 4; i++) signature[12 + i] = sealed[8 + i] ^ sequence[i];
}

/* NTLMSSP_MESSAGE_SIGNATURE with extended session security, 2.2.2.9.2: the checksum under RC4 only with KEY_EXCH
 * (3.4.4.2). */
static void sign_mac(const struct ntlm_session *session, struct ntlm_cipher *state, struct hmac_md5_ctx *mac,
                     uint8_t signature[SIGNATURE_SIZE])
{
    put_le32(signature, 1);
    hmac_md5_digest(mac, CHECKSUM_SIZE, signature + 4);
    if (session->flags & NTLMSSP_NEGOTIATE_KEY_EXCH) RC4(&state->rc4, CHECKSUM_SIZE, signature + 4, signature + 4);
    put_le32(signature + 12, state->sequence);
}

static void checksum_end(const struct ntlm_session *session, const struct checksum *checksum, struct ntlm_cipher *state,
                         uint8_t signature[SIGNATURE_SIZE])
{
    if (checksum->mac)
        sign_mac(session, state, checksum->mac, signature);
    else
        sign_crc(state, checksum->crc, signature);
    state->sequence++;
}

/*
 * MAC and RC4 take turns block by block, not buffer by buffer: each is one long chain of dependent steps, and the
 * processor runs the end of one beside the start of the other. A turn ends where a block of MD5 does.
 */
static size_t turn(const struct checksum *checksum, size_t size)
{
    const size_t n = MD5_BLOCK - checksum->passed % MD5_BLOCK;
    return n < size ? n : size;
}

static void seal_buffer(struct checksum *checksum, RC4_KEY *rc4, uint8_t *data, size_t size)
{
    for (size_t n; size; data += n, size -= n) {
        n = turn(checksum, size);
        checksum_update(checksum, n, data);
        RC4(rc4, (int)n, data, data);
    }
}

static void unseal_buffer(struct checksum *checksum, RC4_KEY *rc4, uint8_t *data, size_t size)
{
    for (size_t n; size; data += n, size -= n) {
        n = turn(checksum, size);
        RC4(rc4, (int)n, data, data);
        checksum_update(checksum, n, data);
    }
}

/* Runs RC4's steps backwards over COUNT bytes: cheaper than keeping the state aside for every message that verifies. */
static void rc4_back(RC4_KEY *rc4, size_t count)
{
    for (; count; count--) {
        const unsigned value = rc4->state[rc4->y];
        rc4->state[rc4->y] = rc4->state[rc4->x];
        rc4->state[rc4->x] = value;
        rc4->y = (rc4->y - value) & 0xFF;
        rc4->x = (rc4->x - 1) & 0xFF;
    }
}

/* Passes MESSAGE through the checksum in the order of its buffers; CIPHER, if any, over those it may change. */
static void pass(const struct cs_message *message, enum cs_operation operation, struct checksum *checksum,
                 RC4_KEY *cipher)
{
    for (uint32_t i = 0; i < message->count; i++) {
        const struct cs_buffer *buffer = &message->buffers[i];
        uint8_t *data = cs_buffer_bytes(buffer);
        if (!cs_buffer_signed(buffer, operation) || !buffer->size) continue;
        if (!cipher || !cs_buffer_sealed(buffer))
            checksum_update(checksum, buffer->size, data);
        else if (operation == CS_ENCRYPT)
            seal_buffer(checksum, cipher, data, buffer->size);
        else
            unseal_buffer(checksum, cipher, data, buffer->size);
    }
}

static const uint8_t dummy_signature[SIGNATURE_SIZE] = {1};

static bool protected_by(const struct ntlm_session *session, uint32_t flags)
{
    return (session->flags & flags) != 0;
}

static bool signs(const struct ntlm_session *session)
{
    return protected_by(session, NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL);
}

SECURITY_STATUS ntlm_direction_enter(struct ntlm_direction *direction)
{
    if (!cs_lock(&direction->lock)) direction->broken = true;
    return direction->broken ? SEC_E_CONTEXT_EXPIRED : SEC_E_OK;
}

static SECURITY_STATUS produce(struct ntlm_session *session, enum cs_operation operation, bool seal,
                               const struct cs_message *message, const struct cs_shape *shape)
{
    struct ntlm_direction *direction = session->send;
    SECURITY_STATUS status = ntlm_direction_enter(direction);
    if (status == SEC_E_OK) {
        struct checksum checksum = checksum_start(session, direction);
        uint8_t signature[SIGNATURE_SIZE];
        pass(message, operation, &checksum, seal ? &direction->state.rc4 : NULL);
        checksum_end(session, &checksum, &direction->state, signature);
        memcpy(cs_buffer_bytes(shape->token), signature, SIGNATURE_SIZE);
        shape->token->size = SIGNATURE_SIZE;
    }
    cs_unlock(&direction->lock);
    return status;
}

/* RandomPad, signature bytes 4 to 7 without extended session security, is random in older peers and not compared. */
static bool signature_matches(const struct ntlm_session *session, const uint8_t *expected, const uint8_t *given)
{
    if (protected_by(session, NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY))
        return cs_same(expected, given, SIGNATURE_SIZE);
    const bool version = cs_same(expected, given, 4), rest = cs_same(expected + 8, given + 8, 8);
    return version && rest;
}

/* Bytes of MESSAGE that RC4 goes over. */
static size_t sealed_size(const struct cs_message *message)
{
    size_t size = 0;
    for (uint32_t i = 0; i < message->count; i++)
        if (cs_buffer_sealed(&message->buffers[i])) size += message->buffers[i].size;
    return size;
}

/* Bytes of RC4's stream that a signature takes: sign_mac, sign_crc. */
static size_t signature_stream(const struct ntlm_session *session)
{
    if (!protected_by(session, NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY)) return 12;
    return protected_by(session, NTLMSSP_NEGOTIATE_KEY_EXCH) ? CHECKSUM_SIZE : 0;
}

/* Puts the receiving direction and MESSAGE back to what they were before a message that does not verify. */
static void undo(struct ntlm_session *session, enum cs_operation operation, bool unseal,
                 const struct cs_message *message)
{
    struct ntlm_cipher *state = &session->receive->state;
    struct checksum none = {NULL, 0, 0};
    state->sequence--;
    rc4_back(&state->rc4, signature_stream(session));
    if (!unseal) return;
    rc4_back(&state->rc4, sealed_size(message));
    pass(message, operation, &none, &state->rc4);
    rc4_back(&state->rc4, sealed_size(message));
}

/* Decrypts when UNSEAL, checks SIGNATURE, and moves the direction on only if it holds; else the bytes are as before. */
static bool try_consume(struct ntlm_session *session, enum cs_operation operation, bool unseal,
                        const struct cs_message *message, const uint8_t *signature)
{
    struct ntlm_direction *direction = session->receive;
    struct checksum checksum = checksum_start(session, direction);
    uint8_t expected[SIGNATURE_SIZE];

    pass(message, operation, &checksum, unseal ? &direction->state.rc4 : NULL);
    checksum_end(session, &checksum, &direction->state, expected);
    if (signature_matches(session, expected, signature)) return true;
    undo(session, operation, unseal, message);
    return false;
}

/* SIGNATURE is the caller's copy: another thread may write to the buffer that it came from. */
static SECURITY_STATUS consume(struct ntlm_session *session, enum cs_operation operation,
                               const struct cs_message *message, const uint8_t *signature, uint32_t *qop)
{
    const bool sealed = operation == CS_DECRYPT;
    SECURITY_STATUS status = ntlm_direction_enter(session->receive);
    if (status == SEC_E_OK && !(sealed && try_consume(session, operation, true, message, signature))) {
        /* SECQOP_WRAP_NO_ENCRYPT leaves no mark in an NTLM token: a message that is not sealed right may be that. */
        status = try_consume(session, operation, false, message, signature) ? SEC_E_OK : SEC_E_MESSAGE_ALTERED;
        if (status == SEC_E_OK && qop) *qop = SECQOP_WRAP_NO_ENCRYPT;
    }
    cs_unlock(&session->receive->lock);
    return status;
}

/* STREAM is signature and message in one; DATA is pointed at the message, and only once it has verified. */
static SECURITY_STATUS consume_stream(struct ntlm_session *session, enum cs_operation operation,
                                      const struct cs_shape *shape, uint32_t *qop)
{
    struct cs_buffer data = {.size = shape->stream->size - SIGNATURE_SIZE,
                             .type = SECBUFFER_DATA,
                             .address = shape->stream->address + SIGNATURE_SIZE};
    const struct cs_message message = {&data, 1};
    uint8_t signature[SIGNATURE_SIZE];
    memcpy(signature, cs_buffer_bytes(shape->stream), SIGNATURE_SIZE);
    SECURITY_STATUS status = consume(session, operation, &message, signature, qop);
    if (status) return status;
    shape->data->address = data.address;
    shape->data->size = data.size;
    return SEC_E_OK;
}

/* Without SIGN and SEAL Windows signs with a constant (behaviour.md rows 108 to 111). */
static SECURITY_STATUS make_signature(struct cs_session *base, const struct cs_message *message)
{
    struct ntlm_session *session = ntlm_session_of(base);
    struct cs_shape shape;
    SECURITY_STATUS status = cs_message_shape(message, CS_MAKE_SIGNATURE, SIGNATURE_SIZE, &shape);
    if (status) return status;
    if (signs(session)) return produce(session, CS_MAKE_SIGNATURE, false, message, &shape);
    memcpy(cs_buffer_bytes(shape.token), dummy_signature, SIGNATURE_SIZE);
    shape.token->size = SIGNATURE_SIZE;
    return SEC_E_OK;
}

static SECURITY_STATUS verify_signature(struct cs_session *base, const struct cs_message *message)
{
    struct ntlm_session *session = ntlm_session_of(base);
    uint8_t signature[SIGNATURE_SIZE];
    struct cs_shape shape;
    SECURITY_STATUS status = cs_message_shape(message, CS_VERIFY_SIGNATURE, SIGNATURE_SIZE, &shape);
    if (status) return status;
    if (shape.stream && !signs(session)) return SEC_E_INVALID_TOKEN;
    if (shape.stream) return consume_stream(session, CS_VERIFY_SIGNATURE, &shape, NULL);
    memcpy(signature, cs_buffer_bytes(shape.token), SIGNATURE_SIZE);
    if (signs(session)) return consume(session, CS_VERIFY_SIGNATURE, message, signature, NULL);
    return cs_same(dummy_signature, signature, SIGNATURE_SIZE) ? SEC_E_OK : SEC_E_MESSAGE_ALTERED;
}

/*
 * Vista and later refuse to seal where neither SIGN nor SEAL was negotiated (behaviour.md row 112); with SIGN alone
 * EncryptMessage still encrypts, as gss-ntlmssp does (errors.tsv: "works when either is set").
 */
static SECURITY_STATUS encrypt(struct cs_session *base, uint32_t qop, const struct cs_message *message)
{
    struct ntlm_session *session = ntlm_session_of(base);
    struct cs_shape shape;
    if (!signs(session)) return SEC_E_UNSUPPORTED_FUNCTION;
    SECURITY_STATUS status = cs_message_shape(message, CS_ENCRYPT, SIGNATURE_SIZE, &shape);
    if (status) return status;
    cs_message_no_padding(message);
    return produce(session, CS_ENCRYPT, qop != SECQOP_WRAP_NO_ENCRYPT, message, &shape);
}

static SECURITY_STATUS decrypt(struct cs_session *base, const struct cs_message *message, uint32_t *qop)
{
    struct ntlm_session *session = ntlm_session_of(base);
    uint8_t signature[SIGNATURE_SIZE];
    struct cs_shape shape;
    if (!signs(session)) return SEC_E_UNSUPPORTED_FUNCTION;
    SECURITY_STATUS status = cs_message_shape(message, CS_DECRYPT, SIGNATURE_SIZE, &shape);
    if (status) return status;
    if (shape.stream) return consume_stream(session, CS_DECRYPT, &shape, qop);
    memcpy(signature, cs_buffer_bytes(shape.token), SIGNATURE_SIZE);
    return consume(session, CS_DECRYPT, message, signature, qop);
}

static void release(struct cs_session *base)
{
    struct ntlm_session *session = ntlm_session_of(base);
    for (int i = 0; i < 2; i++) pthread_mutex_destroy(&session->directions[i].lock);
    cs_span_drop(&base->names);
    cs_span_drop(&base->target);
    cs_wipe_free(session, sizeof *session);
}

/*
 * To the start. RC4's x is the number of bytes gone by modulo 256, and before a session is handed out no more than a
 * MIC or two has: that far back is cheaper than a new key schedule.
 */
static void rewind_streams(struct cs_session *base)
{
    struct ntlm_session *session = ntlm_session_of(base);
    for (int i = 0; i < 2; i++) {
        struct ntlm_direction *direction = &session->directions[i];
        if (ntlm_direction_enter(direction) == SEC_E_OK) {
            rc4_back(&direction->state.rc4, direction->state.rc4.x);
            direction->first = direction->state.sequence;
        }
        cs_unlock(&direction->lock);
    }
}

static const struct cs_protection ntlm_protection = {
    .make_signature = make_signature,
    .verify_signature = verify_signature,
    .encrypt = encrypt,
    .decrypt = decrypt,
    .rewind = rewind_streams,
    .release = release,
};

/* SECPKG_ATTR_KEY_INFO (behaviour.md rows 99 and 100). */
static struct cs_key_info key_info(uint32_t flags)
{
    const bool ess = flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY;
    return (struct cs_key_info){
        .signature_name = ess ? "HMAC-MD5" : "RSADSI RC4-CRC32",
        .encrypt_name = "RSADSI RC4",
        .key_size = 128,
        .signature_algorithm = ess ? 0xFFFFFF76 : 0xFFFFFF7C,
        .encrypt_algorithm = 0x6801,
    };
}

/* Direction 0 carries what the client sends. */
static void key_direction(struct ntlm_session *session, const uint8_t key[NTLM_KEY], int index)
{
    struct ntlm_direction *direction = &session->directions[index];
    uint8_t sign_key[NTLM_KEY], seal_key[NTLM_KEY];
    ntlm_SIGNKEY(key, index == 0, sign_key);
    hmac_md5_set_key(&direction->mac, NTLM_KEY, sign_key);
    const size_t seal_key_size = ntlm_SEALKEY(session->flags, key, index == 0, seal_key);
    RC4_set_key(&direction->state.rc4, (int)seal_key_size, seal_key);
    cs_wipe(sign_key, sizeof sign_key);
    cs_wipe(seal_key, sizeof seal_key);
}

static void set_directions(struct ntlm_session *session, bool initiator)
{
    const bool separate = session->flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY;
    session->send = &session->directions[separate && !initiator];
    session->receive = &session->directions[separate && initiator];
}

static void describe(struct cs_session *head, const struct ntlm_session_seed *seed)
{
    head->protection = &ntlm_protection;
    head->package = "NTLM";
    head->initiator = seed->initiator;
    head->flags = seed->granted;
    head->start = cs_now();
    head->expiry = seed->expiry;
    head->sizes = (struct cs_sizes){2888, SIGNATURE_SIZE, 0, SIGNATURE_SIZE};
    head->key_info = key_info(seed->flags);
    head->session_key_size = NTLM_KEY;
    memcpy(head->session_key, seed->exported_session_key, NTLM_KEY);
    head->names = seed->names;
    head->target = seed->target;
}

struct cs_session *ntlm_session_create(const struct ntlm_session_seed *seed)
{
    struct ntlm_session *session = calloc(1, sizeof *session);
    if (!session || !cs_lock_init(&session->directions[0].lock) || !cs_lock_init(&session->directions[1].lock)) {
        struct cs_span names = seed->names, target = seed->target;
        cs_span_drop(&names);
        cs_span_drop(&target);
        free(session);
        return NULL;
    }
    describe(&session->head, seed);
    session->flags = seed->flags;
    key_direction(session, seed->exported_session_key, 0);
    key_direction(session, seed->exported_session_key, 1);
    set_directions(session, seed->initiator);
    return &session->head;
}
