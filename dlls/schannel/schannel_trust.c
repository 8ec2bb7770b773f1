/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is wrong with a chain, as Windows's engine would say it (CERT_TRUST_): what Wine's has found, but for
 * signatures, and what it does not look for.
 */
#include "schannel.h"

static PCCERT_CONTEXT element(const CERT_SIMPLE_CHAIN *chain, DWORD i)
{
    return chain->rgpElement[i]->pCertContext;
}

/*
 * By the Unix half, whatever Wine's engine thinks: that knows signatures of RSA with PKCS #1's padding and some of
 * ECDSA (AD's authorities may sign with RSASSA-PSS), MD5 is one like another to it, and constraints are not for common
 * names.
 */
static BOOL is_signed(const CERT_SIMPLE_CHAIN *chain)
{
    DWORD size;
    BYTE *bytes = schannel_simple_chain_write(chain, TRUE, &size);
    struct cs_block_tls_chain block = {sp_bytes(bytes, size)};
    const BOOL good = bytes && CountersignCall(CS_CALL_TLS_VERIFY_CHAIN, &block) == SEC_E_OK;
    HeapFree(GetProcessHeap(), 0, bytes);
    return good;
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

/*
 * An administrator's "Untrusted Certificates", which Wine's engine does not look at: the four stores that make one,
 * each with the key that is there once it has had anything. To open one takes as long as a handshake.
 */
#define SYSTEM_CERTIFICATES L"Microsoft\\SystemCertificates\\Disallowed\\Certificates"
static const struct {
    HKEY root;
    const WCHAR *path;
    DWORD location;
} disallowed[] = {
    {HKEY_CURRENT_USER, L"Software\\" SYSTEM_CERTIFICATES, CERT_SYSTEM_STORE_CURRENT_USER},
    {HKEY_LOCAL_MACHINE, L"Software\\" SYSTEM_CERTIFICATES, CERT_SYSTEM_STORE_LOCAL_MACHINE},
    {HKEY_CURRENT_USER, L"Software\\Policies\\" SYSTEM_CERTIFICATES, CERT_SYSTEM_STORE_CURRENT_USER_GROUP_POLICY},
    {HKEY_LOCAL_MACHINE, L"Software\\Policies\\" SYSTEM_CERTIFICATES, CERT_SYSTEM_STORE_LOCAL_MACHINE_GROUP_POLICY},
};

static BOOL has_key(HKEY root, const WCHAR *path)
{
    HKEY key;
    if (RegOpenKeyExW(root, path, 0, KEY_READ, &key)) return FALSE;
    RegCloseKey(key);
    return TRUE;
}

/* By issuer and number: whoever encodes it otherwise has the same one. */
static BOOL has_any(HCERTSTORE store, const CERT_SIMPLE_CHAIN *chain)
{
    PCCERT_CONTEXT found = NULL;
    for (DWORD i = 0; !found && i < chain->cElement; i++)
        found = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_EXISTING, element(chain, i), NULL);
    if (found) CertFreeCertificateContext(found);
    return found != NULL;
}

/* Also where a store cannot be opened. */
static BOOL is_disallowed(const CERT_SIMPLE_CHAIN *chain)
{
    BOOL any = FALSE;
    for (size_t i = 0; !any && i < ARRAYSIZE(disallowed); i++) {
        if (!has_key(disallowed[i].root, disallowed[i].path)) continue;
        HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                                         disallowed[i].location | CERT_STORE_READONLY_FLAG, L"Disallowed");
        any = !store || has_any(store, chain);
        if (store) CertCloseStore(store, 0);
    }
    return any;
}

static DWORD look_at(const CERT_SIMPLE_CHAIN *chain, LPCSTR usage)
{
    DWORD errors = 0;
    if (!chain->cElement) return CERT_TRUST_IS_PARTIAL_CHAIN;
    if (!is_signed(chain)) errors |= CERT_TRUST_IS_NOT_SIGNATURE_VALID;
    if (is_disallowed(chain)) errors |= CERT_TRUST_IS_EXPLICIT_DISTRUST;
    for (DWORD i = 0; i < chain->cElement; i++) {
        const BOOL root = i && i + 1 == chain->cElement;
        if (has_weak_key(element(chain, i))) errors |= CERT_TRUST_HAS_WEAK_SIGNATURE;
        if (!root && !has_usage(element(chain, i), usage)) errors |= CERT_TRUST_IS_NOT_VALID_FOR_USAGE;
    }
    return errors;
}

DWORD schannel_trust_errors(const CERT_CHAIN_CONTEXT *chain, LPCSTR usage)
{
    DWORD errors = chain->TrustStatus.dwErrorStatus & ~CERT_TRUST_IS_NOT_SIGNATURE_VALID;
    if (!chain->cChain) errors |= CERT_TRUST_IS_PARTIAL_CHAIN;
    for (DWORD i = 0; i < chain->cChain; i++) errors |= look_at(chain->rgpChain[i], usage);
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
                      CERT_TRUST_HAS_NOT_SUPPORTED_NAME_CONSTRAINT | CERT_TRUST_HAS_NOT_SUPPORTED_CRITICAL_EXT |
                      CERT_TRUST_HAS_WEAK_SIGNATURE | CERT_TRUST_IS_EXPLICIT_DISTRUST;
    if (errors & CERT_TRUST_IS_PARTIAL_CHAIN) return SEC_E_UNTRUSTED_ROOT;
    if (errors & CERT_TRUST_IS_NOT_TIME_VALID) return SEC_E_CERT_EXPIRED;
    if (errors & CERT_TRUST_IS_NOT_VALID_FOR_USAGE) return SEC_E_CERT_WRONG_USAGE;
    return errors & bad ? SEC_E_CERT_UNKNOWN : SEC_E_OK;
}
