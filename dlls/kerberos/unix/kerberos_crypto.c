/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Key derivation, HMAC and AES. Small turns, and what several threads share, are nettle's; many bytes at once are
 * GnuTLS's, which decrypts eight blocks side by side and hashes a little faster.
 */
#include "kerberos_crypto.h"

#include "secure.h"

#include <nettle/cbc.h>
#include <nettle/hmac.h>
#include <nettle/memxor.h>
#include <string.h>

/* From this size on GnuTLS's faster hash is worth its slower calls (measured with AES-256-SHA1). */
enum { BULK = 2048 };

static const struct kerberos_etype etypes[] = {
    {17, 16, 12, 16, &nettle_sha1, GNUTLS_MAC_SHA1, false, "AES-128-CTS-HMAC-SHA1-96", "HMAC-SHA1-96-AES128", 15},
    {18, 32, 12, 32, &nettle_sha1, GNUTLS_MAC_SHA1, false, "AES-256-CTS-HMAC-SHA1-96", "HMAC-SHA1-96-AES256", 16},
    {19, 16, 16, 16, &nettle_sha256, GNUTLS_MAC_SHA256, true, "AES-128-CTS-HMAC-SHA256-128", "HMAC-SHA256-128-AES128",
     19},
    {20, 32, 24, 24, &nettle_sha384, GNUTLS_MAC_SHA384, true, "AES-256-CTS-HMAC-SHA384-192", "HMAC-SHA384-192-AES256",
     20},
};

const struct kerberos_etype *kerberos_etype(int32_t number)
{
    for (size_t i = 0; i < sizeof etypes / sizeof *etypes; i++)
        if (etypes[i].number == number) return &etypes[i];
    return NULL;
}

static size_t greatest_common_divisor(size_t a, size_t b)
{
    while (b) {
        const size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Adds IN, turned right by TURNED bits, which are fewer than it has, to the columns of SUMS from PLACE on. */
static size_t add_turned(struct cs_span in, size_t turned, unsigned *sums, size_t size, size_t place)
{
    const size_t shift = turned % 8;
    size_t left = in.size - 1 - turned / 8;
    for (size_t i = 0; i < in.size; i++) {
        const size_t right = left + 1 < in.size ? left + 1 : 0;
        sums[place] += (uint8_t)(in.data[left] << (8 - shift) | in.data[right] >> shift);
        place = place + 1 < size ? place + 1 : 0;
        left = right;
    }
    return place;
}

/*
 * IN repeated, each time turned right by 13 bits more, until that fills numbers of SIZE bytes; their sum in ones'
 * complement, whose carries can wait for the end.
 */
void kerberos_nfold(struct cs_span in, uint8_t *out, size_t size)
{
    const size_t repetitions = size / greatest_common_divisor(in.size, size);
    unsigned sums[KERBEROS_MAX_KEY] = {0}, carry = 0;
    size_t place = 0;
    for (size_t i = 0; i < repetitions; i++) place = add_turned(in, 13 * i % (8 * in.size), sums, size, place);
    do {
        for (size_t i = size; i > 0; i--) {
            carry += sums[i - 1];
            sums[i - 1] = (uint8_t)carry;
            carry >>= 8;
        }
    } while (carry);
    for (size_t i = 0; i < size; i++) out[i] = (uint8_t)sums[i];
}

static void schedule_set(union kerberos_aes_schedule *schedule, bool wide, const uint8_t *key)
{
    if (wide)
        aes256_set_encrypt_key(&schedule->aes256, key);
    else
        aes128_set_encrypt_key(&schedule->aes128, key);
}

/* RFC 3961 5.1, DK, with AES: no more than encryption of the folded constant, and of what comes of that. */
static void derive_sha1(const struct kerberos_etype *etype, const uint8_t *key, struct cs_span constant, uint8_t *out)
{
    const bool wide = etype->key_size == AES256_KEY_SIZE;
    union kerberos_aes_schedule schedule;
    uint8_t block[KERBEROS_BLOCK];
    schedule_set(&schedule, wide, key);
    kerberos_nfold(constant, block, sizeof block);
    for (size_t done = 0; done < etype->key_size; done += sizeof block) {
        if (wide)
            aes256_encrypt(&schedule.aes256, sizeof block, block, block);
        else
            aes128_encrypt(&schedule.aes128, sizeof block, block, block);
        memcpy(out + done, block, sizeof block);
    }
    cs_wipe(&schedule, sizeof schedule);
    cs_wipe(block, sizeof block);
}

static void mac_key_set(struct kerberos_mac_key *mac_key, const struct nettle_hash *hash, size_t key_size,
                        const uint8_t *key)
{
    union kerberos_hash state;
    mac_key->hash = hash;
    mac_key->bulk = NULL;
    hmac_set_key(&mac_key->outer, &mac_key->inner, &state, hash, key_size, key);
    cs_wipe(&state, sizeof state);
}

/* RFC 8009 section 3, KDF-HMAC-SHA2, without context. */
static void derive_sha2(const struct kerberos_etype *etype, const uint8_t *key, struct cs_span label, uint8_t *out,
                        size_t size)
{
    const uint32_t bits = 8 * (uint32_t)size;
    const uint8_t counter[4] = {0, 0, 0, 1};
    const uint8_t end[5] = {0, 0, 0, (uint8_t)(bits >> 8), (uint8_t)bits};
    struct kerberos_mac_key mac_key;
    struct kerberos_mac mac;
    mac_key_set(&mac_key, etype->hash, etype->key_size, key);
    kerberos_mac_start(&mac, &mac_key, 0);
    kerberos_mac_update(&mac, sizeof counter, counter);
    kerberos_mac_update(&mac, label.size, label.data);
    kerberos_mac_update(&mac, sizeof end, end);
    hmac_digest(&mac_key.outer, &mac_key.inner, &mac.state, etype->hash, size, out);
    cs_wipe(&mac_key, sizeof mac_key);
    cs_wipe(&mac, sizeof mac);
}

size_t kerberos_derive(const struct kerberos_etype *etype, const uint8_t *key, uint32_t usage,
                       enum kerberos_derived which, uint8_t out[KERBEROS_MAX_KEY])
{
    const uint8_t constant[5] = {(uint8_t)(usage >> 24), (uint8_t)(usage >> 16), (uint8_t)(usage >> 8), (uint8_t)usage,
                                 (uint8_t)which};
    const struct cs_span span = {constant, sizeof constant};
    const size_t size = which == KERBEROS_KE ? etype->key_size : etype->mac_key_size;
    if (etype->sha2)
        derive_sha2(etype, key, span, out, size);
    else
        derive_sha1(etype, key, span, out);
    return size;
}

bool kerberos_mac_key_derive(struct kerberos_mac_key *mac_key, const struct kerberos_etype *etype, const uint8_t *key,
                             uint32_t usage, enum kerberos_derived which, bool bulk)
{
    uint8_t derived[KERBEROS_MAX_KEY];
    const size_t size = kerberos_derive(etype, key, usage, which, derived);
    mac_key_set(mac_key, etype->hash, size, derived);
    mac_key->size = etype->mac_size;
    const bool prepared = !bulk || gnutls_hmac_init(&mac_key->bulk, etype->bulk_mac, derived, size) == 0;
    cs_wipe(derived, sizeof derived);
    return prepared;
}

void kerberos_mac_key_release(struct kerberos_mac_key *mac_key)
{
    if (mac_key->bulk) gnutls_hmac_deinit(mac_key->bulk, NULL);
    cs_wipe(mac_key, sizeof *mac_key);
}

void kerberos_mac_start(struct kerberos_mac *mac, const struct kerberos_mac_key *key, size_t size)
{
    mac->key = key;
    mac->bulk = size >= BULK ? key->bulk : NULL;
    if (!mac->bulk) memcpy(&mac->state, &key->inner, key->hash->context_size);
}

void kerberos_mac_end(struct kerberos_mac *mac, uint8_t out[KERBEROS_MAX_MAC])
{
    const struct kerberos_mac_key *key = mac->key;
    uint8_t digest[KERBEROS_MAX_DIGEST];
    if (!mac->bulk) {
        hmac_digest(&key->outer, &key->inner, &mac->state, key->hash, key->size, out);
        return;
    }
    gnutls_hmac_output(mac->bulk, digest);
    memcpy(out, digest, key->size);
}

bool kerberos_aes_prepare(struct kerberos_aes *aes, const uint8_t *key, size_t size, bool decrypts)
{
    const gnutls_datum_t datum = {(unsigned char *)(uintptr_t)key, (unsigned)size};
    aes->wide = size == AES256_KEY_SIZE;
    aes->bulk = NULL;
    schedule_set(&aes->encrypt, aes->wide, key);
    if (!decrypts) return true;
    if (aes->wide)
        aes256_invert_key(&aes->decrypt.aes256, &aes->encrypt.aes256);
    else
        aes128_invert_key(&aes->decrypt.aes128, &aes->encrypt.aes128);
    const gnutls_cipher_algorithm_t bulk = aes->wide ? GNUTLS_CIPHER_AES_256_CBC : GNUTLS_CIPHER_AES_128_CBC;
    return gnutls_cipher_init(&aes->bulk, bulk, &datum, NULL) == 0;
}

void kerberos_aes_release(struct kerberos_aes *aes)
{
    if (aes->bulk) gnutls_cipher_deinit(aes->bulk);
    cs_wipe(aes, sizeof *aes);
}

void kerberos_cbc_encrypt(const struct kerberos_aes *aes, uint8_t iv[KERBEROS_BLOCK], size_t size, uint8_t *data)
{
    if (aes->wide)
        cbc_aes256_encrypt(&aes->encrypt.aes256, iv, size, data, data);
    else
        cbc_aes128_encrypt(&aes->encrypt.aes128, iv, size, data, data);
}

void kerberos_cbc_decrypt(const struct kerberos_aes *aes, uint8_t iv[KERBEROS_BLOCK], size_t size, uint8_t *data)
{
    uint8_t next[KERBEROS_BLOCK];
    if (!size) return;
    memcpy(next, data + size - sizeof next, sizeof next);
    gnutls_cipher_set_iv(aes->bulk, iv, KERBEROS_BLOCK);
    gnutls_cipher_decrypt(aes->bulk, data, size);
    memcpy(iv, next, sizeof next);
}

static void block_decrypt(const struct kerberos_aes *aes, uint8_t *out, const uint8_t *in)
{
    if (aes->wide)
        aes256_decrypt(&aes->decrypt.aes256, KERBEROS_BLOCK, out, in);
    else
        aes128_decrypt(&aes->decrypt.aes128, KERBEROS_BLOCK, out, in);
}

void kerberos_cts_encrypt(const struct kerberos_aes *aes, uint8_t iv[KERBEROS_BLOCK], size_t size, uint8_t *data)
{
    uint8_t blocks[2 * KERBEROS_BLOCK] = {0};
    if (size == KERBEROS_BLOCK) {
        kerberos_cbc_encrypt(aes, iv, size, data);
        return;
    }
    memcpy(blocks, data, size);
    kerberos_cbc_encrypt(aes, iv, sizeof blocks, blocks);
    memcpy(data, blocks + KERBEROS_BLOCK, KERBEROS_BLOCK);
    memcpy(data + KERBEROS_BLOCK, blocks, size - KERBEROS_BLOCK);
}

void kerberos_cts_decrypt(const struct kerberos_aes *aes, uint8_t iv[KERBEROS_BLOCK], size_t size, uint8_t *data)
{
    const size_t rest = size - KERBEROS_BLOCK;
    uint8_t last[KERBEROS_BLOCK], stolen[KERBEROS_BLOCK];
    if (!rest) {
        block_decrypt(aes, last, data);
        memxor3(data, last, iv, KERBEROS_BLOCK);
        return;
    }
    /* The last block under the padding's zeros: what it has past REST is the end of the block before it. */
    block_decrypt(aes, last, data);
    memcpy(stolen, last, sizeof stolen);
    memcpy(stolen, data + KERBEROS_BLOCK, rest);
    memxor(last, stolen, rest);
    block_decrypt(aes, data, stolen);
    memxor(data, iv, KERBEROS_BLOCK);
    memcpy(data + KERBEROS_BLOCK, last, rest);
}
