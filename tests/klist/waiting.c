/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A logon while the KDC takes what it is sent and says nothing: the registry says how long it is waited for.
 */
#include "messages.h"

static const WCHAR parameters[] = L"SYSTEM\\CurrentControlSet\\Control\\Lsa\\Kerberos\\Parameters";

/* How many ms a logon takes that nobody answers. */
static ULONGLONG log_on(void)
{
    WCHAR user[] = L"user", domain[] = L"EXAMPLE.TEST", password[] = L"Password-1", package[] = L"Kerberos";
    WCHAR target[] = L"demo/one";
    SEC_WINNT_AUTH_IDENTITY_W identity = {user, 4, domain, 12, password, 10, SEC_WINNT_AUTH_IDENTITY_UNICODE};
    BYTE token[4096];
    SecBuffer buffer = {sizeof token, SECBUFFER_TOKEN, token};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &buffer};
    const ULONGLONG before = GetTickCount64();
    CredHandle credential;
    CtxtHandle context;
    TimeStamp expiry;
    ULONG granted;
    check_status(AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                           &credential, &expiry),
                 SEC_E_OK, "AcquireCredentialsHandle asks nobody");
    check_status(InitializeSecurityContextW(&credential, NULL, target, 0, 0, SECURITY_NATIVE_DREP, NULL, 0, &context,
                                            &output, &granted, &expiry),
                 SEC_E_NO_AUTHENTICATING_AUTHORITY, "InitializeSecurityContext");
    FreeCredentialsHandle(&credential);
    return GetTickCount64() - before;
}

void test_waiting(void)
{
    const DWORD seconds[] = {1, 3};
    section("KdcWaitTime");
    for (int i = 0; i < 2; i++) {
        RegSetKeyValueW(HKEY_LOCAL_MACHINE, parameters, L"KdcWaitTime", REG_DWORD, &seconds[i], sizeof seconds[i]);
        const ULONGLONG taken = log_on();
        check(taken >= seconds[i] * 1000 - 50 && taken < seconds[i] * 1000 + 1500, "as long as it says");
    }
    RegDeleteKeyValueW(HKEY_LOCAL_MACHINE, parameters, L"KdcWaitTime");
}
