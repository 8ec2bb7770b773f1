/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets with PACs through whole exchanges, forged with the service's key: whom the acceptor then takes the client
 * for, and that it takes nobody whose PAC is not the KDC's, or not this logon's. Sources: MS-PAC 2.7, 2.8;
 * MS-KILE 3.4.5.3; attributes.tsv, SECPKG_ATTR_NAMES.
 */
#include "pac_ticket.h"
#include "pac_unit.h"
#include "realm.h"

#include <time.h>

static const char service[] = "HTTP/server.example.test@EXAMPLE.TEST";

/* A ticket of "vagrant", good for an hour, and what goes into its PAC. */
struct scene {
    krb5_context krb5;
    krb5_keyblock key;
    struct bytes logon;
    struct pac_ticket ticket;
    struct pac_forge pac;
};

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
    };
    return cmocka_run_group_tests(tests, start, stop);
}
