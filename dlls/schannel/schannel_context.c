/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Legs: InitializeSecurityContext and AcceptSecurityContext (behaviour.md section 6).
 */
#include "schannel.h"

/* Both roles' flags have these two values. */
#define REQ_ALLOCATE_MEMORY ISC_REQ_ALLOCATE_MEMORY
#define RET_ALLOCATED_MEMORY ISC_RET_ALLOCATED_MEMORY

/* One call of either function, with what the caller gave. */
struct call {
    struct schannel_credential *credential; /* NULL on a later leg: none was given */
    struct schannel_context *context;
    BOOL first;
    ULONG request;
    SecBuffer *input, *rest, *protocols;        /* TOKEN, the EMPTY that tells of what is left, APPLICATION_PROTOCOLS */
    SecBuffer *srtp_profiles, *srtp_identifier; /* DTLS, first leg */
    SecBuffer *mtu, *address; /* DTLS: SEC_DTLS_MTU; a server's EXTRA, the client's SOCKADDR, for its cookie */
    SecBuffer *output, *alert;
};

static SecBuffer *find_buffer(const SecBufferDesc *desc, ULONG type)
{
    for (ULONG i = 0; desc && i < desc->cBuffers; i++)
        if ((desc->pBuffers[i].BufferType & ~SECBUFFER_ATTRMASK) == type) return &desc->pBuffers[i];
    return NULL;
}

/* libcurl's first leg has EMPTY for its output, in memory that Schannel is to allocate; it becomes the TOKEN. */
static SecBuffer *find_output(const SecBufferDesc *output, ULONG request)
{
    SecBuffer *token = find_buffer(output, SECBUFFER_TOKEN);
    SecBuffer *empty = request & REQ_ALLOCATE_MEMORY ? find_buffer(output, SECBUFFER_EMPTY) : NULL;
    if (token || !empty) return token;
    *empty = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    return empty;
}

/* Schannel allocates also where the caller has named a size and no memory (row 161). */
static BOOL allocates(const struct call *call)
{
    return call->request & REQ_ALLOCATE_MEMORY || (call->output->cbBuffer && !call->output->pvBuffer);
}

static NTSTATUS take_call(const SecBufferDesc *input, const SecBufferDesc *output, struct call *call)
{
    call->output = find_output(output, call->request);
    call->alert = find_buffer(output, SECBUFFER_ALERT);
    call->input = find_buffer(input, SECBUFFER_TOKEN);
    call->rest = find_buffer(input, SECBUFFER_EMPTY);
    call->protocols = find_buffer(input, SECBUFFER_APPLICATION_PROTOCOLS);
    call->srtp_profiles = find_buffer(input, SECBUFFER_SRTP_PROTECTION_PROFILES);
    call->srtp_identifier = find_buffer(input, SECBUFFER_SRTP_MASTER_KEY_IDENTIFIER);
    call->mtu = find_buffer(input, SECBUFFER_DTLS_MTU);
    call->address = find_buffer(input, SECBUFFER_EXTRA);
    if (!call->output) return SEC_E_INVALID_TOKEN;                      /* row 162 */
    if (call->rest && call->rest->cbBuffer) return SEC_E_INVALID_TOKEN; /* row 170 */
    if (call->alert && !call->alert->cbBuffer && !(call->request & REQ_ALLOCATE_MEMORY))
        return SEC_E_INSUFFICIENT_MEMORY; /* row 155 */
    return SEC_E_OK;
}

static struct cs_bytes bytes_of(const SecBuffer *buffer)
{
    return buffer && buffer->pvBuffer ? sp_bytes(buffer->pvBuffer, buffer->cbBuffer) : sp_bytes(NULL, 0);
}

/* Said with any leg, or by SetContextAttributes; what is out of range counts as its end. */
static UINT32 mtu_of(const struct call *call)
{
    WORD said;
    if (!call->mtu || !call->mtu->pvBuffer || call->mtu->cbBuffer < sizeof said) return call->context->settings.mtu;
    memcpy(&said, call->mtu->pvBuffer, sizeof said);
    call->context->settings.mtu = said < LEAST_MTU ? LEAST_MTU : said;
    return call->context->settings.mtu;
}

static void fill_datagram(const struct call *call, struct cs_block_tls_leg *block)
{
    if (!call->context->datagram) return;
    block->flags |= LEG_DATAGRAM;
    block->mtu = mtu_of(call);
    block->srtp_profiles = bytes_of(call->srtp_profiles);
    block->srtp_identifier = bytes_of(call->srtp_identifier);
    if (call->context->credential->server && call->request & ASC_REQ_DATAGRAM) block->address = bytes_of(call->address);
}

/*
 * Whose certificates the program looks at itself. A server says so by taking the mapping to accounts away, as those of
 * .NET do, which let their callbacks decide of clients' certificates; on Windows these come through.
 */
static BOOL trusts_peer(const struct call *call)
{
    const struct schannel_credential *credential = call->context->credential;
    const DWORD by_itself = SCH_CRED_MANUAL_CRED_VALIDATION | (credential->server ? SCH_CRED_NO_SYSTEM_MAPPER : 0);
    const ULONG manual = credential->server ? 0 : ISC_REQ_MANUAL_CRED_VALIDATION;
    if (credential->flags & SCH_CRED_AUTO_CRED_VALIDATION) return FALSE;
    return credential->flags & by_itself || call->request & manual;
}

static void fill_leg(const struct call *call, struct cs_block_tls_leg *block)
{
    const struct schannel_context *context = call->context;
    const struct schannel_credential *credential = call->credential ? call->credential : context->credential;
    *block = (struct cs_block_tls_leg){.context = context->context, .credential = credential->credential};
    if (trusts_peer(call)) block->flags |= LEG_TRUST_PEER;
    if (credential->server && call->request & ASC_REQ_MUTUAL_AUTH) block->flags |= LEG_ASK_PEER;
    if (!credential->server && !(call->request & ISC_REQ_USE_SUPPLIED_CREDS)) block->flags |= LEG_TELL_ASKED;
    if (!call->input || (call->first && !call->input->cbBuffer)) block->flags |= LEG_NO_INPUT;
    if (context->target) block->target = sp_bytes(context->target, wcslen(context->target) * sizeof(WCHAR));
    block->input = bytes_of(call->input);
    block->protocols = bytes_of(call->protocols);
    block->room = allocates(call) ? MAXLONG : call->output->cbBuffer;
    fill_datagram(call, block);
}

/* Wherever the Unix half wants to know, Windows's chain engine is asked, and the leg goes on. */
static NTSTATUS run_leg(const struct call *call, struct cs_block_tls_leg *block)
{
    enum { VERIFY_PEER = 1 }; /* TLS_I_VERIFY_PEER */
    NTSTATUS status = CountersignCall(CS_CALL_TLS_LEG, block);
    UINT32 consumed = block->consumed;
    while (status == VERIFY_PEER) {
        call->context->context = block->context;
        block->verdict = schannel_verify_peer(call->context);
        block->flags |= LEG_VERDICT;
        if (block->input.address) block->input.address += block->consumed;
        block->input.size -= block->consumed;
        status = CountersignCall(CS_CALL_TLS_LEG, block);
        consumed += block->consumed;
    }
    block->consumed = consumed;
    call->context->context = block->context;
    if (status == (NTSTATUS)STATUS_ACCESS_VIOLATION) call->context->failed = SEC_E_INTERNAL_ERROR;
    return status;
}

/* The same leg once more, with a certificate of the user's, if there is one; else the program hears of it. */
static NTSTATUS answer_by_default(const struct call *call, struct cs_block_tls_leg *block)
{
    const struct schannel_credential *given = call->credential ? call->credential : call->context->credential;
    struct schannel_credential *chosen = schannel_default_credential(call->context, given);
    if (!chosen) return SEC_I_INCOMPLETE_CREDENTIALS;
    fill_leg(call, block);
    block->credential = chosen->credential;
    const NTSTATUS status = run_leg(call, block);
    schannel_credential_release(chosen); /* the context has a reference to what is behind it */
    return status;
}

static NTSTATUS deliver_token(const struct call *call, const struct cs_block_tls_leg *block)
{
    struct cs_block_fetch fetch = {.context = block->context};
    SecBuffer *output = call->output;
    if (block->token_size && allocates(call)) {
        output->pvBuffer = sp_allocate(block->token_size);
        if (!output->pvBuffer) return SEC_E_INSUFFICIENT_MEMORY;
    } else if (allocates(call)) {
        output->pvBuffer = NULL;
    }
    output->cbBuffer = block->token_size;
    if (!block->token_size) return SEC_E_OK;
    fetch.token = sp_bytes(output->pvBuffer, output->cbBuffer);
    return CountersignCall(CS_CALL_TLS_FETCH_TOKEN, &fetch);
}

/* What is left of the input is EXTRA; what is missing, MISSING (rows 167 to 169). After SEC_I_INCOMPLETE_CREDENTIALS
 * all of it comes once more. */
static void tell_rest(const struct call *call, const struct cs_block_tls_leg *block, NTSTATUS status)
{
    if (!call->rest || !call->input) return;
    if (status == SEC_E_INCOMPLETE_MESSAGE) {
        *call->rest = (SecBuffer){block->missing, SECBUFFER_MISSING, NULL};
    } else if (status >= 0 && status != SEC_I_INCOMPLETE_CREDENTIALS && block->consumed < call->input->cbBuffer) {
        BYTE *left = (BYTE *)call->input->pvBuffer + block->consumed;
        *call->rest = (SecBuffer){call->input->cbBuffer - block->consumed, SECBUFFER_EXTRA, left};
    }
}

/* Some are there whatever is asked for (row 173). */
static ULONG client_flags(const struct call *call)
{
    const ULONG same = ISC_REQ_USE_SUPPLIED_CREDS | ISC_REQ_EXTENDED_ERROR | ISC_REQ_MANUAL_CRED_VALIDATION |
                       ISC_REQ_CONNECTION | ISC_REQ_INTEGRITY | ISC_REQ_MUTUAL_AUTH | ISC_REQ_DATAGRAM;
    ULONG flags = ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT | ISC_RET_CONFIDENTIALITY | ISC_RET_STREAM;
    return flags | (call->request & same);
}

/* There is a certificate of the client's, and it is good (attributes.tsv, flags), also where that stopped nobody. */
static BOOL is_client_known(const struct call *call)
{
    struct cs_block_text chain = {.object = call->context->context, .which = PEER_CHAIN};
    if (CountersignCall(CS_CALL_TLS_QUERY_BYTES, &chain)) return FALSE;
    return !trusts_peer(call) || schannel_verify_peer(call->context) == SEC_E_OK;
}

static ULONG server_flags(const struct call *call, NTSTATUS status)
{
    const ULONG same = ASC_REQ_EXTENDED_ERROR | ASC_REQ_CONNECTION | ASC_REQ_INTEGRITY | ASC_REQ_DATAGRAM;
    ULONG flags = ASC_RET_REPLAY_DETECT | ASC_RET_SEQUENCE_DETECT | ASC_RET_CONFIDENTIALITY | ASC_RET_STREAM;
    if (status == SEC_E_OK && call->request & ASC_REQ_MUTUAL_AUTH && is_client_known(call))
        flags |= ASC_RET_MUTUAL_AUTH;
    return flags | (call->request & same);
}

static void give_flags(const struct call *call, NTSTATUS status, ULONG *attributes)
{
    ULONG flags = call->context->credential->server ? server_flags(call, status) : client_flags(call);
    call->context->flags = flags;
    if (allocates(call)) flags |= RET_ALLOCATED_MEMORY;
    *attributes = flags;
}

/* A failure's alert goes out only to who has asked for it; otherwise there is no token (row 163). */
static NTSTATUS give_failure(const struct call *call, const struct cs_block_tls_leg *block, NTSTATUS status)
{
    const ULONG asks = call->context->credential->server ? ASC_REQ_EXTENDED_ERROR : ISC_REQ_EXTENDED_ERROR;
    if (status == SEC_E_INCOMPLETE_MESSAGE) return status;
    if (block->token_size && call->request & asks)
        deliver_token(call, block);
    else
        call->output->cbBuffer = 0;
    return status;
}

static NTSTATUS hand_over(struct schannel_context *context, BOOLEAN *mapped, SecBuffer *packed)
{
    FILETIME now;
    if (context->complete) return SEC_E_OK;
    *packed = (SecBuffer){0, SECBUFFER_TOKEN, sp_allocate(1)};
    if (!packed->pvBuffer) return SEC_E_INSUFFICIENT_MEMORY;
    context->complete = TRUE;
    GetSystemTimeAsFileTime(&now);
    context->started = (INT64)now.dwHighDateTime << 32 | now.dwLowDateTime;
    *mapped = TRUE;
    return SEC_E_OK;
}

static NTSTATUS run(struct call *call, ULONG *attributes, PTimeStamp expiry, BOOLEAN *mapped, SecBuffer *packed)
{
    struct cs_block_tls_leg block;
    if (call->context->failed) return call->context->failed;
    fill_leg(call, &block);
    NTSTATUS status = run_leg(call, &block);
    if (status == SEC_I_INCOMPLETE_CREDENTIALS) status = answer_by_default(call, &block);
    tell_rest(call, &block, status);
    if (call->alert) call->alert->cbBuffer = 0; /* row 157 */
    if (status < 0) return give_failure(call, &block, status);
    NTSTATUS given = deliver_token(call, &block);
    if (given == SEC_E_OK && status == SEC_E_OK) given = hand_over(call->context, mapped, packed);
    if (given) return given;
    give_flags(call, status, attributes);
    if (expiry && !(call->first && call->context->datagram)) sp_time_stamp(MAXLONGLONG, expiry); /* rows 179, 183 */
    return status;
}

static struct schannel_context *create(struct schannel_credential *credential, const UNICODE_STRING *target)
{
    struct schannel_context *context = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof *context);
    if (!context) return NULL;
    if (target && target->Length) {
        context->target = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, target->Length + sizeof(WCHAR));
        if (!context->target) {
            HeapFree(GetProcessHeap(), 0, context);
            return NULL;
        }
        memcpy(context->target, target->Buffer, target->Length);
    }
    InterlockedIncrement(&credential->references);
    context->credential = credential;
    return context;
}

NTSTATUS NTAPI schannel_delete_context(LSA_SEC_HANDLE handle)
{
    struct schannel_context *context = (struct schannel_context *)handle;
    struct cs_block_object block = {context->context};
    /* After a fault its lock may be held: freed, it would stay in the list of the thread that holds it. */
    if (context->context && !context->failed) CountersignCall(CS_CALL_TLS_RELEASE_CONTEXT, &block);
    schannel_credential_release(context->credential);
    schannel_settings_drop(&context->settings);
    HeapFree(GetProcessHeap(), 0, context->target);
    HeapFree(GetProcessHeap(), 0, context);
    return SEC_E_OK;
}

/* A credential of the other side's is none (errors.tsv). */
static NTSTATUS begin(struct call *call, const UNICODE_STRING *target, BOOL server)
{
    if (!call->first) return call->context->credential->server == server ? SEC_E_OK : SEC_E_INVALID_HANDLE;
    if (!call->credential || call->credential->server != server) return SEC_E_NO_CREDENTIALS;
    call->context = create(call->credential, target);
    if (!call->context) return SEC_E_INSUFFICIENT_MEMORY;
    call->context->datagram = (call->request & (server ? ASC_REQ_DATAGRAM : ISC_REQ_DATAGRAM)) != 0;
    return SEC_E_OK;
}

static NTSTATUS leg(struct call *call, const UNICODE_STRING *target, BOOL server, LSA_SEC_HANDLE *new_context,
                    const SecBufferDesc *input, const SecBufferDesc *output, ULONG *attributes, PTimeStamp expiry,
                    BOOLEAN *mapped, SecBuffer *packed)
{
    call->first = !call->context;
    NTSTATUS status = take_call(input, output, call);
    if (status && call->context && call->context->datagram)
        *attributes = ISC_RET_REPLAY_DETECT | ISC_RET_SEQUENCE_DETECT | ISC_RET_CONFIDENTIALITY; /* row 181 */
    if (status == SEC_E_OK) status = begin(call, target, server);
    if (status) return status;
    status = run(call, attributes, expiry, mapped, packed);
    *new_context = (LSA_SEC_HANDLE)call->context;
    if (call->first && status < 0) schannel_delete_context((LSA_SEC_HANDLE)call->context);
    return status;
}

NTSTATUS NTAPI schannel_init_lsa_mode_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context, PUNICODE_STRING target,
                                              ULONG request, ULONG data_rep, PSecBufferDesc input,
                                              PLSA_SEC_HANDLE new_context, PSecBufferDesc output, PULONG attributes,
                                              PTimeStamp expiry, PBOOLEAN mapped, PSecBuffer packed)
{
    struct call call = {.credential = (struct schannel_credential *)credential,
                        .context = (struct schannel_context *)context,
                        .request = request};
    (void)data_rep;
    return leg(&call, target, FALSE, new_context, input, output, attributes, expiry, mapped, packed);
}

NTSTATUS NTAPI schannel_accept_lsa_mode_context(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context, PSecBufferDesc input,
                                                ULONG request, ULONG data_rep, PLSA_SEC_HANDLE new_context,
                                                PSecBufferDesc output, PULONG attributes, PTimeStamp expiry,
                                                PBOOLEAN mapped, PSecBuffer packed)
{
    struct call call = {.credential = (struct schannel_credential *)credential,
                        .context = (struct schannel_context *)context,
                        .request = request};
    (void)data_rep;
    return leg(&call, NULL, TRUE, new_context, input, output, attributes, expiry, mapped, packed);
}
