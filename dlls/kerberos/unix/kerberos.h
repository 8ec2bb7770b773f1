/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos's establishing half: credentials, and the two roles of the AP exchange (RFC 4120 3.2, RFC 4121 4.1,
 * MS-KILE). Heimdal's krb5 library does the exchanges with the KDC, credential caches, keytabs and cryptography; the
 * tokens are made here, because the authenticator is needed for channel bindings, replays and the PAC.
 */
#ifndef COUNTERSIGN_KERBEROS_H
#define COUNTERSIGN_KERBEROS_H

#include "bindings.h"
#include "context.h"
#include "kerberos_checksum.h"
#include "kerberos_replay.h"
#include "kerberos_send.h"
#include "kerberos_stamp.h"
#include "kerberos_token.h"

#include <krb5.h>

#ifndef KRB5_GC_ANONYMOUS
#error "This krb5.h is not Heimdal's."
#endif

extern const struct cs_mechanism kerberos_mechanism;

/* kerberos_contexts.c: Heimdal's library contexts */

/*
 * Where Heimdal looks, as KRB5_CONFIG, KRB5CCNAME and KRB5_KTNAME have it. NULL is what the environment or krb5.conf
 * says. Owned.
 */
struct kerberos_places {
    char *config, *ccache, *keytab;
};

/*
 * The one place where a krb5_context is made. The caller frees it with krb5_free_context. Tickets that it asks for have
 * the encryption types of RFC 3962 and RFC 8009 alone, and RC4 if krb5.conf says allow_weak_crypto. Errors:
 * ENOMEM, KRB5_CONFIG_BADFORMAT.
 */
krb5_error_code kerberos_open(const struct kerberos_places *places, krb5_context *context);

/* Whether ETYPE may be used: as above, whatever Heimdal itself would negotiate. */
bool kerberos_allows(krb5_context context, krb5_enctype etype);

/* Contexts that wait for work: each serves one thread at a time, so that no lock is held while one talks to a KDC. */
struct kerberos_contexts {
    struct kerberos_places places;
    pthread_mutex_t lock;
    krb5_context idle[8];
    unsigned count;
};

/* PLACES are taken over, also on failure. False without memory. The pool is dropped when all contexts are back. */
bool kerberos_contexts_init(struct kerberos_contexts *contexts, struct kerberos_places places);
void kerberos_contexts_drop(struct kerberos_contexts *contexts);

/* Yields a context for this thread's use, to be given back. Errors: those of kerberos_open. */
krb5_error_code kerberos_borrow(struct kerberos_contexts *contexts, krb5_context *context);
void kerberos_give_back(struct kerberos_contexts *contexts, krb5_context context);

/* kerberos_status.c */

/* What Windows reports for CODE, of krb5_err.h, heim_err.h or errno. Never SEC_E_OK but for 0. */
SECURITY_STATUS kerberos_status(krb5_error_code code);

/* kerberos_account.c: who somebody is */

/* An explicit identity. Dropped with kerberos_account_drop. */
struct kerberos_account {
    krb5_principal principal;
    krb5_principal alias; /* a UPN whose suffix may be no realm's name: what the default realm's KDC is asked first */
    char *password;       /* UTF-8, owned, wiped */
};

/*
 * Reads IDENTITY, in every form that Windows takes: user and realm, user and NetBIOS domain (mapped by krb5.conf's
 * section [countersign] netbios), a UPN, DOMAIN\user inside the user field, and user alone, who is of the default
 * realm. SEC_E_OK, SEC_E_UNKNOWN_CREDENTIALS for what is not text, SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS kerberos_account_make(krb5_context context, const struct cs_identity *identity,
                                      struct kerberos_account *account);
void kerberos_account_drop(krb5_context context, struct kerberos_account *account);

/* The realm that DOMAIN stands for, by the same rules; the caller frees it. NULL without memory. */
char *kerberos_realm_of(krb5_context context, const char *domain);

/* Whether a KDC of REALM can be looked for: it is in krb5.conf, or a domain's name and no NetBIOS name. */
bool kerberos_is_realm(krb5_context context, const char *realm);

/* UTF16 as a string; NULL without memory, or if it is not text or holds a NUL. The caller wipes and frees it. */
char *kerberos_text(struct cs_span utf16);

/* Wipes and frees a string; NULL is fine. */
void kerberos_text_free(char *text);

/* Appends DOMAIN\user: the realm's first label in upper case, and the name (attributes.tsv NAMES, Kerberos). */
SECURITY_STATUS kerberos_write_name(krb5_context context, krb5_const_principal principal, struct cs_writer *output);

/* Appends TEXT, UTF-8, as UTF-16LE. Both: SEC_E_OK, SEC_E_INVALID_TOKEN for what is no text, or no memory. */
SECURITY_STATUS kerberos_write_text(const char *text, struct cs_writer *output);

/* kerberos_target.c */

/* Whom a ticket is wanted for. */
struct kerberos_wanted {
    krb5_principal server;
    bool of_realm; /* the realm was said: it is no other's */
};

/*
 * The principal that TARGET, as a program gave it, stands for: service/host, service/host:port, service/host@REALM,
 * name@REALM. CLIENT's realm is where a name without one is looked for unless krb5.conf maps the host to another. The
 * host is canonicalised only if krb5.conf says dns_canonicalize_hostname or name_canon_rules. The caller frees
 * wanted->server. SEC_E_OK; SEC_E_TARGET_UNKNOWN: empty or not a name; SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS kerberos_target(krb5_context context, struct cs_span target, krb5_const_principal client,
                                struct kerberos_wanted *wanted);

/* Whether CREDS, a ticket that was got, is it: 0 or KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN. */
krb5_error_code kerberos_check_wanted(krb5_context context, const struct kerberos_wanted *wanted,
                                      const krb5_creds *creds);

/* kerberos_client.c: tickets of one identity */

/* A ticket-granting ticket, or the user's own cache, and the clock of the KDC that gave it. Reference-counted. */
struct kerberos_logon {
    int references;
    krb5_ccache ccache;
    krb5_principal client;
    krb5_timestamp expiry; /* 0: unknown, of the user's cache */
    krb5_deltat offset;    /* the KDC's clock minus ours, seconds */
    bool own;              /* in memory, destroyed with the record; else the user's */
};

/* A service ticket. Reference-counted and immutable. */
struct kerberos_ticket {
    int references;
    struct cs_span target; /* owned */
    krb5_creds *creds;
    krb5_deltat offset;
    struct kerberos_ticket *next;
};

/*
 * A client that has shown a ticket and forwarded none: tickets are got in its name with the server's own (MS-SFU).
 */
struct kerberos_proxy {
    struct cs_span request;               /* the AP-REQ that the server took from it; owned */
    krb5_principal client;                /* whom the ticket in it is of; owned; NULL: nobody */
    krb5_timestamp endtime;               /* of that ticket, by our clock */
    struct kerberos_credential *acceptor; /* the server's, borrowed */
};

struct kerberos_client {
    struct kerberos_contexts *contexts; /* borrowed */
    bool is_default;                    /* the user's credential cache */
    struct kerberos_account account;    /* else; nobody: of a client whose server has nothing to act with */
    struct kerberos_proxy proxy;        /* else: client NULL unless it is one */
    pthread_mutex_t lock;               /* guards what follows; never held while a KDC is asked */
    struct kerberos_logon *logon;       /* NULL before the first */
    struct kerberos_ticket *tickets;    /* most recent first */
    struct kerberos_stamp cache;        /* the user's, which they are from */
};

/* False without memory, and then *client needs no drop. */
bool kerberos_client_init(struct kerberos_client *client, struct kerberos_contexts *contexts);
void kerberos_client_drop(krb5_context context, struct kerberos_client *client);

/*
 * The logon in force, asked for if there is none: the caller releases it. SEC_E_NO_CREDENTIALS: the user has no ticket;
 * STATUS_NO_SUCH_USER: the realm has no such account; else what kerberos_status says of the KDC's answer.
 */
SECURITY_STATUS kerberos_client_logon(struct kerberos_client *client, krb5_context context,
                                      struct kerberos_logon **logon);
void kerberos_logon_release(krb5_context context, struct kerberos_logon *logon);

/* Drops what LOGON holds; the record itself is the caller's. */
void kerberos_logon_drop(krb5_context context, struct kerberos_logon *logon);

/*
 * A ticket of CLIENT's for TARGET (UTF-16LE), from memory or the KDC: the caller releases it. Statuses of
 * kerberos_client_logon and kerberos_target; SEC_E_TARGET_UNKNOWN: no such service;
 * SEC_E_NO_AUTHENTICATING_AUTHORITY: no KDC; SEC_E_KDC_UNKNOWN_ETYPE: only for an encryption type that is refused.
 */
SECURITY_STATUS kerberos_client_ticket(struct kerberos_client *client, krb5_context context, struct cs_span target,
                                       struct kerberos_ticket **ticket);
void kerberos_ticket_release(krb5_context context, struct kerberos_ticket *ticket);

/* kerberos_keys.c: what a server is */

struct kerberos_key {
    krb5_principal principal;
    krb5_kvno kvno; /* 0: any */
    krb5_keyblock key;
};

/* The keys of a keytab, or made from a password, as they were when they were read. Reference-counted and immutable. */
struct kerberos_key_set {
    int references;
    struct kerberos_key *keys;
    size_t count;
    bool guessed; /* from a password, with the salt that is usual: no KDC has told another */
    int64_t made; /* when: CLOCK_MONOTONIC, ms */
};

struct kerberos_server {
    struct kerberos_contexts *contexts; /* borrowed */
    bool is_default;                    /* the default keytab */
    struct kerberos_account account;    /* else */
    pthread_mutex_t lock;
    struct kerberos_key_set *set; /* NULL before the first */
    struct kerberos_stamp file;   /* the keytab's when SET was read */
    struct kerberos_logon *logon; /* got with a key of the keytab; NULL before the first */
};

bool kerberos_server_init(struct kerberos_server *server, struct kerberos_contexts *contexts);
void kerberos_server_drop(krb5_context context, struct kerberos_server *server);

/*
 * The keys in force, read again if the keytab has changed: the caller releases them. SEC_E_NO_CREDENTIALS: no keytab,
 * or none with a key of an encryption type that may be used.
 */
SECURITY_STATUS kerberos_server_keys(struct kerberos_server *server, krb5_context context,
                                     struct kerberos_key_set **set);

/* Whether SET may be wrong, and a KDC can be asked for its salt again: BACKOFF seconds later (KdcBackoffTime). */
bool kerberos_server_doubts(const struct kerberos_key_set *set, uint32_t backoff);

/* Makes the keys anew. Statuses as above. */
SECURITY_STATUS kerberos_server_renew(struct kerberos_server *server, krb5_context context,
                                      struct kerberos_key_set **set);
void kerberos_key_set_release(krb5_context context, struct kerberos_key_set *set);

/*
 * Opens TICKET with the keys of SET: those of its principal, version and type first, then every other of its type,
 * since a service has many names (MS-KILE 3.4.5). *key borrows the key from SET. KRB5KRB_AP_ERR_NOKEY: no key of that
 * type; KRB5KRB_AP_ERR_BADKEYVER: its principal's key has another version; KRB5KRB_AP_ERR_MODIFIED: no key opens it;
 * KRB5KRB_AP_ERR_TKT_EXPIRED, KRB5KRB_AP_ERR_TKT_NYV, KRB5KRB_AP_ERR_TKT_INVALID. The caller frees *part.
 */
krb5_error_code kerberos_open_ticket(krb5_context context, const struct kerberos_key_set *set, Ticket *ticket,
                                     EncTicketPart *part, const krb5_keyblock **key);

/*
 * Whether KEY, which opened TICKET, vouches for the name of the server that TICKET has in clear: in SET it is a key of
 * that principal, and of no other.
 */
bool kerberos_key_vouches(const struct kerberos_key_set *set, const krb5_keyblock *key, const Ticket *ticket);

/* kerberos_credential.c */

struct kerberos_credential {
    struct cs_credential head;
    struct kerberos_credential *acceptor; /* of a client's: who accepted that, and whose contexts serve; a reference */
    bool suppress_bindings;               /* SuppressExtendedProtection */
    struct kerberos_patience patience;
    struct kerberos_contexts contexts; /* its own; client.contexts are those that serve */
    struct kerberos_client client;
    struct kerberos_server server;
    struct kerberos_replay_cache *replays; /* inbound alone */
};

/* What an exchange keeps between its messages. */
struct kerberos_exchange {
    bool initiator;
    uint32_t request; /* ISC_REQ_ or ASC_REQ_ of the first leg */
    struct kerberos_credential *credential;
    struct kerberos_client *given; /* initiator: from the credential manager, else NULL */
    SECURITY_STATUS given_status;  /* what is wrong with that, which is then NULL */
    struct cs_span target;         /* what the program named; acceptor: what the client says of that. Owned */
    bool started, waits_for_reply, retried;
    bool user_to_user;              /* every further token is of it */
    bool waits_for_tgt;             /* initiator: has sent a KERB-TGT-REQUEST */
    struct kerberos_key_set *shown; /* acceptor: the session key of the ticket-granting ticket that it has shown */
    krb5_timestamp shown_until;     /* its end, by our clock */
    bool bound;                     /* initiator: to these */
    uint8_t bindings[CS_BINDINGS_HASH_SIZE];
    struct cs_writer reply;         /* acceptor: the AP-REP that it has sent */
    bool framed;                    /* the tokens have GSS framing */
    uint32_t flags;                 /* GSS_C_ flags in force, as in the 0x8003 checksum */
    struct kerberos_ticket *ticket; /* initiator */
    krb5_keyblock session_key;      /* the ticket's, as the acceptor found it */
    krb5_keyblock subkey;           /* the initiator's */
    krb5_keyblock acceptor_subkey;  /* length 0: none */
    uint32_t own_sequence, peer_sequence;
    KerberosTime ctime; /* of the authenticator */
    krb5int32 cusec;
    krb5_deltat offset;     /* initiator: the acceptor's clock minus ours, seconds */
    krb5_timestamp endtime; /* of the ticket, by our clock */
    int64_t kick_off;       /* acceptor: FILETIME, UTC, when the session ends in any case; INT64_MAX: not before that */
    /* UTF-16LE, owned until the session has them: DOMAIN\user, and the ticket's principals */
    struct cs_span names, client, server;
    struct kerberos_logon *delegated; /* acceptor: what the client forwarded, else NULL */
    struct kerberos_proxy proxy;      /* acceptor: what else can be done in its name; client NULL: nothing */
    struct cs_logon *logon;           /* acceptor: what the PAC says, owned until the session has it; NULL: nothing */
};

/* kerberos_messages.c: the messages of the AP exchange, RFC 4120 5.5 */

/* An AP-REQ from what EXCHANGE holds, with CHECKSUM as its 0x8003 checksum, into OUTPUT. Whether the ticket is under a
 * session key it says by itself. */
krb5_error_code kerberos_write_request(krb5_context context, const struct kerberos_exchange *exchange,
                                       struct cs_span checksum, struct cs_writer *output);

/* An AP-REP with EXCHANGE's times, SEQUENCE, and SUBKEY unless NULL. */
krb5_error_code kerberos_write_reply(krb5_context context, const struct kerberos_exchange *exchange, uint32_t sequence,
                                     const krb5_keyblock *subkey, struct cs_writer *output);

/*
 * Reads an AP-REP made under EXCHANGE's session key. The caller frees *part. KRB5KRB_AP_ERR_MSG_TYPE: not an AP-REP;
 * KRB5KRB_AP_ERR_BAD_INTEGRITY: of another key.
 */
krb5_error_code kerberos_read_reply(krb5_context context, const struct kerberos_exchange *exchange,
                                    struct cs_span message, EncAPRepPart *part);

/* Opens the authenticator of REQUEST with KEY, the ticket's session key. The caller frees *authenticator. */
krb5_error_code kerberos_read_authenticator(krb5_context context, const AP_REQ *request, const krb5_keyblock *key,
                                            Authenticator *authenticator);

/* A KRB-ERROR that tells the client CODE; SERVER may be NULL, and DATA, its e-data, empty. */
krb5_error_code kerberos_write_error(krb5_context context, krb5_error_code code, krb5_const_principal server,
                                     struct cs_span data, struct cs_writer *output);

/* Reads a KRB-ERROR: its code as of krb5_err.h, the peer's clock, and its e-data, appended to DATA.
 * KRB5KRB_AP_ERR_MSG_TYPE if it is none. */
krb5_error_code kerberos_read_error(struct cs_span message, KerberosTime *peer_time, struct cs_writer *data);

/* Replaces KEY's contents by a copy of FROM, whose bytes are wiped first. False without memory. */
bool kerberos_copy_key(krb5_keyblock *key, const krb5_keyblock *from);
void kerberos_drop_key(krb5_keyblock *key);

/* kerberos_initiator.c, kerberos_acceptor.c: one leg; statuses as cs_mechanism.step */
SECURITY_STATUS kerberos_initiate(struct kerberos_exchange *exchange, krb5_context context, struct cs_leg *leg,
                                  struct cs_writer *output, struct cs_session **session);
SECURITY_STATUS kerberos_accept(struct kerberos_exchange *exchange, krb5_context context, struct cs_leg *leg,
                                struct cs_writer *output, struct cs_session **session);

/* kerberos_complete.c */

/* Whether KEY, which came from a peer, may be used and has its type's size. */
bool kerberos_usable_key(krb5_context context, const krb5_keyblock *key);

/* Keeps what the session is to say of the ticket's two principals. Statuses of kerberos_write_name. */
SECURITY_STATUS kerberos_note_principals(krb5_context context, struct kerberos_exchange *exchange,
                                         krb5_const_principal client, krb5_const_principal server);

/* Makes the name of SERVER, without its realm, the target. Statuses of kerberos_write_name. */
SECURITY_STATUS kerberos_note_target(krb5_context context, struct kerberos_exchange *exchange,
                                     krb5_const_principal server);

/* Makes DOMAIN\USER what the session calls its client. False without memory. */
bool kerberos_note_names(struct kerberos_exchange *exchange, struct cs_span domain, struct cs_span user);

/*
 * Hands what EXCHANGE has agreed on to the protecting half; leg->granted is what is granted. SEC_E_OK or
 * SEC_E_INSUFFICIENT_MEMORY.
 */
SECURITY_STATUS kerberos_complete(struct kerberos_exchange *exchange, struct cs_leg *leg, struct cs_session **session);

/* kerberos_delegation.c */

/*
 * A KRB-CRED with a forwarded ticket-granting ticket for EXCHANGE's service, into OUTPUT; nothing when the ticket says
 * that the service is not trusted with one, or the KDC gives none.
 */
void kerberos_forward(krb5_context context, const struct kerberos_exchange *exchange, struct kerberos_client *client,
                      struct cs_writer *output);

/*
 * Takes the KRB-CRED that CLIENT forwarded into exchange->delegated. False: it cannot be opened, or holds no ticket.
 */
bool kerberos_take_delegated(krb5_context context, struct kerberos_exchange *exchange, krb5_const_principal client,
                             struct cs_span message);

/*
 * A credential of EXCHANGE's client, which no other session ever gets (bug class E5): of what it forwarded, else of
 * what it showed. NULL: it did neither, or no memory.
 */
struct cs_credential *kerberos_onward_credential(struct kerberos_exchange *exchange);

/* A server's credential with the keytab of PLACES, which are taken over, that takes in nobody; NULL without memory. */
struct kerberos_credential *kerberos_make_acceptor(struct kerberos_places places);

/* kerberos_travel.c: cs_mechanism's pack_onward and unpack_onward */
void kerberos_pack_onward(const struct cs_credential *credential, struct cs_writer *packed);
struct cs_credential *kerberos_unpack_onward(struct cs_span packed);

/* kerberos_proxy.c: S4U2proxy and S4U2self, MS-SFU */

/* Notes REQUEST, an AP-REQ that has held, as what CLIENT has shown, until ENDTIME. False without memory. */
bool kerberos_proxy_note(krb5_context context, struct kerberos_proxy *proxy, struct cs_span request,
                         krb5_const_principal client, krb5_timestamp endtime);
void kerberos_proxy_drop(krb5_context context, struct kerberos_proxy *proxy);

/*
 * A ticket of the client's for the target that TICKET names, into TICKET. SEC_E_NO_CREDENTIALS: the KDC lets this
 * server do nothing in that client's name, or the server cannot log on itself; else statuses of kerberos_client_ticket.
 */
SECURITY_STATUS kerberos_proxy_ticket(krb5_context context, const struct kerberos_proxy *proxy,
                                      struct kerberos_ticket *ticket);

#endif
