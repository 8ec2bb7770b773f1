/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of an NTLM session is packed: the NEGOTIATE flags (4), then for each direction the sequence number when the
 * exchange ended (4) and now (4), and RC4's state: 0 (1) at its start, else 1, x, y (1 each) and the permutation (256).
 */
#include "export.h"
#include "ntlm_session.h"
#include "secure.h"
#include "utf16.h"

#include <string.h>

enum { PERMUTATION = 256, START = 0, UNDERWAY = 1 };

extern const struct cs_portable ntlm_portable;

static SECURITY_STATUS hold(struct cs_session *base)
{
    struct ntlm_session *session = ntlm_session_of(base);
    const SECURITY_STATUS first = ntlm_direction_enter(&session->directions[0]);
    const SECURITY_STATUS second = ntlm_direction_enter(&session->directions[1]);
    return first ? first : second;
}

static void let_go(struct cs_session *base)
{
    struct ntlm_session *session = ntlm_session_of(base);
    for (int i = 0; i < 2; i++) cs_unlock(&session->directions[i].lock);
}

static void write_rc4(const RC4_KEY *rc4, struct cs_writer *packed)
{
    cs_write_u8(packed, UNDERWAY);
    cs_write_u8(packed, (uint8_t)rc4->x);
    cs_write_u8(packed, (uint8_t)rc4->y);
    uint8_t *permutation = cs_write_room(packed, PERMUTATION);
    for (int i = 0; permutation && i < PERMUTATION; i++) permutation[i] = (uint8_t)rc4->state[i];
}

/* RC4 with a value that is there twice would be a weaker cipher. */
static bool is_permutation(struct cs_span values)
{
    bool there[PERMUTATION] = {false};
    for (size_t i = 0; i < values.size; i++) there[values.data[i]] = true;
    for (int i = 0; i < PERMUTATION; i++)
        if (!there[i]) return false;
    return true;
}

static void read_rc4(RC4_KEY *rc4, struct cs_reader *packed)
{
    const uint8_t where = cs_read_u8(packed);
    if (where == START) return; /* as it is in a new session */
    rc4->x = cs_read_u8(packed);
    rc4->y = cs_read_u8(packed);
    const struct cs_span values = cs_read_span(packed, PERMUTATION);
    if (where != UNDERWAY || packed->failed || !is_permutation(values)) {
        packed->failed = true;
        return;
    }
    for (int i = 0; i < PERMUTATION; i++) rc4->state[i] = values.data[i];
}

static void write_direction(const struct ntlm_direction *direction, bool fresh, struct cs_writer *packed)
{
    cs_write_u32(packed, direction->first);
    cs_write_u32(packed, fresh ? direction->first : direction->state.sequence);
    if (fresh)
        cs_write_u8(packed, START);
    else
        write_rc4(&direction->state.rc4, packed);
}

static void read_direction(struct ntlm_direction *direction, struct cs_reader *packed)
{
    direction->first = cs_read_u32(packed);
    direction->state.sequence = cs_read_u32(packed);
    read_rc4(&direction->state.rc4, packed);
}

static void pack(const struct cs_session *base, bool fresh, struct cs_writer *packed)
{
    const struct ntlm_session *session = (const struct ntlm_session *)base;
    cs_write_u32(packed, session->flags);
    for (int i = 0; i < 2; i++) write_direction(&session->directions[i], fresh, packed);
}

static SECURITY_STATUS create(const struct cs_session *head, uint32_t flags, struct cs_session **created)
{
    struct ntlm_session_seed seed = {
        .initiator = head->initiator, .flags = flags, .granted = head->flags, .expiry = head->expiry};
    if (!cs_span_copy(&seed.names, head->names)) return SEC_E_INSUFFICIENT_MEMORY;
    if (!cs_span_copy(&seed.target, head->target)) {
        cs_span_drop(&seed.names);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    memcpy(seed.exported_session_key, head->session_key, NTLM_KEY);
    *created = ntlm_session_create(&seed);
    cs_wipe(&seed, sizeof seed);
    return *created ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static SECURITY_STATUS unpack(const struct cs_session *head, struct cs_reader *packed, struct cs_session **session)
{
    const uint32_t flags = cs_read_u32(packed);
    if (packed->failed || head->session_key_size != NTLM_KEY) return SEC_E_INVALID_TOKEN;
    SECURITY_STATUS status = create(head, flags, session);
    if (status) return status;
    for (int i = 0; i < 2; i++) read_direction(&ntlm_session_of(*session)->directions[i], packed);
    return packed->failed ? SEC_E_INVALID_TOKEN : SEC_E_OK;
}

static void retire(struct cs_session *base)
{
    struct ntlm_session *session = ntlm_session_of(base);
    cs_session_retire(base);
    for (int i = 0; i < 2; i++) {
        struct ntlm_direction *direction = &session->directions[i];
        direction->broken = true;
        cs_wipe(&direction->state, sizeof direction->state);
        cs_wipe(&direction->mac, sizeof direction->mac);
    }
}

const struct cs_portable ntlm_portable = {"NTLM", hold, let_go, pack, unpack, retire};
