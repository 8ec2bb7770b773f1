/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One credential for each side and many threads that establish contexts with them at once: the logon, the kept tickets,
 * the keys, the replay cache.
 */
#include "realm.h"
#include "unit.h"

#include <pthread.h>
#include <string.h>

enum { THREADS = 6, ROUNDS = 20 };

static int start(void **state)
{
    (void)state;
    realm_start_peopled("");
    realm_add_service("HTTP/second.example.test");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    realm_end();
    return 0;
}

struct work {
    const struct pair *shared;
    bool other_target;
    unsigned failed;
};

/* A pair with the credentials of another. */
static void open_with(struct pair *pair, const struct pair *shared, bool other_target)
{
    memset(pair, 0, sizeof *pair);
    pair->setup = shared->setup;
    pair->client_credential = shared->client_credential;
    pair->server_credential = shared->server_credential;
    cs_credential_addref(pair->client_credential);
    cs_credential_addref(pair->server_credential);
    if (!cs_utf16_of(&pair->target, cs_span_of(other_target ? "HTTP/second.example.test" : pair->setup.target)))
        pair->target.failed = true;
}

static void *establish(void *data)
{
    struct work *work = data;
    for (int i = 0; i < ROUNDS; i++) {
        struct pair pair;
        open_with(&pair, work->shared, work->other_target);
        if (pair_run(&pair) != SEC_E_OK) work->failed++;
        pair_close(&pair);
    }
    return NULL;
}

static void run_threads(const struct pair *shared)
{
    struct work work[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        work[i] = (struct work){.shared = shared, .other_target = i % 2};
        assert_int_equal(pthread_create(&threads[i], NULL, establish, &work[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(work[i].failed, 0);
    }
}

static void shared_credentials(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair shared;
    (void)state;
    pair_open(&shared, "Kerberos", &setup);
    run_threads(&shared);
    pair_close(&shared);
}

static void default_credentials(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair shared;
    (void)state;
    setup.user = NULL;
    realm_kinit("user", "Password");
    pair_open(&shared, "Kerberos", &setup);
    run_threads(&shared);
    pair_close(&shared);
    realm_kdestroy();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_credentials),
        cmocka_unit_test(default_credentials),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
