/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Delegation: a forwarded ticket-granting ticket goes along where the service is trusted with one, and its receiver
 * logs on to another service with it (attributes.tsv, flags, Kerberos, DELEGATE; RFC 4121 4.1.1).
 *
 * Bug classes: E3 (an empty delegated credential), E5 (a delegated credential is nobody else's).
 */
#include "kerberos_talk.h"
#include "realm.h"

#include <string.h>
#include <unistd.h>

static int start(void **state)
{
    (void)state;
    realm_start_peopled("");
    realm_add_service("HTTP/trusted.example.test");
    realm_kadmin("modify --attributes=+ok-as-delegate HTTP/trusted.example.test");
    realm_add_user("bound", "Password");
    realm_kadmin("modify --attributes=+disallow-forwardable bound");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    realm_end();
    return 0;
}

static void open_delegating(struct pair *pair, const char *user, const char *target, uint32_t request)
{
    struct pair_setup setup = realm_setup();
    setup.user = user;
    setup.target = target;
    setup.client_request |= request;
    pair_open(pair, "Kerberos", &setup);
    assert_int_equal(pair_run(pair), SEC_E_OK);
}

static void expect_delegated(const struct pair *pair, bool delegated)
{
    assert_int_equal(!!(pair->client_leg.granted & ISC_REQ_DELEGATE), delegated);
    assert_int_equal(!!(pair->server_leg.granted & ASC_REQ_DELEGATE), delegated);
    assert_null(cs_context_session(pair->client)->onward);
}

static void trusted_services_alone(void **state)
{
    struct pair pair;
    (void)state;
    open_delegating(&pair, "user", "HTTP/trusted.example.test", ISC_REQ_DELEGATE);
    expect_delegated(&pair, true);
    pair_close(&pair);
    open_delegating(&pair, "user", "HTTP/trusted.example.test", 0);
    expect_delegated(&pair, false);
    pair_close(&pair);
    open_delegating(&pair, "user", "HTTP/server.example.test", ISC_REQ_DELEGATE);
    expect_delegated(&pair, false);
    pair_close(&pair);
    open_delegating(&pair, "bound", "HTTP/trusted.example.test", ISC_REQ_DELEGATE);
    expect_delegated(&pair, false);
    pair_close(&pair);
}

/* The first service goes on to the second as its client, without a cache or a keytab of its own having a part in it. */
static void logging_on_with_it(void **state)
{
    struct pair first, second;
    struct pair_setup setup = realm_setup();
    struct cs_writer names = {0};
    (void)state;
    open_delegating(&first, "user", "HTTP/trusted.example.test", ISC_REQ_DELEGATE);
    pair_open(&second, "Kerberos", &setup);
    struct cs_credential *delegated = cs_context_session(first.server)->onward;
    cs_credential_addref(delegated);
    cs_credential_release(second.client_credential);
    second.client_credential = delegated;
    pair_close(&first);
    assert_int_equal(delegated->mechanism->credential_names(delegated, &names), SEC_E_OK);
    expect_text(cs_written(&names), "EXAMPLE\\user");
    assert_int_equal(pair_run(&second), SEC_E_OK);
    expect_text(cs_context_session(second.server)->names, "EXAMPLE\\user");
    assert_int_equal(access(realm_path("realm/ccache"), F_OK), -1);
    cs_writer_drop(&names);
    pair_close(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trusted_services_alone),
        cmocka_unit_test(logging_on_with_it),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
