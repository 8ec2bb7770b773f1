/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `https_get winhttp|wininet HOST PORT PATH` fetches over TLS by what programs use for that, and prints a line: the
 * HTTP code, the size, a sum of the bytes; or "error" and its number. A fifth word names a file, PKCS #12 with the
 * password "https", whose certificate WinHTTP shows when it is asked. `https_get root FILE` makes the certificate in
 * FILE, DER, one of the user's trusted roots, `https_get own FILE` that in FILE, PFX, one of the user's own. Exit
 * codes: 0, 1 something else failed, 2 not understood.
 */
#include "sum.h"

#include <windows.h>
#include <wincrypt.h>
#include <winhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* wininet.h, which cannot be included beside winhttp.h */
typedef HINTERNET(WINAPI *internet_open)(const WCHAR *agent, DWORD type, const WCHAR *, const WCHAR *, DWORD flags);
typedef HINTERNET(WINAPI *internet_open_url)(HINTERNET, const WCHAR *url, const WCHAR *, DWORD, DWORD flags, DWORD_PTR);
typedef BOOL(WINAPI *internet_read_file)(HINTERNET, void *buffer, DWORD size, DWORD *read);
typedef BOOL(WINAPI *http_query_info)(HINTERNET, DWORD level, void *buffer, DWORD *size, DWORD *index);

#define INTERNET_OPEN_TYPE_DIRECT 1
#define FLAGS 0x84800000 /* RELOAD, NO_CACHE_WRITE, SECURE */
#define STATUS_NUMBER 0x20000013

static int print_error(void)
{
    printf("error %lu\n", GetLastError());
    return 0;
}

/* The one certificate in the file NAME, with its key; NULL: it has none. */
static PCCERT_CONTEXT read_certificate(const char *name)
{
    static BYTE bytes[16384];
    FILE *file = fopen(name, "rb");
    CRYPT_DATA_BLOB pfx = {file ? (DWORD)fread(bytes, 1, sizeof bytes, file) : 0, bytes};
    HCERTSTORE store = PFXImportCertStore(&pfx, L"https", CRYPT_EXPORTABLE | CRYPT_USER_KEYSET);
    return store ? CertEnumCertificatesInStore(store, NULL) : NULL;
}

static BOOL show_certificate(HINTERNET request, const char *name)
{
    PCCERT_CONTEXT certificate = name ? read_certificate(name) : NULL;
    if (!name) return TRUE;
    return certificate &&
           WinHttpSetOption(request, WINHTTP_OPTION_CLIENT_CERT_CONTEXT, (void *)certificate, sizeof *certificate);
}

static int by_winhttp(const WCHAR *host, INTERNET_PORT port, const WCHAR *path, const char *certificate)
{
    static BYTE buffer[65536];
    struct sum sum = {0, 1, 0};
    DWORD code, size = sizeof code, read;
    HINTERNET session = WinHttpOpen(L"https_get", WINHTTP_ACCESS_TYPE_NO_PROXY, NULL, NULL, 0);
    HINTERNET connection = session ? WinHttpConnect(session, host, port, 0) : NULL;
    HINTERNET request =
        connection ? WinHttpOpenRequest(connection, NULL, path, NULL, NULL, NULL, WINHTTP_FLAG_SECURE) : NULL;
    if (!request || !show_certificate(request, certificate) || !WinHttpSendRequest(request, NULL, 0, NULL, 0, 0, 0) ||
        !WinHttpReceiveResponse(request, NULL) ||
        !WinHttpQueryHeaders(request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER, NULL, &code, &size, NULL))
        return print_error();
    do {
        if (!WinHttpReadData(request, buffer, sizeof buffer, &read)) return print_error();
        sum_add(&sum, buffer, read);
    } while (read);
    WinHttpCloseHandle(request);
    WinHttpCloseHandle(connection);
    WinHttpCloseHandle(session);
    return sum_print(code, &sum);
}

static int by_wininet(const WCHAR *host, INTERNET_PORT port, const WCHAR *path)
{
    static BYTE buffer[65536];
    struct sum sum = {0, 1, 0};
    DWORD code, size = sizeof code, read;
    WCHAR url[512];
    HMODULE module = LoadLibraryW(L"wininet.dll");
    internet_open open = (internet_open)(void *)GetProcAddress(module, "InternetOpenW");
    internet_open_url open_url = (internet_open_url)(void *)GetProcAddress(module, "InternetOpenUrlW");
    internet_read_file read_file = (internet_read_file)(void *)GetProcAddress(module, "InternetReadFile");
    http_query_info query = (http_query_info)(void *)GetProcAddress(module, "HttpQueryInfoW");
    if (!open || !open_url || !read_file || !query) return 1;
    swprintf(url, ARRAYSIZE(url), L"https://%ls:%u%ls", host, port, path);
    HINTERNET session = open(L"https_get", INTERNET_OPEN_TYPE_DIRECT, NULL, NULL, 0);
    HINTERNET request = session ? open_url(session, url, NULL, 0, FLAGS, 0) : NULL;
    if (!request || !query(request, STATUS_NUMBER, &code, &size, NULL)) return print_error();
    do {
        if (!read_file(request, buffer, sizeof buffer, &read)) return print_error();
        sum_add(&sum, buffer, read);
    } while (read);
    return sum_print(code, &sum);
}

static int add_root(const char *name)
{
    static BYTE der[16384];
    FILE *file = fopen(name, "rb");
    const DWORD size = file ? (DWORD)fread(der, 1, sizeof der, file) : 0;
    HCERTSTORE store = CertOpenSystemStoreW(0, L"ROOT");
    return store && size &&
                   CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, der, size,
                                                    CERT_STORE_ADD_REPLACE_EXISTING, NULL) &&
                   CertCloseStore(store, 0)
               ? 0
               : 1;
}

static int add_own(const char *name)
{
    PCCERT_CONTEXT certificate = read_certificate(name);
    HCERTSTORE store = CertOpenSystemStoreW(0, L"MY");
    return store && certificate &&
                   CertAddCertificateContextToStore(store, certificate, CERT_STORE_ADD_REPLACE_EXISTING, NULL) &&
                   CertCloseStore(store, 0)
               ? 0
               : 1;
}

int main(int argc, char **argv)
{
    WCHAR host[256], path[256];
    if (argc == 3 && !strcmp(argv[1], "root")) return add_root(argv[2]);
    if (argc == 3 && !strcmp(argv[1], "own")) return add_own(argv[2]);
    if (argc < 5 || argc > 6 || !MultiByteToWideChar(CP_UTF8, 0, argv[2], -1, host, ARRAYSIZE(host)) ||
        !MultiByteToWideChar(CP_UTF8, 0, argv[4], -1, path, ARRAYSIZE(path)))
        return 2;
    const INTERNET_PORT port = (INTERNET_PORT)atoi(argv[3]);
    if (!strcmp(argv[1], "winhttp")) return by_winhttp(host, port, path, argv[5]);
    return strcmp(argv[1], "wininet") ? 2 : by_wininet(host, port, path);
}
