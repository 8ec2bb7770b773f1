/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "seeds.h"
#include "tls_keys.h"
#include "tls_ocsp.h"

#include <stdio.h>

/* A key of each format. */
static void seed_tls_keys(const char *folder)
{
    static const struct {
        const char *name;
        enum tls_key_format format;
        enum tls_world_key key;
    } keys[] = {
        {"capi", TLS_KEY_CAPI, TLS_WORLD_RSA},     {"rsa", TLS_KEY_CNG_RSA, TLS_WORLD_RSA},
        {"p256", TLS_KEY_CNG_ECC, TLS_WORLD_P256}, {"p384", TLS_KEY_CNG_ECC, TLS_WORLD_P384},
        {"pkcs8", TLS_KEY_PKCS8, TLS_WORLD_RSA},   {"ed25519", TLS_KEY_PKCS8, TLS_WORLD_ED25519},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct cs_writer blob = {0};
        const uint8_t format = keys[i].format;
        tls_keys_write(&blob, keys[i].format, keys[i].key);
        seed_message(folder, "tls_key", keys[i].name, (struct cs_span){&format, 1}, cs_written(&blob));
        cs_writer_drop(&blob);
    }
}

/* How, and a response, or changes to one: how, where (two bytes), how much, bytes. */
static void seed_stapled(const char *folder)
{
    static const char *const changes[] = {"01",           "02",          "0100000001ff", "02800000018000a00001",
                                          "02000a000102", "0201500001aa"};
    for (unsigned status = TLS_OCSP_GOOD; status <= TLS_OCSP_UNKNOWN; status++)
        for (unsigned by = TLS_OCSP_MIDDLE; by <= TLS_OCSP_RESPONDER; by++) {
            struct tls_ocsp description = tls_ocsp_about_leaf(status);
            struct cs_writer response = {0};
            char name[32];
            description.signer = by;
            description.critical = by == TLS_OCSP_TWIN;
            tls_ocsp_write(&response, &description);
            snprintf(name, sizeof name, "response-%u-%u", status, by);
            seed_message(folder, "tls_stapled", name, (struct cs_span){(const uint8_t *)"", 1}, cs_written(&response));
            cs_writer_drop(&response);
        }
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char name[32];
        snprintf(name, sizeof name, "changes-%zu", i);
        seed_hex(folder, "tls_stapled", name, "", changes[i]);
    }
}

/* Each setup of the exchanges undisturbed, with a change in each of three tokens, and with all that comes later. */
static void seed_tls_exchanges(const char *folder)
{
    static const char *const tails[] = {"",
                                        "010000100001aa",
                                        "000100002000011600010200500180",
                                        "000000000000000001000200",
                                        "00000000030000010000020001000400",
                                        "020005160303000100",
                                        "0300051503030002010000"};
    char head[16], name[32];
    for (unsigned setup = 0; setup < 10; setup++)
        for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
            snprintf(head, sizeof head, "%02x", setup);
            snprintf(name, sizeof name, "setup-%u-%zu", setup, i);
            seed_hex(folder, "tls_client", name, head, tails[i]);
            seed_hex(folder, "tls_server", name, head, tails[i]);
            seed_hex(folder, "tls_records", name, head, "0310000000ff033000");
            seed_hex(folder, "tls_datagrams", name, head, tails[i]);
        }
}

/* Two bytes changed in a hello with SRTP (tls_datagrams.c, the last two setups), at each place where that may stand: in
 * the client's, and in the server's, with a cookie and without. */
static void seed_srtp(const char *folder)
{
    static const struct {
        const char *name, *head;
        unsigned from, to;
    } hellos[] = {
        {"client", "06e10000", 60, 260}, {"server", "0600e10000", 60, 140}, {"cookie", "07000000e10000", 60, 140}};
    for (size_t i = 0; i < sizeof hellos / sizeof *hellos; i++)
        for (unsigned at = hellos[i].from; at < hellos[i].to; at += 2) {
            char name[32], change[16];
            snprintf(name, sizeof name, "srtp-%s-%u", hellos[i].name, at);
            snprintf(change, sizeof change, "%02x%02x020303", at & 0xFF, at >> 8);
            seed_hex(folder, "tls_datagrams", name, hellos[i].head, change);
        }
}

void seed_tls(const char *folder)
{
    seed_tls_keys(folder);
    seed_stapled(folder);
    seed_tls_exchanges(folder);
    seed_srtp(folder);
}
