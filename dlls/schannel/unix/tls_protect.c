/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptMessage and DecryptMessage: records of application data, in place.
 */
#include "tls_datagram.h"

#include "secure.h"
#include "utf16.h"

#include <string.h>

/* ---- EncryptMessage ---- */

struct outgoing {
    struct cs_buffer *header, *data, *trailer;
};

/* One of each, whatever else is there; TOKEN buffers may stand for header and trailer (EncryptMessage (Schannel)). */
static SECURITY_STATUS find_outgoing(const struct cs_message *message, struct outgoing *out)
{
    *out = (struct outgoing){0};
    for (uint32_t i = 0; i < message->count; i++) {
        struct cs_buffer *buffer = &message->buffers[i], **place;
        switch (cs_buffer_type(buffer)) {
        case SECBUFFER_STREAM_HEADER: place = &out->header; break;
        case SECBUFFER_DATA: place = &out->data; break;
        case SECBUFFER_STREAM_TRAILER: place = &out->trailer; break;
        case SECBUFFER_TOKEN: place = out->data ? &out->trailer : &out->header; break;
        default: continue;
        }
        if (*place) return SEC_E_INVALID_TOKEN;
        *place = buffer;
    }
    return out->header && out->data && out->trailer ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

static uint32_t least(size_t left, uint32_t right)
{
    return left < right ? (uint32_t)left : right;
}

/* GnuTLS's record, spread over the three: header, data and trailer are one stream. */
static SECURITY_STATUS spread(struct cs_writer *record, const struct outgoing *out)
{
    struct cs_buffer *const parts[] = {out->header, out->data, out->trailer};
    struct cs_reader reader = cs_reader_of(cs_written(record));
    for (size_t i = 0; i < 3; i++) {
        const struct cs_span span = cs_read_span(&reader, least(reader.remaining, parts[i]->size));
        if (span.size) memcpy(cs_buffer_bytes(parts[i]), span.data, span.size);
        parts[i]->size = (uint32_t)span.size;
    }
    const bool whole = !reader.remaining && !record->failed;
    cs_writer_drop(record);
    return whole ? SEC_E_OK : SEC_E_ENCRYPT_FAILURE;
}

/* GnuTLS sends no empty record; no record says the same. A leg's token may still wait where the record comes out. */
static SECURITY_STATUS encrypt_by_gnutls(struct tls_context *context, const struct outgoing *out)
{
    const struct cs_writer token = context->outgoing;
    ssize_t sent = 0;
    context->outgoing = (struct cs_writer){0};
    if (out->data->size) sent = gnutls_record_send(context->session, cs_buffer_bytes(out->data), out->data->size);
    SECURITY_STATUS status = spread(&context->outgoing, out);
    if (sent < 0 || (size_t)sent != out->data->size) status = SEC_E_ENCRYPT_FAILURE;
    context->outgoing = token;
    return status;
}

/* What stands in front of the record: the handshake's last flight, once, and then as much of nothing. */
static bool write_deferred(struct tls_context *context, uint8_t *header)
{
    if (!context->deferred_room) return true;
    if (!context->deferred.size) return tls_aead_pad(&context->write, header, context->deferred_room);
    memcpy(header, context->deferred.data, context->deferred_room);
    cs_writer_drop(&context->deferred);
    return true;
}

static SECURITY_STATUS encrypt(struct tls_context *context, const struct outgoing *out)
{
    if (context->phase == TLS_FAILED) return context->failure;
    if (context->phase == TLS_HANDSHAKING) return SEC_E_INVALID_HANDLE;
    if (context->phase == TLS_RENEGOTIATING || context->rehandshake_asked || context->shut_down)
        return SEC_E_CONTEXT_EXPIRED;
    if (out->data->size > context->maximum) return SEC_E_ENCRYPT_FAILURE;
    if (out->header->size < context->header || out->trailer->size < context->trailer) return SEC_E_BUFFER_TOO_SMALL;
    out->header->size = context->header;
    if (context->write.protection == TLS_BY_GNUTLS) return encrypt_by_gnutls(context, out);
    out->trailer->size = context->trailer;
    uint8_t *header = cs_buffer_bytes(out->header);
    return write_deferred(context, header) &&
                   tls_aead_protect(&context->write, header + context->deferred_room, cs_buffer_bytes(out->data),
                                    out->data->size, cs_buffer_bytes(out->trailer))
               ? SEC_E_OK
               : SEC_E_ENCRYPT_FAILURE;
}

SECURITY_STATUS tls_encrypt(struct tls_context *context, const struct cs_message *message)
{
    struct outgoing out;
    SECURITY_STATUS status = find_outgoing(message, &out);
    if (status) return status;
    status = tls_lock_writing(context) ? encrypt(context, &out) : SEC_E_INTERNAL_ERROR;
    cs_unlock(&context->writing);
    return status;
}

/* ---- DecryptMessage ---- */

enum { PLACES = 4 };

/* DATA and the first three EMPTY, in the order in which they stand, which is that of what comes out. */
struct incoming {
    struct cs_buffer *data, *places[PLACES];
};

static SECURITY_STATUS find_incoming(const struct cs_message *message, struct incoming *in)
{
    uint32_t count = 0, empty = 0;
    *in = (struct incoming){0};
    for (uint32_t i = 0; i < message->count; i++) {
        struct cs_buffer *buffer = &message->buffers[i];
        const uint32_t type = cs_buffer_type(buffer);
        if (type == SECBUFFER_DATA) {
            if (in->data) return SEC_E_INVALID_TOKEN;
            in->data = buffer;
        } else if (type != SECBUFFER_EMPTY || ++empty > PLACES - 1) {
            continue;
        }
        if (count < PLACES) in->places[count++] = buffer;
    }
    return in->data && empty >= PLACES - 1 && count == PLACES ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

static void set(struct cs_buffer *buffer, uint32_t type, const uint8_t *bytes, size_t size)
{
    *buffer = (struct cs_buffer){(uint32_t)size, type, (uintptr_t)bytes};
}

/* RECORD of INPUT has been taken, and PLAIN is what it carried. */
static void set_taken(const struct incoming *in, struct cs_span input, size_t record, struct cs_span plain)
{
    const size_t before = (size_t)(plain.data - input.data), extra = input.size - record;
    set(in->places[0], SECBUFFER_STREAM_HEADER, input.data, before);
    set(in->places[1], SECBUFFER_DATA, plain.data, plain.size);
    set(in->places[2], SECBUFFER_STREAM_TRAILER, plain.data + plain.size, record - before - plain.size);
    set(in->places[3], extra ? SECBUFFER_EXTRA : SECBUFFER_EMPTY, extra ? input.data + record : NULL, extra);
}

/* One that carries no data, and has been taken; or, with TAKEN 0, is left for the next leg. */
static void set_no_data(const struct tls_context *context, const struct incoming *in, struct cs_span input,
                        size_t taken)
{
    const size_t before = taken > context->header ? context->header : taken;
    set_taken(in, input, taken, (struct cs_span){input.data + before, 0});
}

/* What DecryptMessage goes on from, to the next record; no status of Windows's. */
#define TLS_I_PASS_OVER ((SECURITY_STATUS)0x00000002)

/* Tickets and keys, for programs that would not know what to do with them. */
static SECURITY_STATUS take_quietly(struct tls_context *context, struct cs_span record)
{
    SECURITY_STATUS status = tls_take_record(context, record);
    if (status) return status;
    tls_sessions_keep(context);
    return TLS_I_PASS_OVER;
}

/*
 * The peer's wish for a new handshake goes to GnuTLS at once, if it is the server's (behaviour.md row 208); what a leg
 * has to take (tickets, keys, a ClientHello) is left to it.
 */
static SECURITY_STATUS take_other(struct tls_context *context, const struct incoming *in, struct cs_span input,
                                  size_t record, uint8_t type)
{
    const bool asks = type == TLS_HANDSHAKE && !context->server && context->read.protection != TLS_1_3 &&
                      gnutls_protocol_get_version(context->session) < GNUTLS_TLS1_3;
    if (type == TLS_HANDSHAKE && context->credential->habits & TLS_QUIET && context->read.protection == TLS_1_3 &&
        !tls_record_wants_answer(context, (struct cs_span){input.data, record}))
        return take_quietly(context, (struct cs_span){input.data, record});
    if (type == TLS_HANDSHAKE && !asks) {
        set_no_data(context, in, input, 0);
        return SEC_I_RENEGOTIATE;
    }
    SECURITY_STATUS status = tls_take_record(context, (struct cs_span){input.data, record});
    if (status < 0) return status;
    context->rehandshake_asked = status == SEC_I_RENEGOTIATE;
    cs_span_drop(&context->asking);
    if (context->rehandshake_asked && !cs_span_copy(&context->asking, (struct cs_span){input.data, record}))
        return tls_fail(context, SEC_E_INSUFFICIENT_MEMORY);
    set_no_data(context, in, input, record);
    return status;
}

static SECURITY_STATUS lock_and_take_other(struct tls_context *context, const struct incoming *in, struct cs_span input,
                                           size_t record, uint8_t type)
{
    SECURITY_STATUS status = tls_lock_writing(context) ? take_other(context, in, input, record, type)
                                                       : tls_fail(context, SEC_E_INTERNAL_ERROR);
    cs_unlock(&context->writing);
    return status;
}

/* The writing direction must see it, too. */
static SECURITY_STATUS fail(struct tls_context *context, SECURITY_STATUS status)
{
    if (tls_lock_writing(context))
        tls_fail_aloud(context, status);
    else
        tls_fail(context, status);
    cs_unlock(&context->writing);
    return status;
}

static SECURITY_STATUS decrypt_aead(struct tls_context *context, const struct incoming *in, struct cs_span input,
                                    size_t record)
{
    uint8_t *bytes = cs_buffer_bytes(in->data), type;
    struct cs_span plain;
    if (context->read.protection != TLS_1_3 && bytes[0] != TLS_APPLICATION_DATA)
        return lock_and_take_other(context, in, input, record, bytes[0]);
    /* Unencrypted change_cipher_spec, which a peer may send for middleboxes (RFC 8446 5), ends with the handshake. */
    if (bytes[0] != TLS_APPLICATION_DATA) return fail(context, SEC_E_ILLEGAL_MESSAGE);
    if (!tls_aead_unprotect(&context->read, bytes, record, &plain, &type)) return fail(context, SEC_E_MESSAGE_ALTERED);
    if (type != TLS_APPLICATION_DATA) {
        tls_aead_restore(&context->read, bytes, record);
        return lock_and_take_other(context, in, input, record, type);
    }
    set_taken(in, input, record, plain);
    return SEC_E_OK;
}

/* GnuTLS decrypts into its own memory; the data goes to where it would lie had it been decrypted in place. */
static SECURITY_STATUS decrypt_by_gnutls(struct tls_context *context, const struct incoming *in, struct cs_span input,
                                         size_t record)
{
    uint8_t *bytes = cs_buffer_bytes(in->data);
    if (tls_record_type(context, input) != TLS_APPLICATION_DATA)
        return lock_and_take_other(context, in, input, record, bytes[0]);
    context->incoming = (struct cs_span){input.data, record};
    const ssize_t size = gnutls_record_recv(context->session, bytes + TLS_HEADER, record - TLS_HEADER);
    context->incoming = (struct cs_span){NULL, 0};
    if (size == GNUTLS_E_AGAIN) { /* an empty fragment */
        set_no_data(context, in, input, record);
        return SEC_E_OK;
    }
    if (size < 0)
        return fail(context, size == GNUTLS_E_MEMORY_ERROR ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_MESSAGE_ALTERED);
    set_taken(in, input, record, (struct cs_span){bytes + TLS_HEADER, (size_t)size});
    return SEC_E_OK;
}

/* The record that DATA begins with; its size in *record. */
static SECURITY_STATUS decrypt_first(struct tls_context *context, const struct incoming *in, size_t *record)
{
    const struct cs_span input = {cs_buffer_bytes(in->data), in->data->size};
    size_t missing;
    SECURITY_STATUS status = tls_first_record(input, record, &missing);
    if (status == SEC_E_INCOMPLETE_MESSAGE) set(in->data, SECBUFFER_MISSING, input.data, missing);
    if (status == SEC_E_INVALID_TOKEN) return fail(context, SEC_E_MESSAGE_ALTERED); /* no record begins like that */
    if (status) return status;
    return context->read.protection == TLS_BY_GNUTLS ? decrypt_by_gnutls(context, in, input, *record)
                                                     : decrypt_aead(context, in, input, *record);
}

/* What came in a handshake lies where the leg's last bytes were, which come once more as long as there is more: a
 * program is done with DATA when it moves EXTRA. */
static void hand_out_early(struct tls_context *context, const struct incoming *in, struct cs_span input)
{
    const size_t room = context->early_room < input.size ? context->early_room : input.size;
    bool more;
    const size_t size = tls_early_take(context, cs_buffer_bytes(in->data), room, &more);
    set_taken(in, input, room, (struct cs_span){input.data, size});
    if (more) set(in->places[3], SECBUFFER_EXTRA, input.data, input.size);
}

/* A leg that has taken no bytes could not announce what was kept: the next record's data goes behind that, and its
 * bytes stand for all of it. */
static SECURITY_STATUS put_behind_early(struct tls_context *context, const struct incoming *in,
                                        const struct cs_buffer *whole, size_t record)
{
    cs_write_span(&context->early, (struct cs_span){cs_buffer_bytes(in->places[1]), in->places[1]->size});
    if (context->early.failed) return fail(context, SEC_E_INSUFFICIENT_MEMORY);
    context->early_room = record;
    *in->data = *whole;
    hand_out_early(context, in, (struct cs_span){cs_buffer_bytes(whole), whole->size});
    return SEC_E_OK;
}

static SECURITY_STATUS decrypt(struct tls_context *context, const struct incoming *in)
{
    if (context->phase == TLS_FAILED) return context->failure;
    if (context->phase == TLS_HANDSHAKING) return SEC_E_INVALID_HANDLE;
    if (context->phase == TLS_CLOSED) return SEC_I_CONTEXT_EXPIRED;
    if (context->phase == TLS_RENEGOTIATING || context->rehandshake_asked) return SEC_E_CONTEXT_EXPIRED;
    const struct cs_buffer whole = *in->data;
    if (context->early_room && whole.size) {
        hand_out_early(context, in, (struct cs_span){cs_buffer_bytes(&whole), whole.size});
        return SEC_E_OK;
    }
    size_t taken = 0, record = 0;
    SECURITY_STATUS status = TLS_I_PASS_OVER;
    while (status == TLS_I_PASS_OVER) {
        taken += record;
        *in->data = (struct cs_buffer){whole.size - (uint32_t)taken, SECBUFFER_DATA, whole.address + taken};
        status = decrypt_first(context, in, &record);
    }
    if (status == SEC_E_OK && context->early.size) return put_behind_early(context, in, &whole, taken + record);
    if (status != SEC_E_INCOMPLETE_MESSAGE || !taken) return status;
    /* What was taken is gone, and the program is told by a record without data, as there are others. */
    *in->data = whole;
    set_no_data(context, in, (struct cs_span){cs_buffer_bytes(&whole), whole.size}, taken);
    return SEC_E_OK;
}

/* GnuTLS may send, too: both directions. */
static SECURITY_STATUS decrypt_datagram(struct tls_context *context, const struct incoming *in)
{
    const struct cs_span datagram = {cs_buffer_bytes(in->data), in->data->size};
    struct dtls_opened opened;
    if (context->phase == TLS_FAILED) return context->failure;
    if (context->phase == TLS_HANDSHAKING) return SEC_E_INVALID_HANDLE;
    if (context->phase == TLS_CLOSED) return SEC_I_CONTEXT_EXPIRED;
    SECURITY_STATUS status =
        tls_lock_writing(context) ? dtls_open(context, datagram, &opened) : tls_fail(context, SEC_E_INTERNAL_ERROR);
    cs_unlock(&context->writing);
    if (status >= 0) set_taken(in, datagram, opened.size, opened.plain);
    return status;
}

SECURITY_STATUS tls_decrypt(struct tls_context *context, const struct cs_message *message)
{
    struct incoming in;
    SECURITY_STATUS status = find_incoming(message, &in);
    if (status) return status;
    status = !tls_lock_reading(context) ? SEC_E_INTERNAL_ERROR
             : context->datagram        ? decrypt_datagram(context, &in)
                                        : decrypt(context, &in);
    cs_unlock(&context->reading);
    return status;
}
