/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos's tokens in words: which message one is, and its framing (RFC 2743 3.1, RFC 4121 4.1).
 */
#include "describe_kerberos.h"
#include "kerberos_token.h"
#include "tlv.h"

#include <libintl.h>
#include <string.h>

#define _(text) dgettext("countersign", text)

enum { NO_ID = -1 };

/* The messages by their tags, RFC 4120 5.10, and the ids that they have in a frame; a SEQUENCE is told by its id. */
static const struct message_kind {
    const char *name;
    uint8_t tag;
    int id;
    bool (*describe)(struct cs_description *description, struct cs_span message);
} kinds[] = {
    {"Kerberos AP-REQ", 0x6E, 0x0100, kerberos_describe_ap_req},
    {"Kerberos AP-REP", 0x6F, 0x0200, kerberos_describe_ap_rep},
    {"Kerberos KRB-ERROR", 0x7E, 0x0300, kerberos_describe_error},
    {"Kerberos AS-REQ", 0x6A, NO_ID, kerberos_describe_as_req},
    {"Kerberos AS-REP", 0x6B, NO_ID, kerberos_describe_as_rep},
    {"Kerberos TGS-REQ", 0x6C, NO_ID, kerberos_describe_tgs_req},
    {"Kerberos TGS-REP", 0x6D, NO_ID, kerberos_describe_tgs_rep},
    {"Kerberos KRB-CRED", 0x76, NO_ID, kerberos_describe_cred},
    {"Kerberos KERB-TGT-REQUEST", DER_SEQUENCE, 0x0400, kerberos_describe_tgt_request},
    {"Kerberos KERB-TGT-REPLY", DER_SEQUENCE, 0x0401, kerberos_describe_tgt_reply},
};

static const struct message_kind *kind_of(uint8_t tag, int id)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].tag == tag && (tag != DER_SEQUENCE || kinds[i].id == id)) return &kinds[i];
    return NULL;
}

/* The frame */

/*
 * Takes the tag, the length and the OID of a frame, whatever its length says: that of a token of RFC 4757 counts data
 * which lies elsewhere, and a token that was cut off is still to be told. The OID's contents, or empty.
 */
static struct cs_span take_frame(struct cs_walk *walk)
{
    struct cs_reader *reader = &walk->reader;
    if (cs_read_u8(reader) != DER_APPLICATION_0) return (struct cs_span){NULL, 0};
    const uint8_t length = cs_read_u8(reader);
    if (length & 0x80) cs_read_span(reader, length & 0x7F);
    const struct cs_span oid = cs_der_read(reader, DER_OID);
    return reader->failed ? (struct cs_span){NULL, 0} : oid;
}

static bool same(struct cs_span left, struct cs_span right)
{
    return left.size == right.size && !memcmp(left.data, right.data, left.size);
}

static bool is_kerberos(struct cs_span oid)
{
    return oid.size && (same(oid, kerberos_oid) || same(oid, kerberos_oid_ms) || same(oid, kerberos_oid_user_to_user));
}

static bool recognises(struct cs_span token)
{
    struct cs_walk walk = {cs_reader_of(token), token.size};
    if (!token.size) return false;
    return kind_of(*token.data, NO_ID) || kerberos_is_message_token(token) || is_kerberos(take_frame(&walk));
}

/* Context tokens and messages */

/* Whether MESSAGE, which begins at OFFSET, is one element and no more. */
static bool check_extent(struct cs_description *description, struct cs_span message, size_t offset, const char *name)
{
    struct cs_reader reader = cs_reader_of(message);
    cs_der_read(&reader, *message.data);
    if (reader.failed)
        cs_describe_broken(description, offset, _("%s is cut off, or not DER"), name);
    else if (reader.remaining)
        cs_describe_broken(description, offset + message.size - reader.remaining, _("%zu bytes too many"),
                           reader.remaining);
    return !reader.failed && !reader.remaining;
}

static void describe_head(struct cs_description *description, const char *name)
{
    cs_describe_add(description, _("%s (%zu bytes)"), name, description->token.size);
    cs_describe_end(description);
}

static void describe_message(struct cs_description *description, const struct message_kind *kind,
                             struct cs_span message, size_t offset)
{
    if (check_extent(description, message, offset, kind->name) && !kind->describe(description, message))
        cs_describe_broken(description, offset, _("%s cannot be decoded"), kind->name);
}

static void describe_bare(struct cs_description *description, struct cs_span message)
{
    const struct message_kind *kind = kind_of(*message.data, NO_ID);
    describe_head(description, kind->name);
    description->depth++;
    describe_message(description, kind, message, 0);
    description->depth--;
}

static void describe_mechanism(struct cs_description *description, struct cs_span oid)
{
    const char *name = same(oid, kerberos_oid)                ? "1.2.840.113554.1.2.2"
                       : same(oid, kerberos_oid_user_to_user) ? "1.2.840.113554.1.2.2.3 (user-to-user)"
                                                              : "1.2.840.48018.1.2.2";
    cs_describe_line(description, "thisMech", "%s", name);
}

/* A token inside a frame that has OID; WALK is behind the token id, ID, unless it was cut off. */
static void describe_context_token(struct cs_description *description, struct cs_span oid, const struct cs_walk *walk,
                                   int id)
{
    const struct cs_span message = {walk->reader.next, walk->reader.remaining};
    const struct message_kind *kind = message.size ? kind_of(*message.data, id) : NULL;
    const size_t offset = cs_walk_position(walk);
    describe_head(description, kind ? kind->name : "Kerberos");
    description->depth++;
    describe_mechanism(description, oid);
    if (walk->reader.failed || !message.size) {
        cs_describe_broken(description, offset, _("%s is cut off"), walk->reader.failed ? "TOK_ID" : "innerToken");
    } else if (!kind || kind->id != id) {
        cs_describe_broken(description, offset - 2, _("TOK_ID 0x%04x does not go with the message"), (unsigned)id);
    } else {
        check_extent(description, description->token, 0, _("The frame"));
        describe_message(description, kind, message, offset);
    }
    description->depth--;
}

/* What the id says, as it is written in the specifications: its first byte is the high one there. */
static void describe_framed(struct cs_description *description)
{
    struct cs_walk walk = {cs_reader_of(description->token), description->token.size};
    const struct cs_span oid = take_frame(&walk);
    const uint16_t id = cs_read_u16(&walk.reader);
    const unsigned written = (unsigned)(id & 0xFF) << 8 | id >> 8;
    if (walk.reader.failed || !kerberos_describe_framed_message_token(description, &walk, written))
        describe_context_token(description, oid, &walk, (int)written);
}

static void describe(struct cs_description *description)
{
    if (kerberos_is_message_token(description->token))
        kerberos_describe_message_token(description);
    else if (kind_of(*description->token.data, NO_ID))
        describe_bare(description, description->token);
    else
        describe_framed(description);
}

const struct cs_describer kerberos_describer = {recognises, describe};
