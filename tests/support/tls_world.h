/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TLS for tests: certificates made on the spot, and a client and a server of ours that talk through memory.
 */
#ifndef COUNTERSIGN_TESTS_TLS_WORLD_H
#define COUNTERSIGN_TESTS_TLS_WORLD_H

#include "tls.h"

enum tls_world_key { TLS_WORLD_RSA, TLS_WORLD_P256, TLS_WORLD_P384, TLS_WORLD_ED25519, TLS_WORLD_KEYS };

/* A self-signed certificate for "localhost" and its key, made once a process. */
struct tls_world_certificate {
    struct cs_span chain, key; /* tls.h's form; PKCS #8 */
};
const struct tls_world_certificate *tls_world_certificate(enum tls_world_key key);

struct tls_world_setup {
    uint32_t client_protocols, server_protocols; /* SP_PROT_; 0: TLS 1.2 and 1.3 */
    uint32_t client_without, server_without;     /* enum tls_without */
    enum tls_world_key key;
    const struct tls_world_certificate *server_certificate; /* NULL: that of the key */
    struct cs_span stapled;                                 /* the server's credential has it */
    bool client_certificate;                                /* the client has one */
    uint32_t client_flags, server_flags;                    /* enum tls_leg_flags of every leg */
    const char *target;                                     /* the client's, in ASCII; NULL: localhost */
    struct cs_span client_offer, server_offer;              /* SEC_APPLICATION_PROTOCOLS */
    struct cs_span issuers;                      /* server: whose clients' certificates it names, tls.h's form */
    struct cs_span client_suites, server_suites; /* tls.h's form */
    bool resume;
    uint32_t client_lifespan, server_lifespan;           /* of sessions, ms; 0: the usual one */
    bool datagram;                                       /* DTLS: protocols must be named */
    struct cs_span client_profiles, server_profiles;     /* DTLS, SEC_SRTP_PROTECTION_PROFILES */
    struct cs_span client_identifier, server_identifier; /* DTLS, SEC_SRTP_MASTER_KEY_IDENTIFIER */
    uint32_t mtu;                                        /* DTLS, bytes; 0: the usual one */
    struct cs_span address; /* DTLS, the client's, as the server sees it; empty: no cookies */
    uint32_t habits; /* the client's; with TLS_QUIET what the server sends behind its handshake is left in the pair */
};

struct tls_world_pair {
    struct tls_credential *client_credential, *server_credential;
    struct tls_context *client, *server;
    SECURITY_STATUS client_status, server_status;
    SECURITY_STATUS verdict;                             /* what the side that is asked answers */
    SECURITY_STATUS (*judge)(struct tls_context *asked); /* or who answers; NULL for nobody */
    unsigned asked;                                      /* how often a verdict was wanted */
    struct cs_writer left;                               /* for the client */
};

/* Credentials without contexts. The status of the first that fails. */
SECURITY_STATUS tls_world_open(struct tls_world_pair *pair, const struct tls_world_setup *setup);

/*
 * Runs a handshake to its end, or to the first failure, in pieces of PIECE bytes at most (0: as they come). True: both
 * sides are through.
 */
bool tls_world_shake(struct tls_world_pair *pair, const struct tls_world_setup *setup, size_t piece);

/* One leg of one side with INPUT; what it yields goes to OUTPUT. Verdicts are given when they are asked for. */
SECURITY_STATUS tls_world_leg(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client,
                              struct cs_span input, size_t *consumed, struct cs_writer *output);

/* Contexts alone, for another handshake with the same credentials; and everything. */
void tls_world_hang_up(struct tls_world_pair *pair);
void tls_world_close(struct tls_world_pair *pair);

/* SIZE bytes of DATA as one record of FROM's, appended to RECORD. */
SECURITY_STATUS tls_world_seal(struct tls_context *from, const void *data, size_t size, struct cs_writer *record);

/* What DecryptMessage makes of BYTES, in place: the four buffers come back in BUFFERS. */
SECURITY_STATUS tls_world_open_record(struct tls_context *to, uint8_t *bytes, size_t size, struct cs_buffer buffers[4]);

#endif
