/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User-to-user inside Negotiate: an object identifier of its own (attributes.tsv, Negotiate, the hint's list; MS-SPNG
 * 3.1.5.2), which names what begins with a KERB-TGT-REQUEST and nothing else.
 */
#include "heimdal_leaks.h"
#include "kdc_front.h"
#include "kerberos_talk.h"
#include "kerberos_token.h"
#include "realm.h"
#include "spnego.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cs_span nothing;

static int start(void **state)
{
    char line[160];
    (void)state;
    realm_start_peopled("");
    realm_add_user("peer", "Secret");
    pair_account_line(line, sizeof line, "user", "Password");
    pair_environment(line);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    pair_environment_end();
    realm_end();
    return 0;
}

static void expect_kerberos(struct pair *pair)
{
    assert_string_equal(cs_context_session(pair->client)->package, "Kerberos");
    assert_string_equal(cs_context_session(pair->server)->package, "Kerberos");
    assert_true(cs_context_session(pair->client)->flags & ISC_REQ_USE_SESSION_KEY);
    assert_true(cs_context_session(pair->server)->flags & ASC_REQ_USE_SESSION_KEY);
    assert_true(pair->client_leg.granted & ISC_REQ_USE_SESSION_KEY);
    expect_pair_talks(pair);
}

static void run(const struct pair_setup *setup, const char *package)
{
    struct pair pair;
    pair_open(&pair, "Negotiate", setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    assert_string_equal(cs_context_session(pair.client)->package, package);
    assert_string_equal(cs_context_session(pair.server)->package, package);
    if (!strcmp(package, "Kerberos")) expect_kerberos(&pair);
    pair_close(&pair);
}

/* Four legs, the object identifier in the offer and in the answer, and no MIC. */
static void legs(void **state)
{
    struct pair_setup setup = realm_setup_user_to_user();
    struct spnego_init offer;
    struct spnego_resp answer;
    struct kerberos_token token;
    struct pair pair;
    (void)state;
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_client_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(spnego_init_read(cs_token(pair.client), &offer), SEC_E_OK);
    assert_int_equal(offer.mech_count, 2);
    assert_true(spnego_same_oid(offer.mechs[0], spnego_krb5_user_to_user));
    assert_true(spnego_same_oid(offer.mechs[1], spnego_ntlm));
    assert_true(kerberos_token_read(offer.mech_token, &token) && token.kind == KERBEROS_TGT_REQUEST);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(spnego_resp_read(cs_token(pair.server), &answer), SEC_E_OK);
    assert_int_equal(answer.state, SPNEGO_ACCEPT_INCOMPLETE);
    assert_true(spnego_same_oid(answer.supported_mech, spnego_krb5_user_to_user));
    assert_true(kerberos_token_read(answer.response_token, &token) && token.kind == KERBEROS_TGT_REPLY);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
    assert_int_equal(spnego_resp_read(cs_token(pair.server), &answer), SEC_E_OK);
    assert_int_equal(answer.state, SPNEGO_ACCEPT_COMPLETED);
    assert_null(answer.mech_list_mic.data);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
    expect_kerberos(&pair);
    pair_close(&pair);
}

/* attributes.tsv, Negotiate, NegTokenInit2: MS-KRB5, KRB5, KRB5-U2U, NTLM */
static void hints(void **state)
{
    const struct cs_span windows[] = {spnego_ms_krb5, spnego_krb5, spnego_krb5_user_to_user, spnego_ntlm};
    struct pair_setup setup = realm_setup_user_to_user();
    struct spnego_init message;
    struct pair pair;
    (void)state;
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_server_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(spnego_init_read(cs_token(pair.server), &message), SEC_E_OK);
    assert_int_equal(message.mech_count, 4);
    for (size_t i = 0; i < 4; i++) assert_true(spnego_same_oid(message.mechs[i], windows[i]));
    pair_close(&pair);
}

/* A server that has no ticket to show takes the client's next choice. */
static void server_without_ticket(void **state)
{
    struct pair_setup setup = realm_setup_user_to_user();
    (void)state;
    setup.server_user = NULL;
    realm_kdestroy();
    run(&setup, "NTLM");
    realm_kinit("peer", "Secret");
    run(&setup, "Kerberos");
    realm_kdestroy();
}

/* The KRB-ERROR that demands user-to-user goes through SPNEGO as any token, under the name that was chosen. */
static void server_without_keys(void **state)
{
    char keytab[256];
    struct pair_setup setup = realm_setup_user_to_user();
    (void)state;
    snprintf(keytab, sizeof keytab, "%s", getenv("KRB5_KTNAME"));
    setenv("KRB5_KTNAME", "FILE:/nonexistent", 1);
    setup.server_user = NULL;
    setup.client_request &= ~ISC_REQ_USE_SESSION_KEY;
    realm_kinit("peer", "Secret");
    run(&setup, "Kerberos");
    realm_kdestroy();
    run(&setup, "NTLM");
    setenv("KRB5_KTNAME", keytab, 1);
}

static void the_kdc_wants_it(void **state)
{
    struct pair_setup setup = realm_setup_user_to_user();
    (void)state;
    setup.client_request &= ~ISC_REQ_USE_SESSION_KEY;
    kdc_front_start();
    run(&setup, "Kerberos");
    kdc_front_stop();
}

/* The client's first message, with MECH at the head of its list; what came of it. */
static SECURITY_STATUS offer_as(struct pair *pair, struct cs_span mech)
{
    struct spnego_init offer;
    struct cs_writer changed = {0};
    assert_int_equal(spnego_init_read(cs_token(pair->client), &offer), SEC_E_OK);
    offer.mechs[0] = mech;
    spnego_init_write(&changed, &offer);
    SECURITY_STATUS status = mitm_to_server(pair, cs_written(&changed));
    cs_writer_drop(&changed);
    return status;
}

/* Kerberos's token says by itself which it is: an acceptor goes by that, whatever it is called in the list. */
static void under_another_name(void **state)
{
    const struct cs_span names[] = {spnego_ms_krb5, spnego_krb5, spnego_krb5_user_to_user};
    struct pair_setup setup = realm_setup_user_to_user();
    struct pair pair;
    struct spnego_resp answer;
    struct kerberos_token token;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        pair_open(&pair, "Negotiate", &setup);
        assert_int_equal(pair_client_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(offer_as(&pair, names[i]), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(spnego_resp_read(cs_token(pair.server), &answer), SEC_E_OK);
        assert_true(spnego_same_oid(answer.supported_mech, names[i]));
        assert_true(kerberos_token_read(answer.response_token, &token) && token.kind == KERBEROS_TGT_REPLY);
        pair_close(&pair);
    }
}

/* An acceptor, or somebody on the way, that chooses what was not offered (RFC 4178 4.2.2). */
static void another_is_chosen(void **state)
{
    const struct cs_span plain[] = {spnego_ms_krb5, spnego_krb5};
    (void)state;
    for (int i = 0; i < 4; i++) {
        const bool user_to_user = i < 2;
        struct pair_setup setup = realm_setup_user_to_user();
        struct spnego_resp answer;
        struct cs_writer changed = {0};
        struct pair pair;
        if (!user_to_user) setup.client_request &= ~ISC_REQ_USE_SESSION_KEY;
        pair_open(&pair, "Negotiate", &setup);
        assert_int_equal(pair_client_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
        assert_true(pair_server_step(&pair, cs_token(pair.client)) >= 0);
        assert_int_equal(spnego_resp_read(cs_token(pair.server), &answer), SEC_E_OK);
        answer.supported_mech = user_to_user ? plain[i] : spnego_krb5_user_to_user;
        if (i % 2) answer.response_token = nothing;
        spnego_resp_write(&changed, &answer);
        assert_int_equal(mitm_to_client(&pair, cs_written(&changed)), SEC_E_INVALID_TOKEN);
        cs_writer_drop(&changed);
        pair_close(&pair);
    }
}

/* Somebody takes user-to-user off the list: NTLM, which is left, shows by its MIC that the list was another. */
static void taken_off_the_list(void **state)
{
    struct pair_setup setup = realm_setup_user_to_user();
    struct spnego_init offer;
    struct cs_writer changed = {0};
    struct pair pair;
    (void)state;
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_client_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(spnego_init_read(cs_token(pair.client), &offer), SEC_E_OK);
    offer.mechs[0] = offer.mechs[1];
    offer.mech_count = 1;
    offer.mech_token = nothing;
    spnego_init_write(&changed, &offer);
    SECURITY_STATUS server = mitm_to_server(&pair, cs_written(&changed)), client = SEC_I_CONTINUE_NEEDED;
    while (client == SEC_I_CONTINUE_NEEDED && server == SEC_I_CONTINUE_NEEDED) {
        client = pair_client_step(&pair, cs_token(pair.server));
        if (client >= 0) server = pair_server_step(&pair, cs_token(pair.client));
    }
    assert_true(client < 0 || server < 0);
    assert_null(cs_context_session(pair.server));
    cs_writer_drop(&changed);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legs),
        cmocka_unit_test(hints),
        cmocka_unit_test(server_without_ticket),
        cmocka_unit_test(server_without_keys),
        cmocka_unit_test(the_kdc_wants_it),
        cmocka_unit_test(under_another_name),
        cmocka_unit_test(another_is_chosen),
        cmocka_unit_test(taken_off_the_list),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
