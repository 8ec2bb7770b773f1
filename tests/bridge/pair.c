/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A logon with default credentials in one process, and the counts.
 */
#include "pair.h"

#include <stdio.h>
#include <string.h>

static char target[] = "bridge/localhost";

enum {
    TOKEN_MAX = 4096,
    TRAILER_MAX = 80,
    LEGS_MAX = 4,
    REQUEST_BITS = ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT
};

/* A token on its way: what a leg left, and the next one takes. */
struct post {
    BYTE token[TOKEN_MAX];
    ULONG size;
};

static SECURITY_STATUS leg(struct pair *pair, int side, BOOL first, const struct post *in, struct post *out)
{
    SecBuffer given = {in->size, SECBUFFER_TOKEN, (void *)in->token}, made = {TOKEN_MAX, SECBUFFER_TOKEN, out->token};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &given}, output = {SECBUFFER_VERSION, 1, &made};
    CtxtHandle *context = &pair->contexts[side];
    SECURITY_STATUS status;
    TimeStamp expiry;
    ULONG flags;
    if (side == CLIENT)
        status = InitializeSecurityContextA(&pair->credentials[side], first ? NULL : context, target,
                                            REQUEST_BITS | ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY, 0,
                                            SECURITY_NATIVE_DREP, first ? NULL : &input, 0, context, &output, &flags,
                                            &expiry);
    else
        status = AcceptSecurityContext(&pair->credentials[side], first ? NULL : context, &input,
                                       REQUEST_BITS | ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY, SECURITY_NATIVE_DREP,
                                       context, &output, &flags, &expiry);
    out->size = status < 0 ? 0 : made.cbBuffer;
    return status;
}

static BOOL acquire(struct pair *pair, int side, const char *package)
{
    TimeStamp expiry;
    return AcquireCredentialsHandleA(NULL, (char *)package, side == CLIENT ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND,
                                     NULL, NULL, NULL, NULL, &pair->credentials[side], &expiry) == SEC_E_OK;
}

BOOL pair_establish(struct pair *pair, const char *package)
{
    struct post posts[2] = {{.size = 0}, {.size = 0}};
    SECURITY_STATUS status[2] = {SEC_I_CONTINUE_NEEDED, SEC_I_CONTINUE_NEEDED};
    if (!acquire(pair, CLIENT, package) || !acquire(pair, SERVER, package)) return FALSE;
    for (int i = 0; i < 2 * LEGS_MAX && status[i % 2] == SEC_I_CONTINUE_NEEDED; i++)
        status[i % 2] = leg(pair, i % 2, i < 2, &posts[!(i % 2)], &posts[i % 2]);
    return status[CLIENT] == SEC_E_OK && status[SERVER] == SEC_E_OK;
}

BOOL pair_close(struct pair *pair)
{
    BOOL there = TRUE;
    for (int side = CLIENT; side <= SERVER; side++) {
        there &= DeleteSecurityContext(&pair->contexts[side]) == SEC_E_OK;
        there &= FreeCredentialsHandle(&pair->credentials[side]) == SEC_E_OK;
    }
    return there;
}

BOOL pair_exchange(struct pair *pair)
{
    BYTE token[TRAILER_MAX], data[8] = "message";
    SecBuffer buffers[2] = {{sizeof token, SECBUFFER_TOKEN, token}, {sizeof data, SECBUFFER_DATA, data}};
    SecBufferDesc message = {SECBUFFER_VERSION, 2, buffers};
    return EncryptMessage(&pair->contexts[CLIENT], 0, &message, 0) == SEC_E_OK &&
           DecryptMessage(&pair->contexts[SERVER], &message, 0, NULL) == SEC_E_OK &&
           !memcmp(data, "message", sizeof data);
}

static ULONG passed, failed;

void report(const char *name, BOOL held)
{
    printf("%s %s\n", held ? "ok   " : "FAIL ", name);
    *(held ? &passed : &failed) += 1;
}

int finish(void)
{
    printf("%lu passed, %lu failed, 0 skipped\n", passed, failed);
    return failed != 0;
}
