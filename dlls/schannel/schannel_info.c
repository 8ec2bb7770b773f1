/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Context attributes that are numbers and texts (behaviour.md rows 188 to 200).
 */
#include "schannel.h"

#include <stdio.h>

static void widen(WCHAR *out, SIZE_T size, const char *ascii)
{
    SIZE_T i = 0;
    for (; ascii[i] && i + 1 < size; i++) out[i] = (unsigned char)ascii[i];
    out[i] = 0;
}

static WCHAR *copy_wide(const char *ascii)
{
    const SIZE_T size = strlen(ascii) + 1;
    WCHAR *copy = sp_allocate(size * sizeof(WCHAR));
    if (copy) widen(copy, size, ascii);
    return copy;
}

static NTSTATUS stream_sizes(const struct cs_block_tls_info *info, SecPkgContext_StreamSizes *sizes)
{
    *sizes = (SecPkgContext_StreamSizes){info->header, info->trailer, info->maximum, 4, info->cipher_block};
    return SEC_E_OK;
}

/* What a token and a record may take; Schannel has no signatures. */
static NTSTATUS sizes(const struct cs_block_tls_info *info, SecPkgContext_Sizes *out)
{
    *out = (SecPkgContext_Sizes){SCHANNEL_MAX_TOKEN, 0, info->cipher_block, info->header + info->trailer};
    return SEC_E_OK;
}

/* As on the wire, the byte of the hash before that of the signature (RFC 5246 7.4.1.4.1, RFC 8446 4.2.3). */
static NTSTATUS supported_signatures(SecPkgContext_SupportedSignatures *out)
{
    static const BYTE offered[][2] = {{4, 3}, {8, 4}, {4, 1}, {5, 3}, {8, 5}, {5, 1},
                                      {8, 7}, {6, 3}, {8, 6}, {6, 1}, {2, 1}, {2, 3}};
    void *copy = sp_allocate(sizeof offered);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    *out = (SecPkgContext_SupportedSignatures){ARRAYSIZE(offered), memcpy(copy, offered, sizeof offered)};
    return SEC_E_OK;
}

static NTSTATUS connection_info(const struct cs_block_tls_info *info, SecPkgContext_ConnectionInfo *out)
{
    *out = (SecPkgContext_ConnectionInfo){.dwProtocol = info->protocol,
                                          .aiCipher = info->cipher_id,
                                          .dwCipherStrength = info->cipher_bits,
                                          .aiHash = info->hash_id,
                                          .dwHashStrength = info->hash_bits,
                                          .aiExch = info->exchange_id,
                                          .dwExchStrength = info->exchange_bits};
    return SEC_E_OK;
}

static NTSTATUS connection_info_ex(const struct cs_block_tls_info *info, SecPkgContext_ConnectionInfoEx *out)
{
    *out = (SecPkgContext_ConnectionInfoEx){.dwVersion = SECPKGCONTEXT_CONNECTION_INFO_EX_V1,
                                            .dwProtocol = info->protocol,
                                            .dwCipherStrength = info->cipher_bits,
                                            .dwHashStrength = info->hash_bits,
                                            .dwExchStrength = info->exchange_bits};
    widen(out->szCipher, ARRAYSIZE(out->szCipher), info->cipher);
    widen(out->szHash, ARRAYSIZE(out->szHash), info->hash);
    widen(out->szExchange, ARRAYSIZE(out->szExchange), info->exchange);
    return SEC_E_OK;
}

static NTSTATUS cipher_info(const struct cs_block_tls_info *info, SecPkgContext_CipherInfo *out)
{
    *out = (SecPkgContext_CipherInfo){.dwVersion = SECPKGCONTEXT_CIPHERINFO_V1,
                                      .dwProtocol = info->version,
                                      .dwCipherSuite = info->suite,
                                      .dwBaseCipherSuite = info->suite,
                                      .dwCipherLen = info->cipher_bits,
                                      .dwCipherBlockLen = info->cipher_block,
                                      .dwHashLen = info->hash_bits,
                                      .dwMinExchangeLen = 0,
                                      .dwMaxExchangeLen = 65536, /* row 196 */
                                      .dwKeyType = info->key_type};
    widen(out->szCipherSuite, ARRAYSIZE(out->szCipherSuite), info->suite_name);
    widen(out->szCipher, ARRAYSIZE(out->szCipher), info->cipher);
    widen(out->szHash, ARRAYSIZE(out->szHash), info->hash);
    widen(out->szExchange, ARRAYSIZE(out->szExchange), info->exchange);
    widen(out->szCertificate, ARRAYSIZE(out->szCertificate), info->certificate);
    return SEC_E_OK;
}

static NTSTATUS key_info(const struct cs_block_tls_info *info, SecPkgContext_KeyInfoW *out)
{
    WCHAR *signature = copy_wide(info->certificate), *encrypt = copy_wide(info->cipher);
    if (!signature || !encrypt) {
        sp_free(signature);
        sp_free(encrypt);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    *out = (SecPkgContext_KeyInfoW){signature, encrypt, info->cipher_bits, info->signature_id, info->cipher_id};
    return SEC_E_OK;
}

static NTSTATUS session_info(const struct cs_block_tls_info *info, SecPkgContext_SessionInfo *out)
{
    *out = (SecPkgContext_SessionInfo){.dwFlags = info->resumed ? SSL_SESSION_RECONNECT : 0,
                                       .cbSessionId = info->session_id_size};
    memcpy(out->rgbSessionId, info->session_id, sizeof out->rgbSessionId);
    return SEC_E_OK;
}

/* No protocol at all is an answer as well (attributes.tsv, APPLICATION_PROTOCOL). */
static NTSTATUS application_protocol(const struct cs_block_tls_info *info, SecPkgContext_ApplicationProtocol *out)
{
    *out = (SecPkgContext_ApplicationProtocol){.ProtoNegoStatus = SecApplicationProtocolNegotiationStatus_None};
    if (!info->alpn) return SEC_E_OK;
    out->ProtoNegoStatus = SecApplicationProtocolNegotiationStatus_Success;
    out->ProtoNegoExt = SecApplicationProtocolNegotiationExt_ALPN;
    out->ProtocolIdSize = (BYTE)info->alpn_size;
    memcpy(out->ProtocolId, info->alpn_name, info->alpn_size);
    return SEC_E_OK;
}

/* "TLS 1.2", 1, 2 and the like; DTLS counts downwards on the wire (RFC 6347 4.1) */
static NTSTATUS proto_info(const struct cs_block_tls_info *info, SecPkgContext_ProtoInfoW *out)
{
    char name[16];
    const BOOL datagram = info->version >> 8 == 0xFE;
    const ULONG minor = info->version & 0xFF;
    *out = (SecPkgContext_ProtoInfoW){.majorVersion = 1, .minorVersion = datagram ? 0xFF - minor : minor - 1};
    snprintf(name, sizeof name, "%sTLS 1.%lu", datagram ? "D" : "", out->minorVersion);
    out->sProtocolName = copy_wide(name);
    return out->sProtocolName ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

NTSTATUS schannel_query_info(const struct schannel_context *context, ULONG attribute, void *buffer)
{
    struct cs_block_tls_info info = {.context = context->context};
    NTSTATUS status = CountersignCall(CS_CALL_TLS_QUERY, &info);
    if (status) return status;
    switch (attribute) {
    case SECPKG_ATTR_SIZES: return sizes(&info, buffer);
    case SECPKG_ATTR_SUPPORTED_SIGNATURES: return supported_signatures(buffer);
    case SECPKG_ATTR_STREAM_SIZES: return stream_sizes(&info, buffer);
    case SECPKG_ATTR_CONNECTION_INFO: return connection_info(&info, buffer);
    case SECPKG_ATTR_CONNECTION_INFO_EX: return connection_info_ex(&info, buffer);
    case SECPKG_ATTR_CIPHER_INFO: return cipher_info(&info, buffer);
    case SECPKG_ATTR_KEY_INFO: return key_info(&info, buffer);
    case SECPKG_ATTR_SESSION_INFO: return session_info(&info, buffer);
    case SECPKG_ATTR_APPLICATION_PROTOCOL: return application_protocol(&info, buffer);
    case SECPKG_ATTR_PROTO_INFO: return proto_info(&info, buffer);
    case SECPKG_ATTR_FLAGS: ((SecPkgContext_Flags *)buffer)->Flags = context->flags; return SEC_E_OK;
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
}
