/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SPNEGO's messages: real ones are read and written again to the byte, and what is not DER is refused.
 *
 *  C5  zero-byte SEQUENCE, indefinite and overlong lengths, tags, deep nesting, each message cut at every byte
 */
#include "spnego.h"
#include "spnego_vectors.h"
#include "tlv.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static SECURITY_STATUS read_init(struct cs_span token)
{
    struct spnego_init message;
    return spnego_init_read(token, &message);
}

static SECURITY_STATUS read_resp(struct cs_span token)
{
    struct spnego_resp message;
    return spnego_resp_read(token, &message);
}

typedef SECURITY_STATUS (*read_function)(struct cs_span token);

static SECURITY_STATUS read_hex(read_function read, const char *hex)
{
    struct bytes bytes = unhex(hex);
    return read(span_over(&bytes));
}

/* Real messages */

static struct spnego_init expect_init_again(const struct bytes *bytes, const char *hex)
{
    struct spnego_init message;
    struct cs_writer written = {0}, list = {0};
    assert_int_equal(spnego_init_read(span_over(bytes), &message), SEC_E_OK);
    spnego_init_write(&written, &message);
    expect_hex(cs_written(&written), hex);
    spnego_mech_list_write(&list, &message);
    assert_int_equal(list.size, message.mech_list.size);
    assert_memory_equal(list.data, message.mech_list.data, list.size);
    cs_writer_drop(&written);
    cs_writer_drop(&list);
    return message;
}

static struct spnego_resp expect_resp_again(const struct bytes *bytes, const char *hex)
{
    struct spnego_resp message;
    struct cs_writer written = {0};
    assert_int_equal(spnego_resp_read(span_over(bytes), &message), SEC_E_OK);
    spnego_resp_write(&written, &message);
    expect_hex(cs_written(&written), hex);
    cs_writer_drop(&written);
    return message;
}

static void expect_text(struct cs_span span, const char *text)
{
    assert_int_equal(span.size, strlen(text));
    assert_memory_equal(span.data, text, span.size);
}

/* win2019-ntlm-in-spnego-smb, token 0, which is that of win2019-kerberos-in-spnego-smb too */
static void windows_hints(void **state)
{
    struct bytes bytes = unhex(spnego_smb_hints);
    struct spnego_init message = expect_init_again(&bytes, spnego_smb_hints);
    (void)state;
    assert_int_equal(message.mech_count, 5);
    assert_true(spnego_same_oid(message.mechs[0], spnego_negoex));
    assert_true(spnego_same_oid(message.mechs[1], spnego_ms_krb5));
    assert_true(spnego_same_oid(message.mechs[2], spnego_krb5));
    assert_true(spnego_same_oid(message.mechs[4], spnego_ntlm));
    expect_text(message.hint_name, "not_defined_in_RFC4178@please_ignore");
    assert_null(message.mech_token.data);
    assert_null(message.mech_list_mic.data);
}

/* win2019-ntlm-in-spnego-smb, token 1 */
static void windows_ntlm_init(void **state)
{
    struct bytes bytes = unhex(spnego_smb_negotiate);
    struct spnego_init message = expect_init_again(&bytes, spnego_smb_negotiate);
    (void)state;
    assert_int_equal(message.mech_count, 1);
    assert_true(spnego_same_oid(message.mechs[0], spnego_ntlm));
    expect_hex(message.mech_list, spnego_smb_mech_list);
    assert_int_equal(ntlm_message_type(message.mech_token), NTLM_NEGOTIATE);
    assert_null(message.hint_name.data);
}

/* win2019-ntlm-in-spnego-smb, tokens 2 to 4 */
static void windows_ntlm_responses(void **state)
{
    struct bytes bytes = unhex(spnego_smb_challenge);
    struct spnego_resp message = expect_resp_again(&bytes, spnego_smb_challenge);
    (void)state;
    assert_int_equal(message.state, SPNEGO_ACCEPT_INCOMPLETE);
    assert_true(spnego_same_oid(message.supported_mech, spnego_ntlm));
    assert_int_equal(ntlm_message_type(message.response_token), NTLM_CHALLENGE_MESSAGE);
    assert_null(message.mech_list_mic.data);

    bytes = unhex(spnego_smb_authenticate);
    message = expect_resp_again(&bytes, spnego_smb_authenticate);
    assert_int_equal(message.state, SPNEGO_ACCEPT_INCOMPLETE);
    assert_null(message.supported_mech.data);
    assert_int_equal(ntlm_message_type(message.response_token), NTLM_AUTHENTICATE);
    expect_hex(message.mech_list_mic, spnego_smb_mic_c2s);

    bytes = unhex(spnego_smb_accept);
    message = expect_resp_again(&bytes, spnego_smb_accept);
    assert_int_equal(message.state, SPNEGO_ACCEPT_COMPLETED);
    assert_null(message.response_token.data);
    expect_hex(message.mech_list_mic, spnego_smb_mic_s2c);
}

/* win2019-kerberos-in-spnego-smb, tokens 1 and 2 */
static void windows_kerberos(void **state)
{
    struct bytes bytes = unhex(spnego_kerberos_init);
    struct spnego_init init = expect_init_again(&bytes, spnego_kerberos_init);
    (void)state;
    assert_int_equal(init.mech_count, 4);
    assert_true(spnego_same_oid(init.mechs[0], spnego_ms_krb5));
    assert_true(spnego_same_oid(init.mechs[1], spnego_krb5));
    assert_true(spnego_same_oid(init.mechs[2], spnego_negoex));
    assert_true(spnego_same_oid(init.mechs[3], spnego_ntlm));
    assert_int_equal(init.mech_token.size, 0xC30);

    bytes = unhex(spnego_kerberos_resp);
    struct spnego_resp resp = expect_resp_again(&bytes, spnego_kerberos_resp);
    assert_int_equal(resp.state, SPNEGO_ACCEPT_COMPLETED);
    assert_true(spnego_same_oid(resp.supported_mech, spnego_ms_krb5));
    assert_int_equal(resp.response_token.size, 0x9B);
    assert_null(resp.mech_list_mic.data);
}

/* msspng-4-negtokeninit2 */
static void example_init2(void **state)
{
    struct bytes bytes = unhex(spnego_example_init2);
    struct spnego_init message = expect_init_again(&bytes, spnego_example_init2);
    (void)state;
    assert_int_equal(message.mech_count, 2);
    assert_true(spnego_same_oid(message.mechs[0], spnego_negoex));
    assert_true(spnego_same_oid(message.mechs[1], spnego_ntlm));
    assert_memory_equal(message.mech_token.data, "NEGOEXTS", 8);
    expect_text(message.hint_name, "not_defined_in_RFC4178@please_ignore");
}

/* A NegTokenInit's mechListMIC: in [3], and in [4] behind hints */
static void init_with_mic(void **state)
{
    static const char plain[] = "602606062b0601050502a01c301aa00e300c060a2b06010401823702020aa3080406aabbccddeeff";
    static const char hinted[] = "602f06062b0601050502a0253023a00e300c060a2b06010401823702020aa3073005a0031b0168"
                                 "a4080406aabbccddeeff";
    struct bytes bytes = unhex(plain);
    struct spnego_init message = expect_init_again(&bytes, plain);
    (void)state;
    expect_hex(message.mech_list_mic, "aabbccddeeff");
    bytes = unhex(hinted);
    message = expect_init_again(&bytes, hinted);
    expect_hex(message.mech_list_mic, "aabbccddeeff");
    expect_text(message.hint_name, "h");
}

/* reqFlags are passed over, whatever they are (MS-SPNG 3.2.5, 3.3.3); hintAddress likewise */
static void passed_over(void **state)
{
    struct spnego_init message;
    struct bytes flags = unhex("602206062b0601050502a0183016a00e300c060a2b06010401823702020aa10403020106");
    struct bytes address = unhex("602506062b0601050502a01b3019a00e300c060a2b06010401823702020aa3073005a1030401ff");
    (void)state;
    assert_int_equal(spnego_init_read(span_over(&flags), &message), SEC_E_OK);
    assert_int_equal(message.mech_count, 1);
    assert_int_equal(spnego_init_read(span_over(&address), &message), SEC_E_OK);
    assert_null(message.hint_name.data);
    assert_null(message.mech_list_mic.data);
}

/* C5 */

static const struct {
    const char *hex;
    read_function read;
} real[] = {
    {spnego_smb_hints, read_init},        {spnego_smb_negotiate, read_init}, {spnego_smb_challenge, read_resp},
    {spnego_smb_authenticate, read_resp}, {spnego_smb_accept, read_resp},    {spnego_kerberos_resp, read_resp},
    {spnego_example_init2, read_init},    {spnego_kerberos_init, read_init},
};
enum { REAL = sizeof real / sizeof *real };

static void cut_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < REAL; i++) {
        struct bytes bytes = unhex(real[i].hex);
        for (size_t size = 0; size < bytes.size; size++) {
            struct cs_span exact;
            assert_true(cs_span_copy(&exact, (struct cs_span){bytes.data, size}));
            assert_int_equal(real[i].read(exact), SEC_E_INVALID_TOKEN);
            cs_span_drop(&exact);
        }
    }
}

static void trailing_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < REAL; i++) {
        struct bytes bytes = unhex(real[i].hex);
        bytes.data[bytes.size++] = 0;
        assert_int_equal(real[i].read(span_over(&bytes)), SEC_E_INVALID_TOKEN);
    }
}

/* Each message is none of the other kind. */
static void other_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < REAL; i++)
        assert_int_equal(read_hex(real[i].read == read_init ? read_resp : read_init, real[i].hex), SEC_E_INVALID_TOKEN);
}

/* What makes a good NegTokenResp bad. The good one is a107 3005 a003 0a0100. */
static void not_der_resp(void **state)
{
    static const char *const bad[] = {
        "",
        "a1",
        "a100",                   /* no SEQUENCE */
        "a1803005a0030a01000000", /* indefinite, outside */
        "a1093080a0030a01000000", /* and inside */
        "a1093007a0800a01000000",
        "a181073005a0030a0100", /* overlong lengths */
        "a18200073005a0030a0100",
        "a183000007"
        "3005a0030a0100",
        "a10830"
        "8105a0030a0100",
        "a1083006a081030a0100",
        "a1083006a0040a810100",
        "a18400000007"
        "3005a0030a0100", /* a length of four bytes, of seven, and what is no length */
        "a18700000000000007"
        "3005a0030a0100",
        "a1ff3005a0030a0100",
        "a1083005a0030a010000", /* trailing bytes at each depth */
        "a1083006a0030a010000",
        "a1083006a0040a010000",
        "a1063005a0030a0100", /* parts that end before their contents */
        "a1073004a0030a0100",
        "a1073005a0020a0100",
        "a1073006a0030a0100", /* and behind them */
        "a1073005a0040a0100",
        "a1073005a0030a0200",
        "a00730"
        "05a0030a0100", /* tags: of the message, SEQUENCE, field, value */
        "a1073105a0030a0100",
        "a1073005a0030a0104",
        "a1073005a003020100",
        "a1073005a4030a0100",
        "a1073005"
        "80030a0100",
        "a1083006bf00030a0100", /* a tag of two bytes */
        "a1063004a0020a00",     /* negState: no byte, two of them, a number that there is not */
        "a1083006a0040a020000",
        "a1073005a0030a01ff",
        "a1063004a1020600",             /* an empty OID */
        "a10c300aa0030a0101a0030a0101", /* twice; out of order */
        "a10d300ba2040402abcda0030a0101",
        "a10e300ca2040402abcda2040402abcd",
        "a10e300ca3040402abcda2040402abcd",
        "a10e300ca3040402abcda3040402abcd",
        "a1083006a1040c02abcd", /* a string that is no OID */
        "a1083006a2040302abcd", /* a BIT STRING that is no OCTET STRING */
        "a1083006a304"
        "2402abcd", /* a constructed OCTET STRING */
    };
    (void)state;
    assert_int_equal(read_hex(read_resp, "a1073005a0030a0100"), SEC_E_OK);
    assert_int_equal(read_hex(read_resp, "a10e300ca2040402abcda3040402abcd"), SEC_E_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_hex(read_resp, bad[i]) != SEC_E_INVALID_TOKEN) fail_msg("%s was taken", bad[i]);
}

/* Every field of NegTokenResp is optional: an empty SEQUENCE is a message, of nothing. */
static void zero_byte_sequence(void **state)
{
    struct bytes empty = unhex("a1023000");
    struct spnego_resp message = expect_resp_again(&empty, "a1023000");
    (void)state;
    assert_int_equal(message.state, SPNEGO_NO_STATE);
    assert_null(message.supported_mech.data);
    assert_null(message.response_token.data);
    assert_null(message.mech_list_mic.data);
    assert_int_equal(read_hex(read_init, "600c06062b0601050502a0023000"), SEC_E_INVALID_TOKEN);
    assert_int_equal(read_hex(read_init, "601006062b0601050502a0063004a0023000"), SEC_E_INVALID_TOKEN);
}

/* What makes a good NegTokenInit bad. The good one has NTLM, and its token is ab. */
static void not_der_init(void **state)
{
    static const char *const bad[] = {
        "602106062b0601050503a0173015a00e300c060a2b06010401823702020aa2030401ab", /* another OID */
        "602106062b0601050502a1173015a00e300c060a2b06010401823702020aa2030401ab", /* another choice */
        "612106062b0601050502a0173015a00e300c060a2b06010401823702020aa2030401ab",
        "608006062b0601050502a0173015a00e300c060a2b06010401823702020aa2030401ab0000", /* lengths */
        "60812106062b0601050502a0173015a00e300c060a2b06010401823702020aa2030401ab",
        "60220681062b0601050502a0173015a00e300c060a2b06010401823702020aa2030401ab",
        "602206062b0601050502a081173015a00e300c060a2b06010401823702020aa2030401ab",
        "602306062b0601050502a0193017a00e3080060a2b06010401823702020a0000a2030401ab",
        "602206062b0601050502a0183016a00f300d060a2b06010401823702020a00a2030401ab", /* no OID in mechTypes */
        "602306062b0601050502a0193017a010300e060a2b06010401823702020a0600a2030401ab",
        "602306062b0601050502a0193017a010300c060a2b06010401823702020a0500a2030401ab",       /* behind mechTypes */
        "602106062b0601050502a0173015a2030401aba00e300c060a2b06010401823702020a",           /* out of order */
        "602606062b0601050502a01c301aa00e300c060a2b06010401823702020aa2030401aba2030401ab", /* twice */
        "602606062b0601050502a01c301aa00e300c060a2b06010401823702020aa2030401aba5030401ab", /* [5] */
        "602606062b0601050502a01c301aa00e300c060a2b06010401823702020aa2030401aba3030301ab", /* [3] neither */
        "602206062b0601050502a0173015a00e300c060a2b06010401823702020aa2030401ab00", /* trailing, at each depth */
        "602206062b0601050502a0183015a00e300c060a2b06010401823702020aa2030401ab00",
        "602206062b0601050502a0183016a00e300c060a2b06010401823702020aa2030401ab00",
        "602206062b0601050502a0183016a00e300c060a2b06010401823702020aa2040401ab00",
        "602206062b0601050502a0183016a00e300c060a2b06010401823702020aa30430020500", /* neither hint */
        "602706062b0601050502a01d301ba00e300c060a2b06010401823702020aa30930070500a0031b0168",
        "602706062b0601050502a01d301ba00e300c060a2b06010401823702020aa3093007a0031b01680500",
        "601206062b0601050502a0083006a2040402abcd", /* no mechTypes */
    };
    (void)state;
    assert_int_equal(read_hex(read_init, "602106062b0601050502a0173015a00e300c060a2b06010401823702020aa2030401ab"),
                     SEC_E_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_hex(read_init, bad[i]) != SEC_E_INVALID_TOKEN) fail_msg("%s was taken", bad[i]);
}

/* CVE-2020-28196: whatever is nested, nothing follows it down. */
static void deep_nesting(void **state)
{
    static const uint8_t tags[] = {DER_SEQUENCE, DER_APPLICATION_0, DER_CONTEXT_0, DER_CONTEXT_0 + 1, 0x24};
    (void)state;
    for (size_t i = 0; i < sizeof tags; i++) {
        struct cs_writer nested = {0};
        for (unsigned depth = 0; depth < 5000; depth++) cs_der_wrap(&nested, 0, tags[i]);
        cs_der_wrap(&nested, 0, DER_CONTEXT_0 + 1);
        assert_int_equal(read_init(cs_written(&nested)), SEC_E_INVALID_TOKEN);
        assert_int_equal(read_resp(cs_written(&nested)), SEC_E_INVALID_TOKEN);
        cs_writer_drop(&nested);
    }
}

static SECURITY_STATUS read_offer_of(size_t count)
{
    struct cs_writer written = {0};
    const size_t start = 0;
    for (size_t i = 0; i < count; i++) cs_der_write(&written, DER_OID, spnego_ntlm);
    cs_der_wrap(&written, start, DER_SEQUENCE);
    cs_der_wrap(&written, start, DER_CONTEXT_0);
    cs_der_wrap(&written, start, DER_SEQUENCE);
    cs_der_wrap(&written, start, DER_CONTEXT_0);
    struct cs_writer framed = {0};
    cs_der_write(&framed, DER_OID, spnego_oid);
    cs_write_span(&framed, cs_written(&written));
    cs_der_wrap(&framed, 0, DER_APPLICATION_0);
    const SECURITY_STATUS status = read_init(cs_written(&framed));
    cs_writer_drop(&written);
    cs_writer_drop(&framed);
    return status;
}

static void how_many_mechanisms(void **state)
{
    (void)state;
    assert_int_equal(read_offer_of(SPNEGO_MOST_MECHS), SEC_E_OK);
    assert_int_equal(read_offer_of(SPNEGO_MOST_MECHS + 1), SEC_E_INVALID_TOKEN);
    assert_int_equal(read_offer_of(1000), SEC_E_INVALID_TOKEN);
    assert_int_equal(read_offer_of(0), SEC_E_INVALID_TOKEN);
}

/* Lengths on both sides of where their encoding grows */
static void lengths(void **state)
{
    static const struct {
        size_t size;
        const char *header;
    } cases[] = {{0, "0400"},       {127, "047f"},       {128, "048180"},       {255, "0481ff"},
                 {256, "04820100"}, {65535, "0482ffff"}, {65536, "0483010000"}, {0xFFFFFF, "0483ffffff"}};
    uint8_t *contents = calloc(1, 0xFFFFFF);
    (void)state;
    assert_non_null(contents);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cs_writer written = {0};
        cs_der_write(&written, DER_OCTET_STRING, (struct cs_span){contents, cases[i].size});
        expect_hex(((struct cs_span){written.data, strlen(cases[i].header) / 2}), cases[i].header);
        struct cs_reader again = cs_reader_of(cs_written(&written));
        assert_int_equal(cs_der_read(&again, DER_OCTET_STRING).size, cases[i].size);
        assert_false(again.failed);
        assert_int_equal(again.remaining, 0);
        cs_writer_drop(&written);
    }
    free(contents);
}

/* The same lengths in a byte more than they need */
static void overlong_lengths(void **state)
{
    static const char *const headers[] = {"048100", "04817f", "04820080", "048200ff", "0483000100", "0483000080"};
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct bytes bytes = unhex(headers[i]);
        bytes.size = 512;
        struct cs_reader reader = cs_reader_of(span_over(&bytes));
        assert_null(cs_der_read(&reader, DER_OCTET_STRING).data);
        assert_true(reader.failed);
    }
}

/* After an error nothing more is read. */
static void errors_stick(void **state)
{
    struct bytes bytes = unhex("04010004010a");
    struct cs_reader reader = cs_reader_of(span_over(&bytes));
    (void)state;
    assert_true(cs_der_next_is(&reader, DER_OCTET_STRING));
    cs_der_read(&reader, DER_OID);
    assert_true(reader.failed);
    assert_false(cs_der_next_is(&reader, DER_OCTET_STRING));
    assert_null(cs_der_read(&reader, DER_OCTET_STRING).data);
    assert_true(cs_der_enter(&reader, DER_OCTET_STRING).failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_hints),
        cmocka_unit_test(windows_ntlm_init),
        cmocka_unit_test(windows_ntlm_responses),
        cmocka_unit_test(windows_kerberos),
        cmocka_unit_test(example_init2),
        cmocka_unit_test(init_with_mic),
        cmocka_unit_test(passed_over),
        cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(trailing_bytes),
        cmocka_unit_test(other_kind),
        cmocka_unit_test(not_der_resp),
        cmocka_unit_test(zero_byte_sequence),
        cmocka_unit_test(not_der_init),
        cmocka_unit_test(deep_nesting),
        cmocka_unit_test(how_many_mechanisms),
        cmocka_unit_test(lengths),
        cmocka_unit_test(overlong_lengths),
        cmocka_unit_test(errors_stick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
