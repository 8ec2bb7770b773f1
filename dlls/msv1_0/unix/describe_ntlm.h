/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the descriptions of NTLM messages and of the lists in them share.
 */
#ifndef COUNTERSIGN_DESCRIBE_NTLM_H
#define COUNTERSIGN_DESCRIBE_NTLM_H

#include "describe.h"

/*
 * Describes the AV pairs that WALK is about to read, to its end, one level deeper than the line before. What
 * ntlm_av_read refuses is broken here too; an empty list, which may lack even MsvAvEOL, is not.
 */
void ntlm_describe_pairs(struct cs_description *description, struct cs_walk walk);

/* A line with the date of FILETIME: units of 100 ns since 1601, UTC. */
void ntlm_describe_time(struct cs_description *description, const char *label, uint64_t filetime);

static inline bool ntlm_all_zero(struct cs_span span)
{
    uint8_t seen = 0;
    for (size_t i = 0; i < span.size; i++) seen |= span.data[i];
    return !seen;
}

#endif
