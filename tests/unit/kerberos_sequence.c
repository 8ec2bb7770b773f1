/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which messages arrive: in the order, out of it, again, and at the ends of the numbers' range.
 *
 *  D4  the window moves only with what has verified (kerberos_attacks.c has the forged tokens)
 *  D5  sequence numbers from 2^31 and across the wrap to 0
 */
#include "kerberos_pair.h"
#include "kerberos_sequence.h"

#include <pthread.h>

enum { MESSAGES = 80, ORDER = ISC_REQ_SEQUENCE_DETECT, UNIQUE = ISC_REQ_REPLAY_DETECT };

static const char text[] = "in order";

/* Messages from the client, sealed, signed and wrapped without encryption by turns: one count for all. */
struct sent {
    struct wire wire;
    uint8_t mic[TOKEN_ROOM];
    bool is_mic;
};

static struct sent send_number(struct cs_session *session, size_t i)
{
    struct sent sent = {.is_mic = i % 3 == 1};
    if (sent.is_mic)
        kerberos_sign(session, text, sizeof text, sent.mic);
    else
        sent.wire = kerberos_wrap(session, i % 3 ? SECQOP_WRAP_NO_ENCRYPT : 0, text, sizeof text);
    return sent;
}

static SECURITY_STATUS receive(struct cs_session *session, const struct sent *sent)
{
    struct wire wire = sent->wire;
    if (sent->is_mic) return kerberos_verify(session, text, sizeof text, sent->mic, session->sizes.max_signature);
    SECURITY_STATUS status = kerberos_unwrap(session, &wire, NULL);
    if (status)
        assert_memory_equal(&wire, &sent->wire, sizeof wire);
    else
        assert_memory_equal(wire_data(&wire), text, sizeof text);
    return status;
}

/* MESSAGES of them, of each type, to a server that was granted GRANTED; the numbers begin with FIRST. */
static void for_each_type(uint32_t granted, uint64_t first,
                          void (*run)(struct cs_session *server, const struct sent *sent))
{
    static struct sent sent[MESSAGES];
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++) {
        struct sessions sessions = kerberos_sessions_from(kerberos_etypes[i], granted | ISC_REQ_CONFIDENTIALITY, first);
        for (size_t j = 0; j < MESSAGES; j++) sent[j] = send_number(sessions.client, j);
        run(sessions.server, sent);
        kerberos_sessions_end(&sessions);
    }
}

/* errors.tsv DecryptMessage, VerifySignature: only the next one; all others, and those that were, are out of sequence
 */
static void only_the_next(struct cs_session *server, const struct sent *sent)
{
    for (size_t i = 0; i < MESSAGES; i++) {
        if (i) assert_int_equal(receive(server, &sent[i - 1]), SEC_E_OUT_OF_SEQUENCE);
        if (i + 1 < MESSAGES) assert_int_equal(receive(server, &sent[i + 1]), SEC_E_OUT_OF_SEQUENCE);
        assert_int_equal(receive(server, &sent[MESSAGES - 1]), i + 1 < MESSAGES ? SEC_E_OUT_OF_SEQUENCE : SEC_E_OK);
        if (i + 1 < MESSAGES) assert_int_equal(receive(server, &sent[i]), SEC_E_OK);
        assert_int_equal(receive(server, &sent[0]), SEC_E_OUT_OF_SEQUENCE);
    }
}

/* The last first, then backwards to the end of the window; each once. */
static void any_order_once(struct cs_session *server, const struct sent *sent)
{
    assert_int_equal(receive(server, &sent[2]), SEC_E_OK);
    assert_int_equal(receive(server, &sent[2]), SEC_E_OUT_OF_SEQUENCE);
    assert_int_equal(receive(server, &sent[0]), SEC_E_OK);
    assert_int_equal(receive(server, &sent[0]), SEC_E_OUT_OF_SEQUENCE);
    for (size_t i = MESSAGES; i > MESSAGES - 64; i--) {
        assert_int_equal(receive(server, &sent[i - 1]), SEC_E_OK);
        assert_int_equal(receive(server, &sent[i - 1]), SEC_E_OUT_OF_SEQUENCE);
    }
    for (size_t i = 0; i < MESSAGES; i++) assert_int_equal(receive(server, &sent[i]), SEC_E_OUT_OF_SEQUENCE);
}

static void anything(struct cs_session *server, const struct sent *sent)
{
    for (size_t i = MESSAGES; i > 0; i--) assert_int_equal(receive(server, &sent[i - 1]), SEC_E_OK);
    for (size_t i = 0; i < MESSAGES; i++) assert_int_equal(receive(server, &sent[i]), SEC_E_OK);
}

/* Where numbers change their length or sign, in 32 and in 64 bits; RC4 counts the low 32 of them. */
static const uint64_t starts[] = {0,
                                  1,
                                  0x12345678,
                                  UINT32_MAX / 2 - 30,
                                  UINT32_MAX - 30,
                                  UINT32_MAX,
                                  (uint64_t)INT64_MAX - 30,
                                  UINT64_MAX - 30,
                                  UINT64_MAX};

static void in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(starts); i++) {
        for_each_type(ORDER, starts[i], only_the_next);
        for_each_type(ORDER | UNIQUE, starts[i], only_the_next);
    }
}

static void without_repeats(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(starts); i++) for_each_type(UNIQUE, starts[i], any_order_once);
}

static void without_detection(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(starts); i++) for_each_type(0, starts[i], anything);
}

/* RFC 4121 4.2.6: 64 bits on the wire, and the upper ones are not forgotten at 2^32. */
static void upper_half(void **state)
{
    struct sessions sessions = kerberos_sessions_from(18, ORDER | ISC_REQ_CONFIDENTIALITY, UINT32_MAX);
    (void)state;
    struct wire wire = kerberos_wrap(sessions.client, 0, text, sizeof text);
    expect_hex(((struct cs_span){wire.bytes + 8, 8}), "00000000ffffffff");
    wire = kerberos_wrap(sessions.client, 0, text, sizeof text);
    expect_hex(((struct cs_span){wire.bytes + 8, 8}), "0000000100000000");
    kerberos_sessions_end(&sessions);
}

static bool arrives(struct kerberos_sequence *sequence, uint64_t number)
{
    assert_true(kerberos_sequence_enter(sequence));
    const bool arrived = kerberos_sequence_receive(sequence, number);
    kerberos_sequence_leave(sequence);
    return arrived;
}

/* The window alone: what is long gone, what is far ahead, and nothing from before the first. */
static void window(void **state)
{
    const unsigned widths[] = {32, 64};
    (void)state;
    for (size_t i = 0; i < COUNT(widths); i++) {
        struct kerberos_sequence sequence;
        assert_true(kerberos_sequence_init(&sequence, 10, UNIQUE, widths[i]));
        for (uint64_t n = 0; n < 10; n++) assert_false(arrives(&sequence, n));
        assert_true(arrives(&sequence, 12));
        for (uint64_t n = 0; n < 10; n++) assert_false(arrives(&sequence, n));
        assert_true(arrives(&sequence, 10));
        assert_true(arrives(&sequence, 1000));
        assert_false(arrives(&sequence, 11));
        assert_false(arrives(&sequence, 1000 - 64));
        assert_true(arrives(&sequence, 1000 - 63));
        assert_true(arrives(&sequence, 1064));
        assert_false(arrives(&sequence, 1000));
        assert_true(arrives(&sequence, 1001));
        assert_true(arrives(&sequence, 1128));
        assert_false(arrives(&sequence, 1064));
        assert_false(arrives(&sequence, 1128 + sequence.mask / 2 + 2));
        assert_true(arrives(&sequence, 1128 + sequence.mask / 2));
        pthread_mutex_destroy(&sequence.lock);
    }
}

/* A thread that died in the middle of a message leaves a count that nobody can trust: no hang, and no more messages. */
static void *die_inside(void *sequence)
{
    kerberos_sequence_enter(sequence);
    return NULL;
}

static void dead_owner(void **state)
{
    struct kerberos_sequence sequence;
    pthread_t thread;
    (void)state;
    assert_true(kerberos_sequence_init(&sequence, 1, ORDER, 64));
    assert_int_equal(pthread_create(&thread, NULL, die_inside, &sequence), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 2; i++) {
        assert_false(kerberos_sequence_enter(&sequence));
        kerberos_sequence_leave(&sequence);
    }
    pthread_mutex_destroy(&sequence.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),   cmocka_unit_test(without_repeats), cmocka_unit_test(without_detection),
        cmocka_unit_test(upper_half), cmocka_unit_test(window),          cmocka_unit_test(dead_owner),
    };
    return cmocka_run_group_tests_name("kerberos_sequence", tests, NULL, NULL);
}
