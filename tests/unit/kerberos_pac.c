/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a PAC says, and whom it is believed: names, SIDs and groups from a LOGON_INFO that Samba marshalled; signatures
 * of every encryption type, ours by Heimdal's reader and Heimdal's by ours; and whoever signs with another key, or with
 * none, or hands in another's PAC or an older one. Sources: MS-PAC 2.5, 2.7, 2.8, 2.10. Malformed ones:
 * kerberos_pac_attacks.c.
 */
#include "pac_unit.h"

#include <errno.h>
#include <stdlib.h>

/* Of Heimdal's library, which exports it for its KDC. */
krb5_error_code _krb5_pac_sign(krb5_context context, krb5_pac pac, time_t authtime, krb5_principal client,
                               const krb5_keyblock *server, const krb5_keyblock *kdc, krb5_data *data);

static const krb5_enctype etypes[] = {
    ETYPE_AES128_CTS_HMAC_SHA1_96,    ETYPE_AES256_CTS_HMAC_SHA1_96, ETYPE_AES128_CTS_HMAC_SHA256_128,
    ETYPE_AES256_CTS_HMAC_SHA384_192, ETYPE_ARCFOUR_HMAC_MD5,
};

static const size_t etype_count = sizeof etypes / sizeof *etypes;

static void expect_text(struct cs_span got, const char *text)
{
    const struct bytes wanted = utf16(text);
    assert_int_equal(got.size, wanted.size);
    assert_memory_equal(got.data, wanted.data, wanted.size);
}

static void expect_group(const struct cs_group *group, const char *sid, uint32_t attributes)
{
    expect_hex(((struct cs_span){group->sid.bytes, group->sid.size}), sid);
    assert_int_equal(group->attributes, attributes);
}

static void expect_full(const struct kerberos_pac *pac)
{
    expect_text(pac->logon.user, "vagrant");
    expect_text(pac->logon.domain, "DOMAIN");
    expect_hex(((struct cs_span){pac->logon.user_sid.bytes, pac->logon.user_sid.size}),
               "010500000000000515000000010000000200000003000000"
               "51040000");
    assert_int_equal(pac->logon.primary_group, 513);
    assert_int_equal(pac->kick_off, INT64_C(0x01D60A0000000000));
    assert_int_equal(pac->logon.group_count, 5);
    expect_group(&pac->logon.groups[0], "01050000000000051500000001000000020000000300000001020000", 7);
    expect_group(&pac->logon.groups[1], "01050000000000051500000001000000020000000300000056040000", 7);
    expect_group(&pac->logon.groups[2], "010100000000001201000000", 7);
    expect_group(&pac->logon.groups[3], "0105000000000005150000000100000002000000030000003b020000", 0x20000007);
    expect_group(&pac->logon.groups[4], "010500000000000515000000090000000800000007000000b1040000", 0x20000007);
}

static void logon_info(void **state)
{
    const struct bytes full = unhex(pac_full_logon_info), empty = unhex(pac_empty_logon_info);
    struct kerberos_pac pac = {0};
    (void)state;
    assert_int_equal(kerberos_pac_logon(span_over(&full), &pac), SEC_E_OK);
    expect_full(&pac);
    kerberos_pac_drop(&pac);
    assert_int_equal(kerberos_pac_logon(span_over(&empty), &pac), SEC_E_OK);
    expect_text(pac.logon.user, "a");
    assert_int_equal(pac.logon.domain.size, 0);
    assert_int_equal(pac.logon.group_count, 0);
    assert_int_equal(pac.logon.user_sid.size, 28);
    kerberos_pac_drop(&pac);
}

static void every_type_of_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < etype_count; i++) {
        struct pac_world world = pac_world_open(etypes[i]);
        const struct pac_forge forge = pac_good(&world);
        struct cs_writer bytes = {0};
        struct kerberos_pac pac;
        pac_forge(&forge, &bytes);
        assert_int_equal(pac_read(&world, cs_written(&bytes), &pac), SEC_E_OK);
        expect_full(&pac);
        kerberos_pac_drop(&pac);
        cs_writer_drop(&bytes);
        pac_world_close(&world);
    }
}

/* Heimdal's reader takes what we forge: else the other tests would show that we make the same mistake twice. */
static void heimdal_takes_ours(void **state)
{
    (void)state;
    for (size_t i = 0; i < etype_count; i++) {
        struct pac_world world = pac_world_open(etypes[i]);
        const struct pac_forge forge = pac_good(&world);
        struct cs_writer bytes = {0};
        krb5_pac pac;
        pac_forge(&forge, &bytes);
        assert_int_equal(krb5_pac_parse(world.krb5, bytes.data, bytes.size, &pac), 0);
        assert_int_equal(krb5_pac_verify(world.krb5, pac, AUTHTIME, world.client, &world.key, &world.key), 0);
        krb5_pac_free(world.krb5, pac);
        cs_writer_drop(&bytes);
        pac_world_close(&world);
    }
}

/* One with the client's name and the signatures alone, as MIT's and Heimdal's KDCs make them. */
static void ours_takes_heimdals(void **state)
{
    (void)state;
    for (size_t i = 0; i < etype_count; i++) {
        struct pac_world world = pac_world_open(etypes[i]);
        krb5_keyblock kdc = pac_key(world.krb5, ETYPE_AES256_CTS_HMAC_SHA1_96, 0x77);
        struct kerberos_pac result;
        krb5_pac pac;
        krb5_data data;
        assert_int_equal(krb5_pac_init(world.krb5, &pac), 0);
        assert_int_equal(_krb5_pac_sign(world.krb5, pac, AUTHTIME, world.client, &world.key, &kdc, &data), 0);
        const struct cs_span bytes = {data.data, data.length};
        assert_int_equal(pac_read(&world, bytes, &result), SEC_E_OK);
        assert_int_equal(result.logon.user.size + result.logon.domain.size + result.logon.group_count +
                             result.logon.user_sid.size,
                         0);
        assert_int_equal(result.kick_off, INT64_MAX);
        kerberos_pac_drop(&result);
        krb5_data_free(&data);
        krb5_pac_free(world.krb5, pac);
        krb5_free_keyblock_contents(world.krb5, &kdc);
        pac_world_close(&world);
    }
}

static void upn(void **state)
{
    struct pac_world world = pac_world_open(ETYPE_AES256_CTS_HMAC_SHA1_96);
    struct pac_forge forge = pac_good(&world);
    struct cs_writer info = {0}, bytes = {0};
    struct kerberos_pac pac;
    (void)state;
    pac_write_upn(&info, "vagränt@domain.local", "DOMAIN.LOCAL");
    forge.upn_dns_info = cs_written(&info);
    pac_forge(&forge, &bytes);
    assert_int_equal(pac_read(&world, cs_written(&bytes), &pac), SEC_E_OK);
    expect_text(pac.upn, "vagränt@domain.local");
    expect_text(pac.dns_domain, "DOMAIN.LOCAL");
    expect_full(&pac);
    kerberos_pac_drop(&pac);
    cs_writer_drop(&bytes);
    cs_writer_drop(&info);
    pac_world_close(&world);
}

static void other_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < etype_count; i++) {
        struct pac_world world = pac_world_open(etypes[i]);
        struct pac_forge forge = pac_good(&world);
        for (size_t k = 0; k < etype_count; k++) {
            krb5_keyblock other = pac_key(world.krb5, etypes[k], 0x56);
            forge.key = &other;
            assert_int_equal(pac_forged_status(&world, &forge), SEC_E_LOGON_DENIED);
            krb5_free_keyblock_contents(world.krb5, &other);
        }
        pac_world_close(&world);
    }
}

/* A signature that takes no key, or another than the key's own, right as it is (CVE-2014-6324). */
static void other_signatures(void **state)
{
    const int32_t types[] = {CKSUMTYPE_CRC32, CKSUMTYPE_RSA_MD4, CKSUMTYPE_RSA_MD5, CKSUMTYPE_SHA1, CKSUMTYPE_HMAC_MD5};
    struct pac_world world = pac_world_open(ETYPE_AES256_CTS_HMAC_SHA1_96);
    struct pac_forge forge = pac_good(&world);
    unsigned made = 0;
    (void)state;
    krb5_allow_weak_crypto(world.krb5, TRUE);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (krb5_cksumtype_valid(world.krb5, (krb5_cksumtype)types[i])) continue;
        forge.signature_type = types[i];
        assert_int_equal(pac_forged_status(&world, &forge), SEC_E_LOGON_DENIED);
        made++;
    }
    assert_true(made >= 3);
    pac_world_close(&world);
}

static void missing_parts(void **state)
{
    struct pac_world world = pac_world_open(ETYPE_AES256_CTS_HMAC_SHA1_96);
    const uint32_t needed[] = {PAC_SERVER_CHECKSUM, PAC_KDC_CHECKSUM, PAC_CLIENT_INFO};
    (void)state;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        struct pac_forge forge = pac_good(&world);
        forge.without = 1u << needed[i];
        assert_int_equal(pac_forged_status(&world, &forge), SEC_E_LOGON_DENIED);
    }
    struct pac_forge forge = pac_good(&world);
    forge.without = 1u << PAC_LOGON_INFO;
    assert_int_equal(pac_forged_status(&world, &forge), SEC_E_OK);
    pac_world_close(&world);
}

/* Signed by the KDC, but of another logon: another's, or from before the user lost a group. */
static void of_another_logon(void **state)
{
    struct pac_world world = pac_world_open(ETYPE_AES256_CTS_HMAC_SHA1_96);
    const char *names[] = {"administrator", "vagran", "vagrant2", "Vagrant", "", "vagrant@DOMAIN.LOCAL"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct pac_forge forge = pac_good(&world);
        forge.client = names[i];
        assert_int_equal(pac_forged_status(&world, &forge), SEC_E_LOGON_DENIED);
    }
    for (int64_t shift = -1; shift <= 1; shift++) {
        struct pac_forge forge = pac_good(&world);
        forge.authtime += shift;
        assert_int_equal(pac_forged_status(&world, &forge), shift ? SEC_E_LOGON_DENIED : SEC_E_OK);
    }
    pac_world_close(&world);
}

/* Names of several parts and with signs that Kerberos quotes stand in a PAC as they are. */
static void special_names(void **state)
{
    const char *const names[][2] = {{"host/a.b@R", "host/a.b"}, {"a\\@b@R", "a@b"}, {"j\xC3\xB6rg@R", "jörg"}};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct pac_world world = pac_world_open(ETYPE_AES128_CTS_HMAC_SHA1_96);
        krb5_free_principal(world.krb5, world.client);
        assert_int_equal(krb5_parse_name(world.krb5, names[i][0], &world.client), 0);
        struct pac_forge forge = pac_good(&world);
        forge.client = names[i][1];
        assert_int_equal(pac_forged_status(&world, &forge), SEC_E_OK);
        pac_world_close(&world);
    }
}

/* A ticket's authorization data, an array of containers, each of which has these. */
struct contents {
    int32_t types[2];
    unsigned count;
};

/* Adds an element of TYPE with BYTES to DATA. */
static void add_element(AuthorizationData *data, int32_t type, struct cs_span bytes)
{
    AuthorizationDataElement element = {.ad_type = type};
    element.ad_data = (krb5_data){bytes.size, (void *)(uintptr_t)bytes.data};
    assert_int_equal(add_AuthorizationData(data, &element), 0);
}

static void add_container(AuthorizationData *data, const struct contents *contents, struct cs_span pac)
{
    AuthorizationData inner = {0};
    uint8_t *bytes;
    size_t size, written;
    int error;
    for (unsigned i = 0; i < contents->count; i++) add_element(&inner, contents->types[i], pac);
    ASN1_MALLOC_ENCODE(AuthorizationData, bytes, size, &inner, &written, error);
    assert_int_equal(error, 0);
    add_element(data, KRB5_AUTHDATA_IF_RELEVANT, (struct cs_span){bytes, size});
    free(bytes);
    free_AuthorizationData(&inner);
}

/* What becomes of a ticket with COUNT containers; whether there is a PAC must be as GROUPS says. */
static void expect_ticket(const struct contents *contents, size_t count, SECURITY_STATUS status, unsigned groups)
{
    struct pac_world world = pac_world_open(ETYPE_AES256_CTS_HMAC_SHA1_96);
    const struct pac_forge forge = pac_good(&world);
    struct cs_writer bytes = {0};
    AuthorizationData data = {0};
    struct kerberos_pac pac;
    pac_forge(&forge, &bytes);
    for (size_t i = 0; i < count; i++) add_container(&data, &contents[i], cs_written(&bytes));
    const EncTicketPart ticket = {.crealm = world.client->realm,
                                  .cname = world.client->name,
                                  .authtime = AUTHTIME,
                                  .authorization_data = count ? &data : NULL};
    assert_int_equal(kerberos_pac_of_ticket(world.krb5, &world.key, &ticket, &pac), status);
    assert_int_equal(pac.logon.group_count, groups);
    kerberos_pac_drop(&pac);
    free_AuthorizationData(&data);
    cs_writer_drop(&bytes);
    pac_world_close(&world);
}

/* Where it is looked for. A client may add containers, but no second PAC. */
static void tickets(void **state)
{
    const struct contents pac = {{KRB5_AUTHDATA_WIN2K_PAC}, 1}, other = {{0x1234}, 1}, none = {{0}, 0};
    const struct contents two = {{KRB5_AUTHDATA_WIN2K_PAC, KRB5_AUTHDATA_WIN2K_PAC}, 2};
    const struct contents mixed = {{0x1234, KRB5_AUTHDATA_WIN2K_PAC}, 2};
    (void)state;
    expect_ticket(NULL, 0, SEC_E_OK, 0);
    expect_ticket((const struct contents[]){none}, 1, SEC_E_OK, 0);
    expect_ticket((const struct contents[]){other}, 1, SEC_E_OK, 0);
    expect_ticket((const struct contents[]){pac}, 1, SEC_E_OK, 5);
    expect_ticket((const struct contents[]){mixed}, 1, SEC_E_OK, 5);
    expect_ticket((const struct contents[]){other, none, pac}, 3, SEC_E_OK, 5);
    expect_ticket((const struct contents[]){pac, other}, 2, SEC_E_OK, 5);
    expect_ticket((const struct contents[]){two}, 1, SEC_E_INVALID_TOKEN, 0);
    expect_ticket((const struct contents[]){pac, pac}, 2, SEC_E_INVALID_TOKEN, 0);
}

/* What is no authorization data. */
static void broken_containers(void **state)
{
    struct pac_world world = pac_world_open(ETYPE_AES256_CTS_HMAC_SHA1_96);
    const struct bytes broken[] = {unhex(""), unhex("30"), unhex("3080"), unhex("3084ffffffff"), unhex("3003020101")};
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        AuthorizationData data = {0};
        struct kerberos_pac pac;
        add_element(&data, KRB5_AUTHDATA_IF_RELEVANT, span_over(&broken[i]));
        const EncTicketPart ticket = {.crealm = world.client->realm,
                                      .cname = world.client->name,
                                      .authtime = AUTHTIME,
                                      .authorization_data = &data};
        assert_int_equal(kerberos_pac_of_ticket(world.krb5, &world.key, &ticket, &pac), SEC_E_INVALID_TOKEN);
        kerberos_pac_drop(&pac);
        free_AuthorizationData(&data);
    }
    pac_world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tickets),
        cmocka_unit_test(broken_containers),
        cmocka_unit_test(logon_info),
        cmocka_unit_test(every_type_of_key),
        cmocka_unit_test(heimdal_takes_ours),
        cmocka_unit_test(upn),
        cmocka_unit_test(ours_takes_heimdals),
        cmocka_unit_test(other_keys),
        cmocka_unit_test(other_signatures),
        cmocka_unit_test(missing_parts),
        cmocka_unit_test(of_another_logon),
        cmocka_unit_test(special_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
