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
#define CS_BLOCKS_VERSION 0x0001000fu

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
    CS_CALL_EXPORT_SESSION,
    CS_CALL_IMPORT_SESSION,
    CS_CALL_RELEASE_SESSION, /* an imported one */
    CS_CALL_DESCRIBE_TOKEN,
    CS_CALL_TRACE,
    CS_CALL_LIST_TICKETS,
    CS_CALL_RETRIEVE_TICKET,
    CS_CALL_PURGE_TICKETS,
    CS_CALL_FETCH_TICKETS,
    CS_CALL_SESSION_CLIENT,
    CS_CALL_FIND_CLIENT,
    CS_CALL_CLIENT_NAME,
    CS_CALL_CLIENT_SIDS,
    CS_CALL_RELEASE_CLIENT,
    CS_CALL_TLS_ACQUIRE,
    CS_CALL_TLS_RELEASE_CREDENTIAL,
    CS_CALL_TLS_LEG,
    CS_CALL_TLS_FETCH_TOKEN,
    CS_CALL_TLS_RELEASE_CONTEXT,
    CS_CALL_TLS_ALERT,
    CS_CALL_TLS_ENCRYPT,
    CS_CALL_TLS_DECRYPT,
    CS_CALL_TLS_QUERY,
    CS_CALL_TLS_QUERY_BYTES,
    CS_CALL_TLS_EXPORT,
    CS_CALL_TLS_SET_MTU,
    CS_CALL_TLS_CHECK_STAPLED,
    CS_CALL_TLS_CHECK_NAME,
    CS_CALL_TLS_VERIFY_CHAIN,
    CS_CALL_TLS_VERIFY_LIST,
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
    uint32_t restrict_sending_ntlm_traffic, suppress_extended_protection;
    uint32_t kdc_wait_time, kdc_send_retries, kdc_backoff_time;
};

struct cs_block_acquire {
    char package[16]; /* NUL-terminated */
    uint32_t use;     /* SECPKG_CRED_ */
    uint32_t reserved;
    struct cs_block_policy policy;
    struct cs_block_identity identity;
    uint8_t client[16];                                    /* CS_IDENTITY_CLIENT: as cs_block_client has it */
    struct cs_bytes machine, dns_host;                     /* UTF-16LE */
    struct cs_bytes krb5_config, krb5_ccname, krb5_ktname; /* the program's environment, UTF-8; none: this process's */
    uint64_t credential;                                   /* out */
    int64_t expiry;                                        /* out: FILETIME, UTC */
};

/* All calls that release something. */
struct cs_block_object {
    uint64_t object;
};

/*
 * CS_CALL_CREDENTIAL_NAMES, CS_CALL_SESSION_TEXT, CS_CALL_CLIENT_NAME, CS_CALL_DESCRIBE_TOKEN: text of a size not
 * known beforehand; CS_CALL_CLIENT_SIDS likewise.
 * CS_CALL_FETCH_TICKETS: what cs_block_tickets announced, which is then let go of; an out of none only does that.
 * CS_CALL_TLS_QUERY_BYTES: object is a context, which an enum tls_bytes.
 */
struct cs_block_text {
    uint64_t object;     /* credential, session, client or tickets */
    struct cs_bytes in;  /* CS_CALL_DESCRIBE_TOKEN: the token */
    struct cs_bytes out; /* filled as far as it goes */
    uint32_t which;      /* enum cs_session_text */
    uint32_t needed;     /* out: bytes, whether they fitted or not */
};

enum cs_session_text { CS_SESSION_NAMES, CS_SESSION_TARGET, CS_SESSION_NATIVE_CLIENT, CS_SESSION_NATIVE_SERVER };

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
    uint32_t token_number;    /* out: what names that token to CS_CALL_FETCH_TOKEN */
    int64_t expiry;           /* out: FILETIME, UTC */
    uint64_t session;         /* out: 0 until the context is complete; lives as long as the context */
};

/* Also CS_CALL_TLS_FETCH_TOKEN, where the token has that size exactly. */
struct cs_block_fetch {
    uint64_t context;
    struct cs_bytes token; /* at least the token's size */
    uint32_t token_number; /* as the leg gave it */
    uint32_t reserved;
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

/* The four message calls, and TLS's two, whose session is a context. The buffers are struct cs_buffer: {size, type,
 * address}. */
struct cs_block_message {
    uint64_t session;
    uint64_t buffers; /* address of the first */
    uint32_t count;
    uint32_t qop; /* in for encrypt; out for decrypt, untouched unless the message came unencrypted */
};

/* A session's client, for an access token; unix/client.h */
struct cs_block_client {
    uint64_t session; /* CS_CALL_SESSION_CLIENT */
    uint8_t id[16];   /* CS_CALL_FIND_CLIENT: in; else out */
    uint64_t client;  /* out: a reference, which CS_CALL_RELEASE_CLIENT gives back */
    uint32_t level;   /* out: SECURITY_IMPERSONATION_LEVEL */
    uint32_t sids;    /* out: how many CS_CALL_CLIENT_SIDS yields, the user's first */
    char package[16]; /* out: the one that authenticated it, ASCII, NUL-terminated */
};

/* What CS_CALL_CLIENT_SIDS yields, in a cs_block_text whose object is the client. */
struct cs_client_sid {
    uint32_t attributes; /* SE_GROUP_ */
    uint32_t size;       /* bytes of SID */
    uint8_t sid[68];     /* as Windows has it in memory */
};

struct cs_block_export {
    uint64_t session;
    char package[16];    /* by whose name it is imported, NUL-terminated */
    struct cs_bytes out; /* the packed session; untouched unless it fits */
    uint32_t flags;      /* SECPKG_CONTEXT_EXPORT_ */
    uint32_t needed;     /* out: bytes, with SEC_E_OK and SEC_E_BUFFER_TOO_SMALL */
};

struct cs_block_import {
    char package[16]; /* NUL-terminated */
    struct cs_bytes packed;
    uint64_t session; /* out: to be released */
};

struct cs_block_trace {
    struct cs_bytes path; /* UTF-8; none: standard error */
    struct cs_bytes text; /* whole lines */
};

enum cs_retrieve {
    CS_RETRIEVE_NEW = 1,         /* not from the cache */
    CS_RETRIEVE_CACHED = 2,      /* from the cache alone */
    CS_RETRIEVE_KEEP = 4,        /* a new one goes into the cache */
    CS_RETRIEVE_FORWARDABLE = 8, /* a new one is to be forwardable */
    CS_RETRIEVE_TGT_KEY = 16,    /* with the session key also of a ticket-granting ticket, which is zeros otherwise */
    CS_RETRIEVE_AS_CRED = 32     /* encoded as a KRB-CRED in clear, the session key inside */
};

/* The calls on the user's Kerberos credential cache. */
struct cs_block_tickets {
    struct cs_bytes krb5_config, krb5_ccname;                   /* as in cs_block_acquire */
    struct cs_bytes client, client_realm, server, server_realm; /* UTF-16LE: which ones; none: any */
    int32_t etype;                                              /* CS_CALL_RETRIEVE_TICKET; 0: any */
    uint32_t retrieve;                                          /* enum cs_retrieve */
    uint64_t tickets; /* out: CS_CALL_FETCH_TICKETS yields them: COUNT struct cs_ticket, and behind them their bytes */
    uint32_t size;    /* out: of all that */
    uint32_t count;   /* out */
    uint32_t parts;   /* out: of all names together */
    uint32_t reserved;
};

/* A run of an answer's bytes. */
struct cs_run {
    uint32_t offset, size;
};

struct cs_ticket {
    int64_t start, end, renew;          /* FILETIME, UTC; renew 0: not renewable */
    int64_t skew;                       /* the KDC's clock minus ours, in 100 ns */
    struct cs_run client, client_realm; /* UTF-16LE; realms, and each part of a name, end with a NUL */
    struct cs_run server, server_realm; /* likewise */
    struct cs_run encoded, session_key; /* CS_CALL_RETRIEVE_TICKET */
    int32_t client_type, server_type;   /* RFC 4120 6.2 */
    int32_t etype, session_key_type;    /* RFC 3961 8 */
    uint32_t flags;                     /* KERB_TICKET_FLAGS_ */
    uint32_t cache_flags;               /* KERB_TICKET_CACHE_INFO_EX3 */
};

/* Schannel. Certificates stand as tls.h says, and enumerations have its values. */
struct cs_block_tls_acquire {
    uint32_t server, protocols, without, resume, lifespan, key_format, habits, reserved;
    struct cs_bytes chain, key, issuers, suites, stapled;
    uint64_t credential; /* out */
};

struct cs_block_tls_leg {
    uint64_t context;    /* 0 starts one; out: the context, also after a failed first leg */
    uint64_t credential; /* needed with context 0 */
    uint32_t flags;      /* enum tls_leg_flags */
    int32_t verdict;     /* a SECURITY_STATUS */
    struct cs_bytes target, input, protocols;
    uint32_t room;                                  /* bytes that the caller has for the output token */
    uint32_t consumed, missing, token_size;         /* out */
    struct cs_bytes address;                        /* DTLS, server: the client's, whatever its form */
    uint32_t mtu, reserved;                         /* DTLS: bytes; 0 leaves it */
    struct cs_bytes srtp_profiles, srtp_identifier; /* DTLS, first leg: as struct tls_leg has them */
};

struct cs_block_tls_mtu {
    uint64_t context;
    uint32_t mtu, reserved;
};

struct cs_block_tls_alert {
    uint64_t context;
    uint32_t fatal, description;
};

struct cs_block_tls_stapled {
    uint64_t context;
    struct cs_bytes certificate, issuer; /* DER */
    uint32_t found, reserved;            /* out: enum tls_stapled */
};

struct cs_block_tls_name {
    uint64_t context;
    struct cs_bytes certificate; /* DER */
};

struct cs_block_tls_chain {
    struct cs_bytes chain; /* in the form of tls.h, the root last */
};

struct cs_block_tls_list {
    struct cs_bytes list, issuer; /* DER */
};

struct cs_block_tls_info {
    uint64_t context;
    /* out, as struct tls_info has them; texts are ASCII, NUL-terminated */
    uint32_t protocol, version, suite, key_type;
    uint32_t cipher_id, hash_id, exchange_id, signature_id;
    uint32_t cipher_bits, cipher_block, hash_bits, exchange_bits;
    uint32_t header, trailer, maximum, resumed;
    uint32_t session_id_size, alpn, alpn_size, reserved;
    uint8_t session_id[32];
    char suite_name[64], cipher[32], hash[16], exchange[16], certificate[16];
    uint8_t alpn_name[256];
};

struct cs_block_tls_export {
    uint64_t context;
    struct cs_bytes label, context_value; /* context_value of address 0: none */
    struct cs_bytes out;                  /* filled whole */
};

#define CS_LAYOUT(type, field, offset) _Static_assert(offsetof(struct type, field) == (offset), #type "." #field)
#define CS_SIZE(type, size) _Static_assert(sizeof(struct type) == (size), "size of " #type)

CS_SIZE(cs_bytes, 16);
CS_SIZE(cs_block_version, 8);
CS_SIZE(cs_block_identity, 72);
CS_SIZE(cs_block_policy, 32);
CS_LAYOUT(cs_block_acquire, policy, 24);
CS_LAYOUT(cs_block_acquire, identity, 56);
CS_LAYOUT(cs_block_acquire, client, 128);
CS_LAYOUT(cs_block_acquire, credential, 224);
CS_SIZE(cs_block_acquire, 240);
CS_SIZE(cs_block_object, 8);
CS_LAYOUT(cs_block_text, out, 24);
CS_SIZE(cs_block_text, 48);
CS_LAYOUT(cs_block_leg, identity, 24);
CS_LAYOUT(cs_block_leg, target, 96);
CS_LAYOUT(cs_block_leg, room, 144);
CS_LAYOUT(cs_block_leg, token_number, 156);
CS_LAYOUT(cs_block_leg, expiry, 160);
CS_SIZE(cs_block_leg, 176);
CS_LAYOUT(cs_block_fetch, token_number, 24);
CS_SIZE(cs_block_fetch, 32);
CS_LAYOUT(cs_block_session, start, 16);
CS_LAYOUT(cs_block_session, max_token, 32);
CS_LAYOUT(cs_block_session, session_key, 64);
CS_SIZE(cs_block_session, 176);
CS_SIZE(cs_block_message, 24);
CS_LAYOUT(cs_block_client, client, 24);
CS_SIZE(cs_block_client, 56);
CS_SIZE(cs_client_sid, 76);
CS_LAYOUT(cs_block_export, out, 24);
CS_LAYOUT(cs_block_export, flags, 40);
CS_SIZE(cs_block_export, 48);
CS_LAYOUT(cs_block_import, session, 32);
CS_SIZE(cs_block_import, 40);
CS_SIZE(cs_block_trace, 32);
CS_LAYOUT(cs_block_tickets, etype, 96);
CS_LAYOUT(cs_block_tickets, tickets, 104);
CS_SIZE(cs_block_tickets, 128);
CS_LAYOUT(cs_ticket, client, 32);
CS_LAYOUT(cs_ticket, client_type, 80);
CS_SIZE(cs_ticket, 104);
CS_LAYOUT(cs_block_tls_acquire, chain, 32);
CS_SIZE(cs_block_tls_acquire, 120);
CS_LAYOUT(cs_block_tls_leg, target, 24);
CS_LAYOUT(cs_block_tls_leg, room, 72);
CS_LAYOUT(cs_block_tls_leg, mtu, 104);
CS_SIZE(cs_block_tls_leg, 144);
CS_SIZE(cs_block_tls_mtu, 16);
CS_SIZE(cs_block_tls_alert, 16);
CS_SIZE(cs_block_tls_stapled, 48);
CS_LAYOUT(cs_block_tls_info, session_id, 88);
CS_SIZE(cs_block_tls_info, 520);
CS_SIZE(cs_block_tls_export, 56);

#endif
