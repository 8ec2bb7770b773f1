/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptions of tokens: what they say of good messages and of broken ones, that they call whole what the readers take
 * and nothing else, and that no secret is in them.
 */
#include "describe.h"
#include "messages.h"
#include "ntlm_vectors.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

/* A description as a string, of a token in a heap block of its own size, past whose end AddressSanitizer sees. */
struct description {
    char *text;
    bool whole;
};

static struct description describe(struct cs_span token)
{
    struct cs_writer text = {0};
    struct cs_span copy;
    struct description description;
    assert_true(cs_span_copy(&copy, token));
    description.whole = cs_describe_token(copy, &text);
    cs_span_drop(&copy);
    cs_write_u8(&text, 0);
    assert_false(text.failed);
    description.text = (char *)text.data;
    return description;
}

static struct description describe_hex(const char *hex)
{
    struct bytes token = unhex(hex);
    return describe(span_over(&token));
}

#define expect_text(description, expected) expect_text_at((description), (expected), __FILE__, __LINE__)
static void expect_text_at(struct description description, const char *expected, const char *file, int line)
{
    if (!strstr(description.text, expected)) {
        print_error("no \"%s\" in:\n%s\n", expected, description.text);
        _fail(file, line);
    }
    free(description.text);
}

/* What the readers say of the same token. */
static bool readers_take(struct cs_span token)
{
    struct ntlm_negotiate negotiate;
    struct ntlm_challenge challenge;
    struct ntlm_authenticate authenticate;
    struct ntlm_v2_response response;
    struct ntlm_av_pairs pairs;
    switch (ntlm_message_type(token)) {
    case NTLM_NEGOTIATE: return !ntlm_negotiate_read(token, &negotiate);
    case NTLM_CHALLENGE_MESSAGE:
        return !ntlm_challenge_read(token, &challenge) && !ntlm_av_read(challenge.target_info, &pairs);
    case NTLM_AUTHENTICATE:
        return !ntlm_authenticate_read(token, &authenticate) &&
               (authenticate.nt_response.size <= NTLM_RESPONSE ||
                !ntlm_v2_response_read(authenticate.nt_response, &response));
    default: return false;
    }
}

/* Lines of printable UTF-8, whatever the token. */
static void expect_clean(const char *text)
{
    assert_null(u8_check((const uint8_t *)text, strlen(text)));
    for (const char *c = text; *c; c++) assert_true((unsigned char)*c >= ' ' || *c == '\n');
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_null(strstr(text, "\n\n"));
}

static void expect_agreement(struct cs_span token)
{
    struct description description = describe(token);
    const bool agreed = description.whole == readers_take(token);
    if (!agreed) print_error("the readers do not agree with:\n%s\n", description.text);
    assert_true(agreed);
    assert_true(description.whole || strstr(description.text, "Broken at byte ") ||
                strstr(description.text, "unknown kind") || strstr(description.text, "empty token"));
    expect_clean(description.text);
    free(description.text);
}

static const char *const vectors[] = {
    v1_challenge_message,
    v1_authenticate_message,
    ess_challenge_message,
    ess_authenticate_message,
    v2_challenge_message,
    v2_authenticate_message,
    win_type1,
    win_type2,
    win_type3,
    smb_type1,
    smb_type2,
    smb_type3,
};
enum { VECTORS = sizeof vectors / sizeof *vectors };

static void test_vectors_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct description description = describe_hex(vectors[i]);
        assert_true(description.whole);
        assert_null(strstr(description.text, "Broken"));
        expect_clean(description.text);
        free(description.text);
    }
}

static void test_windows_negotiate(void **state)
{
    (void)state;
    struct description description = describe_hex(win_type1);
    assert_string_equal(description.text,
                        "NTLM NEGOTIATE_MESSAGE (40 bytes)\n"
                        "  NegotiateFlags: 0xe20882b7\n"
                        "    NEGOTIATE_UNICODE NEGOTIATE_OEM REQUEST_TARGET NEGOTIATE_SIGN NEGOTIATE_SEAL\n"
                        "    NEGOTIATE_LM_KEY NEGOTIATE_NTLM NEGOTIATE_ALWAYS_SIGN\n"
                        "    NEGOTIATE_EXTENDED_SESSIONSECURITY NEGOTIATE_VERSION NEGOTIATE_128\n"
                        "    NEGOTIATE_KEY_EXCH NEGOTIATE_56\n"
                        "  DomainName: size 0, offset 0\n"
                        "  Workstation: size 0, offset 0\n"
                        "  Version: 10.0 build 17763, NTLM revision 15\n");
    free(description.text);
}

static void test_windows_challenge(void **state)
{
    (void)state;
    struct description description = describe_hex(win_type2);
    assert_string_equal(description.text,
                        "NTLM CHALLENGE_MESSAGE (206 bytes)\n"
                        "  TargetName: size 12, offset 56: \"DOMAIN\"\n"
                        "  NegotiateFlags: 0xe2898235\n"
                        "    NEGOTIATE_UNICODE REQUEST_TARGET NEGOTIATE_SIGN NEGOTIATE_SEAL\n"
                        "    NEGOTIATE_NTLM NEGOTIATE_ALWAYS_SIGN TARGET_TYPE_DOMAIN\n"
                        "    NEGOTIATE_EXTENDED_SESSIONSECURITY NEGOTIATE_TARGET_INFO NEGOTIATE_VERSION\n"
                        "    NEGOTIATE_128 NEGOTIATE_KEY_EXCH NEGOTIATE_56\n"
                        "  ServerChallenge: 8e3415a6a6ec237f\n"
                        "  Reserved: 0000000000000000\n"
                        "  TargetInfo: size 138, offset 68\n"
                        "    MsvAvNbDomainName: \"DOMAIN\"\n"
                        "    MsvAvNbComputerName: \"DC01\"\n"
                        "    MsvAvDnsDomainName: \"domain.local\"\n"
                        "    MsvAvDnsComputerName: \"DC01.domain.local\"\n"
                        "    MsvAvDnsTreeName: \"domain.local\"\n"
                        "    MsvAvTimestamp: 2020-05-07 10:34:37.2775166 UTC (0x01d6245b1b4eb4fe)\n"
                        "    MsvAvEOL: size 0\n"
                        "  Version: 10.0 build 14393, NTLM revision 15\n");
    free(description.text);
}

static void test_windows_authenticate(void **state)
{
    (void)state;
    struct description description = describe_hex(win_type3);
    assert_string_equal(description.text,
                        "NTLM AUTHENTICATE_MESSAGE (516 bytes)\n"
                        "  LmChallengeResponse: size 24, offset 162: all zero\n"
                        "  NtChallengeResponse: size 314, offset 186: NTLMv2\n"
                        "    NTProofStr: size 16\n"
                        "    RespType, HiRespType: 1, 1\n"
                        "    TimeStamp: 2020-05-07 10:34:37.2775166 UTC (0x01d6245b1b4eb4fe)\n"
                        "    ChallengeFromClient: 8696bcbfde92e618\n"
                        "    AvPairs: size 270\n"
                        "      MsvAvNbDomainName: \"DOMAIN\"\n"
                        "      MsvAvNbComputerName: \"DC01\"\n"
                        "      MsvAvDnsDomainName: \"domain.local\"\n"
                        "      MsvAvDnsComputerName: \"DC01.domain.local\"\n"
                        "      MsvAvDnsTreeName: \"domain.local\"\n"
                        "      MsvAvTimestamp: 2020-05-07 10:34:37.2775166 UTC (0x01d6245b1b4eb4fe)\n"
                        "      MsvAvFlags: 0x00000002\n"
                        "        MIC_PROVIDED\n"
                        "      MsvAvSingleHost: size 48\n"
                        "        CustomData: 0100000000200000\n"
                        "        MachineID: 4135e6ab9d279b8d0642c048e0c1f24d0a9017a55c35b1a184872fedfa712bdc\n"
                        "      MsvAvChannelBindings: all zero: none\n"
                        "      MsvAvTargetName: \"HOST\\dc01.domain.local\"\n"
                        "      MsvAvEOL: size 0\n"
                        "      behind the list: size 4\n"
                        "  DomainName: size 0, offset 88\n"
                        "  UserName: size 54, offset 88: \"vagrant-domain@DOMAIN.LOCAL\"\n"
                        "  Workstation: size 20, offset 142: \"SERVER2019\"\n"
                        "  EncryptedRandomSessionKey: size 16, offset 500\n"
                        "  NegotiateFlags: 0xe2888235\n"
                        "    NEGOTIATE_UNICODE REQUEST_TARGET NEGOTIATE_SIGN NEGOTIATE_SEAL\n"
                        "    NEGOTIATE_NTLM NEGOTIATE_ALWAYS_SIGN NEGOTIATE_EXTENDED_SESSIONSECURITY\n"
                        "    NEGOTIATE_TARGET_INFO NEGOTIATE_VERSION NEGOTIATE_128 NEGOTIATE_KEY_EXCH\n"
                        "    NEGOTIATE_56\n"
                        "  Version: 10.0 build 17763, NTLM revision 15\n"
                        "  MIC: size 16\n");
    free(description.text);
}

static void test_kinds_of_response(void **state)
{
    (void)state;
    expect_text(describe_hex(v1_authenticate_message), "NtChallengeResponse: size 24, offset 132: NTLMv1\n");
    expect_text(describe_hex(v1_authenticate_message), "LmChallengeResponse: size 24, offset 108: LM\n");
    expect_text(describe_hex(v1_authenticate_message), "MIC: no room for one\n");
    expect_text(describe_hex(ess_authenticate_message), "offset 132: NTLMv1 with extended session security\n");
    expect_text(describe_hex(ess_authenticate_message), "offset 108: client challenge\n");
    expect_text(describe_hex(v2_authenticate_message), "LmChallengeResponse: size 24, offset 108: LMv2\n");
}

static struct description describe_authenticate(const struct ntlm_authenticate *message)
{
    struct cs_writer token = {0};
    ntlm_authenticate_write(&token, message);
    struct description description = describe(cs_written(&token));
    cs_writer_drop(&token);
    return description;
}

static void test_anonymous(void **state)
{
    (void)state;
    const uint8_t zero = 0;
    const struct ntlm_authenticate message = {.flags = NTLMSSP_ANONYMOUS, .lm_response = {&zero, 1}};
    expect_text(describe_authenticate(&message), "LmChallengeResponse: size 1, offset 88: anonymous\n");
    expect_text(describe_authenticate(&message), "    ANONYMOUS\n");
}

/* A name must not act on the terminal, add a line of its own, or turn the text around it. */
static void test_names_are_escaped(void **state)
{
    (void)state;
    /* a, ESC, newline, right-to-left override, e with acute, U+1F511, a lone surrogate, and an odd byte */
    struct bytes name = unhex("61001b000a002e20e9003dd811dd00d841");
    struct ntlm_authenticate message = {.flags = NTLMSSP_NEGOTIATE_UNICODE, .user = span_over(&name)};
    expect_text(describe_authenticate(&message), "UserName: size 17, offset 88: "
                                                 "\"a\\u{001B}\\u{000A}\\u{202E}\u00e9\U0001F511\\u{D800}\\x41\"\n");
    struct bytes oem = unhex("61221be95c");
    message = (struct ntlm_authenticate){.flags = NTLMSSP_NEGOTIATE_OEM, .user = span_over(&oem)};
    expect_text(describe_authenticate(&message), "UserName: size 5, offset 88: \"a\\u{0022}\\u{001B}\\xE9\\\"\n");
}

static struct description describe_cut(const char *hex, size_t size)
{
    struct bytes token = unhex(hex);
    return describe((struct cs_span){token.data, size});
}

static void test_says_where_it_broke(void **state)
{
    (void)state;
    expect_text(describe_cut(win_type1, 10), "  Broken at byte 8: MessageType is cut off\n");
    expect_text(describe_cut(win_type1, 15), "  Broken at byte 12: NegotiateFlags is cut off\n");
    expect_text(describe_cut(win_type2, 19), "  Broken at byte 12: TargetName is cut off\n");
    expect_text(describe_cut(win_type2, 39), "  Broken at byte 32: Reserved is cut off\n");
    expect_text(describe_cut(win_type2, 39), "  ServerChallenge: 8e3415a6a6ec237f\n");
    expect_text(describe_cut(win_type2, 205), "  Broken at byte 68: TargetInfo does not lie within the token\n");
    expect_text(describe_cut(win_type3, 50), "  Broken at byte 44: Workstation is cut off\n");
    expect_text(describe_cut(win_type3, 50), "  UserName: size 54, offset 88\n");
    expect_text(describe_cut(win_type3, 515),
                "  Broken at byte 500: EncryptedRandomSessionKey does not lie within the token\n");
    expect_text(describe_hex("4e544c4d5353500004000000"), "  Broken at byte 8: there is no message type 4\n");
}

/* A CHALLENGE_MESSAGE with these AV pairs, which begin at its byte 56. */
static struct description describe_pairs(const char *hex)
{
    struct cs_writer token = {0};
    struct bytes pairs = unhex(hex);
    const struct ntlm_challenge message = {.flags = NTLMSSP_NEGOTIATE_TARGET_INFO, .target_info = span_over(&pairs)};
    ntlm_challenge_write(&token, &message);
    expect_agreement(cs_written(&token));
    struct description description = describe(cs_written(&token));
    cs_writer_drop(&token);
    return description;
}

static void test_pairs(void **state)
{
    (void)state;
    const char bindings[] = "    MsvAvChannelBindings: 000102030405060708090a0b0c0d0e0f\n";
    expect_text(describe_pairs("0a001000000102030405060708090a0b0c0d0e0f00000000"), bindings);
    expect_text(describe_pairs("060004000500008000000000"),
                "    MsvAvFlags: 0x80000005\n      CONSTRAINED_ACCOUNT UNTRUSTED_TARGET_NAME 0x80000000\n");
    expect_text(describe_pairs("2a00030001020300000000"), "    AvId: 42, size 3\n");
    expect_text(describe_pairs("07000800ffffffffffffffff00000000"), "(0xffffffffffffffff)\n");
}

static void test_broken_pairs(void **state)
{
    (void)state;
    expect_text(describe_pairs("0100020041000200020041000000"), "    Broken at byte 68: AV_PAIR is cut off\n");
    expect_text(describe_pairs("01000200410001000200420000000000"),
                "    Broken at byte 62: MsvAvNbComputerName is there twice\n");
    expect_text(describe_pairs("06000200010000000000"),
                "    Broken at byte 56: MsvAvFlags has 2 bytes and must have 4\n");
    expect_text(describe_pairs("01000200410009000500410042"), "    Broken at byte 66: MsvAvTargetName is cut off\n");
    expect_text(describe_pairs("0100020041000900050041004200"), "    MsvAvNbComputerName: \"A\"\n");
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct bytes token = unhex(vectors[i]);
        for (size_t size = 0; size <= token.size; size++) expect_agreement((struct cs_span){token.data, size});
    }
}

static void test_every_byte_altered(void **state)
{
    (void)state;
    const uint8_t changes[] = {0x01, 0x02, 0x08, 0x40, 0x80, 0xFF};
    for (size_t i = 0; i < VECTORS; i++) {
        struct bytes token = unhex(vectors[i]);
        for (size_t at = 0; at < token.size * sizeof changes; at++) {
            const uint8_t change = changes[at % sizeof changes];
            token.data[at / sizeof changes] ^= change;
            expect_agreement(span_over(&token));
            token.data[at / sizeof changes] ^= change;
        }
    }
}

static void test_other_mechanisms(void **state)
{
    (void)state;
    expect_text(describe_hex("601c06062b0601050502a0123010a00e300c060a2b06010401823702020a"),
                "SPNEGO NegTokenInit (30 bytes)\n  mechType: NTLM 1.3.6.1.4.1.311.2.2.10\n");
    expect_text(describe_hex("a1073005a0030a0100"), "SPNEGO NegTokenResp (9 bytes)\n  negState: accept-completed\n");
    expect_text(describe_hex("a1093007a0030a0101a200"),
                "SPNEGO NegTokenResp (11 bytes)\n  Broken at byte 0: not DER, cut, "
                "or with fields out of order\n");
    expect_text(describe_hex("6082"), "token of an unknown kind (2 bytes), begins with 6082\n");
    expect_text(describe_hex("4e544c4d535350"), "token of an unknown kind (7 bytes), begins with 4e544c4d535350\n");
    expect_text(describe_hex(""), "empty token\n");
    struct description description = describe_hex("a1073005a0030a0100");
    assert_true(description.whole);
    free(description.text);
    description = describe_hex("a1073005a0030a01");
    assert_false(description.whole);
    free(description.text);
}

/* Passwords, keys, and what a password could be tried against. Hexadecimal ones are looked for by their beginning. */
static const char *const secrets[] = {
    "Password",
    "VagrantPass1",
    nlmp_random_session_key,
    v1_lmowfv1,
    v1_ntowfv1,
    v1_session_base_key,
    v1_nt_response,
    v1_lm_response,
    v1_encrypted_session_key,
    ess_nt_response,
    ess_key_exchange_key,
    v2_ntowfv2,
    v2_session_base_key,
    v2_lm_response,
    v2_nt_proof,
    v2_encrypted_session_key,
    v2_seal_key_c2s,
    v2_sign_key_c2s,
    win_nt_proof,
    win_mic,
    win_exported_session_key,
    "622379b8a5d93eb74eff58314295224e",
    smb_nt_proof,
    smb_mic,
    smb_exported_session_key,
};

static bool shows(const char *text, const char *secret)
{
    char beginning[17];
    snprintf(beginning, sizeof beginning, "%s", secret);
    return strcasestr(text, beginning) != NULL;
}

static void test_no_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct description description = describe_hex(vectors[i]);
        for (size_t j = 0; j < sizeof secrets / sizeof *secrets; j++) assert_false(shows(description.text, secrets[j]));
        free(description.text);
    }
    /* the search finds what is there */
    struct description description = describe_hex(v2_challenge_message);
    assert_true(shows(description.text, nlmp_server_challenge));
    free(description.text);
}

/* The acceptor's half of a loopback proof travels in Reserved. */
static void test_no_loopback_proof(void **state)
{
    (void)state;
    struct cs_writer token = {0};
    struct ntlm_challenge message = {.flags = NTLMSSP_NEGOTIATE_LOCAL_CALL, .local_call = {0x11, 0x22, 0x33, 0x44}};
    ntlm_challenge_write(&token, &message);
    struct description description = describe(cs_written(&token));
    assert_null(strstr(description.text, "11223344"));
    expect_text(description, "Reserved: size 8\n");
    cs_writer_drop(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_are_whole),
        cmocka_unit_test(test_windows_negotiate),
        cmocka_unit_test(test_windows_challenge),
        cmocka_unit_test(test_windows_authenticate),
        cmocka_unit_test(test_kinds_of_response),
        cmocka_unit_test(test_anonymous),
        cmocka_unit_test(test_names_are_escaped),
        cmocka_unit_test(test_says_where_it_broke),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_broken_pairs),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_every_byte_altered),
        cmocka_unit_test(test_other_mechanisms),
        cmocka_unit_test(test_no_secret),
        cmocka_unit_test(test_no_loopback_proof),
    };
    return cmocka_run_group_tests_name("describe", tests, NULL, NULL);
}
