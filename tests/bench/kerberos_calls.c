/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos from a Windows program: `kerberos_calls OUT TARGET` shakes hands with default credentials, and seals,
 * unseals, signs and verifies. It writes a line for each to OUT as it gets there: the name, the size, microseconds.
 * Exit codes: 0 all measured, 1 a call failed (standard error says which), 2 not understood. Needs nothing but Windows.
 */
#define SECURITY_WIN32
#include "windows_clock.h"

#include <sspi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOKEN_ROOM = 16384,
    LARGEST = 262144,
    BATCH_BYTES = 1 << 18,
    LARGEST_BATCH = 128,
    ROUNDS = 31,
    HANDSHAKES = 101
};

struct pair {
    CredHandle client_credential, server_credential;
    CtxtHandle client, server;
    WCHAR *target;
};

struct message {
    BYTE token[128], *data;
    ULONG token_size, size;
};

static void require(SECURITY_STATUS status, SECURITY_STATUS wanted, const char *what)
{
    if (status == wanted) return;
    fprintf(stderr, "kerberos_calls: %s: 0x%08lx\n", what, (unsigned long)status);
    exit(1);
}

static void client_step(struct pair *pair, SecBuffer *input, SecBuffer *output, SECURITY_STATUS wanted)
{
    const ULONG request = ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT |
                          ISC_REQ_SEQUENCE_DETECT;
    SecBufferDesc in = {SECBUFFER_VERSION, 1, input}, out = {SECBUFFER_VERSION, 1, output};
    ULONG granted;
    TimeStamp expiry;
    require(InitializeSecurityContextW(&pair->client_credential, input ? &pair->client : NULL, pair->target, request, 0,
                                       SECURITY_NATIVE_DREP, input ? &in : NULL, 0, &pair->client, &out, &granted,
                                       &expiry),
            wanted, input ? "InitializeSecurityContext, second leg" : "InitializeSecurityContext");
}

static void server_step(struct pair *pair, SecBuffer *input, SecBuffer *output)
{
    const ULONG request = ASC_REQ_MUTUAL_AUTH | ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY | ASC_REQ_REPLAY_DETECT |
                          ASC_REQ_SEQUENCE_DETECT;
    SecBufferDesc in = {SECBUFFER_VERSION, 1, input}, out = {SECBUFFER_VERSION, 1, output};
    ULONG granted;
    TimeStamp expiry;
    require(AcceptSecurityContext(&pair->server_credential, NULL, &in, request, SECURITY_NATIVE_DREP, &pair->server,
                                  &out, &granted, &expiry),
            SEC_E_OK, "AcceptSecurityContext");
}

static void establish(struct pair *pair)
{
    static BYTE request_bytes[TOKEN_ROOM], reply_bytes[TOKEN_ROOM];
    SecBuffer request = {TOKEN_ROOM, SECBUFFER_TOKEN, request_bytes},
              reply = {TOKEN_ROOM, SECBUFFER_TOKEN, reply_bytes};
    client_step(pair, NULL, &request, SEC_I_CONTINUE_NEEDED);
    server_step(pair, &request, &reply);
    request.cbBuffer = TOKEN_ROOM;
    client_step(pair, &reply, &request, SEC_E_OK);
}

static void release(struct pair *pair)
{
    DeleteSecurityContext(&pair->client);
    DeleteSecurityContext(&pair->server);
}

static void open_pair(struct pair *pair, WCHAR *target)
{
    static WCHAR package[] = L"Kerberos";
    TimeStamp expiry;
    pair->target = target;
    require(AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL,
                                      &pair->client_credential, &expiry),
            SEC_E_OK, "AcquireCredentialsHandle, outbound");
    require(AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                      &pair->server_credential, &expiry),
            SEC_E_OK, "AcquireCredentialsHandle, inbound");
    establish(pair);
}

static double handshakes(struct pair *pair)
{
    double samples[HANDSHAKES];
    for (int i = 0; i < HANDSHAKES; i++) {
        release(pair);
        const double start = now();
        establish(pair);
        samples[i] = now() - start;
    }
    return median(samples, HANDSHAKES);
}

static SecBufferDesc describe(SecBuffer buffers[2], struct message *message)
{
    buffers[0] = (SecBuffer){message->token_size, SECBUFFER_TOKEN, message->token};
    buffers[1] = (SecBuffer){message->size, SECBUFFER_DATA, message->data};
    return (SecBufferDesc){SECBUFFER_VERSION, 2, buffers};
}

static void seal(struct pair *pair, struct message *message)
{
    SecBuffer buffers[2];
    message->token_size = sizeof message->token; /* Wine's own wants more than it says */
    SecBufferDesc desc = describe(buffers, message);
    require(EncryptMessage(&pair->client, 0, &desc, 0), SEC_E_OK, "EncryptMessage");
    message->token_size = buffers[0].cbBuffer;
}

static void unseal(struct pair *pair, struct message *message)
{
    SecBuffer buffers[2];
    SecBufferDesc desc = describe(buffers, message);
    ULONG qop = 0;
    require(DecryptMessage(&pair->server, &desc, 0, &qop), SEC_E_OK, "DecryptMessage");
}

static void sign(struct pair *pair, struct message *message)
{
    SecBuffer buffers[2];
    message->token_size = sizeof message->token;
    SecBufferDesc desc = describe(buffers, message);
    require(MakeSignature(&pair->client, 0, &desc, 0), SEC_E_OK, "MakeSignature");
    message->token_size = buffers[0].cbBuffer;
}

static void verify(struct pair *pair, struct message *message)
{
    SecBuffer buffers[2];
    SecBufferDesc desc = describe(buffers, message);
    ULONG qop = 0;
    require(VerifySignature(&pair->server, &desc, 0, &qop), SEC_E_OK, "VerifySignature");
}

typedef void operation(struct pair *pair, struct message *message);

/* Produces COUNT messages and takes them in; the medians of both, in microseconds a message. */
static void measure(struct pair *pair, struct message *messages, size_t count, operation *produce, operation *consume,
                    double figures[2])
{
    double produced[ROUNDS], consumed[ROUNDS];
    for (int n = 0; n < ROUNDS; n++) {
        const double start = now();
        for (size_t i = 0; i < count; i++) produce(pair, &messages[i]);
        const double middle = now();
        for (size_t i = 0; i < count; i++) consume(pair, &messages[i]);
        produced[n] = (middle - start) / (double)count;
        consumed[n] = (now() - middle) / (double)count;
    }
    figures[0] = median(produced, ROUNDS);
    figures[1] = median(consumed, ROUNDS);
}

static void require_plain(const struct message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (ULONG n = 0; n < messages[i].size; n++)
            require(messages[i].data[n] == (BYTE)(n * 7) ? SEC_E_OK : SEC_E_MESSAGE_ALTERED, SEC_E_OK, "what came out");
}

static void measure_size(struct pair *pair, FILE *out, ULONG size)
{
    static struct message messages[LARGEST_BATCH];
    static BYTE bytes[BATCH_BYTES];
    const size_t fitting = BATCH_BYTES / size, count = fitting < LARGEST_BATCH ? fitting : LARGEST_BATCH;
    double figures[2];
    for (size_t i = 0; i < count; i++) {
        messages[i].data = bytes + i * size;
        messages[i].size = size;
        for (ULONG n = 0; n < size; n++) messages[i].data[n] = (BYTE)(n * 7);
    }
    measure(pair, messages, count, seal, unseal, figures);
    fprintf(out, "seal %lu %.4f\nunseal %lu %.4f\n", size, figures[0], size, figures[1]);
    measure(pair, messages, count, sign, verify, figures);
    fprintf(out, "sign %lu %.4f\nverify %lu %.4f\n", size, figures[0], size, figures[1]);
    fflush(out);
    require_plain(messages, count);
}

int wmain(int argc, WCHAR **argv)
{
    static const ULONG sizes[] = {64, 16384, LARGEST};
    static struct pair pair;
    FILE *out = argc == 3 ? _wfopen(argv[1], L"w") : NULL;
    if (!out) return 2;
    open_pair(&pair, argv[2]);
    fprintf(out, "handshake 1 %.4f\n", handshakes(&pair));
    fflush(out);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) measure_size(&pair, out, sizes[i]);
    release(&pair);
    FreeCredentialsHandle(&pair.client_credential);
    FreeCredentialsHandle(&pair.server_credential);
    return fclose(out) ? 1 : 0;
}
