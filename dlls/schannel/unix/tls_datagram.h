/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DTLS (RFC 6347): what a context whose records travel in datagrams does differently. A leg's input is one datagram,
 * and so is its token. Whatever is wrong with a datagram it is dropped, as if the network had lost it, and a leg
 * without input says that time is up: what was sent last is sent once more.
 */
#ifndef COUNTERSIGN_TLS_DATAGRAM_H
#define COUNTERSIGN_TLS_DATAGRAM_H

#include "tls_handshake.h"

/* RFC 6347 4.1 and 4.2.2: the headers of records, and of handshake messages in them. */
enum { DTLS_HEADER = 13, DTLS_MESSAGE_HEADER = 12 };

/* More messages than any flight has. */
enum { DTLS_MOST_MESSAGES = 16 };

/* A record as its header describes it. */
struct dtls_record {
    uint8_t type;
    uint16_t epoch;
    uint64_t number; /* 48 bits, within the epoch */
    size_t size;     /* bytes, its header included */
    struct cs_span body;
};

/*
 * tls_datagram.c. The record that DATAGRAM begins with. False: none does, or it is cut off; then nothing of the rest of
 * the datagram can be told apart either.
 */
bool dtls_record_read(struct cs_span datagram, struct dtls_record *record);

/* The fragment of a handshake message that an unencrypted record begins with. */
struct dtls_message {
    uint8_t type;
    uint16_t number;
    uint32_t size, offset, length; /* bytes: of the message; where the fragment is in it, and how long */
};

/* False: RECORD is none of an unencrypted handshake's. */
bool dtls_message_read(const struct dtls_record *record, struct dtls_message *message);

/* In the place of tls_transport_join: GnuTLS gets one record of context->incoming at a time, and never waits. */
void dtls_join(struct tls_context *context);

/* The largest datagram from now on, BYTES without those of UDP and IP; 0 leaves it. Both directions are locked. */
void dtls_use_mtu(struct tls_context *context, uint32_t bytes);

/* tls_context's header, trailer and maximum, once the handshake is through. */
void dtls_set_sizes(struct tls_context *context);

/* tls_datagram_legs.c: whether a server asks for a certificate in DATAGRAM, as tls_asks_for_certificate. */
bool dtls_asks_for_certificate(struct cs_span datagram);

/* tls_datagram_legs.c: tls_take_record of datagrams; a wish for a new handshake is declined. Statuses as that has, but
 * for SEC_I_RENEGOTIATE. */
SECURITY_STATUS dtls_take_record(struct tls_context *context, struct cs_span record);

/*
 * A leg of a context of datagrams, which has not failed: statuses as tls_leg. What is to be sent is
 * in context->outgoing.
 */
SECURITY_STATUS dtls_leg(struct tls_context *context, struct tls_leg *leg);

/* What comes after tls_leg's STATUS: the first datagram of context->outgoing is the leg's token, with
 * SEC_I_MESSAGE_FRAGMENT if there are more. */
SECURITY_STATUS dtls_deliver(struct tls_context *context, struct tls_leg *leg, SECURITY_STATUS status);

/* Takes SIZE bytes, the token of the last leg, from context->outgoing. SEC_E_OK; SEC_E_BUFFER_TOO_SMALL: it has another
 * size. */
SECURITY_STATUS dtls_fetch(struct tls_context *context, void *room, size_t size);

/*
 * tls_datagram_flight.c: the flight that was sent last. Notes what a leg has appended to context->outgoing, from BEFORE
 * on; appends it once more, for when GnuTLS has no more of it; and tells whether DATAGRAM has what that flight answers,
 * which the peer sends again when it has not come (RFC 6347 4.2.4). GnuTLS drops that, and would wait for its own time.
 */
bool dtls_flight_is_asked_for(struct tls_context *context, struct cs_span datagram);
void dtls_flight_note(struct tls_context *context, size_t before);
void dtls_flight_repeat(struct tls_context *context);
void dtls_flight_drop(struct tls_context *context);

/*
 * tls_datagram_cookie.c: RFC 6347 4.2.1. Whether DATAGRAM is a ClientHello, or its beginning; and whether it shows the
 * cookie that belongs to ADDRESS, which is the caller's to choose: GnuTLS then goes on from there. If not, a
 * HelloVerifyRequest is in context->outgoing.
 */
bool dtls_is_hello(struct cs_span datagram);
bool dtls_take_cookie(struct tls_context *context, struct cs_span datagram, struct cs_span address);

/* tls_datagram_protect.c. What a datagram's first record was. */
struct dtls_opened {
    size_t size;          /* bytes of the record, or of what was dropped */
    struct cs_span plain; /* in place */
};

/*
 * Opens the first record of DATAGRAM in place. SEC_E_OK: that is data, or nothing worth to be mentioned;
 * SEC_I_CONTEXT_EXPIRED: close_notify; SEC_I_RENEGOTIATE: the next leg has something to send, and the record is still
 * to be passed to it; SEC_E_OUT_OF_SEQUENCE: it has come before, or too late; SEC_E_MESSAGE_ALTERED: it does not
 * verify. The last two have changed nothing: the connection goes on (RFC 6347 4.1.2.7). Other failures are the
 * context's end. Both directions are locked.
 */
SECURITY_STATUS dtls_open(struct tls_context *context, struct cs_span datagram, struct dtls_opened *opened);

#endif
