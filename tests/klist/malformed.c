/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages that cannot be answered: too short, with strings elsewhere, unknown, for others, without a cache.
 */
#include "messages.h"

#include <stddef.h>
#include <string.h>

static const KERB_PROTOCOL_MESSAGE_TYPE lists[] = {KerbQueryTicketCacheMessage, KerbQueryTicketCacheExMessage,
                                                   KerbQueryTicketCacheEx2Message, KerbQueryTicketCacheEx3Message};

void test_absent(void)
{
    const KERB_QUERY_TKT_CACHE_REQUEST tgt = {KerbRetrieveTicketMessage, {0, 0}};
    struct retrieve retrieve;
    struct purge purge;
    section("no cache");
    for (size_t i = 0; i < ARRAYSIZE(lists); i++) {
        const KERB_QUERY_TKT_CACHE_REQUEST request = {lists[i], {0, 0}};
        struct result result = call(&request, sizeof request);
        const KERB_QUERY_TKT_CACHE_RESPONSE *response = result.answer;
        check(!result.status && !result.protocol && response->MessageType == lists[i] && !response->CountOfTickets,
              "a list without tickets (behaviour.md row 52)");
        check(!LsaFreeReturnBuffer(result.answer), "LsaFreeReturnBuffer takes it");
    }
    check_call(&tgt, sizeof tgt, STATUS_SUCCESS, SEC_E_NO_CREDENTIALS, "no ticket-granting ticket");
    fill_retrieve(&retrieve, L"demo/one", KERB_RETRIEVE_TICKET_DEFAULT);
    check_call(&retrieve, sizeof retrieve, STATUS_SUCCESS, SEC_E_NO_CREDENTIALS, "no other");
    fill_retrieve(&retrieve, L"demo/one", KERB_RETRIEVE_TICKET_USE_CACHE_ONLY);
    check_call(&retrieve, sizeof retrieve, STATUS_SUCCESS, STATUS_OBJECT_NAME_NOT_FOUND, "none in the cache");
    fill_purge(&purge, NULL, NULL);
    check_call(&purge, sizeof purge, STATUS_SUCCESS, STATUS_SUCCESS, "nothing to purge");
}

void test_unreadable(void)
{
    const KERB_QUERY_TKT_CACHE_REQUEST tgt = {KerbRetrieveTicketMessage, {0, 0}};
    struct retrieve retrieve;
    struct purge purge;
    section("not a cache");
    for (size_t i = 0; i < ARRAYSIZE(lists); i++) {
        const KERB_QUERY_TKT_CACHE_REQUEST request = {lists[i], {0, 0}};
        check_call(&request, sizeof request, STATUS_SUCCESS, SEC_E_NO_CREDENTIALS, "no list");
    }
    check_call(&tgt, sizeof tgt, STATUS_SUCCESS, SEC_E_NO_CREDENTIALS, "no ticket-granting ticket");
    fill_retrieve(&retrieve, L"demo/one", KERB_RETRIEVE_TICKET_CACHE_TICKET);
    check_call(&retrieve, sizeof retrieve, STATUS_SUCCESS, SEC_E_NO_CREDENTIALS, "no other");
    fill_purge(&purge, NULL, NULL);
    check_call(&purge, sizeof purge, STATUS_SUCCESS, SEC_E_NO_CREDENTIALS, "not purged");
}

/* BYTES of MESSAGE at the very end of a page behind which there is nothing. */
static struct result call_at_end(const void *message, ULONG bytes)
{
    BYTE *pages = VirtualAlloc(NULL, 0x2000, MEM_RESERVE, PAGE_NOACCESS);
    VirtualAlloc(pages, 0x1000, MEM_COMMIT, PAGE_READWRITE);
    struct result result = call(memcpy(pages + 0x1000 - bytes, message, bytes), bytes);
    VirtualFree(pages, 0, MEM_RELEASE);
    return result;
}

static void test_sizes(KERB_PROTOCOL_MESSAGE_TYPE type, ULONG size, const char *what)
{
    const union {
        KERB_PROTOCOL_MESSAGE_TYPE type;
        BYTE bytes[256];
    } message = {type};
    BOOL refused = TRUE;
    for (ULONG i = 0; i < size; i++) {
        struct result result = call_at_end(&message, i);
        refused &= result.status == STATUS_INVALID_PARAMETER && !result.protocol && !result.answer && !result.size;
    }
    check(refused, what);
}

static void test_all_sizes(void)
{
    section("SubmitBufferLength too small");
    for (size_t i = 0; i < ARRAYSIZE(lists); i++) test_sizes(lists[i], sizeof(KERB_QUERY_TKT_CACHE_REQUEST), "a list");
    test_sizes(KerbRetrieveTicketMessage, sizeof(KERB_QUERY_TKT_CACHE_REQUEST), "the ticket-granting ticket");
    test_sizes(KerbRetrieveEncodedTicketMessage, sizeof(KERB_RETRIEVE_TKT_REQUEST), "a ticket");
    test_sizes(KerbPurgeTicketCacheMessage, sizeof(KERB_PURGE_TKT_CACHE_REQUEST), "purging");
    test_sizes(KerbPurgeTicketCacheExMessage, sizeof(KERB_PURGE_TKT_CACHE_EX_REQUEST), "purging by a template");
    check_call(NULL, 0, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, "no message");
}

static void test_unknown(void)
{
    BOOL refused = TRUE;
    for (LONG type = -1; type < 100; type++) {
        const struct {
            LONG type;
            BYTE rest[252];
        } message = {type, {0}};
        BOOL known = type == KerbRetrieveTicketMessage || type == KerbRetrieveEncodedTicketMessage ||
                     type == KerbPurgeTicketCacheMessage || type == KerbPurgeTicketCacheExMessage;
        for (size_t i = 0; i < ARRAYSIZE(lists); i++) known |= type == (LONG)lists[i];
        if (known) continue;
        struct result result = call(&message, sizeof message);
        refused &= result.status == STATUS_INVALID_PARAMETER && !result.protocol && !result.answer && !result.size;
    }
    section("MessageType");
    check(refused, "every other is refused");
}

/* STRING, which is in MESSAGE, in every place where it must not be. */
static void test_string(const void *message, ULONG size, UNICODE_STRING *string, const char *what)
{
    const UNICODE_STRING good = *string;
    const ULONG_PTR start = (ULONG_PTR)message, end = start + size;
    const struct {
        ULONG_PTR place;
        USHORT length;
    } bad[] = {{start - 2, 8},
               {start - 0x10000, 8},
               {end - 2, 8},
               {end, 8},
               {end + 0x1000, 8},
               {0, 8},
               {1, 8},
               {(ULONG_PTR)-2, 8},
               {(ULONG_PTR)-2, 2},
               {start, 0xFFFE},
               {end - 8, 10},
               {(ULONG_PTR)good.Buffer, 7},
               {start - 2, 0xFFFE},
               {end, 2},
               {end - 0x10, 18},
               {(ULONG_PTR)good.Buffer, 1}};
    for (size_t i = 0; i < ARRAYSIZE(bad); i++) {
        string->Buffer = (WCHAR *)bad[i].place;
        string->Length = string->MaximumLength = bad[i].length;
        struct result result = call(message, size);
        check(result.status == STATUS_INVALID_PARAMETER && !result.protocol && !result.answer, what);
    }
    *string = good;
}

static void test_strings(void)
{
    struct retrieve retrieve;
    struct purge purge;
    struct purge_ex template;
    section("strings outside the message");
    fill_retrieve(&retrieve, L"demo/one", 0);
    test_string(&retrieve, sizeof retrieve, &retrieve.request.TargetName, "TargetName");
    fill_purge(&purge, L"nobody/one", L"NOWHERE.TEST");
    test_string(&purge, sizeof purge, &purge.request.ServerName, "ServerName");
    test_string(&purge, sizeof purge, &purge.request.RealmName, "RealmName");
    fill_purge_ex(&template, L"nobody", L"nobody/one");
    test_string(&template, sizeof template, &template.request.TicketTemplate.ClientName, "template, ClientName");
    test_string(&template, sizeof template, &template.request.TicketTemplate.ClientRealm, "template, ClientRealm");
    test_string(&template, sizeof template, &template.request.TicketTemplate.ServerName, "template, ServerName");
    test_string(&template, sizeof template, &template.request.TicketTemplate.ServerRealm, "template, ServerRealm");
}

static void test_options(void)
{
    static const ULONG refused[] = {KERB_RETRIEVE_TICKET_USE_CREDHANDLE, KERB_RETRIEVE_TICKET_WITH_SEC_CRED};
    struct retrieve retrieve;
    struct purge_ex template;
    section("CacheOptions");
    fill_retrieve(&retrieve, NULL, 0);
    check_call(&retrieve, sizeof retrieve, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, "no TargetName");
    fill_retrieve(&retrieve, L"demo/one", KERB_RETRIEVE_TICKET_DONT_USE_CACHE | KERB_RETRIEVE_TICKET_USE_CACHE_ONLY);
    check_call(&retrieve, sizeof retrieve, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, "a contradiction");
    fill_retrieve(&retrieve, L"demo/one", 0x80000000);
    check_call(&retrieve, sizeof retrieve, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, "an unknown one");
    for (size_t i = 0; i < ARRAYSIZE(refused); i++) {
        fill_retrieve(&retrieve, L"demo/one", refused[i]);
        check_call(&retrieve, sizeof retrieve, STATUS_SUCCESS, STATUS_NOT_SUPPORTED, "one that is not supported");
    }
    fill_purge_ex(&template, NULL, NULL);
    template.request.Flags = 2;
    check_call(&template, sizeof template, STATUS_INVALID_PARAMETER, STATUS_SUCCESS, "purging, an unknown flag");
}

static LUID own_logon_id(void)
{
    TOKEN_STATISTICS statistics = {.AuthenticationId.LowPart = 0};
    DWORD size;
    HANDLE token;
    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token);
    GetTokenInformation(token, TokenStatistics, &statistics, sizeof statistics, &size);
    CloseHandle(token);
    return statistics.AuthenticationId;
}

static void test_logon_ids(void)
{
    KERB_QUERY_TKT_CACHE_REQUEST request = {KerbQueryTicketCacheMessage, own_logon_id()};
    struct purge purge;
    section("LogonId");
    check_call(&request, sizeof request, STATUS_SUCCESS, STATUS_SUCCESS, "the caller's own");
    request.LogonId.HighPart ^= 0x55;
    check_call(&request, sizeof request, STATUS_SUCCESS, STATUS_NO_SUCH_LOGON_SESSION, "another's list");
    fill_purge(&purge, NULL, NULL);
    purge.request.LogonId = request.LogonId;
    check_call(&purge, sizeof purge, STATUS_SUCCESS, STATUS_NO_SUCH_LOGON_SESSION, "purging another's tickets");
}

void test_malformed(void)
{
    const int before = count_tickets();
    test_all_sizes();
    test_unknown();
    test_strings();
    test_options();
    test_logon_ids();
    section("after all that");
    check(count_tickets() == before && before > 0, "every ticket is still there");
}
