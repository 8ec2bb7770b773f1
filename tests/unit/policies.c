/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the policy values allow: LmCompatibilityLevel on both sides, NtlmMinClientSec and NtlmMinServerSec,
 * RestrictSendingNTLMTraffic, SuppressExtendedProtection (MS-NLMP 3.1.1.1, 3.2.1.1; errors.tsv NTLM,
 * STATUS_NOT_SUPPORTED).
 *
 * Bug class B4: NTLMv1 accepted when policy forbids it, strength negotiated away below what policy demands.
 */
#include "messages.h"
#include "unit.h"

#include <string.h>

static struct cs_policy at_level(uint32_t level)
{
    struct cs_policy policy = cs_default_policy();
    policy.lm_compatibility_level = level;
    return policy;
}

/* What the client of level CLIENT sends to a server of level SERVER, and what that says to it. */
struct sent {
    SECURITY_STATUS status;
    struct bytes authenticate;
    struct ntlm_authenticate message;
};

static struct sent send_at(uint32_t client, uint32_t server, struct mitm mitm)
{
    struct cs_policy client_policy = at_level(client), server_policy = at_level(server);
    struct pair_setup setup = known_setup();
    struct sent sent;
    struct pair pair;
    setup.client_policy = &client_policy;
    setup.server_policy = &server_policy;
    pair_open(&pair, "NTLM", &setup);
    sent.status = mitm_run(&mitm, &pair);
    if (sent.status == SEC_E_OK) expect_messages_pass(&pair);
    sent.authenticate.size = mitm.delivered[2].size;
    assert_in_range(sent.authenticate.size, 1, sizeof sent.authenticate.data);
    memcpy(sent.authenticate.data, mitm.delivered[2].data, sent.authenticate.size);
    pair_close(&pair);
    mitm_end(&mitm);
    return sent;
}

static void read_sent(struct sent *sent)
{
    assert_int_equal(ntlm_authenticate_read(span_over(&sent->authenticate), &sent->message), SEC_E_OK);
}

/* Clients up to level 2 answer with NTLMv1; servers up to level 4 take it. NTLMv2 is always taken. */
static void levels_against_each_other(void **state)
{
    (void)state;
    for (uint32_t client = 0; client <= 5; client++)
        for (uint32_t server = 0; server <= 5; server++) {
            struct sent sent = send_at(client, server, (struct mitm){0});
            assert_int_equal(sent.status, client >= 3 || server < 5 ? SEC_E_OK : SEC_E_LOGON_DENIED);
        }
}

static void responses_by_level(void **state)
{
    (void)state;
    for (uint32_t level = 0; level <= 5; level++) {
        struct sent sent = send_at(level, 0, (struct mitm){0});
        read_sent(&sent);
        assert_int_equal(sent.message.lm_response.size, NTLM_RESPONSE);
        if (level < 3)
            assert_int_equal(sent.message.nt_response.size, NTLM_RESPONSE);
        else
            assert_true(sent.message.nt_response.size > NTLM_RESPONSE);
    }
}

/* "Never NTLMv2 session security" is what level 0 means; from 1 on it is used where the server has it. */
static void session_security_by_level(void **state)
{
    (void)state;
    for (uint32_t level = 0; level <= 5; level++) {
        struct sent sent = send_at(level, 0, (struct mitm){0});
        read_sent(&sent);
        assert_int_equal(!!(sent.message.flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY), level > 0);
    }
}

/* Without extended session security levels 0 and 1 send the LM response, level 2 the NT response twice. */
static void lm_response_without_session_security(void **state)
{
    struct mitm mitm = flag_edit(1, NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY, 0);
    (void)state;
    for (uint32_t level = 0; level <= 2; level++) {
        struct sent sent = send_at(level, 0, mitm);
        read_sent(&sent);
        assert_int_equal(sent.status, SEC_E_OK);
        const int same = !memcmp(sent.message.lm_response.data, sent.message.nt_response.data, NTLM_RESPONSE);
        assert_int_equal(same, level == 2);
    }
}

/* A level-0 client with a password that has no LM hash: more than 14 characters (3.3.1). */
static void no_lm_response_of_a_long_password(void **state)
{
    struct cs_policy policy = at_level(0);
    struct pair_setup setup = known_setup();
    struct ntlm_authenticate message;
    struct mitm mitm = flag_edit(1, NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY, 0);
    struct pair pair;
    (void)state;
    setup.password = "fifteen letters";
    setup.client_policy = setup.server_policy = &policy;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(mitm_run(&mitm, &pair), SEC_E_LOGON_DENIED);
    assert_int_equal(ntlm_authenticate_read(mitm_message(&mitm, 3), &message), SEC_E_OK);
    assert_memory_equal(message.lm_response.data, message.nt_response.data, NTLM_RESPONSE);
    pair_close(&pair);
    mitm_end(&mitm);
}

static SECURITY_STATUS run_stripped(unsigned number, uint32_t clear, struct pair_setup *setup)
{
    struct mitm mitm = flag_edit(number, clear, 0);
    return run_edited(setup, &mitm);
}

/* The client's demand is checked when the challenge comes: 128 bits dropped there end the exchange on its side. */
static void client_minimum(void **state)
{
    struct cs_policy policy = at_level(5), server = at_level(5);
    struct pair_setup setup = known_setup();
    (void)state;
    server.ntlm_min_server_sec = 0;
    setup.client_policy = &policy;
    setup.server_policy = &server;
    policy.ntlm_min_client_sec = NTLMSSP_NEGOTIATE_128;
    assert_int_equal(run_stripped(2, NTLMSSP_NEGOTIATE_128, &setup), SEC_E_UNSUPPORTED_FUNCTION);
    policy.ntlm_min_client_sec = NTLMSSP_NEGOTIATE_128 | NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY;
    assert_int_equal(run_stripped(2, NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY, &setup), SEC_E_UNSUPPORTED_FUNCTION);
    policy.ntlm_min_client_sec = 0;
    assert_int_equal(run_stripped(2, NTLMSSP_NEGOTIATE_128, &setup), SEC_E_MESSAGE_ALTERED);
}

/* The server's is checked on the offer. */
static void server_minimum(void **state)
{
    struct cs_policy policy = at_level(5);
    struct pair_setup setup = known_setup();
    (void)state;
    setup.server_policy = &policy;
    policy.ntlm_min_server_sec = NTLMSSP_NEGOTIATE_128;
    assert_int_equal(run_stripped(1, NTLMSSP_NEGOTIATE_128, &setup), SEC_E_UNSUPPORTED_FUNCTION);
    policy.ntlm_min_server_sec = NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY;
    assert_int_equal(run_stripped(1, NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY, &setup), SEC_E_UNSUPPORTED_FUNCTION);
}

/*
 * B4: and once more on the answer, since the flags in force are those that both name. NTLMv1 has no MIC that would
 * tell; the session must not come to be with less than the policy's.
 */
static void server_minimum_of_the_answer(void **state)
{
    struct cs_policy client = at_level(1), server = at_level(1);
    struct pair_setup setup = known_setup();
    (void)state;
    setup.client_policy = &client;
    setup.server_policy = &server;
    server.ntlm_min_server_sec = NTLMSSP_NEGOTIATE_128;
    assert_int_equal(run_stripped(3, NTLMSSP_NEGOTIATE_128, &setup), SEC_E_UNSUPPORTED_FUNCTION);
}

/* The demands are for sessions that are to be protected; logon alone has no session to protect. */
static void minimum_without_protection(void **state)
{
    struct pair_setup setup = known_setup();
    struct cs_policy policy = at_level(1);
    (void)state;
    setup.client_request = setup.server_request = 0;
    setup.client_policy = setup.server_policy = &policy;
    assert_int_equal(run_stripped(1, NTLMSSP_NEGOTIATE_128, &setup), SEC_E_OK);
}

static void outgoing_traffic(void **state)
{
    struct cs_policy policy = cs_default_policy();
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    setup.client_policy = &policy;
    for (uint32_t value = 0; value <= 2; value++) {
        policy.restrict_sending_ntlm_traffic = value;
        pair_open(&pair, "NTLM", &setup);
        assert_int_equal(pair_run(&pair), value == 2 ? STATUS_NOT_SUPPORTED : SEC_E_OK);
        pair_close(&pair);
    }
}

/* SuppressExtendedProtection: neither bindings nor the target's name go out. */
static void extended_protection(void **state)
{
    struct cs_policy policy = cs_default_policy();
    struct pair_setup setup = known_setup();
    (void)state;
    setup.client_policy = &policy;
    for (uint32_t suppress = 0; suppress <= 1; suppress++) {
        struct mitm mitm = {0};
        struct ntlm_authenticate message;
        struct ntlm_v2_response response;
        struct pair pair;
        policy.suppress_extended_protection = suppress;
        pair_open(&pair, "NTLM", &setup);
        assert_int_equal(mitm_run(&mitm, &pair), SEC_E_OK);
        assert_int_equal(ntlm_authenticate_read(mitm_message(&mitm, 3), &message), SEC_E_OK);
        assert_int_equal(ntlm_v2_response_read(message.nt_response, &response), SEC_E_OK);
        assert_int_equal(ntlm_av_has(&response.av, MsvAvTargetName), !suppress);
        assert_int_equal(ntlm_av_has(&response.av, MsvAvChannelBindings), !suppress);
        pair_close(&pair);
        mitm_end(&mitm);
    }
}

/* What holds where nothing is set: NTLMv2 only, 128 bits. */
static void defaults(void **state)
{
    const struct cs_policy policy = cs_default_policy();
    (void)state;
    assert_int_equal(policy.lm_compatibility_level, 5);
    assert_int_equal(policy.ntlm_min_client_sec, NTLMSSP_NEGOTIATE_128);
    assert_int_equal(policy.ntlm_min_server_sec, NTLMSSP_NEGOTIATE_128);
    assert_int_equal(policy.restrict_sending_ntlm_traffic, 0);
    assert_int_equal(policy.suppress_extended_protection, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_against_each_other),
        cmocka_unit_test(responses_by_level),
        cmocka_unit_test(session_security_by_level),
        cmocka_unit_test(lm_response_without_session_security),
        cmocka_unit_test(no_lm_response_of_a_long_password),
        cmocka_unit_test(client_minimum),
        cmocka_unit_test(server_minimum),
        cmocka_unit_test(server_minimum_of_the_answer),
        cmocka_unit_test(minimum_without_protection),
        cmocka_unit_test(outgoing_traffic),
        cmocka_unit_test(extended_protection),
        cmocka_unit_test(defaults),
    };
    return cmocka_run_group_tests_name("policies", tests, known_account, forget_account);
}
