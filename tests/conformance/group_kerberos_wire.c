/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The per-message tokens of RFC 4121 4.2.6, byte for byte where Windows has a choice: sizes, EC and RRC.
 */
#include "groups.h"
#include "kerberos_realm.h"
#include "packet.h"
#include "status.h"

#include <string.h>

#define TRAILER_SIZE 76 /* cbSecurityTrailer with AES-SHA1 */
#define FLAGS (ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONFIDENTIALITY | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT)
#define SIZES "attributes SIZES Kerberos (TOKEN 60 of 76)"
#define DCE "vectors win-kerberos-rpc-dce-aes256-1"

static const struct conformance_case cases[] = {
    {"kerberos-wire/sealed.token-size", SIZES, "60", NULL, WINE_SAME},
    {"kerberos-wire/sealed.head", "attributes SIZES Kerberos (EC 0, derived: RRC 28)", "Wrap, sealed, EC 0, RRC 28",
     NULL, WINE8_DIFFERS},
    {"kerberos-wire/dce.token-size", DCE, "76", NULL, WINE_SAME},
    {"kerberos-wire/dce.head", DCE, "Wrap, sealed, EC 16, RRC 28", NULL, WINE_SAME},
    {"kerberos-wire/signed.token-size", "attributes SIZES Kerberos (cbMaxSignature, derived)", "28", NULL, WINE_SAME},
    {"kerberos-wire/signed.head", "RFC 4121 4.2.6.1", "MIC, not sealed", NULL, WINE_SAME},
    {"kerberos-wire/numbers", "RFC 4121 4.2.6 (SND_SEQ)", "one more", NULL, WINE8_DIFFERS},
    {"kerberos-wire/server.flags", "RFC 4121 4.2.2", "SentByAcceptor", NULL, WINE_SAME},
};

enum { SENT_BY_ACCEPTOR = 1, SEALED = 2 }; /* RFC 4121 4.2.2 */

static unsigned big_endian_16(const unsigned char *bytes)
{
    return (unsigned)(bytes[0] << 8 | bytes[1]);
}

static const char *head_text(const unsigned char *token, char *text)
{
    const char *sealed = token[2] & SEALED ? "sealed" : "not sealed";

    if (token[0] == 5 && token[1] == 4)
        snprintf(text, OBSERVED_MAX, "Wrap, %s, EC %u, RRC %u", sealed, big_endian_16(token + 4),
                 big_endian_16(token + 6));
    else if (token[0] == 4 && token[1] == 4)
        snprintf(text, OBSERVED_MAX, "MIC, %s", sealed);
    else
        snprintf(text, OBSERVED_MAX, "0x%02x%02x", token[0], token[1]);
    return text;
}

/* A message of the side CONTEXT, SEAL or sign, in PACKET; false, with the reason, if that fails. */
static bool make(struct conformance_run *run, CtxtHandle *context, bool seal, struct packet *packet)
{
    SECURITY_STATUS status;
    char name[STATUS_NAME_MAX];

    packet_init(packet, SHAPE_TOKEN_DATA);
    packet_token(packet)->cbBuffer = TRAILER_SIZE;
    status = seal ? packet_encrypt(context, packet) : packet_sign(context, packet);
    if (status) not_reached(run, "%s", status_name(status, name));
    return !status;
}

static void sealed_and_signed(struct conformance_run *run, struct spnego_pair *pair)
{
    struct packet sealed, next, signature;
    char text[OBSERVED_MAX];

    if (!make(run, &pair->client.context, true, &sealed) || !make(run, &pair->client.context, true, &next) ||
        !make(run, &pair->client.context, false, &signature))
        return;
    observe(run, "kerberos-wire/sealed.token-size", "%lu", packet_token(&sealed)->cbBuffer);
    observe(run, "kerberos-wire/sealed.head", "%s", head_text(sealed.token, text));
    observe(run, "kerberos-wire/signed.token-size", "%lu", packet_token(&signature)->cbBuffer);
    observe(run, "kerberos-wire/signed.head", "%s", head_text(signature.token, text));
    observe(run, "kerberos-wire/numbers", "%s",
            (big_endian_16(sealed.token + 14) + 1) % 0x10000 == big_endian_16(next.token + 14) ? "one more"
                                                                                               : "something else");
    if (make(run, &pair->server.context, true, &sealed))
        observe(run, "kerberos-wire/server.flags", "%s",
                sealed.token[2] & SENT_BY_ACCEPTOR ? "SentByAcceptor" : "not SentByAcceptor");
}

static void run_wire(struct conformance_run *run)
{
    struct kerberos_realm realm;
    struct spnego_pair pair;
    struct packet packet;
    char text[OBSERVED_MAX];

    if (!kerberos_realm_find(run, &realm)) return;
    if (kerberos_open_pair(run, &realm, &pair, FLAGS)) {
        sealed_and_signed(run, &pair);
        spnego_pair_close(&pair);
    }
    if (kerberos_open_pair(run, &realm, &pair, FLAGS | ISC_REQ_USE_DCE_STYLE)) {
        if (make(run, &pair.client.context, true, &packet)) {
            observe(run, "kerberos-wire/dce.token-size", "%lu", packet_token(&packet)->cbBuffer);
            observe(run, "kerberos-wire/dce.head", "%s", head_text(packet.token, text));
        }
        spnego_pair_close(&pair);
    }
}

const struct conformance_group kerberos_wire_group = {
    .name = "kerberos-wire", .cases = cases, .case_count = COUNT_OF(cases), .run = run_wire};
