/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptions of Kerberos's per-message tokens (RFC 4121 4.2.6, RFC 4757 7), and of framing (RFC 2743 3.1), good and
 * broken.
 */
#include "describe_kerberos_unit.h"

/* Per-message tokens */

static void test_message_tokens(void **state)
{
    (void)state;
    /* win-kerberos-rpc-dce-aes256-1 */
    expect_whole_text("050406ff0010001c00000000027f44cdbbad4aa6a099285916232fb1db572ffae2e0ddbef2751a08f6e342533319fbc9"
                      "93dd969c266ac99839f2914c045334ef73f5ae4aad5f9dfb626c8647",
                      NULL,
                      "Kerberos Wrap (76 bytes)\n"
                      "  Flags: 0x00000006\n"
                      "    Sealed AcceptorSubkey\n"
                      "  EC: 16\n"
                      "  RRC: 28\n"
                      "  SND_SEQ: 41895117\n"
                      "  Behind the header: size 60\n");
    expect_whole_text("040405ffffffffff8000000000000000aabbccddeeff001122334455", NULL,
                      "Kerberos MIC (28 bytes)\n"
                      "  Flags: 0x00000005\n"
                      "    SentByAcceptor AcceptorSubkey\n"
                      "  SND_SEQ: 9223372036854775808\n"
                      "  SGN_CKSUM: size 12\n");
    /* kile-4.5-rc4-wrapex: the frame counts the data, which lies elsewhere */
    expect_whole_text("603b06092a864886f712010202020111001000ffffe29e8bbc6348e740ebaa619244a156a13b5cf65e3c21b9aa",
                      NULL,
                      "Kerberos Wrap (RFC 4757) (45 bytes)\n"
                      "  SGN_ALG: HMAC (0x0011)\n"
                      "  SEAL_ALG: RC4 (0x0010)\n"
                      "  SND_SEQ: size 8\n"
                      "  SGN_CKSUM: size 8\n"
                      "  Confounder: size 8\n");
    expect_whole_text("602306092a864886f71201020201011100ffffffff11223344556677888877665544332211", NULL,
                      "Kerberos MIC (RFC 4757) (37 bytes)\n"
                      "  SGN_ALG: HMAC (0x0011)\n"
                      "  SND_SEQ: size 8\n"
                      "  SGN_CKSUM: size 8\n");
}

static void test_broken_message_tokens(void **state)
{
    (void)state;
    expect_hex_text("050406ff0010", "Kerberos Wrap (6 bytes)\n  Broken at byte 6: SND_SEQ is cut off\n");
    expect_hex_text("040405ffffffffff0000000000000000", "  Broken at byte 16: SGN_CKSUM is cut off\n");
    expect_hex_text("040405ff00000000000000000000000000", "  Broken at byte 4: Filler is not what it must be\n");
    expect_hex_text("04040500", "token of an unknown kind");
    expect_hex_text("602306092a864886f71201020201011100ffffffff112233", "  Broken at byte 21: SND_SEQ is cut off\n");
    expect_hex_text("602306092a864886f7120102020201ff00", "  Broken at byte 17: SEAL_ALG is cut off\n");
}

/* Frames */

static void test_frames(void **state)
{
    struct cs_writer token = good_reply();
    (void)state;
    token.data[8] = 0x82; /* the OID that Windows has from a misprint */
    expect_text(cs_written(&token), NULL, "  thisMech: 1.2.840.48018.1.2.2\n  enc-part: ");
    cs_writer_drop(&token);
    expect_hex_text("600e06092a864882f712010202020060", "Kerberos (16 bytes)\n  thisMech: 1.2.840.48018.1.2.2\n"
                                                        "  Broken at byte 13: TOK_ID 0x0200 does not go with the "
                                                        "message\n");
    expect_hex_text("600d06092a864886f7120102020100", "  Broken at byte 15: innerToken is cut off\n");
    expect_hex_text("600d06092a864886f71201020201", "  Broken at byte 13: TOK_ID is cut off\n");
    expect_hex_text("600f06092a864886f71201020201006f00", "  Broken at byte 13: TOK_ID 0x0100 does not go with the ");
    expect_hex_text("600f06092a864886f71201020202006f00", "  Broken at byte 15: Kerberos AP-REP cannot be decoded\n");
    expect_hex_text("60820c1b06092a864886f71201020201006e820c0a",
                    "  Broken at byte 0: The frame is cut off, or not DER\n"
                    "  Broken at byte 17: Kerberos AP-REQ is cut off, or not DER\n");
    expect_hex_text("6f0000", "Kerberos AP-REP (3 bytes)\n  Broken at byte 2: 1 bytes too many\n");
    expect_hex_text("600b06092a864886f712010203", "token of an unknown kind");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_tokens),
        cmocka_unit_test(test_broken_message_tokens),
        cmocka_unit_test(test_frames),
    };
    return cmocka_run_group_tests_name("describe_kerberos_tokens", tests, open_world, close_world);
}
