/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: records that somebody on the way has changed, and those that a peer should not have made.
 *
 *  F1  records cut
 *  D3  every bit; D4 the number of a record before it is verified; D5 numbers at their end
 */
#include "tls_unit.h"

/* Keys whose handshakes are quick: there is one for each change. */
static struct tls_world_setup quick(size_t kind)
{
    struct tls_world_setup setup = tls_kinds[kind].setup;
    setup.key = TLS_WORLD_P256;
    return setup;
}

/* What DecryptMessage says of BYTES, with much behind them, so that no length is too long. */
static SECURITY_STATUS open_amid(struct tls_context *to, struct cs_span bytes)
{
    struct cs_writer amid = {0};
    struct cs_buffer buffers[4];
    cs_write_span(&amid, bytes);
    cs_write_room(&amid, 20000);
    const SECURITY_STATUS status = tls_world_open_record(to, amid.data, amid.size, buffers);
    cs_writer_drop(&amid);
    return status;
}

/* The next leg has an alert, which tells the peer the same (errors.tsv, received TLS alerts). */
static void expect_alert(struct tls_world_pair *pair, size_t size, SECURITY_STATUS status)
{
    struct cs_writer alert = {0};
    uint8_t *room = cs_write_room(&alert, size);
    struct cs_buffer buffers[4];
    struct tls_leg again = {.flags = TLS_LEG_NO_INPUT, .room = 65536};
    assert_true(size > 0);
    assert_int_equal(tls_fetch_token(pair->server, room, size), SEC_E_OK);
    assert_int_equal(tls_world_open_record(pair->client, alert.data, alert.size, buffers), status);
    assert_int_equal(tls_leg(&pair->server, &again), status);
    assert_int_equal(again.token_size, 0); /* once */
    cs_writer_drop(&alert);
}

/* No record opens any more, genuine or not, and none is made. */
static void expect_failed(struct tls_world_pair *pair, SECURITY_STATUS status)
{
    struct cs_writer record = {0};
    struct tls_leg leg = {.input = {(const uint8_t *)"\x17", 1}, .room = 65536};
    if (pair->server->phase != TLS_FAILED) fail_msg("it goes on");
    assert_int_equal(tls_world_seal(pair->client, "more", 4, &record), SEC_E_OK);
    assert_int_equal(open_amid(pair->server, cs_written(&record)), status);
    assert_int_equal(tls_leg(&pair->server, &leg), status);
    assert_int_equal(tls_seal_status(pair->server), status);
    expect_alert(pair, leg.token_size, status);
    cs_writer_drop(&record);
}

/* The type is not protected in TLS 1.2, so that a leg has to find out what the record is worth. */
static SECURITY_STATUS open_or_take(struct tls_context *to, struct cs_span bytes)
{
    SECURITY_STATUS status = open_amid(to, bytes);
    if (status == SEC_I_RENEGOTIATE) {
        struct tls_leg leg = {.input = bytes, .room = 65536};
        status = tls_leg(&to, &leg);
    }
    return status;
}

static SECURITY_STATUS expected_of(size_t kind, size_t bit)
{
    /* RFC 8446 5: but for application data there is nothing outside of the encryption once the handshake is done. */
    const bool other_type = tls_kinds[kind].setup.client_protocols == SP_PROT_TLS1_3_CLIENT && bit < 2;
    return other_type ? SEC_E_ILLEGAL_MESSAGE : SEC_E_MESSAGE_ALTERED;
}

/* Of GnuTLS's records, which need a handshake for each, one bit of each byte behind the header. */
static void every_bit(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        const struct tls_world_setup setup = quick(kind);
        size_t bits = 1;
        for (size_t bit = 0; bit < bits; bit += kind >= TLS_AEAD_KINDS && bit >= 40 ? 9 : 1) {
            struct tls_world_pair pair;
            tls_open_through(&pair, &setup);
            struct cs_writer record = tls_sealed(pair.client, "x", 1);
            bits = 8 * record.size;
            record.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            const SECURITY_STATUS status = open_or_take(pair.server, cs_written(&record));
            if (status != expected_of(kind, bit))
                fail_msg("%s, bit %zu: %08x", tls_kinds[kind].name, bit, (unsigned)status);
            expect_failed(&pair, status);
            cs_writer_drop(&record);
            tls_world_close(&pair);
        }
    }
}

/* The record's end is cut off, and its length says so. */
static void every_cut(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        const struct tls_world_setup setup = quick(kind);
        size_t whole = 6;
        for (size_t size = 5; size < whole; size++) {
            struct tls_world_pair pair;
            tls_open_through(&pair, &setup);
            struct cs_writer record = tls_sealed(pair.client, "0123456789", 10);
            whole = record.size;
            record.size = size;
            record.data[3] = 0;
            record.data[4] = (uint8_t)(size - 5);
            const SECURITY_STATUS status = open_amid(pair.server, cs_written(&record));
            if (status != SEC_E_MESSAGE_ALTERED)
                fail_msg("%s, %zu bytes: %08x", tls_kinds[kind].name, size, (unsigned)status);
            expect_failed(&pair, SEC_E_MESSAGE_ALTERED);
            cs_writer_drop(&record);
            tls_world_close(&pair);
        }
    }
}

enum theft { REPLAYED, REORDERED, DROPPED, TURNED_ROUND, OF_ANOTHER, THEFTS };

/* Genuine records in the wrong place. */
static void wrong_place(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < TLS_KINDS; kind++)
        for (enum theft theft = 0; theft < THEFTS; theft++) {
            const struct tls_world_setup setup = quick(kind);
            struct tls_world_pair pair, other;
            struct cs_buffer buffers[4];
            tls_open_through(&pair, &setup);
            tls_open_through(&other, &setup);
            struct cs_writer first = tls_sealed(pair.client, "first", 5), second = tls_sealed(pair.client, "second", 6);
            struct cs_writer back = tls_sealed(pair.server, "back", 4), foreign = tls_sealed(other.client, "first", 5);
            struct cs_writer again = {0};
            cs_write_span(&again, cs_written(&first));
            if (theft == REPLAYED)
                assert_int_equal(tls_world_open_record(pair.server, first.data, first.size, buffers), SEC_E_OK);
            const struct cs_writer *const stolen[] = {&again, &second, &second, &back, &foreign};
            assert_int_equal(open_amid(pair.server, cs_written(stolen[theft])), SEC_E_MESSAGE_ALTERED);
            expect_failed(&pair, SEC_E_MESSAGE_ALTERED);
            struct cs_writer *const drop[] = {&first, &second, &back, &foreign, &again};
            for (size_t i = 0; i < 5; i++) cs_writer_drop(drop[i]);
            tls_world_close(&pair);
            tls_world_close(&other);
        }
}

/* RFC 8446 5.5, 5.3; RFC 5246 6.1: they never wrap. The last two of the connection still pass. */
static void numbers_at_their_end(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < TLS_AEAD_KINDS; kind++) {
        struct tls_world_pair pair;
        struct cs_writer record = {0};
        tls_open_through(&pair, &tls_kinds[kind].setup);
        pair.client->write.sequence = pair.server->read.sequence = UINT64_MAX - 2;
        tls_expect_passes(pair.client, pair.server, "last but one", 12);
        tls_expect_passes(pair.client, pair.server, "last", 4);
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(tls_world_seal(pair.client, "none", 4, &record), SEC_E_ENCRYPT_FAILURE);
        tls_expect_passes(pair.server, pair.client, "the other direction", 19);
        pair.client->write.sequence = UINT64_MAX - 1; /* as if a peer went on */
        assert_int_equal(tls_world_seal(pair.client, "none", 4, &record), SEC_E_OK);
        assert_int_equal(open_amid(pair.server, cs_written(&record)), SEC_E_MESSAGE_ALTERED);
        cs_writer_drop(&record);
        tls_world_close(&pair);
    }
}

static void inside_of_tls1_3(void **state)
{
    static const uint8_t zeros[16400];
    static uint8_t large[16400];
    static const struct {
        const char *what;
        const uint8_t *inner;
        size_t size;
        SECURITY_STATUS status;
    } cases[] = {
        {"nothing", zeros, 0, SEC_E_MESSAGE_ALTERED},
        {"a zero", zeros, 1, SEC_E_MESSAGE_ALTERED},
        {"zeros", zeros, 100, SEC_E_MESSAGE_ALTERED},
        {"zeros to the full", zeros, 16385, SEC_E_MESSAGE_ALTERED},
        {"a byte too many", large, 16386, SEC_E_MESSAGE_ALTERED},
        {"a record too long", large, 16400, SEC_E_MESSAGE_ALTERED},
        {"an unknown type", (const uint8_t *)"data\x63", 5, SEC_E_ILLEGAL_MESSAGE},
        {"heartbeat", (const uint8_t *)"\1\0\1x\x18", 5, SEC_E_ILLEGAL_MESSAGE},
        {"change_cipher_spec", (const uint8_t *)"\1\x14", 2, SEC_E_ILLEGAL_MESSAGE},
    };
    (void)state;
    memset(large, TLS_APPLICATION_DATA, sizeof large);
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const struct tls_world_setup setup = quick(0);
        struct tls_world_pair pair;
        tls_open_through(&pair, &setup);
        struct tls_context *from = i % 2 ? pair.server : pair.client, *to = i % 2 ? pair.client : pair.server;
        struct cs_writer record = tls_protect_inner(from, (struct cs_span){cases[i / 2].inner, cases[i / 2].size});
        const SECURITY_STATUS status = open_amid(to, cs_written(&record));
        if (status != cases[i / 2].status) fail_msg("%s: %08x", cases[i / 2].what, (unsigned)status);
        assert_int_equal(to->phase, TLS_FAILED);
        cs_writer_drop(&record);
        tls_world_close(&pair);
    }
}

/* RFC 8446 5.4: zeros behind the data are none of it, however many. */
static void padding(void **state)
{
    static const size_t sizes[] = {0, 1, 100, 16000}, pads[] = {0, 1, 255, 384};
    static uint8_t text[16384];
    const struct tls_world_setup setup = {.key = TLS_WORLD_P256};
    struct tls_peer peer;
    struct tls_world_pair pair;
    (void)state;
    tls_peer_open(&peer, true, "NORMAL:-VERS-ALL:+VERS-TLS1.3", TLS_WORLD_P256, 0);
    tls_open_with_peer(&peer, &pair, &setup);
    cs_writer_drop(&peer.outgoing);
    for (size_t i = 0; i < 16; i++) {
        const size_t size = sizes[i / 4], pad = pads[i % 4];
        if (!size && !pad) continue;
        assert_int_equal(gnutls_record_send2(peer.session, text, size, pad, 0), size);
        tls_expect_opens(pair.client, &peer.outgoing, text, size);
        cs_writer_drop(&peer.outgoing);
    }
    tls_peer_close(&peer);
    tls_world_close(&pair);
}

/* A record that does not open leaves nothing of what it said in the caller's memory. */
static void nothing_is_left(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_world_pair pair;
        struct cs_buffer buffers[4];
        const struct tls_world_setup setup = quick(kind);
        tls_open_through(&pair, &setup);
        struct cs_writer record = tls_sealed(pair.client, "a secret of some length", 23);
        record.data[record.size - 1] ^= 1;
        assert_int_equal(tls_world_open_record(pair.server, record.data, record.size, buffers), SEC_E_MESSAGE_ALTERED);
        assert_null(memmem(record.data, record.size, "secret", 6));
        assert_int_equal(buffers[0].type, SECBUFFER_DATA);
        cs_writer_drop(&record);
        tls_world_close(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit),        cmocka_unit_test(every_cut),
        cmocka_unit_test(wrong_place),      cmocka_unit_test(numbers_at_their_end),
        cmocka_unit_test(inside_of_tls1_3), cmocka_unit_test(padding),
        cmocka_unit_test(nothing_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
