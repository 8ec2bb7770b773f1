/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SPNEGO peers of another make: one side is Negotiate; on the other the mechanism is bare NTLM, and the test puts
 * SPNEGO's messages around its tokens, so that it may do whatever a stranger or an attacker who knows the password can.
 */
#ifndef COUNTERSIGN_TESTS_SPNEGO_PEERS_H
#define COUNTERSIGN_TESTS_SPNEGO_PEERS_H

#include "mitm.h"
#include "spnego.h"

enum { SPNEGO_PEERS_MIC = 16 };

struct spnego_peers {
    struct pair negotiate;      /* one side of it is under test */
    struct pair ntlm;           /* the other side of it is the stranger's mechanism */
    struct cs_writer mech_list; /* what the mechListMIC covers */
    uint8_t mic[SPNEGO_PEERS_MIC];
};

/* Opens both pairs with SETUP. Aborts on failure. */
void spnego_peers_open(struct spnego_peers *peers, const struct pair_setup *setup);
void spnego_peers_close(struct spnego_peers *peers);

/* Sends the acceptor a NegTokenInit that offers COUNT mechanisms; its status. TOKEN's data NULL: none. */
SECURITY_STATUS spnego_peers_offer(struct spnego_peers *peers, const struct cs_span *mechs, size_t count,
                                   struct cs_span token);

/* Send a NegTokenResp; the receiver's status. */
SECURITY_STATUS spnego_peers_to_server(struct spnego_peers *peers, const struct spnego_resp *message);
SECURITY_STATUS spnego_peers_to_client(struct spnego_peers *peers, const struct spnego_resp *message);

/* What the side under test has just sent, which must be such a message; it points into that side's token. The
 * initiator's mechTypes are kept as the MIC's text. */
struct spnego_resp spnego_peers_resp(const struct cs_context *side);
struct spnego_init spnego_peers_init(struct spnego_peers *peers);

/* The stranger's mechListMIC by SESSION; it lies in PEERS. */
struct cs_span spnego_peers_make_mic(struct spnego_peers *peers, struct cs_session *session);

/* What SESSION makes of the mechListMIC of the side under test. */
SECURITY_STATUS spnego_peers_verify_mic(struct spnego_peers *peers, struct cs_session *session, struct cs_span mic);

/* One leg of the stranger's mechanism, which must succeed; its token. */
struct cs_span spnego_peers_ntlm_client(struct spnego_peers *peers, struct cs_span token);
struct cs_span spnego_peers_ntlm_server(struct spnego_peers *peers, struct cs_span token);

#endif
