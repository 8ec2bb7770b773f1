/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The credential manager.
 */
#include "credman.h"

#include <string.h>
#include <wchar.h>
#include <wincred.h>

enum { EXPLICIT_IDENTITY = 1, LONGEST_TARGET = 512 };

static CREDENTIALW *read_stored(const WCHAR *name)
{
    CREDENTIALW *credential = NULL;
    return CredReadW(name, CRED_TYPE_DOMAIN_PASSWORD, 0, &credential) ? credential : NULL;
}

/* The host of "service/host:port" */
static const WCHAR *cut_host(WCHAR *target)
{
    WCHAR *slash = wcschr(target, '/'), *host = slash ? slash + 1 : target;
    host[wcscspn(host, L":/")] = 0;
    return host;
}

static struct cs_bytes text_bytes(const WCHAR *text, size_t length)
{
    return sp_bytes(text, length * sizeof(WCHAR));
}

static void take_identity(const CREDENTIALW *credential, struct cs_block_identity *identity)
{
    const WCHAR *user = credential->UserName ? credential->UserName : L"", *slash = wcschr(user, '\\');
    identity->kind = EXPLICIT_IDENTITY;
    if (slash) identity->domain = text_bytes(user, (size_t)(slash - user));
    if (slash) user = slash + 1;
    identity->user = text_bytes(user, wcslen(user));
    identity->password = sp_bytes(credential->CredentialBlob, credential->CredentialBlobSize);
}

void credman_find(const UNICODE_STRING *target, struct stored_credential *stored)
{
    WCHAR name[LONGEST_TARGET];
    const size_t length = target->Length / sizeof(WCHAR);
    if (!length || length >= LONGEST_TARGET) return;
    memcpy(name, target->Buffer, target->Length);
    name[length] = 0;
    CREDENTIALW *credential = read_stored(name);
    if (!credential) credential = read_stored(cut_host(name));
    if (!credential) return;
    take_identity(credential, &stored->identity);
    stored->memory = credential;
    stored->found = TRUE;
}

void credman_release(struct stored_credential *stored)
{
    const CREDENTIALW *credential = stored->memory;
    if (!credential) return;
    SecureZeroMemory(credential->CredentialBlob, credential->CredentialBlobSize);
    CredFree(stored->memory);
}
