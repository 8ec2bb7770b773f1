/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records in datagrams after the handshake. Nothing that comes from outside ends the connection unless it verifies: not
 * a forged record, not one that comes twice, and not the peer's last flight once more, which is a sign of a lost
 * answer.
 */
#include "tls_datagram.h"

#include "secure.h"

#include <string.h>

enum { WINDOW = 64 };

/* RFC 6347 4.1.2.6: whether a record with NUMBER may still come. GnuTLS has such a window too, but does not tell a
 * record that it drops for that from a forged one. */
static bool is_new(const struct dtls_window *window, uint64_t number)
{
    if (number >= window->next) return true;
    const uint64_t age = window->next - 1 - number;
    return age < WINDOW && !(window->came >> age & 1);
}

static void mark(struct dtls_window *window, uint64_t number)
{
    if (number < window->next) {
        window->came |= UINT64_C(1) << (window->next - 1 - number);
        return;
    }
    const uint64_t moved = number + 1 - window->next;
    window->came = (moved < WINDOW ? window->came << moved : 0) | 1;
    window->next = number + 1;
}

static SECURITY_STATUS open_data(struct tls_context *context, const struct dtls_record *record, struct cs_span bytes,
                                 struct cs_span *plain)
{
    uint8_t *const data = (uint8_t *)bytes.data + context->header;
    if (!is_new(&context->window, record->number)) return SEC_E_OUT_OF_SEQUENCE;
    if (bytes.size <= context->header) return SEC_E_MESSAGE_ALTERED;
    ssize_t size = GNUTLS_E_AGAIN;
    context->incoming = bytes;
    /* What it still has of the handshake, such as a change_cipher_spec that came twice, it drops first. */
    while (size == GNUTLS_E_AGAIN && context->incoming.size)
        size = gnutls_record_recv(context->session, data, bytes.size - context->header);
    context->incoming = (struct cs_span){NULL, 0};
    if (size == GNUTLS_E_AGAIN || size == GNUTLS_E_INTERRUPTED) return SEC_E_MESSAGE_ALTERED;
    if (size < 0) return tls_fail(context, tls_status_of(context, (int)size));
    mark(&context->window, record->number);
    *plain = (struct cs_span){data, (size_t)size};
    return SEC_E_OK;
}

/* What is not encrypted proves nothing. The rest is GnuTLS's, which may have an answer; a leg sends it. */
static SECURITY_STATUS open_other(struct tls_context *context, const struct dtls_record *record, struct cs_span bytes)
{
    if (!record->epoch) return SEC_E_OK;
    const SECURITY_STATUS status = dtls_take_record(context, bytes);
    if (status || !context->outgoing.size) return status;
    context->undelivered = true;
    context->waiting = SEC_E_OK;
    context->taken = 0;
    return SEC_I_RENEGOTIATE;
}

SECURITY_STATUS dtls_open(struct tls_context *context, struct cs_span datagram, struct dtls_opened *opened)
{
    struct dtls_record record;
    opened->size = datagram.size;
    opened->plain = (struct cs_span){datagram.data, 0};
    if (!dtls_record_read(datagram, &record)) return SEC_E_MESSAGE_ALTERED;
    const struct cs_span bytes = {datagram.data, record.size};
    opened->size = record.size;
    if (record.type == TLS_APPLICATION_DATA) return open_data(context, &record, bytes, &opened->plain);
    const SECURITY_STATUS status = open_other(context, &record, bytes);
    if (status == SEC_I_RENEGOTIATE) opened->size = 0;
    return status;
}
