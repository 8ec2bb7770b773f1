/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client: logs on to the server over a loopback socket and talks to it in sealed and signed messages. One message
 * is altered on its way, which the server must notice.
 *
 *     client [OPTION]... PORT [DOMAIN USER PASSWORD]
 *
 * Without an identity it uses default credentials: whoever runs it.
 */
#include "talk.h"

#include <string.h>

static const char usage[] = "usage: client [OPTION]... PORT [DOMAIN USER PASSWORD]\n"
                            "Logs on to the server on this machine's PORT and talks to it; without USER, as whoever "
                            "runs this.\n" OPTIONS_USAGE;

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
    acquire_outbound(&peer, count == 4 ? argv + first + 1 : NULL);
    connect_to(&peer, port);
    log_on(&peer);
    describe_session(&peer);
    exchange(&peer, "pay 100 to Alice", TRUE);
    exchange(&peer, "this may be read, not changed", FALSE);
    exchange_altered(&peer, "pay 900 to Mallory");
    DeleteSecurityContext(&peer.context);
    FreeCredentialsHandle(&peer.credential);
    closesocket(peer.socket);
    return 0;
}
