/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Well-formed messages that lie.
 *
 *  B1  MIC dropped or stripped: its field zeroed, left out, its AV flag taken away, MsvAvFlags twice; LMv2 only
 *  B2  password ignored when there is no MIC: a wrong password with MsvAvFlags 0
 *  B4  negotiated flags stripped: every flag of every message; NTLMv1 where policy forbids it: policies.c
 *  B7  KEY_EXCH with a session key of 0 to 15 bytes; ESS with an LM response of 0
 * (B3, B5: accounts.c; B6: message_shape.c and attacks_messages.c)
 *
 * Beyond the list: every bit of the three messages changed, and the exchange replayed.
 */
#include "unit.h"

#include <string.h>

static SECURITY_STATUS run_with(void (*edit)(struct mitm *, unsigned, struct cs_writer *), void *data)
{
    struct pair_setup setup = known_setup();
    struct mitm mitm = {.edit = edit, .data = data};
    return run_edited(&setup, &mitm);
}

/* What a client of level CLIENT to a server that takes everything makes of it. */
static SECURITY_STATUS run_v1_with(void (*edit)(struct mitm *, unsigned, struct cs_writer *), void *data)
{
    struct cs_policy client = cs_default_policy(), server = cs_default_policy();
    struct pair_setup setup = known_setup();
    struct mitm mitm = {.edit = edit, .data = data};
    client.lm_compatibility_level = 1;
    server.lm_compatibility_level = 0;
    setup.client_policy = &client;
    setup.server_policy = &server;
    return run_edited(&setup, &mitm);
}

/* B1: the MIC's field, but no MIC in it */
static void zero_mic(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    const uint8_t zeros[NTLM_MIC_SIZE] = {0};
    (void)mitm;
    if (number == 3) cs_write_over(message, NTLM_MIC_OFFSET, (struct cs_span){zeros, sizeof zeros});
}

/* B1: no field: the payload follows the version, as that of clients before Vista, or the flags */
static void leave_out_mic(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    const size_t cut = *(const size_t *)mitm->data;
    struct cs_writer made = {0};
    if (number != 3) return;
    cs_write_span(&made, (struct cs_span){message->data, NTLM_MIC_OFFSET + NTLM_MIC_SIZE - cut});
    cs_write_span(&made, (struct cs_span){message->data + NTLM_MIC_OFFSET + NTLM_MIC_SIZE,
                                          message->size - NTLM_MIC_OFFSET - NTLM_MIC_SIZE});
    for (size_t field = 12; field < 60; field += 8)
        mitm_set_word(&made, field + 4, mitm_word(cs_written(&made), field + 4) - (uint32_t)cut);
    cs_writer_drop(message);
    *message = made;
}

static void mic_removed(void **state)
{
    size_t cuts[] = {NTLM_MIC_SIZE, NTLM_MIC_SIZE + 8};
    (void)state;
    assert_int_equal(run_with(zero_mic, NULL), SEC_E_MESSAGE_ALTERED);
    assert_int_equal(run_with(leave_out_mic, &cuts[0]), SEC_E_INVALID_TOKEN);
    assert_int_equal(run_with(leave_out_mic, &cuts[1]), SEC_E_INVALID_TOKEN);
}

/* B1: the AV flag taken away by somebody who does not know the password; the proof covers it */
static void clear_av_flag(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    struct ntlm_authenticate claim;
    struct ntlm_v2_response response;
    const uint8_t zeros[4] = {0};
    if (number != 3) return;
    assert_int_equal(ntlm_authenticate_read(cs_written(message), &claim), SEC_E_OK);
    assert_int_equal(ntlm_v2_response_read(claim.nt_response, &response), SEC_E_OK);
    assert_int_equal(response.av.flags, MSV_AV_FLAG_MIC);
    cs_write_over(message, (size_t)(response.av.value[MsvAvFlags].data - message->data),
                  (struct cs_span){zeros, sizeof zeros});
    zero_mic(mitm, number, message);
}

static void av_flag_cleared(void **state)
{
    (void)state;
    assert_int_equal(run_with(clear_av_flag, NULL), SEC_E_LOGON_DENIED);
}

/* A client with a hash and AV pairs of the test's choice. */
struct answer {
    const char *hash, *av;
    bool mic;
};

static void answer_with(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    const struct answer *answer = mitm->data;
    const struct forge forge = forge_for(mitm, answer->hash);
    struct bytes av = unhex(answer->av);
    if (number != 3) return;
    assert_true(forge_av_pairs(message, span_over(&av)) && forge_proof(&forge, message));
    if (answer->mic) assert_true(forge_mic(&forge, message));
}

/* B1: MsvAvFlags twice, even from who knows the password and whose MIC is right */
static void av_flags_twice(void **state)
{
    struct answer first = {known_hash,
                           "0600040002000000"
                           "0600040000000000"
                           "00000000",
                           true};
    struct answer second = {known_hash,
                            "0600040000000000"
                            "0600040002000000"
                            "00000000",
                            true};
    (void)state;
    assert_int_equal(run_with(answer_with, &first), SEC_E_INVALID_TOKEN);
    assert_int_equal(run_with(answer_with, &second), SEC_E_INVALID_TOKEN);
}

/* B2: and the right password with it, as of clients that have no MIC, is a logon */
static void wrong_password_without_mic(void **state)
{
    static const char other_hash[] = "00000000000000000000000000000000";
    const char *av[] = {"0600040000000000"
                        "00000000",
                        "00000000"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct answer wrong = {other_hash, av[i], false}, right = {known_hash, av[i], false};
        assert_int_equal(run_with(answer_with, &wrong), SEC_E_LOGON_DENIED);
        assert_int_equal(run_with(answer_with, &right), SEC_E_OK);
        wrong.mic = true;
        assert_int_equal(run_with(answer_with, &wrong), SEC_E_LOGON_DENIED);
    }
}

/* B2: AV flag set, MIC right for a wrong password */
static void wrong_password_with_mic(void **state)
{
    struct answer wrong = {"ffffffffffffffffffffffffffffffff",
                           "0600040002000000"
                           "00000000",
                           true};
    struct answer right = {known_hash,
                           "0600040002000000"
                           "00000000",
                           true};
    (void)state;
    assert_int_equal(run_with(answer_with, &wrong), SEC_E_LOGON_DENIED);
    assert_int_equal(run_with(answer_with, &right), SEC_E_OK);
}

/* B1: the LM response of NTLMv2, right for the password, and an NT response of any size but a right one's */
static void send_lm_only(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    static const uint8_t zeros[NTLM_RESPONSE] = {0}, client_challenge[NTLM_CHALLENGE] = {7};
    const struct forge forge = forge_for(mitm, known_hash);
    struct ntlm_authenticate claim;
    struct ntlm_challenge challenge;
    uint8_t v2[NTLM_KEY], lm[NTLM_RESPONSE];
    if (number != 3) return;
    assert_int_equal(ntlm_authenticate_read(cs_written(message), &claim), SEC_E_OK);
    assert_int_equal(ntlm_challenge_read(forge.challenge, &challenge), SEC_E_OK);
    assert_true(ntlm_NTOWFv2(forge.ntowfv1, claim.user, claim.domain, v2));
    ntlm_HMAC_MD5(v2, (struct cs_span){challenge.server_challenge, NTLM_CHALLENGE},
                  (struct cs_span){client_challenge, NTLM_CHALLENGE}, (struct cs_span){0}, lm);
    memcpy(lm + NTLM_KEY, client_challenge, NTLM_CHALLENGE);
    claim.lm_response = (struct cs_span){lm, sizeof lm};
    claim.nt_response = (struct cs_span){zeros, *(const size_t *)mitm->data};
    forge_rewrite(message, &claim);
}

static void lm_response_only(void **state)
{
    (void)state;
    for (size_t size = 0; size <= NTLM_RESPONSE; size++) {
        assert_int_equal(run_with(send_lm_only, &size), SEC_E_LOGON_DENIED);
        assert_int_equal(run_v1_with(send_lm_only, &size), SEC_E_LOGON_DENIED);
    }
}

/* LM's own response, right for the password, of NTLMv1 without extended session security. */
static void drop_nt_response(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    struct ntlm_authenticate claim;
    mitm->clear = NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY;
    mitm->target_message = 1;
    mitm_change_flags(mitm, number, message);
    if (number != 3) return;
    assert_int_equal(ntlm_authenticate_read(cs_written(message), &claim), SEC_E_OK);
    assert_false(claim.flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY);
    claim.nt_response = (struct cs_span){NULL, 0};
    forge_rewrite(message, &claim);
}

static void lmv1_response_only(void **state)
{
    (void)state;
    assert_int_equal(run_v1_with(drop_nt_response, NULL), SEC_E_LOGON_DENIED);
}

/* B4: each flag of each message, taken away or added */
static void every_flag(void **state)
{
    struct pair_setup setup = known_setup();
    (void)state;
    for (unsigned number = 1; number <= 3; number++)
        for (unsigned bit = 0; bit < 32; bit++) {
            struct mitm clear = flag_edit(number, 1u << bit, 0), set = flag_edit(number, 0, 1u << bit);
            const SECURITY_STATUS cleared = run_edited(&setup, &clear), added = run_edited(&setup, &set);
            /* One of the two is no change. */
            assert_true((cleared == SEC_E_OK) != (added == SEC_E_OK));
        }
}

/* B4: with the MIC's status, where only the MIC can tell */
static void protection_flags(void **state)
{
    const uint32_t flags[] = {NTLMSSP_NEGOTIATE_SIGN,        NTLMSSP_NEGOTIATE_SEAL,
                              NTLMSSP_NEGOTIATE_KEY_EXCH,    NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY,
                              NTLMSSP_NEGOTIATE_ALWAYS_SIGN, NTLMSSP_NEGOTIATE_56};
    struct pair_setup setup = known_setup();
    (void)state;
    for (unsigned number = 1; number <= 3; number++)
        for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
            struct mitm mitm = flag_edit(number, flags[i], 0);
            assert_int_equal(run_edited(&setup, &mitm), SEC_E_MESSAGE_ALTERED);
            assert_int_equal(mitm.refused, 3);
        }
}

static void flip_bit(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    const size_t *bit = mitm->data;
    if (number == mitm->target_message) message->data[*bit / 8] ^= (uint8_t)(1u << *bit % 8);
}

/* Every bit of every message: the MIC covers all of them, what is read and what is not. */
static void every_bit(void **state)
{
    struct pair_setup setup = known_setup();
    (void)state;
    for (unsigned number = 1; number <= 3; number++) {
        const size_t bits = 8 * size_of_message(&setup, number);
        for (size_t bit = 0; bit < bits; bit++) {
            struct mitm mitm = {.edit = flip_bit, .target_message = number, .data = &bit};
            assert_true(run_edited(&setup, &mitm) < 0);
        }
    }
}

/* B7 */
static void cut_session_key(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    const uint8_t key[32] = {0};
    const struct forge forge = forge_for(mitm, known_hash);
    struct ntlm_authenticate claim;
    if (number != 3) return;
    assert_int_equal(ntlm_authenticate_read(cs_written(message), &claim), SEC_E_OK);
    assert_true(claim.flags & NTLMSSP_NEGOTIATE_KEY_EXCH);
    claim.session_key = (struct cs_span){key, *(const size_t *)mitm->data};
    forge_rewrite(message, &claim);
    assert_true(forge_proof(&forge, message) && forge_mic(&forge, message));
}

static void session_key_sizes(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 32; size++) {
        const SECURITY_STATUS expected = size == NTLM_KEY ? SEC_E_OK : SEC_E_INVALID_TOKEN;
        assert_int_equal(run_with(cut_session_key, &size), expected);
        assert_int_equal(run_v1_with(cut_session_key, &size), expected);
    }
}

/* B7: with NTLMv2 there is nothing to take from it, with NTLMv1 the client challenge is missing */
static void cut_lm_response(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    const struct forge forge = forge_for(mitm, known_hash);
    struct ntlm_authenticate claim;
    if (number != 3) return;
    assert_int_equal(ntlm_authenticate_read(cs_written(message), &claim), SEC_E_OK);
    assert_true(claim.flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY);
    claim.lm_response = (struct cs_span){NULL, 0};
    forge_rewrite(message, &claim);
    assert_true(forge_proof(&forge, message) && forge_mic(&forge, message));
}

static void no_lm_response(void **state)
{
    (void)state;
    assert_int_equal(run_v1_with(cut_lm_response, NULL), SEC_E_LOGON_DENIED);
    assert_int_equal(run_with(cut_lm_response, NULL), SEC_E_OK);
}

/* The answer to one challenge is none to another. */
static void replay(void **state)
{
    struct cs_policy policy = cs_default_policy();
    (void)state;
    for (uint32_t level = 1; level <= 3; level += 2) {
        struct pair_setup setup = known_setup();
        struct mitm mitm = {0};
        struct pair pair;
        policy.lm_compatibility_level = level;
        setup.client_policy = setup.server_policy = &policy;
        pair_open(&pair, "NTLM", &setup);
        assert_int_equal(mitm_run(&mitm, &pair), SEC_E_OK);
        pair_close(&pair);
        pair_open(&pair, "NTLM", &setup);
        assert_int_equal(mitm_to_server(&pair, mitm_message(&mitm, 1)), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(mitm_to_server(&pair, mitm_message(&mitm, 3)), SEC_E_LOGON_DENIED);
        assert_null(cs_context_session(pair.server));
        pair_close(&pair);
        mitm_end(&mitm);
    }
}

/* The AUTHENTICATE_MESSAGE says that it is nobody's, with a user's name or a response in it. */
static void send_anonymous(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    static const uint8_t zero[1] = {0};
    const unsigned what = *(const unsigned *)mitm->data;
    struct ntlm_authenticate claim;
    if (number != 3) return;
    assert_int_equal(ntlm_authenticate_read(cs_written(message), &claim), SEC_E_OK);
    claim.flags |= NTLMSSP_ANONYMOUS;
    if (!(what & 1)) claim.user = (struct cs_span){NULL, 0};
    if (!(what & 2)) claim.nt_response = (struct cs_span){NULL, 0};
    if (!(what & 4)) claim.lm_response = (struct cs_span){zero, 1};
    forge_rewrite(message, &claim);
}

static void half_anonymous(void **state)
{
    (void)state;
    for (unsigned what = 0; what < 8; what++) {
        struct pair_setup setup = known_setup();
        struct mitm mitm = {.edit = send_anonymous, .data = &what};
        /* With user and NT response as they were it is the MIC that tells. */
        assert_int_equal(run_edited(&setup, &mitm), (what & 3) == 3 ? SEC_E_MESSAGE_ALTERED : SEC_E_LOGON_DENIED);
        setup.server_request |= ASC_REQ_ALLOW_NULL_SESSION;
        mitm = (struct mitm){.edit = send_anonymous, .data = &what};
        struct pair pair;
        pair_open(&pair, "NTLM", &setup);
        const SECURITY_STATUS status = mitm_run(&mitm, &pair);
        assert_int_equal(status == SEC_E_OK, what == 0);
        if (status == SEC_E_OK) assert_true(pair.server_leg.granted & ASC_RET_NULL_SESSION);
        pair_close(&pair);
        mitm_end(&mitm);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mic_removed),
        cmocka_unit_test(av_flag_cleared),
        cmocka_unit_test(av_flags_twice),
        cmocka_unit_test(wrong_password_without_mic),
        cmocka_unit_test(wrong_password_with_mic),
        cmocka_unit_test(lm_response_only),
        cmocka_unit_test(lmv1_response_only),
        cmocka_unit_test(every_flag),
        cmocka_unit_test(protection_flags),
        cmocka_unit_test(every_bit),
        cmocka_unit_test(session_key_sizes),
        cmocka_unit_test(no_lm_response),
        cmocka_unit_test(replay),
        cmocka_unit_test(half_anonymous),
    };
    return cmocka_run_group_tests_name("attacks_logic", tests, known_account, forget_account);
}
