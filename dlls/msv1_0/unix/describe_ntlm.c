/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NTLM messages in words. The readers of messages.h refuse a broken message as a whole; a description goes on as far
 * as it can, so it walks the same layouts (MS-NLMP 2.2) item by item. Both must call the same messages whole.
 */
#include "describe_ntlm.h"

#include "messages.h"
#include "ntlm_flags.h"

#include <libintl.h>
#include <string.h>

#define _(text) dgettext("countersign", text)

enum { VERSION_SIZE = 8, V2_PROOF_SIZE = 16 };

/* Flags and version */

static void describe_negotiate_flags(struct cs_description *description, uint32_t flags)
{
    static const struct cs_flag_name names[] = {
        {NTLMSSP_NEGOTIATE_UNICODE, "NEGOTIATE_UNICODE"},
        {NTLMSSP_NEGOTIATE_OEM, "NEGOTIATE_OEM"},
        {NTLMSSP_REQUEST_TARGET, "REQUEST_TARGET"},
        {NTLMSSP_NEGOTIATE_SIGN, "NEGOTIATE_SIGN"},
        {NTLMSSP_NEGOTIATE_SEAL, "NEGOTIATE_SEAL"},
        {NTLMSSP_NEGOTIATE_DATAGRAM, "NEGOTIATE_DATAGRAM"},
        {NTLMSSP_NEGOTIATE_LM_KEY, "NEGOTIATE_LM_KEY"},
        {NTLMSSP_NEGOTIATE_NTLM, "NEGOTIATE_NTLM"},
        {NTLMSSP_ANONYMOUS, "ANONYMOUS"},
        {NTLMSSP_NEGOTIATE_OEM_DOMAIN_SUPPLIED, "NEGOTIATE_OEM_DOMAIN_SUPPLIED"},
        {NTLMSSP_NEGOTIATE_OEM_WORKSTATION_SUPPLIED, "NEGOTIATE_OEM_WORKSTATION_SUPPLIED"},
        {NTLMSSP_NEGOTIATE_LOCAL_CALL, "NEGOTIATE_LOCAL_CALL"},
        {NTLMSSP_NEGOTIATE_ALWAYS_SIGN, "NEGOTIATE_ALWAYS_SIGN"},
        {NTLMSSP_TARGET_TYPE_DOMAIN, "TARGET_TYPE_DOMAIN"},
        {NTLMSSP_TARGET_TYPE_SERVER, "TARGET_TYPE_SERVER"},
        {NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY, "NEGOTIATE_EXTENDED_SESSIONSECURITY"},
        {NTLMSSP_NEGOTIATE_IDENTIFY, "NEGOTIATE_IDENTIFY"},
        {NTLMSSP_REQUEST_NON_NT_SESSION_KEY, "REQUEST_NON_NT_SESSION_KEY"},
        {NTLMSSP_NEGOTIATE_TARGET_INFO, "NEGOTIATE_TARGET_INFO"},
        {NTLMSSP_NEGOTIATE_VERSION, "NEGOTIATE_VERSION"},
        {NTLMSSP_NEGOTIATE_128, "NEGOTIATE_128"},
        {NTLMSSP_NEGOTIATE_KEY_EXCH, "NEGOTIATE_KEY_EXCH"},
        {NTLMSSP_NEGOTIATE_56, "NEGOTIATE_56"},
    };
    cs_describe_flags(description, "NegotiateFlags", flags, names, sizeof names / sizeof *names);
}

/* WALK stands where the version has its place (2.2.2.10), which ends at PAYLOAD at the latest. */
static void describe_version(struct cs_description *description, struct cs_walk *walk, uint32_t flags, size_t payload)
{
    if (!(flags & NTLMSSP_NEGOTIATE_VERSION)) return;
    if (payload < cs_walk_position(walk) || payload - cs_walk_position(walk) < VERSION_SIZE) {
        cs_describe_line(description, "Version", "%s", _("announced by the flags, but not there"));
        return;
    }
    unsigned major = cs_read_u8(&walk->reader), minor = cs_read_u8(&walk->reader);
    unsigned build = cs_read_u16(&walk->reader);
    cs_read_span(&walk->reader, 3);
    cs_describe_line(description, "Version", _("%u.%u build %u, NTLM revision %u"), major, minor, build,
                     cs_read_u8(&walk->reader));
}

/* Payload fields */

struct field {
    const char *name;
    uint16_t size;
    uint32_t offset;
};

static struct field read_field(struct cs_walk *walk, const char *name)
{
    struct cs_reader whole = walk->reader;
    struct cs_reader reader = cs_reader_of(cs_read_span(&whole, 8));
    struct field field = {.name = name};
    if (whole.failed)
        walk->reader.failed = true;
    else
        walk->reader = whole;
    field.size = cs_read_u16(&reader);
    cs_read_u16(&reader);
    field.offset = cs_read_u32(&reader);
    return field;
}

/* Where the payload begins, which may be less than where the header ends in its full form. */
static size_t payload_start(const struct cs_description *description, const struct field *fields, size_t count)
{
    size_t start = description->token.size;
    for (size_t i = 0; i < count; i++)
        if (fields[i].size && fields[i].offset < start) start = fields[i].offset;
    return start;
}

static void begin_field(struct cs_description *description, const struct field *field)
{
    cs_describe_begin(description, field->name);
    cs_describe_add(description, _("size %u, offset %u"), field->size, field->offset);
}

/* Writes FIELD's line up to where its value goes. False, with the line ended, if there is no value to show. */
static bool open_field(struct cs_description *description, const struct field *field, struct cs_span *value)
{
    bool outside = false;
    begin_field(description, field);
    *value = field->size ? cs_span_at(description->token, field->offset, field->size, &outside) : (struct cs_span){0};
    if (value->size) return true;
    cs_describe_end(description);
    if (outside) cs_describe_broken(description, field->offset, _("%s does not lie within the token"), field->name);
    return false;
}

static void describe_name_field(struct cs_description *description, const struct field *field, bool utf16)
{
    struct cs_span name;
    if (!open_field(description, field, &name)) return;
    cs_describe_add(description, ": ");
    cs_describe_name(description, name, utf16);
    cs_describe_end(description);
}

/* A field whose value is not for everybody's eyes. */
static void describe_hidden_field(struct cs_description *description, const struct field *field)
{
    struct cs_span value;
    if (open_field(description, field, &value)) cs_describe_end(description);
}

/* A field that the flags say is not to be looked at, or whose flags are not known. */
static void describe_field_alone(struct cs_description *description, const struct field *field)
{
    begin_field(description, field);
    cs_describe_end(description);
}

/* NEGOTIATE_MESSAGE */

static void describe_oem_field(struct cs_description *description, const struct field *field, bool supplied)
{
    if (supplied)
        describe_name_field(description, field, false);
    else
        describe_field_alone(description, field);
}

static void describe_negotiate(struct cs_description *description, struct cs_walk *walk)
{
    uint32_t flags = cs_read_u32(&walk->reader);
    if (cs_describe_cut(description, walk, "NegotiateFlags")) return;
    describe_negotiate_flags(description, flags);
    const bool has_domain = flags & NTLMSSP_NEGOTIATE_OEM_DOMAIN_SUPPLIED;
    const bool has_workstation = flags & NTLMSSP_NEGOTIATE_OEM_WORKSTATION_SUPPLIED;
    if (!has_domain && !has_workstation && walk->reader.remaining < 16) return; /* a short form, and good */
    struct field fields[2] = {read_field(walk, "DomainName")};
    if (cs_describe_cut(description, walk, fields[0].name)) return;
    describe_oem_field(description, &fields[0], has_domain);
    fields[1] = read_field(walk, "Workstation");
    if (cs_describe_cut(description, walk, fields[1].name)) return;
    describe_oem_field(description, &fields[1], has_workstation);
    describe_version(description, walk, flags, payload_start(description, fields, 2));
}

/* CHALLENGE_MESSAGE */

/* With LOCAL_CALL the acceptor's half of the loopback proof stands in Reserved. */
static void describe_reserved(struct cs_description *description, struct cs_span reserved, uint32_t flags)
{
    if (flags & NTLMSSP_NEGOTIATE_LOCAL_CALL)
        cs_describe_line(description, "Reserved", _("size %zu"), reserved.size);
    else
        cs_describe_hex_line(description, "Reserved", reserved);
}

/* Servers without TargetInfo may end before its field. */
static void describe_target_info(struct cs_description *description, struct cs_walk *walk, struct field *field,
                                 bool supplied)
{
    struct cs_span info;
    if (!supplied && walk->reader.remaining < 8) return;
    *field = read_field(walk, "TargetInfo");
    if (cs_describe_cut(description, walk, field->name)) return;
    if (!supplied) {
        describe_field_alone(description, field);
    } else if (open_field(description, field, &info)) {
        cs_describe_end(description);
        ntlm_describe_pairs(description, (struct cs_walk){cs_reader_of(info), field->offset + info.size});
    }
}

static void describe_challenge(struct cs_description *description, struct cs_walk *walk)
{
    struct field fields[2] = {read_field(walk, "TargetName")};
    if (cs_describe_cut(description, walk, fields[0].name)) return;
    uint32_t flags = cs_read_u32(&walk->reader);
    if (walk->reader.failed) describe_field_alone(description, &fields[0]);
    if (cs_describe_cut(description, walk, "NegotiateFlags")) return;
    describe_name_field(description, &fields[0], flags & NTLMSSP_NEGOTIATE_UNICODE);
    describe_negotiate_flags(description, flags);
    struct cs_span challenge = cs_read_span(&walk->reader, NTLM_CHALLENGE);
    if (cs_describe_cut(description, walk, "ServerChallenge")) return;
    cs_describe_hex_line(description, "ServerChallenge", challenge);
    struct cs_span reserved = cs_read_span(&walk->reader, 8);
    if (cs_describe_cut(description, walk, "Reserved")) return;
    describe_reserved(description, reserved, flags);
    describe_target_info(description, walk, &fields[1], flags & NTLMSSP_NEGOTIATE_TARGET_INFO);
    if (!walk->reader.failed) describe_version(description, walk, flags, payload_start(description, fields, 2));
}

/* AUTHENTICATE_MESSAGE */

enum { LM_RESPONSE, NT_RESPONSE, DOMAIN, USER, WORKSTATION, SESSION_KEY, FIELDS };

struct authenticate {
    struct field fields[FIELDS];
    uint32_t flags;
};

/* Reads the fields and the flags. Says where, after which fields, if they are cut off. */
static bool read_authenticate(struct cs_description *description, struct cs_walk *walk, struct authenticate *message)
{
    static const char *const names[FIELDS] = {"LmChallengeResponse", "NtChallengeResponse",
                                              "DomainName",          "UserName",
                                              "Workstation",         "EncryptedRandomSessionKey"};
    size_t count = 0;
    while (count < FIELDS && !walk->reader.failed) {
        message->fields[count] = read_field(walk, names[count]);
        if (!walk->reader.failed) count++;
    }
    message->flags = cs_read_u32(&walk->reader);
    for (size_t i = 0; walk->reader.failed && i < count; i++) describe_field_alone(description, &message->fields[i]);
    return !cs_describe_cut(description, walk, count < FIELDS ? names[count] : "NegotiateFlags");
}

static bool has_ess(const struct authenticate *message)
{
    return message->flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY;
}

/* What an LM response is depends on the NT response next to it (3.3.1, 3.3.2). */
static const char *lm_kind(const struct authenticate *message, struct cs_span lm)
{
    const uint16_t nt_size = message->fields[NT_RESPONSE].size;
    if (lm.size == 1 && !nt_size) return _("anonymous");
    if (lm.size != NTLM_RESPONSE) return _("of no known kind");
    if (ntlm_all_zero(lm)) return _("all zero");
    if (nt_size > NTLM_RESPONSE) return "LMv2";
    if (!nt_size) return _("LM or LMv2");
    return has_ess(message) ? _("client challenge") : "LM";
}

static const char *nt_kind(const struct authenticate *message, struct cs_span nt)
{
    if (nt.size > NTLM_RESPONSE) return "NTLMv2";
    if (nt.size < NTLM_RESPONSE) return _("of no known kind");
    return has_ess(message) ? _("NTLMv1 with extended session security") : "NTLMv1";
}

static void describe_lm_response(struct cs_description *description, const struct authenticate *message)
{
    struct cs_span value;
    if (!open_field(description, &message->fields[LM_RESPONSE], &value)) return;
    cs_describe_add(description, ": %s", lm_kind(message, value));
    cs_describe_end(description);
}

/* NTProofStr and NTLMv2_CLIENT_CHALLENGE, 2.2.2.7 and 2.2.2.8. */
static void describe_v2_response(struct cs_description *description, struct cs_walk walk)
{
    struct cs_reader *reader = &walk.reader;
    struct cs_span proof = cs_read_span(reader, V2_PROOF_SIZE);
    cs_describe_line(description, "NTProofStr", _("size %zu"), proof.size);
    unsigned type = cs_read_u8(reader), highest_type = cs_read_u8(reader);
    cs_read_span(reader, 6);
    if (cs_describe_cut(description, &walk, "NTLMv2_CLIENT_CHALLENGE")) return;
    cs_describe_line(description, "RespType, HiRespType", "%u, %u", type, highest_type);
    uint64_t time = cs_read_u64(reader);
    if (cs_describe_cut(description, &walk, "TimeStamp")) return;
    ntlm_describe_time(description, "TimeStamp", time);
    struct cs_span challenge = cs_read_span(reader, NTLM_CHALLENGE);
    if (cs_describe_cut(description, &walk, "ChallengeFromClient")) return;
    cs_describe_hex_line(description, "ChallengeFromClient", challenge);
    cs_read_u32(reader);
    if (cs_describe_cut(description, &walk, "Reserved3")) return;
    cs_describe_line(description, "AvPairs", _("size %zu"), reader->remaining);
    ntlm_describe_pairs(description, walk);
}

static void describe_nt_response(struct cs_description *description, const struct authenticate *message)
{
    const struct field *field = &message->fields[NT_RESPONSE];
    struct cs_span value;
    if (!open_field(description, field, &value)) return;
    cs_describe_add(description, ": %s", nt_kind(message, value));
    cs_describe_end(description);
    if (value.size <= NTLM_RESPONSE) return;
    description->depth++;
    describe_v2_response(description, (struct cs_walk){cs_reader_of(value), field->offset + value.size});
    description->depth--;
}

static void describe_authenticate(struct cs_description *description, struct cs_walk *walk)
{
    struct authenticate message = {0};
    if (!read_authenticate(description, walk, &message)) return;
    const bool utf16 = message.flags & NTLMSSP_NEGOTIATE_UNICODE;
    const size_t payload = payload_start(description, message.fields, FIELDS);
    describe_lm_response(description, &message);
    describe_nt_response(description, &message);
    describe_name_field(description, &message.fields[DOMAIN], utf16);
    describe_name_field(description, &message.fields[USER], utf16);
    describe_name_field(description, &message.fields[WORKSTATION], utf16);
    describe_hidden_field(description, &message.fields[SESSION_KEY]);
    describe_negotiate_flags(description, message.flags);
    describe_version(description, walk, message.flags, payload);
    if (payload < NTLM_MIC_OFFSET + NTLM_MIC_SIZE)
        cs_describe_line(description, "MIC", "%s", _("no room for one"));
    else
        cs_describe_line(description, "MIC", _("size %zu"), (size_t)NTLM_MIC_SIZE);
}

/* All messages */

static const char signature[8] = "NTLMSSP";

static bool recognises(struct cs_span token)
{
    return token.size >= sizeof signature && !memcmp(token.data, signature, sizeof signature);
}

static void describe_type(struct cs_description *description, struct cs_walk *walk, uint32_t type)
{
    if (cs_describe_cut(description, walk, "MessageType")) return;
    switch (type) {
    case NTLM_NEGOTIATE: describe_negotiate(description, walk); break;
    case NTLM_CHALLENGE_MESSAGE: describe_challenge(description, walk); break;
    case NTLM_AUTHENTICATE: describe_authenticate(description, walk); break;
    default: cs_describe_broken(description, sizeof signature, _("there is no message type %u"), type);
    }
}

static void describe(struct cs_description *description)
{
    static const char *const names[] = {"NTLM", "NTLM NEGOTIATE_MESSAGE", "NTLM CHALLENGE_MESSAGE",
                                        "NTLM AUTHENTICATE_MESSAGE"};
    struct cs_walk walk = {cs_reader_of(description->token), description->token.size};
    cs_read_span(&walk.reader, sizeof signature);
    uint32_t type = cs_read_u32(&walk.reader);
    cs_describe_add(description, _("%s (%zu bytes)"), names[type <= NTLM_AUTHENTICATE ? type : 0],
                    description->token.size);
    cs_describe_end(description);
    description->depth++;
    describe_type(description, &walk, type);
    description->depth--;
}

const struct cs_describer ntlm_describer = {recognises, describe};
