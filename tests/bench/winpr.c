/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * WinPR, FreeRDP's SSPI, through its function table. Its acceptor looks accounts up in a file of the form
 * user:domain:LM hash:NT hash, which a context attribute names.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <winpr/ntlm.h>
#include <winpr/sspi.h>

enum { TOKEN_ROOM = 4096, SIGNATURE = 16 };

struct winpr_pair {
    SecurityFunctionTableA *sspi;
    char sam_file[BENCH_PATH];
    CredHandle client_credential, server_credential;
    CtxtHandle client, server;
};

static void require(SECURITY_STATUS status, SECURITY_STATUS wanted, const char *what)
{
    bench_require_status((uint32_t)status, (uint32_t)wanted, "winpr", what);
}

static void write_sam_file(struct winpr_pair *pair)
{
    char password[] = BENCH_PASSWORD, hex[33], line[128];
    BYTE hash[16];
    bench_require(NTOWFv1A(password, sizeof password - 1, hash), "winpr: NTOWFv1A");
    for (size_t i = 0; i < sizeof hash; i++) snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    snprintf(line, sizeof line, "%s:%s::%s:::\n", BENCH_USER, BENCH_DOMAIN, hex);
    bench_private_file(pair->sam_file, line);
}

static void acquire(struct winpr_pair *pair)
{
    static char package[] = "NTLM";
    static BYTE user[] = BENCH_USER, domain[] = BENCH_DOMAIN, password[] = BENCH_PASSWORD;
    SEC_WINNT_AUTH_IDENTITY_A identity = {
        user, sizeof user - 1, domain, sizeof domain - 1, password, sizeof password - 1, SEC_WINNT_AUTH_IDENTITY_ANSI};
    TimeStamp expiry;
    require(pair->sspi->AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                                  &pair->client_credential, &expiry),
            SEC_E_OK, "client's credential");
    require(pair->sspi->AcquireCredentialsHandleA(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                                  &pair->server_credential, &expiry),
            SEC_E_OK, "server's credential");
}

static SecBuffer token_buffer(void *data, size_t size)
{
    return (SecBuffer){(ULONG)size, SECBUFFER_TOKEN, data};
}

static void client_step(struct winpr_pair *pair, SecBuffer *input, SecBuffer *output, SECURITY_STATUS wanted)
{
    static char target[] = "cifs/bench";
    const ULONG request = ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT;
    SecBufferDesc in = {SECBUFFER_VERSION, 1, input}, out = {SECBUFFER_VERSION, 1, output};
    ULONG granted;
    TimeStamp expiry;
    require(pair->sspi->InitializeSecurityContextA(&pair->client_credential, input ? &pair->client : NULL, target,
                                                   request, 0, SECURITY_NATIVE_DREP, input ? &in : NULL, 0,
                                                   &pair->client, &out, &granted, &expiry),
            wanted, "InitializeSecurityContext");
}

static void server_step(struct winpr_pair *pair, bool first, SecBuffer *input, SecBuffer *output,
                        SECURITY_STATUS wanted)
{
    const ULONG request = ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY | ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT;
    SecBufferDesc in = {SECBUFFER_VERSION, 1, input}, out = {SECBUFFER_VERSION, 1, output};
    ULONG granted;
    TimeStamp expiry;
    require(pair->sspi->AcceptSecurityContext(&pair->server_credential, first ? NULL : &pair->server, &in, request,
                                              SECURITY_NATIVE_DREP, &pair->server, &out, &granted, &expiry),
            wanted, "AcceptSecurityContext");
}

/* The acceptor looks the account up and checks the answer in CompleteAuthToken. */
static void establish(struct winpr_pair *pair)
{
    SecBufferDesc nothing = {SECBUFFER_VERSION, 0, NULL};
    BYTE to_client_bytes[TOKEN_ROOM], to_server_bytes[TOKEN_ROOM];
    SecBuffer to_client = token_buffer(to_client_bytes, TOKEN_ROOM);
    SecBuffer to_server = token_buffer(to_server_bytes, TOKEN_ROOM);
    client_step(pair, NULL, &to_server, SEC_I_CONTINUE_NEEDED);
    server_step(pair, true, &to_server, &to_client, SEC_I_CONTINUE_NEEDED);
    require(pair->sspi->SetContextAttributesA(&pair->server, SECPKG_ATTR_AUTH_NTLM_SAM_FILE, pair->sam_file,
                                              (ULONG)strlen(pair->sam_file)),
            SEC_E_OK, "SetContextAttributes");
    to_server.cbBuffer = TOKEN_ROOM;
    client_step(pair, &to_client, &to_server, SEC_E_OK);
    to_client.cbBuffer = TOKEN_ROOM;
    server_step(pair, false, &to_server, &to_client, SEC_I_COMPLETE_NEEDED);
    require(pair->sspi->CompleteAuthToken(&pair->server, &nothing), SEC_E_OK, "CompleteAuthToken");
}

static void *open_pair(void)
{
    struct winpr_pair *pair = calloc(1, sizeof *pair);
    bench_require(pair != NULL, "memory");
    setenv("WLOG_LEVEL", "OFF", 1);
    pair->sspi = InitSecurityInterfaceExA(0);
    bench_require(pair->sspi != NULL, "winpr: InitSecurityInterface");
    write_sam_file(pair);
    acquire(pair);
    establish(pair);
    return pair;
}

static void release_contexts(struct winpr_pair *pair)
{
    pair->sspi->DeleteSecurityContext(&pair->client);
    pair->sspi->DeleteSecurityContext(&pair->server);
}

static void close_pair(void *state)
{
    struct winpr_pair *pair = state;
    release_contexts(pair);
    pair->sspi->FreeCredentialsHandle(&pair->client_credential);
    pair->sspi->FreeCredentialsHandle(&pair->server_credential);
    unlink(pair->sam_file);
    free(pair);
}

static void handshake(void *state)
{
    release_contexts(state);
    establish(state);
}

static SecBufferDesc describe(SecBuffer buffers[2], struct bench_message *message)
{
    buffers[0] = token_buffer(message->token, SIGNATURE);
    buffers[1] = (SecBuffer){(ULONG)message->size, SECBUFFER_DATA, message->data};
    return (SecBufferDesc){SECBUFFER_VERSION, 2, buffers};
}

static void seal(void *state, struct bench_message *message)
{
    struct winpr_pair *pair = state;
    SecBuffer buffers[2];
    SecBufferDesc desc = describe(buffers, message);
    require(pair->sspi->EncryptMessage(&pair->client, 0, &desc, 0), SEC_E_OK, "EncryptMessage");
}

static void unseal(void *state, struct bench_message *message)
{
    struct winpr_pair *pair = state;
    SecBuffer buffers[2];
    SecBufferDesc desc = describe(buffers, message);
    ULONG qop = 0;
    require(pair->sspi->DecryptMessage(&pair->server, &desc, 0, &qop), SEC_E_OK, "DecryptMessage");
}

/* WinPR 2 has no MakeSignature. */
static bool can_sign(void *state)
{
    struct winpr_pair *pair = state;
    struct bench_message message = {.data = (uint8_t[1]){0}, .size = 1};
    SecBuffer buffers[2];
    SecBufferDesc desc = describe(buffers, &message);
    return pair->sspi->MakeSignature(&pair->server, 0, &desc, 0) != SEC_E_UNSUPPORTED_FUNCTION;
}

static void sign(void *state, struct bench_message *message)
{
    struct winpr_pair *pair = state;
    SecBuffer buffers[2];
    SecBufferDesc desc = describe(buffers, message);
    require(pair->sspi->MakeSignature(&pair->client, 0, &desc, 0), SEC_E_OK, "MakeSignature");
}

static void verify(void *state, struct bench_message *message)
{
    struct winpr_pair *pair = state;
    SecBuffer buffers[2];
    SecBufferDesc desc = describe(buffers, message);
    ULONG qop = 0;
    require(pair->sspi->VerifySignature(&pair->server, &desc, 0, &qop), SEC_E_OK, "VerifySignature");
}

const struct bench_peer bench_winpr = {
    .name = "winpr",
    .open = open_pair,
    .seal = seal,
    .unseal = unseal,
    .can_sign = can_sign,
    .sign = sign,
    .verify = verify,
    .handshake = handshake,
    .close = close_pair,
};
