/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loopback logon, NTLM's local call: two processes of one Unix user on one machine authenticate as that user with
 * no password. It is an NTLMv2 logon in which a key takes the password hash's place, so that every check of NTLMv2
 * is a check of it. The key is derived from a secret in a file that only this Unix user can read, and from the
 * machine, since a home folder may be shared by several. HACKING says what this holds against.
 */
#include "files.h"
#include "ntlm.h"
#include "secure.h"
#include "utf16.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <nettle/hmac.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SECRET_SIZE = 32 };

static void add_file(struct hmac_sha256_ctx *hmac, const char *path)
{
    char text[64];
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(text, 1, sizeof text, file) : 0;
    if (file) fclose(file);
    hmac_sha256_update(hmac, size, (const uint8_t *)text);
    hmac_sha256_update(hmac, 1, (const uint8_t *)"");
}

/* HMAC-SHA256 under the secret, over a label, the machine and its start, and two spans. */
static bool derive(const char *label, struct cs_span a, struct cs_span b, uint8_t *key, size_t size)
{
    char *path = cs_config_path("COUNTERSIGN_LOOPBACK_SECRET", "loopback.secret");
    uint8_t secret[SECRET_SIZE];
    struct hmac_sha256_ctx hmac;
    bool had = path && cs_shared_secret(path, secret, sizeof secret);
    free(path);
    if (!had) return false;
    hmac_sha256_set_key(&hmac, sizeof secret, secret);
    hmac_sha256_update(&hmac, strlen(label) + 1, (const uint8_t *)label);
    add_file(&hmac, "/etc/machine-id");
    add_file(&hmac, "/proc/sys/kernel/random/boot_id");
    if (a.size) hmac_sha256_update(&hmac, a.size, a.data);
    if (b.size) hmac_sha256_update(&hmac, b.size, b.data);
    hmac_sha256_digest(&hmac, size, key);
    cs_wipe(secret, sizeof secret);
    cs_wipe(&hmac, sizeof hmac);
    return true;
}

bool ntlm_loopback_mark(struct cs_span negotiate, const uint8_t server_challenge[NTLM_CHALLENGE], uint8_t mark[8])
{
    return derive("countersign loopback challenge", negotiate, (struct cs_span){server_challenge, NTLM_CHALLENGE}, mark,
                  8);
}

bool ntlm_loopback_hash(uint8_t ntowfv1[NTLM_KEY])
{
    return derive("countersign loopback logon", (struct cs_span){0}, (struct cs_span){0}, ntowfv1, NTLM_KEY);
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
