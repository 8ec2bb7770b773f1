/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: a client that is asked for a certificate hears of it before its answer is chosen, and brings another
 * credential for the rest of the handshake (errors.tsv, SEC_I_INCOMPLETE_CREDENTIALS). The servers are GnuTLS's.
 */
#include "tls_unit.h"

#include <gnutls/x509.h>

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

/* Whose own certificate is not good is shown none of the client's, by its first credential or by another. */
static void refused_server_sees_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < SERVERS; i++)
        for (unsigned another = 0; another < 2; another++) {
            struct handshake at;
            open_handshake(&at, &servers[i], true);
            struct tls_credential *const without = at.pair.client_credential;
            at.answered_with_another = another;
            if (!another) at.pair.client_credential = at.holder.client_credential;
            at.pair.verdict = SEC_E_UNTRUSTED_ROOT;
            assert_int_equal(shake(&at, 0), SEC_E_UNTRUSTED_ROOT);
            assert_int_equal(at.pair.asked, 1);
            assert_int_equal(at.told, another);
            assert_int_equal(at.peer.result, GNUTLS_E_FATAL_ALERT_RECEIVED);
            assert_false(has_certificate(&at));
            at.pair.client_credential = without;
            close_handshake(&at);
        }
}

/* How much of FLIGHT nobody may change lest all that follows is unreadable: the hello, whose keys are others then, and
 * the first record under them. */
static size_t head_of(struct cs_span flight)
{
    const struct cs_span open = tls_open_head(flight);
    size_t first, missing;
    assert_int_equal(
        tls_first_record((struct cs_span){flight.data + open.size, flight.size - open.size}, &first, &missing),
        SEC_E_OK);
    return open.size + first;
}

/* One bit of the flight, anywhere: no handshake ends well, no certificate is shown, and nobody is told of a request
 * that comes behind what does not verify. */
static void forged_flights(void **state)
{
    size_t size = 6;
    (void)state;
    for (size_t place = 5; place < size; place += 7) {
        struct handshake at;
        size_t consumed;
        open_handshake(&at, &servers[0], true);
        at.answered_with_another = true;
        assert_int_equal(client_leg(&at, (struct cs_span){NULL, 0}, &consumed), SEC_I_CONTINUE_NEEDED);
        tls_peer_step(&at.peer);
        cs_write_span(&at.input, cs_written(&at.peer.outgoing));
        cs_writer_drop(&at.peer.outgoing);
        size = at.input.size;
        const bool behind = place < head_of(cs_written(&at.input));
        at.input.data[place] ^= 0x10;
        const SECURITY_STATUS status = take_flight(&at, 0);
        tls_peer_step(&at.peer);
        if (status == SEC_E_OK || !at.peer.result || has_certificate(&at) || (behind && at.told))
            fail_msg("byte %zu: %08x, %s, told %u times", place, (unsigned)status, gnutls_strerror(at.peer.result),
                     at.told);
        close_handshake(&at);
    }
}

/* In DER: of the server's certificate, but with so large an extension that its Certificate message takes two records,
 * of which the second begins with what looks like a CertificateRequest that names an issuer. */
static gnutls_datum_t make_certificate_with_request(const struct tls_world_certificate *original)
{
    enum { RECORD = 16384, BEFORE = 4 + 1 + 3 + 3 /* RFC 8446 4.4.2 */, STUFFING = 18000 };
    static const uint8_t request[] = "\x0d\0\0\x0e\0\0\x0b\0\x2f\0\x07\0\x05\0\x03"
                                     "abc";
    static const uint8_t stuffing[STUFFING] = {4, 0x82, (STUFFING - 4) >> 8, (STUFFING - 4) & 0xff};
    const gnutls_datum_t der = {(uint8_t *)original->chain.data + 3, (unsigned)original->chain.size - 3};
    const gnutls_datum_t pkcs8 = {(uint8_t *)original->key.data, (unsigned)original->key.size};
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t certificate;
    gnutls_datum_t made;
    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_privkey_import2(key, &pkcs8, GNUTLS_X509_FMT_DER, NULL, 0), 0);
    assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
    assert_int_equal(gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(gnutls_x509_crt_set_extension_by_oid(certificate, "1.2.3.4", stuffing, STUFFING, 0), 0);
    assert_int_equal(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &made), 0);
    gnutls_x509_crt_deinit(certificate);
    gnutls_x509_privkey_deinit(key);
    assert_memory_equal(made.data + RECORD - BEFORE, stuffing + 4, sizeof request); /* nobody verifies the signature */
    memcpy(made.data + RECORD - BEFORE, request, sizeof request - 1);
    return made;
}

static void use_certificate_with_request(struct tls_peer *peer)
{
    const struct tls_world_certificate *original = tls_world_certificate(TLS_WORLD_P256);
    const gnutls_datum_t pkcs8 = {(uint8_t *)original->key.data, (unsigned)original->key.size};
    gnutls_datum_t made = make_certificate_with_request(original);
    tls_peer_use(peer, TLS_WORLD_KEYS);
    assert_int_equal(
        gnutls_certificate_set_x509_key_mem2(peer->credentials, &made, &pkcs8, GNUTLS_X509_FMT_DER, NULL, 0), 0);
    gnutls_free(made.data);
}

/* To the end of the first record of data that is full. */
static size_t through_full_record(struct cs_span flight)
{
    struct cs_reader reader = cs_reader_of(flight);
    size_t length = 0;
    while (length <= TLS_MAX_PLAIN) {
        cs_read_span(&reader, 3);
        length = cs_read_be(&reader, 2);
        cs_read_span(&reader, length);
        assert_false(reader.failed);
    }
    return flight.size - reader.remaining;
}

/* Once GnuTLS has chosen of the client's certificates nobody hears of a request that is none: a program would bring
 * another credential, and let go of the one that GnuTLS points into. */
static void not_told_after_choice(void **state)
{
    struct handshake at;
    size_t consumed;
    (void)state;
    open_handshake(&at, &servers[0], true);
    use_certificate_with_request(&at.peer);
    struct tls_credential *const without = at.pair.client_credential;
    at.pair.client_credential = at.holder.client_credential; /* its certificate is one that the server takes */
    at.holder.client_credential = without;
    assert_int_equal(client_leg(&at, (struct cs_span){NULL, 0}, &consumed), SEC_I_CONTINUE_NEEDED);
    tls_peer_step(&at.peer);
    cs_write_span(&at.input, cs_written(&at.peer.outgoing));
    cs_writer_drop(&at.peer.outgoing);
    at.taken = through_full_record(cs_written(&at.input));
    assert_int_equal(client_leg(&at, (struct cs_span){at.input.data, at.taken}, &consumed), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(consumed, at.taken);
    const struct cs_span rest = {at.input.data + at.taken, at.input.size - at.taken};
    SECURITY_STATUS status = client_leg(&at, rest, &consumed);
    at.told = status == SEC_I_INCOMPLETE_CREDENTIALS;
    if (at.told) {
        tls_credential_release(at.pair.client_credential);
        at.pair.client_credential = without;
        at.holder.client_credential = NULL;
        status = client_leg(&at, rest, &consumed);
    }
    tls_peer_step(&at.peer);
    assert_int_equal(at.told, 0);
    assert_int_equal(status, SEC_E_OK);
    assert_true(has_certificate(&at));
    close_handshake(&at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_once_and_answered),   cmocka_unit_test(told_in_second_handshake),
        cmocka_unit_test(not_told_when_not_asked),  cmocka_unit_test(forged_flights),
        cmocka_unit_test(refused_server_sees_none), cmocka_unit_test(not_told_after_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
