/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two realms that trust each other: which one a service is looked for in, by what krb5.conf says and by what the KDC
 * does (RFC 6806 section 8), and what users of the other realm are called (attributes.tsv NAMES, NATIVE_NAMES).
 */
#include "heimdal_leaks.h"
#include "kerberos.h"
#include "kerberos_pair.h"
#include "realm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The KDC knows whose hosts those are; the client has a krb5.conf of its own, which does not. */
static int start(void **state)
{
    const char *other_hosts = "[domain_realm]\n    .other.test = OTHER.TEST\n";
    char command[400], own[160];
    (void)state;
    realm_start_peopled("");
    realm_start_other();
    realm_other_add_user("guest", "Password");
    realm_other_add_service("HTTP/server.other.test");
    snprintf(own, sizeof own, "%s", realm_path("own.conf"));
    snprintf(command, sizeof command, "cp %s %s", realm_path("realm/krb5.conf"), own);
    assert_int_equal(system(command), 0);
    realm_configure(other_hosts);
    realm_pause();
    realm_resume();
    return setenv("KRB5_CONFIG", own, 1);
}

static int stop(void **state)
{
    (void)state;
    realm_end();
    return 0;
}

static void expect_text(struct cs_span text, const char *expected)
{
    struct bytes bytes = utf16(expected);
    assert_int_equal(text.size, bytes.size);
    assert_memory_equal(text.data, bytes.data, bytes.size);
}

struct names {
    const char *names, *client, *server;
};

static void expect_names(struct cs_context *context, const struct names *names)
{
    const struct cs_session *session = cs_context_session(context);
    assert_non_null(session);
    expect_text(session->names, names->names);
    expect_text(session->native_client, names->client);
    expect_text(session->native_server, names->server);
}

/* An exchange that succeeds, after which both sides call each other NAMES. */
static void expect_exchange(const struct pair_setup *setup, const struct names *names)
{
    struct pair pair;
    uint32_t qop;
    pair_open(&pair, "Kerberos", setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    expect_names(pair.client, names);
    expect_names(pair.server, names);
    struct wire wire = kerberos_wrap(cs_context_session(pair.client), 0, "text", 4);
    assert_int_equal(kerberos_unwrap(cs_context_session(pair.server), &wire, &qop), SEC_E_OK);
    pair_close(&pair);
}

static void use_keytab(const char *realm)
{
    char name[160];
    snprintf(name, sizeof name, "FILE:%s/keytab", realm_path(realm));
    assert_int_equal(setenv("KRB5_KTNAME", name, 1), 0);
}

static const struct names outwards = {"EXAMPLE\\user", "user@EXAMPLE.TEST", "HTTP/server.other.test@OTHER.TEST"};
static const struct names inwards = {"OTHER.TEST\\guest", "guest@OTHER.TEST", "HTTP/server.example.test@EXAMPLE.TEST"};

static struct pair_setup setup_to(const char *target)
{
    struct pair_setup setup = realm_setup();
    setup.target = target;
    return setup;
}

/* Nothing tells the client; its KDC does. */
static void by_referral(void **state)
{
    struct pair_setup setup = setup_to("HTTP/server.other.test");
    (void)state;
    use_keytab("other");
    expect_exchange(&setup, &outwards);
}

static void by_target(void **state)
{
    struct pair_setup setup = setup_to("HTTP/server.other.test@OTHER.TEST");
    (void)state;
    use_keytab("other");
    expect_exchange(&setup, &outwards);
}

/* Another realm's users keep its whole name: its first label may be that of this machine's own. */
static void from_the_other(void **state)
{
    struct pair_setup setup = setup_to("HTTP/server.example.test");
    (void)state;
    use_keytab("realm");
    setup.user = "guest";
    setup.domain = "OTHER.TEST";
    expect_exchange(&setup, &inwards);
}

static void from_a_cache(void **state)
{
    struct pair_setup setup = setup_to("HTTP/server.example.test");
    (void)state;
    use_keytab("realm");
    realm_kinit("guest@OTHER.TEST", "Password");
    setup.user = NULL;
    for (int i = 0; i < 3; i++) expect_exchange(&setup, &inwards);
    realm_kdestroy();
}

static SECURITY_STATUS aim(const char *target)
{
    struct cs_policy policy = cs_default_policy();
    struct pair_setup setup = setup_to(target);
    struct pair pair;
    policy.kdc_wait_time = 2;
    setup.client_policy = &policy;
    pair_open(&pair, "Kerberos", &setup);
    SECURITY_STATUS status = pair_client_step(&pair, (struct cs_span){0});
    pair_close(&pair);
    return status;
}

static void strangers(void **state)
{
    (void)state;
    assert_int_equal(aim("HTTP/unknown.other.test"), SEC_E_TARGET_UNKNOWN);
    assert_int_equal(aim("HTTP/server.other.test@THIRD.TEST"), SEC_E_TARGET_UNKNOWN);
    assert_int_equal(aim("HTTP/unknown.other.test@OTHER.TEST"), SEC_E_TARGET_UNKNOWN);
}

/* A way that krb5.conf names is gone first; where it leads nowhere, the KDC's way is. */
static void by_configuration(void **state)
{
    struct pair_setup setup = setup_to("HTTP/server.other.test");
    (void)state;
    use_keytab("other");
    realm_configure("[domain_realm]\n    .other.test = OTHER.TEST\n"
                    "[capaths]\n    EXAMPLE.TEST = {\n        OTHER.TEST = .\n    }\n");
    expect_exchange(&setup, &outwards);
}

/* The last case: that realm's KDC has ended. */
static void without_its_kdc(void **state)
{
    (void)state;
    realm_other_pause();
    assert_int_equal(aim("HTTP/server.other.test"), SEC_E_NO_AUTHENTICATING_AUTHORITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_referral),     cmocka_unit_test(by_target), cmocka_unit_test(from_the_other),
        cmocka_unit_test(from_a_cache),    cmocka_unit_test(strangers), cmocka_unit_test(by_configuration),
        cmocka_unit_test(without_its_kdc),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
