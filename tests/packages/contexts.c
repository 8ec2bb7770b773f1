/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that a program does with a package: credentials, legs, messages, attributes.
 */
#include "cases.h"
#include "packages.h"

#include <string.h>

/* ---- credentials ------------------------------------------------------------------------------------------------- */

static BOOL has_name(CredHandle *credential, const WCHAR *user, const char *ansi_user)
{
    SecPkgCredentials_NamesW names;
    SecPkgCredentials_NamesA ansi;
    if (QueryCredentialsAttributesW(credential, SECPKG_CRED_ATTR_NAMES, &names)) return FALSE;
    const BOOL wide = !wcscmp(names.sUserName, user);
    FreeContextBuffer(names.sUserName);
    if (QueryCredentialsAttributesA(credential, SECPKG_CRED_ATTR_NAMES, &ansi)) return FALSE;
    const BOOL same = wide && !strcmp(ansi.sUserName, ansi_user);
    FreeContextBuffer(ansi.sUserName);
    return same;
}

static void test_credentials(const struct subject *subject)
{
    struct pair pair;
    SecPkgCredentials_NamesW names;
    check_status(acquire_pair(subject, L"Zoe", &pair), SEC_E_OK, "credentials of both sides");
    check(pair.expiries[CLIENT].LowPart == 0x11223344 && pair.expiries[CLIENT].HighPart == 0x01D00000,
          "the package's expiry");
    check(has_name(&pair.credentials[CLIENT], L"Zoe", "Zoe") &&
              has_name(&pair.credentials[SERVER], TOY_NOBODY, "nobody"),
          "the names of the identities that the package was given");
    check_status(QueryCredentialsAttributesW(&pair.credentials[CLIENT], SECPKG_CRED_ATTR_SSI_PROVIDER, &names),
                 SEC_E_UNSUPPORTED_FUNCTION, "an attribute that the package does not know");
    check_status(AddCredentialsW(&pair.credentials[CLIENT], NULL, (WCHAR *)subject->package, SECPKG_CRED_OUTBOUND, NULL,
                                 NULL, NULL, NULL),
                 SEC_E_UNSUPPORTED_FUNCTION, "AddCredentials, which the package has not");
    check(!FreeCredentialsHandle(&pair.credentials[CLIENT]) && !FreeCredentialsHandle(&pair.credentials[SERVER]) &&
              FreeCredentialsHandle(&pair.credentials[CLIENT]) == SEC_E_INVALID_HANDLE && nothing_is_left(subject),
          "freed, and not a second time");
}

/* Also in ANSI, and with a principal. */
static void test_refused_credentials(const struct subject *subject)
{
    CredHandle credential;
    TimeStamp expiry;
    char package[64];
    const LONG before = counters_of(subject).credentials_made;
    WideCharToMultiByte(CP_ACP, 0, subject->package, -1, package, sizeof package, NULL, NULL);
    check_status(AcquireCredentialsHandleA((char *)"refused", package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL,
                                           &credential, &expiry),
                 SEC_E_UNKNOWN_CREDENTIALS, "a principal that the package refuses, with its status");
    check(counters_of(subject).credentials_made == before, "nothing was made");
    check_status(AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_BOTH, NULL, NULL, NULL, NULL, &credential, NULL),
                 SEC_E_OK, "nobody needs to ask for the expiry");
    check(!FreeCredentialsHandle(&credential) && nothing_is_left(subject), "freed");
}

/* ---- legs -------------------------------------------------------------------------------------------------------- */

static SECURITY_STATUS first_leg(struct pair *pair, const WCHAR *target, ULONG room, CtxtHandle *context)
{
    BYTE out[TOY_MAX_TOKEN];
    SecBuffer output = {room, SECBUFFER_TOKEN, out};
    SecBufferDesc to = {SECBUFFER_VERSION, 1, &output};
    return InitializeSecurityContextW(&pair->credentials[CLIENT], NULL, (WCHAR *)target, 0, 0, SECURITY_NATIVE_DREP,
                                      NULL, 0, context, &to, &pair->attributes[CLIENT], &pair->expiries[CLIENT]);
}

/* Each comes back with the package's status and leaves nothing. */
static void test_failing_legs(const struct subject *subject, struct pair *pair)
{
    CtxtHandle context = {1, 2};
    check_status(first_leg(pair, TOY_UNREACHABLE, TOY_MAX_TOKEN, &context), SEC_E_TARGET_UNKNOWN,
                 "a first leg that the package refuses, with its status");
    check(context.dwLower == 1 && context.dwUpper == 2, "no context came of it");
    check_status(first_leg(pair, NULL, 3, &context), SEC_E_BUFFER_TOO_SMALL, "a token that does not fit");
    pair->token_size = TOY_MAX_TOKEN;
    memset(pair->token, 0, sizeof pair->token);
    check_status(pair_leg(pair, SERVER, TRUE), SEC_E_INVALID_TOKEN, "a token that is none");
    check(counters_of(subject).contexts_made == counters_of(subject).contexts_freed, "nothing is left of them");
}

/* While a context is established, its LSA-mode half answers, and no message can be protected. */
static void test_unfinished(const struct subject *subject, struct pair *pair)
{
    CtxtHandle *context = &pair->contexts[CLIENT];
    SecPkgContext_PackageInfoW info;
    SecPkgContext_Sizes sizes;
    struct message message;
    const struct counters before = counters_of(subject);
    check(!QueryContextAttributesW(context, SECPKG_ATTR_PACKAGE_INFO, &info) &&
              !wcscmp(info.PackageInfo->Name, subject->package) && !FreeContextBuffer(info.PackageInfo),
          "PACKAGE_INFO of an unfinished context");
    check_status(QueryContextAttributesW(context, SECPKG_ATTR_SIZES, &sizes), SEC_E_INVALID_HANDLE,
                 "SIZES of an unfinished context: the package's status");
    check(subject->ssp || (counters_of(subject).lsa_queries == before.lsa_queries + 2 &&
                           counters_of(subject).user_queries == before.user_queries),
          "the LSA-mode half was asked");
    make_message(&message, "too early");
    check_status(MakeSignature(context, 0, &message.desc, 0), SEC_E_INVALID_HANDLE,
                 "a message of an unfinished context");
}

static void test_legs(const struct subject *subject, struct pair *pair)
{
    check_status(acquire_pair(subject, L"Zoe", pair), SEC_E_OK, "credentials");
    test_failing_legs(subject, pair);
    check_status(pair_leg(pair, CLIENT, TRUE), SEC_I_CONTINUE_NEEDED, "the client's first leg");
    check(pair->attributes[CLIENT] == TOY_ATTRIBUTES && pair->expiries[CLIENT].LowPart == 0x55667788,
          "the attributes and the expiry that the package gave");
    test_unfinished(subject, pair);
    check_status(pair_leg(pair, SERVER, TRUE), SEC_E_OK, "the server's leg");
    check_status(pair_leg(pair, CLIENT, FALSE), SEC_E_OK, "the client's last leg");
}

/* The client frees its credential as soon as it can: the context is the package's to keep. */
static void test_early_free(const struct subject *subject)
{
    struct pair pair;
    check(!acquire_pair(subject, NULL, &pair) && pair_leg(&pair, CLIENT, TRUE) == SEC_I_CONTINUE_NEEDED &&
              !FreeCredentialsHandle(&pair.credentials[CLIENT]) && pair_leg(&pair, SERVER, TRUE) == SEC_E_OK,
          "a credential is freed after the first leg");
    memset(&pair.credentials[CLIENT], 0, sizeof pair.credentials[CLIENT]);
    check_status(pair_leg(&pair, CLIENT, FALSE), SEC_E_OK, "the other legs do without");
    check(talk(&pair, CLIENT) && !DeleteSecurityContext(&pair.contexts[CLIENT]) &&
              !DeleteSecurityContext(&pair.contexts[SERVER]) && !FreeCredentialsHandle(&pair.credentials[SERVER]) &&
              nothing_is_left(subject),
          "and all of it is freed in the end");
}

/* The package allocates, the program frees. */
static void test_allocated_token(const struct subject *subject)
{
    struct pair pair;
    CtxtHandle context;
    SecBuffer output = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc to = {SECBUFFER_VERSION, 1, &output};
    check(!acquire_pair(subject, NULL, &pair), "credentials");
    check_status(InitializeSecurityContextA(&pair.credentials[CLIENT], NULL, (char *)"toy/server",
                                            ISC_REQ_ALLOCATE_MEMORY, 0, SECURITY_NATIVE_DREP, NULL, 0, &context, &to,
                                            &pair.attributes[CLIENT], &pair.expiries[CLIENT]),
                 SEC_I_CONTINUE_NEEDED, "a token in the package's memory");
    check(output.cbBuffer == TOY_MAX_TOKEN && output.pvBuffer && (pair.attributes[CLIENT] & ISC_RET_ALLOCATED_MEMORY) &&
              !FreeContextBuffer(output.pvBuffer),
          "FreeContextBuffer takes it");
    check(!DeleteSecurityContext(&context) && !FreeCredentialsHandle(&pair.credentials[CLIENT]) &&
              !FreeCredentialsHandle(&pair.credentials[SERVER]) && nothing_is_left(subject),
          "an unfinished context is freed");
}

/* ---- messages ---------------------------------------------------------------------------------------------------- */

static void test_signing(struct pair *pair)
{
    CtxtHandle *client = &pair->contexts[CLIENT], *server = &pair->contexts[SERVER];
    struct message message, kept;
    ULONG qop = 0;
    make_message(&message, "signed");
    check_status(MakeSignature(client, 77, &message.desc, 5), SEC_E_OK, "MakeSignature");
    kept = message;
    message.data[0] ^= 1;
    check_status(VerifySignature(server, &message.desc, 5, &qop), SEC_E_MESSAGE_ALTERED, "an altered message");
    message.data[0] ^= 1;
    check_status(VerifySignature(server, &message.desc, 6, &qop), SEC_E_MESSAGE_ALTERED,
                 "another sequence number than the sender's");
    check_status(VerifySignature(server, &message.desc, 5, &qop), SEC_E_OK, "VerifySignature");
    check(qop == 77 && !memcmp(message.data, kept.data, sizeof kept.data), "the quality of protection went across");
    check_status(VerifySignature(server, &message.desc, 5, &qop), SEC_E_OUT_OF_SEQUENCE, "a replayed message");
    message.buffers[0].cbBuffer = 3;
    check_status(MakeSignature(client, 0, &message.desc, 0), SEC_E_INVALID_TOKEN,
                 "the package's status for a short TOKEN");
}

static void test_sealing(struct pair *pair)
{
    CtxtHandle *client = &pair->contexts[CLIENT], *server = &pair->contexts[SERVER];
    struct message message;
    ULONG qop = 0;
    make_message(&message, "sealed");
    check_status(EncryptMessage(server, 3, &message.desc, 9), SEC_E_OK, "EncryptMessage");
    check(strcmp(message.data, "sealed") != 0, "nobody can read it");
    message.token[4] ^= 1;
    check_status(DecryptMessage(client, &message.desc, 9, &qop), SEC_E_MESSAGE_ALTERED, "an altered signature");
    make_message(&message, "sealed");
    check_status(EncryptMessage(server, 3, &message.desc, 9), SEC_E_OK, "EncryptMessage of the one behind");
    check_status(DecryptMessage(client, &message.desc, 9, &qop), SEC_E_OUT_OF_SEQUENCE, "one too early");
}

/* ---- attributes -------------------------------------------------------------------------------------------------- */

static BOOL has_names(CtxtHandle *context)
{
    SecPkgContext_NamesW names;
    SecPkgContext_NamesA ansi;
    if (QueryContextAttributesW(context, SECPKG_ATTR_NAMES, &names)) return FALSE;
    const BOOL wide = !wcscmp(names.sUserName, L"Zoe");
    FreeContextBuffer(names.sUserName);
    if (QueryContextAttributesA(context, SECPKG_ATTR_NAMES, &ansi)) return FALSE;
    const BOOL same = wide && !strcmp(ansi.sUserName, "Zoe");
    FreeContextBuffer(ansi.sUserName);
    return same;
}

static BOOL has_package(CtxtHandle *context)
{
    SecPkgContext_PackageInfoW info;
    SecPkgContext_PackageInfoA ansi;
    if (QueryContextAttributesW(context, SECPKG_ATTR_PACKAGE_INFO, &info)) return FALSE;
    const BOOL wide = !wcsncmp(info.PackageInfo->Name, L"Countersign Test SSP", 20);
    FreeContextBuffer(info.PackageInfo);
    if (QueryContextAttributesA(context, SECPKG_ATTR_PACKAGE_INFO, &ansi)) return FALSE;
    const BOOL same = wide && !strncmp(ansi.PackageInfo->Name, "Countersign Test SSP", 20);
    FreeContextBuffer(ansi.PackageInfo);
    return same;
}

static void test_attributes(const struct subject *subject, struct pair *pair)
{
    SecPkgContext_Sizes sizes = {0};
    SecPkgContext_Lifespan lifespan;
    const struct counters before = counters_of(subject);
    check(!QueryContextAttributesW(&pair->contexts[SERVER], SECPKG_ATTR_SIZES, &sizes) &&
              sizes.cbMaxToken == TOY_MAX_TOKEN && sizes.cbMaxSignature == TOY_MAX_SIGNATURE && sizes.cbBlockSize == 1,
          "SIZES");
    check(has_names(&pair->contexts[SERVER]), "NAMES: the client's, with the server");
    check(has_package(&pair->contexts[CLIENT]), "PACKAGE_INFO");
    check_status(QueryContextAttributesW(&pair->contexts[CLIENT], SECPKG_ATTR_LIFESPAN, &lifespan),
                 SEC_E_UNSUPPORTED_FUNCTION, "an attribute that the package does not know");
    check(counters_of(subject).lsa_queries == before.lsa_queries &&
              counters_of(subject).user_queries == before.user_queries + 6,
          "the user-mode half was asked, once for each");
}

/* ---- the functions that not every package has -------------------------------------------------------------------- */

static BOOL impersonates(CtxtHandle *context)
{
    HANDLE token = NULL;
    if (ImpersonateSecurityContext(context)) return FALSE;
    const BOOL impersonated = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token);
    CloseHandle(token);
    return impersonated && !RevertSecurityContext(context) &&
           !OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token);
}

static void test_token(const struct subject *subject, CtxtHandle *context)
{
    HANDLE token = NULL;
    const SECURITY_STATUS status = QuerySecurityContextToken(context, &token);
    check_status(status, subject->ssp ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_OK, "QuerySecurityContextToken");
    if (!status) CloseHandle(token);
    if (subject->ssp)
        check_status(ImpersonateSecurityContext(context), SEC_E_UNSUPPORTED_FUNCTION, "ImpersonateSecurityContext");
    else
        for (int round = 0; round < 3; round++)
            check(impersonates(context), "ImpersonateSecurityContext and RevertSecurityContext, again and again");
}

static void test_optional(const struct subject *subject, struct pair *pair)
{
    CtxtHandle *context = &pair->contexts[SERVER];
    const LONG before = counters_of(subject).control_tokens;
    ULONG value = 0;
    struct message message;
    make_message(&message, "");
    check_status(ApplyControlToken(context, &message.desc), subject->ssp ? SEC_E_UNSUPPORTED_FUNCTION : SEC_E_OK,
                 "ApplyControlToken");
    check(subject->ssp || counters_of(subject).control_tokens == before + 1, "it went to the package if that has it");
    check_status(CompleteAuthToken(context, &message.desc), SEC_E_UNSUPPORTED_FUNCTION, "CompleteAuthToken");
    check_status(SetContextAttributesW(context, SECPKG_ATTR_USE_VALIDATED, &value, sizeof value),
                 SEC_E_UNSUPPORTED_FUNCTION, "SetContextAttributes: a table of version 1 ends before it");
    test_token(subject, context);
}

void test_contexts(const struct subject *subject)
{
    struct pair pair;
    section(subject->ssp ? "AcquireCredentialsHandle of an SSP" : "SpAcquireCredentialsHandle");
    test_credentials(subject);
    test_refused_credentials(subject);
    section(subject->ssp ? "InitializeSecurityContext of an SSP" : "SpInitLsaModeContext");
    test_legs(subject, &pair);
    section(subject->ssp ? "MakeSignature of an SSP" : "SpInitUserModeContext, SpMakeSignature");
    test_signing(&pair);
    section(subject->ssp ? "EncryptMessage of an SSP" : "SpSealMessage");
    test_sealing(&pair);
    section(subject->ssp ? "QueryContextAttributes of an SSP" : "SpQueryContextAttributes");
    test_attributes(subject, &pair);
    section(subject->ssp ? "What an SSP may have" : "What an SSP/AP may have");
    test_optional(subject, &pair);
    section(subject->ssp ? "DeleteSecurityContext of an SSP" : "SpDeleteUserModeContext, SpDeleteContext");
    check(free_pair(&pair) && nothing_is_left(subject), "both sides are freed, each half once");
    check(DeleteSecurityContext(&pair.contexts[CLIENT]) == SEC_E_INVALID_HANDLE && nothing_is_left(subject),
          "not a second time, and the package is not asked");
    test_early_free(subject);
    test_allocated_token(subject);
}
