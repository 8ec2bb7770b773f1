/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a server asks for a certificate, seen before GnuTLS sees it: it chooses a client's certificate as soon as it
 * is asked for one. That is in the open up to TLS 1.2 (RFC 5246 7.4.4); in TLS 1.3 nobody sees it beforehand.
 */
#include "tls_context.h"

/* GnuTLS takes no larger message either. */
enum { CERTIFICATE_REQUEST = 13, LARGEST_REQUEST = 128 * 1024 };

/* One record's part of the stream of messages. */
static bool scan(struct tls_scan *scan, struct cs_reader *reader)
{
    bool asked = false;
    while (reader->remaining) {
        if (scan->left) {
            const size_t size = scan->left < reader->remaining ? scan->left : reader->remaining;
            const struct cs_span part = cs_read_span(reader, size);
            const bool request = scan->header[0] == CERTIFICATE_REQUEST;
            scan->left -= size;
            if (request && scan->request.size + size <= LARGEST_REQUEST) cs_write_span(&scan->request, part);
            asked |= request && !scan->left;
            continue;
        }
        scan->header[scan->have++] = cs_read_u8(reader);
        if (scan->have < sizeof scan->header) continue;
        scan->have = 0;
        scan->left = (size_t)scan->header[1] << 16 | (size_t)scan->header[2] << 8 | scan->header[3];
        if (scan->header[0] == CERTIFICATE_REQUEST) cs_writer_drop(&scan->request);
    }
    return asked;
}

bool tls_asks_for_certificate(struct tls_scan *state, struct cs_span records)
{
    bool asked = false;
    struct cs_reader reader = cs_reader_of(records);
    while (reader.remaining) {
        const uint8_t type = cs_read_u8(&reader);
        cs_read_span(&reader, 2); /* version */
        struct cs_reader record = cs_reader_of(cs_read_span(&reader, (size_t)cs_read_be(&reader, 2)));
        if (type == TLS_CHANGE_CIPHER_SPEC) break; /* what follows is encrypted */
        if (type == TLS_HANDSHAKE) asked |= scan(state, &record);
    }
    return asked;
}
