/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The 0x8003 checksum.
 */
#include "kerberos_checksum.h"

#include <string.h>

enum { DELEGATION_OPTION = 1 };

bool kerberos_checksum_read(struct cs_span input, struct kerberos_checksum *checksum)
{
    struct cs_reader reader = cs_reader_of(input);
    *checksum = (struct kerberos_checksum){.flags = 0};
    const uint32_t size = cs_read_u32(&reader);
    struct cs_span bindings = cs_read_span(&reader, sizeof checksum->bindings);
    checksum->flags = cs_read_u32(&reader);
    if (reader.failed || size != sizeof checksum->bindings) return false;
    memcpy(checksum->bindings, bindings.data, bindings.size);
    if (!(checksum->flags & KERBEROS_DELEGATE)) return true;
    const uint16_t option = cs_read_u16(&reader);
    checksum->delegated = cs_read_span(&reader, cs_read_u16(&reader));
    return !reader.failed && option == DELEGATION_OPTION;
}

void kerberos_checksum_write(struct cs_writer *output, const struct kerberos_checksum *checksum)
{
    cs_write_u32(output, sizeof checksum->bindings);
    cs_write_span(output, (struct cs_span){checksum->bindings, sizeof checksum->bindings});
    cs_write_u32(output, checksum->flags);
    if (!(checksum->flags & KERBEROS_DELEGATE)) return;
    cs_write_u16(output, DELEGATION_OPTION);
    cs_write_u16(output, (uint16_t)checksum->delegated.size);
    cs_write_span(output, checksum->delegated);
}

static const struct {
    uint32_t flag, isc, asc;
} names[] = {
    {KERBEROS_DELEGATE, ISC_REQ_DELEGATE, ASC_REQ_DELEGATE},
    {KERBEROS_MUTUAL, ISC_REQ_MUTUAL_AUTH, ASC_REQ_MUTUAL_AUTH},
    {KERBEROS_REPLAY, ISC_REQ_REPLAY_DETECT, ASC_REQ_REPLAY_DETECT},
    {KERBEROS_SEQUENCE, ISC_REQ_SEQUENCE_DETECT, ASC_REQ_SEQUENCE_DETECT},
    {KERBEROS_CONFIDENTIALITY, ISC_REQ_CONFIDENTIALITY, ASC_REQ_CONFIDENTIALITY},
    {KERBEROS_INTEGRITY, ISC_REQ_INTEGRITY, ASC_REQ_INTEGRITY},
    {KERBEROS_DCE_STYLE, ISC_REQ_USE_DCE_STYLE, ASC_REQ_USE_DCE_STYLE},
    {KERBEROS_IDENTIFY, ISC_REQ_IDENTIFY, ASC_REQ_IDENTIFY},
    {KERBEROS_EXTENDED_ERROR, ISC_REQ_EXTENDED_ERROR, ASC_REQ_EXTENDED_ERROR},
};

/* Integrity always comes along unless NO_INTEGRITY forbids it (attributes.tsv, Kerberos, observed). Delegation wants
 * mutual authentication, and so do the three legs of DCE style. */
uint32_t kerberos_flags_of(uint32_t request)
{
    uint32_t flags = request & ISC_REQ_NO_INTEGRITY ? 0 : KERBEROS_INTEGRITY;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (request & names[i].isc) flags |= names[i].flag;
    if (request & ISC_REQ_NO_INTEGRITY) flags &= ~(uint32_t)KERBEROS_INTEGRITY;
    if (flags & KERBEROS_DCE_STYLE) flags |= KERBEROS_MUTUAL;
    if (!(flags & KERBEROS_MUTUAL)) flags &= ~(uint32_t)KERBEROS_DELEGATE;
    return flags;
}

uint32_t kerberos_granted(uint32_t flags, bool initiator)
{
    uint32_t granted = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (flags & names[i].flag) granted |= initiator ? names[i].isc : names[i].asc;
    return granted;
}
