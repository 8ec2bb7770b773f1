/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Certificates for the groups of Schannel.
 */
#include "schannel_certificates.h"

#include "schannel_pfx.h"

#include <stdlib.h>
#include <string.h>

#define OPEN_CONTAINER L"Countersign conformance"
#define SEALED_CONTAINER L"Countersign conformance, sealed"
#define OWN_CONTAINER L"Countersign conformance, %lu bits"

/* Keys of their own sizes, and how many there are. */
static DWORD sizes_made[4];
static size_t containers_made;
static bool filled[2]; /* the containers of the key of schannel_pfx.h */

PCCERT_CONTEXT issued_certificate(void)
{
    CRYPT_DATA_BLOB pfx = {sizeof(schannel_pfx), (BYTE *)schannel_pfx};
    static PCCERT_CONTEXT certificate;
    HCERTSTORE store;

    if (certificate) return certificate;
    store = PFXImportCertStore(&pfx, L"conformance", CRYPT_EXPORTABLE | CRYPT_USER_KEYSET);
    if (store)
        certificate =
            CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_SUBJECT_STR_W, L"localhost", NULL);
    return certificate;
}

PCCERT_CONTEXT root_certificate(void)
{
    static PCCERT_CONTEXT root;

    if (!root) root = CertCreateCertificateContext(X509_ASN_ENCODING, schannel_root, sizeof(schannel_root));
    return root;
}

/* The key of schannel_pfx.h as a PRIVATEKEYBLOB; the caller frees it. Wine says of a PFX's key that it is of both
 * kinds. */
static BYTE *key_blob(DWORD *size)
{
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE provider;
    HCRYPTKEY key;
    DWORD spec;
    BOOL release;
    BYTE *blob = NULL;

    if (!issued_certificate() || !CryptAcquireCertificatePrivateKey(issued_certificate(), CRYPT_ACQUIRE_SILENT_FLAG,
                                                                    NULL, &provider, &spec, &release))
        return NULL;
    if (CryptGetUserKey(provider, spec & AT_KEYEXCHANGE ? AT_KEYEXCHANGE : spec, &key)) {
        if (CryptExportKey(key, 0, PRIVATEKEYBLOB, 0, NULL, size) && (blob = malloc(*size)) &&
            !CryptExportKey(key, 0, PRIVATEKEYBLOB, 0, blob, size)) {
            free(blob);
            blob = NULL;
        }
        CryptDestroyKey(key);
    }
    if (release) CryptReleaseContext(provider, 0);
    return blob;
}

/* Wine stores a container's key when its provider is let go of, so nothing of it is kept open. */
static bool fill_container(const WCHAR *name, DWORD flags)
{
    HCRYPTPROV provider;
    HCRYPTKEY key;
    DWORD size;
    BYTE *blob = key_blob(&size);
    bool done = false;

    CryptAcquireContextW(&provider, name, CONTAINER_PROVIDER, PROV_RSA_AES, CRYPT_DELETEKEYSET);
    if (blob && CryptAcquireContextW(&provider, name, CONTAINER_PROVIDER, PROV_RSA_AES, CRYPT_NEWKEYSET)) {
        done = CryptImportKey(provider, blob, size, 0, flags, &key);
        if (done) CryptDestroyKey(key);
        CryptReleaseContext(provider, 0);
    }
    free(blob);
    return done;
}

const WCHAR *new_key_container(DWORD bits)
{
    static WCHAR name[64];
    HCRYPTPROV provider;
    HCRYPTKEY key;
    bool made;

    _snwprintf(name, COUNT_OF(name), OWN_CONTAINER, bits);
    CryptAcquireContextW(&provider, name, CONTAINER_PROVIDER, PROV_RSA_AES, CRYPT_DELETEKEYSET);
    if (!CryptAcquireContextW(&provider, name, CONTAINER_PROVIDER, PROV_RSA_AES, CRYPT_NEWKEYSET)) return NULL;
    made = CryptGenKey(provider, AT_KEYEXCHANGE, bits << 16 | CRYPT_EXPORTABLE, &key);
    if (made) CryptDestroyKey(key);
    CryptReleaseContext(provider, 0);
    if (made && containers_made < COUNT_OF(sizes_made)) sizes_made[containers_made++] = bits;
    return made ? name : NULL;
}

void delete_containers(void)
{
    WCHAR name[64];
    HCRYPTPROV provider;

    while (containers_made) {
        _snwprintf(name, COUNT_OF(name), OWN_CONTAINER, sizes_made[--containers_made]);
        CryptAcquireContextW(&provider, name, CONTAINER_PROVIDER, PROV_RSA_AES, CRYPT_DELETEKEYSET);
    }

    CryptAcquireContextW(&provider, OPEN_CONTAINER, CONTAINER_PROVIDER, PROV_RSA_AES, CRYPT_DELETEKEYSET);
    CryptAcquireContextW(&provider, SEALED_CONTAINER, CONTAINER_PROVIDER, PROV_RSA_AES, CRYPT_DELETEKEYSET);
    filled[false] = filled[true] = false;
}

const WCHAR *key_container(bool sealed)
{
    if (!filled[sealed])
        filled[sealed] =
            sealed ? fill_container(SEALED_CONTAINER, 0) : fill_container(OPEN_CONTAINER, CRYPT_EXPORTABLE);
    if (!filled[sealed]) return NULL;
    return sealed ? SEALED_CONTAINER : OPEN_CONTAINER;
}

SYSTEMTIME days_from_now(int days)
{
    ULARGE_INTEGER time;
    FILETIME file_time;
    SYSTEMTIME system_time;

    GetSystemTimeAsFileTime(&file_time);
    time.LowPart = file_time.dwLowDateTime;
    time.HighPart = file_time.dwHighDateTime;
    time.QuadPart += (ULONGLONG)((LONGLONG)days * 24 * 3600 * 10000000);
    file_time = (FILETIME){time.LowPart, time.HighPart};
    FileTimeToSystemTime(&file_time, &system_time);
    return system_time;
}

/* DER of an extended key usage with that OID. */
static bool encode_usage(const char *usage, BYTE *bytes, DWORD *size)
{
    LPSTR oid = (LPSTR)usage;
    CTL_USAGE usages = {1, &oid};

    return CryptEncodeObject(X509_ASN_ENCODING, szOID_ENHANCED_KEY_USAGE, &usages, bytes, size);
}

/* Wine's function wants the provider open, Windows's would open it itself. */
static PCCERT_CONTEXT sign(const struct certificate_request *request, const WCHAR *container_name, CERT_NAME_BLOB *name,
                           CERT_EXTENSIONS *extensions)
{
    CRYPT_KEY_PROV_INFO key = {(WCHAR *)container_name, CONTAINER_PROVIDER, PROV_RSA_AES, 0, 0, NULL, AT_KEYEXCHANGE};
    CRYPT_ALGORITHM_IDENTIFIER algorithm = {(LPSTR)(request->signature ? request->signature : szOID_RSA_SHA256RSA),
                                            {0, NULL}};
    SYSTEMTIME from = days_from_now(request->from_days);
    SYSTEMTIME to = days_from_now(request->to_days ? request->to_days : 365);
    PCCERT_CONTEXT certificate;
    HCRYPTPROV provider;

    if (!CryptAcquireContextW(&provider, container_name, CONTAINER_PROVIDER, PROV_RSA_AES, 0)) return NULL;
    certificate = CertCreateSelfSignCertificate(provider, name, 0, &key, &algorithm, &from, &to, extensions);
    CryptReleaseContext(provider, 0);
    return certificate;
}

PCCERT_CONTEXT make_certificate(const struct certificate_request *request)
{
    BYTE name_bytes[256], usage_bytes[128];
    CERT_NAME_BLOB name = {sizeof(name_bytes), name_bytes};
    CERT_EXTENSION list[2];
    CERT_EXTENSIONS extensions = {0, list};
    DWORD usage_size = sizeof(usage_bytes);
    const WCHAR *container_name = request->bits ? new_key_container(request->bits) : key_container(request->sealed);
    const WCHAR *text = request->name ? request->name : L"CN=localhost";

    if (!container_name ||
        !CertStrToNameW(X509_ASN_ENCODING, text, CERT_X500_NAME_STR, NULL, name_bytes, &name.cbData, NULL) ||
        (request->usage && !encode_usage(request->usage, usage_bytes, &usage_size)))
        return NULL;
    if (request->subject.cbData) name = request->subject;
    if (request->usage)
        list[extensions.cExtension++] =
            (CERT_EXTENSION){(LPSTR)szOID_ENHANCED_KEY_USAGE, FALSE, {usage_size, usage_bytes}};
    if (request->names.cbData)
        list[extensions.cExtension++] = (CERT_EXTENSION){(LPSTR)szOID_SUBJECT_ALT_NAME2, FALSE, request->names};
    return sign(request, container_name, &name, extensions.cExtension ? &extensions : NULL);
}

PCCERT_CONTEXT without_key(PCCERT_CONTEXT certificate)
{
    return CertCreateCertificateContext(X509_ASN_ENCODING, certificate->pbCertEncoded, certificate->cbCertEncoded);
}

PCCERT_CONTEXT with_lost_key(PCCERT_CONTEXT certificate)
{
    CRYPT_KEY_PROV_INFO lost = {
        (WCHAR *)L"Countersign has no such container", CONTAINER_PROVIDER, PROV_RSA_AES, 0, 0, NULL, AT_KEYEXCHANGE};
    PCCERT_CONTEXT copy = without_key(certificate);

    if (copy) CertSetCertificateContextProperty(copy, CERT_KEY_PROV_INFO_PROP_ID, 0, &lost);
    return copy;
}

HCERTSTORE store_of(PCCERT_CONTEXT certificate)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL);

    if (store) CertAddCertificateContextToStore(store, certificate, CERT_STORE_ADD_ALWAYS, NULL);
    return store;
}
