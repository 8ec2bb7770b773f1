/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a certificate has been revoked. Wine's chain engine finds revoked ones; but of a list at hand that does not
 * name the certificate it says that nobody can tell (CERT_TRUST_IS_OFFLINE_REVOCATION), where Windows takes its word
 * until the next update is due.
 */
#include "schannel.h"

DWORD schannel_revocation_flags(DWORD flags)
{
    DWORD chain = 0;
    if (flags & SCH_CRED_REVOCATION_CHECK_END_CERT) chain |= CERT_CHAIN_REVOCATION_CHECK_END_CERT;
    if (flags & SCH_CRED_REVOCATION_CHECK_CHAIN) chain |= CERT_CHAIN_REVOCATION_CHECK_CHAIN;
    if (flags & SCH_CRED_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT) chain |= CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT;
    if (chain && flags & SCH_CRED_REVOCATION_CHECK_CACHE_ONLY) chain |= CERT_CHAIN_REVOCATION_CHECK_CACHE_ONLY;
    return chain;
}

BOOL schannel_revocation_add_lists(HCERTSTORE material)
{
    const DWORD flags = CERT_SYSTEM_STORE_CURRENT_USER | CERT_STORE_READONLY_FLAG | CERT_STORE_OPEN_EXISTING_FLAG;
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, flags, L"CA");
    if (!store) return TRUE; /* there is none */
    const BOOL added = CertAddStoreToCollection(material, store, 0, 0);
    CertCloseStore(store, 0);
    return added;
}

/* Where Windows would have asked somebody, who was not there. */
static BOOL has_place(PCCERT_CONTEXT certificate)
{
    static const char *const places[] = {szOID_CRL_DIST_POINTS, szOID_AUTHORITY_INFO_ACCESS};
    const CERT_INFO *info = certificate->pCertInfo;
    for (SIZE_T i = 0; i < ARRAYSIZE(places); i++)
        if (CertFindExtension(places[i], info->cExtension, info->rgExtension)) return TRUE;
    return FALSE;
}

/* What LIST, of the issuer's, says of CERTIFICATE. */
static NTSTATUS ask_list(PCCERT_CONTEXT certificate, PCCRL_CONTEXT list)
{
    PCRL_ENTRY entry = NULL;
    if (!CertFindCertificateInCRL(certificate, list, 0, NULL, &entry)) return CRYPT_E_REVOCATION_OFFLINE;
    if (entry) return CRYPT_E_REVOKED;
    return CertVerifyCRLTimeValidity(NULL, list->pCrlInfo) ? CRYPT_E_REVOCATION_OFFLINE : SEC_E_OK;
}

static BOOL has_signed(PCCERT_CONTEXT issuer, PCCRL_CONTEXT list)
{
    struct cs_block_tls_list block = {sp_bytes(list->pbCrlEncoded, list->cbCrlEncoded),
                                      sp_bytes(issuer->pbCertEncoded, issuer->cbCertEncoded)};
    return CountersignCall(CS_CALL_TLS_VERIFY_LIST, &block) == SEC_E_OK;
}

/* Lists count that ISSUER has signed: that it is revoked in any, then that one which is not outdated clears it. */
static NTSTATUS ask_lists(PCCERT_CONTEXT certificate, PCCERT_CONTEXT issuer, HCERTSTORE material)
{
    NTSTATUS status = has_place(certificate) ? CRYPT_E_REVOCATION_OFFLINE : CRYPT_E_NO_REVOCATION_CHECK;
    BOOL cleared = FALSE;
    PCCRL_CONTEXT list = NULL;
    while ((list = CertFindCRLInStore(material, X509_ASN_ENCODING, 0, CRL_FIND_ISSUED_BY, issuer, list))) {
        if (!has_signed(issuer, list)) continue;
        status = ask_list(certificate, list);
        cleared |= status == SEC_E_OK;
        if (status != CRYPT_E_REVOKED) continue;
        CertFreeCRLContext(list);
        return status;
    }
    return cleared ? SEC_E_OK : status;
}

/* Whether FLAGS ask about that element of CHAIN: the engine goes by itself, but knows of no stapled answers. */
static BOOL is_asked_about(const CERT_SIMPLE_CHAIN *chain, DWORD which, DWORD flags)
{
    const BOOL root = (chain->rgpElement[which]->TrustStatus.dwInfoStatus & CERT_TRUST_IS_SELF_SIGNED) != 0;
    if (flags & SCH_CRED_REVOCATION_CHECK_CHAIN) return TRUE;
    if (flags & SCH_CRED_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT && !root) return TRUE;
    return flags & SCH_CRED_REVOCATION_CHECK_END_CERT && which == 0;
}

/* What is revoked by either, list or stapled answer, is revoked. */
static NTSTATUS check_element(const struct schannel_context *context, const CERT_SIMPLE_CHAIN *chain, DWORD which,
                              HCERTSTORE material)
{
    const DWORD flags = context->credential->flags;
    const CERT_CHAIN_ELEMENT *element = chain->rgpElement[which];
    const CERT_CHAIN_ELEMENT *issuer = chain->rgpElement[which + 1 < chain->cElement ? which + 1 : which];
    const DWORD errors = element->TrustStatus.dwErrorStatus;
    NTSTATUS status = errors & CERT_TRUST_IS_REVOKED ? CRYPT_E_REVOKED : SEC_E_OK;
    if (status == SEC_E_OK && errors & (CERT_TRUST_REVOCATION_STATUS_UNKNOWN | CERT_TRUST_IS_OFFLINE_REVOCATION))
        status = ask_lists(element->pCertContext, issuer->pCertContext, material);
    if (status == CRYPT_E_REVOKED || !is_asked_about(chain, which, flags)) return status;
    switch (schannel_stapled_check(context, element->pCertContext, issuer->pCertContext)) {
    case STAPLED_REVOKED: return CRYPT_E_REVOKED;
    case STAPLED_GOOD: return SEC_E_OK;
    }
    if (status == CRYPT_E_REVOCATION_OFFLINE && flags & SCH_CRED_IGNORE_REVOCATION_OFFLINE) return SEC_E_OK;
    if (status == CRYPT_E_NO_REVOCATION_CHECK && flags & SCH_CRED_IGNORE_NO_REVOCATION_CHECK) return SEC_E_OK;
    return status;
}

NTSTATUS schannel_revocation_check(const struct schannel_context *context, const CERT_CHAIN_CONTEXT *chain,
                                   HCERTSTORE material)
{
    NTSTATUS status = chain->TrustStatus.dwErrorStatus & CERT_TRUST_IS_REVOKED ? CRYPT_E_REVOKED : SEC_E_OK;
    for (DWORD i = 0; i < chain->cChain; i++)
        for (DWORD j = 0; status == SEC_E_OK && j < chain->rgpChain[i]->cElement; j++)
            status = check_element(context, chain->rgpChain[i], j, material);
    return status;
}
