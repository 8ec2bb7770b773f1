/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TLS 1.2 between two Windows programs on loopback. `tls_transfer serve PORTFILE` writes a port to PORTFILE and serves
 * one connection. `tls_transfer client OUT PORT` has 8 MB sent to it, several times, then sends as much, and writes two
 * lines for either to OUT: the name, the size, microseconds; by the clock, and of the client's processor time, which
 * does not depend on who else is busy. The server is the same for all clients, since Wine's own Schannel has none. Exit
 * codes: 0 measured, 1 a call failed (standard error says which), 2 not understood. Needs nothing but Windows.
 */
#include "schannel_pfx.h"
#include "tls_stream.h"
#include "windows_clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRANSFER = 8 << 20, ROUNDS = 41 };

static void fail(const char *what, SECURITY_STATUS status)
{
    fprintf(stderr, "tls_transfer: %s: 0x%08lx\n", what, (unsigned long)status);
    exit(1);
}

static PCCERT_CONTEXT certificate(void)
{
    CRYPT_DATA_BLOB pfx = {sizeof schannel_pfx, (BYTE *)schannel_pfx};
    const HCERTSTORE store = PFXImportCertStore(&pfx, L"conformance", CRYPT_EXPORTABLE | CRYPT_USER_KEYSET);
    PCCERT_CONTEXT found = NULL;
    if (store)
        found = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_SUBJECT_STR_W, L"localhost", NULL);
    if (!found) fail("the server's certificate", (SECURITY_STATUS)GetLastError());
    return found;
}

static BYTE content[TRANSFER];

static bool send_content(struct tls_stream *stream)
{
    return tls_stream_send(stream, content, TRANSFER);
}

/* The data is looked at, so that nobody measures what has not come. */
static bool take_content(struct tls_stream *stream)
{
    ULONG got = 0, size;
    BYTE *data;
    for (; got < TRANSFER; got += size) {
        if (!tls_stream_receive(stream, &data, &size)) return false;
        if (size > TRANSFER - got || (size && data[size - 1] != content[got + size - 1])) return false;
    }
    return true;
}

static void write_file(const char *name, const char *format, ...)
{
    FILE *file = fopen(name, "w");
    va_list arguments;
    va_start(arguments, format);
    if (!file || vfprintf(file, format, arguments) < 0 || fclose(file)) fail(name, SEC_E_INTERNAL_ERROR);
    va_end(arguments);
}

/* The client's wishes, a byte each: to receive, or to send, which is answered with a byte. */
static void serve(const char *port_file)
{
    struct tls_stream stream;
    unsigned short port;
    BYTE *wish;
    ULONG size;
    const SOCKET listener = loopback_listen(&port);
    if (listener == INVALID_SOCKET) fail("listening", SEC_E_INTERNAL_ERROR);
    write_file(port_file, "%u\n", port);
    const SOCKET connection = accept(listener, NULL, NULL);
    if (!tls_stream_open(&stream, connection, certificate(), SP_PROT_TLS1_2_SERVER, NULL))
        fail("the server's handshake", stream.status);
    while (tls_stream_receive(&stream, &wish, &size)) {
        const bool done =
            *wish == 'r' ? send_content(&stream) : take_content(&stream) && tls_stream_send(&stream, wish, 1);
        if (!done) fail("the server's transfer", stream.status);
    }
    tls_stream_close(&stream);
    closesocket(connection);
}

static bool receive_all(struct tls_stream *stream)
{
    return tls_stream_send(stream, (const BYTE *)"r", 1) && take_content(stream);
}

static bool send_all(struct tls_stream *stream)
{
    BYTE *answer;
    ULONG size;
    return tls_stream_send(stream, (const BYTE *)"s", 1) && send_content(stream) &&
           tls_stream_receive(stream, &answer, &size) && size == 1;
}

/* Of this process, in microseconds. */
static double processor_time(void)
{
    FILETIME created, ended, kernel, user;
    GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user);
    return ((double)kernel.dwLowDateTime + (double)user.dwLowDateTime) / 10 +
           ((double)kernel.dwHighDateTime + (double)user.dwHighDateTime) * 4294967296.0 / 10;
}

/* What a transfer takes: by the clock (the median), and of the processor (on average, since its clock is coarse). */
struct taken {
    double clock, processor;
};

/* The first one is not counted. */
static struct taken taken_by(struct tls_stream *stream, bool (*transfer)(struct tls_stream *))
{
    double samples[ROUNDS];
    if (!transfer(stream)) fail("the client's first transfer", stream->status);
    const double before = processor_time();
    for (int i = 0; i < ROUNDS; i++) {
        const double start = now();
        if (!transfer(stream)) fail("the client's transfer", stream->status);
        samples[i] = now() - start;
    }
    const double processor = (processor_time() - before) / ROUNDS;
    return (struct taken){median(samples, ROUNDS), processor};
}

static void measure(const char *out, unsigned short port)
{
    static WCHAR target[] = L"localhost";
    struct tls_stream stream;
    const SOCKET connection = loopback_connect(port);
    if (connection == INVALID_SOCKET) fail("connecting", SEC_E_INTERNAL_ERROR);
    if (!tls_stream_open(&stream, connection, NULL, SP_PROT_TLS1_2_CLIENT, target))
        fail("the client's handshake", stream.status);
    const struct taken received = taken_by(&stream, receive_all), sent = taken_by(&stream, send_all);
    write_file(out, "receive %d %.3f\nreceive-cpu %d %.3f\nsend %d %.3f\nsend-cpu %d %.3f\n", TRANSFER, received.clock,
               TRANSFER, received.processor, TRANSFER, sent.clock, TRANSFER, sent.processor);
    tls_stream_close(&stream);
    closesocket(connection);
}

int main(int count, char **arguments)
{
    WSADATA data;
    WSAStartup(MAKEWORD(2, 2), &data);
    for (size_t i = 0; i < TRANSFER; i++) content[i] = (BYTE)(i * 2654435761u >> 24);
    if (count == 3 && !strcmp(arguments[1], "serve"))
        serve(arguments[2]);
    else if (count == 4 && !strcmp(arguments[1], "client"))
        measure(arguments[2], (unsigned short)atoi(arguments[3]));
    else
        return 2;
    return 0;
}
