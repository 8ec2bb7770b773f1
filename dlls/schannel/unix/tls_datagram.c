/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records of DTLS, and GnuTLS's way to them: the context's memory in the place of a socket for datagrams.
 */
#include "tls_datagram.h"

#include <errno.h>
#include <gnutls/dtls.h>
#include <string.h>

bool dtls_record_read(struct cs_span datagram, struct dtls_record *record)
{
    enum { VERSION_MAJOR = 0xFE };
    struct cs_reader reader = cs_reader_of(datagram);
    record->type = cs_read_u8(&reader);
    const uint8_t major = cs_read_u8(&reader);
    cs_read_u8(&reader);
    record->epoch = (uint16_t)cs_read_be(&reader, 2);
    record->number = cs_read_be(&reader, 6);
    record->body = cs_read_span(&reader, cs_read_be(&reader, 2));
    record->size = datagram.size - reader.remaining;
    const bool known = record->type >= TLS_CHANGE_CIPHER_SPEC && record->type <= TLS_APPLICATION_DATA;
    return !reader.failed && known && major == VERSION_MAJOR && record->body.size <= TLS_MAX_PLAIN + TLS_MAX_EXPANSION;
}

bool dtls_message_read(const struct dtls_record *record, struct dtls_message *message)
{
    struct cs_reader reader = cs_reader_of(record->body);
    message->type = cs_read_u8(&reader);
    message->size = (uint32_t)cs_read_be(&reader, 3);
    message->number = (uint16_t)cs_read_be(&reader, 2);
    message->offset = (uint32_t)cs_read_be(&reader, 3);
    message->length = (uint32_t)cs_read_be(&reader, 3);
    return record->type == TLS_HANDSHAKE && !record->epoch && !reader.failed;
}

/*
 * GnuTLS keeps messages that it does not expect yet, and takes no data as long as it has one: a forged one that is
 * further ahead than any flight would silence the connection.
 */
static bool is_far_ahead(const struct tls_context *context, const struct dtls_record *record)
{
    struct dtls_message message;
    return dtls_message_read(record, &message) && message.number > context->answered + DTLS_MOST_MESSAGES;
}

/* The next record for GnuTLS, in *record and at the start of context->incoming. False: there is none any more. */
static bool next_record(struct tls_context *context, struct dtls_record *record)
{
    while (dtls_record_read(context->incoming, record)) {
        if (!is_far_ahead(context, record)) return true;
        struct cs_reader reader = cs_reader_of(context->incoming);
        cs_read_span(&reader, record->size);
        context->incoming = (struct cs_span){reader.next, reader.remaining};
    }
    context->incoming = (struct cs_span){NULL, 0};
    return false;
}

/*
 * One record a time, as if it had come alone: GnuTLS keeps the rest of a datagram to itself, but data behind the
 * handshake's last record is DecryptMessage's.
 */
static ssize_t pull(gnutls_transport_ptr_t pointer, void *data, size_t room)
{
    struct tls_context *context = pointer;
    struct dtls_record record;
    if (!next_record(context, &record) || record.size > room) {
        context->incoming = (struct cs_span){NULL, 0};
        gnutls_transport_set_errno(context->session, EAGAIN);
        return -1;
    }
    struct cs_reader reader = cs_reader_of(context->incoming);
    memcpy(data, cs_read_span(&reader, record.size).data, record.size);
    context->incoming = (struct cs_span){reader.next, reader.remaining};
    return (ssize_t)record.size;
}

/* Whoever calls waits, not this. */
static int ready(gnutls_transport_ptr_t pointer, unsigned milliseconds)
{
    struct tls_context *context = pointer;
    struct dtls_record record;
    (void)milliseconds;
    return next_record(context, &record);
}

/*
 * Programs say when time is up, and when they have had enough. GnuTLS asks its clock whenever it has nothing to read: a
 * time of nothing has passed then, so that it sends again just when it is called without input.
 */
void dtls_join(struct tls_context *context)
{
    enum { AT_ONCE = 0, A_YEAR = 365 * 24 * 3600 };
    gnutls_transport_set_pull_function(context->session, pull);
    gnutls_transport_set_pull_timeout_function(context->session, ready);
    gnutls_dtls_set_timeouts(context->session, AT_ONCE, A_YEAR);
    dtls_use_mtu(context, DTLS_DEFAULT_MTU);
}

void dtls_use_mtu(struct tls_context *context, uint32_t bytes)
{
    if (!bytes) return;
    context->mtu = bytes < DTLS_LEAST_MTU ? DTLS_LEAST_MTU : bytes;
    gnutls_dtls_set_mtu(context->session, context->mtu);
    if (context->phase == TLS_COMPLETE) dtls_set_sizes(context);
}

/* Of CBC the longest: an IV before; a SHA-384 MAC and 16 of padding behind. */
void dtls_set_sizes(struct tls_context *context)
{
    const uint32_t most = gnutls_dtls_get_data_mtu(context->session);
    switch (gnutls_cipher_get(context->session)) {
    case GNUTLS_CIPHER_AES_128_GCM:
    case GNUTLS_CIPHER_AES_256_GCM:
        context->header = DTLS_HEADER + 8;
        context->trailer = 16;
        break;
    case GNUTLS_CIPHER_CHACHA20_POLY1305:
        context->header = DTLS_HEADER;
        context->trailer = 16;
        break;
    default:
        context->header = DTLS_HEADER + 16;
        context->trailer = 64;
        break;
    }
    context->maximum = context->record_limit && context->record_limit < most ? context->record_limit : most;
}
