/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user's credential cache as programs see it through the LSA (LsaCallAuthenticationPackage): its tickets listed,
 * one of them or a new one handed out, and purged. This is the one place that writes the user's cache.
 */
#ifndef COUNTERSIGN_KERBEROS_LIST_H
#define COUNTERSIGN_KERBEROS_LIST_H

#include "blocks.h"
#include "sspi_values.h"
#include "writer.h"

/* As struct cs_block_tickets has it. */
struct kerberos_request {
    struct cs_span config, ccname;                             /* UTF-8; empty: this process's environment */
    struct cs_span client, client_realm, server, server_realm; /* UTF-16LE, name parts joined by slashes; empty: any */
    int32_t etype;
    uint32_t retrieve; /* enum cs_retrieve */
};

/* COUNT struct cs_ticket, and behind them their bytes. The caller drops OUTPUT after success. */
struct kerberos_answer {
    struct cs_writer output;
    uint32_t count;
    uint32_t parts; /* of all names together */
};

/*
 * All tickets of the user's cache, without session keys and encoded tickets. A user without a cache has none
 * (behaviour.md row 52). SEC_E_NO_CREDENTIALS: what is there is no credential cache, or may not be read;
 * SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS kerberos_list(const struct kerberos_request *request, struct kerberos_answer *answer);

/*
 * A ticket for REQUEST's server, as kerberos_target reads it, from the cache or the KDC, as REQUEST says; without a
 * server the ticket-granting ticket in the cache. A new ticket is kept in the user's cache only on CS_RETRIEVE_KEEP.
 * SEC_E_NO_CREDENTIALS: not in the cache, or no ticket-granting ticket there; SEC_E_TARGET_UNKNOWN,
 * SEC_E_NO_AUTHENTICATING_AUTHORITY and others: what kerberos_status says of the KDC's answer;
 * SEC_E_KDC_UNKNOWN_ETYPE: an encryption type that is refused; SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS kerberos_retrieve(const struct kerberos_request *request, struct kerberos_answer *answer);

/*
 * Removes from the user's cache the tickets that REQUEST's names match, which without any are all. The cache stays,
 * with its principal. SEC_E_OK also when there was none; SEC_E_NO_CREDENTIALS: it cannot be read or written.
 */
SECURITY_STATUS kerberos_purge(const struct kerberos_request *request);

#endif
