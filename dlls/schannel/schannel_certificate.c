/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chains of certificates, between Windows's stores and the form in which they cross (tls.h).
 */
#include "schannel.h"

enum { LENGTH = 3 };

static void put(BYTE **out, PCCERT_CONTEXT certificate)
{
    const DWORD size = certificate->cbCertEncoded;
    const BYTE length[LENGTH] = {(BYTE)(size >> 16), (BYTE)(size >> 8), (BYTE)size};
    memcpy(*out, length, LENGTH);
    memcpy(*out + LENGTH, certificate->pbCertEncoded, size);
    *out += LENGTH + size;
}

void schannel_chain_append(BYTE **chain, DWORD *size, PCCERT_CONTEXT certificate)
{
    const SIZE_T whole = *size + LENGTH + certificate->cbCertEncoded;
    BYTE *grown = *chain ? HeapReAlloc(GetProcessHeap(), 0, *chain, whole) : HeapAlloc(GetProcessHeap(), 0, whole);
    if (!grown) return;
    BYTE *end = grown + *size;
    put(&end, certificate);
    *chain = grown;
    *size = (DWORD)whole;
}

static BYTE *write_alone(PCCERT_CONTEXT certificate, DWORD *size)
{
    BYTE *chain = HeapAlloc(GetProcessHeap(), 0, LENGTH + certificate->cbCertEncoded), *end = chain;
    if (!chain) return NULL;
    put(&end, certificate);
    *size = (DWORD)(end - chain);
    return chain;
}

BYTE *schannel_simple_chain_write(const CERT_SIMPLE_CHAIN *chain, BOOL whole, DWORD *size)
{
    DWORD count = chain->cElement, bytes = 0;
    if (!whole && count > 1 && chain->rgpElement[count - 1]->TrustStatus.dwInfoStatus & CERT_TRUST_IS_SELF_SIGNED)
        count--;
    for (DWORD i = 0; i < count; i++) bytes += LENGTH + chain->rgpElement[i]->pCertContext->cbCertEncoded;
    BYTE *out = HeapAlloc(GetProcessHeap(), 0, bytes), *end = out;
    for (DWORD i = 0; out && i < count; i++) put(&end, chain->rgpElement[i]->pCertContext);
    *size = bytes;
    return out;
}

BYTE *schannel_chain_write(PCCERT_CONTEXT certificate, BOOL whole, DWORD *size)
{
    CERT_CHAIN_PARA para = {.cbSize = sizeof para};
    const DWORD flags = CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL;
    PCCERT_CHAIN_CONTEXT chain;
    if (!CertGetCertificateChain(NULL, certificate, NULL, certificate->hCertStore, &para, flags, NULL, &chain))
        return write_alone(certificate, size);
    BYTE *out = chain->cChain && chain->rgpChain[0]->cElement
                    ? schannel_simple_chain_write(chain->rgpChain[0], whole, size)
                    : write_alone(certificate, size);
    CertFreeCertificateChain(chain);
    return out;
}

BOOL schannel_same_certificate(PCCERT_CONTEXT left, PCCERT_CONTEXT right)
{
    return left->cbCertEncoded == right->cbCertEncoded &&
           !memcmp(left->pbCertEncoded, right->pbCertEncoded, left->cbCertEncoded);
}

PCCERT_CONTEXT schannel_chain_read(const BYTE *chain, DWORD size)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL);
    PCCERT_CONTEXT first = NULL;
    BOOL good = store != NULL;
    while (good && size > LENGTH) {
        const DWORD length = (DWORD)chain[0] << 16 | (DWORD)chain[1] << 8 | chain[2];
        PCCERT_CONTEXT added = NULL;
        good = length <= size - LENGTH &&
               CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, chain + LENGTH, length, CERT_STORE_ADD_ALWAYS,
                                                first ? NULL : &added);
        if (!good) break;
        if (added) first = added;
        chain += LENGTH + length;
        size -= LENGTH + length;
    }
    if (store) CertCloseStore(store, 0); /* the certificate holds it */
    if (good || !first) return first;
    CertFreeCertificateContext(first);
    return NULL;
}

NTSTATUS schannel_bytes(const struct schannel_context *context, UINT32 which, BYTE **bytes, DWORD *size)
{
    struct cs_block_text block = {.object = context->context, .which = which};
    NTSTATUS status = CountersignCall(CS_CALL_TLS_QUERY_BYTES, &block);
    if (status) return status;
    *size = block.needed;
    *bytes = HeapAlloc(GetProcessHeap(), 0, block.needed ? block.needed : 1);
    if (!*bytes) return SEC_E_INSUFFICIENT_MEMORY;
    block.out = sp_bytes(*bytes, block.needed);
    status = CountersignCall(CS_CALL_TLS_QUERY_BYTES, &block);
    if (status == SEC_E_OK && block.needed == *size) return SEC_E_OK;
    HeapFree(GetProcessHeap(), 0, *bytes);
    return status ? status : SEC_E_INTERNAL_ERROR; /* another handshake has just changed it */
}
