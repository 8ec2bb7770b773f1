/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last flight, sent once more where GnuTLS cannot: it forgets its own as soon as the first message of the answer
 * has come, and then waits for the peer to send again what is missing. A peer whose program keeps no time does so only
 * when it sees the last flight again (RFC 6347 4.2.4, "read retransmit").
 */
#include "tls_datagram.h"

#include <gnutls/dtls.h>

void dtls_flight_drop(struct tls_context *context)
{
    cs_writer_drop(&context->flight);
}

/* Whether RECORD ends the last of the messages that the last flight answers. */
static bool was_answered(struct tls_context *context, const struct dtls_record *record)
{
    struct dtls_message message;
    if (!dtls_message_read(record, &message) || message.offset + message.length != message.size) return false;
    const uint32_t number = message.number + 1u;
    if (number > context->seen && number <= context->answered + DTLS_MOST_MESSAGES) context->seen = number;
    return number == context->answered;
}

/* Two sides that answer each other so, and do not get any further, would never stop: beyond these it takes a clock. */
enum { MOST_REPEATS = 8 };

bool dtls_flight_is_asked_for(struct tls_context *context, struct cs_span datagram)
{
    if (!datagram.size) context->repeats = 0;
    struct cs_reader reader = cs_reader_of(datagram);
    struct dtls_record record;
    bool asked = false;
    while (dtls_record_read((struct cs_span){reader.next, reader.remaining}, &record)) {
        asked |= was_answered(context, &record);
        cs_read_span(&reader, record.size);
    }
    return asked && context->repeats++ < MOST_REPEATS;
}

/* What a leg has sent, from BEFORE on, is the last flight. Encrypted records are not: their Finished ends a handshake,
 * and GnuTLS has it for as long as it may be asked for. */
void dtls_flight_note(struct tls_context *context, size_t before)
{
    struct cs_reader reader = cs_reader_of(cs_written(&context->outgoing));
    struct dtls_record record;
    cs_read_span(&reader, before);
    if (!reader.remaining) return;
    dtls_flight_drop(context);
    if (context->answered != context->seen) context->repeats = 0;
    context->answered = context->seen;
    while (dtls_record_read((struct cs_span){reader.next, reader.remaining}, &record)) {
        const struct cs_span bytes = cs_read_span(&reader, record.size);
        if (record.epoch == 0) cs_write_span(&context->flight, bytes);
    }
}

/* GnuTLS's next record of the epoch takes the number behind the last of these: a number that has come is dropped. */
void dtls_flight_repeat(struct tls_context *context)
{
    enum { EPOCH_AND_NUMBER_AT = 3 };
    uint8_t number[8];
    gnutls_datum_t mac, iv, key;
    struct cs_reader reader = cs_reader_of(cs_written(&context->flight));
    struct dtls_record record;
    if (!context->flight.size || gnutls_record_get_state(context->session, 0, &mac, &iv, &key, number)) return;
    struct cs_reader state = cs_reader_of((struct cs_span){number, sizeof number});
    uint64_t next = cs_read_be(&state, sizeof number);
    if (next >> 48) return; /* another epoch: these are of none any more */
    while (dtls_record_read((struct cs_span){reader.next, reader.remaining}, &record)) {
        const size_t start = context->outgoing.size;
        cs_write_span(&context->outgoing, cs_read_span(&reader, record.size));
        cs_put_be(number, next++, sizeof number);
        cs_write_over(&context->outgoing, start + EPOCH_AND_NUMBER_AT, (struct cs_span){number, sizeof number});
    }
    cs_put_be(number, next, sizeof number);
    gnutls_record_set_state(context->session, 0, number);
}
