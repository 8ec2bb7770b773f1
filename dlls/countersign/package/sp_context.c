/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A package's contexts while they are established.
 */
#include "credman.h"
#include "package.h"
#include "sp_token.h"

#include <string.h>

/* Both roles' flags have these two values. */
#define REQ_ALLOCATE_MEMORY ISC_REQ_ALLOCATE_MEMORY
#define RET_ALLOCATED_MEMORY ISC_RET_ALLOCATED_MEMORY

/* One call of either function, with what the caller gave. */
struct leg_call {
    struct sp_credential *credential;
    struct sp_context *context; /* NULL on the first leg */
    const UNICODE_STRING *target;
    BOOL initiator;
    ULONG request;
    SecBufferDesc *input, *output;
};

static SecBuffer *find_buffer(SecBufferDesc *desc, ULONG type)
{
    for (ULONG i = 0; desc && i < desc->cBuffers; i++)
        if ((desc->pBuffers[i].BufferType & ~SECBUFFER_ATTRMASK) == type) return &desc->pBuffers[i];
    return NULL;
}

static struct cs_bytes bytes_of(const SecBuffer *buffer)
{
    return buffer && buffer->pvBuffer ? sp_bytes(buffer->pvBuffer, buffer->cbBuffer) : sp_bytes(NULL, 0);
}

static ULONG room_of(const SecBuffer *token, ULONG request)
{
    if (request & REQ_ALLOCATE_MEMORY) return token ? MAXLONG : 0;
    return token && token->pvBuffer ? token->cbBuffer : 0;
}

static void fill_leg(const struct leg_call *call, const SecBuffer *output, struct cs_block_leg *block)
{
    memset(block, 0, sizeof *block);
    block->context = call->context ? call->context->context : 0;
    block->credential = call->credential ? call->credential->credential : 0;
    block->initiator = call->initiator;
    block->request = call->request;
    if (call->target) block->target = sp_bytes(call->target->Buffer, call->target->Length);
    block->input = bytes_of(find_buffer(call->input, SECBUFFER_TOKEN));
    block->bindings = bytes_of(find_buffer(call->input, SECBUFFER_CHANNEL_BINDINGS));
    block->room = room_of(output, call->request);
}

/* Runs the leg; with default credentials the credential manager may know better ones for this target. */
static NTSTATUS run_leg(const struct leg_call *call, struct cs_block_leg *block)
{
    struct stored_credential stored = {0};
    if (call->initiator && !call->context && call->credential->is_default && call->target)
        credman_find(call->target, &stored);
    if (stored.found) block->identity = stored.identity;
    NTSTATUS status = CountersignCall(CS_CALL_LEG, block);
    credman_release(&stored);
    return status;
}

static BOOL is_fault(NTSTATUS status)
{
    return status == (NTSTATUS)STATUS_ACCESS_VIOLATION;
}

static NTSTATUS fetch_token(const struct cs_block_leg *block, void *room)
{
    struct cs_block_fetch fetch = {
        .context = block->context, .token = sp_bytes(room, block->token_size), .token_number = block->token_number};
    return CountersignCall(CS_CALL_FETCH_TOKEN, &fetch);
}

static NTSTATUS allocate_token(SecBuffer *output, const struct leg_call *call, const struct cs_block_leg *block,
                               ULONG *attributes)
{
    void *room = block->token_size ? sp_allocate(block->token_size) : NULL;
    if (block->token_size && !room) return SEC_E_INSUFFICIENT_MEMORY;
    NTSTATUS status = room ? fetch_token(block, room) : SEC_E_OK;
    if (status) {
        sp_free(room);
        return status;
    }
    if (room || call->initiator) *attributes |= RET_ALLOCATED_MEMORY;
    output->pvBuffer = room;
    output->cbBuffer = block->token_size;
    return SEC_E_OK;
}

/* A token that fitted: into the caller's buffer, or into memory for it. An empty one leaves neither. */
static NTSTATUS deliver_token(SecBuffer *output, const struct leg_call *call, const struct cs_block_leg *block,
                              ULONG *attributes)
{
    if (!output) return SEC_E_OK;
    if (call->request & REQ_ALLOCATE_MEMORY) return allocate_token(output, call, block, attributes);
    NTSTATUS status = block->token_size ? fetch_token(block, output->pvBuffer) : SEC_E_OK;
    if (status == SEC_E_OK) output->cbBuffer = block->token_size;
    return status;
}

static NTSTATUS pack_session(struct sp_context *context, const struct cs_block_leg *block, BOOLEAN *mapped,
                             SecBuffer *packed)
{
    struct sp_packed_context *pack = sp_allocate(sizeof *pack);
    if (!pack) return SEC_E_INSUFFICIENT_MEMORY;
    *pack = (struct sp_packed_context){.version = CS_BLOCKS_VERSION, .session = block->session};
    *packed = (SecBuffer){sizeof *pack, SECBUFFER_TOKEN, pack};
    __atomic_store_n(&context->session, block->session, __ATOMIC_RELEASE);
    *mapped = TRUE;
    return SEC_E_OK;
}

static void release_unix(UINT64 context)
{
    struct cs_block_object block = {context};
    if (context) CountersignCall(CS_CALL_RELEASE_CONTEXT, &block);
}

/*
 * The first leg makes the context and keeps nothing if it fails, so that the program may try again with the same
 * credential (behaviour.md rows 90 to 95). A later leg leaves a failed context to be deleted.
 */
static NTSTATUS first_context(struct leg_call *call, const struct cs_block_leg *block, NTSTATUS status)
{
    struct sp_context *context = status < 0 ? NULL : HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *context);
    if (!context) {
        release_unix(block->context);
        return status < 0 ? status : SEC_E_INSUFFICIENT_MEMORY;
    }
    context->context = block->context;
    call->context = context;
    return status;
}

/* Refusals may come with a token that tells the peer why (ASC_REQ_EXTENDED_ERROR). */
static NTSTATUS deliver_refusal(struct leg_call *call, SecBuffer *output, struct cs_block_leg *block, ULONG *attributes,
                                NTSTATUS status)
{
    if (!block->token_size || !is_fault(deliver_token(output, call, block, attributes))) return status;
    if (call->context)
        call->context->failed = SEC_E_INTERNAL_ERROR;
    else
        block->context = 0; /* not to be freed, for its lock may be held */
    return STATUS_ACCESS_VIOLATION;
}

static NTSTATUS run(struct leg_call *call, LSA_SEC_HANDLE *new_context, ULONG *attributes, PTimeStamp expiry,
                    BOOLEAN *mapped, SecBuffer *packed)
{
    struct cs_block_leg block;
    SecBuffer *output = find_buffer(call->output, SECBUFFER_TOKEN);
    const BOOL first = !call->context;
    if (!first && call->context->failed) return call->context->failed;

    fill_leg(call, output, &block);
    NTSTATUS status = run_leg(call, &block);
    if (is_fault(status) && !first) call->context->failed = SEC_E_INTERNAL_ERROR;
    /* Windows: a buffer that says it has room and has none (behaviour.md row 91) */
    if (status == SEC_E_BUFFER_TOO_SMALL && output && output->cbBuffer && !output->pvBuffer)
        status = SEC_E_INTERNAL_ERROR;
    if (status < 0) status = deliver_refusal(call, output, &block, attributes, status);
    if (first) status = first_context(call, &block, status);
    if (status < 0) return status;

    *new_context = (LSA_SEC_HANDLE)call->context;
    *attributes = block.granted;
    if (expiry) sp_time_stamp(block.expiry, expiry);
    NTSTATUS delivered = deliver_token(output, call, &block, attributes);
    if (is_fault(delivered)) call->context->failed = SEC_E_INTERNAL_ERROR;
    if (delivered == SEC_E_OK && block.session) delivered = pack_session(call->context, &block, mapped, packed);
    if (delivered && first) sp_delete_context(*new_context);
    return delivered ? delivered : status;
}

NTSTATUS NTAPI sp_init_lsa_mode_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context, PUNICODE_STRING target,
                                        ULONG request, ULONG data_rep, PSecBufferDesc input,
                                        PLSA_SEC_HANDLE new_context, PSecBufferDesc output, PULONG attributes,
                                        PTimeStamp expiry, PBOOLEAN mapped, PSecBuffer packed)
{
    struct leg_call call = {
        (struct sp_credential *)credential, (struct sp_context *)context, target, TRUE, request, input, output};
    (void)data_rep;
    return run(&call, new_context, attributes, expiry, mapped, packed);
}

NTSTATUS NTAPI sp_accept_lsa_mode_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context, PSecBufferDesc input,
                                          ULONG request, ULONG data_rep, PLSA_SEC_HANDLE new_context,
                                          PSecBufferDesc output, PULONG attributes, PTimeStamp expiry, PBOOLEAN mapped,
                                          PSecBuffer packed)
{
    struct leg_call call = {
        (struct sp_credential *)credential, (struct sp_context *)context, NULL, FALSE, request, input, output};
    (void)data_rep;
    return run(&call, new_context, attributes, expiry, mapped, packed);
}

NTSTATUS NTAPI sp_delete_context(LSA_SEC_HANDLE handle)
{
    struct sp_context *context = (struct sp_context *)handle;
    sp_token_release(context->token);
    /* After a fault its lock may be held: freed, it would stay in the list of the thread that holds it. */
    if (!sp_faulted(context)) release_unix(context->context);
    HeapFree(GetProcessHeap(), 0, context);
    return SEC_E_OK;
}

NTSTATUS NTAPI sp_init_user_mode_context(LSA_SEC_HANDLE handle, PSecBuffer packed)
{
    struct sp_context *context = (struct sp_context *)handle;
    const struct sp_packed_context *pack = packed->pvBuffer;
    if (packed->cbBuffer != sizeof *pack || pack->version != CS_BLOCKS_VERSION) return SEC_E_INVALID_TOKEN;
    __atomic_store_n(&context->session, pack->session, __ATOMIC_RELEASE);
    return SEC_E_OK;
}

/* The session lives in the context, which SpDeleteContext frees; an imported one has no such half. */
NTSTATUS NTAPI sp_delete_user_mode_context(LSA_SEC_HANDLE handle)
{
    struct sp_context *context = (struct sp_context *)handle;
    struct cs_block_object block = {context->session};
    if (context->context) return SEC_E_OK;
    if (!sp_faulted(context)) CountersignCall(CS_CALL_RELEASE_SESSION, &block);
    sp_token_release(context->token);
    if (context->given) CloseHandle(context->given);
    HeapFree(GetProcessHeap(), 0, context);
    return SEC_E_OK;
}
