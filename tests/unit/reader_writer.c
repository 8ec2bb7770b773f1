/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bounded reader and the bounded writer: sticky errors, sizes that would wrap, and nothing outside the bounds.
 * Bug class A1.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t eight[8] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
static const struct cs_span eight_span = {eight, sizeof eight};

static void reads_little_endian(void **state)
{
    struct cs_reader reader = cs_reader_of(eight_span);
    (void)state;
    assert_int_equal(cs_read_u8(&reader), 0x01);
    assert_int_equal(cs_read_u16(&reader), 0x4523);
    assert_int_equal(cs_read_u32(&reader), 0xcdab8967);
    assert_int_equal(reader.remaining, 1);
    assert_false(reader.failed);
    reader = cs_reader_of(eight_span);
    assert_int_equal(cs_read_u64(&reader), UINT64_C(0xefcdab8967452301));
    assert_int_equal(reader.remaining, 0);
    assert_false(reader.failed);
}

static void error_sticks(void **state)
{
    struct cs_reader reader = cs_reader_of(eight_span);
    (void)state;
    assert_null(cs_read_span(&reader, 9).data);
    assert_true(reader.failed);
    assert_int_equal(cs_read_u8(&reader), 0);
    assert_int_equal(cs_read_u64(&reader), 0);
    assert_int_equal(cs_read_span(&reader, 0).size, 0);
    assert_true(reader.failed);
}

/* A value that the end cuts is an error as a whole, not what is there of it. */
static void cut_integer_is_zero(void **state)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){eight, 3});
    (void)state;
    assert_int_equal(cs_read_u32(&reader), 0);
    assert_true(reader.failed);
}

static void empty_span_reads_nothing(void **state)
{
    struct cs_reader reader = cs_reader_of((struct cs_span){NULL, 0});
    (void)state;
    assert_int_equal(cs_read_span(&reader, 0).size, 0);
    assert_false(reader.failed);
    assert_int_equal(cs_read_u8(&reader), 0);
    assert_true(reader.failed);
}

/* A1: offset 0xFFFFFFF0 and length 0x2F would add up to 0x1F in 32 bits; the same in 64 */
static void span_at_does_not_wrap(void **state)
{
    const size_t bad[][2] = {
        {0xFFFFFFF0, 0x2F}, {SIZE_MAX, 1}, {SIZE_MAX - 3, 8}, {1, SIZE_MAX}, {8, 1}, {9, 0}, {0, 9}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bool failed = false;
        assert_int_equal(cs_span_at(eight_span, bad[i][0], bad[i][1], &failed).size, 0);
        assert_true(failed);
    }
}

static void span_at_keeps_the_error(void **state)
{
    bool failed = false;
    (void)state;
    struct cs_span span = cs_span_at(eight_span, 2, 6, &failed);
    assert_false(failed);
    assert_ptr_equal(span.data, eight + 2);
    assert_int_equal(cs_span_at(eight_span, 8, 0, &failed).size, 0);
    assert_false(failed);
    failed = true;
    cs_span_at(eight_span, 0, 1, &failed);
    assert_true(failed);
}

static void writes_what_was_asked(void **state)
{
    struct cs_writer writer = {0};
    (void)state;
    cs_write_u8(&writer, 0x01);
    cs_write_u16(&writer, 0x4523);
    cs_write_u32(&writer, 0xcdab8967);
    cs_write_le(&writer, 0xef, 1);
    cs_write_u64(&writer, UINT64_C(0xefcdab8967452301));
    cs_write_span(&writer, (struct cs_span){NULL, 0});
    expect_hex(cs_written(&writer), "0123456789abcdef0123456789abcdef");
    cs_write_over(&writer, 14, (struct cs_span){eight, 2});
    assert_false(writer.failed);
    expect_hex(cs_written(&writer), "0123456789abcdef0123456789ab0123");
    cs_writer_drop(&writer);
    assert_null(writer.data);
    assert_int_equal(writer.size, 0);
}

static void writer_grows(void **state)
{
    struct cs_writer writer = {0};
    (void)state;
    for (unsigned i = 0; i < 10000; i++) cs_write_u16(&writer, (uint16_t)i);
    assert_false(writer.failed);
    assert_int_equal(writer.size, 20000);
    struct cs_reader reader = cs_reader_of(cs_written(&writer));
    for (unsigned i = 0; i < 10000; i++) assert_int_equal(cs_read_u16(&reader), i);
    cs_writer_drop(&writer);
}

static void room_is_zeroed(void **state)
{
    struct cs_writer writer = {0};
    (void)state;
    cs_write_span(&writer, eight_span);
    writer.size = 0; /* as a caller that takes back what it wrote */
    const uint8_t *room = cs_write_room(&writer, 8);
    assert_non_null(room);
    expect_hex(((struct cs_span){room, 8}), "0000000000000000");
    cs_writer_drop(&writer);
}

static void overwriting_outside_sticks(void **state)
{
    const size_t bad[][2] = {{5, 4}, {9, 1}, {SIZE_MAX, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct cs_writer writer = {0};
        cs_write_span(&writer, eight_span);
        cs_write_over(&writer, bad[i][0], (struct cs_span){eight, bad[i][1]});
        assert_true(writer.failed);
        expect_hex(cs_written(&writer), "0123456789abcdef");
        cs_writer_drop(&writer);
    }
}

/* What cannot be had makes the error stick, and what was written stays. */
static void too_much_sticks(void **state)
{
    struct cs_writer writer = {0};
    (void)state;
    cs_write_u8(&writer, 1);
    assert_null(cs_write_room(&writer, SIZE_MAX));
    assert_true(writer.failed);
    assert_null(cs_write_room(&writer, 1));
    cs_write_u8(&writer, 2);
    assert_int_equal(writer.size, 1);
    cs_writer_drop(&writer);
    assert_false(writer.failed);
    cs_write_u8(&writer, 3);
    expect_hex(cs_written(&writer), "03");
    cs_writer_drop(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_little_endian),   cmocka_unit_test(error_sticks),
        cmocka_unit_test(cut_integer_is_zero),   cmocka_unit_test(empty_span_reads_nothing),
        cmocka_unit_test(span_at_does_not_wrap), cmocka_unit_test(span_at_keeps_the_error),
        cmocka_unit_test(writes_what_was_asked), cmocka_unit_test(writer_grows),
        cmocka_unit_test(room_is_zeroed),        cmocka_unit_test(overwriting_outside_sticks),
        cmocka_unit_test(too_much_sticks),
    };
    return cmocka_run_group_tests_name("reader_writer", tests, NULL, NULL);
}
