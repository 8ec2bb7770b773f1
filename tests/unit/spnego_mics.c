/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The mechListMIC over NTLM: those of a Windows capture to the byte, and where they leave the cipher stream and the
 * sequence number.
 */
#include "spnego_peers.h"
#include "spnego_vectors.h"
#include "unit.h"

#include <string.h>

/* Version 1, 8 bytes of RC4 with the stream at its start over the HMAC's first 8, sequence number (MS-NLMP 3.4.4.2) */
static void expected_signature(const uint8_t key[NTLM_KEY], bool client, uint32_t sequence, struct cs_span text,
                               uint8_t token[16])
{
    const uint8_t number[4] = {(uint8_t)sequence, (uint8_t)(sequence >> 8)};
    const struct cs_span number_span = {number, sizeof number}, none = {NULL, 0};
    uint8_t sign_key[NTLM_KEY], seal_key[NTLM_KEY], mac[NTLM_KEY];
    ntlm_SIGNKEY(key, client, sign_key);
    assert_int_equal(ntlm_SEALKEY(SPNEGO_SMB_FLAGS, key, client, seal_key), NTLM_KEY);
    ntlm_HMAC_MD5(sign_key, number_span, text, none, mac);
    ntlm_RC4K(seal_key, mac, mac);
    memcpy(token, (const uint8_t[4]){1}, 4);
    memcpy(token + 4, mac, 8);
    memcpy(token + 12, number, 4);
}

static struct cs_session *windows_session(bool initiator)
{
    struct ntlm_session_seed seed = {.initiator = initiator, .flags = SPNEGO_SMB_FLAGS, .expiry = INT64_MAX};
    struct bytes key = unhex(spnego_smb_exported_session_key);
    memcpy(seed.exported_session_key, key.data, NTLM_KEY);
    struct cs_session *session = ntlm_session_create(&seed);
    assert_non_null(session);
    return session;
}

/* win2019-ntlm-in-spnego-smb: both MICs; then the stream is at its start again and the sequence number is not. */
static void windows_mics(void **state)
{
    struct cs_session *ends[2] = {windows_session(true), windows_session(false)};
    static const char *const mics[2] = {spnego_smb_mic_c2s, spnego_smb_mic_s2c};
    struct bytes list = unhex(spnego_smb_mech_list), key = unhex(spnego_smb_exported_session_key);
    uint8_t token[16], expected[16];
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sign(ends[i], list.data, list.size, token), SEC_E_OK);
        expect_hex(((struct cs_span){token, sizeof token}), mics[i]);
        expected_signature(key.data, i == 0, 0, span_over(&list), expected);
        assert_memory_equal(token, expected, sizeof token);
        assert_int_equal(verify(ends[1 - i], list.data, list.size, token), SEC_E_OK);
    }
    for (int i = 0; i < 2; i++) ends[i]->protection->rewind(ends[i]);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sign(ends[i], "first", 5, token), SEC_E_OK);
        expected_signature(key.data, i == 0, 1, cs_span_of("first"), expected);
        assert_memory_equal(token, expected, sizeof token);
        assert_int_equal(verify(ends[1 - i], "first", 5, token), SEC_E_OK);
    }
    for (int i = 0; i < 2; i++) cs_session_release(ends[i]);
}

/* The same after an exchange of ours. */
static void first_message_has_sequence_1(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    uint8_t token[16], expected[16];
    (void)state;
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    struct cs_session *ends[2] = {cs_context_session(pair.client), cs_context_session(pair.server)};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sign(ends[i], "first", 5, token), SEC_E_OK);
        expected_signature(ends[i]->session_key, i == 0, 1, cs_span_of("first"), expected);
        assert_memory_equal(token, expected, sizeof token);
        assert_int_equal(verify(ends[1 - i], "first", 5, token), SEC_E_OK);
    }
    expect_messages_pass(&pair);
    pair_close(&pair);
}

/* Without integrity there is no MIC, and no need of one. */
static void no_integrity(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    setup.client_request = ISC_REQ_NO_INTEGRITY | ISC_REQ_CONNECTION;
    setup.server_request = 0;
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    assert_null(spnego_peers_resp(pair.server).mech_list_mic.data);
    pair_close(&pair);
}

/* Without extended session security one stream serves both directions: each MIC puts it back (MS-SPNG 3.2.5.1). */
static void lose_session_security(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    struct spnego_init init;
    (void)mitm;
    if (number != 1) return;
    assert_int_equal(spnego_init_read(cs_written(message), &init), SEC_E_OK);
    const size_t offset = (size_t)(init.mech_token.data - message->data) + MITM_NEGOTIATE_FLAGS;
    const uint32_t flags = mitm_word(cs_written(message), offset);
    mitm_set_word(message, offset, flags & ~NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY);
}

/* Both are of the same text by the same bytes of the stream; the sequence number, which both share, goes on. */
static void expect_stream_put_back(const struct mitm *mitm)
{
    struct spnego_resp client, server;
    assert_int_equal(spnego_resp_read(mitm_message(mitm, 3), &client), SEC_E_OK);
    assert_int_equal(spnego_resp_read(mitm_message(mitm, 4), &server), SEC_E_OK);
    const uint8_t *first = client.mech_list_mic.data, *second = server.mech_list_mic.data;
    assert_memory_equal(first, second, 12);
    assert_int_equal(first[12] ^ second[12], 1);
    assert_memory_equal(first + 13, second + 13, 3);
}

static void one_stream(void **state)
{
    struct cs_policy client = cs_default_policy(), server = cs_default_policy();
    struct pair_setup setup = known_setup();
    struct mitm mitm = {.edit = lose_session_security};
    struct pair pair;
    (void)state;
    client.lm_compatibility_level = 1;
    server.lm_compatibility_level = client.ntlm_min_client_sec = server.ntlm_min_server_sec = 0;
    setup.client_policy = &client;
    setup.server_policy = &server;
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(mitm_run(&mitm, &pair), SEC_E_OK);
    assert_string_equal(cs_context_session(pair.client)->key_info.signature_name, "RSADSI RC4-CRC32");
    expect_stream_put_back(&mitm);
    expect_messages_pass(&pair);
    pair_close(&pair);
    mitm_end(&mitm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_mics),
        cmocka_unit_test(first_message_has_sequence_1),
        cmocka_unit_test(no_integrity),
        cmocka_unit_test(one_stream),
    };
    return cmocka_run_group_tests(tests, known_account, forget_account);
}
