/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NTLM credentials: every shape of an identity, unknown packages, and releasing.
 */
#include "exchange.h"
#include "groups.h"

#include <wchar.h>

static const struct conformance_case cases[] = {
    {"credentials/A.full", "behaviour 73", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/A.empty-domain", "behaviour 74", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/A.no-domain", "behaviour 75", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/A.no-user", "behaviour 76", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/A.no-password", "behaviour 77", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/W.full", "behaviour 78", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/W.empty-domain", "behaviour 78", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/W.no-domain", "behaviour 78", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/W.no-user", "behaviour 78", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/W.empty-password", "behaviour 78", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/W.ansi-identity", "behaviour 79", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/inbound", "behaviour 104", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/outbound-default", "behaviour 118", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/free", "behaviour 106", "SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"credentials/unknown-package.A", "errors AcquireCredentialsHandle/any unknown", "SEC_E_SECPKG_NOT_FOUND", NULL,
     WINE_SAME},
    {"credentials/unknown-package.W", "errors AcquireCredentialsHandle/any unknown", "SEC_E_SECPKG_NOT_FOUND", NULL,
     WINE_SAME},
    {"credentials/null-package.A", "errors AcquireCredentialsHandle/any NULL", "SEC_E_SECPKG_NOT_FOUND", NULL,
     WINE_SAME},
    {"credentials/null-package.W", "errors AcquireCredentialsHandle/any NULL", "SEC_E_SECPKG_NOT_FOUND", NULL,
     WINE_SAME},
    {"credentials/set-kdc-proxy", "errors SetCredentialsAttributes/NTLM", "SEC_E_INVALID_HANDLE", NULL, WINE8_DIFFERS},
};

struct ansi_shape {
    const char *id;
    const char *user, *domain, *password;
};

static const struct ansi_shape ansi_shapes[] = {
    {"credentials/A.full", "testuser", "WORKGROUP", "testpass"},
    {"credentials/A.empty-domain", "testuser", "", "testpass"},
    {"credentials/A.no-domain", "testuser", NULL, "testpass"},
    {"credentials/A.no-user", NULL, "WORKGROUP", "testpass"},
    {"credentials/A.no-password", "testuser", "WORKGROUP", NULL},
};

struct wide_shape {
    const char *id;
    const WCHAR *user, *domain, *password;
};

/* No NULL password: Windows is said to crash on one in a UNICODE identity. */
static const struct wide_shape wide_shapes[] = {
    {"credentials/W.full", L"testuser", L"WORKGROUP", L"testpass"},
    {"credentials/W.empty-domain", L"testuser", L"", L"testpass"},
    {"credentials/W.no-domain", L"testuser", NULL, L"testpass"},
    {"credentials/W.no-user", NULL, L"WORKGROUP", L"testpass"},
    {"credentials/W.empty-password", L"testuser", L"WORKGROUP", L""},
};

static SECURITY_STATUS acquire_wide(const WCHAR *package, const void *identity, CredHandle *credential)
{
    TimeStamp expiry;

    SecInvalidateHandle(credential);
    return AcquireCredentialsHandleW(NULL, (SEC_WCHAR *)package, SECPKG_CRED_OUTBOUND, NULL, (void *)identity, NULL,
                                     NULL, credential, &expiry);
}

static void ansi_credentials(struct conformance_run *run)
{
    for (size_t i = 0; i < COUNT_OF(ansi_shapes); i++) {
        const struct ansi_shape *shape = &ansi_shapes[i];
        SEC_WINNT_AUTH_IDENTITY_A identity = ansi_identity(shape->user, shape->domain, shape->password);
        CredHandle credential;
        SECURITY_STATUS status = ntlm_credential(SECPKG_CRED_OUTBOUND, &identity, &credential);

        observe_status(run, shape->id, status);
        if (!status) FreeCredentialsHandle(&credential);
    }
}

static ULONG wide_length(const WCHAR *text)
{
    return text ? (ULONG)wcslen(text) : 0;
}

static void wide_credentials(struct conformance_run *run)
{
    for (size_t i = 0; i < COUNT_OF(wide_shapes); i++) {
        const struct wide_shape *shape = &wide_shapes[i];
        SEC_WINNT_AUTH_IDENTITY_W identity = {(void *)shape->user,
                                              wide_length(shape->user),
                                              (void *)shape->domain,
                                              wide_length(shape->domain),
                                              (void *)shape->password,
                                              wide_length(shape->password),
                                              SEC_WINNT_AUTH_IDENTITY_UNICODE};
        CredHandle credential;
        SECURITY_STATUS status = acquire_wide(L"NTLM", &identity, &credential);

        observe_status(run, shape->id, status);
        if (!status) FreeCredentialsHandle(&credential);
    }
}

static void ansi_identity_through_w(struct conformance_run *run)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = ansi_identity("testuser", "WORKGROUP", "testpass");
    CredHandle credential;
    SECURITY_STATUS status = acquire_wide(L"NTLM", &identity, &credential);

    observe_status(run, "credentials/W.ansi-identity", status);
    if (!status) observe_status(run, "credentials/free", FreeCredentialsHandle(&credential));
}

static void default_credentials(struct conformance_run *run)
{
    CredHandle credential;
    SECURITY_STATUS status = ntlm_credential(SECPKG_CRED_INBOUND, NULL, &credential);

    observe_status(run, "credentials/inbound", status);
    if (!status) FreeCredentialsHandle(&credential);
    status = ntlm_credential(SECPKG_CRED_OUTBOUND, NULL, &credential);
    observe_status(run, "credentials/outbound-default", status);
    if (!status) FreeCredentialsHandle(&credential);
}

static SECURITY_STATUS acquire_ansi_package(const char *package)
{
    CredHandle credential;
    TimeStamp expiry;

    return AcquireCredentialsHandleA(NULL, (SEC_CHAR *)package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL,
                                     &credential, &expiry);
}

static void wrong_packages(struct conformance_run *run)
{
    CredHandle credential;

    observe_status(run, "credentials/unknown-package.A", acquire_ansi_package("Winetest"));
    observe_status(run, "credentials/unknown-package.W", acquire_wide(L"Winetest", NULL, &credential));
    observe_status(run, "credentials/null-package.A", acquire_ansi_package(NULL));
    observe_status(run, "credentials/null-package.W", acquire_wide(NULL, NULL, &credential));
}

/* SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS and its structure; mingw's headers lack both. */
#define KDC_PROXY_SETTINGS 3

struct kdc_proxy_settings {
    ULONG version;
    ULONG flags;
    USHORT proxy_offset, proxy_size, credential_offset, credential_size;
};

static void set_kdc_proxy(struct conformance_run *run)
{
    typedef SECURITY_STATUS(WINAPI * set_function)(CredHandle *, ULONG, void *, ULONG);
    set_function set = (set_function)(void *)optional_function("secur32.dll", "SetCredentialsAttributesW");
    struct kdc_proxy_settings settings = {.version = 1};
    CredHandle credential;

    if (ntlm_credential(SECPKG_CRED_OUTBOUND, NULL, &credential)) return;
    if (set)
        observe_status(run, "credentials/set-kdc-proxy",
                       set(&credential, KDC_PROXY_SETTINGS, &settings, sizeof(settings)));
    else
        observe(run, "credentials/set-kdc-proxy", "no such export");
    FreeCredentialsHandle(&credential);
}

static void run_credentials(struct conformance_run *run)
{
    ansi_credentials(run);
    wide_credentials(run);
    ansi_identity_through_w(run);
    default_credentials(run);
    wrong_packages(run);
    set_kdc_proxy(run);
}

const struct conformance_group credentials_group = {
    .name = "credentials", .cases = cases, .case_count = COUNT_OF(cases), .run = run_credentials};
