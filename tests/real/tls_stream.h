/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TLS over a socket for Windows programs, by Schannel: either role, without a look at the peer's certificate, or a
 * client for which Schannel looks. Needs nothing but Windows.
 */
#ifndef REAL_TLS_STREAM_H
#define REAL_TLS_STREAM_H

#ifndef SECURITY_WIN32
#define SECURITY_WIN32
#endif
#include <winsock2.h>
#include <windows.h>
#include <security.h>
#include <schannel.h>
#include <stdbool.h>

#ifndef SP_PROT_TLS1_3_SERVER
#define SP_PROT_TLS1_3_SERVER 0x00001000
#define SP_PROT_TLS1_3_CLIENT 0x00002000
#endif

/* Bytes of records that are sent or received at once, as programs do that have much to say. */
enum { TLS_STREAM_ROOM = 1 << 18 };

struct tls_stream {
    SOCKET socket; /* the caller's */
    CredHandle credential;
    CtxtHandle context;
    bool has_credential, has_context;
    SecPkgContext_StreamSizes sizes;
    SECURITY_STATUS status; /* what the last call of Schannel answered that was no success */
    BYTE *in, *out;         /* TLS_STREAM_ROOM each */
    ULONG start, end;       /* of in: what has not been decrypted */
};

/*
 * The handshake. CERTIFICATE: the server's; NULL makes a client. PROTOCOLS: SP_PROT_ bits of that side. False: it
 * failed, and status says with what, SEC_E_OK if the connection has ended. tls_stream_close frees, whatever the result.
 */
bool tls_stream_open(struct tls_stream *stream, SOCKET socket, PCCERT_CONTEXT certificate, DWORD protocols,
                     WCHAR *target);

/* A client's, of any protocol, for which Schannel looks at the server's certificate: it is to end in one of ROOTS. */
bool tls_stream_open_checked(struct tls_stream *stream, SOCKET socket, HCERTSTORE roots, WCHAR *target);

bool tls_stream_send(struct tls_stream *stream, const BYTE *data, ULONG size);

/* The data of the next record, in the stream's memory until the next call. False: none comes any more. */
bool tls_stream_receive(struct tls_stream *stream, BYTE **data, ULONG *size);
void tls_stream_close(struct tls_stream *stream);

/* A listening socket on a port of 127.0.0.1, which is set, and a connection to one. INVALID_SOCKET: none. */
SOCKET loopback_listen(unsigned short *port);
SOCKET loopback_connect(unsigned short port);

#endif
