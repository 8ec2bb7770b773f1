/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A server's thread that acts as its client, and access tokens: from which contexts there are any, and of what kind.
 */
#include "groups.h"
#include "kerberos_realm.h"
#include "status.h"

#include <string.h>

#define IMPERSONATES "errors ImpersonateSecurityContext SEC_E_OK (documented)"
#define NO_IMPERSONATION "errors ImpersonateSecurityContext SEC_E_NO_IMPERSONATION (documented)"
#define NO_HANDLE "errors ImpersonateSecurityContext SEC_E_INVALID_HANDLE (documented)"
#define REVERTS "errors RevertSecurityContext SEC_E_OK (documented)"
#define TOKENS "errors QuerySecurityContextToken SEC_E_OK (documented)"
#define NO_TOKEN "errors QuerySecurityContextToken SEC_E_INVALID_HANDLE (documented)"

/*
 * The pages have both and do not say which of them a context gets that has no client to act as. Wine's own reads
 * contexts that it has freed: what it answers for those is not known.
 */
#define REFUSED "SEC_E_NO_IMPERSONATION or SEC_E_INVALID_HANDLE"

/* What is observed of each package, whose name is the first part of the case's; ATTRIBUTE: the row's. */
#define PACKAGE_CASES(group, attribute)                                                                                \
    {group ".unfinished", NO_IMPERSONATION, REFUSED, NULL, WINE_DIFFERS},                                              \
        {group ".unfinished.token", NO_TOKEN, REFUSED, NULL, WINE_DIFFERS},                                            \
        {group ".client", NO_IMPERSONATION, REFUSED, NULL, WINE_DIFFERS},                                              \
        {group ".client.token", NO_TOKEN, REFUSED, NULL, WINE_DIFFERS},                                                \
        {group ".impersonate", IMPERSONATES, "SEC_E_OK", NULL, WINE_DIFFERS},                                          \
        {group ".thread", IMPERSONATES, "impersonation, level 2", NULL, WINE_DIFFERS},                                 \
        {group ".thread.name", IMPERSONATES, "the client's", NULL, WINE_DIFFERS},                                      \
        {group ".again", IMPERSONATES, "SEC_E_OK", NULL, WINE_DIFFERS},                                                \
        {group ".revert", REVERTS, "SEC_E_OK", NULL, WINE_DIFFERS},                                                    \
        {group ".reverted", REVERTS, "no token", NULL, WINE_DIFFERS},                                                  \
        {group ".token", TOKENS, "SEC_E_OK", NULL, WINE_DIFFERS},                                                      \
        {group ".token.kind", TOKENS, "impersonation, level 2", NULL, WINE_DIFFERS},                                   \
        {group ".token.another", TOKENS, "another handle", NULL, WINE_DIFFERS},                                        \
        {group ".token.close", TOKENS, "TRUE", NULL, WINE_DIFFERS},                                                    \
        {group ".access-token", "attributes ACCESS_TOKEN " attribute " (documented)",                                  \
         "SEC_E_OK, impersonation, level 2", NULL, WINE_DIFFERS},                                                      \
        {group ".identify", "errors ImpersonateSecurityContext (ISC_REQ_IDENTIFY)", "SEC_E_OK", NULL, WINE_DIFFERS},   \
        {group ".identify.thread", "errors ImpersonateSecurityContext (ISC_REQ_IDENTIFY)", "impersonation, level 1",   \
         NULL, WINE_DIFFERS},                                                                                          \
        {group ".deleted", NO_HANDLE, "SEC_E_INVALID_HANDLE", NULL, WINE_SAME},                                        \
    {                                                                                                                  \
        group ".deleted.token", NO_TOKEN, "SEC_E_INVALID_HANDLE", NULL, WINE_SAME                                      \
    }

static const struct conformance_case cases[] = {
    PACKAGE_CASES("impersonation/ntlm", "NTLM"),
    PACKAGE_CASES("impersonation/negotiate", "Negotiate"),
};

static const struct conformance_case kerberos_cases[] = {
    PACKAGE_CASES("kerberos-impersonation/kerberos", "Kerberos"),
    PACKAGE_CASES("kerberos-impersonation/negotiate", "Negotiate"),
};

/* One group's cases of one package. */
struct subject {
    struct conformance_run *run;
    const char *prefix;
};

static const char *case_of(const struct subject *subject, const char *what, char *id)
{
    snprintf(id, OBSERVED_MAX, "%s.%s", subject->prefix, what);
    return id;
}

static void observe_of(const struct subject *subject, const char *what, SECURITY_STATUS status)
{
    char id[OBSERVED_MAX];

    observe_status(subject->run, case_of(subject, what, id), status);
}

static void observe_text(const struct subject *subject, const char *what, const char *text)
{
    char id[OBSERVED_MAX];

    observe(subject->run, case_of(subject, what, id), "%s", text);
}

/* TOKEN's type and level, into TEXT of OBSERVED_MAX bytes; returned. */
static const char *kind_of(HANDLE token, char *text)
{
    SECURITY_IMPERSONATION_LEVEL level;
    TOKEN_TYPE type;
    DWORD size;

    if (!GetTokenInformation(token, TokenType, &type, sizeof(type), &size)) return error_name(GetLastError(), text);
    if (type != TokenImpersonation) return "primary";
    if (!GetTokenInformation(token, TokenImpersonationLevel, &level, sizeof(level), &size)) return "no level";
    snprintf(text, OBSERVED_MAX, "impersonation, level %d", level);
    return text;
}

/* The same of the token that this thread has. */
static const char *thread_kind(char *text)
{
    HANDLE token;
    const char *kind;

    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) return "no token";
    kind = kind_of(token, text);
    CloseHandle(token);
    return kind;
}

/* Who this thread acts as, set against what the context says of its client. */
static const char *thread_name(CtxtHandle *server, char *text)
{
    SecPkgContext_NamesA names = {NULL};
    ULONG size = OBSERVED_MAX;
    bool same;

    if (!GetUserNameExA(NameSamCompatible, text, &size)) return "none";
    same = !QueryContextAttributesA(server, SECPKG_ATTR_NAMES, &names) && names.sUserName &&
           !_stricmp(names.sUserName, text);
    FreeContextBuffer(names.sUserName);
    return same ? "the client's" : text;
}

static void act_as_client(const struct subject *subject, CtxtHandle *server)
{
    char text[OBSERVED_MAX];
    SECURITY_STATUS status = ImpersonateSecurityContext(server);

    observe_of(subject, "impersonate", status);
    if (status) return;
    observe_text(subject, "thread", thread_kind(text));
    observe_text(subject, "thread.name", thread_name(server, text));
    observe_of(subject, "again", ImpersonateSecurityContext(server));
    observe_of(subject, "revert", RevertSecurityContext(server));
    observe_text(subject, "reverted", thread_kind(text));
    RevertToSelf();
}

static void query_tokens(const struct subject *subject, CtxtHandle *server)
{
    char text[OBSERVED_MAX], id[OBSERVED_MAX];
    HANDLE token, another;
    SECURITY_STATUS status = QuerySecurityContextToken(server, &token);

    observe_of(subject, "token", status);
    if (status) return;
    observe_text(subject, "token.kind", kind_of(token, text));
    if (!QuerySecurityContextToken(server, &another)) {
        observe_text(subject, "token.another", another == token ? "the same handle" : "another handle");
        if (another != token) CloseHandle(another);
    }
    SetLastError(0);
    observe_result(subject->run, case_of(subject, "token.close", id), CloseHandle(token), GetLastError());
}

/* Whose handle that is the page does not say, so that it is left open. */
static void access_token(const struct subject *subject, CtxtHandle *server)
{
    SecPkgContext_AccessToken token = {NULL};
    SECURITY_STATUS status = QueryContextAttributesA(server, SECPKG_ATTR_ACCESS_TOKEN, &token);
    char text[OBSERVED_MAX], both[OBSERVED_MAX];

    if (status) {
        observe_of(subject, "access-token", status);
        return;
    }
    snprintf(both, sizeof(both), "SEC_E_OK, %.200s", kind_of(token.AccessToken, text));
    observe_text(subject, "access-token", both);
}

/* As WHAT, and WHAT.token. */
static void observe_refusals(const struct subject *subject, const char *what, CtxtHandle *context)
{
    char token_case[OBSERVED_MAX];
    HANDLE token = NULL;
    SECURITY_STATUS status = ImpersonateSecurityContext(context);

    if (!status) RevertSecurityContext(context);
    observe_of(subject, what, status);
    snprintf(token_case, sizeof(token_case), "%s.token", what);
    status = QuerySecurityContextToken(context, &token);
    if (!status) CloseHandle(token);
    observe_of(subject, token_case, status);
}

static void run_pair(const struct subject *subject, const struct spnego_request *request)
{
    char text[SPNEGO_OUTCOME_MAX];
    struct spnego_pair pair;

    if (spnego_pair_run(&pair, request)) {
        CtxtHandle deleted = pair.server.context;

        observe_refusals(subject, "client", &pair.client.context);
        act_as_client(subject, &pair.server.context);
        query_tokens(subject, &pair.server.context);
        access_token(subject, &pair.server.context);
        spnego_pair_close(&pair);
        observe_refusals(subject, "deleted", &deleted);
        return;
    }
    not_reached(subject->run, "%s", spnego_outcome(&pair, text));
    spnego_pair_close(&pair);
}

/* A client that allows nobody to act in its name. */
static void run_identify(const struct subject *subject, struct spnego_request request)
{
    char text[OBSERVED_MAX];
    struct spnego_pair pair;

    request.client_flags |= ISC_REQ_IDENTIFY;
    if (spnego_pair_run(&pair, &request)) {
        SECURITY_STATUS status = ImpersonateSecurityContext(&pair.server.context);

        observe_of(subject, "identify", status);
        if (!status) observe_text(subject, "identify.thread", thread_kind(text));
        if (!status) RevertSecurityContext(&pair.server.context);
    }
    spnego_pair_close(&pair);
}

/* A server's context after its first leg, where there is another to come. */
static void run_unfinished(const struct subject *subject, const struct spnego_request *request)
{
    struct spnego_pair pair;

    if (spnego_pair_open(&pair, request) && spnego_client_leg(&pair, request)) {
        spnego_server_leg(&pair, request);
        if (spnego_last_leg(&pair.server)->status == SEC_I_CONTINUE_NEEDED)
            observe_refusals(subject, "unfinished", &pair.server.context);
    }
    spnego_pair_close(&pair);
}

static void run_package(struct conformance_run *run, const char *prefix, const struct spnego_request *request,
                        const struct spnego_request *longer)
{
    const struct subject subject = {run, prefix};

    run_unfinished(&subject, longer);
    run_identify(&subject, *request);
    run_pair(&subject, request);
}

static void run_impersonation(struct conformance_run *run)
{
    const struct spnego_request ntlm = {.package = "NTLM", .client_flags = ISC_REQ_INTEGRITY};
    const struct spnego_request negotiate = {.packages = SPNEGO_NO_KERBEROS, .client_flags = ISC_REQ_INTEGRITY};

    run_package(run, "impersonation/ntlm", &ntlm, &ntlm);
    run_package(run, "impersonation/negotiate", &negotiate, &negotiate);
}

/* Kerberos's server is done with its first leg but in DCE style. */
static void run_kerberos_impersonation(struct conformance_run *run)
{
    struct kerberos_realm realm;
    struct spnego_request request, longer;

    if (!kerberos_realm_find(run, &realm)) return;
    request = kerberos_request(&realm, ISC_REQ_MUTUAL_AUTH);
    longer = kerberos_request(&realm, ISC_REQ_MUTUAL_AUTH | ISC_REQ_USE_DCE_STYLE);
    run_package(run, "kerberos-impersonation/kerberos", &request, &longer);
    request.package = longer.package = NULL;
    run_package(run, "kerberos-impersonation/negotiate", &request, &longer);
}

const struct conformance_group impersonation_group = {
    .name = "impersonation", .cases = cases, .case_count = COUNT_OF(cases), .run = run_impersonation};

const struct conformance_group kerberos_impersonation_group = {.name = "kerberos-impersonation",
                                                               .cases = kerberos_cases,
                                                               .case_count = COUNT_OF(kerberos_cases),
                                                               .run = run_kerberos_impersonation};
