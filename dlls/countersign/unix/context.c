/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The part of establishing that is the same for every mechanism: whose turn it is, the token that waits to be
 * fetched, and what a failed context answers.
 */
#include "context.h"

#include "client.h"

#include "secure.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

enum phase { IN_PROGRESS, COMPLETE, FAILED };

struct cs_context {
    pthread_mutex_t lock;
    struct cs_credential *credential;
    const struct cs_mechanism *mechanism;
    bool initiator;
    enum phase phase;
    SECURITY_STATUS status; /* of the last leg */
    bool undelivered;       /* the last leg's token did not fit */
    uint8_t input_digest[SHA256_DIGEST_SIZE];
    void *state;
    struct cs_writer output;
    uint32_t token_number; /* of what is in OUTPUT */
    uint32_t granted;
    int64_t expiry;
    struct cs_session *session;
    struct cs_session *ready; /* session, once it may be used: read by other threads without the lock */
};

void cs_credential_addref(struct cs_credential *credential)
{
    __atomic_add_fetch(&credential->references, 1, __ATOMIC_RELAXED);
}

void cs_credential_release(struct cs_credential *credential)
{
    if (!credential || __atomic_sub_fetch(&credential->references, 1, __ATOMIC_ACQ_REL)) return;
    credential->mechanism->release_credential(credential);
}

SECURITY_STATUS cs_acquire_credential(const struct cs_mechanism *mechanism, const struct cs_credential_request *request,
                                      struct cs_credential **credential)
{
    *credential = request->client ? cs_client_onward(request->client, mechanism) : NULL;
    if (*credential) return SEC_E_OK;
    SECURITY_STATUS status = mechanism->acquire(request, credential);
    if (status) return status;
    (*credential)->mechanism = mechanism;
    (*credential)->references = 1;
    (*credential)->use = request->use;
    /* In its client's name a server is no server: its keys are its own. */
    if (request->identity.kind == CS_IDENTITY_CLIENT) (*credential)->use &= SECPKG_CRED_OUTBOUND;
    return SEC_E_OK;
}

static SECURITY_STATUS create_context(struct cs_context **out, const struct cs_leg *leg, bool initiator)
{
    const uint32_t needed = initiator ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND;
    if (!leg->credential) return SEC_E_INVALID_HANDLE;
    if (!(leg->credential->use & needed)) return SEC_E_NO_CREDENTIALS;
    struct cs_context *context = calloc(1, sizeof *context);
    if (!context || !cs_lock_init(&context->lock)) {
        free(context);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    context->credential = leg->credential;
    cs_credential_addref(context->credential);
    context->mechanism = leg->credential->mechanism;
    context->initiator = initiator;
    context->phase = IN_PROGRESS;
    *out = context;
    context->state = context->mechanism->begin(leg, initiator);
    return context->state ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static void digest_input(const struct cs_leg *leg, uint8_t digest[SHA256_DIGEST_SIZE])
{
    struct sha256_ctx sha;
    sha256_init(&sha);
    if (leg->input.size) sha256_update(&sha, leg->input.size, leg->input.data);
    sha256_digest(&sha, SHA256_DIGEST_SIZE, digest);
}

static void end_establishing(struct cs_context *context)
{
    if (context->state) context->mechanism->end(context->state);
    context->state = NULL;
}

static void mark_failed(struct cs_context *context, SECURITY_STATUS status)
{
    context->phase = FAILED;
    context->status = status;
    context->undelivered = false;
    __atomic_store_n(&context->ready, NULL, __ATOMIC_RELEASE);
}

static SECURITY_STATUS fail(struct cs_context *context, SECURITY_STATUS status)
{
    cs_writer_drop(&context->output);
    if (context->phase != COMPLETE) {
        cs_session_release(context->session);
        context->session = NULL;
    }
    end_establishing(context);
    mark_failed(context, status);
    return status;
}

/* The failure is final, but the peer is told why by what the mechanism wrote. */
static SECURITY_STATUS fail_with_token(struct cs_context *context, struct cs_leg *leg, SECURITY_STATUS status)
{
    struct cs_writer output = context->output;
    context->output = (struct cs_writer){0};
    fail(context, status);
    if (output.failed || output.size > leg->room) {
        cs_writer_drop(&output);
        return status;
    }
    context->output = output;
    leg->token_size = output.size;
    leg->token_number = context->token_number;
    return status;
}

/* A thread died inside: what it was writing may be half there, so that nothing of it can be freed. */
static SECURITY_STATUS abandon(struct cs_context *context)
{
    context->state = NULL;
    context->output = (struct cs_writer){0};
    if (context->phase != COMPLETE) context->session = NULL;
    mark_failed(context, SEC_E_INTERNAL_ERROR);
    return SEC_E_INTERNAL_ERROR;
}

static SECURITY_STATUS run_step(struct cs_context *context, struct cs_leg *leg)
{
    cs_writer_drop(&context->output);
    context->token_number++;
    leg->credential = context->credential;
    leg->expiry = context->credential->expiry;
    SECURITY_STATUS status = context->mechanism->step(context->state, leg, &context->output, &context->session);
    if (status == STATUS_NO_SUCH_USER) status = SEC_E_LOGON_DENIED;
    if (status < 0) return leg->error_token ? fail_with_token(context, leg, status) : fail(context, status);
    if (context->output.failed) return fail(context, SEC_E_INSUFFICIENT_MEMORY);
    context->granted = leg->granted;
    context->expiry = leg->expiry;
    context->status = status;
    if (status == SEC_E_OK) {
        context->phase = COMPLETE;
        __atomic_store_n(&context->ready, context->session, __ATOMIC_RELEASE);
        end_establishing(context);
    }
    return status;
}

/* The caller asks again for a token that did not fit. An input of its own would be a leg that nobody ran. */
static SECURITY_STATUS check_repeat(const struct cs_context *context, const struct cs_leg *leg)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    digest_input(leg, digest);
    return cs_same(digest, context->input_digest, sizeof digest) ? context->status : SEC_E_INVALID_TOKEN;
}

static SECURITY_STATUS deliver(struct cs_context *context, struct cs_leg *leg, SECURITY_STATUS status)
{
    context->undelivered = context->output.size > leg->room;
    if (context->undelivered) {
        digest_input(leg, context->input_digest);
        return SEC_E_BUFFER_TOO_SMALL;
    }
    leg->granted = context->granted;
    leg->expiry = context->expiry;
    leg->token_size = context->output.size;
    leg->token_number = context->token_number;
    return status;
}

static SECURITY_STATUS run_leg(struct cs_context *context, struct cs_leg *leg)
{
    SECURITY_STATUS status;
    if (context->phase == FAILED) return context->status;
    if (context->undelivered)
        status = check_repeat(context, leg);
    else if (context->phase == COMPLETE)
        status = context->initiator ? SEC_E_INVALID_HANDLE : STATUS_LOGON_FAILURE;
    else
        status = run_step(context, leg);
    return status < 0 ? status : deliver(context, leg, status);
}

static SECURITY_STATUS establish(struct cs_context **context, struct cs_leg *leg, bool initiator)
{
    SECURITY_STATUS status = *context ? SEC_E_OK : create_context(context, leg, initiator);
    if (status) return *context ? fail(*context, status) : status;
    if ((*context)->initiator != initiator) return SEC_E_INVALID_HANDLE;
    status = cs_lock(&(*context)->lock) ? run_leg(*context, leg) : abandon(*context);
    cs_unlock(&(*context)->lock);
    return status;
}

SECURITY_STATUS cs_initialize(struct cs_context **context, struct cs_leg *leg)
{
    return establish(context, leg, true);
}

SECURITY_STATUS cs_accept(struct cs_context **context, struct cs_leg *leg)
{
    return establish(context, leg, false);
}

SECURITY_STATUS cs_fetch_token(struct cs_context *context, uint32_t number, void *room, size_t size)
{
    SECURITY_STATUS status = SEC_E_OK;
    if (!cs_lock(&context->lock))
        status = abandon(context);
    else if (number != context->token_number || !context->output.size)
        status = SEC_E_INVALID_TOKEN;
    else if (context->output.size > size)
        status = SEC_E_BUFFER_TOO_SMALL;
    else
        memcpy(room, context->output.data, context->output.size);
    if (status == SEC_E_OK && context->phase == COMPLETE) cs_writer_drop(&context->output);
    cs_unlock(&context->lock);
    return status;
}

struct cs_span cs_token(const struct cs_context *context)
{
    return cs_written(&context->output);
}

struct cs_session *cs_context_session(const struct cs_context *context)
{
    return __atomic_load_n(&context->ready, __ATOMIC_ACQUIRE);
}

void cs_context_release(struct cs_context *context)
{
    if (!context) return;
    cs_session_release(context->session);
    end_establishing(context);
    cs_writer_drop(&context->output);
    cs_credential_release(context->credential);
    pthread_mutex_destroy(&context->lock);
    cs_wipe_free(context, sizeof *context);
}
