/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private keys as Windows's key stores export them, made from those of tls_world.h.
 */
#ifndef COUNTERSIGN_TESTS_TLS_KEYS_H
#define COUNTERSIGN_TESTS_TLS_KEYS_H

#include "tls_world.h"
#include "writer.h"

/* Appends the key of that certificate in FORMAT, which must be one for its kind. */
void tls_keys_write(struct cs_writer *blob, enum tls_key_format format, enum tls_world_key key);

#endif
