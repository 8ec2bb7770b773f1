/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clocks that differ, and tickets that have had their time: KRB-ERROR tokens out and in, the one retry that they
 * allow, and what a server answers later (RFC 4120 3.2.3, MS-KILE 3.4.5; errors.tsv, Kerberos).
 */
#include "kdc_forge.h"
#include "kerberos.h"
#include "realm.h"
#include "unit.h"

#include <krb5_err.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int start(void **state)
{
    (void)state;
    realm_start_peopled("--clock-skew 2");
    realm_add_user("brief", "Password");
    realm_kadmin("modify --max-ticket-life=3s brief");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    realm_end();
    return 0;
}

/* The user's own cache, holding a ticket for the service, and believing the KDC's clock to be SECONDS ahead. */
static void prepare_cache(int seconds)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    krb5_context context;
    krb5_ccache ccache, copy;
    krb5_principal client;
    realm_kinit("user", "Password");
    setup.user = NULL;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    pair_close(&pair);
    assert_int_equal(krb5_init_context(&context), 0);
    assert_int_equal(krb5_cc_default(context, &ccache), 0);
    assert_int_equal(krb5_cc_new_unique(context, "MEMORY", NULL, &copy), 0);
    assert_int_equal(krb5_cc_copy_cache(context, ccache, copy), 0);
    assert_int_equal(krb5_cc_get_principal(context, copy, &client), 0);
    krb5_set_kdc_sec_offset(context, seconds, 0); /* what a new file gets in its header */
    assert_int_equal(krb5_cc_initialize(context, ccache, client), 0);
    assert_int_equal(krb5_cc_copy_match_f(context, copy, ccache, NULL, NULL, NULL), 0);
    krb5_free_principal(context, client);
    krb5_cc_destroy(context, copy);
    krb5_cc_close(context, ccache);
    krb5_free_context(context);
}

static enum kerberos_token_kind kind_of(struct cs_context *context)
{
    struct kerberos_token token;
    assert_true(kerberos_token_read(cs_token(context), &token));
    return token.kind;
}

/* A client whose idea of the time is wrong is told the right one, and tries again in the same contexts. */
static void retry(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    prepare_cache(100);
    setup.user = NULL;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(kind_of(pair.server), KERBEROS_ERROR);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
    pair_close(&pair);
    realm_kdestroy();
}

/* An error that says CODE, and that it is TIME, or now for 0: as anybody can make one. */
static struct cs_writer error_at(krb5_error_code code, KerberosTime when)
{
    struct cs_writer message = {0}, token = {0};
    kdc_forge_error(&(struct kdc_error){.code = code, .time = when}, &message);
    kerberos_token_write(&token, &(struct kerberos_token){KERBEROS_ERROR, true, cs_written(&message), false});
    cs_writer_drop(&message);
    return token;
}

static struct cs_writer error_of(krb5_error_code code)
{
    return error_at(code, 0);
}

/* No authenticator is made for a time at which the ticket would not be taken. */
static void times_of_others(void **state)
{
    const struct {
        KerberosTime apart;
        SECURITY_STATUS status;
    } cases[] = {{-600, SEC_E_TIME_SKEW}, {600, SEC_I_CONTINUE_NEEDED}, {400 * 24 * 3600, SEC_E_TIME_SKEW}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pair_setup setup = realm_setup();
        struct pair pair;
        struct cs_writer error = error_at(KRB5KRB_AP_ERR_SKEW, time(NULL) + cases[i].apart);
        pair_open(&pair, "Kerberos", &setup);
        assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(pair_client_step(&pair, cs_written(&error)), cases[i].status);
        cs_writer_drop(&error);
        pair_close(&pair);
    }
}

/* A program gives its bindings with the first call, or with each. The second request has them in either case. */
static void bindings_stay(void **state)
{
    /* SEC_CHANNEL_BINDINGS: eight words, then the data */
    const struct {
        uint32_t words[6], size, offset;
        char data[4];
    } binding = {.size = 4, .offset = 32, .data = "tls:"}, other = {.size = 4, .offset = 32, .data = "any:"};
    const struct cs_span bindings = {(const uint8_t *)&binding, sizeof binding};
    const struct cs_span others[] = {{NULL, 0}, {(const uint8_t *)&other, sizeof other}, bindings};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct pair_setup setup = realm_setup();
        struct pair pair;
        struct cs_writer error = error_of(KRB5KRB_AP_ERR_SKEW);
        setup.client_bindings = setup.server_bindings = bindings;
        pair_open(&pair, "Kerberos", &setup);
        assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
        pair.setup.client_bindings = others[i];
        assert_int_equal(pair_client_step(&pair, cs_written(&error)), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
        cs_writer_drop(&error);
        pair_close(&pair);
    }
}

static void once_only(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    struct cs_writer error = error_of(KRB5KRB_AP_ERR_SKEW);
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_client_step(&pair, cs_written(&error)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_client_step(&pair, cs_written(&error)), SEC_E_TIME_SKEW);
    assert_int_equal(pair_client_step(&pair, cs_written(&error)), SEC_E_TIME_SKEW);
    cs_writer_drop(&error);
    pair_close(&pair);
}

static void errors_in(void **state)
{
    const struct {
        krb5_error_code code;
        SECURITY_STATUS status;
    } cases[] = {
        {KRB5KRB_AP_ERR_MODIFIED, SEC_E_WRONG_PRINCIPAL},  {KRB5KRB_AP_ERR_TKT_EXPIRED, SEC_E_CONTEXT_EXPIRED},
        {KRB5KRB_AP_ERR_TKT_NYV, SEC_E_TIME_SKEW},         {KRB5KRB_AP_ERR_REPEAT, SEC_E_LOGON_DENIED},
        {KRB5KRB_AP_ERR_NOT_US, SEC_E_WRONG_PRINCIPAL},    {KRB5KDC_ERR_ETYPE_NOSUPP, SEC_E_KDC_UNKNOWN_ETYPE},
        {KRB5KRB_AP_ERR_BADVERSION, SEC_E_INVALID_TOKEN},  {KRB5KRB_ERR_GENERIC, SEC_E_KDC_INVALID_REQUEST},
        {KRB5KRB_AP_ERR_BADKEYVER, SEC_E_WRONG_PRINCIPAL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pair_setup setup = realm_setup();
        struct pair pair;
        struct cs_writer error = error_of(cases[i].code);
        pair_open(&pair, "Kerberos", &setup);
        assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(mitm_to_client(&pair, cs_written(&error)), cases[i].status);
        cs_writer_drop(&error);
        pair_close(&pair);
    }
}

/* With ASC_REQ_EXTENDED_ERROR a refusal comes with a token that says why. */
static void errors_out(void **state)
{
    const uint32_t requests[] = {0, ASC_REQ_EXTENDED_ERROR};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pair_setup setup = realm_setup();
        struct pair pair;
        setup.server_request |= requests[i];
        setup.server_user = "user";
        setup.server_domain = "EXAMPLE.TEST";
        setup.server_password = "NotTheServices";
        pair_open(&pair, "Kerberos", &setup);
        assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_WRONG_PRINCIPAL);
        assert_int_equal(pair.server_leg.token_size != 0, i == 1);
        if (i) {
            assert_int_equal(kind_of(pair.server), KERBEROS_ERROR);
            assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_WRONG_PRINCIPAL);
        }
        pair_close(&pair);
    }
}

/* A ticket of three seconds, and a request with it that is shown to the server when they are over. */
static void expired_ticket(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    setup.user = "brief";
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    sleep(6);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_CONTEXT_EXPIRED);
    pair_close(&pair);
}

/* The session ends with its ticket. */
static void expired_session(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    setup.user = "brief";
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    struct cs_session *session = cs_context_session(pair.client);
    assert_int_equal(session->expiry, pair.client_leg.expiry);
    assert_true(session->expiry <= cs_now() + 3 * INT64_C(10000000));
    char data[4] = "abc", token[128];
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_TOKEN, token, session->sizes.security_trailer);
    add_part(&parts, SECBUFFER_DATA, data, sizeof data);
    struct cs_message message = message_over(&parts);
    assert_int_equal(cs_encrypt(session, 0, &message), SEC_E_OK);
    sleep(4);
    assert_int_equal(cs_encrypt(session, 0, &message), SEC_E_CONTEXT_EXPIRED);
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry),           cmocka_unit_test(once_only),      cmocka_unit_test(errors_in),
        cmocka_unit_test(errors_out),      cmocka_unit_test(expired_ticket), cmocka_unit_test(expired_session),
        cmocka_unit_test(times_of_others), cmocka_unit_test(bindings_stay),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
