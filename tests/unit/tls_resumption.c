/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: sessions that are resumed, by whom, and what is still known of them.
 *
 *  E4  keys not wiped; E5 whose session it is
 */
#include "tls_unit.h"

#include <unistd.h>

static const struct tls_world_setup setups[] = {
    {ONLY_TLS1_3, .key = TLS_WORLD_P384, .resume = true},
    {ONLY_TLS1_2, .key = TLS_WORLD_P384, .resume = true},
};
enum { SETUPS = 2 };

static bool resumed(const struct tls_world_pair *pair)
{
    struct tls_info client, server;
    assert_int_equal(tls_query(pair->client, &client), SEC_E_OK);
    assert_int_equal(tls_query(pair->server, &server), SEC_E_OK);
    assert_int_equal(client.resumed, server.resumed);
    return client.resumed;
}

static bool shake_again(struct tls_world_pair *pair, const struct tls_world_setup *setup)
{
    tls_world_hang_up(pair);
    if (!tls_world_shake(pair, setup, 0)) fail_msg("no handshake");
    return resumed(pair);
}

static void expect_same_bytes(struct tls_context *left, struct tls_context *right, enum tls_bytes which)
{
    struct cs_writer one = {0}, other = {0};
    assert_int_equal(tls_query_bytes(left, which, &one), SEC_E_OK);
    assert_int_equal(tls_query_bytes(right, which, &other), SEC_E_OK);
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.data, other.data, one.size);
    cs_writer_drop(&one);
    cs_writer_drop(&other);
}

/* All that attributes tell is the same as in the first handshake, on both sides. */
static void what_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        struct tls_world_pair pair;
        tls_open_through(&pair, &setups[i]);
        assert_false(resumed(&pair));
        for (unsigned again = 0; again < 3; again++) {
            struct tls_info client, server;
            struct cs_writer chain = {0};
            assert_true(shake_again(&pair, &setups[i]));
            assert_int_equal(tls_query(pair.client, &client), SEC_E_OK);
            assert_int_equal(tls_query(pair.server, &server), SEC_E_OK);
            assert_string_equal(client.certificate, "ECDSA");
            assert_string_equal(server.certificate, "ECDSA");
            assert_int_equal(client.signature_id, server.signature_id);
            assert_int_equal(client.suite, server.suite);
            expect_same_bytes(pair.client, pair.server, TLS_ENDPOINT_BINDINGS);
            expect_same_bytes(pair.client, pair.server, i ? TLS_UNIQUE_BINDINGS : TLS_EXPORTER_BINDINGS);
            assert_int_equal(tls_query_bytes(pair.server, TLS_LOCAL_CHAIN, &chain), SEC_E_OK);
            assert_int_equal(chain.size, tls_world_certificate(TLS_WORLD_P384)->chain.size);
            tls_expect_talk(&pair);
            cs_writer_drop(&chain);
        }
        tls_world_close(&pair);
    }
}

/* Without "resume" on either side there is none. */
static void not_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        struct tls_world_setup setup = setups[i];
        struct tls_world_pair pair;
        setup.resume = false;
        tls_open_through(&pair, &setup);
        assert_false(shake_again(&pair, &setup));
        tls_world_close(&pair);
    }
}

/* E5: another credential, though made of the same certificate, resumes nothing of the first, nor does a server's. */
static void other_credentials(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        struct tls_world_pair pair, other;
        tls_open_through(&pair, &setups[i]);
        tls_open_through(&other, &setups[i]);
        assert_false(resumed(&other));
        tls_world_hang_up(&pair);
        struct tls_credential *const own = pair.server_credential;
        pair.server_credential = other.server_credential;
        assert_true(tls_world_shake(&pair, &setups[i], 0)); /* a ticket that the server cannot read is passed over */
        assert_false(resumed(&pair));
        pair.server_credential = own;
        tls_world_close(&pair);
        tls_world_close(&other);
    }
}

/* The client's first leg towards a name; how long its token is. The caller releases the context. */
static size_t hello_size(struct tls_world_pair *pair, const struct tls_world_setup *setup, struct tls_context **out)
{
    struct cs_writer hello = {0};
    size_t consumed;
    pair->client = NULL;
    assert_int_equal(tls_world_leg(pair, setup, true, (struct cs_span){NULL, 0}, &consumed, &hello),
                     SEC_I_CONTINUE_NEEDED);
    const size_t size = hello.size;
    *out = pair->client;
    cs_writer_drop(&hello);
    return size;
}

/* RFC 8446 C.4: whoever sees the same ticket twice knows that it is the same client. New keys are no new ticket. */
static void ticket_shown_once(void **state)
{
    struct tls_world_pair pair;
    struct tls_context *with, *without, *after, *first;
    (void)state;
    tls_open_through(&pair, &setups[0]);
    first = pair.client;
    const size_t shown = hello_size(&pair, &setups[0], &with), none = hello_size(&pair, &setups[0], &without);
    assert_true(shown > none + 100);
    tls_records_give_back(pair.server);
    assert_int_equal(gnutls_session_key_update(pair.server->session, 0), 0);
    struct tls_leg leg = {.input = cs_written(&pair.server->outgoing), .room = 65536};
    assert_int_equal(tls_leg(&first, &leg), SEC_E_OK);
    assert_int_equal(leg.consumed, leg.input.size);
    assert_int_equal(hello_size(&pair, &setups[0], &after), none);
    tls_context_release(with);
    tls_context_release(without);
    tls_context_release(after);
    pair.client = first;
    tls_world_close(&pair);
}

/* More credentials than the table has places, each with a session; none is another's, and the last are all there. */
static void full_table(void **state)
{
    enum { MANY = 80 };
    static struct tls_world_pair pairs[MANY];
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        tls_open_through(&pairs[i], &setups[1]);
        tls_world_hang_up(&pairs[i]);
    }
    for (size_t i = MANY; i-- > 0;) {
        if (i < MANY - 60) continue;
        assert_true(tls_world_shake(&pairs[i], &setups[1], 0));
        assert_true(resumed(&pairs[i]));
    }
    for (size_t i = 0; i < MANY; i++) tls_world_close(&pairs[i]);
}

/* dwSessionLifespan (SCHANNEL_CRED): what a client keeps, and what a server's tickets say; those count in seconds. */
static void outdated(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++)
        for (unsigned server = 0; server < 2; server++) {
            struct tls_world_setup setup = setups[i];
            struct tls_world_pair pair;
            *(server ? &setup.server_lifespan : &setup.client_lifespan) = 1;
            tls_open_through(&pair, &setup);
            usleep(server ? 2100000 : 5000);
            assert_false(shake_again(&pair, &setup));
            tls_world_close(&pair);
            *(server ? &setup.server_lifespan : &setup.client_lifespan) = UINT32_MAX;
            tls_open_through(&pair, &setup);
            assert_true(shake_again(&pair, &setup));
            tls_world_close(&pair);
        }
}

/* A session that is resumed goes on with what was agreed on once, and ends with it. */
static void resumed_no_longer(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETUPS; i++) {
        struct tls_world_setup setup = setups[i];
        struct tls_world_pair pair;
        setup.client_lifespan = 4000;
        tls_open_through(&pair, &setup);
        usleep(2200000);
        assert_true(shake_again(&pair, &setup));
        usleep(2200000);
        assert_false(shake_again(&pair, &setup));
        tls_world_close(&pair);
    }
}

/* A client that shows its ticket when it renegotiates, as Java's does: a whole handshake, with a ticket for the next.
 */
static void not_in_a_second_handshake(void **state)
{
    struct tls_world_pair pair;
    struct tls_peer peer;
    (void)state;
    tls_peer_open(&peer, false, "NORMAL:-VERS-ALL:+VERS-TLS1.2", TLS_WORLD_KEYS, 0);
    tls_open_with_peer(&peer, &pair, &setups[1]);
    for (unsigned again = 0; again < 3; again++) {
        gnutls_datum_t shown, got;
        struct tls_info info;
        assert_int_equal(gnutls_session_get_data2(peer.session, &shown), 0);
        assert_int_equal(gnutls_session_set_data(peer.session, shown.data, shown.size), 0);
        assert_true(tls_peer_shake(&peer, &pair, &setups[1]));
        assert_int_equal(tls_query(pair.server, &info), SEC_E_OK);
        assert_false(info.resumed);
        assert_int_equal(gnutls_session_get_data2(peer.session, &got), 0);
        assert_true(got.size != shown.size || memcmp(got.data, shown.data, got.size));
        tls_expect_peer_talk(&peer, pair.server);
        gnutls_free(shown.data);
        gnutls_free(got.data);
    }
    tls_peer_close(&peer);
    tls_world_close(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_known),     cmocka_unit_test(not_asked_for),
        cmocka_unit_test(other_credentials), cmocka_unit_test(ticket_shown_once),
        cmocka_unit_test(full_table),        cmocka_unit_test(outdated),
        cmocka_unit_test(resumed_no_longer), cmocka_unit_test(not_in_a_second_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
