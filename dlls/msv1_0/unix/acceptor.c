/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server's side of an exchange, MS-NLMP 3.2.5.
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

/* What is granted of the client's offer. OEM has no meaning next to UNICODE (3.2.5.1.1). LM_KEY is never granted: it
 * wants the LM hash, which the account file does not keep, and the two sides would come to different keys. */
static uint32_t challenge_flags(uint32_t offered)
{
    const uint32_t echoed = NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL | NTLMSSP_NEGOTIATE_ALWAYS_SIGN |
                            NTLMSSP_NEGOTIATE_128 | NTLMSSP_NEGOTIATE_56 | NTLMSSP_NEGOTIATE_KEY_EXCH |
                            NTLMSSP_NEGOTIATE_IDENTIFY | NTLMSSP_REQUEST_TARGET |
                            NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY;
    uint32_t flags = (offered & echoed) | NTLMSSP_NEGOTIATE_NTLM | NTLMSSP_NEGOTIATE_TARGET_INFO |
                     NTLMSSP_TARGET_TYPE_SERVER | NTLMSSP_NEGOTIATE_VERSION;
    flags |= offered & NTLMSSP_NEGOTIATE_UNICODE ? NTLMSSP_NEGOTIATE_UNICODE : NTLMSSP_NEGOTIATE_OEM;
    return flags;
}

/* In the order of Windows: 2, 1, 4, 3, 7 (vectors.md section 2). A machine in no domain is its own. */
static void write_target_info(struct cs_writer *info, const struct ntlm_credential *credential)
{
    struct cs_writer now = {0};
    cs_write_u64(&now, (uint64_t)cs_now());
    ntlm_av_write(info, MsvAvNbDomainName, credential->machine);
    ntlm_av_write(info, MsvAvNbComputerName, credential->machine);
    ntlm_av_write(info, MsvAvDnsDomainName, credential->dns_host);
    ntlm_av_write(info, MsvAvDnsComputerName, credential->dns_host);
    ntlm_av_write(info, MsvAvTimestamp, cs_written(&now));
    ntlm_av_write(info, MsvAvEOL, (struct cs_span){0});
    info->failed |= now.failed;
    cs_writer_drop(&now);
}

/* The client asked for the local call by naming this machine as its own. */
static bool from_this_machine(const struct ntlm_negotiate *offer, const struct ntlm_credential *credential)
{
    struct cs_writer workstation = {0};
    bool same = offer->workstation.size && cs_utf16_of_oem(&workstation, offer->workstation) &&
                cs_utf16_same_name(cs_written(&workstation), credential->machine);
    cs_writer_drop(&workstation);
    return same;
}

static SECURITY_STATUS write_challenge(struct ntlm_exchange *exchange, const struct ntlm_negotiate *offer,
                                       struct cs_writer *output)
{
    const struct ntlm_credential *credential = credential_of(exchange);
    struct ntlm_challenge message = {.flags = exchange->flags};
    struct cs_writer info = {0}, name = {0};
    if (!cs_random(exchange->server_challenge, NTLM_CHALLENGE)) return SEC_E_INTERNAL_ERROR;
    memcpy(message.server_challenge, exchange->server_challenge, NTLM_CHALLENGE);
    if (from_this_machine(offer, credential) &&
        ntlm_loopback_mark(cs_written(&exchange->messages), message.server_challenge, message.local_call))
        message.flags = exchange->flags |= NTLMSSP_NEGOTIATE_LOCAL_CALL;
    write_target_info(&info, credential);
    message.target_info = cs_written(&info);
    message.target_name = credential->machine;
    if (!(message.flags & NTLMSSP_NEGOTIATE_UNICODE)) {
        name.failed = !cs_oem_of(&name, credential->machine);
        message.target_name = cs_written(&name);
    }
    ntlm_challenge_write(output, &message);
    output->failed |= info.failed | name.failed;
    cs_writer_drop(&info);
    cs_writer_drop(&name);
    return SEC_E_OK;
}

static SECURITY_STATUS take_bindings(struct ntlm_exchange *exchange, const struct cs_leg *leg)
{
    if (!leg->bindings.data) return SEC_E_OK;
    exchange->has_bindings = true;
    return cs_bindings_hash(leg->bindings, exchange->bindings);
}

SECURITY_STATUS ntlm_send_challenge(struct ntlm_exchange *exchange, struct cs_leg *leg, struct cs_writer *output)
{
    struct ntlm_negotiate offer;
    if (exchange->request & ASC_REQ_DATAGRAM) return SEC_E_UNSUPPORTED_FUNCTION;
    SECURITY_STATUS status = ntlm_negotiate_read(leg->input, &offer);
    if (status == SEC_E_OK) status = take_bindings(exchange, leg);
    if (status) return status;
    if (!(offer.flags & (NTLMSSP_NEGOTIATE_UNICODE | NTLMSSP_NEGOTIATE_OEM))) return SEC_E_INVALID_TOKEN;
    exchange->flags = challenge_flags(offer.flags);
    if (ntlm_below_minimum(exchange->flags, credential_of(exchange)->policy.ntlm_min_server_sec))
        return SEC_E_UNSUPPORTED_FUNCTION;
    cs_write_span(&exchange->messages, leg->input);
    status = write_challenge(exchange, &offer, output);
    if (status) return status;
    cs_write_span(&exchange->messages, cs_written(output));
    if (exchange->messages.failed) return SEC_E_INSUFFICIENT_MEMORY;
    leg->granted = ntlm_granted_flags(exchange->flags, exchange->request, false);
    return SEC_I_CONTINUE_NEEDED;
}

/* What the acceptor knows of a client's answer while it checks it. */
struct claim {
    struct ntlm_authenticate message;
    struct ntlm_v2_response v2; /* if is_v2 */
    struct cs_writer user, domain, workstation;
    uint32_t flags; /* in force */
    bool anonymous, is_v2, local;
    struct ntlm_logon_result account;
    uint8_t exported[NTLM_KEY];
};

static bool decode_name(struct cs_writer *name, uint32_t flags, struct cs_span text)
{
    if (!(flags & NTLMSSP_NEGOTIATE_UNICODE)) return cs_utf16_of_oem(name, text);
    cs_write_span(name, text);
    return text.size % 2 == 0;
}

/*
 * The flags in force are those of the challenge that the client took over; it cannot add any. Reading an NTLMv2
 * response is a matter of its size: 24 bytes are NTLMv1 (3.2.5.1.2).
 */
static SECURITY_STATUS read_claim(const struct ntlm_exchange *exchange, struct cs_span token, struct claim *claim)
{
    struct ntlm_authenticate *message = &claim->message;
    SECURITY_STATUS status = ntlm_authenticate_read(token, message);
    if (status) return status;
    claim->flags = exchange->flags & message->flags;
    if (ntlm_below_minimum(claim->flags, credential_of(exchange)->policy.ntlm_min_server_sec))
        return SEC_E_UNSUPPORTED_FUNCTION;
    if (!decode_name(&claim->user, message->flags & exchange->flags, message->user) ||
        !decode_name(&claim->domain, message->flags & exchange->flags, message->domain) ||
        !decode_name(&claim->workstation, message->flags & exchange->flags, message->workstation))
        return SEC_E_INVALID_TOKEN;
    claim->anonymous = !message->user.size && !message->nt_response.size && message->lm_response.size <= 1;
    claim->local = claim->flags & NTLMSSP_NEGOTIATE_LOCAL_CALL;
    claim->is_v2 = message->nt_response.size > NTLM_RESPONSE;
    if (claim->is_v2) status = ntlm_v2_response_read(message->nt_response, &claim->v2);
    return status;
}

/*
 * The loopback logon is an NTLMv2 logon whose NTOWFv1 comes from the Unix user's secret: its proof covers the target
 * name and the challenge, which serves one context, and its MIC all three messages. A target that is not this
 * machine's means that somebody passed the client's messages on (behaviour observed: SEC_E_LOGON_DENIED).
 */
static SECURITY_STATUS verify_local(const struct ntlm_exchange *exchange, const struct claim *claim,
                                    const struct ntlm_logon *logon, struct ntlm_logon_result *result)
{
    const struct ntlm_credential *credential = credential_of(exchange);
    uint8_t ntowfv1[NTLM_KEY];
    SECURITY_STATUS status = SEC_E_LOGON_DENIED;
    const bool complete =
        claim->is_v2 && ntlm_av_has(&claim->v2.av, MsvAvTargetName) && (claim->v2.av.flags & MSV_AV_FLAG_MIC);
    if (complete && ntlm_loopback_hash(ntowfv1) && ntlm_loopback_user(&result->user) &&
        cs_utf16_same_name(logon->user, cs_written(&result->user)) &&
        ntlm_loopback_target(claim->v2.av.value[MsvAvTargetName], credential->machine, credential->dns_host))
        status = ntlm_check_response(logon, ntowfv1, result->session_base_key);
    cs_wipe(ntowfv1, sizeof ntowfv1);
    return status;
}

static SECURITY_STATUS verify_claim(const struct ntlm_exchange *exchange, struct claim *claim)
{
    const struct ntlm_logon logon = {
        .user = cs_written(&claim->user),
        .domain = cs_written(&claim->domain),
        .workstation = cs_written(&claim->workstation),
        .server_challenge = exchange->server_challenge,
        .lm_response = claim->message.lm_response,
        .nt_response = claim->message.nt_response,
        .flags = claim->flags,
        .lm_compatibility_level = credential_of(exchange)->policy.lm_compatibility_level,
    };
    if (claim->anonymous) return exchange->request & ASC_REQ_ALLOW_NULL_SESSION ? SEC_E_OK : SEC_E_LOGON_DENIED;
    if (claim->local) return verify_local(exchange, claim, &logon, &claim->account);
    return ntlm_verify_logon(&logon, &claim->account);
}

/* ExportedSessionKey, 3.2.5.1.2. With KEY_EXCH the encrypted key is 16 bytes and nothing else (bug class B7). */
static SECURITY_STATUS export_key(const struct ntlm_exchange *exchange, struct claim *claim)
{
    const struct ntlm_authenticate *message = &claim->message;
    const uint8_t *base = claim->account.session_base_key;
    uint8_t key_exchange_key[NTLM_KEY], lm[NTLM_RESPONSE] = {0};
    if (message->lm_response.size)
        memcpy(lm, message->lm_response.data,
               message->lm_response.size < sizeof lm ? message->lm_response.size : sizeof lm);
    if (claim->is_v2 || claim->anonymous)
        memcpy(key_exchange_key, base, NTLM_KEY);
    else
        ntlm_KXKEY(claim->flags, base, lm, exchange->server_challenge, claim->account.lmowfv1, key_exchange_key);
    SECURITY_STATUS status = SEC_E_OK;
    if (!(claim->flags & NTLMSSP_NEGOTIATE_KEY_EXCH))
        memcpy(claim->exported, key_exchange_key, NTLM_KEY);
    else if (message->session_key.size == NTLM_KEY)
        ntlm_RC4K(key_exchange_key, message->session_key.data, claim->exported);
    else
        status = SEC_E_INVALID_TOKEN;
    cs_wipe(key_exchange_key, sizeof key_exchange_key);
    return status;
}

/*
 * MsvAvFlags, which the proof covers, says that there is a MIC: then it must be there and hold, and the messages are
 * those that this side has seen, flags and all (CVE-2019-1040).
 */
static SECURITY_STATUS check_mic(const struct ntlm_exchange *exchange, const struct claim *claim, struct cs_span token)
{
    const size_t after = NTLM_MIC_OFFSET + NTLM_MIC_SIZE;
    uint8_t mic[NTLM_MIC_SIZE];
    struct cs_writer zeroed = {0};
    if (!claim->is_v2 || !(claim->v2.av.flags & MSV_AV_FLAG_MIC)) return SEC_E_OK;
    if (!claim->message.room_for_mic) return SEC_E_INVALID_TOKEN;
    cs_write_span(&zeroed, (struct cs_span){token.data, NTLM_MIC_OFFSET});
    cs_write_room(&zeroed, NTLM_MIC_SIZE);
    cs_write_span(&zeroed, (struct cs_span){token.data + after, token.size - after});
    SECURITY_STATUS status = zeroed.failed ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK;
    if (status == SEC_E_OK) {
        ntlm_compute_mic(exchange, claim->exported, cs_written(&zeroed), mic);
        if (!cs_same(mic, token.data + NTLM_MIC_OFFSET, sizeof mic)) status = SEC_E_MESSAGE_ALTERED;
    }
    cs_writer_drop(&zeroed);
    return status;
}

/*
 * Bindings given by the server are the policy: the client's must be the same. ASC_REQ_ALLOW_MISSING_BINDINGS lets a
 * client without any pass, ASC_REQ_PROXY_BINDINGS one that has any (errors.tsv, SEC_E_BAD_BINDINGS).
 */
static SECURITY_STATUS check_bindings(struct ntlm_exchange *exchange, const struct claim *claim,
                                      const struct cs_leg *leg)
{
    static const uint8_t none[CS_BINDINGS_HASH_SIZE];
    const struct ntlm_av_pairs *av = &claim->v2.av;
    SECURITY_STATUS status = take_bindings(exchange, leg);
    if (status || !exchange->has_bindings) return status;
    const bool missing = !claim->is_v2 || !ntlm_av_has(av, MsvAvChannelBindings) ||
                         cs_same(av->value[MsvAvChannelBindings].data, none, sizeof none);
    if (missing) return exchange->request & ASC_REQ_ALLOW_MISSING_BINDINGS ? SEC_E_OK : SEC_E_BAD_BINDINGS;
    if (exchange->request & ASC_REQ_PROXY_BINDINGS) return SEC_E_OK;
    return cs_same(av->value[MsvAvChannelBindings].data, exchange->bindings, sizeof none) ? SEC_E_OK
                                                                                          : SEC_E_BAD_BINDINGS;
}

/* DOMAIN\user, as the account has it; one of this machine is in no other domain, whatever the client says: else it
 * could pass for somebody of a domain whose names this server trusts. */
static bool session_names(struct cs_span *names, const struct ntlm_exchange *exchange, const struct claim *claim)
{
    const struct cs_span user = cs_written(&claim->account.user);
    struct cs_span domain = cs_written(&claim->account.domain);
    struct cs_writer output = {0};
    bool upn = false;
    for (size_t i = 0; i + 1 < user.size; i += 2) upn |= user.data[i] == '@';
    if (!domain.size && !upn) domain = credential_of(exchange)->machine;
    if (claim->anonymous)
        ntlm_anonymous_name(&output);
    else
        ntlm_qualified_name(&output, domain, user);
    bool copied = !output.failed && cs_span_copy(names, cs_written(&output));
    cs_writer_drop(&output);
    return copied;
}

static SECURITY_STATUS make_session(const struct ntlm_exchange *exchange, const struct claim *claim, struct cs_leg *leg,
                                    struct cs_session **session)
{
    struct ntlm_session_seed seed = {.initiator = false, .flags = claim->flags, .expiry = ntlm_context_expiry()};
    struct cs_span target = claim->is_v2 ? claim->v2.av.value[MsvAvTargetName] : (struct cs_span){0};
    seed.granted = ntlm_granted_flags(claim->flags, exchange->request, false);
    if (claim->anonymous) seed.granted |= ASC_RET_NULL_SESSION;
    memcpy(seed.exported_session_key, claim->exported, NTLM_KEY);
    if (session_names(&seed.names, exchange, claim) && cs_span_copy(&seed.target, target))
        *session = ntlm_session_create(&seed);
    else
        cs_span_drop(&seed.names);
    cs_wipe(seed.exported_session_key, NTLM_KEY);
    leg->granted = seed.granted;
    leg->expiry = seed.expiry;
    return *session ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SECURITY_STATUS ntlm_receive_authenticate(struct ntlm_exchange *exchange, struct cs_leg *leg,
                                          struct cs_session **session)
{
    struct claim claim = {0};
    SECURITY_STATUS status = read_claim(exchange, leg->input, &claim);
    if (status == SEC_E_OK && (claim.user.failed || claim.domain.failed)) status = SEC_E_INSUFFICIENT_MEMORY;
    if (status == SEC_E_OK) status = verify_claim(exchange, &claim);
    if (status == SEC_E_OK) status = export_key(exchange, &claim);
    if (status == SEC_E_OK) status = check_mic(exchange, &claim, leg->input);
    if (status == SEC_E_OK) status = check_bindings(exchange, &claim, leg);
    if (status == SEC_E_OK) status = make_session(exchange, &claim, leg, session);
    cs_writer_drop(&claim.user);
    cs_writer_drop(&claim.domain);
    cs_writer_drop(&claim.workstation);
    ntlm_logon_result_drop(&claim.account);
    cs_wipe(&claim, sizeof claim);
    return status;
}
