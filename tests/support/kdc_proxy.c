/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One thread serves one request after the other.
 */
#include "kdc_proxy.h"

#include "realm.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    pthread_t thread;
    pthread_mutex_t turn; /* the thread has it while it serves a request */
    pthread_mutex_t lock; /* guards what follows */
    kdc_edit *edit;
    void *data;
    unsigned requests, pause;
    int udp, tcp, ends[2]; /* without the lock: set before the thread runs */
    struct sockaddr_in own, kdc;
    /* the proxy's thread's: the last request that was answered, and the port it came from */
    struct cs_writer answered;
    in_port_t asker;
} proxy = {.turn = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER};

static void require(bool held, const char *what)
{
    if (held) return;
    perror(what);
    abort();
}

/* A socket on loopback, at ADDRESS, whose port 0 is replaced by one that is free. */
static int bind_socket(int type, struct sockaddr_in *address)
{
    const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), yes = 1;
    socklen_t size = sizeof *address;
    require(fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), "socket");
    require(!bind(fd, (struct sockaddr *)address, size), "bind");
    require(!getsockname(fd, (struct sockaddr *)address, &size), "getsockname");
    return fd;
}

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* krb5.conf with this port in the place of the KDC's. */
static void write_config(unsigned port)
{
    char line[512], path[160];
    snprintf(path, sizeof path, "%s", realm_path("proxied.conf"));
    FILE *from = fopen(realm_path("realm/krb5.conf"), "r"), *to = fopen(path, "w");
    require(from && to, "krb5.conf");
    while (fgets(line, sizeof line, from)) {
        unsigned own;
        if (sscanf(line, " kdc = 127.0.0.1:%u", &own) == 1 && own == ntohs(proxy.kdc.sin_port))
            fprintf(to, "        kdc = 127.0.0.1:%u\n", port);
        else
            fputs(line, to);
    }
    require(!fclose(from) && !fclose(to) && !setenv("KRB5_CONFIG", path, 1), "krb5.conf");
}

static unsigned kdc_port(void)
{
    unsigned port = 0;
    FILE *file = fopen(realm_path("realm/port"), "r");
    require(file && fscanf(file, "%u", &port) == 1 && !fclose(file), "the KDC's port");
    return port;
}

static struct cs_writer framed(struct cs_span message)
{
    struct cs_writer whole = {0};
    const uint32_t size = htonl((uint32_t)message.size);
    cs_write_span(&whole, (struct cs_span){(const uint8_t *)&size, sizeof size});
    cs_write_span(&whole, message);
    return whole;
}

/* What the KDC answers; empty if it does not within two seconds. */
static void ask_kdc(struct cs_span request, struct cs_writer *reply)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval patience = {.tv_sec = 2};
    struct cs_writer whole = framed(request);
    uint32_t size;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!connect(fd, (struct sockaddr *)&proxy.kdc, sizeof proxy.kdc) &&
        write(fd, whole.data, whole.size) == (ssize_t)whole.size && recv(fd, &size, 4, MSG_WAITALL) == 4) {
        uint8_t *room = cs_write_room(reply, ntohl(size));
        if (recv(fd, room, ntohl(size), MSG_WAITALL) != (ssize_t)ntohl(size)) reply->size = 0;
    }
    cs_writer_drop(&whole);
    close(fd);
}

/* What is passed on as the answer to REQUEST. */
static void answer(struct cs_span request, bool stream, struct cs_writer *output)
{
    struct cs_writer reply = {0};
    ask_kdc(request, &reply);
    pthread_mutex_lock(&proxy.lock);
    kdc_edit *edit = proxy.edit;
    void *data = proxy.data;
    const struct kdc_message message = {stream, request, cs_written(&reply)};
    proxy.requests++;
    pthread_mutex_unlock(&proxy.lock);
    if (edit)
        edit(&message, data, output);
    else
        cs_write_span(output, message.reply);
    cs_writer_drop(&reply);
}

/* A datagram that was sent again while the answer to it was on its way would have another answer wait. */
static bool is_answered(struct cs_span request, const struct sockaddr_in *from)
{
    return from->sin_port == proxy.asker && request.size == proxy.answered.size &&
           !memcmp(request.data, proxy.answered.data, request.size);
}

static void note_answered(struct cs_span request, const struct sockaddr_in *from)
{
    proxy.asker = from->sin_port;
    cs_writer_drop(&proxy.answered);
    cs_write_span(&proxy.answered, request);
}

static void serve_datagram(void)
{
    uint8_t *request = malloc(65536);
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    struct cs_writer output = {0};
    const ssize_t got = recvfrom(proxy.udp, request, 65536, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
    const struct cs_span whole = {request, got > 0 ? (size_t)got : 0};
    if (whole.size && !is_answered(whole, &from)) answer(whole, false, &output);
    if (output.size) {
        sendto(proxy.udp, output.data, output.size, 0, (struct sockaddr *)&from, size);
        note_answered(whole, &from);
    }
    cs_writer_drop(&output);
    free(request);
}

/* Byte by byte, until all is said or the other side has gone. */
static void trickle(int fd, struct cs_span bytes, unsigned pause)
{
    for (size_t i = 0; i < bytes.size; i++) {
        usleep(pause * 1000);
        if (send(fd, bytes.data + i, 1, MSG_NOSIGNAL) != 1) return;
    }
}

static void send_reply(int fd, struct cs_span reply)
{
    struct cs_writer whole = framed(reply);
    pthread_mutex_lock(&proxy.lock);
    const unsigned pause = proxy.pause;
    pthread_mutex_unlock(&proxy.lock);
    if (pause)
        trickle(fd, cs_written(&whole), pause);
    else
        send(fd, whole.data, whole.size, MSG_NOSIGNAL);
    cs_writer_drop(&whole);
}

static void serve_stream(void)
{
    const int fd = accept4(proxy.tcp, NULL, NULL, SOCK_CLOEXEC);
    uint32_t size;
    require(fd >= 0, "accept");
    if (recv(fd, &size, 4, MSG_WAITALL) == 4) {
        struct cs_writer request = {0}, output = {0};
        uint8_t *room = cs_write_room(&request, ntohl(size));
        if (recv(fd, room, request.size, MSG_WAITALL) == (ssize_t)request.size)
            answer(cs_written(&request), true, &output);
        if (output.size)
            send_reply(fd, cs_written(&output));
        else
            recv(fd, &size, 1, 0); /* says nothing until the client goes */
        cs_writer_drop(&request);
        cs_writer_drop(&output);
    }
    close(fd);
}

static void *serve(void *unused)
{
    struct pollfd polls[] = {{.fd = proxy.ends[0], .events = POLLIN},
                             {.fd = proxy.udp, .events = POLLIN},
                             {.fd = proxy.tcp, .events = POLLIN}};
    (void)unused;
    while (poll(polls, 3, -1) >= 0 && !polls[0].revents) {
        pthread_mutex_lock(&proxy.turn);
        if (polls[1].revents) serve_datagram();
        if (polls[2].revents) serve_stream();
        pthread_mutex_unlock(&proxy.turn);
    }
    return NULL;
}

void kdc_proxy_start(void)
{
    proxy.kdc = loopback(kdc_port());
    proxy.own = loopback(0);
    proxy.udp = bind_socket(SOCK_DGRAM, &proxy.own);
    proxy.tcp = bind_socket(SOCK_STREAM, &proxy.own);
    require(!listen(proxy.tcp, 8) && !pipe2(proxy.ends, O_CLOEXEC), "listen");
    write_config(kdc_proxy_port());
    require(!pthread_create(&proxy.thread, NULL, serve, NULL), "pthread_create");
}

void kdc_proxy_stop(void)
{
    require(write(proxy.ends[1], "", 1) == 1 && !pthread_join(proxy.thread, NULL), "pthread_join");
    cs_writer_drop(&proxy.answered);
    close(proxy.ends[0]);
    close(proxy.ends[1]);
    close(proxy.udp);
    close(proxy.tcp);
}

/* What a client sent that did not wait for the answer is nobody's any more. */
void kdc_proxy_edit(kdc_edit *edit, void *data)
{
    char byte;
    pthread_mutex_lock(&proxy.turn);
    while (recv(proxy.udp, &byte, 1, MSG_DONTWAIT) >= 0) continue;
    pthread_mutex_lock(&proxy.lock);
    proxy.edit = edit;
    proxy.data = data;
    proxy.requests = 0;
    pthread_mutex_unlock(&proxy.lock);
    pthread_mutex_unlock(&proxy.turn);
}

unsigned kdc_proxy_requests(void)
{
    pthread_mutex_lock(&proxy.lock);
    const unsigned requests = proxy.requests;
    pthread_mutex_unlock(&proxy.lock);
    return requests;
}

void kdc_proxy_pause(unsigned pause)
{
    pthread_mutex_lock(&proxy.lock);
    proxy.pause = pause;
    pthread_mutex_unlock(&proxy.lock);
}

unsigned kdc_proxy_port(void)
{
    return ntohs(proxy.own.sin_port);
}
