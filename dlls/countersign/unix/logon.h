/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an authority says of a session's client that an access token is made of: an acceptor's alone, and only where
 * somebody who may say it has said it (Kerberos: a PAC whose signature has held).
 */
#ifndef COUNTERSIGN_LOGON_H
#define COUNTERSIGN_LOGON_H

#include "reader.h"

/* A security identifier, as Windows has it in memory (MS-DTYP 2.4.2.2): revision 1, and no more subauthorities than 15.
 */
struct cs_sid {
    uint8_t bytes[8 + 15 * 4];
    uint8_t size; /* 0: none */
};

/* ATTRIBUTES: SE_GROUP_MANDATORY and the like. */
struct cs_group {
    struct cs_sid sid;
    uint32_t attributes;
};

/* Windows makes no token with more of them, and denies the logon (STATUS_TOO_MANY_CONTEXT_IDS). */
enum { CS_LOGON_MOST_GROUPS = 1024 };

/* All owned, and whole SIDs all. Zeroed it says nothing. */
struct cs_logon {
    struct cs_span user, domain; /* UTF-16LE, as Windows calls him */
    struct cs_sid user_sid;
    struct cs_group *groups; /* of the domain, then others, then those of resource domains; one may be there twice */
    uint32_t group_count;    /* up to CS_LOGON_MOST_GROUPS */
    uint32_t primary_group;  /* its last subauthority; its domain is the user's */
};

/* Frees what LOGON has, and zeroes it. */
void cs_logon_drop(struct cs_logon *logon);

/* Frees LOGON too; NULL is fine. */
void cs_logon_release(struct cs_logon *logon);

#endif
