/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of Kerberos's messages share. The realm is EXAMPLE.TEST, its user "user", its services demo/one and
 * demo/two; tests/klist/run makes it.
 */
#ifndef KLIST_TESTS_MESSAGES_H
#define KLIST_TESTS_MESSAGES_H

#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntsecapi.h>
#include <ntstatus.h>
#include <security.h>

#include "../packages/cases.h"

/* What a message came to. */
struct result {
    NTSTATUS status, protocol;
    void *answer; /* for LsaFreeReturnBuffer */
    ULONG size;
};

/* Kerberos's answer to SIZE bytes of MESSAGE. */
struct result call(const void *message, ULONG size);

/* Two cases: the call's own status and the protocol status. Frees the answer. */
void check_call(const void *message, ULONG size, NTSTATUS status, NTSTATUS protocol, const char *what);

/* A message with its strings behind it, in one block. */
struct retrieve {
    KERB_RETRIEVE_TKT_REQUEST request;
    WCHAR target[64];
};
struct purge {
    KERB_PURGE_TKT_CACHE_REQUEST request;
    WCHAR server[64], realm[64];
};
struct purge_ex {
    KERB_PURGE_TKT_CACHE_EX_REQUEST request;
    WCHAR client[64], server[64];
};

/* Fills them; a NULL string is not there. */
void fill_retrieve(struct retrieve *message, const WCHAR *target, ULONG options);
void fill_purge(struct purge *message, const WCHAR *server, const WCHAR *realm);
void fill_purge_ex(struct purge_ex *message, const WCHAR *client, const WCHAR *server);

/* How many tickets are listed; -1: no list came. */
int count_tickets(void);

/* The groups, named by the state of the user's cache: none, no cache at all, one with a TGT, and that without a KDC, or
 * with one that is silent. */
void test_absent(void);
void test_unreadable(void);
void test_malformed(void);
void test_lists(void);
void test_retrieving(void);
void test_purging(void);
void test_without_kdc(void);
void test_waiting(void);

#endif
