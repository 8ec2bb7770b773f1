/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One request to a realm's KDCs: RFC 4120 7.2. Where they are, krb5.conf and the DNS say through Heimdal. Each gets a
 * start on the next; whoever answers first is heard.
 */
#include "kerberos_send.h"
#include "reader.h"
#include "writer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <krb5/send_to_kdc_plugin.h>
#include <krb5_err.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_HOSTS = 16, MAX_REPLY = 1000 * 1024, CHUNK = 16 * 1024 };

/* An address that was asked. */
struct host {
    int fd;
    bool stream;
    int64_t begin;         /* when it was first asked */
    unsigned sends;        /* datagrams that went out */
    size_t sent;           /* of a stream's request */
    struct cs_writer read; /* of a stream's reply: its size, and what of it has come */
};

struct search {
    krb5_context context;
    const struct kerberos_asking *what;
    krb5_krbhst_handle list;
    struct addrinfo *address; /* the next of the name that comes next; the list's */
    bool stream;              /* how that name is spoken to */
    bool large;               /* datagrams are too small */
    bool listed;              /* no name is left */
    bool others;              /* there was one for Heimdal alone */
    int64_t next;             /* when a further host is asked */
    struct cs_span request;
    struct cs_writer framed; /* the same as a stream has it */
    struct host hosts[MAX_HOSTS];
    struct pollfd polls[MAX_HOSTS];
    nfds_t count;
};

static krb5_error_code list_hosts(struct search *search)
{
    const int flags = search->large ? KRB5_KRBHST_FLAGS_LARGE_MSG : 0;
    if (search->list) krb5_krbhst_free(search->context, search->list);
    search->list = NULL;
    search->address = NULL;
    search->listed = false;
    return krb5_krbhst_init_flags(search->context, search->what->realm, KRB5_KRBHST_KDC, flags, &search->list);
}

static void leave_host(struct search *search, nfds_t index)
{
    close(search->hosts[index].fd);
    cs_writer_drop(&search->hosts[index].read);
    search->hosts[index] = search->hosts[--search->count];
}

static void leave_all(struct search *search)
{
    while (search->count) leave_host(search, search->count - 1);
}

/* The next address of the next name; a name that the DNS does not know has none. */
static struct addrinfo *next_address(struct search *search)
{
    krb5_krbhst_info *info;
    while (!search->address) {
        if (krb5_krbhst_next(search->context, search->list, &info)) return NULL;
        search->others |= info->proto == KRB5_KRBHST_HTTP;
        search->stream = info->proto == KRB5_KRBHST_TCP;
        if (info->proto == KRB5_KRBHST_HTTP || krb5_krbhst_get_addrinfo(search->context, info, &search->address))
            search->address = NULL;
    }
    struct addrinfo *address = search->address;
    search->address = address->ai_next;
    return address;
}

static void open_host(struct search *search, const struct addrinfo *address, int64_t now)
{
    const int type = address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK;
    const int fd = socket(address->ai_family, type, address->ai_protocol);
    if (fd < 0) return;
    if (connect(fd, address->ai_addr, address->ai_addrlen) && errno != EINPROGRESS)
        close(fd);
    else
        search->hosts[search->count++] = (struct host){.fd = fd, .stream = search->stream, .begin = now};
}

/* Asks further hosts when it is time, or at once while nobody is there. */
static void open_due(struct search *search, int64_t now)
{
    while (!search->listed && (!search->count || now >= search->next)) {
        const struct addrinfo *address = search->count < MAX_HOSTS ? next_address(search) : NULL;
        if (address) open_host(search, address, now);
        search->listed = !address;
        search->next = now + search->what->start;
    }
}

/* Datagrams are lost: they are sent as often as was said. */
static bool send_datagram(const struct search *search, struct host *host, int64_t now)
{
    if (now < host->begin + host->sends * search->what->resend) return true;
    host->sends++;
    return send(host->fd, search->request.data, search->request.size, MSG_NOSIGNAL) >= 0 || errno == EAGAIN;
}

static bool send_stream(const struct search *search, struct host *host)
{
    const size_t left = search->framed.size - host->sent;
    const ssize_t sent = send(host->fd, search->framed.data + host->sent, left, MSG_NOSIGNAL);
    if (sent > 0) host->sent += (size_t)sent;
    return sent >= 0 || errno == EAGAIN;
}

/* A reply to a stream is as large as it may be. */
static enum kerberos_verdict judge(const struct search *search, const krb5_data *reply)
{
    const enum kerberos_verdict verdict = kerberos_judge(reply);
    return verdict == KERBEROS_ASK_BY_STREAM && search->large ? KERBEROS_TAKE : verdict;
}

static enum kerberos_verdict receive_datagram(const struct host *host, krb5_data *reply)
{
    const ssize_t size = recv(host->fd, NULL, 0, MSG_PEEK | MSG_TRUNC);
    if (size < 0) return errno == EAGAIN ? KERBEROS_WAIT : KERBEROS_LEAVE;
    if (krb5_data_alloc(reply, (int)size + 1)) return KERBEROS_LEAVE;
    const ssize_t got = recv(host->fd, reply->data, reply->length, 0);
    reply->length = got > 0 ? (size_t)got : 0;
    return got > 0 ? KERBEROS_TAKE : KERBEROS_WAIT;
}

/* The size of the reply that READ begins, with its four bytes; the first four alone while they are not all there. */
static size_t size_of_reply(const struct cs_writer *read)
{
    struct cs_reader reader = cs_reader_of(cs_written(read));
    const struct cs_span size = cs_read_span(&reader, 4);
    uint32_t number = 0;
    if (size.size) memcpy(&number, size.data, sizeof number);
    return 4 + (size_t)ntohl(number);
}

static enum kerberos_verdict receive_stream(struct host *host, krb5_data *reply)
{
    const size_t had = host->read.size, wanted = size_of_reply(&host->read) - had;
    const size_t room = wanted < CHUNK ? wanted : CHUNK;
    uint8_t *into = cs_write_room(&host->read, room);
    const ssize_t got = into ? recv(host->fd, into, room, 0) : 0;
    host->read.size = had + (got > 0 ? (size_t)got : 0);
    if (got < 0) return errno == EAGAIN ? KERBEROS_WAIT : KERBEROS_LEAVE;
    const size_t whole = size_of_reply(&host->read);
    if (!got || whole > MAX_REPLY || (host->read.size == 4 && whole == 4)) return KERBEROS_LEAVE;
    if (host->read.size < 4 || host->read.size < whole) return KERBEROS_WAIT;
    return krb5_data_copy(reply, host->read.data + 4, whole - 4) ? KERBEROS_LEAVE : KERBEROS_TAKE;
}

static enum kerberos_verdict serve_host(struct search *search, nfds_t index, int64_t now, krb5_data *reply)
{
    struct host *host = &search->hosts[index];
    const short events = search->polls[index].revents;
    enum kerberos_verdict verdict = KERBEROS_WAIT;
    if (events & (POLLIN | POLLERR | POLLHUP))
        verdict = host->stream ? receive_stream(host, reply) : receive_datagram(host, reply);
    if (verdict == KERBEROS_TAKE) verdict = judge(search, reply);
    if (verdict != KERBEROS_TAKE) krb5_data_free(reply);
    if (verdict != KERBEROS_WAIT) return verdict;
    if (host->stream && !(events & POLLOUT)) return KERBEROS_WAIT;
    return (host->stream ? send_stream(search, host) : send_datagram(search, host, now)) ? KERBEROS_WAIT
                                                                                         : KERBEROS_LEAVE;
}

/* Until something comes, or is to be done: a datagram again, a further host, the end. */
static int pause_of(const struct search *search, int64_t now)
{
    int64_t until = search->what->deadline;
    if (!search->listed && search->next < until) until = search->next;
    for (nfds_t i = 0; i < search->count; i++) {
        const struct host *host = &search->hosts[i];
        const int64_t again = host->begin + host->sends * search->what->resend;
        if (!host->stream && again < until) until = again;
    }
    return until > now ? (int)(until - now) : 0;
}

static void wait_for_hosts(struct search *search, int64_t now)
{
    for (nfds_t i = 0; i < search->count; i++) {
        const struct host *host = &search->hosts[i];
        const bool writes = host->stream && host->sent < search->framed.size;
        search->polls[i] = (struct pollfd){.fd = host->fd, .events = (short)(writes ? POLLIN | POLLOUT : POLLIN)};
    }
    poll(search->polls, search->count, pause_of(search, now));
}

/* What one of the hosts says, or that none has said anything yet. */
static enum kerberos_verdict hear_hosts(struct search *search, int64_t now, krb5_data *reply)
{
    for (nfds_t i = search->count; i-- > 0;) { /* downwards: the last takes the place of one that is left */
        const enum kerberos_verdict verdict = serve_host(search, i, now, reply);
        if (verdict == KERBEROS_LEAVE) leave_host(search, i);
        if (verdict == KERBEROS_TAKE || verdict == KERBEROS_ASK_BY_STREAM) return verdict;
    }
    return KERBEROS_WAIT;
}

static krb5_error_code converse(struct search *search, krb5_data *reply)
{
    for (int64_t now = kerberos_clock(); now < search->what->deadline; now = kerberos_clock()) {
        open_due(search, now);
        if (!search->count) return search->others ? KRB5_PLUGIN_NO_HANDLE : KRB5_KDC_UNREACH;
        wait_for_hosts(search, now);
        const enum kerberos_verdict verdict = hear_hosts(search, kerberos_clock(), reply);
        if (verdict == KERBEROS_TAKE) return 0;
        if (verdict != KERBEROS_ASK_BY_STREAM) continue;
        leave_all(search);
        search->large = true;
        const krb5_error_code code = list_hosts(search);
        if (code) return code;
    }
    return ETIMEDOUT;
}

/* What a stream has before the message itself: its size. */
static void frame(struct search *search)
{
    const uint32_t size = htonl((uint32_t)search->request.size);
    cs_write_span(&search->framed, (struct cs_span){(const uint8_t *)&size, sizeof size});
    cs_write_span(&search->framed, search->request);
}

krb5_error_code kerberos_ask_realm(krb5_context context, const struct kerberos_asking *asking, krb5_data *reply)
{
    const int large = krb5_config_get_int_default(context, NULL, 1400, "libdefaults", "large_message_size", NULL);
    struct search *search = calloc(1, sizeof *search);
    if (!search) return ENOMEM;
    search->context = context;
    search->what = asking;
    search->request = (struct cs_span){asking->request->data, asking->request->length};
    search->large = large >= 0 && search->request.size > (size_t)large;
    frame(search);
    krb5_error_code code = search->framed.failed ? ENOMEM : list_hosts(search);
    if (!code) code = converse(search, reply);
    leave_all(search);
    if (search->list) krb5_krbhst_free(context, search->list);
    cs_writer_drop(&search->framed);
    free(search);
    return code;
}
