/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records of AEAD suites: RFC 5246 6.2.3.3 with the nonces of RFC 5288 (GCM) and RFC 7905 (ChaCha20-Poly1305), and RFC
 * 8446 5.2. In place, with a cipher prepared once: GnuTLS's own records are copied on the way in and on the way out.
 */
#include "tls_context.h"

#include "secure.h"

#include <string.h>

enum { TAG = 16, EXPLICIT = 8, NONCE = 12, AAD_1_2 = 13 };

static size_t explicit_size(const struct tls_direction *direction)
{
    return direction->protection == TLS_EXPLICIT_NONCE ? EXPLICIT : 0;
}

/* EXPLICIT_NONCE: the bytes that go with the record. */
static void make_nonce(const struct tls_direction *direction, const uint8_t *explicit_nonce, uint8_t nonce[NONCE])
{
    memcpy(nonce, direction->iv, NONCE);
    if (direction->protection == TLS_EXPLICIT_NONCE) {
        memcpy(nonce + NONCE - EXPLICIT, explicit_nonce, EXPLICIT);
        return;
    }
    for (size_t i = 0; i < 8; i++) nonce[NONCE - 1 - i] ^= (uint8_t)(direction->sequence >> (8 * i));
}

/* What the tag covers besides; its size. HEADER is the record's. SIZE: bytes of content, without what protects them. */
static size_t make_aad(const struct tls_direction *direction, const uint8_t header[TLS_HEADER], size_t size,
                       uint8_t aad[AAD_1_2])
{
    if (direction->protection == TLS_1_3) {
        memcpy(aad, header, TLS_HEADER);
        return TLS_HEADER;
    }
    cs_put_be(aad, direction->sequence, 8);
    memcpy(aad + 8, header, 3);
    cs_put_be(aad + 11, size, 2);
    return AAD_1_2;
}

/* Encrypts SIZE bytes, and in TLS 1.3 the record's type behind them. The tag ends the trailer. */
static bool encrypt(const struct tls_direction *direction, const uint8_t *nonce, const uint8_t *aad, size_t aad_size,
                    uint8_t *data, size_t size, uint8_t *trailer)
{
    const size_t inner = direction->protection == TLS_1_3;
    size_t written = size + inner + TAG;
    if (inner) trailer[0] = TLS_APPLICATION_DATA;
    if (data + size == trailer)
        return !gnutls_aead_cipher_encrypt(direction->cipher, nonce, NONCE, aad, aad_size, TAG, data, size + inner,
                                           data, &written);
    const giovec_t covered = {(void *)aad, aad_size}, parts[] = {{data, size}, {trailer, inner}};
    size_t tag = TAG;
    return !gnutls_aead_cipher_encryptv2(direction->cipher, nonce, NONCE, &covered, 1, parts, 1 + (int)inner,
                                         trailer + inner, &tag);
}

bool tls_aead_protect(struct tls_direction *direction, uint8_t *header, uint8_t *data, size_t size, uint8_t *trailer)
{
    uint8_t nonce[NONCE], aad[AAD_1_2];
    const size_t outside = explicit_size(direction), inner = direction->protection == TLS_1_3;
    if (direction->sequence == UINT64_MAX) return false; /* RFC 8446 5.3: numbers never wrap */
    memcpy(header, (const uint8_t[]){TLS_APPLICATION_DATA, 3, 3}, 3);
    cs_put_be(header + 3, outside + size + inner + TAG, 2);
    if (outside) cs_put_be(header + TLS_HEADER, direction->sequence, EXPLICIT);
    make_nonce(direction, header + TLS_HEADER, nonce);
    const size_t aad_size = make_aad(direction, header, size, aad);
    if (!encrypt(direction, nonce, aad, aad_size, data, size, trailer)) return false;
    direction->sequence++;
    return true;
}

/* RFC 8446 5.4: data of no length, its type, and zeros. */
bool tls_aead_pad(struct tls_direction *direction, uint8_t *record, size_t size)
{
    uint8_t nonce[NONCE], *body = record + TLS_HEADER;
    const size_t inner = size - TLS_HEADER - TAG;
    size_t written = inner + TAG;
    if (direction->sequence == UINT64_MAX) return false;
    memcpy(record, (const uint8_t[]){TLS_APPLICATION_DATA, 3, 3}, 3);
    cs_put_be(record + 3, written, 2);
    memset(body, 0, inner);
    body[0] = TLS_APPLICATION_DATA;
    make_nonce(direction, NULL, nonce);
    if (gnutls_aead_cipher_encrypt(direction->cipher, nonce, NONCE, record, TLS_HEADER, TAG, body, inner, body,
                                   &written))
        return false;
    direction->sequence++;
    return true;
}

/* TLS 1.3 pads with zeros behind the type. False: there is nothing but zeros (RFC 8446 5.4). */
static bool strip_padding(struct cs_span *plain, uint8_t *type)
{
    while (plain->size && !plain->data[plain->size - 1]) plain->size--;
    if (!plain->size) return false;
    *type = plain->data[--plain->size];
    return true;
}

/* Where the protected part of RECORD lies; false: it is too short to have one. */
static bool find_body(const struct tls_direction *direction, uint8_t *record, size_t size, uint8_t **body,
                      size_t *length)
{
    const size_t before = TLS_HEADER + explicit_size(direction);
    if (size < before + TAG) return false;
    *body = record + before;
    *length = size - before - TAG;
    return *length <= TLS_MAX_PLAIN + (direction->protection == TLS_1_3);
}

/* A record that does not verify ends the connection; its bytes are wiped, lest somebody acts upon them. */
bool tls_aead_unprotect(struct tls_direction *direction, uint8_t *record, size_t size, struct cs_span *plain,
                        uint8_t *type)
{
    uint8_t nonce[NONCE], aad[AAD_1_2], *body;
    size_t length;
    if (!find_body(direction, record, size, &body, &length) || direction->sequence == UINT64_MAX) return false;
    size_t got = length;
    make_nonce(direction, record + TLS_HEADER, nonce);
    const size_t aad_size = make_aad(direction, record, length, aad);
    if (gnutls_aead_cipher_decrypt(direction->cipher, nonce, NONCE, aad, aad_size, TAG, body, length + TAG, body,
                                   &got)) {
        cs_wipe(body, length);
        return false;
    }
    *plain = (struct cs_span){body, length};
    *type = record[0];
    if (direction->protection == TLS_1_3 && !strip_padding(plain, type)) return false; /* wiped: it was zeros */
    direction->sequence++;
    return true;
}

void tls_aead_restore(struct tls_direction *direction, uint8_t *record, size_t size)
{
    uint8_t nonce[NONCE], aad[AAD_1_2], *body;
    size_t length, written;
    if (!find_body(direction, record, size, &body, &length)) return;
    direction->sequence--;
    written = length + TAG;
    make_nonce(direction, record + TLS_HEADER, nonce);
    const size_t aad_size = make_aad(direction, record, length, aad);
    gnutls_aead_cipher_encrypt(direction->cipher, nonce, NONCE, aad, aad_size, TAG, body, length, body, &written);
}
