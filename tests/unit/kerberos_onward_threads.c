/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads that act for different clients at once, while others come and go: each goes on as the one it means (bug class
 * E5).
 */
#include "heimdal_leaks.h"
#include "onward.h"

#include <pthread.h>
#include <string.h>

enum { THREADS = 8, CLIENTS = 3, ROUNDS = 25 };

static const char *const users[CLIENTS] = {"user", "other", "user"};

static int start(void **state)
{
    (void)state;
    onward_realm();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    realm_end();
    return 0;
}

/* The clients by the identifiers that tokens have, and the credential of the back. */
struct scene {
    uint8_t ids[CLIENTS][CS_CLIENT_ID];
    struct pair fronts[CLIENTS];
    struct cs_client *clients[CLIENTS];
    struct pair back;
};

struct worker {
    struct scene *scene;
    int number, failed;
};

static bool is_user(struct cs_span name, const char *user)
{
    char text[64] = "EXAMPLE\\";
    strcat(text, user);
    struct bytes wanted = utf16(text);
    return name.size == wanted.size && !memcmp(name.data, wanted.data, wanted.size);
}

static bool goes_on_as(struct scene *scene, int number)
{
    struct cs_client *client = cs_client_find(scene->ids[number]);
    struct pair back = {.setup = scene->back.setup, .server_credential = scene->back.server_credential};
    if (!client || !cs_utf16_of(&back.target, cs_span_of(ALLOWED))) return false;
    back.client_credential = acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND);
    cs_credential_addref(back.server_credential);
    cs_client_release(client);
    const bool right = pair_run(&back) == SEC_E_OK && is_user(cs_context_session(back.server)->names, users[number]);
    pair_close(&back);
    return right;
}

static void *act(void *data)
{
    struct worker *worker = data;
    for (int i = 0; i < ROUNDS; i++) worker->failed += !goes_on_as(worker->scene, (i + worker->number) % CLIENTS);
    return NULL;
}

/* Sessions whose clients get records and lose them. */
static void *come_and_go(void *data)
{
    struct worker *worker = data;
    for (int i = 0; i < ROUNDS; i++) {
        struct pair front;
        struct cs_client *client = arrive(&front, "user", "HTTP/server.example.test", 0);
        struct cs_client *again = cs_client_find(client->id);
        worker->failed += again != client;
        cs_client_release(again);
        leave(&front, client);
    }
    return NULL;
}

static void set(struct scene *scene)
{
    struct pair_setup setup = realm_setup();
    setup.target = ALLOWED;
    scene->clients[0] = arrive(&scene->fronts[0], users[0], TRUSTED, ISC_REQ_DELEGATE);
    scene->clients[1] = arrive(&scene->fronts[1], users[1], TRUSTED, ISC_REQ_DELEGATE);
    scene->clients[2] = arrive_proxied(&scene->fronts[2], users[2], "HTTP/server.example.test");
    for (int i = 0; i < CLIENTS; i++) memcpy(scene->ids[i], scene->clients[i]->id, CS_CLIENT_ID);
    pair_open(&scene->back, "Kerberos", &setup);
}

static void each_is_the_right_one(void **state)
{
    static struct scene scene;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    (void)state;
    set(&scene);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.scene = &scene, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, i < THREADS - 1 ? act : come_and_go, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].failed, 0);
    }
    for (int i = 0; i < CLIENTS; i++) leave(&scene.fronts[i], scene.clients[i]);
    pair_close(&scene.back);
}

/* Two threads ask for the same session's client for the first time. */
static void *first(void *data)
{
    struct cs_client *client;
    return cs_client_of(data, &client) == SEC_E_OK ? client : NULL;
}

static void one_record_a_session(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        struct pair front;
        struct pair_setup setup = realm_setup();
        pthread_t threads[2];
        void *clients[2];
        pair_open(&front, "Kerberos", &setup);
        assert_int_equal(pair_run(&front), SEC_E_OK);
        for (int i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, first, cs_context_session(front.server)), 0);
        for (int i = 0; i < 2; i++) pthread_join(threads[i], &clients[i]);
        assert_non_null(clients[0]);
        assert_ptr_equal(clients[0], clients[1]);
        cs_client_release(clients[0]);
        leave(&front, clients[1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_the_right_one),
        cmocka_unit_test(one_record_a_session),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
