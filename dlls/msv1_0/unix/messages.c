/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The three messages, each with its reader and its writer side by side.
 */
#include "messages.h"

#include "ntlm_flags.h"

#include <string.h>

static const uint8_t signature[8] = {'N', 'T', 'L', 'M', 'S', 'S', 'P', 0};

/* 10.0 build 22621, NTLMSSP_REVISION_W2K3: what a Windows 11 says of itself (MS-NLMP 2.2.2.10). */
static const uint8_t version[8] = {10, 0, 0x5D, 0x58, 0, 0, 0, 15};

/* A payload field: Len, MaxLen, BufferOffset. */
struct field {
    uint16_t size;
    uint32_t offset;
};

static struct cs_reader open_message(struct cs_span token, uint32_t type)
{
    struct cs_reader reader = cs_reader_of(token);
    struct cs_span start = cs_read_span(&reader, sizeof signature);
    if (!reader.failed && memcmp(start.data, signature, sizeof signature)) reader.failed = true;
    if (cs_read_u32(&reader) != type) reader.failed = true;
    return reader;
}

static struct field read_field(struct cs_reader *reader)
{
    struct field field;
    field.size = cs_read_u16(reader);
    cs_read_u16(reader); /* MaxLen says nothing that Len does not */
    field.offset = cs_read_u32(reader);
    return field;
}

/* An empty field's offset is not looked at: implementations leave anything there. */
static struct cs_span take_field(struct cs_span token, struct field field, bool *failed)
{
    if (!field.size) return (struct cs_span){NULL, 0};
    return cs_span_at(token, field.offset, field.size, failed);
}

/* The offset counts up over the fields of a message in the order of their payload. */
static void write_field(struct cs_writer *output, struct cs_span payload, size_t *offset)
{
    if (payload.size > UINT16_MAX) output->failed = true;
    cs_write_u16(output, (uint16_t)payload.size);
    cs_write_u16(output, (uint16_t)payload.size);
    cs_write_u32(output, (uint32_t)*offset);
    *offset += payload.size;
}

static void write_start(struct cs_writer *output, uint32_t type)
{
    cs_write_span(output, (struct cs_span){signature, sizeof signature});
    cs_write_u32(output, type);
}

uint32_t ntlm_message_type(struct cs_span token)
{
    for (uint32_t type = NTLM_NEGOTIATE; type <= NTLM_AUTHENTICATE; type++)
        if (!open_message(token, type).failed) return type;
    return 0;
}

/* NEGOTIATE_MESSAGE */

enum { NEGOTIATE_HEADER = 40 };

/* Clients of the last century end after the flags; the fields are read only where the flags promise them. */
SECURITY_STATUS ntlm_negotiate_read(struct cs_span token, struct ntlm_negotiate *message)
{
    struct cs_reader reader = open_message(token, NTLM_NEGOTIATE);
    bool failed = false;
    memset(message, 0, sizeof *message);
    message->flags = cs_read_u32(&reader);
    const bool has_domain = message->flags & NTLMSSP_NEGOTIATE_OEM_DOMAIN_SUPPLIED;
    const bool has_workstation = message->flags & NTLMSSP_NEGOTIATE_OEM_WORKSTATION_SUPPLIED;
    if (has_domain || has_workstation) {
        struct field domain = read_field(&reader);
        struct field workstation = read_field(&reader);
        if (has_domain) message->domain = take_field(token, domain, &failed);
        if (has_workstation) message->workstation = take_field(token, workstation, &failed);
    }
    return reader.failed || failed ? SEC_E_INVALID_TOKEN : SEC_E_OK;
}

void ntlm_negotiate_write(struct cs_writer *output, const struct ntlm_negotiate *message)
{
    size_t workstation = NEGOTIATE_HEADER, domain = NEGOTIATE_HEADER + message->workstation.size;
    size_t none = 0;
    write_start(output, NTLM_NEGOTIATE);
    cs_write_u32(output, message->flags);
    write_field(output, message->domain, message->domain.size ? &domain : &none);
    write_field(output, message->workstation, message->workstation.size ? &workstation : &none);
    cs_write_span(output, (struct cs_span){version, sizeof version});
    cs_write_span(output, message->workstation);
    cs_write_span(output, message->domain);
}

/* CHALLENGE_MESSAGE */

enum { CHALLENGE_HEADER = 56 };

/* Servers without TargetInfo may end after Reserved. */
SECURITY_STATUS ntlm_challenge_read(struct cs_span token, struct ntlm_challenge *message)
{
    struct cs_reader reader = open_message(token, NTLM_CHALLENGE_MESSAGE);
    bool failed = false;
    memset(message, 0, sizeof *message);
    struct field target_name = read_field(&reader);
    message->flags = cs_read_u32(&reader);
    struct cs_span challenge = cs_read_span(&reader, NTLM_CHALLENGE);
    struct cs_span reserved = cs_read_span(&reader, sizeof message->local_call);
    if (reader.failed) return SEC_E_INVALID_TOKEN;
    memcpy(message->server_challenge, challenge.data, NTLM_CHALLENGE);
    memcpy(message->local_call, reserved.data, sizeof message->local_call);
    message->target_name = take_field(token, target_name, &failed);
    if (message->flags & NTLMSSP_NEGOTIATE_TARGET_INFO)
        message->target_info = take_field(token, read_field(&reader), &failed);
    return reader.failed || failed ? SEC_E_INVALID_TOKEN : SEC_E_OK;
}

void ntlm_challenge_write(struct cs_writer *output, const struct ntlm_challenge *message)
{
    size_t offset = CHALLENGE_HEADER;
    write_start(output, NTLM_CHALLENGE_MESSAGE);
    write_field(output, message->target_name, &offset);
    cs_write_u32(output, message->flags);
    cs_write_span(output, (struct cs_span){message->server_challenge, NTLM_CHALLENGE});
    cs_write_span(output, (struct cs_span){message->local_call, sizeof message->local_call});
    write_field(output, message->target_info, &offset);
    cs_write_span(output, (struct cs_span){version, sizeof version});
    cs_write_span(output, message->target_name);
    cs_write_span(output, message->target_info);
}

/* AUTHENTICATE_MESSAGE */

enum { AUTHENTICATE_HEADER = NTLM_MIC_OFFSET + NTLM_MIC_SIZE };

static bool behind_mic(const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].size && fields[i].offset < AUTHENTICATE_HEADER) return false;
    return true;
}

SECURITY_STATUS ntlm_authenticate_read(struct cs_span token, struct ntlm_authenticate *message)
{
    struct cs_reader reader = open_message(token, NTLM_AUTHENTICATE);
    struct field fields[6];
    bool failed = false;
    memset(message, 0, sizeof *message);
    for (size_t i = 0; i < 6; i++) fields[i] = read_field(&reader);
    message->flags = cs_read_u32(&reader);
    if (reader.failed) return SEC_E_INVALID_TOKEN;
    message->lm_response = take_field(token, fields[0], &failed);
    message->nt_response = take_field(token, fields[1], &failed);
    message->domain = take_field(token, fields[2], &failed);
    message->user = take_field(token, fields[3], &failed);
    message->workstation = take_field(token, fields[4], &failed);
    message->session_key = take_field(token, fields[5], &failed);
    message->room_for_mic = token.size >= AUTHENTICATE_HEADER && behind_mic(fields, 6);
    return failed ? SEC_E_INVALID_TOKEN : SEC_E_OK;
}

/* Payload in the order of Windows: domain, user, workstation, LM, NT, key (vectors.md section 2). */
void ntlm_authenticate_write(struct cs_writer *output, const struct ntlm_authenticate *message)
{
    size_t domain = AUTHENTICATE_HEADER, user = domain + message->domain.size;
    size_t workstation = user + message->user.size, lm = workstation + message->workstation.size;
    size_t nt = lm + message->lm_response.size, key = nt + message->nt_response.size;
    write_start(output, NTLM_AUTHENTICATE);
    write_field(output, message->lm_response, &lm);
    write_field(output, message->nt_response, &nt);
    write_field(output, message->domain, &domain);
    write_field(output, message->user, &user);
    write_field(output, message->workstation, &workstation);
    write_field(output, message->session_key, &key);
    cs_write_u32(output, message->flags);
    cs_write_span(output, (struct cs_span){version, sizeof version});
    cs_write_room(output, NTLM_MIC_SIZE);
    cs_write_span(output, message->domain);
    cs_write_span(output, message->user);
    cs_write_span(output, message->workstation);
    cs_write_span(output, message->lm_response);
    cs_write_span(output, message->nt_response);
    cs_write_span(output, message->session_key);
}
