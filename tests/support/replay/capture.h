/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One end of win2019-ntlm-in-spnego-smb: our Negotiate with the capture's account, names, time and random numbers in
 * the place of this machine's. A test that uses it is linked with --wrap for what it stands in for (mk/tests.mk).
 */
#ifndef COUNTERSIGN_TESTS_CAPTURE_H
#define COUNTERSIGN_TESTS_CAPTURE_H

#include "messages.h"
#include "spnego.h"
#include "spnego_vectors.h"
#include "unit.h"

/*
 * The capture's random numbers, in hex, in the order in which they are asked for: Single_Host (an acceptor's is never
 * sent), then a client's challenge and session key, or a server's challenge. And such as are not the capture's.
 */
extern const char capture_client_random[], capture_server_random[];
extern const char capture_another_key[], capture_another_challenge[];

/* VERSION (MS-NLMP 2.2.2.10) of the capture's client and server, and what ours says; and where the messages have it */
extern const char capture_client_version[], capture_server_version[], capture_own_version[];
enum { NEGOTIATE_VERSION = 32, CHALLENGE_VERSION = 48, AUTHENTICATE_VERSION = 64, VERSION_SIZE = 8 };

struct capture_end {
    struct cs_credential *credential;
    struct cs_context *context;
    struct bytes target;
    bool initiator;
};

/* Group setup: the capture's account. forget_account takes it down. */
int capture_account(void **state);

/*
 * Opens that end, with RANDOM to come. AS_CAPTURED: it says of itself what the capture's system does, a client and a
 * domain's controller of other versions; else what ours says. One end at a time: the next to be opened takes the
 * stand-ins over.
 */
struct capture_end capture_open(bool initiator, const char *random, bool as_captured);
void capture_close(struct capture_end *end);

/* One leg, with INPUT in a block of exactly its size */
SECURITY_STATUS capture_feed(struct capture_end *end, struct cs_span input);
SECURITY_STATUS capture_feed_hex(struct capture_end *end, const char *hex);

/* The client up to its AUTHENTICATE, the server up to its CHALLENGE, both as captured */
struct capture_end capture_client(const char *random);
struct capture_end capture_server(const char *random);

/* END is complete, with the capture's key and names, and has used up its random numbers. */
void capture_expect_session(const struct capture_end *end);

/* NTLM's token in a NegTokenResp: where it lies, in bytes, and, of a CHALLENGE, what it says */
size_t capture_offset_of_token(const struct bytes *message);
struct ntlm_challenge capture_challenge_in(const struct bytes *message);

#endif
