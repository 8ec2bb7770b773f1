/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of Kerberos's descriptions share: keys in a keytab in memory, tokens that they open, and what every
 * description must be like.
 */
#ifndef COUNTERSIGN_TESTS_DESCRIBE_KERBEROS_UNIT_H
#define COUNTERSIGN_TESTS_DESCRIBE_KERBEROS_UNIT_H

#include "describe.h"
#include "kdc_vectors.h"
#include "kerberos.h"
#include "pac_forge.h"
#include "pac_vectors.h"
#include "ticket_forge.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

enum { AUTHTIME = 1700000000, SERVICE_FILL = 0x55, SESSION_FILL = 0x5E };

static const char keytab_name[] = "MEMORY:describe_kerberos";

/* The keys of the tests: a service's, and the client's of the vector. */
struct describe_world {
    krb5_context krb5;
    krb5_keytab keytab;
    krb5_keyblock service;
};

static struct describe_world world;

static inline void add_key(const char *name, const krb5_keyblock *key)
{
    krb5_keytab_entry entry = {.vno = 1, .keyblock = *key};
    assert_int_equal(krb5_parse_name(world.krb5, name, &entry.principal), 0);
    assert_int_equal(krb5_kt_add_entry(world.krb5, world.keytab, &entry), 0);
    krb5_free_principal(world.krb5, entry.principal);
}

static inline int open_world(void **state)
{
    (void)state;
    struct bytes client = unhex(kdc_client_key);
    const krb5_keyblock client_key = {.keytype = 18, .keyvalue = {client.size, client.data}};
    assert_int_equal(krb5_init_context(&world.krb5), 0);
    assert_int_equal(krb5_kt_resolve(world.krb5, keytab_name, &world.keytab), 0);
    world.service = pac_key(world.krb5, KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96, SERVICE_FILL);
    add_key("HTTP/server.example.test@EXAMPLE.TEST", &world.service);
    add_key("vagrant-domain@DOMAIN.LOCAL", &client_key);
    return 0;
}

static inline int close_world(void **state)
{
    (void)state;
    krb5_free_keyblock_contents(world.krb5, &world.service);
    krb5_kt_close(world.krb5, world.keytab);
    krb5_free_context(world.krb5);
    return 0;
}

static inline struct cs_describe_keys *read_keys(void)
{
    char *problem;
    struct cs_describe_keys *keys = cs_describe_keys_read(keytab_name, &problem);
    assert_non_null(keys);
    assert_null(problem);
    return keys;
}

/* Lines of printable UTF-8, whatever the token. */
static inline void expect_clean(const char *text)
{
    assert_null(u8_check((const uint8_t *)text, strlen(text)));
    for (const char *c = text; *c; c++) assert_true((unsigned char)*c >= ' ' || *c == '\n');
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_null(strstr(text, "\n\n"));
}

/* The description of a copy on the heap of exactly TOKEN's size, past whose end AddressSanitizer sees. */
static inline char *describe(struct cs_span token, struct cs_describe_keys *keys, bool *whole)
{
    struct cs_writer text = {0};
    struct cs_span copy;
    assert_true(cs_span_copy(&copy, token));
    *whole = cs_describe_opened(copy, keys, &text);
    cs_span_drop(&copy);
    cs_write_u8(&text, 0);
    assert_false(text.failed);
    expect_clean((char *)text.data);
    assert_int_equal(*whole, !strstr((char *)text.data, "Broken") && !strstr((char *)text.data, "unknown kind") &&
                                 !strstr((char *)text.data, "empty") && !strstr((char *)text.data, "not decoded"));
    return (char *)text.data;
}

#define expect_text(token, keys, expected) expect_text_at((token), (keys), (expected), __FILE__, __LINE__)
static inline void expect_text_at(struct cs_span token, struct cs_describe_keys *keys, const char *expected,
                                  const char *file, int line)
{
    bool whole;
    char *text = describe(token, keys, &whole);
    if (!strstr(text, expected)) {
        print_error("no \"%s\" in:\n%s\n", expected, text);
        _fail(file, line);
    }
    free(text);
}

static inline void expect_hex_text(const char *hex, const char *expected)
{
    struct bytes token = unhex(hex);
    expect_text(span_over(&token), NULL, expected);
}

static inline void expect_whole_text(const char *hex, struct cs_describe_keys *keys, const char *expected)
{
    struct bytes token = unhex(hex);
    bool whole;
    char *text = describe(span_over(&token), keys, &whole);
    assert_string_equal(text, expected);
    assert_true(whole);
    free(text);
}

static inline struct cs_writer forge_pac(const krb5_keyblock *key)
{
    struct bytes logon = unhex(pac_full_logon_info);
    const struct pac_forge forge = {
        .krb5 = world.krb5, .key = key, .client = "user", .authtime = AUTHTIME, .logon_info = span_over(&logon)};
    struct cs_writer pac = {0};
    pac_forge(&forge, &pac);
    return pac;
}

static inline struct ticket_forge right_forge(void)
{
    struct ticket_forge forge = ticket_forge_right(world.krb5, &world.service);
    forge.start = forge.made = AUTHTIME;
    forge.end = AUTHTIME + 3600;
    return forge;
}

static inline void write_bound_checksum(struct cs_writer *output, uint32_t flags, struct cs_span delegated)
{
    struct kerberos_checksum checksum = {.flags = flags, .delegated = delegated};
    memset(checksum.bindings, 0xB1, sizeof checksum.bindings);
    kerberos_checksum_write(output, &checksum);
}

/* The token that FORGE makes with CHECKSUM and a PAC. */
static inline struct cs_writer forge_request(struct ticket_forge *forge, struct cs_span checksum)
{
    struct cs_writer token = {0}, pac = forge_pac(&world.service);
    forge->checksum = checksum;
    forge->pac = cs_written(&pac);
    ticket_forge(forge, &token);
    cs_writer_drop(&pac);
    return token;
}

static inline struct cs_writer good_request(void)
{
    struct ticket_forge forge = right_forge();
    struct cs_writer checksum = {0};
    write_bound_checksum(&checksum, KERBEROS_MUTUAL | KERBEROS_INTEGRITY | KERBEROS_DCE_STYLE, (struct cs_span){0});
    struct cs_writer token = forge_request(&forge, cs_written(&checksum));
    cs_writer_drop(&checksum);
    return token;
}

/* An AP-REP as the service makes it for the session of good_request. */
static inline struct cs_writer good_reply(void)
{
    struct kerberos_exchange exchange = {.ctime = AUTHTIME, .cusec = 42};
    struct cs_writer message = {0}, token = {0};
    exchange.session_key = pac_key(world.krb5, KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96, SESSION_FILL);
    assert_int_equal(kerberos_write_reply(world.krb5, &exchange, 4000000000u, &world.service, &message), 0);
    const struct kerberos_token framed = {KERBEROS_AP_REP, true, cs_written(&message), false};
    kerberos_token_write(&token, &framed);
    cs_writer_drop(&message);
    krb5_free_keyblock_contents(world.krb5, &exchange.session_key);
    return token;
}

static inline struct cs_writer forge_error(int32_t code, const char *realm, struct cs_span data)
{
    heim_general_string part = (char *)(uintptr_t) "a/b\\c";
    heim_octet_string e_data = {data.size, (void *)(uintptr_t)data.data};
    KRB_ERROR error = {.pvno = 5,
                       .msg_type = krb_error,
                       .stime = AUTHTIME,
                       .error_code = code,
                       .realm = (char *)(uintptr_t)realm,
                       .sname = {KRB5_NT_PRINCIPAL, {1, &part}}};
    struct cs_writer output = {0};
    krb5_data encoded;
    size_t size;
    int failed;
    if (data.size) error.e_data = &e_data;
    ASN1_MALLOC_ENCODE(KRB_ERROR, encoded.data, encoded.length, &error, &size, failed);
    assert_int_equal(failed, 0);
    cs_write_span(&output, (struct cs_span){encoded.data, encoded.length});
    krb5_data_free(&encoded);
    return output;
}

static const char *const kdc_messages[] = {kdc_krb_error, kdc_as_req, kdc_as_rep, kdc_tgs_req, kdc_tgs_rep};
enum { KDC_MESSAGES = sizeof kdc_messages / sizeof *kdc_messages };

#endif
