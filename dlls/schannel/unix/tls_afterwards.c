/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records that come after the handshake and are no application data: alerts, tickets, new keys, and the wish for
 * another handshake. GnuTLS takes them.
 */
#include "tls_context.h"

#include "secure.h"

#include <stdlib.h>
#include <string.h>

SECURITY_STATUS tls_fail(struct tls_context *context, SECURITY_STATUS status)
{
    context->phase = TLS_FAILED;
    context->failure = status;
    return status;
}

void tls_send_deferred(struct tls_context *context)
{
    if (!context->deferred.size) return;
    cs_write_span(&context->outgoing, cs_written(&context->deferred));
    cs_writer_drop(&context->deferred);
}

SECURITY_STATUS tls_fail_aloud(struct tls_context *context, SECURITY_STATUS status)
{
    const gnutls_alert_description_t alert = status == SEC_E_MESSAGE_ALTERED   ? GNUTLS_A_BAD_RECORD_MAC
                                             : status == SEC_E_ILLEGAL_MESSAGE ? GNUTLS_A_UNEXPECTED_MESSAGE
                                                                               : GNUTLS_A_INTERNAL_ERROR;
    tls_send_deferred(context);
    tls_records_give_back(context);
    gnutls_alert_send(context->session, GNUTLS_AL_FATAL, alert);
    return tls_fail(context, status);
}

/* RFC 8446 4.6.3: a KeyUpdate that wants one in return, the last message of its record, for what follows has new keys.
 */
static bool wants_key_update(struct cs_span plain)
{
    static const uint8_t update_requested[] = {24, 0, 0, 1, 1};
    const size_t size = sizeof update_requested;
    return plain.size >= size && !memcmp(plain.data + plain.size - size, update_requested, size);
}

/* RFC 8446 6.1: a warning even in TLS 1.3, where GnuTLS takes it for a fatal alert. Java (11 to 17) sends it before
 * each close_notify. */
static bool is_cancelling(struct cs_span plain)
{
    static const uint8_t user_canceled[] = {GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED};
    return plain.size == sizeof user_canceled && !memcmp(plain.data, user_canceled, sizeof user_canceled);
}

/* What a record of TLS 1.3 is. */
struct glimpse {
    uint8_t type; /* 0: it does not verify */
    bool wants_answer, cancels;
};

/* From a copy: the caller's bytes go to GnuTLS as they are. */
static struct glimpse look_into(struct tls_context *context, struct cs_span record)
{
    uint8_t *copy = malloc(record.size);
    struct glimpse seen = {.type = 0};
    struct cs_span plain;
    if (!copy) return seen;
    memcpy(copy, record.data, record.size);
    if (tls_aead_unprotect(&context->read, copy, record.size, &plain, &seen.type)) {
        seen.wants_answer = seen.type == TLS_HANDSHAKE && wants_key_update(plain);
        seen.cancels = seen.type == TLS_ALERT && is_cancelling(plain);
        context->read.sequence--;
    } else {
        seen.type = 0;
    }
    cs_wipe_free(copy, record.size);
    return seen;
}

uint8_t tls_record_type(struct tls_context *context, struct cs_span record)
{
    return context->read.protection == TLS_1_3 ? look_into(context, record).type : record.data[0];
}

bool tls_record_wants_answer(struct tls_context *context, struct cs_span record)
{
    return look_into(context, record).wants_answer;
}

static SECURITY_STATUS receive(struct tls_context *context)
{
    uint8_t none[1];
    ssize_t result;
    do { /* of datagrams GnuTLS may first drop what it still has of the handshake */
        result = gnutls_record_recv(context->session, none, sizeof none);
    } while (result == GNUTLS_E_AGAIN && context->datagram && context->incoming.size);
    switch (result) {
    case 0: context->phase = TLS_CLOSED; return SEC_I_CONTEXT_EXPIRED;
    case GNUTLS_E_AGAIN:
    case GNUTLS_E_INTERRUPTED:
    case GNUTLS_E_WARNING_ALERT_RECEIVED: return SEC_E_OK;
    case GNUTLS_E_REHANDSHAKE: return SEC_I_RENEGOTIATE;
    default: break;
    }
    if (result > 0) return tls_fail(context, SEC_E_INTERNAL_ERROR); /* data: nobody gives those in here */
    if (result != GNUTLS_E_FATAL_ALERT_RECEIVED) {
        tls_send_deferred(context);
        gnutls_alert_send_appropriate(context->session, (int)result);
    }
    return tls_fail(context, tls_status_of(context, (int)result));
}

/* GnuTLS would answer a wish for new keys with its next record of data, but those are ours. */
static SECURITY_STATUS answer_key_update(struct tls_context *context)
{
    context->update_wanted = false;
    return gnutls_session_key_update(context->session, 0) ? tls_fail(context, SEC_E_INTERNAL_ERROR) : SEC_E_OK;
}

SECURITY_STATUS tls_take_record(struct tls_context *context, struct cs_span record)
{
    if (context->read.protection == TLS_1_3 && look_into(context, record).cancels) {
        context->read.sequence++;
        return SEC_E_OK;
    }
    tls_records_give_back(context);
    context->incoming = record;
    SECURITY_STATUS status = receive(context);
    context->incoming = (struct cs_span){NULL, 0};
    if (status == SEC_E_OK && context->update_wanted) status = answer_key_update(context);
    if (status < 0 || status == SEC_I_CONTEXT_EXPIRED) return status;
    const SECURITY_STATUS taken = tls_records_take(context);
    return taken ? tls_fail(context, taken) : status;
}
