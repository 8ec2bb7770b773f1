/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: one connection and several threads (ThreadSanitizer looks), a thread that dies inside, and what of the keys
 * is left in memory when the connection is gone.
 *
 *  E4  keys not wiped
 */
#include "secure.h"
#include "tls_unit.h"

enum { MESSAGES = 300 };

/* ---- at the same time ---- */

struct work {
    struct tls_world_pair *pair;
    struct cs_writer to_client; /* sealed before, opened now */
    struct cs_writer made;
    bool done;
    SECURITY_STATUS failed;
};

static void *encrypts(void *argument)
{
    struct work *work = argument;
    for (unsigned i = 0; i < MESSAGES && !work->failed; i++)
        work->failed = tls_world_seal(work->pair->client, &i, sizeof i, &work->made);
    return NULL;
}

static void *decrypts(void *argument)
{
    struct work *work = argument;
    uint8_t *next = work->to_client.data;
    size_t size = work->to_client.size;
    for (unsigned i = 0; i < MESSAGES && !work->failed; i++) {
        struct cs_buffer buffers[4];
        work->failed = tls_world_open_record(work->pair->client, next, size, buffers);
        if (work->failed || memcmp(cs_buffer_bytes(&buffers[1]), &i, sizeof i)) break;
        next = cs_buffer_bytes(&buffers[3]);
        size = buffers[3].size;
        __atomic_store_n(&work->done, i + 1 == MESSAGES, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void *queries(void *argument)
{
    struct work *work = argument;
    for (unsigned i = 0; i < MESSAGES && !work->failed; i++) {
        struct tls_info info;
        struct cs_writer bytes = {0};
        work->failed = tls_query(work->pair->client, &info);
        if (!work->failed) work->failed = tls_query_bytes(work->pair->client, TLS_ENDPOINT_BINDINGS, &bytes);
        cs_writer_drop(&bytes);
    }
    return NULL;
}

static void at_the_same_time(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_world_pair pair;
        pthread_t threads[3];
        tls_open_through(&pair, &tls_kinds[kind].setup);
        struct work sender = {.pair = &pair}, receiver = {.pair = &pair}, asker = {.pair = &pair};
        for (unsigned i = 0; i < MESSAGES; i++)
            assert_int_equal(tls_world_seal(pair.server, &i, sizeof i, &receiver.to_client), SEC_E_OK);
        assert_int_equal(pthread_create(&threads[0], NULL, encrypts, &sender), 0);
        assert_int_equal(pthread_create(&threads[1], NULL, decrypts, &receiver), 0);
        assert_int_equal(pthread_create(&threads[2], NULL, queries, &asker), 0);
        for (size_t i = 0; i < 3; i++) pthread_join(threads[i], NULL);
        assert_int_equal(sender.failed, SEC_E_OK);
        assert_int_equal(receiver.failed, SEC_E_OK);
        assert_int_equal(asker.failed, SEC_E_OK);
        assert_true(receiver.done);
        uint8_t *next = sender.made.data;
        size_t size = sender.made.size;
        for (unsigned i = 0; i < MESSAGES; i++) {
            struct cs_buffer buffers[4];
            assert_int_equal(tls_world_open_record(pair.server, next, size, buffers), SEC_E_OK);
            assert_memory_equal(cs_buffer_bytes(&buffers[1]), &i, sizeof i);
            next = cs_buffer_bytes(&buffers[3]);
            size = buffers[3].size;
        }
        cs_writer_drop(&sender.made);
        cs_writer_drop(&receiver.to_client);
        tls_world_close(&pair);
    }
}

/* New keys of the peer's, and one's own in return, while another thread sends. */
static void *takes_new_keys(void *argument)
{
    struct work *work = argument;
    for (unsigned i = 0; i < 5 && !work->failed; i++) {
        struct tls_leg leg = {.input = cs_written(&work->to_client), .room = 65536};
        struct tls_context *context = work->pair->client;
        work->failed = tls_leg(&context, &leg);
        if (leg.consumed != work->to_client.size) break;
        work->to_client.size = 0;
    }
    return NULL;
}

static void new_keys_meanwhile(void **state)
{
    struct tls_world_pair pair;
    pthread_t threads[2];
    (void)state;
    tls_open_through(&pair, &tls_kinds[0].setup);
    struct work sender = {.pair = &pair}, receiver = {.pair = &pair};
    tls_records_give_back(pair.server);
    assert_int_equal(gnutls_session_key_update(pair.server->session, GNUTLS_KU_PEER), 0);
    cs_write_span(&receiver.to_client, cs_written(&pair.server->outgoing));
    assert_int_equal(pthread_create(&threads[0], NULL, encrypts, &sender), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, takes_new_keys, &receiver), 0);
    for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    assert_int_equal(sender.failed, SEC_E_OK);
    assert_true(receiver.failed == SEC_E_OK || receiver.failed == SEC_E_INCOMPLETE_MESSAGE);
    cs_writer_drop(&sender.made);
    cs_writer_drop(&receiver.to_client);
    tls_world_close(&pair);
}

/* Contexts of one credential, each in a thread of its own, whose sessions go through the one table. */
static void *shakes(void *argument)
{
    const struct tls_world_pair *shared = argument;
    const struct tls_world_setup setup = {.key = TLS_WORLD_P256, .resume = true};
    struct tls_world_pair pair = {.client_credential = shared->client_credential,
                                  .server_credential = shared->server_credential};
    for (unsigned i = 0; i < 10; i++) {
        if (!tls_world_shake(&pair, &setup, 0)) return argument;
        tls_world_hang_up(&pair);
    }
    return NULL;
}

static void many_handshakes(void **state)
{
    const struct tls_world_setup setup = {.key = TLS_WORLD_P256, .resume = true};
    struct tls_world_pair pair;
    pthread_t threads[4];
    (void)state;
    assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, shakes, &pair), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    tls_world_close(&pair);
}

/* ---- a thread that dies ---- */

static void *dies_with(void *lock)
{
    cs_lock(lock);
    return NULL;
}

/* What it was doing may be half done: a number that was used and not counted would be used again (RFC 5116 3.1). */
static void died_inside(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct tls_world_pair pair;
        struct cs_writer record = {0};
        struct cs_buffer buffers[4];
        pthread_t thread;
        tls_open_through(&pair, &tls_kinds[i & 2 ? 0 : 6].setup);
        struct cs_writer sealed = tls_sealed(pair.server, "genuine", 7);
        pthread_mutex_t *lock = i & 1 ? &pair.client->writing : &pair.client->reading;
        assert_int_equal(pthread_create(&thread, NULL, dies_with, lock), 0);
        pthread_join(thread, NULL);
        for (unsigned again = 0; again < 3; again++) {
            if (i & 1)
                assert_int_equal(tls_seal_status(pair.client), SEC_E_INTERNAL_ERROR);
            else
                assert_int_equal(tls_world_open_record(pair.client, sealed.data, sealed.size, buffers),
                                 SEC_E_INTERNAL_ERROR);
        }
        struct tls_leg leg = {.flags = TLS_LEG_NO_INPUT, .room = 1000};
        struct tls_info info;
        assert_int_equal(tls_leg(&pair.client, &leg), SEC_E_INTERNAL_ERROR);
        assert_int_equal(tls_query(pair.client, &info), SEC_E_INVALID_HANDLE);
        assert_int_equal(tls_seal_status(pair.client), SEC_E_INTERNAL_ERROR);
        cs_writer_drop(&record);
        cs_writer_drop(&sealed);
        tls_world_close(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_the_same_time),
        cmocka_unit_test(new_keys_meanwhile),
        cmocka_unit_test(many_handshakes),
        cmocka_unit_test(died_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
