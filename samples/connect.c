/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a client does until it is known, and how it asks.
 */
#include "talk.h"

#include <stdlib.h>
#include <string.h>

u_short port_number(const char *text)
{
    char *end;
    const unsigned long port = strtoul(text, &end, 10);
    return *end || port > 0xffff ? 0 : (u_short)port;
}

void connect_to(struct peer *peer, u_short port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    WSADATA data;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (WSAStartup(MAKEWORD(2, 2), &data)) give_up(peer, "WSAStartup", WSAGetLastError());
    peer->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peer->socket, (struct sockaddr *)&address, sizeof address)) give_up(peer, "connect", WSAGetLastError());
}

void acquire_outbound(struct peer *peer, char **identity)
{
    SEC_WINNT_AUTH_IDENTITY_A auth = {.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI};
    TimeStamp expiry;
    if (identity) {
        auth.Domain = (unsigned char *)identity[0];
        auth.DomainLength = (ULONG)strlen(identity[0]);
        auth.User = (unsigned char *)identity[1];
        auth.UserLength = (ULONG)strlen(identity[1]);
        auth.Password = (unsigned char *)identity[2];
        auth.PasswordLength = (ULONG)strlen(identity[2]);
    }
    SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, peer->package, SECPKG_CRED_OUTBOUND, NULL,
                                                       identity ? &auth : NULL, NULL, NULL, &peer->credential, &expiry);
    if (status) give_up(peer, "AcquireCredentialsHandle", status);
    say(peer, identity ? "explicit credentials: %s\\%s" : "default credentials: no user, no password given",
        identity ? identity[0] : "", identity ? identity[1] : "");
}

void log_on(struct peer *peer)
{
    const ULONG delegating = peer->delegate ? ISC_REQ_DELEGATE | ISC_REQ_MUTUAL_AUTH : 0;
    const ULONG request = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | delegating;
    static struct frame in, out;
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    for (int leg = 1; status == SEC_I_CONTINUE_NEEDED; leg++) {
        SecBuffer given = {in.size, SECBUFFER_TOKEN, in.data}, made = {peer->token_size, SECBUFFER_TOKEN, out.data};
        SecBufferDesc input = {SECBUFFER_VERSION, 1, &given}, output = {SECBUFFER_VERSION, 1, &made};
        TimeStamp expiry;
        status = InitializeSecurityContextA(leg == 1 ? &peer->credential : NULL, leg == 1 ? NULL : &peer->context,
                                            peer->target, request, 0, SECURITY_NATIVE_DREP, leg == 1 ? NULL : &input, 0,
                                            &peer->context, &output, &peer->flags, &expiry);
        if (status < 0) give_up(peer, "InitializeSecurityContext", status);
        say(peer, "leg %d: %lu bytes in, %lu bytes out, %s", leg, leg == 1 ? 0 : in.size, made.cbBuffer,
            status_name(status));
        if (leg > 1) keep_token(peer, in.data, in.size);
        keep_token(peer, out.data, made.cbBuffer);
        if (made.cbBuffer && !send_frame(peer, out.data, made.cbBuffer)) give_up(peer, "sending a token", status);
        if (status == SEC_I_CONTINUE_NEEDED && !receive_frame(peer, &in)) give_up(peer, "receiving a token", status);
    }
}

const char *ask(struct peer *peer, struct frame *frame, BOOL sealed)
{
    const char kind = sealed ? 'e' : 's';
    char *answer;
    if (!send_frame(peer, &kind, 1) || !send_frame(peer, frame->data, frame->size) || !receive_frame(peer, frame))
        give_up(peer, "talking to the server", SEC_E_INTERNAL_ERROR);
    SECURITY_STATUS status = open_text(peer, frame, TRUE, &answer);
    if (status) give_up(peer, "DecryptMessage", status);
    say(peer, "the answer, unsealed: \"%s\"", answer);
    return answer;
}
