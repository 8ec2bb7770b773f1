/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clients, servers, and who they are taken for.
 */
#include "parties.h"

#include <stdlib.h>
#include <wchar.h>

enum { TOKEN_MAX = 16384, LEGS_MAX = 4 };

static const WCHAR realm[] = L"EXAMPLE.TEST", password[] = L"Ponte-4";
static CredHandle back;

/* A token on its way: what a leg left, and the next one takes. */
struct post {
    BYTE token[TOKEN_MAX];
    ULONG size;
};

SECURITY_STATUS acquire(const WCHAR *package, ULONG use, const WCHAR *user, CredHandle *credential)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = {.User = (USHORT *)user,
                                          .UserLength = user ? (ULONG)wcslen(user) : 0,
                                          .Domain = (USHORT *)realm,
                                          .DomainLength = (ULONG)wcslen(realm),
                                          .Password = (USHORT *)password,
                                          .PasswordLength = (ULONG)wcslen(password),
                                          .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE};
    TimeStamp expiry;
    return AcquireCredentialsHandleW(NULL, (WCHAR *)package, use, NULL, user ? &identity : NULL, NULL, NULL, credential,
                                     &expiry);
}

static SECURITY_STATUS leg(CredHandle *credential, CtxtHandle *context, const WCHAR *target, ULONG request, BOOL first,
                           const struct post *in, struct post *out)
{
    SecBuffer given = {in->size, SECBUFFER_TOKEN, (void *)in->token}, made = {TOKEN_MAX, SECBUFFER_TOKEN, out->token};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &given}, output = {SECBUFFER_VERSION, 1, &made};
    SECURITY_STATUS status;
    TimeStamp expiry;
    ULONG flags;
    if (target)
        status = InitializeSecurityContextW(credential, first ? NULL : context, (WCHAR *)target, request, 0,
                                            SECURITY_NATIVE_DREP, first ? NULL : &input, 0, context, &output, &flags,
                                            &expiry);
    else
        status = AcceptSecurityContext(credential, first ? NULL : context, &input, 0, SECURITY_NATIVE_DREP, context,
                                       &output, &flags, &expiry);
    out->size = status < 0 ? 0 : made.cbBuffer;
    return status;
}

SECURITY_STATUS establish(CredHandle *credentials, const WCHAR *target, ULONG request, CtxtHandle *contexts)
{
    struct post *posts = calloc(2, sizeof *posts);
    SECURITY_STATUS status[2] = {SEC_I_CONTINUE_NEEDED, SEC_I_CONTINUE_NEEDED};
    int i;
    SecInvalidateHandle(&contexts[CLIENT]);
    SecInvalidateHandle(&contexts[SERVER]);
    for (i = 0; posts && i < 2 * LEGS_MAX && status[i % 2] == SEC_I_CONTINUE_NEEDED; i++) {
        const int side = i % 2;
        status[side] = leg(&credentials[side], &contexts[side], side == CLIENT ? target : NULL, request, i < 2,
                           &posts[!side], &posts[side]);
        if (status[side] < 0) break;
    }
    free(posts);
    if (status[CLIENT] == SEC_E_OK && status[SERVER] == SEC_E_OK) return SEC_E_OK;
    for (int side = CLIENT; side <= SERVER; side++)
        if (SecIsValidHandle(&contexts[side])) DeleteSecurityContext(&contexts[side]);
    return status[i % 2] < 0 ? status[i % 2] : SEC_E_INTERNAL_ERROR;
}

BOOL visit_begin(struct visit *visit, const WCHAR *package, const WCHAR *user, const WCHAR *target, ULONG request)
{
    for (int side = CLIENT; side <= SERVER; side++) {
        SecInvalidateHandle(&visit->credentials[side]);
        SecInvalidateHandle(&visit->contexts[side]);
    }
    return acquire(package, SECPKG_CRED_OUTBOUND, user, &visit->credentials[CLIENT]) == SEC_E_OK &&
           acquire(package, SECPKG_CRED_INBOUND, NULL, &visit->credentials[SERVER]) == SEC_E_OK &&
           establish(visit->credentials, target, request, visit->contexts) == SEC_E_OK;
}

void visit_forget(struct visit *visit)
{
    DeleteSecurityContext(&visit->contexts[SERVER]);
    SecInvalidateHandle(&visit->contexts[SERVER]);
}

void visit_end(struct visit *visit)
{
    for (int side = CLIENT; side <= SERVER; side++) {
        if (SecIsValidHandle(&visit->contexts[side])) DeleteSecurityContext(&visit->contexts[side]);
        if (SecIsValidHandle(&visit->credentials[side])) FreeCredentialsHandle(&visit->credentials[side]);
    }
}

BOOL back_open(void)
{
    return acquire(L"Negotiate", SECPKG_CRED_INBOUND, NULL, &back) == SEC_E_OK;
}

void back_close(void)
{
    FreeCredentialsHandle(&back);
}

static SECURITY_STATUS read_name(CtxtHandle *context, WCHAR name[NAME_MAX])
{
    SecPkgContext_NamesW names;
    const SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_NAMES, &names);
    if (status) return status;
    wcsncpy(name, names.sUserName, NAME_MAX - 1);
    name[NAME_MAX - 1] = 0;
    FreeContextBuffer(names.sUserName);
    return SEC_E_OK;
}

SECURITY_STATUS reach(const WCHAR *package, const WCHAR *target, WCHAR name[NAME_MAX])
{
    CredHandle credentials[2] = {[SERVER] = back};
    CtxtHandle contexts[2];
    SECURITY_STATUS status = acquire(package, SECPKG_CRED_OUTBOUND, NULL, &credentials[CLIENT]);
    if (status) return status;
    status = establish(credentials, target, ISC_REQ_MUTUAL_AUTH, contexts);
    FreeCredentialsHandle(&credentials[CLIENT]);
    if (status) return status;
    status = read_name(&contexts[SERVER], name);
    DeleteSecurityContext(&contexts[CLIENT]);
    DeleteSecurityContext(&contexts[SERVER]);
    return status;
}

static void await_next_second(void)
{
    SYSTEMTIME now;
    GetSystemTime(&now);
    Sleep(1000u - now.wMilliseconds);
}

BOOL visit_proxied(struct visit *visit, const WCHAR *user)
{
    SECURITY_STATUS status = SEC_E_LOGON_DENIED;
    WCHAR name[NAME_MAX];
    for (int attempt = 0; attempt < 20 && status == SEC_E_LOGON_DENIED; attempt++) {
        if (attempt > 0) visit_end(visit);
        await_next_second();
        if (!visit_begin(visit, L"Kerberos", user, FRONT, ISC_REQ_MUTUAL_AUTH)) return FALSE;
        ImpersonateSecurityContext(&visit->contexts[SERVER]);
        status = reach(L"Kerberos", BACK, name);
        RevertSecurityContext(&visit->contexts[SERVER]);
    }
    return status == SEC_E_OK;
}

static BOOL is_user(const WCHAR *name, const WCHAR *user)
{
    static const WCHAR domain[] = L"EXAMPLE\\";
    return !wcsncmp(name, domain, wcslen(domain)) && !wcscmp(name + wcslen(domain), user);
}

BOOL reaches_as(const WCHAR *package, const WCHAR *target, const WCHAR *user)
{
    WCHAR name[NAME_MAX];
    return reach(package, target, name) == SEC_E_OK && is_user(name, user);
}

BOOL is_called(const WCHAR *user)
{
    WCHAR name[NAME_MAX];
    ULONG size = NAME_MAX;
    return GetUserNameExW(NameSamCompatible, name, &size) && is_user(name, user);
}

BOOL impersonates(void)
{
    HANDLE token;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) return FALSE;
    CloseHandle(token);
    return TRUE;
}
