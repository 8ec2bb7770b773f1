/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos's per-message tokens in words. Programs keep the data of a Wrap token in buffers of its own, so that how
 * long a token should be cannot be told from it.
 */
#include "describe_kerberos.h"
#include "kerberos_wrap.h"

#include <inttypes.h>
#include <libintl.h>

#define _(text) dgettext("countersign", text)

/* RFC 4121 4.2.6 */

/* By the id and the filler, which is the fourth byte of both. */
bool kerberos_is_message_token(struct cs_span token)
{
    struct cs_reader reader = cs_reader_of(token);
    const uint32_t start = cs_read_u32(&reader);
    const uint32_t id = start & 0xFFFF, filler = start >> 24;
    return (id == 0x0404 || id == 0x0405) && filler == 0xFF;
}

static void describe_wrap_flags(struct cs_description *description, uint8_t flags)
{
    static const struct cs_flag_name names[] = {
        {KERBEROS_SENT_BY_ACCEPTOR, "SentByAcceptor"},
        {KERBEROS_SEALED, "Sealed"},
        {KERBEROS_ACCEPTOR_SUBKEY, "AcceptorSubkey"},
    };
    cs_describe_flags(description, "Flags", flags, names, sizeof names / sizeof *names);
}

static void describe_header(struct cs_description *description, const struct kerberos_header *header, size_t rest)
{
    describe_wrap_flags(description, header->flags);
    if (header->id == KERBEROS_WRAP) {
        cs_describe_line(description, "EC", "%u", header->ec);
        cs_describe_line(description, "RRC", "%u", header->rrc);
    }
    cs_describe_line(description, "SND_SEQ", "%" PRIu64, header->sequence);
    if (header->id == KERBEROS_WRAP)
        cs_describe_line(description, _("Behind the header"), _("size %zu"), rest);
    else
        cs_describe_line(description, "SGN_CKSUM", _("size %zu"), rest);
}

void kerberos_describe_message_token(struct cs_description *description)
{
    const struct cs_span token = description->token;
    const bool wrap = *token.data == 0x05;
    struct kerberos_header header;
    cs_describe_add(description, _("%s (%zu bytes)"), wrap ? "Kerberos Wrap" : "Kerberos MIC", token.size);
    cs_describe_end(description);
    description->depth++;
    if (token.size < KERBEROS_HEADER || (!wrap && token.size == KERBEROS_HEADER)) {
        cs_describe_broken(description, token.size, _("%s is cut off"),
                           wrap || token.size < KERBEROS_HEADER ? "SND_SEQ" : "SGN_CKSUM");
    } else {
        kerberos_header_read(token.data, &header);
        describe_header(description, &header, token.size - KERBEROS_HEADER);
        if (!wrap && (header.ec != 0xFFFF || header.rrc != 0xFFFF))
            cs_describe_broken(description, 4, _("%s is not what it must be"), "Filler");
    }
    description->depth--;
}

/* RFC 4757 7.2, 7.3; RFC 1964 1.2 for the algorithms that came before it */

enum { MIC = 0x0101, DELETE_CONTEXT = 0x0102, WRAP = 0x0201 };

static const char *sign_algorithm(unsigned number)
{
    switch (number) {
    case 0x0000: return "DES MAC MD5";
    case 0x0002: return "DES MAC";
    case 0x0004: return "HMAC SHA1 DES3 KD";
    case 0x0011: return "HMAC";
    default: return _("of no known kind");
    }
}

static const char *seal_algorithm(unsigned number)
{
    switch (number) {
    case 0x0000: return "DES";
    case 0x0002: return "DES3 KD";
    case 0x0010: return "RC4";
    case 0xFFFF: return _("none");
    default: return _("of no known kind");
    }
}

static void describe_algorithm(struct cs_description *description, struct cs_walk *walk, const char *label,
                               const char *(*name_of)(unsigned number))
{
    if (walk->reader.failed) return;
    const unsigned number = cs_read_u16(&walk->reader);
    if (!cs_describe_cut(description, walk, label))
        cs_describe_line(description, label, "%s (0x%04x)", name_of(number), number);
}

static void take_filler(struct cs_description *description, struct cs_walk *walk, size_t size)
{
    if (walk->reader.failed) return;
    cs_read_span(&walk->reader, size);
    cs_describe_cut(description, walk, "Filler");
}

/* A part whose bytes could be tried against a key: SND_SEQ is encrypted with one. */
static void describe_hidden(struct cs_description *description, struct cs_walk *walk, const char *name, size_t size)
{
    if (walk->reader.failed) return;
    cs_read_span(&walk->reader, size);
    if (!cs_describe_cut(description, walk, name)) cs_describe_line(description, name, _("size %zu"), size);
}

bool kerberos_describe_framed_message_token(struct cs_description *description, struct cs_walk *walk, unsigned id)
{
    if (id != MIC && id != WRAP && id != DELETE_CONTEXT) return false;
    const char *name = id == MIC    ? "Kerberos MIC (RFC 4757)"
                       : id == WRAP ? "Kerberos Wrap (RFC 4757)"
                                    : "Kerberos DELETE (RFC 4757)";
    cs_describe_add(description, _("%s (%zu bytes)"), name, description->token.size);
    cs_describe_end(description);
    description->depth++;
    describe_algorithm(description, walk, "SGN_ALG", sign_algorithm);
    if (id == WRAP) describe_algorithm(description, walk, "SEAL_ALG", seal_algorithm);
    take_filler(description, walk, id == WRAP ? 2 : 4);
    describe_hidden(description, walk, "SND_SEQ", 8);
    describe_hidden(description, walk, "SGN_CKSUM", 8);
    if (id == WRAP) describe_hidden(description, walk, "Confounder", 8);
    if (!walk->reader.failed && walk->reader.remaining)
        cs_describe_line(description, _("Behind the header"), _("size %zu"), walk->reader.remaining);
    description->depth--;
    return true;
}
