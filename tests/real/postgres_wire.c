/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packets.
 */
#include "postgres.h"

#include <string.h>

enum { TIMEOUT_MS = 30000 };

/* ---- sockets ---- */

static BOOL send_bytes(struct connection *connection, const void *bytes, ULONG size)
{
    const char *next = bytes;
    while (size) {
        const int sent = send(connection->socket, next, (int)size, 0);
        if (sent <= 0) return FALSE;
        next += sent;
        size -= (ULONG)sent;
    }
    return TRUE;
}

static BOOL receive_bytes(struct connection *connection, void *bytes, ULONG size)
{
    char *next = bytes;
    while (size) {
        const int received = recv(connection->socket, next, (int)size, 0);
        if (received <= 0) return FALSE;
        next += received;
        size -= (ULONG)received;
    }
    return TRUE;
}

static BOOL join_server(struct connection *connection, u_short port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    const DWORD timeout = TIMEOUT_MS;
    const BOOL at_once = TRUE;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->socket = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(connection->socket, SOL_SOCKET, SO_RCVTIMEO, (const char *)&timeout, sizeof timeout);
    setsockopt(connection->socket, SOL_SOCKET, SO_SNDTIMEO, (const char *)&timeout, sizeof timeout);
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, (const char *)&at_once, sizeof at_once);
    return !connect(connection->socket, (struct sockaddr *)&address, sizeof address);
}

/* A server that waits for more would let recv end with WSAETIMEDOUT. */
BOOL is_thrown_out(struct connection *connection)
{
    char byte;
    const int received = recv(connection->socket, &byte, 1, 0);
    return !received || (received < 0 && WSAGetLastError() == WSAECONNRESET);
}

/* ---- packets ---- */

BOOL send_packet(struct connection *connection, const struct packet *packet)
{
    BYTE framed[sizeof(u_long) + LARGEST_PACKET];
    const u_long size = htonl(packet->size);
    memcpy(framed, &size, sizeof size);
    memcpy(framed + sizeof size, packet->data, packet->size);
    return send_bytes(connection, framed, sizeof size + packet->size);
}

BOOL receive_packet(struct connection *connection, struct packet *packet)
{
    u_long size;
    if (!receive_bytes(connection, &size, sizeof size)) return FALSE;
    packet->size = ntohl(size);
    return packet->size <= LARGEST_PACKET - sizeof size && receive_bytes(connection, packet->data, packet->size);
}

ULONG packet_room(const struct connection *connection)
{
    return LARGEST_PACKET - (ULONG)sizeof(u_long) - connection->sizes.cbSecurityTrailer - connection->sizes.cbBlockSize;
}

SECURITY_STATUS seal(struct connection *connection, const void *text, ULONG size, ULONG qop, struct packet *packet)
{
    const ULONG trailer = connection->sizes.cbSecurityTrailer;
    BYTE *const data = packet->data + trailer;
    SecBuffer parts[] = {{trailer, SECBUFFER_TOKEN, packet->data},
                         {size, SECBUFFER_DATA, data},
                         {connection->sizes.cbBlockSize, SECBUFFER_PADDING, data + size}};
    SecBufferDesc message = {SECBUFFER_VERSION, 3, parts};
    memcpy(data, text, size);
    const SECURITY_STATUS status = EncryptMessage(&connection->context, qop, &message, 0);
    if (status) return status;
    /* The token need not fill its room, and what stands on the wire has no gap. */
    packet->size = parts[0].cbBuffer;
    for (int i = 1; i < 3; i++) {
        memmove(packet->data + packet->size, parts[i].pvBuffer, parts[i].cbBuffer);
        packet->size += parts[i].cbBuffer;
    }
    return SEC_E_OK;
}

SECURITY_STATUS unseal(struct connection *connection, struct packet *packet, const BYTE **text, ULONG *size)
{
    SecBuffer parts[] = {{packet->size, SECBUFFER_STREAM, packet->data}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, parts};
    ULONG qop = 0;
    const SECURITY_STATUS status = DecryptMessage(&connection->context, &message, 0, &qop);
    if (status) return status;
    *text = parts[1].pvBuffer;
    *size = parts[1].cbBuffer;
    return qop ? SEC_E_QOP_NOT_SUPPORTED : SEC_E_OK;
}

/* ---- the handshake ---- */

/* GSSENCRequest and the server's letter. */
static BOOL ask_for_encryption(struct connection *connection)
{
    const u_long request[] = {htonl(8), htonl(80877104)};
    char letter;
    return send_bytes(connection, request, sizeof request) && receive_bytes(connection, &letter, 1) && letter == 'G';
}

static SECURITY_STATUS run_leg(struct connection *connection, const struct logon *logon, BOOL first)
{
    const ULONG request = ISC_REQ_MUTUAL_AUTH | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT |
                          ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY;
    SecBuffer given = {connection->in.size, SECBUFFER_TOKEN, connection->in.data};
    SecBuffer made = {sizeof connection->out.data - sizeof(u_long), SECBUFFER_TOKEN, connection->out.data};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &given}, output = {SECBUFFER_VERSION, 1, &made};
    ULONG granted;
    TimeStamp expiry;
    const SECURITY_STATUS status = InitializeSecurityContextA(
        first ? &connection->credential : NULL, first ? NULL : &connection->context, logon->target, request, 0,
        SECURITY_NATIVE_DREP, first ? NULL : &input, 0, &connection->context, &output, &granted, &expiry);
    connection->out.size = status < 0 ? 0 : made.cbBuffer;
    return status == SEC_E_OK && (granted & request) != request ? SEC_E_UNSUPPORTED_FUNCTION : status;
}

static BOOL shake_hands(struct connection *connection, const struct logon *logon, void (*alter)(struct packet *token))
{
    for (BOOL first = TRUE;; first = FALSE) {
        connection->status = run_leg(connection, logon, first);
        if (connection->status < 0) return FALSE;
        if (connection->out.size && !send_packet(connection, &connection->out)) return FALSE;
        if (connection->status == SEC_E_OK) return TRUE;
        if (!receive_packet(connection, &connection->in)) return FALSE;
        if (alter) alter(&connection->in);
    }
}

BOOL open_connection(struct connection *connection, const struct logon *logon, void (*alter)(struct packet *token))
{
    TimeStamp expiry;
    memset(connection, 0, sizeof *connection);
    SecInvalidateHandle(&connection->credential);
    SecInvalidateHandle(&connection->context);
    if (!join_server(connection, logon->port) || !ask_for_encryption(connection)) return FALSE;
    connection->status = AcquireCredentialsHandleA(NULL, logon->package, SECPKG_CRED_OUTBOUND, NULL, logon->identity,
                                                   NULL, NULL, &connection->credential, &expiry);
    if (connection->status || !shake_hands(connection, logon, alter)) return FALSE;
    connection->status = QueryContextAttributesA(&connection->context, SECPKG_ATTR_SIZES, &connection->sizes);
    return !connection->status;
}

void drop_connection(struct connection *connection)
{
    if (SecIsValidHandle(&connection->context)) DeleteSecurityContext(&connection->context);
    if (SecIsValidHandle(&connection->credential)) FreeCredentialsHandle(&connection->credential);
    closesocket(connection->socket);
}

/* ---- the stream ---- */

BOOL write_stream(struct connection *connection, const void *bytes, ULONG size)
{
    const ULONG room = packet_room(connection);
    for (ULONG done = 0; done < size;) {
        const ULONG part = min(size - done, room);
        connection->status = seal(connection, (const BYTE *)bytes + done, part, 0, &connection->out);
        if (connection->status || !send_packet(connection, &connection->out)) return FALSE;
        connection->sent++;
        done += part;
    }
    return TRUE;
}

static BOOL next_packet(struct connection *connection)
{
    if (!receive_packet(connection, &connection->in)) return FALSE;
    connection->status = unseal(connection, &connection->in, &connection->text, &connection->text_size);
    connection->received++;
    return !connection->status;
}

BOOL read_stream(struct connection *connection, void *bytes, ULONG size)
{
    for (ULONG done = 0; done < size;) {
        if (!connection->text_size && !next_packet(connection)) return FALSE;
        const ULONG part = min(size - done, connection->text_size);
        memcpy((BYTE *)bytes + done, connection->text, part);
        connection->text += part;
        connection->text_size -= part;
        done += part;
    }
    return TRUE;
}
