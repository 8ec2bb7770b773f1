/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: a thread that dies with the lock of the table of sessions. cs_span_drop, which is called under it, is where
 * it dies (linked with --wrap).
 */
#include "tls_unit.h"

#include <pthread.h>
#include <unistd.h>

/* What is lost with the table, and with the thread. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:tls_sessions_keep\nleak:tls_name_use\n";
}

static _Thread_local bool dies;

void __real_cs_span_drop(struct cs_span *span);
void __wrap_cs_span_drop(struct cs_span *span);

void __wrap_cs_span_drop(struct cs_span *span)
{
    if (dies) pthread_exit(NULL);
    __real_cs_span_drop(span);
}

static const struct tls_world_setup setup = {.key = TLS_WORLD_P256, .resume = true};

/* Offers the session that is kept, which is then dropped from the table. */
static void *begins(void *argument)
{
    struct tls_world_pair *pair = argument;
    struct cs_writer hello = {0};
    size_t consumed;
    dies = true;
    tls_world_leg(pair, &setup, true, (struct cs_span){NULL, 0}, &consumed, &hello);
    return argument; /* it has not died */
}

/* No hang, and nothing of what it has left half done is used. */
static void died_with_the_table(void **state)
{
    struct tls_world_pair pair;
    pthread_t thread;
    void *result;
    struct tls_info info;
    (void)state;
    alarm(60);
    tls_open_through(&pair, &setup);
    tls_world_hang_up(&pair);
    assert_int_equal(pthread_create(&thread, NULL, begins, &pair), 0);
    pthread_join(thread, &result);
    assert_null(result);
    tls_world_hang_up(&pair);
    for (unsigned resumed = 0; resumed < 2; resumed++) {
        assert_true(tls_world_shake(&pair, &setup, 0));
        assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
        assert_int_equal(info.resumed, resumed);
        tls_expect_talk(&pair);
        tls_world_hang_up(&pair);
    }
    tls_world_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(died_with_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
