/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a client knows its password: the comparison of its response, and the order of the backends.
 */
#include "ntlm.h"
#include "secure.h"

#include <string.h>

static SECURITY_STATUS check_v2(const struct ntlm_logon *logon, const uint8_t ntowfv1[NTLM_KEY], uint8_t key[NTLM_KEY])
{
    const struct cs_span server = {logon->server_challenge, NTLM_CHALLENGE}, none = {0};
    struct ntlm_v2_response response;
    uint8_t ntowfv2[NTLM_KEY], proof[NTLM_KEY];
    SECURITY_STATUS status = ntlm_v2_response_read(logon->nt_response, &response);
    if (status) return status;
    if (!ntlm_NTOWFv2(ntowfv1, logon->user, logon->domain, ntowfv2)) return SEC_E_INSUFFICIENT_MEMORY;
    ntlm_HMAC_MD5(ntowfv2, server, response.temp, none, proof);
    if (cs_same(proof, response.proof.data, sizeof proof))
        ntlm_HMAC_MD5(ntowfv2, response.proof, none, none, key);
    else
        status = SEC_E_LOGON_DENIED;
    cs_wipe(ntowfv2, sizeof ntowfv2);
    return status;
}

static SECURITY_STATUS check_v1(const struct ntlm_logon *logon, const uint8_t ntowfv1[NTLM_KEY], uint8_t key[NTLM_KEY])
{
    uint8_t challenge[NTLM_CHALLENGE], expected[NTLM_RESPONSE];
    memcpy(challenge, logon->server_challenge, sizeof challenge);
    if (logon->flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) {
        if (logon->lm_response.size != NTLM_RESPONSE) return SEC_E_LOGON_DENIED; /* bug class A8 */
        ntlm_ess_challenge(logon->server_challenge, logon->lm_response.data, challenge);
    }
    ntlm_DESL(ntowfv1, challenge, expected);
    if (!cs_same(expected, logon->nt_response.data, sizeof expected)) return SEC_E_LOGON_DENIED;
    ntlm_session_base_key_v1(ntowfv1, key);
    return SEC_E_OK;
}

/*
 * The NT response is always compared, MIC or none (bug class B2). An LM response alone, LMv2 too, logs nobody on: it
 * can say nothing of a MIC, so a man in the middle would send only that (CVE-2019-1338).
 */
SECURITY_STATUS ntlm_check_response(const struct ntlm_logon *logon, const uint8_t ntowfv1[NTLM_KEY],
                                    uint8_t key[NTLM_KEY])
{
    if (logon->nt_response.size > NTLM_RESPONSE) return check_v2(logon, ntowfv1, key);
    if (logon->nt_response.size < NTLM_RESPONSE) return SEC_E_LOGON_DENIED;
    return check_v1(logon, ntowfv1, key);
}

/* Level 5 takes NTLMv2 only. Below it, a response of 24 bytes is NTLMv1. */
static bool policy_allows(const struct ntlm_logon *logon)
{
    return logon->nt_response.size > NTLM_RESPONSE || logon->lm_compatibility_level < 5;
}

SECURITY_STATUS ntlm_verify_logon(const struct ntlm_logon *logon, struct ntlm_logon_result *result)
{
    uint8_t ntowfv1[NTLM_KEY];
    if (!policy_allows(logon) || !logon->user.size) return SEC_E_LOGON_DENIED;
    SECURITY_STATUS status = ntlm_account_file_lookup(logon->user, ntowfv1, &result->user);
    if (status == SEC_E_LOGON_DENIED && !result->user.size) return ntlm_winbind_verify(logon, result);
    if (status == SEC_E_OK) status = ntlm_check_response(logon, ntowfv1, result->session_base_key);
    cs_wipe(ntowfv1, sizeof ntowfv1);
    return status;
}

void ntlm_logon_result_drop(struct ntlm_logon_result *result)
{
    cs_writer_drop(&result->user);
    cs_writer_drop(&result->domain);
    cs_wipe(result, sizeof *result);
}
