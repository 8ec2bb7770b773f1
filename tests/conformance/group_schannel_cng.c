/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys of CNG's key storage, which a certificate's context holds open: RSA, and of elliptic curves where the key
 * storage makes them. Each shakes hands as a server's.
 */
#include "groups.h"
#include "schannel_authority.h"
#include "schannel_pair.h"

#include <ncrypt.h>
#include <string.h>

#define RSA_SOURCE "schannel.h SCHANNEL_CRED.paCred (documented), CERT_KEY_CONTEXT_PROP_ID"

static const struct conformance_case rsa_cases[] = {
    {"schannel-cng/rsa", RSA_SOURCE, "SEC_E_OK", NULL, WINE_SAME},
    {"schannel-cng/rsa.another-key", RSA_SOURCE ", not the certificate's", "SEC_E_UNKNOWN_CREDENTIALS", NULL,
     WINE_SAME},
};

static const struct conformance_case ecdsa_cases[] = {
    {"schannel-ecdsa/p256", RSA_SOURCE, "SEC_E_OK", NULL, WINE_SAME},
    {"schannel-ecdsa/p384", RSA_SOURCE, "SEC_E_OK", NULL, WINE_SAME},
};

static SECURITY_STATUS(WINAPI *open_storage)(NCRYPT_PROV_HANDLE *, LPCWSTR, DWORD);
static SECURITY_STATUS(WINAPI *create_key)(NCRYPT_PROV_HANDLE, NCRYPT_KEY_HANDLE *, LPCWSTR, LPCWSTR, DWORD, DWORD);
static SECURITY_STATUS(WINAPI *set_property)(NCRYPT_HANDLE, LPCWSTR, PBYTE, DWORD, DWORD);
static SECURITY_STATUS(WINAPI *finalize_key)(NCRYPT_KEY_HANDLE, DWORD);
static SECURITY_STATUS(WINAPI *export_key)(NCRYPT_KEY_HANDLE, NCRYPT_KEY_HANDLE, LPCWSTR, void *, PBYTE, DWORD, DWORD *,
                                           DWORD);

static bool find_functions(void)
{
    open_storage = (void *)optional_function("ncrypt.dll", "NCryptOpenStorageProvider");
    create_key = (void *)optional_function("ncrypt.dll", "NCryptCreatePersistedKey");
    set_property = (void *)optional_function("ncrypt.dll", "NCryptSetProperty");
    finalize_key = (void *)optional_function("ncrypt.dll", "NCryptFinalizeKey");
    export_key = (void *)optional_function("ncrypt.dll", "NCryptExportKey");
    return open_storage && create_key && set_property && finalize_key && export_key;
}

/* A key without a name; 0: the key storage makes none of that kind. */
static NCRYPT_KEY_HANDLE make_key(const WCHAR *algorithm)
{
    DWORD policy = NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG, bits = 2048;
    NCRYPT_PROV_HANDLE provider;
    NCRYPT_KEY_HANDLE key;

    if (!find_functions() || open_storage(&provider, MS_KEY_STORAGE_PROVIDER, 0) ||
        create_key(provider, &key, algorithm, NULL, 0, 0))
        return 0;
    if (!wcscmp(algorithm, BCRYPT_RSA_ALGORITHM))
        set_property(key, NCRYPT_LENGTH_PROPERTY, (PBYTE)&bits, sizeof(bits), 0);
    set_property(key, NCRYPT_EXPORT_POLICY_PROPERTY, (PBYTE)&policy, sizeof(policy), 0);
    return finalize_key(key, 0) ? 0 : key;
}

/* RSAPublicKey in DER from a BCRYPT_RSAPUBLIC_BLOB, whose numbers are big-endian. */
static bool encode_rsa(const BYTE *blob, BYTE *bytes, DWORD *size)
{
    const BCRYPT_RSAKEY_BLOB *head = (const BCRYPT_RSAKEY_BLOB *)blob;
    const BYTE *exponent = blob + sizeof(*head), *modulus = exponent + head->cbPublicExp;
    struct {
        PUBLICKEYSTRUC head;
        RSAPUBKEY rsa;
        BYTE modulus[512];
    } key = {{PUBLICKEYBLOB, CUR_BLOB_VERSION, 0, CALG_RSA_KEYX}, {0x31415352, head->BitLength, 0}, {0}};

    if (head->cbModulus > sizeof(key.modulus)) return false;
    for (DWORD i = 0; i < head->cbPublicExp; i++) key.rsa.pubexp = key.rsa.pubexp << 8 | exponent[i];
    for (DWORD i = 0; i < head->cbModulus; i++) key.modulus[i] = modulus[head->cbModulus - 1 - i];
    return CryptEncodeObject(X509_ASN_ENCODING, RSA_CSP_PUBLICKEYBLOB, &key, bytes, size);
}

/* The public key of KEY, in BYTES. CURVE: its OID in DER, or NULL for RSA. */
static bool public_key(NCRYPT_KEY_HANDLE key, const BYTE *curve, BYTE bytes[1024], CERT_PUBLIC_KEY_INFO *info)
{
    BYTE blob[1024];
    DWORD size = 0;

    if (export_key(key, 0, curve ? BCRYPT_ECCPUBLIC_BLOB : BCRYPT_RSAPUBLIC_BLOB, NULL, blob, sizeof(blob), &size, 0))
        return false;
    info->PublicKey.pbData = bytes;
    info->PublicKey.cbData = 1024;
    if (!curve) {
        info->Algorithm = (CRYPT_ALGORITHM_IDENTIFIER){(LPSTR)szOID_RSA_RSA, {2, (BYTE *)"\5\0"}};
        return encode_rsa(blob, bytes, &info->PublicKey.cbData);
    }
    info->Algorithm = (CRYPT_ALGORITHM_IDENTIFIER){(LPSTR)szOID_ECC_PUBLIC_KEY, {curve[1] + 2, (BYTE *)curve}};
    info->PublicKey.cbData = size - sizeof(BCRYPT_ECCKEY_BLOB) + 1;
    bytes[0] = 4; /* X9.62: both coordinates */
    memcpy(bytes + 1, blob + sizeof(BCRYPT_ECCKEY_BLOB), info->PublicKey.cbData - 1);
    return true;
}

/* A handshake with the certificate of OF and the key KEY. */
static void shake(struct conformance_run *run, const char *id, NCRYPT_KEY_HANDLE of, NCRYPT_KEY_HANDLE key,
                  const BYTE *curve)
{
    CERT_KEY_CONTEXT open = {.cbSize = sizeof(open), .hNCryptKey = key, .dwKeySpec = CERT_NCRYPT_KEY_SPEC};
    struct schannel_setup setup = {.client_cred_flags = SCH_CRED_AUTO_CRED_VALIDATION};
    CERT_PUBLIC_KEY_INFO info = {0};
    struct schannel_pair pair;
    BYTE bytes[1024];

    if (!public_key(of, curve, bytes, &info)) return;
    setup.server_certificate = authority_issue(L"CN=localhost", 20, &info);
    if (!setup.server_certificate) return;
    CertSetCertificateContextProperty(setup.server_certificate, CERT_KEY_CONTEXT_PROP_ID,
                                      CERT_STORE_NO_CRYPT_RELEASE_FLAG, &open);
    setup.client_roots = store_of(authority_root());
    schannel_pair_run(&pair, &setup);
    observe_status(run, id, pair.server.has_credential ? pair.client.status : pair.server.status);
    schannel_pair_close(&pair);
}

static void run_cng(struct conformance_run *run)
{
    const NCRYPT_KEY_HANDLE key = make_key(BCRYPT_RSA_ALGORITHM), other = make_key(BCRYPT_RSA_ALGORITHM);

    if (!key || !other || !authority_root()) {
        not_reached(run, "no key of RSA, error 0x%lx", GetLastError());
        return;
    }
    shake(run, "schannel-cng/rsa", key, key, NULL);
    shake(run, "schannel-cng/rsa.another-key", key, other, NULL);
    delete_containers();
}

static void run_ecdsa(struct conformance_run *run)
{
    static const BYTE p256[] = {6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7}, p384[] = {6, 5, 0x2B, 0x81, 4, 0, 0x22};
    const NCRYPT_KEY_HANDLE small = make_key(BCRYPT_ECDSA_P256_ALGORITHM),
                            large = make_key(BCRYPT_ECDSA_P384_ALGORITHM);

    if (!small || !large) {
        not_run(run, "the key storage here makes no keys of ECDSA");
        return;
    }
    shake(run, "schannel-ecdsa/p256", small, small, p256);
    shake(run, "schannel-ecdsa/p384", large, large, p384);
    delete_containers();
}

const struct conformance_group schannel_cng_group = {
    .name = "schannel-cng", .cases = rsa_cases, .case_count = COUNT_OF(rsa_cases), .run = run_cng};

const struct conformance_group schannel_ecdsa_group = {
    .name = "schannel-ecdsa", .cases = ecdsa_cases, .case_count = COUNT_OF(ecdsa_cases), .run = run_ecdsa};
