/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DER.
 */
#include "tlv.h"

#include <string.h>

enum { LONG_FORM = 0x80, LARGEST_LENGTH = 3, LARGEST_CONTENTS = 0xFFFFFF };

bool cs_der_next_is(const struct cs_reader *reader, uint8_t tag)
{
    return !reader->failed && reader->remaining && *reader->next == tag;
}

/* A length in more bytes than it needs is BER, and another encoding of what a MIC covers. */
static size_t read_length(struct cs_reader *reader)
{
    const uint8_t first = cs_read_u8(reader);
    if (first < LONG_FORM) return first;
    const size_t count = first - LONG_FORM;
    size_t length = 0;
    if (!count || count > LARGEST_LENGTH) reader->failed = true;
    for (size_t i = 0; i < count && !reader->failed; i++) {
        length = length << 8 | cs_read_u8(reader);
        if (!length) reader->failed = true;
    }
    if (length < LONG_FORM) reader->failed = true;
    return length;
}

struct cs_span cs_der_read(struct cs_reader *reader, uint8_t tag)
{
    if (cs_read_u8(reader) != tag) reader->failed = true;
    return cs_read_span(reader, read_length(reader));
}

struct cs_reader cs_der_enter(struct cs_reader *reader, uint8_t tag)
{
    struct cs_reader inner = cs_reader_of(cs_der_read(reader, tag));
    inner.failed = reader->failed;
    return inner;
}

struct cs_span cs_der_read_explicit(struct cs_reader *reader, uint8_t tag, uint8_t inner_tag)
{
    struct cs_reader inner = cs_der_enter(reader, tag);
    struct cs_span contents = cs_der_read(&inner, inner_tag);
    if (inner.failed || inner.remaining) reader->failed = true;
    return contents;
}

static size_t write_header(uint8_t header[2 + LARGEST_LENGTH], uint8_t tag, size_t length)
{
    size_t size = 0, count = length < LONG_FORM ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
    header[size++] = tag;
    header[size++] = (uint8_t)(count ? LONG_FORM | count : length);
    for (; count; count--) header[size++] = (uint8_t)(length >> (8 * (count - 1)));
    return size;
}

void cs_der_write(struct cs_writer *output, uint8_t tag, struct cs_span contents)
{
    uint8_t header[2 + LARGEST_LENGTH];
    if (contents.size > LARGEST_CONTENTS) output->failed = true;
    cs_write_span(output, (struct cs_span){header, write_header(header, tag, contents.size)});
    cs_write_span(output, contents);
}

void cs_der_write_explicit(struct cs_writer *output, uint8_t tag, uint8_t inner_tag, struct cs_span contents)
{
    const size_t start = output->size;
    cs_der_write(output, inner_tag, contents);
    cs_der_wrap(output, start, tag);
}

void cs_der_wrap(struct cs_writer *output, size_t start, uint8_t tag)
{
    uint8_t header[2 + LARGEST_LENGTH];
    if (output->size - start > LARGEST_CONTENTS) output->failed = true;
    if (output->failed) return;
    const size_t length = output->size - start, size = write_header(header, tag, length);
    if (!cs_write_room(output, size)) return;
    memmove(output->data + start + size, output->data + start, length);
    memcpy(output->data + start, header, size);
}
