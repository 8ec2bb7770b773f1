/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Malformed PACs, without a good signature and with one, for a KDC may be another's: cut at each byte, every bit
 * flipped, every integer at its extremes, counts that no bytes stand behind, NULL pointers with counts, parts outside,
 * twice, and on top of each other. Source: MS-PAC 2.3 to 2.10, MS-RPCE 2.2.6.
 *
 * Bug classes, as for NTLM: A1 (offset + length wraps), A2 (truncation), A4 (odd lengths of UTF-16), A9 (leaks half
 * way).
 */
#include "pac_unit.h"

/* Where members of KERB_VALIDATION_INFO lie in LOGON_INFO, with its headers of 16 bytes. */
enum {
    TOP_POINTER = 16,
    EFFECTIVE_NAME = 68,
    GROUP_COUNT = 128,
    GROUP_POINTER = 132,
    DOMAIN_SID = 172,
    SID_COUNT = 216,
    SID_POINTER = 220,
    RESOURCE_SID = 224,
    RESOURCE_COUNT = 228,
    RESOURCE_POINTER = 232,
    FIXED_END = 236,
};

static struct pac_world world;

static int open_world(void **state)
{
    (void)state;
    world = pac_world_open(ETYPE_AES256_CTS_HMAC_SHA1_96);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    pac_world_close(&world);
    return 0;
}

static struct cs_writer good_pac(void)
{
    const struct pac_forge forge = pac_good(&world);
    struct cs_writer pac = {0};
    pac_forge(&forge, &pac);
    return pac;
}

/* The status of a well signed PAC with INFO for its LOGON_INFO, or for its UPN_DNS_INFO. */
static SECURITY_STATUS signed_status(struct cs_span logon_info, struct cs_span upn_dns_info)
{
    struct pac_forge forge = pac_good(&world);
    forge.logon_info = logon_info;
    forge.upn_dns_info = upn_dns_info;
    return pac_forged_status(&world, &forge);
}

static SECURITY_STATUS logon_status(const struct bytes *info)
{
    return signed_status(span_over(info), (struct cs_span){0});
}

static void put_u32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(value >> (8 * i));
}

/* A copy on the heap of exactly that size, so that a byte too many is seen. */
static void pac_cut(void **state)
{
    struct cs_writer pac = good_pac();
    (void)state;
    for (size_t size = 0; size < pac.size; size++) {
        struct cs_span cut;
        assert_true(cs_span_copy(&cut, (struct cs_span){pac.data, size}));
        const SECURITY_STATUS status = pac_status(&world, cut);
        assert_true(status == SEC_E_INVALID_TOKEN || status == SEC_E_LOGON_DENIED);
        cs_span_drop(&cut);
    }
    cs_writer_drop(&pac);
}

/* Only the KDC's signature, which is not for us, may change. */
static void pac_bits(void **state)
{
    struct cs_writer pac = good_pac();
    unsigned taken = 0;
    (void)state;
    for (size_t bit = 0; bit < pac.size * 8; bit++) {
        pac.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        taken += pac_status(&world, cs_written(&pac)) == SEC_E_OK;
        pac.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(taken, 12 * 8);
    cs_writer_drop(&pac);
}

/* Counts, sizes and offsets of the frame: none is believed before the signature, none leads outside. */
static void pac_integers(void **state)
{
    const uint32_t extremes[] = {0, 1, 7, 8, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFF8, 0xFFFFFFFF};
    struct cs_writer pac = good_pac();
    const size_t frame = 8 + 4 * 16;
    uint8_t kept[4];
    (void)state;
    for (size_t at = 0; at < frame; at += 4) {
        memcpy(kept, pac.data + at, 4);
        for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
            put_u32(pac.data + at, extremes[i]);
            const SECURITY_STATUS status = pac_status(&world, cs_written(&pac));
            if (!memcmp(kept, pac.data + at, 4)) continue;
            assert_true(status == SEC_E_INVALID_TOKEN || status == SEC_E_LOGON_DENIED);
        }
        memcpy(pac.data + at, kept, 4);
    }
    cs_writer_drop(&pac);
}

static void parts_twice(void **state)
{
    const uint32_t types[] = {PAC_LOGON_INFO, PAC_SERVER_CHECKSUM, PAC_KDC_CHECKSUM, PAC_CLIENT_INFO};
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct pac_forge forge = pac_good(&world);
        forge.twice = 1u << types[i];
        assert_int_equal(pac_forged_status(&world, &forge), SEC_E_INVALID_TOKEN);
    }
}

static void logon_cut(void **state)
{
    const struct bytes full = unhex(pac_full_logon_info);
    (void)state;
    for (size_t size = 1; size < full.size; size++) {
        struct bytes cut = {.size = size};
        memcpy(cut.data, full.data, size);
        assert_int_equal(logon_status(&cut), SEC_E_INVALID_TOKEN);
        if (size < 16) continue;
        put_u32(cut.data + 8, (uint32_t)(size - 16)); /* and the header says so */
        assert_int_equal(logon_status(&cut), SEC_E_INVALID_TOKEN);
    }
}

/* On the heap by itself, for the sanitizers; every answer is one of two, and a bad one leaves nothing behind. */
static void logon_integers(void **state)
{
    const uint32_t extremes[] = {0, 1, 2, 15, 16, 0x1FFFFFFF, 0x20000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
    const struct bytes full = unhex(pac_full_logon_info);
    (void)state;
    for (size_t at = 0; at + 4 <= full.size; at += 2) {
        for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
            struct kerberos_pac pac = {0};
            struct cs_span copy;
            assert_true(cs_span_copy(&copy, span_over(&full)));
            put_u32((uint8_t *)(uintptr_t)copy.data + at, extremes[i]);
            const SECURITY_STATUS status = kerberos_pac_logon(copy, &pac);
            assert_true(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN);
            kerberos_pac_drop(&pac);
            cs_span_drop(&copy);
        }
    }
}

static void counts_without_elements(void **state)
{
    const size_t counts[] = {GROUP_COUNT, SID_COUNT, RESOURCE_COUNT};
    const uint32_t values[] = {0, 3, 4, 60, 0x10000000, 0x20000000, 0x20000002, 0x7FFFFFFF, 0xFFFFFFFF};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
            struct bytes info = unhex(pac_full_logon_info);
            put_u32(info.data + counts[i], values[k]);
            assert_int_equal(logon_status(&info), SEC_E_INVALID_TOKEN);
        }
    }
}

/* The same number before the array too: all of its elements must be there. */
static void counts_that_agree(void **state)
{
    const uint32_t values[] = {3, 100, 0x20000002, 0xFFFFFFFF};
    (void)state;
    for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
        struct bytes info = unhex(pac_full_logon_info);
        const size_t last = info.size - 12; /* the count of the resource groups, the last array */
        put_u32(info.data + RESOURCE_COUNT, values[k]);
        put_u32(info.data + last, values[k]);
        assert_int_equal(logon_status(&info), SEC_E_INVALID_TOKEN);
    }
}

static void null_pointers(void **state)
{
    const size_t pointers[] = {TOP_POINTER, EFFECTIVE_NAME + 4, GROUP_POINTER,   DOMAIN_SID,
                               SID_POINTER, RESOURCE_SID,       RESOURCE_POINTER};
    (void)state;
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        struct bytes info = unhex(pac_full_logon_info);
        put_u32(info.data + pointers[i], 0);
        assert_int_equal(logon_status(&info), SEC_E_INVALID_TOKEN);
    }
}

/* The name: an odd length, more than there are characters, an offset, more than the maximum. */
static void strings(void **state)
{
    const uint16_t sizes[] = {13, 16, 0xFFFF};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct bytes info = unhex(pac_full_logon_info);
        info.data[EFFECTIVE_NAME] = (uint8_t)sizes[i];
        info.data[EFFECTIVE_NAME + 1] = (uint8_t)(sizes[i] >> 8);
        assert_int_equal(logon_status(&info), SEC_E_INVALID_TOKEN);
    }
    for (size_t at = FIXED_END; at < FIXED_END + 12; at += 4) {
        for (uint32_t value = 0; value < 7; value++) {
            struct bytes info = unhex(pac_full_logon_info);
            if (at == FIXED_END + 4 && !value) continue;
            put_u32(info.data + at, value);
            assert_int_equal(logon_status(&info), SEC_E_INVALID_TOKEN);
        }
    }
}

static void headers(void **state)
{
    const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {{0, 0}, {0, 2}, {1, 0}, {1, 0x11}, {2, 0}, {2, 16}, {3, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct bytes info = unhex(pac_full_logon_info);
        info.data[wrong[i].at] = wrong[i].value;
        assert_int_equal(logon_status(&info), SEC_E_INVALID_TOKEN);
    }
}

/* The extra SIDs: another revision, more subauthorities than 15, or than it says before. */
static void sids(void **state)
{
    const struct bytes full = unhex(pac_full_logon_info);
    const struct bytes sid = unhex("01000000010100000000001201000000"); /* with the count before it */
    const uint8_t *found = memmem(full.data, full.size, sid.data, sid.size);
    (void)state;
    assert_non_null(found);
    const size_t at = (size_t)(found - full.data);
    for (unsigned value = 0; value < 256; value++) {
        struct bytes info = full;
        info.data[at] = (uint8_t)value;
        assert_int_equal(logon_status(&info), value == 1 ? SEC_E_OK : SEC_E_INVALID_TOKEN);
        info = full;
        info.data[at + 4] = (uint8_t)value;
        assert_int_equal(logon_status(&info), value == 1 ? SEC_E_OK : SEC_E_INVALID_TOKEN);
        info = full;
        info.data[at + 5] = (uint8_t)value;
        assert_int_equal(logon_status(&info), value == 1 ? SEC_E_OK : SEC_E_INVALID_TOKEN);
    }
}

/* The full LOGON_INFO, in which the first time that OLD comes NEW takes its place, both in hex. */
static struct bytes with_instead(const char *old, const char *new)
{
    const struct bytes full = unhex(pac_full_logon_info), from = unhex(old), to = unhex(new);
    const uint8_t *found = memmem(full.data, full.size, from.data, from.size);
    struct bytes info = full;
    assert_non_null(found);
    const size_t at = (size_t)(found - full.data), rest = at + from.size;
    memcpy(info.data + at, to.data, to.size);
    memcpy(info.data + at + to.size, full.data + rest, full.size - rest);
    info.size = full.size - from.size + to.size;
    put_u32(info.data + 8, (uint32_t)(info.size - 16));
    return info;
}

#define DOMAIN_SID_HEX                                                                                                 \
    "04000000"                                                                                                         \
    "0104000000000005"                                                                                                 \
    "15000000"                                                                                                         \
    "01000000"                                                                                                         \
    "02000000"                                                                                                         \
    "03000000"
#define EXTRA_SID_HEX                                                                                                  \
    "01000000"                                                                                                         \
    "0101000000000012"                                                                                                 \
    "01000000"
#define FIVE_HEX                                                                                                       \
    "01000000"                                                                                                         \
    "02000000"                                                                                                         \
    "03000000"                                                                                                         \
    "04000000"                                                                                                         \
    "05000000"

/* SIDs with as many subauthorities as they may have, and with one more; to the domain's comes the user's. */
static void long_sids(void **state)
{
    struct bytes info = with_instead(EXTRA_SID_HEX, "0f000000"
                                                    "010f000000000012" FIVE_HEX FIVE_HEX FIVE_HEX);
    (void)state;
    assert_int_equal(logon_status(&info), SEC_E_OK);
    info = with_instead(EXTRA_SID_HEX, "10000000"
                                       "0110000000000012" FIVE_HEX FIVE_HEX FIVE_HEX "06000000");
    assert_int_equal(logon_status(&info), SEC_E_INVALID_TOKEN);
    info = with_instead(DOMAIN_SID_HEX, "0e000000"
                                        "010e000000000005" FIVE_HEX FIVE_HEX "01000000"
                                        "02000000"
                                        "03000000"
                                        "04000000");
    assert_int_equal(logon_status(&info), SEC_E_OK);
    info = with_instead(DOMAIN_SID_HEX, "0f000000"
                                        "010f000000000005" FIVE_HEX FIVE_HEX FIVE_HEX);
    assert_int_equal(logon_status(&info), SEC_E_INVALID_TOKEN);
}

/* The full LOGON_INFO, with COUNT more groups of the domain. Of the others there are five. */
static void write_more_groups(struct cs_writer *info, uint32_t count)
{
    const struct bytes full = unhex(pac_full_logon_info), groups = unhex("02000000"
                                                                         "01020000"
                                                                         "07000000");
    const uint8_t *found = memmem(full.data, full.size, groups.data, groups.size);
    assert_non_null(found);
    const size_t at = (size_t)(found - full.data) + 4;
    cs_write_span(info, (struct cs_span){full.data, at});
    for (uint32_t i = 0; i < count; i++) cs_write_u64(info, 10000 + i);
    cs_write_span(info, (struct cs_span){full.data + at, full.size - at});
    assert_false(info->failed);
    put_u32(info->data + 8, (uint32_t)(info->size - 16));
    put_u32(info->data + GROUP_COUNT, 2 + count);
    put_u32(info->data + at - 4, 2 + count);
}

/* As many groups as a token may have, and one more, and as many as a ticket has room for. */
static void many_groups(void **state)
{
    const struct {
        uint32_t count;
        SECURITY_STATUS status;
    } rows[] = {{0, SEC_E_OK},
                {CS_LOGON_MOST_GROUPS - 5, SEC_E_OK},
                {CS_LOGON_MOST_GROUPS - 4, SEC_E_LOGON_DENIED},
                {7000, SEC_E_LOGON_DENIED}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cs_writer info = {0};
        write_more_groups(&info, rows[i].count);
        assert_int_equal(signed_status(cs_written(&info), (struct cs_span){0}), rows[i].status);
        cs_writer_drop(&info);
    }
}

/* NULL pointers, and nothing there for them: everything else is in its place. */
static void null_pointers_to_nothing(void **state)
{
    struct bytes info = with_instead("07000000"
                                     "00000000"
                                     "07000000"
                                     "76006100670072006100"
                                     "6e007400"
                                     "0000",
                                     "");
    (void)state;
    put_u32(info.data + EFFECTIVE_NAME + 4, 0);
    assert_int_equal(logon_status(&info), SEC_E_INVALID_TOKEN);
    info = with_instead("02000000"
                        "38000200"
                        "07000000"
                        "3c000200"
                        "07000020" EXTRA_SID_HEX,
                        "02000000"
                        "00000000"
                        "07000000"
                        "3c000200"
                        "07000020");
    assert_int_equal(logon_status(&info), SEC_E_INVALID_TOKEN);
}

/* The size of the object is what bounds it, and it lies inside. */
static void object_size(void **state)
{
    struct bytes info = unhex(pac_full_logon_info);
    const uint32_t size = (uint32_t)info.size - 16;
    const uint32_t wrong[] = {0, 4, size - 1, size + 1, size + 8, 0x7FFFFFFF, 0xFFFFFFFF};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put_u32(info.data + 8, wrong[i]);
        assert_int_equal(logon_status(&info), SEC_E_INVALID_TOKEN);
    }
}

/* Sizes and places of both strings, at their extremes and one byte beyond. */
static void upn_places(void **state)
{
    const uint16_t values[] = {1, 3, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF};
    struct cs_writer info = {0};
    (void)state;
    pac_write_upn(&info, "a@b.c", "B.C");
    assert_int_equal(signed_status(span_over(&world.logon), cs_written(&info)), SEC_E_OK);
    for (size_t size = 1; size < info.size; size++) {
        const struct cs_span cut = {info.data, size};
        assert_int_equal(signed_status(span_over(&world.logon), cut), SEC_E_INVALID_TOKEN);
    }
    for (size_t at = 0; at < 8; at += 2) {
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            uint8_t changed[64];
            memcpy(changed, info.data, info.size);
            changed[at] = (uint8_t)values[i];
            changed[at + 1] = (uint8_t)(values[i] >> 8);
            if (at % 4 && values[i] < 4) continue; /* a place inside */
            const struct cs_span span = {changed, info.size};
            assert_int_equal(signed_status(span_over(&world.logon), span), SEC_E_INVALID_TOKEN);
        }
    }
    cs_writer_drop(&info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pac_cut),
        cmocka_unit_test(pac_bits),
        cmocka_unit_test(pac_integers),
        cmocka_unit_test(parts_twice),
        cmocka_unit_test(logon_cut),
        cmocka_unit_test(logon_integers),
        cmocka_unit_test(counts_without_elements),
        cmocka_unit_test(counts_that_agree),
        cmocka_unit_test(null_pointers),
        cmocka_unit_test(strings),
        cmocka_unit_test(headers),
        cmocka_unit_test(sids),
        cmocka_unit_test(long_sids),
        cmocka_unit_test(many_groups),
        cmocka_unit_test(null_pointers_to_nothing),
        cmocka_unit_test(object_size),
        cmocka_unit_test(upn_places),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
