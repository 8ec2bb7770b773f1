/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The message functions: straight to the package. A handle is looked at first, then the caller's memory, and only then
 * is a reference taken, which the fault of a bad pointer would leave behind.
 */
#include "probe.h"
#include "secur32.h"
#include "trace.h"

/* SEC_E_OK with a reference; SEC_E_INVALID_HANDLE, also while the context is not complete. */
static SECURITY_STATUS enter(const CtxtHandle *handle, const SecBufferDesc *message, BOOL seals, BOOL signs, ULONG *qop,
                             struct context_use *use)
{
    if (!handle || !handle_table_holds(&context_handles, handle_of(handle))) return SEC_E_INVALID_HANDLE;
    if (!message) return SEC_E_INVALID_TOKEN;
    probe_message(message, seals, signs);
    probe(qop, sizeof *qop, TRUE);
    if (!context_enter(handle, use)) return SEC_E_INVALID_HANDLE;
    return use->context->user_mode ? SEC_E_OK : context_leave(use, SEC_E_INVALID_HANDLE);
}

static SECURITY_STATUS trace_message(INT64 start, const char *function, const CtxtHandle *handle,
                                     const SecBufferDesc *message, SECURITY_STATUS status)
{
    return trace_end(start, &(struct trace_record){.function = function, .handle = handle, .message = message}, status);
}

SECURITY_STATUS WINAPI MakeSignature(PCtxtHandle handle, ULONG qop, PSecBufferDesc message, ULONG sequence)
{
    const INT64 start = trace_start();
    struct context_use use;
    SECURITY_STATUS status = enter(handle, message, FALSE, TRUE, NULL, &use);
    if (status == SEC_E_OK)
        status =
            context_leave(&use, use.context->package->user.MakeSignature(use.context->handle, qop, message, sequence));
    return trace_message(start, __func__, handle, message, status);
}

SECURITY_STATUS WINAPI VerifySignature(PCtxtHandle handle, PSecBufferDesc message, ULONG sequence, ULONG *qop)
{
    const INT64 start = trace_start();
    struct context_use use;
    SECURITY_STATUS status = enter(handle, message, FALSE, FALSE, qop, &use);
    if (status == SEC_E_OK)
        status = context_leave(
            &use, use.context->package->user.VerifySignature(use.context->handle, message, sequence, qop));
    return trace_message(start, __func__, handle, message, status);
}

SECURITY_STATUS WINAPI EncryptMessage(PCtxtHandle handle, ULONG qop, PSecBufferDesc message, ULONG sequence)
{
    const INT64 start = trace_start();
    struct context_use use;
    SECURITY_STATUS status = enter(handle, message, TRUE, TRUE, NULL, &use);
    if (status == SEC_E_OK)
        status =
            context_leave(&use, use.context->package->user.SealMessage(use.context->handle, qop, message, sequence));
    return trace_message(start, __func__, handle, message, status);
}

SECURITY_STATUS WINAPI DecryptMessage(PCtxtHandle handle, PSecBufferDesc message, ULONG sequence, ULONG *qop)
{
    const INT64 start = trace_start();
    struct context_use use;
    SECURITY_STATUS status = enter(handle, message, TRUE, FALSE, qop, &use);
    if (status == SEC_E_OK)
        status =
            context_leave(&use, use.context->package->user.UnsealMessage(use.context->handle, message, sequence, qop));
    return trace_message(start, __func__, handle, message, status);
}
