/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The certificate of a client that has named none: the first of the user's own that the server would take. Schannel
 * looks for one unless the program forbids it (SCHANNEL_CRED, SCH_CRED_NO_DEFAULT_CREDS); it goes to servers whose own
 * certificate is good, or whose program trusts anybody.
 */
#include "schannel.h"

static BOOL has_key(PCCERT_CONTEXT certificate)
{
    DWORD size = 0;
    return CertGetCertificateContextProperty(certificate, CERT_KEY_PROV_INFO_PROP_ID, NULL, &size);
}

/* No usage named is any (RFC 5280 4.2.1.12), which CertGetEnhancedKeyUsage tells by CRYPT_E_NOT_FOUND. */
static BOOL is_for_clients(PCCERT_CONTEXT certificate)
{
    DWORD size = 0;
    BOOL good = FALSE;
    if (!CertGetEnhancedKeyUsage(certificate, 0, NULL, &size)) return FALSE;
    CERT_ENHKEY_USAGE *usage = HeapAlloc(GetProcessHeap(), 0, size);
    if (usage && CertGetEnhancedKeyUsage(certificate, 0, usage, &size)) {
        good = !usage->cUsageIdentifier && GetLastError() == (DWORD)CRYPT_E_NOT_FOUND;
        for (DWORD i = 0; i < usage->cUsageIdentifier; i++)
            good |= !strcmp(usage->rgpszUsageIdentifier[i], szOID_PKIX_KP_CLIENT_AUTH);
    }
    HeapFree(GetProcessHeap(), 0, usage);
    return good;
}

static BOOL is_named(const CERT_NAME_BLOB *name, const SecPkgContext_IssuerListInfoEx *issuers)
{
    for (DWORD i = 0; i < issuers->cIssuers; i++)
        if (CertCompareCertificateName(X509_ASN_ENCODING, (CERT_NAME_BLOB *)name, &issuers->aIssuers[i])) return TRUE;
    return FALSE;
}

/* Whether it, or anybody above it, is issued by somebody on the list; on an empty one everybody is. */
static BOOL is_wanted(PCCERT_CONTEXT certificate, const SecPkgContext_IssuerListInfoEx *issuers)
{
    CERT_CHAIN_PARA para = {.cbSize = sizeof para};
    PCCERT_CHAIN_CONTEXT chain;
    BOOL wanted = FALSE;
    if (!issuers->cIssuers) return TRUE;
    if (!CertGetCertificateChain(NULL, certificate, NULL, certificate->hCertStore, &para,
                                 CERT_CHAIN_CACHE_ONLY_URL_RETRIEVAL, NULL, &chain))
        return is_named(&certificate->pCertInfo->Issuer, issuers);
    for (DWORD i = 0; chain->cChain && i < chain->rgpChain[0]->cElement; i++)
        wanted |= is_named(&chain->rgpChain[0]->rgpElement[i]->pCertContext->pCertInfo->Issuer, issuers);
    CertFreeCertificateChain(chain);
    return wanted;
}

/* A key that cannot be had is no key: the next one is tried. */
static struct schannel_credential *find(HCERTSTORE store, const struct schannel_credential *original,
                                        const SecPkgContext_IssuerListInfoEx *issuers)
{
    struct schannel_credential *found = NULL;
    for (PCCERT_CONTEXT at = NULL; !found && (at = CertEnumCertificatesInStore(store, at));) {
        const BOOL fits =
            has_key(at) && !CertVerifyTimeValidity(NULL, at->pCertInfo) && is_for_clients(at) && is_wanted(at, issuers);
        if (fits) found = schannel_credential_with(original, at);
        if (found) CertFreeCertificateContext(at);
    }
    return found;
}

struct schannel_credential *schannel_default_credential(const struct schannel_context *context,
                                                        const struct schannel_credential *original)
{
    SecPkgContext_IssuerListInfoEx issuers = {NULL, 0};
    struct schannel_credential *found = NULL;
    if (original->server || original->own || original->flags & SCH_CRED_NO_DEFAULT_CREDS) return NULL;
    if (schannel_issuer_list(context, &issuers)) return NULL;
    HCERTSTORE store =
        CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_CURRENT_USER | CERT_STORE_READONLY_FLAG, L"MY");
    if (store) {
        found = find(store, original, &issuers);
        CertCloseStore(store, 0);
    }
    if (issuers.aIssuers) sp_free(issuers.aIssuers);
    return found;
}
