/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parameter blocks that cross from PE code to Unix code: one layout for 64-bit and 32-bit callers. Every pointer
 * is a 64-bit integer, every field has a fixed width, 64-bit fields lie on multiples of 8. All three builds include
 * this file and check it, so that one call table serves __wine_unix_call_funcs and __wine_unix_call_wow64_funcs.
 */
#ifndef COUNTERSIGN_BLOCKS_H
#define COUNTERSIGN_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

/* Both halves carry this number and compare it when they meet; change it with the layout. */
#define CS_BLOCKS_VERSION 0x00010002u

enum cs_call {
    CS_CALL_VERSION,
    CS_CALL_ACQUIRE_CREDENTIAL,
    CS_CALL_RELEASE_CREDENTIAL,
    CS_CALL_CREDENTIAL_NAMES,
    CS_CALL_LEG,
    CS_CALL_FETCH_TOKEN,
    CS_CALL_RELEASE_CONTEXT,
    CS_CALL_SESSION_INFO,
    CS_CALL_SESSION_TEXT,
    CS_CALL_MAKE_SIGNATURE,
    CS_CALL_VERIFY_SIGNATURE,
    CS_CALL_ENCRYPT,
    CS_CALL_DECRYPT,
    CS_CALL_DESCRIBE_TOKEN,
    CS_CALL_TRACE,
    CS_CALL_COUNT
};

/* Each call returns a SECURITY_STATUS, or 0xC0000005 when the Unix half faulted on an address. */

/* A run of bytes in the caller's memory; address 0 for none. */
struct cs_bytes {
    uint64_t address;
    uint32_t size;
    uint32_t reserved;
};

struct cs_block_version {
    uint32_t version; /* in: the PE half's, out: the Unix half's */
    uint32_t calls;   /* out: CS_CALL_COUNT */
};

struct cs_block_identity {
    uint32_t kind; /* enum cs_identity_kind */
    uint32_t reserved;
    struct cs_bytes user, domain, password, package_list; /* UTF-16LE */
};

struct cs_block_policy {
    uint32_t lm_compatibility_level, ntlm_min_client_sec, ntlm_min_server_sec;
    uint32_t restrict_sending_ntlm_traffic, suppress_extended_protection, reserved;
};

struct cs_block_acquire {
    char package[16]; /* NUL-terminated */
    uint32_t use;     /* SECPKG_CRED_ */
    uint32_t reserved;
    struct cs_block_policy policy;
    struct cs_block_identity identity;
    struct cs_bytes machine, dns_host; /* UTF-16LE */
    uint64_t credential;               /* out */
    int64_t expiry;                    /* out: FILETIME, UTC */
};

/* Releases; also CS_CALL_RELEASE_CONTEXT. */
struct cs_block_object {
    uint64_t object;
};

/* CS_CALL_CREDENTIAL_NAMES, CS_CALL_SESSION_TEXT, CS_CALL_DESCRIBE_TOKEN: text of a size not known beforehand. */
struct cs_block_text {
    uint64_t object;     /* credential or session */
    struct cs_bytes in;  /* CS_CALL_DESCRIBE_TOKEN: the token */
    struct cs_bytes out; /* filled as far as it goes */
    uint32_t which;      /* enum cs_session_text */
    uint32_t needed;     /* out: bytes, whether they fitted or not */
};

enum cs_session_text { CS_SESSION_NAMES, CS_SESSION_TARGET };

struct cs_block_leg {
    uint64_t context;    /* 0 starts one; out: the context, also after a failed first leg */
    uint64_t credential; /* needed with context 0 */
    uint32_t initiator;
    uint32_t request; /* ISC_REQ_ or ASC_REQ_ */
    struct cs_block_identity identity;
    struct cs_bytes target;   /* UTF-16LE */
    struct cs_bytes input;    /* the token */
    struct cs_bytes bindings; /* SEC_CHANNEL_BINDINGS and what follows it */
    uint32_t room;            /* bytes that the caller has for the output token */
    uint32_t token_size;      /* out: CS_CALL_FETCH_TOKEN yields that many bytes */
    uint32_t granted;         /* out: ISC_RET_ or ASC_RET_ */
    uint32_t reserved;
    int64_t expiry;   /* out: FILETIME, UTC */
    uint64_t session; /* out: 0 until the context is complete; lives as long as the context */
};

struct cs_block_fetch {
    uint64_t context;
    struct cs_bytes token; /* at least the token's size */
};

struct cs_block_session {
    uint64_t session;
    uint32_t initiator, flags;
    int64_t start, expiry; /* FILETIME, UTC */
    uint32_t max_token, max_signature, block_size, security_trailer;
    uint32_t key_size, signature_algorithm, encrypt_algorithm, session_key_size;
    uint8_t session_key[32];
    char signature_name[32], encrypt_name[32]; /* ASCII, NUL-terminated */
    char package[16];                          /* the mechanism's that protects the session, likewise */
};

/* The four message calls. The buffers are struct cs_buffer: {size, type, address}. */
struct cs_block_message {
    uint64_t session;
    uint64_t buffers; /* address of the first */
    uint32_t count;
    uint32_t qop; /* in for encrypt; out for decrypt, untouched unless the message came unencrypted */
};

struct cs_block_trace {
    struct cs_bytes path; /* UTF-8; none: standard error */
    struct cs_bytes text; /* whole lines */
};

#define CS_LAYOUT(type, field, offset) _Static_assert(offsetof(struct type, field) == (offset), #type "." #field)
#define CS_SIZE(type, size) _Static_assert(sizeof(struct type) == (size), "size of " #type)

CS_SIZE(cs_bytes, 16);
CS_SIZE(cs_block_version, 8);
CS_SIZE(cs_block_identity, 72);
CS_SIZE(cs_block_policy, 24);
CS_LAYOUT(cs_block_acquire, policy, 24);
CS_LAYOUT(cs_block_acquire, identity, 48);
CS_LAYOUT(cs_block_acquire, credential, 152);
CS_SIZE(cs_block_acquire, 168);
CS_SIZE(cs_block_object, 8);
CS_LAYOUT(cs_block_text, out, 24);
CS_SIZE(cs_block_text, 48);
CS_LAYOUT(cs_block_leg, identity, 24);
CS_LAYOUT(cs_block_leg, target, 96);
CS_LAYOUT(cs_block_leg, room, 144);
CS_LAYOUT(cs_block_leg, expiry, 160);
CS_SIZE(cs_block_leg, 176);
CS_SIZE(cs_block_fetch, 24);
CS_LAYOUT(cs_block_session, start, 16);
CS_LAYOUT(cs_block_session, max_token, 32);
CS_LAYOUT(cs_block_session, session_key, 64);
CS_SIZE(cs_block_session, 176);
CS_SIZE(cs_block_message, 24);
CS_SIZE(cs_block_trace, 32);

#endif
