/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Legs: InitializeSecurityContext and AcceptSecurityContext, before the handshake is through and after.
 */
#include "tls_datagram.h"

#include "secure.h"
#include "utf16.h"

#include <stdlib.h>
#include <string.h>

static struct tls_context *create(struct tls_credential *credential)
{
    struct tls_context *context = calloc(1, sizeof *context);
    if (!context || !cs_lock_init(&context->reading)) {
        free(context);
        return NULL;
    }
    if (!cs_lock_init(&context->writing)) {
        pthread_mutex_destroy(&context->reading);
        free(context);
        return NULL;
    }
    context->credential = credential;
    context->server = credential->server;
    tls_credential_addref(credential);
    return context;
}

void tls_context_release(struct tls_context *context)
{
    if (!context) return;
    tls_direction_drop(&context->read);
    tls_direction_drop(&context->write);
    if (context->session) gnutls_deinit(context->session);
    cs_writer_drop(&context->outgoing);
    cs_writer_drop(&context->deferred);
    cs_writer_drop(&context->early);
    cs_writer_drop(&context->extensions);
    dtls_flight_drop(context);
    cs_span_drop(&context->name);
    cs_span_drop(&context->asking);
    cs_span_drop(&context->issuers);
    cs_span_drop(&context->srtp.identifier);
    cs_writer_drop(&context->scan.request);
    tls_credential_release(context->credential);
    pthread_mutex_destroy(&context->reading);
    pthread_mutex_destroy(&context->writing);
    cs_wipe_free(context, sizeof *context);
}

bool tls_lock_reading(struct tls_context *context)
{
    if (!cs_lock(&context->reading)) context->read_broken = true;
    return !context->read_broken;
}

bool tls_lock_writing(struct tls_context *context)
{
    if (!cs_lock(&context->writing)) context->write_broken = true;
    return !context->write_broken;
}

static SECURITY_STATUS lock_both(struct tls_context *context)
{
    const bool reading = tls_lock_reading(context), writing = tls_lock_writing(context);
    return reading && writing ? SEC_E_OK : tls_fail(context, SEC_E_INTERNAL_ERROR);
}

static void unlock_both(struct tls_context *context)
{
    cs_unlock(&context->writing);
    cs_unlock(&context->reading);
}

/* As much of INPUT as is whole records; what is cut off is left for later. */
static SECURITY_STATUS whole_records(struct cs_span input, struct cs_span *records, size_t *missing)
{
    struct cs_reader reader = cs_reader_of(input);
    size_t size;
    SECURITY_STATUS status = tls_first_record(input, &size, missing);
    if (status) return status;
    while (status == SEC_E_OK) {
        size_t unused;
        cs_read_span(&reader, size);
        status = tls_first_record((struct cs_span){reader.next, reader.remaining}, &size, &unused);
    }
    *records = (struct cs_span){input.data, input.size - reader.remaining};
    return SEC_E_OK;
}

/* GnuTLS would begin a second handshake anew where data comes, and so it gets to see none. */
static SECURITY_STATUS run_around_data(struct tls_context *context)
{
    if (context->phase != TLS_RENEGOTIATING) return tls_handshake_run(context);
    for (;;) {
        const struct cs_span all = context->incoming, head = tls_early_head(context, all);
        context->incoming = head;
        SECURITY_STATUS status = tls_handshake_run(context);
        const size_t done = head.size - context->incoming.size;
        struct cs_reader reader = cs_reader_of(all);
        size_t size, missing;
        cs_read_span(&reader, done);
        context->incoming = (struct cs_span){reader.next, reader.remaining};
        if (status != SEC_I_CONTINUE_NEEDED || done < head.size || !reader.remaining) return status;
        if (tls_first_record(context->incoming, &size, &missing)) return status;
        status = tls_early_keep(context, cs_read_span(&reader, size));
        context->incoming = (struct cs_span){reader.next, reader.remaining};
        if (status) return status;
    }
}

static SECURITY_STATUS run_handshake(struct tls_context *context, struct tls_leg *leg)
{
    const size_t before = context->incoming.size;
    SECURITY_STATUS status = run_around_data(context);
    leg->consumed = before - context->incoming.size;
    context->incoming = (struct cs_span){NULL, 0};
    return status < 0 ? tls_fail(context, status) : status;
}

static SECURITY_STATUS use_credential(struct tls_context *context, struct tls_credential *credential)
{
    if (!credential || credential == context->credential || credential->server != context->server) return SEC_E_OK;
    if (gnutls_credentials_set(context->session, GNUTLS_CRD_CERTIFICATE, credential->certificates))
        return tls_fail(context, SEC_E_INSUFFICIENT_MEMORY);
    /* GnuTLS keeps a session's first ticket key for good, so that what is agreed on with this credential could be
     * resumed by that one: it takes another key for the sessions to come. */
    if (!tls_credential_renew_tickets(context->credential)) return tls_fail(context, SEC_E_INTERNAL_ERROR);
    tls_credential_addref(credential);
    tls_credential_release(context->credential);
    context->credential = credential;
    return SEC_E_OK;
}

static SECURITY_STATUS use_awaited_credential(struct tls_context *context, const struct tls_leg *leg)
{
    if (!context->awaits_credential) return SEC_E_OK;
    context->awaits_credential = false;
    return use_credential(context, leg->credential);
}

/* The leg after SEC_I_INCOMPLETE_CREDENTIALS, with the same input: what GnuTLS has of it is skipped. */
static SECURITY_STATUS leg_once_more(struct tls_context *context, struct tls_leg *leg)
{
    const size_t before = context->told_at < leg->input.size ? context->told_at : leg->input.size;
    struct cs_reader reader = cs_reader_of(leg->input);
    SECURITY_STATUS status = use_awaited_credential(context, leg);
    context->told_at = 0;
    if (status) return status;
    cs_read_span(&reader, before);
    whole_records((struct cs_span){reader.next, reader.remaining}, &context->incoming, &leg->missing);
    status = run_handshake(context, leg);
    leg->consumed += before;
    return status;
}

/* Whether the program may still be told of the server's wish, and bring another credential. Once GnuTLS has chosen a
 * certificate it points into the credential that it is from; what then looks like a request is a forged one, or part of
 * another message. */
static bool may_be_asked(const struct tls_context *context)
{
    return !context->server && !context->told_asked && !context->asked;
}

/* A CertificateRequest has been seen, before GnuTLS sees it and makes its choice. */
static bool tell_asked(struct tls_context *context, const struct tls_leg *leg, bool tls13)
{
    /* DTLS's request may be in pieces: its issuers are known when GnuTLS has put them together. */
    if (!context->datagram) tls_issuers_keep(context, cs_written(&context->scan.request), tls13);
    cs_writer_drop(&context->scan.request);
    context->told_asked = leg->flags & TLS_LEG_TELL_ASKED && !tls_issuers_accept(context);
    context->awaits_credential = context->told_asked;
    return context->told_asked;
}

static bool is_asked(struct tls_context *context, const struct tls_leg *leg)
{
    if (!may_be_asked(context) || context->phase != TLS_HANDSHAKING) return false;
    const bool asks = context->datagram ? dtls_asks_for_certificate(leg->input)
                                        : tls_asks_for_certificate(&context->scan, context->incoming);
    return asks && tell_asked(context, leg, false);
}

/* Whether the records to come, encrypted ones, ask. */
static bool is_asked_in_secret(struct tls_context *context, const struct tls_leg *leg)
{
    const bool tls13 = gnutls_protocol_get_version(context->session) >= GNUTLS_TLS1_3;
    return tls_asks_in_secret(context, context->incoming, tls13) && tell_asked(context, leg, tls13);
}

/* GnuTLS gets TLS 1.3's ServerHello first, whose keys then show whether what follows asks; in a second handshake there
 * are keys already. */
static SECURITY_STATUS run_until_asked(struct tls_context *context, struct tls_leg *leg)
{
    const bool first = context->phase == TLS_HANDSHAKING;
    const struct cs_span all = context->incoming, open = first ? tls_open_head(all) : (struct cs_span){all.data, 0};
    if (!(leg->flags & TLS_LEG_TELL_ASKED) || !may_be_asked(context) || context->decided || open.size == all.size)
        return run_handshake(context, leg);
    struct cs_reader reader = cs_reader_of(all);
    context->incoming = open;
    SECURITY_STATUS status = open.size ? run_handshake(context, leg) : SEC_I_CONTINUE_NEEDED;
    const size_t before = cs_read_span(&reader, leg->consumed).size;
    if (status != SEC_I_CONTINUE_NEEDED || before < open.size) return status;
    context->incoming = (struct cs_span){reader.next, reader.remaining};
    if (is_asked_in_secret(context, leg)) {
        context->told_at = before;
        return SEC_I_INCOMPLETE_CREDENTIALS;
    }
    status = run_handshake(context, leg);
    leg->consumed += before;
    return status;
}

/* A client begins without input; after that there is something to read, or somebody has looked at a certificate. */
static SECURITY_STATUS handshake_leg(struct tls_context *context, struct tls_leg *leg, bool first)
{
    const bool begins = first && !context->server;
    context->incoming = (struct cs_span){NULL, 0};
    if (context->told_at && !context->decided) return leg_once_more(context, leg);
    if (!begins) {
        SECURITY_STATUS status = whole_records(leg->input, &context->incoming, &leg->missing);
        if (status && !context->decided) return status;
        if (!context->decided && is_asked(context, leg)) return SEC_I_INCOMPLETE_CREDENTIALS;
        if ((status = use_awaited_credential(context, leg))) return status;
    }
    return run_until_asked(context, leg);
}

/* A new handshake under the keys of the old one (RFC 5746), perhaps with another credential (behaviour.md row 210). */
static SECURITY_STATUS renegotiate(struct tls_context *context, struct tls_leg *leg, struct cs_span rest)
{
    if (gnutls_protocol_get_version(context->session) >= GNUTLS_TLS1_3) return SEC_E_UNSUPPORTED_FUNCTION;
    SECURITY_STATUS status = use_credential(context, leg->credential);
    if (status == SEC_E_OK && tls_handshake_use(context, leg)) status = tls_fail(context, SEC_E_INSUFFICIENT_MEMORY);
    if (status) return status;
    context->phase = TLS_RENEGOTIATING;
    context->finished = context->rehandshake_asked = context->early_over = false;
    context->told_asked = context->awaits_credential = context->asked = false;
    cs_span_drop(&context->issuers);
    cs_writer_drop(&context->scan.request);
    context->scan = (struct tls_scan){.have = 0};
    tls_records_give_back(context);
    context->incoming = rest;
    return run_handshake(context, leg);
}

/* The server asks; the client's answer starts the handshake, if it wants one. */
static SECURITY_STATUS send_hello_request(struct tls_context *context)
{
    if (gnutls_protocol_get_version(context->session) >= GNUTLS_TLS1_3) return SEC_E_UNSUPPORTED_FUNCTION;
    tls_records_give_back(context);
    if (gnutls_rehandshake(context->session)) return tls_fail(context, SEC_E_INTERNAL_ERROR);
    const SECURITY_STATUS status = tls_records_take(context);
    return status ? tls_fail(context, status) : SEC_I_CONTINUE_NEEDED;
}

/* Takes records until one of application data comes, which is DecryptMessage's. */
static SECURITY_STATUS take_records(struct tls_context *context, struct tls_leg *leg, struct cs_span records)
{
    struct cs_reader reader = cs_reader_of(records);
    SECURITY_STATUS status = SEC_E_OK;
    while (status == SEC_E_OK && reader.remaining) {
        size_t size, missing;
        const struct cs_span rest = {reader.next, reader.remaining};
        if (tls_first_record(rest, &size, &missing)) break;
        const struct cs_span record = cs_read_span(&reader, size);
        if (tls_record_type(context, record) == TLS_APPLICATION_DATA) break;
        status = tls_take_record(context, record);
        leg->consumed += size;
    }
    if (status == SEC_I_RENEGOTIATE) {
        const size_t before = leg->consumed;
        status = renegotiate(context, leg, (struct cs_span){reader.next, reader.remaining});
        leg->consumed += before;
    }
    if (status == SEC_E_OK) tls_sessions_keep(context);
    return status;
}

/* Programs give the record with the wish once more, or what DecryptMessage has left of the input, or nothing. */
static SECURITY_STATUS answer_request(struct tls_context *context, struct tls_leg *leg)
{
    const struct cs_span asking = context->asking;
    const bool again =
        asking.size && leg->input.size >= asking.size && !memcmp(leg->input.data, asking.data, asking.size);
    const size_t before = again ? asking.size : 0;
    SECURITY_STATUS status = renegotiate(context, leg, (struct cs_span){NULL, 0});
    leg->consumed = before;
    cs_span_drop(&context->asking);
    return status;
}

static SECURITY_STATUS complete_leg(struct tls_context *context, struct tls_leg *leg)
{
    struct cs_span records;
    leg->missing = TLS_HEADER;
    if (context->shut_down && leg->flags & TLS_LEG_NO_INPUT) return SEC_E_INCOMPLETE_MESSAGE; /* row 223 */
    if (context->rehandshake_asked) return answer_request(context, leg);
    if (leg->flags & TLS_LEG_NO_INPUT) {
        if (gnutls_protocol_get_version(context->session) >= GNUTLS_TLS1_3) return SEC_E_INCOMPLETE_MESSAGE;
        return context->server ? send_hello_request(context) : renegotiate(context, leg, (struct cs_span){NULL, 0});
    }
    SECURITY_STATUS status = whole_records(leg->input, &records, &leg->missing);
    return status ? status : take_records(context, leg, records);
}

/* One alert for each ApplyControlToken, whatever else the leg has (behaviour.md rows 222 to 225). */
static SECURITY_STATUS send_alert(struct tls_context *context)
{
    const bool ready = context->phase == TLS_COMPLETE || context->phase == TLS_CLOSED;
    context->alert_wanted = false;
    tls_send_deferred(context);
    if (ready) tls_records_give_back(context);
    if (gnutls_alert_send(context->session, context->alert_fatal ? GNUTLS_AL_FATAL : GNUTLS_AL_WARNING,
                          (gnutls_alert_description_t)context->alert))
        return tls_fail(context, SEC_E_INTERNAL_ERROR);
    if (!ready) return SEC_E_OK;
    const SECURITY_STATUS status = tls_records_take(context);
    context->shut_down |= context->alert_fatal || context->alert == GNUTLS_A_CLOSE_NOTIFY;
    return status ? tls_fail(context, status) : SEC_E_OK;
}

static SECURITY_STATUS datagram_leg(struct tls_context *context, struct tls_leg *leg)
{
    if (!context->decided && is_asked(context, leg)) return SEC_I_INCOMPLETE_CREDENTIALS;
    const SECURITY_STATUS status = use_awaited_credential(context, leg);
    return status ? status : dtls_leg(context, leg);
}

static SECURITY_STATUS run_leg(struct tls_context *context, struct tls_leg *leg, bool first)
{
    if (context->phase == TLS_FAILED) return context->failure;
    if (context->alert_wanted) return send_alert(context);
    context->leg_flags = leg->flags;
    context->decided = context->verify_wanted && leg->flags & TLS_LEG_VERDICT;
    context->verdict = leg->verdict;
    if (context->phase == TLS_CLOSED) return SEC_I_CONTEXT_EXPIRED;
    if (context->datagram) return datagram_leg(context, leg);
    switch (context->phase) {
    case TLS_COMPLETE: return complete_leg(context, leg);
    default: return handshake_leg(context, leg, first);
    }
}

/* A client's last flight waits for its first data, in whose header there is room for it (TLS_DEFERS). */
static void defer_last_flight(struct tls_context *context)
{
    if (!(context->credential->habits & TLS_DEFERS) || context->server || context->write.protection != TLS_1_3) return;
    if (context->deferred_room || context->outgoing.size < TLS_LEAST_PADDING) return;
    context->deferred = context->outgoing;
    context->outgoing = (struct cs_writer){0};
    context->deferred_room = context->deferred.size;
    context->header += (uint32_t)context->deferred_room;
}

/* A token that does not fit stays, and the next leg is this one once more. */
static SECURITY_STATUS deliver(struct tls_context *context, struct tls_leg *leg, SECURITY_STATUS status)
{
    if (context->outgoing.failed) return tls_fail(context, SEC_E_INSUFFICIENT_MEMORY);
    if (status == TLS_I_VERIFY_PEER || status == SEC_E_INCOMPLETE_MESSAGE || status == SEC_I_INCOMPLETE_CREDENTIALS)
        return status;
    if (context->datagram) return dtls_deliver(context, leg, status);
    if (status == SEC_E_OK) defer_last_flight(context);
    context->undelivered = context->outgoing.size > leg->room;
    if (context->undelivered) {
        context->waiting = status;
        context->taken = leg->consumed;
        return status < 0 ? status : SEC_E_INSUFFICIENT_MEMORY;
    }
    leg->token_size = context->outgoing.size;
    if (status == SEC_E_OK && context->phase == TLS_COMPLETE) tls_early_announce(context, leg);
    return status;
}

static SECURITY_STATUS again(struct tls_context *context, struct tls_leg *leg)
{
    leg->consumed = context->taken < leg->input.size ? context->taken : leg->input.size;
    return context->waiting;
}

static SECURITY_STATUS start(struct tls_context **out, struct tls_leg *leg)
{
    if (!leg->credential) return SEC_E_INVALID_HANDLE;
    *out = create(leg->credential);
    if (!*out) return SEC_E_INSUFFICIENT_MEMORY;
    (*out)->leg_flags = leg->flags;
    (*out)->datagram = leg->flags & TLS_LEG_DATAGRAM;
    SECURITY_STATUS status = tls_handshake_begin(*out, leg);
    return status ? tls_fail(*out, status) : SEC_E_OK;
}

SECURITY_STATUS tls_leg(struct tls_context **context, struct tls_leg *leg)
{
    const bool first = !*context;
    SECURITY_STATUS status = first ? start(context, leg) : SEC_E_OK;
    if (status) return status;
    status = lock_both(*context);
    if (status == SEC_E_OK) status = (*context)->undelivered ? again(*context, leg) : run_leg(*context, leg, first);
    status = deliver(*context, leg, status);
    unlock_both(*context);
    return status;
}

SECURITY_STATUS tls_fetch_token(struct tls_context *context, void *room, size_t size)
{
    SECURITY_STATUS status = lock_both(context);
    const bool whole = status == SEC_E_OK && !context->datagram;
    if (status == SEC_E_OK && context->datagram) status = dtls_fetch(context, room, size);
    if (whole && context->outgoing.size != size) status = SEC_E_BUFFER_TOO_SMALL;
    if (whole && status == SEC_E_OK) {
        if (size) memcpy(room, context->outgoing.data, size);
        cs_writer_drop(&context->outgoing);
    }
    unlock_both(context);
    return status;
}

SECURITY_STATUS tls_set_mtu(struct tls_context *context, uint32_t mtu)
{
    if (!context->datagram) return SEC_E_UNSUPPORTED_FUNCTION;
    const SECURITY_STATUS status = lock_both(context);
    if (status == SEC_E_OK) dtls_use_mtu(context, mtu);
    unlock_both(context);
    return status;
}

SECURITY_STATUS tls_alert(struct tls_context *context, bool fatal, uint8_t description)
{
    SECURITY_STATUS status = lock_both(context);
    context->alert_wanted = true;
    context->alert_fatal = fatal;
    context->alert = description;
    unlock_both(context);
    return status;
}

SECURITY_STATUS tls_shut_down(struct tls_context *context)
{
    return tls_alert(context, false, GNUTLS_A_CLOSE_NOTIFY);
}
