/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos message protection with AES: RFC 4121, in the shapes that Windows gives its tokens. Keys are prepared once
 * for each direction. Tokens name their place in the order themselves, so MessageSeqNo never gets here.
 */
#include "kerberos_protect.h"

#include "kerberos_seal.h"
#include "kerberos_session.h"
#include "kerberos_wrap.h"
#include "secure.h"

#include <stdlib.h>
#include <string.h>

enum { CONFOUNDER = KERBEROS_BLOCK };

struct direction {
    struct kerberos_sequence sequence;
    struct kerberos_sealer sealer;
    struct kerberos_mac_key wrap, mic; /* Kc for Wrap tokens without encryption, for MIC tokens */
    /* Drawn for several messages at once: a single draw takes longer than all the rest of a short message. */
    uint8_t confounders[32 * CONFOUNDER];
    size_t confounders_left; /* bytes at the end */
};

struct aes_session {
    struct kerberos_session common;
    const struct kerberos_etype *etype;
    struct direction send, receive;
};

static struct aes_session *aes_session_of(struct cs_session *session)
{
    return (struct aes_session *)session;
}

/* The flags that are the same in every token of a direction. */
static uint8_t flags_from(const struct aes_session *session, bool initiator)
{
    return (uint8_t)((initiator ? 0 : KERBEROS_SENT_BY_ACCEPTOR) |
                     (session->common.acceptor_subkey ? KERBEROS_ACCEPTOR_SUBKEY : 0));
}

/* In DCE style EC is a block of zeros (win-kerberos-rpc-dce-aes256-1), else nothing (attributes.tsv SIZES). */
static uint32_t filler_size(const struct aes_session *session)
{
    return session->common.dce_style ? KERBEROS_BLOCK : 0;
}

static uint32_t signature_size(const struct aes_session *session)
{
    return KERBEROS_HEADER + session->etype->mac_size;
}

static uint32_t trailer_size(const struct aes_session *session)
{
    return signature_size(session) + CONFOUNDER + filler_size(session) + KERBEROS_HEADER;
}

/* The number of the next token; false once the count is lost. */
static bool next_number(struct aes_session *session, uint64_t *number)
{
    struct kerberos_sequence *sequence = &session->send.sequence;
    const bool usable = kerberos_sequence_enter(sequence);
    if (usable) *number = kerberos_sequence_send(sequence);
    kerberos_sequence_leave(sequence);
    return usable;
}

/* With the lock held. */
static bool draw_confounder(struct direction *direction, uint8_t confounder[CONFOUNDER])
{
    const size_t size = sizeof direction->confounders;
    if (!direction->confounders_left) {
        if (!cs_random(direction->confounders, size)) return false;
        direction->confounders_left = size;
    }
    uint8_t *next = direction->confounders + size - direction->confounders_left;
    memcpy(confounder, next, CONFOUNDER);
    direction->confounders_left -= CONFOUNDER;
    return true;
}

/* The same with a confounder. SEC_E_CONTEXT_EXPIRED as above; SEC_E_INTERNAL_ERROR: no random bytes. */
static SECURITY_STATUS next_sealed(struct aes_session *session, uint8_t confounder[CONFOUNDER], uint64_t *number)
{
    struct direction *send = &session->send;
    SECURITY_STATUS status = kerberos_sequence_enter(&send->sequence) ? SEC_E_OK : SEC_E_CONTEXT_EXPIRED;
    if (status == SEC_E_OK && !draw_confounder(send, confounder)) status = SEC_E_INTERNAL_ERROR;
    if (status == SEC_E_OK) *number = kerberos_sequence_send(&send->sequence);
    kerberos_sequence_leave(&send->sequence);
    return status;
}

/* The checksum of a MIC token, or of a Wrap token without encryption: the message, then the header. */
static void checksum(const struct kerberos_mac_key *key, const struct cs_message *message, enum cs_operation operation,
                     const uint8_t header[KERBEROS_HEADER], uint8_t out[KERBEROS_MAX_MAC])
{
    struct kerberos_mac mac;
    kerberos_mac_start(&mac, key, 0);
    for (uint32_t i = 0; i < message->count; i++) {
        const struct cs_buffer *buffer = &message->buffers[i];
        if (cs_buffer_signed(buffer, operation) && buffer->size)
            kerberos_mac_update(&mac, buffer->size, cs_buffer_bytes(buffer));
    }
    kerberos_mac_update(&mac, KERBEROS_HEADER, header);
    kerberos_mac_end(&mac, out);
}

static SECURITY_STATUS make_signature(struct cs_session *base, const struct cs_message *message)
{
    struct aes_session *session = aes_session_of(base);
    struct kerberos_header header = {KERBEROS_MIC, flags_from(session, base->initiator), 0xFFFF, 0xFFFF, 0};
    uint8_t token[KERBEROS_HEADER + KERBEROS_MAX_MAC];
    struct cs_shape shape;
    SECURITY_STATUS status = cs_message_shape(message, CS_MAKE_SIGNATURE, signature_size(session), &shape);
    if (status) return status;
    if (!next_number(session, &header.sequence)) return SEC_E_CONTEXT_EXPIRED;
    kerberos_header_write(&header, token);
    checksum(&session->send.mic, message, CS_MAKE_SIGNATURE, token, token + KERBEROS_HEADER);
    kerberos_session_done(&session->common);
    shape.token->size = signature_size(session);
    memcpy(cs_buffer_bytes(shape.token), token, shape.token->size);
    return SEC_E_OK;
}

/* RFC 4121 4.2.4 without encryption: the checksum takes EC and RRC for zero; RRC is 12 in Windows (vectors.md 4). */
static SECURITY_STATUS wrap_signed(struct aes_session *session, const struct cs_message *message,
                                   struct cs_buffer *token)
{
    struct kerberos_header header = {KERBEROS_WRAP, flags_from(session, session->common.head.initiator), 0, 0, 0};
    uint8_t bytes[KERBEROS_HEADER + KERBEROS_MAX_MAC];
    if (!next_number(session, &header.sequence)) return SEC_E_CONTEXT_EXPIRED;
    kerberos_header_write(&header, bytes);
    checksum(&session->send.wrap, message, CS_ENCRYPT, bytes, bytes + KERBEROS_HEADER);
    kerberos_session_done(&session->common);
    header.ec = header.rrc = (uint16_t)session->etype->mac_size;
    kerberos_header_write(&header, bytes);
    token->size = signature_size(session);
    memcpy(cs_buffer_bytes(token), bytes, token->size);
    return SEC_E_OK;
}

/* A Wrap token with encryption while it is made: what goes into TOKEN. */
struct sealed_token {
    uint8_t confounder[CONFOUNDER], tail[KERBEROS_BLOCK + KERBEROS_HEADER], mac[KERBEROS_MAX_MAC];
    size_t tail_size, mac_size;
};

/* Header, tail, checksum, confounder: the ciphertext rotated right by all that follows DATA in it. */
static void write_sealed(const struct sealed_token *sealed, const struct kerberos_header *header,
                         struct cs_buffer *token)
{
    uint8_t *out = cs_buffer_bytes(token);
    kerberos_header_write(header, out);
    out += KERBEROS_HEADER;
    memcpy(out, sealed->tail, sealed->tail_size);
    memcpy(out + sealed->tail_size, sealed->mac, sealed->mac_size);
    memcpy(out + sealed->tail_size + sealed->mac_size, sealed->confounder, CONFOUNDER);
    token->size = (uint32_t)(KERBEROS_HEADER + sealed->tail_size + sealed->mac_size + CONFOUNDER);
}

/* RFC 4121 4.2.4 with encryption. RRC counts the header's copy and the checksum, not EC (MS-KILE 3.4.5.4.1). */
static SECURITY_STATUS wrap_sealed(struct aes_session *session, const struct cs_message *message,
                                   struct cs_buffer *token)
{
    const uint32_t filler = filler_size(session), mac_size = session->etype->mac_size;
    struct kerberos_header header = {
        KERBEROS_WRAP, KERBEROS_SEALED | flags_from(session, session->common.head.initiator), (uint16_t)filler, 0, 0};
    struct sealed_token sealed = {.tail = {0}, .tail_size = filler + KERBEROS_HEADER, .mac_size = mac_size};
    const struct kerberos_parts parts = {{sealed.confounder, CONFOUNDER}, *message, {{sealed.tail, sealed.tail_size}}};
    const SECURITY_STATUS status = next_sealed(session, sealed.confounder, &header.sequence);
    if (status) return status;
    kerberos_header_write(&header, sealed.tail + filler);
    kerberos_seal(&session->send.sealer, &parts, sealed.mac);
    kerberos_session_done(&session->common);
    header.rrc = (uint16_t)(KERBEROS_HEADER + mac_size);
    write_sealed(&sealed, &header, token);
    return SEC_E_OK;
}

static SECURITY_STATUS encrypt(struct cs_session *base, uint32_t qop, const struct cs_message *message)
{
    struct aes_session *session = aes_session_of(base);
    const bool seals = qop != SECQOP_WRAP_NO_ENCRYPT;
    struct cs_shape shape;
    SECURITY_STATUS status = kerberos_may_wrap(base, qop);
    if (status) return status;
    status = cs_message_shape(message, CS_ENCRYPT, seals ? trailer_size(session) : signature_size(session), &shape);
    if (status) return status;
    cs_message_no_padding(message);
    return (seals ? wrap_sealed : wrap_signed)(session, message, shape.token);
}

/* A token on its way in. BYTES is the caller's copy: another thread may write to the buffer that it came from. */
struct incoming {
    uint8_t bytes[KERBEROS_HEADER];
    struct kerberos_header header;
};

/* One sent by this side, or under another key than the one in use, is not for it: a reflection, or a mistake. */
static bool read_incoming(const struct aes_session *session, enum kerberos_message_id id, const struct cs_shape *shape,
                          struct incoming *token)
{
    const uint8_t expected = flags_from(session, !session->common.head.initiator);
    memcpy(token->bytes, cs_buffer_bytes(shape->stream ? shape->stream : shape->token), KERBEROS_HEADER);
    return kerberos_header_read(token->bytes, &token->header) && token->header.id == id &&
           (token->header.flags & (KERBEROS_SENT_BY_ACCEPTOR | KERBEROS_ACCEPTOR_SUBKEY)) == expected;
}

static SECURITY_STATUS verify_mic(struct aes_session *session, const struct incoming *token,
                                  const struct cs_message *message, const uint8_t *mac)
{
    struct direction *receive = &session->receive;
    uint8_t expected[KERBEROS_MAX_MAC];
    checksum(&receive->mic, message, CS_VERIFY_SIGNATURE, token->bytes, expected);
    if (!cs_same(expected, mac, session->etype->mac_size)) return SEC_E_MESSAGE_ALTERED;
    return kerberos_sequence_receive(&receive->sequence, token->header.sequence) ? SEC_E_OK : SEC_E_OUT_OF_SEQUENCE;
}

/* In a stream the token comes first (errors.tsv VerifySignature Kerberos/Negotiate). */
static SECURITY_STATUS verify_in_order(struct aes_session *session, const struct cs_message *message,
                                       const struct cs_shape *shape)
{
    const uint32_t size = signature_size(session);
    const struct cs_buffer *source = shape->stream ? shape->stream : shape->token;
    struct cs_buffer rest = {source->size - size, SECBUFFER_DATA, source->address + size};
    const struct cs_message streamed = {&rest, 1};
    struct incoming token;
    if (!read_incoming(session, KERBEROS_MIC, shape, &token)) return SEC_E_MESSAGE_ALTERED;
    SECURITY_STATUS status =
        verify_mic(session, &token, shape->stream ? &streamed : message, cs_buffer_bytes(source) + KERBEROS_HEADER);
    if (status || !shape->stream) return status;
    shape->data->address = rest.address;
    shape->data->size = rest.size;
    return SEC_E_OK;
}

static SECURITY_STATUS verify_signature(struct cs_session *base, const struct cs_message *message)
{
    struct aes_session *session = aes_session_of(base);
    struct kerberos_sequence *sequence = &session->receive.sequence;
    struct cs_shape shape;
    SECURITY_STATUS status = cs_message_shape(message, CS_VERIFY_SIGNATURE, signature_size(session), &shape);
    if (status) return status;
    status = kerberos_sequence_enter(sequence) ? verify_in_order(session, message, &shape) : SEC_E_CONTEXT_EXPIRED;
    kerberos_sequence_leave(sequence);
    return status;
}

/* What was encrypted with the message is the header before its rotation, EC included (CVE-2024-37370). */
static bool same_header(const struct incoming *token, const uint8_t inner[KERBEROS_HEADER])
{
    struct kerberos_header header = token->header;
    uint8_t expected[KERBEROS_HEADER];
    header.rrc = 0;
    kerberos_header_write(&header, expected);
    return !memcmp(expected, inner, KERBEROS_HEADER);
}

static SECURITY_STATUS unseal_frame(struct aes_session *session, const struct incoming *token,
                                    const struct kerberos_frame *frame)
{
    struct direction *receive = &session->receive;
    const size_t filler = token->header.ec;
    uint8_t confounder[CONFOUNDER], inner[KERBEROS_HEADER];
    const struct kerberos_parts parts = {
        {confounder, CONFOUNDER}, frame->plain, {{frame->tail, filler}, {inner, KERBEROS_HEADER}}};
    SECURITY_STATUS status = SEC_E_OK;
    memcpy(confounder, frame->head, CONFOUNDER);
    memcpy(inner, frame->tail + filler, KERBEROS_HEADER);
    if (!kerberos_unseal(&receive->sealer, &parts, frame->tail + filler + KERBEROS_HEADER))
        return SEC_E_MESSAGE_ALTERED;
    if (!same_header(token, inner))
        status = SEC_E_MESSAGE_ALTERED;
    else if (!kerberos_sequence_receive(&receive->sequence, token->header.sequence))
        status = SEC_E_OUT_OF_SEQUENCE;
    if (status) kerberos_reseal(&receive->sealer, &parts);
    return status;
}

static SECURITY_STATUS check_frame(struct aes_session *session, const struct incoming *token,
                                   const struct kerberos_frame *frame)
{
    struct direction *receive = &session->receive;
    struct kerberos_header header = token->header;
    uint8_t bytes[KERBEROS_HEADER], expected[KERBEROS_MAX_MAC];
    header.ec = header.rrc = 0;
    kerberos_header_write(&header, bytes);
    checksum(&receive->wrap, &frame->plain, CS_DECRYPT, bytes, expected);
    if (!cs_same(expected, frame->tail, session->etype->mac_size)) return SEC_E_MESSAGE_ALTERED;
    return kerberos_sequence_receive(&receive->sequence, header.sequence) ? SEC_E_OK : SEC_E_OUT_OF_SEQUENCE;
}

/*
 * RFC 4121 4.2.5. Windows counts EC into the rotation in DCE style, beyond what RRC says (MS-KILE 3.4.5.4.1), and other
 * implementations follow it.
 */
static SECURITY_STATUS frame_of(const struct aes_session *session, const struct incoming *token,
                                const struct cs_message *message, const struct cs_shape *shape,
                                struct kerberos_frame *frame)
{
    const struct kerberos_header *header = &token->header;
    const uint32_t mac_size = session->etype->mac_size;
    if (!(header->flags & KERBEROS_SEALED))
        return header->ec == mac_size ? kerberos_frame_open(frame, message, shape, header->rrc, 0, mac_size)
                                      : SEC_E_MESSAGE_ALTERED;
    const uint32_t rotation = header->rrc + (session->common.dce_style ? header->ec : 0u);
    return kerberos_frame_open(frame, message, shape, rotation, CONFOUNDER, header->ec + KERBEROS_HEADER + mac_size);
}

static SECURITY_STATUS open_frame(struct aes_session *session, const struct incoming *token,
                                  const struct cs_shape *shape, const struct kerberos_frame *frame)
{
    const bool sealed = token->header.flags & KERBEROS_SEALED;
    SECURITY_STATUS status = (sealed ? unseal_frame : check_frame)(session, token, frame);
    if (status) kerberos_frame_restore(frame);
    if (status || !shape->stream) return status;
    shape->data->address = frame->data.address;
    shape->data->size = frame->data.size;
    return SEC_E_OK;
}

static SECURITY_STATUS decrypt_in_order(struct aes_session *session, const struct cs_message *message,
                                        const struct cs_shape *shape, uint32_t *qop)
{
    struct kerberos_frame frame = {.many = NULL};
    struct incoming token;
    if (!read_incoming(session, KERBEROS_WRAP, shape, &token)) return SEC_E_MESSAGE_ALTERED;
    SECURITY_STATUS status = frame_of(session, &token, message, shape, &frame);
    if (status == SEC_E_OK) status = open_frame(session, &token, shape, &frame);
    kerberos_frame_close(&frame);
    if (status == SEC_E_OK && qop && !(token.header.flags & KERBEROS_SEALED)) *qop = SECQOP_WRAP_NO_ENCRYPT;
    return status;
}

static SECURITY_STATUS decrypt(struct cs_session *base, const struct cs_message *message, uint32_t *qop)
{
    struct aes_session *session = aes_session_of(base);
    struct kerberos_sequence *sequence = &session->receive.sequence;
    struct cs_shape shape;
    SECURITY_STATUS status = cs_message_shape(message, CS_DECRYPT, signature_size(session), &shape);
    if (status) return status;
    status =
        kerberos_sequence_enter(sequence) ? decrypt_in_order(session, message, &shape, qop) : SEC_E_CONTEXT_EXPIRED;
    kerberos_sequence_leave(sequence);
    return status;
}

static void direction_forget(struct direction *direction)
{
    kerberos_sealer_release(&direction->sealer);
    kerberos_mac_key_release(&direction->wrap);
    kerberos_mac_key_release(&direction->mic);
}

static void forget_keys(struct kerberos_session *common)
{
    struct aes_session *session = aes_session_of(&common->head);
    direction_forget(&session->send);
    direction_forget(&session->receive);
}

static void release(struct cs_session *base)
{
    struct aes_session *session = aes_session_of(base);
    forget_keys(&session->common);
    pthread_mutex_destroy(&session->send.sequence.lock);
    pthread_mutex_destroy(&session->receive.sequence.lock);
    kerberos_session_forget(base);
    cs_wipe_free(session, sizeof *session);
}

static const struct cs_protection aes_protection = {
    .make_signature = make_signature,
    .verify_signature = verify_signature,
    .encrypt = encrypt,
    .decrypt = decrypt,
    .rewind = kerberos_session_settle,
    .release = release,
};

static bool direction_prepare(struct direction *direction, const struct kerberos_session_seed *seed,
                              const struct kerberos_etype *etype, bool sends)
{
    const struct kerberos_usages usages = kerberos_usages(sends == seed->initiator);
    const uint64_t first = sends ? seed->send_sequence : seed->receive_sequence;
    const bool locked = kerberos_sequence_init(&direction->sequence, first, seed->granted, 64);
    kerberos_mac_key_derive(&direction->wrap, etype, seed->key, usages.seal, KERBEROS_KC, false);
    kerberos_mac_key_derive(&direction->mic, etype, seed->key, usages.sign, KERBEROS_KC, false);
    return kerberos_sealer_prepare(&direction->sealer, etype, seed->key, usages.seal, !sends) && locked;
}

/* attributes.tsv SIZES, Kerberos: the trailer has room for EC, DCE style or not. */
static struct cs_sizes sizes_of(const struct kerberos_etype *etype)
{
    const uint32_t signature = KERBEROS_HEADER + etype->mac_size;
    return (struct cs_sizes){KERBEROS_MAX_TOKEN, signature, 1,
                             signature + CONFOUNDER + KERBEROS_BLOCK + KERBEROS_HEADER};
}

static struct cs_key_info key_info_of(const struct kerberos_etype *etype)
{
    return (struct cs_key_info){.signature_name = etype->checksum_name,
                                .encrypt_name = etype->name,
                                .key_size = 8 * etype->key_size,
                                .signature_algorithm = (uint32_t)etype->checksum_number,
                                .encrypt_algorithm = (uint32_t)etype->number};
}

struct kerberos_session *kerberos_aes_session_create(const struct kerberos_session_seed *seed,
                                                     const struct kerberos_etype *etype)
{
    struct aes_session *session = seed->key_size == etype->key_size ? calloc(1, sizeof *session) : NULL;
    if (!session) return NULL;
    const bool sends = direction_prepare(&session->send, seed, etype, true);
    const bool receives = direction_prepare(&session->receive, seed, etype, false);
    struct kerberos_session *common = &session->common;
    common->head.protection = &aes_protection;
    common->head.sizes = sizes_of(etype);
    common->head.key_info = key_info_of(etype);
    common->dce_style = seed->granted & ISC_REQ_USE_DCE_STYLE;
    common->send = &session->send.sequence;
    common->receive = &session->receive.sequence;
    common->forget_keys = forget_keys;
    session->etype = etype;
    if (sends && receives) return common;
    release(&common->head);
    return NULL;
}
