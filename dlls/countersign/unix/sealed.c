/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sealed bytes.
 */
#include "sealed.h"

#include "secure.h"
#include "user_key.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <nettle/hmac.h>
#include <string.h>
#include <unistd.h>

enum { MAGIC = 8, SALT = 32, NONCE = 12, LARGEST = 1 << 20 };

static const uint8_t magic[MAGIC] = {'C', 'S', 'S', 'E', 'A', 'L', 'E', 'D'};

/*
 * The user's key for this, which is what takes time to get: kept from the first use on. Where the secret has changed
 * since, this process goes on with the one that it has read. Without a lock: no thread that dies leaves one.
 */
enum root_state { EMPTY, BEING_FILLED, FILLED };

static struct {
    enum root_state state;
    uint8_t key[CS_USER_KEY]; /* constant once FILLED */
} root;

/* Nothing calls any more. */
static void __attribute__((destructor)) forget_root(void)
{
    root.state = BEING_FILLED;
    cs_wipe(root.key, sizeof root.key);
}

static void keep_root(const uint8_t key[CS_USER_KEY])
{
    enum root_state expected = EMPTY;
    if (!__atomic_compare_exchange_n(&root.state, &expected, BEING_FILLED, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return;
    memcpy(root.key, key, CS_USER_KEY);
    __atomic_store_n(&root.state, FILLED, __ATOMIC_RELEASE);
}

static bool get_root(uint8_t key[CS_USER_KEY])
{
    const struct cs_span none = {NULL, 0};
    if (__atomic_load_n(&root.state, __ATOMIC_ACQUIRE) == FILLED) {
        memcpy(key, root.key, CS_USER_KEY);
        return true;
    }
    if (!cs_user_key("countersign sealed", none, none, key, CS_USER_KEY)) return false;
    keep_root(key);
    return true;
}

/* The cipher of the one that SALT belongs to. */
static SECURITY_STATUS open_cipher(const uint8_t salt[SALT], gnutls_aead_cipher_hd_t *cipher)
{
    struct hmac_sha256_ctx hmac;
    uint8_t key[CS_USER_KEY];
    gnutls_datum_t datum = {key, sizeof key};
    if (!get_root(key)) return SEC_E_INTERNAL_ERROR;
    hmac_sha256_set_key(&hmac, sizeof key, key);
    hmac_sha256_update(&hmac, SALT, salt);
    hmac_sha256_digest(&hmac, sizeof key, key);
    const int error = gnutls_aead_cipher_init(cipher, GNUTLS_CIPHER_AES_256_GCM, &datum);
    cs_wipe(&hmac, sizeof hmac);
    cs_wipe(key, sizeof key);
    return error ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_OK;
}

static const uint8_t nonce[NONCE];

void cs_sealed_begin(struct cs_writer *sealed)
{
    cs_write_span(sealed, (struct cs_span){magic, MAGIC});
    cs_write_u32(sealed, CS_SEALED_VERSION);
    cs_write_u32(sealed, geteuid());
    uint8_t *salt = cs_write_room(sealed, SALT);
    if (salt && !cs_random(salt, SALT)) sealed->failed = true;
}

SECURITY_STATUS cs_sealed_end(struct cs_writer *sealed)
{
    gnutls_aead_cipher_hd_t cipher;
    const size_t size = sealed->size - CS_SEALED_HEADER;
    size_t written = size + CS_SEALED_TAG;
    cs_write_room(sealed, CS_SEALED_TAG);
    if (sealed->failed) return SEC_E_INSUFFICIENT_MEMORY;
    uint8_t *content = sealed->data + CS_SEALED_HEADER;
    SECURITY_STATUS status = open_cipher(content - SALT, &cipher);
    if (status) return status;
    if (gnutls_aead_cipher_encrypt(cipher, nonce, NONCE, sealed->data, CS_SEALED_HEADER, CS_SEALED_TAG, content, size,
                                   content, &written))
        status = SEC_E_INTERNAL_ERROR;
    gnutls_aead_cipher_deinit(cipher);
    return status;
}

/* Whose it is, and whether it is of this version at all. */
static SECURITY_STATUS check_header(struct cs_span sealed)
{
    struct cs_reader reader = cs_reader_of(sealed);
    const struct cs_span start = cs_read_span(&reader, MAGIC);
    const uint32_t version = cs_read_u32(&reader), owner = cs_read_u32(&reader);
    cs_read_span(&reader, SALT + CS_SEALED_TAG);
    if (reader.failed || memcmp(start.data, magic, MAGIC) || version != CS_SEALED_VERSION) return SEC_E_INVALID_TOKEN;
    return owner == geteuid() ? SEC_E_OK : SEC_E_NOT_OWNER;
}

static SECURITY_STATUS decrypt(struct cs_writer *opened, struct cs_span *content)
{
    gnutls_aead_cipher_hd_t cipher;
    uint8_t *data = opened->data + CS_SEALED_HEADER;
    const size_t size = opened->size - CS_SEALED_HEADER;
    size_t plain = size - CS_SEALED_TAG;
    SECURITY_STATUS status = open_cipher(data - SALT, &cipher);
    if (status) return status;
    if (gnutls_aead_cipher_decrypt(cipher, nonce, NONCE, opened->data, CS_SEALED_HEADER, CS_SEALED_TAG, data, size,
                                   data, &plain))
        status = SEC_E_INVALID_TOKEN;
    gnutls_aead_cipher_deinit(cipher);
    *content = (struct cs_span){data, plain};
    return status;
}

SECURITY_STATUS cs_sealed_open(struct cs_span sealed, struct cs_writer *opened, struct cs_span *content)
{
    if (sealed.size > LARGEST) return SEC_E_INVALID_TOKEN;
    cs_write_span(opened, sealed);
    if (opened->failed) return SEC_E_INSUFFICIENT_MEMORY;
    SECURITY_STATUS status = check_header(cs_written(opened));
    return status ? status : decrypt(opened, content);
}
