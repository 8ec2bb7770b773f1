/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lists of buffers in which protected messages come: every shape that programs use, and what is in none of them.
 *
 *  A10 signature buffer under 16 bytes: TOKEN of 0 to 15 bytes at all four entry points
 *  B6  a buffer type tested as a bit mask, so that types 3, 5 and 7 pass for DATA
 *  D1  a STREAM shortened at every byte
 *  D3  every bit of a STREAM flipped
 */
#include "sealed_text.h"

#include <stdlib.h>

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

/* errors.tsv VerifySignature: STREAM and an empty DATA, as .NET passes them */
static void verify_stream(const struct sessions *sessions, uint32_t flags)
{
    struct sent sent = {.data = {0}};
    struct block block;
    (void)flags;
    memcpy(sent.data, text, sizeof text);
    assert_int_equal(sign(sessions->client, sent.data, sizeof text, sent.token), SEC_E_OK);
    block_of(&block, &sent);
    struct cs_message message = message_over(&block.parts);
    block.bytes[20] ^= 1;
    assert_int_equal(cs_verify_signature(sessions->server, &message), SEC_E_MESSAGE_ALTERED);
    assert_int_equal(block.parts.buffers[1].address, 0);
    block.bytes[20] ^= 1;
    assert_int_equal(cs_verify_signature(sessions->server, &message), SEC_E_OK);
    assert_ptr_equal(cs_buffer_bytes(&block.parts.buffers[1]), block.bytes + 16);
}

static void streams(void **state)
{
    (void)state;
    for_each_flavour(read_stream);
    for_each_flavour(verify_stream);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_tokens),      cmocka_unit_test(large_token), cmocka_unit_test(readonly_buffers),
        cmocka_unit_test(types_are_numbers), cmocka_unit_test(padding),     cmocka_unit_test(streams),
        cmocka_unit_test(qualities),
    };
    return cmocka_run_group_tests_name("attacks_buffers", tests, NULL, NULL);
}
