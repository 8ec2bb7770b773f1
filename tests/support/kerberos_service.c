/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Kerberos service without a KDC.
 */
#include "kerberos_service.h"

#include "kerberos_token.h"
#include "mitm.h"
#include "pac_forge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void require(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "tests/support/kerberos_service: %s\n", what);
    abort();
}

static const char *path_of(const struct kerberos_service *service, const char *prefix, const char *name)
{
    static char path[96];
    snprintf(path, sizeof path, "%s%s/%s", prefix, service->folder, name);
    return path;
}

static void write_config(const struct kerberos_service *service, const char *lines)
{
    const char *path = path_of(service, "", "krb5.conf");
    FILE *file = fopen(path, "w");
    require(file != NULL, "krb5.conf");
    fprintf(file, "[libdefaults]\n    default_realm = EXAMPLE.TEST\n    dns_lookup_kdc = false\n%s", lines);
    fclose(file);
    setenv("KRB5_CONFIG", path, 1);
}

static void add_key(krb5_context krb5, krb5_keytab keytab, const char *host, const krb5_keyblock *key)
{
    krb5_keytab_entry entry = {.vno = 1, .keyblock = *key, .timestamp = 1};
    require(!krb5_make_principal(krb5, &entry.principal, "EXAMPLE.TEST", "HTTP", host, NULL) &&
                !krb5_kt_add_entry(krb5, keytab, &entry),
            "keytab");
    krb5_free_principal(krb5, entry.principal);
}

static void write_keytab(const struct kerberos_service *service)
{
    const char *name = path_of(service, "FILE:", "keytab");
    krb5_keytab keytab;
    setenv("KRB5_KTNAME", name, 1);
    require(!krb5_kt_resolve(service->krb5, name, &keytab), "keytab");
    add_key(service->krb5, keytab, "server.example.test", &service->key);
    add_key(service->krb5, keytab, "alias.example.test", &service->key_128);
    add_key(service->krb5, keytab, "server.example.test", &service->rc4);
    krb5_kt_close(service->krb5, keytab);
}

/* What only a KDC could open, and no acceptor looks into. */
static krb5_data sealed_ticket(krb5_const_principal server)
{
    static uint8_t sealed[64] = {0xC5};
    Ticket ticket = {.tkt_vno = 5,
                     .realm = server->realm,
                     .sname = server->name,
                     .enc_part = {.etype = ETYPE_AES256_CTS_HMAC_SHA1_96, .cipher = {sizeof sealed, sealed}}};
    krb5_data encoded;
    size_t size;
    int code;
    ASN1_MALLOC_ENCODE(Ticket, encoded.data, encoded.length, &ticket, &size, code);
    require(!code, "ticket");
    return encoded;
}

void kerberos_service_log_on(const struct kerberos_service *service, const krb5_keyblock *key, int64_t end)
{
    const char *name = path_of(service, "FILE:", "ccache");
    krb5_creds creds = {.session = *key, .times = {.authtime = 1, .starttime = 1, .endtime = end}};
    krb5_ccache ccache;
    setenv("KRB5CCNAME", name, 1);
    require(!krb5_cc_resolve(service->krb5, name, &ccache) &&
                !krb5_make_principal(service->krb5, &creds.client, "EXAMPLE.TEST", "peer", NULL) &&
                !krb5_make_principal(service->krb5, &creds.server, "EXAMPLE.TEST", KRB5_TGS_NAME, "EXAMPLE.TEST", NULL),
            "ticket cache");
    creds.ticket = sealed_ticket(creds.server);
    require(!krb5_cc_initialize(service->krb5, ccache, creds.client) &&
                !krb5_cc_store_cred(service->krb5, ccache, &creds),
            "ticket cache");
    krb5_cc_close(service->krb5, ccache);
    krb5_free_principal(service->krb5, creds.client);
    krb5_free_principal(service->krb5, creds.server);
    krb5_data_free(&creds.ticket);
}

static void acquire(struct kerberos_service *service)
{
    const struct pair_setup setup = {.user = "nobody", .domain = "EXAMPLE.TEST", .password = ""};
    pair_open(&service->pair, "Kerberos", &setup);
}

void kerberos_service_open(struct kerberos_service *service)
{
    *service = (struct kerberos_service){.folder = "/tmp/countersign-test-XXXXXX"};
    require(mkdtemp(service->folder) != NULL, "folder");
    write_config(service, "");
    setenv("COUNTERSIGN_REPLAY_CACHE", path_of(service, "", "replays"), 1);
    require(!krb5_init_context(&service->krb5), "context");
    service->key = pac_key(service->krb5, KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96, 0x11);
    service->key_128 = pac_key(service->krb5, KRB5_ENCTYPE_AES128_CTS_HMAC_SHA1_96, 0x22);
    service->rc4 = pac_key(service->krb5, KRB5_ENCTYPE_ARCFOUR_HMAC_MD5, 0x33);
    service->other = pac_key(service->krb5, KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96, 0x44);
    service->tgt = pac_key(service->krb5, KRB5_ENCTYPE_AES256_CTS_HMAC_SHA1_96, 0x55);
    write_keytab(service);
    kerberos_service_log_on(service, &service->tgt, time(NULL) + 36000);
    acquire(service);
}

void kerberos_service_reopen(struct kerberos_service *service, const char *lines)
{
    pair_close(&service->pair);
    write_config(service, lines);
    acquire(service);
}

void kerberos_service_close(struct kerberos_service *service)
{
    const char *const names[] = {"krb5.conf", "keytab", "replays", "ccache"};
    pair_close(&service->pair);
    krb5_free_keyblock_contents(service->krb5, &service->key);
    krb5_free_keyblock_contents(service->krb5, &service->key_128);
    krb5_free_keyblock_contents(service->krb5, &service->rc4);
    krb5_free_keyblock_contents(service->krb5, &service->other);
    krb5_free_keyblock_contents(service->krb5, &service->tgt);
    krb5_free_context(service->krb5);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(path_of(service, "", names[i]));
    rmdir(service->folder);
}

SECURITY_STATUS kerberos_service_offer(struct kerberos_service *service, struct cs_span token)
{
    cs_context_release(service->pair.server);
    service->pair.server = NULL;
    return mitm_to_server(&service->pair, token);
}

void kerberos_service_ask_for_tgt(struct cs_writer *token)
{
    static const uint8_t request[] = {0x30, 0x0A, 0xA0, 3, 2, 1, 5, 0xA1, 3, 2, 1, 16};
    const struct kerberos_token framed = {KERBEROS_TGT_REQUEST, true, {request, sizeof request}, true};
    kerberos_token_write(token, &framed);
}

SECURITY_STATUS kerberos_service_offer_user_to_user(struct kerberos_service *service, struct cs_span token)
{
    struct cs_writer request = {0};
    kerberos_service_ask_for_tgt(&request);
    require(kerberos_service_offer(service, cs_written(&request)) == SEC_I_CONTINUE_NEEDED, "user-to-user");
    cs_writer_drop(&request);
    return mitm_to_server(&service->pair, token);
}
