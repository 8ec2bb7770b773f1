/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OCSP responses: DER by hand, for crypt32 makes none.
 */
#include "schannel_ocsp.h"

#include <string.h>

enum { SEQUENCE = 0x30, OCTETS = 0x04, TIME = 0x18, EXPLICIT_0 = 0xA0, EXPLICIT_1 = 0xA1 };

/* What is written so far; SIZE stays within OCSP_ROOM. */
struct der {
    BYTE *bytes;
    DWORD size;
};

static void put(struct der *der, const void *bytes, DWORD size)
{
    if (size > OCSP_ROOM - der->size) return;
    memcpy(der->bytes + der->size, bytes, size);
    der->size += size;
}

/* What comes behind START becomes an element. */
static void wrap(struct der *der, DWORD start, BYTE tag)
{
    const DWORD length = der->size - start;
    const BYTE brief[] = {tag, (BYTE)length}, lengthy[] = {tag, 0x82, (BYTE)(length >> 8), (BYTE)length};
    const BYTE *header = length < 0x80 ? brief : lengthy;
    const DWORD size = length < 0x80 ? sizeof(brief) : sizeof(lengthy);

    if (size > OCSP_ROOM - der->size) return;
    memmove(der->bytes + start + size, der->bytes + start, length);
    memcpy(der->bytes + start, header, size);
    der->size += size;
}

static void put_time(struct der *der, int days)
{
    const SYSTEMTIME when = days_from_now(days);
    const DWORD start = der->size;
    char text[32];

    snprintf(text, sizeof(text), "%04u%02u%02u%02u%02u%02uZ", when.wYear, when.wMonth, when.wDay, when.wHour,
             when.wMinute, when.wSecond);
    put(der, text, 15);
    wrap(der, start, TIME);
}

static void put_hash(struct der *der, const BYTE *bytes, DWORD size)
{
    const DWORD start = der->size;
    BYTE hash[20];
    DWORD hash_size = sizeof(hash);

    CryptHashCertificate(0, CALG_SHA1, 0, bytes, size, hash, &hash_size);
    put(der, hash, hash_size);
    wrap(der, start, OCTETS);
}

/* CertID: SHA-1, and whose. */
static void put_id(struct der *der, BYTE serial)
{
    static const BYTE sha1[] = {0x30, 0x07, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a};
    const CERT_INFO *root = authority_root()->pCertInfo;
    const CRYPT_BIT_BLOB *key = &root->SubjectPublicKeyInfo.PublicKey;
    const BYTE number[] = {0x02, 1, serial};
    const DWORD start = der->size;

    put(der, sha1, sizeof(sha1));
    put_hash(der, root->Subject.pbData, root->Subject.cbData);
    put_hash(der, key->pbData, key->cbData);
    put(der, number, sizeof(number));
    wrap(der, start, SEQUENCE);
}

static void put_single(struct der *der, const struct ocsp_response *response)
{
    static const BYTE good[] = {0x80, 0};
    const DWORD start = der->size;
    DWORD inner;

    put_id(der, response->serial);
    inner = der->size;
    if (response->revoked) {
        put_time(der, -40);
        wrap(der, inner, EXPLICIT_1);
    } else {
        put(der, good, sizeof(good));
    }
    put_time(der, -30);
    inner = der->size;
    put_time(der, response->days);
    wrap(der, inner, EXPLICIT_0);
    wrap(der, start, SEQUENCE);
}

/* ResponseData: by name, made now, one answer. */
static void put_data(struct der *der, const struct ocsp_response *response)
{
    const CERT_NAME_BLOB *name = &authority_root()->pCertInfo->Subject;
    const DWORD start = der->size;
    DWORD inner = start;

    put(der, name->pbData, name->cbData);
    wrap(der, inner, EXPLICIT_1);
    put_time(der, 0);
    inner = der->size;
    put_single(der, response);
    wrap(der, inner, SEQUENCE);
    wrap(der, start, SEQUENCE);
}

/* OCSPResponse: successful, and what was signed as a BasicOCSPResponse. */
DWORD ocsp_write(const struct ocsp_response *response, BYTE *bytes)
{
    static const BYTE successful[] = {0x0a, 1, 0}, basic[] = {0x06, 9, 0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1};
    BYTE data[OCSP_ROOM], signed_data[OCSP_ROOM];
    struct der tbs = {data, 0}, der = {bytes, 0};
    DWORD size, start, inner;

    if (!authority_root()) return 0;
    put_data(&tbs, response);
    size = authority_sign_encoded(tbs.bytes, tbs.size, response->forged, signed_data, sizeof(signed_data));
    if (!size) return 0;
    put(&der, successful, sizeof(successful));
    start = der.size;
    put(&der, basic, sizeof(basic));
    inner = der.size;
    put(&der, signed_data, size);
    wrap(&der, inner, OCTETS);
    wrap(&der, start, SEQUENCE);
    wrap(&der, start, EXPLICIT_0);
    wrap(&der, 0, SEQUENCE);
    return der.size;
}
