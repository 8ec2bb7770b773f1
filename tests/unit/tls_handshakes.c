/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: whole handshakes of our client with our server.
 */
#include "tls_unit.h"

#include <string.h>

static const struct {
    const char *name;
    uint32_t client, server;
    uint16_t wire;
} versions[] = {
    {"TLS 1.3", SP_PROT_TLS1_3_CLIENT, SP_PROT_TLS1_3_SERVER, 0x0304},
    {"TLS 1.2", SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_2_SERVER, 0x0303},
    {"TLS 1.1", SP_PROT_TLS1_1_CLIENT, SP_PROT_TLS1_1_SERVER, 0x0302},
    {"TLS 1.0", SP_PROT_TLS1_0_CLIENT, SP_PROT_TLS1_0_SERVER, 0x0301},
};

static void expect_talk(struct tls_context *from, struct tls_context *to, size_t size)
{
    uint8_t *text = test_malloc(size + 1);
    for (size_t i = 0; i < size; i++) text[i] = (uint8_t)(i * 7);
    tls_expect_passes(from, to, text, size);
    test_free(text);
}

static void every_version_and_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        for (enum tls_world_key key = 0; key < TLS_WORLD_KEYS; key++) {
            const struct tls_world_setup setup = {
                .client_protocols = versions[i].client, .server_protocols = versions[i].server, .key = key};
            struct tls_world_pair pair;
            struct tls_info info;
            if (key == TLS_WORLD_ED25519 && versions[i].wire < 0x0303) continue; /* RFC 8422 5.10: from TLS 1.2 on */
            print_message("%s, key %d\n", versions[i].name, (int)key);
            tls_open_through(&pair, &setup);
            assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
            assert_int_equal(info.version, versions[i].wire);
            assert_int_equal(pair.asked, 1);
            for (size_t size = 0; size <= 16384; size = size ? size * 4 : 1) {
                expect_talk(pair.client, pair.server, size);
                expect_talk(pair.server, pair.client, size);
            }
            tls_world_close(&pair);
        }
}

/* Programs ask with an empty buffer how much to read. */
static void nothing_is_five_bytes_short(void **state)
{
    const struct tls_world_setup setup = {0};
    struct tls_world_pair pair;
    struct cs_buffer buffers[4];
    (void)state;
    tls_open_through(&pair, &setup);
    assert_int_equal(tls_world_open_record(pair.client, NULL, 0, buffers), SEC_E_INCOMPLETE_MESSAGE);
    assert_int_equal(buffers[0].type, SECBUFFER_MISSING);
    assert_int_equal(buffers[0].size, 5);
    tls_world_close(&pair);
}

/* A client with SCHANNEL_CRED, which knows nothing of tickets; they lie in front of what the server sends. */
static void open_quiet(struct tls_world_pair *pair, struct cs_writer *input)
{
    const struct tls_world_setup setup = {.client_protocols = SP_PROT_TLS1_3_CLIENT,
                                          .server_protocols = SP_PROT_TLS1_3_SERVER,
                                          .resume = true,
                                          .habits = TLS_QUIET};
    tls_open_through(pair, &setup);
    assert_true(pair->left.size > 0);
    cs_write_span(input, cs_written(&pair->left));
}

static void expect_text(const struct cs_buffer buffers[4], const char *text)
{
    assert_int_equal(buffers[1].type, SECBUFFER_DATA);
    assert_int_equal(buffers[1].size, strlen(text));
    assert_memory_equal(cs_buffer_bytes(&buffers[1]), text, strlen(text));
}

static void quiet_clients_never_see_tickets(void **state)
{
    struct tls_world_pair pair;
    struct cs_writer input = {0};
    struct cs_buffer buffers[4];
    (void)state;
    open_quiet(&pair, &input);
    assert_int_equal(tls_world_seal(pair.server, "first", 5, &input), SEC_E_OK);
    assert_int_equal(tls_world_open_record(pair.client, input.data, input.size, buffers), SEC_E_OK);
    expect_text(buffers, "first");
    cs_writer_drop(&input);
    tls_world_close(&pair);
}

/* A piece of what came, as DecryptMessage sees it; what is behind its first record stays. */
static void expect_next(struct tls_context *to, struct cs_writer *input, const char *text)
{
    struct cs_buffer buffers[4];
    assert_int_equal(tls_world_open_record(to, input->data, input->size, buffers), SEC_E_OK);
    expect_text(buffers, text);
    const size_t extra = buffers[3].type == SECBUFFER_EXTRA ? buffers[3].size : 0;
    memmove(input->data, input->data + input->size - extra, extra);
    input->size = extra;
}

/* Tickets alone are a record without data; half a record behind them is EXTRA. */
static void quiet_clients_see_no_data(void **state)
{
    for (size_t cut = 0; cut < 20; cut++) {
        struct tls_world_pair pair;
        struct cs_writer input = {0}, record = {0};
        open_quiet(&pair, &input);
        assert_int_equal(tls_world_seal(pair.server, "first", 5, &record), SEC_E_OK);
        cs_write_span(&input, (struct cs_span){record.data, cut});
        expect_next(pair.client, &input, "");
        assert_int_equal(input.size, cut);
        cs_write_span(&input, (struct cs_span){record.data + cut, record.size - cut});
        expect_next(pair.client, &input, "first");
        assert_int_equal(input.size, 0);
        cs_writer_drop(&input);
        cs_writer_drop(&record);
        tls_world_close(&pair);
    }
    (void)state;
}

/* The same ticket once more is a replay, wherever it stands. */
static void quiet_clients_take_a_ticket_once(void **state)
{
    struct tls_world_pair pair;
    struct cs_writer input = {0};
    struct cs_buffer buffers[4];
    (void)state;
    open_quiet(&pair, &input);
    cs_write_span(&input, cs_written(&pair.left));
    assert_int_equal(tls_world_open_record(pair.client, input.data, input.size, buffers), SEC_E_MESSAGE_ALTERED);
    cs_writer_drop(&input);
    tls_world_close(&pair);
}

/* Wine's HTTP clients drop a token that comes with SEC_E_OK: the server gets it with the first data. */
static void a_last_flight_goes_with_data(void **state)
{
    const struct tls_world_setup setup = {.client_protocols = SP_PROT_TLS1_3_CLIENT,
                                          .server_protocols = SP_PROT_TLS1_3_SERVER,
                                          .habits = TLS_QUIET | TLS_DEFERS};
    struct tls_world_pair pair;
    struct cs_writer hello = {0}, flight = {0}, last = {0}, tickets = {0};
    size_t consumed;
    (void)state;
    assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
    assert_int_equal(tls_world_leg(&pair, &setup, true, (struct cs_span){NULL, 0}, &consumed, &hello),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(tls_world_leg(&pair, &setup, false, cs_written(&hello), &consumed, &flight),
                     SEC_I_CONTINUE_NEEDED);
    assert_int_equal(tls_world_leg(&pair, &setup, true, cs_written(&flight), &consumed, &last), SEC_E_OK);
    assert_int_equal(last.size, 0);
    assert_int_equal(tls_world_seal(pair.client, "first", 5, &last), SEC_E_OK);
    assert_int_equal(tls_world_leg(&pair, &setup, false, cs_written(&last), &consumed, &tickets), SEC_E_OK);
    assert_true(consumed < last.size);
    memmove(last.data, last.data + consumed, last.size - consumed);
    last.size -= consumed;
    expect_next(pair.server, &last, "first");
    assert_int_equal(last.size, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tls_world_seal(pair.client, "more", 4, &last), SEC_E_OK);
        expect_next(pair.server, &last, "");
        expect_next(pair.server, &last, "more");
    }
    expect_talk(pair.server, pair.client, 100);
    cs_writer_drop(&hello);
    cs_writer_drop(&flight);
    cs_writer_drop(&last);
    cs_writer_drop(&tickets);
    tls_world_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_and_key),        cmocka_unit_test(nothing_is_five_bytes_short),
        cmocka_unit_test(quiet_clients_never_see_tickets),
        cmocka_unit_test(quiet_clients_see_no_data),    cmocka_unit_test(quiet_clients_take_a_ticket_once),
        cmocka_unit_test(a_last_flight_goes_with_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
