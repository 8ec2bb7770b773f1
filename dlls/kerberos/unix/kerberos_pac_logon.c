/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LOGON_INFO: KERB_VALIDATION_INFO (MS-PAC 2.5), marshalled by RPC's type serialization version 1 (MS-RPCE 2.2.6). Its
 * fixed part comes first, and what its pointers point to afterwards, in their order.
 */
#include "kerberos_pac.h"

#include "utf16.h"

#include <stdlib.h>
#include <string.h>

/* An RPC_UNICODE_STRING before its characters are known. */
struct string {
    uint16_t size;
    uint32_t pointer;
};

/* A counted array, or a SID with COUNT 1, before its elements are known. */
struct array {
    uint32_t count, pointer;
};

/* The members that matter, and those that others stand behind. */
struct fixed_part {
    uint64_t kick_off;
    struct string names[6]; /* EffectiveName, FullName, LogonScript, ProfilePath, HomeDirectory, HomeDirectoryDrive */
    uint32_t user_id, primary_group;
    struct array groups;
    struct string server, domain;
    struct array domain_sid, extra_sids, resource_sid, resource_groups;
};

/* The reader, and its whole: NDR aligns by the distance from the beginning. */
struct ndr {
    struct cs_reader reader;
    size_t size;
};

static void align4(struct ndr *ndr)
{
    cs_read_span(&ndr->reader, (0 - (ndr->size - ndr->reader.remaining)) & 3);
}

static uint32_t read_u32(struct ndr *ndr)
{
    align4(ndr);
    return cs_read_u32(&ndr->reader);
}

/* FILETIMEs are two integers of 32 bits, and so aligned to 4. */
static uint64_t read_time(struct ndr *ndr)
{
    align4(ndr);
    return cs_read_u64(&ndr->reader);
}

static void fail(struct ndr *ndr)
{
    ndr->reader.failed = true;
}

static struct string read_string(struct ndr *ndr)
{
    struct string string;
    align4(ndr);
    string.size = cs_read_u16(&ndr->reader);
    cs_read_u16(&ndr->reader); /* MaximumLength */
    string.pointer = read_u32(ndr);
    return string;
}

static struct array read_array(struct ndr *ndr)
{
    struct array array;
    array.count = read_u32(ndr);
    array.pointer = read_u32(ndr);
    return array;
}

/* The common and the private header: little-endian is all that Windows writes. */
static struct ndr open_ndr(struct cs_span info)
{
    struct cs_reader headers = cs_reader_of(info);
    const uint8_t version = cs_read_u8(&headers), endianness = cs_read_u8(&headers);
    const uint16_t size = cs_read_u16(&headers);
    cs_read_u32(&headers); /* filler */
    const uint32_t object_size = cs_read_u32(&headers);
    cs_read_u32(&headers);
    const struct cs_span object = cs_read_span(&headers, object_size);
    struct ndr ndr = {cs_reader_of(object), object.size};
    if (headers.failed || version != 1 || endianness != 0x10 || size != 8) fail(&ndr);
    return ndr;
}

static struct fixed_part read_fixed(struct ndr *ndr)
{
    struct fixed_part fixed = {0};
    if (!read_u32(ndr)) fail(ndr); /* the pointer to all of it */
    read_time(ndr);                /* LogonTime */
    read_time(ndr);                /* LogoffTime */
    fixed.kick_off = read_time(ndr);
    for (int i = 0; i < 3; i++) read_time(ndr); /* PasswordLastSet, PasswordCanChange, PasswordMustChange */
    for (int i = 0; i < 6; i++) fixed.names[i] = read_string(ndr);
    read_u32(ndr); /* LogonCount, BadPasswordCount */
    fixed.user_id = read_u32(ndr);
    fixed.primary_group = read_u32(ndr);
    fixed.groups = read_array(ndr);
    read_u32(ndr);                  /* UserFlags */
    cs_read_span(&ndr->reader, 16); /* UserSessionKey */
    fixed.server = read_string(ndr);
    fixed.domain = read_string(ndr);
    fixed.domain_sid = (struct array){1, read_u32(ndr)};
    /* Reserved1, UserAccountControl, SubAuthStatus, two times, FailedILogonCount, Reserved3 */
    for (int i = 0; i < 10; i++) read_u32(ndr);
    fixed.extra_sids = read_array(ndr);
    fixed.resource_sid = (struct array){1, read_u32(ndr)};
    fixed.resource_groups = read_array(ndr);
    return fixed;
}

/* A string's characters: a conformant varying array. The count in there bounds what the length claims. */
static struct cs_span read_characters(struct ndr *ndr, struct string string)
{
    if (!string.pointer && string.size) fail(ndr);
    if (!string.pointer) return (struct cs_span){0};
    const uint32_t maximum = read_u32(ndr), offset = read_u32(ndr), count = read_u32(ndr);
    const struct cs_span characters = cs_read_span(&ndr->reader, (size_t)count * 2);
    if (offset || count > maximum || string.size % 2 || string.size > characters.size) fail(ndr);
    return ndr->reader.failed ? (struct cs_span){0} : (struct cs_span){characters.data, string.size};
}

/* An RPC_SID: a conformant structure, whose count stands before it too. Empty for a NULL pointer. */
static struct cs_sid read_sid(struct ndr *ndr, uint32_t pointer)
{
    struct cs_sid sid = {.size = 0};
    if (!pointer) return sid;
    const uint32_t count = read_u32(ndr);
    if (count > 15) fail(ndr);
    const struct cs_span bytes = cs_read_span(&ndr->reader, 8 + (size_t)count * 4);
    if (ndr->reader.failed || bytes.data[0] != 1 || bytes.data[1] != count) {
        fail(ndr);
        return sid;
    }
    memcpy(sid.bytes, bytes.data, bytes.size);
    sid.size = (uint8_t)bytes.size;
    return sid;
}

/* SID with another subauthority behind it; false if there is no SID or no room in it. */
static bool extend_sid(struct cs_sid *sid, uint32_t last)
{
    if (!sid->size || sid->bytes[1] >= 15) return false;
    for (int i = 0; i < 4; i++) sid->bytes[sid->size++] = (uint8_t)(last >> (8 * i));
    sid->bytes[1]++;
    return true;
}

/* The elements behind a pointer, of which every kind here has 8 bytes. The array says its count once more. */
static struct cs_span read_elements(struct ndr *ndr, struct array array)
{
    if (!array.pointer && array.count) fail(ndr);
    if (!array.pointer) return (struct cs_span){0};
    if (read_u32(ndr) != array.count) fail(ndr);
    return cs_read_span(&ndr->reader, (size_t)array.count * 8);
}

/* Room for all groups that the counts speak of; they speak of no more than there are bytes for, and are few. */
static SECURITY_STATUS make_room(const struct ndr *ndr, const struct fixed_part *fixed, struct kerberos_pac *result)
{
    const uint64_t total = (uint64_t)fixed->groups.count + fixed->extra_sids.count + fixed->resource_groups.count;
    if (ndr->reader.failed || total > ndr->reader.remaining / 8) return SEC_E_INVALID_TOKEN;
    if (total > CS_LOGON_MOST_GROUPS) return SEC_E_LOGON_DENIED;
    result->logon.groups = calloc(total ? total : 1, sizeof *result->logon.groups);
    return result->logon.groups ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static void add_group(struct kerberos_pac *result, struct cs_sid sid, uint32_t attributes)
{
    result->logon.groups[result->logon.group_count++] = (struct cs_group){sid, attributes};
}

/* GROUP_MEMBERSHIPs: groups of the domain whose SID is DOMAIN. */
static void add_memberships(struct ndr *ndr, struct cs_span elements, struct cs_sid domain, struct kerberos_pac *result)
{
    struct cs_reader reader = cs_reader_of(elements);
    while (reader.remaining && !ndr->reader.failed) {
        struct cs_sid sid = domain;
        if (!extend_sid(&sid, cs_read_u32(&reader))) fail(ndr);
        add_group(result, sid, cs_read_u32(&reader));
    }
}

/* KERB_SID_AND_ATTRIBUTES, and the SIDs, which follow all of them. */
static void read_extra_sids(struct ndr *ndr, struct array array, struct kerberos_pac *result)
{
    struct cs_reader elements = cs_reader_of(read_elements(ndr, array));
    while (elements.remaining && !ndr->reader.failed) {
        const uint32_t pointer = cs_read_u32(&elements), attributes = cs_read_u32(&elements);
        const struct cs_sid sid = read_sid(ndr, pointer);
        if (!sid.size) fail(ndr);
        add_group(result, sid, attributes);
    }
}

static void read_resource_groups(struct ndr *ndr, const struct fixed_part *fixed, struct kerberos_pac *result)
{
    const struct cs_sid domain = read_sid(ndr, fixed->resource_sid.pointer);
    add_memberships(ndr, read_elements(ndr, fixed->resource_groups), domain, result);
}

/* What the pointers point to; every part must be gone through to come to the next. */
static SECURITY_STATUS read_deferred(struct ndr *ndr, const struct fixed_part *fixed, struct kerberos_pac *result)
{
    const struct cs_span user = read_characters(ndr, fixed->names[0]);
    for (int i = 1; i < 6; i++) read_characters(ndr, fixed->names[i]);
    const struct cs_span groups = read_elements(ndr, fixed->groups);
    read_characters(ndr, fixed->server);
    const struct cs_span domain = read_characters(ndr, fixed->domain);
    const struct cs_sid domain_sid = read_sid(ndr, fixed->domain_sid.pointer);
    add_memberships(ndr, groups, domain_sid, result);
    read_extra_sids(ndr, fixed->extra_sids, result);
    read_resource_groups(ndr, fixed, result);
    result->logon.user_sid = domain_sid;
    if (!extend_sid(&result->logon.user_sid, fixed->user_id) || ndr->reader.failed) return SEC_E_INVALID_TOKEN;
    if (!cs_span_copy(&result->logon.user, user) || !cs_span_copy(&result->logon.domain, domain))
        return SEC_E_INSUFFICIENT_MEMORY;
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_pac_logon(struct cs_span info, struct kerberos_pac *result)
{
    struct ndr ndr = open_ndr(info);
    const struct fixed_part fixed = read_fixed(&ndr);
    SECURITY_STATUS status = make_room(&ndr, &fixed, result);
    if (status != SEC_E_OK) return status;
    result->logon.primary_group = fixed.primary_group;
    /* 0 is what other KDCs than Windows's write for never. */
    result->kick_off = fixed.kick_off && fixed.kick_off < INT64_MAX ? (int64_t)fixed.kick_off : INT64_MAX;
    return read_deferred(&ndr, &fixed, result);
}
