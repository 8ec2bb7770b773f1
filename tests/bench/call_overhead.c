/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Windows half of call-overhead: `call_overhead OUT [CONTEXTS]` opens so many contexts (2 if not said) over NTLM
 * with default credentials, times EncryptMessage, and writes one line to OUT: microseconds of a call, on the first and
 * the last context in turns; bytes of memory by which the process has grown, a context. Needs nothing but Windows.
 */
#include "call_batches.h"

#define SECURITY_WIN32
#include <windows.h>
#include <psapi.h>
#include <sspi.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOKEN_ROOM = 4096 };

struct pair {
    CtxtHandle client, server;
};

static void require(SECURITY_STATUS status, SECURITY_STATUS wanted, const char *what)
{
    if (status == wanted) return;
    fprintf(stderr, "call_overhead: %s: 0x%08lx\n", what, (unsigned long)status);
    exit(1);
}

static SECURITY_STATUS client_step(CredHandle *credential, struct pair *pair, SecBuffer *input, SecBuffer *output)
{
    const ULONG request = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT;
    SecBufferDesc in = {SECBUFFER_VERSION, 1, input}, out = {SECBUFFER_VERSION, 1, output};
    ULONG granted;
    TimeStamp expiry;
    output->cbBuffer = TOKEN_ROOM;
    return InitializeSecurityContextW(credential, input ? &pair->client : NULL, NULL, request, 0, SECURITY_NATIVE_DREP,
                                      input ? &in : NULL, 0, &pair->client, &out, &granted, &expiry);
}

static SECURITY_STATUS server_step(CredHandle *credential, struct pair *pair, BOOL first, SecBuffer *input,
                                   SecBuffer *output)
{
    const ULONG request = ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY | ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT;
    SecBufferDesc in = {SECBUFFER_VERSION, 1, input}, out = {SECBUFFER_VERSION, 1, output};
    ULONG granted;
    TimeStamp expiry;
    output->cbBuffer = TOKEN_ROOM;
    return AcceptSecurityContext(credential, first ? NULL : &pair->server, &in, request, SECURITY_NATIVE_DREP,
                                 &pair->server, &out, &granted, &expiry);
}

static void establish(CredHandle *credential, struct pair *pair)
{
    BYTE to_client_bytes[TOKEN_ROOM], to_server_bytes[TOKEN_ROOM];
    SecBuffer to_client = {TOKEN_ROOM, SECBUFFER_TOKEN, to_client_bytes};
    SecBuffer to_server = {TOKEN_ROOM, SECBUFFER_TOKEN, to_server_bytes};
    require(client_step(credential, pair, NULL, &to_server), SEC_I_CONTINUE_NEEDED, "first leg of the client");
    require(server_step(credential, pair, TRUE, &to_server, &to_client), SEC_I_CONTINUE_NEEDED, "first of the server");
    require(client_step(credential, pair, &to_client, &to_server), SEC_E_OK, "second leg of the client");
    require(server_step(credential, pair, FALSE, &to_server, &to_client), SEC_E_OK, "second of the server");
}

static double now(void)
{
    LARGE_INTEGER ticks, frequency;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&ticks);
    return (double)ticks.QuadPart * 1e6 / (double)frequency.QuadPart;
}

static double encrypt_batch(CtxtHandle *context)
{
    BYTE token[16], data[CALL_SIZE] = {0};
    const double start = now();
    for (int i = 0; i < CALL_BATCH; i++) {
        SecBuffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {sizeof data, SECBUFFER_DATA, data}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
        require(EncryptMessage(context, 0, &desc, 0), SEC_E_OK, "EncryptMessage");
    }
    return (now() - start) / CALL_BATCH;
}

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double call_time(struct pair *first, struct pair *last)
{
    double samples[CALL_ROUNDS];
    for (int i = 0; i < CALL_ROUNDS; i++) samples[i] = encrypt_batch(&(i % 2 ? first : last)->client);
    qsort(samples, CALL_ROUNDS, sizeof *samples, compare);
    return samples[CALL_ROUNDS / 2];
}

static double resident_bytes(void)
{
    PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof counters};
    if (!K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof counters)) return 0;
    return (double)counters.WorkingSetSize;
}

int main(int argc, char **argv)
{
    const size_t count = argc > 2 ? (size_t)atol(argv[2]) / 2 : 1;
    FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;
    struct pair *pairs = calloc(count, sizeof *pairs);
    CredHandle credential;
    TimeStamp expiry;
    wchar_t package[] = L"NTLM";
    if (!out || !pairs) return 2;
    require(AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_BOTH, NULL, NULL, NULL, NULL, &credential, &expiry),
            SEC_E_OK, "AcquireCredentialsHandle");
    establish(&credential, &pairs[0]);
    const double before = resident_bytes();
    for (size_t i = 1; i < count; i++) establish(&credential, &pairs[i]);
    const double grown = count > 1 ? (resident_bytes() - before) / (double)(2 * count - 2) : 0;
    fprintf(out, "%.4f %.0f\n", call_time(&pairs[0], &pairs[count - 1]), grown);
    for (size_t i = 0; i < count; i++) {
        DeleteSecurityContext(&pairs[i].client);
        DeleteSecurityContext(&pairs[i].server);
    }
    FreeCredentialsHandle(&credential);
    free(pairs);
    return fclose(out) ? 1 : 0;
}
