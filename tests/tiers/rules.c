/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ImpersonateSecurityContext and QuerySecurityContextToken: whom they make of a thread, what it may then do, and what
 * it never gets (errors.tsv ImpersonateSecurityContext, RevertSecurityContext, QuerySecurityContextToken;
 * attributes.tsv ACCESS_TOKEN).
 *
 * Bug classes: E3 (an empty delegated credential), E5 (a delegated credential is nobody else's).
 */
#include "parties.h"
#include "rules.h"

#include "../packages/cases.h"

#include <string.h>

static const WCHAR kerberos[] = L"Kerberos", negotiate[] = L"Negotiate", ntlm[] = L"NTLM";

static void client_side(const struct visit *visit)
{
    CtxtHandle context = visit->contexts[CLIENT];
    HANDLE token;
    check_status(ImpersonateSecurityContext(&context), SEC_E_NO_IMPERSONATION, "a client impersonates nobody");
    check_status(QuerySecurityContextToken(&context, &token), SEC_E_NO_IMPERSONATION, "and has no token of anybody");
    check(!impersonates(), "the thread is who it was");
}

static void unfinished(const WCHAR *package)
{
    CredHandle credential;
    CtxtHandle context;
    BYTE bytes[16384];
    SecBuffer made = {sizeof bytes, SECBUFFER_TOKEN, bytes};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &made};
    TimeStamp expiry;
    HANDLE token;
    ULONG flags;
    acquire(package, SECPKG_CRED_OUTBOUND, L"ann", &credential);
    check_status(InitializeSecurityContextW(&credential, NULL, (WCHAR *)FRONT, ISC_REQ_MUTUAL_AUTH, 0,
                                            SECURITY_NATIVE_DREP, NULL, 0, &context, &output, &flags, &expiry),
                 SEC_I_CONTINUE_NEEDED, "a context that is begun");
    check_status(ImpersonateSecurityContext(&context), SEC_E_INVALID_HANDLE, "is nobody's yet");
    check_status(QuerySecurityContextToken(&context, &token), SEC_E_INVALID_HANDLE, "and has no token");
    DeleteSecurityContext(&context);
    check_status(ImpersonateSecurityContext(&context), SEC_E_INVALID_HANDLE, "nor has one that is deleted");
    check_status(RevertSecurityContext(&context), SEC_E_INVALID_HANDLE, "by which nobody reverts either");
    FreeCredentialsHandle(&credential);
}

static SECURITY_IMPERSONATION_LEVEL level_of(HANDLE token)
{
    SECURITY_IMPERSONATION_LEVEL level = SecurityAnonymous;
    DWORD size;
    GetTokenInformation(token, TokenImpersonationLevel, &level, sizeof level, &size);
    return level;
}

static TOKEN_TYPE type_of(HANDLE token)
{
    TOKEN_TYPE type = TokenPrimary;
    DWORD size;
    GetTokenInformation(token, TokenType, &type, sizeof type, &size);
    return type;
}

static void whoever_forwards(void)
{
    struct visit visit;
    HANDLE token;
    section("a client that forwards its ticket");
    check(visit_begin(&visit, kerberos, L"ann", TRUSTED, ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE),
          "ann comes to trusted");
    client_side(&visit);
    check_status(RevertSecurityContext(&visit.contexts[SERVER]), SEC_E_OK, "reverting without having impersonated");
    check_status(ImpersonateSecurityContext(&visit.contexts[SERVER]), SEC_E_OK, "ImpersonateSecurityContext");
    check(impersonates(), "the thread has a token");
    check(is_called(L"ann"), "GetUserNameEx: ann");
    check(reaches_as(kerberos, BACK, L"ann"), "Kerberos to back: ann");
    check(reaches_as(negotiate, BACK, L"ann"), "Negotiate to back: ann");
    check(reaches_as(kerberos, ELSEWHERE, L"ann"), "and to anywhere that she could go herself");
    check_status(ImpersonateSecurityContext(&visit.contexts[SERVER]), SEC_E_OK, "once more, without reverting");
    check_status(RevertSecurityContext(&visit.contexts[SERVER]), SEC_E_OK, "RevertSecurityContext");
    check(!impersonates() && !is_called(L"ann"), "once is enough");
    check_status(QuerySecurityContextToken(&visit.contexts[SERVER], &token), SEC_E_OK, "QuerySecurityContextToken");
    check(type_of(token) == TokenImpersonation && level_of(token) == SecurityDelegation, "for delegation");
    CloseHandle(token);
    visit_end(&visit);
}

static void whoever_shows_a_ticket(void)
{
    struct visit visit;
    WCHAR name[NAME_MAX];
    HANDLE token;
    section("a client that forwards nothing: constrained delegation");
    check(visit_proxied(&visit, L"bob"), "bob comes to front, which goes on");
    check_status(QuerySecurityContextToken(&visit.contexts[SERVER], &token), SEC_E_OK, "QuerySecurityContextToken");
    check(type_of(token) == TokenImpersonation && level_of(token) == SecurityImpersonation, "for impersonation");
    CloseHandle(token);
    ImpersonateSecurityContext(&visit.contexts[SERVER]);
    check(is_called(L"bob"), "GetUserNameEx: bob");
    check(reaches_as(kerberos, BACK, L"bob"), "Kerberos to back: bob, as the KDC allows");
    check(reaches_as(negotiate, BACK, L"bob"), "Negotiate to back: bob");
    check_status(reach(kerberos, ELSEWHERE, name), SEC_E_NO_CREDENTIALS, "elsewhere the KDC does not let front go");
    check_status(reach(negotiate, ELSEWHERE, name), SEC_E_NO_CREDENTIALS, "nor by Negotiate, which has nothing else");
    check_status(reach(ntlm, BACK, name), SEC_E_NO_CREDENTIALS, "NTLM is not the server's own");
    RevertSecurityContext(&visit.contexts[SERVER]);
    visit_end(&visit);

    section("a client of a service that may not go on");
    check(visit_begin(&visit, kerberos, L"bob", ELSEWHERE, ISC_REQ_MUTUAL_AUTH), "bob comes to elsewhere");
    ImpersonateSecurityContext(&visit.contexts[SERVER]);
    check(is_called(L"bob"), "GetUserNameEx: bob");
    check_status(reach(kerberos, BACK, name), SEC_E_NO_CREDENTIALS, "nowhere further");
    RevertSecurityContext(&visit.contexts[SERVER]);
    visit_end(&visit);
}

static void whoever_lets_itself_be_identified(void)
{
    struct visit visit;
    WCHAR name[NAME_MAX];
    HANDLE token;
    section("ISC_REQ_IDENTIFY");
    check(visit_begin(&visit, kerberos, L"ann", FRONT, ISC_REQ_MUTUAL_AUTH | ISC_REQ_IDENTIFY), "ann shows who she is");
    check_status(QuerySecurityContextToken(&visit.contexts[SERVER], &token), SEC_E_OK, "QuerySecurityContextToken");
    check(level_of(token) == SecurityIdentification, "for identification");
    CloseHandle(token);
    check_status(ImpersonateSecurityContext(&visit.contexts[SERVER]), SEC_E_OK, "ImpersonateSecurityContext");
    check(is_called(L"ann"), "GetUserNameEx: ann");
    check_status(reach(kerberos, BACK, name), SEC_E_NO_CREDENTIALS, "nobody goes on for her");
    check_status(reach(negotiate, BACK, name), SEC_E_NO_CREDENTIALS, "nor by Negotiate");
    RevertSecurityContext(&visit.contexts[SERVER]);
    visit_end(&visit);
}

/* The loopback logon: client and server are this process's user, whose the server's credentials are. */
static void whoever_comes_by_ntlm(void)
{
    struct visit visit;
    WCHAR name[NAME_MAX], own[NAME_MAX], acted[NAME_MAX];
    ULONG own_size = NAME_MAX, acted_size = NAME_MAX;
    section("a client by NTLM");
    check(visit_begin(&visit, ntlm, NULL, L"front/localhost", ISC_REQ_INTEGRITY),
          "this user comes by the loopback logon");
    client_side(&visit);
    GetUserNameExW(NameSamCompatible, own, &own_size);
    check_status(ImpersonateSecurityContext(&visit.contexts[SERVER]), SEC_E_OK, "ImpersonateSecurityContext");
    check(GetUserNameExW(NameSamCompatible, acted, &acted_size) && !wcsicmp(own, acted), "GetUserNameEx: this user");
    check_status(reach(ntlm, BACK, name), SEC_E_NO_CREDENTIALS, "NTLM goes no further");
    check_status(reach(negotiate, BACK, name), SEC_E_NO_CREDENTIALS, "nor does Negotiate");
    check_status(reach(kerberos, BACK, name), SEC_E_NO_CREDENTIALS, "nor Kerberos, with the server's own tickets");
    RevertSecurityContext(&visit.contexts[SERVER]);
    check(reach(ntlm, BACK, name) != SEC_E_NO_CREDENTIALS, "which the server, by itself, does");
    visit_end(&visit);
}

/* In a client's name nobody is a server: the keys are the process's. */
static void no_server(void)
{
    struct visit visit;
    CredHandle credentials[2];
    CtxtHandle contexts[2];
    section("a server in a client's name");
    visit_begin(&visit, kerberos, L"ann", FRONT, ISC_REQ_MUTUAL_AUTH);
    ImpersonateSecurityContext(&visit.contexts[SERVER]);
    check_status(acquire(kerberos, SECPKG_CRED_INBOUND, NULL, &credentials[SERVER]), SEC_E_OK, "acquired");
    RevertSecurityContext(&visit.contexts[SERVER]);
    acquire(kerberos, SECPKG_CRED_OUTBOUND, L"ann", &credentials[CLIENT]);
    check_status(establish(credentials, FRONT, ISC_REQ_MUTUAL_AUTH, contexts), SEC_E_NO_CREDENTIALS,
                 "accepts nobody with the process's keys");
    FreeCredentialsHandle(&credentials[CLIENT]);
    FreeCredentialsHandle(&credentials[SERVER]);
    visit_end(&visit);
}

/* An identity that is given is the program's business, also in a client's name. */
static void explicit_identity(void)
{
    struct visit visit, other;
    section("an explicit identity in a client's name");
    visit_begin(&visit, kerberos, L"ann", FRONT, ISC_REQ_MUTUAL_AUTH | ISC_REQ_IDENTIFY);
    ImpersonateSecurityContext(&visit.contexts[SERVER]);
    CredHandle credential;
    check_status(acquire(kerberos, SECPKG_CRED_OUTBOUND, L"bob", &credential), SEC_E_OK, "acquired");
    RevertSecurityContext(&visit.contexts[SERVER]);
    other.credentials[CLIENT] = credential;
    acquire(kerberos, SECPKG_CRED_INBOUND, NULL, &other.credentials[SERVER]);
    check_status(establish(other.credentials, BACK, ISC_REQ_MUTUAL_AUTH, other.contexts), SEC_E_OK, "is who it says");
    visit_end(&other);
    visit_end(&visit);
}

/* A ticket that ends takes what was done with it along. */
static void expiry(void)
{
    struct visit visit;
    WCHAR name[NAME_MAX];
    section("a ticket that ends in between");
    check(visit_proxied(&visit, L"short"), "short comes to front for 3 seconds, which goes on");
    ImpersonateSecurityContext(&visit.contexts[SERVER]);
    Sleep(4500);
    check_status(reach(kerberos, BACK, name), SEC_E_NO_CREDENTIALS, "but no longer than that");
    RevertSecurityContext(&visit.contexts[SERVER]);
    visit_end(&visit);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "nobody")) return be_nobody();
    check(back_open(), "the back");
    section("contexts that are nobody's");
    unfinished(kerberos);
    unfinished(negotiate);
    whoever_forwards();
    whoever_shows_a_ticket();
    whoever_lets_itself_be_identified();
    whoever_comes_by_ntlm();
    no_server();
    explicit_identity();
    tokens();
    travelling();
    leaving();
    expiry();
    back_close();
    return finish_cases();
}
