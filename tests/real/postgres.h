/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client of PostgreSQL's, over its GSS-API encryption by SSPI: PostgreSQL's manual, "Frontend/Backend Protocol",
 * "GSSAPI Session Encryption". A function that is FALSE has lost the connection.
 */
#ifndef REAL_POSTGRES_H
#define REAL_POSTGRES_H

#include <winsock2.h>
#include <windows.h>
#include <security.h>

/* The server takes no longer packet, and sends none; its size in front counts too. */
enum { LARGEST_PACKET = 16384 };

/* What goes over the wire behind its size: a token of the handshake, or a sealed message. */
struct packet {
    ULONG size;
    BYTE data[LARGEST_PACKET];
};

/* Who logs on, and to what. */
struct logon {
    char *package, *target;
    SEC_WINNT_AUTH_IDENTITY_A *identity; /* NULL: the user's ticket cache */
    const char *role;                    /* the database's user */
    u_short port;
};

struct connection {
    SOCKET socket;
    CredHandle credential;
    CtxtHandle context;
    SecPkgContext_Sizes sizes;
    ULONG sent, received; /* sealed packets each way */
    struct packet in, out;
    const BYTE *text; /* of what is in IN, what has not been read yet */
    ULONG text_size;
    SECURITY_STATUS status; /* the first call of SSPI that failed */
};

/* ---- postgres_wire.c ---- */

/*
 * Connects and asks for encryption, and runs the handshake up to its end; FALSE, too, if the server or SSPI refuses,
 * which then is CONNECTION's status. ALTER, if it is there, may change the server's token. drop_connection in any case.
 */
BOOL open_connection(struct connection *connection, const struct logon *logon, void (*alter)(struct packet *token));

void drop_connection(struct connection *connection);

/* The text that one packet can hold. */
ULONG packet_room(const struct connection *connection);

/* EncryptMessage of TEXT into PACKET, whose parts then touch; QOP is EncryptMessage's. */
SECURITY_STATUS seal(struct connection *connection, const void *text, ULONG size, ULONG qop, struct packet *packet);

/* DecryptMessage of PACKET as a stream, in place. *text points into it. What was only signed is refused. */
SECURITY_STATUS unseal(struct connection *connection, struct packet *packet, const BYTE **text, ULONG *size);

BOOL send_packet(struct connection *connection, const struct packet *packet);
BOOL receive_packet(struct connection *connection, struct packet *packet);

/* Any number of bytes, in as many packets as they take. */
BOOL write_stream(struct connection *connection, const void *bytes, ULONG size);
BOOL read_stream(struct connection *connection, void *bytes, ULONG size);

/* Whether the server ends the connection, and has nothing more to say. */
BOOL is_thrown_out(struct connection *connection);

/* ---- postgres_query.c ---- */

/* A message, "Message Formats" there: its type, which a startup message has not, its size and its body. */
struct message {
    char type;
    ULONG size; /* of the body */
    char *body; /* with a zero behind it */
};

/* What the server answers to a query. */
struct answer {
    char *row;    /* the columns of the last row, with "|" in between; NULL: there was none */
    char code[6]; /* an error's SQLSTATE; empty: there was none */
};

/* Puts a query's message into a buffer of its own, which the caller frees. */
char *query_message(const char *sql, ULONG *size);

/* Sends the startup message, and reads until the server is ready for a query or refuses. */
BOOL start_session(struct connection *connection, const char *role, struct answer *answer);

/* Sends a query, and reads until the server is ready for another. */
BOOL run_query(struct connection *connection, const char *sql, struct answer *answer);

/* What comes after a query's message that has been sent. */
BOOL read_answer(struct connection *connection, struct answer *answer);

void drop_answer(struct answer *answer);

#endif
