/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One pass over the buffers of a message, in which cipher and MAC take turns. Both see one stream of bytes in the order
 * of the buffers, the cipher without those that are signed alone. A block of the cipher that begins in one buffer and
 * ends in others is gathered as soon as its first byte comes up; the MAC takes its copy of it as it gets there.
 */
#include "kerberos_seal.h"

#include "secure.h"

#include <string.h>

enum { MAX_END = 2 * KERBEROS_BLOCK };

/*
 * A CBC encryption and a hash are each one long chain of dependent steps; taking turns by the hash's block lets the
 * processor run one beside the other. Decryption has no such chain: its turns only keep the bytes in the first cache.
 */
enum { ENCRYPTING_TURN = 64, DECRYPTING_TURN = 4096 };

enum treatment { PASSED_OVER, SIGNED, SEALED };

struct part {
    uint8_t *data;
    size_t size;
    enum treatment treatment;
};

struct pass {
    const struct kerberos_parts *parts;
    const struct kerberos_aes *aes;
    struct kerberos_mac *mac; /* NULL: none */
    bool encrypts;
    bool mac_first; /* the MAC is over what the cipher reads, not over what it writes */
    uint8_t iv[KERBEROS_BLOCK];
    size_t left; /* sealed bytes that the cipher has yet to go over */
    size_t end;  /* of these the last ones, in which ciphertext is stolen */
    uint8_t across[MAX_END];
    size_t across_size, across_passed; /* what of ACROSS the MAC is still to take */
};

bool kerberos_sealer_prepare(struct kerberos_sealer *sealer, const struct kerberos_etype *etype, const uint8_t *key,
                             uint32_t usage, bool opens)
{
    uint8_t encryption_key[KERBEROS_MAX_KEY];
    const size_t size = kerberos_derive(etype, key, usage, KERBEROS_KE, encryption_key);
    sealer->etype = etype;
    const bool authenticates = kerberos_mac_key_derive(&sealer->integrity, etype, key, usage, KERBEROS_KI, opens);
    const bool encrypts = kerberos_aes_prepare(&sealer->aes, encryption_key, size, opens);
    cs_wipe(encryption_key, sizeof encryption_key);
    return authenticates && encrypts;
}

void kerberos_sealer_release(struct kerberos_sealer *sealer)
{
    kerberos_aes_release(&sealer->aes);
    kerberos_mac_key_release(&sealer->integrity);
}

static uint32_t part_count(const struct kerberos_parts *parts)
{
    return 1 + parts->message.count + KERBEROS_TAILS;
}

static inline enum treatment treatment_of(const struct cs_buffer *buffer)
{
    if (cs_buffer_sealed(buffer)) return SEALED;
    return cs_buffer_signed(buffer, CS_ENCRYPT) ? SIGNED : PASSED_OVER;
}

static inline struct part part_at(const struct kerberos_parts *parts, uint32_t index)
{
    const struct kerberos_bytes *own = &parts->head;
    if (index > parts->message.count)
        own = &parts->tail[index - 1 - parts->message.count];
    else if (index) {
        const struct cs_buffer *buffer = &parts->message.buffers[index - 1];
        return (struct part){cs_buffer_bytes(buffer), buffer->size, treatment_of(buffer)};
    }
    return (struct part){own->data, own->size, SEALED};
}

static size_t sealed_size(const struct kerberos_parts *parts)
{
    size_t size = 0;
    for (uint32_t i = 0; i < part_count(parts); i++) {
        const struct part part = part_at(parts, i);
        if (part.treatment == SEALED) size += part.size;
    }
    return size;
}

/* RFC 3962 section 5: one block is encrypted as it is; more end in a whole one and one of 1 to 16 bytes. */
static size_t end_size(size_t size)
{
    return size <= KERBEROS_BLOCK ? size : KERBEROS_BLOCK + (size - 1) % KERBEROS_BLOCK + 1;
}

static void mac_over(struct pass *pass, size_t size, const uint8_t *data)
{
    if (pass->mac && size) kerberos_mac_update(pass->mac, size, data);
}

static void advance(struct part *part, size_t size)
{
    part->data += size;
    part->size -= size;
}

static void cipher(struct pass *pass, size_t size, uint8_t *data)
{
    if (pass->encrypts)
        kerberos_cbc_encrypt(pass->aes, pass->iv, size, data);
    else
        kerberos_cbc_decrypt(pass->aes, pass->iv, size, data);
}

static void cipher_end(struct pass *pass, size_t size, uint8_t *data)
{
    if (pass->encrypts)
        kerberos_cts_encrypt(pass->aes, pass->iv, size, data);
    else
        kerberos_cts_decrypt(pass->aes, pass->iv, size, data);
}

/* The blocks that lie whole in PART, but for the message's end. */
static void pass_whole_blocks(struct pass *pass, struct part *part)
{
    const size_t limit = pass->encrypts ? ENCRYPTING_TURN : DECRYPTING_TURN, before_end = pass->left - pass->end;
    size_t size = part->size < before_end ? part->size & ~(size_t)(KERBEROS_BLOCK - 1) : before_end;
    pass->left -= size;
    while (size) {
        const size_t n = size < limit ? size : limit;
        if (pass->mac_first) mac_over(pass, n, part->data);
        cipher(pass, n, part->data);
        if (!pass->mac_first) mac_over(pass, n, part->data);
        advance(part, n);
        size -= n;
    }
}

/* Copies SIZE sealed bytes, from those of PART, which is number INDEX, on, to or from ACROSS. */
static void transfer(const struct kerberos_parts *parts, uint32_t index, struct part part, uint8_t *across, size_t size,
                     bool gather)
{
    while (size) {
        const size_t n = part.treatment != SEALED ? 0 : part.size < size ? part.size : size;
        if (n && gather) memcpy(across, part.data, n);
        if (n && !gather) memcpy(part.data, across, n);
        across += n;
        size -= n;
        if (size) part = part_at(parts, ++index);
    }
}

/* The block that PART, number INDEX, begins and does not end; or the message's end. */
static void pass_across(struct pass *pass, uint32_t index, struct part part)
{
    const bool at_end = pass->left == pass->end;
    const size_t size = at_end ? pass->end : KERBEROS_BLOCK;
    uint8_t bytes[MAX_END];
    transfer(pass->parts, index, part, bytes, size, true);
    if (pass->mac_first) memcpy(pass->across, bytes, size);
    if (at_end)
        cipher_end(pass, size, bytes);
    else
        cipher(pass, size, bytes);
    if (!pass->mac_first) memcpy(pass->across, bytes, size);
    transfer(pass->parts, index, part, bytes, size, false);
    pass->left -= size;
    pass->across_size = size;
    pass->across_passed = 0;
}

/* The MAC takes those bytes of PART that the cipher has been over already. */
static void mac_across(struct pass *pass, struct part *part)
{
    const size_t waiting = pass->across_size - pass->across_passed, n = part->size < waiting ? part->size : waiting;
    mac_over(pass, n, pass->across + pass->across_passed);
    pass->across_passed += n;
    advance(part, n);
}

static void pass_sealed(struct pass *pass, uint32_t index, struct part part)
{
    mac_across(pass, &part);
    if (!part.size) return;
    pass_whole_blocks(pass, &part);
    if (!part.size) return;
    pass_across(pass, index, part);
    mac_across(pass, &part);
}

/* One pass over PARTS. AES NULL: no cipher. MAC NULL: no MAC. */
static void run(const struct kerberos_parts *parts, const struct kerberos_aes *aes, bool encrypts, bool mac_first,
                struct kerberos_mac *mac)
{
    const size_t left = sealed_size(parts);
    struct pass pass = {.parts = parts,
                        .aes = aes,
                        .mac = mac,
                        .encrypts = encrypts,
                        .mac_first = mac_first,
                        .left = left,
                        .end = end_size(left)};
    for (uint32_t i = 0; i < part_count(parts); i++) {
        const struct part part = part_at(parts, i);
        if (!part.size) continue;
        if (part.treatment == SEALED && aes)
            pass_sealed(&pass, i, part);
        else if (part.treatment != PASSED_OVER)
            mac_over(&pass, part.size, part.data);
    }
}

/* RFC 8009 section 5: the MAC is over the cipher state, which is zero, and the ciphertext. */
static void start_mac(struct kerberos_mac *mac, const struct kerberos_sealer *sealer, size_t size)
{
    static const uint8_t cipher_state[KERBEROS_BLOCK];
    kerberos_mac_start(mac, &sealer->integrity, size);
    if (sealer->etype->sha2) kerberos_mac_update(mac, sizeof cipher_state, cipher_state);
}

/*
 * Most of a short message's time would go by between its parts: it is worth two copies, and one that is refused needs
 * no putting back.
 */
struct short_message {
    uint8_t bytes[256];
    size_t size;
};

/* Copies the sealed bytes of PARTS; false when they are too many, or the MAC is over more than these. */
static bool gather(const struct kerberos_parts *parts, struct short_message *message)
{
    message->size = 0;
    for (uint32_t i = 0; i < part_count(parts); i++) {
        const struct part part = part_at(parts, i);
        if (!part.size || part.treatment == PASSED_OVER) continue;
        if (part.treatment == SIGNED || part.size > sizeof message->bytes - message->size) return false;
        memcpy(message->bytes + message->size, part.data, part.size);
        message->size += part.size;
    }
    return true;
}

static void scatter(const struct kerberos_parts *parts, const struct short_message *message)
{
    const uint8_t *next = message->bytes;
    for (uint32_t i = 0; i < part_count(parts); i++) {
        const struct part part = part_at(parts, i);
        if (!part.size || part.treatment == PASSED_OVER) continue;
        memcpy(part.data, next, part.size);
        next += part.size;
    }
}

static void encrypt_short(const struct kerberos_aes *aes, struct short_message *message)
{
    const size_t end = end_size(message->size), before_end = message->size - end;
    uint8_t iv[KERBEROS_BLOCK] = {0};
    if (before_end) kerberos_cbc_encrypt(aes, iv, before_end, message->bytes);
    kerberos_cts_encrypt(aes, iv, end, message->bytes + before_end);
}

static void decrypt_short(const struct kerberos_aes *aes, struct short_message *message)
{
    const size_t end = end_size(message->size), before_end = message->size - end;
    uint8_t iv[KERBEROS_BLOCK] = {0};
    if (before_end) kerberos_cbc_decrypt(aes, iv, before_end, message->bytes);
    kerberos_cts_decrypt(aes, iv, end, message->bytes + before_end);
}

static void seal_short(const struct kerberos_sealer *sealer, struct short_message *message,
                       uint8_t mac[KERBEROS_MAX_MAC])
{
    struct kerberos_mac state;
    start_mac(&state, sealer, message->size);
    if (!sealer->etype->sha2) kerberos_mac_update(&state, message->size, message->bytes);
    encrypt_short(&sealer->aes, message);
    if (sealer->etype->sha2) kerberos_mac_update(&state, message->size, message->bytes);
    kerberos_mac_end(&state, mac);
}

static bool unseal_short(const struct kerberos_sealer *sealer, struct short_message *message, const uint8_t *mac)
{
    uint8_t expected[KERBEROS_MAX_MAC];
    struct kerberos_mac state;
    start_mac(&state, sealer, message->size);
    if (!sealer->etype->sha2) decrypt_short(&sealer->aes, message);
    kerberos_mac_update(&state, message->size, message->bytes);
    kerberos_mac_end(&state, expected);
    if (!cs_same(expected, mac, sealer->etype->mac_size)) return false;
    if (sealer->etype->sha2) decrypt_short(&sealer->aes, message);
    return true;
}

void kerberos_seal(const struct kerberos_sealer *sealer, const struct kerberos_parts *parts,
                   uint8_t mac[KERBEROS_MAX_MAC])
{
    struct short_message message;
    struct kerberos_mac state;
    if (gather(parts, &message)) {
        seal_short(sealer, &message, mac);
        scatter(parts, &message);
        return;
    }
    start_mac(&state, sealer, sealed_size(parts));
    run(parts, &sealer->aes, true, !sealer->etype->sha2, &state);
    kerberos_mac_end(&state, mac);
}

void kerberos_reseal(const struct kerberos_sealer *sealer, const struct kerberos_parts *parts)
{
    run(parts, &sealer->aes, true, true, NULL);
}

static bool unseal_long(const struct kerberos_sealer *sealer, const struct kerberos_parts *parts, const uint8_t *mac)
{
    const bool sha2 = sealer->etype->sha2;
    uint8_t expected[KERBEROS_MAX_MAC];
    struct kerberos_mac state;
    start_mac(&state, sealer, sealed_size(parts));
    run(parts, sha2 ? NULL : &sealer->aes, false, false, &state);
    kerberos_mac_end(&state, expected);
    const bool genuine = cs_same(expected, mac, sealer->etype->mac_size);
    if (genuine && sha2) run(parts, &sealer->aes, false, false, NULL);
    if (!genuine && !sha2) kerberos_reseal(sealer, parts);
    return genuine;
}

bool kerberos_unseal(const struct kerberos_sealer *sealer, const struct kerberos_parts *parts, const uint8_t *mac)
{
    struct short_message message;
    if (!gather(parts, &message)) return unseal_long(sealer, parts, mac);
    const bool genuine = unseal_short(sealer, &message, mac);
    if (genuine) scatter(parts, &message);
    cs_wipe(message.bytes, message.size); /* subkeys come this way */
    return genuine;
}
