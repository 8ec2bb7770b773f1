/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Authenticated encryption of RFC 3961 and RFC 8009, in place over a list of buffers: AES-CTS over those that are
 * sealed, HMAC over these and over those that are signed alone.
 */
#ifndef COUNTERSIGN_KERBEROS_SEAL_H
#define COUNTERSIGN_KERBEROS_SEAL_H

#include "kerberos_crypto.h"

/* Ke and Ki of one key usage. */
struct kerberos_sealer {
    const struct kerberos_etype *etype;
    struct kerberos_aes aes;
    struct kerberos_mac_key integrity;
};

/*
 * Derives and prepares, for kerberos_unseal if OPENS, else for kerberos_seal; false without memory.
 * kerberos_sealer_release follows either.
 */
bool kerberos_sealer_prepare(struct kerberos_sealer *sealer, const struct kerberos_etype *etype, const uint8_t *key,
                             uint32_t usage, bool opens);
void kerberos_sealer_release(struct kerberos_sealer *sealer);

/* Bytes that somebody else owns, to be changed in place. */
struct kerberos_bytes {
    uint8_t *data;
    size_t size;
};

enum { KERBEROS_TAILS = 2 };

/*
 * What one ciphertext covers, in this order: HEAD (the confounder), the buffers of MESSAGE that cs_buffer_signed() and
 * cs_buffer_sealed() name for CS_ENCRYPT and CS_DECRYPT, and TAIL. At least a block of it is sealed.
 */
struct kerberos_parts {
    struct kerberos_bytes head;
    struct cs_message message;
    struct kerberos_bytes tail[KERBEROS_TAILS];
};

/* Encrypts PARTS; MAC gets the checksum, the encryption type's mac_size in bytes. Any number of threads at once. */
void kerberos_seal(const struct kerberos_sealer *sealer, const struct kerberos_parts *parts,
                   uint8_t mac[KERBEROS_MAX_MAC]);

/* Decrypts PARTS if MAC is theirs; else they are as they were. One thread at a time. */
bool kerberos_unseal(const struct kerberos_sealer *sealer, const struct kerberos_parts *parts, const uint8_t *mac);

/* Encrypts PARTS again as they were before a kerberos_unseal that succeeded. */
void kerberos_reseal(const struct kerberos_sealer *sealer, const struct kerberos_parts *parts);

#endif
