/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User-to-user with a KDC on loopback: who asks for it, what goes over the wire, what is granted. Sources:
 * draft-swift-win2k-krb-user2user (which MS-KILE names), RFC 4120 3.7, attributes.tsv (Kerberos, Negotiate).
 */
#include "heimdal_leaks.h"
#include "kdc_front.h"
#include "kerberos_talk.h"
#include "kerberos_user_to_user.h"
#include "realm.h"
#include "spnego.h"

#include <krb5_err.h>
#include <stdlib.h>
#include <string.h>

static const struct cs_span nothing;

static int start(void **state)
{
    (void)state;
    realm_start_peopled("");
    realm_add_user("peer", "Secret");
    pair_environment(NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    pair_environment_end();
    realm_end();
    return 0;
}

static void expect_token(const struct cs_context *context, enum kerberos_token_kind kind, bool user_to_user,
                         struct kerberos_token *token)
{
    assert_true(kerberos_token_read(cs_token(context), token));
    assert_int_equal(token->kind, kind);
    assert_true(token->framed);
    assert_int_equal(token->user_to_user, user_to_user);
}

static void expect_request(const struct cs_context *context, bool user_to_user)
{
    struct kerberos_token token;
    AP_REQ request;
    expect_token(context, KERBEROS_AP_REQ, user_to_user, &token);
    assert_int_equal(decode_AP_REQ(token.message.data, token.message.size, &request, NULL), 0);
    assert_int_equal(request.ap_options.use_session_key, user_to_user);
    assert_int_equal(request.ap_options.mutual_required, 1);
    free_AP_REQ(&request);
}

static void expect_granted(const struct pair *pair, bool user_to_user)
{
    const uint32_t flag = user_to_user ? ISC_REQ_USE_SESSION_KEY : 0; /* the same bit for both roles */
    assert_int_equal(pair->client_leg.granted & ISC_REQ_USE_SESSION_KEY, flag);
    assert_int_equal(pair->server_leg.granted & ASC_REQ_USE_SESSION_KEY, flag);
    assert_int_equal(cs_context_session(pair->client)->flags & ISC_REQ_USE_SESSION_KEY, flag);
    assert_int_equal(cs_context_session(pair->server)->flags & ASC_REQ_USE_SESSION_KEY, flag);
}

static void expect_done(const struct pair *pair)
{
    const struct cs_session *client = cs_context_session(pair->client), *server = cs_context_session(pair->server);
    expect_granted(pair, true);
    assert_int_equal(pair->client_leg.granted & ISC_REQ_MUTUAL_AUTH, ISC_REQ_MUTUAL_AUTH);
    expect_text(server->names, "EXAMPLE\\user");
    expect_text(client->native_client, "user@EXAMPLE.TEST");
    expect_text(server->native_client, "user@EXAMPLE.TEST");
    expect_text(client->native_server, "peer@EXAMPLE.TEST");
    expect_text(server->native_server, "peer@EXAMPLE.TEST");
    expect_pair_talks(pair);
}

static void legs(void **state)
{
    struct pair_setup setup = realm_setup_user_to_user();
    struct kerberos_token token;
    Principal wanted;
    struct cs_span ticket;
    struct pair pair;
    (void)state;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_client_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
    expect_token(pair.client, KERBEROS_TGT_REQUEST, true, &token);
    assert_true(kerberos_read_tgt_request(token.message, &wanted));
    assert_int_equal(wanted.name.name_string.len, 1);
    assert_string_equal(wanted.name.name_string.val[0], "peer");
    assert_string_equal(wanted.realm, "EXAMPLE.TEST");
    free_Principal(&wanted);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
    expect_token(pair.server, KERBEROS_TGT_REPLY, true, &token);
    assert_true(kerberos_read_tgt_reply(token.message, &ticket));
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_I_CONTINUE_NEEDED);
    expect_request(pair.client, true);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
    expect_token(pair.server, KERBEROS_AP_REP, true, &token);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
    expect_done(&pair);
    pair_close(&pair);
}

/* The draft's messages, byte by byte. */
static void messages(void **state)
{
    struct cs_writer written = {0};
    Principal wanted;
    krb5_context context;
    krb5_principal peer, service;
    (void)state;
    assert_int_equal(krb5_init_context(&context), 0);
    assert_int_equal(krb5_parse_name(context, "peer@EXAMPLE.TEST", &peer), 0);
    assert_int_equal(krb5_parse_name(context, "HTTP/host@EXAMPLE.TEST", &service), 0);
    assert_int_equal(kerberos_write_tgt_request(context, peer, &written), 0);
    expect_hex(cs_written(&written), "302da003020105a103020110a211300fa003020101a10830061b0470656572"
                                     "a30e1b0c4558414d504c452e54455354");
    cs_writer_drop(&written);
    assert_int_equal(kerberos_write_tgt_request(context, service, &written), 0);
    expect_hex(cs_written(&written), "3023a003020105a103020110a2173015a003020101a10e300c1b04485454501b04686f7374");
    for (size_t size = 0; size < written.size; size++)
        assert_false(kerberos_read_tgt_request((struct cs_span){written.data, size}, &wanted));
    cs_writer_drop(&written);
    kerberos_write_tgt_reply(cs_span_of("\x61\x02\x30"), &written);
    expect_hex(cs_written(&written), "300fa003020105a103020111a203610230");
    cs_writer_drop(&written);
    krb5_free_principal(context, peer);
    krb5_free_principal(context, service);
    krb5_free_context(context);
}

/* Both fields of a request may be left out; a reply is no request, and nothing stands behind them. */
static void requests(void **state)
{
    const struct {
        const char *hex;
        bool read, named, realm;
    } cases[] = {
        {"300aa003020105a103020110", true, false, false},
        {"301aa003020105a103020110a30e1b0c4558414d504c452e54455354", true, false, true},
        {"301da003020105a103020110a211300fa003020101a10830061b0470656572", true, true, false},
        {"301aa003020105a103020110a30e1b0c4558414d504c450054455354", false, false, false}, /* a NUL in the realm */
        {"300aa003020104a103020110", false, false, false},
        {"300aa003020105a103020111", false, false, false},
        {"300ba00402020005a103020110", false, false, false},
        {"300ca003020105a1030201100500", false, false, false},
        {"300aa003020105a10302011000", false, false, false},
        {"300ea003020105a103020110a2023000", false, false, false},
        {"301fa003020105a103020110a2133011a003020101a10830061b04706565720000", false, false, false},
        {"301fa003020105a103020110a213300fa003020101a10830061b04706565720000", false, false, false},
        {"302da003020105a103020110a30e1b0c4558414d504c452e54455354a211300fa003020101a10830061b0470656572", false, false,
         false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes bytes = unhex(cases[i].hex);
        Principal wanted;
        assert_int_equal(kerberos_read_tgt_request(span_over(&bytes), &wanted), cases[i].read);
        assert_int_equal(wanted.name.name_string.len, cases[i].named);
        assert_int_equal(wanted.realm != NULL, cases[i].realm);
        free_Principal(&wanted);
    }
}

static void targets(void **state)
{
    const struct {
        const char *target;
        SECURITY_STATUS status;
    } cases[] = {
        {"peer@EXAMPLE.TEST", SEC_E_OK},
        {"peer@example.test", SEC_E_OK},
        {"peer", SEC_E_OK},
        {NULL, SEC_E_TARGET_UNKNOWN},
        {"user", SEC_E_NO_CREDENTIALS},                      /* not whom the acceptor can speak for */
        {"peer@OTHER.TEST", SEC_E_NO_CREDENTIALS},           /* nor there */
        {"HTTP/server.example.test", SEC_E_WRONG_PRINCIPAL}, /* which is not this user's */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pair_setup setup = realm_setup_user_to_user();
        struct pair pair;
        setup.target = cases[i].target;
        pair_open(&pair, "Kerberos", &setup);
        assert_int_equal(pair_run(&pair), cases[i].status);
        if (!cases[i].status) expect_done(&pair);
        pair_close(&pair);
    }
}

/* Without mutual authentication the client is done with its AP-REQ. */
static void one_way(void **state)
{
    struct pair_setup setup = realm_setup_user_to_user();
    struct pair pair;
    (void)state;
    setup.client_request &= ~ISC_REQ_MUTUAL_AUTH;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    assert_int_equal(cs_token(pair.server).size, 0);
    expect_granted(&pair, true);
    expect_pair_talks(&pair);
    pair_close(&pair);
}

/* An ordinary exchange with the same acceptor, whose password makes keys, is none. */
static void not_asked_for(void **state)
{
    struct pair_setup setup = realm_setup_user_to_user();
    struct pair pair;
    (void)state;
    setup.client_request &= ~ISC_REQ_USE_SESSION_KEY;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_client_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
    expect_request(pair.client, false);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
    expect_granted(&pair, false);
    pair_close(&pair);
}

/* The KRB-ERROR that an acceptor which wants user-to-user answers, with its ticket; then the rest. */
static void expect_demand(struct pair *pair)
{
    struct kerberos_token token;
    struct cs_writer data = {0};
    struct cs_span ticket;
    KerberosTime time;
    assert_int_equal(pair_client_step(pair, nothing), SEC_I_CONTINUE_NEEDED);
    expect_request(pair->client, false);
    assert_int_equal(pair_server_step(pair, cs_token(pair->client)), SEC_I_CONTINUE_NEEDED);
    expect_token(pair->server, KERBEROS_ERROR, false, &token);
    assert_int_equal(kerberos_read_error(token.message, &time, &data), KRB5_AP_ERR_USER_TO_USER_REQUIRED);
    assert_true(kerberos_read_tgt_reply(cs_written(&data), &ticket));
    cs_writer_drop(&data);
    assert_int_equal(pair_client_step(pair, cs_token(pair->server)), SEC_I_CONTINUE_NEEDED);
    expect_request(pair->client, true);
    assert_int_equal(pair_server_step(pair, cs_token(pair->client)), SEC_E_OK);
    assert_int_equal(pair_client_step(pair, cs_token(pair->server)), SEC_E_OK);
    expect_done(pair);
}

static void the_server_wants_it(void **state)
{
    struct pair_setup setup = realm_setup_user_to_user();
    struct pair pair;
    (void)state;
    setup.client_request &= ~ISC_REQ_USE_SESSION_KEY;
    setup.server_request |= ASC_REQ_USE_SESSION_KEY;
    pair_open(&pair, "Kerberos", &setup);
    expect_demand(&pair);
    pair_close(&pair);
}

/* A client that does not wait for an answer, or has no frames, cannot be told. */
static void the_server_cannot_have_it(void **state)
{
    struct pair_setup setup = realm_setup_user_to_user();
    struct pair pair;
    (void)state;
    setup.client_request &= ~(ISC_REQ_USE_SESSION_KEY | ISC_REQ_MUTUAL_AUTH);
    setup.server_request |= ASC_REQ_USE_SESSION_KEY;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_NO_KERB_KEY);
    pair_close(&pair);
    setup.client_request |= ISC_REQ_USE_DCE_STYLE;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_NO_KERB_KEY);
    pair_close(&pair);
}

/* A program that a user runs has tickets and no keytab; after kdestroy it has nothing. */
static void user_without_keytab(void **state)
{
    struct pair_setup setup = realm_setup_user_to_user();
    struct pair pair;
    (void)state;
    setup.server_user = NULL;
    setenv("KRB5_KTNAME", "FILE:/nonexistent/keytab", 1);
    realm_kinit("peer", "Secret");
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    expect_done(&pair);
    pair_close(&pair);
    setup.client_request &= ~ISC_REQ_USE_SESSION_KEY;
    pair_open(&pair, "Kerberos", &setup);
    expect_demand(&pair);
    pair_close(&pair);
    setup.target = "user"; /* whose ticket cannot be ours */
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_NO_CREDENTIALS);
    pair_close(&pair);
    setup.target = "peer";
    realm_kdestroy();
    for (int asked = 0; asked < 2; asked++) {
        setup.client_request |= asked ? ISC_REQ_USE_SESSION_KEY : 0;
        pair_open(&pair, "Kerberos", &setup);
        assert_int_equal(pair_run(&pair), SEC_E_NO_CREDENTIALS);
        assert_int_equal(cs_token(pair.server).size, 0);
        pair_close(&pair);
    }
    setenv("KRB5_KTNAME", realm_path("realm/keytab"), 1);
}

/* The client goes with the user's cache, which gets no ticket of the exchange. */
static void user_as_client(void **state)
{
    struct pair_setup setup = realm_setup_user_to_user();
    struct pair pair;
    (void)state;
    setup.user = NULL;
    realm_kdestroy();
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_client_step(&pair, nothing), SEC_E_NO_CREDENTIALS);
    pair_close(&pair);
    realm_kinit("user", "Password");
    for (int i = 0; i < 2; i++) { /* a ticket that was kept would be under an old session key */
        pair_open(&pair, "Kerberos", &setup);
        assert_int_equal(pair_run(&pair), SEC_E_OK);
        expect_done(&pair);
        pair_close(&pair);
    }
    setup.client_request &= ~ISC_REQ_USE_SESSION_KEY;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    expect_granted(&pair, false);
    pair_close(&pair);
    setup.client_request |= ISC_REQ_USE_SESSION_KEY; /* with the ordinary ticket in the cache */
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    expect_done(&pair);
    pair_close(&pair);
    realm_kdestroy();
}

/* RFC 4120 7.5.9: KDC_ERR_MUST_USE_USER2USER */
static void the_kdc_wants_it(void **state)
{
    const char *targets[] = {"peer", "peer@EXAMPLE.TEST"};
    (void)state;
    kdc_front_start();
    for (size_t i = 0; i < 2; i++) {
        struct pair_setup setup = realm_setup_user_to_user();
        struct kerberos_token token;
        struct pair pair;
        setup.client_request &= ~ISC_REQ_USE_SESSION_KEY;
        setup.target = targets[i];
        pair_open(&pair, "Kerberos", &setup);
        assert_int_equal(pair_client_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
        assert_true(kdc_front_refusals() > 0);
        expect_token(pair.client, KERBEROS_TGT_REQUEST, true, &token);
        assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
        assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
        expect_done(&pair);
        pair_close(&pair);
        setup.client_request |= ISC_REQ_USE_DCE_STYLE;
        pair_open(&pair, "Kerberos", &setup);
        assert_int_equal(pair_run(&pair), SEC_E_NO_TGT_REPLY);
        pair_close(&pair);
    }
    kdc_front_stop();
}

/* DCE style has no frames (MS-KILE 3.4.5.1), and user-to-user is known by them. */
static void dce_style(void **state)
{
    struct pair_setup setup = realm_setup_user_to_user();
    struct pair pair;
    (void)state;
    setup.client_request |= ISC_REQ_USE_DCE_STYLE;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_UNSUPPORTED_FUNCTION);
    pair_close(&pair);
}

/* Another's implementation of RFC 4120 3.2.3 opens the AP-REQ with the session key of the ticket that was shown. */
static void opened_by_heimdal(void **state)
{
    struct pair_setup setup = realm_setup_user_to_user();
    struct kerberos_token token;
    struct pair pair;
    krb5_context context;
    krb5_auth_context auth = NULL;
    krb5_ticket *ticket = NULL;
    krb5_ccache ccache;
    krb5_principal peer;
    krb5_creds wanted = {0}, tgt = {0};
    (void)state;
    setup.server_user = NULL;
    realm_kinit("peer", "Secret");
    assert_int_equal(krb5_init_context(&context), 0);
    assert_int_equal(krb5_cc_default(context, &ccache), 0);
    assert_int_equal(krb5_parse_name(context, "peer@EXAMPLE.TEST", &peer), 0);
    assert_int_equal(krb5_parse_name(context, "krbtgt/EXAMPLE.TEST@EXAMPLE.TEST", &wanted.server), 0);
    wanted.client = peer;
    assert_int_equal(krb5_cc_retrieve_cred(context, ccache, 0, &wanted, &tgt), 0);
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_client_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_I_CONTINUE_NEEDED);
    expect_token(pair.client, KERBEROS_AP_REQ, true, &token);
    const krb5_data message = {token.message.size, (void *)(uintptr_t)token.message.data};
    krb5_flags options = 0;
    assert_int_equal(krb5_auth_con_init(context, &auth), 0);
    assert_int_equal(krb5_auth_con_setuserkey(context, auth, &tgt.session), 0);
    assert_int_equal(krb5_rd_req(context, &auth, &message, peer, NULL, &options, &ticket), 0);
    assert_int_equal(options & (AP_OPTS_USE_SESSION_KEY | AP_OPTS_MUTUAL_REQUIRED),
                     AP_OPTS_USE_SESSION_KEY | AP_OPTS_MUTUAL_REQUIRED);
    krb5_free_ticket(context, ticket);
    krb5_auth_con_free(context, auth);
    krb5_free_cred_contents(context, &tgt);
    krb5_free_principal(context, peer);
    krb5_free_principal(context, wanted.server);
    krb5_cc_close(context, ccache);
    krb5_free_context(context);
    pair_close(&pair);
    realm_kdestroy();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legs),
        cmocka_unit_test(messages),
        cmocka_unit_test(requests),
        cmocka_unit_test(targets),
        cmocka_unit_test(one_way),
        cmocka_unit_test(not_asked_for),
        cmocka_unit_test(the_server_wants_it),
        cmocka_unit_test(the_server_cannot_have_it),
        cmocka_unit_test(user_without_keytab),
        cmocka_unit_test(user_as_client),
        cmocka_unit_test(the_kdc_wants_it),
        cmocka_unit_test(dce_style),
        cmocka_unit_test(opened_by_heimdal),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
