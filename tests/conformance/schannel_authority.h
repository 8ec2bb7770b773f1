/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A certification authority of this process, for the groups of Schannel: its root, with a key of its own, what it
 * issues, and its lists of what it has revoked. What is returned is for the process's life, and NULL when this system
 * does not make it.
 */
#ifndef CONFORMANCE_SCHANNEL_AUTHORITY_H
#define CONFORMANCE_SCHANNEL_AUTHORITY_H

#include "schannel_certificates.h"

PCCERT_CONTEXT authority_root(void);

/* A certificate for NAME ("CN=...") with that serial number. KEY NULL: the key of schannel_pfx.h, which goes with it;
 * else who calls gives it the private one. */
PCCERT_CONTEXT authority_issue(const WCHAR *name, BYTE serial, const CERT_PUBLIC_KEY_INFO *key);

/* Which one certificate is revoked; in the authority's name, but signed with another key if FORGED. The next list is
 * due in DAYS from now. */
PCCRL_CONTEXT authority_revoke(BYTE serial, bool forged, int days);

/* ENCODED as certificates are signed: a SEQUENCE of it, the algorithm and the signature, into BYTES, which have ROOM.
 * FORGED: with another key. Returns the size; 0: it could not. */
DWORD authority_sign_encoded(const BYTE *encoded, DWORD size, bool forged, BYTE *bytes, DWORD room);

#endif
