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

enum { KERBEROS_MAX_TOKEN = 48000 /* packages.tsv Kerberos */ };

/* Drops the names that HEAD has from the seed. */
void kerberos_session_forget(struct cs_session *head);

/*
 * Whether EncryptMessage may do what QOP says. SEC_E_OK; SEC_E_UNSUPPORTED_FUNCTION: to encrypt takes CONFIDENTIALITY
 * (errors.tsv EncryptMessage Kerberos, observed); SEC_E_QOP_NOT_SUPPORTED: SECQOP_WRAP_NO_ENCRYPT and neither
 * CONFIDENTIALITY nor INTEGRITY (errors.tsv, documented).
 */
SECURITY_STATUS kerberos_may_wrap(const struct cs_session *head, uint32_t qop);

/*
 * kerberos_session_create for the AES types and for RC4: of HEAD they set protection, sizes and key_info. NULL: no
 * memory, or a key of another size.
 */
struct cs_session *kerberos_aes_session_create(const struct kerberos_session_seed *seed,
                                               const struct kerberos_etype *etype);
struct cs_session *kerberos_rc4_session_create(const struct kerberos_session_seed *seed);

#endif
