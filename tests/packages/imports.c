/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contexts that are exported and imported.
 */
#include "cases.h"
#include "packages.h"

/* An import takes what was exported and makes a context that its package's user-mode half alone knows. */
static void test_round_trip(const struct subject *subject, struct pair *pair)
{
    SecBuffer packed = {0, 0, NULL};
    CtxtHandle twin;
    struct pair other = *pair;
    char package[64];
    void *token = (void *)1;
    WideCharToMultiByte(CP_ACP, 0, subject->package, -1, package, sizeof package, NULL, NULL);
    check_status(ExportSecurityContext(&pair->contexts[SERVER], 0, &packed, &token), SEC_E_OK, "ExportSecurityContext");
    check(packed.cbBuffer == sizeof(struct toy) && packed.pvBuffer && !token, "the package's bytes");
    check_status(ImportSecurityContextW((WCHAR *)subject->package, &packed, NULL, &twin), SEC_E_OK,
                 "ImportSecurityContextW");
    other.contexts[SERVER] = twin;
    check(talk(&other, CLIENT), "the imported context takes a message");
    check(!DeleteSecurityContext(&twin) && DeleteSecurityContext(&twin) == SEC_E_INVALID_HANDLE, "it is freed once");
    check_status(ImportSecurityContextA(package, &packed, NULL, &other.contexts[SERVER]), SEC_E_OK,
                 "ImportSecurityContextA");
    check(!FreeContextBuffer(packed.pvBuffer), "FreeContextBuffer takes what was exported");
    check(!DeleteSecurityContext(&other.contexts[SERVER]), "that is freed too");
}

/* What only the LSA-mode half could do must not reach it with a handle that it does not know. */
static void test_halves(const struct subject *subject, CtxtHandle *imported)
{
    struct message message;
    ULONG attributes;
    TimeStamp expiry;
    make_message(&message, "");
    check(ApplyControlToken(imported, &message.desc) < 0, "ApplyControlToken with an imported context");
    check(InitializeSecurityContextW(NULL, imported, NULL, 0, 0, SECURITY_NATIVE_DREP, &message.desc, 0, imported,
                                     &message.desc, &attributes, &expiry) < 0,
          "a leg with an imported context");
    check(!counters_of(subject).foreign, "no half of the package was given a handle of the other's");
}

static void test_bad_imports(const struct subject *subject, CtxtHandle *context)
{
    BYTE garbage[4] = {1, 2, 3, 4};
    SecBuffer packed = {sizeof garbage, 0, garbage};
    CtxtHandle twin = {1, 2};
    check_status(ImportSecurityContextW((WCHAR *)subject->package, &packed, NULL, &twin), SEC_E_INVALID_TOKEN,
                 "bytes that the package does not take");
    check_status(ImportSecurityContextW((WCHAR *)L"nobody", &packed, NULL, &twin), SEC_E_SECPKG_NOT_FOUND,
                 "a package that is not there");
    check_status(ImportSecurityContextW((WCHAR *)L"NTLM", &packed, NULL, &twin), SEC_E_INVALID_TOKEN,
                 "a package that has packed nothing like it");
    check_status(ImportSecurityContextW((WCHAR *)L"Schannel", &packed, NULL, &twin), SEC_E_UNSUPPORTED_FUNCTION,
                 "a package that cannot");
    check(twin.dwLower == 1 && twin.dwUpper == 2, "no handle came of them");
    check_status(ExportSecurityContext(&twin, 0, &packed, NULL), SEC_E_INVALID_HANDLE, "export of what is no context");
    check_status(ExportSecurityContext(context, 0, &packed, NULL), SEC_E_OK, "export without its token");
    check_status(ImportSecurityContextW((WCHAR *)subject->package, &packed, NULL, NULL), SEC_E_INVALID_HANDLE,
                 "no place for the handle");
    FreeContextBuffer(packed.pvBuffer);
}

void test_import(const struct subject *subject)
{
    struct pair pair;
    SecBuffer packed;
    CtxtHandle imported;
    section(subject->ssp ? "ImportSecurityContext, an SSP" : "SpExportSecurityContext, SpImportSecurityContext");
    check(establish_pair(subject, &pair), "two sides are established");
    test_bad_imports(subject, &pair.contexts[SERVER]);
    test_round_trip(subject, &pair);
    check(!ExportSecurityContext(&pair.contexts[CLIENT], 0, &packed, NULL) &&
              !ImportSecurityContextW((WCHAR *)subject->package, &packed, NULL, &imported) &&
              !FreeContextBuffer(packed.pvBuffer),
          "one more");
    test_halves(subject, &imported);
    check(!DeleteSecurityContext(&imported) && free_pair(&pair) && nothing_is_left(subject), "all of it is freed");
}
