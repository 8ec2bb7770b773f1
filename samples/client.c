/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client: logs on to the server over a loopback socket and talks to it in sealed and signed messages. One message
 * is altered on its way, which the server must notice.
 *
 *     client [--package NAME] [--target NAME] [--tokens FILE] PORT [DOMAIN USER PASSWORD]
 *
 * Without an identity it uses default credentials: whoever runs it.
 */
#include "talk.h"

#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: client [OPTION]... PORT [DOMAIN USER PASSWORD]\n"
                            "Logs on to the server on this machine's PORT and talks to it; without USER, as whoever "
                            "runs this.\n" OPTIONS_USAGE;

/* 0 for what is no port. */
static u_short port_number(const char *text)
{
    char *end;
    const unsigned long port = strtoul(text, &end, 10);
    return *end || port > 0xffff ? 0 : (u_short)port;
}

static void join(struct peer *peer, u_short port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    WSADATA data;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (WSAStartup(MAKEWORD(2, 2), &data)) give_up(peer, "WSAStartup", WSAGetLastError());
    peer->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peer->socket, (struct sockaddr *)&address, sizeof address)) give_up(peer, "connect", WSAGetLastError());
}

static void acquire(struct peer *peer, char **identity)
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

static void authenticate(struct peer *peer)
{
    const ULONG request = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY;
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

/* Sends what is in FRAME and hands back the server's sealed answer, in the same frame. */
static const char *ask(struct peer *peer, struct frame *frame, BOOL sealed)
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

static void exchange(struct peer *peer, const char *text, BOOL seal)
{
    static struct frame frame;
    protect_text(peer, text, seal, &frame);
    say(peer, "%s \"%s\"", seal ? "seals" : "signs", text);
    if (strncmp(ask(peer, &frame, seal), "I have read", 11)) give_up(peer, "what the server saw", SEC_E_INTERNAL_ERROR);
}

/* What comes first is altered by one bit; what was sent comes after it, and is still good. */
static void exchange_altered(struct peer *peer, const char *text)
{
    static struct frame frame, altered;
    protect_text(peer, text, TRUE, &frame);
    altered = frame;
    altered.data[altered.size - 4] ^= 0x10;
    say(peer, "seals \"%s\", of which the wire flips one bit", text);
    if (!strstr(ask(peer, &altered, TRUE), "SEC_E_MESSAGE_ALTERED"))
        give_up(peer, "what the server saw", SEC_E_INTERNAL_ERROR);
    say(peer, "sends the same once more, as it was");
    if (strncmp(ask(peer, &frame, TRUE), "I have read", 11)) give_up(peer, "what the server saw", SEC_E_INTERNAL_ERROR);
}

int main(int argc, char **argv)
{
    static char package[] = "NTLM", target[] = "demo/localhost";
    struct peer peer = {.who = "client", .package = package, .target = target};
    const int first = take_options(&peer, argc, argv, usage);
    const int count = argc - first;
    if (count != 1 && count != 4) misused("PORT", "is to be alone, or followed by three arguments", usage);
    const u_short port = port_number(argv[first]);
    if (!port) misused(argv[first], "is no port", usage);
    describe_package(&peer);
    acquire(&peer, count == 4 ? argv + first + 1 : NULL);
    join(&peer, port);
    authenticate(&peer);
    describe_session(&peer);
    exchange(&peer, "pay 100 to Alice", TRUE);
    exchange(&peer, "this may be read, not changed", FALSE);
    exchange_altered(&peer, "pay 900 to Mallory");
    DeleteSecurityContext(&peer.context);
    FreeCredentialsHandle(&peer.credential);
    closesocket(peer.socket);
    return 0;
}
