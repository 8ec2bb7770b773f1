/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos's values in words: numbers by the names of RFC 4120 section 7.5 and IANA's lists, principals, times, flags.
 */
#include "describe_kerberos.h"
#include "utf16.h"

#include <inttypes.h>
#include <libintl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define _(text) dgettext("countersign", text)

/* Numbers */

struct number_name {
    int32_t number;
    const char *name;
};

static const char *find_name(const struct number_name *names, size_t count, int32_t number)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].number == number) return names[i].name;
    return NULL;
}

static const struct number_name etypes[] = {
    {1, "des-cbc-crc"},
    {2, "des-cbc-md4"},
    {3, "des-cbc-md5"},
    {16, "des3-cbc-sha1-kd"},
    {17, "aes128-cts-hmac-sha1-96"},
    {18, "aes256-cts-hmac-sha1-96"},
    {19, "aes128-cts-hmac-sha256-128"},
    {20, "aes256-cts-hmac-sha384-192"},
    {23, "rc4-hmac"},
    {24, "rc4-hmac-exp"},
    {25, "camellia128-cts-cmac"},
    {26, "camellia256-cts-cmac"},
    {-128, "rc4-md4"},
    {-133, "rc4-hmac-old"},
    {-135, "rc4-hmac-old-exp"},
};

static const struct number_name checksums[] = {
    {1, "crc32"},
    {7, "rsa-md5"},
    {12, "hmac-sha1-des3-kd"},
    {15, "hmac-sha1-96-aes128"},
    {16, "hmac-sha1-96-aes256"},
    {19, "hmac-sha256-128-aes128"},
    {20, "hmac-sha384-192-aes256"},
    {-138, "hmac-md5"},
    {0x8003, "GSS-API"},
};

static const struct number_name name_types[] = {
    {0, "NT-UNKNOWN"},
    {1, "NT-PRINCIPAL"},
    {2, "NT-SRV-INST"},
    {3, "NT-SRV-HST"},
    {4, "NT-SRV-XHST"},
    {5, "NT-UID"},
    {6, "NT-X500-PRINCIPAL"},
    {7, "NT-SMTP-NAME"},
    {10, "NT-ENTERPRISE"},
    {11, "NT-WELLKNOWN"},
    {12, "NT-SRV-HST-DOMAIN"},
    {-128, "NT-MS-PRINCIPAL"},
    {-129, "NT-MS-PRINCIPAL-AND-ID"},
    {-130, "NT-ENT-PRINCIPAL-AND-ID"},
};

static const struct number_name padata_types[] = {
    {1, "PA-TGS-REQ"},
    {2, "PA-ENC-TIMESTAMP"},
    {3, "PA-PW-SALT"},
    {11, "PA-ETYPE-INFO"},
    {15, "PA-PK-AS-REQ-OLD"},
    {16, "PA-PK-AS-REQ"},
    {17, "PA-PK-AS-REP"},
    {19, "PA-ETYPE-INFO2"},
    {20, "PA-SVR-REFERRAL-INFO"},
    {128, "PA-PAC-REQUEST"},
    {129, "PA-FOR-USER"},
    {130, "PA-FOR-X509-USER"},
    {133, "PA-FX-COOKIE"},
    {136, "PA-FX-FAST"},
    {137, "PA-FX-ERROR"},
    {138, "PA-ENCRYPTED-CHALLENGE"},
    {147, "PA-PKINIT-KX"},
    {149, "PA-REQ-ENC-PA-REP"},
    {150, "PA-AS-FRESHNESS"},
    {161, "KERB-KEY-LIST-REQ"},
    {162, "KERB-KEY-LIST-REP"},
    {165, "PA-SUPPORTED-ENCTYPES"},
    {167, "PA-PAC-OPTIONS"},
};

static const struct number_name authdata_types[] = {
    {1, "AD-IF-RELEVANT"},
    {4, "AD-KDC-ISSUED"},
    {5, "AD-AND-OR"},
    {8, "AD-MANDATORY-FOR-KDC"},
    {71, "AD-FX-FAST-ARMOR"},
    {72, "AD-FX-FAST-USED"},
    {96, "AD-CAMMAC"},
    {97, "AD-AUTHENTICATION-INDICATOR"},
    {128, "AD-WIN2K-PAC"},
    {129, "AD-ETYPE-NEGOTIATION"},
    {141, "KERB-AUTH-DATA-TOKEN-RESTRICTIONS"},
    {142, "KERB-LOCAL"},
    {143, "AD-AUTH-DATA-AP-OPTIONS"},
    {144, "AD-AUTH-DATA-TARGET-NAME"},
    {512, "AD-SIGNTICKET"}, /* Heimdal's */
};

/* By the number; RFC 4120 7.5.9, RFC 4556 3.1.3, RFC 6113. */
static const char *const errors[] = {
    [0] = "KDC_ERR_NONE",
    [1] = "KDC_ERR_NAME_EXP",
    [2] = "KDC_ERR_SERVICE_EXP",
    [3] = "KDC_ERR_BAD_PVNO",
    [4] = "KDC_ERR_C_OLD_MAST_KVNO",
    [5] = "KDC_ERR_S_OLD_MAST_KVNO",
    [6] = "KDC_ERR_C_PRINCIPAL_UNKNOWN",
    [7] = "KDC_ERR_S_PRINCIPAL_UNKNOWN",
    [8] = "KDC_ERR_PRINCIPAL_NOT_UNIQUE",
    [9] = "KDC_ERR_NULL_KEY",
    [10] = "KDC_ERR_CANNOT_POSTDATE",
    [11] = "KDC_ERR_NEVER_VALID",
    [12] = "KDC_ERR_POLICY",
    [13] = "KDC_ERR_BADOPTION",
    [14] = "KDC_ERR_ETYPE_NOSUPP",
    [15] = "KDC_ERR_SUMTYPE_NOSUPP",
    [16] = "KDC_ERR_PADATA_TYPE_NOSUPP",
    [17] = "KDC_ERR_TRTYPE_NOSUPP",
    [18] = "KDC_ERR_CLIENT_REVOKED",
    [19] = "KDC_ERR_SERVICE_REVOKED",
    [20] = "KDC_ERR_TGT_REVOKED",
    [21] = "KDC_ERR_CLIENT_NOTYET",
    [22] = "KDC_ERR_SERVICE_NOTYET",
    [23] = "KDC_ERR_KEY_EXPIRED",
    [24] = "KDC_ERR_PREAUTH_FAILED",
    [25] = "KDC_ERR_PREAUTH_REQUIRED",
    [26] = "KDC_ERR_SERVER_NOMATCH",
    [27] = "KDC_ERR_MUST_USE_USER2USER",
    [28] = "KDC_ERR_PATH_NOT_ACCEPTED",
    [29] = "KDC_ERR_SVC_UNAVAILABLE",
    [31] = "KRB_AP_ERR_BAD_INTEGRITY",
    [32] = "KRB_AP_ERR_TKT_EXPIRED",
    [33] = "KRB_AP_ERR_TKT_NYV",
    [34] = "KRB_AP_ERR_REPEAT",
    [35] = "KRB_AP_ERR_NOT_US",
    [36] = "KRB_AP_ERR_BADMATCH",
    [37] = "KRB_AP_ERR_SKEW",
    [38] = "KRB_AP_ERR_BADADDR",
    [39] = "KRB_AP_ERR_BADVERSION",
    [40] = "KRB_AP_ERR_MSG_TYPE",
    [41] = "KRB_AP_ERR_MODIFIED",
    [42] = "KRB_AP_ERR_BADORDER",
    [44] = "KRB_AP_ERR_BADKEYVER",
    [45] = "KRB_AP_ERR_NOKEY",
    [46] = "KRB_AP_ERR_MUT_FAIL",
    [47] = "KRB_AP_ERR_BADDIRECTION",
    [48] = "KRB_AP_ERR_METHOD",
    [49] = "KRB_AP_ERR_BADSEQ",
    [50] = "KRB_AP_ERR_INAPP_CKSUM",
    [51] = "KRB_AP_PATH_NOT_ACCEPTED",
    [52] = "KRB_ERR_RESPONSE_TOO_BIG",
    [60] = "KRB_ERR_GENERIC",
    [61] = "KRB_ERR_FIELD_TOOLONG",
    [62] = "KDC_ERR_CLIENT_NOT_TRUSTED",
    [63] = "KDC_ERR_KDC_NOT_TRUSTED",
    [64] = "KDC_ERR_INVALID_SIG",
    [65] = "KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED",
    [66] = "KDC_ERR_CERTIFICATE_MISMATCH",
    [67] = "KRB_AP_ERR_NO_TGT",
    [68] = "KDC_ERR_WRONG_REALM",
    [69] = "KRB_AP_ERR_USER_TO_USER_REQUIRED",
    [70] = "KDC_ERR_CANT_VERIFY_CERTIFICATE",
    [71] = "KDC_ERR_INVALID_CERTIFICATE",
    [72] = "KDC_ERR_REVOKED_CERTIFICATE",
    [73] = "KDC_ERR_REVOCATION_STATUS_UNKNOWN",
    [74] = "KDC_ERR_REVOCATION_STATUS_UNAVAILABLE",
    [75] = "KDC_ERR_CLIENT_NAME_MISMATCH",
    [76] = "KDC_ERR_KDC_NAME_MISMATCH",
    [93] = "KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTIONS",
};

const char *kerberos_error_name(int32_t number)
{
    return number >= 0 && (size_t)number < sizeof errors / sizeof *errors ? errors[number] : NULL;
}

const char *kerberos_padata_name(int32_t number)
{
    return find_name(padata_types, sizeof padata_types / sizeof *padata_types, number);
}

const char *kerberos_authdata_name(int32_t number)
{
    return find_name(authdata_types, sizeof authdata_types / sizeof *authdata_types, number);
}

const char *kerberos_checksum_name(int32_t number)
{
    return find_name(checksums, sizeof checksums / sizeof *checksums, number);
}

void kerberos_describe_number(struct cs_description *description, const char *name, int32_t number)
{
    if (name)
        cs_describe_add(description, "%s (%" PRId32 ")", name, number);
    else
        cs_describe_add(description, "%" PRId32, number);
}

void kerberos_describe_etype(struct cs_description *description, int32_t etype)
{
    kerberos_describe_number(description, find_name(etypes, sizeof etypes / sizeof *etypes, etype), etype);
}

/* Text */

static void add_text(struct cs_description *description, struct cs_span text)
{
    struct cs_writer utf16 = {0};
    const bool converts = cs_utf16_of(&utf16, text);
    cs_describe_name(description, converts ? cs_written(&utf16) : text, converts);
    cs_writer_drop(&utf16);
}

void kerberos_describe_text(struct cs_description *description, const char *label, const char *text)
{
    cs_describe_begin(description, label);
    add_text(description, cs_span_of(text));
    cs_describe_end(description);
}

static void write_part(struct cs_writer *name, const char *part)
{
    for (; *part; part++) {
        if (*part == '/' || *part == '\\') cs_write_u8(name, '\\');
        cs_write_u8(name, (uint8_t)*part);
    }
}

void kerberos_describe_principal(struct cs_description *description, const char *label, const PrincipalName *name)
{
    struct cs_writer text = {0};
    for (unsigned i = 0; i < name->name_string.len; i++) {
        if (i) cs_write_u8(&text, '/');
        write_part(&text, name->name_string.val[i]);
    }
    cs_describe_begin(description, label);
    add_text(description, cs_written(&text));
    const int32_t type = (int32_t)name->name_type;
    cs_describe_add(description, ", ");
    kerberos_describe_number(description, find_name(name_types, sizeof name_types / sizeof *name_types, type), type);
    cs_describe_end(description);
    cs_writer_drop(&text);
}

/* Times */

void kerberos_describe_time(struct cs_description *description, const char *label, KerberosTime seconds, int32_t usec)
{
    struct tm utc;
    char date[80], fraction[16] = "";
    if (usec >= 0) snprintf(fraction, sizeof fraction, ".%06" PRId32, usec);
    if (!gmtime_r(&seconds, &utc) || !strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &utc))
        cs_describe_line(description, label, "%" PRId64, (int64_t)seconds);
    else
        cs_describe_line(description, label, "%s%s UTC", date, fraction);
}

void kerberos_describe_optional_time(struct cs_description *description, const char *label, const KerberosTime *time)
{
    if (time) kerberos_describe_time(description, label, *time, -1);
}

/* Flags */

void kerberos_describe_bits(struct cs_description *description, const char *label, unsigned bits,
                            const char *const names[32])
{
    struct cs_flag_name flags[32];
    uint32_t value = 0;
    size_t count = 0;
    for (unsigned i = 0; i < 32; i++) {
        const uint32_t flag = UINT32_C(0x80000000) >> i;
        if (bits & 1u << i) value |= flag;
        if (names[i]) flags[count++] = (struct cs_flag_name){flag, names[i]};
    }
    cs_describe_flags(description, label, value, flags, count);
}

/* RFC 4120 5.3, RFC 6806 11, RFC 8062. */
void kerberos_describe_ticket_flags(struct cs_description *description, const char *label, TicketFlags flags)
{
    static const char *const names[32] = {
        [1] = "forwardable",     [2] = "forwarded",    [3] = "proxiable",   [4] = "proxy",
        [5] = "may-postdate",    [6] = "postdated",    [7] = "invalid",     [8] = "renewable",
        [9] = "initial",         [10] = "pre-authent", [11] = "hw-authent", [12] = "transited-policy-checked",
        [13] = "ok-as-delegate", [15] = "enc-pa-rep",  [16] = "anonymous",
    };
    kerberos_describe_bits(description, label, TicketFlags2int(flags), names);
}

/* Keys and what they encrypt */

void kerberos_describe_key(struct cs_description *description, const char *label, const EncryptionKey *key)
{
    cs_describe_begin(description, label);
    kerberos_describe_etype(description, key->keytype);
    cs_describe_end(description);
}

void kerberos_describe_encrypted(struct cs_description *description, const char *label, const EncryptedData *data)
{
    cs_describe_begin(description, label);
    kerberos_describe_etype(description, (int32_t)data->etype);
    if (data->kvno) cs_describe_add(description, ", kvno %" PRIu32, (uint32_t)*data->kvno);
    cs_describe_add(description, ", ");
    cs_describe_add(description, _("size %zu"), (size_t)data->cipher.length);
    cs_describe_end(description);
}
