/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of klist.exe.
 */
#ifndef KLIST_H
#define KLIST_H

#include <windows.h>
#include <ntsecapi.h>

/* lsa.c */

struct lsa {
    HANDLE connection;
    ULONG package;
    LUID own_id;   /* the caller's logon session */
    LUID logon_id; /* the one that is asked about; 0: the caller's */
};

/* Connects to the LSA and looks Kerberos up there. The caller closes lsa->connection after success. */
NTSTATUS lsa_open(struct lsa *lsa, LUID logon_id);

/* Sends Kerberos SIZE bytes of REQUEST. *response, for LsaFreeReturnBuffer, is there after success. */
NTSTATUS lsa_call(const struct lsa *lsa, void *request, ULONG size, void **response);

/* print.c: tickets, and a name by itself, on standard output */

void print_listed(ULONG number, const KERB_TICKET_CACHE_INFO_EX3 *ticket);
void print_text(const WCHAR *text);
void print_ticket(const KERB_EXTERNAL_TICKET *ticket);

#endif
