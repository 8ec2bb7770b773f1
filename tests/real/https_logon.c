/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * https_logon.exe PORT USER: logs on over TLS with Negotiate and the connection's channel bindings (RFC 5929 4), as
 * USER, whose tickets are in the user's cache: to a web server on this machine with another certificate than ours, and
 * to a server of its own in another thread, which has AcceptSecurityContext compare the bindings with its side's.
 */
#include "tls_stream.h"

#include "../conformance/schannel_pfx.h"
#include "../packages/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_ROOM = 65536, TOKEN_ROOM = 16384 };

static WCHAR negotiate[] = L"Negotiate", target[] = L"HTTP/localhost", host[] = L"localhost";

/* A message of HTTP as far as its empty line, as a string. */
static bool read_head(struct tls_stream *stream, char *head)
{
    ULONG have = 0, size;
    BYTE *data;
    *head = 0;
    while (!strstr(head, "\r\n\r\n")) {
        if (!tls_stream_receive(stream, &data, &size) || size >= ANSWER_ROOM - have) return false;
        memcpy(head + have, data, size);
        have += size;
        head[have] = 0;
    }
    return true;
}

/* What follows NAME on its line of HEAD, decoded; its size, 0 for none. */
static DWORD token_in(const char *head, const char *name, BYTE *token)
{
    const char *found = strstr(head, name);
    DWORD size = TOKEN_ROOM;
    if (!found) return 0;
    found += strlen(name);
    const DWORD length = (DWORD)strcspn(found, "\r\n");
    return length && CryptStringToBinaryA(found, length, CRYPT_STRING_BASE64, token, &size, NULL, NULL) ? size : 0;
}

static bool send_head(struct tls_stream *stream, const char *start, const char *name, const SecBuffer *token)
{
    static __thread char head[ANSWER_ROOM];
    DWORD room = ANSWER_ROOM / 2;
    const int before = snprintf(head, ANSWER_ROOM / 2, "%s%s", start, token->cbBuffer ? name : "");
    if (token->cbBuffer && !CryptBinaryToStringA(token->pvBuffer, token->cbBuffer,
                                                 CRYPT_STRING_BASE64 | CRYPT_STRING_NOCRLF, head + before, &room))
        return false;
    strcat(head, "\r\n\r\n");
    return tls_stream_send(stream, (const BYTE *)head, (ULONG)strlen(head));
}

static SecBuffer bindings_of(struct tls_stream *stream)
{
    SecPkgContext_Bindings bindings = {0};
    if (QueryContextAttributesW(&stream->context, SECPKG_ATTR_ENDPOINT_BINDINGS, &bindings)) return (SecBuffer){0};
    return (SecBuffer){bindings.BindingsLength, SECBUFFER_CHANNEL_BINDINGS, bindings.Bindings};
}

/* ---- a server of our own ---- */

struct server {
    SOCKET listener;
    PCCERT_CONTEXT certificate;
    CredHandle credential;
};

static SECURITY_STATUS accept_token(const struct server *server, struct tls_stream *stream, BYTE *token, DWORD size,
                                    SecBuffer *output)
{
    SecBuffer input[] = {{size, SECBUFFER_TOKEN, token}, bindings_of(stream)};
    SecBufferDesc in = {SECBUFFER_VERSION, 2, input}, out = {SECBUFFER_VERSION, 1, output};
    CtxtHandle context;
    ULONG granted;
    const SECURITY_STATUS status = AcceptSecurityContext((CredHandle *)&server->credential, NULL, &in,
                                                         ASC_REQ_ALLOCATE_MEMORY, 0, &context, &out, &granted, NULL);
    if (status >= 0) DeleteSecurityContext(&context);
    if (input[1].pvBuffer) FreeContextBuffer(input[1].pvBuffer);
    return input[1].cbBuffer ? status : SEC_E_BAD_BINDINGS;
}

static void answer(const struct server *server, struct tls_stream *stream)
{
    static char head[ANSWER_ROOM], start[128];
    static BYTE token[TOKEN_ROOM];
    SecBuffer output = {0, SECBUFFER_TOKEN, NULL};
    if (!read_head(stream, head)) return;
    const DWORD size = token_in(head, "Authorization: Negotiate ", token);
    const SECURITY_STATUS status = size ? accept_token(server, stream, token, size, &output) : SEC_E_INVALID_TOKEN;
    snprintf(start, sizeof start, "HTTP/1.1 %s\r\nX-Status: %08lx", status ? "401 No" : "200 OK",
             (unsigned long)status);
    send_head(stream, start, "\r\nWWW-Authenticate: Negotiate ", &output);
    if (output.pvBuffer) FreeContextBuffer(output.pvBuffer);
}

static DWORD WINAPI serve(void *parameter)
{
    const struct server *server = parameter;
    for (;;) {
        const SOCKET connection = accept(server->listener, NULL, NULL);
        struct tls_stream stream;
        if (connection == INVALID_SOCKET) return 0;
        if (tls_stream_open(&stream, connection, server->certificate, SP_PROT_TLS1_2_SERVER | SP_PROT_TLS1_3_SERVER,
                            NULL))
            answer(server, &stream);
        tls_stream_close(&stream);
        shutdown(connection, SD_SEND);
        closesocket(connection);
    }
}

static BOOL start_server(struct server *server, unsigned short *port)
{
    CRYPT_DATA_BLOB pfx = {sizeof schannel_pfx, (BYTE *)schannel_pfx};
    const HCERTSTORE store = PFXImportCertStore(&pfx, L"conformance", CRYPT_EXPORTABLE | CRYPT_USER_KEYSET);
    server->certificate =
        store ? CertFindCertificateInStore(store, X509_ASN_ENCODING, 0, CERT_FIND_SUBJECT_STR_W, host, NULL) : NULL;
    server->listener = loopback_listen(port);
    return server->certificate && server->listener != INVALID_SOCKET &&
           !AcquireCredentialsHandleW(NULL, negotiate, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL, &server->credential,
                                      NULL) &&
           CreateThread(NULL, 0, serve, server, 0, NULL);
}

/* ---- the client ---- */

struct logon {
    unsigned short port;
    DWORD protocol;
    const SecBuffer *bindings; /* NULL: the connection's own */
    bool without_token;
};

/* What came of one: the code of HTTP, 0 for none, and whether the server has proved itself. */
struct outcome {
    int code;
    BOOL mutual;
    char head[ANSWER_ROOM];
};

static SECURITY_STATUS step(CredHandle *credential, CtxtHandle *context, bool first, SecBuffer *input,
                            SecBuffer *output)
{
    SecBufferDesc in = {SECBUFFER_VERSION, 1, input}, out = {SECBUFFER_VERSION, 1, output};
    ULONG granted;
    return InitializeSecurityContextW(credential, first ? NULL : context, target,
                                      ISC_REQ_ALLOCATE_MEMORY | ISC_REQ_MUTUAL_AUTH, 0, 0, &in, 0, context, &out,
                                      &granted, NULL);
}

/* One request with a token, and what the server's own token is worth. */
static void ask(struct tls_stream *stream, SecBuffer *bindings, bool without_token, struct outcome *outcome)
{
    static const char request[] = "GET /index.html HTTP/1.1\r\nHost: localhost\r\nConnection: close";
    static BYTE reply[TOKEN_ROOM];
    SecBuffer token = {0, SECBUFFER_TOKEN, NULL}, input = {0, SECBUFFER_TOKEN, reply}, last = token;
    CredHandle credential;
    CtxtHandle context;
    if (AcquireCredentialsHandleW(NULL, negotiate, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &credential, NULL))
        return;
    if (step(&credential, &context, true, bindings, &token) == SEC_I_CONTINUE_NEEDED) {
        const SecBuffer none = {0};
        if (send_head(stream, request, "\r\nAuthorization: Negotiate ", without_token ? &none : &token) &&
            read_head(stream, outcome->head))
            sscanf(outcome->head, "HTTP/1.1 %d", &outcome->code);
        input.cbBuffer = token_in(outcome->head, "WWW-Authenticate: Negotiate ", reply);
        outcome->mutual = input.cbBuffer && step(&credential, &context, false, &input, &last) == SEC_E_OK;
        DeleteSecurityContext(&context);
    }
    if (token.pvBuffer) FreeContextBuffer(token.pvBuffer);
    if (last.pvBuffer) FreeContextBuffer(last.pvBuffer);
    FreeCredentialsHandle(&credential);
}

static const struct outcome *log_on(struct logon logon)
{
    static struct outcome outcome;
    struct tls_stream stream;
    memset(&outcome, 0, sizeof outcome);
    const SOCKET connection = loopback_connect(logon.port);
    if (connection == INVALID_SOCKET) return &outcome;
    if (tls_stream_open(&stream, connection, NULL, logon.protocol, host)) {
        SecBuffer own = bindings_of(&stream), given = logon.bindings ? *logon.bindings : own;
        if (own.cbBuffer) ask(&stream, &given, logon.without_token, &outcome);
        if (own.pvBuffer) FreeContextBuffer(own.pvBuffer);
    } else {
        printf("      %08lx\n", (unsigned long)stream.status);
    }
    tls_stream_close(&stream);
    closesocket(connection);
    return &outcome;
}

/* Those of a connection to PORT. */
static SecBuffer bindings_at(unsigned short port)
{
    SecBuffer bindings = {0};
    struct tls_stream stream;
    const SOCKET connection = loopback_connect(port);
    if (tls_stream_open(&stream, connection, NULL, SP_PROT_TLS1_2_CLIENT, host)) bindings = bindings_of(&stream);
    tls_stream_close(&stream);
    closesocket(connection);
    return bindings;
}

static void web_server(unsigned short port, DWORD protocol, const char *user)
{
    char line[128];
    snprintf(line, sizeof line, "X-User: %s", user);
    const struct outcome *outcome = log_on((struct logon){.port = port, .protocol = protocol});
    check(outcome->code == 200 && strstr(outcome->head, line), "Apache, with the connection's bindings: 200, the user");
    check(outcome->mutual, "Apache's own token holds");
    outcome = log_on((struct logon){.port = port, .protocol = protocol, .without_token = true});
    check(outcome->code == 401, "Apache, without a token: 401");
}

static BOOL refuses(const struct outcome *outcome)
{
    return outcome->code == 401 && strstr(outcome->head, "X-Status: 80090346") != NULL;
}

/* ELSEWHERE: what a client has that talks to somebody else, who passes its token on. */
static void own_server(unsigned short port, DWORD protocol, const SecBuffer *elsewhere)
{
    SecBuffer own = bindings_at(port), none = {0, SECBUFFER_EMPTY, NULL};
    const struct outcome *outcome = log_on((struct logon){.port = port, .protocol = protocol});
    check(outcome->code == 200 && outcome->mutual, "our server, with the connection's bindings: 200");
    check(refuses(log_on((struct logon){.port = port, .protocol = protocol, .bindings = elsewhere})),
          "with those of a connection to another server: SEC_E_BAD_BINDINGS");
    check(refuses(log_on((struct logon){.port = port, .protocol = protocol, .bindings = &none})),
          "with none: SEC_E_BAD_BINDINGS");
    check(own.cbBuffer > sizeof(SEC_CHANNEL_BINDINGS), "there are bindings");
    if (!own.cbBuffer) return;
    ((BYTE *)own.pvBuffer)[own.cbBuffer - 1] ^= 1;
    check(refuses(log_on((struct logon){.port = port, .protocol = protocol, .bindings = &own})),
          "with one bit changed: SEC_E_BAD_BINDINGS");
    FreeContextBuffer(own.pvBuffer);
}

int main(int argc, char **argv)
{
    static struct server server;
    static const DWORD protocols[] = {SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_3_CLIENT};
    unsigned short port = 0;
    WSADATA data;
    if (argc != 3) return 2;
    WSAStartup(MAKEWORD(2, 2), &data);
    section("RFC 5929 4, SECPKG_ATTR_ENDPOINT_BINDINGS");
    check(start_server(&server, &port), "our server starts");
    const SecBuffer elsewhere = bindings_at((unsigned short)atoi(argv[1]));
    for (size_t i = 0; i < ARRAYSIZE(protocols); i++) {
        section(i ? "ENDPOINT_BINDINGS, TLS 1.3" : "ENDPOINT_BINDINGS, TLS 1.2");
        web_server((unsigned short)atoi(argv[1]), protocols[i], argv[2]);
        own_server(port, protocols[i], &elsewhere);
    }
    return finish_cases();
}
