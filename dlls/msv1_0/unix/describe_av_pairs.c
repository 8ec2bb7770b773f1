/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AV pairs in words (MS-NLMP 2.2.2.1).
 */
#include "describe_ntlm.h"

#include "messages.h"

#include <inttypes.h>
#include <libintl.h>
#include <time.h>

#define _(text) dgettext("countersign", text)

enum { SINGLE_HOST_SIZE = 48 };

static const char *const av_names[NTLM_AV_COUNT] = {
    "MsvAvEOL",           "MsvAvNbComputerName", "MsvAvNbDomainName",    "MsvAvDnsComputerName",
    "MsvAvDnsDomainName", "MsvAvDnsTreeName",    "MsvAvFlags",           "MsvAvTimestamp",
    "MsvAvSingleHost",    "MsvAvTargetName",     "MsvAvChannelBindings",
};

/* FILETIME, in 100 ns since 1601, all of which gmtime_r takes. */
void ntlm_describe_time(struct cs_description *description, const char *label, uint64_t filetime)
{
    const int64_t unix_epoch = INT64_C(11644473600);
    time_t seconds = (time_t)((int64_t)(filetime / 10000000) - unix_epoch);
    struct tm utc;
    char date[40];
    if (!filetime || !gmtime_r(&seconds, &utc) || !strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &utc)) {
        cs_describe_line(description, label, "0x%016" PRIx64, filetime);
    } else {
        cs_describe_line(description, label, "%s.%07u UTC (0x%016" PRIx64 ")", date, (unsigned)(filetime % 10000000),
                         filetime);
    }
}

static void describe_bindings(struct cs_description *description, struct cs_span hash)
{
    if (ntlm_all_zero(hash))
        cs_describe_line(description, "MsvAvChannelBindings", "%s", _("all zero: none"));
    else
        cs_describe_hex_line(description, "MsvAvChannelBindings", hash);
}

/* Single_Host_Data, 2.2.2.2. */
static void describe_single_host(struct cs_description *description, struct cs_span value)
{
    struct cs_reader reader = cs_reader_of(value);
    cs_describe_line(description, "MsvAvSingleHost", _("size %zu"), value.size);
    if (value.size < SINGLE_HOST_SIZE) return;
    cs_read_u64(&reader);
    description->depth++;
    cs_describe_hex_line(description, "CustomData", cs_read_span(&reader, 8));
    cs_describe_hex_line(description, "MachineID", cs_read_span(&reader, 32));
    description->depth--;
}

static void describe_av_flags(struct cs_description *description, uint32_t flags)
{
    static const struct cs_flag_name names[] = {
        {1, "CONSTRAINED_ACCOUNT"}, {MSV_AV_FLAG_MIC, "MIC_PROVIDED"}, {4, "UNTRUSTED_TARGET_NAME"}};
    cs_describe_flags(description, "MsvAvFlags", flags, names, sizeof names / sizeof *names);
}

static void describe_pair(struct cs_description *description, uint16_t id, struct cs_span value)
{
    struct cs_reader reader = cs_reader_of(value);
    switch (id) {
    case MsvAvEOL: cs_describe_line(description, av_names[id], _("size %zu"), value.size); break;
    case MsvAvFlags: describe_av_flags(description, cs_read_u32(&reader)); break;
    case MsvAvTimestamp: ntlm_describe_time(description, av_names[id], cs_read_u64(&reader)); break;
    case MsvAvSingleHost: describe_single_host(description, value); break;
    case MsvAvChannelBindings: describe_bindings(description, value); break;
    default:
        cs_describe_begin(description, av_names[id]);
        cs_describe_name(description, value, true);
        cs_describe_end(description);
    }
}

/* The size that the pair ID has to have; any, if 0. */
static size_t fixed_size(uint16_t id)
{
    switch (id) {
    case MsvAvFlags: return 4;
    case MsvAvTimestamp: return 8;
    case MsvAvChannelBindings: return 16;
    default: return 0;
    }
}

/* Shows the pair ID, which begins at OFFSET; *SEEN has a bit for each known id so far. */
static void check_pair(struct cs_description *description, uint16_t id, struct cs_span value, size_t offset,
                       uint32_t *seen)
{
    if (id >= NTLM_AV_COUNT) {
        cs_describe_line(description, "AvId", _("%u, size %zu"), id, value.size);
        return;
    }
    if (fixed_size(id) && value.size != fixed_size(id)) {
        cs_describe_broken(description, offset, _("%s has %zu bytes and must have %zu"), av_names[id], value.size,
                           fixed_size(id));
        return;
    }
    describe_pair(description, id, value);
    if (*seen >> id & 1) cs_describe_broken(description, offset, _("%s is there twice"), av_names[id]);
    *seen |= 1u << id;
}

static void walk_pairs(struct cs_description *description, struct cs_walk *walk)
{
    uint32_t seen = 0;
    while (!(seen & 1u << MsvAvEOL)) {
        const size_t offset = cs_walk_position(walk);
        const uint32_t head = cs_read_u32(&walk->reader); /* AvId, AvLen */
        const uint16_t id = (uint16_t)head;
        if (cs_describe_cut(description, walk, "AV_PAIR")) return;
        struct cs_span value = cs_read_span(&walk->reader, head >> 16);
        if (cs_describe_cut(description, walk, id < NTLM_AV_COUNT ? av_names[id] : "AV_PAIR")) return;
        check_pair(description, id, value, offset, &seen);
    }
    if (walk->reader.remaining)
        cs_describe_line(description, _("behind the list"), _("size %zu"), walk->reader.remaining);
}

void ntlm_describe_pairs(struct cs_description *description, struct cs_walk walk)
{
    description->depth++;
    if (walk.reader.remaining) walk_pairs(description, &walk);
    description->depth--;
}
