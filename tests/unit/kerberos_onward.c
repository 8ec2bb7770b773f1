/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Going on to other servers in a client's name (client.h): with what it forwarded, or by constrained delegation
 * (MS-SFU) under the name that it proved; and that nothing else is ever used in the place of that.
 *
 * Bug classes: E3 (an empty delegated credential), E5 (a delegated credential is nobody else's).
 */
#include "export.h"
#include "heimdal_leaks.h"
#include "onward.h"

#include <string.h>

static int start(void **state)
{
    (void)state;
    onward_realm();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    realm_end();
    return 0;
}

static void forwarded(void **state)
{
    struct pair front;
    (void)state;
    struct cs_client *client = arrive(&front, "user", TRUSTED, ISC_REQ_DELEGATE);
    assert_int_equal(client->level, CS_LEVEL_DELEGATION);
    /* Wherever the client itself may go, which constrained delegation would not allow. */
    go_on(acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", FORBIDDEN, "EXAMPLE\\user", SEC_E_OK);
    go_on(acquire_as(client, "Negotiate", SECPKG_CRED_OUTBOUND), "Negotiate", FORBIDDEN, "EXAMPLE\\user", SEC_E_OK);
    leave(&front, client);
}

static void constrained(void **state)
{
    struct pair front;
    (void)state;
    struct cs_client *client = arrive_proxied(&front, "user", "HTTP/server.example.test");
    assert_int_equal(client->level, CS_LEVEL_IMPERSONATION);
    go_on(acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", ALLOWED, "EXAMPLE\\user", SEC_E_OK);
    go_on(acquire_as(client, "Negotiate", SECPKG_CRED_OUTBOUND), "Negotiate", ALLOWED, "EXAMPLE\\user", SEC_E_OK);
    /* The KDC's word: this server may not. */
    go_on(acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", FORBIDDEN, NULL, SEC_E_NO_CREDENTIALS);
    go_on(acquire_as(client, "Negotiate", SECPKG_CRED_OUTBOUND), "Negotiate", FORBIDDEN, NULL, SEC_E_NO_CREDENTIALS);
    go_on(acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", "HTTP/nobody.example.test", NULL,
          SEC_E_TARGET_UNKNOWN);
    leave(&front, client);
}

/* A ticket that may not be forwarded is no evidence: the server asks for one to itself, if the KDC lets it. */
static void protocol_transition(void **state)
{
    struct pair front;
    (void)state;
    realm_kinit_unforwardable("user", "Password");
    struct cs_client *client = arrive(&front, NULL, "HTTP/server.example.test", 0);
    go_on(acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", ALLOWED, NULL, SEC_E_NO_CREDENTIALS);
    leave(&front, client);
    client = arrive_proxied(&front, NULL, TRANSITION);
    go_on(acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", ALLOWED, "EXAMPLE\\user", SEC_E_OK);
    go_on(acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", FORBIDDEN, NULL, SEC_E_NO_CREDENTIALS);
    leave(&front, client);
    realm_kdestroy();
    /* In the name of an account that is not to be delegated nobody goes on. */
    client = arrive(&front, "sensitive", TRANSITION, 0);
    go_on(acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", ALLOWED, NULL, SEC_E_NO_CREDENTIALS);
    leave(&front, client);
}

static void not_delegated(void **state)
{
    struct pair front;
    (void)state;
    struct cs_client *client = arrive(&front, "user", FORBIDDEN, 0);
    go_on(acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", ALLOWED, NULL, SEC_E_NO_CREDENTIALS);
    leave(&front, client);
}

/* The user that runs the server has a ticket cache, a keytab and a loopback secret: none of them is the client's. */
static void never_the_servers_own(void **state)
{
    struct pair front;
    (void)state;
    realm_kinit("other", "Password");
    struct cs_client *client = arrive(&front, "user", FORBIDDEN, ISC_REQ_IDENTIFY);
    assert_int_equal(client->level, CS_LEVEL_IDENTIFICATION);
    assert_null(client->onward);
    for (int gone = 0; gone < 2; gone++) {
        struct cs_client *whose = gone ? NULL : client;
        go_on(acquire_as(whose, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", ALLOWED, NULL, SEC_E_NO_CREDENTIALS);
        go_on(acquire_as(whose, "Negotiate", SECPKG_CRED_OUTBOUND), "Negotiate", ALLOWED, NULL, SEC_E_NO_CREDENTIALS);
        go_on(acquire_as(whose, "NTLM", SECPKG_CRED_OUTBOUND), "NTLM", ALLOWED, NULL, SEC_E_NO_CREDENTIALS);
    }
    leave(&front, client);
    realm_kdestroy();
}

/* In a client's name nothing is accepted: the keys are the server's. */
static void no_acceptor(void **state)
{
    static const char *const packages[] = {"Kerberos", "Negotiate", "NTLM"};
    struct pair front;
    (void)state;
    struct cs_client *client = arrive(&front, "user", "HTTP/server.example.test", 0);
    for (size_t i = 0; i < sizeof packages / sizeof *packages; i++) {
        struct cs_credential *credential = acquire_as(client, packages[i], SECPKG_CRED_BOTH);
        struct cs_context *context = NULL;
        struct cs_leg leg = {.credential = credential, .input = {(const uint8_t *)"x", 1}, .room = 4096};
        assert_int_equal(cs_accept(&context, &leg), SEC_E_NO_CREDENTIALS);
        cs_context_release(context);
        cs_credential_release(credential);
    }
    leave(&front, client);
}

/* The record is there as long as the session or whoever holds it, and is found by its identifier alone. */
static void records(void **state)
{
    struct pair front, second;
    uint8_t id[CS_CLIENT_ID];
    (void)state;
    struct cs_client *client = arrive_proxied(&front, "user", "HTTP/server.example.test");
    struct cs_client *again = cs_client_find(client->id), *other;
    assert_ptr_equal(again, client);
    cs_client_release(again);
    assert_int_equal(cs_client_of(cs_context_session(front.server), &again), SEC_E_OK);
    assert_ptr_equal(again, client);
    cs_client_release(again);
    assert_int_equal(cs_client_of(cs_context_session(front.client), &again), SEC_E_NO_IMPERSONATION);
    other = arrive_proxied(&second, "other", "HTTP/server.example.test");
    assert_memory_not_equal(other->id, client->id, sizeof id);
    go_on(acquire_as(other, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", ALLOWED, "EXAMPLE\\other", SEC_E_OK);
    go_on(acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", ALLOWED, "EXAMPLE\\user", SEC_E_OK);
    memcpy(id, client->id, sizeof id);
    for (int bit = 0; bit < 8 * CS_CLIENT_ID; bit++) {
        id[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_null(cs_client_find(id));
        id[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    pair_close(&front);
    again = cs_client_find(id);
    assert_ptr_equal(again, client);
    cs_client_release(again);
    cs_client_release(client);
    assert_null(cs_client_find(id));
    leave(&second, other);
}

/* A credential that was acquired lives on without the record, and without the server's session. */
static void credentials_outlive_their_record(void **state)
{
    struct pair front;
    (void)state;
    struct cs_client *client = arrive_proxied(&front, "user", "HTTP/server.example.test");
    struct cs_credential *credential = acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND);
    leave(&front, client);
    go_on(credential, "Kerberos", ALLOWED, "EXAMPLE\\user", SEC_E_OK);
}

/* CLIENT's session leaves, and with it all that is known of the client here; another takes its place. */
static struct cs_session *travel(struct pair *front, struct cs_client *client)
{
    struct cs_writer packed = {0};
    struct cs_session *session;
    uint8_t id[CS_CLIENT_ID];
    size_t needed;
    memcpy(id, client->id, sizeof id);
    assert_int_equal(
        cs_export_session(cs_context_session(front->server), "Kerberos", CS_EXPORT_DELETE_OLD, 65536, &packed, &needed),
        SEC_E_OK);
    leave(front, client);
    assert_null(cs_client_find(id));
    assert_int_equal(cs_import_session("Kerberos", cs_written(&packed), &session), SEC_E_OK);
    cs_writer_drop(&packed);
    struct cs_client *again = cs_client_find(id);
    assert_non_null(again);
    cs_client_release(again);
    return session;
}

static void go_on_from(struct cs_session *session, enum cs_level level, const char *user)
{
    struct cs_client *client;
    assert_int_equal(cs_client_of(session, &client), SEC_E_OK);
    assert_int_equal(client->level, level);
    if (level == CS_LEVEL_IDENTIFICATION)
        go_on(acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", ALLOWED, NULL, SEC_E_NO_CREDENTIALS);
    else
        go_on(acquire_as(client, "Negotiate", SECPKG_CRED_OUTBOUND), "Negotiate", ALLOWED, user, SEC_E_OK);
    cs_client_release(client);
}

/* With the session goes what reaches others in its client's name: tickets, or the one that was shown. */
static void travelling(void **state)
{
    struct pair front;
    (void)state;
    struct cs_session *session = travel(&front, arrive(&front, "user", TRUSTED, ISC_REQ_DELEGATE));
    go_on_from(session, CS_LEVEL_DELEGATION, "EXAMPLE\\user");
    cs_session_release(session);
    session = travel(&front, arrive(&front, "other", "HTTP/server.example.test", ISC_REQ_IDENTIFY));
    go_on_from(session, CS_LEVEL_IDENTIFICATION, NULL);
    cs_session_release(session);
}

/* Both of one second, which an import does not change (arrive_proxied). */
static void travelling_proxied(void **state)
{
    const struct timespec tenth = {.tv_nsec = 100000000};
    (void)state;
    for (int attempt = 0; attempt < 20; attempt++) {
        struct pair front, back;
        struct pair_setup setup = realm_setup();
        struct cs_client *client;
        struct cs_session *session = travel(&front, arrive(&front, "user", "HTTP/server.example.test", 0));
        assert_int_equal(cs_client_of(session, &client), SEC_E_OK);
        setup.target = ALLOWED;
        pair_open(&back, "Kerberos", &setup);
        cs_credential_release(back.client_credential);
        back.client_credential = acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND);
        const SECURITY_STATUS status = pair_run(&back);
        if (status == SEC_E_OK) expect_text(cs_context_session(back.server)->names, "EXAMPLE\\user");
        pair_close(&back);
        cs_client_release(client);
        cs_session_release(session);
        if (status == SEC_E_OK) return;
        assert_int_equal(status, SEC_E_LOGON_DENIED);
        nanosleep(&tenth, NULL);
    }
    fail_msg("never got on");
}

/* Ticket caches in memory, of this process. */
static unsigned memory_caches(void)
{
    krb5_context krb5;
    krb5_cc_cache_cursor cursor;
    krb5_ccache cache;
    unsigned count = 0;
    assert_int_equal(krb5_init_context(&krb5), 0);
    if (!krb5_cc_cache_get_first(krb5, "MEMORY", &cursor)) {
        for (; !krb5_cc_cache_next(krb5, cursor, &cache); count++) krb5_cc_close(krb5, cache);
        krb5_cc_cache_end_seq_get(krb5, cursor);
    }
    krb5_free_context(krb5);
    return count;
}

static void nothing_is_left(void **state)
{
    const unsigned before = memory_caches();
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct pair front;
        struct cs_client *client = arrive(&front, "user", TRUSTED, ISC_REQ_DELEGATE);
        assert_true(memory_caches() > before);
        go_on(acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND), "Kerberos", ALLOWED, "EXAMPLE\\user", SEC_E_OK);
        leave(&front, client);
    }
    assert_int_equal(memory_caches(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forwarded),
        cmocka_unit_test(constrained),
        cmocka_unit_test(protocol_transition),
        cmocka_unit_test(not_delegated),
        cmocka_unit_test(never_the_servers_own),
        cmocka_unit_test(no_acceptor),
        cmocka_unit_test(records),
        cmocka_unit_test(credentials_outlive_their_record),
        cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(travelling),
        cmocka_unit_test(travelling_proxied),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
