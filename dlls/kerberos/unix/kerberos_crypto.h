/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the AES encryption types are made of: key derivation of RFC 3961 and RFC 8009, HMAC with its key prepared, and
 * AES in CBC mode. Names are those of the specifications.
 */
#ifndef COUNTERSIGN_KERBEROS_CRYPTO_H
#define COUNTERSIGN_KERBEROS_CRYPTO_H

#include "kerberos_protect.h"

#include <gnutls/gnutls.h>
#include <gnutls/crypto.h>
#include <nettle/aes.h>
#include <nettle/nettle-meta.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

enum { KERBEROS_BLOCK = AES_BLOCK_SIZE, KERBEROS_MAX_MAC = 24, KERBEROS_MAX_DIGEST = SHA384_DIGEST_SIZE };

/* An encryption type: RFC 3962 section 6, RFC 8009 section 5. Sizes in bytes. */
struct kerberos_etype {
    int32_t number;
    uint32_t key_size;
    uint32_t mac_size;     /* of a checksum in a token */
    uint32_t mac_key_size; /* of Kc and Ki */
    const struct nettle_hash *hash;
    gnutls_mac_algorithm_t bulk_mac; /* the HMAC with HASH */
    bool sha2;                       /* RFC 8009: another key derivation, and the MAC goes over what is encrypted */
    const char *name, *checksum_name;
    int32_t checksum_number;
};

/* The AES type of that number, 17 to 20; NULL for any other. */
const struct kerberos_etype *kerberos_etype(int32_t number);

/* RFC 3961 5.1: n-fold of IN, which is not empty, to SIZE bytes, at most KERBEROS_MAX_KEY. */
void kerberos_nfold(struct cs_span in, uint8_t *out, size_t size);

/* The last byte of a derivation constant: RFC 3961 5.3, RFC 8009 section 5. */
enum kerberos_derived { KERBEROS_KC = 0x99, KERBEROS_KE = 0xAA, KERBEROS_KI = 0x55 };

/* Kc, Ke or Ki of key usage USAGE from the base key KEY; yields its size, at most KERBEROS_MAX_KEY, in bytes. */
size_t kerberos_derive(const struct kerberos_etype *etype, const uint8_t *key, uint32_t usage,
                       enum kerberos_derived which, uint8_t out[KERBEROS_MAX_KEY]);

/* A hash in the middle of its work. */
union kerberos_hash {
    struct sha1_ctx sha1;
    struct sha256_ctx sha256;
    struct sha512_ctx sha512;
};

/*
 * HMAC with its key gone through. Without BULK it is constant from then on, and threads share it; with BULK it is for
 * one thread at a time.
 */
struct kerberos_mac_key {
    const struct nettle_hash *hash;
    uint32_t size; /* bytes kept of the digest */
    union kerberos_hash outer, inner;
    gnutls_hmac_hd_t bulk; /* NULL: HASH does the work */
};

/* One message's HMAC. */
struct kerberos_mac {
    const struct kerberos_mac_key *key;
    gnutls_hmac_hd_t bulk; /* KEY's, if it does the work */
    union kerberos_hash state;
};

/*
 * Derives Kc or Ki and prepares it, with BULK if BULK says so; false without memory, and never without BULK.
 * kerberos_mac_key_release follows either.
 */
bool kerberos_mac_key_derive(struct kerberos_mac_key *mac_key, const struct kerberos_etype *etype, const uint8_t *key,
                             uint32_t usage, enum kerberos_derived which, bool bulk);
void kerberos_mac_key_release(struct kerberos_mac_key *mac_key);

/* SIZE: about how many bytes will come, which decides who does the work. */
void kerberos_mac_start(struct kerberos_mac *mac, const struct kerberos_mac_key *key, size_t size);

/* Neither fails on a handle that is there. */
static inline void kerberos_mac_update(struct kerberos_mac *mac, size_t size, const uint8_t *data)
{
    if (mac->bulk)
        gnutls_hmac(mac->bulk, data, size);
    else
        mac->key->hash->update(&mac->state, size, data);
}

/* Writes the key's SIZE bytes of the digest; MAC needs a new start. */
void kerberos_mac_end(struct kerberos_mac *mac, uint8_t out[KERBEROS_MAX_MAC]);

union kerberos_aes_schedule {
    struct aes128_ctx aes128;
    struct aes256_ctx aes256;
};

/* AES under one key. Encryption changes nothing here; decryption is for one thread at a time. */
struct kerberos_aes {
    bool wide; /* 256 bits */
    union kerberos_aes_schedule encrypt, decrypt;
    gnutls_cipher_hd_t bulk;
};

/*
 * Prepares KEY of SIZE bytes, 16 or 32, for encryption, and for decryption too if DECRYPTS; false without memory, and
 * never for encryption alone. kerberos_aes_release follows either; zeroed is released.
 */
bool kerberos_aes_prepare(struct kerberos_aes *aes, const uint8_t *key, size_t size, bool decrypts);
void kerberos_aes_release(struct kerberos_aes *aes);

/* SIZE bytes of DATA, whole blocks, in place; IV becomes what the next block wants. */
void kerberos_cbc_encrypt(const struct kerberos_aes *aes, uint8_t iv[KERBEROS_BLOCK], size_t size, uint8_t *data);
void kerberos_cbc_decrypt(const struct kerberos_aes *aes, uint8_t iv[KERBEROS_BLOCK], size_t size, uint8_t *data);

/* The last one or two blocks of a message in ciphertext stealing mode (RFC 3962 section 5): SIZE is 16 to 32 bytes. */
void kerberos_cts_encrypt(const struct kerberos_aes *aes, uint8_t iv[KERBEROS_BLOCK], size_t size, uint8_t *data);
void kerberos_cts_decrypt(const struct kerberos_aes *aes, uint8_t iv[KERBEROS_BLOCK], size_t size, uint8_t *data);

#endif
