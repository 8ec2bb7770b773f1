/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: what a leg makes of its input, whole or not, and of the room for its output (behaviour.md rows 154 to 172).
 *
 *  F1  records and handshake messages split at every byte, coalesced, with trailing EXTRA
 */
#include "tls_unit.h"

static const struct tls_world_setup *const setups[] = {
    &(const struct tls_world_setup){ONLY_TLS1_3, .key = TLS_WORLD_P256, .resume = true},
    &(const struct tls_world_setup){ONLY_TLS1_2, .key = TLS_WORLD_P256, .resume = true},
    &(const struct tls_world_setup){ONLY_TLS1_2, .key = TLS_WORLD_RSA, .client_without = WITHOUT_AEAD},
    &(const struct tls_world_setup){
        .key = TLS_WORLD_P256, .client_certificate = true, .server_flags = TLS_LEG_ASK_PEER},
};
enum { SETUPS = sizeof setups / sizeof *setups };

static const uint8_t localhost[] = "l\0o\0c\0a\0l\0h\0o\0s\0t";

/* A leg that verifies nobody, so that it is one call. */
static struct tls_leg leg_of(const struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client,
                             struct cs_span input)
{
    return (struct tls_leg){.credential = client ? pair->client_credential : pair->server_credential,
                            .flags = TLS_LEG_TRUST_PEER | setup->server_flags | (input.data ? 0 : TLS_LEG_NO_INPUT),
                            .target = {localhost, 18},
                            .input = input,
                            .room = 65536};
}

static void fetch(struct tls_context *context, const struct tls_leg *leg, struct cs_writer *output)
{
    uint8_t *room = leg->token_size ? cs_write_room(output, leg->token_size) : NULL;
    if (leg->token_size) assert_int_equal(tls_fetch_token(context, room, leg->token_size), SEC_E_OK);
}

/*
 * All of INPUT has been taken: but for tickets that the server has sent along with its part of the handshake, which are
 * left to the next leg.
 */
static void expect_taken(struct tls_context *context, const struct tls_leg *leg, size_t size, SECURITY_STATUS status)
{
    if (leg->consumed == size) return;
    assert_int_equal(status, SEC_E_OK);
    struct tls_leg next = {.input = {leg->input.data + leg->consumed, leg->input.size - leg->consumed}, .room = 65536};
    assert_int_equal(tls_leg(&context, &next), SEC_E_OK);
    assert_int_equal(leg->consumed + next.consumed, size);
    assert_int_equal(next.token_size, 0);
}

/* Runs turns by turns what EACH does with a side's input, until both are through or nothing moves. */
typedef SECURITY_STATUS each_leg(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client,
                                 struct cs_span input, struct cs_writer *output);

static void shake(struct tls_world_pair *pair, const struct tls_world_setup *setup, each_leg *each)
{
    struct cs_writer input = {0};
    SECURITY_STATUS status[2] = {SEC_I_CONTINUE_NEEDED, SEC_I_CONTINUE_NEEDED};
    bool client = true;
    assert_int_equal(tls_world_open(pair, setup), SEC_E_OK);
    for (unsigned turn = 0; turn < 8 && (status[0] || status[1]); turn++, client = !client) {
        struct cs_writer output = {0};
        const struct cs_span span = {turn ? input.data : NULL, input.size};
        if (status[client]) status[client] = each(pair, setup, client, span, &output);
        cs_writer_drop(&input);
        input = output;
    }
    cs_writer_drop(&input);
    assert_int_equal(status[0], SEC_E_OK);
    assert_int_equal(status[1], SEC_E_OK);
    tls_expect_talk(pair);
}

static SECURITY_STATUS run_whole(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client,
                                 struct cs_span input, struct cs_writer *output)
{
    struct tls_context **context = client ? &pair->client : &pair->server;
    struct tls_leg leg = leg_of(pair, setup, client, input);
    const SECURITY_STATUS status = tls_leg(context, &leg);
    fetch(*context, &leg, output);
    expect_taken(*context, &leg, input.size, status);
    return status;
}

/* ---- input ---- */

static size_t first_record(struct cs_span input)
{
    return 5 + ((size_t)input.data[3] << 8 | input.data[4]);
}

/* Rows 167 to 169: what is missing of the first record; nothing has happened, and there is no token. */
static void expect_incomplete(struct tls_context **context, const struct tls_leg *wanted, size_t size)
{
    struct tls_leg leg = *wanted;
    leg.input.size = size;
    assert_int_equal(tls_leg(context, &leg), SEC_E_INCOMPLETE_MESSAGE);
    assert_int_equal(leg.missing, size < 5 ? 5 - size : first_record(wanted->input) - size);
    assert_int_equal(leg.consumed, 0);
    assert_int_equal(leg.token_size, 0);
}

static SECURITY_STATUS run_cut(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client,
                               struct cs_span input, struct cs_writer *output)
{
    struct tls_context **context = client ? &pair->client : &pair->server;
    struct tls_leg leg = leg_of(pair, setup, client, input);
    for (size_t size = 0; input.data && size < first_record(input); size++) expect_incomplete(context, &leg, size);
    return run_whole(pair, setup, client, input, output);
}

static void first_record_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        struct tls_world_pair pair;
        shake(&pair, setups[i], run_cut);
        tls_world_close(&pair);
    }
}

static size_t split_at; /* where every token is cut in two */

/* The first part: whole records are taken, of what is left nothing. The second part brings the rest. */
static SECURITY_STATUS run_split(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client,
                                 struct cs_span input, struct cs_writer *output)
{
    struct tls_context **context = client ? &pair->client : &pair->server;
    if (!input.data || split_at >= input.size || split_at < first_record(input))
        return run_whole(pair, setup, client, input, output);
    struct tls_leg leg = leg_of(pair, setup, client, (struct cs_span){input.data, split_at});
    const SECURITY_STATUS status = tls_leg(context, &leg);
    assert_true(leg.consumed <= split_at && leg.consumed >= first_record(input));
    fetch(*context, &leg, output);
    if (status != SEC_I_CONTINUE_NEEDED) {
        leg.input = input;
        expect_taken(*context, &leg, input.size, status);
        return status;
    }
    return run_whole(pair, setup, client, (struct cs_span){input.data + leg.consumed, input.size - leg.consumed},
                     output);
}

static void every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++)
        for (split_at = 1; split_at < 1000; split_at += i ? 7 : 3) {
            struct tls_world_pair pair;
            shake(&pair, setups[i], run_split);
            tls_world_close(&pair);
        }
}

static void small_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++)
        for (size_t piece = 1; piece < 400; piece = piece * 2 + 1) {
            struct tls_world_pair pair;
            assert_int_equal(tls_world_open(&pair, setups[i]), SEC_E_OK);
            assert_true(tls_world_shake(&pair, setups[i], piece));
            tls_expect_talk(&pair);
            tls_world_close(&pair);
        }
}

/* Behind the last leg's input comes half a record that is none of the handshake's: EXTRA. */
static SECURITY_STATUS run_glued(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client,
                                 struct cs_span input, struct cs_writer *output)
{
    struct tls_context **context = client ? &pair->client : &pair->server;
    struct cs_writer glued = {0};
    if (!input.data) return run_whole(pair, setup, client, input, output);
    cs_write_span(&glued, input);
    cs_write_span(&glued, (struct cs_span){(const uint8_t *)"\x17\x03\x03\x01\x00half", 9});
    struct tls_leg leg = leg_of(pair, setup, client, cs_written(&glued));
    const SECURITY_STATUS status = tls_leg(context, &leg);
    fetch(*context, &leg, output);
    expect_taken(*context, &leg, input.size, status);
    cs_writer_drop(&glued);
    return status;
}

static void trailing_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        struct tls_world_pair pair;
        shake(&pair, setups[i], run_glued);
        tls_world_close(&pair);
    }
}

/* Data that the server sends with its last flight is the client's DecryptMessage's, and so is what comes after it. */
static void data_with_the_last_flight(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct tls_world_pair pair;
        struct cs_writer tokens[5] = {{0}}, data = {0};
        SECURITY_STATUS server = SEC_I_CONTINUE_NEEDED;
        assert_int_equal(tls_world_open(&pair, setups[i]), SEC_E_OK);
        run_whole(&pair, setups[i], true, (struct cs_span){NULL, 0}, &tokens[0]);
        run_whole(&pair, setups[i], false, cs_written(&tokens[0]), &tokens[1]);
        run_whole(&pair, setups[i], true, cs_written(&tokens[1]), &tokens[2]);
        server = run_whole(&pair, setups[i], false, cs_written(&tokens[2]), &tokens[3]);
        assert_int_equal(server, SEC_E_OK);
        const size_t handshake = tokens[3].size;
        assert_int_equal(tls_world_seal(pair.server, "at once", 7, &tokens[3]), SEC_E_OK);
        struct tls_leg leg = leg_of(&pair, setups[i], true, cs_written(&tokens[3]));
        assert_int_equal(tls_leg(&pair.client, &leg), SEC_E_OK);
        assert_int_equal(leg.consumed, handshake);
        cs_write_span(&data, (struct cs_span){tokens[3].data + leg.consumed, tokens[3].size - leg.consumed});
        tls_expect_opens(pair.client, &data, "at once", 7);
        for (size_t token = 0; token < 5; token++) cs_writer_drop(&tokens[token]);
        cs_writer_drop(&data);
        tls_world_close(&pair);
    }
}

/* Rows 163 and 164, and what else cannot begin a record. The handshake can still go on. */
static SECURITY_STATUS run_after_garbage(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client,
                                         struct cs_span input, struct cs_writer *output)
{
    static const uint8_t beginnings[][5] = {
        {0xFA, 0xFA, 0xFA, 0xFA, 0xFA}, {0}, {0x16, 2, 1, 0, 5}, {0x18, 3, 3, 0, 5}, {0x16, 3, 3, 0x48, 1},
        {0x80, 0x2E, 1, 3, 1}};
    static uint8_t garbage[8192];
    struct tls_context **context = client ? &pair->client : &pair->server;
    for (size_t i = 0; input.data && i < sizeof beginnings / 5; i++) {
        struct tls_leg leg = leg_of(pair, setup, client, (struct cs_span){garbage, sizeof garbage});
        memset(garbage, beginnings[i][4], sizeof garbage);
        memcpy(garbage, beginnings[i], 5);
        assert_int_equal(tls_leg(context, &leg), SEC_E_INVALID_TOKEN);
        assert_int_equal(leg.token_size, 0);
        assert_int_equal(leg.consumed, 0);
    }
    return run_whole(pair, setup, client, input, output);
}

static void garbage_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        struct tls_world_pair pair;
        shake(&pair, setups[i], run_after_garbage);
        tls_world_close(&pair);
    }
}

/* Row 166; a server's first leg needs input, too. */
static SECURITY_STATUS run_after_none(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client,
                                      struct cs_span input, struct cs_writer *output)
{
    struct tls_context **context = client ? &pair->client : &pair->server;
    if (input.data) {
        struct tls_leg leg = leg_of(pair, setup, client, (struct cs_span){NULL, 0});
        assert_int_equal(tls_leg(context, &leg), SEC_E_INCOMPLETE_MESSAGE);
        assert_int_equal(leg.missing, 5);
        assert_int_equal(leg.token_size, 0);
    }
    return run_whole(pair, setup, client, input, output);
}

static void no_input(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        struct tls_world_pair pair;
        shake(&pair, setups[i], run_after_none);
        tls_world_close(&pair);
    }
}

/* ---- room ---- */

/* Row 154: the same call with more room yields the token, and takes as much of its input as it did. */
static SECURITY_STATUS run_without_room(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client,
                                        struct cs_span input, struct cs_writer *output)
{
    struct tls_context **context = client ? &pair->client : &pair->server;
    struct tls_leg leg = leg_of(pair, setup, client, input);
    SECURITY_STATUS status = SEC_E_INSUFFICIENT_MEMORY;
    size_t room = 0;
    for (; status == SEC_E_INSUFFICIENT_MEMORY && room < 8192; room = room * 2 + 1) {
        leg = leg_of(pair, setup, client, input);
        leg.room = room;
        status = tls_leg(context, &leg);
        if (status == SEC_E_INSUFFICIENT_MEMORY) assert_int_equal(leg.token_size, 0);
    }
    assert_true(leg.token_size < room);
    fetch(*context, &leg, output);
    expect_taken(*context, &leg, input.size, status);
    return status;
}

static void little_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        struct tls_world_pair pair;
        shake(&pair, setups[i], run_without_room);
        tls_world_close(&pair);
    }
}

/* A token is fetched whole, and once. */
static void fetching(void **state)
{
    struct tls_world_pair pair;
    uint8_t room[4096];
    (void)state;
    assert_int_equal(tls_world_open(&pair, setups[0]), SEC_E_OK);
    struct tls_leg leg = leg_of(&pair, setups[0], true, (struct cs_span){NULL, 0});
    assert_int_equal(tls_leg(&pair.client, &leg), SEC_I_CONTINUE_NEEDED);
    assert_in_range(leg.token_size, 100, sizeof room - 1);
    assert_int_equal(tls_fetch_token(pair.client, room, leg.token_size - 1), SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(tls_fetch_token(pair.client, room, leg.token_size + 1), SEC_E_BUFFER_TOO_SMALL);
    assert_int_equal(tls_fetch_token(pair.client, room, leg.token_size), SEC_E_OK);
    assert_int_equal(tls_fetch_token(pair.client, room, leg.token_size), SEC_E_BUFFER_TOO_SMALL);
    tls_world_close(&pair);
}

/* ---- the wrong moment ---- */

/* Everything else before the handshake is through, after each of its legs. */
static SECURITY_STATUS run_with_others(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client,
                                       struct cs_span input, struct cs_writer *output)
{
    struct tls_context **context = client ? &pair->client : &pair->server;
    const SECURITY_STATUS status = run_whole(pair, setup, client, input, output);
    if (status == SEC_E_OK) return status;
    for (enum tls_bytes which = TLS_LOCAL_CHAIN; which <= TLS_SERVER_NAME; which++) {
        struct cs_writer bytes = {0};
        assert_int_equal(tls_query_bytes(*context, which, &bytes), SEC_E_INVALID_HANDLE);
        cs_writer_drop(&bytes);
    }
    struct tls_info info;
    struct cs_writer material = {0};
    uint8_t room[128] = {0x17, 3, 3};
    struct cs_buffer buffers[4];
    assert_int_equal(tls_query(*context, &info), SEC_E_INVALID_HANDLE);
    assert_int_equal(tls_seal_status(*context), SEC_E_INVALID_HANDLE);
    assert_int_equal(tls_world_open_record(*context, room, 5, buffers), SEC_E_INVALID_HANDLE);
    assert_int_equal(tls_export(*context, cs_span_of("EXPERIMENTAL"), (struct cs_span){NULL, 0}, 32, &material),
                     SEC_E_INVALID_HANDLE);
    cs_writer_drop(&material);
    return status;
}

static void before_it_is_through(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        struct tls_world_pair pair;
        shake(&pair, setups[i], run_with_others);
        tls_world_close(&pair);
    }
}

/* A handshake that is given up after each of its legs leaves nothing behind (LeakSanitizer looks). */
static void given_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++)
        for (unsigned legs = 0; legs < 5; legs++) {
            struct tls_world_pair pair;
            struct cs_writer input = {0};
            assert_int_equal(tls_world_open(&pair, setups[i]), SEC_E_OK);
            for (unsigned leg = 0; leg < legs; leg++) {
                struct cs_writer output = {0};
                struct tls_leg wanted =
                    leg_of(&pair, setups[i], leg % 2 == 0, (struct cs_span){leg ? input.data : NULL, input.size});
                struct tls_context **context = leg % 2 ? &pair.server : &pair.client;
                wanted.room = leg + 1 == legs ? 1 : 65536; /* the last token is not even fetched */
                tls_leg(context, &wanted);
                fetch(*context, &wanted, &output);
                cs_writer_drop(&input);
                input = output;
            }
            cs_writer_drop(&input);
            tls_world_close(&pair);
        }
}

/* No credential, no context. */
static void without_credential(void **state)
{
    struct tls_context *context = NULL;
    struct tls_leg leg = {.flags = TLS_LEG_NO_INPUT, .room = 65536};
    (void)state;
    assert_int_equal(tls_leg(&context, &leg), SEC_E_INVALID_HANDLE);
    assert_null(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_record_cut),
        cmocka_unit_test(every_split),
        cmocka_unit_test(small_pieces),
        cmocka_unit_test(trailing_bytes),
        cmocka_unit_test(data_with_the_last_flight),
        cmocka_unit_test(garbage_changes_nothing),
        cmocka_unit_test(no_input),
        cmocka_unit_test(little_room),
        cmocka_unit_test(fetching),
        cmocka_unit_test(before_it_is_through),
        cmocka_unit_test(given_up),
        cmocka_unit_test(without_credential),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
