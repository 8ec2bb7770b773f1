/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client and a server in one process: what unit tests, fuzzers and benchmarks of the native library start from.
 */
#ifndef COUNTERSIGN_TESTS_PAIR_H
#define COUNTERSIGN_TESTS_PAIR_H

#include "context.h"
#include "utf16.h"

/* What the two sides bring; zeros are default credentials, no target, no flags, Windows's policy. */
struct pair_setup {
    const char *user, *domain, *password;                      /* UTF-8; user NULL: default credentials */
    const char *server_user, *server_domain, *server_password; /* likewise, the acceptor's */
    bool anonymous;
    const char *target;
    uint32_t client_request, server_request; /* ISC_REQ_, ASC_REQ_ */
    struct cs_policy *client_policy, *server_policy;
    struct cs_span client_bindings, server_bindings;
    const char *client_packages, *server_packages; /* Negotiate's package lists, UTF-8; NULL: any */
};

struct pair {
    struct pair_setup setup;
    struct cs_credential *client_credential, *server_credential;
    struct cs_context *client, *server;
    struct cs_leg client_leg, server_leg; /* as they were called last: granted flags */
    struct cs_writer target;              /* UTF-16LE */
};

/*
 * Puts an account file and a loopback secret of the test's own into a fresh folder and points the environment there.
 * ACCOUNTS: smbpasswd lines, or NULL for no file. The folder is removed by pair_environment_end. Aborts on failure.
 */
void pair_environment(const char *accounts);
void pair_environment_end(void);

/* An smbpasswd line for USER with PASSWORD, into LINE. */
void pair_account_line(char *line, size_t size, const char *user, const char *password);

/* Acquires both credentials of package PACKAGE. Aborts on failure. */
void pair_open(struct pair *pair, const char *package, const struct pair_setup *setup);

/* One leg; INPUT may be what the other side made, or anything else. The token is cs_token() of the side. */
SECURITY_STATUS pair_client_step(struct pair *pair, struct cs_span input);
SECURITY_STATUS pair_server_step(struct pair *pair, struct cs_span input);

/* Runs the whole exchange. The status of the leg that failed, or SEC_E_OK with both sides complete. */
SECURITY_STATUS pair_run(struct pair *pair);

/* Releases everything but the setup; pair_open may follow. */
void pair_close(struct pair *pair);

#endif
