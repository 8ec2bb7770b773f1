/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Malformed messages, given to both roles in exchanges. Each is delivered in a block of exactly its size, so that a
 * sanitizer sees any read behind its end; leaks are its leak checker's to see.
 *
 *  A1  offset + length wraps at 32 bits: every field of every message
 *  A2  short header, unterminated AV list: every message cut at every byte
 *  A3  short CHALLENGE; TargetInfo under 4 bytes together with channel bindings
 *  A4  length used after a failed UTF-16 conversion: lone surrogates, odd lengths
 *  A5  target info: ids twice, MsvAvFlags, MsvAvTimestamp and MsvAvChannelBindings of other sizes, timestamp -1
 *  A6  output size: an NT response over 1 KiB, and one over 64 KiB
 *  A7  password length: 64 KiB
 *  A8  LM response length: 0, 1, 23, 25 bytes with extended session security
 *  A9  leak when a parser fails half way: each field in turn, and each length
 *  A11 state set before the message was parsed: what a context says after a bad CHALLENGE
 * (A10, a signature buffer under 16 bytes: attacks_messages.c)
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* A patch of one payload field: Len, MaxLen and BufferOffset at AT of message NUMBER. */
struct field_patch {
    unsigned number;
    size_t at;
    uint16_t size;
    uint32_t offset;
    bool same; /* out: the field was so already */
};

static void patch_field(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    struct field_patch *patch = mitm->data;
    if (number != patch->number) return;
    patch->same = number == 3 && mitm_word(cs_written(message), patch->at + 4) == patch->offset &&
                  mitm_word(cs_written(message), patch->at) == ((uint32_t)patch->size << 16 | patch->size);
    mitm_set_word(message, patch->at, (uint32_t)patch->size << 16 | patch->size);
    mitm_set_word(message, patch->at + 4, patch->offset);
    if (number != 1) return;
    const uint32_t flags = mitm_word(cs_written(message), MITM_NEGOTIATE_FLAGS);
    mitm_set_word(message, MITM_NEGOTIATE_FLAGS,
                  flags | NTLMSSP_NEGOTIATE_OEM_DOMAIN_SUPPLIED | NTLMSSP_NEGOTIATE_OEM_WORKSTATION_SUPPLIED);
}

static const struct {
    unsigned number;
    size_t at;
} fields[] = {{1, 16}, {1, 24}, {2, 12}, {2, 40}, {3, 12}, {3, 20}, {3, 28}, {3, 36}, {3, 44}, {3, 52}};

/* A1, A9 */
static void fields_that_lie_outside(void **state)
{
    const struct {
        uint16_t size;
        uint32_t offset;
    } bad[] = {{0x2F, 0xFFFFFFF0},   {1, 0xFFFFFFFF},      {0xFFFF, 0}, {0xFFFF, 0xFFFFFFFF},
               {0x8000, 0x7FFFFFFF}, {0xFFFF, 0x80000000}, {1, 4096}};
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (size_t j = 0; j < sizeof bad / sizeof *bad; j++) {
            struct pair_setup setup = known_setup();
            struct field_patch patch = {fields[i].number, fields[i].at, bad[j].size, bad[j].offset, false};
            struct mitm mitm = {.edit = patch_field, .data = &patch};
            assert_int_equal(run_edited(&setup, &mitm), SEC_E_INVALID_TOKEN);
            assert_int_equal(mitm.refused, fields[i].number);
        }
}

/* A1: one byte too many at the very end, and fields that lie inside the header or on top of each other */
static void fields_at_the_edges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (uint32_t offset = 0; offset < 600; offset += 7) {
            struct pair_setup setup = known_setup();
            struct field_patch patch = {fields[i].number, fields[i].at, 24, offset, false};
            struct mitm mitm = {.edit = patch_field, .data = &patch};
            SECURITY_STATUS status = run_edited(&setup, &mitm);
            assert_true(patch.same ? status == SEC_E_OK : status < 0);
        }
}

static void cut_message(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    const size_t *size = mitm->data;
    if (number == mitm->target_message && *size < message->size) message->size = *size;
}

/* A2, A9. What is left of a NEGOTIATE_MESSAGE of 16 bytes or more is one; then the MIC tells. */
static void cut_at_every_byte(void **state)
{
    struct pair_setup setup = known_setup();
    (void)state;
    for (unsigned number = 1; number <= 3; number++) {
        const size_t whole = size_of_message(&setup, number);
        for (size_t size = 0; size < whole; size++) {
            struct mitm mitm = {.edit = cut_message, .target_message = number, .data = &size};
            const bool readable = number == 1 && size >= 16;
            assert_int_equal(run_edited(&setup, &mitm), readable ? SEC_E_MESSAGE_ALTERED : SEC_E_INVALID_TOKEN);
            assert_int_equal(mitm.refused, readable ? 3 : number);
        }
    }
}

/* A2: the loopback client's NEGOTIATE_MESSAGE has fields, and is refused wherever it is cut in them */
static void cut_negotiate_with_fields(void **state)
{
    struct pair_setup setup = known_setup();
    (void)state;
    setup.user = NULL;
    const size_t whole = size_of_message(&setup, 1);
    for (size_t size = 0; size < whole; size++) {
        struct mitm mitm = {.edit = cut_message, .target_message = 1, .data = &size};
        assert_int_equal(run_edited(&setup, &mitm), SEC_E_INVALID_TOKEN);
    }
}

/* Every type to every receiver, and what is no NTLM message at all. */
static void foreign_messages(void **state)
{
    const char *foreign[] = {"",
                             "4e",
                             "4e544c4d53535000",
                             "4e544c4d5353500001000000",
                             "4e544c4d5353500004000000",
                             "4e544c4d5353500003000000",
                             "4e544c4d5353500100000000000000000000000000000000",
                             "604806062b0601050502a03e303ca00e300c060a2b06010401823702020aa22a0428",
                             "30820201"};
    struct pair_setup setup = known_setup();
    (void)state;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        struct bytes token = unhex(foreign[i]);
        struct pair pair;
        pair_open(&pair, "NTLM", &setup);
        assert_int_equal(mitm_to_server(&pair, span_over(&token)), SEC_E_INVALID_TOKEN);
        assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(mitm_to_client(&pair, span_over(&token)), SEC_E_INVALID_TOKEN);
        pair_close(&pair);
    }
}

static void messages_out_of_turn(void **state)
{
    struct pair_setup setup = known_setup();
    struct mitm mitm = {0};
    struct pair pair;
    (void)state;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(mitm_run(&mitm, &pair), SEC_E_OK);
    pair_close(&pair);
    for (unsigned first = 1; first <= 3; first++)
        for (unsigned second = 1; second <= 3; second++) {
            pair_open(&pair, "NTLM", &setup);
            SECURITY_STATUS status = mitm_to_server(&pair, mitm_message(&mitm, first));
            assert_int_equal(status, first == 1 ? SEC_I_CONTINUE_NEEDED : SEC_E_INVALID_TOKEN);
            status = mitm_to_server(&pair, mitm_message(&mitm, second));
            /* The AUTHENTICATE_MESSAGE is another exchange's. */
            assert_int_equal(status, first == 1 && second == 3 ? SEC_E_LOGON_DENIED : SEC_E_INVALID_TOKEN);
            pair_close(&pair);
        }
    mitm_end(&mitm);
}

/* A CHALLENGE_MESSAGE of the test's own for a client that waits for one. */
static SECURITY_STATUS challenge_client(const struct pair_setup *setup, struct cs_span challenge, struct bytes *answer)
{
    struct pair pair;
    pair_open(&pair, "NTLM", setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    SECURITY_STATUS status = mitm_to_client(&pair, challenge);
    assert_int_equal(cs_context_session(pair.client) != NULL, status == SEC_E_OK);
    assert_int_equal(cs_token(pair.client).size != 0, status == SEC_E_OK);
    if (answer) {
        answer->size = cs_token(pair.client).size;
        assert_true(answer->size <= sizeof answer->data);
        if (answer->size) memcpy(answer->data, cs_token(pair.client).data, answer->size);
    }
    pair_close(&pair);
    return status;
}

/* CHALLENGE with FLAGS and TARGET_INFO, cut to SIZE bytes. */
static SECURITY_STATUS send_challenge(const struct pair_setup *setup, uint32_t flags, struct cs_span info, size_t size)
{
    struct ntlm_challenge message = {.flags = flags, .target_info = info};
    struct cs_writer token = {0};
    ntlm_challenge_write(&token, &message);
    if (size < token.size) token.size = size;
    SECURITY_STATUS status = challenge_client(setup, cs_written(&token), NULL);
    cs_writer_drop(&token);
    return status;
}

enum {
    PLAIN_CHALLENGE = NTLMSSP_NEGOTIATE_UNICODE | NTLMSSP_NEGOTIATE_NTLM | NTLMSSP_NEGOTIATE_SIGN |
                      NTLMSSP_NEGOTIATE_SEAL | NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY | NTLMSSP_NEGOTIATE_128
};

/* A3. Servers without TargetInfo end behind Reserved, at byte 40; they are answered. */
static void short_challenges(void **state)
{
    struct pair_setup setup = known_setup();
    (void)state;
    for (size_t size = 0; size <= 48; size++) {
        SECURITY_STATUS status = send_challenge(&setup, PLAIN_CHALLENGE, (struct cs_span){0}, size);
        assert_int_equal(status, size < 40 ? SEC_E_INVALID_TOKEN : SEC_E_OK);
        status = send_challenge(&setup, PLAIN_CHALLENGE | NTLMSSP_NEGOTIATE_TARGET_INFO, (struct cs_span){0}, size);
        assert_int_equal(status, size < 48 ? SEC_E_INVALID_TOKEN : SEC_E_OK);
    }
}

/* A3 */
static void short_target_info_with_bindings(void **state)
{
    const uint8_t bindings[32] = {0}, info[4] = {0};
    struct pair_setup setup = known_setup();
    (void)state;
    setup.client_bindings = (struct cs_span){bindings, sizeof bindings};
    for (size_t size = 0; size <= 4; size++) {
        SECURITY_STATUS status = send_challenge(&setup, PLAIN_CHALLENGE | NTLMSSP_NEGOTIATE_TARGET_INFO,
                                                (struct cs_span){info, size}, SIZE_MAX);
        assert_int_equal(status, size == 0 || size == 4 ? SEC_E_OK : SEC_E_INVALID_TOKEN);
    }
}

/* A client's AUTHENTICATE_MESSAGE with other contents, proof and MIC made right for them. */
struct rewrite {
    struct cs_span *lm, *nt, *user, *domain, *workstation, *key; /* NULL: as it is */
    struct cs_span *av;
    uint32_t clear_flags;
    const char *hash;
};

static void put(struct cs_span *field, const struct cs_span *value)
{
    if (value) *field = *value;
}

static void rewrite_answer(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    const struct rewrite *rewrite = mitm->data;
    struct ntlm_authenticate claim;
    if (number != 3) return;
    const struct forge forge = forge_for(mitm, rewrite->hash ? rewrite->hash : known_hash);
    if (rewrite->av) assert_true(forge_av_pairs(message, *rewrite->av));
    assert_int_equal(ntlm_authenticate_read(cs_written(message), &claim), SEC_E_OK);
    claim.flags &= ~rewrite->clear_flags;
    put(&claim.lm_response, rewrite->lm);
    put(&claim.nt_response, rewrite->nt);
    put(&claim.user, rewrite->user);
    put(&claim.domain, rewrite->domain);
    put(&claim.workstation, rewrite->workstation);
    put(&claim.session_key, rewrite->key);
    forge_rewrite(message, &claim);
    if (forge_proof(&forge, message)) forge_mic(&forge, message);
}

static SECURITY_STATUS run_rewritten(const struct rewrite *rewrite, uint32_t client_level)
{
    struct cs_policy client = cs_default_policy(), server = cs_default_policy();
    struct pair_setup setup = known_setup();
    struct rewrite copy = *rewrite;
    struct mitm mitm = {.edit = rewrite_answer, .data = &copy};
    client.lm_compatibility_level = client_level;
    server.lm_compatibility_level = 0;
    setup.client_policy = &client;
    setup.server_policy = &server;
    return run_edited(&setup, &mitm);
}

/* The rewriting itself is no attack. */
static void rewritten_answer_is_accepted(void **state)
{
    const struct rewrite rewrite = {0};
    (void)state;
    assert_int_equal(run_rewritten(&rewrite, 1), SEC_E_OK);
    assert_int_equal(run_rewritten(&rewrite, 3), SEC_E_OK);
}

/* A4 */
static void names_that_are_none(void **state)
{
    const char *hex[] = {"55", "550073", "00d8", "00dc", "550000d8", "00d85500", "00dc00d8"};
    (void)state;
    for (size_t i = 0; i < sizeof hex / sizeof *hex; i++) {
        struct bytes bytes = unhex(hex[i]);
        struct cs_span name = span_over(&bytes);
        const bool odd = name.size % 2;
        const struct rewrite user = {.user = &name}, domain = {.domain = &name}, workstation = {.workstation = &name};
        assert_int_equal(run_rewritten(&user, 3), odd ? SEC_E_INVALID_TOKEN : SEC_E_LOGON_DENIED);
        assert_int_equal(run_rewritten(&domain, 3), odd ? SEC_E_INVALID_TOKEN : SEC_E_OK);
        assert_int_equal(run_rewritten(&workstation, 3), odd ? SEC_E_INVALID_TOKEN : SEC_E_OK);
    }
}

/* A5: pairs after a MsvAvFlags that asks for a MIC; what the proof covers is no better for that */
static void expect_av(const char *hex, SECURITY_STATUS expected)
{
    struct pair_setup setup = known_setup();
    struct bytes av = unhex(hex);
    struct cs_span span = span_over(&av);
    const struct rewrite rewrite = {.av = &span};
    assert_int_equal(run_rewritten(&rewrite, 3), expected);
    assert_int_equal(send_challenge(&setup, PLAIN_CHALLENGE | NTLMSSP_NEGOTIATE_TARGET_INFO, span, SIZE_MAX), expected);
}

static void target_info(void **state)
{
    (void)state;
    expect_av("0600040002000000"
              "00000000",
              SEC_E_OK);
    expect_av("0600040002000000"
              "ffff0300616263"
              "00000000",
              SEC_E_OK); /* an id nobody knows */
    expect_av("0600040002000000"
              "07000800ffffffffffffffff"
              "00000000",
              SEC_E_OK); /* timestamp -1 */
    expect_av("0600040002000000"
              "00000000"
              "0600040000000000",
              SEC_E_OK); /* behind the end */
    expect_av("0600040002000000"
              "0600040000000000"
              "00000000",
              SEC_E_INVALID_TOKEN); /* twice */
    expect_av("0600040000000000"
              "0600040002000000"
              "00000000",
              SEC_E_INVALID_TOKEN);
    expect_av("010000000100000000000000", SEC_E_INVALID_TOKEN);
    expect_av("0600040002000000", SEC_E_INVALID_TOKEN); /* no MsvAvEOL */
    expect_av("0600040002000000"
              "0000",
              SEC_E_INVALID_TOKEN);
    expect_av("0600040002000000"
              "01000100"
              "00000000",
              SEC_E_INVALID_TOKEN);
    expect_av("0600040002000000"
              "0100ffff"
              "00000000",
              SEC_E_INVALID_TOKEN); /* AvLen past the end */
}

static void fixed_sizes(void **state)
{
    const struct {
        uint8_t id, size;
    } fixed[] = {{MsvAvFlags, 4}, {MsvAvTimestamp, 8}, {MsvAvChannelBindings, 16}};
    (void)state;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        for (uint8_t size = 0; size <= 20; size++) {
            uint8_t av[4 + 20 + 4] = {fixed[i].id, 0, size, 0};
            struct cs_span span = {av, (size_t)size + 8};
            const struct rewrite rewrite = {.av = &span};
            assert_int_equal(run_rewritten(&rewrite, 3), size == fixed[i].size ? SEC_E_OK : SEC_E_INVALID_TOKEN);
        }
}

/* TargetInfo of SIZE bytes: one pair that nobody knows. */
static struct cs_span large_info(size_t size)
{
    uint8_t *info = calloc(1, size);
    const size_t value = size - 8;
    assert_non_null(info);
    info[0] = info[1] = 0x7f;
    info[2] = (uint8_t)value;
    info[3] = (uint8_t)(value >> 8);
    return (struct cs_span){info, size};
}

/* A6: over 1 KiB is answered whole; what does not fit a field any more is an error, and nothing is sent */
static void large_target_info(void **state)
{
    const size_t sizes[] = {1024, 4096, 60000, 65000, 65500, 65535};
    struct pair_setup setup = known_setup();
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct cs_span info = large_info(sizes[i]);
        const struct rewrite rewrite = {.av = &info};
        SECURITY_STATUS status =
            send_challenge(&setup, PLAIN_CHALLENGE | NTLMSSP_NEGOTIATE_TARGET_INFO, info, SIZE_MAX);
        assert_int_equal(status == SEC_E_OK, sizes[i] <= 65000);
        if (sizes[i] <= 65000) assert_int_equal(run_rewritten(&rewrite, 3), SEC_E_OK);
        cs_span_drop(&info);
    }
}

/* A7 */
static void long_password(void **state)
{
    const size_t sizes[] = {65535, 65536, 65537, 1 << 20};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct pair_setup setup = known_setup();
        struct mitm mitm = {0};
        char *password = malloc(sizes[i] + 1);
        assert_non_null(password);
        memset(password, 'p', sizes[i]);
        password[sizes[i]] = 0;
        setup.password = password;
        assert_int_equal(run_edited(&setup, &mitm), SEC_E_LOGON_DENIED);
        free(password);
    }
}

/* A8, and B7's "ESS with an LM response of 0": the client challenge is in there, so it must be whole */
static void lm_response_sizes(void **state)
{
    const uint8_t lm[64] = {1, 2, 3};
    const size_t sizes[] = {0, 1, 7, 8, 16, 23, 24, 25, 64};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct cs_span span = {lm, sizes[i]};
        const struct rewrite rewrite = {.lm = &span};
        assert_int_equal(run_rewritten(&rewrite, 1), sizes[i] == 24 ? SEC_E_OK : SEC_E_LOGON_DENIED);
        assert_int_equal(run_rewritten(&rewrite, 3), SEC_E_OK); /* NTLMv2 does not need it */
    }
}

/* NT responses of every size around the two kinds' limits. */
static void nt_response_sizes(void **state)
{
    const uint8_t nt[64] = {1, 2, 3};
    (void)state;
    for (size_t size = 0; size < sizeof nt; size++) {
        struct cs_span span = {nt, size};
        const struct rewrite rewrite = {.nt = &span};
        SECURITY_STATUS status = run_rewritten(&rewrite, 3);
        /* 24 bytes are NTLMv1, which forge_proof makes right. 44 with no AV pairs are an NTLMv2 response. */
        if (size == 24 || (size >= 44 && status == SEC_E_OK)) continue;
        assert_int_equal(status, size < 24 ? SEC_E_LOGON_DENIED : SEC_E_INVALID_TOKEN);
    }
}

/* A11 */
static void after_a_bad_challenge(void **state)
{
    struct pair_setup setup = known_setup();
    struct bytes bad = unhex("4e544c4d5353500002000000");
    struct mitm good = {0};
    struct pair pair;
    (void)state;
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(mitm_run(&good, &pair), SEC_E_OK);
    pair_close(&pair);
    pair_open(&pair, "NTLM", &setup);
    assert_int_equal(pair_client_step(&pair, (struct cs_span){0}), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(mitm_to_client(&pair, span_over(&bad)), SEC_E_INVALID_TOKEN);
    assert_null(cs_context_session(pair.client));
    assert_int_equal(cs_token(pair.client).size, 0);
    assert_int_equal(mitm_to_client(&pair, mitm_message(&good, 2)), SEC_E_INVALID_TOKEN);
    assert_null(cs_context_session(pair.client));
    pair_close(&pair);
    mitm_end(&good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_that_lie_outside),
        cmocka_unit_test(fields_at_the_edges),
        cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(cut_negotiate_with_fields),
        cmocka_unit_test(foreign_messages),
        cmocka_unit_test(messages_out_of_turn),
        cmocka_unit_test(short_challenges),
        cmocka_unit_test(short_target_info_with_bindings),
        cmocka_unit_test(rewritten_answer_is_accepted),
        cmocka_unit_test(names_that_are_none),
        cmocka_unit_test(target_info),
        cmocka_unit_test(fixed_sizes),
        cmocka_unit_test(large_target_info),
        cmocka_unit_test(long_password),
        cmocka_unit_test(lm_response_sizes),
        cmocka_unit_test(nt_response_sizes),
        cmocka_unit_test(after_a_bad_challenge),
    };
    return cmocka_run_group_tests_name("attacks_parsing", tests, known_account, forget_account);
}
