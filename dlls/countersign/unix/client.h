/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client of an acceptor's session, for whoever acts in its name. Access tokens are PE code's; what one names is the
 * identifier here, and the record lives as long as the session or anybody who has such a token.
 */
#ifndef COUNTERSIGN_CLIENT_H
#define COUNTERSIGN_CLIENT_H

#include "context.h"

enum { CS_CLIENT_ID = 16 };

/* SECURITY_IMPERSONATION_LEVEL, winnt.h */
enum cs_level { CS_LEVEL_IDENTIFICATION = 1, CS_LEVEL_IMPERSONATION = 2, CS_LEVEL_DELEGATION = 3 };

/* Reference-counted, and immutable once made, but for ONWARD. */
struct cs_client {
    uint8_t id[CS_CLIENT_ID]; /* random: nobody guesses another's */
    int references;           /* under the registry's lock */
    enum cs_level level;
    const char *package;          /* static: the one that authenticated it */
    struct cs_span name;          /* DOMAIN\user, UTF-16LE; owned */
    struct cs_logon *logon;       /* never NULL; its user_sid has a SID in any case */
    struct cs_credential *onward; /* what reaches other servers in its name; NULL: nothing does. Under that lock */
    struct cs_span packed;        /* of one that came from another process: ONWARD as it came; owned, wiped */
    struct cs_client *next;       /* in the registry */
};

/*
 * The client of SESSION, made at the first call; the caller releases it. SEC_E_OK; SEC_E_NO_IMPERSONATION: SESSION is
 * an initiator's (errors.tsv ImpersonateSecurityContext); SEC_E_INVALID_HANDLE: it has been exported away;
 * SEC_E_INSUFFICIENT_MEMORY; SEC_E_INTERNAL_ERROR: no randomness.
 */
SECURITY_STATUS cs_client_of(struct cs_session *session, struct cs_client **client);

/* What reaches others in CLIENT's name by MECHANISM, which the caller releases; NULL: nothing does. */
struct cs_credential *cs_client_onward(struct cs_client *client, const struct cs_mechanism *mechanism);

/*
 * Appends the client of SESSION, an acceptor's, or that it has none: for export.h. Out of memory it fails PACKED.
 * SEC_E_OK; statuses of cs_client_of.
 */
SECURITY_STATUS cs_client_pack(struct cs_session *session, struct cs_writer *packed);

/*
 * Reads what cs_client_pack wrote of a session with HEAD, of which package, initiator and names are set. *client is a
 * client that is nobody's yet, for cs_client_adopt or cs_client_discard; NULL: it is an initiator's session. SEC_E_OK,
 * SEC_E_INVALID_TOKEN, SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS cs_client_unpack(const struct cs_session *head, struct cs_reader *packed, struct cs_client **client);

/* The client with ID, which the caller releases; NULL: there is none any more. */
struct cs_client *cs_client_find(const uint8_t id[CS_CLIENT_ID]);

/*
 * Makes CLIENT, which is nobody's yet, SESSION's; if this process has one with its identifier, that one, and CLIENT is
 * discarded. SEC_E_OK; SEC_E_INSUFFICIENT_MEMORY, and CLIENT is as it was.
 */
SECURITY_STATUS cs_client_adopt(struct cs_session *session, struct cs_client *client);

/* Frees one that is nobody's; NULL is fine. */
void cs_client_discard(struct cs_client *client);

/* NULL is fine. */
void cs_client_release(struct cs_client *client);

#endif
