/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loopback logon, NTLM's local call: two processes of one Unix user on one machine authenticate as that user with
 * no password. It is an NTLMv2 logon in which a key takes the password hash's place, so that every check of NTLMv2
 * is a check of it: a key of this user and this machine (user_key.h). HACKING says what this holds against.
 */
#include "ntlm.h"
#include "user_key.h"
#include "utf16.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool ntlm_loopback_mark(struct cs_span negotiate, const uint8_t server_challenge[NTLM_CHALLENGE], uint8_t mark[8])
{
    return cs_user_key("countersign loopback challenge", negotiate, (struct cs_span){server_challenge, NTLM_CHALLENGE},
                       mark, 8);
}

bool ntlm_loopback_hash(uint8_t ntowfv1[NTLM_KEY])
{
    return cs_user_key("countersign loopback logon", (struct cs_span){0}, (struct cs_span){0}, ntowfv1, NTLM_KEY);
}

bool ntlm_loopback_user(struct cs_writer *output)
{
    char buffer[4096];
    struct passwd entry, *found = NULL;
    if (getpwuid_r(geteuid(), &entry, buffer, sizeof buffer, &found) || !found) return false;
    return cs_utf16_of(output, cs_span_of(entry.pw_name)) && output->size;
}

/* The host in "service/host:port/name", "MACHINE\user" or "host". */
static struct cs_span host_of(const char *target)
{
    const char *start = target + strcspn(target, "/\\");
    if (*start == '\\') return (struct cs_span){(const uint8_t *)target, (size_t)(start - target)};
    start = *start ? start + 1 : target;
    const bool bracketed = *start == '[';
    start += bracketed;
    return (struct cs_span){(const uint8_t *)start, strcspn(start, bracketed ? "]/" : ":/")};
}

static bool host_is(struct cs_span host, struct cs_span name)
{
    struct cs_writer utf16 = {0};
    bool same = cs_utf16_of(&utf16, host) && cs_utf16_same_name(cs_written(&utf16), name);
    cs_writer_drop(&utf16);
    return same;
}

static bool is_address(const struct sockaddr *address, const char *host)
{
    char text[NI_MAXHOST];
    socklen_t size = address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (address->sa_family != AF_INET && address->sa_family != AF_INET6) return false;
    if (getnameinfo(address, size, text, sizeof text, NULL, 0, NI_NUMERICHOST)) return false;
    text[strcspn(text, "%")] = 0;
    return strcasecmp(text, host) == 0;
}

/* No name is resolved: a resolver would let whoever answers it say which names are this machine. */
static bool is_own_address(const char *host)
{
    struct ifaddrs *list = NULL;
    bool own = false;
    if (getifaddrs(&list)) return false;
    for (const struct ifaddrs *one = list; one && !own; one = one->ifa_next)
        own = one->ifa_addr && is_address(one->ifa_addr, host);
    freeifaddrs(list);
    return own;
}

static bool is_this_machine(const char *target, struct cs_span machine, struct cs_span dns_host)
{
    struct cs_span host = host_of(target);
    char text[256];
    if (!host.size || host.size >= sizeof text) return false;
    memcpy(text, host.data, host.size);
    text[host.size] = 0;
    return strcasecmp(text, "localhost") == 0 || host_is(host, machine) || host_is(host, dns_host) ||
           is_own_address(text);
}

bool ntlm_loopback_target(struct cs_span target, struct cs_span machine, struct cs_span dns_host)
{
    struct cs_writer utf8 = {0};
    if (!target.size) return true;
    bool converted = cs_utf8_of(&utf8, target);
    cs_write_u8(&utf8, 0);
    bool own = converted && !utf8.failed && strlen((const char *)utf8.data) + 1 == utf8.size &&
               is_this_machine((const char *)utf8.data, machine, dns_host);
    cs_writer_drop(&utf8);
    return own;
}
