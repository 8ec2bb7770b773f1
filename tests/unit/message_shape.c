/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one check of a protected message's buffers, and which of them each operation covers.
 *
 * Bug classes: A10 (a TOKEN shorter than a signature), B6 (a buffer type tested as a bit mask).
 */
#include "unit.h"

enum { SIGNATURE = 16 };

static SECURITY_STATUS shape_of(struct parts *parts, enum cs_operation operation, struct cs_shape *shape)
{
    struct cs_message message = message_over(parts);
    return cs_message_shape(&message, operation, SIGNATURE, shape);
}

/* A message of the given types, each buffer of SIZE bytes. */
static struct parts parts_of(const uint32_t *types, uint32_t count, size_t size)
{
    static uint8_t bytes[64];
    struct parts parts = {.count = 0};
    for (uint32_t i = 0; i < count; i++) add_part(&parts, types[i], bytes, size);
    return parts;
}

static SECURITY_STATUS check(const uint32_t *types, uint32_t count, enum cs_operation operation)
{
    struct parts parts = parts_of(types, count, SIGNATURE);
    struct cs_shape shape;
    return shape_of(&parts, operation, &shape);
}

#define CHECK(operation, ...)                                                                                          \
    check((const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), (operation))

/* errors.tsv EncryptMessage NTLM+Kerberos: buffer order is free */
static void order_is_free(void **state)
{
    (void)state;
    for (enum cs_operation operation = CS_MAKE_SIGNATURE; operation <= CS_DECRYPT; operation++) {
        assert_int_equal(CHECK(operation, SECBUFFER_TOKEN, SECBUFFER_DATA), SEC_E_OK);
        assert_int_equal(CHECK(operation, SECBUFFER_DATA, SECBUFFER_TOKEN), SEC_E_OK);
        assert_int_equal(CHECK(operation, SECBUFFER_TOKEN, SECBUFFER_DATA, SECBUFFER_PADDING), SEC_E_OK);
        assert_int_equal(CHECK(operation, SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, SECBUFFER_DATA,
                               SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, SECBUFFER_TOKEN),
                         SEC_E_OK);
    }
}

/* behaviour.md row 107 and errors.tsv MakeSignature NTLM: no TOKEN, no DATA, nothing */
static void parts_missing(void **state)
{
    (void)state;
    for (enum cs_operation operation = CS_MAKE_SIGNATURE; operation <= CS_DECRYPT; operation++) {
        struct parts none = {.count = 0};
        struct cs_shape shape;
        assert_int_equal(shape_of(&none, operation, &shape), SEC_E_INVALID_TOKEN);
        assert_int_equal(CHECK(operation, SECBUFFER_DATA), SEC_E_INVALID_TOKEN);
        assert_int_equal(CHECK(operation, SECBUFFER_DATA, SECBUFFER_DATA), SEC_E_INVALID_TOKEN);
        assert_int_equal(CHECK(operation, SECBUFFER_TOKEN), SEC_E_INVALID_TOKEN);
        assert_int_equal(CHECK(operation, SECBUFFER_TOKEN, SECBUFFER_TOKEN, SECBUFFER_DATA), SEC_E_INVALID_TOKEN);
    }
}

/* B6: 3, 5 and 7 have the bits of DATA, 3, 6 and 7 those of TOKEN */
static void types_are_numbers(void **state)
{
    const uint32_t others[] = {SECBUFFER_PKG_PARAMS,       SECBUFFER_EXTRA,   SECBUFFER_STREAM_TRAILER,
                               SECBUFFER_STREAM_HEADER,    SECBUFFER_MISSING, SECBUFFER_EMPTY,
                               SECBUFFER_CHANNEL_BINDINGS, 0x0FFFFFFF};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        for (enum cs_operation operation = CS_MAKE_SIGNATURE; operation <= CS_DECRYPT; operation++) {
            assert_int_equal(CHECK(operation, SECBUFFER_TOKEN, others[i]), SEC_E_INVALID_TOKEN);
            assert_int_equal(CHECK(operation, others[i], SECBUFFER_DATA), SEC_E_INVALID_TOKEN);
        }
}

/* The documented shape of EncryptMessage (Negotiate), which only sealing knows, and its order. */
static void documented_shape(void **state)
{
    (void)state;
    for (enum cs_operation operation = CS_MAKE_SIGNATURE; operation <= CS_DECRYPT; operation++) {
        const bool seals = operation == CS_ENCRYPT || operation == CS_DECRYPT;
        assert_int_equal(
            CHECK(operation, SECBUFFER_STREAM_HEADER, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER, SECBUFFER_EMPTY),
            seals ? SEC_E_OK : SEC_E_INVALID_TOKEN);
        assert_int_equal(
            CHECK(operation, SECBUFFER_DATA, SECBUFFER_STREAM_HEADER, SECBUFFER_STREAM_TRAILER, SECBUFFER_EMPTY),
            SEC_E_INVALID_TOKEN);
        assert_int_equal(CHECK(operation, SECBUFFER_STREAM_HEADER, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER),
                         SEC_E_INVALID_TOKEN);
    }
}

static bool covered(uint32_t type, enum cs_operation operation)
{
    const struct cs_buffer buffer = {.size = 1, .type = type};
    return cs_buffer_signed(&buffer, operation);
}

/* B6 for coverage; errors.tsv MakeSignature/VerifySignature NTLM for READONLY */
static void coverage(void **state)
{
    (void)state;
    for (enum cs_operation operation = CS_MAKE_SIGNATURE; operation <= CS_DECRYPT; operation++) {
        const bool signing = operation == CS_MAKE_SIGNATURE || operation == CS_VERIFY_SIGNATURE;
        assert_true(covered(SECBUFFER_DATA, operation));
        assert_true(covered(SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, operation));
        assert_int_equal(covered(SECBUFFER_DATA | SECBUFFER_READONLY, operation), signing);
        for (uint32_t type = 0; type < 32; type++)
            if (type != SECBUFFER_DATA) assert_false(covered(type, operation));
    }
}

static void only_plain_data_is_sealed(void **state)
{
    (void)state;
    for (uint32_t type = 0; type < 32; type++) {
        const struct cs_buffer buffer = {.size = 1, .type = type};
        assert_int_equal(cs_buffer_sealed(&buffer), type == SECBUFFER_DATA);
        const struct cs_buffer readonly = {.size = 1, .type = type | SECBUFFER_READONLY};
        assert_false(cs_buffer_sealed(&readonly));
        const struct cs_buffer summed = {.size = 1, .type = type | SECBUFFER_READONLY_WITH_CHECKSUM};
        assert_false(cs_buffer_sealed(&summed));
    }
}

/* A10 */
static void short_tokens(void **state)
{
    const uint32_t types[] = {SECBUFFER_TOKEN, SECBUFFER_DATA};
    (void)state;
    for (enum cs_operation operation = CS_MAKE_SIGNATURE; operation <= CS_DECRYPT; operation++)
        for (size_t size = 0; size <= SIGNATURE + 1; size++) {
            struct parts parts = parts_of(types, 2, size);
            struct cs_shape shape;
            assert_int_equal(shape_of(&parts, operation, &shape), size < SIGNATURE ? SEC_E_BUFFER_TOO_SMALL : SEC_E_OK);
        }
}

/* errors.tsv DecryptMessage NTLM: STREAM and an empty DATA */
static void streams(void **state)
{
    const uint32_t types[] = {SECBUFFER_STREAM, SECBUFFER_DATA};
    (void)state;
    for (size_t size = 0; size <= SIGNATURE; size++) {
        struct parts parts = parts_of(types, 2, size);
        struct cs_shape shape;
        assert_int_equal(shape_of(&parts, CS_DECRYPT, &shape), size < SIGNATURE ? SEC_E_INCOMPLETE_MESSAGE : SEC_E_OK);
        assert_ptr_equal(shape.stream, &parts.buffers[0]);
        assert_ptr_equal(shape.data, &parts.buffers[1]);
    }
    assert_int_equal(CHECK(CS_VERIFY_SIGNATURE, SECBUFFER_STREAM, SECBUFFER_DATA), SEC_E_OK);
    assert_int_equal(CHECK(CS_MAKE_SIGNATURE, SECBUFFER_STREAM, SECBUFFER_DATA), SEC_E_INVALID_TOKEN);
    assert_int_equal(CHECK(CS_ENCRYPT, SECBUFFER_STREAM, SECBUFFER_DATA), SEC_E_INVALID_TOKEN);
    assert_int_equal(CHECK(CS_DECRYPT, SECBUFFER_STREAM), SEC_E_INVALID_TOKEN);
    assert_int_equal(CHECK(CS_DECRYPT, SECBUFFER_STREAM, SECBUFFER_STREAM, SECBUFFER_DATA), SEC_E_INVALID_TOKEN);
    assert_int_equal(CHECK(CS_DECRYPT, SECBUFFER_STREAM, SECBUFFER_TOKEN, SECBUFFER_DATA), SEC_E_INVALID_TOKEN);
    /* What lies beside a STREAM is covered by no signature. */
    assert_int_equal(CHECK(CS_DECRYPT, SECBUFFER_STREAM, SECBUFFER_DATA, SECBUFFER_DATA), SEC_E_INVALID_TOKEN);
    assert_int_equal(CHECK(CS_DECRYPT, SECBUFFER_STREAM, SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM),
                     SEC_E_INVALID_TOKEN);
    assert_int_equal(CHECK(CS_DECRYPT, SECBUFFER_STREAM, SECBUFFER_DATA | SECBUFFER_READONLY), SEC_E_INVALID_TOKEN);
}

/* A TOKEN and two DATA of these sizes, and of this type. Nothing of it is touched. */
static SECURITY_STATUS check_length(enum cs_operation operation, uint32_t type, uint32_t first, uint32_t second)
{
    struct parts parts = parts_of((const uint32_t[]){SECBUFFER_TOKEN, SECBUFFER_DATA, type}, 3, SIGNATURE);
    struct cs_shape shape;
    parts.buffers[1].size = first;
    parts.buffers[2].size = second;
    return shape_of(&parts, operation, &shape);
}

/* SSPI has no limit for NTLM below 2^31. What is longer is refused, also where 32 bits would not hold the sum. */
static void longest(void **state)
{
    const uint32_t most = 0x7FFFFFFF, data = SECBUFFER_DATA;
    (void)state;
    for (enum cs_operation operation = CS_MAKE_SIGNATURE; operation <= CS_DECRYPT; operation++) {
        const bool signing = operation == CS_MAKE_SIGNATURE || operation == CS_VERIFY_SIGNATURE;
        assert_int_equal(check_length(operation, data, most, 0), SEC_E_OK);
        assert_int_equal(check_length(operation, data, most - 5, 5), SEC_E_OK);
        assert_int_equal(check_length(operation, data, most - 5, 6), SEC_E_INVALID_TOKEN);
        assert_int_equal(check_length(operation, data, 0x80000000, 0), SEC_E_INVALID_TOKEN);
        assert_int_equal(check_length(operation, data, 0x80000000, 0x80000000), SEC_E_INVALID_TOKEN);
        assert_int_equal(check_length(operation, data, 0xFFFFFFFF, 2), SEC_E_INVALID_TOKEN);
        assert_int_equal(check_length(operation, data | SECBUFFER_READONLY_WITH_CHECKSUM, most, 1),
                         SEC_E_INVALID_TOKEN);
        /* Sealing leaves READONLY out of the message, and nothing else than DATA is part of it. */
        assert_int_equal(check_length(operation, data | SECBUFFER_READONLY, most, 1),
                         signing ? SEC_E_INVALID_TOKEN : SEC_E_OK);
        assert_int_equal(check_length(operation, SECBUFFER_PADDING, most, 0xFFFFFFFF), SEC_E_OK);
    }
}

static SECURITY_STATUS check_stream_length(enum cs_operation operation, uint32_t stream)
{
    struct parts parts = parts_of((const uint32_t[]){SECBUFFER_STREAM, SECBUFFER_DATA}, 2, SIGNATURE);
    struct cs_shape shape;
    parts.buffers[0].size = stream;
    parts.buffers[1].size = 0xFFFFFFFF; /* where the message is to go: what stands there does not count */
    return shape_of(&parts, operation, &shape);
}

static void longest_stream(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const enum cs_operation operation = i ? CS_DECRYPT : CS_VERIFY_SIGNATURE;
        assert_int_equal(check_stream_length(operation, 0x7FFFFFFFu + SIGNATURE), SEC_E_OK);
        assert_int_equal(check_stream_length(operation, 0x80000000u + SIGNATURE), SEC_E_INVALID_TOKEN);
        assert_int_equal(check_stream_length(operation, 0xFFFFFFFF), SEC_E_INVALID_TOKEN);
    }
}

static void padding_is_emptied(void **state)
{
    const uint32_t types[] = {SECBUFFER_TOKEN, SECBUFFER_PADDING, SECBUFFER_DATA, SECBUFFER_PADDING};
    struct parts parts = parts_of(types, 4, SIGNATURE);
    struct cs_message message = message_over(&parts);
    (void)state;
    cs_message_no_padding(&message);
    assert_int_equal(parts.buffers[0].size, SIGNATURE);
    assert_int_equal(parts.buffers[1].size, 0);
    assert_int_equal(parts.buffers[2].size, SIGNATURE);
    assert_int_equal(parts.buffers[3].size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_free),
        cmocka_unit_test(parts_missing),
        cmocka_unit_test(types_are_numbers),
        cmocka_unit_test(documented_shape),
        cmocka_unit_test(coverage),
        cmocka_unit_test(only_plain_data_is_sealed),
        cmocka_unit_test(short_tokens),
        cmocka_unit_test(streams),
        cmocka_unit_test(longest),
        cmocka_unit_test(longest_stream),
        cmocka_unit_test(padding_is_emptied),
    };
    return cmocka_run_group_tests_name("message_shape", tests, NULL, NULL);
}
