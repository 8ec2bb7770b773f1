/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * UTF-16LE strings, the form in which names and passwords come from Windows programs and from the wire.
 */
#ifndef COUNTERSIGN_UTF16_H
#define COUNTERSIGN_UTF16_H

#include "writer.h"

/*
 * Appends UTF16 to OUTPUT in upper case, character by character as Windows does it: the simple mappings of the Basic
 * Multilingual Plane, and none that would turn a letter outside ASCII into one inside. An odd last byte is dropped.
 */
void cs_utf16_upper(struct cs_writer *output, struct cs_span utf16);

/* Whether two strings are the same but for case, by the same mapping. */
bool cs_utf16_same_name(struct cs_span left, struct cs_span right);

/*
 * Append text in another encoding; OEM is code page 437. False, with OUTPUT as it was, when a character does not
 * convert (lone surrogates, odd lengths: bug class A4).
 */
bool cs_utf8_of(struct cs_writer *output, struct cs_span utf16);
bool cs_utf16_of(struct cs_writer *output, struct cs_span utf8);
bool cs_oem_of(struct cs_writer *output, struct cs_span utf16);
bool cs_utf16_of_oem(struct cs_writer *output, struct cs_span oem);

/* A span over a NUL-terminated string's bytes; empty for NULL. */
struct cs_span cs_span_of(const char *text);

/* Copies SPAN to the heap, for spans that are owned; data NULL for an empty one. False without memory. */
bool cs_span_copy(struct cs_span *copy, struct cs_span span);

/* Wipes and frees an owned span. */
void cs_span_drop(struct cs_span *span);

#endif
