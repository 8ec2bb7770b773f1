/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Several threads on one Kerberos context: each direction has those that send and those that receive. Run under
 * ThreadSanitizer, which sees what the results do not show.
 */
#include "kerberos_pair.h"

#include <pthread.h>

enum { MESSAGES = 120, SIZE = 300, THREADS = 6 };

/* Not cmocka's assertions, which are for the main thread: what went wrong is counted. */
struct channel {
    struct cs_session *from, *to;
    struct {
        uint8_t token[TOKEN_ROOM], data[SIZE], padding[1];
        uint32_t token_size;
    } sent[MESSAGES];
    int made, taken, failures;
};

static void check(struct channel *channel, bool held)
{
    if (!held) __atomic_add_fetch(&channel->failures, 1, __ATOMIC_RELAXED);
}

static int take(int *counter)
{
    const int place = __atomic_fetch_add(counter, 1, __ATOMIC_ACQ_REL);
    return place < MESSAGES ? place : -1;
}

static struct parts parts_of(struct channel *channel, int i)
{
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_TOKEN, channel->sent[i].token, channel->sent[i].token_size);
    add_part(&parts, SECBUFFER_DATA, channel->sent[i].data, SIZE);
    add_part(&parts, SECBUFFER_PADDING, channel->sent[i].padding, 1);
    return parts;
}

static void *send_some(void *data)
{
    struct channel *channel = data;
    for (int i = take(&channel->made); i >= 0; i = take(&channel->made)) {
        channel->sent[i].token_size = channel->from->sizes.security_trailer;
        memset(channel->sent[i].data, i, SIZE);
        struct parts parts = parts_of(channel, i);
        const struct cs_message message = message_over(&parts);
        check(channel, cs_encrypt(channel->from, i % 2 ? SECQOP_WRAP_NO_ENCRYPT : 0, &message) == SEC_E_OK);
        channel->sent[i].token_size = parts.buffers[0].size;
    }
    return NULL;
}

/* Among the genuine ones each thread tries a forged one. */
static void *receive_some(void *data)
{
    struct channel *channel = data;
    for (int i = take(&channel->taken); i >= 0; i = take(&channel->taken)) {
        struct parts parts = parts_of(channel, i);
        const struct cs_message message = message_over(&parts);
        channel->sent[i].data[7] ^= 1;
        check(channel, cs_decrypt(channel->to, &message, NULL) == SEC_E_MESSAGE_ALTERED);
        channel->sent[i].data[7] ^= 1;
        check(channel, cs_decrypt(channel->to, &message, NULL) == SEC_E_OK);
        check(channel, channel->sent[i].data[0] == (uint8_t)i && channel->sent[i].data[SIZE - 1] == (uint8_t)i);
    }
    return NULL;
}

static void run(void *(*const work[THREADS])(void *), struct channel *const channels[THREADS])
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, work[i], channels[i]), 0);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void several_of_each(void **state)
{
    static struct channel there, back;
    (void)state;
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++) {
        struct sessions sessions = kerberos_sessions(kerberos_etypes[i], ISC_REQ_CONFIDENTIALITY);
        there = (struct channel){.from = sessions.client, .to = sessions.server};
        back = (struct channel){.from = sessions.server, .to = sessions.client};
        run((void *(*const[])(void *)){send_some, send_some, send_some, send_some, send_some, send_some},
            (struct channel *const[]){&there, &there, &there, &back, &back, &back});
        run((void *(*const[])(void *)){receive_some, receive_some, receive_some, receive_some, receive_some,
                                       receive_some},
            (struct channel *const[]){&there, &there, &there, &back, &back, &back});
        assert_int_equal(there.failures + back.failures, 0);
        kerberos_sessions_end(&sessions);
    }
}

/* Threads send and receive on the same context, both ways, at once. */
static void both_ways(void **state)
{
    static struct channel first, second, third;
    (void)state;
    for (size_t i = 0; i < COUNT(kerberos_etypes); i++) {
        struct sessions sessions = kerberos_sessions(kerberos_etypes[i], ISC_REQ_CONFIDENTIALITY);
        first = (struct channel){.from = sessions.client, .to = sessions.server};
        second = (struct channel){.from = sessions.server, .to = sessions.client};
        third = first;
        void *(*const senders[])(void *) = {send_some, send_some, send_some, send_some, send_some, send_some};
        run(senders, (struct channel *const[]){&first, &first, &first, &second, &second, &second});
        void *(*const both[])(void *) = {receive_some, receive_some, receive_some, receive_some, send_some, send_some};
        run(both, (struct channel *const[]){&first, &first, &second, &second, &third, &third});
        assert_int_equal(first.failures + second.failures + third.failures, 0);
        kerberos_sessions_end(&sessions);
    }
}

/* Numbers of RFC 4121's tokens, which are in the clear: each once. */
static void numbers(void **state)
{
    static struct channel channel;
    struct sessions sessions = kerberos_sessions_from(18, KERBEROS_ORDERED, 0);
    bool seen[MESSAGES] = {false};
    (void)state;
    channel = (struct channel){.from = sessions.client, .to = sessions.server};
    run((void *(*const[])(void *)){send_some, send_some, send_some, send_some, send_some, send_some},
        (struct channel *const[]){&channel, &channel, &channel, &channel, &channel, &channel});
    for (int i = 0; i < MESSAGES; i++) {
        struct kerberos_header header;
        assert_true(kerberos_header_read(channel.sent[i].token, &header));
        assert_true(header.sequence < MESSAGES && !seen[header.sequence]);
        seen[header.sequence] = true;
    }
    kerberos_sessions_end(&sessions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_of_each),
        cmocka_unit_test(both_ways),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests_name("kerberos_threads", tests, NULL, NULL);
}
