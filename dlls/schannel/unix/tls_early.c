/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Data that was under way when a client has begun another handshake: a leg gets it, and DecryptMessage is to hand it
 * out. It comes before that handshake's end, under the old keys, and there is nobody to give it to until then.
 */
#include "tls_context.h"

#include <string.h>

/* More than a peer has under way that is going to answer; this much of a program's memory nobody else may take. */
enum { MOST_EARLY = 1 << 20 };

struct cs_span tls_early_head(struct tls_context *context, struct cs_span records)
{
    struct cs_reader reader = cs_reader_of(records);
    size_t size, missing;
    while (!tls_first_record((struct cs_span){reader.next, reader.remaining}, &size, &missing)) {
        if (*reader.next == TLS_CHANGE_CIPHER_SPEC) context->early_over = true;
        if (*reader.next == TLS_APPLICATION_DATA && !context->early_over) break;
        cs_read_span(&reader, size);
    }
    return (struct cs_span){records.data, records.size - reader.remaining};
}

static SECURITY_STATUS refuse(struct tls_context *context, int error)
{
    gnutls_alert_send_appropriate(context->session, error);
    return tls_status_of(context, error);
}

SECURITY_STATUS tls_early_keep(struct tls_context *context, struct cs_span record)
{
    const size_t before = context->early.size;
    if (before >= MOST_EARLY) return refuse(context, GNUTLS_E_UNEXPECTED_PACKET);
    uint8_t *room = cs_write_room(&context->early, TLS_MAX_PLAIN);
    if (!room) return SEC_E_INSUFFICIENT_MEMORY;
    context->incoming = record;
    const ssize_t got = gnutls_record_recv(context->session, room, TLS_MAX_PLAIN);
    context->early.size = before + (got > 0 ? (size_t)got : 0);
    if (got >= 0 || got == GNUTLS_E_AGAIN) return SEC_E_OK; /* an empty fragment */
    return refuse(context, (int)got);
}

/* A program calls DecryptMessage only for bytes that it has: the last ones that the leg has taken come back to it. */
void tls_early_announce(struct tls_context *context, struct tls_leg *leg)
{
    if (!context->early.size || context->early_room) return;
    context->early_room = leg->consumed < context->early.size ? leg->consumed : context->early.size;
    leg->consumed -= context->early_room;
}

size_t tls_early_take(struct tls_context *context, uint8_t *bytes, size_t size, bool *more)
{
    struct cs_reader reader = cs_reader_of(cs_written(&context->early));
    cs_read_span(&reader, context->early_taken);
    if (size > context->early_room) size = context->early_room;
    if (size > reader.remaining) size = reader.remaining;
    const struct cs_span part = cs_read_span(&reader, size);
    if (size) memcpy(bytes, part.data, size);
    context->early_taken += size;
    *more = reader.remaining;
    if (!*more) {
        cs_writer_drop(&context->early);
        context->early_taken = context->early_room = 0;
    }
    return size;
}
