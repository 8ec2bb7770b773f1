/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attacks with win2019-ntlm-in-spnego-smb: its last messages changed, bit by bit, and sent again, and a mechListMIC
 * where there cannot be one yet.
 */
#include "replay/capture.h"

#include <string.h>

static const struct cs_span nothing = {NULL, 0};

static SECURITY_STATUS server_takes(const struct bytes *authenticate)
{
    struct capture_end server = capture_server(capture_server_random);
    const SECURITY_STATUS status = capture_feed(&server, span_over(authenticate));
    assert_int_equal(status == SEC_E_OK, cs_context_session(server.context) != NULL);
    capture_close(&server);
    return status;
}

static SECURITY_STATUS client_takes(const struct bytes *accept)
{
    struct capture_end client = capture_client(capture_client_random);
    const SECURITY_STATUS status = capture_feed(&client, span_over(accept));
    assert_int_equal(status == SEC_E_OK, cs_context_session(client.context) != NULL);
    capture_close(&client);
    return status;
}

/* Every bit from BEGIN on for SIZE bytes turned over: SEC_E_MESSAGE_ALTERED each time */
static void expect_altered(SECURITY_STATUS (*takes)(const struct bytes *message), const char *hex, size_t begin,
                           size_t size)
{
    struct bytes message = unhex(hex);
    for (size_t bit = 8 * begin; bit < 8 * (begin + size); bit++) {
        message.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(takes(&message), SEC_E_MESSAGE_ALTERED);
        message.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* Either mechListMIC is the last of its message. */
static void every_bit_of_the_mics(void **state)
{
    const struct bytes authenticate = unhex(spnego_smb_authenticate), accept = unhex(spnego_smb_accept);
    (void)state;
    assert_int_equal(server_takes(&authenticate), SEC_E_OK);
    assert_int_equal(client_takes(&accept), SEC_E_OK);
    expect_altered(server_takes, spnego_smb_authenticate, authenticate.size - 16, 16);
    expect_altered(server_takes, spnego_smb_authenticate, capture_offset_of_token(&authenticate) + NTLM_MIC_OFFSET,
                   NTLM_MIC_SIZE);
    expect_altered(client_takes, spnego_smb_accept, accept.size - 16, 16);
}

/* Of the rest, only negState may be another: an initiator's says nothing but "reject" (RFC 4178 4.2.2). */
static void every_bit_of_the_last_messages(void **state)
{
    const size_t state_of_the_client = 12;
    struct bytes message = unhex(spnego_smb_authenticate);
    (void)state;
    for (size_t bit = 0; bit < 8 * message.size; bit++) {
        const uint8_t mask = (uint8_t)(1 << bit % 8);
        message.data[bit / 8] ^= mask;
        const bool still_valid = bit / 8 == state_of_the_client && message.data[bit / 8] <= SPNEGO_REQUEST_MIC;
        assert_int_equal(server_takes(&message) < 0, !still_valid);
        message.data[bit / 8] ^= mask;
    }
    message = unhex(spnego_smb_accept);
    for (size_t bit = 0; bit < 8 * message.size; bit++) {
        message.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_true(client_takes(&message) < 0);
        message.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* The AUTHENTICATE again: to a context of another challenge, to one that said something else, and once more */
static void authenticate_replayed(void **state)
{
    struct capture_end server = capture_server(capture_another_challenge);
    (void)state;
    assert_int_equal(capture_feed_hex(&server, spnego_smb_authenticate), SEC_E_LOGON_DENIED);
    assert_int_equal(capture_feed_hex(&server, spnego_smb_authenticate), SEC_E_LOGON_DENIED);
    capture_close(&server);
    server = capture_open(false, capture_server_random, false);
    assert_int_equal(capture_feed_hex(&server, spnego_smb_negotiate), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(capture_feed_hex(&server, spnego_smb_authenticate), SEC_E_MESSAGE_ALTERED);
    capture_close(&server);
    server = capture_server(capture_server_random);
    assert_int_equal(capture_feed_hex(&server, spnego_smb_authenticate), SEC_E_OK);
    assert_int_equal(capture_feed_hex(&server, spnego_smb_authenticate), STATUS_LOGON_FAILURE);
    capture_close(&server);
}

/* The server's last word to a client whose session key is another */
static void accept_replayed(void **state)
{
    struct capture_end client = capture_client(capture_another_key);
    (void)state;
    assert_int_equal(capture_feed_hex(&client, spnego_smb_accept), SEC_E_MESSAGE_ALTERED);
    assert_null(cs_context_session(client.context));
    capture_close(&client);
}

/* A mechListMIC that is already in the NegTokenInit */

static SECURITY_STATUS offer(struct capture_end *server, const struct spnego_init *message)
{
    struct cs_writer written = {0};
    spnego_init_write(&written, message);
    const SECURITY_STATUS status = capture_feed(server, cs_written(&written));
    cs_writer_drop(&written);
    return status;
}

static SECURITY_STATUS answer(struct capture_end *server, struct cs_span token, struct cs_span mic)
{
    const struct spnego_resp message = {
        .state = SPNEGO_ACCEPT_INCOMPLETE, .response_token = token, .mech_list_mic = mic};
    struct cs_writer written = {0};
    spnego_resp_write(&written, &message);
    const SECURITY_STATUS status = capture_feed(server, cs_written(&written));
    cs_writer_drop(&written);
    return status;
}

/* The MIC over the list of INIT that the client makes once it has the capture's key */
static void make_mic(const struct spnego_init *init, uint8_t mic[16])
{
    struct ntlm_session_seed seed = {.initiator = true, .flags = SPNEGO_SMB_FLAGS, .expiry = INT64_MAX};
    const struct bytes key = unhex(spnego_smb_exported_session_key);
    struct cs_writer list = {0};
    memcpy(seed.exported_session_key, key.data, NTLM_KEY);
    struct cs_session *session = ntlm_session_create(&seed);
    assert_non_null(session);
    spnego_mech_list_write(&list, init);
    assert_int_equal(sign(session, list.data, list.size, mic), SEC_E_OK);
    cs_writer_drop(&list);
    cs_session_release(session);
}

/* The one that the key to come will make, a wrong one, and what can be none: the exchange is as it was. */
static void early_mic(void **state)
{
    static const char *const early[] = {spnego_smb_mic_c2s, spnego_smb_mic_s2c, "00"};
    const struct bytes negotiate = unhex(spnego_smb_negotiate), authenticate = unhex(spnego_smb_authenticate);
    const struct bytes mic = unhex(spnego_smb_mic_c2s);
    struct spnego_init init;
    struct spnego_resp last;
    (void)state;
    assert_int_equal(spnego_init_read(span_over(&negotiate), &init), SEC_E_OK);
    assert_int_equal(spnego_resp_read(span_over(&authenticate), &last), SEC_E_OK);
    for (size_t i = 0; i < 2 * sizeof early / sizeof *early; i++) {
        const struct bytes bytes = unhex(early[i / 2]);
        struct capture_end server = capture_open(false, capture_server_random, true);
        init.mech_list_mic = span_over(&bytes);
        assert_int_equal(offer(&server, &init), SEC_I_CONTINUE_NEEDED);
        expect_hex(cs_token(server.context), spnego_smb_challenge);
        assert_int_equal(answer(&server, last.response_token, i % 2 ? span_over(&mic) : nothing), SEC_E_OK);
        /* without the client's there is none of the server's: the early one has not counted for it */
        expect_hex(cs_token(server.context), i % 2 ? spnego_smb_accept : "a1073005a0030a0100");
        capture_close(&server);
    }
}

/* Where one is required, the early one is not it, not even the right one; one over another list is wrong. */
static void early_mic_where_required(void **state)
{
    const struct bytes negotiate = unhex(spnego_smb_negotiate), authenticate = unhex(spnego_smb_authenticate);
    struct spnego_init init, captured;
    struct spnego_resp last;
    uint8_t mic[16];
    (void)state;
    assert_int_equal(spnego_init_read(span_over(&negotiate), &captured), SEC_E_OK);
    assert_int_equal(spnego_resp_read(span_over(&authenticate), &last), SEC_E_OK);
    init = (struct spnego_init){.mechs = {spnego_negoex, spnego_ntlm}, .mech_count = 2, .mech_list_mic = {mic, 16}};
    make_mic(&init, mic);
    const struct cs_span mics[] = {nothing, last.mech_list_mic, init.mech_list_mic};
    static const SECURITY_STATUS expected[] = {SEC_E_INVALID_TOKEN, SEC_E_MESSAGE_ALTERED, SEC_E_OK};
    for (size_t i = 0; i < 3; i++) {
        struct capture_end server = capture_open(false, capture_server_random, true);
        assert_int_equal(offer(&server, &init), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(answer(&server, captured.mech_token, nothing), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(answer(&server, last.response_token, mics[i]), expected[i]);
        capture_close(&server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_of_the_mics),
        cmocka_unit_test(every_bit_of_the_last_messages),
        cmocka_unit_test(authenticate_replayed),
        cmocka_unit_test(accept_replayed),
        cmocka_unit_test(early_mic),
        cmocka_unit_test(early_mic_where_required),
    };
    return cmocka_run_group_tests(tests, capture_account, forget_account);
}
