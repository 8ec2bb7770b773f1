/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The target that a server is told, through whole exchanges with a KDC on loopback: what the client's program named,
 * whatever somebody on the way makes of the name in the ticket, which is in clear. Sources: attributes.tsv
 * (CLIENT_SPECIFIED_TARGET), MS-KILE 3.2.5.8, RFC 4120 5.3.
 */
#include "describe.h"
#include "kerberos.h"
#include "kerberos_talk.h"
#include "realm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char server_name[] = "HTTP/server.example.test";

static int start(void **state)
{
    (void)state;
    realm_start_peopled("");
    realm_add_service("HTTP/other.example.test");
    realm_add_user("peer", "Secret");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    realm_end();
    return 0;
}

static struct cs_policy suppressing(void)
{
    struct cs_policy policy = cs_default_policy();
    policy.suppress_extended_protection = 1;
    return policy;
}

/* Puts mitm->data in the place of the second part of the name in the ticket of an AP-REQ. */
static void rename_server(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    struct kerberos_token token;
    AP_REQ request;
    krb5_data encoded;
    size_t size;
    int code;
    (void)number;
    if (!kerberos_token_read(cs_written(message), &token) || token.kind != KERBEROS_AP_REQ) return;
    assert_int_equal(decode_AP_REQ(token.message.data, token.message.size, &request, NULL), 0);
    char **part = &request.ticket.sname.name_string.val[request.ticket.sname.name_string.len - 1];
    free(*part);
    *part = strdup(mitm->data);
    ASN1_MALLOC_ENCODE(AP_REQ, encoded.data, encoded.length, &request, &size, code);
    assert_int_equal(code, 0);
    free_AP_REQ(&request);
    cs_writer_drop(message);
    token.message = (struct cs_span){encoded.data, encoded.length};
    kerberos_token_write(message, &token);
    krb5_data_free(&encoded);
}

/* The exchange of SETUP, where NAME is put into the ticket on the way, unless it is NULL; TARGET is what comes of it.
 */
static void expect_told(const struct pair_setup *setup, const char *package, const char *name, const char *target)
{
    struct mitm mitm = {.edit = name ? rename_server : NULL, .data = (void *)(uintptr_t)name};
    struct pair pair;
    pair_open(&pair, package, setup);
    assert_int_equal(mitm_run(&mitm, &pair), SEC_E_OK);
    expect_text(cs_context_session(pair.server)->target, target);
    expect_pair_talks(&pair);
    mitm_end(&mitm);
    pair_close(&pair);
}

static void as_it_was_named(void **state)
{
    const char *packages[] = {"Kerberos", "Negotiate"};
    const char *names[] = {"HTTP/server.example.test", "HTTP/server.example.test@EXAMPLE.TEST",
                           "HTTP/server.example.test@EXAMPLE", "HTTP/other.example.test"};
    const uint32_t styles[] = {0, ISC_REQ_USE_DCE_STYLE};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            for (size_t k = 0; k < 2; k++) {
                struct pair_setup setup = realm_setup();
                setup.target = names[j];
                setup.client_request |= styles[k];
                expect_told(&setup, packages[i], NULL, names[j]);
            }
}

/* One leg alone. */
static void without_mutual_authentication(void **state)
{
    struct pair_setup setup = realm_setup();
    (void)state;
    setup.client_request = 0;
    struct pair pair;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    expect_text(cs_context_session(pair.server)->target, server_name);
    pair_close(&pair);
}

static void user_to_user(void **state)
{
    const char *names[] = {"peer", "peer@EXAMPLE.TEST"};
    struct cs_policy policy = suppressing();
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pair_setup setup = realm_setup_user_to_user();
        setup.target = names[i];
        expect_told(&setup, "Kerberos", NULL, names[i]);
        expect_told(&setup, "Kerberos", "other", names[i]);
        setup.client_policy = &policy;
        expect_told(&setup, "Kerberos", NULL, "peer");
        expect_told(&setup, "Kerberos", "other", "");
    }
}

/* A ticket opens with any key (MS-KILE 3.4.5), so that these requests are good ones, whatever they name. */
static void altered_on_the_way(void **state)
{
    const char *others[] = {"other.example.test", "evil.example.test", "SERVER.example.test", "", "server.example.tes"};
    const uint32_t styles[] = {0, ISC_REQ_USE_DCE_STYLE};
    struct cs_policy policy = suppressing();
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        for (size_t j = 0; j < 2; j++) {
            struct pair_setup setup = realm_setup();
            setup.client_request |= styles[j];
            expect_told(&setup, "Kerberos", others[i], server_name);
            setup.client_policy = &policy;
            expect_told(&setup, "Kerberos", others[i], "");
        }
}

/* A client that does not say: the name in the ticket stands in, where it is the key's own. */
static void suppressed(void **state)
{
    struct cs_policy policy = suppressing();
    struct pair_setup setup = realm_setup();
    (void)state;
    setup.client_policy = &policy;
    expect_told(&setup, "Kerberos", NULL, server_name);
    setup.target = "HTTP/server.example.test@EXAMPLE.TEST";
    expect_told(&setup, "Negotiate", NULL, server_name);
}

/* Whoever has a password has it for an account, and not for the names of its services. */
static void password(void **state)
{
    struct cs_policy policy = suppressing();
    struct pair_setup setup = realm_setup();
    (void)state;
    setup.target = setup.server_user = "peer";
    setup.server_domain = "EXAMPLE.TEST";
    setup.server_password = "Secret";
    expect_told(&setup, "Kerberos", NULL, "peer");
    expect_told(&setup, "Kerberos", "other", "peer");
    setup.client_policy = &policy;
    expect_told(&setup, "Kerberos", NULL, "peer");
    expect_told(&setup, "Kerberos", "other", "");
}

/* Gives NAME the keys of server_name in the keytab besides. */
static void share_keys(const char *name)
{
    krb5_context krb5;
    krb5_keytab keytab;
    krb5_keytab_entry entries[8];
    krb5_principal server, alias;
    krb5_kt_cursor cursor;
    size_t count = 0;
    assert_int_equal(krb5_init_context(&krb5), 0);
    assert_int_equal(krb5_kt_default(krb5, &keytab), 0);
    assert_int_equal(krb5_parse_name(krb5, server_name, &server), 0);
    assert_int_equal(krb5_parse_name(krb5, name, &alias), 0);
    assert_int_equal(krb5_kt_start_seq_get(krb5, keytab, &cursor), 0);
    while (!krb5_kt_next_entry(krb5, keytab, &entries[count], &cursor)) {
        assert_true(++count < sizeof entries / sizeof *entries);
        if (krb5_principal_compare(krb5, entries[count - 1].principal, server)) continue;
        krb5_kt_free_entry(krb5, &entries[--count]);
    }
    krb5_kt_end_seq_get(krb5, keytab, &cursor);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        krb5_free_principal(krb5, entries[i].principal);
        assert_int_equal(krb5_copy_principal(krb5, alias, &entries[i].principal), 0);
        assert_int_equal(krb5_kt_add_entry(krb5, keytab, &entries[i]), 0);
        krb5_kt_free_entry(krb5, &entries[i]);
    }
    krb5_free_principal(krb5, server);
    krb5_free_principal(krb5, alias);
    krb5_kt_close(krb5, keytab);
    krb5_free_context(krb5);
}

static void two_names_with_one_key(void **state)
{
    struct cs_policy policy = suppressing();
    struct pair_setup setup = realm_setup();
    (void)state;
    share_keys("HTTP/alias.example.test");
    expect_told(&setup, "Kerberos", NULL, server_name);
    expect_told(&setup, "Kerberos", "alias.example.test", server_name);
    setup.client_policy = &policy;
    expect_told(&setup, "Kerberos", NULL, "");
    expect_told(&setup, "Kerberos", "alias.example.test", "");
    setup.target = "HTTP/other.example.test";
    expect_told(&setup, "Kerberos", NULL, "HTTP/other.example.test");
}

/* What goes over the wire, opened with the service's key. */
static void on_the_wire(void **state)
{
    static const char *const lines[] = {"authorization-data: 1 elements", "ad-type: AD-IF-RELEVANT (1), size ",
                                        "ad-type: AD-AUTH-DATA-AP-OPTIONS (143), size 4\n", "KERB_AP_OPTIONS_CBT",
                                        "target: \"HTTP/server.example.test\"\n"};
    struct cs_policy policy = suppressing();
    char *problem;
    (void)state;
    struct cs_describe_keys *keys = cs_describe_keys_read(getenv("KRB5_KTNAME"), &problem);
    assert_non_null(keys);
    for (int suppresses = 0; suppresses < 2; suppresses++) {
        struct pair_setup setup = realm_setup();
        struct cs_writer text = {0};
        struct pair pair;
        if (suppresses) setup.client_policy = &policy;
        pair_open(&pair, "Kerberos", &setup);
        assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
        assert_true(cs_describe_opened(cs_token(pair.client), keys, &text));
        cs_write_u8(&text, 0);
        const char *authenticator = strstr((const char *)text.data, "  authenticator: ");
        assert_non_null(authenticator);
        assert_non_null(strstr(authenticator, "seq-number: "));
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
            assert_int_equal(strstr(authenticator, lines[i]) != NULL, !suppresses);
        cs_writer_drop(&text);
        pair_close(&pair);
    }
    cs_describe_keys_drop(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_it_was_named), cmocka_unit_test(without_mutual_authentication),
        cmocka_unit_test(user_to_user),    cmocka_unit_test(altered_on_the_way),
        cmocka_unit_test(suppressed),      cmocka_unit_test(password),
        cmocka_unit_test(on_the_wire),     cmocka_unit_test(two_names_with_one_key),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
