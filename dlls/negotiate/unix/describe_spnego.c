/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SPNEGO's tokens in words, and the mechanism's token inside them.
 */
#include "describe.h"
#include "spnego.h"

#include <libintl.h>

#define _(text) dgettext("countersign", text)

struct mech_name {
    const struct cs_span *oid;
    const char *name;
};

static const struct mech_name mech_names[] = {
    {&spnego_ntlm, "NTLM 1.3.6.1.4.1.311.2.2.10"},
    {&spnego_negoex, "NEGOEX 1.3.6.1.4.1.311.2.2.30"},
    {&spnego_krb5, "Kerberos 1.2.840.113554.1.2.2"},
    {&spnego_ms_krb5, "MS Kerberos 1.2.840.48018.1.2.2"},
    {&spnego_krb5_user_to_user, "Kerberos user-to-user 1.2.840.113554.1.2.2.3"},
};

static const char *const state_names[] = {"accept-completed", "accept-incomplete", "reject", "request-mic"};

/* NegTokenInit by its frame and OID, NegTokenResp by its tag. */
static bool recognises(struct cs_span token)
{
    static const uint8_t framed_oid[] = {0x06, 0x06, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x02};
    if (!token.size) return false;
    if (*token.data == 0xA1) return true;
    for (size_t header = 2; header <= 5 && header + sizeof framed_oid <= token.size; header++)
        if (*token.data == 0x60 && !__builtin_memcmp(token.data + header, framed_oid, sizeof framed_oid)) return true;
    return false;
}

static void describe_mech(struct cs_description *description, const char *label, struct cs_span mech)
{
    for (size_t i = 0; i < sizeof mech_names / sizeof *mech_names; i++)
        if (spnego_same_oid(mech, *mech_names[i].oid)) {
            cs_describe_line(description, label, "%s", mech_names[i].name);
            return;
        }
    cs_describe_hex_line(description, label, mech);
}

/* The MIC could be tried against a key: its size is all that is said. */
static void describe_mic(struct cs_description *description, struct cs_span mic)
{
    if (mic.data) cs_describe_line(description, "mechListMIC", "size %zu", mic.size);
}

static void describe_mech_token(struct cs_description *description, const char *label, struct cs_span token)
{
    if (!token.data) return;
    cs_describe_line(description, label, "size %zu", token.size);
    if (token.size && !cs_describe_inner(description, token)) description->whole = false;
}

static void describe_init(struct cs_description *description, const struct spnego_init *message)
{
    for (size_t i = 0; i < message->mech_count; i++) describe_mech(description, "mechType", message->mechs[i]);
    if (message->hint_name.data) {
        cs_describe_begin(description, "hintName");
        cs_describe_name(description, message->hint_name, false);
        cs_describe_end(description);
    }
    describe_mech_token(description, "mechToken", message->mech_token);
    describe_mic(description, message->mech_list_mic);
}

static void describe_resp(struct cs_description *description, const struct spnego_resp *message)
{
    if (message->state != SPNEGO_NO_STATE) cs_describe_line(description, "negState", "%s", state_names[message->state]);
    if (message->supported_mech.data) describe_mech(description, "supportedMech", message->supported_mech);
    describe_mech_token(description, "responseToken", message->response_token);
    describe_mic(description, message->mech_list_mic);
}

static void describe(struct cs_description *description)
{
    const struct cs_span token = description->token;
    const bool is_resp = *token.data == 0xA1;
    struct spnego_init init;
    struct spnego_resp resp;
    SECURITY_STATUS status = is_resp ? spnego_resp_read(token, &resp) : spnego_init_read(token, &init);
    const char *name = is_resp                          ? "SPNEGO NegTokenResp"
                       : !status && init.hint_name.data ? "SPNEGO NegTokenInit2"
                                                        : "SPNEGO NegTokenInit";
    cs_describe_add(description, _("%s (%zu bytes)"), name, token.size);
    cs_describe_end(description);
    description->depth++;
    if (status)
        cs_describe_broken(description, 0, "%s", _("not DER, cut, or with fields out of order"));
    else if (is_resp)
        describe_resp(description, &resp);
    else
        describe_init(description, &init);
    description->depth--;
}

const struct cs_describer spnego_describer = {recognises, describe};
