/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets listed, retrieved and purged.
 */
#include "messages.h"

#include <string.h>

static const WCHAR parameters[] = L"SYSTEM\\CurrentControlSet\\Control\\Lsa\\Kerberos\\Parameters";

/* Whether STRING is TEXT and lies in RESULT's answer. */
static BOOL is(const struct result *result, const UNICODE_STRING *string, const WCHAR *text)
{
    const BYTE *start = result->answer, *buffer = (const BYTE *)string->Buffer;
    return string->Length == wcslen(text) * sizeof *text && buffer >= start &&
           buffer + string->MaximumLength <= start + result->size &&
           !memcmp(buffer, text, string->Length + sizeof *text);
}

static BOOL is_now(LARGE_INTEGER time)
{
    const LONGLONG minute = 600000000;
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    const LONGLONG since = ((LONGLONG)now.dwHighDateTime << 32 | now.dwLowDateTime) - time.QuadPart;
    return since > -minute && since < 10 * minute;
}

/* KDC and client look at their clocks one after the other. */
static BOOL is_span(LARGE_INTEGER from, LARGE_INTEGER to, LONGLONG seconds)
{
    const LONGLONG missing = seconds - (to.QuadPart - from.QuadPart) / 10000000;
    return missing >= -5 && missing <= 5;
}

static struct result list(KERB_PROTOCOL_MESSAGE_TYPE type)
{
    const KERB_QUERY_TKT_CACHE_REQUEST request = {type, {0, 0}};
    struct result result = call(&request, sizeof request);
    check(!result.status && !result.protocol && *(ULONG *)result.answer == type, "a list of that type");
    return result;
}

static void test_plain_list(void)
{
    section("KerbQueryTicketCacheMessage");
    struct result result = list(KerbQueryTicketCacheMessage);
    const KERB_QUERY_TKT_CACHE_RESPONSE *response = result.answer;
    const KERB_TICKET_CACHE_INFO *ticket = response->Tickets;
    check(response->CountOfTickets == 1, "one ticket");
    check(is(&result, &ticket->ServerName, L"krbtgt/EXAMPLE.TEST"), "ServerName");
    check(is(&result, &ticket->RealmName, L"EXAMPLE.TEST"), "RealmName");
    check(is_now(ticket->StartTime), "StartTime is now, in UTC");
    check(is_span(ticket->StartTime, ticket->EndTime, 3600), "EndTime is an hour later");
    check(is_span(ticket->StartTime, ticket->RenewTime, 7200), "RenewTime is two hours later");
    check(ticket->EncryptionType == 18, "EncryptionType");
    check((ticket->TicketFlags & 0x40E00000) == 0x40E00000, "forwardable, renewable, initial, pre-authenticated");
    LsaFreeReturnBuffer(result.answer);
}

static void check_ex(const struct result *result, const KERB_TICKET_CACHE_INFO_EX *ticket)
{
    check(is(result, &ticket->ClientName, L"user"), "ClientName");
    check(is(result, &ticket->ClientRealm, L"EXAMPLE.TEST"), "ClientRealm");
    check(is(result, &ticket->ServerName, L"krbtgt/EXAMPLE.TEST"), "ServerName");
    check(is(result, &ticket->ServerRealm, L"EXAMPLE.TEST"), "ServerRealm");
    check(is_now(ticket->StartTime), "StartTime");
    check(is_span(ticket->StartTime, ticket->EndTime, 3600), "EndTime");
    check(ticket->EncryptionType == 18, "EncryptionType");
    check((ticket->TicketFlags & 0x40E00000) == 0x40E00000, "TicketFlags");
}

static void test_longer_lists(void)
{
    section("KerbQueryTicketCacheExMessage");
    struct result result = list(KerbQueryTicketCacheExMessage);
    check_ex(&result, ((KERB_QUERY_TKT_CACHE_EX_RESPONSE *)result.answer)->Tickets);
    LsaFreeReturnBuffer(result.answer);
    section("KerbQueryTicketCacheEx2Message");
    result = list(KerbQueryTicketCacheEx2Message);
    const KERB_TICKET_CACHE_INFO_EX2 *ex2 = ((KERB_QUERY_TKT_CACHE_EX2_RESPONSE *)result.answer)->Tickets;
    check_ex(&result, (const KERB_TICKET_CACHE_INFO_EX *)ex2);
    check(ex2->SessionKeyType == 18, "SessionKeyType");
    LsaFreeReturnBuffer(result.answer);
    section("KerbQueryTicketCacheEx3Message");
    result = list(KerbQueryTicketCacheEx3Message);
    const KERB_TICKET_CACHE_INFO_EX3 *ex3 = ((KERB_QUERY_TKT_CACHE_EX3_RESPONSE *)result.answer)->Tickets;
    check_ex(&result, (const KERB_TICKET_CACHE_INFO_EX *)ex3);
    check(ex3->SessionKeyType == 18 && ex3->CacheFlags == 1 && !ex3->BranchId && !ex3->KdcCalled.Length,
          "SessionKeyType, CacheFlags (primary), BranchId, KdcCalled");
    LsaFreeReturnBuffer(result.answer);
}

/* FILE:/path with COUNT steps to where it is already. */
static void set_long_name(const WCHAR *path, unsigned count)
{
    static WCHAR name[8192];
    wcscpy(name, L"FILE:");
    for (unsigned i = 0; i < count; i++) wcscat(name, L"/.");
    wcscat(name, path);
    SetEnvironmentVariableW(L"KRB5CCNAME", name);
}

/* What a program sets in its own environment counts, however long it is. */
static void test_environment(void)
{
    WCHAR own[512];
    section("KRB5CCNAME of the program");
    GetEnvironmentVariableW(L"KRB5CCNAME", own, ARRAYSIZE(own));
    SetEnvironmentVariableW(L"KRB5CCNAME", L"FILE:/nonexistent/ccache");
    check(count_tickets() == 0, "another cache");
    for (unsigned steps = 40; steps <= 1600; steps *= 2) {
        set_long_name(own + 5, steps);
        check(count_tickets() == 1, "the user's by a long name");
        set_long_name(L"/nonexistent/ccache", steps);
        check(count_tickets() == 0, "another by a long name");
    }
    SetEnvironmentVariableW(L"KRB5CCNAME", own);
    check(count_tickets() == 1, "the user's again");
}

void test_lists(void)
{
    test_plain_list();
    test_longer_lists();
    test_environment();
}

static BOOL is_zero(const KERB_CRYPTO_KEY *key)
{
    UCHAR any = 0;
    for (ULONG i = 0; i < key->Length; i++) any |= key->Value[i];
    return !any;
}

/* The ticket that a message yields; the answer is the caller's to free. NULL: none. */
static const KERB_EXTERNAL_TICKET *ticket_of(const void *message, ULONG size, struct result *result)
{
    *result = call(message, size);
    if (result->status || result->protocol) return NULL;
    return &((KERB_RETRIEVE_TKT_RESPONSE *)result->answer)->Ticket;
}

static void check_name(const struct result *result, const KERB_EXTERNAL_NAME *name, const WCHAR *first,
                       const WCHAR *second, const char *what)
{
    check(name->NameCount == (second ? 2 : 1) && is(result, &name->Names[0], first) &&
              (!second || is(result, &name->Names[1], second)),
          what);
}

static void test_tgt(void)
{
    const KERB_QUERY_TKT_CACHE_REQUEST request = {KerbRetrieveTicketMessage, {0, 0}};
    const DWORD yes = 1;
    struct result result;
    section("KerbRetrieveTicketMessage");
    const KERB_EXTERNAL_TICKET *ticket = ticket_of(&request, sizeof request, &result);
    check(ticket != NULL, "the ticket-granting ticket");
    if (!ticket) return;
    check_name(&result, ticket->ServiceName, L"krbtgt", L"EXAMPLE.TEST", "ServiceName");
    check_name(&result, ticket->ClientName, L"user", NULL, "ClientName");
    check(is(&result, &ticket->DomainName, L"EXAMPLE.TEST"), "DomainName");
    check(is(&result, &ticket->TargetDomainName, L"EXAMPLE.TEST"), "TargetDomainName");
    check(ticket->EncodedTicketSize > 100 && ticket->EncodedTicket[0] == 0x61, "EncodedTicket, RFC 4120 5.3");
    check(ticket->SessionKey.KeyType == 18 && ticket->SessionKey.Length == 32, "SessionKey");
    check(is_zero(&ticket->SessionKey), "the key itself is zeros (KB 308339)");
    LsaFreeReturnBuffer(result.answer);
    RegSetKeyValueW(HKEY_LOCAL_MACHINE, parameters, L"AllowTgtSessionKey", REG_DWORD, &yes, sizeof yes);
    ticket = ticket_of(&request, sizeof request, &result);
    check(ticket && ticket->SessionKey.Length == 32 && !is_zero(&ticket->SessionKey), "AllowTgtSessionKey");
    LsaFreeReturnBuffer(result.answer);
    RegDeleteKeyValueW(HKEY_LOCAL_MACHINE, parameters, L"AllowTgtSessionKey");
}

static void test_new_ticket(void)
{
    struct retrieve message;
    struct result result;
    fill_retrieve(&message, L"demo/one", KERB_RETRIEVE_TICKET_USE_CACHE_ONLY);
    check_call(&message, sizeof message, STATUS_SUCCESS, STATUS_OBJECT_NAME_NOT_FOUND, "none in the cache yet");
    fill_retrieve(&message, L"demo/one", KERB_RETRIEVE_TICKET_DEFAULT);
    const KERB_EXTERNAL_TICKET *ticket = ticket_of(&message, sizeof message, &result);
    check(ticket != NULL, "one from the KDC");
    if (!ticket) return;
    check_name(&result, ticket->ServiceName, L"demo", L"one", "ServiceName");
    check_name(&result, ticket->TargetName, L"demo", L"one", "TargetName");
    check_name(&result, ticket->ClientName, L"user", NULL, "ClientName");
    check(is(&result, &ticket->TargetDomainName, L"EXAMPLE.TEST"), "TargetDomainName");
    check(ticket->SessionKey.Length == 32 && !is_zero(&ticket->SessionKey), "SessionKey");
    check(is_now(ticket->StartTime) && ticket->EndTime.QuadPart > ticket->StartTime.QuadPart, "times");
    LsaFreeReturnBuffer(result.answer);
    check(count_tickets() == 1, "it is not kept");
}

/* Whether two messages yield the same ticket; -1: one yields none. */
static int same_ticket(const struct retrieve *left, const struct retrieve *right)
{
    struct result first, second;
    const KERB_EXTERNAL_TICKET *one = ticket_of(left, sizeof *left, &first);
    const KERB_EXTERNAL_TICKET *two = ticket_of(right, sizeof *right, &second);
    int same = -1;
    if (one && two)
        same = one->EncodedTicketSize == two->EncodedTicketSize &&
               !memcmp(one->EncodedTicket, two->EncodedTicket, one->EncodedTicketSize);
    if (one) LsaFreeReturnBuffer(first.answer);
    if (two) LsaFreeReturnBuffer(second.answer);
    return same;
}

static void test_keeping(void)
{
    struct retrieve keep, cached, new;
    fill_retrieve(&keep, L"demo/one", KERB_RETRIEVE_TICKET_CACHE_TICKET);
    fill_retrieve(&cached, L"demo/one", KERB_RETRIEVE_TICKET_USE_CACHE_ONLY);
    fill_retrieve(&new, L"demo/one", KERB_RETRIEVE_TICKET_DONT_USE_CACHE);
    check(same_ticket(&keep, &cached) == 1 && count_tickets() == 2, "KERB_RETRIEVE_TICKET_CACHE_TICKET keeps it");
    check(same_ticket(&keep, &cached) == 1 && count_tickets() == 2, "and finds it");
    check(same_ticket(&cached, &new) == 0 && count_tickets() == 2, "KERB_RETRIEVE_TICKET_DONT_USE_CACHE: another");
    new.request.CacheOptions |= KERB_RETRIEVE_TICKET_CACHE_TICKET;
    check(same_ticket(&cached, &new) == 0 && count_tickets() == 2, "which takes the place of the first");
}

/* Whether SIZE bytes are somewhere in the ticket's encoding. */
static BOOL holds(const KERB_EXTERNAL_TICKET *ticket, const void *bytes, ULONG size)
{
    for (ULONG i = 0; i + size <= ticket->EncodedTicketSize; i++)
        if (!memcmp(ticket->EncodedTicket + i, bytes, size)) return TRUE;
    return FALSE;
}

static void test_as_cred(void)
{
    struct retrieve plain, wrapped;
    struct result first, second;
    fill_retrieve(&plain, L"demo/one", KERB_RETRIEVE_TICKET_USE_CACHE_ONLY);
    fill_retrieve(&wrapped, L"demo/one", KERB_RETRIEVE_TICKET_USE_CACHE_ONLY | KERB_RETRIEVE_TICKET_AS_KERB_CRED);
    const KERB_EXTERNAL_TICKET *ticket = ticket_of(&plain, sizeof plain, &first);
    const KERB_EXTERNAL_TICKET *cred = ticket_of(&wrapped, sizeof wrapped, &second);
    check(ticket && cred, "KERB_RETRIEVE_TICKET_AS_KERB_CRED");
    if (!ticket || !cred) return;
    check(cred->EncodedTicket[0] == 0x76, "a KRB-CRED, RFC 4120 5.10");
    check(holds(cred, ticket->EncodedTicket, ticket->EncodedTicketSize), "with the ticket");
    check(holds(cred, ticket->SessionKey.Value, ticket->SessionKey.Length), "and its session key");
    LsaFreeReturnBuffer(first.answer);
    LsaFreeReturnBuffer(second.answer);
    fill_retrieve(&wrapped, L"krbtgt/EXAMPLE.TEST", KERB_RETRIEVE_TICKET_AS_KERB_CRED);
    cred = ticket_of(&wrapped, sizeof wrapped, &second);
    check(cred && cred->EncodedTicket[0] == 0x76 && holds(cred, (BYTE[32]){0}, 32) && is_zero(&cred->SessionKey),
          "that of a ticket-granting ticket is zeros there as well");
    if (cred) LsaFreeReturnBuffer(second.answer);
}

static void test_types(void)
{
    struct retrieve message;
    struct result result;
    fill_retrieve(&message, L"demo/two", KERB_RETRIEVE_TICKET_DEFAULT);
    message.request.EncryptionType = 17;
    const KERB_EXTERNAL_TICKET *ticket = ticket_of(&message, sizeof message, &result);
    check(ticket && ticket->SessionKey.KeyType == 17 && ticket->SessionKey.Length == 16, "EncryptionType AES-128");
    if (ticket) LsaFreeReturnBuffer(result.answer);
    message.request.EncryptionType = 23;
    check_call(&message, sizeof message, STATUS_SUCCESS, SEC_E_KDC_UNKNOWN_ETYPE, "RC4");
    message.request.EncryptionType = 4711;
    check_call(&message, sizeof message, STATUS_SUCCESS, SEC_E_KDC_UNKNOWN_ETYPE, "an unknown one");
    fill_retrieve(&message, L"nosuch/service", KERB_RETRIEVE_TICKET_DEFAULT);
    check_call(&message, sizeof message, STATUS_SUCCESS, STATUS_NO_TRUST_SAM_ACCOUNT, "an unknown service");
    fill_retrieve(&message, L"\xD800/one", KERB_RETRIEVE_TICKET_DEFAULT);
    check_call(&message, sizeof message, STATUS_SUCCESS, STATUS_NO_TRUST_SAM_ACCOUNT, "what is no text");
}

void test_retrieving(void)
{
    test_tgt();
    section("KerbRetrieveEncodedTicketMessage");
    test_new_ticket();
    test_keeping();
    test_as_cred();
    test_types();
}

static void purge_one(const WCHAR *server, const WCHAR *realm, int left, const char *what)
{
    struct purge message;
    fill_purge(&message, server, realm);
    check_call(&message, sizeof message, STATUS_SUCCESS, STATUS_SUCCESS, what);
    check(count_tickets() == left, what);
}

static void purge_like(const WCHAR *client, const WCHAR *server, int left, const char *what)
{
    struct purge_ex message;
    fill_purge_ex(&message, client, server);
    check_call(&message, sizeof message, STATUS_SUCCESS, STATUS_SUCCESS, what);
    check(count_tickets() == left, what);
}

static void keep(const WCHAR *service)
{
    struct retrieve message;
    fill_retrieve(&message, service, KERB_RETRIEVE_TICKET_CACHE_TICKET);
    check_call(&message, sizeof message, STATUS_SUCCESS, STATUS_SUCCESS, "a ticket to purge");
}

/* The ticket-granting ticket and demo/one are there. */
void test_purging(void)
{
    struct purge_ex all;
    section("KerbPurgeTicketCacheMessage");
    keep(L"demo/two");
    purge_one(L"demo/three", NULL, 3, "another service");
    purge_one(L"demo/one", L"OTHER.TEST", 3, "another realm");
    purge_one(L"DEMO/One", L"example.test", 2, "in any case");
    purge_one(L"demo/two", NULL, 1, "in any realm");
    section("KerbPurgeTicketCacheExMessage");
    keep(L"demo/one");
    keep(L"demo/two");
    purge_like(L"nobody", L"demo/one", 3, "another client");
    purge_like(L"user", L"demo/one", 2, "client and server");
    purge_like(NULL, L"demo/two", 1, "a server");
    keep(L"demo/two");
    fill_purge_ex(&all, L"nobody", L"demo/one");
    all.request.Flags = KERB_PURGE_ALL_TICKETS;
    check_call(&all, sizeof all, STATUS_SUCCESS, STATUS_SUCCESS, "KERB_PURGE_ALL_TICKETS");
    check(count_tickets() == 0, "all are gone");
}

void test_without_kdc(void)
{
    struct retrieve message;
    section("no KDC");
    fill_retrieve(&message, L"demo/one", KERB_RETRIEVE_TICKET_DEFAULT);
    check_call(&message, sizeof message, STATUS_SUCCESS, STATUS_SUCCESS, "what is in the cache is there");
    fill_retrieve(&message, L"demo/one", KERB_RETRIEVE_TICKET_DONT_USE_CACHE);
    check_call(&message, sizeof message, STATUS_SUCCESS, STATUS_NO_LOGON_SERVERS, "nothing new is");
}
