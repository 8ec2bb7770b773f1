/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of an identity: SspiEncodeStringsAsAuthIdentity and the other functions that make, compare, encrypt, wipe
 * and free one. They take identities in every form that pAuthData has.
 */
#include "auth_identity.h"

WCHAR *auth_identity_string(const WCHAR *text, ULONG length)
{
    WCHAR *copy = LocalAlloc(LMEM_FIXED | LMEM_ZEROINIT, ((SIZE_T)length + 1) * sizeof(WCHAR));

    if (copy && length) memcpy(copy, text, length * sizeof(WCHAR));
    return copy;
}

static unsigned short *append(WCHAR **end, const WCHAR *text, ULONG length)
{
    WCHAR *start = *end;

    if (!text) return NULL;
    memcpy(start, text, length * sizeof(WCHAR));
    start[length] = 0;
    *end += length + 1;
    return (unsigned short *)start;
}

SECURITY_STATUS auth_identity_create(const struct identity *identity, PSEC_WINNT_AUTH_IDENTITY_OPAQUE *out)
{
    const ULONG list_length = identity->package_list ? (ULONG)wcslen(identity->package_list) : 0;
    const SIZE_T characters =
        (SIZE_T)identity->user_length + identity->domain_length + identity->password_length + list_length + 4;
    SEC_WINNT_AUTH_IDENTITY_EXW *opaque;
    SECURITY_STATUS status = SEC_E_OK;
    WCHAR *end;

    opaque = LocalAlloc(LMEM_FIXED | LMEM_ZEROINIT, sizeof(*opaque) + characters * sizeof(WCHAR));
    if (!opaque) return SEC_E_INSUFFICIENT_MEMORY;
    end = (WCHAR *)(opaque + 1);
    opaque->Version = SEC_WINNT_AUTH_IDENTITY_VERSION;
    opaque->Length = sizeof(*opaque);
    opaque->User = append(&end, identity->user, identity->user_length);
    opaque->UserLength = identity->user_length;
    opaque->Domain = append(&end, identity->domain, identity->domain_length);
    opaque->DomainLength = identity->domain_length;
    opaque->Password = append(&end, identity->password, identity->password_length);
    opaque->PasswordLength = identity->password_length;
    opaque->PackageList = append(&end, identity->package_list, list_length);
    opaque->PackageListLength = list_length;
    opaque->Flags = identity->flags & ~(SEC_WINNT_AUTH_IDENTITY_ANSI | SEC_WINNT_AUTH_IDENTITY_MARSHALLED);
    opaque->Flags |= SEC_WINNT_AUTH_IDENTITY_UNICODE;

    if (identity->was_encrypted) status = SspiEncryptAuthIdentity(opaque);
    if (status)
        SspiFreeAuthIdentity(opaque);
    else
        *out = opaque;
    return status;
}

static BOOL give_string(const WCHAR *text, WCHAR **out, ULONG *length, BOOL *present)
{
    const SIZE_T characters = text ? wcslen(text) : 0;

    /* auth_identity_create() only reads: the caller's string serves as it is */
    *out = (WCHAR *)text;
    *length = (ULONG)characters;
    *present = text != NULL;
    return characters <= IDENTITY_MAX_LENGTH;
}

/* behaviour.md rows 30-36: any string may be absent, but not all three, and a refusal leaves *ppAuthIdentity alone */
SECURITY_STATUS WINAPI SspiEncodeStringsAsAuthIdentity(PCWSTR pszUserName, PCWSTR pszDomainName,
                                                       PCWSTR pszPackedCredentialsString,
                                                       PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity)
{
    struct identity identity = {.flags = SEC_WINNT_AUTH_IDENTITY_UNICODE};

    if (!ppAuthIdentity || (!pszUserName && !pszDomainName && !pszPackedCredentialsString)) return SEC_E_INVALID_TOKEN;
    if (!give_string(pszUserName, &identity.user, &identity.user_length, &identity.has_user) ||
        !give_string(pszDomainName, &identity.domain, &identity.domain_length, &identity.has_domain) ||
        !give_string(pszPackedCredentialsString, &identity.password, &identity.password_length, &identity.has_password))
        return SEC_E_INVALID_TOKEN;
    return auth_identity_create(&identity, ppAuthIdentity);
}

SECURITY_STATUS WINAPI SspiCopyAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData,
                                            PSEC_WINNT_AUTH_IDENTITY_OPAQUE *AuthDataCopy)
{
    struct identity identity;
    SECURITY_STATUS status;

    if (!AuthData || !AuthDataCopy) return SEC_E_INVALID_TOKEN;
    status = identity_parse(AuthData, &identity);
    if (!status) status = auth_identity_create(&identity, AuthDataCopy);
    identity_release(&identity);
    return status;
}

SECURITY_STATUS WINAPI SspiValidateAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData)
{
    struct identity_view view;

    return AuthData ? identity_look(AuthData, IDENTITY_UNBOUNDED, &view) : SEC_E_INVALID_TOKEN;
}

/* The list of the copy is the old one with "!package" at its end, the form that package lists have for an exclusion. */
static WCHAR *list_without(const WCHAR *list, const WCHAR *package)
{
    const SIZE_T characters = (list ? wcslen(list) + 1 : 0) + wcslen(package) + 2;
    WCHAR *longer = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, characters * sizeof(WCHAR));

    if (!longer) return NULL;
    if (list && *list) {
        wcscpy(longer, list);
        wcscat(longer, L",");
    }
    wcscat(longer, L"!");
    return wcscat(longer, package);
}

SECURITY_STATUS WINAPI SspiExcludePackage(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity, PCWSTR pszPackageName,
                                          PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppNewAuthIdentity)
{
    struct identity identity;
    SECURITY_STATUS status;
    WCHAR *list;

    if (!pszPackageName || !ppNewAuthIdentity) return SEC_E_INVALID_TOKEN;
    status = identity_parse(AuthIdentity, &identity);
    if (status) return status;
    if ((list = list_without(identity.package_list, pszPackageName))) {
        if (identity.package_list) HeapFree(GetProcessHeap(), 0, identity.package_list);
        identity.package_list = list;
        status = auth_identity_create(&identity, ppNewAuthIdentity);
    } else {
        status = SEC_E_INSUFFICIENT_MEMORY;
    }
    identity_release(&identity);
    return status;
}

static BOOL same_name(const WCHAR *one, const WCHAR *other)
{
    return one && other ? !lstrcmpiW(one, other) : one == other;
}

static BOOL same_secret(const struct identity *one, const struct identity *other)
{
    if (one->has_password != other->has_password || one->password_length != other->password_length) return FALSE;
    return !one->password_length || !memcmp(one->password, other->password, one->password_length * sizeof(WCHAR));
}

SECURITY_STATUS WINAPI SspiCompareAuthIdentities(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity1,
                                                 PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity2,
                                                 PBOOLEAN SameSuppliedUser, PBOOLEAN SameSuppliedIdentity)
{
    struct identity one, other = {0};
    SECURITY_STATUS status;
    BOOL same;

    status = identity_parse(AuthIdentity1, &one);
    if (!status) status = identity_parse(AuthIdentity2, &other);
    if (!status) {
        same = same_name(one.user, other.user) && same_name(one.domain, other.domain);
        if (SameSuppliedUser) *SameSuppliedUser = (BOOLEAN)same;
        if (SameSuppliedIdentity) *SameSuppliedIdentity = (BOOLEAN)(same && same_secret(&one, &other));
    }
    identity_release(&one);
    identity_release(&other);
    return status;
}

static SECURITY_STATUS crypt_in_place(void *auth_data, BOOL encrypt)
{
    const ULONG encrypted = SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED;
    struct identity_view view;
    SECURITY_STATUS status;
    ULONG flags;

    if (!auth_data) return SEC_E_INVALID_TOKEN;
    status = identity_look(auth_data, IDENTITY_UNBOUNDED, &view);
    if (status) return status;
    memcpy(&flags, (BYTE *)auth_data + view.flags_offset, sizeof(flags));
    if (!(flags & encrypted) == !encrypt) return SEC_E_OK;
    status = identity_crypt((BYTE *)view.password.text, view.password.size);
    if (status) return status;
    flags ^= encrypted;
    memcpy((BYTE *)auth_data + view.flags_offset, &flags, sizeof(flags));
    return SEC_E_OK;
}

SECURITY_STATUS WINAPI SspiEncryptAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData)
{
    return crypt_in_place(AuthData, TRUE);
}

SECURITY_STATUS WINAPI SspiDecryptAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE EncryptedAuthData)
{
    return crypt_in_place(EncryptedAuthData, FALSE);
}

BOOLEAN WINAPI SspiIsAuthIdentityEncrypted(PSEC_WINNT_AUTH_IDENTITY_OPAQUE EncryptedAuthData)
{
    const ULONG encrypted =
        SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED | SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_PROTECTED |
        SEC_WINNT_AUTH_IDENTITY_FLAGS_USER_PROTECTED | SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_ENCRYPTED;
    struct identity_view view;

    if (!EncryptedAuthData || identity_look(EncryptedAuthData, IDENTITY_UNBOUNDED, &view)) return FALSE;
    return (view.flags & encrypted) != 0;
}

static void wipe(const struct identity_text *text)
{
    if (text->text) SecureZeroMemory((BYTE *)text->text, text->size);
}

/* The strings go with the structure: afterwards it holds nothing, and SspiFreeAuthIdentity still takes it (row 39). */
VOID WINAPI SspiZeroAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData)
{
    struct identity_view view;

    if (!AuthData || identity_look(AuthData, IDENTITY_UNBOUNDED, &view)) return;
    wipe(&view.user);
    wipe(&view.domain);
    wipe(&view.password);
    wipe(&view.package_list);
    SecureZeroMemory(AuthData, view.structure_size);
}

VOID WINAPI SspiFreeAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthData)
{
    if (!AuthData) return;
    SecureZeroMemory(AuthData, LocalSize(AuthData));
    LocalFree(AuthData);
}

VOID WINAPI SspiLocalFree(PVOID DataBuffer)
{
    LocalFree(DataBuffer);
}
