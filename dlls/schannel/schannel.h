/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of schannel.dll share. Its contexts take legs for as long as they live, rewrite their caller's
 * buffers, and have certificates, so that little of ../countersign/package serves here.
 */
#ifndef COUNTERSIGN_SCHANNEL_H
#define COUNTERSIGN_SCHANNEL_H

#define SCHANNEL_USE_BLACKLISTS

#include "package.h"

#include <wincrypt.h>
#include <schannel.h>

#define SCHANNEL_MAX_TOKEN 24576 /* packages.tsv */

/* A credential handle is the address of one; contexts hold references, for they look at its flags in every leg. */
struct schannel_credential {
    LONG references;
    UINT64 credential;
    BOOL server;
    DWORD protocols;    /* SP_PROT_ bits that it enables */
    DWORD flags;        /* SCH_CRED_ */
    DWORD without;      /* enum tls_without */
    DWORD habits;       /* enum tls_habits */
    DWORD lifespan;     /* ms; 0: the usual one */
    HCERTSTORE roots;   /* ours; roots to trust beside the system's, or NULL */
    PCCERT_CONTEXT own; /* ours; NULL for none */
};

struct schannel_bytes {
    DWORD size;
    BYTE *bytes; /* owned */
};

/* What SetContextAttributes has set. */
struct schannel_settings {
    struct schannel_bytes label, value, app_data; /* label and value: of the keying material; empty for none */
    DWORD material_size, app_data_flags;
    DWORD mtu; /* bytes; 0: as it was, at first DEFAULT_MTU */
};

struct schannel_context {
    UINT64 context;
    struct schannel_credential *credential; /* a reference */
    WCHAR *target;                          /* ours; NULL for none */
    ULONG flags;                            /* ISC_RET_ or ASC_RET_ of the last leg */
    INT64 started;                          /* FILETIME, UTC */
    struct schannel_settings settings;
    BOOL datagram; /* DTLS */
    BOOL complete;
    NTSTATUS failed; /* what every call answers once the Unix half has faulted in this context */
};

void schannel_credential_release(struct schannel_credential *credential);

/* One like ORIGINAL, a client's, but with CERTIFICATE; the caller releases it. NULL: that has no key that can be had,
 * or no memory. */
struct schannel_credential *schannel_credential_with(const struct schannel_credential *original,
                                                     PCCERT_CONTEXT certificate);

/* schannel_default.c. What to answer with for ORIGINAL, which has no certificate, when CONTEXT's server asks for one;
 * the caller releases it. NULL: nothing of the user's would do, or the program forbids it. */
struct schannel_credential *schannel_default_credential(const struct schannel_context *context,
                                                        const struct schannel_credential *original);

/* What a program gave AcquireCredentialsHandle, in either form, with the registry's policy applied. */
struct schannel_request {
    BOOL server;
    DWORD protocols, flags, without; /* enum tls_without */
    DWORD habits;                    /* enum tls_habits */
    DWORD lifespan;                  /* ms; 0: the usual one */
    PCCERT_CONTEXT certificate;      /* a reference; NULL for none */
    HCERTSTORE roots;                /* the caller's; NULL for none */
    WCHAR *suites;                   /* as in tls.h; NULL for all */
    DWORD suites_size;               /* bytes */
};

/*
 * Reads AUTH_DATA: SCHANNEL_CRED or SCH_CREDENTIALS, or NULL. SEC_E_OK; SEC_E_NO_CREDENTIALS: a server without any;
 * SEC_E_UNKNOWN_CREDENTIALS; SEC_E_INSUFFICIENT_MEMORY: version 3, as Windows answers; SEC_E_ALGORITHM_MISMATCH
 * (behaviour.md rows 131 to 153). The caller drops REQUEST, whatever the status.
 */
NTSTATUS schannel_request_read(const void *auth_data, BOOL server, struct schannel_request *request);
void schannel_request_drop(struct schannel_request *request);

/* The protocols that the registry lets SERVER or clients use: by default, and when a program names them. */
void schannel_policy_protocols(BOOL server, DWORD *by_default, DWORD *allowed);

/* The algorithms that it takes away (enum tls_without), and the names of the suites that it allows, in its order: *size
 * bytes, of the process's heap; NULL: all. SEC_E_OK, SEC_E_INSUFFICIENT_MEMORY. */
DWORD schannel_policy_without(void);
NTSTATUS schannel_policy_suites(WCHAR **names, DWORD *size);

/* SendTrustedIssuerList: 0, 1, or MAXDWORD where it is not set. */
DWORD schannel_policy_send_issuers(void);

/*
 * schannel_issuers.c. The certificates whose names a server sends, in the form of tls.h; the caller frees. NULL: none.
 * GIVEN, the credential's roots, or NULL. And what a client's program is told; SEC_E_OK, SEC_E_INSUFFICIENT_MEMORY.
 */
BYTE *schannel_issuers_write(HCERTSTORE given, DWORD *size);
NTSTATUS schannel_issuer_list(const struct schannel_context *context, SecPkgContext_IssuerListInfoEx *out);

/*
 * The private key of CERTIFICATE, exported; the caller wipes and frees what *key points to. SEC_E_OK, with the enum
 * tls_key_format; SEC_E_NO_CREDENTIALS: it has none, or none that can be had; SEC_E_UNKNOWN_CREDENTIALS: it names a
 * container that is not there.
 */
NTSTATUS schannel_key_export(PCCERT_CONTEXT certificate, BYTE **key, DWORD *size, UINT32 *format);

/* CERTIFICATE and those above it that its store or the system's have, in the form of tls.h; whole: the root, too
 * (SCH_SEND_ROOT_CERT). The caller frees. NULL without memory. */
BYTE *schannel_chain_write(PCCERT_CONTEXT certificate, BOOL whole, DWORD *size);

/* The same of a chain that has been built; without WHOLE the root stays at home, as on Windows, unless it is all. */
BYTE *schannel_simple_chain_write(const CERT_SIMPLE_CHAIN *chain, BOOL whole, DWORD *size);

/* Byte by byte: what crypt32 calls the same, in Wine, has but the same issuer and serial number. */
BOOL schannel_same_certificate(PCCERT_CONTEXT left, PCCERT_CONTEXT right);

/* Puts CERTIFICATE at the end of *CHAIN, of the process's heap or NULL; without memory it stays as it is. */
void schannel_chain_append(BYTE **chain, DWORD *size, PCCERT_CONTEXT certificate);

/*
 * The certificates of CHAIN, which is in that form, in a store of memory: the first one, which holds a reference to the
 * store. NULL: there is none, one cannot be read, or no memory.
 */
PCCERT_CONTEXT schannel_chain_read(const BYTE *chain, DWORD size);

/* Bytes of the Unix half (enum tls_bytes) in process memory, freed by HeapFree. Statuses as tls_query_bytes. */
NTSTATUS schannel_bytes(const struct schannel_context *context, UINT32 which, BYTE **bytes, DWORD *size);

/* What Windows's chain engine and its SSL policy say of the peer's certificate: SEC_E_OK, or why not (SEC_E_,
 * CRYPT_E_). */
NTSTATUS schannel_verify_peer(const struct schannel_context *context);

/*
 * schannel_trust.c. What is wrong with CHAIN for that USAGE (an OID): bits CERT_TRUST_, revocation and names apart; and
 * what a leg answers then: SEC_E_OK, SEC_E_UNTRUSTED_ROOT (there is no root; whether one is trusted the policy says),
 * SEC_E_CERT_EXPIRED, SEC_E_CERT_WRONG_USAGE, SEC_E_CERT_UNKNOWN.
 */
DWORD schannel_trust_errors(const CERT_CHAIN_CONTEXT *chain, LPCSTR usage);
NTSTATUS schannel_trust_status(DWORD errors);

/*
 * schannel_stapled.c. What the peer has stapled to CERTIFICATE says of it (STAPLED_), ISSUER being that of the chain
 * that is looked at. Attach: what it has stapled to its own, as it came, becomes CERTIFICATE's property
 * CERT_OCSP_RESPONSE_PROP_ID. Read: that property; the caller frees; NULL: it has none.
 */
UINT32 schannel_stapled_check(const struct schannel_context *context, PCCERT_CONTEXT certificate,
                              PCCERT_CONTEXT issuer);
void schannel_stapled_attach(const struct schannel_context *context, PCCERT_CONTEXT certificate);
BYTE *schannel_stapled_read(PCCERT_CONTEXT certificate, DWORD *size);

/*
 * schannel_revocation.c. What SCH_CRED_ flags ask of the chain engine, CERT_CHAIN_REVOCATION_: 0, nothing. The lists of
 * the system's "CA" store join a collection, where the engine looks for them; FALSE: no memory. What is found of CHAIN,
 * CONTEXT's peer's, made with both: SEC_E_OK, CRYPT_E_REVOKED, CRYPT_E_NO_REVOCATION_CHECK, CRYPT_E_REVOCATION_OFFLINE.
 */
DWORD schannel_revocation_flags(DWORD flags);
BOOL schannel_revocation_add_lists(HCERTSTORE material);
NTSTATUS schannel_revocation_check(const struct schannel_context *context, const CERT_CHAIN_CONTEXT *chain,
                                   HCERTSTORE material);

/* schannel_settings.c. KEYING_MATERIAL: SEC_E_INVALID_PARAMETER before KEYING_MATERIAL_INFO was set. */
SpSetContextAttributesFn schannel_set_context_attributes;
void schannel_settings_drop(struct schannel_settings *settings);
NTSTATUS schannel_keying_material(const struct schannel_context *context, SecPkgContext_KeyingMaterial *out);
NTSTATUS schannel_app_data(const struct schannel_context *context, SecPkgContext_SessionAppData *out);
NTSTATUS schannel_mtu(const struct schannel_context *context, ULONG *out); /* not DTLS: SEC_E_UNSUPPORTED_FUNCTION */

/* RFC 5705: SIZE bytes into *material, which FreeContextBuffer frees. VALUE of address 0: no context. */
NTSTATUS schannel_export(const struct schannel_context *context, struct cs_bytes label, struct cs_bytes value,
                         DWORD size, BYTE **material);

/* schannel_info.c: queries of numbers and texts; schannel_attributes.c: the rest. */
NTSTATUS schannel_query_info(const struct schannel_context *context, ULONG attribute, void *buffer);
SpQueryContextAttributesFn schannel_query_context_attributes;
SpQueryCredentialsAttributesFn schannel_query_credentials_attributes;
SpAcquireCredentialsHandleFn schannel_acquire_credentials_handle;
SpFreeCredentialsHandleFn schannel_free_credentials_handle;
SpInitLsaModeContextFn schannel_init_lsa_mode_context;
SpAcceptLsaModeContextFn schannel_accept_lsa_mode_context;
SpDeleteContextFn schannel_delete_context;
SpApplyControlTokenFn schannel_apply_control_token;
SpSealMessageFn schannel_seal_message;
SpUnsealMessageFn schannel_unseal_message;

/* tls.h's, which is for native code */
enum {
    LEG_TRUST_PEER = 1,
    LEG_VERDICT = 2,
    LEG_ASK_PEER = 4,
    LEG_NO_INPUT = 8,
    LEG_TELL_ASKED = 16,
    LEG_DATAGRAM = 32
};
enum { LEAST_MTU = 200, MOST_MTU = 65536, DEFAULT_MTU = 1096 }; /* attributes.tsv, DTLS_MTU */
enum {
    PEER_CHAIN,
    LOCAL_CHAIN,
    ENDPOINT_BINDINGS,
    UNIQUE_BINDINGS,
    EXPORTER_BINDINGS,
    SERVER_NAME,
    ISSUERS,
    STAPLED,
    EXTENSIONS,
    SRTP
};
enum { STAPLED_NONE, STAPLED_GOOD, STAPLED_REVOKED, STAPLED_UNKNOWN, STAPLED_INVALID };
enum { QUIET = 1, DEFERS = 2 };
enum { KEY_NONE, KEY_CAPI, KEY_CNG_RSA, KEY_CNG_ECC };
enum {
    WITHOUT_AES128 = 1,
    WITHOUT_AES256 = 2,
    WITHOUT_GCM = 4,
    WITHOUT_CBC = 8,
    WITHOUT_CHACHA20 = 0x10,
    WITHOUT_SHA1 = 0x20,
    WITHOUT_RSA_KEY_EXCHANGE = 0x40,
    WITHOUT_DHE = 0x80,
    WITHOUT_ECDHE = 0x100,
    WITHOUT_RSA_SIGNATURES = 0x200,
    WITHOUT_ECDSA = 0x400,
    WITHOUT_SHA256 = 0x800,
    WITHOUT_SHA384 = 0x1000
};

/* schannel.h of newer SDKs */
#ifndef SP_PROT_TLS1_3_SERVER
#define SP_PROT_TLS1_3_SERVER 0x00001000
#define SP_PROT_TLS1_3_CLIENT 0x00002000
#endif

#endif
