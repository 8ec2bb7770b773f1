/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos's padata in words (RFC 4120 5.2.7), as it is in requests, replies and errors.
 */
#include "describe_kerberos.h"

#include <libintl.h>

#define _(text) dgettext("countersign", text)

static bool describe_timestamp(struct cs_description *description, struct cs_span value)
{
    EncryptedData data;
    PA_ENC_TS_ENC part;
    if (decode_EncryptedData(value.data, value.size, &data, NULL)) return false;
    kerberos_describe_encrypted(description, _("Encrypted"), &data);
    struct kerberos_opened opened =
        kerberos_open_data(description, &data, KRB5_KU_PA_ENC_TIMESTAMP, KRB5_KU_PA_ENC_TIMESTAMP);
    if (opened.plain.data && !decode_PA_ENC_TS_ENC(opened.plain.data, opened.plain.length, &part, NULL)) {
        kerberos_describe_time(description, "patimestamp", part.patimestamp, part.pausec ? *part.pausec : -1);
        free_PA_ENC_TS_ENC(&part);
    }
    kerberos_opened_drop(&opened);
    free_EncryptedData(&data);
    return true;
}

static void describe_etype_info(struct cs_description *description, const ETYPE_INFO2_ENTRY *entry)
{
    cs_describe_begin(description, "etype");
    kerberos_describe_etype(description, (int32_t)entry->etype);
    cs_describe_end(description);
    description->depth++;
    if (entry->salt) kerberos_describe_text(description, "salt", *entry->salt);
    if (entry->s2kparams) cs_describe_hex_line(description, "s2kparams", kerberos_span_of(entry->s2kparams));
    description->depth--;
}

static bool describe_etype_infos(struct cs_description *description, struct cs_span value)
{
    ETYPE_INFO2 infos;
    if (decode_ETYPE_INFO2(value.data, value.size, &infos, NULL)) return false;
    for (unsigned i = 0; i < infos.len; i++) describe_etype_info(description, &infos.val[i]);
    free_ETYPE_INFO2(&infos);
    return true;
}

static bool describe_pac_request(struct cs_description *description, struct cs_span value)
{
    PA_PAC_REQUEST request;
    if (decode_PA_PAC_REQUEST(value.data, value.size, &request, NULL)) return false;
    cs_describe_line(description, "include-pac", "%s", request.include_pac ? "TRUE" : "FALSE");
    free_PA_PAC_REQUEST(&request);
    return true;
}

/* MS-KILE 2.2.7 */
static bool describe_supported_etypes(struct cs_description *description, struct cs_span value)
{
    static const struct cs_flag_name names[] = {
        {0x1, "DES-CBC-CRC"},
        {0x2, "DES-CBC-MD5"},
        {0x4, "RC4-HMAC"},
        {0x8, "AES128-CTS-HMAC-SHA1-96"},
        {0x10, "AES256-CTS-HMAC-SHA1-96"},
        {0x20, "AES256-CTS-HMAC-SHA1-96-SK"},
        {0x10000, "FAST-supported"},
        {0x20000, "Compound-identity-supported"},
        {0x40000, "Claims-supported"},
        {0x80000, "Resource-SID-compression-disabled"},
    };
    struct cs_reader reader = cs_reader_of(value);
    const uint32_t types = cs_read_u32(&reader);
    if (reader.failed || reader.remaining) return false;
    cs_describe_flags(description, "SupportedEncryptionTypes", types, names, sizeof names / sizeof *names);
    return true;
}

static const struct {
    int32_t type;
    bool (*describe)(struct cs_description *description, struct cs_span value);
} describers[] = {
    {KRB5_PADATA_TGS_REQ, kerberos_describe_ap_req},           {KRB5_PADATA_ENC_TIMESTAMP, describe_timestamp},
    {KRB5_PADATA_ETYPE_INFO2, describe_etype_infos},           {KRB5_PADATA_PA_PAC_REQUEST, describe_pac_request},
    {KRB5_PADATA_SUPPORTED_ETYPES, describe_supported_etypes},
};

/* KDCs name the types that they would take by sending them empty (RFC 4120 5.9.1). */
static void describe_value(struct cs_description *description, int32_t type, struct cs_span value)
{
    for (size_t i = 0; value.size && i < sizeof describers / sizeof *describers; i++)
        if (describers[i].type == type && !describers[i].describe(description, value))
            kerberos_describe_undecodable(description, kerberos_padata_name(type));
}

void kerberos_describe_padata(struct cs_description *description, const METHOD_DATA *padata)
{
    for (unsigned i = 0; padata && i < padata->len; i++) {
        const int32_t type = (int32_t)padata->val[i].padata_type;
        const struct cs_span value = kerberos_span_of(&padata->val[i].padata_value);
        cs_describe_begin(description, "padata");
        kerberos_describe_number(description, kerberos_padata_name(type), type);
        cs_describe_add(description, ", ");
        cs_describe_add(description, _("size %zu"), value.size);
        cs_describe_end(description);
        description->depth++;
        describe_value(description, type, value);
        description->depth--;
    }
}
