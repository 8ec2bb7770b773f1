/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AP-REQs with tickets of our own making, good and bad, for a service whose key the forger has: no KDC is needed.
 */
#ifndef COUNTERSIGN_TESTS_TICKET_FORGE_H
#define COUNTERSIGN_TESTS_TICKET_FORGE_H

#include "writer.h"

#include <krb5.h>

/* What is encrypted: the ticket's part and the authenticator. */
enum ticket_layer { TICKET_PART, TICKET_AUTHENTICATOR };

struct ticket_forge {
    krb5_context krb5;
    const krb5_keyblock *service_key;
    int kvno; /* in the ticket; 0: none */
    const char *realm, *client;
    const char *host;         /* whose HTTP the ticket names in clear */
    const char *speaker;      /* whom the authenticator names, if not the client */
    int64_t start, end, made; /* the ticket's times and the authenticator's, seconds since 1970 */
    bool invalid;             /* the ticket's flag */
    bool user_to_user;        /* the request's option */
    bool user_to_user_frame;  /* the frame's object identifier */
    int pvno;
    krb5_enctype session_type;
    uint32_t subkey_size;          /* bytes; 0: no subkey */
    struct cs_span checksum;       /* of type 0x8003; empty: none */
    struct cs_span pac;            /* empty: none */
    const AuthorizationData *said; /* in the authenticator; NULL: none */
    /* Changes the encoding of LAYER before it is encrypted; NULL: nobody does. DATA is edit_data. */
    void (*edit)(void *data, enum ticket_layer layer, struct cs_writer *encoding);
    void *edit_data;
};

/* What is right, now, for user@EXAMPLE.TEST with KEY, which has version 1. */
struct ticket_forge ticket_forge_right(krb5_context krb5, const krb5_keyblock *key);

/* Appends the token, framed. Aborts on failure. */
void ticket_forge(const struct ticket_forge *forge, struct cs_writer *token);

/* Appends an element with BYTES, or an AD-IF-RELEVANT with INNER, which is freed, to DATA. Abort on failure. */
void ticket_forge_add(AuthorizationData *data, int type, struct cs_span bytes);
void ticket_forge_contain(AuthorizationData *data, AuthorizationData *inner);

#endif
