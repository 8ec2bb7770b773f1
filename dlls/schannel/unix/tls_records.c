/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys and sequence numbers of records: GnuTLS makes them, and works with them itself while it shakes hands; in
 * between, application data is ours.
 */
#include "tls_datagram.h"

#include "secure.h"

#include <string.h>

void tls_direction_drop(struct tls_direction *direction)
{
    if (direction->cipher) gnutls_aead_cipher_deinit(direction->cipher);
    cs_wipe(direction, sizeof *direction);
}

static enum tls_protection protection_of(gnutls_session_t session)
{
    const gnutls_cipher_algorithm_t cipher = gnutls_cipher_get(session);
    const gnutls_protocol_t version = gnutls_protocol_get_version(session);
    const bool gcm = cipher == GNUTLS_CIPHER_AES_128_GCM || cipher == GNUTLS_CIPHER_AES_256_GCM;
    const bool chacha = cipher == GNUTLS_CIPHER_CHACHA20_POLY1305;
    if (version == GNUTLS_TLS1_3 && (gcm || chacha)) return TLS_1_3;
    if (version == GNUTLS_TLS1_2 && gcm) return TLS_EXPLICIT_NONCE;
    if (version == GNUTLS_TLS1_2 && chacha) return TLS_IMPLICIT_NONCE;
    return TLS_BY_GNUTLS;
}

static uint64_t number_of(const uint8_t bytes[8])
{
    struct cs_reader reader = cs_reader_of((struct cs_span){bytes, 8});
    return cs_read_be(&reader, 8);
}

static SECURITY_STATUS take(gnutls_session_t session, bool read, struct tls_direction *direction)
{
    gnutls_datum_t mac, iv, key;
    uint8_t sequence[8];
    tls_direction_drop(direction);
    direction->protection = protection_of(session);
    if (direction->protection == TLS_BY_GNUTLS) return SEC_E_OK;
    if (gnutls_record_get_state(session, read, &mac, &iv, &key, sequence)) return SEC_E_INTERNAL_ERROR;
    if (iv.size > sizeof direction->iv) return SEC_E_INTERNAL_ERROR;
    memcpy(direction->iv, iv.data, iv.size);
    direction->sequence = number_of(sequence);
    return gnutls_aead_cipher_init(&direction->cipher, gnutls_cipher_get(session), &key) ? SEC_E_INSUFFICIENT_MEMORY
                                                                                         : SEC_E_OK;
}

/* What the peer takes, if that is less than usual (RFC 8449, which counts the type that TLS 1.3 hides; RFC 6066 4). */
static uint32_t maximum_of(const struct tls_context *context)
{
    const size_t agreed = gnutls_record_get_max_size(context->session);
    const uint32_t limit = context->record_limit ? context->record_limit - (context->write.protection == TLS_1_3) : 0;
    uint32_t maximum = agreed < TLS_MAX_PLAIN ? (uint32_t)agreed : TLS_MAX_PLAIN;
    return limit && limit < maximum ? limit : maximum;
}

/* What a record has before and behind its data at most. The longest of CBC: an IV; a SHA-384 MAC and 16 of padding. */
static void set_sizes(struct tls_context *context)
{
    static const struct {
        uint32_t header, trailer;
    } sizes[] = {[TLS_BY_GNUTLS] = {TLS_HEADER + 16, 64},
                 [TLS_EXPLICIT_NONCE] = {TLS_HEADER + 8, 16}, /* attributes.tsv, STREAM_SIZES */
                 [TLS_IMPLICIT_NONCE] = {TLS_HEADER, 16},
                 [TLS_1_3] = {TLS_HEADER, 17}};
    context->header = sizes[context->write.protection].header + (uint32_t)context->deferred_room;
    context->trailer = sizes[context->write.protection].trailer;
    context->maximum = maximum_of(context);
}

SECURITY_STATUS tls_records_take(struct tls_context *context)
{
    SECURITY_STATUS status = take(context->session, true, &context->read);
    if (status == SEC_E_OK) status = take(context->session, false, &context->write);
    if (context->datagram)
        dtls_set_sizes(context);
    else
        set_sizes(context);
    return status;
}

SECURITY_STATUS tls_records_peek(struct tls_context *context, struct tls_direction *direction)
{
    return take(context->session, true, direction);
}

static void give_back(gnutls_session_t session, bool read, const struct tls_direction *direction)
{
    uint8_t sequence[8];
    if (direction->protection == TLS_BY_GNUTLS) return;
    for (size_t i = 0; i < 8; i++) sequence[i] = (uint8_t)(direction->sequence >> (8 * (7 - i)));
    gnutls_record_set_state(session, read, sequence);
}

void tls_records_give_back(struct tls_context *context)
{
    give_back(context->session, true, &context->read);
    give_back(context->session, false, &context->write);
}
