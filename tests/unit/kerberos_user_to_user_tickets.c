/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Forged tickets in user-to-user, under the session key of the ticket that the acceptor shows: every check of an
 * ordinary AP-REQ is made, and that key opens nothing else. Sources: RFC 4120 3.2.3 and 3.7, MS-KILE 3.4.5, MS-PAC 2.8.
 *
 * Bug classes: C4 (what a half-open context yields), E4 (a key that is kept longer than it serves).
 */
#include "kerberos_service.h"
#include "kerberos_user_to_user.h"
#include "pac_forge.h"
#include "ticket_forge.h"
#include "unit.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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
    struct ticket_forge forge = ticket_forge_right(world.krb5, &world.tgt);
    forge.kvno = 0;
    forge.user_to_user = forge.user_to_user_frame = true;
    return forge;
}

/* Gives the token to a fresh context, asked for its ticket before if ASKED. */
static SECURITY_STATUS give(const struct ticket_forge *forge, bool asked)
{
    struct cs_writer token = {0};
    ticket_forge(forge, &token);
    SECURITY_STATUS status = asked ? kerberos_service_offer_user_to_user(&world, cs_written(&token))
                                   : kerberos_service_offer(&world, cs_written(&token));
    assert_int_equal(cs_context_session(world.pair.server) != NULL, status == SEC_E_OK);
    cs_writer_drop(&token);
    return status;
}

static SECURITY_STATUS offer(const struct ticket_forge *forge)
{
    return give(forge, true);
}

static void right_ticket(void **state)
{
    struct ticket_forge forge = right();
    (void)state;
    assert_int_equal(offer(&forge), SEC_E_OK);
    assert_int_equal(world.pair.server_leg.granted & ASC_REQ_USE_SESSION_KEY, ASC_REQ_USE_SESSION_KEY);
}

/* The key that was shown, and no other; and only where it was shown. */
static void keys(void **state)
{
    const krb5_keyblock *others[] = {&world.key, &world.other, &world.key_128};
    struct ticket_forge forge = right();
    (void)state;
    for (size_t i = 0; i < 3; i++) { /* the keytab's, one of nobody's, another type's */
        forge = right();
        forge.service_key = others[i];
        assert_int_equal(offer(&forge), i == 2 ? SEC_E_NO_KERB_KEY : SEC_E_WRONG_PRINCIPAL);
    }
    for (int i = 0; i < 2; i++) { /* in an ordinary exchange, with any version */
        forge = right();
        forge.kvno = i;
        forge.user_to_user = forge.user_to_user_frame = false;
        assert_int_equal(give(&forge, false), SEC_E_WRONG_PRINCIPAL);
    }
}

/* The option and the frame say user-to-user, both, and nothing says it where no ticket was shown. */
static void options(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        const bool asked = i & 4, option = i & 2, frame = i & 1;
        struct ticket_forge forge = right();
        forge.user_to_user = option;
        forge.user_to_user_frame = frame;
        if (!asked && !option) forge.service_key = &world.key; /* what an ordinary exchange is right with */
        const SECURITY_STATUS expected = frame != asked    ? SEC_E_INVALID_TOKEN
                                         : option != asked ? SEC_E_NO_KERB_KEY
                                                           : SEC_E_OK;
        assert_int_equal(give(&forge, asked), expected);
    }
}

static void times(void **state)
{
    struct ticket_forge forge = right();
    const int64_t now = time(NULL);
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
    assert_int_equal(offer(&forge), SEC_I_CONTINUE_NEEDED); /* and the client may try again, once */
    struct cs_writer token = {0};
    ticket_forge(&forge, &token);
    assert_int_equal(mitm_to_server(&world.pair, cs_written(&token)), SEC_E_TIME_SKEW);
    cs_writer_drop(&token);
}

static void authenticators(void **state)
{
    struct bytes cut = unhex("10000000000102030405060708090a0b0c0d0e0f3e0000");
    struct bytes dce_style = unhex("10000000000102030405060708090a0b0c0d0e0f3e100000");
    struct ticket_forge forge = right();
    (void)state;
    forge.speaker = "other";
    assert_int_equal(offer(&forge), SEC_E_LOGON_DENIED);
    forge = right();
    forge.subkey_size = 31;
    assert_int_equal(offer(&forge), SEC_E_KDC_UNKNOWN_ETYPE);
    forge = right();
    forge.session_type = KRB5_ENCTYPE_ARCFOUR_HMAC_MD5;
    assert_int_equal(offer(&forge), SEC_E_KDC_UNKNOWN_ETYPE);
    forge = right();
    forge.checksum = span_over(&cut);
    assert_int_equal(offer(&forge), SEC_E_INVALID_TOKEN);
    forge.checksum = span_over(&dce_style);
    assert_int_equal(offer(&forge), SEC_E_INVALID_TOKEN);
    forge = right();
    forge.pvno = 4;
    assert_int_equal(offer(&forge), SEC_E_INVALID_TOKEN);
}

/* MS-PAC 2.8: the server's signature is made with the key that the ticket is under, here the session key. */
static void pacs(void **state)
{
    struct ticket_forge forge = right();
    const struct {
        const krb5_keyblock *key;
        const char *client;
        SECURITY_STATUS status;
    } cases[] = {{&world.tgt, "user", SEC_E_OK},
                 {&world.key, "user", SEC_E_LOGON_DENIED},
                 {&world.tgt, "other", SEC_E_LOGON_DENIED}};
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

/* An authenticator serves once, however often the ticket is shown anew. */
static void replayed(void **state)
{
    struct ticket_forge forge = right();
    struct cs_writer token = {0};
    (void)state;
    ticket_forge(&forge, &token);
    assert_int_equal(kerberos_service_offer_user_to_user(&world, cs_written(&token)), SEC_E_OK);
    assert_int_equal(kerberos_service_offer_user_to_user(&world, cs_written(&token)), SEC_E_LOGON_DENIED);
    cs_writer_drop(&token);
}

/* A ticket under the key of a logon that is over opens nothing; nor does one outlive the ticket that was shown. */
static void another_logon(void **state)
{
    struct ticket_forge forge = right();
    const int64_t now = time(NULL);
    struct cs_writer request = {0}, token = {0};
    (void)state;
    kerberos_service_ask_for_tgt(&request);
    kerberos_service_log_on(&world, &world.other, now + 36000);
    assert_int_equal(offer(&forge), SEC_E_WRONG_PRINCIPAL);
    kerberos_service_log_on(&world, &world.tgt, now + 2);
    assert_int_equal(kerberos_service_offer(&world, cs_written(&request)), SEC_I_CONTINUE_NEEDED);
    sleep(3);
    forge = right();
    ticket_forge(&forge, &token);
    assert_int_equal(mitm_to_server(&world.pair, cs_written(&token)), SEC_E_CONTEXT_EXPIRED);
    assert_int_equal(kerberos_service_offer(&world, cs_written(&request)), SEC_E_NO_CREDENTIALS);
    kerberos_service_log_on(&world, &world.rc4, now + 36000); /* a type that is refused */
    assert_int_equal(kerberos_service_offer(&world, cs_written(&request)), SEC_E_NO_CREDENTIALS);
    kerberos_service_log_on(&world, &world.tgt, now + 36000);
    assert_int_equal(kerberos_service_offer(&world, cs_written(&request)), SEC_I_CONTINUE_NEEDED);
    cs_writer_drop(&request);
    cs_writer_drop(&token);
}

static void out_of_turn(void **state)
{
    struct ticket_forge forge = right();
    struct cs_writer request = {0}, token = {0};
    (void)state;
    kerberos_service_ask_for_tgt(&request);
    ticket_forge(&forge, &token);
    assert_int_equal(kerberos_service_offer_user_to_user(&world, cs_written(&request)), SEC_E_INVALID_TOKEN);
    assert_int_equal(mitm_to_server(&world.pair, cs_written(&token)), SEC_E_INVALID_TOKEN);
    forge = right();
    forge.made -= 600; /* an ordinary exchange that has begun does not go over */
    forge.service_key = &world.key;
    forge.user_to_user = forge.user_to_user_frame = false;
    assert_int_equal(give(&forge, false), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(mitm_to_server(&world.pair, cs_written(&request)), SEC_E_INVALID_TOKEN);
    assert_int_equal(kerberos_service_offer_user_to_user(&world, (struct cs_span){NULL, 0}), SEC_E_INVALID_TOKEN);
    cs_writer_drop(&request);
    cs_writer_drop(&token);
}

/* The token as it is cut short, and with a bit changed: nothing but itself is taken, and that once. */
static void altered(void **state)
{
    struct ticket_forge forge = right();
    struct cs_writer token = {0};
    unsigned accepted = 0;
    (void)state;
    ticket_forge(&forge, &token);
    for (size_t size = 0; size < token.size; size++)
        assert_int_equal(kerberos_service_offer_user_to_user(&world, (struct cs_span){token.data, size}),
                         SEC_E_INVALID_TOKEN);
    for (size_t i = 0; i < token.size * 8; i += 3) {
        token.data[i / 8] ^= (uint8_t)(1u << i % 8);
        accepted += kerberos_service_offer_user_to_user(&world, cs_written(&token)) == SEC_E_OK;
        token.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    assert_true(accepted <= 1);
    cs_writer_drop(&token);
}

/* Who is asked for: this user, or a service, whose owner the KDC knows. The client is told when there is no ticket. */
static void asked_for_others(void **state)
{
    const struct {
        const char *name;
        SECURITY_STATUS status;
    } cases[] = {{"peer@EXAMPLE.TEST", SEC_I_CONTINUE_NEEDED},
                 {"HTTP/server@EXAMPLE.TEST", SEC_I_CONTINUE_NEEDED},
                 {"other@EXAMPLE.TEST", SEC_E_NO_CREDENTIALS},
                 {"peer@OTHER.TEST", SEC_E_NO_CREDENTIALS},
                 {"Peer@EXAMPLE.TEST", SEC_E_NO_CREDENTIALS}};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const SECURITY_STATUS status = cases[i / 2].status;
        struct cs_writer message = {0}, token = {0};
        struct kerberos_token answer;
        krb5_principal principal;
        world.pair.setup.server_request = i % 2 ? ASC_REQ_EXTENDED_ERROR : 0;
        assert_int_equal(krb5_parse_name(world.krb5, cases[i / 2].name, &principal), 0);
        assert_int_equal(kerberos_write_tgt_request(world.krb5, principal, &message), 0);
        kerberos_token_write(&token, &(struct kerberos_token){KERBEROS_TGT_REQUEST, true, cs_written(&message), true});
        assert_int_equal(kerberos_service_offer(&world, cs_written(&token)), status);
        assert_int_equal(cs_token(world.pair.server).size > 0, status >= 0 || i % 2);
        if (status >= 0 || i % 2) {
            assert_true(kerberos_token_read(cs_token(world.pair.server), &answer));
            assert_int_equal(answer.kind, status < 0 ? KERBEROS_ERROR : KERBEROS_TGT_REPLY);
        }
        krb5_free_principal(world.krb5, principal);
        cs_writer_drop(&message);
        cs_writer_drop(&token);
    }
    world.pair.setup.server_request = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_ticket),     cmocka_unit_test(keys),
        cmocka_unit_test(options),          cmocka_unit_test(times),
        cmocka_unit_test(authenticators),   cmocka_unit_test(pacs),
        cmocka_unit_test(replayed),         cmocka_unit_test(another_logon),
        cmocka_unit_test(out_of_turn),      cmocka_unit_test(altered),
        cmocka_unit_test(asked_for_others),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
