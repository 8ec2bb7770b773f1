/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel's native half: TLS over GnuTLS, which makes the handshake, while records of application data are protected
 * here. What differs from the other mechanisms is that a context never stops taking legs (key updates, tickets,
 * renegotiation, alerts), and that a leg may take less than its input.
 *
 * Certificates travel as they do in a TLS 1.2 Certificate message without its outer length: each with its length in
 * three bytes, big-endian, before it, the end-entity's first (RFC 5246 7.4.2).
 */
#ifndef COUNTERSIGN_TLS_H
#define COUNTERSIGN_TLS_H

#include "message.h"
#include "reader.h"
#include "writer.h"

struct tls_credential;
struct tls_context;

/* How a private key is encoded: as Windows's key stores export it. */
enum tls_key_format {
    TLS_KEY_NONE,
    TLS_KEY_CAPI,    /* PRIVATEKEYBLOB of RSA, little-endian */
    TLS_KEY_CNG_RSA, /* BCRYPT_RSAFULLPRIVATE_BLOB */
    TLS_KEY_CNG_ECC, /* BCRYPT_ECCPRIVATE_BLOB */
    TLS_KEY_PKCS8    /* PKCS #8 in DER: Ed25519, and what tests have */
};

/* What a credential must not use, beyond what is off anyway. */
enum tls_without {
    TLS_WITHOUT_AES128 = 1,
    TLS_WITHOUT_AES256 = 2,
    TLS_WITHOUT_GCM = 4,
    TLS_WITHOUT_CBC = 8,
    TLS_WITHOUT_CHACHA20 = 0x10,
    TLS_WITHOUT_SHA1 = 0x20,
    TLS_WITHOUT_RSA_KEY_EXCHANGE = 0x40,
    TLS_WITHOUT_DHE = 0x80,
    TLS_WITHOUT_ECDHE = 0x100,
    TLS_WITHOUT_RSA_SIGNATURES = 0x200,
    TLS_WITHOUT_ECDSA = 0x400,
    TLS_WITHOUT_SHA256 = 0x800,
    TLS_WITHOUT_SHA384 = 0x1000
};

/* What the program that uses a credential does not do, and is done for it. */
enum tls_habits {
    TLS_QUIET = 1, /* it knows nothing of tickets and new keys: DecryptMessage takes them, unless they want an answer */
    TLS_DEFERS =
        2 /* it sends no token that comes with SEC_E_OK: a client's last flight of TLS 1.3 goes with its data */
};

struct tls_credential_request {
    bool server;
    uint32_t protocols; /* SP_PROT_ bits of that side; never 0 */
    uint32_t without;   /* enum tls_without */
    bool resume;        /* sessions may be resumed */
    uint32_t lifespan;  /* for so long, in ms; 0: 10 hours (SCHANNEL_CRED) */
    uint32_t habits;    /* enum tls_habits */
    struct cs_span chain, key;
    enum tls_key_format key_format;
    struct cs_span issuers; /* server: certificates of those whose clients' it takes; empty: it names nobody */
    struct cs_span suites; /* if any, the only ones: IANA's names in UTF-16LE, the best first, each ended by , or NUL */
    struct cs_span stapled; /* an OCSP response about the chain's first certificate, or empty; one that is about
                               another, or outdated, is passed over */
};

/*
 * Makes a credential; the caller releases it. SEC_E_OK; SEC_E_UNKNOWN_CREDENTIALS: chain or key cannot be read;
 * SEC_E_NO_CREDENTIALS: there is a chain and no key; SEC_E_ALGORITHM_MISMATCH: nothing is left that could be
 * negotiated (behaviour.md rows 142 to 144, errors.tsv); SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS tls_credential_new(const struct tls_credential_request *request, struct tls_credential **credential);
void tls_credential_addref(struct tls_credential *credential);
void tls_credential_release(struct tls_credential *credential);

/* What a leg answers when it needs to know what to think of the peer's certificate; no status of Windows's. */
#define TLS_I_VERIFY_PEER ((SECURITY_STATUS)0x00000001)

enum tls_leg_flags {
    TLS_LEG_TRUST_PEER = 1,  /* whatever certificate the peer has is taken: the program looks at it itself */
    TLS_LEG_VERDICT = 2,     /* the answer to TLS_I_VERIFY_PEER, the last leg's status, is in VERDICT */
    TLS_LEG_ASK_PEER = 4,    /* server: ask the client for a certificate */
    TLS_LEG_NO_INPUT = 8,    /* the caller gave no token at all, which is not the same as an empty one */
    TLS_LEG_TELL_ASKED = 16, /* client: SEC_I_INCOMPLETE_CREDENTIALS, once, if the server asks for a certificate */
    TLS_LEG_DATAGRAM = 32    /* first leg: DTLS */
};

/* One call of InitializeSecurityContext or AcceptSecurityContext. */
struct tls_leg {
    struct tls_credential *credential; /* first leg: needed; later: another for a new handshake, or NULL */
    uint32_t flags;                    /* enum tls_leg_flags */
    SECURITY_STATUS verdict;           /* SEC_E_OK, or why the peer's certificate is not good enough */
    struct cs_span target;             /* client's first leg: the server's name, UTF-16LE; empty for none */
    struct cs_span input;
    struct cs_span protocols;       /* first leg: SEC_APPLICATION_PROTOCOLS, or empty */
    struct cs_span srtp_profiles;   /* DTLS, first leg: SEC_SRTP_PROTECTION_PROFILES, or empty */
    struct cs_span srtp_identifier; /* the same: SEC_SRTP_MASTER_KEY_IDENTIFIER */
    size_t room;                    /* how large an output token may be, in bytes */
    uint32_t mtu;                   /* DTLS: the largest datagram from now on, in bytes; 0: as before */
    struct cs_span address;         /* DTLS, server: whence the input comes, whatever its form; empty: no cookies */
    /* out */
    size_t consumed;   /* bytes of input that are done with */
    size_t missing;    /* with SEC_E_INCOMPLETE_MESSAGE: bytes that must come before anything can be done */
    size_t token_size; /* what tls_fetch_token yields; a failed leg may have one, an alert */
};

/*
 * Runs one leg. *context NULL starts a context and sets it, whatever the status; the caller releases it. Statuses:
 * errors.tsv InitializeSecurityContext/Schannel and AcceptSecurityContext/Schannel, and TLS_I_VERIFY_PEER, after which
 * the same leg goes on with the rest of its input and a verdict. After SEC_I_INCOMPLETE_CREDENTIALS the program calls
 * again with the whole of that input, and another credential if it likes. SEC_E_INSUFFICIENT_MEMORY also when the token
 * is larger than leg->room (behaviour.md row 154): the same call with more room yields it. Input that is no record at
 * all, or not a whole one, changes nothing.
 *
 * DTLS: input and token are a datagram each. SEC_I_MESSAGE_FRAGMENT: there is another one to send, which the next leg
 * yields; its input is left for the one after that. A leg without input, or an empty one: time is up, and what was sent
 * last is sent again.
 */
SECURITY_STATUS tls_leg(struct tls_context **context, struct tls_leg *leg);

/* DTLS: as tls_leg's mtu. SEC_E_OK; SEC_E_UNSUPPORTED_FUNCTION: not a context of datagrams. */
enum { DTLS_LEAST_MTU = 200, DTLS_DEFAULT_MTU = 1096 }; /* attributes.tsv, DTLS_MTU */
SECURITY_STATUS tls_set_mtu(struct tls_context *context, uint32_t mtu);

/* Takes the token of the last leg into ROOM; SEC_E_BUFFER_TOO_SMALL if it has not SIZE bytes exactly. */
SECURITY_STATUS tls_fetch_token(struct tls_context *context, void *room, size_t size);

/*
 * ApplyControlToken: the next leg yields an alert, with SEC_E_OK, and nothing else (behaviour.md rows 221 to 225).
 * SHUTDOWN is close_notify.
 */
SECURITY_STATUS tls_shut_down(struct tls_context *context);
SECURITY_STATUS tls_alert(struct tls_context *context, bool fatal, uint8_t description);

/* Wipes and frees the context. NULL is fine. */
void tls_context_release(struct tls_context *context);

/*
 * EncryptMessage: {STREAM_HEADER, DATA, STREAM_TRAILER} in any order among others, sizes set to what was written.
 * SEC_E_OK; SEC_E_INVALID_TOKEN: not one of each; SEC_E_BUFFER_TOO_SMALL: header or trailer; SEC_E_ENCRYPT_FAILURE:
 * more data than STREAM_SIZES allows; SEC_E_CONTEXT_EXPIRED: the connection has been shut down, or a new handshake is
 * under way (errors.tsv EncryptMessage/Schannel).
 */
SECURITY_STATUS tls_encrypt(struct tls_context *context, const struct cs_message *message);

/*
 * DecryptMessage: one DATA and three EMPTY, rewritten as Windows does (behaviour.md rows 203 to 209): STREAM_HEADER,
 * DATA, STREAM_TRAILER, and EXTRA for what follows the first record; or MISSING. SEC_E_OK; SEC_E_INVALID_TOKEN;
 * SEC_E_INCOMPLETE_MESSAGE; SEC_E_MESSAGE_ALTERED; SEC_I_CONTEXT_EXPIRED: close_notify; SEC_I_RENEGOTIATE: EXTRA begins
 * with what the next leg is to take; the status of a fatal alert that came.
 *
 * DTLS: DATA is a datagram. One that does not verify is SEC_E_MESSAGE_ALTERED, one that has come before, or too late,
 * SEC_E_OUT_OF_SEQUENCE, and the connection goes on. The peer's last flight once more is data of no length, or
 * SEC_I_RENEGOTIATE if the next leg has something to send.
 */
SECURITY_STATUS tls_decrypt(struct tls_context *context, const struct cs_message *message);

/* What attributes ask for, once the handshake is through. Strings are static ASCII. */
struct tls_info {
    uint32_t protocol;      /* SP_PROT_ bit */
    uint16_t version;       /* as on the wire */
    uint16_t suite;         /* IANA's number */
    const char *suite_name; /* IANA's name */
    const char *cipher, *hash, *exchange, *certificate;
    uint32_t cipher_id, hash_id, exchange_id, signature_id; /* ALG_ID */
    uint32_t cipher_bits, cipher_block, hash_bits, exchange_bits;
    uint32_t key_type;                 /* IANA's number of the group; 0 for none */
    uint32_t header, trailer, maximum; /* SecPkgContext_StreamSizes, bytes */
    bool resumed;
    uint8_t session_id[32];
    uint32_t session_id_size;
    bool alpn; /* a protocol was chosen */
    uint8_t alpn_name[255];
    uint32_t alpn_size;
};

/* SEC_E_OK, or SEC_E_INVALID_HANDLE before the handshake is through. */
SECURITY_STATUS tls_query(struct tls_context *context, struct tls_info *info);

enum tls_bytes {
    TLS_PEER_CHAIN,        /* what the peer sent; also before the handshake is through */
    TLS_LOCAL_CHAIN,       /* what was sent to the peer */
    TLS_ENDPOINT_BINDINGS, /* RFC 5929 4, "tls-server-end-point:" and the hash */
    TLS_UNIQUE_BINDINGS,   /* RFC 5929 3, "tls-unique:" and the first Finished; not in TLS 1.3 */
    TLS_EXPORTER_BINDINGS, /* RFC 9266, "tls-exporter:" and 32 bytes */
    TLS_SERVER_NAME,       /* server: the name that the client asked for, UTF-8 */
    TLS_ISSUERS, /* client: whose certificates the server takes, names in DER, each behind its length in two bytes,
                    big-endian; empty: anybody's, or it has not asked. Also before the handshake is through */
    TLS_STAPLED, /* what the peer has stapled to its own certificate, as it came: nobody has looked at it. Also before
                    the handshake is through */
    TLS_EXTENSIONS, /* what the server has answered in the last handshake: the numbers of TLS extensions, two bytes
                       each, little-endian */
    TLS_SRTP /* RFC 5764: the profile that was agreed on, two bytes, little-endian, 0 for none; behind it the identifier
                of the master key, if one was */
};

/* Appends those bytes to OUTPUT. SEC_E_OK; SEC_E_NO_CREDENTIALS: there are none; SEC_E_INVALID_HANDLE;
 * SEC_E_UNSUPPORTED_FUNCTION. */
SECURITY_STATUS tls_query_bytes(struct tls_context *context, enum tls_bytes which, struct cs_writer *output);

/*
 * What the peer has stapled to CERTIFICATE, one of its chain, says of it (RFC 6960). ISSUER is that of the chain that
 * the caller has found good, and no other: one that comes from the peer may be made so that the certificate's signature
 * verifies with its key, and answers with it. Both are DER. INVALID: it cannot be read, is not signed by the issuer or
 * by whom that has certified for it, is about others, outdated, or from the future. UNKNOWN is the responder's word.
 */
enum tls_stapled { TLS_STAPLED_NONE, TLS_STAPLED_GOOD, TLS_STAPLED_REVOKED, TLS_STAPLED_UNKNOWN, TLS_STAPLED_INVALID };

/* Also before the handshake is through. SEC_E_OK, SEC_E_INVALID_HANDLE. */
SECURITY_STATUS tls_check_stapled(struct tls_context *context, struct cs_span certificate, struct cs_span issuer,
                                  enum tls_stapled *found);

/*
 * Whether CERTIFICATE, the server's in DER, is for the name that the client's first leg had: a name, wildcards as the
 * whole first label of three or more, or an address; the common name counts where no other is there (RFC 2818 3.1, RFC
 * 6125 6.4). Also before the handshake is through. SEC_E_OK, also where there was no name; SEC_E_WRONG_PRINCIPAL;
 * SEC_E_INVALID_HANDLE; SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS tls_check_name(struct tls_context *context, struct cs_span certificate);

/*
 * CHAIN as the engine has built it, its root last: whether each certificate is signed by the next one, with no broken
 * hash, and named within the constraints of those above it, by its common name, too. A root alone is good. And whether
 * ISSUER has signed LIST, a CRL. All DER. SEC_E_OK, SEC_E_CERT_UNKNOWN.
 */
SECURITY_STATUS tls_verify_chain(struct cs_span chain);
SECURITY_STATUS tls_verify_list(struct cs_span list, struct cs_span issuer);

/* RFC 5705: SIZE bytes of keying material for LABEL and CONTEXT_VALUE (data NULL for none) into OUTPUT. */
SECURITY_STATUS tls_export(struct tls_context *context, struct cs_span label, struct cs_span context_value, size_t size,
                           struct cs_writer *output);

#endif
