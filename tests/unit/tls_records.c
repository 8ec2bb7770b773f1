/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: EncryptMessage and DecryptMessage with every kind of record, every length and every shape of buffers.
 *
 *  F1  records cut at every byte, several at once
 */
#include "tls_unit.h"

enum { MOST = 16384 };

static uint8_t text[MOST + 512];

static int fill_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i * 7 + i / 256);
    return 0;
}

/* Without data, CBC has no record at all. */
static void every_length(void **state)
{
    (void)state;
    for (size_t i = 0; i < TLS_KINDS; i++) {
        struct tls_world_pair pair;
        struct tls_info info;
        print_message("%s\n", tls_kinds[i].name);
        tls_open_through(&pair, &tls_kinds[i].setup);
        assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
        assert_int_equal(info.suite, tls_kinds[i].suite);
        assert_int_equal(info.maximum, MOST);
        for (size_t size = 0; size <= MOST; size = size == 300 ? MOST - 20 : size + 1) {
            tls_expect_passes(pair.client, pair.server, text, size);
            tls_expect_passes(pair.server, pair.client, text, size);
        }
        tls_world_close(&pair);
    }
}

/* errors.tsv EncryptMessage/Schannel. What is refused is as if it had never been asked for. */
static void too_long(void **state)
{
    (void)state;
    for (size_t i = 0; i < TLS_KINDS; i++) {
        struct tls_world_pair pair;
        struct cs_writer record = {0};
        tls_open_through(&pair, &tls_kinds[i].setup);
        for (size_t size = MOST + 1; size <= sizeof text; size += 100)
            assert_int_equal(tls_world_seal(pair.client, text, size, &record), SEC_E_ENCRYPT_FAILURE);
        assert_int_equal(record.size, 0);
        tls_expect_talk(&pair);
        cs_writer_drop(&record);
        tls_world_close(&pair);
    }
}

/* EncryptMessage with buffers of these types, in this order; header and trailer have all the room they may want. */
static SECURITY_STATUS encrypt_types(struct tls_context *context, const uint32_t *types, size_t count)
{
    uint8_t room[4][128] = {{0}};
    struct parts parts = {0};
    for (size_t i = 0; i < count; i++) add_part(&parts, types[i], room[i], types[i] == SECBUFFER_DATA ? 16 : 128);
    const struct cs_message message = message_over(&parts);
    return tls_encrypt(context, &message);
}

static void shapes_of_encrypt(void **state)
{
    static const struct {
        SECURITY_STATUS status;
        uint32_t types[4];
        size_t count;
    } shapes[] = {
        {SEC_E_OK, {SECBUFFER_STREAM_HEADER, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER, SECBUFFER_EMPTY}, 4},
        {SEC_E_OK, {SECBUFFER_STREAM_HEADER, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER}, 3},
        {SEC_E_OK, {SECBUFFER_STREAM_TRAILER, SECBUFFER_EMPTY, SECBUFFER_DATA, SECBUFFER_STREAM_HEADER}, 4},
        {SEC_E_OK, {SECBUFFER_TOKEN, SECBUFFER_DATA, SECBUFFER_TOKEN, SECBUFFER_EMPTY}, 4},
        {SEC_E_INVALID_TOKEN, {0}, 0},
        {SEC_E_INVALID_TOKEN, {SECBUFFER_STREAM_HEADER, SECBUFFER_STREAM_TRAILER}, 2},
        {SEC_E_INVALID_TOKEN, {SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER}, 2},
        {SEC_E_INVALID_TOKEN, {SECBUFFER_STREAM_HEADER, SECBUFFER_DATA}, 2},
        {SEC_E_INVALID_TOKEN, {SECBUFFER_STREAM_HEADER, SECBUFFER_DATA, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER}, 4},
        {SEC_E_INVALID_TOKEN,
         {SECBUFFER_STREAM_HEADER, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER, SECBUFFER_STREAM_TRAILER},
         4},
        {SEC_E_INVALID_TOKEN,
         {SECBUFFER_STREAM_HEADER, SECBUFFER_STREAM_HEADER, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER},
         4},
        {SEC_E_INVALID_TOKEN, {SECBUFFER_TOKEN, SECBUFFER_TOKEN, SECBUFFER_DATA}, 3},
    };
    struct tls_world_pair pair;
    (void)state;
    tls_open_through(&pair, &tls_kinds[0].setup);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        print_message("shape %zu\n", i);
        assert_int_equal(encrypt_types(pair.client, shapes[i].types, shapes[i].count), shapes[i].status);
    }
    tls_world_close(&pair);
}

/* One byte less than it may take, on either end; then the same with just enough. */
static void little_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < TLS_KINDS; i++) {
        struct tls_world_pair pair;
        struct tls_info info;
        tls_open_through(&pair, &tls_kinds[i].setup);
        assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
        for (unsigned less = 0; less < 3; less++) {
            uint8_t header[64], data[16] = {0}, trailer[128];
            struct parts parts = {0};
            add_part(&parts, SECBUFFER_STREAM_HEADER, header, info.header - (less == 1));
            add_part(&parts, SECBUFFER_DATA, data, sizeof data);
            add_part(&parts, SECBUFFER_STREAM_TRAILER, trailer, info.trailer - (less == 2));
            const struct cs_message message = message_over(&parts);
            const SECURITY_STATUS expected = less ? SEC_E_BUFFER_TOO_SMALL : SEC_E_OK;
            assert_int_equal(tls_encrypt(pair.server, &message), expected);
        }
        tls_world_close(&pair);
    }
}

/* Header, data and trailer lie far from each other, and no byte around them changes. */
static void parts_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < TLS_KINDS; i++)
        for (size_t size = 0; size < 40; size++) {
            static struct tls_world_pair pair;
            struct tls_info info;
            uint8_t header[64], data[64], trailer[128], guard[128];
            struct parts parts = {0};
            struct cs_writer record = {0};
            if (!size) tls_open_through(&pair, &tls_kinds[i].setup);
            assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
            memset(guard, 0xA5, sizeof guard);
            memset(header, 0xA5, sizeof header);
            memset(data, 0xA5, sizeof data);
            memset(trailer, 0xA5, sizeof trailer);
            memcpy(data, text, size);
            const void *const places[] = {header, data, trailer};
            const size_t rooms[] = {sizeof header, sizeof data, sizeof trailer};
            struct cs_buffer *const buffers[] = {add_part(&parts, SECBUFFER_STREAM_HEADER, header, info.header),
                                                 add_part(&parts, SECBUFFER_DATA, data, size),
                                                 add_part(&parts, SECBUFFER_STREAM_TRAILER, trailer, info.trailer)};
            const uint32_t allowed[] = {info.header, (uint32_t)size, info.trailer};
            const struct cs_message message = message_over(&parts);
            assert_int_equal(tls_encrypt(pair.client, &message), SEC_E_OK);
            for (size_t part = 0; part < 3; part++) {
                cs_write_span(&record, (struct cs_span){places[part], buffers[part]->size});
                assert_memory_equal((const uint8_t *)places[part] + allowed[part], guard, rooms[part] - allowed[part]);
            }
            assert_true(record.size >= 5 || i >= TLS_AEAD_KINDS);
            if (record.size) tls_expect_opens(pair.server, &record, text, size);
            cs_writer_drop(&record);
            if (size == 39) tls_world_close(&pair);
        }
}

/* behaviour.md rows 203 to 206. A call of the wrong shape leaves everything as it was. */
static void shapes_of_decrypt(void **state)
{
    static const struct {
        SECURITY_STATUS status;
        uint32_t types[5];
        size_t count;
    } shapes[] = {
        {SEC_E_INVALID_TOKEN, {SECBUFFER_DATA, SECBUFFER_EMPTY, SECBUFFER_EMPTY}, 3},
        {SEC_E_INVALID_TOKEN, {SECBUFFER_EMPTY, SECBUFFER_EMPTY, SECBUFFER_EMPTY, SECBUFFER_EMPTY}, 4},
        {SEC_E_INVALID_TOKEN, {SECBUFFER_DATA, SECBUFFER_DATA, SECBUFFER_EMPTY, SECBUFFER_EMPTY}, 4},
        {SEC_E_INVALID_TOKEN, {SECBUFFER_DATA, SECBUFFER_DATA, SECBUFFER_EMPTY, SECBUFFER_EMPTY, SECBUFFER_EMPTY}, 5},
        {SEC_E_INVALID_TOKEN, {SECBUFFER_DATA, SECBUFFER_EXTRA, SECBUFFER_EMPTY, SECBUFFER_EMPTY}, 4},
        {SEC_E_INVALID_TOKEN, {0}, 0},
    };
    struct tls_world_pair pair;
    (void)state;
    tls_open_through(&pair, &tls_kinds[0].setup);
    struct cs_writer record = tls_sealed(pair.client, text, 100);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct parts parts = {0};
        for (size_t part = 0; part < shapes[i].count; part++)
            add_part(&parts, shapes[i].types[part], shapes[i].types[part] == SECBUFFER_DATA ? record.data : NULL,
                     shapes[i].types[part] == SECBUFFER_DATA ? record.size : 0);
        const struct cs_message message = message_over(&parts);
        assert_int_equal(tls_decrypt(pair.server, &message), shapes[i].status);
    }
    tls_expect_opens(pair.server, &record, text, 100);
    cs_writer_drop(&record);
    tls_world_close(&pair);
}

/* Wherever DATA stands, the parts come out in their own order. */
static void data_in_any_place(void **state)
{
    static const uint32_t out[] = {SECBUFFER_STREAM_HEADER, SECBUFFER_DATA, SECBUFFER_STREAM_TRAILER, SECBUFFER_EMPTY};
    struct tls_world_pair pair;
    (void)state;
    tls_open_through(&pair, &tls_kinds[3].setup);
    for (size_t place = 0; place < 4; place++) {
        struct cs_writer record = tls_sealed(pair.client, text, 100);
        struct parts parts = {0};
        for (size_t i = 0; i < 4; i++)
            add_part(&parts, i == place ? SECBUFFER_DATA : SECBUFFER_EMPTY, i == place ? record.data : NULL,
                     i == place ? record.size : 0);
        const struct cs_message message = message_over(&parts);
        assert_int_equal(tls_decrypt(pair.server, &message), SEC_E_OK);
        for (size_t i = 0; i < 4; i++) assert_int_equal(parts.buffers[i].type, out[i]);
        assert_memory_equal(cs_buffer_bytes(&parts.buffers[1]), text, 100);
        cs_writer_drop(&record);
    }
    tls_world_close(&pair);
}

/* Row 207, at every byte; rows 167 to 169 say what is missing of a header. The record opens all the same. */
static void cut_at_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < TLS_KINDS; i++) {
        struct tls_world_pair pair;
        tls_open_through(&pair, &tls_kinds[i].setup);
        struct cs_writer record = tls_sealed(pair.client, text, 50);
        for (size_t size = 0; size < record.size; size++) {
            struct cs_buffer buffers[4];
            assert_int_equal(tls_world_open_record(pair.server, record.data, size, buffers), SEC_E_INCOMPLETE_MESSAGE);
            assert_int_equal(buffers[0].type, SECBUFFER_MISSING);
            assert_int_equal(buffers[0].size, size < 5 ? 5 - size : record.size - size);
            for (size_t rest = 1; rest < 4; rest++) assert_int_equal(buffers[rest].type, SECBUFFER_EMPTY);
        }
        tls_expect_opens(pair.server, &record, text, 50);
        cs_writer_drop(&record);
        tls_world_close(&pair);
    }
}

/* Each call takes one record, and EXTRA is all that follows, half a record too. */
static void several_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < TLS_KINDS; i++) {
        struct tls_world_pair pair;
        struct cs_writer records = {0};
        struct cs_buffer buffers[4];
        tls_open_through(&pair, &tls_kinds[i].setup);
        for (size_t size = 1; size <= 5; size++)
            assert_int_equal(tls_world_seal(pair.client, text, size * 100, &records), SEC_E_OK);
        const uint8_t *end = records.data + records.size - 10;
        uint8_t *next = records.data;
        for (size_t size = 1; size <= 4; size++) {
            assert_int_equal(tls_world_open_record(pair.server, next, (size_t)(end - next), buffers), SEC_E_OK);
            assert_int_equal(buffers[1].size, size * 100);
            assert_memory_equal(cs_buffer_bytes(&buffers[1]), text, size * 100);
            assert_int_equal(buffers[3].type, SECBUFFER_EXTRA);
            next = cs_buffer_bytes(&buffers[3]);
            assert_ptr_equal(next + buffers[3].size, end);
        }
        assert_int_equal(tls_world_open_record(pair.server, next, (size_t)(end - next), buffers),
                         SEC_E_INCOMPLETE_MESSAGE);
        assert_int_equal(buffers[0].size, 10);
        cs_writer_drop(&records);
        tls_world_close(&pair);
    }
}

/* A peer that takes less is sent no more, whichever way it asks (RFC 8449, RFC 6066 4). */
static void peer_with_small_records(void **state)
{
    static const char *const priorities[] = {"NORMAL:-VERS-ALL:+VERS-TLS1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.2",
                                             "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CBC"};
    uint8_t room[2048];
    (void)state;
    for (size_t i = 0; i < 4 * sizeof priorities / sizeof *priorities; i++) {
        const struct tls_world_setup setup = {.key = TLS_WORLD_RSA};
        const bool server = i & 1, by_fragment = i & 2;
        struct tls_peer peer;
        struct tls_world_pair pair;
        struct tls_info info;
        struct cs_writer record = {0};
        if (server && by_fragment) continue; /* only clients may ask like that */
        tls_peer_open(&peer, server, priorities[i / 4], server ? TLS_WORLD_RSA : TLS_WORLD_KEYS, 0);
        if (by_fragment)
            gnutls_record_set_max_size(peer.session, 1024);
        else
            gnutls_record_set_max_recv_size(peer.session, 1024);
        tls_open_with_peer(&peer, &pair, &setup);
        struct tls_context *ours = server ? pair.client : pair.server;
        assert_int_equal(tls_query(ours, &info), SEC_E_OK);
        assert_int_equal(info.maximum, 1024);
        assert_int_equal(tls_world_seal(ours, text, 1025, &record), SEC_E_ENCRYPT_FAILURE);
        cs_writer_drop(&record);
        record = tls_sealed(ours, text, 1024);
        assert_int_equal(tls_peer_receive(&peer, cs_written(&record), room, sizeof room), 1024);
        assert_memory_equal(room, text, 1024);
        cs_writer_drop(&record);
        tls_peer_close(&peer);
        tls_world_close(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length),      cmocka_unit_test(too_long),
        cmocka_unit_test(shapes_of_encrypt), cmocka_unit_test(little_room),
        cmocka_unit_test(parts_apart),       cmocka_unit_test(shapes_of_decrypt),
        cmocka_unit_test(data_in_any_place), cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(several_at_once),   cmocka_unit_test(peer_with_small_records),
    };
    return cmocka_run_group_tests(tests, fill_text, NULL);
}
