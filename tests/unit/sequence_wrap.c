/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sequence numbers at the end of their range. Nobody sends 2^32 messages to get there, so this test looks inside.
 *
 *  D5  sequence numbers from 2^31 and across the wrap to 0
 */
#include "protect.c"

#include "unit.h"

static void start_at(struct cs_session *session, uint32_t sequence)
{
    for (int i = 0; i < 2; i++) ntlm_session_of(session)->directions[i].state.sequence = sequence;
}

static uint32_t sequence_in(const uint8_t token[16])
{
    struct cs_reader reader = cs_reader_of((struct cs_span){token + 12, 4});
    return cs_read_u32(&reader);
}

static void expect_counts_from(const struct sessions *sessions, uint32_t flags, uint32_t start)
{
    start_at(sessions->client, start);
    start_at(sessions->server, start);
    for (uint32_t i = 0; i < 8; i++) {
        char text[] = "counted";
        uint8_t token[16] = {0}, old[16];
        assert_int_equal(seal(sessions->client, 0, text, sizeof text, token), SEC_E_OK);
        if (flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) assert_int_equal(sequence_in(token), start + i);
        memcpy(old, token, sizeof old);
        assert_int_equal(unseal(sessions->server, text, sizeof text, token), SEC_E_OK);
        assert_string_equal(text, "counted");
        assert_int_equal(unseal(sessions->server, text, sizeof text, old), SEC_E_MESSAGE_ALTERED);
    }
}

static void across_the_ends(void **state)
{
    const uint32_t starts[] = {0x7FFFFFFC, 0x80000000, 0xFFFFFFFC};
    (void)state;
    for (size_t i = 0; i < flavour_count; i++)
        for (size_t j = 0; j < sizeof starts / sizeof *starts; j++) {
            struct sessions sessions = sessions_with(flavours[i].flags);
            expect_counts_from(&sessions, flavours[i].flags, starts[j]);
            sessions_end(&sessions);
        }
}

/* A thread that died in the middle of a message leaves a stream whose place nobody knows: no more messages, no hang. */
static void *die_inside(void *session)
{
    cs_lock(&ntlm_session_of(session)->send->lock);
    return NULL;
}

static void dead_owner(void **state)
{
    struct sessions sessions = sessions_with(flavours[0].flags);
    char text[] = "after";
    uint8_t token[16];
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, die_inside, sessions.client), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(seal(sessions.client, 0, text, sizeof text, token), SEC_E_CONTEXT_EXPIRED);
        assert_string_equal(text, "after");
    }
    assert_int_equal(seal(sessions.server, 0, text, sizeof text, token), SEC_E_OK);
    assert_int_equal(unseal(sessions.client, text, sizeof text, token), SEC_E_OK);
    sessions_end(&sessions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(across_the_ends),
        cmocka_unit_test(dead_owner),
    };
    return cmocka_run_group_tests_name("sequence_wrap", tests, NULL, NULL);
}
