/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: data that is under way when another handshake begins (RFC 5246 7.4.1.1 and 7.4.1.2 let a peer answer when
 * it gets to it). The peer is GnuTLS's, for ours has no data to send in between.
 */
#include "tls_unit.h"

static const char *const priorities[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.2",
                                         "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CHACHA20-POLY1305",
                                         "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC"};
enum { PRIORITIES = sizeof priorities / sizeof *priorities, RECORD = 16384 };

static struct tls_world_setup setup_of(void)
{
    return (struct tls_world_setup){ONLY_TLS1_2, .key = TLS_WORLD_P256};
}

static void open_peer(struct tls_peer *peer, struct tls_world_pair *pair, bool server, const char *priority)
{
    const struct tls_world_setup setup = setup_of();
    tls_peer_open(peer, server, priority, server ? TLS_WORLD_P256 : TLS_WORLD_KEYS, 0);
    tls_open_with_peer(peer, pair, &setup);
    assert_int_equal(peer->outgoing.size, 0);
}

static void close_peer(struct tls_peer *peer, struct tls_world_pair *pair)
{
    tls_peer_close(peer);
    tls_world_close(pair);
}

/* The peer sends SIZE bytes, numbered in some way, in records as it likes. */
static void send_numbered(struct tls_peer *peer, size_t size)
{
    uint8_t data[RECORD];
    for (size_t at = 0; at < size; at += RECORD) {
        const size_t part = size - at < RECORD ? size - at : RECORD;
        for (size_t i = 0; i < part; i++) data[i] = (uint8_t)((at + i) * 2654435761u >> 24);
        tls_peer_send(peer, data, part);
    }
}

/* What a program does with what it has: DATA first, then EXTRA goes to the start. */
static void expect_numbered(struct tls_peer *peer, struct tls_context *ours, size_t size)
{
    size_t got = 0;
    while (peer->outgoing.size) {
        struct cs_buffer buffers[4];
        assert_int_equal(tls_world_open_record(ours, peer->outgoing.data, peer->outgoing.size, buffers), SEC_E_OK);
        assert_int_equal(buffers[1].type, SECBUFFER_DATA);
        const uint8_t *data = cs_buffer_bytes(&buffers[1]);
        for (size_t i = 0; i < buffers[1].size; i++, got++)
            assert_int_equal(data[i], (uint8_t)(got * 2654435761u >> 24));
        const size_t extra = buffers[3].type == SECBUFFER_EXTRA ? buffers[3].size : 0;
        memmove(peer->outgoing.data, peer->outgoing.data + peer->outgoing.size - extra, extra);
        peer->outgoing.size = extra;
    }
    assert_int_equal(got, size);
    cs_writer_drop(&peer->outgoing);
}

static void client_begins(struct tls_peer *peer, struct tls_world_pair *pair)
{
    const struct tls_world_setup setup = setup_of();
    size_t consumed;
    assert_int_equal(tls_world_leg(pair, &setup, true, (struct cs_span){NULL, 0}, &consumed, &peer->incoming),
                     SEC_I_CONTINUE_NEEDED);
}

/* The handshake goes on, and the data comes out after it; what is sent then follows it. */
static void client_takes_it(void **state)
{
    static const size_t sizes[] = {1, 40, 5000, 3 * RECORD + 7, 60 * RECORD};
    (void)state;
    for (size_t i = 0; i < PRIORITIES * sizeof sizes / sizeof *sizes; i++) {
        const struct tls_world_setup setup = setup_of();
        const size_t size = sizes[i / PRIORITIES];
        struct tls_peer peer;
        struct tls_world_pair pair;
        open_peer(&peer, &pair, true, priorities[i % PRIORITIES]);
        for (unsigned round = 0; round < 2; round++) {
            send_numbered(&peer, size);
            client_begins(&peer, &pair);
            if (!tls_peer_shake(&peer, &pair, &setup))
                fail_msg("%zu, round %u: ours %08x, peer %s", i, round, (unsigned)pair.client_status,
                         gnutls_strerror(peer.result));
            assert_true(peer.outgoing.size > 0); /* the program is told that there is something */
            expect_numbered(&peer, pair.client, size);
            tls_expect_peer_talk(&peer, pair.client);
        }
        close_peer(&peer, &pair);
    }
}

/* A peer that never answers fills no memory. */
static void client_ends_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRIORITIES; i++) {
        const struct tls_world_setup setup = setup_of();
        struct tls_peer peer;
        struct tls_world_pair pair;
        open_peer(&peer, &pair, true, priorities[i]);
        client_begins(&peer, &pair);
        send_numbered(&peer, 66 * RECORD);
        assert_false(tls_peer_shake(&peer, &pair, &setup));
        assert_true(pair.client_status < 0);
        assert_true(pair.client->early.size <= 65 * RECORD);
        close_peer(&peer, &pair);
    }
}

/* Data that is changed under way is no data. */
static void client_refuses_forged(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRIORITIES; i++) {
        const struct tls_world_setup setup = setup_of();
        struct tls_peer peer;
        struct tls_world_pair pair;
        open_peer(&peer, &pair, true, priorities[i]);
        send_numbered(&peer, 100);
        peer.outgoing.data[peer.outgoing.size - 20] ^= 1;
        client_begins(&peer, &pair);
        assert_false(tls_peer_shake(&peer, &pair, &setup));
        assert_int_equal(pair.client_status, SEC_E_MESSAGE_ALTERED);
        assert_int_equal(pair.client->early.size, 0);
        close_peer(&peer, &pair);
    }
}

/* A server has asked; what the client has sent before it heard is data, which a leg leaves to DecryptMessage. */
static void server_takes_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRIORITIES; i++) {
        const struct tls_world_setup setup = setup_of();
        struct tls_peer peer;
        struct tls_world_pair pair;
        struct cs_buffer buffers[4];
        struct cs_writer request = {0};
        uint8_t room[16];
        size_t consumed;
        open_peer(&peer, &pair, false, priorities[i]);
        assert_int_equal(tls_world_leg(&pair, &setup, false, (struct cs_span){NULL, 0}, &consumed, &request),
                         SEC_I_CONTINUE_NEEDED);
        send_numbered(&peer, 9);
        const size_t data = peer.outgoing.size;
        assert_int_equal(tls_peer_receive(&peer, cs_written(&request), room, sizeof room), GNUTLS_E_REHANDSHAKE);
        tls_peer_step(&peer); /* its ClientHello */
        assert_true(peer.outgoing.size > data);
        struct cs_writer none = {0};
        assert_int_equal(tls_world_leg(&pair, &setup, false, cs_written(&peer.outgoing), &consumed, &none), SEC_E_OK);
        assert_int_equal(consumed, 0);
        assert_int_equal(tls_world_open_record(pair.server, peer.outgoing.data, peer.outgoing.size, buffers), SEC_E_OK);
        assert_int_equal(buffers[1].size, 9);
        assert_int_equal(buffers[3].type, SECBUFFER_EXTRA);
        memmove(peer.outgoing.data, cs_buffer_bytes(&buffers[3]), buffers[3].size);
        peer.outgoing.size = buffers[3].size;
        assert_true(tls_peer_shake(&peer, &pair, &setup));
        tls_expect_peer_talk(&peer, pair.server);
        cs_writer_drop(&request);
        cs_writer_drop(&none);
        close_peer(&peer, &pair);
    }
}

/* A record of data under the old keys, once the ClientHello is out, as OpenSSL's programs send. */
static struct cs_writer sealed_behind_hello(struct tls_context *client, const char *text, size_t size)
{
    uint8_t number[8] = {0};
    client->phase = TLS_COMPLETE;
    client->write.sequence++;
    struct cs_writer record = tls_sealed(client, text, size);
    client->phase = TLS_RENEGOTIATING;
    number[7] = (uint8_t)client->write.sequence;
    assert_int_equal(gnutls_record_set_state(client->session, 0, number), 0);
    return record;
}

/* A client has sent data behind its ClientHello, which DecryptMessage has left to the leg. */
static void server_takes_what_follows(void **state)
{
    (void)state;
    for (size_t kind = 3; kind < TLS_AEAD_KINDS; kind++) {
        struct tls_world_setup setup = tls_kinds[kind].setup;
        struct tls_world_pair pair;
        struct cs_writer input = {0}, to_client = {0}, to_server = {0}, last = {0};
        struct cs_buffer buffers[4];
        size_t consumed;
        setup.key = TLS_WORLD_P256;
        tls_open_through(&pair, &setup);
        assert_int_equal(tls_world_leg(&pair, &setup, true, (struct cs_span){NULL, 0}, &consumed, &input),
                         SEC_I_CONTINUE_NEEDED);
        struct cs_writer data = sealed_behind_hello(pair.client, "follows", 7);
        cs_write_span(&input, cs_written(&data));
        assert_int_equal(tls_world_leg(&pair, &setup, false, cs_written(&input), &consumed, &to_client),
                         SEC_I_CONTINUE_NEEDED);
        assert_int_equal(consumed, input.size);
        assert_int_equal(tls_world_leg(&pair, &setup, true, cs_written(&to_client), &consumed, &to_server),
                         SEC_I_CONTINUE_NEEDED);
        assert_int_equal(tls_world_leg(&pair, &setup, false, cs_written(&to_server), &consumed, &last), SEC_E_OK);
        assert_int_equal(to_server.size - consumed, 7);
        assert_int_equal(tls_world_open_record(pair.server, to_server.data + consumed, 7, buffers), SEC_E_OK);
        assert_int_equal(buffers[1].size, 7);
        assert_memory_equal(cs_buffer_bytes(&buffers[1]), "follows", 7);
        assert_int_equal(tls_world_leg(&pair, &setup, true, cs_written(&last), &consumed, &data), SEC_E_OK);
        tls_expect_talk(&pair);
        cs_writer_drop(&input);
        cs_writer_drop(&to_client);
        cs_writer_drop(&to_server);
        cs_writer_drop(&last);
        cs_writer_drop(&data);
        tls_world_close(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_takes_it),           cmocka_unit_test(client_ends_it),
        cmocka_unit_test(client_refuses_forged),     cmocka_unit_test(server_takes_it),
        cmocka_unit_test(server_takes_what_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
