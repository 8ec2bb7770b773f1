/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Context attributes as text, for the groups that query them on different contexts. */
#ifndef CONFORMANCE_ATTRIBUTES_H
#define CONFORMANCE_ATTRIBUTES_H

#include "harness.h"

/* "max token N, signature N, block N, trailer N", or the status. TEXT holds OBSERVED_MAX bytes; returned. */
const char *sizes_text(CtxtHandle *context, char *text);

/* "SIGNATURE NAME / ENCRYPTION NAME, 0x<signature algorithm>, KEYSIZE, 0x<encryption algorithm>", or the status. */
const char *key_info_text(CtxtHandle *context, char *text);

/* What FreeContextBuffer answers for each of KEY_INFO's two strings: "STATUS STATUS". */
const char *key_info_release_text(CtxtHandle *context, char *text);

#define SESSION_KEY_MAX 64

/*
 * SESSION_KEY into KEY; SIZE gets its bytes. The buffer is freed, *RELEASED gets the status of that; it stays as it was
 * when there is no buffer. Returns the status of the query.
 */
SECURITY_STATUS session_key(CtxtHandle *context, unsigned char key[SESSION_KEY_MAX], ULONG *size,
                            SECURITY_STATUS *released);

/* NAMES of a context (A entry), or the status. */
const char *names_text(CtxtHandle *context, char *text);

/* "DOMAIN\\user" for any name of that form, else NAME itself. */
const char *name_form(const char *name);

/* The name that PACKAGE_INFO gives, or the status. TEXT holds OBSERVED_MAX bytes; returned. */
const char *package_text(CtxtHandle *context, char *text);

/* NEGOTIATION_INFO as "STATUS, STATE, NAME", or the status. */
const char *negotiation_text(CtxtHandle *context, char *text);

/* "as granted" if FLAGS are what the last leg gave, GRANTED; else both, or the status. */
const char *flags_text(CtxtHandle *context, ULONG granted, char *text);

/* NATIVE_NAMES as "CLIENT, SERVER" (A entry), or the status. */
const char *native_names_text(CtxtHandle *context, char *text);

/* What SetCredentialsAttributes answers for KDC_PROXY_SETTINGS without a proxy. */
const char *set_kdc_proxy_text(CredHandle *credential, char *text);

/* "in 1 hour to 10 days", or "in N seconds". */
const char *expiry_text(TimeStamp expiry, char *text);

#endif
