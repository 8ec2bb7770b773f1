/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets with PACs through whole exchanges, forged with the service's key: whom the acceptor then takes the client
 * for, for how long, and that it takes nobody whose PAC is not the KDC's, or not this logon's. Sources:
 * MS-PAC 2.5, 2.7, 2.8; MS-KILE 3.4.5.3; attributes.tsv, SECPKG_ATTR_NAMES.
 */
#include "pac_ticket.h"
#include "pac_unit.h"
#include "realm.h"

#include <time.h>
#include <unistd.h>

enum { KICK_OFF = 36 /* KickOffTime in LOGON_INFO */, SECOND = 10000000 };

static const char service[] = "HTTP/server.example.test@EXAMPLE.TEST";

/* A ticket of "vagrant", good for an hour, and what goes into its PAC. */
struct scene {
    krb5_context krb5;
    krb5_keyblock key;
    struct bytes logon;
    struct pac_ticket ticket;
    struct pac_forge pac;
};

static void set_kick_off(struct scene *scene, int64_t time)
{
    for (int i = 0; i < 8; i++) scene->logon.data[KICK_OFF + i] = (uint8_t)((uint64_t)time >> (8 * i));
}

/* In place, for its members point to each other. */
static void open_scene(struct scene *scene)
{
    const int64_t now = time(NULL);
    *scene = (struct scene){.logon = unhex(pac_full_logon_info)};
    assert_int_equal(krb5_init_context(&scene->krb5), 0);
    scene->ticket = (struct pac_ticket){.krb5 = scene->krb5, .client = "vagrant@EXAMPLE.TEST", .service = service};
    scene->key = pac_ticket_key(scene->krb5, service, &scene->ticket.kvno);
    scene->ticket.key = &scene->key;
    scene->ticket.authtime = now - 60;
    scene->ticket.endtime = now + 3600;
    scene->pac = (struct pac_forge){.krb5 = scene->krb5, .key = &scene->key, .client = "vagrant"};
    scene->pac.authtime = scene->ticket.authtime;
    scene->pac.logon_info = span_over(&scene->logon);
    set_kick_off(scene, INT64_MAX);
}

static void close_scene(struct scene *scene)
{
    krb5_free_keyblock_contents(scene->krb5, &scene->key);
    krb5_free_context(scene->krb5);
}

/* The exchange with the ticket as it is; NAMES is what the acceptor then calls the client. */
static SECURITY_STATUS run_ticket(const struct scene *scene, const char *names)
{
    struct pair_setup setup = realm_setup();
    struct pair pair;
    setup.user = setup.domain = setup.password = NULL;
    pac_ticket_store(&scene->ticket);
    pair_open(&pair, "Kerberos", &setup);
    const SECURITY_STATUS status = pair_run(&pair);
    if (status == SEC_E_OK) {
        const struct cs_span got = cs_context_session(pair.server)->names;
        const struct bytes wanted = utf16(names);
        assert_int_equal(got.size, wanted.size);
        assert_memory_equal(got.data, wanted.data, wanted.size);
    }
    pair_close(&pair);
    return status;
}

/* The same with COUNT times the PAC that SCENE describes. */
static SECURITY_STATUS run_with_pac(struct scene *scene, unsigned count, const char *names)
{
    struct cs_writer pac = {0};
    pac_forge(&scene->pac, &pac);
    for (unsigned i = 0; i < count; i++) scene->ticket.pacs[i] = cs_written(&pac);
    scene->ticket.pac_count = count;
    const SECURITY_STATUS status = run_ticket(scene, names);
    cs_writer_drop(&pac);
    return status;
}

static void names(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    assert_int_equal(run_ticket(&scene, "EXAMPLE\\vagrant"), SEC_E_OK);
    assert_int_equal(run_with_pac(&scene, 1, "DOMAIN\\vagrant"), SEC_E_OK);
    scene.pac.without = 1u << PAC_LOGON_INFO;
    assert_int_equal(run_with_pac(&scene, 1, "EXAMPLE\\vagrant"), SEC_E_OK);
    close_scene(&scene);
}

/* The user's name in the PAC is Windows's, which need not be the principal's. */
static void name_of_the_pac(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    scene.ticket.client = "V.Agrant@EXAMPLE.TEST";
    scene.pac.client = "V.Agrant";
    assert_int_equal(run_with_pac(&scene, 1, "DOMAIN\\vagrant"), SEC_E_OK);
    close_scene(&scene);
}

/* The exchange with the PAC as it is, left open. */
static SECURITY_STATUS open_pair(struct scene *scene, struct pair *pair)
{
    struct pair_setup setup = realm_setup();
    struct cs_writer pac = {0};
    setup.user = setup.domain = setup.password = NULL;
    pac_forge(&scene->pac, &pac);
    scene->ticket.pacs[0] = cs_written(&pac);
    scene->ticket.pac_count = 1;
    pac_ticket_store(&scene->ticket);
    cs_writer_drop(&pac);
    pair_open(pair, "Kerberos", &setup);
    return pair_run(pair);
}

/* The server's session ends at the kick-off time, or with the ticket, whatever comes first. */
static void kick_off(void **state)
{
    const int64_t now = cs_now(), in_half_an_hour = now + INT64_C(1800) * SECOND;
    const int64_t times[] = {in_half_an_hour, now + INT64_C(7200) * SECOND, INT64_MAX, 0, -1};
    struct scene scene;
    struct pair pair;
    (void)state;
    open_scene(&scene);
    const int64_t end = 116444736000000000 + scene.ticket.endtime * SECOND;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        set_kick_off(&scene, times[i]);
        assert_int_equal(open_pair(&scene, &pair), SEC_E_OK);
        assert_int_equal(cs_context_session(pair.server)->expiry, i ? end : in_half_an_hour);
        assert_int_equal(pair.server_leg.expiry, i ? end : in_half_an_hour);
        pair_close(&pair);
    }
    close_scene(&scene);
}

static void kicked_off(void **state)
{
    uint8_t data[8] = {0}, token[64];
    struct scene scene;
    struct pair pair;
    (void)state;
    open_scene(&scene);
    set_kick_off(&scene, cs_now() - SECOND);
    assert_int_equal(open_pair(&scene, &pair), SEC_E_CONTEXT_EXPIRED);
    pair_close(&pair);
    set_kick_off(&scene, cs_now() + 2 * SECOND);
    assert_int_equal(open_pair(&scene, &pair), SEC_E_OK);
    struct cs_session *session = cs_context_session(pair.server);
    struct parts parts = {.count = 0};
    add_part(&parts, SECBUFFER_TOKEN, token, sizeof token);
    add_part(&parts, SECBUFFER_DATA, data, sizeof data);
    const struct cs_message message = message_over(&parts);
    assert_int_equal(cs_make_signature(session, &message), SEC_E_OK);
    sleep(3);
    assert_int_equal(cs_make_signature(session, &message), SEC_E_CONTEXT_EXPIRED);
    pair_close(&pair);
    close_scene(&scene);
}

static void expect_sid(const struct cs_sid *sid, const char *hex)
{
    expect_hex(((struct cs_span){sid->bytes, sid->size}), hex);
}

/* What an access token will be made of is the session's, for the server alone. */
static void logon(void **state)
{
    struct scene scene;
    struct pair pair;
    (void)state;
    open_scene(&scene);
    assert_int_equal(open_pair(&scene, &pair), SEC_E_OK);
    assert_null(cs_context_session(pair.client)->logon);
    const struct cs_logon *found = cs_context_session(pair.server)->logon;
    assert_non_null(found);
    assert_int_equal(found->user.size, 2 * strlen("vagrant"));
    assert_int_equal(found->domain.size, 2 * strlen("DOMAIN"));
    expect_sid(&found->user_sid, "01050000000000051500000001000000020000000300000051040000");
    assert_int_equal(found->primary_group, 513);
    assert_int_equal(found->group_count, 5);
    expect_sid(&found->groups[0].sid, "01050000000000051500000001000000020000000300000001020000");
    expect_sid(&found->groups[2].sid, "010100000000001201000000");
    expect_sid(&found->groups[4].sid, "010500000000000515000000090000000800000007000000b1040000");
    assert_int_equal(found->groups[4].attributes, 0x20000007);
    pair_close(&pair);
    scene.pac.without = 1u << PAC_LOGON_INFO;
    assert_int_equal(open_pair(&scene, &pair), SEC_E_OK);
    assert_null(cs_context_session(pair.server)->logon);
    pair_close(&pair);
    close_scene(&scene);
}

static void two_pacs(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    assert_int_equal(run_with_pac(&scene, 2, NULL), SEC_E_INVALID_TOKEN);
    close_scene(&scene);
}

static void not_the_kdcs(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    krb5_keyblock other = pac_key(scene.krb5, scene.key.keytype, 0x11);
    scene.pac.key = &other;
    assert_int_equal(run_with_pac(&scene, 1, NULL), SEC_E_LOGON_DENIED);
    scene.pac.key = &scene.key;
    scene.pac.signature_type = CKSUMTYPE_RSA_MD5;
    assert_int_equal(run_with_pac(&scene, 1, NULL), SEC_E_LOGON_DENIED);
    krb5_free_keyblock_contents(scene.krb5, &other);
    close_scene(&scene);
}

static void not_of_this_logon(void **state)
{
    struct scene scene;
    (void)state;
    open_scene(&scene);
    scene.pac.client = "administrator";
    assert_int_equal(run_with_pac(&scene, 1, NULL), SEC_E_LOGON_DENIED);
    scene.pac.client = "vagrant";
    scene.pac.authtime--;
    assert_int_equal(run_with_pac(&scene, 1, NULL), SEC_E_LOGON_DENIED);
    close_scene(&scene);
}

static void malformed(void **state)
{
    const size_t sizes[] = {1, 7, 8, 100};
    struct cs_writer pac = {0};
    struct scene scene;
    (void)state;
    open_scene(&scene);
    pac_forge(&scene.pac, &pac);
    scene.ticket.pac_count = 1;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        scene.ticket.pacs[0] = (struct cs_span){pac.data, sizes[i]};
        assert_int_equal(run_ticket(&scene, NULL), SEC_E_INVALID_TOKEN);
    }
    scene.logon.size -= 4;
    scene.pac.logon_info = span_over(&scene.logon);
    assert_int_equal(run_with_pac(&scene, 1, NULL), SEC_E_INVALID_TOKEN);
    cs_writer_drop(&pac);
    close_scene(&scene);
}

static int start(void **state)
{
    (void)state;
    realm_start_peopled("");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    realm_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),        cmocka_unit_test(name_of_the_pac),   cmocka_unit_test(two_pacs),
        cmocka_unit_test(not_the_kdcs), cmocka_unit_test(not_of_this_logon), cmocka_unit_test(malformed),
        cmocka_unit_test(kick_off),     cmocka_unit_test(kicked_off),        cmocka_unit_test(logon),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
