/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server: takes one connection on a loopback port, finds out who it is, and answers each message with what it saw.
 *
 *     server [OPTION]... PORTFILE
 *
 * The port that it listens on goes into PORTFILE.
 */
#include "talk.h"

static const char usage[] =
    "usage: server [OPTION]... PORTFILE\n"
    "Takes one connection on a port of this machine, which it writes into PORTFILE.\n" OPTIONS_USAGE;

int main(int argc, char **argv)
{
    static char package[] = "NTLM";
    struct peer peer = {.who = "server", .package = package};
    const int first = take_options(&peer, argc, argv, usage);
    SECURITY_STATUS status;
    char *text;
    if (argc - first != 1) misused("PORTFILE", "is missing, or not alone", usage);
    describe_package(&peer);
    acquire_inbound(&peer);
    const SOCKET listener = listen_on_loopback(&peer, argv[first]);
    peer.socket = accept(listener, NULL, NULL);
    closesocket(listener);
    accept_logon(&peer);
    describe_session(&peer);
    while (receive_text(&peer, &status, &text)) answer_text(&peer, status, text, "");
    DeleteSecurityContext(&peer.context);
    FreeCredentialsHandle(&peer.credential);
    closesocket(peer.socket);
    return 0;
}
