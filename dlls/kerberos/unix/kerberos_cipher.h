/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * RFC 3961's encrypt and decrypt of one whole message with AES, as the AP exchange has them: a confounder before the
 * text and the checksum behind. Heimdal's do the same with an AES and a SHA-1 in plain C, which would be half of a
 * handshake's time.
 */
#ifndef COUNTERSIGN_KERBEROS_CIPHER_H
#define COUNTERSIGN_KERBEROS_CIPHER_H

#include "kerberos_crypto.h"

/* Bytes by which a ciphertext of ETYPE is longer than its text. */
static inline size_t kerberos_cipher_excess(const struct kerberos_etype *etype)
{
    return KERBEROS_BLOCK + etype->mac_size;
}

/*
 * Encrypts PLAIN under KEY, of ETYPE's key_size, for key usage USAGE into OUT, which has room for its size and
 * kerberos_cipher_excess(). False without memory or random bytes.
 */
bool kerberos_cipher_encrypt(const struct kerberos_etype *etype, const uint8_t *key, uint32_t usage,
                             struct cs_span plain, uint8_t *out);

/*
 * Decrypts CIPHER, no shorter than kerberos_cipher_excess(), into OUT, which has room for the text. False: of another
 * key, or altered, and then OUT has nothing of the text; or no memory.
 */
bool kerberos_cipher_decrypt(const struct kerberos_etype *etype, const uint8_t *key, uint32_t usage,
                             struct cs_span cipher, uint8_t *out);

#endif
