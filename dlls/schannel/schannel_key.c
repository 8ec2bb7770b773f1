/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A certificate's private key, from where Windows programs keep it: a CAPI container or CNG.
 */
#include "schannel.h"

#include <ncrypt.h>

/* NCRYPT.DLL is asked for by name, for a program without keys of CNG needs none. */
static NTSTATUS export_cng(NCRYPT_KEY_HANDLE handle, const WCHAR *blob, BYTE **key, DWORD *size)
{
    typedef SECURITY_STATUS(WINAPI * export_key)(NCRYPT_KEY_HANDLE, NCRYPT_KEY_HANDLE, LPCWSTR, void *, PBYTE, DWORD,
                                                 DWORD *, DWORD);
    HMODULE module = LoadLibraryW(L"ncrypt.dll");
    export_key export = module ? (export_key)(void *)GetProcAddress(module, "NCryptExportKey") : NULL;
    *key = NULL;
    if (!export || export(handle, 0, blob, NULL, NULL, 0, size, 0)) return SEC_E_NO_CREDENTIALS;
    *key = HeapAlloc(GetProcessHeap(), 0, *size);
    if (!*key) return SEC_E_INSUFFICIENT_MEMORY;
    if (!export(handle, 0, blob, NULL, *key, *size, size, 0)) return SEC_E_OK;
    HeapFree(GetProcessHeap(), 0, *key);
    return SEC_E_NO_CREDENTIALS;
}

/* Wine's PFXImportCertStore says of a key that it is of both kinds, and no function then finds it. */
static DWORD one_kind(DWORD spec)
{
    return spec == (AT_KEYEXCHANGE | AT_SIGNATURE) ? AT_KEYEXCHANGE : spec;
}

static NTSTATUS export_capi(HCRYPTPROV provider, DWORD spec, BYTE **key, DWORD *size)
{
    HCRYPTKEY handle;
    NTSTATUS status = SEC_E_NO_CREDENTIALS;
    if (!CryptGetUserKey(provider, one_kind(spec), &handle)) return status;
    if (CryptExportKey(handle, 0, PRIVATEKEYBLOB, 0, NULL, size)) {
        *key = HeapAlloc(GetProcessHeap(), 0, *size);
        if (!*key)
            status = SEC_E_INSUFFICIENT_MEMORY;
        else if (CryptExportKey(handle, 0, PRIVATEKEYBLOB, 0, *key, size))
            status = SEC_E_OK;
        else
            HeapFree(GetProcessHeap(), 0, *key);
    }
    CryptDestroyKey(handle);
    return status;
}

/*
 * A container's keys that may not be exported are for Schannel's use all the same; on Windows that is the LSA's doing.
 * Wine keeps them below HKCU or HKLM\Software\Wine\Crypto\RSA\CONTAINER, protected for the user.
 */
static NTSTATUS read_container(const CRYPT_KEY_PROV_INFO *info, BYTE **key, DWORD *size)
{
    const HKEY root = info->dwFlags & CRYPT_MACHINE_KEYSET ? HKEY_LOCAL_MACHINE : HKEY_CURRENT_USER;
    const WCHAR *value = info->dwKeySpec == AT_SIGNATURE ? L"SignatureKeyPair" : L"KeyExchangeKeyPair";
    WCHAR path[MAX_PATH + 64] = L"Software\\Wine\\Crypto\\RSA\\";
    BYTE stored[8192];
    DATA_BLOB sealed = {sizeof stored, stored}, plain;
    if (!info->pwszContainerName || wcslen(info->pwszContainerName) > MAX_PATH) return SEC_E_NO_CREDENTIALS;
    wcscat(path, info->pwszContainerName);
    if (RegGetValueW(root, path, value, RRF_RT_REG_BINARY, NULL, stored, &sealed.cbData)) return SEC_E_NO_CREDENTIALS;
    if (!CryptUnprotectData(&sealed, NULL, NULL, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, &plain))
        return SEC_E_NO_CREDENTIALS;
    *key = HeapAlloc(GetProcessHeap(), 0, plain.cbData);
    *size = plain.cbData;
    if (*key) memcpy(*key, plain.pbData, plain.cbData);
    SecureZeroMemory(plain.pbData, plain.cbData);
    LocalFree(plain.pbData);
    return *key ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static CRYPT_KEY_PROV_INFO *provider_info(PCCERT_CONTEXT certificate)
{
    DWORD size = 0;
    if (!CertGetCertificateContextProperty(certificate, CERT_KEY_PROV_INFO_PROP_ID, NULL, &size)) return NULL;
    CRYPT_KEY_PROV_INFO *info = HeapAlloc(GetProcessHeap(), 0, size);
    if (info && CertGetCertificateContextProperty(certificate, CERT_KEY_PROV_INFO_PROP_ID, info, &size)) return info;
    HeapFree(GetProcessHeap(), 0, info);
    return NULL;
}

static NTSTATUS export(HCRYPTPROV_OR_NCRYPT_KEY_HANDLE handle, DWORD spec, BYTE **key, DWORD *size, UINT32 *format)
{
    NTSTATUS status;
    *format = KEY_CAPI;
    if (spec != CERT_NCRYPT_KEY_SPEC) return export_capi(handle, spec, key, size);
    *format = KEY_CNG_RSA;
    status = export_cng(handle, BCRYPT_RSAFULLPRIVATE_BLOB, key, size);
    if (status != SEC_E_NO_CREDENTIALS) return status;
    *format = KEY_CNG_ECC;
    return export_cng(handle, BCRYPT_ECCPRIVATE_BLOB, key, size);
}

/* A key without a container, as PFXImportCertStore makes it with PKCS12_NO_PERSIST_KEY. */
static NTSTATUS export_open(PCCERT_CONTEXT certificate, BYTE **key, DWORD *size, UINT32 *format)
{
    CERT_KEY_CONTEXT open;
    DWORD open_size = sizeof open;
    if (!CertGetCertificateContextProperty(certificate, CERT_KEY_CONTEXT_PROP_ID, &open, &open_size))
        return SEC_E_NO_CREDENTIALS;
    return export(open.hCryptProv, open.dwKeySpec, key, size, format);
}

NTSTATUS schannel_key_export(PCCERT_CONTEXT certificate, BYTE **key, DWORD *size, UINT32 *format)
{
    HCRYPTPROV_OR_NCRYPT_KEY_HANDLE handle;
    DWORD spec;
    BOOL release;
    NTSTATUS status = SEC_E_NO_CREDENTIALS;
    CRYPT_KEY_PROV_INFO *info = provider_info(certificate);
    if (CryptAcquireCertificatePrivateKey(certificate, CRYPT_ACQUIRE_ALLOW_NCRYPT_KEY_FLAG | CRYPT_ACQUIRE_SILENT_FLAG,
                                          NULL, &handle, &spec, &release)) {
        status = export(handle, spec, key, size, format);
        if (release && spec != CERT_NCRYPT_KEY_SPEC) CryptReleaseContext(handle, 0);
        if (status == SEC_E_NO_CREDENTIALS && info) {
            *format = KEY_CAPI;
            status = read_container(info, key, size);
        }
    } else if (info) {
        status = SEC_E_UNKNOWN_CREDENTIALS; /* the container is not there (behaviour.md row 145) */
    } else {
        status = export_open(certificate, key, size, format);
    }
    HeapFree(GetProcessHeap(), 0, info);
    return status;
}
