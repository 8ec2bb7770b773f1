/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Identities as something else: as strings, as bytes to send, as an entry of the credential manager, and the host name
 * of a target. What these functions hand out is freed with SspiLocalFree.
 */
#include "auth_identity.h"

#include <wincred.h>

/* An absent string comes back as NULL, not as an empty one (behaviour.md row 38). */
static BOOL give(const WCHAR *text, ULONG length, PCWSTR *out)
{
    if (!out) return TRUE;
    *out = NULL;
    return !text || (*out = auth_identity_string(text, length));
}

static void take_back(PCWSTR *out)
{
    if (!out || !*out) return;
    SecureZeroMemory((WCHAR *)*out, wcslen(*out) * sizeof(WCHAR));
    LocalFree((WCHAR *)*out);
    *out = NULL;
}

/* behaviour.md rows 37 and 38; the refusal of an encrypted identity: errors.tsv */
SECURITY_STATUS WINAPI SspiEncodeAuthIdentityAsStrings(PSEC_WINNT_AUTH_IDENTITY_OPAQUE pAuthIdentity,
                                                       PCWSTR *ppszUserName, PCWSTR *ppszDomainName,
                                                       PCWSTR *ppszPackedCredentialsString)
{
    struct identity identity;
    SECURITY_STATUS status;

    if (!pAuthIdentity) return SEC_E_INVALID_TOKEN;
    if (SspiIsAuthIdentityEncrypted(pAuthIdentity)) return (SECURITY_STATUS)STATUS_INVALID_PARAMETER;
    status = identity_parse(pAuthIdentity, &identity);
    if (status) return status;
    if (!give(identity.user, identity.user_length, ppszUserName) ||
        !give(identity.domain, identity.domain_length, ppszDomainName) ||
        !give(identity.password, identity.password_length, ppszPackedCredentialsString)) {
        take_back(ppszUserName);
        take_back(ppszDomainName);
        status = SEC_E_INSUFFICIENT_MEMORY;
    }
    identity_release(&identity);
    return status;
}

static void place(BYTE *start, ULONG *end, const WCHAR *text, ULONG length, ULONG *offset, ULONG *out_length)
{
    if (!text) return;
    *offset = *end;
    *out_length = length;
    memcpy(start + *end, text, length * sizeof(WCHAR));
    *end += length * sizeof(WCHAR);
}

/* attributes.tsv, SspiMarshalAuthIdentity: the strings without terminators, then four zero bytes */
static SECURITY_STATUS marshal(const struct identity *identity, ULONG *size, char **out)
{
    const ULONG list_length = identity->package_list ? (ULONG)wcslen(identity->package_list) : 0;
    const ULONG characters = identity->user_length + identity->domain_length + identity->password_length + list_length;
    const ULONG total = sizeof(struct marshalled_identity) + characters * sizeof(WCHAR) + sizeof(ULONG);
    struct marshalled_identity header = {.version = SEC_WINNT_AUTH_IDENTITY_VERSION, .header_length = sizeof(header)};
    SECURITY_STATUS status = SEC_E_OK;
    ULONG end = sizeof(header);
    BYTE *bytes = LocalAlloc(LMEM_FIXED | LMEM_ZEROINIT, total);

    if (!bytes) return SEC_E_INSUFFICIENT_MEMORY;
    header.flags = SEC_WINNT_AUTH_IDENTITY_UNICODE | SEC_WINNT_AUTH_IDENTITY_MARSHALLED;
    place(bytes, &end, identity->user, identity->user_length, &header.user_offset, &header.user_length);
    place(bytes, &end, identity->domain, identity->domain_length, &header.domain_offset, &header.domain_length);
    place(bytes, &end, identity->password, identity->password_length, &header.password_offset, &header.password_length);
    place(bytes, &end, identity->package_list, list_length, &header.package_list_offset, &header.package_list_length);
    memcpy(bytes, &header, sizeof(header));

    if (identity->was_encrypted) status = SspiEncryptAuthIdentity(bytes);
    if (status) {
        SspiFreeAuthIdentity(bytes);
    } else {
        *size = total;
        *out = (char *)bytes;
    }
    return status;
}

SECURITY_STATUS WINAPI SspiMarshalAuthIdentity(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity, ULONG *AuthIdentityLength,
                                               char **AuthIdentityByteArray)
{
    struct identity identity;
    SECURITY_STATUS status;

    if (!AuthIdentity || !AuthIdentityLength || !AuthIdentityByteArray) return SEC_E_INVALID_TOKEN;
    status = identity_parse(AuthIdentity, &identity);
    if (!status) status = marshal(&identity, AuthIdentityLength, AuthIdentityByteArray);
    identity_release(&identity);
    return status;
}

SECURITY_STATUS WINAPI SspiUnmarshalAuthIdentity(ULONG AuthIdentityLength, char *AuthIdentityByteArray,
                                                 PSEC_WINNT_AUTH_IDENTITY_OPAQUE *ppAuthIdentity)
{
    struct identity identity;
    SECURITY_STATUS status;

    if (!AuthIdentityByteArray || !ppAuthIdentity) return SEC_E_INVALID_TOKEN;
    status = identity_unmarshal(AuthIdentityByteArray, AuthIdentityLength, &identity);
    if (!status) status = auth_identity_create(&identity, ppAuthIdentity);
    identity_release(&identity);
    return status;
}

/* domain\user, or the user alone if there is no domain */
static WCHAR *qualified_user(const struct identity *identity)
{
    const ULONG length = identity->domain_length + identity->user_length + 1;
    WCHAR *name = LocalAlloc(LMEM_FIXED | LMEM_ZEROINIT, ((SIZE_T)length + 1) * sizeof(WCHAR));

    if (!name) return NULL;
    if (identity->domain_length) {
        wcscpy(name, identity->domain);
        wcscat(name, L"\\");
    }
    return identity->user ? wcscat(name, identity->user) : name;
}

static WCHAR *credential_target(const struct identity *identity, const WCHAR *target)
{
    return target ? auth_identity_string(target, (ULONG)wcslen(target)) : qualified_user(identity);
}

SECURITY_STATUS WINAPI SspiPrepareForCredRead(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity, PCWSTR pszTargetName,
                                              PULONG pCredmanCredentialType, PCWSTR *ppszCredmanTargetName)
{
    struct identity identity;
    SECURITY_STATUS status;

    if (!AuthIdentity || !pCredmanCredentialType || !ppszCredmanTargetName) return SEC_E_INVALID_TOKEN;
    status = identity_parse(AuthIdentity, &identity);
    if (status) return status;
    *pCredmanCredentialType = CRED_TYPE_DOMAIN_PASSWORD;
    *ppszCredmanTargetName = credential_target(&identity, pszTargetName);
    if (!*ppszCredmanTargetName) status = SEC_E_INSUFFICIENT_MEMORY;
    identity_release(&identity);
    return status;
}

/* behaviour.md rows 40-44 */
SECURITY_STATUS WINAPI SspiPrepareForCredWrite(PSEC_WINNT_AUTH_IDENTITY_OPAQUE AuthIdentity, PCWSTR pszTargetName,
                                               PULONG pCredmanCredentialType, PCWSTR *ppszCredmanTargetName,
                                               PCWSTR *ppszCredmanUserName, PUCHAR *ppCredentialBlob,
                                               PULONG pCredentialBlobSize)
{
    struct identity identity;
    SECURITY_STATUS status;
    WCHAR *password;

    if (!AuthIdentity || !pCredmanCredentialType || !ppszCredmanTargetName || !ppszCredmanUserName ||
        !ppCredentialBlob || !pCredentialBlobSize)
        return SEC_E_INVALID_TOKEN;
    status = identity_parse(AuthIdentity, &identity);
    if (status) return status;
    *pCredmanCredentialType = CRED_TYPE_DOMAIN_PASSWORD;
    *pCredentialBlobSize = identity.password_length * sizeof(WCHAR);
    *ppszCredmanTargetName = credential_target(&identity, pszTargetName);
    *ppszCredmanUserName = qualified_user(&identity);
    password = auth_identity_string(identity.password, identity.password_length);
    *ppCredentialBlob = (UCHAR *)password;
    if (!*ppszCredmanTargetName || !*ppszCredmanUserName || !password) {
        take_back(ppszCredmanTargetName);
        take_back(ppszCredmanUserName);
        take_back((PCWSTR *)ppCredentialBlob);
        status = SEC_E_INSUFFICIENT_MEMORY;
    }
    identity_release(&identity);
    return status;
}

/* The host of service/host[:port][/name]; a target without a slash is the host itself. [::1] keeps its colons. */
SECURITY_STATUS WINAPI SspiGetTargetHostName(PCWSTR pszTargetName, PWSTR *pszHostName)
{
    const WCHAR *start, *end;

    if (!pszTargetName || !pszHostName) return SEC_E_INVALID_TOKEN;
    start = wcschr(pszTargetName, L'/');
    start = start ? start + 1 : pszTargetName;
    end = *start == L'[' ? wcschr(start, L']') : NULL;
    end = end ? end + 1 : start + wcscspn(start, L":/");
    *pszHostName = auth_identity_string(start, (ULONG)(end - start));
    return *pszHostName ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}
