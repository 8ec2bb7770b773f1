/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: who is asked what to think of the peer's certificate, when, and what becomes of a refusal.
 *
 *  F3  a certificate accepted that nobody has found good
 */
#include "tls_unit.h"

static const struct tls_world_setup setups[] = {
    {ONLY_TLS1_3, .key = TLS_WORLD_P256, .resume = true},
    {ONLY_TLS1_2, .key = TLS_WORLD_P256, .resume = true},
    {ONLY_TLS1_2, .key = TLS_WORLD_RSA, .client_without = TLS_WITHOUT_ECDHE | TLS_WITHOUT_DHE},
    {ONLY_TLS1_0, .key = TLS_WORLD_RSA},
};
enum { SETUPS = sizeof setups / sizeof *setups, RESUMABLE = 2 };

/* Errors.tsv, the alerts that Windows knows; RFC 8446 6.2 for which is the right one. */
static const struct {
    SECURITY_STATUS verdict;
    uint8_t alert;
    SECURITY_STATUS received;
} refusals[] = {
    {SEC_E_UNTRUSTED_ROOT, 48, SEC_E_UNTRUSTED_ROOT}, {SEC_E_CERT_EXPIRED, 45, SEC_E_CERT_EXPIRED},
    {CRYPT_E_REVOKED, 44, CRYPT_E_REVOKED},           {SEC_E_CERT_WRONG_USAGE, 43, SEC_E_CERT_UNKNOWN},
    {SEC_E_WRONG_PRINCIPAL, 42, SEC_E_CERT_UNKNOWN},  {SEC_E_LOGON_DENIED, 49, SEC_E_LOGON_DENIED},
    {SEC_E_CERT_UNKNOWN, 46, SEC_E_CERT_UNKNOWN},     {SEC_E_INTERNAL_ERROR, 46, SEC_E_CERT_UNKNOWN},
};
enum { REFUSALS = sizeof refusals / sizeof *refusals };

static void refused(struct tls_world_pair *pair, const struct tls_world_setup *setup, SECURITY_STATUS verdict)
{
    pair->verdict = verdict;
    assert_false(tls_world_shake(pair, setup, 0));
}

static void client_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS * REFUSALS; i++) {
        const struct tls_world_setup *setup = &setups[i / REFUSALS];
        struct tls_world_pair pair;
        assert_int_equal(tls_world_open(&pair, setup), SEC_E_OK);
        refused(&pair, setup, refusals[i % REFUSALS].verdict);
        assert_int_equal(pair.asked, 1);
        assert_int_equal(pair.client_status, refusals[i % REFUSALS].verdict);
        assert_int_equal(pair.server_status, refusals[i % REFUSALS].received);
        assert_int_equal(gnutls_alert_get(pair.server->session), refusals[i % REFUSALS].alert);
        tls_world_close(&pair);
    }
}

/* In TLS 1.3 the client is through by then, and learns of it afterwards. */
static void server_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS * REFUSALS; i++) {
        struct tls_world_setup setup = setups[i / REFUSALS];
        struct tls_world_pair pair;
        setup.client_certificate = true;
        setup.client_flags = TLS_LEG_TRUST_PEER;
        setup.server_flags = TLS_LEG_ASK_PEER;
        assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
        refused(&pair, &setup, refusals[i % REFUSALS].verdict);
        assert_int_equal(pair.asked, 1);
        assert_int_equal(pair.server_status, refusals[i % REFUSALS].verdict);
        assert_int_equal(pair.client_status, refusals[i % REFUSALS].received);
        tls_world_close(&pair);
    }
}

/* Neither a status that says success nor one of information lets a refused peer pass. */
static void verdicts_that_are_none(void **state)
{
    static const SECURITY_STATUS verdicts[] = {SEC_I_CONTINUE_NEEDED, TLS_I_VERIFY_PEER, SEC_I_RENEGOTIATE};
    (void)state;
    for (size_t i = 1; i < 3 * SETUPS; i++) {
        const struct tls_world_setup *setup = &setups[i / 3];
        struct tls_world_pair pair;
        if (verdicts[i % 3] == TLS_I_VERIFY_PEER) continue; /* the caller's own word for the question */
        assert_int_equal(tls_world_open(&pair, setup), SEC_E_OK);
        refused(&pair, setup, verdicts[i % 3]);
        assert_int_equal(pair.client_status, SEC_E_CERT_UNKNOWN);
        assert_int_equal(pair.client->phase, TLS_FAILED);
        tls_world_close(&pair);
    }
}

static void asked_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++)
        for (unsigned mode = 0; mode < 8; mode++) {
            struct tls_world_setup setup = setups[i];
            struct tls_world_pair pair;
            const bool certificate = mode & 1, asks = mode & 2, trusts = mode & 4;
            setup.client_certificate = certificate;
            setup.server_flags = asks ? TLS_LEG_ASK_PEER : 0;
            setup.client_flags = trusts ? TLS_LEG_TRUST_PEER : 0;
            tls_open_through(&pair, &setup);
            assert_int_equal(pair.asked, !trusts + (certificate && asks));
            tls_expect_talk(&pair);
            tls_world_close(&pair);
        }
}

/* ---- when ---- */

/* The client's legs by hand, up to the question; what the server has sent stays in INPUT, which the caller drops. */
static SECURITY_STATUS up_to_the_question(struct tls_world_pair *pair, const struct tls_world_setup *setup,
                                          struct tls_leg *leg, struct cs_writer *input)
{
    struct cs_writer hello = {0};
    size_t consumed;
    assert_int_equal(tls_world_open(pair, setup), SEC_E_OK);
    assert_int_equal(tls_world_leg(pair, setup, true, (struct cs_span){NULL, 0}, &consumed, &hello),
                     SEC_I_CONTINUE_NEEDED);
    tls_world_leg(pair, setup, false, cs_written(&hello), &consumed, input);
    cs_writer_drop(&hello);
    *leg = (struct tls_leg){.input = cs_written(input), .room = 65536};
    return tls_leg(&pair->client, leg);
}

static struct cs_span rest_of(const struct tls_leg *leg)
{
    return (struct cs_span){leg->input.data + leg->consumed, leg->input.size - leg->consumed};
}

/* Nothing that depends on the certificate has been sent, nor waits to be sent; until there is an answer, the question
 * stays. */
static void before_finished(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        struct tls_world_pair pair;
        struct tls_leg leg;
        struct cs_writer input = {0}, chain = {0};
        assert_int_equal(up_to_the_question(&pair, &setups[i], &leg, &input), TLS_I_VERIFY_PEER);
        assert_int_equal(leg.token_size, 0);
        const size_t waits = pair.client->outgoing.size;
        assert_true(waits == 0 || (i == 0 && waits == 6)); /* TLS 1.3: change_cipher_spec, for middleboxes */
        assert_int_equal(tls_query_bytes(pair.client, TLS_PEER_CHAIN, &chain), SEC_E_OK);
        assert_int_equal(chain.size, tls_world_certificate(setups[i].key)->chain.size);
        for (unsigned again = 0; again < 3; again++) {
            struct tls_leg next = {.input = rest_of(&leg), .room = 65536};
            if (!next.input.size) break;
            assert_int_equal(tls_leg(&pair.client, &next), TLS_I_VERIFY_PEER);
            assert_int_equal(next.token_size, 0);
            leg.input = rest_of(&next);
            leg.consumed = 0;
        }
        struct tls_leg none = {.flags = TLS_LEG_NO_INPUT, .room = 65536};
        assert_int_equal(tls_leg(&pair.client, &none), SEC_E_INCOMPLETE_MESSAGE);
        struct tls_leg answer = {.input = rest_of(&leg), .flags = TLS_LEG_VERDICT, .room = 65536};
        assert_true(tls_leg(&pair.client, &answer) >= 0);
        assert_true(answer.token_size > waits);
        cs_writer_drop(&chain);
        cs_writer_drop(&input);
        tls_world_close(&pair);
    }
}

/* An answer that nobody has asked for is none: neither before the question nor after it. */
static void verdict_in_advance(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        struct tls_world_pair pair;
        struct tls_leg leg;
        struct cs_writer input = {0}, hello = {0};
        size_t consumed;
        assert_int_equal(tls_world_open(&pair, &setups[i]), SEC_E_OK);
        tls_world_leg(&pair, &setups[i], true, (struct cs_span){NULL, 0}, &consumed, &hello);
        tls_world_leg(&pair, &setups[i], false, cs_written(&hello), &consumed, &input);
        leg = (struct tls_leg){.input = cs_written(&input), .flags = TLS_LEG_VERDICT, .room = 65536};
        assert_int_equal(tls_leg(&pair.client, &leg), TLS_I_VERIFY_PEER);
        cs_writer_drop(&hello);
        cs_writer_drop(&input);
        tls_world_close(&pair);
    }
}

/* ---- resumption ---- */

static bool resumed(struct tls_context *context)
{
    struct tls_info info;
    assert_int_equal(tls_query(context, &info), SEC_E_OK);
    return info.resumed;
}

/* What was found of a certificate may be outdated by the time its session is resumed. */
static void resumption_asks_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < RESUMABLE; i++)
        for (unsigned both = 0; both < 2; both++) {
            struct tls_world_setup setup = setups[i];
            struct tls_world_pair pair;
            setup.client_certificate = both;
            setup.server_flags = both ? TLS_LEG_ASK_PEER : 0;
            tls_open_through(&pair, &setup);
            for (unsigned again = 1; again <= 3; again++) {
                tls_world_hang_up(&pair);
                assert_true(tls_world_shake(&pair, &setup, 0));
                assert_true(resumed(pair.client) && resumed(pair.server));
                assert_int_equal(pair.asked, (1 + both) * (1 + again));
                tls_expect_talk(&pair);
            }
            tls_world_hang_up(&pair);
            refused(&pair, &setup, SEC_E_CERT_EXPIRED);
            assert_int_equal(pair.client_status, SEC_E_CERT_EXPIRED);
            assert_int_equal(pair.client->phase, TLS_FAILED);
            pair.verdict = SEC_E_OK;
            tls_world_close(&pair);
        }
}

/* The server's side of that: it is the one who refuses. */
static void resumption_refused_by_server(void **state)
{
    (void)state;
    for (size_t i = 0; i < RESUMABLE; i++) {
        struct tls_world_setup setup = setups[i];
        struct tls_world_pair pair;
        setup.client_certificate = true;
        setup.client_flags = TLS_LEG_TRUST_PEER;
        setup.server_flags = TLS_LEG_ASK_PEER;
        tls_open_through(&pair, &setup);
        assert_int_equal(pair.asked, 1);
        tls_world_hang_up(&pair);
        refused(&pair, &setup, CRYPT_E_REVOKED);
        assert_int_equal(pair.asked, 2);
        assert_int_equal(pair.server_status, CRYPT_E_REVOKED);
        assert_int_equal(pair.client_status, CRYPT_E_REVOKED);
        tls_world_close(&pair);
    }
}

/* Whom a program has trusted unseen, another context of the same credential does not trust for that, on either side. */
static void trust_is_not_resumed(void **state)
{
    (void)state;
    for (size_t i = 0; i < RESUMABLE; i++) {
        struct tls_world_setup trusting = setups[i], verifying = setups[i];
        struct tls_world_pair pair;
        trusting.client_certificate = verifying.client_certificate = true;
        trusting.client_flags = TLS_LEG_TRUST_PEER;
        trusting.server_flags = TLS_LEG_ASK_PEER | TLS_LEG_TRUST_PEER;
        verifying.server_flags = TLS_LEG_ASK_PEER;
        tls_open_through(&pair, &trusting);
        assert_int_equal(pair.asked, 0);
        tls_world_hang_up(&pair);
        assert_true(tls_world_shake(&pair, &verifying, 0));
        assert_false(resumed(pair.client));
        assert_int_equal(pair.asked, 2);
        tls_world_hang_up(&pair);
        verifying.client_flags = TLS_LEG_TRUST_PEER; /* the client resumes what it has trusted, but the server asks */
        assert_true(tls_world_shake(&pair, &verifying, 0));
        assert_true(resumed(pair.client));
        assert_int_equal(pair.asked, 3);
        tls_world_close(&pair);
    }
}

static SECURITY_STATUS check_name(struct tls_context *context)
{
    struct cs_writer chain = {0};
    assert_int_equal(tls_query_bytes(context, TLS_PEER_CHAIN, &chain), SEC_E_OK);
    struct cs_reader reader = cs_reader_of(cs_written(&chain));
    SECURITY_STATUS status = tls_check_name(context, cs_read_span(&reader, cs_read_be(&reader, 3)));
    cs_writer_drop(&chain);
    return status;
}

/* Whoever looks at a certificate can ask whose it is; the world's is localhost's. */
static void name_is_checked(void **state)
{
    static const struct {
        const char *target;
        SECURITY_STATUS status;
    } cases[] = {{"localhost", SEC_E_OK},          {"LOCALHOST", SEC_E_OK},
                 {"localhost.", SEC_E_OK},         {"", SEC_E_OK},
                 {"local", SEC_E_WRONG_PRINCIPAL}, {"a.localhost", SEC_E_WRONG_PRINCIPAL},
                 {"127.1", SEC_E_WRONG_PRINCIPAL}};
    struct tls_world_pair pair;
    (void)state;
    assert_int_equal(tls_world_open(&pair, &setups[0]), SEC_E_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_world_setup setup = setups[0];
        setup.target = cases[i].target;
        pair.judge = check_name;
        assert_int_equal(tls_world_shake(&pair, &setup, 0), cases[i].status == SEC_E_OK);
        assert_int_equal(pair.client_status, cases[i].status);
        tls_world_hang_up(&pair);
    }
    tls_world_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_refuses),         cmocka_unit_test(server_refuses),
        cmocka_unit_test(verdicts_that_are_none), cmocka_unit_test(asked_once),
        cmocka_unit_test(before_finished),        cmocka_unit_test(verdict_in_advance),
        cmocka_unit_test(resumption_asks_again),  cmocka_unit_test(resumption_refused_by_server),
        cmocka_unit_test(trust_is_not_resumed),   cmocka_unit_test(name_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
