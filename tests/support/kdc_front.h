/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A KDC in front of the test's own, which wants user-to-user for every service, as KDCs other than Heimdal's may
 * (KDC_ERR_MUST_USE_USER2USER); all else it passes on.
 */
#ifndef COUNTERSIGN_TESTS_KDC_FRONT_H
#define COUNTERSIGN_TESTS_KDC_FRONT_H

/* Starts it, in a thread, and points KRB5_CONFIG to it; stops it, and points back. Abort on failure. */
void kdc_front_start(void);
void kdc_front_stop(void);

/* How many requests it has refused since it was started. */
unsigned kdc_front_refusals(void);

#endif
