/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One thread encrypts while another decrypts on the same context, both ways at once; several of each; through NTLM and
 * through Negotiate; legs and queries side by side. Run under ThreadSanitizer, which sees what the results do not show.
 */
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

enum { MESSAGES = 500, SIZE = 64 };

struct sent {
    uint8_t data[SIZE], token[16];
};

/* What one side sends to the other, in the order in which it was made. */
struct channel {
    struct cs_session *from, *to;
    uint32_t first; /* the number in the first one's token */
    struct sent sent[MESSAGES];
    int made, taken, failures;
};

/* cmocka's assertions are for the main thread: others count what went wrong. */
static void count_failure(struct channel *channel)
{
    __atomic_add_fetch(&channel->failures, 1, __ATOMIC_RELAXED);
}

static void *send_all(void *data)
{
    struct channel *channel = data;
    for (int i = 0; i < MESSAGES; i++) {
        struct sent *sent = &channel->sent[i];
        memset(sent->data, i, SIZE);
        if (seal(channel->from, 0, sent->data, SIZE, sent->token)) count_failure(channel);
        __atomic_store_n(&channel->made, i + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void *receive_all(void *data)
{
    struct channel *channel = data;
    for (int i = 0; i < MESSAGES; i++) {
        struct sent *sent = &channel->sent[i];
        while (__atomic_load_n(&channel->made, __ATOMIC_ACQUIRE) <= i) sched_yield();
        if (unseal(channel->to, sent->data, SIZE, sent->token)) count_failure(channel);
        if (sent->data[0] != (uint8_t)i || sent->data[SIZE - 1] != (uint8_t)i) count_failure(channel);
    }
    return NULL;
}

static void run(void *(*const work[])(void *), void *const data[], size_t count)
{
    pthread_t threads[8];
    assert_true(count <= sizeof threads / sizeof *threads);
    for (size_t i = 0; i < count; i++) assert_int_equal(pthread_create(&threads[i], NULL, work[i], data[i]), 0);
    for (size_t i = 0; i < count; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* TEST on the sessions of an exchange of each package. FIRST: the number of the first message; SPNEGO's mechListMIC has
 * taken the one before. */
static void for_each_package(void (*test)(const struct sessions *sessions, uint32_t first))
{
    static const char *const packages[] = {"NTLM", "Negotiate"};
    const struct pair_setup setup = known_setup();
    for (uint32_t i = 0; i < 2; i++) {
        struct pair pair;
        pair_open(&pair, packages[i], &setup);
        assert_int_equal(pair_run(&pair), SEC_E_OK);
        const struct sessions sessions = {cs_context_session(pair.client), cs_context_session(pair.server)};
        test(&sessions, i);
        pair_close(&pair);
    }
}

/* Each context has a thread that encrypts and one that decrypts. */
static void run_both_ways(const struct sessions *sessions, uint32_t first)
{
    static struct channel there, back; /* too large for a stack */
    void *(*const work[])(void *) = {send_all, receive_all, send_all, receive_all};
    void *const data[] = {&there, &there, &back, &back};
    there = (struct channel){.from = sessions->client, .to = sessions->server, .first = first};
    back = (struct channel){.from = sessions->server, .to = sessions->client, .first = first};
    run(work, data, 4);
    assert_int_equal(there.failures, 0);
    assert_int_equal(back.failures, 0);
}

static void both_ways(void **state)
{
    (void)state;
    for_each_package(run_both_ways);
}

/* Takes the next free place of the channel for a message; -1 when all are taken. */
static int take(int *counter)
{
    int place = __atomic_fetch_add(counter, 1, __ATOMIC_ACQ_REL);
    return place < MESSAGES ? place : -1;
}

static uint32_t sequence_of(const struct sent *sent)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){sent->token + 12, 4});
    return cs_read_u32(&reader);
}

/* Each message once, whoever made it: with extended session security the token says which it is. */
static void *send_some(void *data)
{
    struct channel *channel = data;
    for (int i = take(&channel->made); i >= 0; i = take(&channel->made)) {
        struct sent sent;
        memset(sent.data, 0x77, SIZE);
        if (seal(channel->from, 0, sent.data, SIZE, sent.token)) count_failure(channel);
        const uint32_t place = sequence_of(&sent) - channel->first;
        if (place < MESSAGES)
            channel->sent[place] = sent;
        else
            count_failure(channel);
    }
    return NULL;
}

/* A message whose turn it is not is MESSAGE_ALTERED, its bytes as they were, until the others have had theirs. */
static void *receive_some(void *data)
{
    struct channel *channel = data;
    for (int i = take(&channel->taken); i >= 0; i = take(&channel->taken)) {
        struct sent *sent = &channel->sent[i];
        SECURITY_STATUS status = unseal(channel->to, sent->data, SIZE, sent->token);
        while (status == SEC_E_MESSAGE_ALTERED) {
            sched_yield();
            status = unseal(channel->to, sent->data, SIZE, sent->token);
        }
        if (status || sent->data[0] != 0x77 || sent->data[SIZE - 1] != 0x77) count_failure(channel);
    }
    return NULL;
}

static void run_several(const struct sessions *sessions, uint32_t first)
{
    static struct channel channel;
    void *(*const senders[])(void *) = {send_some, send_some, send_some};
    void *(*const receivers[])(void *) = {receive_some, receive_some, receive_some};
    void *const data[] = {&channel, &channel, &channel};
    channel = (struct channel){.from = sessions->client, .to = sessions->server, .first = first};
    run(senders, data, 3);
    assert_int_equal(channel.failures, 0);
    run(receivers, data, 3);
    assert_int_equal(channel.failures, 0);
}

static void several_of_each(void **state)
{
    (void)state;
    for_each_package(run_several);
}

/* Signs and verifies on one context while it encrypts and decrypts: nothing but MESSAGE_ALTERED may come of it. */
static void *disturb(void *data)
{
    struct channel *channel = data;
    for (int i = 0; i < MESSAGES; i++) {
        struct sent sent = {{0}, {1}};
        if (verify(channel->to, sent.data, SIZE, sent.token) != SEC_E_MESSAGE_ALTERED) count_failure(channel);
        if (unseal(channel->to, sent.data, SIZE, sent.token) != SEC_E_MESSAGE_ALTERED) count_failure(channel);
    }
    return NULL;
}

static void genuine_among_forged(void **state)
{
    static struct channel channel;
    void *(*const work[])(void *) = {send_all, receive_all, disturb, disturb};
    void *const data[] = {&channel, &channel, &channel, &channel};
    (void)state;
    for (size_t i = 0; i < flavour_count; i++) {
        struct sessions sessions = sessions_with(flavours[i].flags);
        channel = (struct channel){.from = sessions.client, .to = sessions.server};
        run(work, data, 4);
        assert_int_equal(channel.failures, 0);
        sessions_end(&sessions);
    }
}

/* Without extended session security both directions are one stream under one lock. */
static void shared_stream(void **state)
{
    static struct channel channel;
    void *(*const work[])(void *) = {send_all, disturb};
    struct sessions sessions = sessions_with(NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL);
    void *const data[] = {&channel, &channel};
    (void)state;
    channel = (struct channel){.from = sessions.client, .to = sessions.client};
    run(work, data, 2);
    assert_int_equal(channel.failures, 0);
    channel.to = sessions.server;
    receive_all(&channel);
    assert_int_equal(channel.failures, 0);
    sessions_end(&sessions);
}

/* Two threads bring the same challenge; one gets the answer, the other that the context is complete. */
struct contest {
    struct pair *pair;
    struct cs_span challenge;
    int won, lost, other;
};

static void *answer(void *data)
{
    struct contest *contest = data;
    struct cs_leg leg = {.request = contest->pair->setup.client_request, .input = contest->challenge, .room = SIZE_MAX};
    SECURITY_STATUS status = cs_initialize(&contest->pair->client, &leg);
    int *count = status == SEC_E_OK ? &contest->won : status == SEC_E_INVALID_HANDLE ? &contest->lost : &contest->other;
    __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
    return NULL;
}

/* Asks all the while whether there is a session yet, and uses it as soon as there is. */
static void *wait_for_session(void *data)
{
    struct contest *contest = data;
    struct cs_session *session;
    struct sent sent = {{0}, {0}};
    while (!(session = cs_context_session(contest->pair->client))) sched_yield();
    if (seal(session, 0, sent.data, SIZE, sent.token)) __atomic_add_fetch(&contest->other, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void legs_and_queries(void **state)
{
    void *(*const work[])(void *) = {answer, answer, answer, wait_for_session};
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct pair_setup setup = known_setup();
        struct pair pair;
        pair_open(&pair, "NTLM", &setup);
        assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
        struct contest contest = {.pair = &pair, .challenge = cs_token(pair.server)};
        void *const data[] = {&contest, &contest, &contest, &contest};
        run(work, data, 4);
        assert_int_equal(contest.won, 1);
        assert_int_equal(contest.lost, 2);
        assert_int_equal(contest.other, 0);
        pair_close(&pair);
    }
}

/* The winner's token, fetched while others ask for those of legs that are gone. */
struct fetches {
    struct contest contest;
    uint32_t gone;
    uint8_t token[4096];
    size_t size;
    int stolen, done;
};

static void *answer_and_fetch(void *data)
{
    struct fetches *fetches = data;
    struct cs_leg leg = {.request = fetches->contest.pair->setup.client_request,
                         .input = fetches->contest.challenge,
                         .room = sizeof fetches->token};
    struct cs_context *context = fetches->contest.pair->client;
    if (cs_initialize(&context, &leg) != SEC_E_OK) return NULL;
    sched_yield();
    if (cs_fetch_token(context, leg.token_number, fetches->token, sizeof fetches->token) == SEC_E_OK)
        fetches->size = leg.token_size;
    __atomic_store_n(&fetches->done, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void *fetch_what_is_gone(void *data)
{
    struct fetches *fetches = data;
    uint8_t token[4096];
    for (bool more = true; more;) {
        more = !__atomic_load_n(&fetches->done, __ATOMIC_ACQUIRE);
        const SECURITY_STATUS status =
            cs_fetch_token(fetches->contest.pair->client, fetches->gone, token, sizeof token);
        if (status != SEC_E_INVALID_TOKEN) __atomic_add_fetch(&fetches->stolen, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* A complete context forgets its token when that is fetched: nobody else may be the one who does. */
static void tokens_of_other_legs(void **state)
{
    void *(*const work[])(void *) = {fetch_what_is_gone, answer_and_fetch, answer_and_fetch, fetch_what_is_gone};
    (void)state;
    for (int i = 0; i < 20; i++) {
        static struct fetches fetches;
        struct pair_setup setup = known_setup();
        struct pair pair;
        pair_open(&pair, "NTLM", &setup);
        assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
        fetches = (struct fetches){.contest = {.pair = &pair, .challenge = cs_token(pair.server)},
                                   .gone = pair.client_leg.token_number - 1};
        void *const data[] = {&fetches, &fetches, &fetches, &fetches};
        run(work, data, 4);
        assert_int_equal(fetches.stolen, 0);
        assert_int_equal(pair_server_step(&pair, (struct cs_span){fetches.token, fetches.size}), SEC_E_OK);
        pair_close(&pair);
    }
}

/* One pair of credentials, and exchanges in several threads at once. */
static void *exchange(void *data)
{
    const struct pair *shared = data;
    int failures = 0;
    for (int i = 0; i < 20; i++) {
        struct pair pair = {.setup = shared->setup,
                            .client_credential = shared->client_credential,
                            .server_credential = shared->server_credential};
        cs_credential_addref(pair.client_credential);
        cs_credential_addref(pair.server_credential);
        failures += pair_run(&pair) != SEC_E_OK;
        pair_close(&pair);
    }
    return failures ? data : NULL;
}

static void shared_credentials(void **state)
{
    struct pair_setup setups[] = {known_setup(), known_setup()};
    (void)state;
    setups[1].user = NULL; /* the loopback logon, too */
    for (size_t i = 0; i < 2; i++) {
        struct pair shared;
        pthread_t threads[4];
        pair_open(&shared, "NTLM", &setups[i]);
        for (int j = 0; j < 4; j++) assert_int_equal(pthread_create(&threads[j], NULL, exchange, &shared), 0);
        for (int j = 0; j < 4; j++) {
            void *failed;
            assert_int_equal(pthread_join(threads[j], &failed), 0);
            assert_null(failed);
        }
        pair_close(&shared);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(several_of_each),
        cmocka_unit_test(genuine_among_forged),
        cmocka_unit_test(shared_stream),
        cmocka_unit_test(legs_and_queries),
        cmocka_unit_test(shared_credentials),
        cmocka_unit_test(tokens_of_other_legs),
    };
    return cmocka_run_group_tests_name("threads", tests, known_account, forget_account);
}
