/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Descriptions of Kerberos's tokens: what they say of a Windows KDC's exchange, closed and opened with the user's key,
 * of AP-REQ and AP-REP with all that is inside, and of errors; and that no key is in them.
 */
#include "describe_kerberos_unit.h"
#include "kerberos_authdata.h"
#include "spnego_vectors.h"

/* The exchange with a KDC */

static void test_kdc_error(void **state)
{
    (void)state;
    expect_whole_text(kdc_krb_error, NULL,
                      "Kerberos KRB-ERROR (194 bytes)\n"
                      "  error-code: KDC_ERR_PREAUTH_REQUIRED (25)\n"
                      "  stime: 2020-06-13 21:04:23.748591 UTC\n"
                      "  realm: \"DOMAIN.LOCAL\"\n"
                      "  sname: \"krbtgt/DOMAIN.LOCAL\", NT-SRV-INST (2)\n"
                      "  e-data: size 92\n"
                      "    padata: PA-ETYPE-INFO2 (19), size 46\n"
                      "      etype: aes256-cts-hmac-sha1-96 (18)\n"
                      "        salt: \"DOMAIN.LOCALvagrant-domain\"\n"
                      "      etype: rc4-hmac (23)\n"
                      "    padata: PA-ENC-TIMESTAMP (2), size 0\n"
                      "    padata: PA-PK-AS-REQ (16), size 0\n"
                      "    padata: PA-PK-AS-REQ-OLD (15), size 0\n");
}

static void test_kdc_requests(void **state)
{
    (void)state;
    expect_whole_text(kdc_as_req, NULL,
                      "Kerberos AS-REQ (248 bytes)\n"
                      "  padata: PA-ENC-TIMESTAMP (2), size 67\n"
                      "    Encrypted: aes256-cts-hmac-sha1-96 (18), size 56\n"
                      "  padata: PA-REQ-ENC-PA-REP (149), size 0\n"
                      "  kdc-options: 0x40000000\n"
                      "    forwardable\n"
                      "  cname: \"vagrant-domain\", NT-PRINCIPAL (1)\n"
                      "  realm: \"DOMAIN.LOCAL\"\n"
                      "  sname: \"krbtgt/DOMAIN.LOCAL\", NT-SRV-INST (2)\n"
                      "  till: 2020-06-14 07:04:20 UTC\n"
                      "  nonce: 734266074\n"
                      "  etype: 4 elements\n"
                      "    etype: aes256-cts-hmac-sha1-96 (18)\n"
                      "    etype: aes128-cts-hmac-sha1-96 (17)\n"
                      "    etype: des3-cbc-sha1-kd (16)\n"
                      "    etype: rc4-hmac (23)\n");
    expect_hex_text(kdc_tgs_req, "Kerberos TGS-REQ (1457 bytes)\n"
                                 "  padata: PA-TGS-REQ (1), size 1298\n"
                                 "    ap-options: 0x00000000\n"
                                 "    ticket: aes256-cts-hmac-sha1-96 (18), kvno 2, size 980\n"
                                 "      realm: \"DOMAIN.LOCAL\"\n"
                                 "      sname: \"krbtgt/DOMAIN.LOCAL\", NT-SRV-INST (2)\n"
                                 "    authenticator: aes256-cts-hmac-sha1-96 (18), size 180\n"
                                 "  kdc-options: 0x40010000\n"
                                 "    forwardable canonicalize\n"
                                 "  realm: \"DOMAIN.LOCAL\"\n"
                                 "  sname: \"HTTP/server2019.domain.local\", NT-SRV-HST (3)\n");
}

static void test_kdc_replies(void **state)
{
    (void)state;
    expect_whole_text(kdc_as_rep, NULL,
                      "Kerberos AS-REP (1511 bytes)\n"
                      "  padata: PA-ETYPE-INFO2 (19), size 39\n"
                      "    etype: aes256-cts-hmac-sha1-96 (18)\n"
                      "      salt: \"DOMAIN.LOCALvagrant-domain\"\n"
                      "  crealm: \"DOMAIN.LOCAL\"\n"
                      "  cname: \"vagrant-domain\", NT-PRINCIPAL (1)\n"
                      "  ticket: aes256-cts-hmac-sha1-96 (18), kvno 2, size 980\n"
                      "    realm: \"DOMAIN.LOCAL\"\n"
                      "    sname: \"krbtgt/DOMAIN.LOCAL\", NT-SRV-INST (2)\n"
                      "  enc-part: aes256-cts-hmac-sha1-96 (18), kvno 11, size 294\n");
    expect_whole_text(kdc_tgs_rep, NULL,
                      "Kerberos TGS-REP (1470 bytes)\n"
                      "  crealm: \"DOMAIN.LOCAL\"\n"
                      "  cname: \"vagrant-domain\", NT-PRINCIPAL (1)\n"
                      "  ticket: aes256-cts-hmac-sha1-96 (18), kvno 6, size 1020\n"
                      "    realm: \"DOMAIN.LOCAL\"\n"
                      "    sname: \"HTTP/server2019.domain.local\", NT-SRV-HST (3)\n"
                      "  enc-part: aes256-cts-hmac-sha1-96 (18), size 263\n");
}

/* One key opens the whole exchange: each message has the key of the next. */
static void test_kdc_opened(void **state)
{
    static const char *const expected[KDC_MESSAGES][2] = {
        {"KDC_ERR_PREAUTH_REQUIRED", "e-data"},
        /* pa_enc_timestamp_plain: 016db2 are 93618 us */
        {"    patimestamp: 2020-06-13 21:04:23.093618 UTC\n", "AS-REQ"},
        {"    sname: \"krbtgt/DOMAIN.LOCAL\", NT-SRV-INST (2)\n    Encrypted: no key opens it\n",
         "    key: aes256-cts-hmac-sha1-96 (18)\n"
         "    nonce: 734266074\n"
         "    key-expiration: 2037-09-14 02:48:05 UTC\n"
         "    flags: 0x40610000\n"
         "      forwardable initial pre-authent enc-pa-rep\n"
         "    authtime: 2020-06-13 21:04:23 UTC\n"
         "    starttime: 2020-06-13 21:04:23 UTC\n"
         "    endtime: 2020-06-14 07:04:20 UTC\n"
         "    srealm: \"DOMAIN.LOCAL\"\n"},
        {"      ctime: 2020-06-13 21:04:28.958603 UTC\n"
         "      subkey: aes256-cts-hmac-sha1-96 (18)\n"
         "      cksum: hmac-sha1-96-aes256 (16), size 12\n",
         "      cname: \"vagrant-domain\", NT-PRINCIPAL (1)\n"},
        {"    flags: 0x40210000\n"
         "      forwardable pre-authent enc-pa-rep\n",
         "    padata: PA-SUPPORTED-ENCTYPES (165), size 4\n"
         "      SupportedEncryptionTypes: 0x0000001f\n"},
    };
    struct cs_describe_keys *keys = read_keys();
    (void)state;
    for (size_t i = 0; i < KDC_MESSAGES; i++) {
        struct bytes token = unhex(kdc_messages[i]);
        expect_text(span_over(&token), keys, expected[i][0]);
        expect_text(span_over(&token), keys, expected[i][1]);
    }
    cs_describe_keys_drop(keys);
}

/* Keys, ciphertext and checksums are looked for by their beginnings. */
static void test_no_secret(void **state)
{
    static const char *const secrets[] = {
        kdc_client_key,
        kdc_tgt_session_key,
        kdc_tgs_subkey,
        kdc_service_session_key,
        "4bf241f8a1bc0003" /* the ticket */,
        "aefc3bcb1f6a1835" /* the reply's part */,
    };
    struct cs_describe_keys *keys = read_keys();
    bool whole;
    (void)state;
    for (size_t i = 0; i < KDC_MESSAGES; i++) {
        struct bytes token = unhex(kdc_messages[i]);
        char *text = describe(span_over(&token), keys, &whole), beginning[9];
        for (size_t j = 0; j < sizeof secrets / sizeof *secrets; j++) {
            memcpy(beginning, secrets[j], 8);
            beginning[8] = 0;
            assert_null(strcasestr(text, beginning));
        }
        free(text);
    }
    cs_describe_keys_drop(keys);
}

/* AP-REQ and AP-REP */

static void test_request_closed(void **state)
{
    struct cs_writer token = good_request();
    bool whole;
    (void)state;
    char *text = describe(cs_written(&token), NULL, &whole);
    assert_true(whole);
    assert_non_null(strstr(text, "  thisMech: 1.2.840.113554.1.2.2\n"
                                 "  ap-options: 0x00000000\n"
                                 "  ticket: aes256-cts-hmac-sha1-96 (18), kvno 1, size "));
    assert_non_null(strstr(text, "    sname: \"HTTP/server.example.test\", "));
    assert_null(strstr(text, "user"));
    assert_null(strstr(text, "Encrypted"));
    free(text);
    cs_writer_drop(&token);
}

static void test_request_opened(void **state)
{
    struct cs_describe_keys *keys = read_keys();
    struct cs_writer token = good_request();
    (void)state;
    expect_text(cs_written(&token), keys,
                "    key: aes256-cts-hmac-sha1-96 (18)\n"
                "    crealm: \"EXAMPLE.TEST\"\n"
                "    cname: \"user\", NT-PRINCIPAL (1)\n"
                "    transited: \"\"\n"
                "    authtime: 2023-11-14 22:13:20 UTC\n"
                "    starttime: 2023-11-14 22:13:20 UTC\n"
                "    endtime: 2023-11-14 23:13:20 UTC\n"
                "    authorization-data: 1 elements\n"
                "      ad-type: AD-IF-RELEVANT (1), size ");
    expect_text(cs_written(&token), keys,
                "    PAC: the server's signature holds\n"
                "      EffectiveName: \"vagrant\"\n"
                "      LogonDomainName: \"DOMAIN\"\n"
                "      UserSid: S-1-5-21-1-2-3-1105\n"
                "      PrimaryGroupId: 513\n"
                "      Group: S-1-5-21-1-2-3-513\n");
    expect_text(cs_written(&token), keys,
                "    subkey: aes256-cts-hmac-sha1-96 (18)\n"
                "    cksum: GSS-API (32771), size 24\n"
                "      Bnd: b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1\n"
                "      Flags: 0x00001022\n"
                "        GSS_C_MUTUAL_FLAG GSS_C_INTEG_FLAG GSS_C_DCE_STYLE\n");
    cs_writer_drop(&token);
    cs_describe_keys_drop(keys);
}

/* MS-KILE 3.2.5.8: what Windows's clients say in the authenticator. What is no text is shown as it is. */
static void test_said_by_client(void **state)
{
    const struct {
        const char *hex, *target;
    } cases[] = {
        {"480054005400500000002f00fc00", "target: \"HTTP\\u{0000}/\u00fc\"\n"},
        {"480054", "target: \"H\\x54\"\n"},
        {"", "target: \"\"\n"},
    };
    const struct bytes options = unhex("00400000");
    struct cs_describe_keys *keys = read_keys();
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct bytes target = unhex(cases[i].hex);
        struct ticket_forge forge = right_forge();
        AuthorizationData inner = {0, NULL}, data = {0, NULL};
        struct cs_writer token = {0};
        ticket_forge_add(&inner, KERBEROS_AUTHDATA_AP_OPTIONS, span_over(&options));
        ticket_forge_add(&inner, KERBEROS_AUTHDATA_TARGET, span_over(&target));
        ticket_forge_contain(&data, &inner);
        forge.said = &data;
        ticket_forge(&forge, &token);
        expect_text(cs_written(&token), keys,
                    "        ad-type: AD-AUTH-DATA-AP-OPTIONS (143), size 4\n"
                    "          ap-options: 0x00004000\n"
                    "            KERB_AP_OPTIONS_CBT\n"
                    "        ad-type: AD-AUTH-DATA-TARGET-NAME (144), size ");
        expect_text(cs_written(&token), keys, cases[i].target);
        free_AuthorizationData(&data);
        cs_writer_drop(&token);
    }
    cs_describe_keys_drop(keys);
}

/* A PAC that this server would not believe is not shown. */
static void test_pac_of_another_key(void **state)
{
    krb5_keyblock other = pac_key(world.krb5, KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96, SERVICE_FILL + 1);
    struct ticket_forge forge = right_forge();
    struct cs_describe_keys *keys = read_keys();
    struct cs_writer token = {0}, pac = forge_pac(&other);
    bool whole;
    (void)state;
    forge.pac = cs_written(&pac);
    ticket_forge(&forge, &token);
    char *text = describe(cs_written(&token), keys, &whole);
    assert_non_null(strstr(text, "PAC: its signature does not hold"));
    assert_null(strstr(text, "vagrant"));
    free(text);
    cs_writer_drop(&pac);
    cs_writer_drop(&token);
    cs_describe_keys_drop(keys);
    krb5_free_keyblock_contents(world.krb5, &other);
}

static void test_request_of_another_key(void **state)
{
    krb5_keyblock other = pac_key(world.krb5, KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96, SERVICE_FILL + 1);
    struct ticket_forge forge = right_forge();
    struct cs_describe_keys *keys = read_keys();
    struct cs_writer token = {0};
    (void)state;
    forge.service_key = &other;
    ticket_forge(&forge, &token);
    expect_text(cs_written(&token), keys, "    Encrypted: no key opens it\n  authenticator");
    cs_writer_drop(&token);
    cs_describe_keys_drop(keys);
    krb5_free_keyblock_contents(world.krb5, &other);
}

/* A KRB-CRED with the ticket of REQUEST and a part that SESSION encrypts. */
static struct cs_writer forge_cred(const krb5_keyblock *session)
{
    struct cs_writer token = good_request(), output = {0};
    struct kerberos_token request;
    AP_REQ message;
    KrbCredInfo info = {.key = *session};
    EncKrbCredPart part = {.ticket_info = {1, &info}};
    krb5_data plain, encoded;
    krb5_crypto crypto;
    size_t size;
    int code;
    assert_true(kerberos_token_read(cs_written(&token), &request));
    assert_int_equal(decode_AP_REQ(request.message.data, request.message.size, &message, NULL), 0);
    KRB_CRED cred = {.pvno = 5, .msg_type = krb_cred, .tickets = {1, &message.ticket}};
    ASN1_MALLOC_ENCODE(EncKrbCredPart, plain.data, plain.length, &part, &size, code);
    assert_int_equal(code, 0);
    assert_int_equal(krb5_crypto_init(world.krb5, session, KRB5_ENCTYPE_NULL, &crypto), 0);
    assert_int_equal(
        krb5_encrypt_EncryptedData(world.krb5, crypto, KRB5_KU_KRB_CRED, plain.data, plain.length, 0, &cred.enc_part),
        0);
    krb5_crypto_destroy(world.krb5, crypto);
    ASN1_MALLOC_ENCODE(KRB_CRED, encoded.data, encoded.length, &cred, &size, code);
    assert_int_equal(code, 0);
    cs_write_span(&output, (struct cs_span){encoded.data, encoded.length});
    krb5_data_free(&plain);
    krb5_data_free(&encoded);
    free_EncryptedData(&cred.enc_part);
    free_AP_REQ(&message);
    cs_writer_drop(&token);
    return output;
}

static void test_delegation(void **state)
{
    krb5_keyblock session = pac_key(world.krb5, KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96, SESSION_FILL);
    struct ticket_forge forge = right_forge();
    struct cs_describe_keys *keys = read_keys();
    struct cs_writer cred = forge_cred(&session), checksum = {0};
    (void)state;
    write_bound_checksum(&checksum, KERBEROS_DELEGATE, cs_written(&cred));
    struct cs_writer token = forge_request(&forge, cs_written(&checksum));
    expect_text(cs_written(&token), keys, "        GSS_C_DELEG_FLAG\n      Deleg: size ");
    expect_text(cs_written(&token), keys, "        ticket: aes256-cts-hmac-sha1-96 (18), kvno 1, size ");
    expect_text(cs_written(&token), keys,
                "          ticket-info: 1\n"
                "            key: aes256-cts-hmac-sha1-96 (18)\n");
    cs_writer_drop(&token);
    cs_writer_drop(&checksum);
    write_bound_checksum(&checksum, KERBEROS_DELEGATE, (struct cs_span){(const uint8_t *)"what", 4});
    token = forge_request(&forge, cs_written(&checksum));
    expect_text(cs_written(&token), keys, "Broken at byte 0: KRB-CRED cannot be decoded\n");
    cs_writer_drop(&token);
    cs_writer_drop(&checksum);
    cs_writer_drop(&cred);
    cs_describe_keys_drop(keys);
    krb5_free_keyblock_contents(world.krb5, &session);
}

/* The session key comes out of the AP-REQ before it. */
static void test_reply_after_request(void **state)
{
    struct cs_describe_keys *keys = read_keys();
    struct cs_writer request = good_request(), reply = good_reply();
    (void)state;
    expect_text(cs_written(&reply), NULL,
                "  thisMech: 1.2.840.113554.1.2.2\n  enc-part: aes256-cts-hmac-sha1-96 (18), ");
    expect_text(cs_written(&reply), keys, "    Encrypted: no key opens it\n");
    expect_text(cs_written(&request), keys, "AP-REQ");
    expect_text(cs_written(&reply), keys,
                "    ctime: 2023-11-14 22:13:20.000042 UTC\n"
                "    subkey: aes256-cts-hmac-sha1-96 (18)\n"
                "    seq-number: 4000000000\n");
    cs_writer_drop(&request);
    cs_writer_drop(&reply);
    cs_describe_keys_drop(keys);
}

static void test_inside_spnego(void **state)
{
    (void)state;
    expect_hex_text(spnego_kerberos_init, "  mechToken: size 3120\n"
                                          "    Kerberos AP-REQ (3120 bytes)\n"
                                          "      thisMech: 1.2.840.113554.1.2.2\n"
                                          "      ap-options: 0x20000000\n"
                                          "        mutual-required\n"
                                          "      ticket: aes256-cts-hmac-sha1-96 (18), kvno 21, size 1145\n"
                                          "        realm: \"DOMAIN.LOCAL\"\n"
                                          "        sname: \"cifs/dc01.domain.local\", NT-SRV-INST (2)\n"
                                          "      authenticator: aes256-cts-hmac-sha1-96 (18), size 1813\n");
}

/* Errors */

static void expect_error(int32_t code, const char *realm, const char *data, const char *expected)
{
    struct bytes bytes = unhex(data);
    struct cs_writer token = forge_error(code, realm, span_over(&bytes));
    expect_text(cs_written(&token), NULL, expected);
    cs_writer_drop(&token);
}

static void test_errors(void **state)
{
    (void)state;
    expect_error(37, "R", "", "  error-code: KRB_AP_ERR_SKEW (37)\n  stime: 2023-11-14 22:13:20.000000 UTC\n");
    expect_error(41, "R", "", "KRB_AP_ERR_MODIFIED (41)\n");
    expect_error(30, "R", "", "  error-code: 30\n");
    expect_error(-1, "R", "", "  error-code: -1\n");
    expect_error(2147483647, "R", "", "  error-code: 2147483647\n");
    expect_error(60,
                 "B\xc3\xbc"
                 "cher",
                 "",
                 "  realm: \"B\xc3\xbc"
                 "cher\"\n");
    expect_error(60, "\xff\x1b[2J\"", "", "  realm: \"\\xFF\\u{001B}[2J\\u{0022}\"\n");
    expect_error(60, "R", "", "  sname: \"a\\/b\\\\c\", NT-PRINCIPAL (1)\n");
    /* STATUS_TIME_DIFFERENCE_AT_DC, as Windows says it (MS-KILE 2.2.2) */
    expect_error(60, "R", "3015a103020103a20e040c330100c00000000001000000",
                 "  e-data: size 23\n    data-type: 3\n    status: 0xc0000133\n");
    expect_error(60, "R", "3005a103020101", "    data-type: 1\n");
    expect_error(60, "R", "00", "  e-data: size 1\n");
}

/* Keytabs */

static void expect_no_keys(const char *name, const char *expected)
{
    char *problem;
    assert_null(cs_describe_keys_read(name, &problem));
    assert_non_null(problem);
    if (!strstr(problem, expected)) print_error("no \"%s\" in %s\n", expected, problem);
    assert_non_null(strstr(problem, expected));
    free(problem);
}

static void test_no_keytab(void **state)
{
    (void)state;
    expect_no_keys("FILE:/nonexistent/keytab", "No such file or directory");
    expect_no_keys("NO-SUCH-TYPE:x", "unknown keytab type");
    expect_no_keys("MEMORY:empty", "");
    cs_describe_keys_drop(NULL);
}

/* User-to-user: its two messages, its object identifier, and the error that brings a ticket. */

#define TGT_REQUEST "302da003020105a103020110a211300fa003020101a10830061b0470656572a30e1b0c4558414d504c452e54455354"
#define TGT_REPLY                                                                                                      \
    "3050a003020105a103020111a24461423040a003020105a1031b0152a2163014a003020102a10d300b1b066b72627467741b0152"         \
    "a31c301aa003020112a2130411000102030405060708090a0b0c0d0e0f10"

static void test_user_to_user(void **state)
{
    (void)state;
    expect_whole_text("603d060a2a864886f712010202030400" TGT_REQUEST, NULL,
                      "Kerberos KERB-TGT-REQUEST (63 bytes)\n"
                      "  thisMech: 1.2.840.113554.1.2.2.3 (user-to-user)\n"
                      "  server-name: \"peer\", NT-PRINCIPAL (1)\n"
                      "  realm: \"EXAMPLE.TEST\"\n");
    expect_hex_text("6060060a2a864886f712010202030401" TGT_REPLY, "Kerberos KERB-TGT-REPLY (98 bytes)\n"
                                                                  "  thisMech: 1.2.840.113554.1.2.2.3 (user-to-user)\n"
                                                                  "  ticket: aes256-cts-hmac-sha1-96 (18), size 17\n"
                                                                  "    realm: \"R\"\n");
    expect_hex_text("603c06092a864886f7120102020400" TGT_REQUEST, "KERB-TGT-REQUEST");
    expect_hex_text("603c060a2a864886f712010202030400" TGT_REQUEST, "Broken");
    expect_error(69, "R", TGT_REPLY,
                 "  error-code: KRB_AP_ERR_USER_TO_USER_REQUIRED (69)\n  stime: 2023-11-14 22:13:20.000000 UTC\n"
                 "  realm: \"R\"\n  sname: \"a\\/b\\\\c\", NT-PRINCIPAL (1)\n  e-data: size 82\n"
                 "    ticket: aes256-cts-hmac-sha1-96 (18), size 17\n");
    expect_hex_text("601c06062b0601050502a0123010a00e300c060a2a864886f71201020203",
                    "Kerberos user-to-user 1.2.840.113554.1.2.2.3\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kdc_error),          cmocka_unit_test(test_kdc_requests),
        cmocka_unit_test(test_kdc_replies),        cmocka_unit_test(test_kdc_opened),
        cmocka_unit_test(test_no_secret),          cmocka_unit_test(test_request_closed),
        cmocka_unit_test(test_request_opened),     cmocka_unit_test(test_said_by_client),
        cmocka_unit_test(test_pac_of_another_key), cmocka_unit_test(test_request_of_another_key),
        cmocka_unit_test(test_delegation),         cmocka_unit_test(test_reply_after_request),
        cmocka_unit_test(test_inside_spnego),      cmocka_unit_test(test_errors),
        cmocka_unit_test(test_user_to_user),       cmocka_unit_test(test_no_keytab),
    };
    return cmocka_run_group_tests_name("describe_kerberos", tests, open_world, close_world);
}
