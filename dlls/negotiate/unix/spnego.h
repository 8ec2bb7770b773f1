/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The messages of SPNEGO: RFC 4178 section 4.2, with MS-SPNG's NegTokenInit2. Spans point into the message that was
 * read, or to what the caller gives to be written; data NULL for a field that is not there.
 */
#ifndef COUNTERSIGN_SPNEGO_H
#define COUNTERSIGN_SPNEGO_H

#include "sspi_values.h"
#include "writer.h"

enum { SPNEGO_MOST_MECHS = 16 };

/* negState, 4.2.2 */
enum spnego_state {
    SPNEGO_ACCEPT_COMPLETED,
    SPNEGO_ACCEPT_INCOMPLETE,
    SPNEGO_REJECT,
    SPNEGO_REQUEST_MIC,
    SPNEGO_NO_STATE /* the field is not there */
};

/* NegTokenInit, 4.2.1, and NegTokenInit2, MS-SPNG 2.2.1 */
struct spnego_init {
    struct cs_span mechs[SPNEGO_MOST_MECHS]; /* the OIDs' contents, in order of preference */
    size_t mech_count;
    struct cs_span mech_list; /* read: mechTypes as it stands, which the mechListMIC covers */
    struct cs_span mech_token;
    struct cs_span mech_list_mic;
    struct cs_span hint_name; /* NegTokenInit2 */
};

/* NegTokenResp, 4.2.2 */
struct spnego_resp {
    enum spnego_state state;
    struct cs_span supported_mech; /* the OID's contents */
    struct cs_span response_token;
    struct cs_span mech_list_mic;
};

/*
 * Each reader yields SEC_E_OK, or SEC_E_INVALID_TOKEN for what is not DER, is cut, has bytes behind it, or a field
 * twice or out of order. reqFlags and hintAddress are passed over (MS-SPNG 3.2.5.2).
 */
SECURITY_STATUS spnego_init_read(struct cs_span token, struct spnego_init *message);
void spnego_init_write(struct cs_writer *output, const struct spnego_init *message);
SECURITY_STATUS spnego_resp_read(struct cs_span token, struct spnego_resp *message);
void spnego_resp_write(struct cs_writer *output, const struct spnego_resp *message);

/* mechTypes of MESSAGE as it is written: what the mechListMIC covers on the side that made it. */
void spnego_mech_list_write(struct cs_writer *output, const struct spnego_init *message);

/* The object identifiers' contents */
extern const struct cs_span spnego_oid, spnego_ntlm, spnego_krb5, spnego_ms_krb5, spnego_krb5_user_to_user,
    spnego_negoex;

static inline bool spnego_same_oid(struct cs_span left, struct cs_span right)
{
    return left.size == right.size && left.size && !__builtin_memcmp(left.data, right.data, left.size);
}

#endif
