/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QueryContextAttributesEx and QueryCredentialsAttributesEx: the queries without Ex, once the caller's buffer is found
 * large enough. Only sspicli exports them; secur32 is linked with them too, for the function tables it hands out.
 */
#include <windows.h>
#include <security.h>
#include <schannel.h>

#include "attributes_ex.h"

struct attribute_size {
    ULONG attribute;
    ULONG size; /* bytes of the structure; the A and the W one are the same size */
};

static const struct attribute_size context_sizes[] = {
    {SECPKG_ATTR_SIZES, sizeof(SecPkgContext_Sizes)},
    {SECPKG_ATTR_NAMES, sizeof(SecPkgContext_NamesW)},
    {SECPKG_ATTR_LIFESPAN, sizeof(SecPkgContext_Lifespan)},
    {SECPKG_ATTR_DCE_INFO, sizeof(SecPkgContext_DceInfo)},
    {SECPKG_ATTR_STREAM_SIZES, sizeof(SecPkgContext_StreamSizes)},
    {SECPKG_ATTR_KEY_INFO, sizeof(SecPkgContext_KeyInfoW)},
    {SECPKG_ATTR_AUTHORITY, sizeof(SecPkgContext_AuthorityW)},
    {SECPKG_ATTR_PROTO_INFO, sizeof(SecPkgContext_ProtoInfoW)},
    {SECPKG_ATTR_PASSWORD_EXPIRY, sizeof(SecPkgContext_PasswordExpiry)},
    {SECPKG_ATTR_SESSION_KEY, sizeof(SecPkgContext_SessionKey)},
    {SECPKG_ATTR_PACKAGE_INFO, sizeof(SecPkgContext_PackageInfoW)},
    {SECPKG_ATTR_USER_FLAGS, sizeof(SecPkgContext_UserFlags)},
    {SECPKG_ATTR_NEGOTIATION_INFO, sizeof(SecPkgContext_NegotiationInfoW)},
    {SECPKG_ATTR_NATIVE_NAMES, sizeof(SecPkgContext_NativeNamesW)},
    {SECPKG_ATTR_FLAGS, sizeof(SecPkgContext_Flags)},
    {SECPKG_ATTR_CREDENTIAL_NAME, sizeof(SecPkgContext_CredentialNameW)},
    {SECPKG_ATTR_TARGET_INFORMATION, sizeof(SecPkgContext_TargetInformation)},
    {SECPKG_ATTR_ACCESS_TOKEN, sizeof(SecPkgContext_AccessToken)},
    {SECPKG_ATTR_TARGET, sizeof(SecPkgContext_Target)},
    {SECPKG_ATTR_LOGOFF_TIME, sizeof(SecPkgContext_LogoffTime)},
    {SECPKG_ATTR_NEGO_KEYS, sizeof(SecPkgContext_NegoKeys)},
    {SECPKG_ATTR_UNIQUE_BINDINGS, sizeof(SecPkgContext_Bindings)},
    {SECPKG_ATTR_ENDPOINT_BINDINGS, sizeof(SecPkgContext_Bindings)},
    {SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, sizeof(SecPkgContext_ClientSpecifiedTarget)},
    {SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, sizeof(SecPkgContext_LastClientTokenStatus)},
    {SECPKG_ATTR_NEGO_PKG_INFO, sizeof(SecPkgContext_NegoPackageInfo)},
    {SECPKG_ATTR_NEGO_STATUS, sizeof(SecPkgContext_NegoStatus)},
    {SECPKG_ATTR_APPLICATION_PROTOCOL, sizeof(SecPkgContext_ApplicationProtocol)},
    {SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS, sizeof(SecPkgContext_NegotiatedTlsExtensions)},
    {SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES, sizeof(SecPkgContext_SubjectAttributes)},
    {SECPKG_ATTR_REMOTE_CERT_CONTEXT, sizeof(PCCERT_CONTEXT)},
    {SECPKG_ATTR_REMOTE_CERT_CHAIN, sizeof(PCCERT_CONTEXT)},
    {SECPKG_ATTR_LOCAL_CERT_CONTEXT, sizeof(PCCERT_CONTEXT)},
    {SECPKG_ATTR_ISSUER_LIST_EX, sizeof(SecPkgContext_IssuerListInfoEx)},
    {SECPKG_ATTR_CONNECTION_INFO, sizeof(SecPkgContext_ConnectionInfo)},
    {SECPKG_ATTR_CONNECTION_INFO_EX, sizeof(SecPkgContext_ConnectionInfoEx)},
    {SECPKG_ATTR_EAP_KEY_BLOCK, sizeof(SecPkgContext_EapKeyBlock)},
    {SECPKG_ATTR_SESSION_INFO, sizeof(SecPkgContext_SessionInfo)},
    {SECPKG_ATTR_APP_DATA, sizeof(SecPkgContext_SessionAppData)},
    {SECPKG_ATTR_SUPPORTED_SIGNATURES, sizeof(SecPkgContext_SupportedSignatures)},
    {SECPKG_ATTR_CIPHER_INFO, sizeof(SecPkgContext_CipherInfo)},
    {SECPKG_ATTR_KEYING_MATERIAL, sizeof(SecPkgContext_KeyingMaterial)},
    {SECPKG_ATTR_SRTP_PARAMETERS, sizeof(SecPkgContext_SrtpParameters)},
    {SECPKG_ATTR_KEYING_MATERIAL_INPROC, sizeof(SecPkgContext_KeyingMaterial_Inproc)},
};

static const struct attribute_size credential_sizes[] = {
    {SECPKG_CRED_ATTR_NAMES, sizeof(SecPkgCredentials_NamesW)},
    {SECPKG_CRED_ATTR_SSI_PROVIDER, sizeof(SecPkgCredentials_SSIProviderW)},
    {SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS, sizeof(SecPkgCredentials_KdcProxySettingsW)},
    {SECPKG_CRED_ATTR_CERT, sizeof(SecPkgCredentials_Cert)},
    {SECPKG_ATTR_SUPPORTED_ALGS, sizeof(SecPkgCred_SupportedAlgs)},
    {SECPKG_ATTR_CIPHER_STRENGTHS, sizeof(SecPkgCred_CipherStrengths)},
    {SECPKG_ATTR_SUPPORTED_PROTOCOLS, sizeof(SecPkgCred_SupportedProtocols)},
};

/* An attribute that is not listed has no size: the package knows whether there is such a one. */
static ULONG size_of(const struct attribute_size *sizes, ULONG count, ULONG attribute)
{
    ULONG i;

    for (i = 0; i < count; i++)
        if (sizes[i].attribute == attribute) return sizes[i].size;
    return 0;
}

ULONG context_attribute_size(ULONG attribute)
{
    return size_of(context_sizes, ARRAYSIZE(context_sizes), attribute);
}

ULONG credential_attribute_size(ULONG attribute)
{
    return size_of(credential_sizes, ARRAYSIZE(credential_sizes), attribute);
}

SECURITY_STATUS WINAPI QueryContextAttributesExW(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer,
                                                 ULONG cbBuffer)
{
    if (cbBuffer < context_attribute_size(ulAttribute)) return SEC_E_BUFFER_TOO_SMALL;
    return QueryContextAttributesW(phContext, ulAttribute, pBuffer);
}

SECURITY_STATUS WINAPI QueryContextAttributesExA(PCtxtHandle phContext, ULONG ulAttribute, void *pBuffer,
                                                 ULONG cbBuffer)
{
    if (cbBuffer < context_attribute_size(ulAttribute)) return SEC_E_BUFFER_TOO_SMALL;
    return QueryContextAttributesA(phContext, ulAttribute, pBuffer);
}

SECURITY_STATUS WINAPI QueryCredentialsAttributesExW(PCredHandle phCredential, ULONG ulAttribute, void *pBuffer,
                                                     ULONG cbBuffer)
{
    if (cbBuffer < credential_attribute_size(ulAttribute)) return SEC_E_BUFFER_TOO_SMALL;
    return QueryCredentialsAttributesW(phCredential, ulAttribute, pBuffer);
}

SECURITY_STATUS WINAPI QueryCredentialsAttributesExA(PCredHandle phCredential, ULONG ulAttribute, void *pBuffer,
                                                     ULONG cbBuffer)
{
    if (cbBuffer < credential_attribute_size(ulAttribute)) return SEC_E_BUFFER_TOO_SMALL;
    return QueryCredentialsAttributesA(phCredential, ulAttribute, pBuffer);
}
