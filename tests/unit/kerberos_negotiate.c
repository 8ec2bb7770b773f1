/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Negotiate over Kerberos, and over NTLM where Kerberos cannot start (attributes.tsv, Negotiate; MS-SPNG 3.2.5).
 */
#include "heimdal_leaks.h"
#include "kerberos_token.h"
#include "realm.h"
#include "spnego.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cs_span nothing;

static int start(void **state)
{
    char line[160];
    (void)state;
    realm_start_peopled("");
    realm_configure("[realms]\n    DEAD.TEST = {\n        kdc = 127.0.0.1:1\n    }\n");
    realm_add_service("--enctypes rc4 HTTP/rc4.example.test");
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

static void open_negotiate(struct pair *pair, const struct pair_setup *setup, const char *package)
{
    pair_open(pair, "Negotiate", setup);
    assert_int_equal(pair_run(pair), SEC_E_OK);
    assert_string_equal(cs_context_session(pair->client)->package, package);
    assert_string_equal(cs_context_session(pair->server)->package, package);
    assert_memory_equal(cs_context_session(pair->client)->session_key, cs_context_session(pair->server)->session_key,
                        cs_context_session(pair->client)->session_key_size);
}

/* Two legs, Windows's order, its misprinted OID in the answer, and no MIC. */
static void kerberos_first(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    struct spnego_init offer;
    struct spnego_resp answer;
    struct kerberos_token token;
    (void)state;
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_client_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(spnego_init_read(cs_token(pair.client), &offer), SEC_E_OK);
    assert_int_equal(offer.mech_count, 3);
    assert_true(spnego_same_oid(offer.mechs[0], spnego_ms_krb5));
    assert_true(spnego_same_oid(offer.mechs[1], spnego_krb5));
    assert_true(spnego_same_oid(offer.mechs[2], spnego_ntlm));
    assert_true(kerberos_token_read(offer.mech_token, &token) && token.framed);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
    assert_int_equal(spnego_resp_read(cs_token(pair.server), &answer), SEC_E_OK);
    assert_int_equal(answer.state, SPNEGO_ACCEPT_COMPLETED);
    assert_true(spnego_same_oid(answer.supported_mech, spnego_ms_krb5));
    assert_null(answer.mech_list_mic.data);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
    assert_int_equal(cs_token(pair.client).size, 0);
    assert_string_equal(cs_context_session(pair.server)->package, "Kerberos");
    assert_true(pair.client_leg.granted & ISC_REQ_MUTUAL_AUTH);
    pair_close(&pair);
}

static void default_credentials(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    setup.user = NULL;
    realm_kinit("user", "Password");
    open_negotiate(&pair, &setup, "Kerberos");
    pair_close(&pair);
    realm_kdestroy();
    setup.target = "HOST/localhost";
    open_negotiate(&pair, &setup, "NTLM");
    pair_close(&pair);
}

static void ntlm_where_kerberos_cannot_start(void **state)
{
    const char *targets[] = {NULL, "HTTP/127.0.0.1", "HTTP/127.0.0.1:80", "HTTP/::1", "HTTP/unknown.example.test"};
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        setup.target = targets[i];
        open_negotiate(&pair, &setup, "NTLM");
        pair_close(&pair);
    }
    setup = realm_setup();
    setup.domain = "DEAD.TEST";
    open_negotiate(&pair, &setup, "NTLM");
    pair_close(&pair);
    setup.domain = "WORKGROUP";
    open_negotiate(&pair, &setup, "NTLM");
    pair_close(&pair);
}

/*
 * Who is unknown to the realm may be known to the server: the KDC tells names apart by case, the account file does not.
 * Without NTLM a program hears what it hears of a wrong password.
 */
static void known_to_the_server_alone(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    setup.user = "USER";
    open_negotiate(&pair, &setup, "NTLM");
    pair_close(&pair);
    setup.client_packages = "!ntlm";
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_client_step(&pair, nothing), SEC_E_LOGON_DENIED);
    pair_close(&pair);
    setup.client_packages = NULL;
    setup.user = "nobody";
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_LOGON_DENIED);
    pair_close(&pair);
}

/* The first leg with default credentials and what the credential manager holds: the user is UTF-16LE. */
static SECURITY_STATUS step_with_stored(struct pair *pair, struct cs_span user, const char *domain)
{
    const struct bytes utf16_domain = utf16(domain), password = utf16("Password");
    pair->client_leg = (struct cs_leg){.credential = pair->client_credential,
                                       .identity = {.kind = CS_IDENTITY_EXPLICIT,
                                                    .user = user,
                                                    .domain = span_over(&utf16_domain),
                                                    .password = span_over(&password)},
                                       .target = cs_written(&pair->target),
                                       .request = pair->setup.client_request,
                                       .room = SIZE_MAX};
    return cs_initialize(&pair->client, &pair->client_leg);
}

static bool is_ntlm_offer(struct cs_span token)
{
    struct spnego_init offer;
    return spnego_init_read(token, &offer) == SEC_E_OK && offer.mech_count == 1 &&
           spnego_same_oid(offer.mechs[0], spnego_ntlm);
}

/* A stored identity that is no text (bug class A4), holds a NUL, or is of no realm, is nobody to Kerberos alone. */
static void stored_identity_of_ntlm_alone(void **state)
{
    static const uint8_t surrogate[] = {'u', 0, 0x00, 0xD8, 's', 0}, with_nul[] = {'u', 0, 0, 0, 's', 0}, odd[] = "use";
    const struct cs_span users[] = {{surrogate, sizeof surrogate}, {with_nul, sizeof with_nul}, {odd, 3}};
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    setup.user = NULL;
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        pair_open(&pair, "Kerberos", &setup);
        assert_int_equal(step_with_stored(&pair, users[i], "EXAMPLE.TEST"), SEC_E_UNKNOWN_CREDENTIALS);
        pair_close(&pair);
        pair_open(&pair, "Negotiate", &setup);
        assert_int_equal(step_with_stored(&pair, users[i], "EXAMPLE.TEST"), SEC_I_CONTINUE_NEEDED);
        assert_true(is_ntlm_offer(cs_token(pair.client)));
        pair_close(&pair);
    }
}

/* Nor is a name without a realm where krb5.conf has no default one. */
static void stored_identity_without_realm(void **state)
{
    char old[256];
    const struct bytes user = utf16("user");
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    setup.user = NULL;
    snprintf(old, sizeof old, "%s", getenv("KRB5_CONFIG"));
    setenv("KRB5_CONFIG", "/dev/null", 1);
    pair_open(&pair, "Negotiate", &setup);
    SECURITY_STATUS client = step_with_stored(&pair, span_over(&user), ""), server = SEC_I_CONTINUE_NEEDED;
    while (client == SEC_I_CONTINUE_NEEDED && server == SEC_I_CONTINUE_NEEDED) {
        server = pair_server_step(&pair, cs_token(pair.client));
        client = pair_client_step(&pair, cs_token(pair.server));
    }
    assert_int_equal(client, SEC_E_OK);
    assert_int_equal(server, SEC_E_OK);
    assert_string_equal(cs_context_session(pair.server)->package, "NTLM");
    pair_close(&pair);
    setenv("KRB5_CONFIG", old, 1);
}

/* An identity that a program gives and Kerberos cannot read is NTLM's alone. */
static void given_identity_of_ntlm_alone(void **state)
{
    static const uint8_t surrogate[] = {'u', 0, 0x00, 0xD8};
    const struct bytes password = utf16("Password"), target = utf16("HTTP/server.example.test");
    struct cs_credential_request request = {.use = SECPKG_CRED_OUTBOUND,
                                            .identity = {.kind = CS_IDENTITY_EXPLICIT,
                                                         .user = {surrogate, sizeof surrogate},
                                                         .password = span_over(&password)}};
    struct cs_leg leg = {.target = span_over(&target), .room = SIZE_MAX};
    struct cs_context *context = NULL;
    (void)state;
    request.policy = cs_default_policy();
    assert_int_equal(cs_acquire_credential(cs_find_mechanism("Kerberos"), &request, &leg.credential),
                     SEC_E_UNKNOWN_CREDENTIALS);
    assert_int_equal(cs_acquire_credential(cs_find_mechanism("Negotiate"), &request, &leg.credential), SEC_E_OK);
    assert_int_equal(cs_initialize(&context, &leg), SEC_I_CONTINUE_NEEDED);
    assert_true(is_ntlm_offer(cs_token(context)));
    cs_context_release(context);
    cs_credential_release(leg.credential);
}

static SECURITY_STATUS first_leg(const struct pair_setup *setup)
{
    struct pair pair;
    pair_open(&pair, "Negotiate", setup);
    SECURITY_STATUS status = pair_client_step(&pair, nothing);
    assert_int_equal(cs_token(pair.client).size != 0, status >= 0);
    pair_close(&pair);
    return status;
}

/* What the KDC refuses, or only weak cryptography would bring about, is not tried again with NTLM. */
static void refused_logon(void **state)
{
    struct pair_setup setup = realm_setup();
    (void)state;
    assert_int_equal(first_leg(&setup), SEC_I_CONTINUE_NEEDED);
    setup.password = "password";
    assert_int_equal(first_leg(&setup), SEC_E_LOGON_DENIED);
    setup = realm_setup();
    setup.target = "HTTP/rc4.example.test";
    assert_int_equal(first_leg(&setup), SEC_E_KDC_UNKNOWN_ETYPE);
}

/* A server without keys takes the client's next choice, and a MIC shows that the offer was the client's own. */
static void server_without_keys(void **state)
{
    char keytab[256];
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    snprintf(keytab, sizeof keytab, "%s", getenv("KRB5_KTNAME"));
    setenv("KRB5_KTNAME", "FILE:/nonexistent", 1);
    open_negotiate(&pair, &setup, "NTLM");
    pair_close(&pair);
    setenv("KRB5_KTNAME", keytab, 1);
}

/* A NegTokenInit without an optimistic token, of every mechanism or of Kerberos's alone, and what the server answers.
 */
static SECURITY_STATUS answer_to_list(const struct pair_setup *setup, size_t count, struct cs_span *chosen)
{
    const struct spnego_init offer = {.mechs = {spnego_ms_krb5, spnego_krb5, spnego_ntlm}, .mech_count = count};
    struct cs_writer token = {0};
    struct spnego_resp answer;
    static uint8_t oid[16];
    struct pair pair;
    spnego_init_write(&token, &offer);
    pair_open(&pair, "Negotiate", setup);
    SECURITY_STATUS status = pair_server_step(&pair, cs_written(&token));
    if (status >= 0) {
        assert_int_equal(spnego_resp_read(cs_token(pair.server), &answer), SEC_E_OK);
        memcpy(oid, answer.supported_mech.data, answer.supported_mech.size);
        *chosen = (struct cs_span){oid, answer.supported_mech.size};
    }
    pair_close(&pair);
    cs_writer_drop(&token);
    return status;
}

static size_t hinted_mechs(struct pair *pair)
{
    struct spnego_init hints;
    assert_int_equal(pair_server_step(pair, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(spnego_init_read(cs_token(pair->server), &hints), SEC_E_OK);
    cs_context_release(pair->server);
    pair->server = NULL;
    return hints.mech_count;
}

/* A server without keys neither agrees to Kerberos before there is a token of it, nor names it in its hints. */
static void no_keys_and_no_token(void **state)
{
    char keytab[256];
    struct pair_setup setup = realm_setup();
    struct cs_span chosen = nothing;
    (void)state;
    assert_int_equal(answer_to_list(&setup, 3, &chosen), SEC_I_CONTINUE_NEEDED);
    assert_true(spnego_same_oid(chosen, spnego_ms_krb5));
    snprintf(keytab, sizeof keytab, "%s", getenv("KRB5_KTNAME"));
    setenv("KRB5_KTNAME", "FILE:/dev/null", 1);
    assert_int_equal(answer_to_list(&setup, 3, &chosen), SEC_I_CONTINUE_NEEDED);
    assert_true(spnego_same_oid(chosen, spnego_ntlm));
    assert_int_equal(answer_to_list(&setup, 2, &chosen), SEC_E_NO_CREDENTIALS);
    setup.server_user = "user";
    setup.server_domain = "EXAMPLE.TEST";
    setup.server_password = "Password";
    assert_int_equal(answer_to_list(&setup, 3, &chosen), SEC_I_CONTINUE_NEEDED);
    assert_true(spnego_same_oid(chosen, spnego_ms_krb5));
    setenv("KRB5_KTNAME", keytab, 1);
}

/* A keytab that appears, or goes, while the credential lives. */
static void keytab_of_later(void **state)
{
    char keytab[256], later[256], name[300];
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    snprintf(keytab, sizeof keytab, "%s", getenv("KRB5_KTNAME"));
    snprintf(later, sizeof later, "%s", realm_path("later.keytab"));
    snprintf(name, sizeof name, "FILE:%s", later);
    setenv("KRB5_KTNAME", name, 1);
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(hinted_mechs(&pair), 1);
    assert_int_equal(symlink(strchr(keytab, '/'), later), 0);
    assert_int_equal(hinted_mechs(&pair), 4);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    assert_string_equal(cs_context_session(pair.server)->package, "Kerberos");
    cs_context_release(pair.server);
    pair.server = NULL;
    assert_int_equal(unlink(later), 0);
    assert_int_equal(hinted_mechs(&pair), 1);
    pair_close(&pair);
    setenv("KRB5_KTNAME", keytab, 1);
}

/* A program names its target once; the proof of a mechanism that the server chose on the second leg has it all the
 * same: without it a client's messages could be passed on. */
static void target_of_the_first_leg(void **state)
{
    char keytab[256];
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    snprintf(keytab, sizeof keytab, "%s", getenv("KRB5_KTNAME"));
    setenv("KRB5_KTNAME", "FILE:/nonexistent", 1);
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_client_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
    const size_t size = pair.target.size;
    cs_writer_drop(&pair.target);
    SECURITY_STATUS server = pair_server_step(&pair, cs_token(pair.client)), client = SEC_I_CONTINUE_NEEDED;
    while (client == SEC_I_CONTINUE_NEEDED && server == SEC_I_CONTINUE_NEEDED) {
        client = pair_client_step(&pair, cs_token(pair.server));
        server = pair_server_step(&pair, cs_token(pair.client));
    }
    assert_int_equal(server, SEC_E_OK);
    assert_string_equal(cs_context_session(pair.server)->package, "NTLM");
    assert_int_equal(cs_context_session(pair.server)->target.size, size);
    pair_close(&pair);
    setenv("KRB5_KTNAME", keytab, 1);
}

static void package_lists(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    setup.client_packages = "!Kerberos";
    open_negotiate(&pair, &setup, "NTLM");
    pair_close(&pair);
    setup.client_packages = "!NTLM";
    open_negotiate(&pair, &setup, "Kerberos");
    pair_close(&pair);
    setup.client_packages = NULL;
    setup.server_packages = "!Kerberos";
    open_negotiate(&pair, &setup, "NTLM");
    pair_close(&pair);
    setup.client_packages = "!NTLM";
    setup.target = NULL;
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_client_step(&pair, nothing), SEC_E_TARGET_UNKNOWN);
    pair_close(&pair);
}

/* Kerberos's tokens without SPNEGO around them, and those that start with another of its names. */
static void bare_kerberos(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair bare, negotiate;
    (void)state;
    pair_open(&bare, "Kerberos", &setup);
    pair_open(&negotiate, "Negotiate", &setup);
    assert_int_equal(pair_client_step(&bare, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&negotiate, cs_token(bare.client)), SEC_E_OK);
    assert_int_equal(pair_client_step(&bare, cs_token(negotiate.server)), SEC_E_OK);
    pair_close(&bare);
    pair_close(&negotiate);
}

static void dce_style(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    setup.client_request |= ISC_REQ_USE_DCE_STYLE;
    open_negotiate(&pair, &setup, "Kerberos");
    pair_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kerberos_first),
        cmocka_unit_test(default_credentials),
        cmocka_unit_test(refused_logon),
        cmocka_unit_test(ntlm_where_kerberos_cannot_start),
        cmocka_unit_test(known_to_the_server_alone),
        cmocka_unit_test(server_without_keys),
        cmocka_unit_test(target_of_the_first_leg),
        cmocka_unit_test(package_lists),
        cmocka_unit_test(bare_kerberos),
        cmocka_unit_test(dce_style),
        cmocka_unit_test(no_keys_and_no_token),
        cmocka_unit_test(keytab_of_later),
        cmocka_unit_test(stored_identity_of_ntlm_alone),
        cmocka_unit_test(stored_identity_without_realm),
        cmocka_unit_test(given_identity_of_ntlm_alone),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
