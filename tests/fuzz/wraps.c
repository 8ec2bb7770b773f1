/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Stands in the place of what would make a run differ from the next (linked with --wrap): random numbers, the clock,
 * the backend that may be there or not, and the KDC. No name is looked up, not by Heimdal either.
 */
#include "fuzz.h"
#include "fuzz_kdc.h"
#include "ntlm.h"
#include "secure.h"

#include <krb5_err.h>
#include <netdb.h>

bool __wrap_cs_random(void *data, size_t size);
int64_t __wrap_cs_now(void);
SECURITY_STATUS __wrap_ntlm_winbind_verify(const struct ntlm_logon *logon, struct ntlm_logon_result *result);
krb5_error_code __wrap_kerberos_ask_directly(krb5_context context, const struct kerberos_logon *logon,
                                             krb5_const_principal server, struct cs_span tgt, krb5_creds **creds);

static uint32_t random_state = 1;

void fuzz_seed_random(uint8_t seed)
{
    random_state = seed + 1u;
}

/* Numerical Recipes' linear congruential generator: any numbers will do, as long as they come again. */
bool __wrap_cs_random(void *data, size_t size)
{
    uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        random_state = random_state * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(random_state >> 24);
    }
    return true;
}

/* The year 2100: contexts expire a week later, and session.c, which asks the real clock, never sees that. */
int64_t __wrap_cs_now(void)
{
    return INT64_C(157469184000000000);
}

SECURITY_STATUS __wrap_ntlm_winbind_verify(const struct ntlm_logon *logon, struct ntlm_logon_result *result)
{
    (void)logon;
    (void)result;
    return SEC_E_LOGON_DENIED;
}

fuzz_kdc *fuzz_kdc_answer;

krb5_error_code __wrap_kerberos_ask_directly(krb5_context context, const struct kerberos_logon *logon,
                                             krb5_const_principal server, struct cs_span tgt, krb5_creds **creds)
{
    *creds = NULL;
    return fuzz_kdc_answer ? fuzz_kdc_answer(context, logon, server, tgt, creds) : KRB5_KDC_UNREACH;
}

int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict found)
{
    (void)name;
    (void)service;
    (void)hints;
    *found = NULL;
    return EAI_NONAME;
}
