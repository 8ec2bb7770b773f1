/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Context tokens' framing.
 */
#include "kerberos_token.h"

#include <string.h>

static const uint8_t oid_bytes[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02};
static const uint8_t oid_ms_bytes[] = {0x2A, 0x86, 0x48, 0x82, 0xF7, 0x12, 0x01, 0x02, 0x02};
static const uint8_t oid_user_to_user_bytes[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02, 0x03};
const struct cs_span kerberos_oid = {oid_bytes, sizeof oid_bytes};
const struct cs_span kerberos_oid_ms = {oid_ms_bytes, sizeof oid_ms_bytes};
const struct cs_span kerberos_oid_user_to_user = {oid_user_to_user_bytes, sizeof oid_user_to_user_bytes};

/*
 * The token id (RFC 4121 4.1), and the message's own tag: APPLICATION 14, 15 and 30 (RFC 4120 5.10). The messages of
 * user-to-user are plain SEQUENCEs, which only their frame tells.
 */
static const struct {
    uint16_t id; /* little-endian on the wire: 01 00, 02 00, 03 00, 04 00, 04 01 */
    uint8_t tag;
} kinds[] = {
    [KERBEROS_AP_REQ] = {0x0001, 0x6E},
    [KERBEROS_AP_REP] = {0x0002, 0x6F},
    [KERBEROS_ERROR] = {0x0003, 0x7E},
    [KERBEROS_TGT_REQUEST] = {0x0004, DER_SEQUENCE},
    [KERBEROS_TGT_REPLY] = {0x0104, DER_SEQUENCE},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static bool same(struct cs_span left, struct cs_span right)
{
    return left.size == right.size && !memcmp(left.data, right.data, left.size);
}

static bool read_oid(struct cs_span oid, bool *user_to_user)
{
    if (!oid.size) return false;
    *user_to_user = same(oid, kerberos_oid_user_to_user);
    return *user_to_user || same(oid, kerberos_oid) || same(oid, kerberos_oid_ms);
}

/* By the tag, and in a frame by ID too. */
static bool read_kind(struct kerberos_token *token, uint16_t id)
{
    for (int i = 0; i < KINDS; i++) {
        if (kinds[i].tag != *token->message.data || (token->framed && kinds[i].id != id)) continue;
        token->kind = (enum kerberos_token_kind)i;
        return kinds[i].tag != DER_SEQUENCE || token->user_to_user;
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
    *token = (struct kerberos_token){.framed = cs_der_next_is(&reader, DER_APPLICATION_0), .message = input};
    if (token->framed) {
        struct cs_reader inner = cs_der_enter(&reader, DER_APPLICATION_0);
        const bool known = read_oid(cs_der_read(&inner, DER_OID), &token->user_to_user);
        id = cs_read_u16(&inner);
        if (inner.failed || reader.remaining || !known) return false;
        token->message = (struct cs_span){inner.next, inner.remaining};
    }
    return token->message.size && read_kind(token, id) && is_one_element(token->message);
}

void kerberos_token_write(struct cs_writer *output, const struct kerberos_token *token)
{
    const size_t start = output->size;
    if (token->framed) {
        cs_der_write(output, DER_OID, token->user_to_user ? kerberos_oid_user_to_user : kerberos_oid);
        cs_write_u16(output, kinds[token->kind].id);
    }
    cs_write_span(output, token->message);
    if (token->framed) cs_der_wrap(output, start, DER_APPLICATION_0);
}
