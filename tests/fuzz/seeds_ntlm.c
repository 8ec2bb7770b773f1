/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ntlm_vectors.h"
#include "seeds.h"
#include "spnego_vectors.h"

#include <stdio.h>

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

void seed_ntlm(const char *folder)
{
    seed_exchanges(folder);
    seed_vectors(folder);
    seed_changes(folder);
    seed_calls(folder);
    seed_bindings(folder);
    seed_spnego_vectors(folder);
    seed_spnego_changes(folder);
}
