/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of the user and of the computer, in every format: GetUserNameEx and GetComputerObjectName, A and W.
 */
#include "groups.h"

#include <string.h>

#define NAME_CHARS 256
#define SENTINEL 0x5a

#define NO_COMPUTER_NAME                                                                                               \
    "FALSE ERROR_NONE_MAPPED or FALSE ERROR_NO_SUCH_USER or FALSE ERROR_CANT_ACCESS_DOMAIN_INFO or "                   \
    "FALSE ERROR_INSUFFICIENT_BUFFER"
#define NO_COMPUTER_NAME_W NO_COMPUTER_NAME " or FALSE WSAHOST_NOT_FOUND"
#define USER_NAME "TRUE or FALSE ERROR_NONE_MAPPED"
/* On Windows 10, the W function may answer TRUE to a request without a buffer. */
#define WIN10_ODDITY "10.0:TRUE"
#define MORE_DATA "FALSE ERROR_MORE_DATA, size set"

static const struct conformance_case cases[] = {
    {"names/computer.A.unknown", "behaviour 12-13", "FALSE ERROR_INVALID_PARAMETER", NULL, WINE_SAME},
    {"names/computer.A.dn", "behaviour 12, 14", NO_COMPUTER_NAME, NULL, WINE_SAME},
    {"names/computer.A.sam", "behaviour 12, 14", NO_COMPUTER_NAME, NULL, WINE_SAME},
    {"names/computer.A.display", "behaviour 12, 14", NO_COMPUTER_NAME, NULL, WINE_SAME},
    {"names/computer.A.unique-id", "behaviour 12, 14", NO_COMPUTER_NAME, NULL, WINE_SAME},
    {"names/computer.A.canonical", "behaviour 12, 14", NO_COMPUTER_NAME, NULL, WINE_SAME},
    {"names/computer.A.upn", "behaviour 12, 14", NO_COMPUTER_NAME, NULL, WINE_SAME},
    {"names/computer.A.canonical-ex", "behaviour 12, 14", NO_COMPUTER_NAME, NULL, WINE_SAME},
    {"names/computer.A.spn", "behaviour 12, 14", NO_COMPUTER_NAME, NULL, WINE_SAME},
    {"names/computer.A.dns-domain", "behaviour 12, 14", NO_COMPUTER_NAME, NULL, WINE_SAME},
    {"names/computer.A.second-call", "behaviour 17", "TRUE or no buffer wanted", NULL, WINE_SAME},
    {"names/computer.W.unknown", "behaviour 13, 15", "FALSE ERROR_INVALID_PARAMETER", WIN10_ODDITY, WINE_SAME},
    {"names/computer.W.dn", "behaviour 15-16", NO_COMPUTER_NAME_W, WIN10_ODDITY, WINE_SAME},
    {"names/computer.W.sam", "behaviour 15-16", NO_COMPUTER_NAME_W, WIN10_ODDITY, WINE_SAME},
    {"names/computer.W.display", "behaviour 15-16", NO_COMPUTER_NAME_W, WIN10_ODDITY, WINE_SAME},
    {"names/computer.W.unique-id", "behaviour 15-16", NO_COMPUTER_NAME_W, WIN10_ODDITY, WINE_SAME},
    {"names/computer.W.canonical", "behaviour 15-16", NO_COMPUTER_NAME_W, WIN10_ODDITY, WINE_SAME},
    {"names/computer.W.upn", "behaviour 15-16", NO_COMPUTER_NAME_W, WIN10_ODDITY, WINE_SAME},
    {"names/computer.W.canonical-ex", "behaviour 15-16", NO_COMPUTER_NAME_W, WIN10_ODDITY, WINE_SAME},
    {"names/computer.W.spn", "behaviour 15-16", NO_COMPUTER_NAME_W, WIN10_ODDITY, WINE_SAME},
    {"names/computer.W.dns-domain", "behaviour 15-16", NO_COMPUTER_NAME_W, WIN10_ODDITY, WINE_SAME},
    {"names/computer.W.second-call", "behaviour 17", "TRUE or no buffer wanted", NULL, WINE_SAME},
    {"names/user.A.unknown", "behaviour 18-19", USER_NAME " or FALSE ERROR_NO_SUCH_USER", NULL, WINE_SAME},
    {"names/user.A.dn", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.A.sam", "behaviour 18, 119", "TRUE", NULL, WINE_SAME},
    {"names/user.A.display", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.A.unique-id", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.A.canonical", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.A.upn", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.A.canonical-ex", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.A.spn", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.A.dns-domain", "behaviour 18", USER_NAME, "5.2:FALSE ERROR_INVALID_PARAMETER", WINE_SAME},
    {"names/user.W.unknown", "behaviour 18-19", USER_NAME " or FALSE ERROR_NO_SUCH_USER", NULL, WINE_SAME},
    {"names/user.W.dn", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.W.sam", "behaviour 18, 119", "TRUE", NULL, WINE_SAME},
    {"names/user.W.display", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.W.unique-id", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.W.canonical", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.W.upn", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.W.canonical-ex", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.W.spn", "behaviour 18", USER_NAME, NULL, WINE_SAME},
    {"names/user.W.dns-domain", "behaviour 18", USER_NAME, "5.2:FALSE ERROR_INVALID_PARAMETER", WINE_SAME},
    {"names/user.A.null-buffer", "behaviour 20", MORE_DATA, NULL, WINE_SAME},
    {"names/user.A.size-0", "behaviour 21", MORE_DATA, NULL, WINE_SAME},
    {"names/user.A.size-1", "behaviour 22", MORE_DATA ", buffer untouched", NULL, WINE_SAME},
    {"names/user.W.null-buffer", "behaviour 23", MORE_DATA, NULL, WINE_SAME},
    {"names/user.W.size-0", "behaviour 23", MORE_DATA, NULL, WINE_SAME},
    {"names/user.W.size-1", "behaviour 23", MORE_DATA ", buffer untouched", NULL, WINE_SAME},
    {"names/user.A.null-size", "behaviour 24", OBSERVED_ACCESS_VIOLATION, NULL, WINE_SAME},
    {"names/user.W.null-size", "behaviour 24", OBSERVED_ACCESS_VIOLATION, NULL, WINE_SAME},
    {"names/user.A.null-buffer-big-size", "behaviour 25", OBSERVED_ACCESS_VIOLATION, NULL, WINE_SAME},
    {"names/user.W.null-buffer-big-size", "behaviour 25", OBSERVED_ACCESS_VIOLATION, NULL, WINE_SAME},
};

struct format {
    EXTENDED_NAME_FORMAT value;
    const char *name;
};

static const struct format formats[] = {
    {NameUnknown, "unknown"},      {NameFullyQualifiedDN, "dn"},      {NameSamCompatible, "sam"},
    {NameDisplay, "display"},      {NameUniqueId, "unique-id"},       {NameCanonical, "canonical"},
    {NameUserPrincipal, "upn"},    {NameCanonicalEx, "canonical-ex"}, {NameServicePrincipal, "spn"},
    {NameDnsDomain, "dns-domain"},
};

/* The two encodings of one function, seen alike: sizes in characters, the buffer as bytes. */
struct encoding {
    char letter;
    BOOLEAN (*computer)(EXTENDED_NAME_FORMAT format, void *buffer, ULONG *size);
    BOOLEAN (*user)(EXTENDED_NAME_FORMAT format, void *buffer, ULONG *size);
};

static BOOLEAN computer_a(EXTENDED_NAME_FORMAT format, void *buffer, ULONG *size)
{
    return GetComputerObjectNameA(format, buffer, size);
}

static BOOLEAN computer_w(EXTENDED_NAME_FORMAT format, void *buffer, ULONG *size)
{
    return GetComputerObjectNameW(format, buffer, size);
}

static BOOLEAN user_a(EXTENDED_NAME_FORMAT format, void *buffer, ULONG *size)
{
    return GetUserNameExA(format, buffer, size);
}

static BOOLEAN user_w(EXTENDED_NAME_FORMAT format, void *buffer, ULONG *size)
{
    return GetUserNameExW(format, buffer, size);
}

static const struct encoding ansi = {'A', computer_a, user_a};
static const struct encoding wide = {'W', computer_w, user_w};

static void case_id(char *id, size_t size, const char *what, char letter, const char *name)
{
    snprintf(id, size, "names/%s.%c.%s", what, letter, name);
}

static void computer_names(struct conformance_run *run, const struct encoding *encoding)
{
    WCHAR buffer[NAME_CHARS];
    const char *second = "no buffer wanted";
    char id[64];

    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        ULONG size = 0;
        BOOLEAN ok;
        DWORD error;

        SetLastError(ERROR_SUCCESS);
        ok = encoding->computer(formats[i].value, NULL, &size);
        error = GetLastError();
        case_id(id, sizeof(id), "computer", encoding->letter, formats[i].name);
        observe_result(run, id, ok, error);
        size = NAME_CHARS;
        if (!ok && error == ERROR_INSUFFICIENT_BUFFER)
            second = encoding->computer(formats[i].value, buffer, &size) ? "TRUE" : "FALSE";
    }
    case_id(id, sizeof(id), "computer", encoding->letter, "second-call");
    observe(run, id, "%s", second);
}

static void user_names(struct conformance_run *run, const struct encoding *encoding)
{
    WCHAR buffer[NAME_CHARS];
    char id[64];

    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        ULONG size = NAME_CHARS;
        BOOLEAN ok;

        SetLastError(ERROR_SUCCESS);
        ok = encoding->user(formats[i].value, buffer, &size);
        case_id(id, sizeof(id), "user", encoding->letter, formats[i].name);
        observe_result(run, id, ok, GetLastError());
    }
}

static bool is_untouched(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != SENTINEL) return false;
    return true;
}

/* Asks with a buffer that is too small (or none) of SIZE characters. */
static void user_name_too_small(struct conformance_run *run, const struct encoding *encoding, const char *what,
                                void *buffer, ULONG size)
{
    unsigned char *bytes = buffer;
    ULONG given = size;
    const char *touched = "";
    char id[64];
    BOOLEAN ok;
    DWORD error;

    if (bytes) memset(bytes, SENTINEL, NAME_CHARS);
    SetLastError(ERROR_SUCCESS);
    ok = encoding->user(NameSamCompatible, buffer, &size);
    error = GetLastError();
    case_id(id, sizeof(id), "user", encoding->letter, what);
    if (given) touched = is_untouched(bytes, NAME_CHARS) ? ", buffer untouched" : ", buffer written";
    if (!ok && error == ERROR_MORE_DATA)
        observe(run, id, "FALSE ERROR_MORE_DATA, size %s%s", size > given ? "set" : "not set", touched);
    else
        observe_result(run, id, ok, error);
}

static void small_user_names(struct conformance_run *run, const struct encoding *encoding)
{
    unsigned char buffer[NAME_CHARS];

    user_name_too_small(run, encoding, "null-buffer", NULL, 0);
    user_name_too_small(run, encoding, "size-0", buffer, 0);
    user_name_too_small(run, encoding, "size-1", buffer, 1);
}

static void null_size_a(void)
{
    GetUserNameExA(NameSamCompatible, NULL, NULL);
}

static void null_size_w(void)
{
    GetUserNameExW(NameSamCompatible, NULL, NULL);
}

static void null_buffer_a(void)
{
    ULONG size = NAME_CHARS;

    GetUserNameExA(NameSamCompatible, NULL, &size);
}

static void null_buffer_w(void)
{
    ULONG size = NAME_CHARS;

    GetUserNameExW(NameSamCompatible, NULL, &size);
}

static const struct raising_call raising[] = {
    {"names/user.A.null-size", null_size_a},
    {"names/user.W.null-size", null_size_w},
    {"names/user.A.null-buffer-big-size", null_buffer_a},
    {"names/user.W.null-buffer-big-size", null_buffer_w},
};

static void run_names(struct conformance_run *run)
{
    const struct encoding *const encodings[] = {&ansi, &wide};

    for (size_t i = 0; i < COUNT_OF(encodings); i++) {
        computer_names(run, encodings[i]);
        user_names(run, encodings[i]);
        small_user_names(run, encodings[i]);
    }
    for (size_t i = 0; i < COUNT_OF(raising); i++) observe_exception(run, raising[i].id);
}

const struct conformance_group names_group = {
    .name = "names",
    .cases = cases,
    .case_count = COUNT_OF(cases),
    .run = run_names,
    .raising = raising,
    .raising_count = COUNT_OF(raising),
};
