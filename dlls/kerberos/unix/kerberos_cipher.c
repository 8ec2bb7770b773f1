/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One message under a key of its own usage.
 */
#include "kerberos_cipher.h"

#include "kerberos_seal.h"
#include "secure.h"

#include <string.h>

bool kerberos_cipher_encrypt(const struct kerberos_etype *etype, const uint8_t *key, uint32_t usage,
                             struct cs_span plain, uint8_t *out)
{
    struct kerberos_sealer sealer = {.etype = NULL};
    const struct kerberos_parts parts = {.head = {out, KERBEROS_BLOCK + plain.size}};
    uint8_t mac[KERBEROS_MAX_MAC];
    const bool ready = kerberos_sealer_prepare(&sealer, etype, key, usage, false) && cs_random(out, KERBEROS_BLOCK);
    if (ready) {
        memcpy(out + KERBEROS_BLOCK, plain.data, plain.size);
        kerberos_seal(&sealer, &parts, mac);
        memcpy(out + KERBEROS_BLOCK + plain.size, mac, etype->mac_size);
    }
    kerberos_sealer_release(&sealer);
    return ready;
}

bool kerberos_cipher_decrypt(const struct kerberos_etype *etype, const uint8_t *key, uint32_t usage,
                             struct cs_span cipher, uint8_t *out)
{
    const size_t size = cipher.size - kerberos_cipher_excess(etype);
    struct kerberos_sealer sealer = {.etype = NULL};
    uint8_t confounder[KERBEROS_BLOCK];
    const struct kerberos_parts parts = {.head = {confounder, KERBEROS_BLOCK}, .tail = {{out, size}}};
    memcpy(confounder, cipher.data, KERBEROS_BLOCK);
    memcpy(out, cipher.data + KERBEROS_BLOCK, size);
    const bool genuine = kerberos_sealer_prepare(&sealer, etype, key, usage, true) &&
                         kerberos_unseal(&sealer, &parts, cipher.data + KERBEROS_BLOCK + size);
    kerberos_sealer_release(&sealer);
    return genuine;
}
