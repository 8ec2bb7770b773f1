/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets in words (RFC 4120 5.3), and what their PAC says of the user, once its signature holds.
 */
#include "describe_kerberos.h"
#include "kerberos.h"
#include "kerberos_authdata.h"
#include "kerberos_pac.h"

#include <inttypes.h>
#include <libintl.h>

#define _(text) dgettext("countersign", text)

/* Authorization data */

static void describe_element(struct cs_description *description, const AuthorizationDataElement *element)
{
    cs_describe_begin(description, "ad-type");
    kerberos_describe_number(description, kerberos_authdata_name(element->ad_type), element->ad_type);
    cs_describe_add(description, ", ");
    cs_describe_add(description, _("size %zu"), (size_t)element->ad_data.length);
    cs_describe_end(description);
}

/* MS-KILE 3.2.5.8: KERB_AP_OPTIONS_CBT is how a client says that it binds to a channel even when it has sent zeros. */
static void describe_ap_options(struct cs_description *description, const AuthorizationDataElement *element)
{
    static const struct cs_flag_name names[] = {{KERBEROS_AP_OPTIONS_CBT, "KERB_AP_OPTIONS_CBT"}};
    struct cs_reader reader = cs_reader_of(kerberos_span_of(&element->ad_data));
    const uint32_t options = cs_read_u32(&reader);
    if (element->ad_type != KERBEROS_AUTHDATA_AP_OPTIONS || reader.failed) return;
    description->depth++;
    cs_describe_flags(description, "ap-options", options, names, sizeof names / sizeof *names);
    description->depth--;
}

/* What the client's program named: UTF-16LE, without an end. */
static void describe_target(struct cs_description *description, const AuthorizationDataElement *element)
{
    if (element->ad_type != KERBEROS_AUTHDATA_TARGET) return;
    description->depth++;
    cs_describe_begin(description, "target");
    cs_describe_name(description, kerberos_span_of(&element->ad_data), true);
    cs_describe_end(description);
    description->depth--;
}

/* What an AD-IF-RELEVANT has; one inside another is not looked into. */
static void describe_relevant(struct cs_description *description, const AuthorizationDataElement *element)
{
    AuthorizationData inner;
    if (element->ad_type != KRB5_AUTHDATA_IF_RELEVANT) return;
    description->depth++;
    if (decode_AuthorizationData(element->ad_data.data, element->ad_data.length, &inner, NULL)) {
        kerberos_describe_undecodable(description, "AD-IF-RELEVANT");
    } else {
        for (unsigned i = 0; i < inner.len; i++) {
            describe_element(description, &inner.val[i]);
            describe_ap_options(description, &inner.val[i]);
            describe_target(description, &inner.val[i]);
        }
        free_AuthorizationData(&inner);
    }
    description->depth--;
}

void kerberos_describe_authdata(struct cs_description *description, const AuthorizationData *data)
{
    if (!data) return;
    cs_describe_line(description, "authorization-data", _("%u elements"), data->len);
    description->depth++;
    for (unsigned i = 0; i < data->len; i++) {
        describe_element(description, &data->val[i]);
        describe_ap_options(description, &data->val[i]);
        describe_target(description, &data->val[i]);
        describe_relevant(description, &data->val[i]);
    }
    description->depth--;
}

/* The PAC */

static void describe_utf16(struct cs_description *description, const char *label, struct cs_span name)
{
    if (!name.size) return;
    cs_describe_begin(description, label);
    cs_describe_name(description, name, true);
    cs_describe_end(description);
}

/* MS-DTYP 2.4.2.1 */
static void describe_sid(struct cs_description *description, const char *label, const struct cs_sid *sid)
{
    uint64_t authority = 0;
    struct cs_reader reader = cs_reader_of((struct cs_span){sid->bytes, sid->size});
    if (!sid->size) return;
    const unsigned revision = cs_read_u8(&reader);
    cs_read_u8(&reader);
    for (int i = 0; i < 6; i++) authority = authority << 8 | cs_read_u8(&reader);
    cs_describe_begin(description, label);
    cs_describe_add(description, "S-%u-%" PRIu64, revision, authority);
    while (reader.remaining >= 4) cs_describe_add(description, "-%" PRIu32, cs_read_u32(&reader));
    cs_describe_end(description);
}

static void describe_pac_contents(struct cs_description *description, const struct kerberos_pac *pac)
{
    describe_utf16(description, "EffectiveName", pac->logon.user);
    describe_utf16(description, "LogonDomainName", pac->logon.domain);
    describe_utf16(description, "Upn", pac->upn);
    describe_utf16(description, "DnsDomainName", pac->dns_domain);
    describe_sid(description, "UserSid", &pac->logon.user_sid);
    if (!pac->logon.user_sid.size) return;
    cs_describe_line(description, "PrimaryGroupId", "%" PRIu32, pac->logon.primary_group);
    for (uint32_t i = 0; i < pac->logon.group_count; i++) describe_sid(description, "Group", &pac->logon.groups[i].sid);
}

/* What this server would make of the PAC: nothing of one is shown that it would not believe. */
static void describe_pac(struct cs_description *description, const struct kerberos_opened *opened,
                         const EncTicketPart *part)
{
    struct kerberos_pac pac;
    const krb5_context context = kerberos_keys_context(description->keys);
    const SECURITY_STATUS status = kerberos_pac_of_ticket(context, opened->key, part, &pac);
    if (status == SEC_E_INVALID_TOKEN) {
        kerberos_describe_undecodable(description, "PAC");
    } else if (status != SEC_E_OK) {
        cs_describe_line(description, "PAC", "%s", _("its signature does not hold, or it is another client's"));
    } else if (pac.logon.user.size || pac.upn.size) {
        cs_describe_line(description, "PAC", "%s", _("the server's signature holds"));
        description->depth++;
        describe_pac_contents(description, &pac);
        description->depth--;
    }
    kerberos_pac_drop(&pac);
}

/* The ticket */

static void describe_part(struct cs_description *description, const EncTicketPart *part)
{
    kerberos_describe_ticket_flags(description, "flags", part->flags);
    kerberos_describe_key(description, "key", &part->key);
    kerberos_describe_text(description, "crealm", part->crealm);
    kerberos_describe_principal(description, "cname", &part->cname);
    cs_describe_begin(description, "transited");
    cs_describe_name(description, kerberos_span_of(&part->transited.contents), false);
    cs_describe_end(description);
    kerberos_describe_time(description, "authtime", part->authtime, -1);
    kerberos_describe_optional_time(description, "starttime", part->starttime);
    kerberos_describe_time(description, "endtime", part->endtime, -1);
    kerberos_describe_optional_time(description, "renew-till", part->renew_till);
    if (part->caddr) cs_describe_line(description, "caddr", _("%u elements"), part->caddr->len);
    kerberos_describe_authdata(description, part->authorization_data);
}

static void describe_inside(struct cs_description *description, const struct kerberos_opened *opened)
{
    EncTicketPart part;
    if (decode_EncTicketPart(opened->plain.data, opened->plain.length, &part, NULL)) {
        kerberos_describe_undecodable(description, "EncTicketPart");
        return;
    }
    describe_part(description, &part);
    describe_pac(description, opened, &part);
    kerberos_note_key(description->keys, &part.key);
    kerberos_drop_key(&part.key);
    free_EncTicketPart(&part);
}

void kerberos_describe_ticket(struct cs_description *description, const char *label, const Ticket *ticket)
{
    kerberos_describe_encrypted(description, label, &ticket->enc_part);
    description->depth++;
    kerberos_describe_text(description, "realm", ticket->realm);
    kerberos_describe_principal(description, "sname", &ticket->sname);
    struct kerberos_opened opened = kerberos_open_data(description, &ticket->enc_part, KRB5_KU_TICKET, KRB5_KU_TICKET);
    if (opened.plain.data) describe_inside(description, &opened);
    kerberos_opened_drop(&opened);
    description->depth--;
}
