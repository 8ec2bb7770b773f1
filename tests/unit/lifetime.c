/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How contexts and credentials live and end. What leaks or is freed twice is the sanitizer's to see.
 *
 *  E1  a context freed under the caller on error
 *  E5  one credential's state in another client's context
 *  A11 what a context says after it has failed
 * (E2, an imported context: nothing imports one yet; E3, delegated credentials: NTLM has none; E4: wiping.c)
 */
#include "unit.h"

#include <string.h>

enum { STAGES = 4 };

/* Runs the first LEGS legs of an exchange. */
static void run_legs(struct pair *pair, int legs)
{
    if (legs > 0) assert_int_equal(pair_client_step(pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    if (legs > 1) assert_int_equal(pair_server_step(pair, cs_token(pair->client)), SEC_I_CONTINUE_NEEDED);
    if (legs > 2) assert_int_equal(pair_client_step(pair, cs_token(pair->server)), SEC_E_OK);
    if (legs > 3) assert_int_equal(pair_server_step(pair, cs_token(pair->client)), SEC_E_OK);
}

static struct pair_setup setup_number(int i)
{
    struct pair_setup setup = known_setup();
    if (i == 1) setup.user = NULL;
    if (i == 2) {
        setup.user = NULL;
        setup.anonymous = true;
        setup.server_request |= ASC_REQ_ALLOW_NULL_SESSION;
    }
    return setup;
}

static void released_at_every_stage(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        for (int legs = 0; legs <= STAGES; legs++) {
            struct pair_setup setup = setup_number(i);
            struct pair pair;
            pair_open(&pair, "NTLM", &setup);
            run_legs(&pair, legs);
            pair_close(&pair);
        }
}

/* A context keeps its credential; the program may let go of it after the first leg. */
static void credential_released_first(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct pair_setup setup = setup_number(i);
        struct pair pair;
        pair_open(&pair, "NTLM", &setup);
        run_legs(&pair, 2);
        cs_credential_release(pair.client_credential);
        cs_credential_release(pair.server_credential);
        pair.client_credential = pair.server_credential = NULL;
        assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
        assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
        expect_messages_pass(&pair);
        pair_close(&pair);
    }
}

static void nothing_to_release(void **state)
{
    (void)state;
    cs_context_release(NULL);
    cs_credential_release(NULL);
    cs_session_release(NULL);
}

/* E1: the first leg fails, and the context is the caller's to release all the same */
static void context_of_a_failed_first_leg(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    setup.client_request |= ISC_REQ_DATAGRAM;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_E_UNSUPPORTED_FUNCTION);
    assert_non_null(pair.client);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(pair_server_step(&pair, cs_span_of("rubbish")), SEC_E_INVALID_TOKEN);
    assert_non_null(pair.server);
    pair_close(&pair);
}

static void expect_stays_failed(struct pair *pair, bool client, struct cs_span genuine, SECURITY_STATUS status)
{
    const struct cs_context *context = client ? pair->client : pair->server;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(client ? pair_client_step(pair, genuine) : pair_server_step(pair, genuine), status);
        assert_int_equal(cs_token(context).size, 0);
        assert_null(cs_context_session(context));
    }
}

/* E1, A11: a context that has failed says so again, whatever it is given */
static void failed_contexts(void **state)
{
    struct pair_setup setup = known_setup();
    struct mitm mitm = {0};
    struct pair pair;
    (void)state;
    setup.password = "wrong";
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(mitm_run(&mitm, &pair), SEC_E_LOGON_DENIED);
    expect_stays_failed(&pair, false, mitm_message(&mitm, 3), SEC_E_LOGON_DENIED);
    expect_stays_failed(&pair, false, mitm_message(&mitm, 1), SEC_E_LOGON_DENIED);
    expect_stays_failed(&pair, false, cs_span_of("rubbish"), SEC_E_LOGON_DENIED);
    pair_close(&pair);
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_client_step(&pair, cs_span_of("rubbish")), SEC_E_INVALID_TOKEN);
    expect_stays_failed(&pair, true, mitm_message(&mitm, 2), SEC_E_INVALID_TOKEN);
    pair_close(&pair);
    mitm_end(&mitm);
}

/* A token is fetched whole or not at all, and a complete context keeps none. */
static void fetched_tokens(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    uint8_t token[4096], small[8];
    (void)state;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair.client_leg.token_size, 40);
    const uint32_t first = pair.client_leg.token_number;
    assert_int_equal(cs_fetch_token(pair.client, first, small, sizeof small), SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(cs_fetch_token(pair.client, first + 1, token, sizeof token), SEC_E_INVALID_TOKEN);
    assert_int_equal(cs_fetch_token(pair.client, first, token, sizeof token), SEC_E_OK);
    assert_memory_equal(token, cs_token(pair.client).data, 40);
    assert_int_equal(pair_server_step(&pair, (struct cs_span){token, 40}), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
    const size_t size = pair.client_leg.token_size;
    const uint32_t last = pair.client_leg.token_number;
    assert_int_equal(cs_fetch_token(pair.client, first, token, sizeof token), SEC_E_INVALID_TOKEN);
    assert_int_equal(cs_fetch_token(pair.client, last, token, sizeof token), SEC_E_OK);
    assert_int_equal(cs_token(pair.client).size, 0);
    assert_int_equal(cs_fetch_token(pair.client, last, small, sizeof small), SEC_E_INVALID_TOKEN);
    assert_int_equal(pair_server_step(&pair, (struct cs_span){token, size}), SEC_E_OK);
    pair_close(&pair);
}

/* One leg of either side with ROOM bytes for its token. */
static SECURITY_STATUS step_in(struct pair *pair, bool client, struct cs_span input, size_t room)
{
    struct cs_leg leg = {.credential = client ? pair->client_credential : pair->server_credential,
                         .target = cs_written(&pair->target),
                         .request = client ? pair->setup.client_request : pair->setup.server_request,
                         .input = input,
                         .room = room};
    SECURITY_STATUS status = client ? cs_initialize(&pair->client, &leg) : cs_accept(&pair->server, &leg);
    if (status >= 0) assert_true(leg.expiry > 0);
    return status;
}

/* The leg's token does not fit, at first with no room and then with a byte too little; other inputs get nowhere. */
static void step_by_step(struct pair *pair, bool client, struct cs_span input, SECURITY_STATUS expected)
{
    struct cs_context **context = client ? &pair->client : &pair->server;
    assert_int_equal(step_in(pair, client, input, 0), SEC_E_BUFFER_TOO_SMALL);
    const size_t size = cs_token(*context).size;
    assert_true(size > 0);
    assert_int_equal(step_in(pair, client, cs_span_of("rubbish"), SIZE_MAX), SEC_E_INVALID_TOKEN);
    assert_int_equal(step_in(pair, client, input, size - 1), SEC_E_BUFFER_TOO_SMALL);
    if (input.size) assert_int_equal(step_in(pair, client, (struct cs_span){0}, SIZE_MAX), SEC_E_INVALID_TOKEN);
    assert_int_equal(step_in(pair, client, input, size), expected);
    assert_int_equal(cs_token(*context).size, size);
}

/* errors.tsv InitializeSecurityContext NTLM, SEC_E_BUFFER_TOO_SMALL: the leg can be repeated */
static void undelivered_tokens(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct pair_setup setup = setup_number(i);
        struct pair pair;
        pair_open(&pair, "NTLM", &setup);
        step_by_step(&pair, true, (struct cs_span){0}, SEC_I_CONTINUE_NEEDED);
        step_by_step(&pair, false, cs_token(pair.client), SEC_I_CONTINUE_NEEDED);
        step_by_step(&pair, true, cs_token(pair.server), SEC_E_OK);
        assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
        expect_messages_pass(&pair);
        pair_close(&pair);
    }
}

/* Nobody ever asks for them. */
static void never_delivered(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(step_in(&pair, true, (struct cs_span){0}, 0), SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(step_in(&pair, false, cs_token(pair.client), 0), SEC_E_BUFFER_TOO_SMALL);
    pair_close(&pair);
}

/* A repeated leg makes no second challenge: the server would expect an answer to another. */
static void repeated_leg_is_the_same(void **state)
{
    struct pair_setup setup = known_setup();
    struct cs_span first = {0};
    struct pair pair;
    (void)state;
    pair_open(&pair, "NTLM", &setup);
    run_legs(&pair, 1);
    assert_int_equal(step_in(&pair, false, cs_token(pair.client), 0), SEC_E_BUFFER_TOO_SMALL);
    assert_true(cs_span_copy(&first, cs_token(pair.server)));
    assert_int_equal(step_in(&pair, false, cs_token(pair.client), SIZE_MAX), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(cs_token(pair.server).size, first.size);
    assert_memory_equal(cs_token(pair.server).data, first.data, first.size);
    cs_span_drop(&first);
    pair_close(&pair);
}

/* E5: one credential in many contexts at once, each with its own target, keys and sequence */
static void contexts_share_a_credential(void **state)
{
    enum { COUNT = 20 };
    struct pair_setup setup = known_setup();
    struct pair pairs[COUNT];
    (void)state;
    pair_open(&pairs[0], "NTLM", &setup);
    for (int i = 1; i < COUNT; i++) {
        pairs[i] = (struct pair){.setup = setup,
                                 .client_credential = pairs[0].client_credential,
                                 .server_credential = pairs[0].server_credential};
        cs_credential_addref(pairs[0].client_credential);
        cs_credential_addref(pairs[0].server_credential);
    }
    for (int legs = 1; legs <= STAGES; legs++)
        for (int i = 0; i < COUNT; i++) {
            struct pair *pair = &pairs[i];
            const bool client = legs % 2;
            const struct cs_context *other = client ? pair->server : pair->client;
            const struct cs_span input = legs > 1 ? cs_token(other) : (struct cs_span){0};
            assert_true((client ? pair_client_step(pair, input) : pair_server_step(pair, input)) >= 0);
        }
    for (int i = 0; i < COUNT; i++) expect_messages_pass(&pairs[i]);
    for (int i = 1; i < COUNT; i++)
        assert_memory_not_equal(cs_context_session(pairs[i].client)->session_key,
                                cs_context_session(pairs[0].client)->session_key, 16);
    for (int i = 0; i < COUNT; i++) pair_close(&pairs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(released_at_every_stage),  cmocka_unit_test(credential_released_first),
        cmocka_unit_test(nothing_to_release),       cmocka_unit_test(context_of_a_failed_first_leg),
        cmocka_unit_test(failed_contexts),          cmocka_unit_test(fetched_tokens),
        cmocka_unit_test(undelivered_tokens),       cmocka_unit_test(never_delivered),
        cmocka_unit_test(repeated_leg_is_the_same), cmocka_unit_test(contexts_share_a_credential),
    };
    return cmocka_run_group_tests_name("lifetime", tests, known_account, forget_account);
}
