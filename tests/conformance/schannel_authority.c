/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The certification authority of the groups of Schannel.
 */
#include "schannel_authority.h"

#include <string.h>

#define AUTHORITY L"CN=Countersign conformance authority"
#define ROOM 2048 /* bytes of one certificate or list */

enum { AUTHORITY_BITS = 1536 };

static const WCHAR *authority_container(void)
{
    static WCHAR name[64];
    const WCHAR *made;

    if (!*name && (made = new_key_container(AUTHORITY_BITS))) wcscpy(name, made);
    return *name ? name : NULL;
}

static bool encode_name(const WCHAR *text, BYTE *bytes, CERT_NAME_BLOB *name)
{
    *name = (CERT_NAME_BLOB){256, bytes};
    return CertStrToNameW(X509_ASN_ENCODING, text, CERT_X500_NAME_STR, NULL, bytes, &name->cbData, NULL);
}

/* Signs STRUCTURE of that kind into BYTES, which have ROOM; 0: it could not. */
static DWORD sign(const WCHAR *container, LPCSTR kind, const void *structure, BYTE *bytes)
{
    CRYPT_ALGORITHM_IDENTIFIER algorithm = {(LPSTR)szOID_RSA_SHA256RSA, {0, NULL}};
    DWORD size = ROOM;
    HCRYPTPROV provider;
    BOOL done;

    if (!container || !CryptAcquireContextW(&provider, container, CONTAINER_PROVIDER, PROV_RSA_AES, 0)) return 0;
    done = CryptSignAndEncodeCertificate(provider, AT_KEYEXCHANGE, X509_ASN_ENCODING, kind, structure, &algorithm, NULL,
                                         bytes, &size);
    CryptReleaseContext(provider, 0);
    return done ? size : 0;
}

/* The public key of a container; the caller frees it. */
static CERT_PUBLIC_KEY_INFO *public_key(const WCHAR *container)
{
    CERT_PUBLIC_KEY_INFO *info = NULL;
    DWORD size = 0;
    HCRYPTPROV provider;

    if (!container || !CryptAcquireContextW(&provider, container, CONTAINER_PROVIDER, PROV_RSA_AES, 0)) return NULL;
    if (CryptExportPublicKeyInfo(provider, AT_KEYEXCHANGE, X509_ASN_ENCODING, NULL, &size) &&
        (info = LocalAlloc(LPTR, size)) &&
        !CryptExportPublicKeyInfo(provider, AT_KEYEXCHANGE, X509_ASN_ENCODING, info, &size))
        info = (CERT_PUBLIC_KEY_INFO *)LocalFree(info);
    CryptReleaseContext(provider, 0);
    return info;
}

/* A certificate from the authority, with that extension or none. */
static PCCERT_CONTEXT make(const WCHAR *subject, BYTE serial, const CERT_PUBLIC_KEY_INFO *key,
                           CERT_EXTENSION *extension)
{
    BYTE subject_bytes[256], issuer_bytes[256], bytes[ROOM];
    CERT_INFO info = {.dwVersion = CERT_V3,
                      .SerialNumber = {1, &serial},
                      .SignatureAlgorithm = {(LPSTR)szOID_RSA_SHA256RSA, {0, NULL}},
                      .SubjectPublicKeyInfo = *key,
                      .cExtension = extension ? 1 : 0,
                      .rgExtension = extension};
    SYSTEMTIME from = days_from_now(-1), to = days_from_now(30);
    DWORD size;

    SystemTimeToFileTime(&from, &info.NotBefore);
    SystemTimeToFileTime(&to, &info.NotAfter);
    if (!encode_name(subject, subject_bytes, &info.Subject) || !encode_name(AUTHORITY, issuer_bytes, &info.Issuer))
        return NULL;
    size = sign(authority_container(), X509_CERT_TO_BE_SIGNED, &info, bytes);
    return size ? CertCreateCertificateContext(X509_ASN_ENCODING, bytes, size) : NULL;
}

PCCERT_CONTEXT authority_root(void)
{
    static PCCERT_CONTEXT root;
    CERT_BASIC_CONSTRAINTS2_INFO constraints = {.fCA = TRUE};
    BYTE constraint_bytes[64];
    CERT_EXTENSION extension = {(LPSTR)szOID_BASIC_CONSTRAINTS2, TRUE, {sizeof(constraint_bytes), constraint_bytes}};
    CERT_PUBLIC_KEY_INFO *key;

    if (root || !CryptEncodeObject(X509_ASN_ENCODING, X509_BASIC_CONSTRAINTS2, &constraints, constraint_bytes,
                                   &extension.Value.cbData))
        return root;
    key = public_key(authority_container());
    if (key) root = make(AUTHORITY, 1, key, &extension);
    LocalFree(key);
    return root;
}

PCCERT_CONTEXT authority_issue(const WCHAR *name, BYTE serial, const CERT_PUBLIC_KEY_INFO *key)
{
    CRYPT_KEY_PROV_INFO place = {
        (WCHAR *)key_container(false), CONTAINER_PROVIDER, PROV_RSA_AES, 0, 0, NULL, AT_KEYEXCHANGE};
    CERT_PUBLIC_KEY_INFO *own = key ? NULL : public_key(place.pwszContainerName);
    PCCERT_CONTEXT certificate;

    if (!key && !own) return NULL;
    certificate = make(name, serial, key ? key : own, NULL);
    if (certificate && own) CertSetCertificateContextProperty(certificate, CERT_KEY_PROV_INFO_PROP_ID, 0, &place);
    LocalFree(own);
    return certificate;
}

PCCRL_CONTEXT authority_revoke(BYTE serial, bool forged, int days)
{
    BYTE issuer_bytes[256], bytes[ROOM];
    CRL_ENTRY entry = {.SerialNumber = {1, &serial}};
    CRL_INFO info = {.dwVersion = CRL_V2,
                     .SignatureAlgorithm = {(LPSTR)szOID_RSA_SHA256RSA, {0, NULL}},
                     .cCRLEntry = 1,
                     .rgCRLEntry = &entry};
    SYSTEMTIME from = days_from_now(-30), to = days_from_now(days);
    DWORD size;

    SystemTimeToFileTime(&from, &info.ThisUpdate);
    SystemTimeToFileTime(&to, &info.NextUpdate);
    entry.RevocationDate = info.ThisUpdate;
    if (!encode_name(AUTHORITY, issuer_bytes, &info.Issuer)) return NULL;
    size = sign(forged ? key_container(false) : authority_container(), X509_CERT_CRL_TO_BE_SIGNED, &info, bytes);
    return size ? CertCreateCRLContext(X509_ASN_ENCODING, bytes, size) : NULL;
}

DWORD authority_sign_encoded(const BYTE *encoded, DWORD size, bool forged, BYTE *bytes, DWORD room)
{
    const WCHAR *container = forged ? key_container(false) : authority_container();
    BYTE signature[512];
    CERT_SIGNED_CONTENT_INFO info = {.ToBeSigned = {size, (BYTE *)encoded},
                                     .SignatureAlgorithm = {(LPSTR)szOID_RSA_SHA256RSA, {0, NULL}},
                                     .Signature = {sizeof(signature), signature, 0}};
    HCRYPTPROV provider;
    BOOL done;

    if (!container || !CryptAcquireContextW(&provider, container, CONTAINER_PROVIDER, PROV_RSA_AES, 0)) return 0;
    done = CryptSignCertificate(provider, AT_KEYEXCHANGE, X509_ASN_ENCODING, encoded, size, &info.SignatureAlgorithm,
                                NULL, signature, &info.Signature.cbData) &&
           CryptEncodeObject(X509_ASN_ENCODING, X509_CERT, &info, bytes, &room);
    CryptReleaseContext(provider, 0);
    return done ? room : 0;
}
