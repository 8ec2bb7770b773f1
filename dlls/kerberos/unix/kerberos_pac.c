/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PAC's frame, its server signature, and the parts that say whose it is (MS-PAC 2.3, 2.7, 2.8, 2.10).
 */
#include "kerberos_pac.h"

#include "secure.h"
#include "utf16.h"

#include <string.h>

/* MS-PAC 2.4, ulType: the parts that are read. */
enum { LOGON_INFO = 1, SERVER_CHECKSUM = 6, KDC_CHECKSUM = 7, CLIENT_INFO = 10, UPN_DNS_INFO = 12, PART_TYPES };

enum { SIGNATURE_TYPE = 4, MAX_SIGNATURE = 24 };

/* Where a part lies in the PAC; a part of no bytes is there all the same. */
struct part {
    struct cs_span bytes;
    size_t offset;
    bool there;
};

/*
 * MS-PAC 2.8.1: each type of key has one type of signature. Any other, most of all one without a key, is what a client
 * signs with that has no key (CVE-2014-6324).
 */
static const struct signature {
    int32_t etype, type;
    uint32_t size;
} signatures[] = {
    {ETYPE_AES128_CTS_HMAC_SHA1_96, CKSUMTYPE_HMAC_SHA1_96_AES_128, 12},
    {ETYPE_AES256_CTS_HMAC_SHA1_96, CKSUMTYPE_HMAC_SHA1_96_AES_256, 12},
    {ETYPE_AES128_CTS_HMAC_SHA256_128, CKSUMTYPE_HMAC_SHA256_128_AES128, 16},
    {ETYPE_AES256_CTS_HMAC_SHA384_192, CKSUMTYPE_HMAC_SHA384_192_AES256, 24},
    {ETYPE_ARCFOUR_HMAC_MD5, CKSUMTYPE_HMAC_MD5, 16},
};

static const size_t signature_count = sizeof signatures / sizeof *signatures;

static const struct signature *signature_for(int32_t etype)
{
    for (size_t i = 0; i < signature_count; i++) {
        if (signatures[i].etype == etype) return &signatures[i];
    }
    return NULL;
}

/* How large a signature of TYPE is; the KDC's may be of another type than ours. */
static uint32_t size_of_type(int32_t type)
{
    for (size_t i = 0; i < signature_count; i++) {
        if (signatures[i].type == type) return signatures[i].size;
    }
    return 0;
}

/* PACTYPE and its PAC_INFO_BUFFERs; false if a part lies outside, or one that we read is there twice. */
static bool read_frame(struct cs_span pac, struct part parts[PART_TYPES])
{
    struct cs_reader reader = cs_reader_of(pac);
    const uint32_t count = cs_read_u32(&reader), version = cs_read_u32(&reader);
    if (version != 0) return false;
    for (uint32_t i = 0; i < count && !reader.failed; i++) {
        const uint32_t type = cs_read_u32(&reader), size = cs_read_u32(&reader);
        const uint64_t offset = cs_read_u64(&reader);
        const struct cs_span bytes = cs_span_at(pac, offset, size, &reader.failed);
        if (offset % 8) return false;
        if (type >= PART_TYPES) continue;
        if (parts[type].there) return false;
        parts[type] = (struct part){bytes, offset, true};
    }
    return !reader.failed;
}

/* The Signature of a PAC_SIGNATURE_DATA; empty if its type is unknown or bytes are missing. */
static struct cs_span signature_of(const struct part *part, int32_t *type)
{
    struct cs_reader reader = cs_reader_of(part->bytes);
    *type = (int32_t)cs_read_u32(&reader);
    const uint32_t size = size_of_type(*type);
    return size ? cs_read_span(&reader, size) : (struct cs_span){0};
}

/* The text that the server's signature covers: the PAC with both signatures zeroed. */
static bool write_signed_text(struct cs_writer *text, struct cs_span pac, const struct part *server,
                              const struct part *kdc)
{
    static const uint8_t zeros[MAX_SIGNATURE];
    int32_t type;
    const struct cs_span server_signature = signature_of(server, &type), kdc_signature = signature_of(kdc, &type);
    if (!server_signature.size || !kdc_signature.size) return false;
    cs_write_span(text, pac);
    cs_write_over(text, server->offset + SIGNATURE_TYPE, (struct cs_span){zeros, server_signature.size});
    cs_write_over(text, kdc->offset + SIGNATURE_TYPE, (struct cs_span){zeros, kdc_signature.size});
    return true;
}

static bool signature_holds(krb5_context krb5, const krb5_keyblock *key, struct cs_span text, int32_t type,
                            struct cs_span signature)
{
    uint8_t copy[MAX_SIGNATURE];
    Checksum checksum = {.cksumtype = type, .checksum = {signature.size, copy}};
    krb5_crypto crypto;
    memcpy(copy, signature.data, signature.size);
    if (krb5_crypto_init(krb5, key, ETYPE_NULL, &crypto)) return false;
    const krb5_error_code error =
        krb5_verify_checksum(krb5, crypto, KRB5_KU_OTHER_CKSUM, (void *)(uintptr_t)text.data, text.size, &checksum);
    krb5_crypto_destroy(krb5, crypto);
    return error == 0;
}

static SECURITY_STATUS check_signature(krb5_context krb5, const krb5_keyblock *key, struct cs_span pac,
                                       const struct part parts[PART_TYPES])
{
    const struct signature *wanted = signature_for(key->keytype);
    struct cs_writer text = {0};
    int32_t type;
    const struct cs_span signature = signature_of(&parts[SERVER_CHECKSUM], &type);
    SECURITY_STATUS status = SEC_E_LOGON_DENIED;
    if (wanted && type == wanted->type &&
        write_signed_text(&text, pac, &parts[SERVER_CHECKSUM], &parts[KDC_CHECKSUM])) {
        if (text.failed)
            status = SEC_E_INSUFFICIENT_MEMORY;
        else if (signature_holds(krb5, key, cs_written(&text), type, signature))
            status = SEC_E_OK;
    }
    cs_writer_drop(&text);
    return status;
}

/* CLIENT's name without its realm, as CLIENT_INFO has it, in UTF-16LE. */
static bool write_client_name(krb5_context krb5, krb5_const_principal client, struct cs_writer *name)
{
    const int flags = KRB5_PRINCIPAL_UNPARSE_NO_REALM | KRB5_PRINCIPAL_UNPARSE_DISPLAY;
    char *text = NULL;
    if (krb5_unparse_name_flags(krb5, client, flags, &text)) return false;
    const bool written = cs_utf16_of(name, cs_span_of(text)) && !name->failed;
    krb5_xfree(text);
    if (!written) cs_writer_drop(name);
    return written;
}

/* MS-PAC 2.7: whose logon the PAC is from, and when that was. */
static SECURITY_STATUS check_client(krb5_context krb5, krb5_const_principal client, int64_t authtime,
                                    const struct part *part)
{
    struct cs_reader reader = cs_reader_of(part->bytes);
    const uint64_t time = cs_read_u64(&reader);
    const struct cs_span said = cs_read_span(&reader, cs_read_u16(&reader));
    struct cs_writer name = {0};
    if (!part->there) return SEC_E_LOGON_DENIED;
    if (reader.failed) return SEC_E_INVALID_TOKEN;
    if (!write_client_name(krb5, client, &name)) return SEC_E_LOGON_DENIED;
    const uint64_t wanted = ((uint64_t)authtime + 11644473600u) * 10000000u;
    const bool same = time == wanted && said.size == name.size && cs_same(said.data, name.data, said.size);
    cs_writer_drop(&name);
    return same ? SEC_E_OK : SEC_E_LOGON_DENIED;
}

/* MS-PAC 2.10: two strings, by their places in this part. */
static SECURITY_STATUS read_upn(struct cs_span info, struct kerberos_pac *result)
{
    struct cs_reader reader = cs_reader_of(info);
    const uint16_t upn_size = cs_read_u16(&reader), upn_offset = cs_read_u16(&reader);
    const uint16_t dns_size = cs_read_u16(&reader), dns_offset = cs_read_u16(&reader);
    cs_read_u32(&reader); /* flags: whether the UPN was made up, and whether more follows */
    const struct cs_span upn = cs_span_at(info, upn_offset, upn_size, &reader.failed);
    const struct cs_span dns = cs_span_at(info, dns_offset, dns_size, &reader.failed);
    if (reader.failed || upn_size % 2 || dns_size % 2) return SEC_E_INVALID_TOKEN;
    if (!cs_span_copy(&result->upn, upn) || !cs_span_copy(&result->dns_domain, dns)) return SEC_E_INSUFFICIENT_MEMORY;
    return SEC_E_OK;
}

SECURITY_STATUS kerberos_pac_read(krb5_context krb5, const krb5_keyblock *key, krb5_const_principal client,
                                  int64_t authtime, struct cs_span pac, struct kerberos_pac *result)
{
    struct part parts[PART_TYPES] = {0};
    *result = (struct kerberos_pac){.kick_off = INT64_MAX};
    if (!read_frame(pac, parts)) return SEC_E_INVALID_TOKEN;
    SECURITY_STATUS status = check_signature(krb5, key, pac, parts);
    if (status == SEC_E_OK) status = check_client(krb5, client, authtime, &parts[CLIENT_INFO]);
    if (status == SEC_E_OK && parts[LOGON_INFO].there) status = kerberos_pac_logon(parts[LOGON_INFO].bytes, result);
    if (status == SEC_E_OK && parts[UPN_DNS_INFO].there) status = read_upn(parts[UPN_DNS_INFO].bytes, result);
    if (status != SEC_E_OK) kerberos_pac_drop(result);
    return status;
}

void kerberos_pac_drop(struct kerberos_pac *pac)
{
    cs_logon_drop(&pac->logon);
    cs_span_drop(&pac->upn);
    cs_span_drop(&pac->dns_domain);
    *pac = (struct kerberos_pac){.kick_off = INT64_MAX};
}
