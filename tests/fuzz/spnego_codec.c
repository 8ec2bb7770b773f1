/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: the readers of SPNEGO's messages. DER has one encoding: what has been read as NegTokenResp is written
 * to the byte, and so is NegTokenInit once what is passed over has been left out. Input: the bytes.
 */
#include "fuzz.h"
#include "spnego.h"

#include <string.h>

static void require_same(struct cs_span left, struct cs_span right)
{
    fuzz_require(!left.data == !right.data && left.size == right.size &&
                     (!left.size || !memcmp(left.data, right.data, left.size)),
                 "a field that reads otherwise when written anew");
}

static void require_inside(struct cs_span whole, struct cs_span part)
{
    if (!part.data) return;
    fuzz_require(part.data >= whole.data && part.data + part.size <= whole.data + whole.size, "a span beyond");
}

static void require_same_init(const struct spnego_init *left, const struct spnego_init *right)
{
    fuzz_require(left->mech_count == right->mech_count, "how many mechanisms");
    for (size_t i = 0; i < left->mech_count; i++) require_same(left->mechs[i], right->mechs[i]);
    require_same(left->mech_list, right->mech_list);
    require_same(left->mech_token, right->mech_token);
    require_same(left->mech_list_mic, right->mech_list_mic);
    require_same(left->hint_name, right->hint_name);
}

static void init(struct cs_span token)
{
    struct spnego_init message, again;
    struct cs_writer written = {0}, twice = {0};
    if (spnego_init_read(token, &message)) return;
    fuzz_require(message.mech_count && message.mech_count <= SPNEGO_MOST_MECHS, "how many mechanisms");
    for (size_t i = 0; i < message.mech_count; i++) require_inside(message.mech_list, message.mechs[i]);
    require_inside(token, message.mech_list);
    require_inside(token, message.mech_token);
    require_inside(token, message.mech_list_mic);
    require_inside(token, message.hint_name);
    spnego_init_write(&written, &message);
    fuzz_require(!written.failed && !spnego_init_read(cs_written(&written), &again), "a NegTokenInit");
    require_same_init(&message, &again);
    spnego_init_write(&twice, &again);
    require_same(cs_written(&written), cs_written(&twice));
    cs_writer_drop(&written);
    cs_writer_drop(&twice);
}

static void resp(struct cs_span token)
{
    struct spnego_resp message;
    struct cs_writer written = {0};
    if (spnego_resp_read(token, &message)) return;
    fuzz_require(message.state <= SPNEGO_NO_STATE, "a state that there is not");
    require_inside(token, message.supported_mech);
    require_inside(token, message.response_token);
    require_inside(token, message.mech_list_mic);
    spnego_resp_write(&written, &message);
    fuzz_require(!written.failed, "a NegTokenResp");
    require_same(token, cs_written(&written));
    cs_writer_drop(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct cs_span token = {data, size};
    init(token);
    resp(token);
    return 0;
}
