/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole Kerberos exchanges with a KDC on loopback: who it is, what is granted, which token has which layout. Sources:
 * attributes.tsv (Kerberos), behaviour.md section 2, RFC 4121 section 4.1, MS-KILE 3.4.5.
 */
#include "kerberos_talk.h"
#include "kerberos_token.h"
#include "realm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int stop(void **state)
{
    (void)state;
    realm_end();
    return 0;
}

static SECURITY_STATUS run(const struct pair_setup *setup)
{
    struct pair pair;
    pair_open(&pair, "Kerberos", setup);
    SECURITY_STATUS status = pair_run(&pair);
    pair_close(&pair);
    return status;
}

static void open_kerberos(struct pair *pair, const struct pair_setup *setup)
{
    pair_open(pair, "Kerberos", setup);
    assert_int_equal(pair_run(pair), SEC_E_OK);
}

static void explicit_password(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    open_kerberos(&pair, &setup);
    const struct cs_session *client = cs_context_session(pair.client), *server = cs_context_session(pair.server);
    expect_text(client->names, "EXAMPLE\\user");
    expect_text(server->names, "EXAMPLE\\user");
    expect_text(client->native_client, "user@EXAMPLE.TEST");
    expect_text(server->native_client, "user@EXAMPLE.TEST");
    expect_text(client->native_server, "HTTP/server.example.test@EXAMPLE.TEST");
    expect_text(server->native_server, "HTTP/server.example.test@EXAMPLE.TEST");
    expect_text(client->target, "HTTP/server.example.test");
    expect_text(server->target, "HTTP/server.example.test");
    assert_string_equal(server->package, "Kerberos");
    assert_int_equal(client->session_key_size, 32);
    expect_pair_talks(&pair);
    pair_close(&pair);
}

/* Every way in which a program can say who it is. */
static void identity_forms(void **state)
{
    const char *cases[][2] = {
        {"user", "EXAMPLE.TEST"}, {"user", "example.test"},   {"user", "EXAMPLE"}, {"user", "example"},
        {"user", "CORP"},         {"user@EXAMPLE.TEST", ""},  {"user", ""},        {"user@example.test", ""},
        {"EXAMPLE\\user", ""},    {"example.test\\user", ""}, {"corp\\user", ""},  {"user@alias.test", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pair_setup setup = realm_setup();
        struct pair pair;
        setup.user = cases[i][0];
        setup.domain = cases[i][1];
        open_kerberos(&pair, &setup);
        expect_text(cs_context_session(pair.server)->names, "EXAMPLE\\user");
        pair_close(&pair);
    }
}

static void target_forms(void **state)
{
    const char *targets[] = {
        "HTTP/server.example.test",
        "HTTP/server.example.test@EXAMPLE.TEST",
        "HTTP/server.example.test@example.test",
        "HTTP/server.example.test@EXAMPLE",
        "HTTP/port.example.test:8080",
        "machine@EXAMPLE.TEST",
        "machine",
        "HTTP/unmapped",
    };
    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct pair_setup setup = realm_setup();
        struct pair pair;
        setup.target = targets[i];
        open_kerberos(&pair, &setup);
        expect_text(cs_context_session(pair.client)->target, targets[i]);
        expect_text(cs_context_session(pair.server)->target, targets[i]);
        pair_close(&pair);
    }
}

/* attributes.tsv, Kerberos: flags go one to one; integrity always comes along unless NO_INTEGRITY forbids it */
static void granted_flags(void **state)
{
    const uint32_t cases[][3] = {
        {0, ISC_REQ_INTEGRITY, ASC_REQ_INTEGRITY},
        {ISC_REQ_NO_INTEGRITY, 0, 0},
        {ISC_REQ_MUTUAL_AUTH, ISC_REQ_MUTUAL_AUTH | ISC_REQ_INTEGRITY, ASC_REQ_MUTUAL_AUTH | ASC_REQ_INTEGRITY},
        {ISC_REQ_REPLAY_DETECT, ISC_REQ_REPLAY_DETECT | ISC_REQ_INTEGRITY, ASC_REQ_REPLAY_DETECT | ASC_REQ_INTEGRITY},
        {ISC_REQ_SEQUENCE_DETECT, ISC_REQ_SEQUENCE_DETECT | ISC_REQ_INTEGRITY,
         ASC_REQ_SEQUENCE_DETECT | ASC_REQ_INTEGRITY},
        {ISC_REQ_CONFIDENTIALITY, ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY,
         ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY},
        {ISC_REQ_IDENTIFY, ISC_REQ_IDENTIFY | ISC_REQ_INTEGRITY, ASC_REQ_IDENTIFY | ASC_REQ_INTEGRITY},
        {ISC_REQ_EXTENDED_ERROR, ISC_REQ_EXTENDED_ERROR | ISC_REQ_INTEGRITY,
         ASC_REQ_EXTENDED_ERROR | ASC_REQ_INTEGRITY},
        {ISC_REQ_CONNECTION, ISC_REQ_CONNECTION | ISC_REQ_INTEGRITY, ASC_REQ_INTEGRITY},
        {ISC_REQ_DELEGATE, ISC_REQ_INTEGRITY, ASC_REQ_INTEGRITY},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pair_setup setup = realm_setup();
        struct pair pair;
        setup.client_request = cases[i][0];
        setup.server_request = 0;
        open_kerberos(&pair, &setup);
        assert_int_equal(pair.client_leg.granted, cases[i][1]);
        assert_int_equal(pair.server_leg.granted, cases[i][2]);
        assert_int_equal(cs_context_session(pair.client)->flags, cases[i][1]);
        assert_int_equal(cs_context_session(pair.server)->flags, cases[i][2]);
        pair_close(&pair);
    }
}

/* Without mutual authentication the client is done when it has spoken. */
static void one_leg(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    setup.client_request = ISC_REQ_CONFIDENTIALITY | ISC_REQ_SEQUENCE_DETECT;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_E_OK);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
    assert_int_equal(cs_token(pair.server).size, 0);
    expect_pair_talks(&pair);
    pair_close(&pair);
}

static enum kerberos_token_kind kind_of(struct cs_context *context, bool framed)
{
    struct kerberos_token token;
    assert_true(kerberos_token_read(cs_token(context), &token));
    assert_int_equal(token.framed, framed);
    return token.kind;
}

/* MS-KILE 3.4.5.1: three legs without framing; the client is done with its second */
static void dce_style(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    setup.client_request |= ISC_REQ_USE_DCE_STYLE;
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(kind_of(pair.client, false), KERBEROS_AP_REQ);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(kind_of(pair.server, false), KERBEROS_AP_REP);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
    assert_int_equal(kind_of(pair.client, false), KERBEROS_AP_REP);
    assert_null(cs_context_session(pair.server));
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
    assert_int_equal(cs_token(pair.server).size, 0);
    assert_true(pair.client_leg.granted & ISC_REQ_USE_DCE_STYLE);
    assert_true(pair.server_leg.granted & ASC_REQ_USE_DCE_STYLE);
    assert_memory_equal(cs_context_session(pair.client)->session_key, cs_context_session(pair.server)->session_key, 32);
    pair_close(&pair);
}

/* The tokens of the usual style are framed; a server also takes them bare, and under Windows's other OID. */
static void framing(void **state)
{
    const bool framed[] = {true, false, true};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct pair_setup setup = realm_setup();
        struct pair pair;
        struct kerberos_token token;
        struct cs_writer changed = {0};
        pair_open(&pair, "Kerberos", &setup);
        assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(kind_of(pair.client, true), KERBEROS_AP_REQ);
        assert_true(kerberos_token_read(cs_token(pair.client), &token));
        cs_write_span(&changed, framed[i] ? cs_token(pair.client) : token.message);
        if (i == 2) {
            const size_t oid = cs_token(pair.client).size - token.message.size - 2 - kerberos_oid_ms.size;
            cs_write_over(&changed, oid, kerberos_oid_ms);
        }
        assert_int_equal(pair_server_step(&pair, cs_written(&changed)), SEC_E_OK);
        assert_int_equal(kind_of(pair.server, framed[i]), KERBEROS_AP_REP);
        assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
        cs_writer_drop(&changed);
        pair_close(&pair);
    }
}

static void encryption_types(void **state)
{
    const struct {
        const char *target;
        uint32_t key_size;
    } cases[] = {{"cifs/aes128", 16}, {"cifs/aes256", 32}, {"cifs/sha256", 16}, {"cifs/sha384", 32}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pair_setup setup = realm_setup();
        struct pair pair;
        setup.target = cases[i].target;
        open_kerberos(&pair, &setup);
        print_message("%s: %s, %s\n", setup.target, cs_context_session(pair.client)->key_info.encrypt_name,
                      cs_context_session(pair.client)->key_info.signature_name);
        assert_int_equal(cs_context_session(pair.client)->session_key_size, cases[i].key_size);
        expect_pair_talks(&pair);
        pair_close(&pair);
    }
}

/* behaviour.md row 49: acquired without any ticket; only when one is needed is it missed */
static void default_credentials(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    setup.user = NULL;
    realm_kdestroy();
    pair_open(&pair, "Kerberos", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_E_NO_CREDENTIALS);
    cs_context_release(pair.client);
    pair.client = NULL;
    realm_kinit("user", "Password");
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    expect_text(cs_context_session(pair.server)->names, "EXAMPLE\\user");
    pair_close(&pair);
    realm_kdestroy();
}

static struct cs_writer contents_of(const char *path)
{
    struct cs_writer contents = {0};
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (int c; (c = fgetc(file)) != EOF;) cs_write_u8(&contents, (uint8_t)c);
    fclose(file);
    return contents;
}

static void explicit_logon_leaves_the_cache_alone(void **state)
{
    struct pair_setup setup = realm_setup();
    (void)state;
    realm_kdestroy();
    assert_int_equal(run(&setup), SEC_E_OK);
    assert_int_equal(access(realm_path("realm/ccache"), F_OK), -1);
    realm_kinit("user", "Password");
    struct cs_writer before = contents_of(realm_path("realm/ccache"));
    setup.user = "other";
    setup.password = "Secret";
    assert_int_equal(run(&setup), SEC_E_OK);
    struct cs_writer after = contents_of(realm_path("realm/ccache"));
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
    cs_writer_drop(&before);
    cs_writer_drop(&after);
    realm_kdestroy();
}

/* A second context of a credential asks no KDC. */
static void tickets_are_kept(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    open_kerberos(&pair, &setup);
    realm_pause();
    cs_context_release(pair.client);
    cs_context_release(pair.server);
    pair.client = pair.server = NULL;
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    expect_pair_talks(&pair);
    pair_close(&pair);
    realm_resume();
}

/* The keytab is read again when it has changed. */
static void keytab_changes(void **state)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    (void)state;
    open_kerberos(&pair, &setup);
    cs_context_release(pair.client);
    cs_context_release(pair.server);
    pair.client = pair.server = NULL;
    realm_add_service("HTTP/late.example.test");
    cs_writer_drop(&pair.target);
    assert_true(cs_utf16_of(&pair.target, cs_span_of("HTTP/late.example.test")));
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    pair_close(&pair);
}

/* A server whose password is known instead of its keys; with a salt that is not the default one. */
static void server_with_password(void **state)
{
    const char *targets[] = {"service", "salted"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pair_setup setup = realm_setup();
        struct pair pair;
        setup.target = targets[i];
        setup.server_user = targets[i];
        setup.server_domain = "EXAMPLE.TEST";
        setup.server_password = "ServicePassword";
        open_kerberos(&pair, &setup);
        expect_pair_talks(&pair);
        pair_close(&pair);
    }
}

static int prepare(void **state)
{
    (void)state;
    realm_start_peopled("--enctypes aes256-sha1,aes128-sha1,aes256-sha2,aes128-sha2");
    realm_configure("[countersign]\n    netbios = {\n        CORP = EXAMPLE.TEST\n    }\n");
    realm_add_user("other", "Secret");
    realm_kadmin("modify --alias=user@alias.test user");
    realm_add_user("service", "ServicePassword");
    realm_add_user("old-name", "ServicePassword");
    realm_kadmin("rename old-name salted");
    realm_add_service("HTTP/port.example.test:8080");
    realm_add_service("HTTP/unmapped");
    realm_add_service("machine");
    realm_add_service("--enctypes aes128-sha1 cifs/aes128");
    realm_add_service("--enctypes aes256-sha1 cifs/aes256");
    realm_add_service("--enctypes aes128-sha2 cifs/sha256");
    realm_add_service("--enctypes aes256-sha2 cifs/sha384");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explicit_password),
        cmocka_unit_test(identity_forms),
        cmocka_unit_test(target_forms),
        cmocka_unit_test(granted_flags),
        cmocka_unit_test(one_leg),
        cmocka_unit_test(dce_style),
        cmocka_unit_test(framing),
        cmocka_unit_test(encryption_types),
        cmocka_unit_test(default_credentials),
        cmocka_unit_test(explicit_logon_leaves_the_cache_alone),
        cmocka_unit_test(tickets_are_kept),
        cmocka_unit_test(keytab_changes),
        cmocka_unit_test(server_with_password),
    };
    return cmocka_run_group_tests(tests, prepare, stop);
}
