/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the sample programs share: frames over a socket, protected messages in them, and printing what happens
 * (talk.c); both ends of a logon (serve.c, connect.c).
 */
#ifndef SAMPLES_TALK_H
#define SAMPLES_TALK_H

#include <winsock2.h>
#include <windows.h>
#include <security.h>

#include <stdio.h>

enum { LARGEST_FRAME = 65536 };

/* One side of the conversation. */
struct peer {
    const char *who; /* "client", "server", for what is printed */
    char *package;   /* its name */
    char *target;    /* the client's: what the server is called */
    BOOL delegate;   /* the client's: whether the server may go on to others in its name */
    FILE *tokens;    /* where they are written; NULL: nowhere */
    SOCKET socket;
    CredHandle credential;
    CtxtHandle context;
    ULONG token_size; /* the package's cbMaxToken */
    ULONG signature;  /* largest size of what a sealed or signed message has in front */
    ULONG flags;      /* ISC_RET_ or ASC_RET_ as granted */
};

struct frame {
    ULONG size;
    BYTE data[LARGEST_FRAME];
};

/* What take_options takes, for a program's usage. */
#define OPTIONS_USAGE                                                                                                  \
    "  --package NAME  the security package: NTLM (without this option), Kerberos or Negotiate\n"                      \
    "  --target NAME   what the client calls the server (demo/localhost)\n"                                            \
    "  --delegate      the client lets the server go on to others in its name\n"                                       \
    "  --tokens FILE   also writes each token into FILE, in hexadecimal, one a line\n"                                 \
    "  --help          only prints this\n"                                                                             \
    "Exit code: 0 all went as it should, 1 something failed, 2 not understood.\n"

/*
 * Takes the options into PEER and returns where in ARGV what follows them begins. Ends the program after --help, which
 * prints USAGE, and for an option that it does not know.
 */
int take_options(struct peer *peer, int argc, char **argv, const char *usage);

/* Prints what is wrong with an argument, and USAGE, and ends the program. */
void misused(const char *argument, const char *what, const char *usage);

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
void describe_package(struct peer *peer);

/* Writes a token into the file that was asked for. */
void keep_token(const struct peer *peer, const BYTE *token, ULONG size);

/* Keeps the size of the session's signatures. */
void take_sizes(struct peer *peer);

/*
 * Prints the mechanism that the package has chosen, who the session is for, its flags by name, its algorithms, and
 * keeps the size of its signatures.
 */
void describe_session(struct peer *peer);

/* Puts TEXT into FRAME as the signature's size (four bytes, little-endian), signature and message, sealed or signed. */
void protect_text(struct peer *peer, const char *text, BOOL seal, struct frame *frame);

/* Undoes protect_text, in FRAME; *text points into it. The status of DecryptMessage or VerifySignature. */
SECURITY_STATUS open_text(struct peer *peer, struct frame *frame, BOOL sealed, char **text);

/* What NAMES of the session says; freed with FreeContextBuffer. */
char *name_of_session(const struct peer *peer);

/* serve.c */

/* A socket that listens on a port of this machine, which goes into the file. */
SOCKET listen_on_loopback(const struct peer *peer, const char *port_file);

/* The default credential, for a server. */
void acquire_inbound(struct peer *peer);

/* Every leg with the client that is connected. */
void accept_logon(struct peer *peer);

/* A message of the client's, and what opening it came to. FALSE when the connection has ended. */
BOOL receive_text(struct peer *peer, SECURITY_STATUS *status, char **text);

/* Answers, sealed: that TEXT was read, and MORE, or that it is refused because of STATUS. */
void answer_text(struct peer *peer, SECURITY_STATUS status, const char *text, const char *more);

/* connect.c */

/* 0 for what is no port. */
u_short port_number(const char *text);

void connect_to(struct peer *peer, u_short port);

/* The credential of IDENTITY (domain, user, password), or the default one with NULL. */
void acquire_outbound(struct peer *peer, char **identity);

/* Every leg with the server that is connected. */
void log_on(struct peer *peer);

/* Sends what is in FRAME and hands back the server's sealed answer, in the same frame. */
const char *ask(struct peer *peer, struct frame *frame, BOOL sealed);

#endif
