/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client and a server of a test package in this process, through secur32.
 */
#ifndef PAIR_H
#define PAIR_H

#include "counters.h"
#include "toy.h"

/* A package under test and the DLL it is in. */
struct subject {
    const WCHAR *package, *dll;
    BOOL ssp; /* has InitSecurityInterfaceW, else it is an SSP/AP */
};

enum { CLIENT, SERVER };

struct pair {
    CredHandle credentials[2];
    CtxtHandle contexts[2];
    ULONG attributes[2]; /* what each side was granted */
    TimeStamp expiries[2];
    BYTE token[TOY_MAX_TOKEN]; /* the last leg's output */
    ULONG token_size;
};

/* What the package says of itself; all zero if its DLL is not loaded. */
struct counters counters_of(const struct subject *subject);

/* Whether whatever the package has handed out came back to it once, and nothing else did. */
BOOL nothing_is_left(const struct subject *subject);

/* Credentials of both sides, the client's of USER or default ones (NULL). Yields the first status that is not OK. */
SECURITY_STATUS acquire_pair(const struct subject *subject, const WCHAR *user, struct pair *pair);

/* SIDE's next leg, the FIRST of its context or another: reads pair->token and writes it. */
SECURITY_STATUS pair_leg(struct pair *pair, int side, BOOL first);

/* Both, and all three legs. */
BOOL establish_pair(const struct subject *subject, struct pair *pair);

/* Deletes the contexts and frees the credentials. FALSE: one of the handles was not taken. */
BOOL free_pair(struct pair *pair);

/* One message from SENDER to the other side, its TOKEN and DATA. */
struct message {
    BYTE token[TOY_MAX_SIGNATURE];
    char data[16];
    SecBuffer buffers[2];
    SecBufferDesc desc;
};

void make_message(struct message *message, const char *text);

/* A sealed message that arrives whole. */
BOOL talk(struct pair *pair, int sender);

#endif
