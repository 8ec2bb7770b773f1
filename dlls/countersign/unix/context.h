/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Establishing: credentials in, tokens out, until a context is complete. This is the native face of the protocols:
 * the bridge's calls, the unit tests, the fuzzers and the benchmarks all come through here.
 *
 * Strings are UTF-16LE without terminator. Times are FILETIMEs, UTC.
 */
#ifndef COUNTERSIGN_CONTEXT_H
#define COUNTERSIGN_CONTEXT_H

#include "session.h"
#include "writer.h"

#include <pthread.h>

/* What the registry of the prefix says, or Windows's defaults. Part of blocks.h's layout. */
struct cs_policy {
    uint32_t lm_compatibility_level;        /* Lsa\LmCompatibilityLevel, 0 to 5 */
    uint32_t ntlm_min_client_sec;           /* Lsa\MSV1_0\NtlmMinClientSec: NEGOTIATE flags that must be granted */
    uint32_t ntlm_min_server_sec;           /* Lsa\MSV1_0\NtlmMinServerSec */
    uint32_t restrict_sending_ntlm_traffic; /* Lsa\MSV1_0\RestrictSendingNTLMTraffic: 2 denies all */
    uint32_t suppress_extended_protection;  /* Lsa\SuppressExtendedProtection: not 0 sends no bindings, no target */
    uint32_t kdc_wait_time;                 /* Lsa\Kerberos\Parameters\KdcWaitTime: seconds for a KDC's answer */
    uint32_t kdc_send_retries;              /* Lsa\Kerberos\Parameters\KdcSendRetries */
    uint32_t kdc_backoff_time;              /* Lsa\Kerberos\Parameters\KdcBackoffTime: seconds to the next attempt */
};

/* The values that hold where nothing is set. */
struct cs_policy cs_default_policy(void);

struct cs_credential;
struct cs_context;

enum cs_identity_kind {
    CS_IDENTITY_DEFAULT,   /* none given: the loopback logon, and what a leg brings with it */
    CS_IDENTITY_EXPLICIT,  /* user, domain, password */
    CS_IDENTITY_ANONYMOUS, /* the empty identity */
    CS_IDENTITY_CLIENT     /* the client in whose name the caller acts, by its token */
};

struct cs_identity {
    uint32_t kind; /* enum cs_identity_kind */
    struct cs_span user, domain, password;
    struct cs_span package_list; /* Negotiate's: "!ntlm,Kerberos"; empty: any */
};

struct cs_client;

struct cs_credential_request {
    uint32_t use; /* SECPKG_CRED_ */
    struct cs_identity identity;
    struct cs_client *client; /* CS_IDENTITY_CLIENT: borrowed; NULL: it is gone */
    struct cs_policy policy;
    struct cs_span machine;  /* NetBIOS name of this machine; empty: taken from the Unix host name */
    struct cs_span dns_host; /* its DNS name; empty likewise */
    /* KRB5_CONFIG, KRB5CCNAME, KRB5_KTNAME as the program has them, UTF-8; empty: as this process's environment has */
    struct cs_span krb5_config, krb5_ccname, krb5_ktname;
};

/* One call of InitializeSecurityContext or AcceptSecurityContext. */
struct cs_leg {
    struct cs_credential *credential; /* needed on the first leg */
    struct cs_identity identity;      /* first leg, default credential: what the credential manager holds, or kind 0 */
    struct cs_span target;            /* initiator: pszTargetName; empty for NULL */
    uint32_t request;                 /* ISC_REQ_ or ASC_REQ_ */
    struct cs_span input;             /* the TOKEN; data NULL for none */
    struct cs_span bindings;          /* SEC_CHANNEL_BINDINGS with what follows it; data NULL for none */
    size_t room;                      /* how large an output token may be, in bytes */
    /* out */
    uint32_t granted; /* ISC_RET_ or ASC_RET_ */
    int64_t expiry;
    size_t token_size;     /* what cs_fetch_token yields; 0: no token */
    uint32_t token_number; /* by which it does: no two tokens of a context have the same */
    bool error_token;      /* the leg failed, and its token tells the peer why */
};

/* One way to authenticate. The table of them is in mechanisms.c. */
struct cs_mechanism {
    const char *package;
    SECURITY_STATUS (*acquire)(const struct cs_credential_request *request, struct cs_credential **credential);
    void (*release_credential)(struct cs_credential *credential);
    /* Makes the mechanism's state of a new context; NULL without memory. */
    void *(*begin)(const struct cs_leg *leg, bool initiator);
    /*
     * One leg. SEC_I_CONTINUE_NEEDED, SEC_E_OK with *session, or why the context has failed. STATUS_NO_SUCH_USER: whom
     * the mechanism asks knows no account of the initiator's name, so that another mechanism may; a program hears
     * SEC_E_LOGON_DENIED, as for a wrong password.
     */
    SECURITY_STATUS (*step)(void *state, struct cs_leg *leg, struct cs_writer *output, struct cs_session **session);
    void (*end)(void *state);
    /* SECPKG_CRED_ATTR_NAMES of CREDENTIAL, UTF-16LE, into OUTPUT. SEC_E_OK or SEC_E_NO_CREDENTIALS. */
    SECURITY_STATUS (*credential_names)(const struct cs_credential *credential, struct cs_writer *output);
    /* Whether CREDENTIAL could accept anybody now, as far as can be told without asking others. NULL: always. */
    bool (*can_accept)(const struct cs_credential *credential);
    /*
     * A credential that reaches others in a client's name, out of the process and in again; both NULL: it has none.
     * What cannot leave writes nothing; what is not understood yields NULL.
     */
    void (*pack_onward)(const struct cs_credential *credential, struct cs_writer *packed);
    struct cs_credential *(*unpack_onward)(struct cs_span packed);
};

/* The head of every mechanism's credential. Immutable once made, so any number of threads may use it. */
struct cs_credential {
    const struct cs_mechanism *mechanism;
    int references;
    uint32_t use;
    int64_t expiry;
};

/* The mechanism of that name, or NULL. */
const struct cs_mechanism *cs_find_mechanism(const char *package);

/*
 * Makes a credential of MECHANISM; the caller releases it. A client's goes out alone, is what its session has for that,
 * and otherwise one that is good for nothing: SEC_E_NO_CREDENTIALS when a context is asked for. SEC_E_OK,
 * SEC_E_NO_CREDENTIALS, SEC_E_INSUFFICIENT_MEMORY, SEC_E_INTERNAL_ERROR (errors.tsv AcquireCredentialsHandle/NTLM).
 */
SECURITY_STATUS cs_acquire_credential(const struct cs_mechanism *mechanism, const struct cs_credential_request *request,
                                      struct cs_credential **credential);
void cs_credential_addref(struct cs_credential *credential);
void cs_credential_release(struct cs_credential *credential);

/*
 * Runs one leg. *context NULL starts a context and sets it, whatever the status; it is released by the caller. The
 * token that the leg made is cs_token() until the next leg. Statuses: those of errors.tsv
 * InitializeSecurityContext/NTLM and AcceptSecurityContext/NTLM. SEC_E_BUFFER_TOO_SMALL: the token is larger than
 * leg->room; the same call with more room yields it, and any other input meanwhile is SEC_E_INVALID_TOKEN. A context
 * that has failed answers every further leg with what it failed with. A failure may come with a token, which is to be
 * sent (ASC_REQ_EXTENDED_ERROR); it is dropped if the room is too small.
 */
SECURITY_STATUS cs_initialize(struct cs_context **context, struct cs_leg *leg);
SECURITY_STATUS cs_accept(struct cs_context **context, struct cs_leg *leg);

/*
 * Copies the token that a leg gave NUMBER to ROOM, which has SIZE bytes, and forgets it if the context is complete.
 * SEC_E_OK; with nothing changed, SEC_E_INVALID_TOKEN: it is there no more, for another thread has run a leg meanwhile,
 * or fetched it; SEC_E_BUFFER_TOO_SMALL.
 */
SECURITY_STATUS cs_fetch_token(struct cs_context *context, uint32_t number, void *room, size_t size);

/* The token of the last leg where it lies, for callers with one thread; empty if it made none. */
struct cs_span cs_token(const struct cs_context *context);

/* The session record once the context is complete, else NULL. It lives as long as the context. */
struct cs_session *cs_context_session(const struct cs_context *context);

/* Wipes and frees the context, finished or not. NULL is fine. */
void cs_context_release(struct cs_context *context);

#endif
