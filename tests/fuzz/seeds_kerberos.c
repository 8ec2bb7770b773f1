/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz_describe.h"
#include "fuzz_pac.h"
#include "kdc_vectors.h"
#include "pac_vectors.h"
#include "seeds.h"
#include "spnego_vectors.h"
#include "ticket_forge.h"

#include <stdio.h>

/* Type and style, mode, and what that mode reads (kerberos_messages.c). */
static void seed_kerberos_messages(const char *folder)
{
    static const char *const inputs[] = {
        "00"
        "10"
        "050406ff0000001c00000000000003e8"
        "00000000000000000000000000000000"
        "00000000000000000000000000000000",
        "01"
        "00"
        "00"
        "0500"
        "68656c6c6f"
        "040001",
        "01"
        "01"
        "01"
        "0500"
        "68656c6c6f"
        "060010",
        "02"
        "06"
        "e803"
        "0000"
        "1c00"
        "01"
        "0500"
        "68656c6c6f"
        "01",
        "02"
        "06"
        "e803"
        "1000"
        "1c00"
        "01"
        "0500"
        "68656c6c6f"
        "01",
        "02"
        "06"
        "e803"
        "0500"
        "0000"
        "01"
        "0500"
        "68656c6c6f"
        "00",
    };
    char name[32], head[3];
    for (unsigned etype = 0; etype < 5; etype++)
        for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
            for (unsigned style = 0; style < 2; style++) {
                snprintf(name, sizeof name, "message-%u-%zu-%u", etype, i, style);
                snprintf(head, sizeof head, "%02x", style << 7 | etype);
                seed_hex(folder, "kerberos_messages", name, head, inputs[i]);
            }
}

/* How, then a LOGON_INFO, a UPN_DNS_INFO, or a whole PAC (pac.c). */
static void seed_pacs(const char *folder)
{
    static const char upn[] = "0a00"
                              "1000"
                              "0600"
                              "1a00"
                              "0000000000000000"
                              "6100400062002e006300"
                              "42002e004300";
    struct cs_writer logon_info = {0}, upn_dns_info = {0}, pac = {0};
    krb5_context krb5;
    krb5_keyblock key;
    seed_hex(folder, "pac", "logon-full", "00", pac_full_logon_info);
    seed_hex(folder, "pac", "logon-empty", "00", pac_empty_logon_info);
    seed_hex(folder, "pac", "upn", "01", upn);
    write_hex(&logon_info, pac_full_logon_info);
    write_hex(&upn_dns_info, upn);
    fuzz_require(!krb5_init_context(&krb5), "a library context");
    struct pac_forge forge = fuzz_pac_forge(krb5, &key);
    forge.logon_info = cs_written(&logon_info);
    forge.upn_dns_info = cs_written(&upn_dns_info);
    pac_forge(&forge, &pac);
    for (uint8_t how = FUZZ_PAC_AS_IT_IS; how <= FUZZ_PAC_TO_BE_SIGNED; how++)
        seed_message(folder, "pac", how == FUZZ_PAC_AS_IT_IS ? "whole" : "signed", (struct cs_span){&how, 1},
                     cs_written(&pac));
    krb5_free_keyblock_contents(krb5, &key);
    krb5_free_context(krb5);
    cs_writer_drop(&logon_info);
    cs_writer_drop(&upn_dns_info);
    cs_writer_drop(&pac);
}

/* Where, and a change of one bit there, or what stands there whole (kerberos_requests.c). */
static void seed_kerberos_requests(const char *folder)
{
    seed_hex(folder, "kerberos_requests", "token", "00", "0030000140");
    seed_hex(folder, "kerberos_requests", "ticket", "01", "0020000120");
    seed_hex(folder, "kerberos_requests", "authenticator", "02", "0020000120");
    seed_hex(folder, "kerberos_requests", "whole-token", "03", "600f06092a864886f71201020201006e00");
    seed_hex(folder, "kerberos_requests", "checksum", "04",
             "10000000000102030405060708090a0b0c0d0e0f3f00000001000200abcd");
    seed_hex(folder, "kerberos_requests", "authdata", "05",
             "3022300ea0040202008fa1060404004000003010a00402020090a108040661002f006200");
}

/* Options, and for each message the number of changes; or a message (kerberos_user_to_user.c). */
static void seed_kerberos_user_to_user(const char *folder)
{
    seed_hex(folder, "kerberos_user_to_user", "asked", "00", "0000000000");
    seed_hex(folder, "kerberos_user_to_user", "one-way", "01", "00000000");
    seed_hex(folder, "kerberos_user_to_user", "demanded", "02", "0000000000");
    seed_hex(folder, "kerberos_user_to_user", "request-changed", "00", "0100300001400000");
    seed_hex(folder, "kerberos_user_to_user", "reply-changed", "00", "000100400001400000");
    seed_hex(folder, "kerberos_user_to_user", "error-changed", "02", "000100800001400000");
    seed_hex(folder, "kerberos_user_to_user", "request", "04",
             "302da003020105a103020110a211300fa003020101a10830061b0470656572a30e1b0c4558414d504c452e54455354");
}

/* What an AP-REQ encrypts. */
static void seed_layer(void *folder, enum ticket_layer layer, struct cs_writer *encoding)
{
    const bool ticket = layer == TICKET_PART;
    const uint8_t how = ticket ? FUZZ_TICKET : FUZZ_AUTHENTICATOR;
    seed_message(folder, "describe", ticket ? "ticket" : "authenticator", (struct cs_span){&how, 1},
                 cs_written(encoding));
}

static void seed_described_request(const char *folder)
{
    struct cs_writer token = {0}, checksum = {0}, pac = {0}, logon_info = {0};
    krb5_context krb5;
    krb5_keyblock key;
    const uint8_t how = FUZZ_OPENED;
    fuzz_require(!krb5_init_context(&krb5), "a library context");
    struct pac_forge in_ticket = fuzz_pac_forge(krb5, &key);
    struct ticket_forge forge = ticket_forge_right(krb5, &key);
    write_hex(&logon_info, pac_full_logon_info);
    write_hex(&checksum, "10000000000102030405060708090a0b0c0d0e0f3f00000001000200abcd");
    forge.start = in_ticket.authtime;
    in_ticket.logon_info = cs_written(&logon_info);
    pac_forge(&in_ticket, &pac);
    forge.pac = cs_written(&pac);
    forge.checksum = cs_written(&checksum);
    forge.edit = seed_layer;
    forge.edit_data = (void *)(uintptr_t)folder;
    ticket_forge(&forge, &token);
    seed_message(folder, "describe", "request", (struct cs_span){&how, 1}, cs_written(&token));
    krb5_free_keyblock_contents(krb5, &key);
    krb5_free_context(krb5);
    cs_writer_drop(&token);
    cs_writer_drop(&checksum);
    cs_writer_drop(&pac);
    cs_writer_drop(&logon_info);
}

static void seed_describe(const char *folder)
{
    static const char *const tokens[] = {
        kdc_krb_error,
        kdc_as_req,
        kdc_as_rep,
        kdc_tgs_req,
        kdc_tgs_rep,
        spnego_smb_hints,
        spnego_smb_negotiate,
        spnego_smb_challenge,
        spnego_smb_authenticate,
        spnego_kerberos_init,
        spnego_kerberos_resp,
        "050406ff0010001c00000000027f44cdbbad4aa6a0992859",
        "603b06092a864886f712010202020111001000ffffe29e8bbc6348e740ebaa619244a156a13b5cf65e3c21b9aa",
    };
    char name[32];
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        snprintf(name, sizeof name, "vector-%zu", i);
        seed_hex(folder, "describe", name, "00", tokens[i]);
    }
    seed_described_request(folder);
}

void seed_kerberos(const char *folder)
{
    seed_kerberos_messages(folder);
    seed_pacs(folder);
    seed_kerberos_requests(folder);
    seed_kerberos_user_to_user(folder);
    seed_describe(folder);
}
