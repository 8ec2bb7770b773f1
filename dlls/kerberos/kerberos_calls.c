/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Requests to list, retrieve and purge tickets. They are the caller's structures, strings inside the same buffer and
 * pointers to these as the caller sees them.
 */
#define WIN32_NO_STATUS
#include "kerberos_calls.h"
#undef WIN32_NO_STATUS
#include <ntstatus.h>

#include "client_token.h"

#include <string.h>

/* What all of them begin with. */
struct head {
    KERB_PROTOCOL_MESSAGE_TYPE type;
    LUID logon_id;
};

/* A copy of the caller's buffer: what it does to its own meanwhile is nothing to us. */
struct request {
    const void *copy;
    ULONG_PTR base; /* where the caller has it */
    ULONG size;
};

/* Fills BLOCK from the request. STATUS_INVALID_PARAMETER: malformed; others: what the protocol status is to be. */
typedef NTSTATUS read_request(const struct request *request, struct cs_block_tickets *block);
typedef NTSTATUS make_answer(PLSA_CLIENT_REQUEST client, ULONG type, const struct cs_block_tickets *block,
                             void **answer, ULONG *size);

struct message {
    KERB_PROTOCOL_MESSAGE_TYPE type;
    ULONG size; /* at least */
    read_request *read;
    enum cs_call call;
    make_answer *answer; /* NULL: it has none */
};

static BOOL read_string(const struct request *request, const UNICODE_STRING *string, struct cs_bytes *bytes)
{
    const ULONG_PTR offset = (ULONG_PTR)string->Buffer - request->base;
    if (!string->Length) return TRUE;
    if (string->Length % sizeof(WCHAR) || offset > request->size || string->Length > request->size - offset)
        return FALSE;
    *bytes = sp_bytes((const BYTE *)request->copy + offset, string->Length);
    return TRUE;
}

/* Windows hands out the session key of a ticket-granting ticket only where an administrator says so (KB 308339). */
static BOOL may_have_tgt_key(void)
{
    DWORD value = 0, size = sizeof value;
    RegGetValueW(HKEY_LOCAL_MACHINE, L"SYSTEM\\CurrentControlSet\\Control\\Lsa\\Kerberos\\Parameters",
                 L"AllowTgtSessionKey", RRF_RT_REG_DWORD, NULL, &value, &size);
    return value != 0;
}

static NTSTATUS read_query(const struct request *request, struct cs_block_tickets *block)
{
    (void)request;
    (void)block;
    return STATUS_SUCCESS;
}

static NTSTATUS read_retrieve_tgt(const struct request *request, struct cs_block_tickets *block)
{
    (void)request;
    block->retrieve = may_have_tgt_key() ? CS_RETRIEVE_TGT_KEY : 0;
    return STATUS_SUCCESS;
}

static ULONG retrieve_of(const KERB_RETRIEVE_TKT_REQUEST *message)
{
    ULONG retrieve = may_have_tgt_key() ? CS_RETRIEVE_TGT_KEY : 0;
    if (message->CacheOptions & KERB_RETRIEVE_TICKET_DONT_USE_CACHE) retrieve |= CS_RETRIEVE_NEW;
    if (message->CacheOptions & KERB_RETRIEVE_TICKET_USE_CACHE_ONLY) retrieve |= CS_RETRIEVE_CACHED;
    if (message->CacheOptions & KERB_RETRIEVE_TICKET_CACHE_TICKET) retrieve |= CS_RETRIEVE_KEEP;
    if (message->CacheOptions & KERB_RETRIEVE_TICKET_AS_KERB_CRED) retrieve |= CS_RETRIEVE_AS_CRED;
    if (message->TicketFlags & KERB_TICKET_FLAGS_forwardable) retrieve |= CS_RETRIEVE_FORWARDABLE;
    return retrieve;
}

/* Every ticket is asked for with the longest life there is. Of a new one's flags only forwardable can be asked for. */
static NTSTATUS read_retrieve(const struct request *request, struct cs_block_tickets *block)
{
    const KERB_RETRIEVE_TKT_REQUEST *message = request->copy;
    const ULONG cache = KERB_RETRIEVE_TICKET_DONT_USE_CACHE | KERB_RETRIEVE_TICKET_USE_CACHE_ONLY;
    const ULONG known = cache | KERB_RETRIEVE_TICKET_CACHE_TICKET | KERB_RETRIEVE_TICKET_MAX_LIFETIME |
                        KERB_RETRIEVE_TICKET_AS_KERB_CRED;
    const ULONG refused = KERB_RETRIEVE_TICKET_USE_CREDHANDLE | KERB_RETRIEVE_TICKET_WITH_SEC_CRED;
    if (!read_string(request, &message->TargetName, &block->server) || !block->server.size ||
        (message->CacheOptions & ~(known | refused)) || (message->CacheOptions & cache) == cache)
        return STATUS_INVALID_PARAMETER;
    block->etype = message->EncryptionType;
    block->retrieve = retrieve_of(message);
    return message->CacheOptions & refused ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
}

static NTSTATUS read_purge(const struct request *request, struct cs_block_tickets *block)
{
    const KERB_PURGE_TKT_CACHE_REQUEST *message = request->copy;
    return read_string(request, &message->ServerName, &block->server) &&
                   read_string(request, &message->RealmName, &block->server_realm)
               ? STATUS_SUCCESS
               : STATUS_INVALID_PARAMETER;
}

/* A template's names are compared, those that it has, and nothing else of it. */
static NTSTATUS read_purge_ex(const struct request *request, struct cs_block_tickets *block)
{
    const KERB_PURGE_TKT_CACHE_EX_REQUEST *message = request->copy;
    const KERB_TICKET_CACHE_INFO_EX *template = &message->TicketTemplate;
    if (message->Flags & ~(ULONG)KERB_PURGE_ALL_TICKETS) return STATUS_INVALID_PARAMETER;
    if (message->Flags & KERB_PURGE_ALL_TICKETS) return STATUS_SUCCESS;
    return read_string(request, &template->ClientName, &block->client) &&
                   read_string(request, &template->ClientRealm, &block->client_realm) &&
                   read_string(request, &template->ServerName, &block->server) &&
                   read_string(request, &template->ServerRealm, &block->server_realm)
               ? STATUS_SUCCESS
               : STATUS_INVALID_PARAMETER;
}

static const struct message messages[] = {
    {KerbQueryTicketCacheMessage, sizeof(KERB_QUERY_TKT_CACHE_REQUEST), read_query, CS_CALL_LIST_TICKETS,
     kerberos_answer_list},
    {KerbQueryTicketCacheExMessage, sizeof(KERB_QUERY_TKT_CACHE_REQUEST), read_query, CS_CALL_LIST_TICKETS,
     kerberos_answer_list},
    {KerbQueryTicketCacheEx2Message, sizeof(KERB_QUERY_TKT_CACHE_REQUEST), read_query, CS_CALL_LIST_TICKETS,
     kerberos_answer_list},
    {KerbQueryTicketCacheEx3Message, sizeof(KERB_QUERY_TKT_CACHE_REQUEST), read_query, CS_CALL_LIST_TICKETS,
     kerberos_answer_list},
    {KerbRetrieveTicketMessage, sizeof(KERB_QUERY_TKT_CACHE_REQUEST), read_retrieve_tgt, CS_CALL_RETRIEVE_TICKET,
     kerberos_answer_ticket},
    {KerbRetrieveEncodedTicketMessage, sizeof(KERB_RETRIEVE_TKT_REQUEST), read_retrieve, CS_CALL_RETRIEVE_TICKET,
     kerberos_answer_ticket},
    {KerbPurgeTicketCacheMessage, sizeof(KERB_PURGE_TKT_CACHE_REQUEST), read_purge, CS_CALL_PURGE_TICKETS, NULL},
    {KerbPurgeTicketCacheExMessage, sizeof(KERB_PURGE_TKT_CACHE_EX_REQUEST), read_purge_ex, CS_CALL_PURGE_TICKETS,
     NULL},
};

static const struct message *find_message(const struct request *request)
{
    const struct head *head = request->copy;
    if (request->size < sizeof *head) return NULL;
    for (ULONG i = 0; i < ARRAYSIZE(messages); i++)
        if (messages[i].type == head->type) return request->size < messages[i].size ? NULL : &messages[i];
    return NULL;
}

/*
 * Zero is the caller's own logon session; of another nothing is known here (behaviour.md row 11). Neither is the user's
 * cache that of a client in whose name the caller acts.
 */
static BOOL is_own_session(const struct request *request)
{
    const struct head *head = request->copy;
    struct client_mark mark;
    BOOL marked;
    LUID own;
    if (client_mark_of_caller(&marked, &mark) || marked) return FALSE;
    if (!head->logon_id.LowPart && !head->logon_id.HighPart) return TRUE;
    return sp_logon_id(&own) && !memcmp(&own, &head->logon_id, sizeof own);
}

/*
 * The LSA's names for what Kerberos met, which Windows's klist is known to print; what has none stays as it is.
 * STATUS_OBJECT_NAME_NOT_FOUND is documented for KERB_RETRIEVE_TICKET_USE_CACHE_ONLY.
 */
static NTSTATUS protocol_status(NTSTATUS status, const struct cs_block_tickets *block)
{
    switch (status) {
    case SEC_E_NO_CREDENTIALS: return block->retrieve & CS_RETRIEVE_CACHED ? STATUS_OBJECT_NAME_NOT_FOUND : status;
    case SEC_E_TARGET_UNKNOWN: return STATUS_NO_TRUST_SAM_ACCOUNT;
    case SEC_E_NO_AUTHENTICATING_AUTHORITY: return STATUS_NO_LOGON_SERVERS;
    case SEC_E_TIME_SKEW: return STATUS_TIME_DIFFERENCE_AT_DC;
    case SEC_E_LOGON_DENIED: return STATUS_LOGON_FAILURE;
    case SEC_E_INSUFFICIENT_MEMORY: return STATUS_NO_MEMORY;
    default: return status;
    }
}

static NTSTATUS perform(PLSA_CLIENT_REQUEST client, const struct message *message, struct cs_block_tickets *block,
                        void **answer, ULONG *answer_size)
{
    struct sp_environment environment;
    if (!sp_read_environment(&environment)) return STATUS_NO_MEMORY;
    block->krb5_config = environment.krb5_config;
    block->krb5_ccname = environment.krb5_ccname;
    NTSTATUS status = CountersignCall(message->call, block);
    sp_release_environment(&environment);
    if (status) return protocol_status(status, block);
    return message->answer ? message->answer(client, message->type, block, answer, answer_size) : STATUS_SUCCESS;
}

static NTSTATUS answer_request(PLSA_CLIENT_REQUEST client, const struct request *request, void **answer,
                               ULONG *answer_size, NTSTATUS *protocol)
{
    const struct message *message = find_message(request);
    struct cs_block_tickets block = {.count = 0};
    if (!message) return STATUS_INVALID_PARAMETER;
    NTSTATUS status = message->read(request, &block);
    if (status == STATUS_INVALID_PARAMETER) return status;
    if (status == STATUS_SUCCESS && !is_own_session(request)) status = STATUS_NO_SUCH_LOGON_SESSION;
    *protocol = status ? status : perform(client, message, &block, answer, answer_size);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI kerberos_call_untrusted(PLSA_CLIENT_REQUEST client, void *submit, void *base, ULONG size, void **answer,
                                       ULONG *answer_size, NTSTATUS *protocol)
{
    *answer = NULL;
    *answer_size = 0;
    *protocol = STATUS_SUCCESS;
    if (!submit || size < sizeof(struct head)) return STATUS_INVALID_PARAMETER;
    void *copy = sp_allocate(size);
    if (!copy) return STATUS_NO_MEMORY;
    const struct request request = {memcpy(copy, submit, size), (ULONG_PTR)base, size};
    NTSTATUS status = answer_request(client, &request, answer, answer_size, protocol);
    sp_free(copy);
    return status;
}
