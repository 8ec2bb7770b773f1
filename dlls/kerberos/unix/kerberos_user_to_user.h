/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User-to-user (RFC 4120 3.7, draft-swift-win2k-krb-user2user, which MS-KILE names): the acceptor shows its
 * ticket-granting ticket, and the KDC encrypts the service ticket under that one's session key.
 */
#ifndef COUNTERSIGN_KERBEROS_USER_TO_USER_H
#define COUNTERSIGN_KERBEROS_USER_TO_USER_H

#include "kerberos.h"

/* What an acceptor without such a ticket says; the draft's number, which Heimdal's table leaves out. */
enum { KERBEROS_ERR_NO_TGT = 67 };

/* kerberos_tgt_messages.c: what goes before the AP-REQ */

/*
 * KERB-TGT-REQUEST: whose ticket is asked for, into *wanted, which the caller frees: a name without parts and a realm
 * that is NULL where it says none. False for what is no such message, is cut, or has more in it; *wanted is empty then.
 */
bool kerberos_read_tgt_request(struct cs_span message, Principal *wanted);

/* Appends one for SERVER. A user's realm goes along; a service's may be another than the client thinks. */
krb5_error_code kerberos_write_tgt_request(krb5_context context, krb5_const_principal server, struct cs_writer *output);

/* KERB-TGT-REPLY: *ticket, borrowed, is a Ticket in its encoding. False as above. */
bool kerberos_read_tgt_reply(struct cs_span message, struct cs_span *ticket);

/* Appends one with TICKET. */
void kerberos_write_tgt_reply(struct cs_span ticket, struct cs_writer *output);

/* kerberos_user_to_user.c */

/*
 * The acceptor's part: its ticket-granting ticket as a KERB-TGT-REPLY into OUTPUT, if it is WANTED's (as it is read
 * from a KERB-TGT-REQUEST). From then on EXCHANGE is user-to-user, and that ticket's session key is the one that opens
 * tickets in it. SEC_E_NO_CREDENTIALS: there is no such ticket; else statuses of kerberos_client_logon.
 */
SECURITY_STATUS kerberos_show_tgt(krb5_context context, struct kerberos_exchange *exchange, krb5_const_principal wanted,
                                  struct cs_writer *output);

/*
 * The initiator's: a KERB-TGT-REQUEST for EXCHANGE's target into OUTPUT. SEC_E_NO_CREDENTIALS: the user has no ticket
 * to go to the KDC with; else statuses of kerberos_client_logon and kerberos_target.
 */
SECURITY_STATUS kerberos_request_tgt(krb5_context context, struct kerberos_client *client,
                                     const struct kerberos_exchange *exchange, struct cs_writer *output);

/*
 * A ticket of CLIENT's for EXCHANGE's target under the session key of the one that REPLY, a KERB-TGT-REPLY, brings.
 * It serves this exchange alone: the caller releases it. SEC_E_INVALID_TOKEN: no such message; SEC_E_NO_TGT_REPLY: what
 * it brings is nothing that the KDC takes; SEC_E_WRONG_PRINCIPAL: it is somebody else's than the target's; else
 * statuses of kerberos_client_logon and kerberos_target.
 */
SECURITY_STATUS kerberos_user_to_user_ticket(krb5_context context, struct kerberos_client *client,
                                             const struct kerberos_exchange *exchange, struct cs_span reply,
                                             struct kerberos_ticket **ticket);

#endif
