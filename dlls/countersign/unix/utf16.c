/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UTF-16LE strings.
 */
#include "utf16.h"

#include "secure.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unistr.h>

static uint16_t upper(uint16_t unit)
{
    if (unit >= 0xD800 && unit <= 0xDFFF) return unit;
    ucs4_t mapped = uc_toupper(unit);
    /* Windows keeps the dotless i and the long s; Unicode maps them to I and S. */
    if (mapped > 0xFFFF || (unit >= 0x80 && mapped < 0x80)) return unit;
    return (uint16_t)mapped;
}

void cs_utf16_upper(struct cs_writer *output, struct cs_span utf16)
{
    struct cs_reader reader = cs_reader_of(utf16);
    while (reader.remaining >= 2) cs_write_u16(output, upper(cs_read_u16(&reader)));
}

bool cs_utf16_same_name(struct cs_span left, struct cs_span right)
{
    if (left.size != right.size || left.size % 2) return false;
    struct cs_reader a = cs_reader_of(left), b = cs_reader_of(right);
    while (a.remaining)
        if (upper(cs_read_u16(&a)) != upper(cs_read_u16(&b))) return false;
    return true;
}

static void write_utf16(struct cs_writer *output, ucs4_t character)
{
    if (character < 0x10000) {
        cs_write_u16(output, (uint16_t)character);
        return;
    }
    cs_write_u16(output, (uint16_t)(0xD800 + ((character - 0x10000) >> 10)));
    cs_write_u16(output, (uint16_t)(0xDC00 + (character & 0x3FF)));
}

/* The next character, or 0xFFFFFFFF for a lone surrogate. */
static ucs4_t read_utf16(struct cs_reader *reader)
{
    const uint16_t unit = cs_read_u16(reader);
    if (unit < 0xD800 || unit > 0xDFFF) return unit;
    const uint16_t low = unit < 0xDC00 && reader->remaining >= 2 ? cs_read_u16(reader) : 0;
    if (low < 0xDC00 || low > 0xDFFF) return 0xFFFFFFFF;
    return 0x10000 + ((ucs4_t)(unit - 0xD800) << 10) + (low - 0xDC00);
}

/* Takes back what was written from BEFORE on, wiped, since it may be a part of a password. */
static bool take_back(struct cs_writer *output, size_t before)
{
    if (output->size > before) cs_wipe(output->data + before, output->size - before);
    output->size = before;
    return false;
}

bool cs_utf8_of(struct cs_writer *output, struct cs_span utf16)
{
    const size_t before = output->size;
    struct cs_reader reader = cs_reader_of(utf16);
    uint8_t bytes[6];
    if (utf16.size % 2) return false;
    while (reader.remaining) {
        const int size = u8_uctomb(bytes, read_utf16(&reader), sizeof bytes);
        if (size < 0) return take_back(output, before);
        cs_write_span(output, (struct cs_span){bytes, (size_t)size});
    }
    return !output->failed;
}

bool cs_utf16_of(struct cs_writer *output, struct cs_span utf8)
{
    const size_t before = output->size;
    while (utf8.size) {
        ucs4_t character;
        const int size = u8_mbtoucr(&character, utf8.data, utf8.size);
        if (size <= 0) return take_back(output, before);
        write_utf16(output, character);
        utf8 = (struct cs_span){utf8.data + size, utf8.size - (size_t)size};
    }
    return !output->failed;
}

/* No character takes more than two bytes in one of the two and one in the other. */
static bool run_iconv(iconv_t converter, struct cs_writer *output, struct cs_span text)
{
    char *in = (char *)(uintptr_t)text.data; /* iconv's prototype lacks const */
    size_t in_left = text.size, room = text.size * 2, before = output->size;
    char *out = (char *)cs_write_room(output, room);
    if (!out) return false;
    const bool converted = iconv(converter, &in, &in_left, &out, &room) == 0 && in_left == 0;
    const size_t end = converted ? (size_t)((uint8_t *)out - output->data) : before;
    cs_wipe(output->data + end, output->size - end);
    output->size = end;
    return converted;
}

/* ASCII is the same in the OEM character set; iconv, which loads its tables as modules, is for the rest. */
static bool is_ascii(struct cs_span text, size_t unit)
{
    for (size_t i = 0; i < text.size; i++)
        if (i % unit ? text.data[i] != 0 : text.data[i] >= 0x80) return false;
    return text.size % unit == 0;
}

static bool convert(struct cs_writer *output, const char *to, const char *from, struct cs_span text)
{
    iconv_t converter = iconv_open(to, from);
    if (converter == (iconv_t)-1) return false;
    const bool converted = run_iconv(converter, output, text);
    iconv_close(converter);
    return converted;
}

bool cs_oem_of(struct cs_writer *output, struct cs_span utf16)
{
    if (!is_ascii(utf16, 2)) return convert(output, "CP437", "UTF-16LE", utf16);
    for (size_t i = 0; i < utf16.size; i += 2) cs_write_u8(output, utf16.data[i]);
    return !output->failed;
}

bool cs_utf16_of_oem(struct cs_writer *output, struct cs_span oem)
{
    if (!is_ascii(oem, 1)) return convert(output, "UTF-16LE", "CP437", oem);
    for (size_t i = 0; i < oem.size; i++) cs_write_u16(output, oem.data[i]);
    return !output->failed;
}

struct cs_span cs_span_of(const char *text)
{
    return text ? (struct cs_span){(const uint8_t *)text, strlen(text)} : (struct cs_span){NULL, 0};
}

bool cs_span_copy(struct cs_span *copy, struct cs_span span)
{
    *copy = (struct cs_span){NULL, 0};
    if (!span.size) return true;
    uint8_t *data = malloc(span.size);
    if (!data) return false;
    memcpy(data, span.data, span.size);
    *copy = (struct cs_span){data, span.size};
    return true;
}

void cs_span_drop(struct cs_span *span)
{
    cs_wipe_free((void *)(uintptr_t)span->data, span->size);
    *span = (struct cs_span){NULL, 0};
}
