/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client and a server.
 */
#include "pair.h"

#include <stdio.h>
#include <string.h>

struct counters counters_of(const struct subject *subject)
{
    struct counters counters = {0};
    HMODULE module = GetModuleHandleW(subject->dll);
    count_function *count = module ? (count_function *)(void *)GetProcAddress(module, COUNTERS_EXPORT) : NULL;
    if (count) count(&counters);
    return counters;
}

BOOL nothing_is_left(const struct subject *subject)
{
    const struct counters counters = counters_of(subject);
    const BOOL balanced = counters.initialized && counters.credentials_made == counters.credentials_freed &&
                          counters.contexts_made == counters.contexts_freed &&
                          counters.user_contexts_made == counters.user_contexts_freed && !counters.foreign;
    if (!balanced)
        printf("      credentials made %ld, freed %ld; contexts %ld, %ld; user-mode contexts %ld, %ld; foreign %ld:\n",
               counters.credentials_made, counters.credentials_freed, counters.contexts_made, counters.contexts_freed,
               counters.user_contexts_made, counters.user_contexts_freed, counters.foreign);
    return balanced;
}

SECURITY_STATUS acquire_pair(const struct subject *subject, const WCHAR *user, struct pair *pair)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = {.User = (USHORT *)user, .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE};
    WCHAR *package = (WCHAR *)subject->package;
    memset(pair, 0, sizeof *pair);
    if (user) identity.UserLength = (ULONG)wcslen(user);
    SECURITY_STATUS status =
        AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_OUTBOUND, NULL, user ? &identity : NULL, NULL, NULL,
                                  &pair->credentials[CLIENT], &pair->expiries[CLIENT]);
    if (status) return status;
    return AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL, NULL,
                                     &pair->credentials[SERVER], &pair->expiries[SERVER]);
}

SECURITY_STATUS pair_leg(struct pair *pair, int side, BOOL first)
{
    BYTE out[TOY_MAX_TOKEN];
    SecBuffer input = {pair->token_size, SECBUFFER_TOKEN, pair->token}, output = {sizeof out, SECBUFFER_TOKEN, out};
    SecBufferDesc in = {SECBUFFER_VERSION, 1, &input}, to = {SECBUFFER_VERSION, 1, &output};
    CtxtHandle *context = &pair->contexts[side];
    SECURITY_STATUS status =
        side == CLIENT
            ? InitializeSecurityContextW(&pair->credentials[side], first ? NULL : context, (WCHAR *)L"toy/server", 0, 0,
                                         SECURITY_NATIVE_DREP, first ? NULL : &in, 0, context, &to,
                                         &pair->attributes[side], &pair->expiries[side])
            : AcceptSecurityContext(&pair->credentials[side], first ? NULL : context, &in, 0, SECURITY_NATIVE_DREP,
                                    context, &to, &pair->attributes[side], &pair->expiries[side]);
    if (status < 0) return status;
    memcpy(pair->token, out, sizeof out);
    pair->token_size = output.cbBuffer;
    return status;
}

BOOL establish_pair(const struct subject *subject, struct pair *pair)
{
    return !acquire_pair(subject, NULL, pair) && pair_leg(pair, CLIENT, TRUE) == SEC_I_CONTINUE_NEEDED &&
           pair_leg(pair, SERVER, TRUE) == SEC_E_OK && pair_leg(pair, CLIENT, FALSE) == SEC_E_OK;
}

BOOL free_pair(struct pair *pair)
{
    BOOL taken = TRUE;
    for (int side = CLIENT; side <= SERVER; side++) {
        taken &= !DeleteSecurityContext(&pair->contexts[side]);
        taken &= !FreeCredentialsHandle(&pair->credentials[side]);
    }
    return taken;
}

void make_message(struct message *message, const char *text)
{
    memset(message, 0, sizeof *message);
    strncpy(message->data, text, sizeof message->data - 1);
    message->buffers[0] = (SecBuffer){sizeof message->token, SECBUFFER_TOKEN, message->token};
    message->buffers[1] = (SecBuffer){sizeof message->data, SECBUFFER_DATA, message->data};
    message->desc = (SecBufferDesc){SECBUFFER_VERSION, 2, message->buffers};
}

BOOL talk(struct pair *pair, int sender)
{
    struct message message;
    ULONG qop = 0;
    make_message(&message, "hear me");
    return !EncryptMessage(&pair->contexts[sender], 0, &message.desc, 0) && strcmp(message.data, "hear me") &&
           !DecryptMessage(&pair->contexts[!sender], &message.desc, 0, &qop) && !strcmp(message.data, "hear me");
}
