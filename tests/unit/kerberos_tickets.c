/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a server makes of tickets that no KDC of ours has made: with a key of another service, version or type, out of
 * their time, for another client, with a PAC that somebody else signed (errors.tsv AcceptSecurityContext Kerberos).
 */
#include "kerberos_service.h"
#include "pac_forge.h"
#include "ticket_forge.h"
#include "unit.h"

#include <time.h>

static struct kerberos_service world;

static int start(void **state)
{
    (void)state;
    kerberos_service_open(&world);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    kerberos_service_close(&world);
    return 0;
}

static struct ticket_forge right(void)
{
    return ticket_forge_right(world.krb5, &world.key);
}

/* A fresh context's answer to the forgery. */
static SECURITY_STATUS offer(const struct ticket_forge *forge)
{
    struct cs_writer token = {0};
    ticket_forge(forge, &token);
    SECURITY_STATUS status = kerberos_service_offer(&world, cs_written(&token));
    cs_writer_drop(&token);
    assert_int_equal(cs_context_session(world.pair.server) != NULL, status == SEC_E_OK);
    return status;
}

static void expect_names(const char *names)
{
    struct bytes expected = utf16(names);
    const struct cs_session *session = cs_context_session(world.pair.server);
    assert_int_equal(session->names.size, expected.size);
    assert_memory_equal(session->names.data, expected.data, expected.size);
}

/* A request without checksum asks for nothing (MS-KILE 3.4.5). */
static void right_ticket(void **state)
{
    struct ticket_forge forge = right();
    (void)state;
    assert_int_equal(offer(&forge), SEC_E_OK);
    expect_names("EXAMPLE\\user");
    assert_int_equal(world.pair.server_leg.granted, 0);
    forge.subkey_size = 0;
    assert_int_equal(offer(&forge), SEC_E_OK);
}

/* The key is found by name, version and type, else by trying: a service has many names. */
static void keys(void **state)
{
    struct ticket_forge forge = right();
    (void)state;
    forge.kvno = 0;
    assert_int_equal(offer(&forge), SEC_E_OK);
    forge.kvno = 257;
    assert_int_equal(offer(&forge), SEC_E_OK);
    forge.kvno = 7;
    assert_int_equal(offer(&forge), SEC_E_OK);
    forge.service_key = &world.key_128;
    assert_int_equal(offer(&forge), SEC_E_OK);
    forge.service_key = &world.other;
    assert_int_equal(offer(&forge), SEC_E_WRONG_PRINCIPAL);
    forge.kvno = 1;
    assert_int_equal(offer(&forge), SEC_E_WRONG_PRINCIPAL);
    forge.realm = "OTHER.TEST";
    assert_int_equal(offer(&forge), SEC_E_WRONG_PRINCIPAL);
}

static void encryption_types(void **state)
{
    krb5_keyblock sha2 = pac_key(world.krb5, KRB5_ENCTYPE_AES256_CTS_HMAC_SHA384_192, 0x55);
    struct ticket_forge forge = right();
    (void)state;
    forge.service_key = &sha2;
    assert_int_equal(offer(&forge), SEC_E_NO_KERB_KEY);
    krb5_free_keyblock_contents(world.krb5, &sha2);
    forge.service_key = &world.rc4;
    assert_int_equal(offer(&forge), SEC_E_NO_KERB_KEY);
    forge = right();
    forge.session_type = KRB5_ENCTYPE_ARCFOUR_HMAC_MD5;
    forge.subkey_size = 16;
    assert_int_equal(offer(&forge), SEC_E_KDC_UNKNOWN_ETYPE);
}

/* Where krb5.conf says allow_weak_crypto both are taken. */
static void weak_types(void **state)
{
    struct ticket_forge forge = right();
    (void)state;
    kerberos_service_reopen(&world, "    allow_weak_crypto = true\n");
    forge.service_key = &world.rc4;
    assert_int_equal(offer(&forge), SEC_E_OK);
    forge.session_type = KRB5_ENCTYPE_ARCFOUR_HMAC_MD5;
    forge.subkey_size = 16;
    assert_int_equal(offer(&forge), SEC_E_OK);
    kerberos_service_reopen(&world, "");
}

static void times(void **state)
{
    const int64_t now = time(NULL);
    struct ticket_forge forge = right();
    (void)state;
    forge.start = now - 7200;
    forge.end = now - 3600;
    assert_int_equal(offer(&forge), SEC_E_CONTEXT_EXPIRED);
    forge.start = now + 3600;
    forge.end = now + 7200;
    assert_int_equal(offer(&forge), SEC_E_TIME_SKEW);
    forge = right();
    forge.invalid = true;
    assert_int_equal(offer(&forge), SEC_E_TIME_SKEW);
    forge = right();
    forge.made = now - 600;
    assert_int_equal(offer(&forge), SEC_I_CONTINUE_NEEDED);
    forge.made = now + 600;
    assert_int_equal(offer(&forge), SEC_I_CONTINUE_NEEDED);
    forge.made = INT64_C(0x7FFFFFFF);
    assert_int_equal(offer(&forge), SEC_I_CONTINUE_NEEDED);
}

static void authenticators(void **state)
{
    struct bytes checksum = unhex("10000000000102030405060708090a0b0c0d0e0f3e0000");
    struct ticket_forge forge = right();
    (void)state;
    forge.speaker = "other";
    assert_int_equal(offer(&forge), SEC_E_LOGON_DENIED);
    forge = right();
    for (forge.subkey_size = 1; forge.subkey_size < 64; forge.subkey_size++)
        if (forge.subkey_size != 32) assert_int_equal(offer(&forge), SEC_E_KDC_UNKNOWN_ETYPE);
    forge = right();
    forge.checksum = span_over(&checksum);
    assert_int_equal(offer(&forge), SEC_E_INVALID_TOKEN);
    forge = right();
    forge.client = "no \xff text";
    assert_int_equal(offer(&forge), SEC_E_INVALID_TOKEN);
    forge = right();
    forge.pvno = 4;
    assert_int_equal(offer(&forge), SEC_E_INVALID_TOKEN);
    forge = right();
    forge.user_to_user = true;
    assert_int_equal(offer(&forge), SEC_E_NO_KERB_KEY);
}

/* A PAC that the service's key has signed passes, of whatever it says; one of another's does not. */
static void pacs(void **state)
{
    struct ticket_forge forge = right();
    const struct {
        const krb5_keyblock *key;
        const char *client;
        SECURITY_STATUS status;
    } cases[] = {{&world.key, "user", SEC_E_OK},
                 {&world.other, "user", SEC_E_LOGON_DENIED},
                 {&world.key, "other", SEC_E_LOGON_DENIED}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cs_writer pac = {0};
        const struct pac_forge made = {
            .krb5 = world.krb5, .key = cases[i].key, .client = cases[i].client, .authtime = forge.start};
        pac_forge(&made, &pac);
        forge.pac = cs_written(&pac);
        assert_int_equal(offer(&forge), cases[i].status);
        cs_writer_drop(&pac);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_ticket), cmocka_unit_test(keys),  cmocka_unit_test(encryption_types),
        cmocka_unit_test(weak_types),   cmocka_unit_test(times), cmocka_unit_test(authenticators),
        cmocka_unit_test(pacs),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
