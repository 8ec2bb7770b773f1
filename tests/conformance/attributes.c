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
