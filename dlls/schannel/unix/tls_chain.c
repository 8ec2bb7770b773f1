/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Certificates as they stand in a Certificate message (RFC 5246 7.4.2): each behind its length in three bytes.
 */
#include "tls_context.h"

SECURITY_STATUS tls_chain_read(struct cs_span chain, gnutls_datum_t *certificates, unsigned room, unsigned *count)
{
    struct cs_reader reader = cs_reader_of(chain);
    *count = 0;
    while (reader.remaining && !reader.failed && *count < room) {
        const struct cs_span der = cs_read_span(&reader, cs_read_be(&reader, 3));
        certificates[(*count)++] = (gnutls_datum_t){(uint8_t *)der.data, (unsigned)der.size};
    }
    return reader.failed || reader.remaining ? SEC_E_UNKNOWN_CREDENTIALS : SEC_E_OK;
}

void tls_chain_write(struct cs_writer *output, const gnutls_datum_t *certificates, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        cs_write_be(output, certificates[i].size, 3);
        cs_write_span(output, (struct cs_span){certificates[i].data, certificates[i].size});
    }
}
