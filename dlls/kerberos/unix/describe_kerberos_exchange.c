/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The messages of the AP exchange in words (RFC 4120 5.5), those that go before it in user-to-user, and KRB-CRED (5.8),
 * in which a ticket is forwarded.
 */
#include "describe_kerberos.h"
#include "kerberos_user_to_user.h"

#include <inttypes.h>
#include <libintl.h>

#define _(text) dgettext("countersign", text)

void kerberos_describe_undecodable(struct cs_description *description, const char *name)
{
    cs_describe_broken(description, 0, _("%s cannot be decoded"), name);
}

static void describe_sequence(struct cs_description *description, const krb5uint32 *number)
{
    if (number) cs_describe_line(description, "seq-number", "%" PRIu32, (uint32_t)*number);
}

static void describe_subkey(struct cs_description *description, const EncryptionKey *subkey)
{
    if (!subkey) return;
    kerberos_describe_key(description, "subkey", subkey);
    kerberos_note_key(description->keys, subkey);
}

static void drop_subkey(EncryptionKey *subkey)
{
    if (subkey) kerberos_drop_key(subkey);
}

/* KRB-CRED */

static void describe_forwarded(struct cs_description *description, const KrbCredInfo *info)
{
    kerberos_describe_key(description, "key", &info->key);
    if (info->prealm) kerberos_describe_text(description, "prealm", *info->prealm);
    if (info->pname) kerberos_describe_principal(description, "pname", info->pname);
    if (info->flags) kerberos_describe_ticket_flags(description, "flags", *info->flags);
    kerberos_describe_optional_time(description, "authtime", info->authtime);
    kerberos_describe_optional_time(description, "starttime", info->starttime);
    kerberos_describe_optional_time(description, "endtime", info->endtime);
    kerberos_describe_optional_time(description, "renew-till", info->renew_till);
    if (info->srealm) kerberos_describe_text(description, "srealm", *info->srealm);
    if (info->sname) kerberos_describe_principal(description, "sname", info->sname);
}

static void describe_cred_part(struct cs_description *description, const krb5_data *plain)
{
    EncKrbCredPart part;
    if (decode_EncKrbCredPart(plain->data, plain->length, &part, NULL)) {
        kerberos_describe_undecodable(description, "EncKrbCredPart");
        return;
    }
    for (unsigned i = 0; i < part.ticket_info.len; i++) {
        cs_describe_line(description, "ticket-info", "%u", i + 1);
        description->depth++;
        describe_forwarded(description, &part.ticket_info.val[i]);
        description->depth--;
        kerberos_drop_key(&part.ticket_info.val[i].key);
    }
    free_EncKrbCredPart(&part);
}

static void describe_cred_contents(struct cs_description *description, const KRB_CRED *message)
{
    for (unsigned i = 0; i < message->tickets.len; i++)
        kerberos_describe_ticket(description, "ticket", &message->tickets.val[i]);
    kerberos_describe_encrypted(description, "enc-part", &message->enc_part);
    description->depth++;
    struct kerberos_opened opened =
        kerberos_open_data(description, &message->enc_part, KRB5_KU_KRB_CRED, KRB5_KU_KRB_CRED);
    if (opened.plain.data) describe_cred_part(description, &opened.plain);
    kerberos_opened_drop(&opened);
    description->depth--;
}

bool kerberos_describe_cred(struct cs_description *description, struct cs_span message)
{
    KRB_CRED cred;
    if (decode_KRB_CRED(message.data, message.size, &cred, NULL)) return false;
    describe_cred_contents(description, &cred);
    free_KRB_CRED(&cred);
    return true;
}

/* The authenticator */

/* The last ones of RFC 2744 mean nothing on the wire; MIT sends them. */
static void describe_gss_flags(struct cs_description *description, uint32_t flags)
{
    static const struct cs_flag_name names[] = {
        {KERBEROS_DELEGATE, "GSS_C_DELEG_FLAG"},
        {KERBEROS_MUTUAL, "GSS_C_MUTUAL_FLAG"},
        {KERBEROS_REPLAY, "GSS_C_REPLAY_FLAG"},
        {KERBEROS_SEQUENCE, "GSS_C_SEQUENCE_FLAG"},
        {KERBEROS_CONFIDENTIALITY, "GSS_C_CONF_FLAG"},
        {KERBEROS_INTEGRITY, "GSS_C_INTEG_FLAG"},
        {0x40, "GSS_C_ANON_FLAG"},
        {0x80, "GSS_C_PROT_READY_FLAG"},
        {0x100, "GSS_C_TRANS_FLAG"},
        {KERBEROS_DCE_STYLE, "GSS_C_DCE_STYLE"},
        {KERBEROS_IDENTIFY, "GSS_C_IDENTIFY_FLAG"},
        {KERBEROS_EXTENDED_ERROR, "GSS_C_EXTENDED_ERROR_FLAG"},
    };
    cs_describe_flags(description, "Flags", flags, names, sizeof names / sizeof *names);
}

static void describe_bindings(struct cs_description *description, const struct kerberos_checksum *checksum)
{
    uint8_t seen = 0;
    for (size_t i = 0; i < sizeof checksum->bindings; i++) seen |= checksum->bindings[i];
    if (seen)
        cs_describe_hex_line(description, "Bnd", (struct cs_span){checksum->bindings, sizeof checksum->bindings});
    else
        cs_describe_line(description, "Bnd", "%s", _("all zero: none"));
}

/* RFC 4121 4.1.1 */
static void describe_gss_checksum(struct cs_description *description, struct cs_span bytes)
{
    struct kerberos_checksum checksum;
    if (!kerberos_checksum_read(bytes, &checksum)) {
        kerberos_describe_undecodable(description, "cksum");
        return;
    }
    describe_bindings(description, &checksum);
    describe_gss_flags(description, checksum.flags);
    if (!checksum.delegated.size) return;
    cs_describe_line(description, "Deleg", _("size %zu"), checksum.delegated.size);
    description->depth++;
    if (!kerberos_describe_cred(description, checksum.delegated))
        kerberos_describe_undecodable(description, "KRB-CRED");
    description->depth--;
}

static void describe_checksum(struct cs_description *description, const Checksum *checksum)
{
    const int32_t type = (int32_t)checksum->cksumtype;
    cs_describe_begin(description, "cksum");
    kerberos_describe_number(description, kerberos_checksum_name(type), type);
    cs_describe_add(description, ", ");
    cs_describe_add(description, _("size %zu"), (size_t)checksum->checksum.length);
    cs_describe_end(description);
    description->depth++;
    if (type == KERBEROS_CHECKSUM_TYPE) describe_gss_checksum(description, kerberos_span_of(&checksum->checksum));
    description->depth--;
}

static void describe_authenticator(struct cs_description *description, const krb5_data *plain)
{
    Authenticator part;
    if (decode_Authenticator(plain->data, plain->length, &part, NULL)) {
        kerberos_describe_undecodable(description, "Authenticator");
        return;
    }
    kerberos_describe_text(description, "crealm", part.crealm);
    kerberos_describe_principal(description, "cname", &part.cname);
    kerberos_describe_time(description, "ctime", part.ctime, part.cusec);
    describe_subkey(description, part.subkey);
    describe_sequence(description, part.seq_number);
    if (part.cksum) describe_checksum(description, part.cksum);
    kerberos_describe_authdata(description, part.authorization_data);
    drop_subkey(part.subkey);
    free_Authenticator(&part);
}

/* AP-REQ */

static void describe_request(struct cs_description *description, const AP_REQ *message)
{
    static const char *const options[32] = {[1] = "use-session-key", [2] = "mutual-required"};
    kerberos_describe_bits(description, "ap-options", APOptions2int(message->ap_options), options);
    kerberos_describe_ticket(description, "ticket", &message->ticket);
    kerberos_describe_encrypted(description, "authenticator", &message->authenticator);
    description->depth++;
    struct kerberos_opened opened =
        kerberos_open_data(description, &message->authenticator, KRB5_KU_AP_REQ_AUTH, KRB5_KU_TGS_REQ_AUTH);
    if (opened.plain.data) describe_authenticator(description, &opened.plain);
    kerberos_opened_drop(&opened);
    description->depth--;
}

bool kerberos_describe_ap_req(struct cs_description *description, struct cs_span message)
{
    AP_REQ request;
    if (decode_AP_REQ(message.data, message.size, &request, NULL)) return false;
    describe_request(description, &request);
    free_AP_REQ(&request);
    return true;
}

/* AP-REP */

static void describe_reply_part(struct cs_description *description, const krb5_data *plain)
{
    EncAPRepPart part;
    if (decode_EncAPRepPart(plain->data, plain->length, &part, NULL)) {
        kerberos_describe_undecodable(description, "EncAPRepPart");
        return;
    }
    kerberos_describe_time(description, "ctime", part.ctime, part.cusec);
    describe_subkey(description, part.subkey);
    describe_sequence(description, part.seq_number);
    drop_subkey(part.subkey);
    free_EncAPRepPart(&part);
}

bool kerberos_describe_ap_rep(struct cs_description *description, struct cs_span message)
{
    AP_REP reply;
    if (decode_AP_REP(message.data, message.size, &reply, NULL)) return false;
    kerberos_describe_encrypted(description, "enc-part", &reply.enc_part);
    description->depth++;
    struct kerberos_opened opened =
        kerberos_open_data(description, &reply.enc_part, KRB5_KU_AP_REQ_ENC_PART, KRB5_KU_AP_REQ_ENC_PART);
    if (opened.plain.data) describe_reply_part(description, &opened.plain);
    kerberos_opened_drop(&opened);
    description->depth--;
    free_AP_REP(&reply);
    return true;
}

/* User-to-user */

bool kerberos_describe_tgt_request(struct cs_description *description, struct cs_span message)
{
    Principal wanted;
    if (!kerberos_read_tgt_request(message, &wanted)) return false;
    if (wanted.name.name_string.len) kerberos_describe_principal(description, "server-name", &wanted.name);
    if (wanted.realm) kerberos_describe_text(description, "realm", wanted.realm);
    free_Principal(&wanted);
    return true;
}

bool kerberos_describe_tgt_reply(struct cs_description *description, struct cs_span message)
{
    struct cs_span bytes;
    Ticket ticket;
    size_t used;
    if (!kerberos_read_tgt_reply(message, &bytes) || decode_Ticket(bytes.data, bytes.size, &ticket, &used))
        return false;
    kerberos_describe_ticket(description, "ticket", &ticket);
    free_Ticket(&ticket);
    return true;
}
