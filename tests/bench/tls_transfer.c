/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TLS 1.2 between two Windows programs on loopback. `tls_transfer serve PORTFILE` writes a port to PORTFILE and serves
 * two connections. `tls_transfer client OUT PORT` has 8 MB sent to it, several times, then sends as much, then fetches
 * as much by WinHTTP, and writes two lines for each to OUT: the name, the size, microseconds; by the clock, and of the
 * client's processor time, which does not depend on who else is busy. The server is the same for all clients, since
 * Wine's own Schannel has none. Exit codes: 0 measured, 1 a call failed (standard error says which), 2 not understood.
 * Needs nothing but Windows.
 */
#include "http_fetch.h"
#include "schannel_pfx.h"
#include "tls_stream.h"
#include "windows_clock.h"

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

static void write_port(const char *name, unsigned short port)
{
    FILE *file = fopen(name, "w");
    if (!file || fprintf(file, "%u\n", port) < 0 || fclose(file)) fail(name, SEC_E_INTERNAL_ERROR);
}

static bool answer_http(struct tls_stream *stream)
{
    char header[64];
    const int size = snprintf(header, sizeof header, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", TRANSFER);
    return tls_stream_send(stream, (const BYTE *)header, (ULONG)size) && send_content(stream);
}

/* A client's wish begins with a byte: to receive, to send, which is answered with that byte, or GET. */
static bool grant(struct tls_stream *stream, const BYTE *wish)
{
    switch (*wish) {
    case 'G': return answer_http(stream);
    case 'r': return send_content(stream);
    default: return take_content(stream) && tls_stream_send(stream, (const BYTE *)"s", 1);
    }
}

static void serve_one(SOCKET connection)
{
    struct tls_stream stream;
    BYTE *wish;
    ULONG size;
    if (!tls_stream_open(&stream, connection, certificate(), SP_PROT_TLS1_2_SERVER, NULL))
        fail("the server's handshake", stream.status);
    while (tls_stream_receive(&stream, &wish, &size))
        if (!grant(&stream, wish)) fail("the server's transfer", stream.status);
    tls_stream_close(&stream);
    closesocket(connection);
}

static void serve(const char *port_file)
{
    unsigned short port;
    const SOCKET listener = loopback_listen(&port);
    if (listener == INVALID_SOCKET) fail("listening", SEC_E_INTERNAL_ERROR);
    write_port(port_file, port);
    for (unsigned i = 0; i < 2; i++) serve_one(accept(listener, NULL, NULL));
}

static bool receive_all(void *state)
{
    struct tls_stream *stream = state;
    return tls_stream_send(stream, (const BYTE *)"r", 1) && take_content(stream);
}

static bool send_all(void *state)
{
    struct tls_stream *stream = state;
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

struct fetched {
    ULONG size;
};

static bool take_piece(void *state, const BYTE *data, DWORD size)
{
    struct fetched *fetched = state;
    const ULONG before = fetched->size;
    fetched->size += size;
    return fetched->size <= TRANSFER && (!size || data[size - 1] == content[before + size - 1]);
}

static bool fetch_by(void *state)
{
    struct fetched fetched = {0};
    return http_fetch(state, take_piece, &fetched) && fetched.size == TRANSFER;
}

/* The first one is not counted. */
static struct taken taken_by(bool (*transfer)(void *state), void *state)
{
    double samples[ROUNDS];
    if (!transfer(state)) fail("the client's first transfer", (SECURITY_STATUS)GetLastError());
    const double before = processor_time();
    for (int i = 0; i < ROUNDS; i++) {
        const double start = now();
        if (!transfer(state)) fail("the client's transfer", (SECURITY_STATUS)GetLastError());
        samples[i] = now() - start;
    }
    const double processor = (processor_time() - before) / ROUNDS;
    return (struct taken){median(samples, ROUNDS), processor};
}

static void write_taken(FILE *out, const char *name, struct taken taken)
{
    fprintf(out, "%s %d %.3f\n%s-cpu %d %.3f\n", name, TRANSFER, taken.clock, name, TRANSFER, taken.processor);
}

static void measure_stream(FILE *out, unsigned short port)
{
    static WCHAR target[] = L"localhost";
    struct tls_stream stream;
    const SOCKET connection = loopback_connect(port);
    if (connection == INVALID_SOCKET) fail("connecting", SEC_E_INTERNAL_ERROR);
    if (!tls_stream_open(&stream, connection, NULL, SP_PROT_TLS1_2_CLIENT, target))
        fail("the client's handshake", stream.status);
    write_taken(out, "receive", taken_by(receive_all, &stream));
    write_taken(out, "send", taken_by(send_all, &stream));
    tls_stream_close(&stream);
    closesocket(connection);
}

static void measure_http(FILE *out, unsigned short port)
{
    struct http_fetch fetch;
    if (!http_fetch_open(&fetch, port)) fail("WinHTTP", (SECURITY_STATUS)GetLastError());
    write_taken(out, "winhttp", taken_by(fetch_by, &fetch));
    http_fetch_close(&fetch);
}

static void measure(const char *out_file, unsigned short port)
{
    FILE *out = fopen(out_file, "w");
    if (!out) fail(out_file, SEC_E_INTERNAL_ERROR);
    measure_stream(out, port);
    measure_http(out, port);
    if (fclose(out)) fail(out_file, SEC_E_INTERNAL_ERROR);
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
