/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the two sample programs share: frames over a socket, protected messages in them, and printing what happens.
 */
#ifndef SAMPLES_TALK_H
#define SAMPLES_TALK_H

#include <winsock2.h>
#include <windows.h>
#include <security.h>

enum { LARGEST_FRAME = 65536, SIGNATURE = 16 };

/* One side of the conversation. */
struct peer {
    const char *who; /* "client" or "server", for what is printed */
    SOCKET socket;
    CredHandle credential;
    CtxtHandle context;
    ULONG token_size; /* the package's cbMaxToken */
    ULONG flags;      /* ISC_RET_ or ASC_RET_ as granted */
};

struct frame {
    ULONG size;
    BYTE data[LARGEST_FRAME];
};

/* Prints "who: " and a line. */
void say(const struct peer *peer, const char *format, ...);

/* Prints what failed, with the status's name, and ends the program. */
void give_up(const struct peer *peer, const char *what, SECURITY_STATUS status);

/* The name of a status, or its number. */
const char *status_name(SECURITY_STATUS status);

/* A frame is its size, four bytes little-endian, and its bytes. FALSE when the connection has ended. */
BOOL send_frame(struct peer *peer, const void *data, ULONG size);
BOOL receive_frame(struct peer *peer, struct frame *frame);

/* Prints the package's name and what it lists; keeps its token size. */
void describe_package(struct peer *peer, const char *package);

/* Prints who the session is for, its flags by name, its sizes and algorithms. */
void describe_session(struct peer *peer);

/* Puts TEXT into FRAME as signature and message, sealed or only signed. */
void protect_text(struct peer *peer, const char *text, BOOL seal, struct frame *frame);

/* Undoes protect_text, in FRAME; *text points into it. The status of DecryptMessage or VerifySignature. */
SECURITY_STATUS open_text(struct peer *peer, struct frame *frame, BOOL sealed, char **text);

#endif
