/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client's side of the AP exchange: RFC 4121 4.1, and MS-KILE 3.2.5 and 3.4.5. In user-to-user a KERB-TGT-REQUEST
 * goes before it, because the program or the KDC wants it so; an acceptor that wants it brings its ticket at once.
 */
#include "kerberos.h"
#include "kerberos_user_to_user.h"
#include "secure.h"

#include <krb5_err.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static struct kerberos_client *client_of(const struct kerberos_exchange *exchange)
{
    return exchange->given ? exchange->given : &exchange->credential->client;
}

/* The authenticator's time, by the clock of whoever judges it. */
static void set_time(struct kerberos_exchange *exchange)
{
    struct timeval now;
    gettimeofday(&now, NULL);
    exchange->ctime = now.tv_sec + exchange->ticket->offset + exchange->offset;
    exchange->cusec = (krb5int32)now.tv_usec;
}

/* A subkey of the ticket's type, and a first sequence number that leaves room before its wrap, as peers have it. */
static krb5_error_code draw_key(krb5_context context, struct kerberos_exchange *exchange)
{
    krb5_keyblock subkey = {.keytype = KRB5_ENCTYPE_NULL};
    uint32_t sequence;
    if (!cs_random(&sequence, sizeof sequence)) return KRB5_CRYPTO_INTERNAL;
    exchange->own_sequence = sequence & 0x3FFFFFFF;
    krb5_error_code code = krb5_generate_random_keyblock(context, exchange->session_key.keytype, &subkey);
    if (!code && !kerberos_copy_key(&exchange->subkey, &subkey)) code = krb5_enomem(context);
    krb5_free_keyblock_contents(context, &subkey);
    return code;
}

/* What the exchange's ticket says. */
static SECURITY_STATUS note_ticket(struct kerberos_exchange *exchange, krb5_context context)
{
    const krb5_creds *creds = exchange->ticket->creds;
    exchange->endtime = creds->times.endtime - exchange->ticket->offset;
    if (!kerberos_copy_key(&exchange->session_key, &creds->session)) return SEC_E_INSUFFICIENT_MEMORY;
    return kerberos_note_principals(context, exchange, creds->client, creds->server);
}

/*
 * Bindings go along unless policy suppresses them, as NTLM's do. They are the first request's also in a second one: an
 * error that anybody can forge asks for that, and a program need not give them again.
 */
static SECURITY_STATUS take_bindings(struct kerberos_exchange *exchange, const struct cs_leg *leg)
{
    if (!leg->bindings.data || exchange->credential->suppress_bindings || exchange->bound) return SEC_E_OK;
    exchange->bound = true;
    return cs_bindings_hash(leg->bindings, exchange->bindings);
}

static SECURITY_STATUS make_checksum(krb5_context context, struct kerberos_exchange *exchange, const struct cs_leg *leg,
                                     struct cs_writer *output)
{
    struct kerberos_checksum checksum = {.flags = 0};
    struct cs_writer delegated = {0};
    SECURITY_STATUS status = take_bindings(exchange, leg);
    if (status) return status;
    memcpy(checksum.bindings, exchange->bindings, sizeof checksum.bindings);
    if (exchange->flags & KERBEROS_DELEGATE) kerberos_forward(context, exchange, client_of(exchange), &delegated);
    if (!delegated.size) exchange->flags &= ~(uint32_t)KERBEROS_DELEGATE;
    checksum.flags = exchange->flags;
    checksum.delegated = cs_written(&delegated);
    kerberos_checksum_write(output, &checksum);
    cs_writer_drop(&delegated);
    return output->failed ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK;
}

/* DCE style has no framing (MS-KILE 3.4.5.1). */
static SECURITY_STATUS write_request(krb5_context context, struct kerberos_exchange *exchange, const struct cs_leg *leg,
                                     struct cs_writer *output)
{
    struct cs_writer checksum = {0}, message = {0};
    SECURITY_STATUS status = make_checksum(context, exchange, leg, &checksum);
    set_time(exchange);
    if (status == SEC_E_OK)
        status = kerberos_status(kerberos_write_request(context, exchange, cs_written(&checksum), &message));
    exchange->framed = !(exchange->flags & KERBEROS_DCE_STYLE);
    const struct kerberos_token token = {KERBEROS_AP_REQ, exchange->framed, cs_written(&message),
                                         exchange->user_to_user};
    if (status == SEC_E_OK) kerberos_token_write(output, &token);
    output->failed |= message.failed;
    cs_writer_drop(&checksum);
    cs_writer_drop(&message);
    return status;
}

static void grant(const struct kerberos_exchange *exchange, struct cs_leg *leg)
{
    leg->granted = kerberos_granted(exchange->flags, true) | (exchange->request & ISC_REQ_CONNECTION);
    if (exchange->user_to_user) leg->granted |= ISC_REQ_USE_SESSION_KEY;
}

static SECURITY_STATUS send_request(struct kerberos_exchange *exchange, krb5_context context, struct cs_leg *leg,
                                    struct cs_writer *output, struct cs_session **session)
{
    exchange->flags = kerberos_flags_of(exchange->request);
    SECURITY_STATUS status = kerberos_status(draw_key(context, exchange));
    if (status == SEC_E_OK) status = write_request(context, exchange, leg, output);
    if (status) return status;
    grant(exchange, leg);
    if (exchange->flags & KERBEROS_MUTUAL) return SEC_I_CONTINUE_NEEDED;
    /* Without an AP-REP there is no number of the acceptor's: both count from the initiator's. */
    exchange->peer_sequence = exchange->own_sequence;
    return kerberos_complete(exchange, leg, session);
}

static SECURITY_STATUS ask_for_tgt(struct kerberos_exchange *exchange, krb5_context context, struct cs_leg *leg,
                                   struct cs_writer *output)
{
    struct cs_writer message = {0};
    SECURITY_STATUS status = kerberos_request_tgt(context, client_of(exchange), exchange, &message);
    const struct kerberos_token token = {KERBEROS_TGT_REQUEST, true, cs_written(&message), true};
    if (status == SEC_E_OK) kerberos_token_write(output, &token);
    output->failed |= message.failed;
    cs_writer_drop(&message);
    if (status) return status;
    exchange->user_to_user = exchange->waits_for_tgt = true;
    exchange->flags = kerberos_flags_of(exchange->request);
    grant(exchange, leg);
    return SEC_I_CONTINUE_NEEDED;
}

/* DCE style has no frame (MS-KILE 3.4.5.1), by which alone the messages of user-to-user are told. */
static bool may_go_over(const struct kerberos_exchange *exchange)
{
    return !exchange->user_to_user && !(exchange->request & ISC_REQ_USE_DCE_STYLE);
}

static SECURITY_STATUS start(struct kerberos_exchange *exchange, krb5_context context, struct cs_leg *leg,
                             struct cs_writer *output, struct cs_session **session)
{
    if (exchange->request & ISC_REQ_DATAGRAM) return SEC_E_UNSUPPORTED_FUNCTION;
    if (exchange->request & ISC_REQ_NULL_SESSION) return SEC_E_NO_CREDENTIALS;
    if (exchange->given_status) return exchange->given_status;
    const bool wanted = exchange->request & ISC_REQ_USE_SESSION_KEY;
    if (wanted && !may_go_over(exchange)) return SEC_E_UNSUPPORTED_FUNCTION;
    SECURITY_STATUS status = SEC_E_NO_TGT_REPLY; /* also the KDC's word that this service wants user-to-user */
    if (!wanted) status = kerberos_client_ticket(client_of(exchange), context, exchange->target, &exchange->ticket);
    if (status == SEC_E_NO_TGT_REPLY && may_go_over(exchange)) return ask_for_tgt(exchange, context, leg, output);
    if (status == SEC_E_OK) status = note_ticket(exchange, context);
    return status ? status : send_request(exchange, context, leg, output, session);
}

/* REPLY is a KERB-TGT-REPLY. Nothing vouches for it: that it is the target's, the KDC says by the ticket it gives. */
static SECURITY_STATUS receive_tgt(struct kerberos_exchange *exchange, krb5_context context, struct cs_span reply,
                                   struct cs_leg *leg, struct cs_writer *output, struct cs_session **session)
{
    struct kerberos_ticket *ticket;
    SECURITY_STATUS status = kerberos_user_to_user_ticket(context, client_of(exchange), exchange, reply, &ticket);
    if (status) return status;
    kerberos_ticket_release(context, exchange->ticket);
    exchange->ticket = ticket;
    exchange->user_to_user = true;
    exchange->waits_for_tgt = false;
    status = note_ticket(exchange, context);
    return status ? status : send_request(exchange, context, leg, output, session);
}

/* An acceptor without a key of its own brings its ticket in the error; one that brings none cannot be served. */
static SECURITY_STATUS go_over(struct kerberos_exchange *exchange, krb5_context context, struct cs_span reply,
                               struct cs_leg *leg, struct cs_writer *output, struct cs_session **session)
{
    if (!reply.size || !may_go_over(exchange)) return SEC_E_NO_TGT_REPLY;
    return receive_tgt(exchange, context, reply, leg, output, session);
}

/*
 * Whether an acceptor whose clock says TIME could take the ticket at all. An authenticator made for another time serves
 * nobody but whoever forged the error, and keeps it until then.
 */
static bool is_in_ticket(krb5_context context, const struct kerberos_exchange *exchange, KerberosTime peer_time)
{
    const krb5_times *times = &exchange->ticket->creds->times;
    const time_t start = times->starttime ? times->starttime : times->authtime;
    const time_t skew = krb5_get_max_time_skew(context);
    return peer_time >= start - skew && peer_time <= times->endtime + skew;
}

/* Once, and by no more than the acceptor's own clock tells: its KRB-ERROR is not authenticated. */
static SECURITY_STATUS receive_error(struct kerberos_exchange *exchange, krb5_context context, struct cs_span message,
                                     struct cs_leg *leg, struct cs_writer *output, struct cs_session **session)
{
    struct cs_writer data = {0};
    KerberosTime peer_time = 0;
    const krb5_error_code code = kerberos_read_error(message, &peer_time, &data);
    const SECURITY_STATUS status = code == KRB5_AP_ERR_USER_TO_USER_REQUIRED && !data.failed
                                       ? go_over(exchange, context, cs_written(&data), leg, output, session)
                                       : kerberos_status(code);
    cs_writer_drop(&data);
    if (code != KRB5KRB_AP_ERR_SKEW || exchange->retried || !is_in_ticket(context, exchange, peer_time)) return status;
    exchange->retried = true;
    exchange->offset = peer_time - time(NULL) - exchange->ticket->offset;
    return send_request(exchange, context, leg, output, session);
}

/* The reply must be to this very request, and what it brings of its own usable. */
static krb5_error_code take_reply(krb5_context context, struct kerberos_exchange *exchange, const EncAPRepPart *part)
{
    if (part->ctime != exchange->ctime || part->cusec != exchange->cusec) return KRB5KRB_AP_ERR_MUT_FAIL;
    if (part->seq_number) exchange->peer_sequence = *part->seq_number;
    if (!part->subkey) return 0;
    if (!kerberos_usable_key(context, part->subkey)) return KRB5KDC_ERR_ETYPE_NOSUPP;
    return kerberos_copy_key(&exchange->acceptor_subkey, part->subkey) ? 0 : krb5_enomem(context);
}

/* The third leg of DCE style: an AP-REP of the client's with the server's sequence number (MS-KILE 3.4.5.1). */
static krb5_error_code write_third(krb5_context context, const struct kerberos_exchange *exchange,
                                   struct cs_writer *output)
{
    if (!(exchange->flags & KERBEROS_DCE_STYLE)) return 0;
    return kerberos_write_reply(context, exchange, exchange->peer_sequence, NULL, output);
}

static SECURITY_STATUS receive_reply(struct kerberos_exchange *exchange, krb5_context context, struct cs_span message,
                                     struct cs_leg *leg, struct cs_writer *output, struct cs_session **session)
{
    EncAPRepPart part = {.ctime = 0};
    krb5_error_code code = kerberos_read_reply(context, exchange, message, &part);
    if (!code) code = take_reply(context, exchange, &part);
    if (!code) code = write_third(context, exchange, output);
    if (part.subkey) cs_wipe(part.subkey->keyvalue.data, part.subkey->keyvalue.length);
    free_EncAPRepPart(&part);
    /* A reply that the ticket's key does not open is no proof of the server. */
    if (code == KRB5KRB_AP_ERR_BAD_INTEGRITY) code = KRB5KRB_AP_ERR_MUT_FAIL;
    if (code) return kerberos_status(code);
    grant(exchange, leg);
    return kerberos_complete(exchange, leg, session);
}

/* What came for the KERB-TGT-REQUEST: the ticket, or an error, whichever it is, because there is none. */
static SECURITY_STATUS receive_answer(struct kerberos_exchange *exchange, krb5_context context,
                                      const struct kerberos_token *token, struct cs_leg *leg, struct cs_writer *output,
                                      struct cs_session **session)
{
    switch (token->kind) {
    case KERBEROS_TGT_REPLY: return receive_tgt(exchange, context, token->message, leg, output, session);
    case KERBEROS_ERROR: return SEC_E_NO_TGT_REPLY;
    default: return SEC_E_INVALID_TOKEN;
    }
}

SECURITY_STATUS kerberos_initiate(struct kerberos_exchange *exchange, krb5_context context, struct cs_leg *leg,
                                  struct cs_writer *output, struct cs_session **session)
{
    struct kerberos_token token;
    if (!exchange->started) {
        exchange->started = true;
        return start(exchange, context, leg, output, session);
    }
    if (!kerberos_token_read(leg->input, &token)) return SEC_E_INVALID_TOKEN;
    if (exchange->waits_for_tgt) return receive_answer(exchange, context, &token, leg, output, session);
    switch (token.kind) {
    case KERBEROS_ERROR: return receive_error(exchange, context, token.message, leg, output, session);
    case KERBEROS_AP_REP: return receive_reply(exchange, context, token.message, leg, output, session);
    default: return SEC_E_INVALID_TOKEN;
    }
}
