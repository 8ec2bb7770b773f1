/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DER over the bounded reader and writer: what SPNEGO and the GSS framing of tokens need of ASN.1. Definite, minimal
 * lengths and one-byte tags only; everything else makes the reader's error stick (bug class C5).
 */
#ifndef COUNTERSIGN_TLV_H
#define COUNTERSIGN_TLV_H

#include "writer.h"

enum der_tag {
    DER_INTEGER = 0x02,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_ENUMERATED = 0x0A,
    DER_GENERAL_STRING = 0x1B,
    DER_SEQUENCE = 0x30,
    DER_APPLICATION_0 = 0x60,
    DER_CONTEXT_0 = 0xA0 /* [0] EXPLICIT; [n] is this plus n */
};

/* Whether the next element has TAG; false at the end, and after an error. */
bool cs_der_next_is(const struct cs_reader *reader, uint8_t tag);

/* Takes the next element, which must have TAG, and yields its contents. */
struct cs_span cs_der_read(struct cs_reader *reader, uint8_t tag);

/* The same, as a reader over the contents; failed if READER is. */
struct cs_reader cs_der_enter(struct cs_reader *reader, uint8_t tag);

/* An element that must be the only one in the next element of TAG: [n] EXPLICIT. */
struct cs_span cs_der_read_explicit(struct cs_reader *reader, uint8_t tag, uint8_t inner_tag);

/* Appends an element of TAG around CONTENTS. */
void cs_der_write(struct cs_writer *output, uint8_t tag, struct cs_span contents);

/* The same with two tags, the outer one EXPLICIT. */
void cs_der_write_explicit(struct cs_writer *output, uint8_t tag, uint8_t inner_tag, struct cs_span contents);

/* Puts what OUTPUT has from offset START on into an element of TAG. */
void cs_der_wrap(struct cs_writer *output, size_t start, uint8_t tag);

#endif
