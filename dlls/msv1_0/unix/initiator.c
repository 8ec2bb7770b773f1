/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client's side of an exchange, MS-NLMP 3.1.5.
 */
#include "ntlm.h"
#include "protect.h"
#include "secure.h"
#include "utf16.h"

#include <string.h>

static const struct ntlm_credential *credential_of(const struct ntlm_exchange *exchange)
{
    return (const struct ntlm_credential *)exchange->credential;
}

/* Whom to log on as: what the credential manager held for the target goes before the loopback logon. */
static const struct ntlm_account *account_of(const struct ntlm_exchange *exchange)
{
    const struct ntlm_account *own = &credential_of(exchange)->account;
    return own->kind == CS_IDENTITY_DEFAULT && exchange->given.kind == CS_IDENTITY_EXPLICIT ? &exchange->given : own;
}

/*
 * What Windows 10 and 11 offer: 0xA2088207, and with protection SIGN, SEAL, LM_KEY and KEY_EXCH on top
 * (vectors.md win2019-ntlm, behaviour.md rows 80 to 89).
 */
static uint32_t offered_flags(uint32_t request, uint32_t lm_compatibility_level)
{
    const uint32_t integrity = ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT;
    uint32_t flags = NTLMSSP_NEGOTIATE_UNICODE | NTLMSSP_NEGOTIATE_OEM | NTLMSSP_REQUEST_TARGET |
                     NTLMSSP_NEGOTIATE_NTLM | NTLMSSP_NEGOTIATE_ALWAYS_SIGN | NTLMSSP_NEGOTIATE_VERSION |
                     NTLMSSP_NEGOTIATE_128 | NTLMSSP_NEGOTIATE_56;
    /* Level 0 is defined as never using it (MS-NLMP 3.1.1.1). */
    if (lm_compatibility_level > 0) flags |= NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY;
    if ((request & integrity) && !(request & ISC_REQ_NO_INTEGRITY)) flags |= NTLMSSP_NEGOTIATE_SIGN;
    if (request & ISC_REQ_CONFIDENTIALITY) flags |= NTLMSSP_NEGOTIATE_SEAL;
    if (flags & (NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL))
        flags |= NTLMSSP_NEGOTIATE_LM_KEY | NTLMSSP_NEGOTIATE_KEY_EXCH;
    if (request & ISC_REQ_IDENTIFY) flags |= NTLMSSP_NEGOTIATE_IDENTIFY;
    return flags;
}

/* RestrictSendingNTLMTraffic 2 denies NTLM to any server (errors.tsv, NTLM, STATUS_NOT_SUPPORTED). Datagram contexts
 * are gone since Windows Server 2008. */
static SECURITY_STATUS check_request(const struct ntlm_exchange *exchange)
{
    if (exchange->request & ISC_REQ_DATAGRAM) return SEC_E_UNSUPPORTED_FUNCTION;
    /* Acting in a client's name: the loopback logon would be this process's user's. */
    if (account_of(exchange)->kind == CS_IDENTITY_CLIENT && !(exchange->request & ISC_REQ_NULL_SESSION))
        return SEC_E_NO_CREDENTIALS;
    if (credential_of(exchange)->policy.restrict_sending_ntlm_traffic >= 2) return STATUS_NOT_SUPPORTED;
    return SEC_E_OK;
}

/* With default credentials the machine's name goes along, so that an acceptor on it can offer the local call. */
SECURITY_STATUS ntlm_send_negotiate(struct ntlm_exchange *exchange, struct cs_leg *leg, struct cs_writer *output)
{
    const uint32_t level = credential_of(exchange)->policy.lm_compatibility_level;
    struct ntlm_negotiate message = {.flags = offered_flags(exchange->request, level)};
    struct cs_writer machine = {0};
    SECURITY_STATUS status = check_request(exchange);
    if (status) return status;
    if (account_of(exchange)->kind == CS_IDENTITY_DEFAULT && !(exchange->request & ISC_REQ_NULL_SESSION) &&
        cs_oem_of(&machine, credential_of(exchange)->machine)) {
        message.flags |= NTLMSSP_NEGOTIATE_OEM_WORKSTATION_SUPPLIED | NTLMSSP_NEGOTIATE_OEM_DOMAIN_SUPPLIED;
        message.workstation = message.domain = cs_written(&machine);
    }
    exchange->flags = message.flags;
    ntlm_negotiate_write(output, &message);
    cs_write_span(&exchange->messages, cs_written(output));
    exchange->negotiate_size = output->size;
    cs_writer_drop(&machine);
    const uint32_t first_leg = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT |
                               ISC_REQ_SEQUENCE_DETECT | ISC_REQ_CONNECTION | ISC_REQ_USE_DCE_STYLE | ISC_REQ_IDENTIFY;
    leg->granted = exchange->request & first_leg;
    return SEC_I_CONTINUE_NEEDED;
}

/* All that goes into an AUTHENTICATE_MESSAGE, while it is put together. */
struct answer {
    const struct ntlm_credential *credential;
    struct ntlm_account account; /* spans borrowed */
    uint32_t flags;
    uint8_t lm[NTLM_RESPONSE];
    size_t lm_size;
    struct cs_writer nt;
    uint8_t key_exchange_key[NTLM_KEY];
    bool v2;
};

/* ClientRequire: what the challenge dropped and policy insists on ends here (3.1.5.1.2). */
static SECURITY_STATUS negotiate_flags(const struct ntlm_exchange *exchange, const struct ntlm_challenge *challenge,
                                       uint32_t *flags)
{
    const uint32_t local = NTLMSSP_NEGOTIATE_OEM_DOMAIN_SUPPLIED | NTLMSSP_NEGOTIATE_OEM_WORKSTATION_SUPPLIED;
    *flags = challenge->flags & ((exchange->flags & ~local) | NTLMSSP_NEGOTIATE_TARGET_INFO |
                                 NTLMSSP_NEGOTIATE_LOCAL_CALL | NTLMSSP_REQUEST_NON_NT_SESSION_KEY);
    if (*flags & NTLMSSP_NEGOTIATE_UNICODE) *flags &= ~NTLMSSP_NEGOTIATE_OEM;
    if (*flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) *flags &= ~NTLMSSP_NEGOTIATE_LM_KEY;
    if (!(*flags & (NTLMSSP_NEGOTIATE_UNICODE | NTLMSSP_NEGOTIATE_OEM))) return SEC_E_INVALID_TOKEN;
    if (ntlm_below_minimum(*flags, credential_of(exchange)->policy.ntlm_min_client_sec))
        return SEC_E_UNSUPPORTED_FUNCTION;
    return SEC_E_OK;
}

/*
 * The loopback logon takes place only with an acceptor that has shown this Unix user's secret in the challenge: a
 * peer that merely sets LOCAL_CALL gets nothing.
 */
static SECURITY_STATUS choose_loopback(const struct ntlm_exchange *exchange, const struct ntlm_challenge *challenge,
                                       struct answer *answer, struct cs_writer *user)
{
    struct cs_span negotiate = {exchange->messages.data, exchange->negotiate_size};
    uint8_t mark[8];
    if (!(challenge->flags & NTLMSSP_NEGOTIATE_LOCAL_CALL)) return SEC_E_NO_CREDENTIALS;
    if (!ntlm_loopback_mark(negotiate, challenge->server_challenge, mark)) return SEC_E_NO_CREDENTIALS;
    if (!cs_same(mark, challenge->local_call, sizeof mark)) return SEC_E_NO_CREDENTIALS;
    if (!ntlm_loopback_hash(answer->account.ntowfv1) || !ntlm_loopback_user(user)) return SEC_E_NO_CREDENTIALS;
    answer->account.user = cs_written(user);
    answer->account.domain = answer->credential->machine;
    return SEC_E_OK;
}

static SECURITY_STATUS choose_account(const struct ntlm_exchange *exchange, const struct ntlm_challenge *challenge,
                                      struct answer *answer, struct cs_writer *user)
{
    answer->credential = credential_of(exchange);
    answer->account = *account_of(exchange);
    if (exchange->request & ISC_REQ_NULL_SESSION) answer->account.kind = CS_IDENTITY_ANONYMOUS;
    if (answer->account.kind == CS_IDENTITY_DEFAULT) return choose_loopback(exchange, challenge, answer, user);
    answer->flags &= ~NTLMSSP_NEGOTIATE_LOCAL_CALL;
    if (answer->account.kind == CS_IDENTITY_ANONYMOUS) {
        answer->flags |= NTLMSSP_ANONYMOUS;
        answer->account.user = answer->account.domain = (struct cs_span){0};
    }
    return SEC_E_OK;
}

/* 3.3.1: with extended session security the LM response carries the client challenge. Level 2 sends no LM response of
 * its own, nor does a password that has none. */
static SECURITY_STATUS respond_v1(struct answer *answer, const struct ntlm_challenge *challenge,
                                  const uint8_t client_challenge[NTLM_CHALLENGE])
{
    const struct ntlm_account *account = &answer->account;
    uint8_t nt[NTLM_RESPONSE], ess[NTLM_CHALLENGE], base[NTLM_KEY];
    memset(answer->lm, 0, sizeof answer->lm);
    answer->lm_size = sizeof answer->lm;
    if (answer->flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) {
        memcpy(answer->lm, client_challenge, NTLM_CHALLENGE);
        ntlm_ess_challenge(challenge->server_challenge, client_challenge, ess);
        ntlm_DESL(account->ntowfv1, ess, nt);
    } else {
        const bool lm = account->has_lmowf && ntlm_sends_lm(&answer->credential->policy);
        ntlm_DESL(account->ntowfv1, challenge->server_challenge, nt);
        ntlm_DESL(lm ? account->lmowfv1 : account->ntowfv1, challenge->server_challenge, answer->lm);
        if (!lm) answer->flags &= ~(NTLMSSP_NEGOTIATE_LM_KEY | NTLMSSP_REQUEST_NON_NT_SESSION_KEY);
    }
    cs_write_span(&answer->nt, (struct cs_span){nt, sizeof nt});
    ntlm_session_base_key_v1(account->ntowfv1, base);
    ntlm_KXKEY(answer->flags, base, answer->lm, challenge->server_challenge, account->lmowfv1,
               answer->key_exchange_key);
    cs_wipe(base, sizeof base);
    return SEC_E_OK;
}

/* 3.1.5.1.2: the server's pairs in their order, but for those that are the client's to say; then Windows's own. */
static SECURITY_STATUS write_target_info(struct cs_writer *temp, const struct answer *answer,
                                         const struct ntlm_av_pairs *av, const struct cs_leg *leg,
                                         struct cs_span target)
{
    const bool extended =
        !answer->credential->policy.suppress_extended_protection || answer->account.kind == CS_IDENTITY_DEFAULT;
    static const uint8_t flags[4] = {MSV_AV_FLAG_MIC};
    uint8_t hash[CS_BINDINGS_HASH_SIZE] = {0};
    struct cs_reader reader = cs_reader_of(av->list);
    while (reader.remaining) {
        uint16_t id = cs_read_u16(&reader);
        struct cs_span value = cs_read_span(&reader, cs_read_u16(&reader));
        if (id != MsvAvFlags && id != MsvAvSingleHost && id != MsvAvTargetName && id != MsvAvChannelBindings)
            ntlm_av_write(temp, id, value);
    }
    SECURITY_STATUS status = leg->bindings.data ? cs_bindings_hash(leg->bindings, hash) : SEC_E_OK;
    ntlm_av_write(temp, MsvAvFlags, (struct cs_span){flags, sizeof flags});
    ntlm_av_write(temp, MsvAvSingleHost,
                  (struct cs_span){answer->credential->single_host, sizeof answer->credential->single_host});
    if (extended) ntlm_av_write(temp, MsvAvChannelBindings, (struct cs_span){hash, sizeof hash});
    if (extended) ntlm_av_write(temp, MsvAvTargetName, target);
    ntlm_av_write(temp, MsvAvEOL, (struct cs_span){0});
    cs_write_u32(temp, 0);
    return status;
}

/* 3.3.2: NTProofStr over the server challenge and temp. */
static SECURITY_STATUS prove_v2(struct answer *answer, const struct ntlm_challenge *challenge, struct cs_span temp,
                                const uint8_t client_challenge[NTLM_CHALLENGE], bool timestamped)
{
    const struct cs_span server = {challenge->server_challenge, NTLM_CHALLENGE};
    const struct cs_span client = {client_challenge, NTLM_CHALLENGE}, none = {0};
    uint8_t ntowfv2[NTLM_KEY], proof[NTLM_KEY];
    if (!ntlm_NTOWFv2(answer->account.ntowfv1, answer->account.user, answer->account.domain, ntowfv2))
        return SEC_E_INSUFFICIENT_MEMORY;
    ntlm_HMAC_MD5(ntowfv2, server, temp, none, proof);
    cs_write_span(&answer->nt, (struct cs_span){proof, sizeof proof});
    cs_write_span(&answer->nt, temp);
    ntlm_HMAC_MD5(ntowfv2, (struct cs_span){proof, sizeof proof}, none, none, answer->key_exchange_key);
    answer->lm_size = NTLM_RESPONSE;
    memset(answer->lm, 0, sizeof answer->lm);
    if (!timestamped) { /* a server that sends the time is known not to want LMv2 */
        ntlm_HMAC_MD5(ntowfv2, server, client, none, answer->lm);
        memcpy(answer->lm + NTLM_KEY, client_challenge, NTLM_CHALLENGE);
    }
    cs_wipe(ntowfv2, sizeof ntowfv2);
    return SEC_E_OK;
}

static SECURITY_STATUS respond_v2(struct answer *answer, const struct ntlm_exchange *exchange,
                                  const struct ntlm_challenge *challenge, const struct cs_leg *leg,
                                  const uint8_t client_challenge[NTLM_CHALLENGE])
{
    struct cs_writer temp = {0};
    struct ntlm_av_pairs av;
    SECURITY_STATUS status = ntlm_av_read(challenge->target_info, &av);
    if (status) return status;
    const bool timestamped = ntlm_av_has(&av, MsvAvTimestamp);
    answer->v2 = true;
    ntlm_v2_temp_write(&temp, timestamped ? av.timestamp : (uint64_t)cs_now(), client_challenge);
    status = write_target_info(&temp, answer, &av, leg, exchange->target);
    if (status == SEC_E_OK && temp.size + NTLM_KEY > UINT16_MAX) status = SEC_E_INVALID_TOKEN; /* bug class A6 */
    if (status == SEC_E_OK && temp.failed) status = SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK) status = prove_v2(answer, challenge, cs_written(&temp), client_challenge, timestamped);
    cs_writer_drop(&temp);
    return status;
}

static SECURITY_STATUS respond(struct answer *answer, const struct ntlm_exchange *exchange,
                               const struct ntlm_challenge *challenge, const struct cs_leg *leg)
{
    uint8_t client_challenge[NTLM_CHALLENGE];
    if (answer->account.kind == CS_IDENTITY_ANONYMOUS) {
        answer->lm_size = 1; /* one zero byte, 3.3.1; the keys of nobody are zero */
        return SEC_E_OK;
    }
    if (!cs_random(client_challenge, sizeof client_challenge)) return SEC_E_INTERNAL_ERROR;
    const bool v1 =
        answer->account.kind == CS_IDENTITY_EXPLICIT && answer->credential->policy.lm_compatibility_level < 3;
    return v1 ? respond_v1(answer, challenge, client_challenge)
              : respond_v2(answer, exchange, challenge, leg, client_challenge);
}

/* ExportedSessionKey: random and sent under KeyExchangeKey, or that key itself (3.1.5.1.2). */
static SECURITY_STATUS exchange_key(const struct answer *answer, uint8_t exported[NTLM_KEY],
                                    uint8_t encrypted[NTLM_KEY], size_t *encrypted_size)
{
    *encrypted_size = 0;
    if (!(answer->flags & NTLMSSP_NEGOTIATE_KEY_EXCH)) {
        memcpy(exported, answer->key_exchange_key, NTLM_KEY);
        return SEC_E_OK;
    }
    if (!cs_random(exported, NTLM_KEY)) return SEC_E_INTERNAL_ERROR;
    ntlm_RC4K(answer->key_exchange_key, exported, encrypted);
    *encrypted_size = NTLM_KEY;
    return SEC_E_OK;
}

/* A name in the character set of the session; what does not fit OEM cannot be sent to such a server. */
static struct cs_span encode_name(struct cs_writer *oem, uint32_t flags, struct cs_span name)
{
    if (flags & NTLMSSP_NEGOTIATE_UNICODE) return name;
    if (!cs_oem_of(oem, name)) oem->failed = true;
    return cs_written(oem);
}

static void write_authenticate(const struct ntlm_exchange *exchange, const struct answer *answer,
                               const uint8_t exported[NTLM_KEY], struct cs_span encrypted_key, struct cs_writer *output)
{
    struct cs_writer domain = {0}, user = {0}, workstation = {0};
    const struct ntlm_authenticate message = {
        .flags = answer->flags,
        .lm_response = {answer->lm, answer->lm_size},
        .nt_response = cs_written(&answer->nt),
        .domain = encode_name(&domain, answer->flags, answer->account.domain),
        .user = encode_name(&user, answer->flags, answer->account.user),
        .workstation = encode_name(&workstation, answer->flags, answer->credential->machine),
        .session_key = encrypted_key,
    };
    uint8_t mic[NTLM_MIC_SIZE];
    ntlm_authenticate_write(output, &message);
    if (answer->v2 && !output->failed) { /* observed: always, whatever the challenge carries (attributes.tsv) */
        ntlm_compute_mic(exchange, exported, cs_written(output), mic);
        cs_write_over(output, NTLM_MIC_OFFSET, (struct cs_span){mic, sizeof mic});
    }
    output->failed |= domain.failed | user.failed | workstation.failed | answer->nt.failed;
    cs_writer_drop(&domain);
    cs_writer_drop(&user);
    cs_writer_drop(&workstation);
}

/* The name of the session. A user without domain belongs to the server's, unless the name is a UPN. */
static void session_names(struct cs_writer *names, const struct answer *answer, const struct ntlm_challenge *challenge)
{
    struct cs_span domain = answer->account.domain;
    struct ntlm_av_pairs av;
    bool upn = false;
    for (size_t i = 0; i + 1 < answer->account.user.size; i += 2) upn |= answer->account.user.data[i] == '@';
    if (!domain.size && !upn && answer->account.user.size && !ntlm_av_read(challenge->target_info, &av))
        domain = av.value[MsvAvNbDomainName];
    if (answer->account.kind == CS_IDENTITY_ANONYMOUS)
        ntlm_anonymous_name(names);
    else
        ntlm_qualified_name(names, domain, answer->account.user);
}

static SECURITY_STATUS make_session(const struct ntlm_exchange *exchange, const struct answer *answer,
                                    const struct ntlm_challenge *challenge, const uint8_t exported[NTLM_KEY],
                                    struct cs_leg *leg, struct cs_session **session)
{
    struct ntlm_session_seed seed = {.initiator = true, .flags = answer->flags, .expiry = ntlm_context_expiry()};
    struct cs_writer names = {0};
    seed.granted = ntlm_granted_flags(answer->flags, exchange->request, true);
    if (answer->account.kind == CS_IDENTITY_ANONYMOUS) seed.granted |= ISC_RET_NULL_SESSION;
    memcpy(seed.exported_session_key, exported, NTLM_KEY);
    session_names(&names, answer, challenge);
    bool copied =
        !names.failed && cs_span_copy(&seed.names, cs_written(&names)) && cs_span_copy(&seed.target, exchange->target);
    cs_writer_drop(&names);
    if (copied)
        *session = ntlm_session_create(&seed);
    else
        cs_span_drop(&seed.names);
    cs_wipe(seed.exported_session_key, NTLM_KEY);
    leg->granted = seed.granted;
    leg->expiry = seed.expiry;
    return *session ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS answer_challenge(const struct ntlm_exchange *exchange, const struct ntlm_challenge *challenge,
                                        struct answer *answer, struct cs_leg *leg, struct cs_writer *output,
                                        struct cs_session **session)
{
    uint8_t exported[NTLM_KEY], encrypted[NTLM_KEY];
    size_t encrypted_size;
    SECURITY_STATUS status = respond(answer, exchange, challenge, leg);
    if (status == SEC_E_OK) status = exchange_key(answer, exported, encrypted, &encrypted_size);
    if (status) return status;
    write_authenticate(exchange, answer, exported, (struct cs_span){encrypted, encrypted_size}, output);
    status = make_session(exchange, answer, challenge, exported, leg, session);
    cs_wipe(exported, sizeof exported);
    return status;
}

SECURITY_STATUS ntlm_send_authenticate(struct ntlm_exchange *exchange, struct cs_leg *leg, struct cs_writer *output,
                                       struct cs_session **session)
{
    struct ntlm_challenge challenge;
    struct answer answer = {0};
    struct cs_writer user = {0};
    SECURITY_STATUS status = ntlm_challenge_read(leg->input, &challenge);
    if (status) return status;
    cs_write_span(&exchange->messages, leg->input);
    if (exchange->messages.failed) return SEC_E_INSUFFICIENT_MEMORY;
    status = negotiate_flags(exchange, &challenge, &answer.flags);
    if (status == SEC_E_OK) status = choose_account(exchange, &challenge, &answer, &user);
    if (status == SEC_E_OK) status = answer_challenge(exchange, &challenge, &answer, leg, output, session);
    cs_writer_drop(&user);
    cs_writer_drop(&answer.nt);
    cs_wipe(&answer, sizeof answer);
    return status;
}
