/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the functions behind the call table have in common: addresses and texts of parameter blocks.
 */
#ifndef COUNTERSIGN_CALL_BLOCKS_H
#define COUNTERSIGN_CALL_BLOCKS_H

#include "blocks.h"
#include "message.h"
#include "writer.h"

#include <string.h>

static inline void *object_of(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

static inline struct cs_span span_of(struct cs_bytes bytes)
{
    return (struct cs_span){object_of(bytes.address), bytes.address ? bytes.size : 0};
}

/* As much of TEXT as there is room for, and how much it is. */
static inline void give_text(struct cs_block_text *block, struct cs_span text)
{
    block->needed = (uint32_t)text.size;
    size_t size = text.size < block->out.size ? text.size : block->out.size;
    if (size) memcpy(object_of(block->out.address), text.data, size);
}

/* The same of what was written, unless STATUS is a failure. Empties TEXT. */
static inline SECURITY_STATUS give_written(struct cs_block_text *block, struct cs_writer *text, SECURITY_STATUS status)
{
    if (text->failed) status = SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK) give_text(block, cs_written(text));
    cs_writer_drop(text);
    return status;
}

/* Into an array of SIZE that ends with a NUL. */
static inline void copy_name(char *out, size_t size, const char *name)
{
    strncpy(out, name, size - 1);
    out[size - 1] = 0;
}

static inline struct cs_message message_of(const struct cs_block_message *block)
{
    return (struct cs_message){object_of(block->buffers), block->count};
}

#endif
