/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One side of a TLS connection over Schannel's native half, driven by lines (lines.h), so that a test can set it
 * against another implementation. `tls_peer --help` lists the commands. It takes every certificate of the other side's,
 * unless it is told who has issued that: then those that a stapled response says are good.
 */
#include "lines.h"
#include "tls.h"
#include "utf16.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct peer {
    struct tls_credential_request request;
    uint32_t flags, mtu;
    struct cs_writer chain, key, target, offer, address, stapled, issuer, profiles;
    struct tls_credential *credential;
    struct tls_context *context;
};

static void answer_status(SECURITY_STATUS status)
{
    static const struct {
        SECURITY_STATUS status;
        const char *name;
    } names[] = {
        {SEC_E_OK, "SEC_E_OK"},
        {SEC_I_CONTINUE_NEEDED, "SEC_I_CONTINUE_NEEDED"},
        {SEC_I_RENEGOTIATE, "SEC_I_RENEGOTIATE"},
        {SEC_I_CONTEXT_EXPIRED, "SEC_I_CONTEXT_EXPIRED"},
        {SEC_I_MESSAGE_FRAGMENT, "SEC_I_MESSAGE_FRAGMENT"},
        {SEC_E_MESSAGE_ALTERED, "SEC_E_MESSAGE_ALTERED"},
        {SEC_E_OUT_OF_SEQUENCE, "SEC_E_OUT_OF_SEQUENCE"},
        {SEC_E_INCOMPLETE_MESSAGE, "SEC_E_INCOMPLETE_MESSAGE"},
        {SEC_E_ALGORITHM_MISMATCH, "SEC_E_ALGORITHM_MISMATCH"},
        {SEC_E_ILLEGAL_MESSAGE, "SEC_E_ILLEGAL_MESSAGE"},
        {SEC_E_APPLICATION_PROTOCOL_MISMATCH, "SEC_E_APPLICATION_PROTOCOL_MISMATCH"},
        {CRYPT_E_REVOKED, "CRYPT_E_REVOKED"},
        {CRYPT_E_NO_REVOCATION_CHECK, "CRYPT_E_NO_REVOCATION_CHECK"},
    };
    const char *name = "UNKNOWN";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].status == status) name = names[i].name;
    printf("0x%08X %s", (unsigned)status, name);
}

/* ---- before the first leg ---- */

static bool settled(const struct peer *peer)
{
    return !peer->credential || refuse("the connection has begun");
}

static void command_role(struct peer *peer, char *rest)
{
    const bool client = rest && !strcmp(rest, "init");
    if (!client && !(rest && !strcmp(rest, "accept"))) {
        refuse("role is init or accept");
    } else if (settled(peer)) {
        peer->request.server = !client;
        peer->flags = TLS_LEG_TRUST_PEER;
        answer_status(SEC_E_OK);
    }
}

static void set_number(const struct peer *peer, uint32_t *number, char *rest)
{
    if (settled(peer) && take_number(&rest, number)) answer_status(SEC_E_OK);
}

static void command_protocols(struct peer *peer, char *rest)
{
    set_number(peer, &peer->request.protocols, rest);
}

static void command_without(struct peer *peer, char *rest)
{
    set_number(peer, &peer->request.without, rest);
}

static void command_resume(struct peer *peer, char *rest)
{
    (void)rest;
    if (!settled(peer)) return;
    peer->request.resume = true;
    answer_status(SEC_E_OK);
}

static void command_ask(struct peer *peer, char *rest)
{
    (void)rest;
    peer->flags |= TLS_LEG_ASK_PEER;
    answer_status(SEC_E_OK);
}

static void command_certificate(struct peer *peer, char *rest)
{
    if (!settled(peer) || !take_bytes(&rest, &peer->chain) || !take_bytes(&rest, &peer->key)) return;
    peer->request.key_format = TLS_KEY_PKCS8;
    answer_status(SEC_E_OK);
}

static void command_stapled(struct peer *peer, char *rest)
{
    if (settled(peer) && take_bytes(&rest, &peer->stapled)) answer_status(SEC_E_OK);
}

static void command_issuer(struct peer *peer, char *rest)
{
    if (!take_bytes(&rest, &peer->issuer)) return;
    peer->flags &= ~(uint32_t)TLS_LEG_TRUST_PEER;
    answer_status(SEC_E_OK);
}

static void command_target(struct peer *peer, char *rest)
{
    cs_writer_drop(&peer->target);
    if (cs_utf16_of(&peer->target, cs_span_of(rest))) answer_status(SEC_E_OK);
}

static void command_offer(struct peer *peer, char *rest)
{
    if (take_bytes(&rest, &peer->offer)) answer_status(SEC_E_OK);
}

static void command_datagram(struct peer *peer, char *rest)
{
    if (!settled(peer) || !take_number(&rest, &peer->mtu)) return;
    peer->flags |= TLS_LEG_DATAGRAM;
    answer_status(SEC_E_OK);
}

static void command_srtp(struct peer *peer, char *rest)
{
    if (take_bytes(&rest, &peer->profiles)) answer_status(SEC_E_OK);
}

static void command_address(struct peer *peer, char *rest)
{
    cs_writer_drop(&peer->address);
    if (take_bytes(&rest, &peer->address)) answer_status(SEC_E_OK);
}

/* ---- legs and messages ---- */

static SECURITY_STATUS acquire(struct peer *peer)
{
    if (peer->credential) return SEC_E_OK;
    peer->request.chain = cs_written(&peer->chain);
    peer->request.key = cs_written(&peer->key);
    peer->request.stapled = cs_written(&peer->stapled);
    return tls_credential_new(&peer->request, &peer->credential);
}

/* What Windows's policy makes of it where a program asks for the end certificate's revocation. */
static SECURITY_STATUS judge(struct peer *peer)
{
    struct cs_writer chain = {0};
    enum tls_stapled found = TLS_STAPLED_NONE;
    tls_query_bytes(peer->context, TLS_PEER_CHAIN, &chain);
    struct cs_reader reader = cs_reader_of(cs_written(&chain));
    const struct cs_span certificate = cs_read_span(&reader, cs_read_be(&reader, 3));
    tls_check_stapled(peer->context, certificate, cs_written(&peer->issuer), &found);
    cs_writer_drop(&chain);
    if (found == TLS_STAPLED_REVOKED) return CRYPT_E_REVOKED;
    return found == TLS_STAPLED_GOOD ? SEC_E_OK : CRYPT_E_NO_REVOCATION_CHECK;
}

/* As often as the other side's certificate is to be looked at. */
static SECURITY_STATUS run_leg(struct peer *peer, struct tls_leg *leg)
{
    SECURITY_STATUS status = tls_leg(&peer->context, leg);
    size_t consumed = leg->consumed;
    while (status == TLS_I_VERIFY_PEER) {
        leg->flags |= TLS_LEG_VERDICT;
        leg->verdict = judge(peer);
        leg->input = (struct cs_span){leg->input.data + leg->consumed, leg->input.size - leg->consumed};
        leg->consumed = 0;
        status = tls_leg(&peer->context, leg);
        consumed += leg->consumed;
    }
    leg->consumed = consumed;
    return status;
}

static void answer_token(struct peer *peer, const struct tls_leg *leg)
{
    struct cs_writer token = {0};
    uint8_t *room = leg->token_size ? cs_write_room(&token, leg->token_size) : NULL;
    if (room) tls_fetch_token(peer->context, room, leg->token_size);
    printf(" %zu", leg->consumed);
    answer_bytes(cs_written(&token));
    cs_writer_drop(&token);
}

static void command_leg(struct peer *peer, char *rest)
{
    struct cs_writer input = {0};
    struct tls_leg leg = {.flags = peer->flags, .room = 1 << 20};
    const bool none = !rest;
    if (!take_bytes(&rest, &input)) return;
    SECURITY_STATUS status = acquire(peer);
    leg.credential = peer->credential;
    leg.target = cs_written(&peer->target);
    leg.protocols = cs_written(&peer->offer);
    leg.input = cs_written(&input);
    leg.srtp_profiles = cs_written(&peer->profiles);
    leg.mtu = peer->mtu;
    leg.address = cs_written(&peer->address);
    if (none) leg.flags |= TLS_LEG_NO_INPUT;
    if (status == SEC_E_OK) status = run_leg(peer, &leg);
    answer_status(status);
    if (peer->context) answer_token(peer, &leg);
    cs_writer_drop(&input);
}

static void command_encrypt(struct peer *peer, char *rest)
{
    struct cs_writer data = {0}, record = {0};
    struct tls_info info;
    if (!take_bytes(&rest, &data)) return;
    SECURITY_STATUS status = tls_query(peer->context, &info);
    if (status == SEC_E_OK) {
        uint8_t *room = cs_write_room(&record, info.header + data.size + info.trailer);
        if (data.size) memcpy(room + info.header, data.data, data.size);
        struct cs_buffer buffers[] = {
            {info.header, SECBUFFER_STREAM_HEADER, (uintptr_t)room},
            {(uint32_t)data.size, SECBUFFER_DATA, (uintptr_t)(room + info.header)},
            {info.trailer, SECBUFFER_STREAM_TRAILER, (uintptr_t)(room + info.header + data.size)},
        };
        status = tls_encrypt(peer->context, &(struct cs_message){buffers, 3});
        record.size = buffers[0].size + buffers[1].size + buffers[2].size;
    }
    answer_status(status);
    if (status == SEC_E_OK) answer_bytes(cs_written(&record));
    cs_writer_drop(&data);
    cs_writer_drop(&record);
}

static void command_decrypt(struct peer *peer, char *rest)
{
    struct cs_writer record = {0};
    struct cs_buffer buffers[4] = {{0}};
    if (!take_bytes(&rest, &record)) return;
    buffers[0] = (struct cs_buffer){(uint32_t)record.size, SECBUFFER_DATA, (uintptr_t)record.data};
    const SECURITY_STATUS status = tls_decrypt(peer->context, &(struct cs_message){buffers, 4});
    answer_status(status);
    if (status >= 0 && status != SEC_I_CONTEXT_EXPIRED) {
        printf(" %u", buffers[3].type == SECBUFFER_EXTRA ? (unsigned)buffers[3].size : 0);
        answer_bytes((struct cs_span){cs_buffer_bytes(&buffers[1]), buffers[1].size});
    }
    cs_writer_drop(&record);
}

static void command_shutdown(struct peer *peer, char *rest)
{
    (void)rest;
    answer_status(tls_shut_down(peer->context));
}

static void command_again(struct peer *peer, char *rest)
{
    (void)rest;
    tls_context_release(peer->context);
    peer->context = NULL;
    answer_status(SEC_E_OK);
}

static void command_info(struct peer *peer, char *rest)
{
    struct tls_info info;
    (void)rest;
    const SECURITY_STATUS status = tls_query(peer->context, &info);
    answer_status(status);
    if (status) return;
    printf(" %04x %s %d", (unsigned)info.version, info.suite_name, info.resumed);
    answer_bytes((struct cs_span){info.alpn_name, info.alpn_size});
}

static void command_bytes(struct peer *peer, char *rest)
{
    struct cs_writer bytes = {0};
    uint32_t which;
    if (!take_number(&rest, &which)) return;
    answer_status(tls_query_bytes(peer->context, (enum tls_bytes)which, &bytes));
    answer_bytes(cs_written(&bytes));
    cs_writer_drop(&bytes);
}

static void command_export(struct peer *peer, char *rest)
{
    struct cs_writer material = {0};
    const struct cs_span none = {NULL, 0};
    uint32_t size;
    if (!take_number(&rest, &size)) return;
    answer_status(tls_export(peer->context, cs_span_of(rest), none, size, &material));
    answer_bytes(cs_written(&material));
    cs_writer_drop(&material);
}

int main(int argc, char **argv)
{
    static const struct command commands[] = {
        {"role", "init | accept", command_role},
        {"protocols", "SP_PROT bits", command_protocols},
        {"without", "bits of enum tls_without", command_without},
        {"resume", "", command_resume},
        {"ask", "for the client's certificate", command_ask},
        {"certificate", "CHAIN KEY (PKCS #8)", command_certificate},
        {"stapled", "OCSP response", command_stapled},
        {"issuer", "of the other side's certificate, which is to be good", command_issuer},
        {"target", "NAME", command_target},
        {"offer", "SEC_APPLICATION_PROTOCOLS", command_offer},
        {"datagram", "the MTU, or 0: DTLS", command_datagram},
        {"srtp", "SEC_SRTP_PROTECTION_PROFILES", command_srtp},
        {"address", "whence the next legs' input comes", command_address},
        {"leg", "[INPUT]: consumed, token", command_leg},
        {"encrypt", "DATA: the record", command_encrypt},
        {"decrypt", "RECORDS: how many bytes follow the first, data", command_decrypt},
        {"shutdown", "", command_shutdown},
        {"again", "a new connection with the same credential", command_again},
        {"info", "version, suite, resumed, ALPN", command_info},
        {"bytes", "enum tls_bytes", command_bytes},
        {"export", "SIZE LABEL: keying material (RFC 5705)", command_export},
    };
    struct peer peer = {.request = {.protocols = SP_PROT_TLS1_2_CLIENT | SP_PROT_TLS1_3_CLIENT}};
    const int result = run_program(argc, argv, commands, sizeof commands / sizeof *commands, &peer);
    tls_context_release(peer.context);
    tls_credential_release(peer.credential);
    cs_writer_drop(&peer.chain);
    cs_writer_drop(&peer.key);
    cs_writer_drop(&peer.target);
    cs_writer_drop(&peer.offer);
    cs_writer_drop(&peer.address);
    cs_writer_drop(&peer.stapled);
    cs_writer_drop(&peer.issuer);
    cs_writer_drop(&peer.profiles);
    return result;
}
