/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of this folder share of a TLS context.
 *
 * Locks: a leg holds both directions, reading first; EncryptMessage the writing one; DecryptMessage the reading one,
 * and both for DTLS and for records that are not application data. So GnuTLS's session is used under both, but for
 * records of suites that are left to it, one thread a direction, which it allows.
 */
#ifndef COUNTERSIGN_TLS_CONTEXT_H
#define COUNTERSIGN_TLS_CONTEXT_H

#include "tls.h"
#include "tls_suites.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <pthread.h>

/* RFC 8446 5.1, 5.2; RFC 5246 6.2.3: what a record may carry, and what protection may add to it. */
enum { TLS_HEADER = 5, TLS_MAX_PLAIN = 16384, TLS_MAX_EXPANSION = 2048 };

enum tls_content { TLS_CHANGE_CIPHER_SPEC = 20, TLS_ALERT = 21, TLS_HANDSHAKE = 22, TLS_APPLICATION_DATA = 23 };

enum { TLS_USUAL_LIFESPAN = 36000000 };

struct tls_credential {
    int references;
    uint64_t number; /* of no other credential, ever */
    bool server, resume;
    uint32_t lifespan; /* of its sessions, ms */
    uint32_t habits;
    uint32_t protocols;
    gnutls_certificate_credentials_t certificates;
    struct tls_suite_order suites;
    gnutls_priority_t priority, datagram_priority; /* TLS's, DTLS's; NULL: there is nothing to negotiate */
    struct cs_span chain, stapled;                 /* owned */
    pthread_mutex_t lock;                          /* of the ticket key */
    gnutls_datum_t ticket_key, cookie_key;
};

/* How records of one direction are protected. */
enum tls_protection {
    TLS_BY_GNUTLS,      /* CBC, CCM, and whatever else */
    TLS_EXPLICIT_NONCE, /* RFC 5288: TLS 1.2 with GCM */
    TLS_IMPLICIT_NONCE, /* RFC 7905: TLS 1.2 with ChaCha20-Poly1305 */
    TLS_1_3             /* RFC 8446 5.2 */
};

struct tls_direction {
    enum tls_protection protection;
    gnutls_aead_cipher_hd_t cipher; /* NULL with TLS_BY_GNUTLS */
    uint8_t iv[12];
    uint64_t sequence; /* of the next record */
};

/* CLOSED: the peer has said close_notify. */
enum tls_phase { TLS_HANDSHAKING, TLS_COMPLETE, TLS_RENEGOTIATING, TLS_CLOSED, TLS_FAILED };

/* Where in the stream of handshake messages a record ended. */
struct tls_scan {
    uint8_t header[4];
    size_t have, left;        /* bytes of the header at hand, and of the message to come */
    struct cs_writer request; /* a CertificateRequest, as far as it has come; without its header */
};

/* RFC 6347 4.1.2.6: which records of data have come, the one before NEXT in the lowest bit. */
struct dtls_window {
    uint64_t next, came;
};

/* RFC 5764: what the program takes; GnuTLS has room for so many profiles, and the others are not offered. */
enum { TLS_MOST_SRTP_PROFILES = 4 };
struct tls_srtp {
    uint16_t profiles[TLS_MOST_SRTP_PROFILES];
    size_t count;
    struct cs_span identifier; /* of the master key; owned; empty for none */
};

struct tls_context {
    pthread_mutex_t reading, writing;
    bool read_broken, write_broken; /* a thread died with that lock */
    struct tls_credential *credential;
    gnutls_session_t session;
    bool server, tickets; /* a server that gives some; those of the first credential */
    enum tls_phase phase;
    SECURITY_STATUS failure; /* what TLS_FAILED answers */
    /* memory in the place of a socket */
    struct cs_span incoming;
    struct cs_writer outgoing;
    /* the peer's certificate */
    uint32_t leg_flags;
    SECURITY_STATUS verdict;
    bool verify_wanted, decided; /* the question has been asked; this leg brings the answer */
    /* the program has heard of the server's wish for a certificate; the next leg may bring another credential, and no
     * later one: GnuTLS goes on with certificates of that one. Asked: it has chosen */
    bool told_asked, awaits_credential, asked;
    struct tls_scan scan;
    struct cs_writer extensions; /* TLS_EXTENSIONS of the handshake at hand */
    struct cs_span issuers;      /* owned: the names in the last CertificateRequest, each behind its length; or empty */
    struct cs_span asking;       /* owned: the record with which a server has asked for a new handshake */
    size_t told_at;         /* bytes taken of a program's input before it has heard of it, for it comes once more */
    bool finished;          /* the handshake at hand, as far as GnuTLS is concerned */
    bool rehandshake_asked; /* the peer has asked for a new handshake */
    /* ApplyControlToken */
    bool alert_wanted, alert_fatal, shut_down; /* the last alert has been sent: no more data */
    uint8_t alert;
    /* a token that did not fit: what its leg answered, and how much of its input it took */
    bool undelivered;
    SECURITY_STATUS waiting;
    size_t taken;
    struct tls_direction read, write;
    /* TLS_DEFERS: the last flight, until it is sent, and how much of each header it takes, or padding in its place */
    struct cs_writer deferred;
    size_t deferred_room;
    uint32_t header, trailer, maximum; /* of a record of application data, and what it may carry; bytes */
    uint32_t record_limit;             /* that the peer has asked for; 0: none */
    bool update_wanted, ticket_came;   /* RFC 8446 4.6.3: new keys of ours; 4.6.1: a ticket, not kept yet */
    struct cs_span name; /* client: the server's, under which sessions are kept; owned; empty: not at all */
    bool trusted;        /* the peer's certificate was taken unseen */
    int64_t session_until, stapled_end; /* client: of the session, FILETIME; of answers to it, seconds since 1970 */
    /* tls_early.c: data that came in a second handshake, how much of it is handed out, and as how many bytes of the
     * program's input it is announced */
    struct cs_writer early;
    bool early_over; /* a ChangeCipherSpec has come */
    size_t early_taken, early_room;
    /* DTLS (tls_datagram.h) */
    bool datagram;
    bool hello_asked, hello_came; /* server: a ClientHello has come; one that is to be answered */
    uint32_t mtu;                 /* bytes */
    size_t datagram_size;         /* of the leg's token, the first bytes of outgoing */
    struct cs_writer flight;      /* what was sent last, as far as it is not encrypted */
    uint32_t seen, answered;      /* the handshake message last seen, and last when that flight was sent; from 1 */
    unsigned repeats;             /* how often the peer has been answered with it again since time was up last */
    struct dtls_window window;
    struct tls_srtp srtp;
};

/*
 * tls_legs.c: takes a direction's lock, which cs_unlock gives back in any case. False: a thread has died with it at
 * some time, so that nobody knows what of its work was done, such as a number used and not counted.
 */
bool tls_lock_reading(struct tls_context *context);
bool tls_lock_writing(struct tls_context *context);

/* tls_messages.c: notes what handshake messages say from now on. */
void tls_messages_watch(struct tls_context *context);

/* tls_transport.c: memory in the place of a socket. */
void tls_transport_join(struct tls_context *context);

/* The length of the first record of INPUT, its header included. SEC_E_OK; SEC_E_INCOMPLETE_MESSAGE with *missing;
 * SEC_E_INVALID_TOKEN: no record begins like that. */
SECURITY_STATUS tls_first_record(struct cs_span input, size_t *size, size_t *missing);

/* tls_records.c: takes keys and sequence numbers over from GnuTLS, and gives the numbers back before it works again. */
SECURITY_STATUS tls_records_take(struct tls_context *context);
/* The keys of the next record to be read, while GnuTLS goes on with them; the caller drops them. SEC_E_OK,
 * SEC_E_INTERNAL_ERROR, SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS tls_records_peek(struct tls_context *context, struct tls_direction *direction);
void tls_records_give_back(struct tls_context *context);
void tls_direction_drop(struct tls_direction *direction);

/*
 * tls_afterwards.c: RECORD, one that is no application data, goes to GnuTLS. SEC_E_OK; SEC_I_RENEGOTIATE: the peer
 * wants a new handshake; SEC_I_CONTEXT_EXPIRED: close_notify; the status of a fatal alert, or of what is wrong with it,
 * and the context has failed. Both directions are locked.
 */
SECURITY_STATUS tls_take_record(struct tls_context *context, struct cs_span record);

/* The kind of RECORD, whole, without changing it: in TLS 1.3 it is encrypted. 0: it does not verify. */
uint8_t tls_record_type(struct tls_context *context, struct cs_span record);

/* TLS 1.3: whether RECORD, of the handshake, wants an answer, which only a leg can give. */
bool tls_record_wants_answer(struct tls_context *context, struct cs_span record);

/* The context has failed for good. Yields STATUS. Both directions are locked. Aloud: once the handshake is through; the
 * next leg has the alert that tells the peer. */
SECURITY_STATUS tls_fail(struct tls_context *context, SECURITY_STATUS status);
SECURITY_STATUS tls_fail_aloud(struct tls_context *context, SECURITY_STATUS status);

/* TLS_DEFERS: the last flight goes before whatever is sent next. */
void tls_send_deferred(struct tls_context *context);

/*
 * tls_aead.c. Protects DATA in place as record TYPE, with HEADER before and TRAILER behind it; and undoes that:
 * RECORD, whole, in place, with what it carried in *plain, and the kind of record in *type. False: it does not verify,
 * or carries too much or nothing; what it carried is then wiped.
 */
bool tls_aead_protect(struct tls_direction *direction, uint8_t *header, uint8_t *data, size_t size, uint8_t *trailer);
/* TLS 1.3: a record of SIZE bytes, at least TLS_LEAST_PADDING, that says nothing. */
enum { TLS_LEAST_PADDING = TLS_HEADER + 1 + 16 };
bool tls_aead_pad(struct tls_direction *direction, uint8_t *record, size_t size);
bool tls_aead_unprotect(struct tls_direction *direction, uint8_t *record, size_t size, struct cs_span *plain,
                        uint8_t *type);
/* Puts back what unprotect made of RECORD, whose number was that of the last one. */
void tls_aead_restore(struct tls_direction *direction, uint8_t *record, size_t size);

/*
 * tls_early.c. Head is what of RECORDS, whole ones of a second handshake, comes before its data; after a
 * ChangeCipherSpec there is none, for it would come before a Finished that vouches for its keys. Keep takes that data,
 * a RECORD; SEC_E_OK, SEC_E_INSUFFICIENT_MEMORY, SEC_E_MESSAGE_ALTERED, SEC_E_ILLEGAL_MESSAGE: too much. Announce, once
 * that handshake is through, leaves so many bytes of LEG's input for DecryptMessage; where that leg took none, the
 * bytes of the next record of data do instead, and its data comes last. Take writes what was kept over those, the first
 * SIZE bytes of its input at most, and returns how much that is; *more: there is more, for which the same bytes are to
 * come again, otherwise they are done with. Both directions are locked, but for take, which needs the reading one.
 */
struct cs_span tls_early_head(struct tls_context *context, struct cs_span records);
SECURITY_STATUS tls_early_keep(struct tls_context *context, struct cs_span record);
void tls_early_announce(struct tls_context *context, struct tls_leg *leg);
size_t tls_early_take(struct tls_context *context, uint8_t *bytes, size_t size, bool *more);

/* tls_status.c: the one table of GnuTLS's errors, and that of alerts. */
SECURITY_STATUS tls_status_of(const struct tls_context *context, int error);
SECURITY_STATUS tls_status_of_alert(gnutls_alert_description_t alert);
gnutls_alert_description_t tls_alert_of_status(SECURITY_STATUS status);

/* tls_credential.c. A server's session gets the key of the credential's tickets, if it has any; and the credential
 * another one, under which no ticket is out yet. False: no memory, or a thread has died in here. */
bool tls_credential_give_tickets(struct tls_credential *credential, gnutls_session_t session);
bool tls_credential_renew_tickets(struct tls_credential *credential);

/* tls_priority.c: what REQUEST and ORDER let be negotiated, in GnuTLS's words. SEC_E_ALGORITHM_MISMATCH: nothing. */
SECURITY_STATUS tls_priority_make(const struct tls_credential_request *request, const struct tls_suite_order *order,
                                  gnutls_priority_t *priority);

/* tls_key.c: reads a private key. SEC_E_OK, SEC_E_UNKNOWN_CREDENTIALS, SEC_E_INSUFFICIENT_MEMORY. */
SECURITY_STATUS tls_key_read(struct cs_span key, enum tls_key_format format, gnutls_privkey_t *out);

/* tls_chain.c: certificates, in and out of the form that tls.h describes. */
SECURITY_STATUS tls_chain_read(struct cs_span chain, gnutls_datum_t *certificates, unsigned room, unsigned *count);
void tls_chain_write(struct cs_writer *output, const gnutls_datum_t *certificates, unsigned count);
enum { TLS_MAX_CHAIN = 16 };

/* A certificate in DER; the caller lets go of it (gnutls_x509_crt_deinit). NULL: it cannot be read, or no memory. */
gnutls_x509_crt_t tls_certificate_read(struct cs_span der);

/*
 * tls_issuers.c. The names in BODY, a CertificateRequest without its header; false: it is none. Keep notes them in the
 * context. Accept: whether the credential's certificate is from one of those, or anybody's is taken. Offer: the names
 * of ROOTS, certificates in tls.h's form, are what a server sends, up to TLS_MAX_ISSUERS bytes, as on Windows;
 * SEC_E_OK, SEC_E_UNKNOWN_CREDENTIALS, SEC_E_INSUFFICIENT_MEMORY.
 */
bool tls_issuers_read(struct cs_span body, bool tls13, struct cs_span *names);
void tls_issuers_keep(struct tls_context *context, struct cs_span body, bool tls13);
bool tls_issuers_accept(const struct tls_context *context);
SECURITY_STATUS tls_issuers_offer(gnutls_certificate_credentials_t certificates, struct cs_span roots);
enum { TLS_MAX_ISSUERS = 0x4000 };

/*
 * tls_asked.c: whether a CertificateRequest ends in RECORDS, whole ones, in the open, of a handshake so far. Its body
 * is then in state->request, which the caller drops. Open_head: those of RECORDS that stand before TLS 1.3's first
 * encrypted one. In_secret: the same of the encrypted records that come next, once GnuTLS has the keys for them, of TLS
 * 1.3's or an older handshake; false, too, with a cipher that is left to GnuTLS. RECORDS stay as they are, and GnuTLS
 * is to get them yet.
 */
bool tls_asks_for_certificate(struct tls_scan *state, struct cs_span records);
struct cs_span tls_open_head(struct cs_span records);
bool tls_asks_in_secret(struct tls_context *context, struct cs_span records, bool tls13);

/*
 * tls_name.c. TARGET, a client's first leg's, is asked for, and sessions are kept under it: SEC_E_OK,
 * SEC_E_TARGET_UNKNOWN: it is no name; SEC_E_INSUFFICIENT_MEMORY. Check: as tls_check_name.
 */
SECURITY_STATUS tls_name_use(struct tls_context *context, struct cs_span target);
SECURITY_STATUS tls_name_check(const struct tls_context *context, struct cs_span certificate);

/*
 * tls_stapled.c. Of a RESPONSE at hand: as tls_check_stapled; when it is outdated, in seconds since 1970, INT64_MAX if
 * it cannot be read; and whether it speaks of CERTIFICATE at all, for a server that knows no issuer: by issuer's name
 * and serial number.
 */
enum tls_stapled tls_stapled_judge(struct cs_span response, struct cs_span certificate, struct cs_span issuer);
int64_t tls_stapled_end(struct cs_span response);
bool tls_stapled_concerns(struct cs_span response, struct cs_span certificate);

/*
 * tls_srtp.c: DTLS. What LEG, the first one, says of SRTP is offered, or kept for a server: SEC_E_OK,
 * SEC_E_INVALID_TOKEN, SEC_E_INSUFFICIENT_MEMORY. What to do with a peer that has the extension, a client's USE_SRTP
 * before GnuTLS has read it, a server's after that: 0, or GnuTLS's error. Write appends what was agreed on (TLS_SRTP).
 */
SECURITY_STATUS tls_srtp_use(struct tls_context *context, const struct tls_leg *leg);
int tls_srtp_judge_client(struct tls_context *context, struct cs_span use_srtp);
int tls_srtp_judge_server(const struct tls_context *context);
void tls_srtp_write(const struct tls_context *context, struct cs_writer *output);

/* tls_sessions.c: sessions that a client may resume. */
void tls_sessions_offer(struct tls_context *context); /* to a handshake that begins */
void tls_sessions_date(struct tls_context *context);  /* how long the one of a handshake that is through will do */
void tls_sessions_keep(struct tls_context *context);  /* it, or another ticket for it */
void tls_sessions_forget(uint64_t credential);        /* the one with that number is gone */

#endif
