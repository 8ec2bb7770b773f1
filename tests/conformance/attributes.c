/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Querying context attributes through the A entry point.
 */
#include "attributes.h"
#include "status.h"

#include <string.h>

static const char *status_text(SECURITY_STATUS status, char *text)
{
    char name[STATUS_NAME_MAX];

    snprintf(text, OBSERVED_MAX, "%s", status_name(status, name));
    return text;
}

const char *sizes_text(CtxtHandle *context, char *text)
{
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_SIZES, &sizes);

    if (status) return status_text(status, text);
    snprintf(text, OBSERVED_MAX, "max token %lu, signature %lu, block %lu, trailer %lu", sizes.cbMaxToken,
             sizes.cbMaxSignature, sizes.cbBlockSize, sizes.cbSecurityTrailer);
    return text;
}

const char *key_info_text(CtxtHandle *context, char *text)
{
    SecPkgContext_KeyInfoA info;
    SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_KEY_INFO, &info);

    if (status) return status_text(status, text);
    snprintf(text, OBSERVED_MAX, "%s / %s, 0x%08lx, %lu, 0x%lx", info.sSignatureAlgorithmName,
             info.sEncryptAlgorithmName, info.SignatureAlgorithm, info.KeySize, info.EncryptAlgorithm);
    FreeContextBuffer(info.sSignatureAlgorithmName);
    FreeContextBuffer(info.sEncryptAlgorithmName);
    return text;
}

const char *key_info_release_text(CtxtHandle *context, char *text)
{
    SecPkgContext_KeyInfoA info;
    char first[STATUS_NAME_MAX], second[STATUS_NAME_MAX];
    SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_KEY_INFO, &info);

    if (status) return status_text(status, text);
    snprintf(text, OBSERVED_MAX, "%s %s", status_name(FreeContextBuffer(info.sSignatureAlgorithmName), first),
             status_name(FreeContextBuffer(info.sEncryptAlgorithmName), second));
    return text;
}

SECURITY_STATUS session_key(CtxtHandle *context, unsigned char key[SESSION_KEY_MAX], ULONG *size,
                            SECURITY_STATUS *released)
{
    SecPkgContext_SessionKey data = {0, NULL};
    SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_SESSION_KEY, &data);

    *size = 0;
    if (status || !data.SessionKey) return status;
    *size = data.SessionKeyLength <= SESSION_KEY_MAX ? data.SessionKeyLength : SESSION_KEY_MAX;
    memcpy(key, data.SessionKey, *size);
    *released = FreeContextBuffer(data.SessionKey);
    return status;
}

const char *names_text(CtxtHandle *context, char *text)
{
    SecPkgContext_NamesA names = {NULL};
    SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_NAMES, &names);

    if (status || !names.sUserName) return status_text(status, text);
    snprintf(text, OBSERVED_MAX, "%s", names.sUserName);
    FreeContextBuffer(names.sUserName);
    return text;
}

const char *native_names_text(CtxtHandle *context, char *text)
{
    SecPkgContext_NativeNamesA names = {NULL, NULL};
    SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_NATIVE_NAMES, &names);

    if (status || !names.sClientName || !names.sServerName) return status_text(status, text);
    snprintf(text, OBSERVED_MAX, "%s, %s", names.sClientName, names.sServerName);
    FreeContextBuffer(names.sClientName);
    FreeContextBuffer(names.sServerName);
    return text;
}

/* SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS and its structure; the headers of older mingw lack both. */
#define KDC_PROXY_SETTINGS 3

struct kdc_proxy_settings {
    ULONG version;
    ULONG flags;
    USHORT proxy_offset, proxy_size, credential_offset, credential_size;
};

const char *set_kdc_proxy_text(CredHandle *credential, char *text)
{
    typedef SECURITY_STATUS(WINAPI * set_function)(CredHandle *, ULONG, void *, ULONG);
    set_function set = (set_function)(void *)optional_function("secur32.dll", "SetCredentialsAttributesW");
    struct kdc_proxy_settings settings = {.version = 1};

    if (!set) return "no such export";
    return status_text(set(credential, KDC_PROXY_SETTINGS, &settings, sizeof(settings)), text);
}

const char *name_form(const char *name)
{
    const char *separator = strchr(name, '\\');
    const bool has_both = separator && separator > name && separator[1] && !strchr(separator + 1, '\\');

    return has_both ? "DOMAIN\\user" : name;
}

const char *package_text(CtxtHandle *context, char *text)
{
    SecPkgContext_PackageInfoA info = {NULL};
    SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_PACKAGE_INFO, &info);

    if (status || !info.PackageInfo) return status_text(status, text);
    snprintf(text, OBSERVED_MAX, "%s", info.PackageInfo->Name);
    FreeContextBuffer(info.PackageInfo);
    return text;
}

const char *negotiation_text(CtxtHandle *context, char *text)
{
    SecPkgContext_NegotiationInfoA info = {NULL, 0};
    SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_NEGOTIATION_INFO, &info);
    char name[STATUS_NAME_MAX];

    if (status || !info.PackageInfo) return status_text(status, text);
    snprintf(text, OBSERVED_MAX, "%s, %lu, %s", status_name(status, name), info.NegotiationState,
             info.PackageInfo->Name);
    FreeContextBuffer(info.PackageInfo);
    return text;
}

const char *flags_text(CtxtHandle *context, ULONG granted, char *text)
{
    SecPkgContext_Flags data = {0};
    SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_FLAGS, &data);

    if (status) return status_text(status, text);
    if (data.Flags == granted) return "as granted";
    snprintf(text, OBSERVED_MAX, "0x%08lx, granted 0x%08lx", data.Flags, granted);
    return text;
}

/* Documented as local time, seen as either: both readings are tried. */
const char *expiry_text(TimeStamp expiry, char *text)
{
    const LONGLONG hour = 36000000000LL;
    FILETIME utc, local;
    LONGLONG left[2];

    GetSystemTimeAsFileTime(&utc);
    FileTimeToLocalFileTime(&utc, &local);
    left[0] = expiry.QuadPart - ((LONGLONG)utc.dwHighDateTime << 32 | utc.dwLowDateTime);
    left[1] = expiry.QuadPart - ((LONGLONG)local.dwHighDateTime << 32 | local.dwLowDateTime);
    for (size_t i = 0; i < COUNT_OF(left); i++)
        if (left[i] >= hour && left[i] <= 240 * hour) return "in 1 hour to 10 days";
    snprintf(text, OBSERVED_MAX, "in %lld seconds", (long long)(left[0] / 10000000));
    return text;
}
