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

/* What a program does with what it has: DATA first, then EXTRA goes to the start. The caller drops the data. */
static struct cs_writer take_all(struct tls_peer *peer, struct tls_context *ours)
{
    struct cs_writer all = {0};
    while (peer->outgoing.size) {
        struct cs_buffer buffers[4];
        assert_int_equal(tls_world_open_record(ours, peer->outgoing.data, peer->outgoing.size, buffers), SEC_E_OK);
        assert_int_equal(buffers[1].type, SECBUFFER_DATA);
        cs_write_span(&all, (struct cs_span){cs_buffer_bytes(&buffers[1]), buffers[1].size});
        const size_t extra = buffers[3].type == SECBUFFER_EXTRA ? buffers[3].size : 0;
        memmove(peer->outgoing.data, peer->outgoing.data + peer->outgoing.size - extra, extra);
        peer->outgoing.size = extra;
    }
    cs_writer_drop(&peer->outgoing);
    return all;
}

/* SIZE bytes of send_numbered's, and then LAST. */
static void expect_numbered(struct tls_peer *peer, struct tls_context *ours, size_t size, const char *last)
{
    struct cs_writer all = take_all(peer, ours);
    assert_int_equal(all.size, size + strlen(last));
    for (size_t at = 0; at < size; at++) assert_int_equal(all.data[at], (uint8_t)(at * 2654435761u >> 24));
    if (*last) assert_memory_equal(all.data + size, last, strlen(last));
    cs_writer_drop(&all);
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
            expect_numbered(&peer, pair.client, size, "");
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

/* A leg that takes no bytes of its input has none to announce the data by: the next record does, and comes behind it.
 */
static void announced_by_a_record(void **state)
{
    static const size_t sizes[] = {1, 9, 40, 3000, RECORD + 100};
    (void)state;
    for (size_t i = 0; i < PRIORITIES * sizeof sizes / sizeof *sizes; i++) {
        const struct tls_world_setup setup = setup_of();
        const size_t size = sizes[i / PRIORITIES];
        struct tls_peer peer;
        struct tls_world_pair pair;
        open_peer(&peer, &pair, true, priorities[i % PRIORITIES]);
        send_numbered(&peer, size);
        client_begins(&peer, &pair);
        assert_true(tls_peer_shake(&peer, &pair, &setup));
        cs_writer_drop(&peer.outgoing);
        pair.client->early_room = 0;
        struct tls_leg leg = {.consumed = 0};
        tls_early_announce(pair.client, &leg);
        assert_int_equal(leg.consumed, 0);
        assert_int_equal(pair.client->early_room, 0);
        tls_peer_send(&peer, "first", 5);
        tls_peer_send(&peer, "second", 6);
        expect_numbered(&peer, pair.client, size, "firstsecond");
        tls_expect_peer_talk(&peer, pair.client);
        close_peer(&peer, &pair);
    }
}

/* ---- forgers ---- */

enum forgery { CHANGED, CUT, DOUBLED, DROPPED, SWAPPED, FORGERIES };

/* The first record of BYTES, of SIZE bytes and with another of the same size behind it, is no longer as it was sent.
 * False: it is, for what was cut off and what took its place were the same byte. */
static bool forge(struct cs_writer *bytes, enum forgery how, size_t size, size_t at)
{
    uint8_t *first = bytes->data, *second = bytes->data + size;
    struct cs_writer copy = {0};
    cs_write_span(&copy, cs_written(bytes));
    switch (how) {
    case CHANGED: first[at] ^= 1; break;
    case CUT: memmove(first + at, first + at + 1, bytes->size-- - at - 1); break;
    case DOUBLED: memcpy(second, copy.data, size); break;
    case DROPPED: memmove(first, second, bytes->size -= size); break;
    default:
        memcpy(first, copy.data + size, size);
        memcpy(second, copy.data, size);
        break;
    }
    const bool changed = how == DOUBLED || memcmp(bytes->data, copy.data, size);
    cs_writer_drop(&copy);
    return changed;
}

/* Of two records of data under way, one is forged: no byte of it comes out, and the handshake does not go on. */
static void client_refuses_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRIORITIES; i++) {
        size_t size = 1;
        for (size_t how = 0; how < FORGERIES; how++)
            for (size_t at = 0; at < (how <= CUT ? size : 1); at++) {
                const struct tls_world_setup setup = setup_of();
                struct tls_peer peer;
                struct tls_world_pair pair;
                open_peer(&peer, &pair, true, priorities[i]);
                tls_peer_send(&peer, "one", 3);
                size = peer.outgoing.size;
                tls_peer_send(&peer, "two", 3);
                assert_int_equal(peer.outgoing.size, 2 * size);
                const size_t whole = forge(&peer.outgoing, (enum forgery)how, size, at) ? 0 : 3;
                client_begins(&peer, &pair);
                if (tls_peer_shake(&peer, &pair, &setup)) fail_msg("forgery %zu at %zu: through", how, at);
                if (how != CUT && at >= TLS_HEADER) assert_int_equal(pair.client_status, SEC_E_MESSAGE_ALTERED);
                const struct cs_writer *early = &pair.client->early;
                if (early->size != (how == DOUBLED ? 3 : whole) || (early->size && memcmp(early->data, "one", 3)))
                    fail_msg("%s, forgery %zu at %zu: %zu bytes, \"%.3s\", status %08x", priorities[i], how, at,
                             early->size, early->size ? (const char *)early->data : "", (unsigned)pair.client_status);
                close_peer(&peer, &pair);
            }
    }
}

/* ---- behind a ChangeCipherSpec ---- */

/* How many of the first bytes of RECORDS are those up to the ChangeCipherSpec, with it. */
static size_t through_the_change(struct cs_span records)
{
    struct cs_reader reader = cs_reader_of(records);
    size_t size, missing;
    uint8_t type = 0;
    while (type != TLS_CHANGE_CIPHER_SPEC) {
        assert_int_equal(tls_first_record((struct cs_span){reader.next, reader.remaining}, &size, &missing), SEC_E_OK);
        type = *reader.next;
        cs_read_span(&reader, size);
    }
    return records.size - reader.remaining;
}

/* What FROM, which has sent its Finished, would have sent as data instead, under the keys of before or the new ones. */
static struct cs_writer sealed_at_the_change(struct tls_context *from, bool new_keys)
{
    const enum tls_phase phase = from->phase;
    if (new_keys) assert_int_equal(tls_records_take(from), SEC_E_OK);
    if (new_keys) from->write.sequence = 0;
    from->phase = TLS_COMPLETE;
    struct cs_writer record = tls_sealed(from, "too early", 9);
    from->phase = phase;
    return record;
}

/* A second handshake up to the flight with that side's ChangeCipherSpec, and data of the sender's to go behind that. */
static void reach_the_change(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool of_server,
                             bool new_keys, struct cs_writer *flight, struct cs_writer *data)
{
    struct cs_writer hello = {0}, to_client = {0}, to_server = {0};
    size_t consumed;
    assert_int_equal(tls_world_leg(pair, setup, true, (struct cs_span){NULL, 0}, &consumed, &hello),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(tls_world_leg(pair, setup, false, cs_written(&hello), &consumed, &to_client),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(tls_world_leg(pair, setup, true, cs_written(&to_client), &consumed, &to_server),
                     SEC_I_CONTINUE_NEEDED);
    struct tls_context *from = of_server ? pair->server : pair->client;
    if (!new_keys) *data = sealed_at_the_change(from, false);
    if (of_server) {
        assert_int_equal(tls_world_leg(pair, setup, false, cs_written(&to_server), &consumed, flight), SEC_E_OK);
        cs_writer_drop(&to_server);
    } else {
        *flight = to_server;
    }
    if (new_keys) *data = sealed_at_the_change(from, true);
    cs_writer_drop(&hello);
    cs_writer_drop(&to_client);
}

/* Data under keys that no Finished vouches for yet is refused, in one leg with the ChangeCipherSpec or in the next. */
static void refused_behind_the_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3 * 2 * 2 * 2; i++) {
        struct tls_world_setup setup = tls_kinds[3 + i % 3].setup;
        const bool new_keys = i / 3 % 2, apart = i / 6 % 2, of_server = i / 12;
        struct tls_world_pair pair;
        struct cs_writer flight = {0}, data = {0}, input = {0}, none = {0};
        struct cs_buffer buffers[4];
        size_t consumed, start = 0;
        setup.key = TLS_WORLD_P256;
        tls_open_through(&pair, &setup);
        reach_the_change(&pair, &setup, of_server, new_keys, &flight, &data);
        struct tls_context *to = of_server ? pair.client : pair.server;
        const size_t change = through_the_change(cs_written(&flight));
        cs_write_span(&input, (struct cs_span){flight.data, change});
        cs_write_span(&input, cs_written(&data));
        cs_write_span(&input, (struct cs_span){flight.data + change, flight.size - change});
        if (apart) {
            const struct cs_span first = {input.data, change};
            assert_int_equal(tls_world_leg(&pair, &setup, of_server, first, &consumed, &none), SEC_I_CONTINUE_NEEDED);
            start = consumed;
        }
        const struct cs_span rest = {input.data + start, input.size - start};
        const SECURITY_STATUS status = tls_world_leg(&pair, &setup, of_server, rest, &consumed, &none);
        if (status >= 0) fail_msg("%zu: %08x", i, (unsigned)status);
        assert_int_equal(to->early.size, 0);
        assert_int_equal(tls_world_open_record(to, data.data, data.size, buffers), status);
        cs_writer_drop(&flight);
        cs_writer_drop(&data);
        cs_writer_drop(&input);
        cs_writer_drop(&none);
        tls_world_close(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(announced_by_a_record),
        cmocka_unit_test(client_refuses_changes),
        cmocka_unit_test(refused_behind_the_change),
        cmocka_unit_test(client_takes_it),
        cmocka_unit_test(client_ends_it),
        cmocka_unit_test(server_takes_it),
        cmocka_unit_test(server_takes_what_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
