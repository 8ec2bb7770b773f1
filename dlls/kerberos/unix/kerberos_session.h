/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the session records of the AES types and of RC4 have in common.
 */
#ifndef COUNTERSIGN_KERBEROS_SESSION_H
#define COUNTERSIGN_KERBEROS_SESSION_H

#include "kerberos_crypto.h"
#include "kerberos_protect.h"
#include "kerberos_sequence.h"

/* KRB5 key usages of a direction: RFC 4121 section 2. */
struct kerberos_usages {
    uint32_t seal, sign;
};

static inline struct kerberos_usages kerberos_usages(bool from_initiator)
{
    return from_initiator ? (struct kerberos_usages){24, 25} : (struct kerberos_usages){22, 23};
}

enum { KERBEROS_ETYPE_RC4 = 23, KERBEROS_RC4_KEY = 16 };
enum { KERBEROS_MAX_TOKEN = 48000 /* packages.tsv Kerberos */ };

/* What every Kerberos session's record begins with. */
struct kerberos_session {
    struct cs_session head;
    int32_t etype; /* as in the seed */
    bool acceptor_subkey, dce_style;
    struct kerberos_sequence *send, *receive; /* in the record */
    /* Wipes all keys but the session key, which may be wiped already. Nobody uses them, and nobody will. */
    void (*forget_keys)(struct kerberos_session *session);
};

/* A token that kerberos_sequence_send gave a number to is done with the keys of SESSION. */
void kerberos_session_done(struct kerberos_session *session);

/* The protection's rewind: nothing here is a stream, but the exchange has ended with the numbers in force. */
void kerberos_session_settle(struct cs_session *head);

/* Takes the locks of both directions; false, with the locks held, if one is broken. kerberos_session_let_go follows. */
bool kerberos_session_hold(struct kerberos_session *session);
void kerberos_session_let_go(struct kerberos_session *session);

/* With the locks held: wipes the keys of a retired session, unless a token is still being made; then its end does. */
void kerberos_session_forget_keys(struct kerberos_session *session);

/* Drops the names that HEAD has from the seed. */
void kerberos_session_forget(struct cs_session *head);

/*
 * Whether EncryptMessage may do what QOP says. SEC_E_OK; SEC_E_UNSUPPORTED_FUNCTION: to encrypt takes CONFIDENTIALITY
 * (errors.tsv EncryptMessage Kerberos, observed); SEC_E_QOP_NOT_SUPPORTED: SECQOP_WRAP_NO_ENCRYPT and neither
 * CONFIDENTIALITY nor INTEGRITY (errors.tsv, documented).
 */
SECURITY_STATUS kerberos_may_wrap(const struct cs_session *head, uint32_t qop);

/*
 * kerberos_session_create for the AES types and for RC4: of HEAD they set protection, sizes and key_info, of the rest
 * SEND, RECEIVE and forget_keys. NULL: no memory, or a key of another size.
 */
struct kerberos_session *kerberos_aes_session_create(const struct kerberos_session_seed *seed,
                                                     const struct kerberos_etype *etype);
struct kerberos_session *kerberos_rc4_session_create(const struct kerberos_session_seed *seed);

#endif
