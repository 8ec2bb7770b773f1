/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The AUTHENTICATE message of a client with explicit credentials, field by field: against the challenge that a Windows
 * Server 2016 domain controller sent, and against one that carries pairs a client must replace.
 */
#include "attributes.h"
#include "digest.h"
#include "groups.h"
#include "ntlm_message.h"

#include <string.h>

#define CAPTURE "vectors win2019-ntlm type3"
#define REPLACED "attributes NTLM type 3"

static const struct conformance_case cases[] = {
    {"authenticate/outcome", CAPTURE, "client SEC_I_CONTINUE_NEEDED, client SEC_E_OK", NULL, WINE_NEEDS_HELPER},
    {"authenticate/flags", CAPTURE, "0xe2888235", NULL, WINE8_DIFFERS},
    {"authenticate/version", CAPTURE ", attributes NTLM Version", "10.0 revision 15", NULL, WINE8_DIFFERS},
    {"authenticate/domain", REPLACED, "", NULL, WINE_NEEDS_HELPER},
    {"authenticate/user", REPLACED, "vagrant-domain@DOMAIN.LOCAL", NULL, WINE_NEEDS_HELPER},
    {"authenticate/order", CAPTURE, "88: domain user workstation lm nt key", NULL, WINE8_DIFFERS},
    {"authenticate/lm-response", CAPTURE, "000000000000000000000000000000000000000000000000", NULL, WINE_NEEDS_HELPER},
    {"authenticate/nt-proof", CAPTURE, "yes", NULL, WINE_NEEDS_HELPER},
    {"authenticate/pairs", CAPTURE, "2 1 4 3 5 7 6 8 10 9", NULL, WINE8_DIFFERS},
    {"authenticate/pairs.end", CAPTURE, "0000000000000000", NULL, WINE_NEEDS_HELPER},
    {"authenticate/pairs.timestamp", CAPTURE, "feb44e1b5b24d601", NULL, WINE_NEEDS_HELPER},
    {"authenticate/pairs.flags", CAPTURE, "02000000", NULL, WINE_NEEDS_HELPER},
    {"authenticate/pairs.single-host", CAPTURE, "48 bytes", NULL, WINE_NEEDS_HELPER},
    {"authenticate/pairs.bindings", CAPTURE, "00000000000000000000000000000000", NULL, WINE_NEEDS_HELPER},
    {"authenticate/pairs.target", CAPTURE, "HOST\\dc01.domain.local", NULL, WINE8_DIFFERS},
    {"authenticate/key-size", CAPTURE, "16", NULL, WINE_NEEDS_HELPER},
    {"authenticate/mic", CAPTURE, "right", NULL, WINE8_DIFFERS},
    {"authenticate/replaced.target", REPLACED, "once: HTTP/foo", NULL, WINE8_DIFFERS},
    {"authenticate/replaced.bindings", REPLACED, "once: 00000000000000000000000000000000", NULL, WINE8_DIFFERS},
    {"authenticate/no-timestamp.mic", REPLACED, "right", NULL, WINE8_DIFFERS},
    {"authenticate/ansi-identity.user", "behaviour 79", "testuser", NULL, WINE_NEEDS_HELPER},
    {"authenticate/ansi-identity.domain", "behaviour 79", "WORKGROUP", NULL, WINE_NEEDS_HELPER},
};

static const unsigned char captured_time[8] = {0xfe, 0xb4, 0x4e, 0x1b, 0x5b, 0x24, 0xd6, 0x01};
static const unsigned char foreign_bindings[16] = {0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
                                                   0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa};

static const struct av_pair captured_pairs[] = {
    {.id = AV_DOMAIN, .text = "DOMAIN"},
    {.id = AV_SERVER, .text = "DC01"},
    {.id = AV_DNS_DOMAIN, .text = "domain.local"},
    {.id = AV_DNS_SERVER, .text = "DC01.domain.local"},
    {.id = AV_DNS_FOREST, .text = "domain.local"},
    {.id = AV_TIMESTAMP, .bytes = captured_time, .size = sizeof(captured_time)},
};

static const struct av_pair foreign_pairs[] = {
    {.id = AV_DOMAIN, .text = "DOMAIN"},
    {.id = AV_SERVER, .text = "DC01"},
    {.id = AV_TARGET_NAME, .text = "HTTP/somebody-else"},
    {.id = AV_CHANNEL_BINDINGS, .bytes = foreign_bindings, .size = sizeof(foreign_bindings)},
    {.id = AV_TIMESTAMP, .bytes = captured_time, .size = sizeof(captured_time)},
};

#define CAPTURED_FLAGS 0xe2898235
#define CAPTURED_NONCE                                                                                                 \
    {                                                                                                                  \
        0x8e, 0x34, 0x15, 0xa6, 0xa6, 0xec, 0x23, 0x7f                                                                 \
    }
#define CAPTURED_VERSION                                                                                               \
    {                                                                                                                  \
        0x0a, 0x00, 0x39, 0x38, 0x00, 0x00, 0x00, 0x0f                                                                 \
    }

static const struct challenge captured = {CAPTURED_FLAGS, CAPTURED_NONCE, CAPTURED_VERSION,
                                          "DOMAIN",       captured_pairs, COUNT_OF(captured_pairs)};
static const struct challenge foreign = {CAPTURED_FLAGS, CAPTURED_NONCE, CAPTURED_VERSION,
                                         "DOMAIN",       foreign_pairs,  COUNT_OF(foreign_pairs)};
static const struct challenge timeless = {CAPTURED_FLAGS, CAPTURED_NONCE, CAPTURED_VERSION, "DOMAIN", foreign_pairs, 2};

#define USER "vagrant-domain@DOMAIN.LOCAL"
#define PASSWORD "VagrantPass1"

/* A client's side of an exchange with what its AUTHENTICATE message holds. */
struct answer {
    struct exchange exchange;
    struct token challenge;
    struct authenticate message;
};

static bool answer_challenge(struct answer *answer, const struct challenge *challenge, const char *target)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = ansi_identity(USER, NULL, PASSWORD);
    const struct exchange_request request = {
        .identity = &identity,
        .target = target,
        .client_flags = ISC_REQ_INTEGRITY | ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT,
        .data_representation = SECURITY_NATIVE_DREP,
    };

    make_challenge(challenge, &answer->challenge);
    return exchange_with_challenge(&answer->exchange, &request, &answer->challenge) &&
           parse_authenticate(&answer->exchange.legs[CLIENT_LAST].output, &answer->message);
}

static void append_field(char *text, size_t size, const char *name, struct span field, const unsigned char **next)
{
    size_t used = strlen(text);

    snprintf(text + used, size - used, " %s%s", field.bytes == *next ? "" : "gap-", name);
    *next = field.bytes + field.size;
}

/* "OFFSET: names" when the payload is what Windows's order makes of it; a field elsewhere shows as a gap. */
static void payload_order(struct conformance_run *run, const struct answer *answer)
{
    const struct authenticate *message = &answer->message;
    const unsigned char *next = message->domain.bytes;
    char text[128];

    snprintf(text, sizeof(text), "%u:", (unsigned)(next - answer->exchange.legs[CLIENT_LAST].output.bytes));
    append_field(text, sizeof(text), "domain", message->domain, &next);
    append_field(text, sizeof(text), "user", message->user, &next);
    append_field(text, sizeof(text), "workstation", message->workstation, &next);
    append_field(text, sizeof(text), "lm", message->lm, &next);
    append_field(text, sizeof(text), "nt", message->nt, &next);
    append_field(text, sizeof(text), "key", message->key, &next);
    observe(run, "authenticate/order", "%s", text);
}

/* MS-NLMP 3.3.2: the proof is keyed with the password and covers the server's nonce and the client's blob. */
static bool proof_is_right(const struct answer *answer)
{
    const struct span nt = answer->message.nt;
    const struct part parts[] = {{answer->challenge.bytes + 24, 8},
                                 {nt.bytes + NT_PROOF_SIZE, nt.size - NT_PROOF_SIZE}};
    unsigned char key[DIGEST_SIZE], proof[DIGEST_SIZE];

    if (nt.size <= NT_PROOF_SIZE || !ntowf_v2(USER, "", PASSWORD, key)) return false;
    if (!hmac_md5((struct part){key, sizeof(key)}, parts, COUNT_OF(parts), proof)) return false;
    return !memcmp(proof, nt.bytes, NT_PROOF_SIZE);
}

/* MS-NLMP 3.1.5.1.2: the MIC covers the three messages, with zero in its own place. */
static const char *mic_text(struct answer *answer)
{
    static const unsigned char zero[DIGEST_SIZE];
    const struct token *first = &answer->exchange.legs[CLIENT_FIRST].output;
    const struct token *last = &answer->exchange.legs[CLIENT_LAST].output;
    const ULONG after = AUTHENTICATE_MIC_OFFSET + DIGEST_SIZE;
    const struct part parts[] = {{first->bytes, first->size},
                                 {answer->challenge.bytes, answer->challenge.size},
                                 {last->bytes, AUTHENTICATE_MIC_OFFSET},
                                 {zero, sizeof(zero)},
                                 {last->bytes + after, last->size - after}};
    unsigned char key[SESSION_KEY_MAX], mic[DIGEST_SIZE];
    SECURITY_STATUS released;
    ULONG size;

    if (session_key(&answer->exchange.client, key, &size, &released)) return "no session key";
    if (!hmac_md5((struct part){key, size}, parts, COUNT_OF(parts), mic)) return "no HMAC";
    return memcmp(mic, answer->message.mic, sizeof(mic)) ? "wrong" : "right";
}

static void header_fields(struct conformance_run *run, const struct answer *answer)
{
    const struct authenticate *message = &answer->message;
    char text[128];

    observe(run, "authenticate/flags", "0x%08lx", message->flags);
    observe(run, "authenticate/version", "%u.%u revision %u", message->version[0], message->version[1],
            message->version[7]);
    observe(run, "authenticate/domain", "%s", ascii_text(message->domain, text, sizeof(text)));
    observe(run, "authenticate/user", "%s", ascii_text(message->user, text, sizeof(text)));
    payload_order(run, answer);
    observe_hex(run, "authenticate/lm-response", message->lm.bytes, message->lm.size);
    observe_bool(run, "authenticate/nt-proof", proof_is_right(answer));
    observe(run, "authenticate/key-size", "%lu", message->key.size);
}

static void response_fields(struct conformance_run *run, const struct authenticate *message)
{
    const struct span pairs = response_pairs(message);
    struct span pair;
    char text[128];

    if (pairs.size < 8) return;
    observe(run, "authenticate/pairs", "%s", list_pairs(pairs, text, sizeof(text)));
    observe_hex(run, "authenticate/pairs.end", pairs.bytes + pairs.size - 8, 8);
    pair = find_pair(pairs, AV_TIMESTAMP, NULL);
    observe_hex(run, "authenticate/pairs.timestamp", pair.bytes, pair.size);
    pair = find_pair(pairs, AV_FLAGS, NULL);
    observe_hex(run, "authenticate/pairs.flags", pair.bytes, pair.size);
    observe(run, "authenticate/pairs.single-host", "%lu bytes", find_pair(pairs, AV_SINGLE_HOST, NULL).size);
    pair = find_pair(pairs, AV_CHANNEL_BINDINGS, NULL);
    observe_hex(run, "authenticate/pairs.bindings", pair.bytes, pair.size);
    observe(run, "authenticate/pairs.target", "%s",
            ascii_text(find_pair(pairs, AV_TARGET_NAME, NULL), text, sizeof(text)));
}

static void captured_challenge(struct conformance_run *run)
{
    struct answer answer;
    char text[OUTCOME_MAX];
    bool complete = answer_challenge(&answer, &captured, "HOST\\dc01.domain.local");

    observe(run, "authenticate/outcome", "%s", exchange_outcome(&answer.exchange, text));
    if (complete) {
        header_fields(run, &answer);
        response_fields(run, &answer.message);
        observe(run, "authenticate/mic", "%s", mic_text(&answer));
    } else {
        not_reached(run, "%s", text);
    }
    exchange_close(&answer.exchange);
}

static void foreign_challenge(struct conformance_run *run)
{
    struct answer answer;

    if (answer_challenge(&answer, &foreign, "HTTP/foo")) {
        const struct span pairs = response_pairs(&answer.message);
        char text[128];
        unsigned count;
        struct span pair = find_pair(pairs, AV_TARGET_NAME, &count);

        observe(run, "authenticate/replaced.target", count == 1 ? "once: %s" : "not once: %s",
                ascii_text(pair, text, sizeof(text)));
        pair = find_pair(pairs, AV_CHANNEL_BINDINGS, &count);
        text[0] = 0;
        for (ULONG i = 0; i < pair.size && i < 32; i++) snprintf(text + 2 * i, 3, "%02x", pair.bytes[i]);
        observe(run, "authenticate/replaced.bindings", count == 1 ? "once: %s" : "not once: %s", text);
    }
    exchange_close(&answer.exchange);
}

static void timeless_challenge(struct conformance_run *run)
{
    struct answer answer;

    if (answer_challenge(&answer, &timeless, "HTTP/foo"))
        observe(run, "authenticate/no-timestamp.mic", "%s", mic_text(&answer));
    exchange_close(&answer.exchange);
}

/* An ANSI identity through the W entry point must come out as the same text. */
static void ansi_through_wide(struct conformance_run *run)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = ansi_identity("testuser", "WORKGROUP", "testpass");
    const struct exchange_request request = {.data_representation = SECURITY_NATIVE_DREP};
    struct exchange exchange;
    struct authenticate message;
    struct token challenge;
    CredHandle credential;
    TimeStamp expiry;
    char text[64];

    make_challenge(&captured, &challenge);
    if (AcquireCredentialsHandleW(NULL, (SEC_WCHAR *)L"NTLM", SECPKG_CRED_OUTBOUND, NULL, &identity, NULL, NULL,
                                  &credential, &expiry))
        return;
    if (exchange_with_credential(&exchange, &credential, &request, &challenge) &&
        parse_authenticate(&exchange.legs[CLIENT_LAST].output, &message)) {
        observe(run, "authenticate/ansi-identity.user", "%s", ascii_text(message.user, text, sizeof(text)));
        observe(run, "authenticate/ansi-identity.domain", "%s", ascii_text(message.domain, text, sizeof(text)));
    }
    exchange_close(&exchange);
}

static void run_authenticate(struct conformance_run *run)
{
    captured_challenge(run);
    foreign_challenge(run);
    timeless_challenge(run);
    ansi_through_wide(run);
}

const struct conformance_group authenticate_group = {
    .name = "authenticate", .cases = cases, .case_count = COUNT_OF(cases), .run = run_authenticate};
