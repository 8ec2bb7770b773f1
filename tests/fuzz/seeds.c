/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes the seed corpus: seeds FOLDER makes FOLDER/TARGET/NAME from exchanges of our own, whose random numbers are
 * those that the targets will draw, and from the test vectors.
 */
#include "fuzz.h"
#include "fuzz_describe.h"
#include "fuzz_pac.h"
#include "kdc_vectors.h"
#include "ntlm_vectors.h"
#include "pac_vectors.h"
#include "spnego_vectors.h"
#include "ticket_forge.h"
#include "tls_keys.h"
#include "tls_ocsp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void write_seed(const char *folder, const char *target, const char *name, const struct cs_writer *bytes)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, target);
    fuzz_require(!mkdir(path, 0777) || errno == EEXIST, "the target's folder");
    snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
    FILE *file = fopen(path, "w");
    fuzz_require(file && fwrite(bytes->data, 1, bytes->size, file) == bytes->size && !fclose(file), "seed");
}

static void write_hex(struct cs_writer *writer, const char *hex)
{
    for (; *hex; hex += 2) {
        const char digits[3] = {hex[0], hex[1], 0};
        cs_write_u8(writer, (uint8_t)strtoul(digits, NULL, 16));
    }
}

/* HEAD, then MESSAGE. */
static void seed_message(const char *folder, const char *target, const char *name, struct cs_span head,
                         struct cs_span message)
{
    struct cs_writer seed = {0};
    cs_write_span(&seed, head);
    cs_write_span(&seed, message);
    write_seed(folder, target, name, &seed);
    cs_writer_drop(&seed);
}

static void seed_hex(const char *folder, const char *target, const char *name, const char *head, const char *hex)
{
    struct cs_writer bytes = {0}, options = {0};
    write_hex(&options, head);
    write_hex(&bytes, hex);
    seed_message(folder, target, name, cs_written(&options), cs_written(&bytes));
    cs_writer_drop(&bytes);
    cs_writer_drop(&options);
}

/* The modes of authenticate_message. */
static void clear_by_mode(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    const uint8_t mode = *(const uint8_t *)mitm->data;
    mitm->target_message = 1;
    mitm->clear = mode & 4 ? NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY : 0;
    mitm->clear |= mode & 8 ? NTLMSSP_NEGOTIATE_UNICODE : 0;
    mitm_change_flags(mitm, number, message);
}

/* The three messages of an exchange with the options CHOICE and MODE, each for its receiver's target. */
static void seed_exchange(const char *folder, uint8_t choice, uint8_t mode)
{
    static const char *const targets[] = {"negotiate_message", "challenge_message", "authenticate_message"};
    const uint8_t head[FUZZ_OPTION_BYTES] = {choice, mode};
    const struct cs_span options_span = {head, sizeof head};
    struct cs_reader reader = cs_reader_of(options_span);
    struct mitm mitm = {.edit = clear_by_mode, .data = &mode};
    struct fuzz_options options;
    struct pair pair;
    char name[32];
    fuzz_options_read(&options, &reader);
    pair_open(&pair, "NTLM", &options.setup);
    mitm_run(&mitm, &pair);
    for (unsigned number = 1; number <= 3; number++) {
        const struct cs_span message = mitm_message(&mitm, number);
        if (!message.size) continue; /* the exchange ended before */
        snprintf(name, sizeof name, "exchange-%02x-%02x-%u", choice, mode, number);
        seed_message(folder, targets[number - 1], name, options_span, message);
        seed_message(folder, "codec", name, (struct cs_span){NULL, 0}, message);
    }
    pair_close(&pair);
    mitm_end(&mitm);
}

static void seed_exchanges(const char *folder)
{
    for (unsigned identity = 0; identity < 3; identity++)
        for (unsigned level = 0; level < 6; level++)
            for (uint8_t mode = 0; mode < 16; mode++) {
                if (identity && (level != 5 || mode > 3)) continue;
                seed_exchange(folder, (uint8_t)(0xc0 | level << 2 | identity), mode);
            }
    seed_exchange(folder, 0x80 | 5 << 2 | 0x20, 3); /* bindings */
    seed_exchange(folder, 5 << 2, 3);               /* no protection */
}

static void seed_vectors(const char *folder)
{
    static const char *const negotiate[] = {win_type1, smb_type1};
    static const char *const challenge[] = {win_type2, smb_type2, v1_challenge_message, ess_challenge_message,
                                            v2_challenge_message};
    static const char *const authenticate[] = {win_type3, smb_type3, v1_authenticate_message, ess_authenticate_message,
                                               v2_authenticate_message};
    char name[32];
    for (size_t i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "vector-%zu", i);
        if (i < 2) seed_hex(folder, "negotiate_message", name, "9400", negotiate[i]);
        seed_hex(folder, "challenge_message", name, "9400", challenge[i]);
        seed_hex(folder, "authenticate_message", name, "9403", authenticate[i]);
        snprintf(name, sizeof name, "challenge-%zu", i);
        seed_hex(folder, "codec", name, "", challenge[i]);
        snprintf(name, sizeof name, "authenticate-%zu", i);
        seed_hex(folder, "codec", name, "", authenticate[i]);
    }
    seed_hex(folder, "codec", "target-info", "", v2_target_info);
    seed_hex(folder, "codec", "response", v2_nt_proof, v2_temp);
}

/* Options and mode, then: how, where (two bytes), how much, bytes. */
static void seed_changes(const char *folder)
{
    seed_hex(folder, "exchange", "unchanged", "d400", "");
    seed_hex(folder, "exchange", "unchanged-v1", "c400", "");
    seed_hex(folder, "exchange", "unchanged-loopback", "d500", "");
    seed_hex(folder, "exchange", "unchanged-anonymous", "d600", "");
    seed_hex(folder, "exchange", "plain-v1", "c404", "");
    seed_hex(folder, "exchange", "flags", "d401", "000c000110");
    seed_hex(folder, "exchange", "challenge", "d402", "0118000101");
    seed_hex(folder, "exchange", "mic", "d403", "014800100000000000000000000000000000000000");
    seed_hex(folder, "exchange", "cut", "d403", "03400008");
    seed_hex(folder, "exchange", "insert", "d502",
             "02380004"
             "01020304");
}

/* Flags, then calls: which, how many buffers, and of each its type, size and bytes. */
static void seed_calls(const char *folder)
{
    static const char *const flags[] = {"328208e2", "35820862", "35820820", "b1000000", "00000000", "30000820"};
    static const char *const calls[] = {
        "0202"
        "02"
        "1000"
        "00000000000000000000000000000000"
        "01"
        "0500"
        "68656c6c6f",
        "0002"
        "01"
        "0500"
        "68656c6c6f"
        "02"
        "1000"
        "00000000000000000000000000000000",
        "0204"
        "81"
        "0300"
        "686472"
        "01"
        "0400"
        "626f6479"
        "81"
        "0300"
        "746c72"
        "02"
        "1000"
        "00000000000000000000000000000000",
        "0302"
        "02"
        "1000"
        "010000000000000000000000"
        "00000000"
        "01"
        "0300"
        "616263",
        "0302"
        "0a"
        "1400"
        "01000000000000000000000000000000"
        "61626364"
        "01"
        "0000",
        "0102"
        "02"
        "1000"
        "01000000000000000000000000000000"
        "01"
        "0300"
        "616263",
    };
    char name[32];
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++) {
            snprintf(name, sizeof name, "call-%zu-%zu", i, j);
            seed_hex(folder, "messages", name, flags[i], calls[j]);
        }
}

static void seed_bindings(const char *folder)
{
    static const char header[] = "000000000000000000000000"
                                 "000000000000000000000000"
                                 "3500000020000000";
    static const char parts[] = "020000000400000020000000"
                                "030000000400000024000000"
                                "0800000020000000"
                                "6162636465666768";
    seed_hex(folder, "bindings", "application", header, binding_application_data);
    seed_hex(folder, "bindings", "parts", "", parts);
}

static void seed_spnego_vectors(const char *folder)
{
    static const char *const tokens[] = {
        spnego_smb_hints,     spnego_smb_negotiate, spnego_smb_challenge,    spnego_smb_accept,
        spnego_kerberos_resp, spnego_example_init2, spnego_smb_authenticate, "a1023000",
    };
    char name[32];
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        snprintf(name, sizeof name, "vector-%zu", i);
        seed_hex(folder, "spnego_codec", name, "", tokens[i]);
    }
}

/* Options and mode; for each message how many changes, and of each: how, where (two bytes), how much, bytes. */
static void seed_spnego_changes(const char *folder)
{
    static const char *const identities[] = {"d4", "d5", "d6", "c4", "54", "f4"};
    static const char *const changes[] = {
        "",
        "01"
        "00"
        "1300"
        "01"
        "01", /* mechTypes */
        "01"
        "00"
        "0d00"
        "01"
        "01"
        "00",
        "00"
        "01"
        "01"
        "0a00"
        "01"
        "03", /* request-mic */
        "00"
        "00"
        "01"
        "03"
        "0000"
        "ff", /* a cut authenticate */
        "00"
        "00"
        "00"
        "01"
        "01"
        "0800"
        "01"
        "01", /* accept-incomplete at the end */
        "00"
        "00"
        "00"
        "01"
        "00"
        "0f00"
        "01"
        "10", /* the server's MIC */
    };
    char name[32], head[8];
    for (size_t i = 0; i < sizeof identities / sizeof *identities; i++)
        for (size_t j = 0; j < sizeof changes / sizeof *changes; j++)
            for (unsigned mode = 0; mode < 8; mode++) {
                snprintf(name, sizeof name, "change-%zu-%zu-%u", i, j, mode);
                snprintf(head, sizeof head, "%s%02x", identities[i], mode);
                seed_hex(folder, "spnego_exchange", name, head, changes[j]);
            }
}

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
static void seed_tls(const char *folder)
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

/*
 * Each session (import.c) packed, undisturbed, and with a byte, a run or a length of its content changed; and each
 * client of an acceptor's, with changes to what is said of it.
 */
static void seed_imports(const char *folder)
{
    static const char *const modes[] = {"00",           "01",
                                        "02",           "03",
                                        "010030000101", "0201000000",
                                        "02000000010f", "020220000455667788",
                                        "02001a000180", "0201200004ffffffff",
                                        "06",           "060068000103",
                                        "0a",           "0a0068000101",
                                        "0e",           "0e00900001ff",
                                        "12",           "120100010400000001",
                                        "16",           "160110010400000001",
                                        "050040000101", "150040000101"};
    static const uint8_t choices[] = {0x07, 0x03, 0x01, 0x00, 0x06, 0x1F, 0x80, 0x81,
                                      0x82, 0x83, 0x84, 0x86, 0x8E, 0x92, 0xC1};
    char head[4], name[32];
    for (size_t i = 0; i < sizeof choices; i++)
        for (size_t j = 0; j < sizeof modes / sizeof *modes; j++) {
            snprintf(head, sizeof head, "%02x", choices[i]);
            snprintf(name, sizeof name, "session-%s-%zu", head, j);
            seed_hex(folder, "import", name, head, modes[j]);
        }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: seeds FOLDER\n");
        return 2;
    }
    LLVMFuzzerInitialize(&argc, &argv);
    seed_exchanges(argv[1]);
    seed_vectors(argv[1]);
    seed_changes(argv[1]);
    seed_calls(argv[1]);
    seed_bindings(argv[1]);
    seed_spnego_vectors(argv[1]);
    seed_spnego_changes(argv[1]);
    seed_kerberos_messages(argv[1]);
    seed_pacs(argv[1]);
    seed_kerberos_requests(argv[1]);
    seed_kerberos_user_to_user(argv[1]);
    seed_describe(argv[1]);
    seed_tls_keys(argv[1]);
    seed_stapled(argv[1]);
    seed_tls(argv[1]);
    seed_srtp(argv[1]);
    seed_imports(argv[1]);
    return 0;
}
