/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Kerberos realm of the test's own, EXAMPLE.TEST, with a KDC that runs while the test does: tools/realm from C.
 */
#ifndef COUNTERSIGN_TESTS_REALM_H
#define COUNTERSIGN_TESTS_REALM_H

#include "pair.h"

/*
 * Makes the realm in a fresh folder, starts its KDC, and points the environment there: KRB5_CONFIG, KRB5CCNAME,
 * KRB5_KTNAME, COUNTERSIGN_REPLAY_CACHE. OPTIONS are those of "realm start". Aborts on failure.
 */
void realm_start(const char *options);

/* The same with a user "user", whose password is "Password", and a service HTTP/server.example.test. */
void realm_start_peopled(const char *options);

/* That user's exchange with that service: mutual authentication, sealed, in sequence. */
struct pair_setup realm_setup(void);

/* That user's, user-to-user, with a user "peer", whose password is "Secret", and whom the test adds. */
struct pair_setup realm_setup_user_to_user(void);

/* Ends the KDC and removes the folder. */
void realm_end(void);

/* Ends the KDC, or starts it again. */
void realm_pause(void);
void realm_resume(void);

/* As "realm add-user", "realm add-service" and "realm kadmin". Abort on failure. */
void realm_add_user(const char *name, const char *password);
void realm_add_service(const char *arguments);
void realm_kadmin(const char *arguments);

/* Adds LINES to krb5.conf, whole sections; credentials made before do not see them. */
void realm_configure(const char *lines);

/*
 * Makes a second realm, OTHER.TEST, in which the first one's users may ask for tickets and the other way round, and
 * tells krb5.conf where its KDC is, but not which hosts are its.
 */
void realm_start_other(void);
void realm_other_add_user(const char *name, const char *password);
void realm_other_add_service(const char *name);
void realm_other_pause(void);

/* A path inside the folder, good until the next call. */
const char *realm_path(const char *name);

/* Gets a ticket for USER into the user's cache, as kinit does, one that may be forwarded or not; forgets it again. */
void realm_kinit(const char *user, const char *password);
void realm_kinit_unforwardable(const char *user, const char *password);
void realm_kdestroy(void);

#endif
