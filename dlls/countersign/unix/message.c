/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one check of a protected message's buffers.
 */
#include "message.h"

#include <stddef.h>

/*
 * Types are compared as numbers: tested as bit masks, types 3, 5 and 7 would pass for DATA (bug class B6). A second
 * TOKEN would be bytes in the message that nothing vouches for, so it is no shape at all.
 */
static bool place(struct cs_buffer *buffer, enum cs_operation operation, struct cs_shape *shape)
{
    switch (cs_buffer_type(buffer)) {
    case SECBUFFER_TOKEN:
        if (shape->token) return false;
        shape->token = buffer;
        return true;
    case SECBUFFER_STREAM:
        if (shape->stream) return false;
        shape->stream = buffer;
        return true;
    case SECBUFFER_DATA:
        if (!shape->data) shape->data = buffer;
        shape->data_count++;
        if (cs_buffer_signed(buffer, operation)) shape->length += buffer->size;
        return true;
    default: return true;
    }
}

/* The one DATA beside a STREAM gets the message; another, a header perhaps, would be taken for signed and is not. */
static SECURITY_STATUS check_stream(const struct cs_shape *shape, enum cs_operation operation, uint32_t signature_size)
{
    const bool receives = operation == CS_DECRYPT || operation == CS_VERIFY_SIGNATURE;
    if (!receives || shape->token || shape->data_count != 1 || shape->data->type != SECBUFFER_DATA)
        return SEC_E_INVALID_TOKEN;
    if (shape->stream->size < signature_size) return SEC_E_INCOMPLETE_MESSAGE;
    return shape->stream->size - signature_size > CS_MESSAGE_MAX ? SEC_E_INVALID_TOKEN : SEC_E_OK;
}

/*
 * EncryptMessage (Negotiate) documents header, data, trailer and an empty buffer, in this order and no other: the
 * header serves as TOKEN and the trailer is not used.
 */
static bool is_documented_shape(const struct cs_message *message)
{
    static const uint32_t types[] = {SECBUFFER_STREAM_HEADER, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER,
                                     SECBUFFER_EMPTY};
    const uint32_t count = sizeof types / sizeof *types;
    if (message->count != count) return false;
    for (uint32_t i = 0; i < count; i++)
        if (cs_buffer_type(&message->buffers[i]) != types[i]) return false;
    return true;
}

SECURITY_STATUS cs_message_shape(const struct cs_message *message, enum cs_operation operation, uint32_t signature_size,
                                 struct cs_shape *shape)
{
    *shape = (struct cs_shape){0};
    for (uint32_t i = 0; i < message->count; i++)
        if (!place(&message->buffers[i], operation, shape)) return SEC_E_INVALID_TOKEN;
    if ((operation == CS_ENCRYPT || operation == CS_DECRYPT) && is_documented_shape(message))
        shape->token = &message->buffers[0];
    if (!shape->data) return SEC_E_INVALID_TOKEN;
    if (shape->stream) return check_stream(shape, operation, signature_size);
    if (!shape->token || shape->length > CS_MESSAGE_MAX) return SEC_E_INVALID_TOKEN;
    return shape->token->size < signature_size ? SEC_E_BUFFER_TOO_SMALL : SEC_E_OK;
}

void cs_message_no_padding(const struct cs_message *message)
{
    for (uint32_t i = 0; i < message->count; i++)
        if (cs_buffer_type(&message->buffers[i]) == SECBUFFER_PADDING) message->buffers[i].size = 0;
    if (is_documented_shape(message)) message->buffers[2].size = 0;
}
