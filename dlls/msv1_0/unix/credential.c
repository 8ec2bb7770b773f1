/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NTLM credentials, and the table through which establishing comes here.
 */
#include "ntlm.h"
#include "secure.h"
#include "utf16.h"

#include <nettle/md4.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FILETIME's end of time: what Windows gives as expiry of an NTLM credential. */
static const int64_t never = 0x7FFFFFFFFFFFFFFF;

/* LMOWFv1 works on 14 OEM characters in upper case; Windows has no LM hash of a longer or other password. */
static void make_lmowf(struct ntlm_account *account, struct cs_span password)
{
    struct cs_writer upper = {0}, oem = {0};
    cs_utf16_upper(&upper, password);
    if (!upper.failed && cs_oem_of(&oem, cs_written(&upper)) && oem.size <= 14) {
        ntlm_LMOWFv1(cs_written(&oem), account->lmowfv1);
        account->has_lmowf = true;
    }
    cs_writer_drop(&upper);
    cs_writer_drop(&oem);
}

SECURITY_STATUS ntlm_account_make(struct ntlm_account *account, const struct cs_identity *identity, bool with_lm)
{
    memset(account, 0, sizeof *account);
    account->kind = identity->kind;
    if (identity->kind != CS_IDENTITY_EXPLICIT) return SEC_E_OK;
    ntlm_NTOWFv1(identity->password, account->ntowfv1);
    if (with_lm) make_lmowf(account, identity->password);
    if (cs_span_copy(&account->user, identity->user) && cs_span_copy(&account->domain, identity->domain))
        return SEC_E_OK;
    ntlm_account_drop(account);
    return SEC_E_INSUFFICIENT_MEMORY;
}

void ntlm_account_drop(struct ntlm_account *account)
{
    cs_span_drop(&account->user);
    cs_span_drop(&account->domain);
    cs_wipe(account, sizeof *account);
}

static void release_credential(struct cs_credential *head)
{
    struct ntlm_credential *credential = (struct ntlm_credential *)head;
    ntlm_account_drop(&credential->account);
    cs_span_drop(&credential->machine);
    cs_span_drop(&credential->dns_host);
    cs_wipe_free(credential, sizeof *credential);
}

/* NetBIOS names are the first label of the host name, upper case, at most 15 characters. */
static bool set_machine(struct cs_span *name, const char *host)
{
    struct cs_writer utf16 = {0}, upper = {0};
    size_t size = strcspn(host, ".");
    bool made = cs_utf16_of(&utf16, (struct cs_span){(const uint8_t *)host, size < 15 ? size : 15});
    cs_utf16_upper(&upper, cs_written(&utf16));
    made = made && !upper.failed && cs_span_copy(name, cs_written(&upper));
    cs_writer_drop(&utf16);
    cs_writer_drop(&upper);
    return made;
}

static bool set_dns_host(struct cs_span *name, const char *host)
{
    struct cs_writer utf16 = {0};
    bool made = cs_utf16_of(&utf16, cs_span_of(host)) && cs_span_copy(name, cs_written(&utf16));
    cs_writer_drop(&utf16);
    return made;
}

static bool set_host_names(struct ntlm_credential *credential, const struct cs_credential_request *request)
{
    char host[256] = "localhost";
    gethostname(host, sizeof host - 1);
    bool machine = request->machine.size ? cs_span_copy(&credential->machine, request->machine)
                                         : set_machine(&credential->machine, host);
    bool dns = request->dns_host.size ? cs_span_copy(&credential->dns_host, request->dns_host)
                                      : set_dns_host(&credential->dns_host, host);
    return machine && dns;
}

/* Single_Host_Data, 2.2.2.2: size, a data word that says "medium integrity", and the machine, here a random number:
 * peers compare it with their own and only ever see that it differs. */
static bool set_single_host(struct ntlm_credential *credential)
{
    static const uint8_t start[16] = {48, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x20, 0, 0};
    memcpy(credential->single_host, start, sizeof start);
    return cs_random(credential->single_host + sizeof start, sizeof credential->single_host - sizeof start);
}

static SECURITY_STATUS acquire(const struct cs_credential_request *request, struct cs_credential **out)
{
    struct ntlm_credential *credential = calloc(1, sizeof *credential);
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    credential->policy = request->policy;
    credential->head.expiry = never;
    SECURITY_STATUS status =
        ntlm_account_make(&credential->account, &request->identity, ntlm_sends_lm(&request->policy));
    if (status == SEC_E_OK && !set_host_names(credential, request)) status = SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK && !set_single_host(credential)) status = SEC_E_INTERNAL_ERROR;
    if (status)
        release_credential(&credential->head);
    else
        *out = &credential->head;
    return status;
}

void ntlm_qualified_name(struct cs_writer *output, struct cs_span domain, struct cs_span user)
{
    cs_write_span(output, domain);
    if (domain.size) cs_write_u16(output, '\\');
    cs_write_span(output, user);
}

void ntlm_anonymous_name(struct cs_writer *output)
{
    if (!cs_utf16_of(output, cs_span_of("NT AUTHORITY\\ANONYMOUS LOGON"))) output->failed = true;
}

static SECURITY_STATUS credential_names(const struct cs_credential *head, struct cs_writer *output)
{
    const struct ntlm_credential *credential = (const struct ntlm_credential *)head;
    struct cs_writer user = {0};
    switch (credential->account.kind) {
    case CS_IDENTITY_EXPLICIT:
        ntlm_qualified_name(output, credential->account.domain, credential->account.user);
        return SEC_E_OK;
    case CS_IDENTITY_DEFAULT:
        if (!ntlm_loopback_user(&user)) return SEC_E_NO_CREDENTIALS;
        ntlm_qualified_name(output, credential->machine, cs_written(&user));
        cs_writer_drop(&user);
        return SEC_E_OK;
    default: return SEC_E_NO_CREDENTIALS;
    }
}

static void *begin(const struct cs_leg *leg, bool initiator)
{
    const struct cs_policy *policy = &((const struct ntlm_credential *)leg->credential)->policy;
    struct ntlm_exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange) return NULL;
    exchange->initiator = initiator;
    exchange->request = leg->request;
    exchange->credential = leg->credential;
    if (cs_span_copy(&exchange->target, leg->target) &&
        !ntlm_account_make(&exchange->given, &leg->identity, ntlm_sends_lm(policy)))
        return exchange;
    cs_span_drop(&exchange->target);
    free(exchange);
    return NULL;
}

static void end(void *state)
{
    struct ntlm_exchange *exchange = state;
    ntlm_account_drop(&exchange->given);
    cs_span_drop(&exchange->target);
    cs_writer_drop(&exchange->messages);
    cs_wipe_free(exchange, sizeof *exchange);
}

static SECURITY_STATUS step(void *state, struct cs_leg *leg, struct cs_writer *output, struct cs_session **session)
{
    struct ntlm_exchange *exchange = state;
    const bool first = exchange->leg++ == 0;
    if (exchange->initiator)
        return first ? ntlm_send_negotiate(exchange, leg, output)
                     : ntlm_send_authenticate(exchange, leg, output, session);
    return first ? ntlm_send_challenge(exchange, leg, output) : ntlm_receive_authenticate(exchange, leg, session);
}

void ntlm_compute_mic(const struct ntlm_exchange *exchange, const uint8_t exported_session_key[NTLM_KEY],
                      struct cs_span authenticate, uint8_t mic[NTLM_MIC_SIZE])
{
    ntlm_HMAC_MD5(exported_session_key, cs_written(&exchange->messages), authenticate, (struct cs_span){0}, mic);
}

/* Both roles are granted what was negotiated; detection comes with SIGN (attributes.tsv, NTLM, observed). */
uint32_t ntlm_granted_flags(uint32_t flags, uint32_t request, bool initiator)
{
    const uint32_t carried = initiator ? ISC_REQ_CONNECTION | ISC_REQ_USE_DCE_STYLE | ISC_REQ_IDENTIFY
                                       : ASC_REQ_CONNECTION | ASC_REQ_USE_DCE_STYLE;
    uint32_t granted = request & carried;
    if (flags & NTLMSSP_NEGOTIATE_SIGN)
        granted |=
            ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT | (initiator ? ISC_REQ_INTEGRITY : ASC_REQ_INTEGRITY);
    if (flags & NTLMSSP_NEGOTIATE_SEAL) granted |= ISC_REQ_CONFIDENTIALITY;
    if (!initiator && (flags & NTLMSSP_NEGOTIATE_IDENTIFY)) granted |= ASC_REQ_IDENTIFY;
    return granted;
}

int64_t ntlm_context_expiry(void)
{
    const int64_t day = INT64_C(864000000000);
    return cs_now() + 7 * day;
}

const struct cs_mechanism ntlm_mechanism = {
    .package = "NTLM",
    .acquire = acquire,
    .release_credential = release_credential,
    .begin = begin,
    .step = step,
    .end = end,
    .credential_names = credential_names,
};
