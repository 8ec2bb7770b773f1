/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Context tokens' framing.
 */
#include "kerberos_token.h"

#include <string.h>

static const uint8_t oid_bytes[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02};
static const uint8_t oid_ms_bytes[] = {0x2A, 0x86, 0x48, 0x82, 0xF7, 0x12, 0x01, 0x02, 0x02};
const struct cs_span kerberos_oid = {oid_bytes, sizeof oid_bytes};
const struct cs_span kerberos_oid_ms = {oid_ms_bytes, sizeof oid_ms_bytes};

/* The token id (RFC 4121 4.1), and the message's own tag: APPLICATION 14, 15 and 30 (RFC 4120 5.10). */
static const struct {
    uint16_t id; /* little-endian on the wire: 01 00, 02 00, 03 00 */
    uint8_t tag;
} kinds[] = {
    [KERBEROS_AP_REQ] = {1, 0x6E},
    [KERBEROS_AP_REP] = {2, 0x6F},
    [KERBEROS_ERROR] = {3, 0x7E},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static bool is_oid(struct cs_span oid)
{
    return oid.size == sizeof oid_bytes &&
           (!memcmp(oid.data, oid_bytes, oid.size) || !memcmp(oid.data, oid_ms_bytes, oid.size));
}

static bool read_kind(uint8_t tag, enum kerberos_token_kind *kind)
{
    for (int i = 0; i < KINDS; i++) {
        if (kinds[i].tag != tag) continue;
        *kind = (enum kerberos_token_kind)i;
        return true;
    }
    return false;
}

/* The message must fill what encloses it: bytes after it would be no part of what anybody verifies. */
static bool is_one_element(struct cs_span message)
{
    struct cs_reader reader = cs_reader_of(message);
    cs_der_read(&reader, message.data[0]);
    return !reader.failed && !reader.remaining;
}

bool kerberos_token_read(struct cs_span input, struct kerberos_token *token)
{
    struct cs_reader reader = cs_reader_of(input);
    uint16_t id = 0;
    token->framed = cs_der_next_is(&reader, DER_APPLICATION_0);
    token->message = input;
    if (token->framed) {
        struct cs_reader inner = cs_der_enter(&reader, DER_APPLICATION_0);
        const bool known = is_oid(cs_der_read(&inner, DER_OID));
        id = cs_read_u16(&inner);
        if (inner.failed || reader.remaining || !known) return false;
        token->message = (struct cs_span){inner.next, inner.remaining};
    }
    if (!token->message.size || !read_kind(token->message.data[0], &token->kind)) return false;
    return (!token->framed || kinds[token->kind].id == id) && is_one_element(token->message);
}

void kerberos_token_write(struct cs_writer *output, const struct kerberos_token *token)
{
    const size_t start = output->size;
    if (token->framed) {
        cs_der_write(output, DER_OID, kerberos_oid);
        cs_write_u16(output, kinds[token->kind].id);
    }
    cs_write_span(output, token->message);
    if (token->framed) cs_der_wrap(output, start, DER_APPLICATION_0);
}
