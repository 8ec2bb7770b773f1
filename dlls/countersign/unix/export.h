/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions that leave the process, packed, and go on in this one or in another of the same user (sealed.h says how they
 * are kept from others). What stands in a packed session, in this order; integers are little-endian, strings have their
 * size in bytes before them:
 *
 *     the package by whose name it is imported, the mechanism that protects it        size of 1 byte, ASCII
 *     initiator (1), flags (4), start (8), expiry (8)
 *     the session key                                                                 size of 1 byte
 *     names, target, native client, native server                                     size of 4 bytes, UTF-16LE
 *     of an acceptor's: its client                                                    client_travel.c
 *     what the mechanism has moved since                                              its struct cs_portable
 *
 * All other keys, sizes and names of algorithms are made from that, as they were when the exchange ended.
 */
#ifndef COUNTERSIGN_EXPORT_H
#define COUNTERSIGN_EXPORT_H

#include "session.h"
#include "writer.h"

/* ExportSecurityContext, fFlags (SECPKG_CONTEXT_EXPORT_) */
enum { CS_EXPORT_RESET_NEW = 1, CS_EXPORT_DELETE_OLD = 2, CS_EXPORT_TO_KERNEL = 4 };

/* How a mechanism's sessions are packed. */
struct cs_portable {
    const char *package;
    /*
     * Takes the locks of both directions, so that what follows is one moment of the session. SEC_E_OK;
     * SEC_E_CONTEXT_EXPIRED: a direction has lost its place, or the session is retired. LET_GO follows either.
     */
    SECURITY_STATUS (*hold)(struct cs_session *session);
    void (*let_go)(struct cs_session *session);
    /* Appends the mechanism's own state; FRESH: as it was when the exchange ended. */
    void (*pack)(const struct cs_session *session, bool fresh, struct cs_writer *packed);
    /*
     * Makes the session that PACKED describes: of HEAD, whose spans are another's, initiator, flags, expiry, session
     * key, names and target are set. SEC_E_OK; SEC_E_INVALID_TOKEN; SEC_E_INSUFFICIENT_MEMORY.
     */
    SECURITY_STATUS (*unpack)(const struct cs_session *head, struct cs_reader *packed, struct cs_session **session);
    /* Ends the session: cs_session_retire, no direction to be used, keys wiped as soon as nobody works with them. */
    void (*retire)(struct cs_session *session);
};

/*
 * Packs SESSION as it stands into PACKED, an empty writer that the caller drops, to be imported by the name of PACKAGE,
 * which is its own or Negotiate. RESET_NEW: the new session begins as this one did when its exchange had ended.
 * DELETE_OLD: SESSION is retired, in the same moment. ROOM: bytes that the caller has for it.
 *
 * SEC_E_OK; with nothing changed, SEC_E_BUFFER_TOO_SMALL: PACKED, empty again, would have had *needed bytes;
 * SEC_E_INVALID_HANDLE: it is retired already; SEC_E_CONTEXT_EXPIRED: a direction has lost its place;
 * SEC_E_UNSUPPORTED_FUNCTION: TO_KERNEL; SEC_E_INVALID_PARAMETER: another flag; SEC_E_INSUFFICIENT_MEMORY;
 * SEC_E_INTERNAL_ERROR: no secret of the user.
 */
SECURITY_STATUS cs_export_session(struct cs_session *session, const char *package, uint32_t flags, size_t room,
                                  struct cs_writer *packed, size_t *needed);

/*
 * Makes the session that PACKED describes; the caller releases it. SEC_E_OK; SEC_E_INVALID_TOKEN: not what
 * cs_export_session made for PACKAGE; else statuses of cs_sealed_open.
 */
SECURITY_STATUS cs_import_session(const char *package, struct cs_span packed, struct cs_session **session);

#endif
