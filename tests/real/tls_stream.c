/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TLS over a socket for Windows programs. What is left of a record's bytes stays in memory until the rest has come.
 */
#include "tls_stream.h"

#include <stdlib.h>
#include <string.h>

static bool fails(struct tls_stream *stream, SECURITY_STATUS status)
{
    stream->status = status;
    return false;
}

static bool send_all(struct tls_stream *stream, const BYTE *bytes, ULONG size)
{
    while (size) {
        const int sent = send(stream->socket, (const char *)bytes, (int)size, 0);
        if (sent <= 0) return fails(stream, SEC_E_OK);
        bytes += sent;
        size -= (ULONG)sent;
    }
    return true;
}

static bool receive_more(struct tls_stream *stream)
{
    if (stream->start) memmove(stream->in, stream->in + stream->start, stream->end - stream->start);
    stream->end -= stream->start;
    stream->start = 0;
    const int got = recv(stream->socket, (char *)stream->in + stream->end, (int)(TLS_STREAM_ROOM - stream->end), 0);
    if (got <= 0) return fails(stream, SEC_E_OK);
    stream->end += (ULONG)got;
    return true;
}

static bool acquire(struct tls_stream *stream, SCHANNEL_CRED *wanted)
{
    static WCHAR package[] = UNISP_NAME_W;
    const SECURITY_STATUS status =
        AcquireCredentialsHandleW(NULL, package, wanted->cCreds ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL,
                                  wanted, NULL, NULL, &stream->credential, NULL);
    stream->has_credential = status == SEC_E_OK;
    return stream->has_credential || fails(stream, status);
}

/* One leg with all that waits; what it leaves goes on waiting. */
static SECURITY_STATUS leg(struct tls_stream *stream, bool server, WCHAR *target)
{
    SecBuffer input[] = {{stream->end - stream->start, SECBUFFER_TOKEN, stream->in + stream->start},
                         {0, SECBUFFER_EMPTY, NULL}},
              output = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc in = {SECBUFFER_VERSION, 2, input}, out = {SECBUFFER_VERSION, 1, &output};
    CtxtHandle *context = stream->has_context ? &stream->context : NULL;
    SECURITY_STATUS status;
    ULONG granted;
    if (server)
        status = AcceptSecurityContext(&stream->credential, context, &in, ASC_REQ_ALLOCATE_MEMORY | ASC_REQ_STREAM, 0,
                                       &stream->context, &out, &granted, NULL);
    else
        status = InitializeSecurityContextW(&stream->credential, context, target,
                                            ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_STREAM | ISC_REQ_CONFIDENTIALITY, 0, 0,
                                            context ? &in : NULL, 0, &stream->context, &out, &granted, NULL);
    if (status == SEC_E_INCOMPLETE_MESSAGE) return status;
    stream->has_context |= status >= 0;
    stream->start = stream->end - (input[1].BufferType == SECBUFFER_EXTRA ? input[1].cbBuffer : 0);
    if (output.cbBuffer && !send_all(stream, output.pvBuffer, output.cbBuffer)) status = SEC_E_INTERNAL_ERROR;
    if (output.pvBuffer) FreeContextBuffer(output.pvBuffer);
    return status;
}

/* A client's first leg has nothing to read; after that there is. */
static bool shake(struct tls_stream *stream, bool server, WCHAR *target)
{
    SECURITY_STATUS status = server ? SEC_E_INCOMPLETE_MESSAGE : leg(stream, server, target);
    while (status == SEC_I_CONTINUE_NEEDED || status == SEC_E_INCOMPLETE_MESSAGE) {
        if ((status == SEC_E_INCOMPLETE_MESSAGE || stream->start == stream->end) && !receive_more(stream)) return false;
        status = leg(stream, server, target);
    }
    return status == SEC_E_OK || fails(stream, status);
}

/* A server if WANTED has a certificate. */
static bool open_with(struct tls_stream *stream, SOCKET socket, SCHANNEL_CRED *wanted, WCHAR *target)
{
    const int room = 4 * TLS_STREAM_ROOM;
    setsockopt(socket, SOL_SOCKET, SO_SNDBUF, (const char *)&room, sizeof room);
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, (const char *)&room, sizeof room);
    *stream = (struct tls_stream){.socket = socket, .in = malloc(TLS_STREAM_ROOM), .out = malloc(TLS_STREAM_ROOM)};
    if (!stream->in || !stream->out) return fails(stream, SEC_E_INSUFFICIENT_MEMORY);
    if (!acquire(stream, wanted) || !shake(stream, wanted->cCreds != 0, target)) return false;
    const SECURITY_STATUS status = QueryContextAttributesW(&stream->context, SECPKG_ATTR_STREAM_SIZES, &stream->sizes);
    return status == SEC_E_OK || fails(stream, status);
}

bool tls_stream_open(struct tls_stream *stream, SOCKET socket, PCCERT_CONTEXT certificate, DWORD protocols,
                     WCHAR *target)
{
    SCHANNEL_CRED wanted = {.dwVersion = SCHANNEL_CRED_VERSION,
                            .grbitEnabledProtocols = protocols,
                            .cCreds = certificate ? 1 : 0,
                            .paCred = certificate ? &certificate : NULL,
                            .dwFlags = certificate ? 0 : SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_NO_DEFAULT_CREDS};
    return open_with(stream, socket, &wanted, target);
}

bool tls_stream_open_checked(struct tls_stream *stream, SOCKET socket, HCERTSTORE roots, WCHAR *target)
{
    SCHANNEL_CRED wanted = {.dwVersion = SCHANNEL_CRED_VERSION,
                            .hRootStore = roots,
                            .dwFlags = SCH_CRED_AUTO_CRED_VALIDATION | SCH_CRED_NO_DEFAULT_CREDS};
    return open_with(stream, socket, &wanted, target);
}

/* One record behind those that are in out already. */
static SECURITY_STATUS encrypt(struct tls_stream *stream, const BYTE *data, ULONG size, ULONG *used)
{
    BYTE *place = stream->out + *used;
    SecBuffer buffers[] = {{stream->sizes.cbHeader, SECBUFFER_STREAM_HEADER, place},
                           {size, SECBUFFER_DATA, place + stream->sizes.cbHeader},
                           {stream->sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, place + stream->sizes.cbHeader + size},
                           {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, buffers};
    memcpy(buffers[1].pvBuffer, data, size);
    const SECURITY_STATUS status = EncryptMessage(&stream->context, 0, &message, 0);
    if (status == SEC_E_OK) *used += buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer;
    return status;
}

bool tls_stream_send(struct tls_stream *stream, const BYTE *data, ULONG size)
{
    const ULONG most = stream->sizes.cbMaximumMessage, around = stream->sizes.cbHeader + stream->sizes.cbTrailer;
    while (size) {
        ULONG used = 0;
        while (size && used + most + around <= TLS_STREAM_ROOM) {
            const ULONG part = size < most ? size : most;
            const SECURITY_STATUS status = encrypt(stream, data, part, &used);
            if (status) return fails(stream, status);
            data += part;
            size -= part;
        }
        if (!send_all(stream, stream->out, used)) return false;
    }
    return true;
}

static SECURITY_STATUS decrypt(struct tls_stream *stream, BYTE **data, ULONG *size)
{
    SecBuffer buffers[4] = {{stream->end - stream->start, SECBUFFER_DATA, stream->in + stream->start}};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, buffers};
    const SECURITY_STATUS status = DecryptMessage(&stream->context, &message, 0, NULL);
    if (status) return status;
    stream->start = stream->end;
    for (unsigned i = 0; i < 4; i++) {
        if (buffers[i].BufferType == SECBUFFER_DATA) {
            *data = buffers[i].pvBuffer;
            *size = buffers[i].cbBuffer;
        }
        if (buffers[i].BufferType == SECBUFFER_EXTRA) stream->start -= buffers[i].cbBuffer;
    }
    return SEC_E_OK;
}

bool tls_stream_receive(struct tls_stream *stream, BYTE **data, ULONG *size)
{
    for (;;) {
        const SECURITY_STATUS status =
            stream->start == stream->end ? SEC_E_INCOMPLETE_MESSAGE : decrypt(stream, data, size);
        if (status == SEC_E_OK) return true;
        if (status != SEC_E_INCOMPLETE_MESSAGE) return fails(stream, status);
        if (!receive_more(stream)) return false;
    }
}

void tls_stream_close(struct tls_stream *stream)
{
    if (stream->has_context) DeleteSecurityContext(&stream->context);
    if (stream->has_credential) FreeCredentialsHandle(&stream->credential);
    free(stream->in);
    free(stream->out);
}

static struct sockaddr_in loopback(unsigned short port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

SOCKET loopback_listen(unsigned short *port)
{
    struct sockaddr_in address = loopback(0);
    int size = sizeof address;
    const SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener == INVALID_SOCKET) return INVALID_SOCKET;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 5) ||
        getsockname(listener, (struct sockaddr *)&address, &size)) {
        closesocket(listener);
        return INVALID_SOCKET;
    }
    *port = ntohs(address.sin_port);
    return listener;
}

SOCKET loopback_connect(unsigned short port)
{
    const struct sockaddr_in address = loopback(port);
    const SOCKET connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connection == INVALID_SOCKET || !connect(connection, (const struct sockaddr *)&address, sizeof address))
        return connection;
    closesocket(connection);
    return INVALID_SOCKET;
}
