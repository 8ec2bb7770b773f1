/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Legs of contexts of datagrams.
 */
#include "tls_datagram.h"

#include "secure.h"

#include <string.h>

/* ---- input ---- */

/* GnuTLS stops at whatever it drops; there may be more behind it. */
static SECURITY_STATUS run_handshake(struct tls_context *context)
{
    SECURITY_STATUS status;
    size_t before;
    do {
        before = context->incoming.size;
        status = tls_handshake_run(context);
    } while (status == SEC_I_CONTINUE_NEEDED && context->incoming.size && context->incoming.size < before);
    return status;
}

bool dtls_asks_for_certificate(struct cs_span datagram)
{
    enum { CERTIFICATE_REQUEST = 13 };
    struct cs_reader reader = cs_reader_of(datagram);
    struct dtls_record record;
    struct dtls_message message;
    bool asked = false;
    while (dtls_record_read((struct cs_span){reader.next, reader.remaining}, &record)) {
        asked |= dtls_message_read(&record, &message) && message.type == CERTIFICATE_REQUEST && !message.offset;
        cs_read_span(&reader, record.size);
    }
    return asked;
}

/* Whether there is anything in a leg that GnuTLS could read: it takes silence for the end of its patience. */
static bool says_something(struct cs_span datagram)
{
    struct dtls_record unused;
    return dtls_record_read(datagram, &unused);
}

static SECURITY_STATUS shake(struct tls_context *context, struct tls_leg *leg)
{
    const size_t before = context->outgoing.size;
    const bool time_is_up = !leg->input.size && !context->decided;
    leg->consumed = leg->input.size; /* what is not used is dropped */
    if (!time_is_up && !context->decided && !says_something(leg->input)) return SEC_I_CONTINUE_NEEDED;
    const bool asked = dtls_flight_is_asked_for(context, leg->input) || time_is_up;
    context->incoming = leg->input;
    SECURITY_STATUS status = run_handshake(context);
    const size_t left = context->incoming.size;
    context->incoming = (struct cs_span){NULL, 0};
    if (asked && status == SEC_I_CONTINUE_NEEDED && context->outgoing.size == before) status = run_handshake(context);
    if (status < 0) return tls_fail(context, status);
    if (status != SEC_I_CONTINUE_NEEDED) leg->consumed -= left;
    if (asked && status == SEC_I_CONTINUE_NEEDED && context->outgoing.size == before)
        dtls_flight_repeat(context);
    else
        dtls_flight_note(context, before);
    return status;
}

/* A server begins with a ClientHello; if it knows where that comes from, with one that shows a cookie. */
static SECURITY_STATUS await_hello(struct tls_context *context, struct tls_leg *leg, bool *came)
{
    *came = false;
    leg->consumed = leg->input.size;
    if (!leg->input.size && context->hello_asked) return SEC_I_CONTINUE_NEEDED;
    if (!dtls_is_hello(leg->input)) return context->hello_asked ? SEC_I_CONTINUE_NEEDED : SEC_E_INVALID_TOKEN;
    context->hello_asked = true;
    *came = !leg->address.size || dtls_take_cookie(context, leg->input, leg->address);
    context->hello_came = *came;
    return SEC_I_CONTINUE_NEEDED;
}

/* RFC 5246 7.2.2: a new handshake is declined by a warning, and the old one goes on. */
static SECURITY_STATUS decline(struct tls_context *context)
{
    return gnutls_alert_send(context->session, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION)
               ? tls_fail(context, SEC_E_INTERNAL_ERROR)
               : SEC_E_OK;
}

SECURITY_STATUS dtls_take_record(struct tls_context *context, struct cs_span record)
{
    const SECURITY_STATUS status = tls_take_record(context, record);
    return status == SEC_I_RENEGOTIATE ? decline(context) : status;
}

/* Once all is said what still comes is the peer's last flight, once more, and alerts. Data is DecryptMessage's. */
static SECURITY_STATUS take_records(struct tls_context *context, struct tls_leg *leg)
{
    struct cs_reader reader = cs_reader_of(leg->input);
    SECURITY_STATUS status = SEC_E_OK;
    struct dtls_record record;
    while (status == SEC_E_OK && dtls_record_read((struct cs_span){reader.next, reader.remaining}, &record)) {
        if (record.type == TLS_APPLICATION_DATA) {
            leg->consumed = leg->input.size - reader.remaining;
            return status;
        }
        const struct cs_span bytes = cs_read_span(&reader, record.size);
        if (record.epoch) status = dtls_take_record(context, bytes);
    }
    leg->consumed = leg->input.size;
    return status;
}

SECURITY_STATUS dtls_leg(struct tls_context *context, struct tls_leg *leg)
{
    bool came = true;
    dtls_use_mtu(context, leg->mtu);
    if (context->phase == TLS_COMPLETE) return take_records(context, leg);
    if (context->server && !context->hello_came) {
        const SECURITY_STATUS status = await_hello(context, leg, &came);
        if (!came) return status;
    }
    return shake(context, leg);
}

/* ---- output ---- */

/* As many of the records that wait as fit into SIZE bytes; the first one in any case. */
static size_t first_datagram(const struct tls_context *context, size_t size)
{
    struct cs_span rest = cs_written(&context->outgoing);
    struct cs_reader reader = cs_reader_of(rest);
    size_t taken = 0;
    struct dtls_record record;
    while (dtls_record_read(rest, &record) && (!taken || taken + record.size <= size)) {
        taken += record.size;
        cs_read_span(&reader, record.size);
        rest = (struct cs_span){reader.next, reader.remaining};
    }
    return taken;
}

SECURITY_STATUS dtls_deliver(struct tls_context *context, struct tls_leg *leg, SECURITY_STATUS status)
{
    const size_t limit = leg->room < context->mtu ? leg->room : context->mtu, size = first_datagram(context, limit);
    const bool fits = size <= leg->room, more = status >= 0 && size < context->outgoing.size;
    if (!context->undelivered) context->taken = leg->consumed;
    context->waiting = status;
    context->undelivered = !fits || more;
    context->datagram_size = leg->token_size = fits ? size : 0;
    if (!fits) return status < 0 ? status : SEC_E_INSUFFICIENT_MEMORY;
    if (!more) return status;
    context->taken = 0; /* whatever comes along with the call for the next one is another datagram */
    return SEC_I_MESSAGE_FRAGMENT;
}

SECURITY_STATUS dtls_fetch(struct tls_context *context, void *room, size_t size)
{
    struct cs_writer rest = {0};
    struct cs_reader reader = cs_reader_of(cs_written(&context->outgoing));
    if (size != context->datagram_size) return SEC_E_BUFFER_TOO_SMALL;
    const struct cs_span datagram = cs_read_span(&reader, size);
    if (datagram.size) memcpy(room, datagram.data, datagram.size);
    cs_write_span(&rest, (struct cs_span){reader.next, reader.remaining});
    cs_writer_drop(&context->outgoing);
    context->outgoing = rest;
    context->datagram_size = 0;
    return SEC_E_OK;
}
