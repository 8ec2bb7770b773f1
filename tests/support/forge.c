/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An AUTHENTICATE_MESSAGE made right again.
 */
#include "forge.h"

#include "ntlm_flags.h"
#include "utf16.h"

#include <string.h>

/* A message with what its proof is made of. */
struct claim {
    struct ntlm_authenticate message;
    struct ntlm_challenge challenge;
    uint32_t flags; /* in force */
    uint8_t proof[NTLM_RESPONSE];
    size_t proof_size;
    uint8_t key_exchange_key[NTLM_KEY];
};

static bool name_of(struct cs_writer *name, uint32_t flags, struct cs_span text)
{
    if (!(flags & NTLMSSP_NEGOTIATE_UNICODE)) return cs_utf16_of_oem(name, text);
    cs_write_span(name, text);
    return true;
}

static bool prove_v2(const struct forge *forge, struct claim *claim)
{
    const struct cs_span response = claim->message.nt_response, none = {0};
    const struct cs_span temp = {response.data + NTLM_KEY, response.size - NTLM_KEY};
    const struct cs_span server = {claim->challenge.server_challenge, NTLM_CHALLENGE};
    struct cs_writer user = {0}, domain = {0};
    uint8_t ntowfv2[NTLM_KEY];
    bool named = name_of(&user, claim->flags, claim->message.user) &&
                 name_of(&domain, claim->flags, claim->message.domain) &&
                 ntlm_NTOWFv2(forge->ntowfv1, cs_written(&user), cs_written(&domain), ntowfv2);
    cs_writer_drop(&user);
    cs_writer_drop(&domain);
    if (!named) return false;
    claim->proof_size = NTLM_KEY;
    ntlm_HMAC_MD5(ntowfv2, server, temp, none, claim->proof);
    ntlm_HMAC_MD5(ntowfv2, (struct cs_span){claim->proof, NTLM_KEY}, none, none, claim->key_exchange_key);
    return true;
}

static void prove_v1(const struct forge *forge, struct claim *claim)
{
    uint8_t lm[NTLM_RESPONSE] = {0}, challenge[NTLM_CHALLENGE], base[NTLM_KEY];
    const struct cs_span given = claim->message.lm_response;
    if (given.size) memcpy(lm, given.data, given.size < sizeof lm ? given.size : sizeof lm);
    memcpy(challenge, claim->challenge.server_challenge, sizeof challenge);
    if (claim->flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY)
        ntlm_ess_challenge(claim->challenge.server_challenge, lm, challenge);
    claim->proof_size = NTLM_RESPONSE;
    ntlm_DESL(forge->ntowfv1, challenge, claim->proof);
    ntlm_session_base_key_v1(forge->ntowfv1, base);
    const uint8_t no_lmowf[NTLM_KEY] = {0};
    ntlm_KXKEY(claim->flags, base, lm, claim->challenge.server_challenge, no_lmowf, claim->key_exchange_key);
}

static bool prove(const struct forge *forge, struct cs_span token, struct claim *claim)
{
    memset(claim, 0, sizeof *claim);
    if (ntlm_authenticate_read(token, &claim->message) || ntlm_challenge_read(forge->challenge, &claim->challenge))
        return false;
    claim->flags = claim->message.flags & claim->challenge.flags;
    if (claim->message.nt_response.size < NTLM_RESPONSE) return false;
    if (claim->message.nt_response.size > NTLM_RESPONSE) return prove_v2(forge, claim);
    prove_v1(forge, claim);
    return true;
}

bool forge_proof(const struct forge *forge, struct cs_writer *token)
{
    struct claim claim;
    if (!prove(forge, cs_written(token), &claim)) return false;
    size_t offset = (size_t)(claim.message.nt_response.data - token->data);
    cs_write_over(token, offset, (struct cs_span){claim.proof, claim.proof_size});
    return !token->failed;
}

bool forge_proof_holds(const struct forge *forge, struct cs_span token)
{
    struct claim claim;
    return prove(forge, token, &claim) && !memcmp(claim.message.nt_response.data, claim.proof, claim.proof_size);
}

bool forge_mic(const struct forge *forge, struct cs_writer *token)
{
    const uint8_t zeros[NTLM_MIC_SIZE] = {0};
    struct claim claim;
    uint8_t key[NTLM_KEY], mic[NTLM_MIC_SIZE];
    if (!prove(forge, cs_written(token), &claim) || !claim.message.room_for_mic) return false;
    memcpy(key, claim.key_exchange_key, sizeof key);
    if ((claim.flags & NTLMSSP_NEGOTIATE_KEY_EXCH) && claim.message.session_key.size == NTLM_KEY)
        ntlm_RC4K(claim.key_exchange_key, claim.message.session_key.data, key);
    cs_write_over(token, NTLM_MIC_OFFSET, (struct cs_span){zeros, sizeof zeros});
    ntlm_HMAC_MD5(key, forge->negotiate, forge->challenge, cs_written(token), mic);
    cs_write_over(token, NTLM_MIC_OFFSET, (struct cs_span){mic, sizeof mic});
    return !token->failed;
}

void forge_rewrite(struct cs_writer *token, const struct ntlm_authenticate *message)
{
    struct cs_writer made = {0};
    ntlm_authenticate_write(&made, message);
    cs_writer_drop(token);
    *token = made;
}

bool forge_av_pairs(struct cs_writer *token, struct cs_span av)
{
    struct ntlm_authenticate message;
    struct ntlm_v2_response v2;
    struct cs_writer response = {0};
    if (ntlm_authenticate_read(cs_written(token), &message) || ntlm_v2_response_read(message.nt_response, &v2))
        return false;
    const size_t fixed = (size_t)(v2.av.list.data - message.nt_response.data);
    cs_write_span(&response, (struct cs_span){message.nt_response.data, fixed});
    cs_write_span(&response, av);
    message.nt_response = cs_written(&response);
    forge_rewrite(token, &message);
    cs_writer_drop(&response);
    return !token->failed;
}
