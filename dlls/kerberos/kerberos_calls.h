/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages that programs send Kerberos through the LSA (LsaCallAuthenticationPackage): their requests, and the answers.
 */
#ifndef KERBEROS_CALLS_H
#define KERBEROS_CALLS_H

#include "package.h"

/*
 * CallPackageUntrusted: the KERB_PROTOCOL_MESSAGE_TYPEs that list, retrieve and purge tickets, with ntsecapi.h's
 * structures. Its own status is STATUS_INVALID_PARAMETER for a message that is malformed or of another type, as
 * Negotiate's in behaviour.md row 69, and STATUS_SUCCESS otherwise. The protocol status tells how it went; there is an
 * answer only if that is STATUS_SUCCESS.
 */
LSA_AP_CALL_PACKAGE_UNTRUSTED kerberos_call_untrusted;

/*
 * The answers, made of the tickets that BLOCK announces, which are fetched: each is one block in CLIENT's memory,
 * strings and all. TYPE is one of the four KerbQueryTicketCache messages. STATUS_SUCCESS or STATUS_NO_MEMORY.
 */
NTSTATUS kerberos_answer_list(PLSA_CLIENT_REQUEST client, ULONG type, const struct cs_block_tickets *block,
                              void **answer, ULONG *size);

/* The same for KerbRetrieveTicketMessage and KerbRetrieveEncodedTicketMessage: one ticket. */
NTSTATUS kerberos_answer_ticket(PLSA_CLIENT_REQUEST client, ULONG type, const struct cs_block_tickets *block,
                                void **answer, ULONG *size);

#endif
