/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AV pairs, and the NTLMv2 response that carries them.
 */
#include "messages.h"

#include <string.h>

static bool well_sized(uint16_t id, size_t size)
{
    switch (id) {
    case MsvAvFlags: return size == 4;
    case MsvAvTimestamp: return size == 8;
    case MsvAvChannelBindings: return size == 16;
    default: return true;
    }
}

static uint64_t le_value(struct cs_span span)
{
    struct cs_reader reader = cs_reader_of(span);
    return cs_read_le(&reader, span.size);
}

static bool keep_pair(struct ntlm_av_pairs *pairs, uint16_t id, struct cs_span value)
{
    if (id >= NTLM_AV_COUNT) return true;
    /* Of two MsvAvFlags one could ask for a MIC and the other be believed (CVE-2019-1166). */
    if (ntlm_av_has(pairs, id) || !well_sized(id, value.size)) return false;
    pairs->present = (uint16_t)(pairs->present | 1u << id);
    pairs->value[id] = value;
    return true;
}

SECURITY_STATUS ntlm_av_read(struct cs_span span, struct ntlm_av_pairs *pairs)
{
    struct cs_reader reader = cs_reader_of(span);
    memset(pairs, 0, sizeof *pairs);
    pairs->list.data = span.data;
    while (span.size) {
        uint16_t id = cs_read_u16(&reader);
        struct cs_span value = cs_read_span(&reader, cs_read_u16(&reader));
        if (reader.failed) return SEC_E_INVALID_TOKEN;
        if (id == MsvAvEOL) break;
        if (!keep_pair(pairs, id, value)) return SEC_E_INVALID_TOKEN;
        pairs->list.size = span.size - reader.remaining;
    }
    pairs->flags = (uint32_t)le_value(pairs->value[MsvAvFlags]);
    pairs->timestamp = le_value(pairs->value[MsvAvTimestamp]);
    return SEC_E_OK;
}

void ntlm_av_write(struct cs_writer *output, enum ntlm_av_id id, struct cs_span value)
{
    if (value.size > UINT16_MAX) output->failed = true;
    cs_write_u16(output, (uint16_t)id);
    cs_write_u16(output, (uint16_t)value.size);
    cs_write_span(output, value);
}

SECURITY_STATUS ntlm_v2_response_read(struct cs_span response, struct ntlm_v2_response *parts)
{
    struct cs_reader reader = cs_reader_of(response);
    memset(parts, 0, sizeof *parts);
    parts->proof = cs_read_span(&reader, NTLM_KEY);
    parts->temp = (struct cs_span){reader.next, reader.remaining};
    cs_read_u16(&reader); /* RespType, HiRespType: covered by the proof, whatever they say */
    cs_read_span(&reader, 6);
    parts->timestamp = cs_read_u64(&reader);
    parts->client_challenge = cs_read_span(&reader, NTLM_CHALLENGE);
    cs_read_u32(&reader);
    if (reader.failed) return SEC_E_INVALID_TOKEN;
    return ntlm_av_read((struct cs_span){reader.next, reader.remaining}, &parts->av);
}

void ntlm_v2_temp_write(struct cs_writer *output, uint64_t timestamp, const uint8_t client_challenge[NTLM_CHALLENGE])
{
    cs_write_u16(output, 0x0101);
    cs_write_room(output, 6);
    cs_write_u64(output, timestamp);
    cs_write_span(output, (struct cs_span){client_challenge, NTLM_CHALLENGE});
    cs_write_u32(output, 0);
}
