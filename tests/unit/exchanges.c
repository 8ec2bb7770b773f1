/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whole exchanges that end well, and those that are refused for what was asked: what is granted, who it is, which
 * message has which layout. Sources: attributes.tsv (flags, NTLM, observed), behaviour.md section 4, errors.tsv.
 */
#include "messages.h"
#include "unit.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void expect_names(struct cs_session *session, const char *names)
{
    struct bytes expected = utf16(names);
    assert_int_equal(session->names.size, expected.size);
    if (expected.size) assert_memory_equal(session->names.data, expected.data, expected.size);
}

/* An account of this machine, whose name is the host's as NetBIOS has it. */
static void expect_local_names(struct cs_session *session, const char *user)
{
    char host[256] = "", names[300];
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    host[strcspn(host, ".")] = 0;
    for (char *at = host; *at; at++) *at = (char)toupper((unsigned char)*at);
    snprintf(names, sizeof names, "%.15s\\%s", host, user);
    expect_names(session, names);
}

static void explicit_credentials(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    open_complete(&pair, &setup);
    struct cs_session *client = cs_context_session(pair.client), *server = cs_context_session(pair.server);
    expect_names(client, "Domain\\User");
    expect_local_names(server, "User");
    assert_int_equal(client->session_key_size, NTLM_KEY);
    assert_memory_equal(client->session_key, server->session_key, NTLM_KEY);
    expect_messages_pass(&pair);
    pair_close(&pair);
}

/* attributes.tsv SIZES NTLM; behaviour.md rows 97 and 100 */
static void sizes_and_key_info(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    open_complete(&pair, &setup);
    const struct cs_session *session = cs_context_session(pair.client);
    assert_int_equal(session->sizes.max_token, 2888);
    assert_int_equal(session->sizes.max_signature, 16);
    assert_int_equal(session->sizes.block_size, 0);
    assert_int_equal(session->sizes.security_trailer, 16);
    assert_string_equal(session->key_info.signature_name, "HMAC-MD5");
    assert_string_equal(session->key_info.encrypt_name, "RSADSI RC4");
    assert_int_equal(session->key_info.key_size, 128);
    assert_int_equal(session->key_info.signature_algorithm, 0xffffff76);
    assert_int_equal(session->key_info.encrypt_algorithm, 0x6801);
    pair_close(&pair);
}

/* behaviour.md row 99 */
static void key_info_without_session_security(void **state)
{
    struct sessions sessions = sessions_with(NTLMSSP_NEGOTIATE_SIGN);
    (void)state;
    assert_string_equal(sessions.client->key_info.signature_name, "RSADSI RC4-CRC32");
    assert_int_equal(sessions.client->key_info.signature_algorithm, 0xffffff7c);
    sessions_end(&sessions);
}

/* A client's word for its domain, or for how its name is spelt, makes nobody of its account but who it is. */
static void users_and_domains(void **state)
{
    const char *cases[][3] = {
        {"User", "Domain", "Domain\\User"}, {"uSER", "d", "d\\uSER"}, {"User", "NT AUTHORITY", "NT AUTHORITY\\User"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pair_setup setup = known_setup();
        struct pair pair;
        setup.user = cases[i][0];
        setup.domain = cases[i][1];
        open_complete(&pair, &setup);
        expect_names(cs_context_session(pair.client), cases[i][2]);
        expect_local_names(cs_context_session(pair.server), "User");
        pair_close(&pair);
    }
}

/* A user without domain belongs to the server's. */
static void user_without_domain(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    setup.domain = "";
    open_complete(&pair, &setup);
    const struct cs_span client = cs_context_session(pair.client)->names,
                         server = cs_context_session(pair.server)->names;
    struct bytes tail = utf16("\\User");
    assert_true(client.size > tail.size);
    assert_memory_equal(client.data + client.size - tail.size, tail.data, tail.size);
    assert_int_equal(client.size, server.size);
    assert_memory_equal(client.data, server.data, client.size);
    pair_close(&pair);
}

/* behaviour.md rows 80 to 89: which requests set SIGN and SEAL in the first message */
static void offered_protection(void **state)
{
    const uint32_t sign_bit = NTLMSSP_NEGOTIATE_SIGN, seal_bit = NTLMSSP_NEGOTIATE_SEAL;
    const uint32_t cases[][2] = {
        {0, 0},
        {ISC_REQ_CONNECTION, 0},
        {ISC_REQ_EXTENDED_ERROR, 0},
        {ISC_REQ_MUTUAL_AUTH, 0},
        {ISC_REQ_USE_DCE_STYLE, 0},
        {1 /* ISC_REQ_DELEGATE */, 0},
        {ISC_REQ_INTEGRITY, sign_bit},
        {ISC_REQ_REPLAY_DETECT, sign_bit},
        {ISC_REQ_SEQUENCE_DETECT, sign_bit},
        {ISC_REQ_CONFIDENTIALITY, seal_bit},
        {ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY, sign_bit | seal_bit},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pair_setup setup = known_setup();
        struct pair pair;
        setup.client_request = cases[i][0];
        pair_open(&pair, "NTLM", &setup);
        assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(mitm_word(cs_token(pair.client), MITM_NEGOTIATE_FLAGS) & (sign_bit | seal_bit), cases[i][1]);
        pair_close(&pair);
    }
}

/* What is granted in the end is what was negotiated, on both sides. */
static void granted_flags(void **state)
{
    const uint32_t detect = ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT;
    const uint32_t cases[][3] = {
        {0, 0, 0},
        {ISC_REQ_CONNECTION, ISC_REQ_CONNECTION, 0},
        {ISC_REQ_INTEGRITY, ISC_REQ_INTEGRITY | detect, ASC_REQ_INTEGRITY | detect},
        {ISC_REQ_CONFIDENTIALITY, ISC_REQ_CONFIDENTIALITY, ASC_REQ_CONFIDENTIALITY},
        {ISC_REQ_USE_DCE_STYLE, ISC_REQ_USE_DCE_STYLE, 0},
        {ISC_REQ_IDENTIFY, ISC_REQ_IDENTIFY, ASC_REQ_IDENTIFY},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pair_setup setup = known_setup();
        struct pair pair;
        setup.client_request = cases[i][0];
        setup.server_request = 0;
        open_complete(&pair, &setup);
        assert_int_equal(pair.client_leg.granted, cases[i][1]);
        assert_int_equal(pair.server_leg.granted, cases[i][2]);
        assert_int_equal(cs_context_session(pair.client)->flags, cases[i][1]);
        assert_int_equal(cs_context_session(pair.server)->flags, cases[i][2]);
        pair_close(&pair);
    }
}

static void dce_style(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    setup.client_request |= ISC_REQ_USE_DCE_STYLE;
    setup.server_request |= ASC_REQ_USE_DCE_STYLE;
    open_complete(&pair, &setup);
    assert_true(pair.client_leg.granted & ISC_REQ_USE_DCE_STYLE);
    assert_true(pair.server_leg.granted & ASC_REQ_USE_DCE_STYLE);
    assert_int_equal(cs_token(pair.server).size, 0);
    expect_messages_pass(&pair);
    pair_close(&pair);
}

/* Datagram contexts are gone since Windows Server 2008. */
static void datagram_is_refused(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    setup.client_request |= ISC_REQ_DATAGRAM;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_E_UNSUPPORTED_FUNCTION);
    pair_close(&pair);
    setup = known_setup();
    setup.server_request |= ASC_REQ_DATAGRAM;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_UNSUPPORTED_FUNCTION);
    pair_close(&pair);
}

static struct pair_setup anonymous_setup(void)
{
    struct pair_setup setup = known_setup();
    setup.user = NULL;
    setup.anonymous = true;
    setup.server_request |= ASC_REQ_ALLOW_NULL_SESSION;
    return setup;
}

/* MS-NLMP 3.2.5.1.2: no user, no NT response, an LM response of one zero byte */
static void anonymous(void **state)
{
    struct pair_setup setup = anonymous_setup();
    struct mitm mitm = {0};
    struct ntlm_authenticate message;
    struct pair pair;
    (void)state;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(mitm_run(&mitm, &pair), SEC_E_OK);
    assert_int_equal(ntlm_authenticate_read(mitm_message(&mitm, 3), &message), SEC_E_OK);
    assert_int_equal(message.user.size, 0);
    assert_int_equal(message.nt_response.size, 0);
    expect_hex(message.lm_response, "00");
    assert_true(message.flags & NTLMSSP_ANONYMOUS);
    assert_true(pair.client_leg.granted & ISC_RET_NULL_SESSION);
    assert_true(pair.server_leg.granted & ASC_RET_NULL_SESSION);
    expect_names(cs_context_session(pair.server), "NT AUTHORITY\\ANONYMOUS LOGON");
    expect_messages_pass(&pair);
    pair_close(&pair);
    mitm_end(&mitm);
}

static void anonymous_must_be_allowed(void **state)
{
    struct pair_setup setup = anonymous_setup();
    struct pair pair;
    (void)state;
    setup.server_request &= ~ASC_REQ_ALLOW_NULL_SESSION;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_LOGON_DENIED);
    assert_null(cs_context_session(pair.server));
    pair_close(&pair);
}

/* ISC_REQ_NULL_SESSION takes no notice of the credential. */
static void null_session_request(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    setup.client_request |= ISC_REQ_NULL_SESSION;
    setup.server_request |= ASC_REQ_ALLOW_NULL_SESSION;
    open_complete(&pair, &setup);
    assert_true(pair.server_leg.granted & ASC_RET_NULL_SESSION);
    expect_names(cs_context_session(pair.server), "NT AUTHORITY\\ANONYMOUS LOGON");
    pair_close(&pair);
}

/* A server that allows null sessions gives nobody with a name one. */
static void named_user_is_no_null_session(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    setup.server_request |= ASC_REQ_ALLOW_NULL_SESSION;
    open_complete(&pair, &setup);
    assert_false(pair.server_leg.granted & ASC_RET_NULL_SESSION);
    pair_close(&pair);
    setup.password = "wrong";
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_LOGON_DENIED);
    pair_close(&pair);
}

/* vectors.md section 2: the order 2, 1, 4, 3, 7, 0 of the challenge, and 6, 8, 10, 9, 0 and four zeros behind it */
static void av_pairs_as_windows(void **state)
{
    const uint16_t challenge_order[] = {2, 1, 4, 3, 7, 0}, answer_order[] = {2, 1, 4, 3, 7, 6, 8, 10, 9, 0};
    struct pair_setup setup = known_setup();
    struct mitm mitm = {0};
    struct ntlm_challenge challenge;
    struct ntlm_authenticate message;
    struct pair pair;
    (void)state;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(mitm_run(&mitm, &pair), SEC_E_OK);
    assert_int_equal(ntlm_challenge_read(mitm_message(&mitm, 2), &challenge), SEC_E_OK);
    assert_int_equal(ntlm_authenticate_read(mitm_message(&mitm, 3), &message), SEC_E_OK);
    struct cs_reader reader = cs_reader_of(challenge.target_info);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(cs_read_u16(&reader), challenge_order[i]);
        cs_read_span(&reader, cs_read_u16(&reader));
    }
    assert_int_equal(reader.remaining, 0);
    reader = cs_reader_of(message.nt_response);
    cs_read_span(&reader, 16 + 28);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(cs_read_u16(&reader), answer_order[i]);
        cs_read_span(&reader, cs_read_u16(&reader));
    }
    assert_int_equal(cs_read_u32(&reader), 0);
    assert_false(reader.failed);
    assert_int_equal(reader.remaining, 0);
    pair_close(&pair);
    mitm_end(&mitm);
}

/* A server that knows no Unicode gets and sends OEM. */
static void oem(void **state)
{
    struct pair_setup setup = known_setup();
    struct cs_policy policy = cs_default_policy();
    struct mitm mitm = flag_edit(1, NTLMSSP_NEGOTIATE_UNICODE, 0);
    struct ntlm_authenticate message;
    struct pair pair;
    (void)state;
    policy.lm_compatibility_level = 2; /* no MIC to tell that somebody took UNICODE from the offer */
    setup.client_policy = setup.server_policy = &policy;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(mitm_run(&mitm, &pair), SEC_E_OK);
    assert_int_equal(ntlm_authenticate_read(mitm_message(&mitm, 3), &message), SEC_E_OK);
    assert_false(message.flags & NTLMSSP_NEGOTIATE_UNICODE);
    expect_hex(message.user, "55736572");
    expect_local_names(cs_context_session(pair.server), "User");
    pair_close(&pair);
    mitm_end(&mitm);
}

/* errors.tsv, general: both ends of a complete context */
static void legs_after_the_last(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    open_complete(&pair, &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_E_INVALID_HANDLE);
    assert_int_equal(pair_server_step(&pair, (struct cs_span){0}), STATUS_LOGON_FAILURE);
    expect_messages_pass(&pair);
    pair_close(&pair);
}

/* A credential is good for the direction it was acquired for, and a context for its own. */
static void wrong_direction(void **state)
{
    struct pair_setup setup = known_setup();
    struct cs_context *context = NULL;
    struct pair pair;
    (void)state;
    pair_open(&pair, "NTLM", &setup);
    struct cs_leg leg = {.credential = pair.server_credential, .room = SIZE_MAX};
    assert_int_equal(cs_initialize(&context, &leg), SEC_E_NO_CREDENTIALS);
    assert_null(context);
    leg.credential = pair.client_credential;
    assert_int_equal(cs_accept(&context, &leg), SEC_E_NO_CREDENTIALS);
    leg.credential = NULL;
    assert_int_equal(cs_initialize(&context, &leg), SEC_E_INVALID_HANDLE);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(cs_accept(&pair.client, &leg), SEC_E_INVALID_HANDLE);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
    pair_close(&pair);
}

/* An expired context protects nothing (errors.tsv EncryptMessage NTLM, SEC_E_CONTEXT_EXPIRED). */
static void expired(void **state)
{
    struct sessions sessions = sessions_with(flavours[0].flags);
    char text[] = "late";
    uint8_t token[16] = {0};
    (void)state;
    sessions.client->expiry = cs_now() - 1;
    assert_int_equal(seal(sessions.client, 0, text, sizeof text, token), SEC_E_CONTEXT_EXPIRED);
    assert_int_equal(sign(sessions.client, text, sizeof text, token), SEC_E_CONTEXT_EXPIRED);
    assert_int_equal(unseal(sessions.client, text, sizeof text, token), SEC_E_CONTEXT_EXPIRED);
    assert_int_equal(verify(sessions.client, text, sizeof text, token), SEC_E_CONTEXT_EXPIRED);
    assert_string_equal(text, "late");
    sessions_end(&sessions);
}

static void unknown_package(void **state)
{
    (void)state;
    assert_null(cs_find_mechanism("Winetest"));
    assert_null(cs_find_mechanism(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explicit_credentials),
        cmocka_unit_test(sizes_and_key_info),
        cmocka_unit_test(key_info_without_session_security),
        cmocka_unit_test(users_and_domains),
        cmocka_unit_test(user_without_domain),
        cmocka_unit_test(offered_protection),
        cmocka_unit_test(granted_flags),
        cmocka_unit_test(dce_style),
        cmocka_unit_test(datagram_is_refused),
        cmocka_unit_test(anonymous),
        cmocka_unit_test(anonymous_must_be_allowed),
        cmocka_unit_test(null_session_request),
        cmocka_unit_test(named_user_is_no_null_session),
        cmocka_unit_test(av_pairs_as_windows),
        cmocka_unit_test(oem),
        cmocka_unit_test(legs_after_the_last),
        cmocka_unit_test(wrong_direction),
        cmocka_unit_test(expired),
        cmocka_unit_test(unknown_package),
    };
    return cmocka_run_group_tests_name("exchanges", tests, known_account, forget_account);
}
