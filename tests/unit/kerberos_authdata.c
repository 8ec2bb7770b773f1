/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an acceptor makes of the authenticator's authorization data, and of the name in the ticket, which is in clear:
 * the target that it reports, and channel bindings that are missing. Sources: MS-KILE 3.2.5.8 and 3.4.5, errors.tsv
 * (SEC_E_BAD_BINDINGS), attributes.tsv (CLIENT_SPECIFIED_TARGET).
 *
 * Bug classes: A4 and A5 for Kerberos (what is no text, what is there twice), C5 (nesting).
 */
#include "kerberos_authdata.h"
#include "kerberos_service.h"
#include "kerberos_talk.h"
#include "ticket_forge.h"

#include <stdlib.h>
#include <string.h>

enum { OPTIONS = KERBEROS_AUTHDATA_AP_OPTIONS, TARGET = KERBEROS_AUTHDATA_TARGET };

static struct kerberos_service service;

static int start(void **state)
{
    (void)state;
    kerberos_service_open(&service);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    kerberos_service_close(&service);
    return 0;
}

static const struct cs_span cbt = {(const uint8_t *)"\x00\x40\x00\x00", 4};

/* The server's answer to a request that says DATA, with a ticket for KEY that names HOST. */
static SECURITY_STATUS offer_for(const krb5_keyblock *key, const char *host, const AuthorizationData *data)
{
    struct ticket_forge forge = ticket_forge_right(service.krb5, key);
    struct cs_writer token = {0};
    forge.host = host;
    forge.said = data;
    ticket_forge(&forge, &token);
    const SECURITY_STATUS status = kerberos_service_offer(&service, cs_written(&token));
    assert_int_equal(cs_context_session(service.pair.server) != NULL, status == SEC_E_OK);
    cs_writer_drop(&token);
    return status;
}

static SECURITY_STATUS offer(const AuthorizationData *data)
{
    return offer_for(&service.key, "server.example.test", data);
}

static void expect_target(const char *target)
{
    expect_text(cs_context_session(service.pair.server)->target, target);
}

/* An element of one container, at most three of which are there. */
struct part {
    int type;
    struct cs_span bytes;
};

static void contain(AuthorizationData *data, const struct part *parts, size_t count)
{
    AuthorizationData inner = {0, NULL};
    for (size_t i = 0; i < count; i++) ticket_forge_add(&inner, parts[i].type, parts[i].bytes);
    ticket_forge_contain(data, &inner);
}

static SECURITY_STATUS offer_parts(const struct part *parts, size_t count)
{
    AuthorizationData data = {0, NULL};
    contain(&data, parts, count);
    const SECURITY_STATUS status = offer(&data);
    free_AuthorizationData(&data);
    return status;
}

/* A name in the ticket of which no key here says anything changes nothing of what the client has said. */
static void said(void **state)
{
    const char *hosts[] = {"server.example.test", "alias.example.test", "evil.example.test"};
    const char *names[] = {"HTTP/other.example.test", "HTTP/other.example.test@EXAMPLE.TEST", "user", "\u00fc/\u20ac",
                           ""};
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
            const struct bytes name = utf16(names[j]);
            const struct part parts[] = {{OPTIONS, cbt}, {0x1234, cbt}, {TARGET, span_over(&name)}};
            AuthorizationData data = {0, NULL};
            contain(&data, parts, 3);
            assert_int_equal(offer_for(&service.key, hosts[i], &data), SEC_E_OK);
            expect_target(names[j]);
            free_AuthorizationData(&data);
        }
}

/* Both at once, in either order, in one container or in two. */
static void places(void **state)
{
    const struct bytes name = utf16("HTTP/other");
    const struct part parts[] = {{TARGET, span_over(&name)}, {OPTIONS, cbt}};
    AuthorizationData data = {0, NULL};
    (void)state;
    assert_int_equal(offer_parts(parts, 2), SEC_E_OK);
    expect_target("HTTP/other");
    contain(&data, &parts[1], 1);
    contain(&data, NULL, 0);
    contain(&data, parts, 1);
    assert_int_equal(offer(&data), SEC_E_OK);
    expect_target("HTTP/other");
    free_AuthorizationData(&data);
}

/* MS-KILE has no NUL at the end. */
static void with_an_end(void **state)
{
    struct bytes name = utf16("HTTP/other");
    (void)state;
    memset(name.data + name.size, 0, 2);
    name.size += 2;
    const struct part part = {TARGET, span_over(&name)};
    assert_int_equal(offer_parts(&part, 1), SEC_E_OK);
    expect_target("HTTP/other");
}

/* Only where an AD-IF-RELEVANT has it, and not one inside another. */
static void elsewhere(void **state)
{
    const struct bytes name = utf16("HTTP/other");
    AuthorizationData bare = {0, NULL}, inner = {0, NULL}, middle = {0, NULL}, nested = {0, NULL};
    (void)state;
    ticket_forge_add(&bare, TARGET, span_over(&name));
    ticket_forge_add(&inner, TARGET, span_over(&name));
    ticket_forge_contain(&middle, &inner);
    ticket_forge_contain(&nested, &middle);
    assert_int_equal(offer(&bare), SEC_E_OK);
    expect_target("HTTP/server.example.test");
    assert_int_equal(offer(&nested), SEC_E_OK);
    expect_target("HTTP/server.example.test");
    free_AuthorizationData(&bare);
    free_AuthorizationData(&nested);
}

static void deeply_nested(void **state)
{
    AuthorizationData data = {0, NULL};
    (void)state;
    for (int i = 0; i < 200; i++) {
        AuthorizationData outer = {0, NULL};
        ticket_forge_contain(&outer, &data);
        data = outer;
    }
    assert_int_equal(offer(&data), SEC_E_OK);
    expect_target("HTTP/server.example.test");
    free_AuthorizationData(&data);
}

/* A4: what is no name, and what are no options. */
static void malformed(void **state)
{
    const struct {
        int type;
        const char *hex;
    } bad[] = {
        {TARGET, "48"},             /* half a character */
        {TARGET, "48005400540050"}, /* three and a half */
        {TARGET, "480000004900"},   /* a NUL inside */
        {TARGET, "480000000000"},   /* two at the end */
        {TARGET, "00d84800"},       /* half a surrogate pair */
        {TARGET, "480000dc"},       /* the other half */
        {OPTIONS, ""},
        {OPTIONS, "004000"},
        {OPTIONS, "0040000000"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct bytes bytes = unhex(bad[i].hex);
        const struct part part = {bad[i].type, span_over(&bytes)};
        assert_int_equal(offer_parts(&part, 1), SEC_E_INVALID_TOKEN);
    }
}

/* A5 */
static void doubled(void **state)
{
    const struct bytes name = utf16("HTTP/server.example.test"), empty = utf16("");
    const struct part targets[] = {{TARGET, span_over(&name)}, {TARGET, span_over(&name)}};
    const struct part empties[] = {{TARGET, span_over(&empty)}, {TARGET, span_over(&name)}};
    const struct part options[] = {{OPTIONS, cbt}, {OPTIONS, cbt}};
    AuthorizationData data = {0, NULL};
    (void)state;
    assert_int_equal(offer_parts(targets, 2), SEC_E_INVALID_TOKEN);
    assert_int_equal(offer_parts(empties, 2), SEC_E_INVALID_TOKEN);
    assert_int_equal(offer_parts(options, 2), SEC_E_INVALID_TOKEN);
    contain(&data, targets, 1);
    contain(&data, targets, 1);
    assert_int_equal(offer(&data), SEC_E_INVALID_TOKEN);
    free_AuthorizationData(&data);
}

/* A name of Windows's has up to 65534 bytes. */
static void huge(void **state)
{
    uint8_t *bytes = malloc(0x20000);
    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < 0x20000; i += 2) memcpy(bytes + i, "a", 2);
    const size_t sizes[] = {0xFFFE, 0x10000, 0x20000};
    for (size_t i = 0; i < 3; i++) {
        const struct part part = {TARGET, {bytes, sizes[i]}};
        assert_int_equal(offer_parts(&part, 1), i ? SEC_E_INVALID_TOKEN : SEC_E_OK);
        if (!i) assert_int_equal(cs_context_session(service.pair.server)->target.size, sizes[0]);
    }
    free(bytes);
}

/* A container that holds no authorization data; cut anywhere, a good one is none. */
static void no_container(void **state)
{
    const struct bytes name = utf16("HTTP/other");
    const struct part parts[] = {{OPTIONS, cbt}, {TARGET, span_over(&name)}};
    AuthorizationData good = {0, NULL};
    (void)state;
    contain(&good, parts, 2);
    const size_t whole = good.val[0].ad_data.length;
    for (size_t size = 0; size < whole; size++) {
        good.val[0].ad_data.length = size;
        assert_int_equal(offer(&good), SEC_E_INVALID_TOKEN);
    }
    good.val[0].ad_data.length = whole;
    assert_int_equal(offer(&good), SEC_E_OK);
    free_AuthorizationData(&good);
}

/* The ticket's name without the client's word: it counts where the key is that name's and no other's. */
static void names_in_clear(void **state)
{
    const struct {
        const krb5_keyblock *key;
        const char *host, *target;
    } cases[] = {
        {&service.key, "server.example.test", "HTTP/server.example.test"},
        {&service.key, "alias.example.test", ""},
        {&service.key, "evil.example.test", ""},
        {&service.key, "SERVER.example.test", ""},
        {&service.key_128, "alias.example.test", "HTTP/alias.example.test"},
        {&service.key_128, "server.example.test", ""},
    };
    const struct part part = {OPTIONS, cbt};
    AuthorizationData options = {0, NULL};
    (void)state;
    contain(&options, &part, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int with_options = 0; with_options < 2; with_options++) {
            assert_int_equal(offer_for(cases[i].key, cases[i].host, with_options ? &options : NULL), SEC_E_OK);
            expect_target(cases[i].target);
        }
    free_AuthorizationData(&options);
}

/* Adds KEY as NAME's to the keytab, or takes it out again. */
static void share(const char *name, krb5_kvno kvno, const krb5_keyblock *key, bool add)
{
    krb5_keytab_entry entry = {.vno = kvno, .keyblock = *key, .timestamp = 1};
    krb5_keytab keytab;
    assert_int_equal(krb5_kt_resolve(service.krb5, getenv("KRB5_KTNAME"), &keytab), 0);
    assert_int_equal(krb5_parse_name(service.krb5, name, &entry.principal), 0);
    if (add)
        assert_int_equal(krb5_kt_add_entry(service.krb5, keytab, &entry), 0);
    else
        assert_int_equal(krb5_kt_remove_entry(service.krb5, keytab, &entry), 0);
    krb5_free_principal(service.krb5, entry.principal);
    krb5_kt_close(service.krb5, keytab);
}

/* Where two names have one key, each can be put in the other's place on the way. */
static void shared_key(void **state)
{
    const char *others[] = {"HTTP/alias.example.test@EXAMPLE.TEST", "HTTP/server.example.test@OTHER.TEST",
                            "SERVER$@EXAMPLE.TEST"};
    const char *hosts[] = {"server.example.test", "alias.example.test", "evil.example.test"};
    const struct bytes name = utf16("HTTP/server.example.test");
    const struct part part = {TARGET, span_over(&name)};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        share(others[i], 1, &service.key, true);
        for (size_t j = 0; j < sizeof hosts / sizeof *hosts; j++) {
            assert_int_equal(offer_for(&service.key, hosts[j], NULL), SEC_E_OK);
            expect_target("");
        }
        assert_int_equal(offer_parts(&part, 1), SEC_E_OK);
        expect_target("HTTP/server.example.test");
        share(others[i], 1, &service.key, false);
    }
    share("HTTP/server.example.test@EXAMPLE.TEST", 7, &service.key, true);
    assert_int_equal(offer(NULL), SEC_E_OK);
    expect_target("HTTP/server.example.test");
    share("HTTP/server.example.test@EXAMPLE.TEST", 7, &service.key, false);
}

/* The ticket of user-to-user is under peer's key, whichever service of peer's it names. */
static void user_to_user(void **state)
{
    const struct bytes name = utf16("HTTP/other");
    const struct part part = {TARGET, span_over(&name)};
    AuthorizationData data = {0, NULL};
    (void)state;
    contain(&data, &part, 1);
    for (int says = 0; says < 2; says++) {
        struct ticket_forge forge = ticket_forge_right(service.krb5, &service.tgt);
        struct cs_writer token = {0};
        forge.kvno = 0;
        forge.user_to_user = forge.user_to_user_frame = true;
        forge.said = says ? &data : NULL;
        ticket_forge(&forge, &token);
        assert_int_equal(kerberos_service_offer_user_to_user(&service, cs_written(&token)), SEC_E_OK);
        expect_target(says ? "HTTP/other" : "");
        cs_writer_drop(&token);
    }
    free_AuthorizationData(&data);
}

/*
 * errors.tsv, SEC_E_BAD_BINDINGS: a client that knows of channel bindings and has sent none. The forged request has no
 * checksum, which is one without bindings (MS-KILE 3.4.5).
 */
static void missing_bindings(void **state)
{
    static const uint8_t bindings[34] = {[24] = 2, [28] = 32, [32] = 'o', 'k'};
    const uint32_t allow = ASC_REQ_ALLOW_MISSING_BINDINGS, proxy = ASC_REQ_PROXY_BINDINGS;
    const struct {
        bool bound;
        uint32_t request;
        const char *options;
        SECURITY_STATUS status;
    } cases[] = {
        {false, 0, "00400000", SEC_E_OK},
        {true, 0, NULL, SEC_E_BAD_BINDINGS},
        {true, 0, "00400000", SEC_E_BAD_BINDINGS},
        {true, allow, NULL, SEC_E_OK},
        {true, allow, "00000000", SEC_E_OK},
        {true, allow, "ffbfffff", SEC_E_OK},
        {true, allow, "00400000", SEC_E_BAD_BINDINGS},
        {true, allow, "ffffffff", SEC_E_BAD_BINDINGS},
        {true, allow | proxy, "00400000", SEC_E_BAD_BINDINGS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct bytes options = unhex(cases[i].options ? cases[i].options : "");
        const struct part part = {OPTIONS, span_over(&options)};
        if (cases[i].bound) service.pair.setup.server_bindings = (struct cs_span){bindings, sizeof bindings};
        service.pair.setup.server_request = cases[i].request;
        assert_int_equal(cases[i].options ? offer_parts(&part, 1) : offer(NULL), cases[i].status);
        service.pair.setup.server_bindings = (struct cs_span){0};
        service.pair.setup.server_request = 0;
    }
}

/* RFC 4120 5.2.6, byte by byte: the options, then the target */
static void written(void **state)
{
    const char *cases[][2] = {
        {"", "3010300ea0040202008fa106040400400000"},
        {"a/b", "3022300ea0040202008fa1060404004000003010a00402020090a108040661002f006200"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct bytes name = utf16(cases[i][0]);
        AuthorizationData data = {0, NULL};
        assert_int_equal(kerberos_authdata_write(span_over(&name), &data), 0);
        assert_int_equal(data.len, 1);
        assert_int_equal(data.val[0].ad_type, KRB5_AUTHDATA_IF_RELEVANT);
        const struct cs_span container = {data.val[0].ad_data.data, data.val[0].ad_data.length};
        expect_hex(container, cases[i][1]);
        free_AuthorizationData(&data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(said),
        cmocka_unit_test(places),
        cmocka_unit_test(with_an_end),
        cmocka_unit_test(elsewhere),
        cmocka_unit_test(deeply_nested),
        cmocka_unit_test(malformed),
        cmocka_unit_test(doubled),
        cmocka_unit_test(huge),
        cmocka_unit_test(no_container),
        cmocka_unit_test(names_in_clear),
        cmocka_unit_test(shared_key),
        cmocka_unit_test(user_to_user),
        cmocka_unit_test(missing_bindings),
        cmocka_unit_test(written),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
