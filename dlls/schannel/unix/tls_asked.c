/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a server asks for a certificate, seen before GnuTLS sees it: it chooses a client's certificate as soon as it
 * is asked for one. That is in the open up to TLS 1.2 (RFC 5246 7.4.4); in TLS 1.3 it is under the handshake's keys,
 * which GnuTLS has once it has seen the ServerHello, and in a second handshake under those of the first.
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

struct cs_span tls_open_head(struct cs_span records)
{
    struct cs_reader reader = cs_reader_of(records);
    while (reader.remaining && reader.next[0] != TLS_APPLICATION_DATA) {
        cs_read_span(&reader, 3); /* type and version */
        cs_read_span(&reader, (size_t)cs_read_be(&reader, 2));
    }
    return (struct cs_span){records.data, records.size - reader.remaining};
}

/* RECORD, opened in a copy, for GnuTLS is still to get it. False: it is no handshake record under these keys. */
static bool scan_in_secret(struct tls_scan *state, struct tls_direction *keys, struct cs_span record, bool *asked)
{
    struct cs_writer copy = {0};
    struct cs_span plain;
    uint8_t type = 0;
    cs_write_span(&copy, record);
    bool opened = !copy.failed && tls_aead_unprotect(keys, copy.data, copy.size, &plain, &type);
    if (opened && type == TLS_HANDSHAKE) {
        struct cs_reader reader = cs_reader_of(plain);
        *asked |= scan(state, &reader);
    }
    cs_writer_drop(&copy);
    return opened;
}

bool tls_asks_in_secret(struct tls_context *context, struct cs_span records, bool tls13)
{
    struct tls_direction keys = {.protection = TLS_BY_GNUTLS};
    struct cs_reader reader = cs_reader_of(records);
    bool asked = false;
    bool readable = tls_records_peek(context, &keys) == SEC_E_OK && keys.protection != TLS_BY_GNUTLS &&
                    (keys.protection == TLS_1_3) == tls13;
    while (readable && !asked && reader.remaining) {
        size_t size, missing;
        if (tls_first_record((struct cs_span){reader.next, reader.remaining}, &size, &missing)) break;
        const struct cs_span record = cs_read_span(&reader, size);
        if (record.data[0] != TLS_CHANGE_CIPHER_SPEC)
            readable = scan_in_secret(&context->scan, &keys, record, &asked);
        else
            readable = tls13; /* where it says nothing; before, other keys come with it */
    }
    tls_direction_drop(&keys);
    return asked;
}
