/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages to a package through the LSA, and what it says of the caller.
 */
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <ntsecapi.h>
#include "cases.h"
#include "packages.h"
#include "../../dlls/sspicli/protected_user.h"

#include <string.h>

/* As Windows has it: a BOOLEAN, and nothing beside it. The user of a prefix is of no domain. */
static void test_protected_user(void)
{
    static const struct {
        const char *name;
        BYTE authority;
        BYTE count;
        DWORD first, last;
        BOOL expected;
    } sids[] = {
        {"Protected Users", 5, 5, 21, 525, TRUE},    {"Domain Users", 5, 5, 21, 513, FALSE},
        {"another authority", 1, 5, 21, 525, FALSE}, {"no domain's", 5, 5, 32, 525, FALSE},
        {"a shorter one", 5, 4, 21, 525, FALSE},     {"a longer one", 5, 6, 21, 525, FALSE},
    };
    NTSTATUS(WINAPI * is_protected)(PBOOLEAN);
    BOOLEAN answer[3] = {0x55, TRUE, 0x55};
    is_protected = (void *)GetProcAddress(LoadLibraryA("sspicli.dll"), "SeciIsProtectedUser");
    section("SeciIsProtectedUser");
    check_status(is_protected ? is_protected(&answer[1]) : STATUS_NOT_FOUND, STATUS_SUCCESS, "it answers");
    check(answer[0] == 0x55 && answer[1] == FALSE && answer[2] == 0x55, "no, in one byte");
    for (int i = 0; i < (int)ARRAYSIZE(sids); i++) {
        SID_IDENTIFIER_AUTHORITY authority = {{0, 0, 0, 0, 0, sids[i].authority}};
        PSID sid = NULL;
        AllocateAndInitializeSid(&authority, sids[i].count, sids[i].first, 1, 2, 3, 525, 525, 0, 0, &sid);
        if (sid) *GetSidSubAuthority(sid, sids[i].count - 1u) = sids[i].last;
        check(sid && is_protected_users(sid) == sids[i].expected, sids[i].name);
        FreeSid(sid);
    }
}

static NTSTATUS look_up(HANDLE lsa, const WCHAR *package, ULONG *number)
{
    char name[64];
    WideCharToMultiByte(CP_ACP, 0, package, -1, name, sizeof name, NULL, NULL);
    LSA_STRING string = {(USHORT)strlen(name), sizeof name, name};
    return LsaLookupAuthenticationPackage(lsa, &string, number);
}

static void test_call(HANDLE lsa, ULONG number)
{
    struct {
        NTSTATUS protocol;
        char text[4];
    } message = {0x40001234, {'a', 'b', 'c', 'd'}};
    void *answer = NULL;
    ULONG size = 0;
    NTSTATUS protocol = 0;
    check_status(LsaCallAuthenticationPackage(lsa, number, &message, sizeof message, &answer, &size, &protocol),
                 STATUS_SUCCESS, "a message to the package");
    check(protocol == message.protocol && size == 4 && answer && !memcmp(answer, "dcba", 4), "its answer");
    check(!LsaFreeReturnBuffer(answer), "LsaFreeReturnBuffer takes it");
    check_status(LsaCallAuthenticationPackage(lsa, number, &message, sizeof message, NULL, NULL, NULL), STATUS_SUCCESS,
                 "nobody needs to ask for the answer");
    check_status(LsaCallAuthenticationPackage(lsa, number, &message, 2, &answer, &size, &protocol),
                 STATUS_INVALID_PARAMETER, "the package's status for a message too short");
}

void test_lsa(void)
{
    HANDLE lsa;
    ULONG number = 0, other = 0;
    test_protected_user();
    section("LsaLookupAuthenticationPackage");
    check_status(LsaConnectUntrusted(&lsa), STATUS_SUCCESS, "connected");
    check_status(look_up(lsa, ssp_ap.package, &number), STATUS_SUCCESS, "the SSP/AP has a number");
    check(number > 1 && number == counters_of(&ssp_ap).package_id, "the one that SpInitialize was told");
    check(!look_up(lsa, ssp.package, &other) && other != number, "the SSP has another");
    section("LsaCallAuthenticationPackage");
    test_call(lsa, number);
    check_status(LsaCallAuthenticationPackage(lsa, other, &number, sizeof number, NULL, NULL, NULL),
                 STATUS_NOT_SUPPORTED, "an SSP has no such function");
    DeleteSecurityPackageW((WCHAR *)ssp_ap.package);
    check_status(look_up(lsa, ssp_ap.package, &other), STATUS_NO_SUCH_PACKAGE, "a deleted package's name");
    check_status(LsaCallAuthenticationPackage(lsa, number, &number, sizeof number, NULL, NULL, NULL),
                 STATUS_NO_SUCH_PACKAGE, "and its number");
    AddSecurityPackageW((WCHAR *)ssp_ap.dll, NULL);
    check(!look_up(lsa, ssp_ap.package, &other) && other == number, "added again, it has the number that it had");
    check_status(LsaDeregisterLogonProcess(lsa), STATUS_SUCCESS, "disconnected");
}
