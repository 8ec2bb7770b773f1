/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Windows program with secrets, whose calls tests/trace/run traces: it logs on to itself over NTLM with a password,
 * once with the right one, exchanges messages, and queries the session key. It also makes the calls whose trace could
 * go wrong: with names that try to forge lines, with a bad handle and wild addresses, with tokens that are none.
 *
 *   trace_secrets USER PASSWORD MESSAGE KEYFILE                 KEYFILE gets the session key in hexadecimal
 *   trace_secrets USER PASSWORD MESSAGE KEYFILE REALM TARGET    logs on over Kerberos instead, and no more
 *   trace_secrets nothing                                       expects no package at all
 *
 * Exit code: 0 every call had the status it should have, 1 not (standard output says which), 2 wrong usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
#include <sspi.h>

enum { MAX_TEXT = 256, MAX_TRAILER = 128, LONG_NAME = 1000, MANY_BUFFERS = 9 };

/* A line end and what could pass for another call's line; and a letter that is not ASCII. */
#define FORGERY L"\r\n2000-01-01T00:00:00.000000Z 0001:0001 Forged - SEC_E_OK 1us\n"
static SEC_WCHAR target_name[] = L"HTTP/s\u00e9rver" FORGERY;
static SEC_WCHAR no_package[] = L"None" FORGERY;
static SEC_WCHAR ntlm[] = L"NTLM", kerberos[] = L"Kerberos";

static const ULONG client_request = ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY |
                                    ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT;
static const ULONG server_request = ASC_REQ_ALLOCATE_MEMORY | ASC_REQ_CONFIDENTIALITY;

struct secrets {
    WCHAR user[MAX_TEXT], password[MAX_TEXT], realm[MAX_TEXT];
    char *message;
};

struct pair {
    CredHandle client_credential, server_credential;
    CtxtHandle client, server;
    SEC_WCHAR *package, *target;
};

static void expect(const char *what, SECURITY_STATUS status, SECURITY_STATUS expected)
{
    if (status == expected) return;
    printf("%s: 0x%08lx, not 0x%08lx\n", what, (ULONG)status, (ULONG)expected);
    exit(1);
}

/* Logging on */

static void acquire(struct pair *pair, struct secrets *secrets, WCHAR *password)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = {.User = secrets->user,
                                          .UserLength = (ULONG)wcslen(secrets->user),
                                          .Domain = secrets->realm,
                                          .DomainLength = (ULONG)wcslen(secrets->realm),
                                          .Password = password,
                                          .PasswordLength = (ULONG)wcslen(password),
                                          .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE};
    TimeStamp expiry;
    expect("client's credential",
           AcquireCredentialsHandleW(NULL, pair->package, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                     &pair->client_credential, &expiry),
           SEC_E_OK);
    expect("server's credential",
           AcquireCredentialsHandleW(NULL, pair->package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                     &pair->server_credential, &expiry),
           SEC_E_OK);
}

static SecBufferDesc buffers_of(SecBuffer *buffers, ULONG count)
{
    return (SecBufferDesc){SECBUFFER_VERSION, count, buffers};
}

static SECURITY_STATUS client_leg(struct pair *pair, BOOL first, SecBuffer *in, SecBuffer *out)
{
    SecBufferDesc input = buffers_of(in, 1), output = buffers_of(out, 1);
    TimeStamp expiry;
    ULONG granted;
    return InitializeSecurityContextW(&pair->client_credential, first ? NULL : &pair->client, pair->target,
                                      client_request, 0, SECURITY_NATIVE_DREP, first ? NULL : &input, 0, &pair->client,
                                      &output, &granted, &expiry);
}

static SECURITY_STATUS server_leg(struct pair *pair, BOOL first, SecBuffer *in, SecBuffer *out)
{
    SecBufferDesc input = buffers_of(in, 1), output = buffers_of(out, 1);
    TimeStamp expiry;
    ULONG granted;
    return AcceptSecurityContext(&pair->server_credential, first ? NULL : &pair->server, &input, server_request,
                                 SECURITY_NATIVE_DREP, &pair->server, &output, &granted, &expiry);
}

/* NTLM's three messages; the server's last word is OUTCOME. */
static void log_on(struct pair *pair, SECURITY_STATUS outcome)
{
    SecBuffer negotiate = {0, SECBUFFER_TOKEN, NULL}, challenge = negotiate, authenticate = negotiate, none = negotiate;
    expect("client's first leg", client_leg(pair, TRUE, NULL, &negotiate), SEC_I_CONTINUE_NEEDED);
    expect("server's first leg", server_leg(pair, TRUE, &negotiate, &challenge), SEC_I_CONTINUE_NEEDED);
    expect("client's last leg", client_leg(pair, FALSE, &challenge, &authenticate), SEC_E_OK);
    expect("server's last leg", server_leg(pair, FALSE, &authenticate, &none), outcome);
    FreeContextBuffer(negotiate.pvBuffer);
    FreeContextBuffer(challenge.pvBuffer);
    FreeContextBuffer(authenticate.pvBuffer);
}

/* Kerberos's one message, since mutual authentication is not asked for. */
static void log_on_in_realm(struct pair *pair)
{
    SecBuffer request = {0, SECBUFFER_TOKEN, NULL}, none = request;
    expect("client's leg", client_leg(pair, TRUE, NULL, &request), SEC_E_OK);
    expect("server's leg", server_leg(pair, TRUE, &request, &none), SEC_E_OK);
    FreeContextBuffer(request.pvBuffer);
}

static void release(struct pair *pair)
{
    expect("client's context", DeleteSecurityContext(&pair->client), SEC_E_OK);
    expect("server's context", DeleteSecurityContext(&pair->server), SEC_E_OK);
    expect("client's credential", FreeCredentialsHandle(&pair->client_credential), SEC_E_OK);
    expect("server's credential", FreeCredentialsHandle(&pair->server_credential), SEC_E_OK);
}

/* What a complete context is used for */

static void seal(struct pair *pair, const char *message)
{
    char token[MAX_TRAILER], data[MAX_TEXT] = "";
    SecPkgContext_Sizes sizes;
    expect("sizes", QueryContextAttributesW(&pair->client, SECPKG_ATTR_SIZES, &sizes), SEC_E_OK);
    SecBuffer buffers[] = {{sizes.cbSecurityTrailer, SECBUFFER_TOKEN, token},
                           {(ULONG)strnlen(message, MAX_TEXT - 1), SECBUFFER_DATA, data}};
    SecBufferDesc whole = buffers_of(buffers, 2);
    strncpy(data, message, MAX_TEXT - 1);
    expect("sealing", EncryptMessage(&pair->client, 0, &whole, 0), SEC_E_OK);
    ULONG qop;
    expect("unsealing", DecryptMessage(&pair->server, &whole, 0, &qop), SEC_E_OK);
    expect("message", strcmp(data, message), 0);
}

static void sign(struct pair *pair, char *message)
{
    char token[MAX_TRAILER];
    SecBuffer buffers[] = {{(ULONG)strlen(message), SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, message},
                           {16, SECBUFFER_TOKEN, token}};
    SecBufferDesc whole = buffers_of(buffers, 2);
    ULONG qop;
    expect("signing", MakeSignature(&pair->server, 0, &whole, 0), SEC_E_OK);
    expect("verifying", VerifySignature(&pair->client, &whole, 0, &qop), SEC_E_OK);
    ((char *)buffers[1].pvBuffer)[4] ^= 1;
    expect("an altered signature", VerifySignature(&pair->client, &whole, 0, &qop), SEC_E_MESSAGE_ALTERED);
}

static void write_session_key(struct pair *pair, const char *path)
{
    SecPkgContext_SessionKey key;
    FILE *file = fopen(path, "w");
    expect("session key", QueryContextAttributesW(&pair->client, SECPKG_ATTR_SESSION_KEY, &key), SEC_E_OK);
    for (ULONG i = 0; file && i < key.SessionKeyLength; i++) fprintf(file, "%02x", key.SessionKey[i]);
    expect("file of the session key", file ? fclose(file) : -1, 0);
    FreeContextBuffer(key.SessionKey);
}

static void query_names(struct pair *pair)
{
    SecPkgContext_NamesW names;
    SecPkgCredentials_NamesW credential_names;
    expect("names", QueryContextAttributesW(&pair->server, SECPKG_ATTR_NAMES, &names), SEC_E_OK);
    FreeContextBuffer(names.sUserName);
    if (!QueryCredentialsAttributesW(&pair->client_credential, SECPKG_CRED_ATTR_NAMES, &credential_names))
        FreeContextBuffer(credential_names.sUserName);
}

/* A call that has more to show than a line has room for. Whether it succeeds does not matter here. */
static void show_too_much(struct pair *pair)
{
    WCHAR name[LONG_NAME + 1];
    SecBuffer buffers[MANY_BUFFERS];
    SecBufferDesc all = buffers_of(buffers, MANY_BUFFERS);
    CtxtHandle context;
    TimeStamp expiry;
    ULONG granted;
    for (int i = 0; i < LONG_NAME; i++) name[i] = 0x200B;
    name[LONG_NAME] = 0;
    for (int i = 0; i < MANY_BUFFERS; i++) buffers[i] = (SecBuffer){0, SECBUFFER_SUBSCRIBE_GENERIC_TLS_EXTENSION, NULL};
    if (InitializeSecurityContextW(&pair->client_credential, NULL, name, 0xFFFFFFFF, 0, SECURITY_NATIVE_DREP, &all, 0,
                                   &context, &all, &granted, &expiry) >= 0)
        DeleteSecurityContext(&context);
}

/* Calls that fail, and must fail the same way while they are traced */

static void fail_in_many_ways(struct pair *pair)
{
    char garbage[] = "garbage";
    SecBuffer token = {sizeof garbage, SECBUFFER_TOKEN, garbage}, out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc *const wild = (SecBufferDesc *)(ULONG_PTR)16;
    CtxtHandle closed = {1, 1};
    struct pair other = *pair;
    CredHandle unused;
    TimeStamp expiry;
    expect("a token that is none", server_leg(&other, TRUE, &token, &out), SEC_E_INVALID_TOKEN);
    expect("a wild address behind a bad handle", EncryptMessage(&closed, 0, wild, 0), SEC_E_INVALID_HANDLE);
    expect("a leg with a bad handle", AcceptSecurityContext(&closed, &closed, wild, 0, 0, &closed, wild, NULL, NULL),
           SEC_E_INVALID_HANDLE);
    expect("no handle", DeleteSecurityContext(NULL), SEC_E_INVALID_HANDLE);
    expect("a package that is none",
           AcquireCredentialsHandleW(NULL, no_package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &unused, &expiry),
           SEC_E_SECPKG_NOT_FOUND);
}

static void be_refused(struct secrets *secrets)
{
    WCHAR wrong[MAX_TEXT];
    struct pair pair = {.package = ntlm, .target = target_name};
    swprintf(wrong, MAX_TEXT, L"wrong%ls", secrets->password);
    acquire(&pair, secrets, wrong);
    log_on(&pair, SEC_E_LOGON_DENIED);
    release(&pair);
}

static void be_welcome(struct secrets *secrets, const char *key_path)
{
    struct pair pair = {.package = ntlm, .target = target_name};
    acquire(&pair, secrets, secrets->password);
    log_on(&pair, SEC_E_OK);
    seal(&pair, secrets->message);
    sign(&pair, secrets->message);
    write_session_key(&pair, key_path);
    query_names(&pair);
    fail_in_many_ways(&pair);
    show_too_much(&pair);
    release(&pair);
}

static void be_welcome_in_realm(struct secrets *secrets, const char *key_path, SEC_WCHAR *target)
{
    struct pair pair = {.package = kerberos, .target = target};
    acquire(&pair, secrets, secrets->password);
    log_on_in_realm(&pair);
    seal(&pair, secrets->message);
    write_session_key(&pair, key_path);
    query_names(&pair);
    release(&pair);
}

static int expect_nothing(void)
{
    CredHandle unused;
    TimeStamp expiry;
    expect("NTLM",
           AcquireCredentialsHandleW(NULL, ntlm, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &unused, &expiry),
           SEC_E_SECPKG_NOT_FOUND);
    return 0;
}

static void widen(WCHAR *wide, const char *text)
{
    expect("length of an argument", !MultiByteToWideChar(CP_ACP, 0, text, -1, wide, MAX_TEXT), 0);
}

int main(int argc, char **argv)
{
    struct secrets secrets = {.realm = L""};
    WCHAR target[MAX_TEXT];
    if (argc == 2 && !strcmp(argv[1], "nothing")) return expect_nothing();
    if (argc != 5 && argc != 7) return 2;
    widen(secrets.user, argv[1]);
    widen(secrets.password, argv[2]);
    secrets.message = argv[3];
    if (argc == 7) {
        widen(secrets.realm, argv[5]);
        widen(target, argv[6]);
        be_welcome_in_realm(&secrets, argv[4], target);
    } else {
        be_welcome(&secrets, argv[4]);
        be_refused(&secrets);
    }
    return 0;
}
