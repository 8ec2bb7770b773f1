/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ApplyControlToken (behaviour.md rows 213 to 225): the alert that the next leg yields.
 */
#include "schannel.h"

static NTSTATUS alert(const struct schannel_context *context, BOOL fatal, DWORD description)
{
    struct cs_block_tls_alert block = {context->context, (UINT32)fatal, description};
    return CountersignCall(CS_CALL_TLS_ALERT, &block);
}

static NTSTATUS apply(const struct schannel_context *context, const SecBuffer *token)
{
    const SCHANNEL_ALERT_TOKEN *own = token->pvBuffer;
    const DWORD close_notify = 0;
    DWORD type;
    if (token->cbBuffer < sizeof type || !token->pvBuffer) return SEC_E_UNSUPPORTED_FUNCTION; /* row 220 */
    memcpy(&type, token->pvBuffer, sizeof type);
    switch (type) {
    case SCHANNEL_SHUTDOWN: return alert(context, FALSE, close_notify);
    case SCHANNEL_ALERT:
        if (token->cbBuffer < sizeof *own) return SEC_E_INVALID_TOKEN;
        return alert(context, own->dwAlertType == TLS1_ALERT_FATAL, own->dwAlertNumber);
    case SCHANNEL_SESSION: return SEC_E_OK; /* whether sessions are kept is the credential's matter */
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
}

NTSTATUS NTAPI schannel_apply_control_token(LSA_SEC_HANDLE handle, PSecBufferDesc tokens)
{
    const struct schannel_context *context = (struct schannel_context *)handle;
    if (context->failed) return context->failed;
    if (!tokens) return SEC_E_INTERNAL_ERROR;
    if (tokens->cBuffers != 1 || (tokens->pBuffers[0].BufferType & ~SECBUFFER_ATTRMASK) != SECBUFFER_TOKEN)
        return SEC_E_INVALID_TOKEN;
    return apply(context, &tokens->pBuffers[0]);
}
