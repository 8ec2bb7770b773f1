/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * messages.exe GROUP: Kerberos's messages through LsaCallAuthenticationPackage.
 */
#include "messages.h"

#include <stdio.h>
#include <string.h>

struct result call(const void *message, ULONG size)
{
    static char name[] = MICROSOFT_KERBEROS_NAME_A;
    LSA_STRING package = {sizeof name - 1, sizeof name, name};
    struct result result = {-1, -1, (void *)&result, 12345};
    HANDLE lsa;
    ULONG number;
    if (LsaConnectUntrusted(&lsa)) return result;
    if (!LsaLookupAuthenticationPackage(lsa, &package, &number))
        result.status = LsaCallAuthenticationPackage(lsa, number, (void *)message, size, &result.answer, &result.size,
                                                     &result.protocol);
    LsaDeregisterLogonProcess(lsa);
    return result;
}

void check_call(const void *message, ULONG size, NTSTATUS status, NTSTATUS protocol, const char *what)
{
    struct result result = call(message, size);
    check_status(result.status, status, what);
    check_status(result.protocol, protocol, what);
    if (status || protocol) check(!result.answer && !result.size, "and no answer");
    if (!result.status) LsaFreeReturnBuffer(result.answer);
}

static void fill_string(UNICODE_STRING *string, WCHAR *room, const WCHAR *text)
{
    if (!text) return;
    string->Length = (USHORT)(wcslen(text) * sizeof *text);
    string->MaximumLength = string->Length + sizeof *text;
    string->Buffer = wcscpy(room, text);
}

void fill_retrieve(struct retrieve *message, const WCHAR *target, ULONG options)
{
    memset(message, 0, sizeof *message);
    message->request.MessageType = KerbRetrieveEncodedTicketMessage;
    message->request.CacheOptions = options;
    fill_string(&message->request.TargetName, message->target, target);
}

void fill_purge(struct purge *message, const WCHAR *server, const WCHAR *realm)
{
    memset(message, 0, sizeof *message);
    message->request.MessageType = KerbPurgeTicketCacheMessage;
    fill_string(&message->request.ServerName, message->server, server);
    fill_string(&message->request.RealmName, message->realm, realm);
}

void fill_purge_ex(struct purge_ex *message, const WCHAR *client, const WCHAR *server)
{
    memset(message, 0, sizeof *message);
    message->request.MessageType = KerbPurgeTicketCacheExMessage;
    fill_string(&message->request.TicketTemplate.ClientName, message->client, client);
    fill_string(&message->request.TicketTemplate.ServerName, message->server, server);
}

int count_tickets(void)
{
    const KERB_QUERY_TKT_CACHE_REQUEST request = {KerbQueryTicketCacheMessage, {0, 0}};
    struct result result = call(&request, sizeof request);
    if (result.status || result.protocol) return -1;
    const int count = (int)((KERB_QUERY_TKT_CACHE_RESPONSE *)result.answer)->CountOfTickets;
    LsaFreeReturnBuffer(result.answer);
    return count;
}

static const struct {
    const char *name;
    void (*run)(void);
} groups[] = {
    {"absent", test_absent},           {"unreadable", test_unreadable},
    {"malformed", test_malformed},     {"lists", test_lists},
    {"retrieving", test_retrieving},   {"purging", test_purging},
    {"without-kdc", test_without_kdc}, {"waiting", test_waiting},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < ARRAYSIZE(groups); i++)
        if (!strcmp(groups[i].name, argv[1])) {
            groups[i].run();
            return finish_cases();
        }
    fprintf(stderr,
            "usage: messages absent | unreadable | malformed | lists | retrieving | purging | without-kdc | waiting\n");
    return 2;
}
