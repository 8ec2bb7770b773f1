/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bounded reader: the only way in which bytes from the wire are taken. Its error is sticky: after one failed read
 * every later one yields zeros, so a parser reads like its schema and asks once, at the end.
 */
#ifndef COUNTERSIGN_READER_H
#define COUNTERSIGN_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A run of bytes that somebody else owns. */
struct cs_span {
    const uint8_t *data;
    size_t size;
};

struct cs_reader {
    const uint8_t *next;
    size_t remaining;
    bool failed;
};

/* Starts reading SPAN from its first byte. The span must outlive the reader and every span taken from it. */
static inline struct cs_reader cs_reader_of(struct cs_span span)
{
    return (struct cs_reader){.next = span.data, .remaining = span.size, .failed = false};
}

/*
 * Takes SIZE bytes. Yields an empty span and makes the error stick when fewer remain. The comparison is
 * "remaining >= size", which no size can wrap (CVE-2018-16890, CVE-2023-25563).
 */
static inline struct cs_span cs_read_span(struct cs_reader *reader, size_t size)
{
    if (reader->failed || reader->remaining < size) {
        reader->failed = true;
        return (struct cs_span){NULL, 0};
    }
    struct cs_span span = {reader->next, size};
    if (size) reader->next += size;
    reader->remaining -= size;
    return span;
}

/* Takes a little-endian integer of 1, 2, 4 or 8 bytes; 0 after an error. */
static inline uint64_t cs_read_le(struct cs_reader *reader, size_t size)
{
    struct cs_span span = cs_read_span(reader, size);
    uint64_t value = 0;
    for (size_t i = span.size; i > 0; i--) value = value << 8 | span.data[i - 1];
    return value;
}

static inline uint8_t cs_read_u8(struct cs_reader *reader)
{
    return (uint8_t)cs_read_le(reader, 1);
}

static inline uint16_t cs_read_u16(struct cs_reader *reader)
{
    return (uint16_t)cs_read_le(reader, 2);
}

static inline uint32_t cs_read_u32(struct cs_reader *reader)
{
    return (uint32_t)cs_read_le(reader, 4);
}

static inline uint64_t cs_read_u64(struct cs_reader *reader)
{
    return cs_read_le(reader, 8);
}

/* Takes a big-endian integer of 1 to 8 bytes; 0 after an error. */
static inline uint64_t cs_read_be(struct cs_reader *reader, size_t size)
{
    struct cs_span span = cs_read_span(reader, size);
    uint64_t value = 0;
    for (size_t i = 0; i < span.size; i++) value = value << 8 | span.data[i];
    return value;
}

/*
 * Yields SIZE bytes at OFFSET of WHOLE, for messages whose fields point into their payload.
 * *failed is set, never cleared, when they do not lie inside.
 */
static inline struct cs_span cs_span_at(struct cs_span whole, size_t offset, size_t size, bool *failed)
{
    struct cs_reader reader = cs_reader_of(whole);
    cs_read_span(&reader, offset);
    struct cs_span span = cs_read_span(&reader, size);
    *failed |= reader.failed;
    return span;
}

#endif
