/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Context handles, and the legs of an exchange.
 */
#include "probe.h"
#include "secur32.h"
#include "trace.h"

static void destroy_context(void *object)
{
    struct context *context = object;
    if (context->user_mode) context->package->user.DeleteUserModeContext(context->handle);
    if (!context->imported) context->package->lsa.DeleteContext(context->handle);
    HeapFree(GetProcessHeap(), 0, context);
}

struct handle_table context_handles = {.kind = 2, .destroy = destroy_context};

SECURITY_STATUS raise_fault(NTSTATUS status)
{
    if (status == (NTSTATUS)STATUS_ACCESS_VIOLATION) RaiseException(EXCEPTION_ACCESS_VIOLATION, 0, 0, NULL);
    return status;
}

BOOL context_enter(const CtxtHandle *handle, struct context_use *use)
{
    if (!handle) return FALSE;
    use->handle = handle_of(handle);
    use->context = handle_table_take(&context_handles, use->handle);
    return use->context != NULL;
}

SECURITY_STATUS context_leave(const struct context_use *use, NTSTATUS status)
{
    handle_table_release(&context_handles, use->handle);
    return raise_fault(status);
}

/* One call of InitializeSecurityContext (initiator) or AcceptSecurityContext. */
struct leg {
    BOOL initiator;
    PCredHandle credential;
    PCtxtHandle context, new_context;
    UNICODE_STRING *target;
    ULONG request, data_rep;
    PSecBufferDesc input, output;
    ULONG *attributes;
    PTimeStamp expiry;
};

/* What the package gave back. */
struct leg_result {
    LSA_SEC_HANDLE inner;
    ULONG attributes;
    TimeStamp expiry;
    BOOLEAN mapped;
    SecBuffer packed;
};

static NTSTATUS call_package(const struct leg *leg, const struct package *package, LSA_SEC_HANDLE credential,
                             LSA_SEC_HANDLE context, struct leg_result *result)
{
    if (leg->initiator)
        return package->lsa.InitLsaModeContext(credential, context, leg->target, leg->request, leg->data_rep,
                                               leg->input, &result->inner, leg->output, &result->attributes,
                                               &result->expiry, &result->mapped, &result->packed);
    return package->lsa.AcceptLsaModeContext(credential, context, leg->input, leg->request, leg->data_rep,
                                             &result->inner, leg->output, &result->attributes, &result->expiry,
                                             &result->mapped, &result->packed);
}

/* The package has handed its session over: from now on the message functions work. */
static NTSTATUS map_context(struct context *context, struct leg_result *result)
{
    if (!result->mapped) return SEC_E_OK;
    NTSTATUS status = context->package->user.InitUserModeContext(context->handle, &result->packed);
    FreeContextBuffer(result->packed.pvBuffer);
    if (status == SEC_E_OK) InterlockedExchange(&context->user_mode, 1);
    return status;
}

static void give_results(const struct leg *leg, const struct leg_result *result)
{
    if (leg->attributes) *leg->attributes = result->attributes;
    if (leg->expiry) *leg->expiry = result->expiry;
}

static NTSTATUS enter_context(const struct leg *leg, const struct package *package, struct leg_result *result)
{
    struct context *context = HeapAlloc(GetProcessHeap(), 0, sizeof *context);
    struct handle handle;
    if (!context) {
        package->lsa.DeleteContext(result->inner);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    *context = (struct context){.package = package, .handle = result->inner};
    NTSTATUS status = map_context(context, result);
    if (status == SEC_E_OK && !handle_table_add(&context_handles, context, &handle)) status = SEC_E_INSUFFICIENT_MEMORY;
    if (status)
        destroy_context(context);
    else
        handle_set(leg->new_context, handle);
    return status;
}

static NTSTATUS first_leg(const struct leg *leg)
{
    const struct handle handle = handle_of(leg->credential);
    struct leg_result result = {0};
    struct credential *credential = handle_table_take(&credential_handles, handle);
    if (!credential) return SEC_E_INVALID_HANDLE;
    const struct package *package = credential->package;
    NTSTATUS status = call_package(leg, package, credential->handle, 0, &result);
    handle_table_release(&credential_handles, handle);
    if (status < 0) return status;
    NTSTATUS entered = enter_context(leg, package, &result);
    if (entered) return entered;
    give_results(leg, &result);
    return status;
}

/* The credential was needed once; where it is given again (Schannel may get another), it must be of the same DLL. */
static NTSTATUS call_with_credential(const struct leg *leg, struct handle handle, const struct context *context,
                                     struct leg_result *result)
{
    struct credential *credential = leg->credential ? handle_table_take(&credential_handles, handle) : NULL;
    const BOOL fits = credential && credential->package->module == context->package->module;
    NTSTATUS status = call_package(leg, context->package, fits ? credential->handle : 0, context->handle, result);
    if (credential) handle_table_release(&credential_handles, handle);
    return status;
}

/* phNewContext stays equal to phContext over all legs (behaviour.md row 171). */
static NTSTATUS next_leg(const struct leg *leg)
{
    const struct handle credential = leg->credential ? handle_of(leg->credential) : (struct handle){0};
    struct leg_result result = {0};
    struct context_use use;
    if (!context_enter(leg->context, &use)) return SEC_E_INVALID_HANDLE;
    if (use.context->imported) return context_leave(&use, SEC_E_INVALID_HANDLE); /* it has no legs */
    NTSTATUS status = call_with_credential(leg, credential, use.context, &result);
    NTSTATUS mapped = status < 0 ? SEC_E_OK : map_context(use.context, &result);
    status = context_leave(&use, mapped ? mapped : status);
    if (status < 0 && result.attributes && leg->attributes) *leg->attributes = result.attributes; /* row 181 */
    if (status < 0) return status;
    if (leg->new_context) handle_set(leg->new_context, use.handle);
    give_results(leg, &result);
    return status;
}

static SECURITY_STATUS run_leg(const struct leg *leg)
{
    if (leg->context && !handle_table_holds(&context_handles, handle_of(leg->context))) return SEC_E_INVALID_HANDLE;
    if (!leg->context && (!leg->credential || !leg->new_context)) return SEC_E_INVALID_HANDLE;
    probe_input(leg->input, !leg->initiator && leg->request & ASC_REQ_DATAGRAM);
    probe_output(leg->output, leg->request & ISC_REQ_ALLOCATE_MEMORY);
    probe(leg->new_context, sizeof *leg->new_context, TRUE);
    probe(leg->attributes, sizeof *leg->attributes, TRUE);
    probe(leg->expiry, sizeof *leg->expiry, TRUE);
    return raise_fault(leg->context ? next_leg(leg) : first_leg(leg));
}

static SECURITY_STATUS trace_leg(INT64 start, const char *function, const struct leg *leg, SECURITY_STATUS status)
{
    return trace_end(start,
                     &(struct trace_record){.function = function,
                                            .handle = leg->context ? leg->context
                                                      : status < 0 ? leg->credential
                                                                   : leg->new_context,
                                            .flags = leg->initiator ? "ISC" : "ASC",
                                            .request = leg->request,
                                            .granted = status >= 0 && leg->attributes ? *leg->attributes : 0,
                                            .target = leg->target ? leg->target->Buffer : NULL,
                                            .input = leg->input,
                                            .output = leg->output},
                     status);
}

SECURITY_STATUS WINAPI InitializeSecurityContextW(PCredHandle credential, PCtxtHandle context, SEC_WCHAR *target,
                                                  ULONG request, ULONG reserved1, ULONG data_rep, PSecBufferDesc input,
                                                  ULONG reserved2, PCtxtHandle new_context, PSecBufferDesc output,
                                                  ULONG *attributes, PTimeStamp expiry)
{
    const INT64 start = trace_start();
    UNICODE_STRING name;
    (void)reserved1;
    (void)reserved2;
    RtlInitUnicodeString(&name, target);
    const struct leg leg = {TRUE,  credential, context,    new_context, target ? &name : NULL, request, data_rep,
                            input, output,     attributes, expiry};
    return trace_leg(start, __func__, &leg, run_leg(&leg));
}

SECURITY_STATUS WINAPI InitializeSecurityContextA(PCredHandle credential, PCtxtHandle context, SEC_CHAR *target,
                                                  ULONG request, ULONG reserved1, ULONG data_rep, PSecBufferDesc input,
                                                  ULONG reserved2, PCtxtHandle new_context, PSecBufferDesc output,
                                                  ULONG *attributes, PTimeStamp expiry)
{
    WCHAR *wide_target = wide_of(target);
    SECURITY_STATUS status = InitializeSecurityContextW(credential, context, wide_target, request, reserved1, data_rep,
                                                        input, reserved2, new_context, output, attributes, expiry);
    HeapFree(GetProcessHeap(), 0, wide_target);
    return status;
}

SECURITY_STATUS WINAPI AcceptSecurityContext(PCredHandle credential, PCtxtHandle context, PSecBufferDesc input,
                                             ULONG request, ULONG data_rep, PCtxtHandle new_context,
                                             PSecBufferDesc output, ULONG *attributes, PTimeStamp expiry)
{
    const INT64 start = trace_start();
    const struct leg leg = {FALSE,    credential, context, new_context, NULL,  request,
                            data_rep, input,      output,  attributes,  expiry};
    return trace_leg(start, __func__, &leg, run_leg(&leg));
}

static NTSTATUS complete(const struct context *context, PSecBufferDesc token)
{
    SpCompleteAuthTokenFn *function = context->package->user.CompleteAuthToken;
    return function ? function(context->handle, token) : SEC_E_UNSUPPORTED_FUNCTION;
}

/* For packages whose tokens cannot be finished before the message around them is (Digest); none here is such. */
SECURITY_STATUS WINAPI CompleteAuthToken(PCtxtHandle handle, PSecBufferDesc token)
{
    const INT64 start = trace_start();
    SECURITY_STATUS status = SEC_E_INVALID_HANDLE;
    struct context_use use;
    if (context_enter(handle, &use)) status = context_leave(&use, complete(use.context, token));
    return trace_end(start, &(struct trace_record){.function = __func__, .handle = handle}, status);
}

SECURITY_STATUS WINAPI DeleteSecurityContext(PCtxtHandle handle)
{
    const INT64 start = trace_start();
    const BOOL closed = handle && handle_table_close(&context_handles, handle_of(handle));
    return trace_end(start, &(struct trace_record){.function = __func__, .handle = handle},
                     closed ? SEC_E_OK : SEC_E_INVALID_HANDLE);
}
