/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel over datagrams: DTLS 1.0 and 1.2 (RFC 4347, RFC 6347), on networks that lose, double and reorder.
 */
#include "tls_datagram_unit.h"

#include <gnutls/dtls.h>

static const struct tls_world_setup kinds[] = {
    {ONLY_DTLS1_2},
    {ONLY_DTLS1_2, .key = TLS_WORLD_P256, .client_without = TLS_WITHOUT_AES256},
    {ONLY_DTLS1_2, .client_without = TLS_WITHOUT_AES128 | TLS_WITHOUT_AES256},
    {ONLY_DTLS1_2, .client_without = WITHOUT_AEAD},
    {ONLY_DTLS1_2, .client_without = WITHOUT_AEAD | TLS_WITHOUT_SHA256 | TLS_WITHOUT_SHA384},
    {ONLY_DTLS1_0},
    {ONLY_DTLS1_0, .key = TLS_WORLD_P256, .address = ADDRESS},
    {ONLY_DTLS1_2, .address = ADDRESS, .client_certificate = true, .server_flags = TLS_LEG_ASK_PEER},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void each_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct tls_world_pair pair;
        struct tls_network network;
        dtls_open_through(&network, &pair, &kinds[i]);
        assert_int_equal(network.silences, 0);
        assert_true(network.largest <= DTLS_DEFAULT_MTU);
        dtls_expect_talk(&pair);
        dtls_close(&network);
    }
}

/* Row 152's two versions, and what both name. */
static void versions(void **state)
{
    static const struct {
        uint32_t client, server, out;
        uint16_t wire;
    } cases[] = {
        {SP_PROT_DTLS1_0_CLIENT | SP_PROT_DTLS1_2_CLIENT, SP_PROT_DTLS1_0_SERVER | SP_PROT_DTLS1_2_SERVER,
         SP_PROT_DTLS1_2_CLIENT, 0xFEFD},
        {SP_PROT_DTLS1_0_CLIENT | SP_PROT_DTLS1_2_CLIENT, SP_PROT_DTLS1_0_SERVER, SP_PROT_DTLS1_0_CLIENT, 0xFEFF},
        {SP_PROT_DTLS1_0_CLIENT, SP_PROT_DTLS1_0_SERVER | SP_PROT_DTLS1_2_SERVER, SP_PROT_DTLS1_0_CLIENT, 0xFEFF},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct tls_world_setup setup = {
            .datagram = true, .client_protocols = cases[i].client, .server_protocols = cases[i].server};
        struct tls_world_pair pair;
        struct tls_network network;
        struct tls_info info;
        dtls_open_through(&network, &pair, &setup);
        assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
        assert_int_equal(info.protocol, cases[i].out);
        assert_int_equal(info.version, cases[i].wire);
        assert_int_equal(tls_query(pair.server, &info), SEC_E_OK);
        assert_int_equal(info.protocol, cases[i].out >> 1);
        dtls_close(&network);
    }
}

static void nothing_in_common(void **state)
{
    const struct tls_world_setup setup = {
        .datagram = true, .client_protocols = SP_PROT_DTLS1_0_CLIENT, .server_protocols = SP_PROT_DTLS1_2_SERVER};
    struct tls_world_pair pair;
    struct tls_network network;
    (void)state;
    dtls_open_network(&network, &pair, &setup);
    assert_false(tls_network_shake(&network));
    assert_int_equal(pair.server_status, SEC_E_UNSUPPORTED_FUNCTION);
    assert_int_equal(pair.client_status, SEC_E_UNSUPPORTED_FUNCTION);
    dtls_close(&network);
}

/* A credential of TLS makes no datagrams, and the other way round. */
static void wrong_credential(void **state)
{
    const struct tls_world_setup setups[] = {
        {.datagram = true}, {.client_protocols = SP_PROT_DTLS1_2_CLIENT, .server_protocols = SP_PROT_DTLS1_2_SERVER}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tls_world_pair pair;
        struct cs_writer token = {0};
        size_t consumed;
        assert_int_equal(tls_world_open(&pair, &setups[i]), SEC_E_OK);
        for (unsigned client = 0; client < 2; client++)
            assert_int_equal(tls_world_leg(&pair, &setups[i], client, (struct cs_span){NULL, 0}, &consumed, &token),
                             SEC_E_ALGORITHM_MISMATCH);
        tls_world_close(&pair);
    }
}

/* ---- MTU ---- */

static void mtu(void **state)
{
    static const uint32_t sizes[] = {200, 256, 500, 1024, 1400, 16000, 65535};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        const struct tls_world_setup setup = {ONLY_DTLS1_2, .mtu = sizes[i / 2], .address = {(uint8_t *)"a", i % 2}};
        struct tls_world_pair pair;
        struct tls_network network;
        struct tls_info info;
        static uint8_t text[65536];
        dtls_open_through(&network, &pair, &setup);
        assert_true(network.largest <= sizes[i / 2]);
        assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
        assert_true(info.maximum + info.header + info.trailer <= sizes[i / 2]);
        assert_true(info.maximum > 100);
        dtls_expect_passes(pair.client, pair.server, text, info.maximum);
        struct cs_writer record = {0};
        assert_int_equal(tls_world_seal(pair.client, text, info.maximum + 1, &record), SEC_E_ENCRYPT_FAILURE);
        cs_writer_drop(&record);
        dtls_close(&network);
    }
}

static void another_mtu(void **state)
{
    const struct tls_world_setup setup = {ONLY_DTLS1_2}, stream = {ONLY_TLS1_2};
    struct tls_world_pair pair, other;
    struct tls_network network;
    struct tls_info info;
    (void)state;
    dtls_open_through(&network, &pair, &setup);
    assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
    assert_int_equal(info.maximum, DTLS_DEFAULT_MTU - info.header - info.trailer);
    assert_int_equal(tls_set_mtu(pair.client, 500), SEC_E_OK);
    assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
    assert_int_equal(info.maximum, 500 - info.header - info.trailer);
    dtls_close(&network);
    tls_open_through(&other, &stream);
    assert_int_equal(tls_set_mtu(other.client, 500), SEC_E_UNSUPPORTED_FUNCTION);
    tls_world_close(&other);
}

/* A token that does not fit stays until there is room for it; and it never takes more than there is. */
static void little_room(void **state)
{
    const struct tls_world_setup setup = {ONLY_DTLS1_2};
    struct tls_world_pair pair;
    struct tls_network network;
    (void)state;
    dtls_open_network(&network, &pair, &setup);
    tls_network_leg(&network, true, (struct cs_span){NULL, 0});
    struct tls_leg leg = {.credential = pair.server_credential, .flags = TLS_LEG_DATAGRAM, .room = 10};
    leg.input = cs_written(&network.queues[0][0]);
    assert_int_equal(tls_leg(&pair.server, &leg), SEC_E_INSUFFICIENT_MEMORY);
    assert_int_equal(leg.token_size, 0);
    leg.room = 400;
    size_t sum = 0;
    SECURITY_STATUS status = SEC_I_MESSAGE_FRAGMENT;
    for (unsigned i = 0; status == SEC_I_MESSAGE_FRAGMENT && i < 20; i++) {
        uint8_t room[1500];
        status = tls_leg(&pair.server, &leg);
        if (status == SEC_E_INSUFFICIENT_MEMORY) { /* a record of GnuTLS's that is larger */
            leg.room = 1100;
            status = SEC_I_MESSAGE_FRAGMENT;
            continue;
        }
        assert_true(leg.token_size <= leg.room);
        sum += leg.token_size;
        assert_int_equal(tls_fetch_token(pair.server, room, leg.token_size + 1), SEC_E_BUFFER_TOO_SMALL);
        assert_int_equal(tls_fetch_token(pair.server, room, leg.token_size), SEC_E_OK);
        leg.room = 400;
    }
    assert_int_equal(status, SEC_I_CONTINUE_NEEDED);
    assert_true(sum > 1000);
    dtls_close(&network);
}

/* ---- losses ---- */

/* Bits of the plan: 8 bits each for what becomes of the first datagram with that number, and the second. */
static enum tls_fate by_plan(struct tls_network *network, bool from_client, unsigned number, struct cs_writer *datagram)
{
    const unsigned id = number * 2 + from_client + 1;
    (void)datagram;
    for (unsigned shift = 0; shift < 64; shift += 16)
        if ((network->plan >> shift & 0xFF) == id) return (enum tls_fate)(network->plan >> (shift + 8) & 0xFF);
    return TLS_FATE_ARRIVES;
}

static uint64_t planned(unsigned id, enum tls_fate fate)
{
    return (uint64_t)fate << 8 | id;
}

static void expect_survives(const struct tls_world_setup *setup, uint64_t plan, bool client_waits, bool server_waits)
{
    struct tls_world_pair pair;
    struct tls_network network;
    dtls_open_network(&network, &pair, setup);
    network.fate = by_plan;
    network.plan = plan;
    network.client_waits = client_waits;
    network.server_waits = server_waits;
    if (!tls_network_shake(&network))
        fail_msg("plan %llx, waits %d %d: client %08x, server %08x, %u silences", (unsigned long long)plan,
                 client_waits, server_waits, (unsigned)pair.client_status, (unsigned)pair.server_status,
                 network.silences);
    tls_network_clear(&network);
    dtls_expect_talk(&pair);
    dtls_close(&network);
}

static const struct tls_world_setup lossy[] = {
    {ONLY_DTLS1_2, .key = TLS_WORLD_P256, .mtu = 300},
    {ONLY_DTLS1_2, .key = TLS_WORLD_P256, .mtu = 300, .address = ADDRESS},
    {ONLY_DTLS1_2, .key = TLS_WORLD_P256, .mtu = 300, .client_certificate = true, .server_flags = TLS_LEG_ASK_PEER},
    {ONLY_DTLS1_0, .key = TLS_WORLD_P256},
};
enum { LOSSY = sizeof lossy / sizeof *lossy, IDS = 24 };

/* Whoever keeps time, each single mishap is made up for. */
static void one_mishap(void **state)
{
    (void)state;
    for (size_t i = 0; i < LOSSY; i++)
        for (unsigned id = 1; id <= IDS; id++)
            for (enum tls_fate fate = TLS_FATE_IS_LOST; fate <= TLS_FATE_IS_LATE; fate++)
                for (unsigned waits = 0; waits < 3; waits++)
                    expect_survives(&lossy[i], planned(id, fate), waits & 1, waits & 2);
}

static void two_losses(void **state)
{
    (void)state;
    for (size_t i = 0; i < LOSSY; i++)
        for (unsigned first = 1; first <= IDS; first++)
            for (unsigned second = first + 1; second <= IDS; second++)
                expect_survives(&lossy[i], planned(first, TLS_FATE_IS_LOST) | planned(second, TLS_FATE_IS_LOST) << 16,
                                false, false);
}

/* Every so many, whatever they are; the sum differs from run to run of the handshake's retransmissions. */
static enum tls_fate every_third(struct tls_network *network, bool from_client, unsigned number,
                                 struct cs_writer *datagram)
{
    (void)from_client, (void)number, (void)datagram;
    network->plan = network->plan * 6364136223846793005u + 1442695040888963407u;
    const unsigned draw = (unsigned)(network->plan >> 33) % 12;
    return draw < 3    ? TLS_FATE_IS_LOST
           : draw == 3 ? TLS_FATE_IS_DOUBLED
           : draw == 4 ? TLS_FATE_IS_LATE
                       : TLS_FATE_ARRIVES;
}

static void bad_network(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct tls_world_pair pair;
        struct tls_network network;
        dtls_open_network(&network, &pair, &lossy[seed % LOSSY]);
        network.fate = every_third;
        network.plan = seed;
        if (!tls_network_shake(&network))
            fail_msg("seed %u: client %08x, server %08x", (unsigned)seed, (unsigned)pair.client_status,
                     (unsigned)pair.server_status);
        tls_network_clear(&network);
        dtls_expect_talk(&pair);
        dtls_close(&network);
    }
}

/* Row 182: nothing but the record's number differs. */
static void retransmission(void **state)
{
    const struct tls_world_setup setup = {ONLY_DTLS1_2};
    struct tls_world_pair pair;
    struct tls_network network;
    (void)state;
    dtls_open_network(&network, &pair, &setup);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(tls_network_leg(&network, true, (struct cs_span){i % 2 ? (uint8_t *)"" : NULL, 0}),
                         SEC_I_CONTINUE_NEEDED);
        assert_int_equal(network.waiting[0], i + 1);
        const struct cs_writer *first = &network.queues[0][0], *this = &network.queues[0][i];
        assert_int_equal(this->size, first->size);
        assert_int_equal(this->data[10], i);
        assert_memory_equal(this->data, first->data, 10);
        assert_memory_equal(this->data + 11, first->data + 11, first->size - 11);
    }
    dtls_close(&network);
}

/* What is lost is the last flight: the other side sends its own once more, and then gets it. */
static void last_flight_lost(void **state)
{
    (void)state;
    for (unsigned resumed = 0; resumed < 2; resumed++) {
        const struct tls_world_setup setup = {ONLY_DTLS1_2, .resume = true};
        struct tls_world_pair pair;
        struct tls_network network;
        dtls_open_through(&network, &pair, &setup);
        if (resumed) {
            tls_world_hang_up(&pair);
            network = (struct tls_network){.pair = &pair, .setup = &setup};
        } else {
            dtls_close(&network);
            dtls_open_network(&network, &pair, &setup);
        }
        SECURITY_STATUS *const ends = resumed ? &pair.client_status : &pair.server_status;
        pair.client_status = pair.server_status = SEC_I_CONTINUE_NEEDED;
        tls_network_leg(&network, true, (struct cs_span){NULL, 0});
        for (bool client = false; *ends != SEC_E_OK; client = !client) tls_network_deliver(&network, client);
        tls_network_clear(&network);
        for (unsigned i = 0; i < 3; i++) { /* lost again and again */
            assert_int_equal(tls_network_leg(&network, !resumed, (struct cs_span){NULL, 0}), SEC_I_CONTINUE_NEEDED);
            while (tls_network_deliver(&network, resumed)) continue;
            assert_true(network.waiting[!resumed]);
            if (i < 2) tls_network_clear(&network);
        }
        while (tls_network_deliver(&network, !resumed)) continue;
        assert_int_equal(pair.client_status, SEC_E_OK);
        assert_int_equal(pair.server_status, SEC_E_OK);
        struct tls_info info;
        assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
        assert_int_equal(info.resumed, resumed);
        dtls_expect_talk(&pair);
        dtls_close(&network);
    }
}

/* Data that comes with the server's last flight, in one datagram, is left to DecryptMessage. */
static void data_with_the_last_flight(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct tls_world_pair pair;
        struct tls_network network;
        size_t consumed;
        struct cs_writer token = {0};
        dtls_open_network(&network, &pair, &kinds[i]);
        tls_network_leg(&network, true, (struct cs_span){NULL, 0});
        for (bool client = false; pair.server_status != SEC_E_OK; client = !client)
            tls_network_deliver(&network, client);
        assert_int_equal(network.waiting[1], 1);
        struct cs_writer *last = &network.queues[1][0], data = tls_sealed(pair.server, "data", 4);
        const size_t flight = last->size;
        cs_write_span(last, cs_written(&data));
        cs_writer_drop(&data);
        assert_int_equal(tls_world_leg(&pair, &kinds[i], true, cs_written(last), &consumed, &token), SEC_E_OK);
        assert_int_equal(consumed, flight);
        assert_int_equal(token.size, 0);
        struct cs_buffer buffers[4];
        assert_int_equal(tls_world_open_record(pair.client, last->data + consumed, last->size - consumed, buffers),
                         SEC_E_OK);
        assert_int_equal(buffers[1].size, 4);
        assert_memory_equal(cs_buffer_bytes(&buffers[1]), "data", 4);
        dtls_close(&network);
    }
}

/* Several records in a datagram (RFC 6347 4.1.1): EXTRA. */
static void several_records(void **state)
{
    const struct tls_world_setup setup = {ONLY_DTLS1_2};
    struct tls_world_pair pair;
    struct tls_network network;
    (void)state;
    dtls_open_through(&network, &pair, &setup);
    struct cs_writer datagram = {0};
    struct cs_buffer buffers[4];
    for (unsigned i = 0; i < 3; i++) assert_int_equal(tls_world_seal(pair.client, "one of 3", 8, &datagram), SEC_E_OK);
    uint8_t *next = datagram.data;
    size_t size = datagram.size;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(tls_world_open_record(pair.server, next, size, buffers), SEC_E_OK);
        assert_int_equal(buffers[1].size, 8);
        assert_int_equal(buffers[3].type, i < 2 ? SECBUFFER_EXTRA : SECBUFFER_EMPTY);
        next = cs_buffer_bytes(&buffers[3]);
        size = buffers[3].size;
    }
    cs_writer_drop(&datagram);
    dtls_close(&network);
}

/* SEC_I_INCOMPLETE_CREDENTIALS, once; then the same datagram again, with another credential or without. */
static void asked_for_certificate(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const bool with = i & 1;
        const struct tls_world_setup setup = {ONLY_DTLS1_2, .key = TLS_WORLD_P256, .mtu = i & 2 ? 300 : 0,
                                              .client_flags = TLS_LEG_TELL_ASKED, .server_flags = TLS_LEG_ASK_PEER};
        struct tls_world_setup other = setup;
        struct tls_world_pair pair, holder;
        struct tls_network network;
        unsigned told = 0;
        other.client_certificate = true;
        assert_int_equal(tls_world_open(&holder, &other), SEC_E_OK);
        dtls_open_network(&network, &pair, &setup);
        tls_network_leg(&network, true, (struct cs_span){NULL, 0});
        for (unsigned turn = 0; turn < 40 && (pair.client_status || pair.server_status); turn++) {
            tls_network_deliver(&network, false);
            if (!network.waiting[1]) continue;
            struct cs_writer copy = {0};
            cs_write_span(&copy, cs_written(&network.queues[1][0]));
            tls_network_deliver(&network, true);
            if (pair.client_status == SEC_I_INCOMPLETE_CREDENTIALS) {
                struct tls_credential *const own = pair.client_credential;
                told++;
                if (with) pair.client_credential = holder.client_credential;
                tls_network_leg(&network, true, cs_written(&copy));
                pair.client_credential = own;
            }
            cs_writer_drop(&copy);
        }
        assert_int_equal(pair.client_status, SEC_E_OK);
        assert_int_equal(pair.server_status, SEC_E_OK);
        assert_int_equal(told, 1);
        struct cs_writer chain = {0};
        assert_int_equal(tls_query_bytes(pair.server, TLS_PEER_CHAIN, &chain), with ? SEC_E_OK : SEC_E_NO_CREDENTIALS);
        cs_writer_drop(&chain);
        dtls_expect_talk(&pair);
        dtls_close(&network);
        tls_world_close(&holder);
    }
}

/* A session of TLS's is none of DTLS's, though credential and name are the same. */
static void sessions_apart(void **state)
{
    const struct tls_world_setup datagrams = {.datagram = true,
                                              .client_protocols = SP_PROT_DTLS1_2_CLIENT | SP_PROT_TLS1_2_CLIENT,
                                              .server_protocols = SP_PROT_DTLS1_2_SERVER | SP_PROT_TLS1_2_SERVER,
                                              .resume = true};
    struct tls_world_setup stream = datagrams;
    struct tls_world_pair pair;
    struct tls_network network;
    struct tls_info info;
    (void)state;
    stream.datagram = false;
    tls_open_through(&pair, &stream);
    tls_world_hang_up(&pair);
    for (unsigned i = 0; i < 2; i++) {
        network = (struct tls_network){.pair = &pair, .setup = &datagrams};
        assert_true(tls_network_shake(&network));
        assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
        assert_int_equal(info.resumed, i == 1);
        if (!i) tls_world_hang_up(&pair);
    }
    dtls_close(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind),
        cmocka_unit_test(versions),
        cmocka_unit_test(nothing_in_common),
        cmocka_unit_test(wrong_credential),
        cmocka_unit_test(mtu),
        cmocka_unit_test(another_mtu),
        cmocka_unit_test(little_room),
        cmocka_unit_test(one_mishap),
        cmocka_unit_test(two_losses),
        cmocka_unit_test(bad_network),
        cmocka_unit_test(retransmission),
        cmocka_unit_test(last_flight_lost),
        cmocka_unit_test(sessions_apart),
        cmocka_unit_test(asked_for_certificate),
        cmocka_unit_test(data_with_the_last_flight),
        cmocka_unit_test(several_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
