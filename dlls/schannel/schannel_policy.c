/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the registry allows. SecurityProviders\SCHANNEL\Protocols\NAME\Client or Server, with the values Enabled and
 * DisabledByDefault: Windows 11 has TLS 1.2, TLS 1.3 and DTLS 1.2 on where nothing is set. Ciphers, Hashes and
 * KeyExchangeAlgorithms beside it, with Enabled. The list of cipher suites, of the group policy or of this machine.
 */
#include "schannel.h"

#include <stdio.h>

static const struct {
    const WCHAR *name;
    DWORD server, client;
    BOOL on;
} protocols[] = {
    {L"TLS 1.0", SP_PROT_TLS1_SERVER, SP_PROT_TLS1_CLIENT, FALSE},
    {L"TLS 1.1", SP_PROT_TLS1_1_SERVER, SP_PROT_TLS1_1_CLIENT, FALSE},
    {L"TLS 1.2", SP_PROT_TLS1_2_SERVER, SP_PROT_TLS1_2_CLIENT, TRUE},
    {L"TLS 1.3", SP_PROT_TLS1_3_SERVER, SP_PROT_TLS1_3_CLIENT, TRUE},
    {L"DTLS 1.0", SP_PROT_DTLS1_0_SERVER, SP_PROT_DTLS1_0_CLIENT, FALSE},
    {L"DTLS 1.2", SP_PROT_DTLS1_2_SERVER, SP_PROT_DTLS1_2_CLIENT, TRUE},
};

static DWORD read_value(HKEY key, const WCHAR *name, DWORD fallback)
{
    DWORD value, size = sizeof value;
    return key && !RegGetValueW(key, NULL, name, RRF_RT_REG_DWORD, NULL, &value, &size) ? value : fallback;
}

#define SCHANNEL_KEY L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL"

/* Windows names no issuers since 2012 unless its administrator wants it; a program's own roots it does. */
DWORD schannel_policy_send_issuers(void)
{
    DWORD value, size = sizeof value;
    return RegGetValueW(HKEY_LOCAL_MACHINE, SCHANNEL_KEY, L"SendTrustedIssuerList", RRF_RT_REG_DWORD, NULL, &value,
                        &size)
               ? MAXDWORD
               : value != 0;
}

/* What is off by default is still to be had by a program that names it; what is disabled is not. */
void schannel_policy_protocols(BOOL server, DWORD *by_default, DWORD *allowed)
{
    *by_default = *allowed = 0;
    for (SIZE_T i = 0; i < ARRAYSIZE(protocols); i++) {
        const DWORD bit = server ? protocols[i].server : protocols[i].client;
        WCHAR path[160];
        HKEY key = NULL;
        swprintf(path, ARRAYSIZE(path), SCHANNEL_KEY L"\\Protocols\\%ls\\%ls", protocols[i].name,
                 server ? L"Server" : L"Client");
        if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_READ, &key)) key = NULL;
        const BOOL enabled = read_value(key, L"Enabled", TRUE) != 0;
        const BOOL on = !read_value(key, L"DisabledByDefault", !protocols[i].on);
        if (key) RegCloseKey(key);
        if (enabled) *allowed |= bit;
        if (enabled && on) *by_default |= bit;
    }
}

/* A key of that name without the value is as good as none; 0xffffffff stands for 1 there. */
DWORD schannel_policy_without(void)
{
    static const struct {
        const WCHAR *name;
        DWORD without;
    } known[] = {
        {L"Ciphers\\AES 128/128", WITHOUT_AES128},
        {L"Ciphers\\AES 256/256", WITHOUT_AES256},
        {L"Hashes\\SHA", WITHOUT_SHA1},
        {L"Hashes\\SHA256", WITHOUT_SHA256},
        {L"Hashes\\SHA384", WITHOUT_SHA384},
        {L"KeyExchangeAlgorithms\\Diffie-Hellman", WITHOUT_DHE},
        {L"KeyExchangeAlgorithms\\ECDH", WITHOUT_ECDHE},
        {L"KeyExchangeAlgorithms\\PKCS", WITHOUT_RSA_KEY_EXCHANGE},
    };
    DWORD without = 0;
    for (SIZE_T i = 0; i < ARRAYSIZE(known); i++) {
        WCHAR path[160];
        HKEY key = NULL;
        swprintf(path, ARRAYSIZE(path), SCHANNEL_KEY L"\\%ls", known[i].name);
        if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_READ, &key)) continue;
        if (!read_value(key, L"Enabled", TRUE)) without |= known[i].without;
        RegCloseKey(key);
    }
    return without;
}

static LSTATUS read_suites(const WCHAR *path, WCHAR *names, DWORD *size)
{
    return RegGetValueW(HKEY_LOCAL_MACHINE, path, L"Functions", RRF_RT_REG_SZ | RRF_RT_REG_MULTI_SZ, NULL, names, size);
}

/* The group policy's is one text with commas, this machine's one of several strings; both are taken in either form.
 * What is there and cannot be read is never the same as nothing. */
NTSTATUS schannel_policy_suites(WCHAR **names, DWORD *size)
{
    static const WCHAR *const places[] = {
        L"SOFTWARE\\Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002",
        L"SYSTEM\\CurrentControlSet\\Control\\Cryptography\\Configuration\\Local\\SSL\\00010002",
    };
    *names = NULL;
    for (SIZE_T i = 0; i < ARRAYSIZE(places); i++) {
        LSTATUS found = read_suites(places[i], NULL, size);
        while (found == ERROR_SUCCESS || found == ERROR_MORE_DATA) { /* it may have grown meanwhile */
            HeapFree(GetProcessHeap(), 0, *names);
            *names = HeapAlloc(GetProcessHeap(), 0, *size);
            if (!*names) return SEC_E_INSUFFICIENT_MEMORY;
            found = read_suites(places[i], *names, size);
            if (found == ERROR_SUCCESS && **names) return SEC_E_OK;
            if (found == ERROR_SUCCESS) break;
        }
        HeapFree(GetProcessHeap(), 0, *names);
        *names = NULL;
    }
    *size = 0;
    return SEC_E_OK;
}
