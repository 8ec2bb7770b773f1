/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * klist.exe: the user's Kerberos tickets, listed, asked for and purged. Its words and its layout are those that
 * programs and people know from Windows.
 */
#include "klist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DONE = 0, FAILED = 1, MISUSED = 2 };

static const char usage[] = "Usage: klist [-lh LOGON_HIGH] [-li LOGON_LOW] [COMMAND]\n"
                            "\n"
                            "  tickets    list the cached tickets (this is also done without a command)\n"
                            "  tgt        show the ticket-granting ticket\n"
                            "  get SPN    ask for a ticket for a service, keep it, and list the cached tickets\n"
                            "  purge      remove all cached tickets\n"
                            "  help, /?   this text\n"
                            "\n"
                            "-lh and -li give the two halves of a logon session's number, in hexadecimal. There is "
                            "only the caller's own here; for\n"
                            "another the command fails.\n"
                            "\n"
                            "The tickets are those of Heimdal's credential cache (KRB5CCNAME). Exit codes: 0 done, 1 "
                            "failed, 2 not understood.\n";

/* What the switches and the command say. */
struct arguments {
    LUID logon_id;
    const WCHAR *command;
    const WCHAR *spn; /* of "get" */
};

static int misuse(const WCHAR *argument, const char *why)
{
    fprintf(stderr, "klist: \"%ls\" %s\n\n%s", argument, why, usage);
    return MISUSED;
}

static BOOL read_number(const WCHAR *text, ULONG *number)
{
    WCHAR *end;
    *number = wcstoul(text, &end, 16);
    return *text && !*end;
}

/* Switches begin with a dash or a slash. The name of one, or NULL. */
static const WCHAR *switch_of(const WCHAR *argument)
{
    return *argument == '-' || *argument == '/' ? argument + 1 : NULL;
}

static BOOL is_help(const WCHAR *argument)
{
    const WCHAR *name = switch_of(argument);
    if (!name) return !_wcsicmp(argument, L"help");
    return !wcscmp(name, L"?") || !_wcsicmp(name, L"h") || !_wcsicmp(name, L"help") || !_wcsicmp(name, L"-help");
}

/* One switch and its value: how many arguments they take; 0: not understood. */
static int read_switch(WCHAR **argv, struct arguments *arguments)
{
    const WCHAR *name = switch_of(argv[0]);
    ULONG number;
    if (!argv[1] || !read_number(argv[1], &number)) return 0;
    if (!_wcsicmp(name, L"lh"))
        arguments->logon_id.HighPart = (LONG)number;
    else if (!_wcsicmp(name, L"li"))
        arguments->logon_id.LowPart = number;
    else
        return 0;
    return 2;
}

static int read_arguments(WCHAR **argv, struct arguments *arguments)
{
    *arguments = (struct arguments){.command = L"tickets"};
    for (int taken; *argv && switch_of(*argv); argv += taken)
        if (!(taken = read_switch(argv, arguments))) return misuse(*argv, "is not understood, or lacks its number");
    if (!*argv) return DONE;
    arguments->command = *argv++;
    if (!_wcsicmp(arguments->command, L"get") && !(arguments->spn = *argv++))
        return misuse(arguments->command, "wants the name of a service");
    return *argv ? misuse(*argv, "is one argument too many") : DONE;
}

static int fail(NTSTATUS status)
{
    char text[256] = "";
    const DWORD from = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK;
    /* A SEC_E_ status is its own Windows error. */
    const DWORD error = (status & 0x0FFF0000) == 0x00090000 ? (DWORD)status : LsaNtStatusToWinError(status);
    if (status == SEC_E_NO_CREDENTIALS)
        strcpy(text, "No credentials are available in the security package"); /* which Wine 8.0 has no text for */
    else
        FormatMessageA(from, NULL, error, 0, text, sizeof text, NULL);
    printf("klist failed with 0x%lx/%ld: %s\n", (ULONG)status, status, text);
    return FAILED;
}

static int list(struct lsa *lsa)
{
    KERB_QUERY_TKT_CACHE_REQUEST request = {KerbQueryTicketCacheEx3Message, lsa->logon_id};
    KERB_QUERY_TKT_CACHE_EX3_RESPONSE *response;
    NTSTATUS status = lsa_call(lsa, &request, sizeof request, (void **)&response);
    if (status) return fail(status);
    printf("\nCached Tickets: (%lu)\n", response->CountOfTickets);
    for (ULONG i = 0; i < response->CountOfTickets; i++) print_listed(i, &response->Tickets[i]);
    LsaFreeReturnBuffer(response);
    return DONE;
}

static int show_tgt(struct lsa *lsa)
{
    KERB_QUERY_TKT_CACHE_REQUEST request = {KerbRetrieveTicketMessage, lsa->logon_id};
    KERB_RETRIEVE_TKT_RESPONSE *response;
    NTSTATUS status = lsa_call(lsa, &request, sizeof request, (void **)&response);
    if (status) return fail(status);
    printf("\nCached TGT:\n\n");
    print_ticket(&response->Ticket);
    LsaFreeReturnBuffer(response);
    return DONE;
}

static int get(struct lsa *lsa, const WCHAR *spn)
{
    const size_t length = wcslen(spn) * sizeof(WCHAR);
    const NTSTATUS no_memory = (NTSTATUS)0xC0000017;
    KERB_RETRIEVE_TKT_RESPONSE *response;
    if (length > MAXSHORT) return misuse(spn, "is too long");
    KERB_RETRIEVE_TKT_REQUEST *request = calloc(1, sizeof *request + length);
    if (!request) return fail(no_memory);
    request->MessageType = KerbRetrieveEncodedTicketMessage;
    request->LogonId = lsa->logon_id;
    request->CacheOptions = KERB_RETRIEVE_TICKET_CACHE_TICKET;
    request->TargetName.Buffer = memcpy(request + 1, spn, length);
    request->TargetName.Length = request->TargetName.MaximumLength = (USHORT)length;
    NTSTATUS status = lsa_call(lsa, request, (ULONG)(sizeof *request + length), (void **)&response);
    free(request);
    if (status) return fail(status);
    LsaFreeReturnBuffer(response);
    printf("A ticket to ");
    print_text(spn);
    printf(" has been retrieved successfully.\n");
    return list(lsa);
}

static int purge(struct lsa *lsa)
{
    KERB_PURGE_TKT_CACHE_REQUEST request = {KerbPurgeTicketCacheMessage, lsa->logon_id, {0}, {0}};
    void *response;
    printf("\tDeleting all tickets:\n");
    NTSTATUS status = lsa_call(lsa, &request, sizeof request, &response);
    if (status) return fail(status);
    printf("\tTicket(s) purged!\n");
    return DONE;
}

static BOOL is_known(const WCHAR *command)
{
    return !_wcsicmp(command, L"tickets") || !_wcsicmp(command, L"tgt") || !_wcsicmp(command, L"get") ||
           !_wcsicmp(command, L"purge");
}

static int run(struct lsa *lsa, const struct arguments *arguments)
{
    if (!_wcsicmp(arguments->command, L"tgt")) return show_tgt(lsa);
    if (!_wcsicmp(arguments->command, L"purge")) return purge(lsa);
    return arguments->spn ? get(lsa, arguments->spn) : list(lsa);
}

int wmain(int argc, WCHAR **argv)
{
    struct arguments arguments;
    struct lsa lsa;
    if (argc > 1 && is_help(argv[1])) {
        fputs(usage, stdout);
        return DONE;
    }
    int result = read_arguments(argv + 1, &arguments);
    if (result) return result;
    if (!is_known(arguments.command)) return misuse(arguments.command, "is no command");
    NTSTATUS status = lsa_open(&lsa, arguments.logon_id);
    if (status) return fail(status);
    printf("\nCurrent LogonId is %ld:0x%lx\n", lsa.own_id.HighPart, lsa.own_id.LowPart);
    if (arguments.logon_id.LowPart || arguments.logon_id.HighPart)
        printf("Targeted LogonId is %ld:0x%lx\n", lsa.logon_id.HighPart, lsa.logon_id.LowPart);
    result = run(&lsa, &arguments);
    LsaDeregisterLogonProcess(lsa.connection);
    return result;
}
