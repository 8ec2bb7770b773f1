/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a server does until its client is known, and how it answers.
 */
#include "talk.h"

static void write_port(const struct peer *peer, const char *path, u_short port)
{
    FILE *file = fopen(path, "w");
    if (!file || fprintf(file, "%u\n", ntohs(port)) < 0 || fclose(file)) give_up(peer, path, SEC_E_INTERNAL_ERROR);
}

SOCKET listen_on_loopback(const struct peer *peer, const char *port_file)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int size = sizeof address;
    WSADATA data;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (WSAStartup(MAKEWORD(2, 2), &data)) give_up(peer, "WSAStartup", WSAGetLastError());
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        give_up(peer, "listening", WSAGetLastError());
    write_port(peer, port_file, address.sin_port);
    return listener;
}

void acquire_inbound(struct peer *peer)
{
    TimeStamp expiry;
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, peer->package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                                       &peer->credential, &expiry);
    if (status) give_up(peer, "AcquireCredentialsHandle", status);
}

void accept_logon(struct peer *peer)
{
    static struct frame in, out;
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    for (int leg = 1; status == SEC_I_CONTINUE_NEEDED; leg++) {
        SecBuffer given = {0, SECBUFFER_TOKEN, in.data}, made = {peer->token_size, SECBUFFER_TOKEN, out.data};
        SecBufferDesc input = {SECBUFFER_VERSION, 1, &given}, output = {SECBUFFER_VERSION, 1, &made};
        TimeStamp expiry;
        if (!receive_frame(peer, &in)) give_up(peer, "receiving a token", status);
        given.cbBuffer = in.size;
        status = AcceptSecurityContext(&peer->credential, leg == 1 ? NULL : &peer->context, &input,
                                       ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY, SECURITY_NATIVE_DREP,
                                       &peer->context, &output, &peer->flags, &expiry);
        if (status < 0) give_up(peer, "AcceptSecurityContext", status);
        say(peer, "leg %d: %lu bytes in, %lu bytes out, %s", leg, in.size, made.cbBuffer, status_name(status));
        keep_token(peer, in.data, in.size);
        keep_token(peer, out.data, made.cbBuffer);
        if (made.cbBuffer && !send_frame(peer, out.data, made.cbBuffer)) give_up(peer, "sending a token", status);
    }
}

void answer_text(struct peer *peer, SECURITY_STATUS status, const char *text, const char *more)
{
    static struct frame frame;
    static char reply[LARGEST_FRAME / 2];
    if (status) {
        say(peer, "refuses the message: %s", status_name(status));
        snprintf(reply, sizeof reply, "refused: %s", status_name(status));
    } else {
        say(peer, "reads \"%s\"", text);
        snprintf(reply, sizeof reply, "I have read: %s%s", text, more);
    }
    protect_text(peer, reply, TRUE, &frame);
    if (!send_frame(peer, frame.data, frame.size)) give_up(peer, "answering", WSAGetLastError());
}

BOOL receive_text(struct peer *peer, SECURITY_STATUS *status, char **text)
{
    static struct frame kind, frame;
    if (!receive_frame(peer, &kind) || !receive_frame(peer, &frame)) return FALSE;
    *status = open_text(peer, &frame, kind.data[0] == 'e', text);
    return TRUE;
}
