/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: the readers of the three messages, of AV pairs and of the NTLMv2 response. What has been read can be
 * written, and reads the same again. Input: the bytes.
 */
#include "fuzz.h"

#include <string.h>

static void require_same(struct cs_span left, struct cs_span right)
{
    fuzz_require(left.size == right.size && (!left.size || !memcmp(left.data, right.data, left.size)),
                 "a field that reads otherwise when written anew");
}

static void negotiate(struct cs_span token)
{
    struct ntlm_negotiate message, again;
    struct cs_writer written = {0};
    if (ntlm_negotiate_read(token, &message)) return;
    ntlm_negotiate_write(&written, &message);
    fuzz_require(!written.failed && !ntlm_negotiate_read(cs_written(&written), &again), "a NEGOTIATE_MESSAGE");
    fuzz_require(message.flags == again.flags, "flags");
    require_same(message.domain, again.domain);
    require_same(message.workstation, again.workstation);
    cs_writer_drop(&written);
}

static void challenge(struct cs_span token)
{
    struct ntlm_challenge message, again;
    struct cs_writer written = {0};
    if (ntlm_challenge_read(token, &message)) return;
    ntlm_challenge_write(&written, &message);
    fuzz_require(!written.failed && !ntlm_challenge_read(cs_written(&written), &again), "a CHALLENGE_MESSAGE");
    fuzz_require(message.flags == again.flags, "flags");
    fuzz_require(!memcmp(message.server_challenge, again.server_challenge, NTLM_CHALLENGE), "the challenge");
    fuzz_require(!memcmp(message.local_call, again.local_call, sizeof again.local_call), "the mark");
    require_same(message.target_name, again.target_name);
    require_same(message.target_info, again.target_info);
    cs_writer_drop(&written);
}

static void authenticate(struct cs_span token)
{
    struct ntlm_authenticate message, again;
    struct cs_writer written = {0};
    if (ntlm_authenticate_read(token, &message)) return;
    ntlm_authenticate_write(&written, &message);
    fuzz_require(!written.failed && !ntlm_authenticate_read(cs_written(&written), &again), "an AUTHENTICATE_MESSAGE");
    fuzz_require(message.flags == again.flags && again.room_for_mic, "flags");
    require_same(message.lm_response, again.lm_response);
    require_same(message.nt_response, again.nt_response);
    require_same(message.domain, again.domain);
    require_same(message.user, again.user);
    require_same(message.workstation, again.workstation);
    require_same(message.session_key, again.session_key);
    cs_writer_drop(&written);
}

static void av_pairs(struct cs_span span)
{
    struct ntlm_av_pairs pairs, again;
    struct cs_writer written = {0};
    if (ntlm_av_read(span, &pairs)) return;
    fuzz_require(!(pairs.present & 1), "the end as a pair");
    for (unsigned id = 1; id < NTLM_AV_COUNT; id++)
        if (ntlm_av_has(&pairs, id)) ntlm_av_write(&written, id, pairs.value[id]);
    ntlm_av_write(&written, MsvAvEOL, (struct cs_span){NULL, 0});
    fuzz_require(!written.failed && !ntlm_av_read(cs_written(&written), &again), "AV pairs");
    fuzz_require(pairs.present == again.present && pairs.flags == again.flags && pairs.timestamp == again.timestamp,
                 "AV pairs that read otherwise when written anew");
    for (unsigned id = 1; id < NTLM_AV_COUNT; id++) require_same(pairs.value[id], again.value[id]);
    cs_writer_drop(&written);
}

static void v2_response(struct cs_span span)
{
    struct ntlm_v2_response response;
    if (ntlm_v2_response_read(span, &response)) return;
    fuzz_require(response.proof.size == NTLM_KEY && response.client_challenge.size == NTLM_CHALLENGE, "sizes");
    fuzz_require(response.proof.data == span.data && response.temp.data == span.data + NTLM_KEY &&
                     response.temp.size == span.size - NTLM_KEY, "what the proof covers");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cs_span span = {data, size};
    const uint32_t type = ntlm_message_type(span);
    fuzz_require(type <= NTLM_AUTHENTICATE, "a type that there is not");
    negotiate(span);
    challenge(span);
    authenticate(span);
    av_pairs(span);
    v2_response(span);
    return 0;
}
