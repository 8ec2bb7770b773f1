/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets in words.
 */
#include "klist.h"

#include <stdio.h>

struct bit {
    ULONG value;
    const char *name;
};

static const struct bit ticket_flags[] = {
    {0x40000000, "forwardable"},       {0x20000000, "forwarded"},
    {0x10000000, "proxiable"},         {0x08000000, "proxy"},
    {0x04000000, "may_postdate"},      {0x02000000, "postdated"},
    {0x01000000, "invalid"},           {0x00800000, "renewable"},
    {0x00400000, "initial"},           {0x00200000, "pre_authent"},
    {0x00100000, "hw_authent"},        {0x00040000, "ok_as_delegate"},
    {0x00010000, "name_canonicalize"},
};

static const struct bit cache_flags[] = {{0x1, "PRIMARY"}, {0x2, "DELEGATION"}};

struct etype {
    LONG number;
    const char *name;
};

static const struct etype etypes[] = {
    {17, "AES-128-CTS-HMAC-SHA1-96"},    {18, "AES-256-CTS-HMAC-SHA1-96"}, {19, "AES-128-CTS-HMAC-SHA256-128"},
    {20, "AES-256-CTS-HMAC-SHA384-192"}, {23, "RSADSI RC4-HMAC(NT)"},
};

static void print_etype(LONG number)
{
    for (size_t i = 0; i < ARRAYSIZE(etypes); i++)
        if (etypes[i].number == number) {
            printf("%s\n", etypes[i].name);
            return;
        }
    printf("Unknown (%ld)\n", number);
}

static void print_flags(ULONG value, const struct bit *bits, size_t count)
{
    printf("0x%lx -> ", value);
    for (size_t i = 0; i < count; i++)
        if (value & bits[i].value) printf("%s ", bits[i].name);
    putchar('\n');
}

/* In the program's code page; what a terminal could act upon is a question mark. */
static void print_units(const WCHAR *text, size_t length)
{
    for (size_t i = 0, units; i < length; i += units) {
        char bytes[8];
        units = IS_HIGH_SURROGATE(text[i]) && i + 1 < length ? 2 : 1;
        const int size = WideCharToMultiByte(CP_ACP, 0, text + i, (int)units, bytes, sizeof bytes, NULL, NULL);
        if (size == 1 && ((UCHAR)*bytes < ' ' || *bytes == 0x7F)) *bytes = '?';
        fwrite(bytes, 1, (size_t)size, stdout);
    }
}

static void print_string(const UNICODE_STRING *string)
{
    print_units(string->Buffer, string->Length / sizeof(WCHAR));
}

void print_text(const WCHAR *text)
{
    print_units(text, wcslen(text));
}

/* The user's time zone, in the order that English has in the United States, whatever the machine's language. */
static void print_time(LARGE_INTEGER time)
{
    const FILETIME utc = {time.LowPart, (DWORD)time.HighPart};
    SYSTEMTIME in, local;
    if (!time.QuadPart)
        printf("0\n");
    else if (FileTimeToSystemTime(&utc, &in) && SystemTimeToTzSpecificLocalTime(NULL, &in, &local))
        printf("%u/%u/%u %u:%02u:%02u (local)\n", local.wMonth, local.wDay, local.wYear, local.wHour, local.wMinute,
               local.wSecond);
    else
        printf("never\n");
}

static void print_principal(const char *label, const UNICODE_STRING *name, const UNICODE_STRING *realm)
{
    printf("%s: ", label);
    print_string(name);
    printf(" @ ");
    print_string(realm);
    putchar('\n');
}

void print_listed(ULONG number, const KERB_TICKET_CACHE_INFO_EX3 *ticket)
{
    printf("\n#%lu>", number);
    print_principal("\tClient", &ticket->ClientName, &ticket->ClientRealm);
    print_principal("\tServer", &ticket->ServerName, &ticket->ServerRealm);
    printf("\tKerbTicket Encryption Type: ");
    print_etype(ticket->EncryptionType);
    printf("\tTicket Flags ");
    print_flags(ticket->TicketFlags, ticket_flags, ARRAYSIZE(ticket_flags));
    printf("\tStart Time: ");
    print_time(ticket->StartTime);
    printf("\tEnd Time:   ");
    print_time(ticket->EndTime);
    printf("\tRenew Time: ");
    print_time(ticket->RenewTime);
    printf("\tSession Key Type: ");
    print_etype((LONG)ticket->SessionKeyType);
    printf("\tCache Flags: ");
    print_flags(ticket->CacheFlags, cache_flags, ARRAYSIZE(cache_flags));
    printf("\tKdc Called: ");
    print_string(&ticket->KdcCalled);
    putchar('\n');
}

static void print_name(const char *label, const KERB_EXTERNAL_NAME *name)
{
    printf("%s: ", label);
    for (USHORT i = 0; i < name->NameCount; i++) {
        if (i) putchar('/');
        print_string(&name->Names[i]);
    }
    putchar('\n');
}

static void print_line(const char *label, const UNICODE_STRING *value)
{
    printf("%s: ", label);
    print_string(value);
    putchar('\n');
}

static void print_bytes(const UCHAR *bytes, ULONG size)
{
    for (ULONG i = 0; i < size; i++) {
        if (i % 16 == 0) printf("%04lx ", i);
        printf(" %02x%s", bytes[i], i % 16 == 15 || i + 1 == size ? "\n" : "");
    }
}

/* Screens are looked at by others: of the key no more is shown than whether it is there. */
static void print_key(const KERB_CRYPTO_KEY *key)
{
    UCHAR any = 0;
    for (ULONG i = 0; i < key->Length; i++) any |= key->Value[i];
    printf("Session Key        : KeyType 0x%lx - ", key->KeyType);
    print_etype(key->KeyType);
    printf("                   : KeyLength %lu - %s\n", key->Length, any ? "not shown" : "zeros");
}

void print_ticket(const KERB_EXTERNAL_TICKET *ticket)
{
    const LONGLONG seconds = ticket->TimeSkew.QuadPart / 10000000, skew = seconds < 0 ? -seconds : seconds;
    print_name("ServiceName        ", ticket->ServiceName);
    print_name("TargetName (SPN)   ", ticket->TargetName);
    print_name("ClientName         ", ticket->ClientName);
    print_line("DomainName         ", &ticket->DomainName);
    print_line("TargetDomainName   ", &ticket->TargetDomainName);
    print_line("AltTargetDomainName", &ticket->AltTargetDomainName);
    printf("Ticket Flags       : ");
    print_flags(ticket->TicketFlags, ticket_flags, ARRAYSIZE(ticket_flags));
    print_key(&ticket->SessionKey);
    printf("StartTime          : ");
    print_time(ticket->StartTime);
    printf("EndTime            : ");
    print_time(ticket->EndTime);
    printf("RenewUntil         : ");
    print_time(ticket->RenewUntil);
    printf("TimeSkew           : %c %d:%02d minute(s)\n", seconds < 0 ? '-' : '+', (int)(skew / 60), (int)(skew % 60));
    printf("EncodedTicket      : (size: %lu)\n", ticket->EncodedTicketSize);
    print_bytes(ticket->EncodedTicket, ticket->EncodedTicketSize);
}
