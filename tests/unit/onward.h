/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Servers that go on in their clients' names: a realm whose KDC lets some of them, clients who come, and the second
 * exchange.
 */
#ifndef COUNTERSIGN_TESTS_ONWARD_H
#define COUNTERSIGN_TESTS_ONWARD_H

#include "client.h"
#include "kerberos_talk.h"
#include "realm.h"

#include <krb5.h>
#include <time.h>

/* HTTP/server.example.test may go on to ALLOWED alone; TRANSITION too, with whatever ticket; TRUSTED gets forwarded
 * tickets. */
#define ALLOWED "HTTP/back.example.test"
#define FORBIDDEN "HTTP/forbidden.example.test"
#define TRUSTED "HTTP/trusted.example.test"
#define TRANSITION "HTTP/transition.example.test"

static inline void onward_realm(void)
{
    realm_start_peopled("--kdc-plugins '" KDC_PLUGINS "'");
    realm_add_user("other", "Password");
    realm_add_user("sensitive", "Password");
    realm_kadmin("modify --attributes=+disallow-forwardable sensitive");
    realm_add_service(ALLOWED);
    realm_add_service(FORBIDDEN);
    realm_add_service(TRUSTED);
    realm_add_service(TRANSITION);
    realm_kadmin("modify --attributes=+ok-as-delegate " TRUSTED);
    realm_kadmin("modify --constrained-delegation=" ALLOWED "@EXAMPLE.TEST HTTP/server.example.test");
    realm_kadmin("modify --constrained-delegation=" ALLOWED "@EXAMPLE.TEST " TRANSITION);
    realm_kadmin("modify --attributes=+trusted-for-delegation " TRANSITION);
}

/* USER is with FRONT; the pair's server is what goes on. */
static inline struct cs_client *arrive(struct pair *front, const char *user, const char *target, uint32_t request)
{
    struct pair_setup setup = realm_setup();
    struct cs_client *client;
    setup.user = user;
    setup.target = target;
    setup.client_request |= request;
    pair_open(front, "Kerberos", &setup);
    assert_int_equal(pair_run(front), SEC_E_OK);
    assert_int_equal(cs_client_of(cs_context_session(front->server), &client), SEC_E_OK);
    return client;
}

/* What a program that acts as CLIENT, which may be gone, acquires of PACKAGE. */
static inline struct cs_credential *acquire_as(struct cs_client *client, const char *package, uint32_t use)
{
    struct cs_credential *credential;
    const struct cs_credential_request request = {
        .use = use, .identity = {.kind = CS_IDENTITY_CLIENT}, .client = client, .policy = cs_default_policy()};
    assert_int_equal(cs_acquire_credential(cs_find_mechanism(package), &request, &credential), SEC_E_OK);
    return credential;
}

/* CREDENTIAL, which is released, logs on to TARGET: as USER, or with STATUS and not at all. */
static inline void go_on(struct cs_credential *credential, const char *package, const char *target, const char *user,
                         SECURITY_STATUS status)
{
    struct pair back;
    struct pair_setup setup = realm_setup();
    setup.target = target;
    pair_open(&back, package, &setup);
    cs_credential_release(back.client_credential);
    back.client_credential = credential;
    assert_int_equal(pair_run(&back), status);
    if (status == SEC_E_OK) {
        expect_text(cs_context_session(back.server)->names, user);
        expect_text(cs_context_session(back.client)->names, user);
        expect_pair_talks(&back);
    }
    pair_close(&back);
}

static inline void leave(struct pair *front, struct cs_client *client)
{
    pair_close(front);
    cs_client_release(client);
}

/*
 * The same of a client that forwards nothing, where FRONT has gone on to ALLOWED once, so that the ticket is kept. The
 * KDC of Heimdal 7.8 signs the PAC of such a ticket for the user's logon, and dates the ticket by the server's: both
 * must fall into one second, or every acceptor that compares them refuses. So it is tried again.
 */
static inline struct cs_client *arrive_proxied(struct pair *front, const char *user, const char *target)
{
    const struct timespec tenth = {.tv_nsec = 100000000};
    struct pair_setup setup = realm_setup();
    setup.target = ALLOWED;
    for (int attempt = 0; attempt < 20; attempt++) {
        struct pair back;
        struct cs_client *client = arrive(front, user, target, 0);
        pair_open(&back, "Kerberos", &setup);
        cs_credential_release(back.client_credential);
        back.client_credential = acquire_as(client, "Kerberos", SECPKG_CRED_OUTBOUND);
        const SECURITY_STATUS status = pair_run(&back);
        pair_close(&back);
        if (status == SEC_E_OK) return client;
        assert_int_equal(status, SEC_E_LOGON_DENIED);
        leave(front, client);
        nanosleep(&tenth, NULL);
    }
    fail_msg("%s never got on", target);
    return NULL;
}

#endif
