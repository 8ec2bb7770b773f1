/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that is driven by lines on standard input: a command and its words on each, and one line of answer for it.
 *
 *     0x00090312 SEC_I_CONTINUE_NEEDED 4e544c4d...    a status, and what the command yields
 *     error not a hexadecimal number                  the line itself was wrong; nothing has happened
 *
 * Bytes are in hexadecimal, "-" for none. Texts are UTF-8 and run to the end of their line.
 */
#ifndef COUNTERSIGN_TESTS_LINES_H
#define COUNTERSIGN_TESTS_LINES_H

#include "writer.h"

/* What the program keeps from one line to the next; each program says what that is. */
struct peer;

struct command {
    const char *name, *usage;
    void (*run)(struct peer *peer, char *rest); /* REST: what follows the name; NULL for nothing */
};

/* Answers that the line is wrong; false. */
bool refuse(const char *why);

/* Appends the next word of *REST to BYTES, a missing word being no bytes. False: it is none, and that is the answer. */
bool take_bytes(char **rest, struct cs_writer *bytes);

/* Takes the next word of *REST as a number of 32 bits. False likewise. */
bool take_number(char **rest, uint32_t *number);

/* Appends BYTES to the answer. */
void answer_bytes(struct cs_span bytes);

/* The buffers of a message, as words by twos: their type and their bytes. */
enum { MAX_PARTS = 8 };

struct part {
    const char *type; /* inside the line */
    struct cs_writer bytes;
};

struct parts {
    struct part part[MAX_PARTS];
    size_t count;
};

/* Takes the rest of the line as parts, which the caller drops in any case. False: they are none, and that is the
 * answer. */
bool take_parts(char *rest, struct parts *parts);
void drop_parts(struct parts *parts);

/*
 * The program: runs the lines, or prints the COUNT commands for --help. The exit code: 0, or 2 for other arguments.
 */
int run_program(int argc, char **argv, const struct command *commands, size_t count, struct peer *peer);

#endif
