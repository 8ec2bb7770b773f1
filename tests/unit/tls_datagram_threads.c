/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One connection of DTLS and several threads (ThreadSanitizer looks): one encrypts, one decrypts, one asks and sets.
 */
#include "tls_datagram_unit.h"

enum { MESSAGES = 300 };

struct work {
    struct tls_context *context;
    struct cs_writer incoming[MESSAGES]; /* sealed before, opened now */
    struct cs_writer made[MESSAGES];
    SECURITY_STATUS failed;
};

static void *encrypts(void *argument)
{
    struct work *work = argument;
    for (unsigned i = 0; i < MESSAGES && !work->failed; i++)
        work->failed = tls_world_seal(work->context, &i, sizeof i, &work->made[i]);
    return NULL;
}

static void *decrypts(void *argument)
{
    struct work *work = argument;
    for (unsigned i = 0; i < MESSAGES && !work->failed; i++) {
        struct cs_buffer buffers[4];
        work->failed = tls_world_open_record(work->context, work->incoming[i].data, work->incoming[i].size, buffers);
        if (!work->failed && memcmp(cs_buffer_bytes(&buffers[1]), &i, sizeof i)) work->failed = SEC_E_MESSAGE_ALTERED;
    }
    return NULL;
}

static void *asks(void *argument)
{
    struct work *work = argument;
    for (unsigned i = 0; i < MESSAGES && !work->failed; i++) {
        struct tls_info info;
        work->failed = tls_query(work->context, &info);
        if (!work->failed) work->failed = tls_set_mtu(work->context, 500 + i);
    }
    return NULL;
}

static void at_the_same_time(void **state)
{
    static const struct tls_world_setup setups[] = {{ONLY_DTLS1_2}, {ONLY_DTLS1_2, .client_without = WITHOUT_AEAD}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tls_world_pair pair;
        struct tls_network network;
        pthread_t threads[3];
        dtls_open_through(&network, &pair, &setups[i]);
        static struct work sender, receiver, asker;
        sender = receiver = asker = (struct work){.context = pair.client};
        for (unsigned k = 0; k < MESSAGES; k++) receiver.incoming[k] = tls_sealed(pair.server, &k, sizeof k);
        assert_int_equal(pthread_create(&threads[0], NULL, encrypts, &sender), 0);
        assert_int_equal(pthread_create(&threads[1], NULL, decrypts, &receiver), 0);
        assert_int_equal(pthread_create(&threads[2], NULL, asks, &asker), 0);
        for (unsigned k = 0; k < 3; k++) pthread_join(threads[k], NULL);
        assert_int_equal(sender.failed, SEC_E_OK);
        assert_int_equal(receiver.failed, SEC_E_OK);
        assert_int_equal(asker.failed, SEC_E_OK);
        for (unsigned k = 0; k < MESSAGES; k++) {
            tls_expect_opens(pair.server, &sender.made[k], &k, sizeof k);
            cs_writer_drop(&sender.made[k]);
            cs_writer_drop(&receiver.incoming[k]);
        }
        dtls_close(&network);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(at_the_same_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
