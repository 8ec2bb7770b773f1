/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bounded writer.
 */
#include "writer.h"

#include "secure.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256, LARGEST = 1 << 24 };

static bool make_room(struct cs_writer *writer, size_t size)
{
    if (writer->failed) return false;
    if (size <= writer->room - writer->size) return true;
    writer->failed = true;
    if (size > LARGEST || writer->size > LARGEST) return false;
    size_t room = writer->room ? writer->room : FIRST_ROOM;
    while (room - writer->size < size) room *= 2;
    uint8_t *data = malloc(room);
    if (!data) return false;
    if (writer->size) memcpy(data, writer->data, writer->size);
    cs_wipe_free(writer->data, writer->size);
    writer->data = data;
    writer->room = room;
    writer->failed = false;
    return true;
}

uint8_t *cs_write_room(struct cs_writer *writer, size_t size)
{
    if (!size || !make_room(writer, size)) return NULL;
    uint8_t *room = writer->data + writer->size;
    memset(room, 0, size);
    writer->size += size;
    return room;
}

void cs_write_span(struct cs_writer *writer, struct cs_span span)
{
    uint8_t *room = span.size ? cs_write_room(writer, span.size) : NULL;
    if (room) memcpy(room, span.data, span.size);
}

void cs_write_le(struct cs_writer *writer, uint64_t value, size_t size)
{
    uint8_t *room = cs_write_room(writer, size);
    for (size_t i = 0; room && i < size; i++) room[i] = (uint8_t)(value >> (8 * i));
}

void cs_write_be(struct cs_writer *writer, uint64_t value, size_t size)
{
    uint8_t *room = cs_write_room(writer, size);
    for (size_t i = 0; room && i < size; i++) room[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

void cs_write_over(struct cs_writer *writer, size_t offset, struct cs_span span)
{
    struct cs_span range = cs_span_at(cs_written(writer), offset, span.size, &writer->failed);
    if (!writer->failed && range.size) memcpy(writer->data + offset, span.data, span.size);
}

void cs_writer_drop(struct cs_writer *writer)
{
    cs_wipe_free(writer->data, writer->size);
    *writer = (struct cs_writer){0};
}
