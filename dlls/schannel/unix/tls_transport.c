/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory in the place of a socket: GnuTLS takes records from a leg's input, and what it sends waits in the context.
 */
#include "tls_context.h"

#include <errno.h>
#include <string.h>

static ssize_t pull(gnutls_transport_ptr_t pointer, void *data, size_t size)
{
    struct tls_context *context = pointer;
    if (!context->incoming.size) {
        gnutls_transport_set_errno(context->session, EAGAIN);
        return -1;
    }
    if (size > context->incoming.size) size = context->incoming.size;
    struct cs_reader reader = cs_reader_of(context->incoming);
    memcpy(data, cs_read_span(&reader, size).data, size);
    context->incoming = (struct cs_span){reader.next, reader.remaining};
    return (ssize_t)size;
}

static ssize_t push(gnutls_transport_ptr_t pointer, const void *data, size_t size)
{
    struct tls_context *context = pointer;
    cs_write_span(&context->outgoing, (struct cs_span){data, size});
    if (!context->outgoing.failed) return (ssize_t)size;
    gnutls_transport_set_errno(context->session, ENOMEM);
    return -1;
}

void tls_transport_join(struct tls_context *context)
{
    gnutls_transport_set_ptr(context->session, context);
    gnutls_transport_set_pull_function(context->session, pull);
    gnutls_transport_set_push_function(context->session, push);
}

SECURITY_STATUS tls_first_record(struct cs_span input, size_t *size, size_t *missing)
{
    struct cs_reader reader = cs_reader_of(input);
    const uint8_t type = cs_read_u8(&reader), major = cs_read_u8(&reader);
    cs_read_u8(&reader);
    const size_t length = cs_read_be(&reader, 2);
    if (input.size >= 1 && (type < TLS_CHANGE_CIPHER_SPEC || type > TLS_APPLICATION_DATA)) return SEC_E_INVALID_TOKEN;
    if (input.size >= 2 && major != 3) return SEC_E_INVALID_TOKEN;
    if (reader.failed) {
        *missing = TLS_HEADER - input.size; /* behaviour.md rows 167 to 169 */
        return SEC_E_INCOMPLETE_MESSAGE;
    }
    if (length > TLS_MAX_PLAIN + TLS_MAX_EXPANSION) return SEC_E_INVALID_TOKEN;
    *size = TLS_HEADER + length;
    if (reader.remaining >= length) return SEC_E_OK;
    *missing = length - reader.remaining;
    return SEC_E_INCOMPLETE_MESSAGE;
}
