/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What PE code makes access tokens of, and finds again by them.
 */
#include "client_calls.h"

#include "call_blocks.h"
#include "client.h"

static void describe(const struct cs_client *client, struct cs_block_client *block)
{
    block->client = (uintptr_t)client;
    block->level = client->level;
    block->sids = 1 + client->logon->group_count;
    memcpy(block->id, client->id, sizeof block->id);
    copy_name(block->package, sizeof block->package, client->package);
}

SECURITY_STATUS client_call_of_session(void *args)
{
    struct cs_block_client *block = args;
    struct cs_client *client;
    SECURITY_STATUS status = cs_client_of(object_of(block->session), &client);
    if (status == SEC_E_OK) describe(client, block);
    return status;
}

SECURITY_STATUS client_call_find(void *args)
{
    struct cs_block_client *block = args;
    const struct cs_client *client = cs_client_find(block->id);
    if (!client) return SEC_E_NO_CREDENTIALS;
    describe(client, block);
    return SEC_E_OK;
}

SECURITY_STATUS client_call_name(void *args)
{
    struct cs_block_text *block = args;
    const struct cs_client *client = object_of(block->object);
    give_text(block, client->name);
    return SEC_E_OK;
}

static void write_sid(const struct cs_sid *sid, uint32_t attributes, struct cs_writer *output)
{
    struct cs_client_sid entry = {.attributes = attributes, .size = sid->size};
    memcpy(entry.sid, sid->bytes, sid->size);
    cs_write_span(output, (struct cs_span){(const uint8_t *)&entry, sizeof entry});
}

SECURITY_STATUS client_call_sids(void *args)
{
    struct cs_block_text *block = args;
    const struct cs_client *client = object_of(block->object);
    struct cs_writer sids = {0};
    write_sid(&client->logon->user_sid, 0, &sids);
    for (uint32_t i = 0; i < client->logon->group_count; i++)
        write_sid(&client->logon->groups[i].sid, client->logon->groups[i].attributes, &sids);
    return give_written(block, &sids, SEC_E_OK);
}

SECURITY_STATUS client_call_release(void *args)
{
    const struct cs_block_object *block = args;
    cs_client_release(object_of(block->object));
    return SEC_E_OK;
}
