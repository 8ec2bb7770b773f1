/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Forged PACs.
 */
#include "pac_forge.h"

#include "utf16.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PARTS = 16, FRAME = 8, ENTRY = 16, TYPE = 4, MAX_SIGNATURE = 24 };

static void require(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "pac_forge: %s\n", what);
    abort();
}

/* The signature of KEY's own type over TEXT. */
static void make_signature(const struct pac_forge *forge, int32_t type, struct cs_span text, Checksum *checksum)
{
    krb5_crypto crypto;
    require(!krb5_crypto_init(forge->krb5, forge->key, ETYPE_NULL, &crypto), "no such key");
    require(!krb5_create_checksum(forge->krb5, crypto, KRB5_KU_OTHER_CKSUM, type, (void *)(uintptr_t)text.data,
                                  text.size, checksum),
            "no such signature");
    krb5_crypto_destroy(forge->krb5, crypto);
}

static int32_t signature_type(const struct pac_forge *forge)
{
    krb5_crypto crypto;
    krb5_cksumtype type = 0;
    if (forge->signature_type) return forge->signature_type;
    require(!krb5_crypto_init(forge->krb5, forge->key, ETYPE_NULL, &crypto), "no such key");
    require(!krb5_crypto_get_checksum_type(forge->krb5, crypto, &type), "no such signature");
    krb5_crypto_destroy(forge->krb5, crypto);
    return type;
}

static uint32_t signature_size(const struct pac_forge *forge, int32_t type)
{
    Checksum checksum;
    make_signature(forge, type, (struct cs_span){(const uint8_t *)"", 0}, &checksum);
    const size_t size = checksum.checksum.length;
    free_Checksum(&checksum);
    return (uint32_t)size;
}

/* A PAC_SIGNATURE_DATA with zeros for a signature. */
static void write_empty_signature(const struct pac_forge *forge, struct cs_writer *bytes)
{
    const int32_t type = signature_type(forge);
    cs_write_u32(bytes, (uint32_t)type);
    cs_write_room(bytes, signature_size(forge, type));
}

static void write_client_info(const struct pac_forge *forge, struct cs_writer *bytes)
{
    struct cs_writer name = {0};
    require(cs_utf16_of(&name, cs_span_of(forge->client)), "a name that is no UTF-8");
    cs_write_u64(bytes, ((uint64_t)forge->authtime + 11644473600u) * 10000000u);
    cs_write_u16(bytes, (uint16_t)name.size);
    cs_write_span(bytes, cs_written(&name));
    cs_writer_drop(&name);
}

/* The part of TYPE; empty if there is to be none. */
static void write_part(const struct pac_forge *forge, enum pac_type type, struct cs_writer *bytes)
{
    if (type == PAC_LOGON_INFO) cs_write_span(bytes, forge->logon_info);
    if (type == PAC_UPN_DNS_INFO) cs_write_span(bytes, forge->upn_dns_info);
    if (type == PAC_CLIENT_INFO) write_client_info(forge, bytes);
    if (type == PAC_SERVER_CHECKSUM || type == PAC_KDC_CHECKSUM) write_empty_signature(forge, bytes);
}

/* The types in their order, each as often as FORGE has it. */
static size_t list_parts(const struct pac_forge *forge, enum pac_type types[MOST_PARTS])
{
    size_t count = 0;
    for (uint32_t type = 0; type < PAC_TYPES; type++) {
        struct cs_writer bytes = {0};
        write_part(forge, (enum pac_type)type, &bytes);
        if (bytes.size && !(forge->without >> type & 1)) types[count++] = (enum pac_type)type;
        if (bytes.size && forge->twice >> type & 1) types[count++] = (enum pac_type)type;
        cs_writer_drop(&bytes);
    }
    return count;
}

void pac_forge(const struct pac_forge *forge, struct cs_writer *pac)
{
    enum pac_type types[MOST_PARTS];
    struct cs_writer payload = {0};
    const size_t count = list_parts(forge, types);
    cs_write_u32(pac, (uint32_t)count);
    cs_write_u32(pac, 0);
    for (size_t i = 0; i < count; i++) {
        const size_t before = payload.size;
        write_part(forge, types[i], &payload);
        cs_write_u32(pac, types[i]);
        cs_write_u32(pac, (uint32_t)(payload.size - before));
        cs_write_u64(pac, FRAME + count * ENTRY + before);
        cs_write_room(&payload, (0 - payload.size) & 7);
    }
    cs_write_span(pac, cs_written(&payload));
    require(!pac->failed, "no memory");
    cs_writer_drop(&payload);
    require(pac_sign(forge, pac), "no room for a signature");
}

/* Where the first part of TYPE begins; 0 if there is none. */
static size_t find_part(struct cs_span pac, enum pac_type type)
{
    struct cs_reader reader = cs_reader_of(pac);
    const uint32_t count = cs_read_u32(&reader);
    cs_read_u32(&reader);
    for (uint32_t i = 0; i < count && !reader.failed; i++) {
        const uint32_t found = cs_read_u32(&reader);
        cs_read_u32(&reader);
        const uint64_t offset = cs_read_u64(&reader);
        if (found == type) return offset;
    }
    return 0;
}

/* Writes SIGNATURE, or zeros for NULL, into the part of TYPE; false if the part has no room for it. */
static bool put_signature(const struct pac_forge *forge, struct cs_writer *pac, enum pac_type type,
                          const uint8_t *signature)
{
    static const uint8_t zeros[MAX_SIGNATURE];
    const size_t offset = find_part(cs_written(pac), type);
    const uint32_t size = signature_size(forge, signature_type(forge));
    if (offset) cs_write_over(pac, offset + TYPE, (struct cs_span){signature ? signature : zeros, size});
    return !pac->failed;
}

/* The KDC's is made with the same key over the server's signature, as if that key were the KDC's too. */
bool pac_sign(const struct pac_forge *forge, struct cs_writer *pac)
{
    const int32_t type = signature_type(forge);
    Checksum server, kdc;
    if (!put_signature(forge, pac, PAC_SERVER_CHECKSUM, NULL) || !put_signature(forge, pac, PAC_KDC_CHECKSUM, NULL))
        return false;
    make_signature(forge, type, cs_written(pac), &server);
    make_signature(forge, type, (struct cs_span){server.checksum.data, server.checksum.length}, &kdc);
    put_signature(forge, pac, PAC_SERVER_CHECKSUM, server.checksum.data);
    put_signature(forge, pac, PAC_KDC_CHECKSUM, kdc.checksum.data);
    free_Checksum(&server);
    free_Checksum(&kdc);
    return true;
}

void pac_write_upn(struct cs_writer *info, const char *upn, const char *dns_domain)
{
    struct cs_writer first = {0}, second = {0};
    require(cs_utf16_of(&first, cs_span_of(upn)) && cs_utf16_of(&second, cs_span_of(dns_domain)), "no UTF-8");
    cs_write_u16(info, (uint16_t)first.size);
    cs_write_u16(info, 16);
    cs_write_u16(info, (uint16_t)second.size);
    cs_write_u16(info, (uint16_t)(16 + first.size));
    cs_write_u64(info, 0);
    cs_write_span(info, cs_written(&first));
    cs_write_span(info, cs_written(&second));
    cs_writer_drop(&first);
    cs_writer_drop(&second);
}

krb5_keyblock pac_key(krb5_context krb5, krb5_enctype etype, uint8_t fill)
{
    uint8_t bytes[64];
    krb5_keyblock key;
    size_t size = 0;
    memset(bytes, fill, sizeof bytes);
    require(!krb5_enctype_keysize(krb5, etype, &size) && size <= sizeof bytes, "no such type of key");
    require(!krb5_keyblock_init(krb5, etype, bytes, size, &key), "no memory");
    return key;
}
