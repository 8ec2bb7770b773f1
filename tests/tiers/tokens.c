/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The identity is the token's: on whatever thread, by whatever function, and in a copy; and where the token's record is
 * gone, nobody's.
 */
#include "parties.h"
#include "rules.h"

#include "../packages/cases.h"

#define _NTDEF_
#include <ntsecapi.h>
#include <stdlib.h>
#include <string.h>

static const WCHAR kerberos[] = L"Kerberos";

/* What a thread of its own finds. */
struct errand {
    HANDLE token; /* NULL: it takes none */
    const WCHAR *user;
    BOOL as_user, without;
};

static DWORD WINAPI run_errand(void *argument)
{
    struct errand *errand = argument;
    WCHAR name[NAME_MAX];
    if (errand->token && !SetThreadToken(NULL, errand->token)) return 1;
    errand->as_user = is_called(errand->user) && reaches_as(kerberos, BACK, errand->user);
    errand->without = !impersonates() && reach(kerberos, BACK, name) == SEC_E_NO_CREDENTIALS;
    return 0; /* with the token on */
}

static void send_on(struct errand *errand)
{
    HANDLE thread = CreateThread(NULL, 0, run_errand, errand, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

static BOOL works_for(HANDLE token, const WCHAR *user)
{
    if (!ImpersonateLoggedOnUser(token)) return FALSE;
    const BOOL works = is_called(user) && reaches_as(kerberos, BACK, user);
    RevertToSelf();
    return works;
}

static BOOL copy_works_for(HANDLE token, TOKEN_TYPE type, const WCHAR *user)
{
    HANDLE copy;
    if (!DuplicateTokenEx(token, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, type, &copy)) return FALSE;
    const BOOL works = works_for(copy, user);
    CloseHandle(copy);
    return works;
}

static void to_other_threads(HANDLE ann, HANDLE bob)
{
    struct errand errands[] = {{.token = ann, .user = L"ann"}, {.token = bob, .user = L"bob"}, {.user = L"ann"}};
    HANDLE threads[2];
    send_on(&errands[0]);
    check(errands[0].as_user, "SetThreadToken on another thread");
    for (int i = 0; i < 2; i++) threads[i] = CreateThread(NULL, 0, run_errand, &errands[i], 0, NULL);
    WaitForMultipleObjects(2, threads, TRUE, INFINITE);
    for (int i = 0; i < 2; i++) CloseHandle(threads[i]);
    check(errands[0].as_user && errands[1].as_user, "two clients on two threads at once");
    SetThreadToken(NULL, ann);
    send_on(&errands[2]);
    check(errands[2].without, "a thread that an impersonating one makes is the process's, whose user has no ticket");
    check(is_called(L"ann"), "the one that made it is ann still");
    RevertToSelf();
}

void travelling(void)
{
    struct visit ann, bob;
    HANDLE tokens[2];
    section("the identity travels with the token");
    check(visit_begin(&ann, kerberos, L"ann", TRUSTED, ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE) &&
              visit_proxied(&bob, L"bob"),
          "ann at trusted, bob at front");
    QuerySecurityContextToken(&ann.contexts[SERVER], &tokens[0]);
    QuerySecurityContextToken(&bob.contexts[SERVER], &tokens[1]);
    to_other_threads(tokens[0], tokens[1]);
    check(works_for(tokens[0], L"ann") && works_for(tokens[1], L"bob"), "ImpersonateLoggedOnUser");
    check(copy_works_for(tokens[0], TokenImpersonation, L"ann"), "a copy by DuplicateTokenEx");
    check(copy_works_for(tokens[0], TokenPrimary, L"ann"), "a primary token by DuplicateTokenEx");
    SetThreadToken(NULL, tokens[1]);
    check_status(ImpersonateSecurityContext(&ann.contexts[SERVER]), SEC_E_OK,
                 "one client's context on the other's thread");
    check(is_called(L"ann") && reaches_as(kerberos, BACK, L"ann"), "is that client");
    visit_forget(&ann);
    check(is_called(L"ann") && reaches_as(kerberos, BACK, L"ann"), "who stays while the thread has the token");
    RevertToSelf();
    check(works_for(tokens[0], L"ann"), "and while somebody has a handle to it");
    CloseHandle(tokens[0]);
    CloseHandle(tokens[1]);
    visit_end(&ann);
    visit_end(&bob);
}

/* Memory that the caller frees, or NULL. */
static void *read_token(HANDLE token, TOKEN_INFORMATION_CLASS class)
{
    DWORD size = 0;
    GetTokenInformation(token, class, NULL, 0, &size);
    void *info = size ? malloc(size) : NULL;
    if (info && GetTokenInformation(token, class, info, size, &size)) return info;
    free(info);
    return NULL;
}

static BOOL is_own_account(HANDLE token)
{
    HANDLE own;
    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &own);
    TOKEN_USER *users[2] = {read_token(token, TokenUser), read_token(own, TokenUser)};
    const BOOL same = users[0] && users[1] && EqualSid(users[0]->User.Sid, users[1]->User.Sid);
    free(users[0]);
    free(users[1]);
    CloseHandle(own);
    return same;
}

static BOOL has_group(HANDLE token, WELL_KNOWN_SID_TYPE type)
{
    TOKEN_GROUPS *groups = read_token(token, TokenGroups);
    BOOL found = FALSE;
    for (DWORD i = 0; groups && i < groups->GroupCount; i++) found |= IsWellKnownSid(groups->Groups[i].Sid, type);
    free(groups);
    return found;
}

/* Wine makes tokens of other accounts from version 10 on; before that it is a copy of the process's. */
static void account_of(HANDLE ann, HANDLE bob, BOOL makes_tokens)
{
    TOKEN_USER *users[2] = {read_token(ann, TokenUser), read_token(bob, TokenUser)};
    check(users[0] && users[1] && EqualSid(users[0]->User.Sid, users[1]->User.Sid) != makes_tokens,
          "TokenUser: each has an account of its own, if Wine can");
    free(users[0]);
    free(users[1]);
    check(is_own_account(ann) != makes_tokens, "TokenUser: not the process's, if Wine can");
    check(has_group(ann, WinWorldSid), "TokenGroups: everyone");
    check(has_group(ann, WinNetworkSid) == makes_tokens, "TokenGroups: logged on by the network, if Wine can");
}

static void statistics_of(HANDLE ann, HANDLE bob)
{
    TOKEN_STATISTICS *statistics[2] = {read_token(ann, TokenStatistics), read_token(bob, TokenStatistics)};
    check(statistics[0] && statistics[0]->TokenType == TokenImpersonation &&
              statistics[0]->ImpersonationLevel == SecurityDelegation,
          "TokenStatistics: for delegation");
    check(statistics[0] && statistics[1] && memcmp(&statistics[0]->TokenId, &statistics[1]->TokenId, sizeof(LUID)) != 0,
          "TokenStatistics: two tokens");
    free(statistics[0]);
    free(statistics[1]);
}

void tokens(void)
{
    const BOOL makes_tokens = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtCreateToken") != NULL;
    struct visit ann, bob;
    HANDLE tokens[2];
    section(makes_tokens ? "what a token says, made for the client" : "what a token says, copied from the process's");
    visit_begin(&ann, kerberos, L"ann", TRUSTED, ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE);
    visit_begin(&bob, kerberos, L"bob", FRONT, ISC_REQ_MUTUAL_AUTH);
    QuerySecurityContextToken(&ann.contexts[SERVER], &tokens[0]);
    QuerySecurityContextToken(&bob.contexts[SERVER], &tokens[1]);
    account_of(tokens[0], tokens[1], makes_tokens);
    statistics_of(tokens[0], tokens[1]);
    CloseHandle(tokens[0]);
    CloseHandle(tokens[1]);
    visit_end(&ann);
    visit_end(&bob);
}

static void expect_nobody(HANDLE token, const char *what)
{
    WCHAR name[NAME_MAX];
    ULONG size = NAME_MAX;
    ImpersonateLoggedOnUser(token);
    check(!GetUserNameExW(NameSamCompatible, name, &size) && GetLastError() == ERROR_NO_SUCH_LOGON_SESSION, what);
    check_status(reach(kerberos, BACK, name), SEC_E_NO_CREDENTIALS, "Kerberos: nobody's credentials");
    check_status(reach(L"NTLM", BACK, name), SEC_E_NO_CREDENTIALS, "NTLM: not the process's own");
    check_status(reach(L"Negotiate", BACK, name), SEC_E_NO_CREDENTIALS, "Negotiate: nor these");
    RevertToSelf();
}

/* A copy whose original and whose context are gone; what is told of the record, nobody can find again. */
static void orphans(void)
{
    struct visit visit;
    HANDLE token, copy;
    visit_begin(&visit, kerberos, L"ann", TRUSTED, ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE);
    QuerySecurityContextToken(&visit.contexts[SERVER], &token);
    DuplicateTokenEx(token, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenImpersonation, &copy);
    CloseHandle(token);
    check(works_for(copy, L"ann"), "a copy, while the context is there");
    visit_forget(&visit);
    expect_nobody(copy, "a copy alone, whose context is gone");
    CloseHandle(copy);
    visit_end(&visit);
}

/* The marked entry is what a program finds in a new object's DACL: another's identifier in it finds nobody. */
static void forged(void)
{
    struct visit visit;
    HANDLE token, copy;
    DWORD room[256], size;
    TOKEN_DEFAULT_DACL *info = (TOKEN_DEFAULT_DACL *)room;
    ACCESS_ALLOWED_ACE *ace = NULL;
    visit_begin(&visit, kerberos, L"ann", TRUSTED, ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE);
    QuerySecurityContextToken(&visit.contexts[SERVER], &token);
    DuplicateTokenEx(token, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenImpersonation, &copy);
    GetTokenInformation(copy, TokenDefaultDacl, info, sizeof room, &size);
    check(info->DefaultDacl && GetAce(info->DefaultDacl, info->DefaultDacl->AceCount - 1u, (void **)&ace) &&
              ace->Mask == 0,
          "the last entry of the default DACL grants nothing");
    *GetSidSubAuthority(&ace->SidStart, 3) ^= 1;
    SetTokenInformation(copy, TokenDefaultDacl, info, sizeof *info);
    expect_nobody(copy, "a token with an edited identifier");
    check(works_for(token, L"ann"), "the original is ann's still");
    CloseHandle(copy);
    CloseHandle(token);
    visit_end(&visit);
}

static void lent(void)
{
    struct visit visit;
    SecPkgContext_AccessToken first = {NULL}, second = {NULL};
    section("SECPKG_ATTR_ACCESS_TOKEN");
    visit_begin(&visit, kerberos, L"ann", TRUSTED, ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE);
    check_status(QueryContextAttributesW(&visit.contexts[CLIENT], SECPKG_ATTR_ACCESS_TOKEN, &first),
                 SEC_E_NO_IMPERSONATION, "a client has none");
    check_status(QueryContextAttributesW(&visit.contexts[SERVER], SECPKG_ATTR_ACCESS_TOKEN, &first), SEC_E_OK,
                 "a server's");
    check(works_for(first.AccessToken, L"ann"), "is its client's");
    QueryContextAttributesW(&visit.contexts[SERVER], SECPKG_ATTR_ACCESS_TOKEN, &second);
    check(first.AccessToken == second.AccessToken, "the context's own, each time");
    check(!CloseHandle(first.AccessToken), "which a program does not close");
    check_status(ImpersonateSecurityContext(&visit.contexts[SERVER]), SEC_E_OK, "so that it is there still");
    check(is_called(L"ann"), "and ann's");
    RevertToSelf();
    visit_end(&visit);
}

static void imported(SecBuffer *packed, HANDLE token, const char *what)
{
    CtxtHandle context;
    HANDLE copy = NULL;
    check_status(ImportSecurityContextW((WCHAR *)kerberos, packed, token, &context), SEC_E_OK, what);
    check_status(ImpersonateSecurityContext(&context), SEC_E_OK, "ImpersonateSecurityContext of the imported one");
    check(is_called(L"ann") && reaches_as(kerberos, BACK, L"ann"), "is ann");
    RevertSecurityContext(&context);
    check_status(QuerySecurityContextToken(&context, &copy), SEC_E_OK, "QuerySecurityContextToken of the imported one");
    check(works_for(copy, L"ann"), "is ann's");
    CloseHandle(copy);
    DeleteSecurityContext(&context);
}

static void handed_over(void)
{
    struct visit visit;
    SecBuffer packed = {0}, other = {0};
    HANDLE token = NULL, none = &visit;
    section("a context that is exported");
    visit_begin(&visit, kerberos, L"ann", TRUSTED, ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE);
    check_status(ExportSecurityContext(&visit.contexts[CLIENT], 0, &other, &none), SEC_E_OK, "a client's");
    check(!none, "has no token");
    FreeContextBuffer(other.pvBuffer);
    check_status(ExportSecurityContext(&visit.contexts[SERVER], SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, &token),
                 SEC_E_OK, "a server's");
    check(works_for(token, L"ann"), "comes with its client's token");
    check_status(ImpersonateSecurityContext(&visit.contexts[SERVER]), SEC_E_INVALID_HANDLE, "what is left is nobody's");
    visit_forget(&visit);
    imported(&packed, NULL, "without the token");
    imported(&packed, token, "with the token");
    CloseHandle(token);
    imported(&packed, NULL, "again, when nothing of it is left here");
    FreeContextBuffer(packed.pvBuffer);
    visit_end(&visit);
}

/* A process that is made with the token, this program with another task, has no record of it. */
static void another_process(void)
{
    struct visit visit;
    HANDLE token, primary;
    WCHAR program[MAX_PATH], command[MAX_PATH + 16];
    STARTUPINFOW start = {.cb = sizeof start};
    PROCESS_INFORMATION process;
    DWORD code = 99;
    section("a process with a client's token");
    visit_begin(&visit, kerberos, L"ann", TRUSTED, ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE);
    QuerySecurityContextToken(&visit.contexts[SERVER], &token);
    DuplicateTokenEx(token, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation, TokenPrimary, &primary);
    GetModuleFileNameW(NULL, program, MAX_PATH);
    wsprintfW(command, L"\"%s\" nobody", program);
    check(CreateProcessAsUserW(primary, program, command, NULL, NULL, FALSE, 0, NULL, NULL, &start, &process),
          "CreateProcessAsUser");
    WaitForSingleObject(process.hProcess, 60000);
    GetExitCodeProcess(process.hProcess, &code);
    check(code == 0, "neither ann's credentials nor those of this process's user");
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    CloseHandle(primary);
    CloseHandle(token);
    visit_end(&visit);
}

int be_nobody(void)
{
    WCHAR name[NAME_MAX];
    if (!back_open()) return 1;
    if (reach(kerberos, BACK, name) != SEC_E_NO_CREDENTIALS) return 2;
    return reach(L"NTLM", BACK, name) == SEC_E_NO_CREDENTIALS ? 0 : 3;
}

static NTSTATUS list_tickets(void)
{
    KERB_QUERY_TKT_CACHE_REQUEST request = {.MessageType = KerbQueryTicketCacheMessage};
    LSA_STRING package = {8, 9, (char *)"Kerberos"};
    NTSTATUS status, protocol = 0;
    void *answer = NULL;
    ULONG number, size;
    HANDLE lsa;
    if ((status = LsaConnectUntrusted(&lsa))) return status;
    status = LsaLookupAuthenticationPackage(lsa, &package, &number);
    if (!status)
        status = LsaCallAuthenticationPackage(lsa, number, &request, sizeof request, &answer, &size, &protocol);
    if (answer) LsaFreeReturnBuffer(answer);
    LsaDeregisterLogonProcess(lsa);
    return status ? status : protocol;
}

/* The user's own tickets are not the client's to see: with the session keys of some, it would be him. */
static void the_users_cache(void)
{
    struct visit visit;
    const NTSTATUS no_such_logon_session = (NTSTATUS)0xC000005F;
    section("the user's ticket cache, through the LSA");
    visit_begin(&visit, kerberos, L"ann", TRUSTED, ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE);
    check(list_tickets() != no_such_logon_session, "the process asks for its user's");
    ImpersonateSecurityContext(&visit.contexts[SERVER]);
    check_status(list_tickets(), no_such_logon_session, "in a client's name that is another's");
    RevertToSelf();
    visit_end(&visit);
}

void leaving(void)
{
    section("a token whose record is gone");
    orphans();
    forged();
    lent();
    handed_over();
    another_process();
    the_users_cache();
}
