/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes to a message on its way.
 */
#include "changes.h"

#include <string.h>

enum { XOR, OVERWRITE, INSERT, CUT, HOWS };

static void exchange_bytes(struct cs_writer *message, size_t at, size_t remove, struct cs_span insert)
{
    struct cs_reader old = cs_reader_of(cs_written(message));
    struct cs_writer made = {0};
    cs_write_span(&made, cs_read_span(&old, at));
    cs_write_span(&made, insert);
    cs_read_span(&old, remove);
    cs_write_span(&made, cs_read_span(&old, old.remaining));
    cs_writer_drop(message);
    *message = made;
}

static void xor_bytes(struct cs_writer *message, size_t at, struct cs_span bytes)
{
    for (size_t i = 0; i < bytes.size; i++) message->data[at + i] ^= bytes.data[i];
}

static void change_once(struct cs_writer *message, struct cs_reader *input)
{
    const unsigned how = cs_read_u8(input) % HOWS;
    const size_t at = cs_read_u16(input) % (message->size + 1);
    const size_t asked = cs_read_u8(input), rest = message->size - at;
    const size_t within = asked < rest ? asked : rest;
    if (how == CUT) {
        exchange_bytes(message, at, within, (struct cs_span){NULL, 0});
        return;
    }
    const struct cs_span bytes = cs_read_span(input, how == INSERT ? asked : within);
    if (how == XOR)
        xor_bytes(message, at, bytes);
    else
        exchange_bytes(message, at, how == INSERT ? 0 : bytes.size, bytes);
}

bool fuzz_change(struct cs_writer *message, struct cs_reader *input, unsigned most)
{
    struct cs_span before;
    fuzz_require(cs_span_copy(&before, cs_written(message)), "memory");
    for (unsigned i = 0; i < most && input->remaining && !input->failed && message->size < 65536; i++)
        change_once(message, input);
    const bool changed =
        message->size != before.size || (before.size && memcmp(message->data, before.data, before.size));
    cs_span_drop(&before);
    return changed;
}
