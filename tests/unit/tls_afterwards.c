/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: what comes after the handshake and is no data: tickets, new keys, alerts, the end.
 *
 *  F2  TLS 1.3 post-handshake messages mixed with data; F4 close_notify, and its absence
 */
#include "tls_unit.h"

#define TLS1_3 "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define TLS1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define CBC TLS1_2 ":-CIPHER-ALL:+AES-256-CBC"

static const struct tls_world_setup setup = {.key = TLS_WORLD_P256, .resume = true, .client_flags = TLS_LEG_TRUST_PEER};

static struct tls_context *ours_of(const struct tls_peer *peer, const struct tls_world_pair *pair)
{
    return peer->server ? pair->client : pair->server;
}

static void open_peer(struct tls_peer *peer, struct tls_world_pair *pair, bool server, const char *priority)
{
    tls_peer_open(peer, server, priority, server ? TLS_WORLD_P256 : TLS_WORLD_KEYS, 0);
    if (server) {
        gnutls_datum_t key;
        assert_int_equal(gnutls_session_ticket_key_generate(&key), 0);
        assert_int_equal(gnutls_session_ticket_enable_server(peer->session, &key), 0);
        gnutls_free(key.data);
    }
    tls_open_with_peer(peer, pair, &setup);
}

static void close_peer(struct tls_peer *peer, struct tls_world_pair *pair)
{
    tls_peer_close(peer);
    tls_world_close(pair);
}

/* All that the peer has sent, by DecryptMessage and legs as a program calls them; what legs yield goes back to it.
 * Yields the data. STATUS: what ended it, SEC_E_INCOMPLETE_MESSAGE when everything has been taken. */
static struct cs_writer take_all(struct tls_peer *peer, struct tls_context *ours, SECURITY_STATUS *status)
{
    struct cs_writer data = {0}, bytes = peer->outgoing;
    uint8_t *next = bytes.data;
    size_t size = bytes.size;
    peer->outgoing = (struct cs_writer){0};
    for (;;) {
        struct cs_buffer buffers[4];
        *status = tls_world_open_record(ours, next, size, buffers);
        if (*status == SEC_E_OK && buffers[1].size)
            cs_write_span(&data, (struct cs_span){cs_buffer_bytes(&buffers[1]), buffers[1].size});
        if (*status != SEC_E_OK && *status != SEC_I_RENEGOTIATE) break;
        const bool extra = buffers[3].type == SECBUFFER_EXTRA;
        next = extra ? cs_buffer_bytes(&buffers[3]) : NULL;
        size = extra ? buffers[3].size : 0;
        if (*status == SEC_E_OK) continue;
        struct tls_leg leg = {.input = {next, size}, .room = 65536};
        *status = tls_leg(&ours, &leg);
        if (*status != SEC_E_OK) break;
        uint8_t *room = leg.token_size ? cs_write_room(&peer->incoming, leg.token_size) : NULL;
        if (room) assert_int_equal(tls_fetch_token(ours, room, leg.token_size), SEC_E_OK);
        next += leg.consumed;
        size -= leg.consumed;
    }
    cs_writer_drop(&bytes);
    return data;
}

static void expect_data(struct tls_peer *peer, struct tls_context *ours, const char *text)
{
    SECURITY_STATUS status;
    struct cs_writer data = take_all(peer, ours, &status);
    assert_int_equal(status, SEC_E_INCOMPLETE_MESSAGE);
    assert_int_equal(data.size, strlen(text));
    if (data.size) assert_memory_equal(data.data, text, data.size);
    cs_writer_drop(&data);
}

/* ---- tickets and keys ---- */

/* errors.tsv DecryptMessage: SEC_I_RENEGOTIATE, and the leg is to be given what is in EXTRA. */
static void ticket(void **state)
{
    struct tls_peer peer;
    struct tls_world_pair pair;
    struct cs_buffer buffers[4];
    (void)state;
    open_peer(&peer, &pair, true, TLS1_3);
    expect_data(&peer, pair.client, "");
    assert_int_equal(gnutls_session_ticket_send(peer.session, 1, 0), 0);
    struct cs_writer before = {0};
    cs_write_span(&before, cs_written(&peer.outgoing));
    for (unsigned again = 0; again < 3; again++) {
        assert_int_equal(tls_world_open_record(pair.client, peer.outgoing.data, peer.outgoing.size, buffers),
                         SEC_I_RENEGOTIATE);
        assert_int_equal(buffers[0].type, SECBUFFER_STREAM_HEADER);
        assert_int_equal(buffers[1].type, SECBUFFER_DATA);
        assert_int_equal(buffers[2].type, SECBUFFER_STREAM_TRAILER);
        for (size_t i = 0; i < 3; i++) assert_int_equal(buffers[i].size, 0);
        assert_int_equal(buffers[3].type, SECBUFFER_EXTRA);
        assert_ptr_equal(cs_buffer_bytes(&buffers[3]), peer.outgoing.data);
        assert_int_equal(buffers[3].size, peer.outgoing.size);
        assert_memory_equal(peer.outgoing.data, before.data, before.size);
    }
    expect_data(&peer, pair.client, "");
    tls_expect_peer_talk(&peer, pair.client);
    cs_writer_drop(&before);
    close_peer(&peer, &pair);
}

/* Every order of tickets, new keys of either side, and data, in one piece of memory. */
static void mixed(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 4 * 4 * 4; order++)
        for (unsigned server = 0; server < 2; server++) {
            struct tls_peer peer;
            struct tls_world_pair pair;
            char text[4] = "";
            open_peer(&peer, &pair, server, TLS1_3);
            for (unsigned step = 0, rest = order; step < 3; step++, rest /= 4) {
                switch (rest % 4) {
                case 0:
                    tls_peer_send(&peer, "x", 1);
                    strcat(text, "x");
                    break;
                case 1: assert_int_equal(gnutls_session_key_update(peer.session, 0), 0); break;
                case 2: assert_int_equal(gnutls_session_key_update(peer.session, GNUTLS_KU_PEER), 0); break;
                default:
                    if (server) assert_int_equal(gnutls_session_ticket_send(peer.session, 1, 0), 0);
                    break;
                }
            }
            expect_data(&peer, ours_of(&peer, &pair), text);
            tls_expect_peer_talk(&peer, ours_of(&peer, &pair));
            close_peer(&peer, &pair);
        }
}

static void key_updates_in_a_row(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const unsigned flags = i & 1 ? GNUTLS_KU_PEER : 0;
        struct tls_peer peer;
        struct tls_world_pair pair;
        open_peer(&peer, &pair, i & 2, TLS1_3);
        struct tls_context *ours = ours_of(&peer, &pair);
        expect_data(&peer, ours, "");
        for (unsigned round = 0; round < 6; round++) {
            uint8_t old[12], old_read[12];
            memcpy(old, ours->write.iv, sizeof old);
            memcpy(old_read, ours->read.iv, sizeof old_read);
            assert_int_equal(gnutls_session_key_update(peer.session, flags), 0);
            expect_data(&peer, ours, "");
            assert_memory_not_equal(old_read, ours->read.iv, sizeof old_read);
            assert_int_equal(memcmp(old, ours->write.iv, sizeof old) != 0, flags != 0);
            tls_expect_peer_talk(&peer, ours);
        }
        close_peer(&peer, &pair);
    }
}

/* RFC 8446 5.1: messages may be cut between records. The wish in the second half is seen all the same. */
static struct cs_writer protect_handshake(struct tls_context *from, const char *bytes, size_t size)
{
    uint8_t inner[64];
    memcpy(inner, bytes, size);
    inner[size] = TLS_HANDSHAKE;
    return tls_protect_inner(from, (struct cs_span){inner, size + 1});
}

static void key_update_in_pieces(void **state)
{
    static const char update[] = {24, 0, 0, 1, 1};
    (void)state;
    for (size_t cut = 1; cut < sizeof update; cut++) {
        struct tls_world_pair pair;
        size_t consumed;
        struct cs_writer answer = {0};
        tls_open_through(&pair, &setup);
        struct cs_writer records = protect_handshake(pair.server, update, cut);
        struct cs_writer second = protect_handshake(pair.server, update + cut, sizeof update - cut);
        cs_write_span(&records, cs_written(&second));
        assert_int_equal(tls_world_leg(&pair, &setup, true, cs_written(&records), &consumed, &answer), SEC_E_OK);
        assert_int_equal(consumed, records.size);
        if (!answer.size) fail_msg("cut behind %zu: no new keys in return", cut);
        cs_writer_drop(&records);
        assert_int_equal(tls_world_leg(&pair, &setup, false, cs_written(&answer), &consumed, &records), SEC_E_OK);
        assert_int_equal(records.size, 0);
        tls_expect_passes(pair.client, pair.server, "with new keys", 13);
        cs_writer_drop(&answer);
        cs_writer_drop(&second);
        cs_writer_drop(&records);
        tls_world_close(&pair);
    }
}

/* What is no KeyUpdate, though it ends like one, has none in return. */
static void key_update_of_none(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        SECURITY_STATUS status;
    } cases[] = {
        {"\x18\0\0\1\0", 5, SEC_E_OK},
        {"\x18\0\0\1\2", 5, SEC_E_ILLEGAL_MESSAGE}, /* RFC 8446 4.6.3 */
        {"\x18\0\0\0", 4, SEC_E_INVALID_TOKEN},
        {"\x18\0\0\2\1\1", 6, SEC_E_INVALID_TOKEN},
        {"\x04\0\0\x12\0\0\0\1\0\0\0\0\0\0\2xx\0\5\x18\0\0\1\1", 24, SEC_E_INVALID_TOKEN}, /* extensions cut short */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_world_pair pair;
        size_t consumed;
        struct cs_writer answer = {0};
        tls_open_through(&pair, &setup);
        struct cs_writer record = protect_handshake(pair.server, cases[i].bytes, cases[i].size);
        const SECURITY_STATUS status = tls_world_leg(&pair, &setup, true, cs_written(&record), &consumed, &answer);
        if (status != cases[i].status) fail_msg("case %zu: %08x", i, (unsigned)status);
        if (status == SEC_E_OK) assert_int_equal(answer.size, 0);
        cs_writer_drop(&record);
        cs_writer_drop(&answer);
        tls_world_close(&pair);
    }
}

/* ---- the end ---- */

static const char *const priorities[] = {TLS1_3, TLS1_2, CBC};
enum { PRIORITIES = 3 };

static void close_notify(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * PRIORITIES; i++) {
        struct tls_peer peer;
        struct tls_world_pair pair;
        SECURITY_STATUS status;
        uint8_t room[16];
        open_peer(&peer, &pair, i & 1, priorities[i / 2]);
        struct tls_context *ours = ours_of(&peer, &pair);
        tls_peer_send(&peer, "last words", 10);
        gnutls_bye(peer.session, GNUTLS_SHUT_WR);
        struct cs_writer data = take_all(&peer, ours, &status);
        assert_int_equal(status, SEC_I_CONTEXT_EXPIRED);
        assert_int_equal(data.size, 10);
        struct cs_buffer buffers[4];
        uint8_t more[] = "\x17\x03\x03\0\x20 and then there is more of it .";
        assert_int_equal(tls_world_open_record(ours, more, sizeof more, buffers), SEC_I_CONTEXT_EXPIRED);
        /* The other direction is still open (RFC 8446 6.1), until ours says the same. */
        cs_writer_drop(&data);
        data = tls_sealed(ours, "mine, too", 9);
        assert_int_equal(tls_peer_receive(&peer, cs_written(&data), room, sizeof room), 9);
        assert_int_equal(tls_shut_down(ours), SEC_E_OK);
        struct tls_leg leg = {.flags = TLS_LEG_NO_INPUT, .room = 100};
        assert_int_equal(tls_leg(&ours, &leg), SEC_E_OK);
        assert_true(leg.token_size > 0);
        assert_int_equal(tls_fetch_token(ours, cs_write_room(&peer.incoming, leg.token_size), leg.token_size),
                         SEC_E_OK);
        assert_int_equal(tls_peer_receive(&peer, (struct cs_span){NULL, 0}, room, sizeof room), 0);
        cs_writer_drop(&data);
        close_peer(&peer, &pair);
    }
}

/* F4: bytes that never come are no close_notify. */
static void cut_off(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * PRIORITIES; i++) {
        struct tls_peer peer;
        struct tls_world_pair pair;
        SECURITY_STATUS status;
        open_peer(&peer, &pair, i & 1, priorities[i / 2]);
        tls_peer_send(&peer, "last words", 10);
        gnutls_bye(peer.session, GNUTLS_SHUT_WR);
        peer.outgoing.size -= 1;
        struct cs_writer data = take_all(&peer, ours_of(&peer, &pair), &status);
        assert_int_equal(status, SEC_E_INCOMPLETE_MESSAGE);
        assert_int_equal(data.size, 10);
        cs_writer_drop(&data);
        close_peer(&peer, &pair);
    }
}

/* errors.tsv, "received TLS alert", all that can come. */
static const struct {
    uint8_t alert;
    SECURITY_STATUS status;
} alerts[] = {
    {10, SEC_E_ILLEGAL_MESSAGE},
    {20, SEC_E_MESSAGE_ALTERED},
    {21, SEC_E_DECRYPT_FAILURE},
    {22, SEC_E_ILLEGAL_MESSAGE},
    {30, SEC_E_MESSAGE_ALTERED},
    {40, SEC_E_ILLEGAL_MESSAGE},
    {42, SEC_E_CERT_UNKNOWN},
    {43, SEC_E_CERT_UNKNOWN},
    {44, CRYPT_E_REVOKED},
    {45, SEC_E_CERT_EXPIRED},
    {46, SEC_E_CERT_UNKNOWN},
    {47, SEC_E_ILLEGAL_MESSAGE},
    {48, SEC_E_UNTRUSTED_ROOT},
    {49, SEC_E_LOGON_DENIED},
    {50, SEC_E_ILLEGAL_MESSAGE},
    {51, SEC_E_DECRYPT_FAILURE},
    {60, SEC_E_ILLEGAL_MESSAGE},
    {70, SEC_E_UNSUPPORTED_FUNCTION},
    {71, SEC_E_ALGORITHM_MISMATCH},
    {80, SEC_E_INTERNAL_ERROR},
    {90, SEC_E_UNFINISHED_CONTEXT_DELETED},
    {100, SEC_E_ILLEGAL_MESSAGE},
    {110, SEC_E_ILLEGAL_MESSAGE},
    {115, SEC_E_ILLEGAL_MESSAGE},
    {120, SEC_E_APPLICATION_PROTOCOL_MISMATCH},
    {255, SEC_E_ILLEGAL_MESSAGE},
};

static void fatal_alerts(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRIORITIES * sizeof alerts / sizeof *alerts; i++) {
        struct tls_peer peer;
        struct tls_world_pair pair;
        SECURITY_STATUS status, again;
        open_peer(&peer, &pair, i & 1, priorities[i % PRIORITIES]);
        struct tls_context *ours = ours_of(&peer, &pair);
        assert_int_equal(
            gnutls_alert_send(peer.session, GNUTLS_AL_FATAL, (gnutls_alert_description_t)alerts[i / PRIORITIES].alert),
            0);
        struct cs_writer data = take_all(&peer, ours, &status), record = {0};
        if (status != alerts[i / PRIORITIES].status)
            fail_msg("alert %u: %08x", alerts[i / PRIORITIES].alert, (unsigned)status);
        tls_peer_send(&peer, "after it", 8);
        cs_writer_drop(&data);
        data = take_all(&peer, ours, &again);
        assert_int_equal(again, status);
        assert_int_equal(data.size, 0);
        assert_int_equal(tls_world_seal(ours, "x", 1, &record), SEC_E_INVALID_HANDLE);
        cs_writer_drop(&record);
        cs_writer_drop(&data);
        close_peer(&peer, &pair);
    }
}

/* A warning passes without data; in TLS 1.3 only this one can (RFC 8446 6.1), which Java sends before close_notify. */
static void warnings(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * PRIORITIES; i++) {
        struct tls_peer peer;
        struct tls_world_pair pair;
        open_peer(&peer, &pair, i & 1, priorities[i / 2]);
        tls_peer_send(&peer, "be", 2);
        assert_int_equal(gnutls_alert_send(peer.session, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED), 0);
        tls_peer_send(&peer, "fore", 4);
        expect_data(&peer, ours_of(&peer, &pair), "before");
        tls_expect_peer_talk(&peer, ours_of(&peer, &pair));
        close_peer(&peer, &pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticket),
        cmocka_unit_test(mixed),
        cmocka_unit_test(key_updates_in_a_row),
        cmocka_unit_test(key_update_in_pieces),
        cmocka_unit_test(key_update_of_none),
        cmocka_unit_test(close_notify),
        cmocka_unit_test(cut_off),
        cmocka_unit_test(fatal_alerts),
        cmocka_unit_test(warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
