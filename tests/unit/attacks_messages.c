/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Protected messages, genuine and not, in every combination of extended session security, key exchange and key size.
 *
 *  A10 signature buffer under 16 bytes: TOKEN of 0 to 15 bytes at all four entry points
 *  B6  a buffer type tested as a bit mask, so that types 3, 5 and 7 pass for DATA
 *  D1  the token shortened at every byte; the message shortened and lengthened
 *  D3  checksum result ignored or inverted: every bit of token and message flipped
 *  D4  the sequence window moved before verification: a forged token ahead of a genuine one; reorder, replay, drop
 * (D2 is Kerberos's; D5, sequence numbers at their end: sequence_wrap.c)
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const char text[] = "Attack at dawn; the usual place";

/* A message as its receiver gets it. */
struct sent {
    char data[sizeof text];
    uint8_t token[16];
};

static struct sent seal_text(struct cs_session *session)
{
    struct sent sent;
    memcpy(sent.data, text, sizeof text);
    assert_int_equal(seal(session, 0, sent.data, sizeof text, sent.token), SEC_E_OK);
    assert_memory_not_equal(sent.data, text, sizeof text);
    return sent;
}

static struct sent sign_text(struct cs_session *session)
{
    struct sent sent;
    memcpy(sent.data, text, sizeof text);
    assert_int_equal(sign(session, sent.data, sizeof text, sent.token), SEC_E_OK);
    return sent;
}

static void expect_genuine(struct cs_session *session, const struct sent *sent)
{
    struct sent copy = *sent;
    assert_int_equal(unseal(session, copy.data, sizeof text, copy.token), SEC_E_OK);
    assert_memory_equal(copy.data, text, sizeof text);
}

/* Refused, with every byte as it came. */
static void expect_altered(struct cs_session *session, const struct sent *sent)
{
    struct sent copy = *sent;
    assert_int_equal(unseal(session, copy.data, sizeof text, copy.token), SEC_E_MESSAGE_ALTERED);
    assert_memory_equal(&copy, sent, sizeof copy);
}

static void for_each_flavour(void (*test)(const struct sessions *sessions, uint32_t flags))
{
    for (size_t i = 0; i < flavour_count; i++) {
        struct sessions sessions = sessions_with(flavours[i].flags);
        test(&sessions, flavours[i].flags);
        sessions_end(&sessions);
    }
}

/* RandomPad, bytes 4 to 7 without extended session security, says nothing (MS-NLMP 2.2.2.9.1). */
static bool counts(size_t byte, uint32_t flags)
{
    return (flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) || byte < 4 || byte >= 8;
}

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

/* A10 */
static void short_tokens(void **state)
{
    (void)state;
    for (uint32_t size = 0; size < 16; size++) {
        struct sessions sessions = sessions_with(flavours[0].flags);
        struct sent sent = seal_text(sessions.client);
        uint8_t *token = malloc(size ? size : 1);
        char data[sizeof text];
        uint32_t qop;
        memcpy(data, sent.data, sizeof data);
        memcpy(token, sent.token, size);
        struct parts parts = {.count = 0};
        add_part(&parts, SECBUFFER_DATA, data, sizeof data);
        add_part(&parts, SECBUFFER_TOKEN, token, size);
        struct cs_message message = message_over(&parts);
        assert_int_equal(cs_make_signature(sessions.server, &message), SEC_E_BUFFER_TOO_SMALL);
        assert_int_equal(cs_encrypt(sessions.server, 0, &message), SEC_E_BUFFER_TOO_SMALL);
        assert_int_equal(cs_verify_signature(sessions.server, &message), SEC_E_BUFFER_TOO_SMALL);
        assert_int_equal(cs_decrypt(sessions.server, &message, &qop), SEC_E_BUFFER_TOO_SMALL);
        assert_memory_equal(data, sent.data, sizeof data);
        assert_int_equal(parts.buffers[1].size, size);
        expect_genuine(sessions.server, &sent);
        free(token);
        sessions_end(&sessions);
    }
}

/* A larger TOKEN's size becomes the signature's. */
static void large_token(void **state)
{
    struct sessions sessions = sessions_with(flavours[0].flags);
    char data[sizeof text];
    uint8_t token[40];
    (void)state;
    memcpy(data, text, sizeof text);
    memset(token, 0xee, sizeof token);
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_TOKEN, token, sizeof token);
    add_part(&parts, SECBUFFER_DATA, data, sizeof data);
    struct cs_message message = message_over(&parts);
    assert_int_equal(cs_encrypt(sessions.client, 0, &message), SEC_E_OK);
    assert_int_equal(parts.buffers[0].size, 16);
    assert_int_equal(token[16], 0xee);
    assert_int_equal(unseal(sessions.server, data, sizeof data, token), SEC_E_OK);
    sessions_end(&sessions);
}

/* Header, text, trailer and TOKEN; the header's type is the test's choice. */
struct framed {
    char header[8], data[8], trailer[8];
    uint8_t token[16];
    struct parts parts;
};

static void frame(struct framed *framed, uint32_t header_type)
{
    *framed = (struct framed){.header = "header", .data = "text", .trailer = "tail"};
    add_part(&framed->parts, header_type, framed->header, 8);
    add_part(&framed->parts, SECBUFFER_DATA, framed->data, 8);
    add_part(&framed->parts, SECBUFFER_DATA, framed->trailer, 8);
    add_part(&framed->parts, SECBUFFER_TOKEN, framed->token, 16);
}

/* Seals a framed message, alters its header on the way, and says what becomes of it. */
static SECURITY_STATUS seal_and_alter(uint32_t header_type)
{
    struct sessions sessions = sessions_with(flavours[0].flags);
    struct framed framed;
    uint32_t qop;
    frame(&framed, header_type);
    struct cs_message message = message_over(&framed.parts);
    assert_int_equal(cs_encrypt(sessions.client, 0, &message), SEC_E_OK);
    assert_string_equal(framed.header, "header");
    assert_string_not_equal(framed.data, "text");
    assert_string_not_equal(framed.trailer, "tail");
    framed.header[0] ^= 1;
    SECURITY_STATUS status = cs_decrypt(sessions.server, &message, &qop);
    if (status) {
        framed.header[0] ^= 1;
        assert_int_equal(cs_decrypt(sessions.server, &message, &qop), SEC_E_OK);
    }
    assert_string_equal(framed.data, "text");
    assert_string_equal(framed.trailer, "tail");
    sessions_end(&sessions);
    return status;
}

static SECURITY_STATUS sign_and_alter(uint32_t header_type)
{
    struct sessions sessions = sessions_with(flavours[0].flags);
    struct framed framed;
    frame(&framed, header_type);
    struct cs_message message = message_over(&framed.parts);
    assert_int_equal(cs_make_signature(sessions.client, &message), SEC_E_OK);
    assert_string_equal(framed.header, "header");
    framed.header[0] ^= 1;
    SECURITY_STATUS status = cs_verify_signature(sessions.server, &message);
    sessions_end(&sessions);
    return status;
}

/* errors.tsv EncryptMessage NTLM/Kerberos, MakeSignature/VerifySignature NTLM */
static void readonly_buffers(void **state)
{
    const uint32_t data = SECBUFFER_DATA;
    (void)state;
    assert_int_equal(seal_and_alter(data | SECBUFFER_READONLY_WITH_CHECKSUM), SEC_E_MESSAGE_ALTERED);
    assert_int_equal(seal_and_alter(data | SECBUFFER_READONLY), SEC_E_OK);
    assert_int_equal(sign_and_alter(data | SECBUFFER_READONLY_WITH_CHECKSUM), SEC_E_MESSAGE_ALTERED);
    assert_int_equal(sign_and_alter(data | SECBUFFER_READONLY), SEC_E_MESSAGE_ALTERED);
    assert_int_equal(sign_and_alter(data), SEC_E_MESSAGE_ALTERED);
}

/* B6: these are neither sealed nor signed */
static void types_are_numbers(void **state)
{
    const uint32_t others[] = {SECBUFFER_EMPTY, SECBUFFER_PKG_PARAMS,     SECBUFFER_MISSING,
                               SECBUFFER_EXTRA, SECBUFFER_STREAM_TRAILER, SECBUFFER_STREAM_HEADER};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(seal_and_alter(others[i]), SEC_E_OK);
        assert_int_equal(seal_and_alter(others[i] | SECBUFFER_READONLY_WITH_CHECKSUM), SEC_E_OK);
        assert_int_equal(sign_and_alter(others[i]), SEC_E_OK);
    }
}

/* HTTP and SASL: TOKEN, DATA and PADDING in one block; the padding needs nothing. */
static void padding(void **state)
{
    struct sessions sessions = sessions_with(flavours[0].flags);
    char data[sizeof text], pad[8] = "padding";
    uint8_t token[16];
    uint32_t qop;
    (void)state;
    memcpy(data, text, sizeof text);
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_TOKEN, token, sizeof token);
    add_part(&parts, SECBUFFER_DATA, data, sizeof data);
    struct cs_buffer *padded = add_part(&parts, SECBUFFER_PADDING, pad, sizeof pad);
    struct cs_message message = message_over(&parts);
    assert_int_equal(cs_encrypt(sessions.client, 0, &message), SEC_E_OK);
    assert_int_equal(padded->size, 0);
    assert_string_equal(pad, "padding");
    assert_int_equal(cs_decrypt(sessions.server, &message, &qop), SEC_E_OK);
    assert_string_equal(data, text);
    sessions_end(&sessions);
}

/* A sealed message as one block, signature first. */
struct block {
    uint8_t bytes[16 + sizeof text];
    struct parts parts;
};

static void block_of(struct block *block, const struct sent *sent)
{
    *block = (struct block){.parts = {.count = 0}};
    memcpy(block->bytes, sent->token, 16);
    memcpy(block->bytes + 16, sent->data, sizeof text);
    add_part(&block->parts, SECBUFFER_STREAM, block->bytes, sizeof block->bytes);
    add_part(&block->parts, SECBUFFER_DATA, NULL, 0);
}

static void read_stream(const struct sessions *sessions, uint32_t flags)
{
    struct sent sent = seal_text(sessions->client);
    struct block block;
    uint32_t qop = 7;
    (void)flags;
    block_of(&block, &sent);
    struct cs_message message = message_over(&block.parts);
    assert_int_equal(cs_decrypt(sessions->server, &message, &qop), SEC_E_OK);
    assert_ptr_equal(cs_buffer_bytes(&block.parts.buffers[1]), block.bytes + 16);
    assert_int_equal(block.parts.buffers[1].size, sizeof text);
    assert_memory_equal(block.bytes + 16, text, sizeof text);
    assert_int_equal(qop, 7);
}

/* D1, D3 on a stream; DATA is pointed nowhere by a message that does not verify */
static void attack_stream(const struct sessions *sessions, uint32_t flags)
{
    struct sent sent = seal_text(sessions->client);
    struct block block, genuine;
    uint32_t qop = 7;
    block_of(&genuine, &sent);
    for (uint32_t size = 0; size < sizeof genuine.bytes; size++) {
        block_of(&block, &sent);
        block.parts.buffers[0].size = size;
        struct cs_message message = message_over(&block.parts);
        assert_int_equal(cs_decrypt(sessions->server, &message, &qop),
                         size < 16 ? SEC_E_INCOMPLETE_MESSAGE : SEC_E_MESSAGE_ALTERED);
        assert_int_equal(block.parts.buffers[1].address, 0);
    }
    for (size_t bit = 0; bit < 8 * sizeof genuine.bytes; bit++) {
        if (!counts(bit / 8, flags)) continue;
        block_of(&block, &sent);
        block.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct cs_message message = message_over(&block.parts);
        assert_int_equal(cs_decrypt(sessions->server, &message, &qop), SEC_E_MESSAGE_ALTERED);
        assert_int_equal(block.parts.buffers[1].address, 0);
        assert_int_equal(block.parts.buffers[1].size, 0);
        block.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_memory_equal(block.bytes, genuine.bytes, sizeof block.bytes);
    }
    assert_int_equal(qop, 7);
    expect_genuine(sessions->server, &sent);
}

static void streams(void **state)
{
    (void)state;
    for_each_flavour(read_stream);
    for_each_flavour(attack_stream);
}

/* SECQOP_WRAP_NO_ENCRYPT, and errors.tsv EncryptMessage NTLM+Kerberos: unknown fQOP values count as none */
static void quality_of_protection(const struct sessions *sessions, uint32_t flags)
{
    const uint32_t unknown[] = {1, 10, 51566, 0x80000000, 0xFFFFFFFF};
    struct sent sent = {.token = {0}};
    struct parts parts = {.count = 0};
    uint32_t qop = 7;
    (void)flags;
    add_part(&parts, SECBUFFER_DATA, sent.data, sizeof text);
    add_part(&parts, SECBUFFER_TOKEN, sent.token, 16);
    struct cs_message message = message_over(&parts);
    memcpy(sent.data, text, sizeof text);
    assert_int_equal(cs_encrypt(sessions->client, SECQOP_WRAP_NO_ENCRYPT, &message), SEC_E_OK);
    assert_string_equal(sent.data, text);
    sent.data[0] ^= 1;
    assert_int_equal(cs_decrypt(sessions->server, &message, &qop), SEC_E_MESSAGE_ALTERED);
    assert_int_equal(qop, 7);
    sent.data[0] ^= 1;
    assert_int_equal(cs_decrypt(sessions->server, &message, &qop), SEC_E_OK);
    assert_int_equal(qop, SECQOP_WRAP_NO_ENCRYPT);
    assert_string_equal(sent.data, text);
    qop = 7;
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        assert_int_equal(cs_encrypt(sessions->client, unknown[i], &message), SEC_E_OK);
        assert_memory_not_equal(sent.data, text, sizeof text);
        assert_int_equal(cs_decrypt(sessions->server, &message, &qop), SEC_E_OK);
        assert_string_equal(sent.data, text);
        assert_int_equal(qop, 7);
    }
}

static void qualities(void **state)
{
    (void)state;
    for_each_flavour(quality_of_protection);
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
        cmocka_unit_test(short_tokens),
        cmocka_unit_test(large_token),
        cmocka_unit_test(readonly_buffers),
        cmocka_unit_test(types_are_numbers),
        cmocka_unit_test(padding),
        cmocka_unit_test(streams),
        cmocka_unit_test(qualities),
        cmocka_unit_test(sign_or_seal_only),
        cmocka_unit_test(unprotected),
        cmocka_unit_test(after_an_exchange),
        cmocka_unit_test(other_exchange),
    };
    return cmocka_run_group_tests_name("attacks_messages", tests, known_account, forget_account);
}
