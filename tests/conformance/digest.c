/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * HMAC-MD5 and NTOWFv2 over bcrypt.dll.
 */
#include "digest.h"

#include <bcrypt.h>
#include <ctype.h>
#include <string.h>

#define NAME_MAX_CHARS 128

/* KEY.bytes NULL: a plain digest. */
static bool digest_parts(const WCHAR *algorithm, struct part key, const struct part *parts, size_t count,
                         unsigned char digest[DIGEST_SIZE])
{
    ULONG flags = key.bytes ? BCRYPT_ALG_HANDLE_HMAC_FLAG : 0;
    BCRYPT_ALG_HANDLE provider;
    BCRYPT_HASH_HANDLE hash;
    bool ok;

    if (BCryptOpenAlgorithmProvider(&provider, algorithm, NULL, flags)) return false;
    ok = !BCryptCreateHash(provider, &hash, NULL, 0, (void *)key.bytes, key.size, 0);
    if (ok) {
        for (size_t i = 0; ok && i < count; i++) ok = !BCryptHashData(hash, (void *)parts[i].bytes, parts[i].size, 0);
        ok = !BCryptFinishHash(hash, digest, DIGEST_SIZE, 0) && ok;
        BCryptDestroyHash(hash);
    }
    BCryptCloseAlgorithmProvider(provider, 0);
    return ok;
}

bool hmac_md5(struct part key, const struct part *parts, size_t count, unsigned char digest[DIGEST_SIZE])
{
    return digest_parts(BCRYPT_MD5_ALGORITHM, key, parts, count, digest);
}

static struct part widen(const char *text, bool upper, WCHAR *wide)
{
    ULONG length = 0;

    for (; text[length] && length < NAME_MAX_CHARS; length++)
        wide[length] = (WCHAR)(unsigned char)(upper ? toupper((unsigned char)text[length]) : text[length]);
    return (struct part){wide, length * (ULONG)sizeof(WCHAR)};
}

bool ntowf_v2(const char *user, const char *domain, const char *password, unsigned char key[DIGEST_SIZE])
{
    WCHAR wide_password[NAME_MAX_CHARS], wide_user[NAME_MAX_CHARS], wide_domain[NAME_MAX_CHARS];
    const struct part secret = widen(password, false, wide_password);
    const struct part name[] = {widen(user, true, wide_user), widen(domain, false, wide_domain)};
    unsigned char nt_hash[DIGEST_SIZE];

    if (!digest_parts(BCRYPT_MD4_ALGORITHM, (struct part){NULL, 0}, &secret, 1, nt_hash)) return false;
    return hmac_md5((struct part){nt_hash, DIGEST_SIZE}, name, COUNT_OF(name), key);
}
