/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "schannel_pointers.h"

#include "../conformance/schannel_certificates.h"
#include "../conformance/schannel_pair.h"
#include "cases.h"

#include <setjmp.h>
#include <stdio.h>

/* A leg's arguments. One that nobody has spoilt is right, but for its input, which nobody looks at before all is. */
struct call {
    BOOL server;
    SecBuffer in[2], out[2];
    SecBufferDesc input, output;
    CtxtHandle context, *new_context;
    ULONG request, answered, *attributes;
    TimeStamp expired, *expiry;
    SEC_CHAR *target;
};

static void *const nowhere = (void *)(ULONG_PTR)0x10;

static SecBuffer *read_only; /* a buffer that cannot be written to */

static void put_read_only(SecBufferDesc *message, ULONG type)
{
    DWORD before;
    VirtualProtect(read_only, sizeof *read_only, PAGE_READWRITE, &before);
    *read_only = (SecBuffer){0, type, NULL};
    VirtualProtect(read_only, sizeof *read_only, PAGE_READONLY, &before);
    *message = (SecBufferDesc){SECBUFFER_VERSION, 1, read_only};
}

static void put_nowhere(struct call *call, ULONG type)
{
    call->in[1] = (SecBuffer){16, type, nowhere};
    call->input.cBuffers = 2;
}

static void input_nowhere(struct call *call)
{
    call->input = (SecBufferDesc){SECBUFFER_VERSION, 1, nowhere};
}
static void input_token(struct call *call)
{
    put_nowhere(call, SECBUFFER_TOKEN);
}
static void input_protocols(struct call *call)
{
    put_nowhere(call, SECBUFFER_APPLICATION_PROTOCOLS);
}
static void input_profiles(struct call *call)
{
    put_nowhere(call, SECBUFFER_SRTP_PROTECTION_PROFILES);
}
static void input_identifier(struct call *call)
{
    put_nowhere(call, SECBUFFER_SRTP_MASTER_KEY_IDENTIFIER);
}
static void input_mtu(struct call *call)
{
    put_nowhere(call, SECBUFFER_DTLS_MTU);
}
static void input_empty(struct call *call)
{
    put_read_only(&call->input, SECBUFFER_EMPTY);
}
static void output_nowhere(struct call *call)
{
    call->output = (SecBufferDesc){SECBUFFER_VERSION, 1, nowhere};
}
static void output_token(struct call *call)
{
    put_read_only(&call->output, SECBUFFER_TOKEN);
}
static void output_empty(struct call *call)
{
    put_read_only(&call->output, SECBUFFER_EMPTY);
}
static void output_alert(struct call *call)
{
    put_read_only(&call->output, SECBUFFER_ALERT);
}
static void new_context(struct call *call)
{
    call->new_context = nowhere;
}
static void attributes(struct call *call)
{
    call->attributes = nowhere;
}
static void expiry(struct call *call)
{
    call->expiry = nowhere;
}

static void output_room(struct call *call)
{
    call->request = 0;
    call->out[0] = (SecBuffer){4096, SECBUFFER_TOKEN, nowhere};
}

static void target(struct call *call)
{
    if (!call->server) call->target = nowhere;
}

static void input_address(struct call *call)
{
    call->request |= ASC_REQ_DATAGRAM;
    put_nowhere(call, SECBUFFER_EXTRA);
}

enum { CLIENT = 1, SERVER = 2 };

static const struct {
    const char *name;
    int roles;
    void (*spoil)(struct call *call);
} spoils[] = {
    {"an input of no buffers", CLIENT | SERVER, input_nowhere},
    {"a TOKEN nowhere", CLIENT | SERVER, input_token},
    {"APPLICATION_PROTOCOLS nowhere", CLIENT | SERVER, input_protocols},
    {"SRTP_PROTECTION_PROFILES nowhere", CLIENT | SERVER, input_profiles},
    {"SRTP_MASTER_KEY_IDENTIFIER nowhere", CLIENT | SERVER, input_identifier},
    {"DTLS_MTU nowhere", CLIENT | SERVER, input_mtu},
    {"a client's address nowhere", SERVER, input_address},
    {"an EMPTY of the input that cannot be written to", CLIENT | SERVER, input_empty},
    {"an output of no buffers", CLIENT | SERVER, output_nowhere},
    {"a TOKEN of the output that cannot be written to", CLIENT | SERVER, output_token},
    {"a TOKEN of the output with its room nowhere", CLIENT | SERVER, output_room},
    {"an EMPTY of the output that cannot be written to", CLIENT | SERVER, output_empty},
    {"an ALERT that cannot be written to", CLIENT | SERVER, output_alert},
    {"phNewContext nowhere", CLIENT | SERVER, new_context},
    {"pfContextAttr nowhere", CLIENT | SERVER, attributes},
    {"ptsExpiry nowhere", CLIENT | SERVER, expiry},
    {"pszTargetName nowhere", CLIENT, target},
};

static void prepare(struct call *call, BOOL server)
{
    *call = (struct call){.server = server, .request = ISC_REQ_ALLOCATE_MEMORY, .target = (SEC_CHAR *)"localhost"};
    call->in[0] = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    call->out[0] = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    call->input = (SecBufferDesc){SECBUFFER_VERSION, 1, call->in};
    call->output = (SecBufferDesc){SECBUFFER_VERSION, 1, call->out};
    call->new_context = &call->context;
    call->attributes = &call->answered;
    call->expiry = &call->expired;
}

static void run(CredHandle *credential, CtxtHandle *context, struct call *call)
{
    if (call->server)
        AcceptSecurityContext(credential, context, &call->input, call->request, 0, call->new_context, &call->output,
                              call->attributes, call->expiry);
    else
        InitializeSecurityContextA(credential, context, call->target, call->request, 0, 0, &call->input, 0,
                                   call->new_context, &call->output, call->attributes, call->expiry);
}

static jmp_buf escape;

static LONG CALLBACK catch_fault(EXCEPTION_POINTERS *exception)
{
    if (exception->ExceptionRecord->ExceptionCode != EXCEPTION_ACCESS_VIOLATION) return EXCEPTION_CONTINUE_SEARCH;
    longjmp(escape, 1);
}

static BOOL faults(CredHandle *credential, CtxtHandle *context, struct call *call)
{
    volatile BOOL faulted = TRUE;
    void *const handler = AddVectoredExceptionHandler(TRUE, catch_fault);
    if (!setjmp(escape)) {
        run(credential, context, call);
        faulted = FALSE;
    }
    RemoveVectoredExceptionHandler(handler);
    return faulted;
}

/* A reference that a fault left behind would keep an entry from being used again. */
static BOOL is_free_again(struct schannel_side *side, BOOL server)
{
    const ULONG_PTR place = side->credential.dwLower;
    CredHandle next;
    DeleteSecurityContext(&side->context);
    FreeCredentialsHandle(&side->credential);
    side->has_context = side->has_credential = FALSE;
    return !schannel_credential(server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, 0,
                                server ? issued_certificate() : NULL, &next) &&
           next.dwLower == place && !FreeCredentialsHandle(&next);
}

static void check_spoilt(struct schannel_side *side, BOOL server, size_t spoil)
{
    for (int later = 0; later < 2; later++) {
        struct call call;
        char what[128];
        prepare(&call, server);
        spoils[spoil].spoil(&call);
        snprintf(what, sizeof what, "%s, %s leg: %s", server ? "server" : "client", later ? "another" : "first",
                 spoils[spoil].name);
        check(faults(&side->credential, later ? &side->context : NULL, &call), what);
    }
}

static void check_goes_on(struct schannel_pair *pair)
{
    char text[OBSERVED_MAX];
    check(!schannel_send(&pair->client, &pair->server, "there") && !schannel_receive(&pair->server, text),
          "what the client sends arrives");
    check(!schannel_send(&pair->server, &pair->client, "back") && !schannel_receive(&pair->client, text),
          "what the server sends arrives");
}

void test_pointers(void)
{
    const struct schannel_setup setup = {.protocols = SP_PROT_TLS1_2_CLIENT};
    struct schannel_pair pair;
    read_only = VirtualAlloc(NULL, sizeof *read_only, MEM_COMMIT, PAGE_READWRITE);
    if (read_only && schannel_pair_run(&pair, &setup)) {
        for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++) {
            if (spoils[i].roles & CLIENT) check_spoilt(&pair.client, FALSE, i);
            if (spoils[i].roles & SERVER) check_spoilt(&pair.server, TRUE, i);
        }
        check_goes_on(&pair);
        check(is_free_again(&pair.client, FALSE), "nothing is left of the client's credential");
        check(is_free_again(&pair.server, TRUE), "nothing is left of the server's credential");
    } else {
        check(FALSE, "a handshake");
    }
    schannel_pair_close(&pair);
    VirtualFree(read_only, 0, MEM_RELEASE);
}
