/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The exchanges with a KDC in words (RFC 4120 5.4), and KRB-ERROR (5.9), which servers send as well.
 */
#include "describe_kerberos.h"
#include "kerberos.h"
#include "tlv.h"

#include <inttypes.h>
#include <libintl.h>

#define _(text) dgettext("countersign", text)

/* Requests */

static void describe_etypes(struct cs_description *description, const ENCTYPE *etypes, unsigned count)
{
    cs_describe_line(description, "etype", _("%u elements"), count);
    description->depth++;
    for (unsigned i = 0; i < count; i++) {
        cs_describe_begin(description, "etype");
        kerberos_describe_etype(description, (int32_t)etypes[i]);
        cs_describe_end(description);
    }
    description->depth--;
}

/* RFC 4120 5.4.1, RFC 6806 3, MS-SFU 2.2.3. */
static void describe_options(struct cs_description *description, KDCOptions options)
{
    static const char *const names[32] = {
        [1] = "forwardable",   [2] = "forwarded",          [3] = "proxiable",
        [4] = "proxy",         [5] = "allow-postdate",     [6] = "postdated",
        [8] = "renewable",     [11] = "opt-hardware-auth", [14] = "cname-in-addl-tkt",
        [15] = "canonicalize", [16] = "request-anonymous", [26] = "disable-transited-check",
        [27] = "renewable-ok", [28] = "enc-tkt-in-skey",   [30] = "renew",
        [31] = "validate",
    };
    kerberos_describe_bits(description, "kdc-options", KDCOptions2int(options), names);
}

static void describe_body(struct cs_description *description, const KDC_REQ_BODY *body)
{
    describe_options(description, body->kdc_options);
    if (body->cname) kerberos_describe_principal(description, "cname", body->cname);
    kerberos_describe_text(description, "realm", body->realm);
    if (body->sname) kerberos_describe_principal(description, "sname", body->sname);
    kerberos_describe_optional_time(description, "from", body->from);
    kerberos_describe_optional_time(description, "till", body->till);
    kerberos_describe_optional_time(description, "rtime", body->rtime);
    cs_describe_line(description, "nonce", "%" PRIu32, (uint32_t)body->nonce);
    describe_etypes(description, body->etype.val, body->etype.len);
    if (body->addresses) cs_describe_line(description, "addresses", _("%u elements"), body->addresses->len);
    if (body->enc_authorization_data)
        kerberos_describe_encrypted(description, "enc-authorization-data", body->enc_authorization_data);
    for (unsigned i = 0; body->additional_tickets && i < body->additional_tickets->len; i++)
        kerberos_describe_ticket(description, "additional-ticket", &body->additional_tickets->val[i]);
}

static void describe_request(struct cs_description *description, const KDC_REQ *request)
{
    kerberos_describe_padata(description, request->padata);
    describe_body(description, &request->req_body);
}

bool kerberos_describe_as_req(struct cs_description *description, struct cs_span message)
{
    AS_REQ request;
    if (decode_AS_REQ(message.data, message.size, &request, NULL)) return false;
    describe_request(description, &request);
    free_AS_REQ(&request);
    return true;
}

bool kerberos_describe_tgs_req(struct cs_description *description, struct cs_span message)
{
    TGS_REQ request;
    if (decode_TGS_REQ(message.data, message.size, &request, NULL)) return false;
    describe_request(description, &request);
    free_TGS_REQ(&request);
    return true;
}

/* Replies */

static void describe_part_contents(struct cs_description *description, const EncKDCRepPart *part)
{
    kerberos_describe_key(description, "key", &part->key);
    cs_describe_line(description, "nonce", "%" PRIu32, (uint32_t)part->nonce);
    kerberos_describe_optional_time(description, "key-expiration", part->key_expiration);
    kerberos_describe_ticket_flags(description, "flags", part->flags);
    kerberos_describe_time(description, "authtime", part->authtime, -1);
    kerberos_describe_optional_time(description, "starttime", part->starttime);
    kerberos_describe_time(description, "endtime", part->endtime, -1);
    kerberos_describe_optional_time(description, "renew-till", part->renew_till);
    kerberos_describe_text(description, "srealm", part->srealm);
    kerberos_describe_principal(description, "sname", &part->sname);
    kerberos_describe_padata(description, part->encrypted_pa_data);
}

/* Some KDCs give the part of an AS-REP the tag of a TGS-REP's (RFC 4120 5.4.2). */
static bool decode_part(const krb5_data *plain, EncKDCRepPart *part)
{
    return !decode_EncASRepPart(plain->data, plain->length, part, NULL) ||
           !decode_EncTGSRepPart(plain->data, plain->length, part, NULL);
}

static void describe_part(struct cs_description *description, const krb5_data *plain)
{
    EncKDCRepPart part;
    if (!decode_part(plain, &part)) {
        kerberos_describe_undecodable(description, "EncKDCRepPart");
        return;
    }
    describe_part_contents(description, &part);
    kerberos_note_key(description->keys, &part.key);
    kerberos_drop_key(&part.key);
    free_EncKDCRepPart(&part);
}

static void describe_reply(struct cs_description *description, const KDC_REP *reply, unsigned usage,
                           unsigned other_usage)
{
    kerberos_describe_padata(description, reply->padata);
    kerberos_describe_text(description, "crealm", reply->crealm);
    kerberos_describe_principal(description, "cname", &reply->cname);
    kerberos_describe_ticket(description, "ticket", &reply->ticket);
    kerberos_describe_encrypted(description, "enc-part", &reply->enc_part);
    description->depth++;
    struct kerberos_opened opened = kerberos_open_data(description, &reply->enc_part, usage, other_usage);
    if (opened.plain.data) describe_part(description, &opened.plain);
    kerberos_opened_drop(&opened);
    description->depth--;
}

bool kerberos_describe_as_rep(struct cs_description *description, struct cs_span message)
{
    AS_REP reply;
    if (decode_AS_REP(message.data, message.size, &reply, NULL)) return false;
    describe_reply(description, &reply, KRB5_KU_AS_REP_ENC_PART, KRB5_KU_AS_REP_ENC_PART);
    free_AS_REP(&reply);
    return true;
}

bool kerberos_describe_tgs_rep(struct cs_description *description, struct cs_span message)
{
    TGS_REP reply;
    if (decode_TGS_REP(message.data, message.size, &reply, NULL)) return false;
    describe_reply(description, &reply, KRB5_KU_TGS_REP_ENC_PART_SUB_KEY, KRB5_KU_TGS_REP_ENC_PART_SESSION);
    free_TGS_REP(&reply);
    return true;
}

/* KRB-ERROR */

/* MS-KILE 2.2.2, KERB-ERROR-DATA with a KERB_EXT_ERROR: what Windows adds in words of its own. */
static bool describe_windows_data(struct cs_description *description, struct cs_span data)
{
    enum { INTEGER = 0x02, EXTENDED = 3 };
    struct cs_reader outer = cs_reader_of(data), sequence = cs_der_enter(&outer, DER_SEQUENCE);
    const struct cs_span type = cs_der_read_explicit(&sequence, DER_CONTEXT_0 + 1, INTEGER);
    if (sequence.failed || type.size != 1) return false;
    cs_describe_line(description, "data-type", "%u", *type.data);
    if (*type.data != EXTENDED || !cs_der_next_is(&sequence, DER_CONTEXT_0 + 2)) return true;
    struct cs_reader value = cs_reader_of(cs_der_read_explicit(&sequence, DER_CONTEXT_0 + 2, DER_OCTET_STRING));
    const uint32_t status = cs_read_u32(&value);
    if (!sequence.failed && !value.failed) cs_describe_line(description, "status", "0x%08" PRIx32, status);
    return true;
}

/* What e-data is depends on the code; a form that is not known is no fault of the message (RFC 4120 5.9.1). */
static void describe_error_data(struct cs_description *description, struct cs_span data)
{
    METHOD_DATA padata;
    cs_describe_line(description, "e-data", _("size %zu"), data.size);
    description->depth++;
    if (!describe_windows_data(description, data) && !kerberos_describe_tgt_reply(description, data) &&
        !decode_METHOD_DATA(data.data, data.size, &padata, NULL)) {
        kerberos_describe_padata(description, &padata);
        free_METHOD_DATA(&padata);
    }
    description->depth--;
}

static void describe_error(struct cs_description *description, const KRB_ERROR *error)
{
    cs_describe_begin(description, "error-code");
    kerberos_describe_number(description, kerberos_error_name(error->error_code), error->error_code);
    cs_describe_end(description);
    if (error->ctime) kerberos_describe_time(description, "ctime", *error->ctime, error->cusec ? *error->cusec : -1);
    kerberos_describe_time(description, "stime", error->stime, error->susec);
    if (error->crealm) kerberos_describe_text(description, "crealm", *error->crealm);
    if (error->cname) kerberos_describe_principal(description, "cname", error->cname);
    kerberos_describe_text(description, "realm", error->realm);
    kerberos_describe_principal(description, "sname", &error->sname);
    if (error->e_text) kerberos_describe_text(description, "e-text", *error->e_text);
    if (error->e_data) describe_error_data(description, kerberos_span_of(error->e_data));
}

bool kerberos_describe_error(struct cs_description *description, struct cs_span message)
{
    KRB_ERROR error;
    if (decode_KRB_ERROR(message.data, message.size, &error, NULL)) return false;
    describe_error(description, &error);
    free_KRB_ERROR(&error);
    return true;
}
