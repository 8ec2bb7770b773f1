/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Windows says of a peer's certificate: crypt32's chain engine with the prefix's stores, and the policy for SSL.
 */
#include "schannel.h"

/* wininet.h */
#ifndef SECURITY_FLAG_IGNORE_UNKNOWN_CA
#define SECURITY_FLAG_IGNORE_REVOCATION 0x00000080
#define SECURITY_FLAG_IGNORE_UNKNOWN_CA 0x00000100
#define SECURITY_FLAG_IGNORE_CERT_CN_INVALID 0x00001000
#endif

static NTSTATUS status_of(DWORD error)
{
    switch (error) {
    case ERROR_SUCCESS: return SEC_E_OK;
    case (DWORD)CERT_E_UNTRUSTEDROOT:
    case (DWORD)CERT_E_CHAINING:
    case (DWORD)CERT_E_UNTRUSTEDCA: return SEC_E_UNTRUSTED_ROOT;
    case (DWORD)CERT_E_EXPIRED:
    case (DWORD)CERT_E_VALIDITYPERIODNESTING: return SEC_E_CERT_EXPIRED;
    case (DWORD)CERT_E_CN_NO_MATCH:
    case (DWORD)CERT_E_INVALID_NAME: return SEC_E_WRONG_PRINCIPAL;
    case (DWORD)CERT_E_WRONG_USAGE:
    case (DWORD)CERT_E_PURPOSE:
    case (DWORD)CERT_E_ROLE: return SEC_E_CERT_WRONG_USAGE;
    default: return SEC_E_CERT_UNKNOWN;
    }
}

/*
 * The certificate in which CHAIN ends is one of those that the credential brought along, byte by byte: anybody can make
 * one with the same issuer and serial number, which is all that CERT_FIND_EXISTING compares in Wine.
 */
static BOOL ends_in(const CERT_CHAIN_CONTEXT *chain, HCERTSTORE roots)
{
    const CERT_SIMPLE_CHAIN *last = chain->cChain ? chain->rgpChain[chain->cChain - 1] : NULL;
    if (!roots || !last || !last->cElement) return FALSE;
    PCCERT_CONTEXT end = last->rgpElement[last->cElement - 1]->pCertContext, found = NULL;
    while ((found = CertEnumCertificatesInStore(roots, found)) && !schannel_same_certificate(found, end)) continue;
    if (found) CertFreeCertificateContext(found);
    return found != NULL;
}

/* What a certificate is for is the side's. */
static NTSTATUS apply_policy(const struct schannel_context *context, const CERT_CHAIN_CONTEXT *chain)
{
    const struct schannel_credential *credential = context->credential;
    SSL_EXTRA_CERT_CHAIN_POLICY_PARA extra = {.cbSize = sizeof extra,
                                              .dwAuthType = credential->server ? AUTHTYPE_CLIENT : AUTHTYPE_SERVER};
    CERT_CHAIN_POLICY_PARA para = {.cbSize = sizeof para, .pvExtraPolicyPara = &extra};
    CERT_CHAIN_POLICY_STATUS status = {.cbSize = sizeof status};
    /* schannel_revocation_check and check_name look at these. */
    extra.fdwChecks = SECURITY_FLAG_IGNORE_REVOCATION | SECURITY_FLAG_IGNORE_CERT_CN_INVALID;
    if (ends_in(chain, credential->roots)) {
        para.dwFlags |= CERT_CHAIN_POLICY_ALLOW_UNKNOWN_CA_FLAG;
        extra.fdwChecks |= SECURITY_FLAG_IGNORE_UNKNOWN_CA;
    }
    if (!CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_SSL, chain, &para, &status)) return SEC_E_CERT_UNKNOWN;
    return status_of(status.dwError);
}

/*
 * By the Unix half: Wine's policy takes wildcards for a whole top-level domain or within an address, and knows no
 * addresses.
 */
static NTSTATUS check_name(const struct schannel_context *context, PCCERT_CONTEXT certificate)
{
    struct cs_block_tls_name block = {context->context,
                                      sp_bytes(certificate->pbCertEncoded, certificate->cbCertEncoded)};
    if (context->credential->server || context->credential->flags & SCH_CRED_NO_SERVERNAME_CHECK) return SEC_E_OK;
    return CountersignCall(CS_CALL_TLS_CHECK_NAME, &block);
}

/* What a chain may be built from beside the system's stores: what the peer has sent, and the credential's roots. Wine's
 * engine looks for certificates in the system's stores, but for lists of revoked ones only here. */
static HCERTSTORE open_material(const struct schannel_context *context, PCCERT_CONTEXT certificate)
{
    HCERTSTORE material = CertOpenStore(CERT_STORE_PROV_COLLECTION, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL);
    if (!material) return NULL;
    BOOL good = CertAddStoreToCollection(material, certificate->hCertStore, 0, 0);
    if (context->credential->roots) good &= CertAddStoreToCollection(material, context->credential->roots, 0, 1);
    if (schannel_revocation_flags(context->credential->flags)) good &= schannel_revocation_add_lists(material);
    if (good) return material;
    CertCloseStore(material, 0);
    return NULL;
}

static NTSTATUS check_chain(const struct schannel_context *context, const CERT_CHAIN_CONTEXT *chain, LPCSTR usage,
                            HCERTSTORE material)
{
    CERT_CHAIN_CONTEXT looked_at = *chain; /* the policy is to know what has been found beside the engine */
    looked_at.TrustStatus.dwErrorStatus = schannel_trust_errors(chain, usage);
    NTSTATUS status = apply_policy(context, &looked_at);
    if (status == SEC_E_OK) status = schannel_trust_status(looked_at.TrustStatus.dwErrorStatus);
    if (status == SEC_E_OK) status = check_name(context, chain->rgpChain[0]->rgpElement[0]->pCertContext);
    return status ? status : schannel_revocation_check(context, chain, material);
}

static NTSTATUS verify(const struct schannel_context *context, PCCERT_CONTEXT certificate)
{
    const DWORD flags = context->credential->flags;
    const LPCSTR usage = context->credential->server ? szOID_PKIX_KP_CLIENT_AUTH : szOID_PKIX_KP_SERVER_AUTH;
    CERT_CHAIN_PARA para = {.cbSize = sizeof para}; /* schannel_trust_errors looks at usages */
    NTSTATUS status = SEC_E_CERT_UNKNOWN;
    PCCERT_CHAIN_CONTEXT chain;
    HCERTSTORE material = open_material(context, certificate);
    DWORD how = schannel_revocation_flags(flags);
    if (!material) return SEC_E_INSUFFICIENT_MEMORY;
    if (flags & SCH_CRED_CACHE_ONLY_URL_RETRIEVAL) how |= CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL;
    if (CertGetCertificateChain(NULL, certificate, NULL, material, &para, how, NULL, &chain)) {
        status = check_chain(context, chain, usage, material);
        CertFreeCertificateChain(chain);
    }
    CertCloseStore(material, 0);
    return status;
}

NTSTATUS schannel_verify_peer(const struct schannel_context *context)
{
    BYTE *chain;
    DWORD size;
    NTSTATUS status = schannel_bytes(context, PEER_CHAIN, &chain, &size);
    if (status) return status == SEC_E_NO_CREDENTIALS ? SEC_E_CERT_UNKNOWN : status;
    PCCERT_CONTEXT certificate = schannel_chain_read(chain, size);
    HeapFree(GetProcessHeap(), 0, chain);
    if (!certificate) return SEC_E_CERT_UNKNOWN;
    status = verify(context, certificate);
    CertFreeCertificateContext(certificate);
    return status;
}
