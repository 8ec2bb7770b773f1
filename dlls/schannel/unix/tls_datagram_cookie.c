/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cookies: a client shows that it can be reached at its address before a server does anything for it (RFC 6347 4.2.1).
 * Without them, anybody makes a server send its certificates to somebody else. A cookie is GnuTLS's, made from the
 * address under the credential's key, so that a server need not keep the context that has asked for it.
 */
#include "tls_datagram.h"

#include <gnutls/dtls.h>
#include <string.h>

bool dtls_is_hello(struct cs_span datagram)
{
    enum { CLIENT_HELLO = 1 };
    struct dtls_record record;
    struct dtls_message message;
    return dtls_record_read(datagram, &record) && dtls_message_read(&record, &message) &&
           message.type == CLIENT_HELLO && !message.offset;
}

static ssize_t push(gnutls_transport_ptr_t pointer, const void *data, size_t size)
{
    struct tls_context *context = pointer;
    cs_write_span(&context->outgoing, (struct cs_span){data, size});
    return (ssize_t)size;
}

/* A wrong cookie is as good as none: the key may be a new one. */
bool dtls_take_cookie(struct tls_context *context, struct cs_span datagram, struct cs_span address)
{
    gnutls_datum_t *key = &context->credential->cookie_key;
    gnutls_dtls_prestate_st state = {0};
    void *const client = (void *)address.data, *const message = (void *)datagram.data;
    if (!gnutls_dtls_cookie_verify(key, client, address.size, message, datagram.size, &state)) {
        gnutls_dtls_prestate_set(context->session, &state);
        return true;
    }
    struct dtls_record record;
    if (dtls_record_read(datagram, &record)) state.record_seq = (unsigned)record.number; /* which it has to mirror */
    gnutls_dtls_cookie_send(key, client, address.size, &state, context, push);
    return false;
}
