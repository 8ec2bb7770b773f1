/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pure cryptography of NTLM.
 */
#include "crypto.h"

#include "ntlm_flags.h"
#include "secure.h"
#include "utf16.h"

#include <hcrypto/rc4.h>
#include <nettle/des.h>
#include <nettle/hmac.h>
#include <nettle/md4.h>
#include <nettle/md5.h>
#include <string.h>

void ntlm_NTOWFv1(struct cs_span password, uint8_t hash[NTLM_KEY])
{
    struct md4_ctx md4;
    md4_init(&md4);
    if (password.size) md4_update(&md4, password.size, password.data);
    md4_digest(&md4, NTLM_KEY, hash);
    cs_wipe(&md4, sizeof md4);
}

/* Spreads 7 bytes over 8, leaving each low bit to parity, which des_set_key ignores. */
static void des_key_of(const uint8_t seven[7], uint8_t key[DES_KEY_SIZE])
{
    uint64_t bits = 0;
    for (int i = 0; i < 7; i++) bits = bits << 8 | seven[i];
    for (int i = 0; i < 8; i++) key[i] = (uint8_t)((bits >> (49 - 7 * i)) << 1);
}

static void des(const uint8_t seven[7], const uint8_t data[8], uint8_t result[8])
{
    uint8_t key[DES_KEY_SIZE];
    struct des_ctx ctx;
    des_key_of(seven, key);
    des_set_key(&ctx, key); /* reports weak keys and sets them all the same */
    des_encrypt(&ctx, 8, result, data);
    cs_wipe(key, sizeof key);
    cs_wipe(&ctx, sizeof ctx);
}

void ntlm_LMOWFv1(struct cs_span password, uint8_t hash[NTLM_KEY])
{
    static const uint8_t magic[8] = {'K', 'G', 'S', '!', '@', '#', '$', '%'};
    uint8_t padded[14] = {0};
    if (password.size) memcpy(padded, password.data, password.size < sizeof padded ? password.size : sizeof padded);
    des(padded, magic, hash);
    des(padded + 7, magic, hash + 8);
    cs_wipe(padded, sizeof padded);
}

bool ntlm_NTOWFv2(const uint8_t ntowfv1[NTLM_KEY], struct cs_span user, struct cs_span domain, uint8_t hash[NTLM_KEY])
{
    struct cs_writer name = {0};
    cs_utf16_upper(&name, user);
    cs_write_span(&name, domain);
    const bool made = !name.failed;
    if (made) ntlm_HMAC_MD5(ntowfv1, cs_written(&name), (struct cs_span){0}, (struct cs_span){0}, hash);
    cs_writer_drop(&name);
    return made;
}

void ntlm_DESL(const uint8_t hash[NTLM_KEY], const uint8_t data[NTLM_CHALLENGE], uint8_t response[NTLM_RESPONSE])
{
    uint8_t keys[21] = {0};
    memcpy(keys, hash, NTLM_KEY);
    for (int i = 0; i < 3; i++) des(keys + 7 * i, data, response + 8 * i);
    cs_wipe(keys, sizeof keys);
}

void ntlm_HMAC_MD5(const uint8_t key[NTLM_KEY], struct cs_span a, struct cs_span b, struct cs_span c,
                   uint8_t mac[NTLM_KEY])
{
    struct hmac_md5_ctx hmac;
    hmac_md5_set_key(&hmac, NTLM_KEY, key);
    if (a.size) hmac_md5_update(&hmac, a.size, a.data);
    if (b.size) hmac_md5_update(&hmac, b.size, b.data);
    if (c.size) hmac_md5_update(&hmac, c.size, c.data);
    hmac_md5_digest(&hmac, NTLM_KEY, mac);
    cs_wipe(&hmac, sizeof hmac);
}

void ntlm_ess_challenge(const uint8_t server[NTLM_CHALLENGE], const uint8_t client[NTLM_CHALLENGE],
                        uint8_t challenge[NTLM_CHALLENGE])
{
    struct md5_ctx md5;
    md5_init(&md5);
    md5_update(&md5, NTLM_CHALLENGE, server);
    md5_update(&md5, NTLM_CHALLENGE, client);
    md5_digest(&md5, NTLM_CHALLENGE, challenge);
}

void ntlm_session_base_key_v1(const uint8_t ntowfv1[NTLM_KEY], uint8_t key[NTLM_KEY])
{
    ntlm_NTOWFv1((struct cs_span){ntowfv1, NTLM_KEY}, key);
}

static void lm_key(const uint8_t lm_response[NTLM_RESPONSE], const uint8_t lmowf[NTLM_KEY], uint8_t key[NTLM_KEY])
{
    uint8_t second[7];
    memset(second, 0xBD, sizeof second);
    second[0] = lmowf[7];
    des(lmowf, lm_response, key);
    des(second, lm_response, key + 8);
    cs_wipe(second, sizeof second);
}

void ntlm_KXKEY(uint32_t flags, const uint8_t session_base_key[NTLM_KEY], const uint8_t lm_response[NTLM_RESPONSE],
                const uint8_t server_challenge[NTLM_CHALLENGE], const uint8_t lmowf[NTLM_KEY], uint8_t key[NTLM_KEY])
{
    if (flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) {
        ntlm_HMAC_MD5(session_base_key, (struct cs_span){server_challenge, NTLM_CHALLENGE},
                      (struct cs_span){lm_response, NTLM_CHALLENGE}, (struct cs_span){0}, key);
    } else if (flags & NTLMSSP_NEGOTIATE_LM_KEY) {
        lm_key(lm_response, lmowf, key);
    } else if (flags & NTLMSSP_REQUEST_NON_NT_SESSION_KEY) {
        memset(key, 0, NTLM_KEY);
        memcpy(key, lmowf, 8);
    } else {
        memcpy(key, session_base_key, NTLM_KEY);
    }
}

void ntlm_RC4K(const uint8_t key[NTLM_KEY], const uint8_t data[NTLM_KEY], uint8_t result[NTLM_KEY])
{
    RC4_KEY rc4;
    RC4_set_key(&rc4, NTLM_KEY, key);
    RC4(&rc4, NTLM_KEY, data, result);
    cs_wipe(&rc4, sizeof rc4);
}

/* The magic constants of 3.4.5.2 and 3.4.5.3, each with its terminating zero. */
static void magic_key(const uint8_t *key, size_t size, const char *what, bool client, uint8_t result[NTLM_KEY])
{
    const char *who = client ? "session key to client-to-server " : "session key to server-to-client ";
    struct md5_ctx md5;
    md5_init(&md5);
    md5_update(&md5, size, key);
    md5_update(&md5, strlen(who), (const uint8_t *)who);
    md5_update(&md5, strlen(what) + 1, (const uint8_t *)what);
    md5_digest(&md5, NTLM_KEY, result);
    cs_wipe(&md5, sizeof md5);
}

void ntlm_SIGNKEY(const uint8_t exported_session_key[NTLM_KEY], bool client, uint8_t key[NTLM_KEY])
{
    magic_key(exported_session_key, NTLM_KEY, "signing key magic constant", client, key);
}

size_t ntlm_SEALKEY(uint32_t flags, const uint8_t exported_session_key[NTLM_KEY], bool client, uint8_t key[NTLM_KEY])
{
    if (flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) {
        size_t size = flags & NTLMSSP_NEGOTIATE_128 ? 16 : flags & NTLMSSP_NEGOTIATE_56 ? 7 : 5;
        magic_key(exported_session_key, size, "sealing key magic constant", client, key);
        return NTLM_KEY;
    }
    memcpy(key, exported_session_key, NTLM_KEY);
    if (!(flags & NTLMSSP_NEGOTIATE_LM_KEY)) return NTLM_KEY;
    if (flags & NTLMSSP_NEGOTIATE_56) {
        key[7] = 0xA0;
    } else {
        key[5] = 0xE5;
        key[6] = 0x38;
        key[7] = 0xB0;
    }
    return 8;
}
