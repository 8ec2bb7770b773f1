/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bounded writer: all tokens are made with it. It grows a heap block; a failed allocation sticks, and the caller
 * asks once, at the end. Tokens hold secrets of a kind (proofs), so the block is wiped when it is dropped or moves.
 */
#ifndef COUNTERSIGN_WRITER_H
#define COUNTERSIGN_WRITER_H

#include "reader.h"

struct cs_writer {
    uint8_t *data;
    size_t size, room;
    bool failed;
};

/* Appends SIZE bytes and yields where they lie, zeroed, until the next append; NULL for none, or after a failed
 * allocation. */
uint8_t *cs_write_room(struct cs_writer *writer, size_t size);

/* Appends the bytes of SPAN. */
void cs_write_span(struct cs_writer *writer, struct cs_span span);

/* Appends the low SIZE bytes of VALUE, little-endian. */
void cs_write_le(struct cs_writer *writer, uint64_t value, size_t size);

/* The same, big-endian. */
void cs_write_be(struct cs_writer *writer, uint64_t value, size_t size);

/* Overwrites bytes already written, at OFFSET; a range that is not there makes the error stick. */
void cs_write_over(struct cs_writer *writer, size_t offset, struct cs_span span);

/* Wipes and frees what was written; the writer is empty and usable again. */
void cs_writer_drop(struct cs_writer *writer);

/* Puts the low SIZE bytes of VALUE, big-endian, to where a message lies already: headers that are made in place. */
static inline void cs_put_be(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t i = size; i > 0; i--, value >>= 8) out[i - 1] = (uint8_t)value;
}

/* What has been written so far; valid until the next append. */
static inline struct cs_span cs_written(const struct cs_writer *writer)
{
    return (struct cs_span){writer->data, writer->size};
}

static inline void cs_write_u8(struct cs_writer *writer, uint8_t value)
{
    cs_write_le(writer, value, 1);
}

static inline void cs_write_u16(struct cs_writer *writer, uint16_t value)
{
    cs_write_le(writer, value, 2);
}

static inline void cs_write_u32(struct cs_writer *writer, uint32_t value)
{
    cs_write_le(writer, value, 4);
}

static inline void cs_write_u64(struct cs_writer *writer, uint64_t value)
{
    cs_write_le(writer, value, 8);
}

#endif
