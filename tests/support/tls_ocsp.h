/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OCSP for tests: a small public key infrastructure, made once a process, and responses about its certificates, good
 * and bad ones, which GnuTLS only reads.
 */
#ifndef COUNTERSIGN_TESTS_TLS_OCSP_H
#define COUNTERSIGN_TESTS_TLS_OCSP_H

#include "tls_world.h"

#include <time.h>

/* Root, middle and leaf are the server's chain. The twin has the middle's name and another key, both from the root. */
enum tls_ocsp_certificate {
    TLS_OCSP_ROOT,
    TLS_OCSP_MIDDLE,
    TLS_OCSP_TWIN,
    TLS_OCSP_LEAF,           /* "localhost", serial number TLS_OCSP_SERIAL, from the middle */
    TLS_OCSP_RESPONDER,      /* from the middle, for signing OCSP responses */
    TLS_OCSP_UNPURPOSED,     /* from the middle, for nothing in particular */
    TLS_OCSP_SERVER,         /* from the middle, for being a server */
    TLS_OCSP_FORMER,         /* a responder from the middle whose time is over */
    TLS_OCSP_TWIN_RESPONDER, /* a responder from the twin */
    TLS_OCSP_ROOT_RESPONDER, /* a responder from the root */
    TLS_OCSP_CERTIFICATES
};
enum { TLS_OCSP_SERIAL = 7, TLS_OCSP_OTHERS = 0x20 /* plus which one it is: the serial numbers of the others */ };

/* In DER, for the process's life. */
struct cs_span tls_ocsp_der(enum tls_ocsp_certificate which);

/* Leaf and middle with the leaf's key, as tls.h has them. */
const struct tls_world_certificate *tls_ocsp_server(void);

/* RFC 6960 4.2.1: the tags of CertStatus. */
enum tls_ocsp_status { TLS_OCSP_GOOD, TLS_OCSP_REVOKED, TLS_OCSP_UNKNOWN };

struct tls_ocsp_single {
    enum tls_ocsp_status status;
    int from, to; /* seconds from now; to 0: no nextUpdate */
    uint8_t serial;
    enum tls_ocsp_certificate name_of, key_of; /* whose issuerNameHash and issuerKeyHash */
    bool sha256;                               /* of the two hashes; else SHA-1 */
};

struct tls_ocsp {
    unsigned count;
    struct tls_ocsp_single singles[3];
    enum tls_ocsp_certificate signer;
    bool by_key;               /* the responder is named by its key, not its name */
    bool without_certificate;  /* the signer's is left out; those of the middle and the root never come */
    bool sha1;                 /* of the signature; else SHA-256 */
    bool critical;             /* an extension of the response's that nobody knows */
    uint8_t response_status;   /* RFC 6960 4.2.1; other than 0: nothing but that, */
    bool answers_all_the_same; /* or the answers as well */
};

/* One answer about the leaf, by the middle itself, for an hour to come. */
struct tls_ocsp tls_ocsp_about_leaf(enum tls_ocsp_status status);

/* ResponseData alone; a response around any TBS, signed as DESCRIPTION says; and both at once. All are appended. */
void tls_ocsp_write_data(struct cs_writer *output, const struct tls_ocsp *description);
void tls_ocsp_sign(struct cs_writer *output, const struct tls_ocsp *description, struct cs_span tbs);
void tls_ocsp_write(struct cs_writer *output, const struct tls_ocsp *description);

#endif
