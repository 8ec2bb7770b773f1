/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The toy protocol.
 */
#include "toy.h"

#include <string.h>

/* The client's token, and the server's answer. */
struct hello {
    char magic[4];
    ULONG nonce;
    WCHAR user[TOY_NAME];
};

struct answer {
    char magic[4];
    ULONG nonce;
};

/* A message's TOKEN. */
struct signature {
    ULONG counter, qop, sum;
};

C_ASSERT(sizeof(struct hello) == TOY_MAX_TOKEN && sizeof(struct signature) == TOY_MAX_SIGNATURE);

static const char hello_magic[4] = "TOY1", answer_magic[4] = "TOY2";

void toy_take_user(const void *auth_data, WCHAR user[TOY_NAME])
{
    const SEC_WINNT_AUTH_IDENTITY_W *identity = auth_data;
    const WCHAR *name = identity && identity->User ? (const WCHAR *)identity->User : TOY_NOBODY;
    memset(user, 0, TOY_NAME * sizeof *user);
    wcsncpy(user, name, TOY_NAME - 1);
}

static SecBuffer *find(const SecBufferDesc *desc, ULONG type)
{
    for (ULONG i = 0; desc && i < desc->cBuffers; i++)
        if ((desc->pBuffers[i].BufferType & ~SECBUFFER_ATTRMASK) == type) return &desc->pBuffers[i];
    return NULL;
}

static SECURITY_STATUS write_token(const void *token, ULONG size, ULONG request, SecBufferDesc *output,
                                   void *(*allocate)(SIZE_T size), ULONG *attributes)
{
    SecBuffer *buffer = find(output, SECBUFFER_TOKEN);
    if (!buffer) return SEC_E_INVALID_TOKEN;
    if (request & ISC_REQ_ALLOCATE_MEMORY) {
        buffer->pvBuffer = allocate(size);
        if (!buffer->pvBuffer) return SEC_E_INSUFFICIENT_MEMORY;
        *attributes |= ISC_RET_ALLOCATED_MEMORY;
    } else if (buffer->cbBuffer < size) {
        return SEC_E_BUFFER_TOO_SMALL;
    }
    memcpy(buffer->pvBuffer, token, size);
    buffer->cbBuffer = size;
    return SEC_E_OK;
}

/* The token in INPUT if it is of that size and kind. */
static const void *read_token(const SecBufferDesc *input, ULONG size, const char magic[4])
{
    const SecBuffer *buffer = find(input, SECBUFFER_TOKEN);
    return buffer && buffer->cbBuffer == size && !memcmp(buffer->pvBuffer, magic, 4) ? buffer->pvBuffer : NULL;
}

static SECURITY_STATUS greet(struct toy *toy, const WCHAR *target, ULONG request, SecBufferDesc *output,
                             void *(*allocate)(SIZE_T size), ULONG *attributes)
{
    struct hello hello = {.nonce = GetTickCount() ^ (ULONG)(ULONG_PTR)toy};
    if (target && !wcscmp(target, TOY_UNREACHABLE)) return SEC_E_TARGET_UNKNOWN;
    toy->nonce = hello.nonce;
    memcpy(hello.magic, hello_magic, sizeof hello.magic);
    memcpy(hello.user, toy->user, sizeof hello.user);
    SECURITY_STATUS status = write_token(&hello, sizeof hello, request, output, allocate, attributes);
    return status ? status : SEC_I_CONTINUE_NEEDED;
}

static SECURITY_STATUS finish(struct toy *toy, ULONG client_nonce, ULONG server_nonce)
{
    toy->key = client_nonce * 31 + server_nonce;
    toy->complete = TRUE;
    return SEC_E_OK;
}

static SECURITY_STATUS reply(struct toy *toy, const struct hello *hello, ULONG request, SecBufferDesc *output,
                             void *(*allocate)(SIZE_T size), ULONG *attributes)
{
    struct answer answer = {.nonce = GetTickCount() * 7};
    memcpy(answer.magic, answer_magic, sizeof answer.magic);
    memcpy(toy->user, hello->user, sizeof toy->user);
    SECURITY_STATUS status = write_token(&answer, sizeof answer, request, output, allocate, attributes);
    return status ? status : finish(toy, hello->nonce, answer.nonce);
}

SECURITY_STATUS toy_leg(struct toy *toy, const WCHAR *target, ULONG request, const SecBufferDesc *input,
                        SecBufferDesc *output, void *(*allocate)(SIZE_T size), ULONG *attributes)
{
    *attributes = TOY_ATTRIBUTES;
    if (!toy->initiator) {
        const struct hello *hello = read_token(input, sizeof *hello, hello_magic);
        return hello ? reply(toy, hello, request, output, allocate, attributes) : SEC_E_INVALID_TOKEN;
    }
    if (!toy->nonce) return greet(toy, target, request, output, allocate, attributes);
    const struct answer *answer = read_token(input, sizeof *answer, answer_magic);
    return answer ? finish(toy, toy->nonce, answer->nonce) : SEC_E_INVALID_TOKEN;
}

/* Of everything that must not change on the way. */
static ULONG sum_of(const struct toy *toy, BOOL from_initiator, const struct signature *signature, ULONG sequence,
                    const SecBufferDesc *message)
{
    ULONG sum = toy->key ^ signature->counter * 17 ^ signature->qop * 257 ^ sequence * 4099 ^ (from_initiator ? 1 : 0);
    for (ULONG i = 0; i < message->cBuffers; i++) {
        const SecBuffer *buffer = &message->pBuffers[i];
        const BYTE *bytes = buffer->pvBuffer;
        if ((buffer->BufferType & ~SECBUFFER_ATTRMASK) != SECBUFFER_DATA) continue;
        for (ULONG j = 0; j < buffer->cbBuffer; j++) sum = (sum ^ bytes[j]) * 0x01000193;
    }
    return sum;
}

static void encrypt(ULONG key, const SecBufferDesc *message)
{
    for (ULONG i = 0; i < message->cBuffers; i++) {
        BYTE *bytes = message->pBuffers[i].pvBuffer;
        if (message->pBuffers[i].BufferType != SECBUFFER_DATA) continue;
        for (ULONG j = 0; j < message->pBuffers[i].cbBuffer; j++) bytes[j] ^= (BYTE)(key >> 8 * (j % 4)) ^ 0x5A;
    }
}

SECURITY_STATUS toy_protect(struct toy *toy, ULONG qop, SecBufferDesc *message, ULONG sequence, BOOL seal)
{
    SecBuffer *token = find(message, SECBUFFER_TOKEN);
    struct signature signature = {.counter = toy->sent, .qop = qop};
    if (!token || token->cbBuffer < sizeof signature) return SEC_E_INVALID_TOKEN;
    signature.sum = sum_of(toy, toy->initiator, &signature, sequence, message);
    memcpy(token->pvBuffer, &signature, sizeof signature);
    token->cbBuffer = sizeof signature;
    if (seal) encrypt(toy->key, message);
    toy->sent++;
    return SEC_E_OK;
}

SECURITY_STATUS toy_unprotect(struct toy *toy, SecBufferDesc *message, ULONG sequence, ULONG *qop, BOOL seal)
{
    const SecBuffer *token = find(message, SECBUFFER_TOKEN);
    struct signature signature;
    if (!token || token->cbBuffer != sizeof signature) return SEC_E_INVALID_TOKEN;
    memcpy(&signature, token->pvBuffer, sizeof signature);
    if (seal) encrypt(toy->key, message);
    if (signature.sum != sum_of(toy, !toy->initiator, &signature, sequence, message)) return SEC_E_MESSAGE_ALTERED;
    if (signature.counter != toy->received) return SEC_E_OUT_OF_SEQUENCE;
    toy->received++;
    if (qop) *qop = signature.qop;
    return SEC_E_OK;
}

static SECURITY_STATUS query_names(const struct toy *toy, SecPkgContext_NamesW *names, void *(*allocate)(SIZE_T size))
{
    names->sUserName = allocate(sizeof toy->user);
    if (!names->sUserName) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(names->sUserName, toy->user, sizeof toy->user);
    return SEC_E_OK;
}

SECURITY_STATUS toy_query(const struct toy *toy, ULONG attribute, void *buffer, void *(*allocate)(SIZE_T size))
{
    switch (attribute) {
    case SECPKG_ATTR_SIZES:
        *(SecPkgContext_Sizes *)buffer = (SecPkgContext_Sizes){TOY_MAX_TOKEN, TOY_MAX_SIGNATURE, 1, TOY_MAX_SIGNATURE};
        return SEC_E_OK;
    case SECPKG_ATTR_NAMES: return query_names(toy, buffer, allocate);
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
}

SECURITY_STATUS toy_copy_info(const SecPkgInfoW *info, SecPkgInfoW **copy, void *(*allocate)(SIZE_T size))
{
    const SIZE_T name = (wcslen(info->Name) + 1) * sizeof(WCHAR), comment = (wcslen(info->Comment) + 1) * sizeof(WCHAR);
    *copy = allocate(sizeof **copy + name + comment);
    if (!*copy) return SEC_E_INSUFFICIENT_MEMORY;
    **copy = *info;
    (*copy)->Name = memcpy(*copy + 1, info->Name, name);
    (*copy)->Comment = memcpy((BYTE *)(*copy + 1) + name, info->Comment, comment);
    return SEC_E_OK;
}

void *toy_copy_to_page_end(const void *bytes, SIZE_T size)
{
    const SIZE_T page = 4096;
    DWORD old;
    BYTE *pages = VirtualAlloc(NULL, 2 * page, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (!pages || !VirtualProtect(pages + page, page, PAGE_NOACCESS, &old)) return NULL;
    return memcpy(pages + page - size, bytes, size);
}
