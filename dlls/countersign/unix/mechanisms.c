/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of mechanisms, and the policy that holds where nobody has set one.
 */
#include "context.h"

#include <string.h>

extern const struct cs_mechanism kerberos_mechanism, negotiate_mechanism, ntlm_mechanism;

static const struct cs_mechanism *const mechanisms[] = {&negotiate_mechanism, &kerberos_mechanism, &ntlm_mechanism};

const struct cs_mechanism *cs_find_mechanism(const char *package)
{
    for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++)
        if (!strcmp(mechanisms[i]->package, package)) return mechanisms[i];
    return NULL;
}

/*
 * Windows 11 demands 128 bits of both sides, and so do we. Its LmCompatibilityLevel is 3, with which a server still
 * takes NTLMv1; where nothing is set we take NTLMv2 only, as Windows does since it dropped NTLMv1 (24H2).
 */
struct cs_policy cs_default_policy(void)
{
    return (struct cs_policy){
        .lm_compatibility_level = 5,
        .ntlm_min_client_sec = 0x20000000,
        .ntlm_min_server_sec = 0x20000000,
        .kdc_wait_time = 10,
        .kdc_send_retries = 3,
        .kdc_backoff_time = 10,
    };
}
