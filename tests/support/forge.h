/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An AUTHENTICATE_MESSAGE made right again: what a client that knows the password could have sent. Tests use it to get
 * behind the proof with a message of their own making, and to tell whether a proof was right. Written against MS-NLMP
 * 3.1.5.1.2 and 3.3, apart from the code under test, of which it uses the readers and the cryptography only.
 */
#ifndef COUNTERSIGN_TESTS_FORGE_H
#define COUNTERSIGN_TESTS_FORGE_H

#include "messages.h"

struct forge {
    uint8_t ntowfv1[NTLM_KEY];
    struct cs_span negotiate, challenge; /* as the acceptor has them */
};

/*
 * Writes the NT response's proof into TOKEN for what TOKEN says: NTProofStr, or the 24 bytes of NTLMv1. False, with
 * TOKEN as it was: it cannot be read, or has no NT response.
 */
bool forge_proof(const struct forge *forge, struct cs_writer *token);

/* Writes the MIC, if there is room for one; the proof must be right. False as above. */
bool forge_mic(const struct forge *forge, struct cs_writer *token);

/* Whether TOKEN's proof is right. */
bool forge_proof_holds(const struct forge *forge, struct cs_span token);

/* Puts AV in the place of all AV pairs of TOKEN's NTLMv2 response. AV ends in MsvAvEOL. Proof and MIC are then wrong.
 */
bool forge_av_pairs(struct cs_writer *token, struct cs_span av);

/* Writes MESSAGE anew into TOKEN. MESSAGE may have been read from TOKEN. */
void forge_rewrite(struct cs_writer *token, const struct ntlm_authenticate *message);

#endif
