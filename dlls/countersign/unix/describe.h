/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens in words: what tools/tokendump prints, and what a trace of level 2 holds. Descriptions end up in bug reports,
 * so whatever a password or a key could be tried against (responses, MICs, encrypted session keys, loopback proofs) is
 * named with its size and never shown.
 */
#ifndef COUNTERSIGN_DESCRIBE_H
#define COUNTERSIGN_DESCRIBE_H

#include "writer.h"

#include <stdbool.h>

/*
 * Appends a description of TOKEN, any bytes at all, to TEXT: lines of UTF-8, each with its line end and free of control
 * characters. Names of the specifications stand as they are, the words around them are translated. A malformed token is
 * described as far as it goes, with the offset of each thing that is wrong. True: the token is of a known kind and
 * whole. False: TEXT says why not. Without memory the writer's error sticks, and what it holds is of no use.
 */
bool cs_describe_token(struct cs_span token, struct cs_writer *text);

/*
 * Keys that open what is encrypted in Kerberos's tokens: those of a keytab, and the last session keys that came to
 * light in the tokens that they opened. For one thread at a time.
 */
struct cs_describe_keys;

/*
 * Reads the keytab NAME: a file, or of another type as Heimdal names them. NULL on failure; *problem then says why, in
 * the words of Heimdal's library, for the caller to free, or is NULL without memory.
 */
struct cs_describe_keys *cs_describe_keys_read(const char *name, char **problem);

/* Wipes and frees KEYS; NULL is fine. */
void cs_describe_keys_drop(struct cs_describe_keys *keys);

/* The same as cs_describe_token with what KEYS open: names, times, flags and kinds of keys, and never a key. */
bool cs_describe_opened(struct cs_span token, struct cs_describe_keys *keys, struct cs_writer *text);

/* The rest is for the describers, one of which every mechanism has. */

struct cs_description {
    struct cs_span token;
    struct cs_writer *text;
    unsigned depth;                /* of indentation; starts at 0 */
    bool whole;                    /* nothing was wrong so far */
    struct cs_describe_keys *keys; /* NULL: what is encrypted stays closed */
};

struct cs_describer {
    bool (*recognises)(struct cs_span token);
    void (*describe)(struct cs_description *description); /* called only for tokens that it recognises */
};

extern const struct cs_describer ntlm_describer, spnego_describer, kerberos_describer;

/*
 * Describes a token that lies inside the one at hand, indented, with offsets of its own. Whether it is of a known kind
 * and whole.
 */
bool cs_describe_inner(struct cs_description *description, struct cs_span token);

/* A reader that knows where in the token it is. END is the offset of the first byte behind what it reads. */
struct cs_walk {
    struct cs_reader reader;
    size_t end;
};

/* Where the next item begins; after a failed read, the item that was cut off. */
static inline size_t cs_walk_position(const struct cs_walk *walk)
{
    return walk->end - walk->reader.remaining;
}

/* A bit of a flags word and its name, in ASCII. */
struct cs_flag_name {
    uint32_t flag;
    const char *name;
};

/* Appends to the line at hand, as printf does. */
void cs_describe_add(struct cs_description *description, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Starts a line with its indentation and "LABEL: ". */
void cs_describe_begin(struct cs_description *description, const char *label);

void cs_describe_end(struct cs_description *description);

/* A whole line: begin, add, end. */
void cs_describe_line(struct cs_description *description, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends BYTES as hexadecimal digits; and a whole line of that. */
void cs_describe_hex(struct cs_description *description, struct cs_span bytes);
void cs_describe_hex_line(struct cs_description *description, const char *label, struct cs_span bytes);

/*
 * Appends NAME, UTF-16LE or of single bytes, in quotation marks. What a terminal could act upon, or a reader be misled
 * by (quotation marks, controls, direction marks, unassigned characters, lone surrogates, bytes that are no ASCII),
 * appears as \xNN or \u{NNNN}.
 */
void cs_describe_name(struct cs_description *description, struct cs_span name, bool utf16);

/* A line with VALUE, and below it the NAMES (COUNT of them) of its bits; bits without a name are added up in one. */
void cs_describe_flags(struct cs_description *description, const char *label, uint32_t value,
                       const struct cs_flag_name *names, size_t count);

/* A line that says what is wrong at byte OFFSET of the token; the description is no longer whole. */
void cs_describe_broken(struct cs_description *description, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, if a read of WALK has failed: its first failed item, NAME, was cut off. Whether it has. */
bool cs_describe_cut(struct cs_description *description, const struct cs_walk *walk, const char *name);

#endif
