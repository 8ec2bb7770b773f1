/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making CHALLENGE messages and reading AUTHENTICATE messages. MS-NLMP 2.2.1.2, 2.2.1.3, 2.2.2.1, 2.2.2.7.
 */
#include "ntlm_message.h"

#include <string.h>

#define CHALLENGE_HEADER 56 /* with the version field, which is zero where it is not negotiated */
#define AUTHENTICATE_HEADER 88

static const char signature[8] = "NTLMSSP";

static void write_u16(unsigned char *bytes, ULONG value)
{
    bytes[0] = (unsigned char)value;
    bytes[1] = (unsigned char)(value >> 8);
}

static void write_u32(unsigned char *bytes, ULONG value)
{
    write_u16(bytes, value);
    write_u16(bytes + 2, value >> 16);
}

static ULONG read_u16(const unsigned char *bytes)
{
    return bytes[0] | (ULONG)bytes[1] << 8;
}

ULONG read_u32(const unsigned char *bytes)
{
    return read_u16(bytes) | read_u16(bytes + 2) << 16;
}

static void append(struct token *token, const void *bytes, ULONG size)
{
    if (size) memcpy(token->bytes + token->size, bytes, size);
    token->size += size;
}

static void append_u16(struct token *token, ULONG value)
{
    unsigned char bytes[2];

    write_u16(bytes, value);
    append(token, bytes, sizeof(bytes));
}

static void append_utf16(struct token *token, const char *text)
{
    for (; *text; text++) append_u16(token, (unsigned char)*text);
}

static void append_pair(struct token *token, const struct av_pair *pair)
{
    append_u16(token, pair->id);
    append_u16(token, pair->text ? 2 * (ULONG)strlen(pair->text) : pair->size);
    if (pair->text)
        append_utf16(token, pair->text);
    else
        append(token, pair->bytes, pair->size);
}

/* Length, maximum length and offset of what was appended since START. */
static void write_field(struct token *token, ULONG at, ULONG start)
{
    write_u16(token->bytes + at, token->size - start);
    write_u16(token->bytes + at + 2, token->size - start);
    write_u32(token->bytes + at + 4, start);
}

void make_challenge(const struct challenge *challenge, struct token *token)
{
    const struct av_pair end = {.id = AV_END, .text = ""};
    ULONG pairs;

    memset(token->bytes, 0, CHALLENGE_HEADER);
    memcpy(token->bytes, signature, sizeof(signature));
    write_u32(token->bytes + 8, 2);
    write_u32(token->bytes + 20, challenge->flags);
    memcpy(token->bytes + 24, challenge->nonce, sizeof(challenge->nonce));
    memcpy(token->bytes + 48, challenge->version, sizeof(challenge->version));
    token->size = CHALLENGE_HEADER;
    append_utf16(token, challenge->target);
    write_field(token, 12, CHALLENGE_HEADER);
    pairs = token->size;
    for (size_t i = 0; i < challenge->pair_count; i++) append_pair(token, &challenge->pairs[i]);
    append_pair(token, &end);
    write_field(token, 40, pairs);
}

static bool read_field(const struct token *token, ULONG at, struct span *span)
{
    ULONG size = read_u16(token->bytes + at);
    ULONG offset = read_u32(token->bytes + at + 4);

    if (offset > token->size || size > token->size - offset) return false;
    *span = (struct span){token->bytes + offset, size};
    return true;
}

bool parse_authenticate(const struct token *token, struct authenticate *message)
{
    struct span *const fields[] = {&message->lm,   &message->nt,          &message->domain,
                                   &message->user, &message->workstation, &message->key};

    if (token->size < AUTHENTICATE_HEADER || memcmp(token->bytes, signature, sizeof(signature))) return false;
    if (read_u32(token->bytes + 8) != 3) return false;
    for (ULONG i = 0; i < COUNT_OF(fields); i++)
        if (!read_field(token, 12 + 8 * i, fields[i])) return false;
    message->flags = read_u32(token->bytes + 60);
    message->version = token->bytes + 64;
    message->mic = token->bytes + AUTHENTICATE_MIC_OFFSET;
    return true;
}

struct span response_pairs(const struct authenticate *message)
{
    if (message->nt.size <= NT_BLOB_PAIRS) return (struct span){NULL, 0};
    return (struct span){message->nt.bytes + NT_BLOB_PAIRS, message->nt.size - NT_BLOB_PAIRS};
}

/* Takes the pair at the front of REST off it; false at the closing pair and at a broken one. */
static bool next_pair(struct span *rest, USHORT *id, struct span *value)
{
    if (rest->size < 4) return false;
    *id = (USHORT)read_u16(rest->bytes);
    *value = (struct span){rest->bytes + 4, read_u16(rest->bytes + 2)};
    if (*id == AV_END || value->size > rest->size - 4) return false;
    *rest = (struct span){value->bytes + value->size, rest->size - 4 - value->size};
    return true;
}

struct span find_pair(struct span pairs, USHORT id, unsigned *count)
{
    struct span found = {NULL, 0}, value;
    unsigned times = 0;
    USHORT current;

    while (next_pair(&pairs, &current, &value))
        if (current == id && !times++) found = value;
    if (count) *count = times;
    return found;
}

const char *list_pairs(struct span pairs, char *text, size_t size)
{
    struct span value;
    size_t used = 0;
    USHORT id;

    text[0] = 0;
    while (used < size && next_pair(&pairs, &id, &value))
        used += (size_t)snprintf(text + used, size - used, "%s%u", used ? " " : "", id);
    return text;
}

const char *ascii_text(struct span utf16, char *text, size_t size)
{
    size_t length = 0;

    for (ULONG i = 0; i + 1 < utf16.size && length + 1 < size; i += 2)
        text[length++] = utf16.bytes[i + 1] ? '?' : (char)utf16.bytes[i];
    text[length] = 0;
    return text;
}
