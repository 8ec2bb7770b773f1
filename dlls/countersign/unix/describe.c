/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens in words: which mechanism's a token is, and the form that all descriptions have.
 */
#include "describe.h"

#include <libintl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>

#define _(text) dgettext("countersign", text)

enum { INDENT = 2, WIDTH = 80, SHOWN_OF_UNKNOWN = 8 };

/* Lines */

static void add_formatted(struct cs_writer *text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    uint8_t *room = size < 0 ? NULL : cs_write_room(text, (size_t)size + 1);
    if (!room) return;
    vsnprintf((char *)room, (size_t)size + 1, format, arguments);
    text->size--; /* the NUL */
}

void cs_describe_add(struct cs_description *description, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_formatted(description->text, format, arguments);
    va_end(arguments);
}

static void indent(struct cs_description *description)
{
    cs_describe_add(description, "%*s", (int)(INDENT * description->depth), "");
}

void cs_describe_begin(struct cs_description *description, const char *label)
{
    indent(description);
    cs_describe_add(description, "%s: ", label);
}

void cs_describe_end(struct cs_description *description)
{
    cs_write_u8(description->text, '\n');
}

void cs_describe_line(struct cs_description *description, const char *label, const char *format, ...)
{
    va_list arguments;
    cs_describe_begin(description, label);
    va_start(arguments, format);
    add_formatted(description->text, format, arguments);
    va_end(arguments);
    cs_describe_end(description);
}

void cs_describe_broken(struct cs_description *description, size_t offset, const char *format, ...)
{
    va_list arguments;
    description->whole = false;
    indent(description);
    cs_describe_add(description, _("Broken at byte %zu: "), offset);
    va_start(arguments, format);
    add_formatted(description->text, format, arguments);
    va_end(arguments);
    cs_describe_end(description);
}

bool cs_describe_cut(struct cs_description *description, const struct cs_walk *walk, const char *name)
{
    if (walk->reader.failed) cs_describe_broken(description, cs_walk_position(walk), _("%s is cut off"), name);
    return walk->reader.failed;
}

/* Values */

void cs_describe_hex(struct cs_description *description, struct cs_span bytes)
{
    for (size_t i = 0; i < bytes.size; i++) cs_describe_add(description, "%02x", bytes.data[i]);
}

void cs_describe_hex_line(struct cs_description *description, const char *label, struct cs_span bytes)
{
    cs_describe_begin(description, label);
    cs_describe_hex(description, bytes);
    cs_describe_end(description);
}

static void add_character(struct cs_description *description, uint32_t character)
{
    uint8_t utf8[6];
    const uint32_t unshown = UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Zl | UC_CATEGORY_MASK_Zp;
    bool shown = character != '"' && !uc_is_general_category_withtable(character, unshown);
    int size = shown ? u8_uctomb(utf8, character, sizeof utf8) : 0;
    if (size > 0)
        cs_write_span(description->text, (struct cs_span){utf8, (size_t)size});
    else
        cs_describe_add(description, "\\u{%04X}", (unsigned)character);
}

static void add_utf16(struct cs_description *description, struct cs_span name)
{
    struct cs_reader reader = cs_reader_of(name);
    while (reader.remaining >= 2) {
        uint32_t character = cs_read_u16(&reader);
        struct cs_reader ahead = reader;
        uint16_t low = cs_read_u16(&ahead);
        if (character >= 0xD800 && character <= 0xDBFF && low >= 0xDC00 && low <= 0xDFFF) {
            character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00u);
            reader = ahead;
        }
        add_character(description, character);
    }
    if (reader.remaining) cs_describe_add(description, "\\x%02X", cs_read_u8(&reader));
}

static void add_bytes(struct cs_description *description, struct cs_span name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] < 0x80)
            add_character(description, name.data[i]);
        else
            cs_describe_add(description, "\\x%02X", name.data[i]);
    }
}

void cs_describe_name(struct cs_description *description, struct cs_span name, bool utf16)
{
    cs_write_u8(description->text, '"');
    if (utf16)
        add_utf16(description, name);
    else
        add_bytes(description, name);
    cs_write_u8(description->text, '"');
}

/* Adds WORD to the list of words on the line at hand, which began at *START, or to a new line if it does not fit. */
static void add_word(struct cs_description *description, size_t *start, const char *word)
{
    const size_t size = description->text->size;
    if (!*start || size - *start + 1 + strlen(word) > WIDTH) {
        if (*start) cs_describe_end(description);
        *start = description->text->size;
        indent(description);
    } else {
        cs_describe_add(description, " ");
    }
    cs_describe_add(description, "%s", word);
}

void cs_describe_flags(struct cs_description *description, const char *label, uint32_t value,
                       const struct cs_flag_name *names, size_t count)
{
    char rest[sizeof "0x00000000"];
    size_t start = 0;
    cs_describe_line(description, label, "0x%08x", value);
    description->depth++;
    for (size_t i = 0; i < count; i++) {
        if (!(value & names[i].flag)) continue;
        add_word(description, &start, names[i].name);
        value &= ~names[i].flag;
    }
    snprintf(rest, sizeof rest, "0x%08x", value);
    if (value) add_word(description, &start, rest);
    if (start) cs_describe_end(description);
    description->depth--;
}

/* What is nobody's */

static bool describe_unknown(struct cs_description *description)
{
    const struct cs_span token = description->token;
    if (token.size && *token.data == 0xA0) {
        /* NegTokenInit, as Windows takes it without its frame */
        cs_describe_add(description, _("%s token (%zu bytes), not decoded yet"), "SPNEGO", token.size);
    } else if (!token.size) {
        cs_describe_add(description, _("empty token"));
    } else {
        /* enough to tell what it is, and too little to give a secret away that came in a token's place */
        struct cs_span shown = {token.data, token.size < SHOWN_OF_UNKNOWN ? token.size : SHOWN_OF_UNKNOWN};
        cs_describe_add(description, _("token of an unknown kind (%zu bytes), begins with "), token.size);
        cs_describe_hex(description, shown);
    }
    cs_describe_end(description);
    return false;
}

static bool describe_any(struct cs_description *description)
{
    static const struct cs_describer *const describers[] = {&ntlm_describer, &spnego_describer, &kerberos_describer};
    for (size_t i = 0; i < sizeof describers / sizeof *describers; i++) {
        if (!describers[i]->recognises(description->token)) continue;
        indent(description);
        describers[i]->describe(description);
        return description->whole;
    }
    indent(description);
    return describe_unknown(description);
}

bool cs_describe_opened(struct cs_span token, struct cs_describe_keys *keys, struct cs_writer *text)
{
    struct cs_description description = {.token = token, .text = text, .whole = true, .keys = keys};
    return describe_any(&description);
}

bool cs_describe_token(struct cs_span token, struct cs_writer *text)
{
    return cs_describe_opened(token, NULL, text);
}

/* A token inside a token inside a token is somebody's joke, and the stack is not ours to spend on it. */
bool cs_describe_inner(struct cs_description *description, struct cs_span token)
{
    enum { DEEPEST = 4 };
    struct cs_description inner = {.token = token,
                                   .text = description->text,
                                   .depth = description->depth + 1,
                                   .whole = true,
                                   .keys = description->keys};
    if (inner.depth > DEEPEST) return false;
    return describe_any(&inner);
}
