/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Channel bindings' hash.
 */
#include "bindings.h"

#include <nettle/md5.h>

struct part {
    uint32_t type, size, offset;
};

static struct part read_part(struct cs_reader *reader)
{
    struct part part;
    part.type = cs_read_u32(reader);
    part.size = cs_read_u32(reader);
    part.offset = cs_read_u32(reader);
    return part;
}

static void hash_u32(struct md5_ctx *md5, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    md5_update(md5, sizeof bytes, bytes);
}

static void hash_data(struct md5_ctx *md5, struct cs_span whole, const struct part *part, bool *failed)
{
    struct cs_span data = cs_span_at(whole, part->size ? part->offset : 0, part->size, failed);
    hash_u32(md5, part->size);
    if (data.size) md5_update(md5, data.size, data.data);
}

SECURITY_STATUS cs_bindings_hash(struct cs_span bindings, uint8_t hash[CS_BINDINGS_HASH_SIZE])
{
    struct cs_reader reader = cs_reader_of(bindings);
    struct part initiator = read_part(&reader);
    struct part acceptor = read_part(&reader);
    struct part application = {0};
    application.size = cs_read_u32(&reader);
    application.offset = cs_read_u32(&reader);
    bool failed = reader.failed;
    struct md5_ctx md5;

    md5_init(&md5);
    hash_u32(&md5, initiator.type);
    hash_data(&md5, bindings, &initiator, &failed);
    hash_u32(&md5, acceptor.type);
    hash_data(&md5, bindings, &acceptor, &failed);
    hash_data(&md5, bindings, &application, &failed);
    md5_digest(&md5, CS_BINDINGS_HASH_SIZE, hash);
    return failed ? SEC_E_BAD_BINDINGS : SEC_E_OK;
}
