/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parties of three tiers, in one process: users who are clients of a front, which goes on to a back in their names.
 * The realm is tests/tiers/run's: users ann, bob, cy and short, all with one password; services front, trusted and
 * back at localhost.
 */
#ifndef TIERS_PARTIES_H
#define TIERS_PARTIES_H

#include <windows.h>
#include <security.h>

enum { CLIENT, SERVER, NAME_MAX = 256 };

/* front may go on to back alone (constrained delegation), trusted to whomever with what a client forwards. */
#define FRONT L"front/localhost"
#define TRUSTED L"trusted/localhost"
#define BACK L"back/localhost"
#define ELSEWHERE L"elsewhere/localhost"

/* A client and the server that it has come to. */
struct visit {
    CredHandle credentials[2];
    CtxtHandle contexts[2];
};

/* A credential of PACKAGE; USER, of the realm, or NULL for none. */
SECURITY_STATUS acquire(const WCHAR *package, ULONG use, const WCHAR *user, CredHandle *credential);

/*
 * Every leg between two credentials, CLIENT and SERVER of each array. SEC_E_OK with both contexts there, or what the
 * first leg that failed said, and none. REQUEST: ISC_REQ_.
 */
SECURITY_STATUS establish(CredHandle *credentials, const WCHAR *target, ULONG request, CtxtHandle *contexts);

/* USER's, or with NULL the process's, visit to TARGET by PACKAGE; whether it comes to pass. visit_end follows either.
 */
BOOL visit_begin(struct visit *visit, const WCHAR *package, const WCHAR *user, const WCHAR *target, ULONG request);
void visit_end(struct visit *visit);

/*
 * USER's visit to the front, which goes on to the back once, by constrained delegation; whether that comes to pass. The
 * KDC of Heimdal 7.8 signs the PAC of such a ticket for the user's logon, and dates the ticket by the server's: both
 * must fall into one second, or every acceptor that compares them refuses. So it is tried again.
 */
BOOL visit_proxied(struct visit *visit, const WCHAR *user);

/* Deletes the server's context alone. */
void visit_forget(struct visit *visit);

/* Opens the back, before anybody impersonates. */
BOOL back_open(void);
void back_close(void);

/*
 * Whoever this thread is goes to TARGET at the back, by PACKAGE with default credentials. SEC_E_OK, with the name that
 * the back sees in NAME; else what AcquireCredentialsHandle or the first leg that failed said.
 */
SECURITY_STATUS reach(const WCHAR *package, const WCHAR *target, WCHAR name[NAME_MAX]);

/* Whether that ends as USER of the realm. */
BOOL reaches_as(const WCHAR *package, const WCHAR *target, const WCHAR *user);

/* Whether GetUserNameEx says that this thread is USER of the realm. */
BOOL is_called(const WCHAR *user);

/* Whether this thread has a token of its own. */
BOOL impersonates(void);

#endif
