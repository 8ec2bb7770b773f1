/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pure cryptography of MS-NLMP sections 3.3 and 3.4.5, function by function under its names there.
 * Keys and hashes are 16 bytes, challenges 8, responses 24 unless a size is said. Nothing here can fail but for memory.
 */
#ifndef COUNTERSIGN_NTLM_CRYPTO_H
#define COUNTERSIGN_NTLM_CRYPTO_H

#include "reader.h"

enum { NTLM_KEY = 16, NTLM_CHALLENGE = 8, NTLM_RESPONSE = 24 };

/* NTOWFv1, 3.3.1: MD4 of the password in UTF-16LE. */
void ntlm_NTOWFv1(struct cs_span password, uint8_t hash[NTLM_KEY]);

/*
 * LMOWFv1, 3.3.1: PASSWORD in the OEM character set and upper case, cut at 14 bytes. A longer one has no LM hash in
 * Windows; callers ask before.
 */
void ntlm_LMOWFv1(struct cs_span password, uint8_t hash[NTLM_KEY]);

/* NTOWFv2 = LMOWFv2, 3.3.2, from the account's NTOWFv1. USER and DOMAIN in UTF-16LE. False without memory. */
bool ntlm_NTOWFv2(const uint8_t ntowfv1[NTLM_KEY], struct cs_span user, struct cs_span domain, uint8_t hash[NTLM_KEY]);

/* DESL, 6: DATA under the three DES keys of a hash; for NTLMv1 responses. */
void ntlm_DESL(const uint8_t hash[NTLM_KEY], const uint8_t data[NTLM_CHALLENGE], uint8_t response[NTLM_RESPONSE]);

/* HMAC_MD5 over up to three spans. */
void ntlm_HMAC_MD5(const uint8_t key[NTLM_KEY], struct cs_span a, struct cs_span b, struct cs_span c,
                   uint8_t mac[NTLM_KEY]);

/* MD5(server challenge, client challenge), first 8 bytes: what NTLMv1 with extended session security answers, 3.3.1. */
void ntlm_ess_challenge(const uint8_t server[NTLM_CHALLENGE], const uint8_t client[NTLM_CHALLENGE],
                        uint8_t challenge[NTLM_CHALLENGE]);

/* SessionBaseKey of NTLMv1, 3.3.1: MD4 of NTOWFv1. */
void ntlm_session_base_key_v1(const uint8_t ntowfv1[NTLM_KEY], uint8_t key[NTLM_KEY]);

/*
 * KXKEY, 3.4.5.1, for NTLMv1; in NTLMv2 KeyExchangeKey is SessionBaseKey. FLAGS are the negotiated ones, LMOWF is
 * needed for LM_KEY and NON_NT_SESSION_KEY.
 */
void ntlm_KXKEY(uint32_t flags, const uint8_t session_base_key[NTLM_KEY], const uint8_t lm_response[NTLM_RESPONSE],
                const uint8_t server_challenge[NTLM_CHALLENGE], const uint8_t lmowf[NTLM_KEY], uint8_t key[NTLM_KEY]);

/* RC4K, 6: RC4 of one key under another; its own inverse. */
void ntlm_RC4K(const uint8_t key[NTLM_KEY], const uint8_t data[NTLM_KEY], uint8_t result[NTLM_KEY]);

/* SIGNKEY, 3.4.5.2, with extended session security. */
void ntlm_SIGNKEY(const uint8_t exported_session_key[NTLM_KEY], bool client, uint8_t key[NTLM_KEY]);

/* SEALKEY, 3.4.5.3; yields the key's size in bytes (16, or 8 without extended session security and with LM_KEY). */
size_t ntlm_SEALKEY(uint32_t flags, const uint8_t exported_session_key[NTLM_KEY], bool client, uint8_t key[NTLM_KEY]);

#endif
