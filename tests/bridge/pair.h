/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client and a server in this process that have authenticated each other with default credentials: the loopback
 * logon, or a ticket for bridge/localhost; and the counts that each program of this folder ends with.
 */
#ifndef BRIDGE_PAIR_H
#define BRIDGE_PAIR_H

#include <windows.h>
#include <security.h>

enum { CLIENT, SERVER };

struct pair {
    CredHandle credentials[2];
    CtxtHandle contexts[2];
};

/* Both sides through PACKAGE, to sign, seal and detect what comes twice or out of order. FALSE if it fails. */
BOOL pair_establish(struct pair *pair, const char *package);

/* Deletes the contexts and frees the credentials; whether they were there. */
BOOL pair_close(struct pair *pair);

/* A message from the client to the server, sealed; whether it came as it was. */
BOOL pair_exchange(struct pair *pair);

/* Prints a line for a case, and counts it. */
void report(const char *name, BOOL held);

/* Prints "N passed, N failed, 0 skipped"; the exit code. */
int finish(void);

#endif
