/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NTLM exchanges through the A entry points, as most of the recorded facts were taken.
 */
#include "exchange.h"
#include "status.h"

#include <string.h>

SEC_WINNT_AUTH_IDENTITY_A ansi_identity(const char *user, const char *domain, const char *password)
{
    return (SEC_WINNT_AUTH_IDENTITY_A){
        .User = (unsigned char *)user,
        .UserLength = user ? (ULONG)strlen(user) : 0,
        .Domain = (unsigned char *)domain,
        .DomainLength = domain ? (ULONG)strlen(domain) : 0,
        .Password = (unsigned char *)password,
        .PasswordLength = password ? (ULONG)strlen(password) : 0,
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
    };
}

SECURITY_STATUS ntlm_credential(ULONG use, const SEC_WINNT_AUTH_IDENTITY_A *identity, CredHandle *credential)
{
    TimeStamp expiry;

    SecInvalidateHandle(credential);
    return AcquireCredentialsHandleA(NULL, (SEC_CHAR *)"NTLM", use, NULL, (void *)identity, NULL, NULL, credential,
                                     &expiry);
}

/* One buffer of type TOKEN; with an allocating call it starts empty. */
static SecBufferDesc describe_output(SecBuffer *buffer, struct leg *leg, bool allocates)
{
    *buffer = (SecBuffer){TOKEN_MAX, SECBUFFER_TOKEN, leg->output.bytes};
    if (allocates) *buffer = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    return (SecBufferDesc){SECBUFFER_VERSION, 1, buffer};
}

/* After a failure nothing was allocated, whatever the buffer says. */
static void finish_leg(struct leg *leg, const SecBuffer *buffer, bool allocates)
{
    bool failed = leg->status < 0;

    leg->made = true;
    leg->output_type = buffer->BufferType;
    leg->output_pointer = buffer->pvBuffer;
    leg->output.size = buffer->cbBuffer <= TOKEN_MAX ? buffer->cbBuffer : 0;
    if (!allocates || failed || !buffer->pvBuffer) return;
    memcpy(leg->output.bytes, buffer->pvBuffer, leg->output.size);
    FreeContextBuffer(buffer->pvBuffer);
}

void first_client_leg(CredHandle *credential, CtxtHandle *context, const struct exchange_request *request,
                      struct leg *leg)
{
    bool allocates = request->client_flags & ISC_REQ_ALLOCATE_MEMORY;
    SecBuffer buffer;
    SecBufferDesc output = describe_output(&buffer, leg, allocates);

    leg->status = InitializeSecurityContextA(credential, NULL, (SEC_CHAR *)request->target, request->client_flags, 0,
                                             request->data_representation, NULL, 0, context, &output, &leg->attributes,
                                             &leg->expiry);
    finish_leg(leg, &buffer, allocates);
}

static void last_client_leg(struct exchange *exchange, const struct exchange_request *request,
                            const struct token *challenge)
{
    struct leg *leg = &exchange->legs[CLIENT_LAST];
    bool allocates = request->client_flags & ISC_REQ_ALLOCATE_MEMORY;
    SecBuffer received = {challenge->size, SECBUFFER_TOKEN, (void *)challenge->bytes};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &received};
    SecBuffer buffer;
    SecBufferDesc output = describe_output(&buffer, leg, allocates);

    leg->status = InitializeSecurityContextA(NULL, &exchange->client, (SEC_CHAR *)request->target,
                                             request->client_flags, 0, request->data_representation, &input, 0,
                                             &exchange->client, &output, &leg->attributes, &leg->expiry);
    finish_leg(leg, &buffer, allocates);
}

static void server_leg(struct exchange *exchange, const struct exchange_request *request, int which)
{
    struct leg *leg = &exchange->legs[which];
    struct token *message = &exchange->legs[which - 1].output;
    bool allocates = request->server_flags & ASC_REQ_ALLOCATE_MEMORY;
    SecBuffer received = {message->size, SECBUFFER_TOKEN, message->bytes};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &received};
    SecBuffer buffer;
    SecBufferDesc output = describe_output(&buffer, leg, allocates);

    leg->status = AcceptSecurityContext(&exchange->server_credential, which == SERVER_FIRST ? NULL : &exchange->server,
                                        &input, request->server_flags, request->data_representation, &exchange->server,
                                        &output, &leg->attributes, &leg->expiry);
    finish_leg(leg, &buffer, allocates);
}

static void exchange_init(struct exchange *exchange)
{
    memset(exchange, 0, sizeof(*exchange));
    SecInvalidateHandle(&exchange->client_credential);
    SecInvalidateHandle(&exchange->server_credential);
    SecInvalidateHandle(&exchange->client);
    SecInvalidateHandle(&exchange->server);
}

/* The client's first message, on a credential that is there. */
static bool start_client(struct exchange *exchange, const struct exchange_request *request)
{
    struct leg *first = &exchange->legs[CLIENT_FIRST];

    first_client_leg(&exchange->client_credential, &exchange->client, request, first);
    return first->status == SEC_I_CONTINUE_NEEDED;
}

/* The status of a credential that cannot be had stands for the first leg that would use it. */
static bool acquire(struct leg *leg, ULONG use, const SEC_WINNT_AUTH_IDENTITY_A *identity, CredHandle *credential)
{
    leg->made = true;
    leg->status = ntlm_credential(use, identity, credential);
    return leg->status == SEC_E_OK;
}

bool exchange_run(struct exchange *exchange, const struct exchange_request *request)
{
    struct leg *legs = exchange->legs;

    exchange_init(exchange);
    if (!acquire(&legs[CLIENT_FIRST], SECPKG_CRED_OUTBOUND, request->identity, &exchange->client_credential))
        return false;
    if (!start_client(exchange, request)) return false;
    if (!acquire(&legs[SERVER_FIRST], SECPKG_CRED_INBOUND, NULL, &exchange->server_credential)) return false;
    server_leg(exchange, request, SERVER_FIRST);
    if (legs[SERVER_FIRST].status != SEC_I_CONTINUE_NEEDED) return false;
    last_client_leg(exchange, request, &legs[SERVER_FIRST].output);
    if (legs[CLIENT_LAST].status) return false;
    server_leg(exchange, request, SERVER_LAST);
    return legs[SERVER_LAST].status == SEC_E_OK;
}

bool exchange_with_credential(struct exchange *exchange, CredHandle *credential, const struct exchange_request *request,
                              const struct token *challenge)
{
    exchange_init(exchange);
    exchange->client_credential = *credential;
    if (!start_client(exchange, request)) return false;
    last_client_leg(exchange, request, challenge);
    return exchange->legs[CLIENT_LAST].status == SEC_E_OK;
}

bool exchange_with_challenge(struct exchange *exchange, const struct exchange_request *request,
                             const struct token *challenge)
{
    CredHandle credential;

    exchange_init(exchange);
    if (!acquire(&exchange->legs[CLIENT_FIRST], SECPKG_CRED_OUTBOUND, request->identity, &credential)) return false;
    return exchange_with_credential(exchange, &credential, request, challenge);
}

void exchange_close(struct exchange *exchange)
{
    if (SecIsValidHandle(&exchange->client)) DeleteSecurityContext(&exchange->client);
    if (SecIsValidHandle(&exchange->server)) DeleteSecurityContext(&exchange->server);
    if (SecIsValidHandle(&exchange->client_credential)) FreeCredentialsHandle(&exchange->client_credential);
    if (SecIsValidHandle(&exchange->server_credential)) FreeCredentialsHandle(&exchange->server_credential);
    exchange_init(exchange);
}

const char *exchange_outcome(const struct exchange *exchange, char *text)
{
    static const char *const sides[LEG_COUNT] = {"client", "server", "client", "server"};
    size_t used = 0;

    text[0] = 0;
    for (int i = 0; i < LEG_COUNT; i++) {
        char name[STATUS_NAME_MAX];

        if (!exchange->legs[i].made) continue;
        used += (size_t)snprintf(text + used, OUTCOME_MAX - used, "%s%s %s", used ? ", " : "", sides[i],
                                 status_name(exchange->legs[i].status, name));
    }
    return text;
}
