/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers with tickets: Windows's structures in front, and behind them what the Unix half wrote, into which their
 * pointers go.
 */
#define WIN32_NO_STATUS
#include "kerberos_calls.h"
#undef WIN32_NO_STATUS
#include <ntstatus.h>

#include <string.h>

struct answer {
    BYTE *memory;
    ULONG size;
    const struct cs_ticket *tickets;
    BYTE *bytes; /* what the runs of the tickets are of */
};

/* Fetches BLOCK's tickets behind HEAD bytes of zeros. */
static NTSTATUS fetch(PLSA_CLIENT_REQUEST client, const struct cs_block_tickets *block, UINT64 head,
                      struct answer *answer)
{
    struct cs_block_text text = {.object = block->tickets};
    head = (head + 7) & ~(UINT64)7;
    answer->memory = head + block->size <= MAXLONG ? sp_allocate_client(client, (SIZE_T)head + block->size) : NULL;
    if (answer->memory) text.out = sp_bytes(answer->memory + head, block->size);
    CountersignCall(CS_CALL_FETCH_TICKETS, &text);
    if (!answer->memory) return STATUS_NO_MEMORY;
    memset(answer->memory, 0, (SIZE_T)head);
    answer->size = (ULONG)head + block->size;
    answer->tickets = (const struct cs_ticket *)(answer->memory + head);
    answer->bytes = (BYTE *)(answer->tickets + block->count);
    return STATUS_SUCCESS;
}

static UNICODE_STRING string_of(WCHAR *text, SIZE_T length)
{
    const SIZE_T longest = UINT16_MAX / sizeof(WCHAR) - 1;
    const USHORT size = (USHORT)((length < longest ? length : longest) * sizeof(WCHAR));
    return (UNICODE_STRING){size, (USHORT)(size + sizeof(WCHAR)), text};
}

/* A name with slashes between its parts, or a realm. */
static UNICODE_STRING joined(const struct answer *answer, struct cs_run run)
{
    WCHAR *text = (WCHAR *)(answer->bytes + run.offset);
    const SIZE_T length = run.size / sizeof(WCHAR) - 1;
    for (SIZE_T i = 0; i < length; i++)
        if (!text[i]) text[i] = '/';
    return string_of(text, length);
}

/* Which KDC gave it is not in the cache. */
static KERB_TICKET_CACHE_INFO_EX3 describe(const struct answer *answer, const struct cs_ticket *ticket)
{
    return (KERB_TICKET_CACHE_INFO_EX3){
        .ClientName = joined(answer, ticket->client),
        .ClientRealm = joined(answer, ticket->client_realm),
        .ServerName = joined(answer, ticket->server),
        .ServerRealm = joined(answer, ticket->server_realm),
        .StartTime.QuadPart = ticket->start,
        .EndTime.QuadPart = ticket->end,
        .RenewTime.QuadPart = ticket->renew,
        .EncryptionType = ticket->etype,
        .TicketFlags = ticket->flags,
        .SessionKeyType = (ULONG)ticket->session_key_type,
        .CacheFlags = ticket->cache_flags,
    };
}

static void shorten(const KERB_TICKET_CACHE_INFO_EX3 *info, KERB_TICKET_CACHE_INFO *out)
{
    *out = (KERB_TICKET_CACHE_INFO){.ServerName = info->ServerName,
                                    .RealmName = info->ServerRealm,
                                    .StartTime = info->StartTime,
                                    .EndTime = info->EndTime,
                                    .RenewTime = info->RenewTime,
                                    .EncryptionType = info->EncryptionType,
                                    .TicketFlags = info->TicketFlags};
}

struct shape {
    SIZE_T first, each;
};

/* Where the tickets are in TYPE's answer. */
static struct shape shape_of(ULONG type)
{
    switch (type) {
    case KerbQueryTicketCacheMessage:
        return (struct shape){offsetof(KERB_QUERY_TKT_CACHE_RESPONSE, Tickets), sizeof(KERB_TICKET_CACHE_INFO)};
    case KerbQueryTicketCacheExMessage:
        return (struct shape){offsetof(KERB_QUERY_TKT_CACHE_EX_RESPONSE, Tickets), sizeof(KERB_TICKET_CACHE_INFO_EX)};
    case KerbQueryTicketCacheEx2Message:
        return (struct shape){offsetof(KERB_QUERY_TKT_CACHE_EX2_RESPONSE, Tickets), sizeof(KERB_TICKET_CACHE_INFO_EX2)};
    default:
        return (struct shape){offsetof(KERB_QUERY_TKT_CACHE_EX3_RESPONSE, Tickets), sizeof(KERB_TICKET_CACHE_INFO_EX3)};
    }
}

NTSTATUS kerberos_answer_list(PLSA_CLIENT_REQUEST client, ULONG type, const struct cs_block_tickets *block, void **out,
                              ULONG *size)
{
    const struct shape shape = shape_of(type);
    struct answer answer;
    NTSTATUS status = fetch(client, block, shape.first + (UINT64)block->count * shape.each, &answer);
    if (status) return status;
    KERB_QUERY_TKT_CACHE_RESPONSE *response = (KERB_QUERY_TKT_CACHE_RESPONSE *)answer.memory;
    response->MessageType = type;
    response->CountOfTickets = block->count;
    for (UINT32 i = 0; i < block->count; i++) {
        BYTE *place = answer.memory + shape.first + i * shape.each;
        const KERB_TICKET_CACHE_INFO_EX3 info = describe(&answer, &answer.tickets[i]);
        if (type == KerbQueryTicketCacheMessage)
            shorten(&info, (KERB_TICKET_CACHE_INFO *)place);
        else
            memcpy(place, &info, shape.each); /* each of the longer ones begins as the one before */
    }
    *out = answer.memory;
    *size = answer.size;
    return STATUS_SUCCESS;
}

/* RUN's name, at *end, which moves behind it. */
static KERB_EXTERNAL_NAME *external(const struct answer *answer, struct cs_run run, INT32 type, BYTE **end)
{
    KERB_EXTERNAL_NAME *name = (KERB_EXTERNAL_NAME *)*end;
    WCHAR *part = (WCHAR *)(answer->bytes + run.offset);
    const WCHAR *behind = part + run.size / sizeof(WCHAR);
    name->NameType = (SHORT)type;
    for (; part < behind; part += wcslen(part) + 1) name->Names[name->NameCount++] = string_of(part, wcslen(part));
    *end = (BYTE *)&name->Names[name->NameCount];
    return name;
}

/* Of a ticket-granting ticket the realm that it is for, which another may have issued. */
static UNICODE_STRING target_domain(const KERB_EXTERNAL_TICKET *ticket)
{
    const KERB_EXTERNAL_NAME *service = ticket->ServiceName;
    const BOOL is_tgt = service->NameCount == 2 && !wcscmp(service->Names[0].Buffer, L"krbtgt");
    return is_tgt ? service->Names[1] : ticket->DomainName;
}

/* Heimdal's cache has the service under the name that was asked for, so both names are that. */
static void fill_ticket(const struct answer *answer, BYTE *end, KERB_EXTERNAL_TICKET *out)
{
    const struct cs_ticket *ticket = answer->tickets;
    out->ServiceName = out->TargetName = external(answer, ticket->server, ticket->server_type, &end);
    out->ClientName = external(answer, ticket->client, ticket->client_type, &end);
    out->DomainName = out->AltTargetDomainName = joined(answer, ticket->server_realm);
    out->TargetDomainName = target_domain(out);
    out->SessionKey.KeyType = ticket->session_key_type;
    out->SessionKey.Length = ticket->session_key.size;
    out->SessionKey.Value = answer->bytes + ticket->session_key.offset;
    out->TicketFlags = ticket->flags;
    out->StartTime.QuadPart = ticket->start;
    out->EndTime.QuadPart = ticket->end;
    out->RenewUntil.QuadPart = ticket->renew;
    out->TimeSkew.QuadPart = ticket->skew;
    out->EncodedTicketSize = ticket->encoded.size;
    out->EncodedTicket = answer->bytes + ticket->encoded.offset;
}

NTSTATUS kerberos_answer_ticket(PLSA_CLIENT_REQUEST client, ULONG type, const struct cs_block_tickets *block,
                                void **out, ULONG *size)
{
    const UINT64 names = 2 * sizeof(KERB_EXTERNAL_NAME) + (UINT64)block->parts * sizeof(UNICODE_STRING);
    struct answer answer;
    (void)type;
    NTSTATUS status = fetch(client, block, sizeof(KERB_RETRIEVE_TKT_RESPONSE) + names, &answer);
    if (status) return status;
    KERB_RETRIEVE_TKT_RESPONSE *response = (KERB_RETRIEVE_TKT_RESPONSE *)answer.memory;
    fill_ticket(&answer, (BYTE *)(response + 1), &response->Ticket);
    *out = response;
    *size = answer.size;
    return STATUS_SUCCESS;
}
