/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which protocols the registry allows: SecurityProviders\SCHANNEL\Protocols\NAME\Client or Server, with the values
 * Enabled and DisabledByDefault. Windows 11 has TLS 1.2, TLS 1.3 and DTLS 1.2 on where nothing is set.
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

/* Windows names no issuers since 2012 unless its administrator wants it; a program's own roots it does. */
DWORD schannel_policy_send_issuers(void)
{
    static const WCHAR path[] = L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL";
    DWORD value, size = sizeof value;
    return RegGetValueW(HKEY_LOCAL_MACHINE, path, L"SendTrustedIssuerList", RRF_RT_REG_DWORD, NULL, &value, &size)
               ? MAXDWORD
               : value != 0;
}

/* What is off by default is still to be had by a program that names it; what is disabled is not. */
void schannel_policy_protocols(BOOL server, DWORD *by_default, DWORD *allowed)
{
    static const WCHAR root[] = L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols";
    *by_default = *allowed = 0;
    for (SIZE_T i = 0; i < ARRAYSIZE(protocols); i++) {
        const DWORD bit = server ? protocols[i].server : protocols[i].client;
        WCHAR path[160];
        HKEY key = NULL;
        swprintf(path, ARRAYSIZE(path), L"%ls\\%ls\\%ls", root, protocols[i].name, server ? L"Server" : L"Client");
        if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_READ, &key)) key = NULL;
        const BOOL enabled = read_value(key, L"Enabled", TRUE) != 0;
        const BOOL on = !read_value(key, L"DisabledByDefault", !protocols[i].on);
        if (key) RegCloseKey(key);
        if (enabled) *allowed |= bit;
        if (enabled && on) *by_default |= bit;
    }
}
