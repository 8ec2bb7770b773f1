/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The back: the third tier. Takes connections on a loopback port, one after another, and tells each whom it sees.
 *
 *     back [OPTION]... PORTFILE COUNT
 *
 * The port that it listens on goes into PORTFILE; after COUNT connections it ends.
 */
#include "talk.h"

#include <stdlib.h>

static const char usage[] = "usage: back [OPTION]... PORTFILE COUNT\n"
                            "Takes COUNT connections on a port of this machine, which it writes into PORTFILE, and "
                            "tells each whom it sees.\n" OPTIONS_USAGE;

static void serve(struct peer *peer)
{
    SECURITY_STATUS status;
    char *text, more[300];
    accept_logon(peer);
    take_sizes(peer);
    char *name = name_of_session(peer);
    say(peer, "sees %s", name);
    snprintf(more, sizeof more, "; I see %s", name);
    while (receive_text(peer, &status, &text)) answer_text(peer, status, text, more);
    FreeContextBuffer(name);
    DeleteSecurityContext(&peer->context);
}

int main(int argc, char **argv)
{
    static char package[] = "Kerberos";
    struct peer peer = {.who = "back", .package = package};
    const int first = take_options(&peer, argc, argv, usage);
    if (argc - first != 2) misused("PORTFILE COUNT", "is missing, or not alone", usage);
    const int count = atoi(argv[first + 1]);
    if (count <= 0) misused(argv[first + 1], "is no number of connections", usage);
    describe_package(&peer);
    acquire_inbound(&peer);
    const SOCKET listener = listen_on_loopback(&peer, argv[first]);
    for (int i = 0; i < count; i++) {
        peer.socket = accept(listener, NULL, NULL);
        serve(&peer);
        closesocket(peer.socket);
    }
    closesocket(listener);
    FreeCredentialsHandle(&peer.credential);
    return 0;
}
