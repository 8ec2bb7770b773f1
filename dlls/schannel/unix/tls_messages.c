/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What handshake messages say and GnuTLS does not tell: how much the peer takes in a record, that it wants new keys in
 * return for its own, that a ticket has come, whose certificates a server takes, and which extensions it answers.
 */
#include "tls_context.h"

#include <string.h>

enum { VERSION_AND_RANDOM = 34 }; /* of a hello, in bytes */

enum { USE_SRTP = 14, RECORD_SIZE_LIMIT = 28, SESSION_TICKET = 35 };

struct extension {
    uint16_t number;
    struct cs_span value;
};

/* The next one of those that READER is at; false: there is none. */
static bool next_extension(struct cs_reader *reader, struct extension *extension)
{
    if (!reader->remaining) return false;
    extension->number = (uint16_t)cs_read_be(reader, 2);
    extension->value = cs_read_span(reader, cs_read_be(reader, 2));
    return !reader->failed;
}

/* RFC 8449: of the peer's, in whichever message of the two roles it stands. */
static void find_record_limit(struct tls_context *context, struct cs_span extensions)
{
    struct cs_reader reader = cs_reader_of(extensions);
    struct extension extension;
    while (next_extension(&reader, &extension)) {
        struct cs_reader value = cs_reader_of(extension.value);
        if (extension.number == RECORD_SIZE_LIMIT) context->record_limit = (uint32_t)cs_read_be(&value, 2);
    }
}

/* What a server answers is what both have agreed on: first a ServerHello, then EncryptedExtensions. */
static void note_answers(struct tls_context *context, unsigned type, struct cs_span extensions)
{
    struct cs_reader reader = cs_reader_of(extensions);
    struct extension extension;
    if (type == GNUTLS_HANDSHAKE_SERVER_HELLO) cs_writer_drop(&context->extensions);
    while (next_extension(&reader, &extension)) cs_write_u16(&context->extensions, extension.number);
}

/* *value is what the one of EXTENSIONS with that number says; false: there is none. */
static bool find_extension(struct cs_span extensions, uint16_t number, struct cs_span *value)
{
    struct cs_reader reader = cs_reader_of(extensions);
    struct extension extension;
    while (next_extension(&reader, &extension)) {
        *value = extension.value;
        if (extension.number == number) return true;
    }
    return false;
}

static void skip(struct cs_reader *reader, size_t length_of_length)
{
    cs_read_span(reader, cs_read_be(reader, length_of_length));
}

/* RFC 8446 4.1.2, 4.1.3, 4.3.1; the hellos look the same in TLS 1.2. */
static struct cs_span extensions_of(const struct tls_context *context, unsigned type, struct cs_span message)
{
    struct cs_reader reader = cs_reader_of(message);
    if (type != GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS) {
        cs_read_span(&reader, VERSION_AND_RANDOM);
        skip(&reader, 1); /* session_id */
    }
    if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO) {
        if (context->datagram) skip(&reader, 1); /* cookie */
        skip(&reader, 2);                        /* cipher suites */
        skip(&reader, 1);                        /* compression methods */
    } else if (type == GNUTLS_HANDSHAKE_SERVER_HELLO) {
        cs_read_span(&reader, 3); /* the chosen two */
    }
    return cs_read_span(&reader, cs_read_be(&reader, 2));
}

/* GnuTLS puts ciphers, exchanges and hashes together as it likes, also to suites that the administrator's list lacks.
 */
static bool is_suite_allowed(const struct tls_context *context, struct cs_span server_hello)
{
    struct cs_reader reader = cs_reader_of(server_hello);
    cs_read_span(&reader, VERSION_AND_RANDOM);
    skip(&reader, 1); /* session_id */
    return tls_suite_order_has(&context->credential->suites, (uint16_t)cs_read_be(&reader, 2));
}

/* What a peer says of SRTP: a client before GnuTLS answers it, a server once GnuTLS has read it. 0, or GnuTLS's error.
 */
static int judge_srtp(struct tls_context *context, unsigned type, unsigned when, struct cs_span extensions)
{
    struct cs_span value;
    if (!find_extension(extensions, USE_SRTP, &value)) return 0;
    if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO && when == GNUTLS_HOOK_PRE) return tls_srtp_judge_client(context, value);
    return type == GNUTLS_HANDSHAKE_SERVER_HELLO && when == GNUTLS_HOOK_POST ? tls_srtp_judge_server(context) : 0;
}

/*
 * A server's second handshake resumes nothing, whatever ticket the client shows: the program may have begun it to see a
 * certificate, and GnuTLS (3.7) would send another ticket behind its Finished and fail. It begins that handshake with
 * no tickets at all (tls_priority.c), which ends here, unless one is shown: then once the hello has been read, so that
 * a new one can go out. The function does that for servers, too.
 */
static void allow_tickets(struct tls_context *context, unsigned when, struct cs_span extensions)
{
    struct cs_span ticket;
    const bool shown = find_extension(extensions, SESSION_TICKET, &ticket) && ticket.size;
    if (when == GNUTLS_HOOK_POST || !shown) gnutls_session_ticket_enable_client(context->session);
}

static int look_at_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                           const gnutls_datum_t *message)
{
    struct tls_context *context = gnutls_session_get_ptr(session);
    const struct cs_span bytes = {message->data, message->size};
    if (incoming && context->datagram) {
        const int result = judge_srtp(context, type, when, extensions_of(context, type, bytes));
        if (result) return result;
    }
    if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO && context->phase == TLS_RENEGOTIATING && context->tickets)
        allow_tickets(context, when, extensions_of(context, type, bytes));
    if (when == GNUTLS_HOOK_PRE) return 0;
    if (type == GNUTLS_HANDSHAKE_SERVER_HELLO && !is_suite_allowed(context, bytes)) return GNUTLS_E_NO_CIPHER_SUITES;
    if (type == GNUTLS_HANDSHAKE_SERVER_HELLO || type == GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS)
        note_answers(context, type, extensions_of(context, type, bytes));
    if (!incoming) return 0;
    switch (type) {
    case GNUTLS_HANDSHAKE_CLIENT_HELLO:
    case GNUTLS_HANDSHAKE_SERVER_HELLO:
    case GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS: find_record_limit(context, extensions_of(context, type, bytes)); break;
    case GNUTLS_HANDSHAKE_CERTIFICATE_REQUEST:
        context->asked = true;
        tls_issuers_keep(context, bytes, gnutls_protocol_get_version(session) >= GNUTLS_TLS1_3);
        break;
    case GNUTLS_HANDSHAKE_KEY_UPDATE: context->update_wanted |= message->size && message->data[0] == 1; break;
    case GNUTLS_HANDSHAKE_NEW_SESSION_TICKET: context->ticket_came = true; break;
    default: break;
    }
    return 0;
}

void tls_messages_watch(struct tls_context *context)
{
    gnutls_handshake_set_hook_function(context->session, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH, look_at_message);
}
