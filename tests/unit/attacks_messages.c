/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Protected messages, genuine and not, in every combination of extended session security, key exchange and key size.
 *
 *  D1  the token shortened at every byte; the message shortened and lengthened
 *  D3  checksum result ignored or inverted: every bit of token and message flipped
 *  D4  the sequence window moved before verification: a forged token ahead of a genuine one; reorder, replay, drop
 * (D2 is Kerberos's; D5, sequence numbers at their end: sequence_wrap.c; A10 and B6: attacks_buffers.c)
 */
#include "sealed_text.h"

#include <stdlib.h>

/* D3 */
static void flip_sealed(const struct sessions *sessions, uint32_t flags)
{
    struct sent sent = seal_text(sessions->client);
    for (size_t bit = 0; bit < 8 * sizeof text; bit++) {
        struct sent forged = sent;
        forged.data[bit / 8] = (char)(forged.data[bit / 8] ^ 1 << bit % 8);
        expect_altered(sessions->server, &forged);
    }
    for (size_t bit = 0; bit < 8 * 16; bit++) {
        struct sent forged = sent;
        forged.token[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (counts(bit / 8, flags)) expect_altered(sessions->server, &forged);
    }
    expect_genuine(sessions->server, &sent);
}

static void flip_signed(const struct sessions *sessions, uint32_t flags)
{
    struct sent sent = sign_text(sessions->server);
    for (size_t bit = 0; bit < 8 * sizeof text; bit++) {
        struct sent forged = sent;
        forged.data[bit / 8] = (char)(forged.data[bit / 8] ^ 1 << bit % 8);
        assert_int_equal(verify(sessions->client, forged.data, sizeof text, forged.token), SEC_E_MESSAGE_ALTERED);
    }
    for (size_t bit = 0; bit < 8 * 16; bit++) {
        struct sent forged = sent;
        forged.token[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (!counts(bit / 8, flags)) continue;
        assert_int_equal(verify(sessions->client, forged.data, sizeof text, forged.token), SEC_E_MESSAGE_ALTERED);
    }
    assert_int_equal(verify(sessions->client, sent.data, sizeof text, sent.token), SEC_E_OK);
}

static void every_bit(void **state)
{
    (void)state;
    for_each_flavour(flip_sealed);
    for_each_flavour(flip_signed);
}

/* What older peers put into RandomPad is no attack. */
static void random_pad(void **state)
{
    struct sessions sessions = sessions_with(NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL);
    (void)state;
    struct sent sent = seal_text(sessions.client);
    memset(sent.token + 4, 0x5a, 4);
    expect_genuine(sessions.server, &sent);
    sessions_end(&sessions);
}

/* D1 */
static void cut_data(const struct sessions *sessions, uint32_t flags)
{
    struct sent sent = seal_text(sessions->client);
    (void)flags;
    for (size_t size = 0; size < sizeof text; size++) {
        struct sent copy = sent;
        assert_int_equal(unseal(sessions->server, copy.data, size, copy.token), SEC_E_MESSAGE_ALTERED);
        assert_memory_equal(&copy, &sent, sizeof copy);
    }
    char longer[sizeof text + 1] = {0};
    memcpy(longer, sent.data, sizeof text);
    assert_int_equal(unseal(sessions->server, longer, sizeof longer, sent.token), SEC_E_MESSAGE_ALTERED);
    assert_memory_equal(longer, sent.data, sizeof text);
    expect_genuine(sessions->server, &sent);
}

static void every_size(void **state)
{
    (void)state;
    for_each_flavour(cut_data);
}

/* D4: errors.tsv DecryptMessage NTLM: messages in the wrong order are SEC_E_MESSAGE_ALTERED */
static void disorder(const struct sessions *sessions, uint32_t flags)
{
    (void)flags;
    struct sent first = seal_text(sessions->client), second = seal_text(sessions->client);
    struct sent third = sign_text(sessions->client);
    expect_altered(sessions->server, &second);
    expect_genuine(sessions->server, &first);
    expect_altered(sessions->server, &first);
    assert_int_equal(verify(sessions->server, third.data, sizeof text, third.token), SEC_E_MESSAGE_ALTERED);
    expect_genuine(sessions->server, &second);
    expect_altered(sessions->server, &second);
    assert_int_equal(verify(sessions->server, third.data, sizeof text, third.token), SEC_E_OK);
    assert_int_equal(verify(sessions->server, third.data, sizeof text, third.token), SEC_E_MESSAGE_ALTERED);
}

/* D4: a forged token far ahead does not move anything */
static void far_ahead(const struct sessions *sessions, uint32_t flags)
{
    const uint32_t jumps[] = {1, 1000, 0x7FFFFFFF, 0xFFFFFFFF};
    (void)flags;
    struct sent sent = seal_text(sessions->client);
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        struct sent forged = sent;
        for (int byte = 0; byte < 4; byte++) forged.token[12 + byte] = (uint8_t)(jumps[i] >> (8 * byte));
        expect_altered(sessions->server, &forged);
    }
    expect_genuine(sessions->server, &sent);
}

static void reflect(const struct sessions *sessions, uint32_t flags)
{
    struct sent sent = seal_text(sessions->client);
    (void)flags;
    expect_altered(sessions->client, &sent);
    expect_genuine(sessions->server, &sent);
}

static void order(void **state)
{
    (void)state;
    for_each_flavour(disorder);
    for_each_flavour(far_ahead);
    for_each_flavour(reflect);
}

static void roundtrip(const struct sessions *sessions, uint32_t flags)
{
    const size_t sizes[] = {0, 1, 4095, 4096, 4097, 8192, 65536, 262144};
    (void)flags;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *data = calloc(1, sizes[i] + 1), *plain = calloc(1, sizes[i] + 1), token[16];
        assert_true(data && plain);
        for (size_t j = 0; j < sizes[i]; j++) data[j] = plain[j] = (uint8_t)(j * 31 + j / 256);
        assert_int_equal(seal(sessions->server, 0, data, sizes[i], token), SEC_E_OK);
        assert_int_equal(unseal(sessions->client, data, sizes[i], token), SEC_E_OK);
        assert_memory_equal(data, plain, sizes[i]);
        assert_int_equal(sign(sessions->client, data, sizes[i], token), SEC_E_OK);
        assert_int_equal(verify(sessions->server, data, sizes[i], token), SEC_E_OK);
        assert_memory_equal(data, plain, sizes[i]);
        free(data);
        free(plain);
    }
}

static void sizes(void **state)
{
    (void)state;
    for_each_flavour(roundtrip);
}

/* The strength is in the keys: each flavour's messages are altered ones to every other that has other keys. */
static void flavours_differ(void **state)
{
    (void)state;
    for (size_t i = 0; i < flavour_count; i++)
        for (size_t j = 0; j < flavour_count; j++) {
            struct sessions a = sessions_with(flavours[i].flags), b = sessions_with(flavours[j].flags);
            struct sent sent = seal_text(a.client);
            /* Without extended session security and LM key KEY_EXCH makes no difference to a session. */
            const uint32_t lm_or_ess = NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY | NTLMSSP_NEGOTIATE_LM_KEY;
            const bool same = i == j || !((flavours[i].flags | flavours[j].flags) & lm_or_ess);
            if (same)
                expect_genuine(b.server, &sent);
            else
                expect_altered(b.server, &sent);
            sessions_end(&a);
            sessions_end(&b);
        }
}

/* Either of the two is enough for all four functions, and EncryptMessage encrypts with either (errors.tsv). */
static void sign_or_seal_only(void **state)
{
    const uint32_t both = NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL;
    (void)state;
    for (size_t i = 0; i < flavour_count; i++)
        for (int j = 0; j < 2; j++) {
            const uint32_t one = j ? NTLMSSP_NEGOTIATE_SIGN : NTLMSSP_NEGOTIATE_SEAL;
            const uint32_t flags = (flavours[i].flags & ~both) | one;
            struct sessions sessions = sessions_with(flags);
            flip_sealed(&sessions, flags);
            flip_signed(&sessions, flags);
            disorder(&sessions, flags);
            sessions_end(&sessions);
        }
}

/* behaviour.md rows 108 to 112, errors.tsv: neither was negotiated */
static void unprotected(void **state)
{
    const uint32_t bits[] = {0, NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY | NTLMSSP_NEGOTIATE_128};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sessions sessions = sessions_with(bits[i]);
        struct sent sent = sign_text(sessions.client);
        expect_hex(((struct cs_span){sent.token, 16}), "01000000000000000000000000000000");
        assert_int_equal(verify(sessions.server, sent.data, sizeof text, sent.token), SEC_E_OK);
        assert_int_equal(verify(sessions.server, sent.data, sizeof text, sent.token), SEC_E_OK);
        for (size_t bit = 0; bit < 8 * 16; bit++) {
            struct sent forged = sent;
            forged.token[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(verify(sessions.server, forged.data, sizeof text, forged.token), SEC_E_MESSAGE_ALTERED);
        }
        assert_int_equal(seal(sessions.client, 0, sent.data, sizeof text, sent.token), SEC_E_UNSUPPORTED_FUNCTION);
        assert_int_equal(unseal(sessions.server, sent.data, sizeof text, sent.token), SEC_E_UNSUPPORTED_FUNCTION);
        assert_string_equal(sent.data, text);
        sessions_end(&sessions);
    }
}

/* The same through an exchange, both ends of it. */
static void after_an_exchange(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    open_complete(&pair, &setup);
    const struct sessions sessions = {cs_context_session(pair.client), cs_context_session(pair.server)};
    const uint32_t flags = NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY;
    flip_sealed(&sessions, flags);
    flip_signed(&sessions, flags);
    disorder(&sessions, flags);
    roundtrip(&sessions, flags);
    pair_close(&pair);
}

/* Two exchanges of the same account have nothing in common. */
static void other_exchange(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair one, two;
    (void)state;
    open_complete(&one, &setup);
    open_complete(&two, &setup);
    struct sent sent = seal_text(cs_context_session(one.client));
    expect_altered(cs_context_session(two.server), &sent);
    expect_genuine(cs_context_session(one.server), &sent);
    pair_close(&one);
    pair_close(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit),
        cmocka_unit_test(random_pad),
        cmocka_unit_test(every_size),
        cmocka_unit_test(order),
        cmocka_unit_test(sizes),
        cmocka_unit_test(flavours_differ),
        cmocka_unit_test(sign_or_seal_only),
        cmocka_unit_test(unprotected),
        cmocka_unit_test(after_an_exchange),
        cmocka_unit_test(other_exchange),
    };
    return cmocka_run_group_tests_name("attacks_messages", tests, known_account, forget_account);
}
