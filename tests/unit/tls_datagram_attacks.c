/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attacks on Schannel over datagrams: what is forged, cut, replayed or out of place is dropped, and the connection goes
 * on (RFC 6347 4.1.2.7); what was never sealed never comes out.
 */
#include "tls_datagram_unit.h"

static const struct tls_world_setup kinds[] = {
    {ONLY_DTLS1_2, .key = TLS_WORLD_P256},
    {ONLY_DTLS1_2, .key = TLS_WORLD_P256, .client_without = TLS_WITHOUT_AES128 | TLS_WITHOUT_AES256},
    {ONLY_DTLS1_2, .key = TLS_WORLD_P256, .client_without = WITHOUT_AEAD},
    {ONLY_DTLS1_0, .key = TLS_WORLD_P256},
};
enum { KINDS = sizeof kinds / sizeof *kinds, NUMBER_AT = 5, LENGTH_AT = 11 };

/* What DecryptMessage says of a copy of BYTES. */
static SECURITY_STATUS open_copy(struct tls_context *to, struct cs_span bytes)
{
    struct cs_buffer buffers[4];
    struct cs_writer copy = {0};
    cs_write_span(&copy, bytes);
    const SECURITY_STATUS status = tls_world_open_record(to, copy.data, copy.size, buffers);
    cs_writer_drop(&copy);
    return status;
}

/* A record that does not open, in both roles, neither ends the connection nor keeps the genuine one out. */
static void expect_dropped(struct tls_context *to, struct cs_span forged, SECURITY_STATUS wanted, const char *what,
                           size_t where)
{
    const SECURITY_STATUS status = open_copy(to, forged);
    if (status != wanted) fail_msg("%s %zu: %08x", what, where, (unsigned)status);
    assert_int_equal(to->phase, TLS_COMPLETE);
}

/* A connection of one kind, and one direction of it. */
struct way {
    struct tls_world_pair pair;
    struct tls_network network;
    struct tls_context *from, *to;
};

/* Both directions of each kind, by I. dtls_close ends it. */
static void open_way(struct way *way, size_t i)
{
    dtls_open_through(&way->network, &way->pair, &kinds[i / 2]);
    way->from = i % 2 ? way->pair.server : way->pair.client;
    way->to = i % 2 ? way->pair.client : way->pair.server;
}

static void every_bit(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * KINDS; i++) {
        struct way way;
        open_way(&way, i);
        struct cs_writer record = tls_sealed(way.from, "data", 4);
        for (size_t bit = 0; bit < 8 * record.size; bit++) {
            record.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct cs_buffer buffers[4];
            struct cs_writer copy = {0};
            cs_write_span(&copy, cs_written(&record));
            const SECURITY_STATUS status = tls_world_open_record(way.to, copy.data, copy.size, buffers);
            /* A type that is no data, or another epoch, is dropped in silence. */
            const bool silent = status == SEC_E_OK && bit < 40 && !buffers[1].size;
            if (status != SEC_E_MESSAGE_ALTERED && !silent)
                fail_msg("kind %zu, bit %zu: %08x", i, bit, (unsigned)status);
            assert_null(memmem(copy.data, copy.size, "data", 4));
            cs_writer_drop(&copy);
            assert_int_equal(way.to->phase, TLS_COMPLETE);
            record.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        tls_expect_opens(way.to, &record, "data", 4);
        cs_writer_drop(&record);
        dtls_expect_talk(&way.pair);
        dtls_close(&way.network);
    }
}

/* The end of a datagram is missing; or the record says that it is no longer than that. */
static void every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * KINDS; i++) {
        struct way way;
        open_way(&way, i);
        struct cs_writer record = tls_sealed(way.from, "data of some length", 19);
        for (size_t size = 0; size < record.size; size++) {
            struct cs_writer cut = {0};
            cs_write_span(&cut, (struct cs_span){record.data, size});
            expect_dropped(way.to, cs_written(&cut), SEC_E_MESSAGE_ALTERED, "cut at", size);
            if (size >= DTLS_HEADER) {
                cs_put_be(cut.data + LENGTH_AT, size - DTLS_HEADER, 2);
                expect_dropped(way.to, cs_written(&cut), SEC_E_MESSAGE_ALTERED, "shortened to", size);
            }
            cs_writer_drop(&cut);
        }
        tls_expect_opens(way.to, &record, "data of some length", 19);
        cs_writer_drop(&record);
        dtls_close(&way.network);
    }
}

/* RFC 6347 4.1.2.6: once, in any order, as long as it is not too old. */
static void replays(void **state)
{
    enum { RECORDS = 100, WINDOW = 64 };
    (void)state;
    for (size_t i = 0; i < 2 * KINDS; i++) {
        struct way way;
        struct cs_writer records[RECORDS];
        open_way(&way, i);
        for (size_t n = 0; n < RECORDS; n++) records[n] = tls_sealed(way.from, &n, sizeof n);
        static const size_t order[] = {0, 2, 1, 5, 4, 3, 60, 10, 99, 98, 97, 50, 36};
        for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
            struct cs_writer copy = {0};
            cs_write_span(&copy, cs_written(&records[order[k]]));
            tls_expect_opens(way.to, &records[order[k]], &order[k], sizeof *order);
            for (unsigned again = 0; again < 2; again++)
                expect_dropped(way.to, cs_written(&copy), SEC_E_OUT_OF_SEQUENCE, "replay of", order[k]);
            cs_writer_drop(&copy);
        }
        expect_dropped(way.to, cs_written(&records[RECORDS - 1 - WINDOW]), SEC_E_OUT_OF_SEQUENCE, "too old", 35);
        for (size_t n = 0; n < RECORDS; n++) cs_writer_drop(&records[n]);
        dtls_expect_talk(&way.pair);
        dtls_close(&way.network);
    }
}

/* A number far ahead moves no window before the record has verified. */
static void numbers_ahead(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct tls_world_pair pair;
        struct tls_network network;
        dtls_open_through(&network, &pair, &kinds[i]);
        struct cs_writer record = tls_sealed(pair.client, "data", 4), forged = {0};
        cs_write_span(&forged, cs_written(&record));
        for (unsigned shift = 0; shift < 48; shift++) {
            cs_put_be(forged.data + NUMBER_AT, UINT64_C(0x800000000000) >> shift, 6);
            if (memcmp(forged.data, record.data, DTLS_HEADER))
                expect_dropped(pair.server, cs_written(&forged), SEC_E_MESSAGE_ALTERED, "number shifted by", shift);
        }
        tls_expect_opens(pair.server, &record, "data", 4);
        cs_writer_drop(&record);
        cs_writer_drop(&forged);
        dtls_close(&network);
    }
}

static void wrong_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct tls_world_pair pair, other;
        struct tls_network network, elsewhere;
        dtls_open_through(&network, &pair, &kinds[i]);
        dtls_open_through(&elsewhere, &other, &kinds[i]);
        struct cs_writer back = tls_sealed(pair.server, "back", 4), foreign = tls_sealed(other.client, "there", 5);
        expect_dropped(pair.server, cs_written(&back), SEC_E_MESSAGE_ALTERED, "turned round", i);
        expect_dropped(pair.server, cs_written(&foreign), SEC_E_MESSAGE_ALTERED, "of another connection", i);
        cs_writer_drop(&back);
        cs_writer_drop(&foreign);
        dtls_expect_talk(&pair);
        dtls_close(&network);
        dtls_close(&elsewhere);
    }
}

/* After the handshake nothing counts that is not encrypted, nor what pretends to be. */
static void forged_afterwards(void **state)
{
    static const struct {
        const char *what;
        uint8_t type, epoch;
        const uint8_t *body;
        size_t size;
        SECURITY_STATUS status;
    } cases[] = {
        {"close_notify in the open", TLS_ALERT, 0, (const uint8_t *)"\1\0", 2, SEC_E_OK},
        {"a fatal alert in the open", TLS_ALERT, 0, (const uint8_t *)"\2\x28", 2, SEC_E_OK},
        {"change_cipher_spec", TLS_CHANGE_CIPHER_SPEC, 0, (const uint8_t *)"\1", 1, SEC_E_OK},
        {"HelloRequest in the open", TLS_HANDSHAKE, 0, (const uint8_t *)"\0\0\0\0\0\0\0\0\0\0\0\0", 12, SEC_E_OK},
        {"data in the open", TLS_APPLICATION_DATA, 0, (const uint8_t *)"data", 4, SEC_E_MESSAGE_ALTERED},
        {"a forged alert", TLS_ALERT, 1, (const uint8_t *)"0123456789abcdef0123456789abcdef", 32, SEC_E_OK},
        {"a forged Finished", TLS_HANDSHAKE, 1, (const uint8_t *)"0123456789abcdef0123456789abcdef", 32, SEC_E_OK},
        {"change_cipher_spec, next epoch", TLS_CHANGE_CIPHER_SPEC, 1, (const uint8_t *)"0123456789abcdef01234567", 24,
         SEC_E_OK},
        {"forged data", TLS_APPLICATION_DATA, 1, (const uint8_t *)"0123456789abcdef0123456789abcdef", 32,
         SEC_E_MESSAGE_ALTERED},
        {"data of the next epoch", TLS_APPLICATION_DATA, 2, (const uint8_t *)"0123456789abcdef0123456789abcdef", 32,
         SEC_E_MESSAGE_ALTERED},
        {"no known type", 24, 1, (const uint8_t *)"0123456789abcdef0123456789abcdef", 32, SEC_E_MESSAGE_ALTERED},
        {"nothing", TLS_APPLICATION_DATA, 1, NULL, 0, SEC_E_MESSAGE_ALTERED},
    };
    (void)state;
    for (size_t i = 0; i < 2 * KINDS; i++) {
        struct way way;
        open_way(&way, i);
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            struct cs_writer record = {0};
            struct tls_leg leg = {.room = 65536};
            cs_write_u8(&record, cases[k].type);
            cs_write_be(&record, 0xFEFD, 2);
            cs_write_be(&record, cases[k].epoch, 2);
            cs_write_be(&record, 1000 + k, 6);
            cs_write_be(&record, cases[k].size, 2);
            cs_write_span(&record, (struct cs_span){cases[k].body, cases[k].size});
            expect_dropped(way.to, cs_written(&record), cases[k].status, cases[k].what, i);
            leg.input = cs_written(&record);
            assert_int_equal(tls_leg(&way.to, &leg), SEC_E_OK);
            assert_int_equal(leg.token_size, 0);
            cs_writer_drop(&record);
        }
        dtls_expect_talk(&way.pair);
        dtls_close(&way.network);
    }
}

/* ---- the handshake ---- */

static const struct tls_world_setup *const shakes[] = {
    &(const struct tls_world_setup){ONLY_DTLS1_2, .key = TLS_WORLD_P256, .mtu = 300, .address = ADDRESS},
    &(const struct tls_world_setup){ONLY_DTLS1_2, .key = TLS_WORLD_P256, .client_certificate = true,
                                    .server_flags = TLS_LEG_ASK_PEER},
};

/* In plan: which datagram, counted over both sides, and at which byte; what becomes of it. */
enum forgery { CHANGED, CUT, FORGERIES };

static enum tls_fate forge(struct tls_network *network, bool from_client, unsigned number, struct cs_writer *datagram)
{
    const unsigned which = (unsigned)(network->plan >> 32), where = network->plan >> 8 & 0xFFFF;
    (void)from_client, (void)number;
    if (network->sent[0] + network->sent[1] - 1 != which) return TLS_FATE_ARRIVES;
    if (where >= datagram->size) return TLS_FATE_ARRIVES;
    if ((network->plan & 0xFF) == CHANGED) datagram->data[where] ^= 0x40;
    if ((network->plan & 0xFF) == CUT) datagram->size = where;
    return datagram->size ? TLS_FATE_ARRIVES : TLS_FATE_IS_LOST;
}

static void expect_same_keys(const struct tls_world_pair *pair)
{
    struct cs_writer one = {0}, other = {0};
    const struct cs_span label = cs_span_of("EXPERIMENTAL test"), none = {NULL, 0};
    assert_int_equal(tls_export(pair->client, label, none, 32, &one), SEC_E_OK);
    assert_int_equal(tls_export(pair->server, label, none, 32, &other), SEC_E_OK);
    assert_memory_equal(one.data, other.data, 32);
    cs_writer_drop(&one);
    cs_writer_drop(&other);
}

/* Either the handshake fails, which is what a man in the middle can bring about anyway, or it comes to what both
 * agree on; a datagram that is cut is as good as lost. */
static void handshakes(void **state)
{
    unsigned through = 0, failed = 0;
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (enum forgery forgery = CHANGED; forgery < FORGERIES; forgery++)
            for (uint64_t which = 0; which < 12; which++)
                for (uint64_t where = 0; where < 700; where += where < 30 ? 1 : 23) {
                    struct tls_world_pair pair;
                    struct tls_network network;
                    dtls_open_network(&network, &pair, shakes[i]);
                    network.fate = forge;
                    network.plan = which << 32 | where << 8 | forgery;
                    const bool done = tls_network_shake(&network);
                    if (!done && forgery == CUT)
                        fail_msg("setup %zu, datagram %u cut at %u: %08x, %08x", i, (unsigned)which, (unsigned)where,
                                 (unsigned)pair.client_status, (unsigned)pair.server_status);
                    through += done;
                    failed += !done;
                    tls_network_clear(&network);
                    if (done) expect_same_keys(&pair);
                    if (done) dtls_expect_talk(&pair);
                    dtls_close(&network);
                }
    assert_true(through > 100);
    assert_true(failed > 100);
}

/* Datagrams from somebody else between the genuine ones. */
static void junk_between(void **state)
{
    static const struct cs_span junk[] = {
        {(const uint8_t *)"", 0},
        {(const uint8_t *)"x", 1},
        {(const uint8_t *)"HTTP/1.1 400 Bad Request\r\n\r\n", 28},
        {(const uint8_t *)"\x16\xfe\xfd\0\0\0\0\0\0\0\1\xff\xff", 13},
        {(const uint8_t *)"\x17\xfe\xfd\0\1\0\0\0\0\0\7\0\x10"
                          "0123456789abcdef",
         29},
        {(const uint8_t *)"\x16\xfe\xfd\0\1\0\0\0\0\0\7\0\x10"
                          "0123456789abcdef",
         29},
        {(const uint8_t *)"\x15\xfe\xfd\0\1\0\0\0\0\0\7\0\x12"
                          "0123456789abcdef01",
         31},
        {(const uint8_t *)"\x16\x03\x03\0\5\0\0\0\0\0", 10},
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof junk / sizeof *junk; i++) {
        const bool to_client = i % 2;
        struct tls_world_pair pair;
        struct tls_network network;
        dtls_open_network(&network, &pair, shakes[i % 2]);
        pair.client_status = pair.server_status = SEC_I_CONTINUE_NEEDED;
        tls_network_leg(&network, true, (struct cs_span){NULL, 0});
        bool moved = true;
        while (moved) {
            SECURITY_STATUS *const status = to_client ? &pair.client_status : &pair.server_status;
            struct tls_context *const to = to_client ? pair.client : pair.server;
            if (to && *status == SEC_I_CONTINUE_NEEDED && junk[i / 2].size) {
                const unsigned sent = network.sent[to_client];
                assert_int_equal(tls_network_leg(&network, to_client, junk[i / 2]), SEC_I_CONTINUE_NEEDED);
                assert_int_equal(network.sent[to_client], sent); /* nobody is made to send by that */
            }
            moved = tls_network_deliver(&network, false);
            moved |= tls_network_deliver(&network, true);
        }
        assert_int_equal(pair.client_status, SEC_E_OK);
        assert_int_equal(pair.server_status, SEC_E_OK);
        dtls_expect_talk(&pair);
        dtls_close(&network);
    }
}

/* A server begins with nothing else than a ClientHello. */
static void first_datagrams(void **state)
{
    static const struct cs_span junk[] = {
        {(const uint8_t *)"", 0},
        {(const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18},
        {(const uint8_t *)"\x17\xfe\xfd\0\0\0\0\0\0\0\1\0\1x", 14},
        {(const uint8_t *)"\x16\xfe\xfd\0\0\0\0\0\0\0\1\0\14\2\0\0\0\0\0\0\0\0\0\0\0", 25},
        {(const uint8_t *)"\x16\xfe\xfd\0\1\0\0\0\0\0\1\0\14\1\0\0\0\0\0\0\0\0\0\0\0", 25},
        {(const uint8_t *)"\x16\xfe\xfd\0\0\0\0\0\0\0\1\0\14\1\0\0\1\0\0\0\0\1\0\0\0", 25},
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof junk / sizeof *junk; i++) {
        const struct tls_world_setup *setup = shakes[i % 2];
        struct tls_world_pair pair;
        struct tls_network network;
        dtls_open_network(&network, &pair, setup);
        assert_int_equal(tls_network_leg(&network, false, junk[i / 2]), SEC_E_INVALID_TOKEN);
        assert_int_equal(network.waiting[1], 0);
        tls_network_leg(&network, true, (struct cs_span){NULL, 0});
        assert_true(tls_network_deliver(&network, false)); /* which has changed nothing */
        assert_int_equal(pair.server_status, SEC_I_CONTINUE_NEEDED);
        assert_true(network.waiting[1]);
        dtls_close(&network);
    }
}

/* ---- the end ---- */

static void close_notify(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * KINDS; i++) {
        struct way way;
        open_way(&way, i);
        assert_int_equal(tls_shut_down(way.from), SEC_E_OK);
        assert_int_equal(tls_network_leg(&way.network, i % 2 == 0, (struct cs_span){NULL, 0}), SEC_E_OK);
        assert_int_equal(tls_seal_status(way.from), SEC_E_CONTEXT_EXPIRED);
        struct cs_writer *alert = &way.network.queues[i % 2][0];
        assert_int_equal(open_copy(way.to, cs_written(alert)), SEC_I_CONTEXT_EXPIRED);
        assert_int_equal(open_copy(way.to, cs_written(alert)), SEC_I_CONTEXT_EXPIRED);
        dtls_close(&way.network);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit),     cmocka_unit_test(every_cut),    cmocka_unit_test(replays),
        cmocka_unit_test(numbers_ahead), cmocka_unit_test(wrong_place),  cmocka_unit_test(forged_afterwards),
        cmocka_unit_test(handshakes),    cmocka_unit_test(junk_between), cmocka_unit_test(first_datagrams),
        cmocka_unit_test(close_notify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
