/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A KDC in front of the test's own.
 */
#include "kdc_front.h"

#include "realm.h"

#include <arpa/inet.h>
#include <krb5.h>
#include <krb5_err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST = 65536, PATIENCE = 5000 /* milliseconds */ };

static struct {
    pthread_t thread;
    int listener, stop[2];
    uint16_t behind; /* the real one's port */
    unsigned refusals;
    uint8_t request[LARGEST], answer[LARGEST];
} front;

static void require(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "tests/support/kdc_front: %s\n", what);
    abort();
}

static struct sockaddr_in address_of(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int open_socket(uint16_t *port)
{
    struct sockaddr_in address = address_of(0);
    socklen_t size = sizeof address;
    const int made = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    require(made >= 0 && !bind(made, (struct sockaddr *)&address, size) &&
                !getsockname(made, (struct sockaddr *)&address, &size),
            "socket");
    *port = ntohs(address.sin_port);
    return made;
}

/* Whether the request is for a service, and not user-to-user. */
static bool is_plain(size_t size)
{
    TGS_REQ request;
    size_t used;
    if (decode_TGS_REQ(front.request, size, &request, &used)) return false;
    const PrincipalName *server = request.req_body.sname;
    const bool plain = server && strcmp(server->name_string.val[0], KRB5_TGS_NAME) != 0 &&
                       !request.req_body.kdc_options.enc_tkt_in_skey;
    free_TGS_REQ(&request);
    return plain;
}

static size_t refuse(void)
{
    krb5_context context;
    krb5_data message;
    require(!krb5_init_context(&context) && !krb5_mk_error(context, KRB5KDC_ERR_KDC_ERR_MUST_USE_USER2USER, NULL, NULL,
                                                           NULL, NULL, NULL, NULL, &message),
            "error");
    const size_t size = message.length;
    memcpy(front.answer, message.data, size);
    krb5_data_free(&message);
    krb5_free_context(context);
    __atomic_add_fetch(&front.refusals, 1, __ATOMIC_RELAXED);
    return size;
}

static size_t pass_on(size_t size)
{
    const struct sockaddr_in behind = address_of(front.behind);
    uint16_t port;
    const int out = open_socket(&port);
    struct pollfd waiting = {.fd = out, .events = POLLIN};
    sendto(out, front.request, size, 0, (const struct sockaddr *)&behind, sizeof behind);
    const ssize_t got = poll(&waiting, 1, PATIENCE) == 1 ? recv(out, front.answer, LARGEST, 0) : 0;
    close(out);
    return got > 0 ? (size_t)got : 0;
}

static void *serve(void *unused)
{
    struct pollfd waiting[2] = {{.fd = front.listener, .events = POLLIN}, {.fd = front.stop[0], .events = POLLIN}};
    (void)unused;
    while (poll(waiting, 2, -1) > 0 && !waiting[1].revents) {
        struct sockaddr_in asker;
        socklen_t length = sizeof asker;
        const ssize_t got = recvfrom(front.listener, front.request, LARGEST, 0, (struct sockaddr *)&asker, &length);
        if (got <= 0) continue;
        const size_t size = is_plain((size_t)got) ? refuse() : pass_on((size_t)got);
        sendto(front.listener, front.answer, size, 0, (struct sockaddr *)&asker, length);
    }
    return NULL;
}

static uint16_t real_port(void)
{
    unsigned port = 0;
    FILE *file = fopen(realm_path("realm/port"), "r");
    require(file && fscanf(file, "%u", &port) == 1, "port");
    fclose(file);
    return (uint16_t)port;
}

static void write_config(uint16_t port)
{
    const char *path = realm_path("front.conf");
    FILE *file = fopen(path, "w");
    require(file != NULL, "krb5.conf");
    fprintf(file,
            "[libdefaults]\n    default_realm = EXAMPLE.TEST\n    dns_lookup_kdc = false\n"
            "    dns_lookup_realm = false\n[realms]\n    EXAMPLE.TEST = {\n        kdc = udp/127.0.0.1:%u\n    }\n",
            port);
    fclose(file);
    setenv("KRB5_CONFIG", path, 1);
}

void kdc_front_start(void)
{
    uint16_t port;
    front.behind = real_port();
    front.refusals = 0;
    front.listener = open_socket(&port);
    write_config(port);
    require(!pipe(front.stop) && !pthread_create(&front.thread, NULL, serve, NULL), "thread");
}

void kdc_front_stop(void)
{
    require(write(front.stop[1], "", 1) == 1 && !pthread_join(front.thread, NULL), "end");
    close(front.listener);
    close(front.stop[0]);
    close(front.stop[1]);
    unlink(realm_path("front.conf"));
    setenv("KRB5_CONFIG", realm_path("realm/krb5.conf"), 1);
}

unsigned kdc_front_refusals(void)
{
    return __atomic_load_n(&front.refusals, __ATOMIC_RELAXED);
}
