/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The seed corpus: what each protocol's part makes is of exchanges of our own, whose random numbers are those that the
 * targets will draw, and of the test vectors. A seed is the file FOLDER/TARGET/NAME.
 */
#ifndef COUNTERSIGN_SEEDS_H
#define COUNTERSIGN_SEEDS_H

#include "fuzz.h"

/* The bytes of HEX. */
void write_hex(struct cs_writer *writer, const char *hex);

void write_seed(const char *folder, const char *target, const char *name, const struct cs_writer *bytes);

/* HEAD, then MESSAGE; both in bytes, or both in hexadecimal digits. */
void seed_message(const char *folder, const char *target, const char *name, struct cs_span head,
                  struct cs_span message);
void seed_hex(const char *folder, const char *target, const char *name, const char *head, const char *hex);

/* All of a protocol's: seeds_ntlm.c (with Negotiate's), seeds_kerberos.c, seeds_tls.c. */
void seed_ntlm(const char *folder);
void seed_kerberos(const char *folder);
void seed_tls(const char *folder);

#endif
