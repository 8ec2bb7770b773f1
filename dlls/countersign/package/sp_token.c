/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Access tokens. Where Wine has NtCreateToken (10 and later) it carries the client's own SID and groups; before that it
 * is a duplicate of the process's. Either way its mark says whose it is, and that is what counts here.
 */
#include "sp_token.h"

#include "client_token.h"
#include "sp_token_make.h"

/* Tokens that outlive their contexts. Taken off whole and put back: no thread waits for another that died. */
static struct sp_token *volatile lingering;

static void destroy(struct sp_token *token)
{
    struct cs_block_object block = {token->client};
    if (token->token) {
        SetHandleInformation(token->token, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0);
        CloseHandle(token->token);
    }
    if (token->client) CountersignCall(CS_CALL_RELEASE_CLIENT, &block);
    HeapFree(GetProcessHeap(), 0, token);
}

/* Our own handle and the question itself are one holder each; threads that impersonate, and other handles, are more. */
static BOOL is_held(const struct sp_token *token)
{
    PUBLIC_OBJECT_BASIC_INFORMATION info;
    if (NtQueryObject(token->token, ObjectBasicInformation, &info, sizeof info, NULL)) return TRUE;
    return info.HandleCount > 1 || info.PointerCount > 2;
}

static void linger(struct sp_token *token)
{
    struct sp_token *head;
    do token->next = head = lingering;
    while (InterlockedCompareExchangePointer((void *volatile *)&lingering, token, head) != head);
}

static void sweep(void)
{
    struct sp_token *token = lingering ? InterlockedExchangePointer((void *volatile *)&lingering, NULL) : NULL;
    while (token) {
        struct sp_token *next = token->next;
        if (is_held(token))
            linger(token);
        else
            destroy(token);
        token = next;
    }
}

void sp_token_release(struct sp_token *token)
{
    if (!token) return;
    sweep();
    if (is_held(token))
        linger(token);
    else
        destroy(token);
}

static NTSTATUS make(struct sp_context *context, struct sp_token **out)
{
    struct cs_block_client client = {.session = sp_session(context)};
    NTSTATUS status = CountersignCall(CS_CALL_SESSION_CLIENT, &client);
    if (status) return status;
    struct sp_token *token = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *token);
    struct cs_block_object block = {client.client};
    if (!token) {
        CountersignCall(CS_CALL_RELEASE_CLIENT, &block);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    token->client = client.client;
    status = sp_token_make(&client, &token->token);
    if (status) {
        destroy(token);
        return status;
    }
    SetHandleInformation(token->token, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAG_PROTECT_FROM_CLOSE);
    *out = token;
    return SEC_E_OK;
}

NTSTATUS sp_context_token(struct sp_context *context, HANDLE *token)
{
    struct sp_token *made = context->token;
    if (context->failed) return context->failed;
    if (!sp_session(context)) return SEC_E_INVALID_HANDLE;
    if (context->given) {
        *token = context->given;
        return SEC_E_OK;
    }
    if (!made) {
        sweep();
        NTSTATUS status = make(context, &made);
        if (status) return status;
        struct sp_token *others = InterlockedCompareExchangePointer((void *volatile *)&context->token, made, NULL);
        if (others) {
            destroy(made);
            made = others;
        }
    }
    *token = made->token;
    return SEC_E_OK;
}

NTSTATUS NTAPI sp_get_context_token(LSA_SEC_HANDLE handle, PHANDLE token)
{
    return sp_context_token((struct sp_context *)handle, token);
}
