/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NTLM against MS-NLMP section 4.2 and against captures from real Windows, byte for byte. Each test names its vector.
 */
#include "bindings.h"
#include "messages.h"
#include "ntlm_vectors.h"
#include "unit.h"

#include <string.h>

static struct cs_span key_span(const uint8_t *key)
{
    return (struct cs_span){key, NTLM_KEY};
}

static struct cs_session *session_of(uint32_t flags, bool initiator, const char *key)
{
    struct ntlm_session_seed seed = {.initiator = initiator, .flags = flags, .expiry = INT64_MAX};
    struct bytes exported = unhex(key);
    memcpy(seed.exported_session_key, exported.data, NTLM_KEY);
    struct cs_session *session = ntlm_session_create(&seed);
    assert_non_null(session);
    return session;
}

/* GSS_WrapEx of "Plaintext" with sequence number 0, and back. */
static void expect_wrap(uint32_t flags, const char *key, const char *data, const char *signature)
{
    struct cs_session *client = session_of(flags, true, key), *server = session_of(flags, false, key);
    struct bytes text = unhex(nlmp_plaintext);
    uint8_t token[16];
    assert_int_equal(seal(client, 0, text.data, text.size, token), SEC_E_OK);
    expect_hex(span_over(&text), data);
    expect_hex(key_span(token), signature);
    assert_int_equal(unseal(server, text.data, text.size, token), SEC_E_OK);
    expect_hex(span_over(&text), nlmp_plaintext);
    cs_session_release(client);
    cs_session_release(server);
}

/* nlmp-4.2.2-ntlmv1 */
static void v1_hashes_and_responses(void **state)
{
    struct bytes password = utf16("Password"), challenge = unhex(nlmp_server_challenge);
    uint8_t ntowf[NTLM_KEY], lmowf[NTLM_KEY], response[NTLM_RESPONSE], key[NTLM_KEY];
    (void)state;
    ntlm_NTOWFv1(span_over(&password), ntowf);
    expect_hex(key_span(ntowf), v1_ntowfv1);
    ntlm_LMOWFv1(cs_span_of("PASSWORD"), lmowf);
    expect_hex(key_span(lmowf), v1_lmowfv1);
    ntlm_DESL(ntowf, challenge.data, response);
    expect_hex(((struct cs_span){response, NTLM_RESPONSE}), v1_nt_response);
    ntlm_DESL(lmowf, challenge.data, response);
    expect_hex(((struct cs_span){response, NTLM_RESPONSE}), v1_lm_response);
    ntlm_session_base_key_v1(ntowf, key);
    expect_hex(key_span(key), v1_session_base_key);
}

static void expect_encrypted_key(uint32_t flags, const char *kxkey, const char *encrypted)
{
    struct bytes base = unhex(v1_session_base_key), lm = unhex(v1_lm_response), lmowf = unhex(v1_lmowfv1);
    struct bytes challenge = unhex(nlmp_server_challenge), random = unhex(nlmp_random_session_key);
    uint8_t key[NTLM_KEY], result[NTLM_KEY];
    ntlm_KXKEY(flags, base.data, lm.data, challenge.data, lmowf.data, key);
    if (kxkey) expect_hex(key_span(key), kxkey);
    ntlm_RC4K(key, random.data, result);
    expect_hex(key_span(result), encrypted);
    ntlm_RC4K(key, result, result);
    expect_hex(key_span(result), nlmp_random_session_key);
}

/* nlmp-4.2.2-ntlmv1: KXKEY as it is, with LM_KEY, with NON_NT_SESSION_KEY */
static void v1_key_exchange(void **state)
{
    (void)state;
    expect_encrypted_key(V1_FLAGS, v1_session_base_key, v1_encrypted_session_key);
    expect_encrypted_key(V1_FLAGS | NTLMSSP_NEGOTIATE_LM_KEY, v1_kxkey_lmkey, v1_encrypted_session_key_lmkey);
    expect_encrypted_key(V1_FLAGS | NTLMSSP_REQUEST_NON_NT_SESSION_KEY, NULL, v1_encrypted_session_key_non_nt);
}

static void v1_wrap(void **state)
{
    (void)state;
    expect_wrap(V1_FLAGS, nlmp_random_session_key, v1_wrap_data, v1_wrap_signature);
}

/* nlmp-4.2.3-ntlmv1-ess */
static void ess_responses_and_keys(void **state)
{
    struct bytes server = unhex(nlmp_server_challenge), client = unhex(nlmp_client_challenge);
    struct bytes ntowf = unhex(ess_ntowfv1), base = unhex(ess_session_base_key), lm = unhex(ess_lm_response);
    const uint8_t no_lmowf[NTLM_KEY] = {0};
    uint8_t challenge[NTLM_CHALLENGE], response[NTLM_RESPONSE], key[NTLM_KEY], made[NTLM_KEY];
    (void)state;
    ntlm_ess_challenge(server.data, client.data, challenge);
    ntlm_DESL(ntowf.data, challenge, response);
    expect_hex(((struct cs_span){response, NTLM_RESPONSE}), ess_nt_response);
    ntlm_KXKEY(ESS_FLAGS, base.data, lm.data, server.data, no_lmowf, key);
    expect_hex(key_span(key), ess_key_exchange_key);
    assert_int_equal(ntlm_SEALKEY(ESS_FLAGS, key, true, made), NTLM_KEY);
    expect_hex(key_span(made), ess_seal_key_c2s);
    ntlm_SIGNKEY(key, true, made);
    expect_hex(key_span(made), ess_sign_key_c2s);
}

static void ess_wrap(void **state)
{
    (void)state;
    expect_wrap(ESS_FLAGS, ess_key_exchange_key, ess_wrap_data, ess_wrap_signature);
}

/* nlmp-4.2.4-ntlmv2 */
static void v2_responses(void **state)
{
    struct bytes user = utf16("User"), domain = utf16("Domain"), ntowf = unhex(v1_ntowfv1);
    struct bytes server = unhex(nlmp_server_challenge), client = unhex(nlmp_client_challenge), temp = unhex(v2_temp);
    const struct cs_span none = {0};
    uint8_t v2[NTLM_KEY], mac[NTLM_KEY], key[NTLM_KEY];
    (void)state;
    assert_true(ntlm_NTOWFv2(ntowf.data, span_over(&user), span_over(&domain), v2));
    expect_hex(key_span(v2), v2_ntowfv2);
    ntlm_HMAC_MD5(v2, span_over(&server), span_over(&temp), none, mac);
    expect_hex(key_span(mac), v2_nt_proof);
    ntlm_HMAC_MD5(v2, key_span(mac), none, none, key);
    expect_hex(key_span(key), v2_session_base_key);
    ntlm_HMAC_MD5(v2, span_over(&server), span_over(&client), none, mac);
    struct bytes lm = unhex(v2_lm_response);
    assert_memory_equal(mac, lm.data, NTLM_KEY);
    assert_memory_equal(client.data, lm.data + NTLM_KEY, NTLM_CHALLENGE);
}

/* nlmp-4.2.4-ntlmv2: the case of the user name does not matter, that of the domain does (3.3.2) */
static void v2_hash_and_case(void **state)
{
    struct bytes user = utf16("uSER"), domain = utf16("Domain"), other = utf16("DOMAIN"), ntowf = unhex(v1_ntowfv1);
    uint8_t v2[NTLM_KEY], different[NTLM_KEY];
    (void)state;
    assert_true(ntlm_NTOWFv2(ntowf.data, span_over(&user), span_over(&domain), v2));
    expect_hex(key_span(v2), v2_ntowfv2);
    assert_true(ntlm_NTOWFv2(ntowf.data, span_over(&user), span_over(&other), different));
    assert_memory_not_equal(v2, different, NTLM_KEY);
}

static void v2_session_keys(void **state)
{
    struct bytes base = unhex(v2_session_base_key), random = unhex(nlmp_random_session_key);
    uint8_t key[NTLM_KEY];
    (void)state;
    ntlm_RC4K(base.data, random.data, key);
    expect_hex(key_span(key), v2_encrypted_session_key);
    for (int client = 0; client < 2; client++) {
        assert_int_equal(ntlm_SEALKEY(V2_FLAGS, random.data, client, key), NTLM_KEY);
        expect_hex(key_span(key), client ? v2_seal_key_c2s : v2_seal_key_s2c);
        ntlm_SIGNKEY(random.data, client, key);
        expect_hex(key_span(key), client ? v2_sign_key_c2s : v2_sign_key_s2c);
    }
}

static void v2_wrap(void **state)
{
    (void)state;
    expect_wrap(V2_FLAGS, nlmp_random_session_key, v2_wrap_data, v2_wrap_signature);
}

/* The challenges of 4.2.2.3, 4.2.3.3 and 4.2.4.3. */
static void spec_challenges_read(void **state)
{
    const char *hex[] = {v1_challenge_message, ess_challenge_message, v2_challenge_message};
    const uint32_t flags[] = {V1_FLAGS, ESS_FLAGS, V2_FLAGS};
    struct bytes server = utf16("Server");
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bytes token = unhex(hex[i]);
        struct ntlm_challenge message;
        assert_int_equal(ntlm_challenge_read(span_over(&token), &message), SEC_E_OK);
        assert_int_equal(message.flags, flags[i]);
        expect_hex(((struct cs_span){message.server_challenge, NTLM_CHALLENGE}), nlmp_server_challenge);
        assert_int_equal(message.target_name.size, server.size);
        assert_memory_equal(message.target_name.data, server.data, server.size);
        expect_hex(message.target_info, i == 2 ? v2_target_info : "");
    }
}

/* The answers of 4.2.2.3, 4.2.3.3 and 4.2.4.3, which have no MIC field. */
static void spec_authenticates_read(void **state)
{
    const char *hex[] = {v1_authenticate_message, ess_authenticate_message, v2_authenticate_message};
    const char *lm[] = {v1_lm_response, ess_lm_response, v2_lm_response};
    const char *key[] = {v1_encrypted_session_key, "", v2_encrypted_session_key};
    struct bytes user = utf16("User"), domain = utf16("Domain"), workstation = utf16("COMPUTER");
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bytes token = unhex(hex[i]);
        struct ntlm_authenticate message;
        assert_int_equal(ntlm_authenticate_read(span_over(&token), &message), SEC_E_OK);
        assert_false(message.room_for_mic);
        expect_hex(message.lm_response, lm[i]);
        expect_hex(message.session_key, key[i]);
        assert_memory_equal(message.user.data, user.data, user.size);
        assert_memory_equal(message.domain.data, domain.data, domain.size);
        assert_memory_equal(message.workstation.data, workstation.data, workstation.size);
    }
}

/* nlmp-4.2.4-ntlmv2: the response's parts, and its fixed part written again */
static void v2_response_read_and_written(void **state)
{
    struct bytes proof = unhex(v2_nt_proof), temp = unhex(v2_temp), client = unhex(nlmp_client_challenge);
    struct bytes response = proof;
    struct ntlm_v2_response parts;
    struct cs_writer written = {0};
    (void)state;
    memcpy(response.data + response.size, temp.data, temp.size);
    response.size += temp.size;
    assert_int_equal(ntlm_v2_response_read(span_over(&response), &parts), SEC_E_OK);
    expect_hex(parts.proof, v2_nt_proof);
    expect_hex(parts.temp, v2_temp);
    expect_hex(parts.client_challenge, nlmp_client_challenge);
    assert_int_equal(parts.timestamp, 0);
    assert_int_equal(parts.av.present, 1 << MsvAvNbDomainName | 1 << MsvAvNbComputerName);
    ntlm_v2_temp_write(&written, parts.timestamp, client.data);
    cs_write_span(&written, parts.av.list);
    cs_write_u32(&written, 0); /* MsvAvEOL, and the four zeros behind it */
    cs_write_u32(&written, 0);
    expect_hex(cs_written(&written), v2_temp);
    cs_writer_drop(&written);
}

/* A real message and ours differ in what they say of the operating system's version, 8 bytes. */
static void take_version(struct cs_writer *written, struct cs_span real, size_t offset)
{
    cs_write_over(written, offset, (struct cs_span){real.data + offset, 8});
}

static void expect_rewritten(struct cs_writer *written, struct cs_span real, size_t version)
{
    take_version(written, real, version);
    assert_false(written->failed);
    assert_int_equal(written->size, real.size);
    assert_memory_equal(written->data, real.data, real.size);
    cs_writer_drop(written);
}

static void rewrite_negotiate(struct cs_span token)
{
    struct cs_writer written = {0};
    struct ntlm_negotiate message;
    assert_int_equal(ntlm_negotiate_read(token, &message), SEC_E_OK);
    ntlm_negotiate_write(&written, &message);
    expect_rewritten(&written, token, 32);
}

static void rewrite_challenge(struct cs_span token)
{
    struct cs_writer written = {0};
    struct ntlm_challenge message;
    assert_int_equal(ntlm_challenge_read(token, &message), SEC_E_OK);
    ntlm_challenge_write(&written, &message);
    expect_rewritten(&written, token, 48);
}

static void rewrite_authenticate(struct cs_span token)
{
    struct cs_writer written = {0};
    struct ntlm_authenticate message;
    assert_int_equal(ntlm_authenticate_read(token, &message), SEC_E_OK);
    assert_true(message.room_for_mic);
    ntlm_authenticate_write(&written, &message);
    cs_write_over(&written, NTLM_MIC_OFFSET, (struct cs_span){token.data + NTLM_MIC_OFFSET, NTLM_MIC_SIZE});
    expect_rewritten(&written, token, 64);
}

/* win2019-ntlm, win2019-ntlm-in-spnego-smb: what we write has Windows's layout to the byte */
static void windows_messages_rewritten(void **state)
{
    const char *messages[2][3] = {{win_type1, win_type2, win_type3}, {smb_type1, smb_type2, smb_type3}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bytes one = unhex(messages[i][0]), two = unhex(messages[i][1]), three = unhex(messages[i][2]);
        rewrite_negotiate(span_over(&one));
        rewrite_challenge(span_over(&two));
        rewrite_authenticate(span_over(&three));
    }
}

/* A capture's three messages. */
struct capture {
    struct bytes negotiate, challenge, authenticate;
    const char *nt_proof, *mic, *exported_session_key;
    uint32_t flags;
};

static void exported_key_of(const struct ntlm_authenticate *message, const uint8_t ntowfv2[NTLM_KEY],
                            const struct ntlm_v2_response *response, uint8_t exported[NTLM_KEY])
{
    uint8_t base[NTLM_KEY];
    ntlm_HMAC_MD5(ntowfv2, response->proof, (struct cs_span){0}, (struct cs_span){0}, base);
    assert_int_equal(message->session_key.size, NTLM_KEY);
    ntlm_RC4K(base, message->session_key.data, exported);
}

static void expect_mic(struct capture *capture, const uint8_t exported[NTLM_KEY])
{
    struct bytes first = capture->negotiate, third = capture->authenticate;
    uint8_t mic[NTLM_MIC_SIZE];
    memset(third.data + NTLM_MIC_OFFSET, 0, NTLM_MIC_SIZE);
    ntlm_HMAC_MD5(exported, span_over(&first), span_over(&capture->challenge), span_over(&third), mic);
    expect_hex(key_span(mic), capture->mic);
    expect_hex(key_span(capture->authenticate.data + NTLM_MIC_OFFSET), capture->mic);
}

/* NTProofStr, the exported session key and the MIC, from the password VagrantPass1 and the messages as they were sent.
 */
static void expect_capture(struct capture *capture)
{
    struct ntlm_challenge challenge;
    struct ntlm_authenticate message;
    struct ntlm_v2_response response;
    struct bytes password = utf16("VagrantPass1");
    uint8_t ntowf[NTLM_KEY], v2[NTLM_KEY], mac[NTLM_KEY], exported[NTLM_KEY];
    assert_int_equal(ntlm_challenge_read(span_over(&capture->challenge), &challenge), SEC_E_OK);
    assert_int_equal(ntlm_authenticate_read(span_over(&capture->authenticate), &message), SEC_E_OK);
    assert_int_equal(ntlm_v2_response_read(message.nt_response, &response), SEC_E_OK);
    assert_int_equal(message.flags, capture->flags);
    assert_int_equal(response.av.flags, MSV_AV_FLAG_MIC);
    ntlm_NTOWFv1(span_over(&password), ntowf);
    assert_true(ntlm_NTOWFv2(ntowf, message.user, message.domain, v2));
    ntlm_HMAC_MD5(v2, (struct cs_span){challenge.server_challenge, NTLM_CHALLENGE}, response.temp, (struct cs_span){0},
                  mac);
    expect_hex(key_span(mac), capture->nt_proof);
    expect_hex(response.proof, capture->nt_proof);
    exported_key_of(&message, v2, &response, exported);
    expect_hex(key_span(exported), capture->exported_session_key);
    expect_mic(capture, exported);
}

/* win2019-ntlm: a UPN, so the domain is empty; SEAL */
static void windows_over_sspi(void **state)
{
    struct capture capture = {unhex(win_type1), unhex(win_type2),         unhex(win_type3), win_nt_proof,
                              win_mic,          win_exported_session_key, WIN_FLAGS};
    (void)state;
    expect_capture(&capture);
}

/* win2019-ntlm-in-spnego-smb */
static void windows_in_spnego(void **state)
{
    struct capture capture = {unhex(smb_type1), unhex(smb_type2),         unhex(smb_type3), smb_nt_proof,
                              smb_mic,          smb_exported_session_key, SMB_FLAGS};
    (void)state;
    expect_capture(&capture);
}

/* win2019-ntlm-in-spnego-smb: both mechListMICs, and each verified by the other end */
static void mech_list_mics(void **state)
{
    struct cs_session *client = session_of(SMB_FLAGS, true, smb_exported_session_key);
    struct cs_session *server = session_of(SMB_FLAGS, false, smb_exported_session_key);
    struct bytes list = unhex(smb_mech_list);
    uint8_t token[16];
    (void)state;
    assert_int_equal(sign(client, list.data, list.size, token), SEC_E_OK);
    expect_hex(key_span(token), smb_mechlistmic_c2s);
    assert_int_equal(verify(server, list.data, list.size, token), SEC_E_OK);
    assert_int_equal(sign(server, list.data, list.size, token), SEC_E_OK);
    expect_hex(key_span(token), smb_mechlistmic_s2c);
    assert_int_equal(verify(client, list.data, list.size, token), SEC_E_OK);
    cs_session_release(client);
    cs_session_release(server);
}

/* After the mechListMICs RC4 starts anew and the count goes on (MS-SPNG 3.2.5.1): a text is sealed as by a session that
 * made no mechListMIC, under the next sequence number. */
static void rewound_after_mech_list_mic(void **state)
{
    struct cs_session *client = session_of(SMB_FLAGS, true, smb_exported_session_key);
    struct cs_session *server = session_of(SMB_FLAGS, false, smb_exported_session_key);
    struct cs_session *fresh = session_of(SMB_FLAGS, true, smb_exported_session_key);
    struct bytes list = unhex(smb_mech_list);
    uint8_t first[16], second[16], data[2][5] = {"hello", "hello"};
    (void)state;
    assert_int_equal(sign(client, list.data, list.size, first), SEC_E_OK);
    assert_int_equal(verify(server, list.data, list.size, first), SEC_E_OK);
    client->protection->rewind(client);
    server->protection->rewind(server);
    assert_int_equal(seal(client, 0, data[0], 5, first), SEC_E_OK);
    assert_int_equal(seal(fresh, 0, data[1], 5, second), SEC_E_OK);
    assert_memory_equal(data[0], data[1], 5);
    assert_int_equal(first[12], 1);
    assert_int_equal(second[12], 0);
    assert_int_equal(unseal(server, data[0], 5, first), SEC_E_OK);
    assert_memory_equal(data[0], "hello", 5);
    cs_session_release(client);
    cs_session_release(server);
    cs_session_release(fresh);
}

static void noess_step(struct cs_session *from, struct cs_session *to, const char *data, const char *signature)
{
    struct bytes text = unhex(noess_plaintext);
    uint8_t token[16];
    assert_int_equal(seal(from, 0, text.data, text.size, token), SEC_E_OK);
    expect_hex(span_over(&text), data);
    expect_hex(key_span(token), signature);
    assert_int_equal(unseal(to, text.data, text.size, token), SEC_E_OK);
    expect_hex(span_over(&text), noess_plaintext);
}

/* Header and trailer, READONLY_WITH_CHECKSUM, go into the checksum and stay as they are. */
static struct parts noess_parts(struct bytes *header, struct bytes *text, uint8_t *token)
{
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, header->data, header->size);
    add_part(&parts, SECBUFFER_DATA, text->data, text->size);
    add_part(&parts, SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, header->data, header->size);
    add_part(&parts, SECBUFFER_TOKEN, token, 16);
    return parts;
}

/* wine-ntlmv1-noess-seal: SIGN and SEAL were asked for in that session, though its challenge's flags lack them */
static void noess_stream(void **state)
{
    const uint32_t flags = NOESS_FLAGS | NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL;
    struct cs_session *client = session_of(flags, true, noess_rc4_key),
                      *server = session_of(flags, false, noess_rc4_key);
    struct bytes text = unhex(noess_plaintext), header = unhex(noess_header);
    uint8_t token[16];
    uint32_t qop;
    (void)state;
    noess_step(client, server, noess_data_0, noess_signature_0);
    noess_step(server, client, noess_data_1, noess_signature_1);
    struct parts parts = noess_parts(&header, &text, token);
    struct cs_message message = message_over(&parts);
    assert_int_equal(cs_encrypt(client, 0, &message), SEC_E_OK);
    expect_hex(span_over(&text), noess_data_2);
    expect_hex(key_span(token), noess_signature_2);
    expect_hex(span_over(&header), noess_header);
    assert_int_equal(cs_decrypt(server, &message, &qop), SEC_E_OK);
    expect_hex(span_over(&text), noess_plaintext);
    cs_session_release(client);
    cs_session_release(server);
}

/* wine-ntlmv1-noess-seal: the key is MD4 of testpass's NT hash */
static void noess_key(void **state)
{
    struct bytes password = utf16("testpass");
    uint8_t hash[NTLM_KEY], key[NTLM_KEY];
    (void)state;
    ntlm_NTOWFv1(span_over(&password), hash);
    ntlm_session_base_key_v1(hash, key);
    expect_hex(key_span(key), noess_rc4_key);
}

/* channel-binding-md5 */
static void channel_binding_hash(void **state)
{
    struct bytes data = unhex(binding_application_data);
    uint8_t bindings[32 + 64] = {0}, hash[CS_BINDINGS_HASH_SIZE];
    (void)state;
    bindings[24] = (uint8_t)data.size;
    bindings[28] = 32;
    memcpy(bindings + 32, data.data, data.size);
    assert_int_equal(cs_bindings_hash((struct cs_span){bindings, 32 + data.size}, hash), SEC_E_OK);
    expect_hex(key_span(hash), binding_md5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v1_hashes_and_responses),
        cmocka_unit_test(v1_key_exchange),
        cmocka_unit_test(v1_wrap),
        cmocka_unit_test(ess_responses_and_keys),
        cmocka_unit_test(ess_wrap),
        cmocka_unit_test(v2_responses),
        cmocka_unit_test(v2_hash_and_case),
        cmocka_unit_test(v2_session_keys),
        cmocka_unit_test(v2_wrap),
        cmocka_unit_test(spec_challenges_read),
        cmocka_unit_test(spec_authenticates_read),
        cmocka_unit_test(v2_response_read_and_written),
        cmocka_unit_test(windows_messages_rewritten),
        cmocka_unit_test(windows_over_sspi),
        cmocka_unit_test(windows_in_spnego),
        cmocka_unit_test(mech_list_mics),
        cmocka_unit_test(rewound_after_mech_list_mic),
        cmocka_unit_test(noess_key),
        cmocka_unit_test(noess_stream),
        cmocka_unit_test(channel_binding_hash),
    };
    return cmocka_run_group_tests_name("ntlm_vectors", tests, NULL, NULL);
}
