/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Somebody between a client and its KDC, on a port of loopback, with datagrams and streams: what the KDC says is passed
 * on as the test has it, late, changed, or not at all.
 */
#ifndef COUNTERSIGN_TESTS_KDC_PROXY_H
#define COUNTERSIGN_TESTS_KDC_PROXY_H

#include "writer.h"

/* A request on its way, and what the KDC answers. */
struct kdc_message {
    bool stream;
    struct cs_span request, reply;
};

/* Writes what is passed on instead: nothing is silence. Runs in the proxy's thread, and may sleep. */
typedef void kdc_edit(const struct kdc_message *message, void *data, struct cs_writer *output);

/*
 * Starts it in front of the realm's KDC, which realm_start has started, and points KRB5_CONFIG to a file that says so.
 * realm_configure adds to that file then. Aborts on failure.
 */
void kdc_proxy_start(void);
void kdc_proxy_stop(void);

/* What becomes of the requests from now on; NULL: they pass as they are. */
void kdc_proxy_edit(kdc_edit *edit, void *data);

/* How many there were since, with those that were sent again. */
unsigned kdc_proxy_requests(void);

/* How many ms pass before each byte of a reply in a stream. */
void kdc_proxy_pause(unsigned pause);

/* Its port. */
unsigned kdc_proxy_port(void);

#endif
