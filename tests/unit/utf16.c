/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UTF-16LE strings. Bug class A4: a length used after a conversion that failed.
 */
#include "unit.h"

#include <string.h>

static void expect_upper(const char *text, const char *upper)
{
    struct bytes from = utf16(text), to = utf16(upper);
    struct cs_writer writer = {0};
    cs_utf16_upper(&writer, span_over(&from));
    assert_int_equal(writer.size, to.size);
    if (to.size) assert_memory_equal(writer.data, to.data, to.size);
    cs_writer_drop(&writer);
}

/* Character by character as Windows has it: nothing becomes two, and no letter outside ASCII becomes one inside. */
static void upper_case(void **state)
{
    (void)state;
    expect_upper("", "");
    expect_upper("User-09_az", "USER-09_AZ");
    expect_upper("\u00e4\u00f6\u00fc\u00ff\u03b1\u0436", "\u00c4\u00d6\u00dc\u0178\u0391\u0416");
    expect_upper("\u00df", "\u00df");                             /* sharp s stays */
    expect_upper("\u0131\u017f", "\u0131\u017f");                 /* dotless i, long s */
    expect_upper("\U0001F600\U00010428", "\U0001F600\U00010428"); /* outside the Basic Multilingual Plane */
}

/* A4: surrogates alone pass through, an odd last byte is dropped */
static void upper_case_of_nonsense(void **state)
{
    const char *cases[][2] = {{"00d8", "00d8"}, {"00dc61", "00dc"}, {"610000d8", "410000d8"}, {"61", ""}, {"ff", ""}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes bytes = unhex(cases[i][0]);
        struct cs_writer writer = {0};
        cs_utf16_upper(&writer, span_over(&bytes));
        expect_hex(cs_written(&writer), cases[i][1]);
        cs_writer_drop(&writer);
    }
}

static bool same(const char *left, const char *right)
{
    struct bytes a = utf16(left), b = utf16(right);
    return cs_utf16_same_name(span_over(&a), span_over(&b));
}

static void names_compare_without_case(void **state)
{
    (void)state;
    assert_true(same("", ""));
    assert_true(same("Administrator", "aDMINISTRATOR"));
    assert_true(same("J\u00e9r\u00f4me", "J\u00c9R\u00d4ME"));
    assert_false(same("user", "user2"));
    assert_false(same("user", ""));
    assert_false(same("stra\u00dfe", "strasse"));
    assert_false(same("s", "\u017f"));
    assert_false(same("i", "\u0131"));
}

/* A4: names of odd length are no names, not even the same one */
static void odd_names_differ(void **state)
{
    struct bytes odd = unhex("610062");
    (void)state;
    assert_false(cs_utf16_same_name(span_over(&odd), span_over(&odd)));
}

static void converts_both_ways(void **state)
{
    const char *text = "Gr\u00fc\u00dfe \u4f60\u597d \U0001F600";
    struct bytes expected = utf16(text);
    struct cs_writer utf8 = {0}, back = {0};
    (void)state;
    assert_true(cs_utf8_of(&utf8, span_over(&expected)));
    assert_int_equal(utf8.size, strlen(text));
    assert_memory_equal(utf8.data, text, utf8.size);
    assert_true(cs_utf16_of(&back, cs_written(&utf8)));
    assert_int_equal(back.size, expected.size);
    assert_memory_equal(back.data, expected.data, back.size);
    cs_writer_drop(&utf8);
    cs_writer_drop(&back);
}

/* Both ways by which OEM converts: ASCII alone, and with a character that is none. */
static void oem_both_ways(void **state)
{
    const char *texts[] = {"WORKSTATION", "\u00dcBER"};
    const char *wanted[] = {"574f524b53544154494f4e", "9a424552"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bytes text = utf16(texts[i]);
        struct cs_writer oem = {0}, back = {0};
        assert_true(cs_oem_of(&oem, span_over(&text)));
        expect_hex(cs_written(&oem), wanted[i]);
        assert_true(cs_utf16_of_oem(&back, cs_written(&oem)));
        assert_int_equal(back.size, text.size);
        assert_memory_equal(back.data, text.data, text.size);
        cs_writer_drop(&oem);
        cs_writer_drop(&back);
    }
}

/* A4: on failure the output is as it was, so nobody can use a length that is not one */
static void failed_conversions_leave_nothing(void **state)
{
    const char *bad[] = {"00d8", "00dc", "610000d8", "00d86100", "00dc00d8", "61", "610062"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bytes bytes = unhex(bad[i]);
        struct cs_writer output = {0};
        cs_write_u16(&output, 0x2a2a);
        assert_false(cs_utf8_of(&output, span_over(&bytes)));
        expect_hex(cs_written(&output), "2a2a");
        cs_writer_drop(&output);
    }
}

static void bad_utf8_does_not_convert(void **state)
{
    const char *bad[] = {"ff", "c3", "c080", "eda080", "f4908080", "61ff62"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bytes bytes = unhex(bad[i]);
        struct cs_writer output = {0};
        assert_false(cs_utf16_of(&output, span_over(&bytes)));
        assert_int_equal(output.size, 0);
        cs_writer_drop(&output);
    }
}

static void oem_lacks_characters(void **state)
{
    struct bytes have = utf16("\u00fcser"), lack = utf16("\u4f60");
    struct cs_writer output = {0};
    (void)state;
    assert_true(cs_oem_of(&output, span_over(&have)));
    expect_hex(cs_written(&output), "81736572");
    assert_false(cs_oem_of(&output, span_over(&lack)));
    expect_hex(cs_written(&output), "81736572");
    cs_writer_drop(&output);
}

static void spans_are_copied(void **state)
{
    struct cs_span copy = {(const uint8_t *)"x", 1};
    (void)state;
    assert_true(cs_span_copy(&copy, (struct cs_span){NULL, 0}));
    assert_null(copy.data);
    assert_int_equal(cs_span_of(NULL).size, 0);
    assert_true(cs_span_copy(&copy, cs_span_of("text")));
    assert_memory_equal(copy.data, "text", 4);
    cs_span_drop(&copy);
    assert_null(copy.data);
    assert_int_equal(copy.size, 0);
    cs_span_drop(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upper_case),
        cmocka_unit_test(upper_case_of_nonsense),
        cmocka_unit_test(names_compare_without_case),
        cmocka_unit_test(odd_names_differ),
        cmocka_unit_test(converts_both_ways),
        cmocka_unit_test(oem_both_ways),
        cmocka_unit_test(failed_conversions_leave_nothing),
        cmocka_unit_test(bad_utf8_does_not_convert),
        cmocka_unit_test(oem_lacks_characters),
        cmocka_unit_test(spans_are_copied),
    };
    return cmocka_run_group_tests_name("utf16", tests, NULL, NULL);
}
