/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clients that leave the process with their session, and come in again: whether there is one (1), its identifier, its
 * level (1), user and domain as an authority has them, the user's SID, the primary group (4), groups with attributes
 * (4) and SID each, after their number (2), and what reaches others in its name. Strings have a size of 4 bytes before
 * them, SIDs of one.
 */
#include "client.h"

#include "secure.h"
#include "utf16.h"

#include <stdlib.h>
#include <string.h>

enum { SID_HEAD = 8 };

static void write_bytes(struct cs_writer *packed, struct cs_span bytes)
{
    cs_write_u32(packed, (uint32_t)bytes.size);
    cs_write_span(packed, bytes);
}

static void write_sid(struct cs_writer *packed, const struct cs_sid *sid)
{
    cs_write_u8(packed, sid->size);
    cs_write_span(packed, (struct cs_span){sid->bytes, sid->size});
}

static void pack_logon(const struct cs_logon *logon, struct cs_writer *packed)
{
    write_bytes(packed, logon->user);
    write_bytes(packed, logon->domain);
    write_sid(packed, &logon->user_sid);
    cs_write_u32(packed, logon->primary_group);
    cs_write_u16(packed, (uint16_t)logon->group_count);
    for (uint32_t i = 0; i < logon->group_count; i++) {
        cs_write_u32(packed, logon->groups[i].attributes);
        write_sid(packed, &logon->groups[i].sid);
    }
}

/* One that has itself come from elsewhere, and was never used here, goes on as it came. */
static void pack_onward(struct cs_client *client, struct cs_writer *packed)
{
    struct cs_writer own = {0};
    const struct cs_mechanism *mechanism = cs_find_mechanism(client->package);
    if (!client->packed.size && client->onward && mechanism->pack_onward) mechanism->pack_onward(client->onward, &own);
    write_bytes(packed, client->packed.size ? client->packed : cs_written(&own));
    packed->failed |= own.failed;
    cs_writer_drop(&own);
}

SECURITY_STATUS cs_client_pack(struct cs_session *session, struct cs_writer *packed)
{
    struct cs_client *client = NULL;
    SECURITY_STATUS status = session->initiator ? SEC_E_OK : cs_client_of(session, &client);
    if (status) return status;
    cs_write_u8(packed, client != NULL);
    if (!client) return SEC_E_OK;
    cs_write_span(packed, (struct cs_span){client->id, sizeof client->id});
    cs_write_u8(packed, (uint8_t)client->level);
    pack_logon(client->logon, packed);
    pack_onward(client, packed);
    cs_client_release(client);
    return SEC_E_OK;
}

static struct cs_span read_bytes(struct cs_reader *packed)
{
    return cs_read_span(packed, cs_read_u32(packed));
}

/* A whole SID, or failure: revision 1, and as many subauthorities as it says. */
static void read_sid(struct cs_reader *packed, struct cs_sid *sid)
{
    const struct cs_span bytes = cs_read_span(packed, cs_read_u8(packed));
    if (packed->failed) return;
    if (bytes.size < SID_HEAD || bytes.size > sizeof sid->bytes || bytes.data[0] != 1 ||
        bytes.size != SID_HEAD + 4u * bytes.data[1]) {
        packed->failed = true;
        return;
    }
    memcpy(sid->bytes, bytes.data, bytes.size);
    sid->size = (uint8_t)bytes.size;
}

static bool unpack_groups(struct cs_reader *packed, struct cs_logon *logon)
{
    const uint16_t count = cs_read_u16(packed);
    if (count > CS_LOGON_MOST_GROUPS) packed->failed = true;
    if (packed->failed || !count) return true;
    logon->groups = calloc(count, sizeof *logon->groups);
    if (!logon->groups) return false;
    logon->group_count = count;
    for (uint32_t i = 0; i < count && !packed->failed; i++) {
        logon->groups[i].attributes = cs_read_u32(packed);
        read_sid(packed, &logon->groups[i].sid);
    }
    return true;
}

/* False without memory; what is not as it was written fails PACKED. */
static bool unpack_logon(struct cs_reader *packed, struct cs_logon *logon)
{
    const struct cs_span user = read_bytes(packed), domain = read_bytes(packed);
    read_sid(packed, &logon->user_sid);
    logon->primary_group = cs_read_u32(packed);
    if (packed->failed) return true;
    return cs_span_copy(&logon->user, user) && cs_span_copy(&logon->domain, domain) && unpack_groups(packed, logon);
}

/* Of CLIENT, whose package and name are set already. False without memory. */
static bool unpack(struct cs_reader *packed, struct cs_client *client)
{
    const struct cs_span id = cs_read_span(packed, sizeof client->id);
    const uint8_t level = cs_read_u8(packed);
    if (level < CS_LEVEL_IDENTIFICATION || level > CS_LEVEL_DELEGATION) packed->failed = true;
    if (packed->failed) return true;
    memcpy(client->id, id.data, id.size);
    client->level = level;
    client->logon = calloc(1, sizeof *client->logon);
    if (!client->logon || !unpack_logon(packed, client->logon)) return false;
    const struct cs_span onward = read_bytes(packed);
    if (level == CS_LEVEL_IDENTIFICATION && onward.size) packed->failed = true;
    return packed->failed || cs_span_copy(&client->packed, onward);
}

SECURITY_STATUS cs_client_unpack(const struct cs_session *head, struct cs_reader *packed, struct cs_client **client)
{
    const uint8_t there = cs_read_u8(packed);
    *client = NULL;
    if (packed->failed || there > 1 || there == head->initiator) return SEC_E_INVALID_TOKEN;
    if (!there) return SEC_E_OK;
    struct cs_client *made = calloc(1, sizeof *made);
    if (!made) return SEC_E_INSUFFICIENT_MEMORY;
    made->package = head->package;
    const bool well = cs_span_copy(&made->name, head->names) && unpack(packed, made);
    if (well && !packed->failed) {
        *client = made;
        return SEC_E_OK;
    }
    cs_client_discard(made);
    return well ? SEC_E_INVALID_TOKEN : SEC_E_INSUFFICIENT_MEMORY;
}
