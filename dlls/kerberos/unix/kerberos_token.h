/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The framing of Kerberos's context tokens: RFC 2743 3.1 with the token ids of RFC 4121 4.1, or none. Those of
 * user-to-user have an object identifier of their own, and two messages more (draft-swift-win2k-krb-user2user).
 */
#ifndef COUNTERSIGN_KERBEROS_TOKEN_H
#define COUNTERSIGN_KERBEROS_TOKEN_H

#include "tlv.h"

enum kerberos_token_kind { KERBEROS_AP_REQ, KERBEROS_AP_REP, KERBEROS_ERROR, KERBEROS_TGT_REQUEST, KERBEROS_TGT_REPLY };

struct kerberos_token {
    enum kerberos_token_kind kind;
    bool framed;
    struct cs_span message; /* the Kerberos message, from its tag on */
    bool user_to_user;      /* framed: with that object identifier */
};

/* The object identifiers: RFC 4121's, the one that Windows has from a misprint (MS-SPNG 3.1.5.2), and user-to-user's.
 */
extern const struct cs_span kerberos_oid, kerberos_oid_ms, kerberos_oid_user_to_user;

/*
 * Reads a token with or without framing; the message is borrowed. False: it is neither, its framing does not enclose
 * it exactly, or its token id does not go with the message or with the object identifier.
 */
bool kerberos_token_read(struct cs_span input, struct kerberos_token *token);

/* Appends TOKEN. */
void kerberos_token_write(struct cs_writer *output, const struct kerberos_token *token);

#endif
