/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Policy, read where a Windows administrator sets it.
 */
#include "package.h"

static const WCHAR lsa[] = L"SYSTEM\\CurrentControlSet\\Control\\Lsa";
static const WCHAR msv1_0[] = L"SYSTEM\\CurrentControlSet\\Control\\Lsa\\MSV1_0";
static const WCHAR kerberos[] = L"SYSTEM\\CurrentControlSet\\Control\\Lsa\\Kerberos\\Parameters";

/* A REG_DWORD, or FALLBACK where there is none. */
static UINT32 read_value(const WCHAR *key, const WCHAR *name, UINT32 fallback)
{
    DWORD value, size = sizeof value;
    return RegGetValueW(HKEY_LOCAL_MACHINE, key, name, RRF_RT_REG_DWORD, NULL, &value, &size) ? fallback : value;
}

/*
 * Unset means NTLMv2 alone in both directions, and 128 bits of every protected session: Windows 11's values, but for
 * its server side, which still takes NTLMv1 at LmCompatibilityLevel 3.
 */
struct cs_block_policy sp_read_policy(void)
{
    const UINT32 require_128 = 0x20000000;
    return (struct cs_block_policy){
        .lm_compatibility_level = read_value(lsa, L"LmCompatibilityLevel", 5),
        .ntlm_min_client_sec = read_value(msv1_0, L"NtlmMinClientSec", require_128),
        .ntlm_min_server_sec = read_value(msv1_0, L"NtlmMinServerSec", require_128),
        .restrict_sending_ntlm_traffic = read_value(msv1_0, L"RestrictSendingNTLMTraffic", 0),
        .suppress_extended_protection = read_value(lsa, L"SuppressExtendedProtection", 0),
        .kdc_wait_time = read_value(kerberos, L"KdcWaitTime", 10),
        .kdc_send_retries = read_value(kerberos, L"KdcSendRetries", 3),
        .kdc_backoff_time = read_value(kerberos, L"KdcBackoffTime", 10),
    };
}
