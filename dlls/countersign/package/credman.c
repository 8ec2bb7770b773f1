/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The credential manager.
 */
#include "credman.h"

#include <string.h>
#include <wchar.h>
#include <wincred.h>

enum { EXPLICIT_IDENTITY = 1, LONGEST_TARGET = 512 };

/* Where Wine keeps what CredWrite is given: a key for each. CredRead makes this one; on Windows there is none. */
static const WCHAR wine_store[] = L"Software\\Wine\\Credential Manager";

/* Open for as long as the process lives, for opening takes longer than looking. */
static HKEY store;

/* FALSE: a key that is gone, or none. */
static BOOL count_stored(HKEY key, DWORD *count)
{
    return key && !RegQueryInfoKeyW(key, NULL, NULL, NULL, count, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
}

/* A key that is gone is left open: another thread may be looking at it. */
static HKEY open_store(HKEY gone)
{
    HKEY key = NULL;
    if (RegOpenKeyExW(HKEY_CURRENT_USER, wine_store, 0, KEY_QUERY_VALUE, &key)) return NULL;
    HKEY other = InterlockedCompareExchangePointer((void **)&store, key, gone);
    if (other == gone) return key;
    RegCloseKey(key);
    return other;
}

/*
 * Whether nothing at all is stored: CredRead asks another process each time, which takes longer than a handshake. FALSE
 * where that cannot be told, as on Windows. Wine looks elsewhere, in a keychain, on systems alone that this Unix half
 * is not for.
 */
static BOOL nothing_stored(void)
{
    HKEY key = InterlockedCompareExchangePointer((void **)&store, NULL, NULL);
    DWORD count = 1;
    if (!count_stored(key, &count) && !count_stored(open_store(key), &count)) return FALSE;
    return count == 0;
}

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
    if (!length || length >= LONGEST_TARGET || nothing_stored()) return;
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
