/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RFC 4121's token header and rotation.
 */
#include "kerberos_wrap.h"

#include "writer.h"

#include <stdlib.h>
#include <string.h>

void kerberos_header_write(const struct kerberos_header *header, uint8_t out[KERBEROS_HEADER])
{
    cs_put_be(out, header->id, 2);
    out[2] = header->flags;
    out[3] = 0xFF;
    cs_put_be(out + 4, header->ec, 2);
    cs_put_be(out + 6, header->rrc, 2);
    cs_put_be(out + 8, header->sequence, 8);
}

bool kerberos_header_read(const uint8_t in[KERBEROS_HEADER], struct kerberos_header *header)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){in, KERBEROS_HEADER});
    header->id = (uint16_t)cs_read_be(&reader, 2);
    header->flags = cs_read_u8(&reader);
    const uint8_t filler = cs_read_u8(&reader);
    header->ec = (uint16_t)cs_read_be(&reader, 2);
    header->rrc = (uint16_t)cs_read_be(&reader, 2);
    header->sequence = cs_read_be(&reader, 8);
    return !reader.failed && filler == 0xFF;
}

/* Byte OFFSET of what was rotated: TOKEN's, or the stream's, and then the DATA buffers'. */
static uint8_t *byte_at(const struct kerberos_frame *frame, size_t offset)
{
    const struct cs_buffer *buffer = frame->plain.buffers;
    if (offset < frame->first.size) return cs_buffer_bytes(&frame->first) + offset;
    offset -= frame->first.size;
    for (; !cs_buffer_sealed(buffer) || offset >= buffer->size; buffer++)
        if (cs_buffer_sealed(buffer)) offset -= buffer->size;
    return cs_buffer_bytes(buffer) + offset;
}

static void reverse(const struct kerberos_frame *frame, size_t from, size_t to)
{
    for (; from + 1 < to; from++, to--) {
        uint8_t *left = byte_at(frame, from), *right = byte_at(frame, to - 1), byte = *left;
        *left = *right;
        *right = byte;
    }
}

/* In place and without memory of its own, which makes it slow; no peer that is known of sends what needs it. */
static void turn_left(const struct kerberos_frame *frame, size_t count)
{
    if (!count) return;
    reverse(frame, 0, count);
    reverse(frame, count, frame->size);
    reverse(frame, 0, frame->size);
}

static void place(struct kerberos_frame *frame, size_t head, size_t tail)
{
    frame->head = cs_buffer_bytes(&frame->first) + head;
    frame->tail = cs_buffer_bytes(&frame->first) + tail;
}

/* What follows the header in BUFFER, which has room for one. */
static struct cs_buffer after_header(const struct cs_buffer *buffer)
{
    return (struct cs_buffer){buffer->size - KERBEROS_HEADER, SECBUFFER_DATA, buffer->address + KERBEROS_HEADER};
}

static bool copy_token(struct kerberos_frame *frame, size_t size)
{
    if (size > sizeof frame->few && !(frame->many = malloc(size))) return false;
    uint8_t *copy = frame->many ? frame->many : frame->few;
    memcpy(copy, cs_buffer_bytes(&frame->first), size);
    frame->first.address = (uint64_t)(uintptr_t)copy;
    frame->first.size = (uint32_t)size;
    return true;
}

/*
 * As Windows sends it nothing moves, and what a TOKEN holds beyond is passed over, as in NTLM's. Another rotation can
 * be told from the sizes alone, so these have to be exact.
 */
static SECURITY_STATUS open_token(struct kerberos_frame *frame, size_t rotation, size_t head_size, size_t tail_size)
{
    const bool as_windows = rotation == tail_size;
    const size_t used = head_size + tail_size;
    if (as_windows ? frame->first.size < used : frame->first.size != used) return SEC_E_MESSAGE_ALTERED;
    if (!copy_token(frame, used)) return SEC_E_INSUFFICIENT_MEMORY;
    place(frame, tail_size, 0);
    if (as_windows) return SEC_E_OK;
    frame->size = used;
    for (uint32_t i = 0; i < frame->plain.count; i++)
        if (cs_buffer_sealed(&frame->plain.buffers[i])) frame->size += frame->plain.buffers[i].size;
    frame->turned = (rotation % frame->size + frame->size - tail_size) % frame->size;
    turn_left(frame, frame->turned);
    return SEC_E_OK;
}

static SECURITY_STATUS open_stream(struct kerberos_frame *frame, size_t rotation, size_t head_size, size_t tail_size)
{
    frame->size = frame->first.size;
    if (frame->size < head_size + tail_size) return SEC_E_MESSAGE_ALTERED;
    const bool as_windows = rotation % frame->size == tail_size % frame->size;
    const size_t plain_size = frame->size - head_size - tail_size;
    frame->turned = as_windows ? 0 : rotation % frame->size;
    turn_left(frame, frame->turned);
    if (as_windows)
        place(frame, tail_size, 0);
    else
        place(frame, 0, head_size + plain_size);
    frame->data =
        (struct cs_buffer){(uint32_t)plain_size, SECBUFFER_DATA, (uint64_t)(uintptr_t)(frame->head + head_size)};
    frame->plain = (struct cs_message){&frame->data, 1};
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_frame_open(struct kerberos_frame *frame, const struct cs_message *message,
                                    const struct cs_shape *shape, uint32_t rotation, uint32_t head_size,
                                    uint32_t tail_size)
{
    frame->plain = *message;
    frame->many = NULL;
    frame->turned = 0;
    frame->first = after_header(shape->stream ? shape->stream : shape->token);
    return (shape->stream ? open_stream : open_token)(frame, rotation, head_size, tail_size);
}

void kerberos_frame_restore(const struct kerberos_frame *frame)
{
    if (frame->turned) turn_left(frame, frame->size - frame->turned);
}

void kerberos_frame_close(struct kerberos_frame *frame)
{
    free(frame->many);
}
