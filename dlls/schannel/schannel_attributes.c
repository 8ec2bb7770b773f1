/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes that have to do with certificates, channel bindings and packages; and those of credentials.
 */
#include "schannel.h"

static NTSTATUS peer_certificate(const struct schannel_context *context, PCCERT_CONTEXT *out)
{
    BYTE *chain;
    DWORD size;
    NTSTATUS status = schannel_bytes(context, PEER_CHAIN, &chain, &size);
    if (status) return status;
    PCCERT_CONTEXT certificate = schannel_chain_read(chain, size);
    HeapFree(GetProcessHeap(), 0, chain);
    if (!certificate) return SEC_E_INTERNAL_ERROR;
    schannel_stapled_attach(context, certificate);
    *out = certificate;
    return SEC_E_OK;
}

/* What the peer got to see is the Unix half's to know: nothing, or that of another credential than the first leg's. */
static NTSTATUS own_certificate(const struct schannel_context *context, PCCERT_CONTEXT *out)
{
    BYTE *chain;
    DWORD size;
    *out = NULL;
    NTSTATUS status = schannel_bytes(context, LOCAL_CHAIN, &chain, &size);
    if (status) return status == SEC_E_NO_CREDENTIALS ? SEC_E_OK : status; /* NULL says that there was none */
    PCCERT_CONTEXT sent = schannel_chain_read(chain, size), own = context->credential->own;
    HeapFree(GetProcessHeap(), 0, chain);
    if (!sent) return SEC_E_INTERNAL_ERROR;
    *out = CertDuplicateCertificateContext(own && schannel_same_certificate(own, sent) ? own : sent);
    CertFreeCertificateContext(sent);
    return SEC_E_OK;
}

/* SEC_CHANNEL_BINDINGS with nothing but the application's data, in one block (rows 185 to 187). */
static NTSTATUS bindings(const struct schannel_context *context, UINT32 which, SecPkgContext_Bindings *out)
{
    BYTE *data;
    DWORD size;
    NTSTATUS status = schannel_bytes(context, which, &data, &size);
    if (status) return status;
    SEC_CHANNEL_BINDINGS *block = sp_allocate(sizeof *block + size);
    if (block) {
        *block = (SEC_CHANNEL_BINDINGS){.cbApplicationDataLength = size, .dwApplicationDataOffset = sizeof *block};
        memcpy(block + 1, data, size);
        *out = (SecPkgContext_Bindings){(ULONG)(sizeof *block + size), block};
    }
    HeapFree(GetProcessHeap(), 0, data);
    return block ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* TLS 1.3 has no tls-unique; RFC 9266's binding is what takes its place. */
static NTSTATUS unique_bindings(const struct schannel_context *context, SecPkgContext_Bindings *out)
{
    NTSTATUS status = bindings(context, UNIQUE_BINDINGS, out);
    return status == SEC_E_UNSUPPORTED_FUNCTION ? bindings(context, EXPORTER_BINDINGS, out) : status;
}

static NTSTATUS name_of(PCCERT_CONTEXT certificate, CERT_NAME_BLOB *name, WCHAR **out)
{
    const DWORD form = CERT_X500_NAME_STR;
    const DWORD size = CertNameToStrW(certificate->dwCertEncodingType, name, form, NULL, 0);
    WCHAR *text = sp_allocate(size * sizeof(WCHAR));
    if (!text) return SEC_E_INSUFFICIENT_MEMORY;
    CertNameToStrW(certificate->dwCertEncodingType, name, form, text, size);
    *out = text;
    return SEC_E_OK;
}

/* NAMES is whom the peer's certificate names, AUTHORITY who has issued it. */
static NTSTATUS peer_name(const struct schannel_context *context, BOOL issuer, WCHAR **out)
{
    PCCERT_CONTEXT certificate;
    NTSTATUS status = peer_certificate(context, &certificate);
    if (status) return status;
    status = name_of(certificate, issuer ? &certificate->pCertInfo->Issuer : &certificate->pCertInfo->Subject, out);
    CertFreeCertificateContext(certificate);
    return status;
}

/* EAP-TLS (RFC 5216 2.3): 128 bytes of keys and 64 of initialisation vectors. */
static NTSTATUS eap_keys(const struct schannel_context *context, SecPkgContext_EapKeyBlock *out)
{
    static const char label[] = "client EAP encryption";
    struct cs_block_tls_export block = {.context = context->context,
                                        .label = sp_bytes(label, sizeof label - 1),
                                        .out = sp_bytes(out->rgbKeys, sizeof out->rgbKeys)};
    SecureZeroMemory(out->rgbIVs, sizeof out->rgbIVs);
    return CountersignCall(CS_CALL_TLS_EXPORT, &block);
}

/* Bytes of the Unix half's in memory that FreeContextBuffer frees; *out NULL for none. */
static NTSTATUS lent_bytes(const struct schannel_context *context, UINT32 which, void **out, DWORD *size)
{
    BYTE *bytes;
    NTSTATUS status = schannel_bytes(context, which, &bytes, size);
    if (status) return status;
    *out = *size ? sp_allocate(*size) : NULL;
    if (*out) memcpy(*out, bytes, *size);
    HeapFree(GetProcessHeap(), 0, bytes);
    return *size && !*out ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK;
}

/* The numbers come in the order of the processor's bytes. */
static NTSTATUS negotiated_extensions(const struct schannel_context *context,
                                      SecPkgContext_NegotiatedTlsExtensions *out)
{
    void *numbers;
    DWORD size;
    NTSTATUS status = lent_bytes(context, EXTENSIONS, &numbers, &size);
    if (status == SEC_E_OK) *out = (SecPkgContext_NegotiatedTlsExtensions){size / sizeof(USHORT), numbers};
    return status;
}

/* A profile of 0, where none was agreed on, as APPLICATION_PROTOCOL has no protocol then; TLS has none ever. */
static NTSTATUS srtp_parameters(const struct schannel_context *context, SecPkgContext_SrtpParameters *out)
{
    BYTE *bytes;
    DWORD size;
    NTSTATUS status = schannel_bytes(context, SRTP, &bytes, &size);
    if (status) return status;
    *out = (SecPkgContext_SrtpParameters){.MasterKeyIdentifierSize = (BYTE)(size - sizeof out->ProtectionProfile)};
    memcpy(&out->ProtectionProfile, bytes, sizeof out->ProtectionProfile);
    if (out->MasterKeyIdentifierSize) {
        out->MasterKeyIdentifier = sp_allocate(out->MasterKeyIdentifierSize);
        if (out->MasterKeyIdentifier)
            memcpy(out->MasterKeyIdentifier, bytes + sizeof out->ProtectionProfile, out->MasterKeyIdentifierSize);
        else
            status = SEC_E_INSUFFICIENT_MEMORY;
    }
    HeapFree(GetProcessHeap(), 0, bytes);
    return status;
}

/* The caller says what it wants in the structure itself. */
static NTSTATUS keying_material(const struct schannel_context *context, SecPkgContext_KeyingMaterial_Inproc *material)
{
    return schannel_export(context, sp_bytes(material->pszLabel, material->cbLabel),
                           sp_bytes(material->pbContextValue, material->cbContextValue), material->cbKeyingMaterial,
                           &material->pbKeyingMaterial);
}

/* A context of TLS has no end of its own, which is what the legs say as well. */
static NTSTATUS lifespan(const struct schannel_context *context, SecPkgContext_Lifespan *out)
{
    if (!context->complete) return SEC_E_INVALID_HANDLE;
    sp_time_stamp(context->started, &out->tsStart);
    sp_time_stamp(MAXLONGLONG, &out->tsExpiry);
    return SEC_E_OK;
}

static NTSTATUS package_info(SecPkgInfoW **out)
{
    static const SecPkgInfoW info = {0x004107B3,
                                     1,
                                     UNISP_RPC_ID,
                                     SCHANNEL_MAX_TOKEN,
                                     (SEC_WCHAR *)UNISP_NAME_W,
                                     (SEC_WCHAR *)L"Schannel Security Package"};
    *out = sp_copy_info(&info);
    return *out ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

NTSTATUS NTAPI schannel_query_context_attributes(LSA_SEC_HANDLE handle, ULONG attribute, void *buffer)
{
    const struct schannel_context *context = (struct schannel_context *)handle;
    if (context->failed) return context->failed;
    switch (attribute) {
    case SECPKG_ATTR_PACKAGE_INFO: return package_info(&((SecPkgContext_PackageInfoW *)buffer)->PackageInfo);
    case SECPKG_ATTR_REMOTE_CERT_CONTEXT:
    case SECPKG_ATTR_REMOTE_CERT_CHAIN: return peer_certificate(context, buffer); /* its store has the chain */
    case SECPKG_ATTR_LOCAL_CERT_CONTEXT: return own_certificate(context, buffer);
    case SECPKG_ATTR_ENDPOINT_BINDINGS: return bindings(context, ENDPOINT_BINDINGS, buffer);
    case SECPKG_ATTR_UNIQUE_BINDINGS: return unique_bindings(context, buffer);
    case SECPKG_ATTR_NAMES: return peer_name(context, FALSE, &((SecPkgContext_NamesW *)buffer)->sUserName);
    case SECPKG_ATTR_AUTHORITY: return peer_name(context, TRUE, &((SecPkgContext_AuthorityW *)buffer)->sAuthorityName);
    case SECPKG_ATTR_ISSUER_LIST_EX: return schannel_issuer_list(context, buffer);
    case SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS: return negotiated_extensions(context, buffer);
    case SECPKG_ATTR_SRTP_PARAMETERS: return srtp_parameters(context, buffer);
    case SECPKG_ATTR_EAP_KEY_BLOCK: return eap_keys(context, buffer);
    case SECPKG_ATTR_LIFESPAN: return lifespan(context, buffer);
    case SECPKG_ATTR_APP_DATA: return schannel_app_data(context, buffer);
    case SECPKG_ATTR_DTLS_MTU: return schannel_mtu(context, buffer);
    case SECPKG_ATTR_KEYING_MATERIAL: return schannel_keying_material(context, buffer);
    case SECPKG_ATTR_KEYING_MATERIAL_INPROC: return keying_material(context, buffer);
    default: return schannel_query_info(context, attribute, buffer);
    }
}

/* ---- credentials ---- */

static NTSTATUS supported_algorithms(SecPkgCred_SupportedAlgs *out)
{
    static const ALG_ID algorithms[] = {CALG_AES_256,  CALG_AES_128, CALG_SHA_384,    CALG_SHA_256,  CALG_SHA1,
                                        CALG_RSA_SIGN, CALG_ECDSA,   CALG_ECDH_EPHEM, CALG_DH_EPHEM, CALG_RSA_KEYX};
    ALG_ID *copy = sp_allocate(sizeof algorithms);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    *out = (SecPkgCred_SupportedAlgs){ARRAYSIZE(algorithms), memcpy(copy, algorithms, sizeof algorithms)};
    return SEC_E_OK;
}

static NTSTATUS encoded(PCCERT_CONTEXT own, SecPkgCredentials_Cert *out)
{
    if (!own) return SEC_E_NO_CREDENTIALS;
    out->EncodedCert = sp_allocate(own->cbCertEncoded);
    if (!out->EncodedCert) return SEC_E_INSUFFICIENT_MEMORY;
    out->EncodedCertSize = own->cbCertEncoded;
    memcpy(out->EncodedCert, own->pbCertEncoded, own->cbCertEncoded);
    return SEC_E_OK;
}

NTSTATUS NTAPI schannel_query_credentials_attributes(LSA_SEC_HANDLE handle, ULONG attribute, void *buffer)
{
    const struct schannel_credential *credential = (struct schannel_credential *)handle;
    PCCERT_CONTEXT own = credential->own;
    if (!buffer) return SEC_E_INTERNAL_ERROR; /* rows 123, 124 */
    switch (attribute) {
    case SECPKG_ATTR_SUPPORTED_ALGS: return supported_algorithms(buffer);
    case SECPKG_ATTR_CIPHER_STRENGTHS:
        *(SecPkgCred_CipherStrengths *)buffer = (SecPkgCred_CipherStrengths){128, 256};
        return SEC_E_OK;
    case SECPKG_ATTR_SUPPORTED_PROTOCOLS:
        ((SecPkgCred_SupportedProtocols *)buffer)->grbitProtocol = credential->protocols;
        return SEC_E_OK;
    case SECPKG_CRED_ATTR_CERT: return encoded(own, buffer);
    case SECPKG_CRED_ATTR_NAMES:
        if (!own) return SEC_E_NO_CREDENTIALS;
        return name_of(own, &own->pCertInfo->Subject, &((SecPkgCredentials_NamesW *)buffer)->sUserName);
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
}
