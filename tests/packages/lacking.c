/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packages that lack functions: each call that would have needed one is refused, and none jumps to address 0.
 */
#include "cases.h"
#include "packages.h"

static WCHAR bare[] = L"Countersign Test Bare", half[] = L"Countersign Test Half";

static void test_listing(void)
{
    check_status(AddSecurityPackageW((WCHAR *)L"bare.dll", NULL), SEC_E_OK, "two packages of one DLL");
    check(is_listed(bare) && is_listed(half), "both are listed");
    check(!DeleteSecurityPackageW(half) && is_listed(bare) && !is_listed(half), "one is deleted alone");
    check(!AddSecurityPackageW((WCHAR *)L"bare", NULL) && is_listed(bare) && is_listed(half), "and added again");
}

static void test_messages(CtxtHandle *context)
{
    struct message message;
    make_message(&message, "message");
    check_status(MakeSignature(context, 0, &message.desc, 0), SEC_E_UNSUPPORTED_FUNCTION, "MakeSignature");
    check_status(VerifySignature(context, &message.desc, 0, NULL), SEC_E_UNSUPPORTED_FUNCTION, "VerifySignature");
    check_status(EncryptMessage(context, 0, &message.desc, 0), SEC_E_UNSUPPORTED_FUNCTION, "EncryptMessage");
    check_status(DecryptMessage(context, &message.desc, 0, NULL), SEC_E_UNSUPPORTED_FUNCTION, "DecryptMessage");
    check_status(ApplyControlToken(context, &message.desc), SEC_E_UNSUPPORTED_FUNCTION, "ApplyControlToken");
    check_status(CompleteAuthToken(context, &message.desc), SEC_E_UNSUPPORTED_FUNCTION, "CompleteAuthToken");
}

static void test_others(CredHandle *credential, CtxtHandle *context)
{
    SecPkgContext_Sizes sizes;
    SecPkgCredentials_NamesW names;
    SecBuffer packed = {0, 0, NULL};
    CtxtHandle other;
    HANDLE token;
    ULONG value = 0;
    check_status(QueryContextAttributesW(context, SECPKG_ATTR_SIZES, &sizes), SEC_E_UNSUPPORTED_FUNCTION,
                 "QueryContextAttributes");
    check_status(SetContextAttributesW(context, SECPKG_ATTR_SIZES, &value, sizeof value), SEC_E_UNSUPPORTED_FUNCTION,
                 "SetContextAttributes");
    check_status(QueryCredentialsAttributesW(credential, SECPKG_CRED_ATTR_NAMES, &names), SEC_E_UNSUPPORTED_FUNCTION,
                 "QueryCredentialsAttributes");
    check_status(AddCredentialsW(credential, NULL, half, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL),
                 SEC_E_UNSUPPORTED_FUNCTION, "AddCredentials");
    check(SetCredentialsAttributesW(credential, SECPKG_CRED_ATTR_NAMES, &value, sizeof value) < 0,
          "SetCredentialsAttributes");
    check_status(QuerySecurityContextToken(context, &token), SEC_E_UNSUPPORTED_FUNCTION, "QuerySecurityContextToken");
    check_status(ImpersonateSecurityContext(context), SEC_E_UNSUPPORTED_FUNCTION, "ImpersonateSecurityContext");
    check_status(RevertSecurityContext(context), SEC_E_UNSUPPORTED_FUNCTION, "RevertSecurityContext");
    check_status(ExportSecurityContext(context, 0, &packed, &token), SEC_E_UNSUPPORTED_FUNCTION,
                 "ExportSecurityContext");
    check_status(ImportSecurityContextW(half, &packed, NULL, &other), SEC_E_UNSUPPORTED_FUNCTION,
                 "ImportSecurityContext");
}

void test_lacking(void)
{
    CredHandle credential;
    CtxtHandle context, other;
    ULONG attributes;
    TimeStamp expiry;
    section("A package without functions");
    test_listing();
    check_status(AcquireCredentialsHandleW(NULL, bare, SECPKG_CRED_BOTH, NULL, NULL, NULL, NULL, &credential, &expiry),
                 SEC_E_UNSUPPORTED_FUNCTION, "AcquireCredentialsHandle");
    section("A package with hardly any");
    check_status(AcquireCredentialsHandleW(NULL, half, SECPKG_CRED_BOTH, NULL, NULL, NULL, NULL, &credential, &expiry),
                 SEC_E_OK, "AcquireCredentialsHandle");
    check_status(
        AcceptSecurityContext(&credential, NULL, NULL, 0, SECURITY_NATIVE_DREP, &other, NULL, &attributes, &expiry),
        SEC_E_UNSUPPORTED_FUNCTION, "AcceptSecurityContext");
    check_status(InitializeSecurityContextW(&credential, NULL, NULL, 0, 0, SECURITY_NATIVE_DREP, NULL, 0, &context,
                                            NULL, &attributes, &expiry),
                 SEC_E_OK, "InitializeSecurityContext");
    test_messages(&context);
    test_others(&credential, &context);
    check(!DeleteSecurityContext(&context) && !FreeCredentialsHandle(&credential), "its handles are freed");
    check(!DeleteSecurityPackageW((WCHAR *)L"bare.dll") && !is_listed(bare) && !is_listed(half),
          "both are deleted with their DLL");
}
