/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: a client that is asked for a certificate hears of it before its answer is chosen, and brings another
 * credential for the rest of the handshake (errors.tsv, SEC_I_INCOMPLETE_CREDENTIALS). The servers are GnuTLS's.
 */
#include "tls_unit.h"

#define TLS1_3 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

#define TLS1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.2"

static const struct server {
    const char *priority;
    struct tls_world_setup setup;
} servers[] = {
    {TLS1_3, {ONLY_TLS1_3}},
    {TLS1_3 ":-CIPHER-ALL:+CHACHA20-POLY1305", {ONLY_TLS1_3}},
    {TLS1_3 ":-GROUP-ALL:+GROUP-SECP384R1", {ONLY_TLS1_3}}, /* by way of a HelloRetryRequest */
    {TLS1_2, {ONLY_TLS1_2}},
};
enum { SERVERS = sizeof servers / sizeof *servers };

struct handshake {
    struct tls_peer peer;
    struct tls_world_pair pair, holder; /* the second has the other credential */
    struct tls_world_setup setup;
    struct cs_writer input; /* for the client, as far as not taken */
    size_t taken;
    unsigned told;
    bool answered_with_another;
};

static void open_handshake(struct handshake *at, const struct server *server, bool asks)
{
    struct tls_world_setup other = server->setup;
    *at = (struct handshake){.setup = server->setup};
    other.client_certificate = true;
    other.key = at->setup.key = TLS_WORLD_P256;
    at->setup.client_flags = TLS_LEG_TELL_ASKED;
    assert_int_equal(tls_world_open(&at->pair, &at->setup), SEC_E_OK);
    assert_int_equal(tls_world_open(&at->holder, &other), SEC_E_OK);
    tls_peer_open(&at->peer, true, server->priority, TLS_WORLD_RSA, 0);
    gnutls_certificate_server_set_request(at->peer.session, asks ? GNUTLS_CERT_REQUEST : GNUTLS_CERT_IGNORE);
}

static void close_handshake(struct handshake *at)
{
    tls_peer_close(&at->peer);
    tls_world_close(&at->pair);
    tls_world_close(&at->holder);
    cs_writer_drop(&at->input);
}

static SECURITY_STATUS client_leg(struct handshake *at, struct cs_span input, size_t *consumed)
{
    return tls_world_leg(&at->pair, &at->setup, true, input, consumed, &at->peer.incoming);
}

/* A leg with OFFERED bytes; and, when told, the same bytes once more, with the other credential or without. */
static SECURITY_STATUS leg_or_two(struct handshake *at, size_t offered)
{
    const struct cs_span input = {at->input.data + at->taken, offered};
    struct tls_credential *const own = at->pair.client_credential;
    size_t consumed = 0;
    SECURITY_STATUS status = client_leg(at, input, &consumed);
    if (status == SEC_I_INCOMPLETE_CREDENTIALS) {
        at->told++;
        if (at->answered_with_another) at->pair.client_credential = at->holder.client_credential;
        status = client_leg(at, input, &consumed);
        at->pair.client_credential = own;
    }
    if (status != SEC_E_INCOMPLETE_MESSAGE) at->taken += consumed;
    return status;
}

/* What the server has sent by now, in pieces that grow until they are taken. */
static SECURITY_STATUS take_flight(struct handshake *at, size_t piece)
{
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    size_t offered = 0;
    while (at->taken < at->input.size && status >= 0 && status != SEC_E_OK) {
        const size_t left = at->input.size - at->taken;
        offered = piece && offered + piece < left ? offered + piece : left;
        status = leg_or_two(at, offered);
        if (status == SEC_E_INCOMPLETE_MESSAGE && offered < left)
            status = SEC_I_CONTINUE_NEEDED;
        else
            offered = 0;
    }
    return status;
}

/* The server's flights from now on. */
static SECURITY_STATUS go_on(struct handshake *at, size_t piece)
{
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    for (unsigned turn = 0; turn < 4 && status == SEC_I_CONTINUE_NEEDED; turn++) {
        tls_peer_step(&at->peer);
        cs_write_span(&at->input, cs_written(&at->peer.outgoing));
        cs_writer_drop(&at->peer.outgoing);
        status = take_flight(at, piece);
    }
    if (at->peer.result) tls_peer_step(&at->peer); /* another step would begin another handshake */
    return status;
}

static SECURITY_STATUS shake(struct handshake *at, size_t piece)
{
    size_t consumed;
    const SECURITY_STATUS status = client_leg(at, (struct cs_span){NULL, 0}, &consumed);
    return status == SEC_I_CONTINUE_NEEDED ? go_on(at, piece) : status;
}

static bool has_certificate(const struct handshake *at)
{
    unsigned count = 0;
    return gnutls_certificate_get_peers(at->peer.session, &count) && count;
}

static void told_once_and_answered(void **state)
{
    static const size_t pieces[] = {0, 1, 5, 64, 300, 1000};
    (void)state;
    for (size_t i = 0; i < SERVERS; i++)
        for (size_t piece = 0; piece < sizeof pieces / sizeof *pieces; piece++)
            for (unsigned another = 0; another < 2; another++) {
                struct handshake at;
                open_handshake(&at, &servers[i], true);
                at.answered_with_another = another;
                const SECURITY_STATUS status = shake(&at, pieces[piece]);
                if (status || at.peer.result || at.told != 1 || has_certificate(&at) != another)
                    fail_msg("server %zu, pieces of %zu: %08x, %s, told %u times, %s certificate", i, pieces[piece],
                             (unsigned)status, gnutls_strerror(at.peer.result), at.told,
                             has_certificate(&at) ? "a" : "no");
                tls_expect_peer_talk(&at.peer, at.pair.client);
                close_handshake(&at);
            }
}

static void not_told_when_not_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < SERVERS; i++) {
        struct handshake at;
        open_handshake(&at, &servers[i], false);
        assert_int_equal(shake(&at, 0), SEC_E_OK);
        assert_int_equal(at.told, 0);
        close_handshake(&at);
    }
}

/* As servers do that find out later whose certificate they want; data of theirs is under way. In a cipher that is left
 * to GnuTLS nobody sees the request, and the handshake goes on with what the program has brought before. */
static void told_in_second_handshake(void **state)
{
    static const struct {
        struct server server;
        bool seen;
    } cases[] = {
        {{TLS1_2, {ONLY_TLS1_2}}, true},
        {{TLS1_2 ":-CIPHER-ALL:+CHACHA20-POLY1305", {ONLY_TLS1_2}}, true},
        {{TLS1_2 ":-CIPHER-ALL:+AES-128-CBC", {ONLY_TLS1_2}}, false},
    };
    static const size_t pieces[] = {0, 1, 64, 1000};
    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t piece = 0; piece < sizeof pieces / sizeof *pieces; piece++)
            for (unsigned another = 0; another < 2; another++) {
                struct handshake at;
                size_t consumed;
                open_handshake(&at, &cases[i].server, false);
                at.answered_with_another = another;
                assert_int_equal(shake(&at, 0), SEC_E_OK);
                gnutls_certificate_server_set_request(at.peer.session, GNUTLS_CERT_REQUEST);
                assert_int_equal(gnutls_rehandshake(at.peer.session), 0);
                assert_int_equal(client_leg(&at, cs_written(&at.peer.outgoing), &consumed), SEC_I_CONTINUE_NEEDED);
                cs_writer_drop(&at.peer.outgoing);
                tls_peer_send(&at.peer, "under way", 9);
                at.peer.result = GNUTLS_E_AGAIN;
                const SECURITY_STATUS status = go_on(&at, pieces[piece]);
                if (status || at.peer.result || at.told != cases[i].seen ||
                    has_certificate(&at) != (another && cases[i].seen))
                    fail_msg("server %zu, pieces of %zu: %08x, %s, told %u times, %s certificate", i, pieces[piece],
                             (unsigned)status, gnutls_strerror(at.peer.result), at.told,
                             has_certificate(&at) ? "a" : "no");
                close_handshake(&at);
            }
}

/* One bit of the flight, anywhere: nobody is told of a request in what does not verify, and no handshake ends well. */
static void forged_flights(void **state)
{
    (void)state;
    for (size_t place = 5;; place += 7) {
        struct handshake at;
        size_t consumed;
        open_handshake(&at, &servers[0], true);
        at.answered_with_another = true;
        assert_int_equal(client_leg(&at, (struct cs_span){NULL, 0}, &consumed), SEC_I_CONTINUE_NEEDED);
        tls_peer_step(&at.peer);
        cs_write_span(&at.input, cs_written(&at.peer.outgoing));
        cs_writer_drop(&at.peer.outgoing);
        const size_t size = at.input.size;
        if (place < size) at.input.data[place] ^= 0x10;
        const SECURITY_STATUS status = place < size ? take_flight(&at, 0) : SEC_E_OK;
        tls_peer_step(&at.peer);
        if (place < size && (status == SEC_E_OK || !at.peer.result || has_certificate(&at)))
            fail_msg("byte %zu: %08x, %s", place, (unsigned)status, gnutls_strerror(at.peer.result));
        close_handshake(&at);
        if (place >= size) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_once_and_answered),
        cmocka_unit_test(told_in_second_handshake),
        cmocka_unit_test(not_told_when_not_asked),
        cmocka_unit_test(forged_flights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
