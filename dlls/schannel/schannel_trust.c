/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is wrong with a chain, as Windows's engine would say it (CERT_TRUST_): what Wine's has found, what it does not
 * look for, and less what it only cannot read.
 */
#include "schannel.h"

/* CHAIN's first certificates are its peer's and those above it. The root, whoever has it in a store, is the last. */
static PCCERT_CONTEXT element(const CERT_SIMPLE_CHAIN *chain, DWORD i)
{
    return chain->rgpElement[i]->pCertContext;
}

/*
 * Wine's engine knows signatures of RSA with PKCS #1's padding, and some of ECDSA; AD's authorities may sign with
 * RSASSA-PSS. Where it finds one bad, the Unix half looks again.
 */
static BOOL is_signed(const CERT_SIMPLE_CHAIN *chain, DWORD i)
{
    PCCERT_CONTEXT certificate = element(chain, i), issuer = element(chain, i + 1 < chain->cElement ? i + 1 : i);
    struct cs_block_tls_signed block = {sp_bytes(certificate->pbCertEncoded, certificate->cbCertEncoded),
                                        sp_bytes(issuer->pbCertEncoded, issuer->cbCertEncoded)};
    return CountersignCall(CS_CALL_TLS_VERIFY_SIGNATURE, &block) == SEC_E_OK;
}

static BOOL has_bad_signature(const CERT_SIMPLE_CHAIN *chain)
{
    for (DWORD i = 0; i < chain->cElement; i++)
        if (chain->rgpElement[i]->TrustStatus.dwErrorStatus & CERT_TRUST_IS_NOT_SIGNATURE_VALID && !is_signed(chain, i))
            return TRUE;
    return FALSE;
}

/*
 * Windows takes no RSA key of less than 1024 bits anywhere in a chain since its update KB 2661254 (2012), and says
 * CERT_TRUST_HAS_WEAK_SIGNATURE of it. Wine's engine looks at no sizes.
 */
static BOOL has_weak_key(PCCERT_CONTEXT certificate)
{
    enum { LEAST_BITS = 1024 };
    static const char rsa[] = szOID_PKCS_1 ".";
    const CERT_PUBLIC_KEY_INFO *key = &certificate->pCertInfo->SubjectPublicKeyInfo;
    PUBLICKEYSTRUC *blob;
    DWORD size;
    if (strncmp(key->Algorithm.pszObjId, rsa, sizeof rsa - 1)) return FALSE;
    if (!CryptDecodeObjectEx(X509_ASN_ENCODING, RSA_CSP_PUBLICKEYBLOB, key->PublicKey.pbData, key->PublicKey.cbData,
                             CRYPT_DECODE_ALLOC_FLAG, NULL, &blob, &size))
        return TRUE;
    const BOOL weak = ((RSAPUBKEY *)(blob + 1))->bitlen < LEAST_BITS;
    LocalFree(blob);
    return weak;
}

/* Two certificates can be made that have the same signature; a root's own is nobody's proof. */
static BOOL has_broken_hash(PCCERT_CONTEXT certificate)
{
    static const char *const broken[] = {szOID_RSA_MD2RSA,    szOID_RSA_MD4RSA,    szOID_RSA_MD5RSA,
                                         szOID_OIWSEC_md5RSA, szOID_OIWSEC_md4RSA, szOID_OIWSEC_md4RSA2,
                                         szOID_OIWDIR_md2RSA};
    for (size_t i = 0; i < ARRAYSIZE(broken); i++)
        if (!strcmp(certificate->pCertInfo->SignatureAlgorithm.pszObjId, broken[i])) return TRUE;
    return FALSE;
}

static BOOL is_for(const CTL_USAGE *usages, LPCSTR usage)
{
    for (DWORD i = 0; i < usages->cUsageIdentifier; i++)
        if (!strcmp(usages->rgpszUsageIdentifier[i], usage) ||
            !strcmp(usages->rgpszUsageIdentifier[i], szOID_ANY_ENHANCED_KEY_USAGE))
            return TRUE;
    return FALSE;
}

/*
 * An authority that names usages gives no others: Windows goes by that, Wine by the peer's certificate alone, and takes
 * anyExtendedKeyUsage for none. A root's are not looked at.
 */
static BOOL has_usage(PCCERT_CONTEXT certificate, LPCSTR usage)
{
    const CERT_INFO *info = certificate->pCertInfo;
    const CERT_EXTENSION *extension = CertFindExtension(szOID_ENHANCED_KEY_USAGE, info->cExtension, info->rgExtension);
    CTL_USAGE *usages;
    DWORD size;
    if (!extension) return TRUE;
    if (!CryptDecodeObjectEx(X509_ASN_ENCODING, X509_ENHANCED_KEY_USAGE, extension->Value.pbData,
                             extension->Value.cbData, CRYPT_DECODE_ALLOC_FLAG, NULL, &usages, &size))
        return FALSE;
    const BOOL has = is_for(usages, usage);
    LocalFree(usages);
    return has;
}

BOOL schannel_is_in(HCERTSTORE store, PCCERT_CONTEXT certificate)
{
    PCCERT_CONTEXT found =
        store ? CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_EXISTING, certificate, NULL) : NULL;
    if (found) CertFreeCertificateContext(found);
    return found != NULL;
}

static DWORD look_at(const CERT_SIMPLE_CHAIN *chain, HCERTSTORE disallowed, LPCSTR usage)
{
    DWORD errors = has_bad_signature(chain) ? CERT_TRUST_IS_NOT_SIGNATURE_VALID : 0;
    for (DWORD i = 0; i < chain->cElement; i++) {
        PCCERT_CONTEXT certificate = element(chain, i);
        const BOOL root = i + 1 == chain->cElement;
        if (has_weak_key(certificate) || (!root && has_broken_hash(certificate)))
            errors |= CERT_TRUST_HAS_WEAK_SIGNATURE;
        if ((!root || !i) && !has_usage(certificate, usage)) errors |= CERT_TRUST_IS_NOT_VALID_FOR_USAGE;
        if (schannel_is_in(disallowed, certificate)) errors |= CERT_TRUST_IS_EXPLICIT_DISTRUST;
    }
    return errors;
}

/* Whether the store below that key has had anything: to open it takes as long as a handshake. */
static BOOL has_key(HKEY root, const WCHAR *path)
{
    HKEY key;
    if (RegOpenKeyExW(root, path, 0, KEY_READ, &key)) return FALSE;
    RegCloseKey(key);
    return TRUE;
}

/* An administrator's "Untrusted Certificates", which Wine's engine does not look at. NULL: there are none. */
static HCERTSTORE open_disallowed(void)
{
    static const WCHAR stored[] = L"Software\\Microsoft\\SystemCertificates\\Disallowed\\Certificates";
    static const WCHAR policy[] = L"Software\\Policies\\Microsoft\\SystemCertificates\\Disallowed\\Certificates";
    if (!has_key(HKEY_CURRENT_USER, stored) && !has_key(HKEY_LOCAL_MACHINE, stored) &&
        !has_key(HKEY_CURRENT_USER, policy) && !has_key(HKEY_LOCAL_MACHINE, policy))
        return NULL;
    return CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_CURRENT_USER | CERT_STORE_READONLY_FLAG,
                         L"Disallowed");
}

DWORD schannel_trust_errors(const CERT_CHAIN_CONTEXT *chain, LPCSTR usage)
{
    DWORD errors = chain->TrustStatus.dwErrorStatus & ~CERT_TRUST_IS_NOT_SIGNATURE_VALID;
    const HCERTSTORE disallowed = open_disallowed();
    for (DWORD i = 0; i < chain->cChain; i++) errors |= look_at(chain->rgpChain[i], disallowed, usage);
    if (disallowed) CertCloseStore(disallowed, 0);
    return errors;
}

/*
 * Wine's policy passes over much of it: usage, constraints, and that a chain has no root at all, with which every
 * certificate would be good. For what SSPI has no status of its own: SEC_E_CERT_UNKNOWN.
 */
NTSTATUS schannel_trust_status(DWORD errors)
{
    const DWORD bad = CERT_TRUST_IS_NOT_SIGNATURE_VALID | CERT_TRUST_IS_CYCLIC | CERT_TRUST_INVALID_EXTENSION |
                      CERT_TRUST_INVALID_BASIC_CONSTRAINTS | CERT_TRUST_INVALID_NAME_CONSTRAINTS |
                      CERT_TRUST_HAS_NOT_PERMITTED_NAME_CONSTRAINT | CERT_TRUST_HAS_EXCLUDED_NAME_CONSTRAINT |
                      CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT | CERT_TRUST_HAS_WEAK_SIGNATURE |
                      CERT_TRUST_IS_EXPLICIT_DISTRUST;
    if (errors & CERT_TRUST_IS_PARTIAL_CHAIN) return SEC_E_UNTRUSTED_ROOT;
    if (errors & CERT_TRUST_IS_NOT_TIME_VALID) return SEC_E_CERT_EXPIRED;
    if (errors & CERT_TRUST_IS_NOT_VALID_FOR_USAGE) return SEC_E_CERT_WRONG_USAGE;
    return errors & bad ? SEC_E_CERT_UNKNOWN : SEC_E_OK;
}
