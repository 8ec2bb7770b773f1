/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the unit tests share: cmocka with the headers it wants, bytes from hex and UTF-16 from text, the buffers of a
 * message, pairs of sessions that no exchange was needed for, an account that exchanges log on to, and other processes.
 */
#ifndef COUNTERSIGN_TESTS_UNIT_H
#define COUNTERSIGN_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forge.h"
#include "message.h"
#include "mitm.h"
#include "ntlm_flags.h"
#include "protect.h"
#include "utf16.h"

struct bytes {
    uint8_t data[4096];
    size_t size;
};

/* The bytes that HEX says; and TEXT, UTF-8, in UTF-16LE. The test fails on what is neither, or too long. */
struct bytes unhex(const char *hex);
struct bytes utf16(const char *text);

static inline struct cs_span span_over(const struct bytes *bytes)
{
    return (struct cs_span){bytes->data, bytes->size};
}

/* Fails at the caller's line unless the bytes of GOT are those that HEX says. */
#define expect_hex(got, hex) expect_hex_at((got), (hex), __FILE__, __LINE__)
void expect_hex_at(struct cs_span got, const char *hex, const char *file, int line);

/* A message of up to eight buffers, built one after the other. Zeroed it is empty. */
struct parts {
    struct cs_buffer buffers[8];
    uint32_t count;
};

/* Appends a buffer of TYPE and yields it. DATA is the caller's, and what the message functions write to. */
struct cs_buffer *add_part(struct parts *parts, uint32_t type, const void *data, size_t size);

static inline struct cs_message message_over(struct parts *parts)
{
    return (struct cs_message){parts->buffers, parts->count};
}

/* Both ends of a finished exchange that never took place. */
struct sessions {
    struct cs_session *client, *server;
};

/* FLAGS: NEGOTIATE flags in force. The exported key is 16 times 0x55, as in MS-NLMP 4.2.1. */
struct sessions sessions_with(uint32_t flags);
void sessions_end(struct sessions *sessions);

/* One DATA and one TOKEN of 16 bytes through the function of that name. */
SECURITY_STATUS seal(struct cs_session *session, uint32_t qop, void *data, size_t size, uint8_t token[16]);
SECURITY_STATUS unseal(struct cs_session *session, void *data, size_t size, const uint8_t token[16]);
SECURITY_STATUS sign(struct cs_session *session, const void *data, size_t size, uint8_t token[16]);
SECURITY_STATUS verify(struct cs_session *session, const void *data, size_t size, const uint8_t token[16]);

/* What SESSION's key size, sign and seal combinations are worth testing in: the flags, and what to call them. */
struct flavour {
    const char *name;
    uint32_t flags;
};

extern const struct flavour flavours[];
extern const size_t flavour_count;

/* Group setup and teardown: an account file with "User", whose password is "Password", and a loopback secret. */
int known_account(void **state);
int forget_account(void **state);

/* That account's user, sign and seal asked for on both sides. */
struct pair_setup known_setup(void);

/* That setup's exchange with EDIT in the middle; what became of it. */
SECURITY_STATUS run_edited(const struct pair_setup *setup, struct mitm *mitm);

/* How large message NUMBER of that exchange is, in bytes. */
size_t size_of_message(const struct pair_setup *setup, unsigned number);

/* Its password's NTOWFv1 (nlmp-4.2.2-ntlmv1), in hex. */
extern const char known_hash[];

/* What makes message 3 right for the first two of MITM and the NTOWFv1 that HASH says, in hex. */
struct forge forge_for(const struct mitm *mitm, const char *hash);

/* An edit of flags in message NUMBER. */
static inline struct mitm flag_edit(unsigned number, uint32_t clear, uint32_t set)
{
    return (struct mitm){.edit = mitm_change_flags, .clear = clear, .set = set, .target_message = number};
}

/* Opens a pair and runs its exchange, which must succeed. */
void open_complete(struct pair *pair, const struct pair_setup *setup);

/* A message each way through the sessions of PAIR, sealed, and signed. */
void expect_messages_pass(const struct pair *pair);

/* Default credentials towards TARGET: the loopback logon. */
struct pair_setup loopback_setup(const char *target);

/* Another process, on the other end of a socket. RUN is what it does there; it ends when that returns. */
struct process {
    int pid, fd;
};

struct process start_process(void (*run)(int fd, const void *data), const void *data);

/* Closes the socket and waits; the process must have ended well. */
void finish_process(const struct process *process);

/* A token, with its size before it; an empty one is one, too. receive_token yields an empty one at the end. */
void send_token(int fd, struct cs_span token);
struct bytes receive_token(int fd);
void send_status(int fd, SECURITY_STATUS status);
SECURITY_STATUS receive_status(int fd);

#endif
