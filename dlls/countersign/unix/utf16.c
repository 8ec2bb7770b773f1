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

/* No encoding here takes more than four bytes where another takes one. */
static bool run_iconv(iconv_t converter, struct cs_writer *output, struct cs_span text)
{
    char *in = (char *)(uintptr_t)text.data; /* iconv's prototype lacks const */
    size_t in_left = text.size, room = text.size * 4, before = output->size;
    char *out = (char *)cs_write_room(output, room);
    if (!out) return false;
    size_t result = iconv(converter, &in, &in_left, &out, &room);
    const bool converted = result == 0 && in_left == 0;
    const size_t end = converted ? (size_t)((uint8_t *)out - output->data) : before;
    cs_wipe(output->data + end, output->size - end);
    output->size = end;
    return converted;
}

bool cs_convert(struct cs_writer *output, const char *to, const char *from, struct cs_span text)
{
    if (!text.size) return true;
    iconv_t converter = iconv_open(to, from);
    if (converter == (iconv_t)-1) return false;
    bool converted = run_iconv(converter, output, text);
    iconv_close(converter);
    return converted;
}

bool cs_utf8_of(struct cs_writer *output, struct cs_span utf16)
{
    return cs_convert(output, "UTF-8", "UTF-16LE", utf16);
}

bool cs_utf16_of(struct cs_writer *output, struct cs_span utf8)
{
    return cs_convert(output, "UTF-16LE", "UTF-8", utf8);
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
