/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: a second handshake in TLS 1.2 and before (behaviour.md rows 208 to 210), and what is like one: alerts that
 * the program asks for (rows 221 to 225).
 *
 *  F3  another certificate in the second handshake
 */
#include "tls_unit.h"

enum { FIRST = 3 }; /* of tls_kinds, the first that has renegotiation */

static struct tls_world_setup quick(size_t kind)
{
    struct tls_world_setup setup = tls_kinds[kind].setup;
    setup.key = TLS_WORLD_P256;
    setup.resume = true;
    return setup;
}

/* Both sides' legs by turns, the CLIENT's next, until both are through or one fails. INPUT: what the other has said. */
static void run_legs(struct tls_world_pair *pair, const struct tls_world_setup *setup, bool client,
                     struct cs_writer *input)
{
    pair->client_status = pair->server_status = SEC_I_CONTINUE_NEEDED;
    for (unsigned turn = 0; turn < 10; turn++, client = !client) {
        SECURITY_STATUS *status = client ? &pair->client_status : &pair->server_status;
        struct cs_writer output = {0};
        size_t consumed;
        if (*status == SEC_E_OK) break;
        *status = tls_world_leg(pair, setup, client, (struct cs_span){input->data, input->size}, &consumed, &output);
        cs_writer_drop(input);
        *input = output;
    }
    cs_writer_drop(input);
}

static void expect_through(const struct tls_world_pair *pair)
{
    assert_int_equal(pair->client_status, SEC_E_OK);
    assert_int_equal(pair->server_status, SEC_E_OK);
    tls_expect_talk(pair);
}

static void client_begins(struct tls_world_pair *pair, const struct tls_world_setup *setup)
{
    struct cs_writer none = {0};
    run_legs(pair, setup, true, &none);
}

/* The server's wish. The caller drops it. */
static struct cs_writer hello_request(struct tls_world_pair *pair, const struct tls_world_setup *setup)
{
    struct cs_writer request = {0};
    size_t consumed;
    assert_int_equal(tls_world_leg(pair, setup, false, (struct cs_span){NULL, 0}, &consumed, &request),
                     SEC_I_CONTINUE_NEEDED);
    assert_true(request.size > 5);
    return request;
}

static void server_begins(struct tls_world_pair *pair, const struct tls_world_setup *setup)
{
    struct cs_writer request = hello_request(pair, setup);
    run_legs(pair, setup, true, &request);
}

static void either_side(void **state)
{
    (void)state;
    for (size_t kind = FIRST; kind < TLS_KINDS; kind++) {
        const struct tls_world_setup setup = quick(kind);
        struct tls_world_pair pair;
        tls_open_through(&pair, &setup);
        for (unsigned round = 1; round <= 2; round++) {
            client_begins(&pair, &setup);
            expect_through(&pair);
            server_begins(&pair, &setup);
            expect_through(&pair);
            assert_int_equal(pair.asked, 1 + 2 * round);
        }
        tls_world_close(&pair);
    }
}

/* Rows 208 and 209; until the leg there is no more data (errors.tsv DecryptMessage, SEC_I_RENEGOTIATE). */
static void wish_by_message(void **state)
{
    (void)state;
    for (size_t kind = FIRST; kind < TLS_KINDS; kind++) {
        const struct tls_world_setup setup = quick(kind);
        struct tls_world_pair pair;
        struct cs_buffer buffers[4];
        tls_open_through(&pair, &setup);
        struct cs_writer request = hello_request(&pair, &setup), none = {0};
        assert_int_equal(tls_world_open_record(pair.client, request.data, request.size, buffers), SEC_I_RENEGOTIATE);
        assert_int_equal(buffers[0].type, SECBUFFER_STREAM_HEADER);
        assert_int_equal(buffers[1].type, SECBUFFER_DATA);
        assert_int_equal(buffers[1].size, 0);
        assert_int_equal(buffers[2].type, SECBUFFER_STREAM_TRAILER);
        assert_int_equal(buffers[3].type, SECBUFFER_EMPTY);
        assert_int_equal(buffers[0].size + buffers[2].size, request.size);
        if (pair.client->read.protection == TLS_EXPLICIT_NONCE) {
            assert_int_equal(buffers[0].size, 13);
            assert_int_equal(buffers[2].size, 20);
        }
        assert_int_equal(tls_world_open_record(pair.client, request.data, request.size, buffers),
                         SEC_E_CONTEXT_EXPIRED);
        assert_int_equal(tls_seal_status(pair.client), SEC_E_CONTEXT_EXPIRED);
        run_legs(&pair, &setup, true, &none);
        expect_through(&pair);
        cs_writer_drop(&request);
        tls_world_close(&pair);
    }
}

/* The client's wish comes as a ClientHello, which the server's leg is to take. In between there is no data. */
static void hello_by_message(void **state)
{
    (void)state;
    for (size_t kind = FIRST; kind < TLS_KINDS; kind++) {
        const struct tls_world_setup setup = quick(kind);
        struct tls_world_pair pair;
        struct cs_writer hello = {0};
        struct cs_buffer buffers[4];
        size_t consumed;
        tls_open_through(&pair, &setup);
        assert_int_equal(tls_world_leg(&pair, &setup, true, (struct cs_span){NULL, 0}, &consumed, &hello),
                         SEC_I_CONTINUE_NEEDED);
        assert_int_equal(tls_seal_status(pair.client), SEC_E_CONTEXT_EXPIRED);
        assert_int_equal(tls_world_open_record(pair.client, hello.data, hello.size, buffers), SEC_E_CONTEXT_EXPIRED);
        assert_int_equal(tls_world_open_record(pair.server, hello.data, hello.size, buffers), SEC_I_RENEGOTIATE);
        assert_int_equal(buffers[3].type, SECBUFFER_EXTRA);
        assert_int_equal(buffers[3].size, hello.size);
        run_legs(&pair, &setup, false, &hello);
        expect_through(&pair);
        tls_world_close(&pair);
    }
}

/* There is none in TLS 1.3. */
static void not_in_tls1_3(void **state)
{
    const struct tls_world_setup setup = quick(0);
    struct tls_world_pair pair;
    (void)state;
    tls_open_through(&pair, &setup);
    for (unsigned i = 0; i < 2; i++) {
        struct cs_writer output = {0};
        size_t consumed;
        assert_int_equal(tls_world_leg(&pair, &setup, i, (struct cs_span){NULL, 0}, &consumed, &output),
                         SEC_E_INCOMPLETE_MESSAGE);
        assert_int_equal(output.size, 0);
    }
    tls_expect_talk(&pair);
    tls_world_close(&pair);
}

/* ---- certificates ---- */

static struct tls_credential *client_with_certificate(enum tls_world_key key)
{
    const struct tls_world_certificate *certificate = tls_world_certificate(key);
    const struct tls_credential_request request = {.protocols = SP_PROT_TLS1_2_CLIENT,
                                                   .chain = certificate->chain,
                                                   .key = certificate->key,
                                                   .key_format = TLS_KEY_PKCS8};
    struct tls_credential *credential;
    assert_int_equal(tls_credential_new(&request, &credential), SEC_E_OK);
    return credential;
}

static void use(struct tls_world_pair *pair, struct tls_credential *credential)
{
    tls_credential_release(pair->client_credential);
    pair->client_credential = credential;
}

static void expect_chain(struct tls_context *context, enum tls_bytes which, enum tls_world_key key)
{
    const struct cs_span wanted = tls_world_certificate(key)->chain;
    struct cs_writer chain = {0};
    assert_int_equal(tls_query_bytes(context, which, &chain), SEC_E_OK);
    assert_int_equal(chain.size, wanted.size);
    assert_memory_equal(chain.data, wanted.data, wanted.size);
    cs_writer_drop(&chain);
}

/* Row 210. The server asks for the certificate only now, as one does that wants it for a part of what it serves. */
static void client_certificate_later(void **state)
{
    (void)state;
    for (unsigned server_first = 0; server_first < 2; server_first++) {
        struct tls_world_setup setup = quick(FIRST);
        struct tls_world_pair pair;
        tls_open_through(&pair, &setup);
        assert_int_equal(pair.asked, 1);
        setup.server_flags = TLS_LEG_ASK_PEER;
        use(&pair, client_with_certificate(TLS_WORLD_RSA));
        if (server_first)
            server_begins(&pair, &setup);
        else
            client_begins(&pair, &setup);
        expect_through(&pair);
        assert_int_equal(pair.asked, 3);
        expect_chain(pair.server, TLS_PEER_CHAIN, TLS_WORLD_RSA);
        expect_chain(pair.client, TLS_LOCAL_CHAIN, TLS_WORLD_RSA);
        tls_world_close(&pair);
    }
}

/* The certificate of the first handshake belongs to a credential that is gone by now, and the second wants none. */
static void credential_gone(void **state)
{
    struct tls_world_setup setup = quick(FIRST);
    struct tls_world_pair pair;
    struct cs_writer chain = {0};
    (void)state;
    setup.client_certificate = true;
    setup.server_flags = TLS_LEG_ASK_PEER;
    tls_open_through(&pair, &setup);
    expect_chain(pair.client, TLS_LOCAL_CHAIN, TLS_WORLD_P256);
    use(&pair, client_with_certificate(TLS_WORLD_P256));
    setup.server_flags = 0;
    client_begins(&pair, &setup);
    expect_through(&pair);
    assert_int_equal(tls_query_bytes(pair.client, TLS_LOCAL_CHAIN, &chain), SEC_E_NO_CREDENTIALS);
    cs_writer_drop(&chain);
    tls_world_close(&pair);
}

/* A session that was made with another credential in the second handshake is not the first one's to resume. */
static void ticket_of_another_credential(void **state)
{
    (void)state;
    for (unsigned other = 0; other < 2; other++) {
        struct tls_world_setup setup = quick(FIRST);
        struct tls_world_pair pair, donor;
        struct tls_info info;
        setup.resume = true;
        tls_open_through(&pair, &setup);
        assert_int_equal(tls_world_open(&donor, &setup), SEC_E_OK);
        struct tls_credential *first = pair.server_credential;
        if (other) pair.server_credential = donor.server_credential;
        client_begins(&pair, &setup);
        expect_through(&pair);
        pair.server_credential = first;
        tls_world_hang_up(&pair);
        assert_true(tls_world_shake(&pair, &setup, 0));
        assert_int_equal(tls_query(pair.server, &info), SEC_E_OK);
        assert_int_equal(info.resumed, !other);
        tls_world_close(&donor);
        tls_world_close(&pair);
    }
}

/* What a new credential does not allow is not negotiated with it. */
static void stricter_credential(void **state)
{
    struct tls_world_setup setup = quick(FIRST);
    struct tls_world_pair pair;
    struct tls_info info;
    struct tls_credential *strict;
    (void)state;
    tls_open_through(&pair, &setup);
    const struct tls_credential_request request = {.protocols = SP_PROT_TLS1_2_CLIENT, .without = TLS_WITHOUT_AES256};
    assert_int_equal(tls_credential_new(&request, &strict), SEC_E_OK);
    use(&pair, strict);
    client_begins(&pair, &setup);
    expect_through(&pair);
    assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
    assert_int_equal(info.cipher_bits, 128);
    tls_world_close(&pair);
}

/* F3: a server that is somebody else in the second handshake is not taken, whatever was found of the first; the same
 * one is asked about again. */
static void server_certificate_changes(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 3; mode++) {
        const struct tls_world_setup setup = quick(FIRST);
        struct tls_world_pair pair;
        struct tls_peer peer;
        tls_peer_open(&peer, true, "NORMAL:-VERS-ALL:+VERS-TLS1.2", TLS_WORLD_P256, 0);
        tls_open_with_peer(&peer, &pair, &setup);
        assert_int_equal(pair.asked, 1);
        if (mode == 1) tls_peer_use(&peer, TLS_WORLD_P384);
        if (mode == 2) pair.verdict = SEC_E_CERT_EXPIRED;
        assert_int_equal(gnutls_rehandshake(peer.session), 0);
        const bool through = tls_peer_shake(&peer, &pair, &setup);
        assert_int_equal(through, mode == 0);
        if (mode == 0) assert_int_equal(pair.asked, 2);
        if (mode == 0) tls_expect_peer_talk(&peer, pair.client);
        if (mode == 1) assert_true(pair.client_status < 0 && pair.client->phase == TLS_FAILED);
        if (mode == 2) assert_int_equal(pair.client_status, SEC_E_CERT_EXPIRED);
        tls_peer_close(&peer);
        tls_world_close(&pair);
    }
}

/* A client that does not want to says so, and all goes on. */
static void client_declines(void **state)
{
    (void)state;
    for (unsigned cbc = 0; cbc < 2; cbc++) {
        const struct tls_world_setup setup = quick(FIRST);
        struct tls_world_pair pair;
        struct tls_peer peer;
        uint8_t room[16];
        struct cs_buffer buffers[4];
        tls_peer_open(&peer, false,
                      cbc ? "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC" : "NORMAL:-VERS-ALL:+VERS-TLS1.2",
                      TLS_WORLD_KEYS, 0);
        tls_open_with_peer(&peer, &pair, &setup);
        struct cs_writer request = hello_request(&pair, &setup);
        assert_int_equal(tls_peer_receive(&peer, cs_written(&request), room, sizeof room), GNUTLS_E_REHANDSHAKE);
        assert_int_equal(gnutls_alert_send(peer.session, GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION), 0);
        assert_int_equal(tls_world_open_record(pair.server, peer.outgoing.data, peer.outgoing.size, buffers), SEC_E_OK);
        assert_int_equal(buffers[1].size, 0);
        cs_writer_drop(&peer.outgoing);
        cs_writer_drop(&request);
        tls_expect_peer_talk(&peer, pair.server);
        tls_peer_close(&peer);
        tls_world_close(&pair);
    }
}

/* The wish did not fit, and data is sent before it is asked for once more: neither gets into the other. */
static void wish_waits(void **state)
{
    (void)state;
    for (size_t kind = FIRST; kind < TLS_KINDS; kind++) {
        const struct tls_world_setup setup = quick(kind);
        struct tls_world_pair pair;
        struct cs_writer request = {0};
        tls_open_through(&pair, &setup);
        struct tls_leg leg = {.flags = TLS_LEG_NO_INPUT, .room = 3};
        assert_int_equal(tls_leg(&pair.server, &leg), SEC_E_INSUFFICIENT_MEMORY);
        struct cs_writer data = tls_sealed(pair.server, "data", 4);
        leg.room = 1000;
        assert_int_equal(tls_leg(&pair.server, &leg), SEC_I_CONTINUE_NEEDED);
        uint8_t *room = cs_write_room(&request, leg.token_size);
        assert_int_equal(tls_fetch_token(pair.server, room, leg.token_size), SEC_E_OK);
        tls_world_open_record(pair.client, request.data, request.size, (struct cs_buffer[4]){{0}});
        assert_true(pair.client->rehandshake_asked); /* the wish came first, as its number says */
        pair.client->rehandshake_asked = false;
        tls_expect_opens(pair.client, &data, "data", 4);
        cs_writer_drop(&data);
        cs_writer_drop(&request);
        tls_world_close(&pair);
    }
}

/* ---- alerts that are asked for ---- */

static struct cs_writer alert_of(struct tls_context *context, struct tls_leg leg)
{
    struct cs_writer token = {0};
    leg.room = 1000;
    assert_int_equal(tls_leg(&context, &leg), SEC_E_OK);
    uint8_t *room = cs_write_room(&token, leg.token_size);
    if (room) assert_int_equal(tls_fetch_token(context, room, leg.token_size), SEC_E_OK);
    return token;
}

static void expect_alert(struct tls_context *context, const struct tls_leg *leg, const char *hex)
{
    struct cs_writer token = alert_of(context, *leg);
    expect_hex(cs_written(&token), hex);
    cs_writer_drop(&token);
}

/* Rows 221 to 225, TLS 1.0 and the handshake not finished. */
static void alerts_before(void **state)
{
    const struct tls_world_setup setup = tls_kinds[TLS_KINDS - 1].setup;
    static uint8_t garbage[100];
    const struct tls_leg none = {.flags = TLS_LEG_NO_INPUT}, some = {.input = {garbage, sizeof garbage}};
    struct tls_world_pair pair;
    struct cs_writer hello = {0};
    size_t consumed;
    (void)state;
    assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
    assert_int_equal(tls_world_leg(&pair, &setup, true, (struct cs_span){NULL, 0}, &consumed, &hello),
                     SEC_I_CONTINUE_NEEDED);
    for (unsigned i = 0; i < 2; i++) assert_int_equal(tls_shut_down(pair.client), SEC_E_OK);
    expect_alert(pair.client, &some, "15030100020100");
    struct tls_leg next = none;
    next.room = 1000;
    assert_int_equal(tls_leg(&pair.client, &next), SEC_E_INCOMPLETE_MESSAGE);
    assert_int_equal(next.token_size, 0);
    assert_int_equal(tls_shut_down(pair.client), SEC_E_OK);
    expect_alert(pair.client, &none, "15030100020100");
    assert_int_equal(tls_alert(pair.client, true, 42), SEC_E_OK);
    expect_alert(pair.client, &none, "1503010002022a");
    cs_writer_drop(&hello);
    tls_world_close(&pair);
}

/* The same on either side of a connection, of whatever kind: one alert for each call, no data after it, and no new
 * handshake. */
static void shut_down_after(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * TLS_KINDS; i++) {
        const struct tls_world_setup setup = quick(i / 2);
        struct tls_world_pair pair;
        struct cs_buffer buffers[4];
        tls_open_through(&pair, &setup);
        struct tls_context *from = i % 2 ? pair.server : pair.client, *to = i % 2 ? pair.client : pair.server;
        for (unsigned again = 0; again < 2; again++) assert_int_equal(tls_shut_down(from), SEC_E_OK);
        struct tls_leg none = {.flags = TLS_LEG_NO_INPUT, .room = 1000};
        struct cs_writer token = alert_of(from, none);
        assert_int_equal(tls_leg(&from, &none), SEC_E_INCOMPLETE_MESSAGE);
        assert_int_equal(none.token_size, 0);
        assert_int_equal(tls_seal_status(from), SEC_E_CONTEXT_EXPIRED);
        assert_int_equal(tls_world_open_record(to, token.data, token.size, buffers), SEC_I_CONTEXT_EXPIRED);
        tls_expect_passes(to, from, "half open", 9);
        cs_writer_drop(&token);
        tls_world_close(&pair);
    }
}

/* A fatal one ends the connection at the peer with its status; a warning ends nothing. */
static void alerts_after(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        const struct tls_world_setup setup = quick(kind);
        struct tls_world_pair pair;
        struct cs_buffer buffers[4];
        const struct tls_leg none = {.flags = TLS_LEG_NO_INPUT};
        tls_open_through(&pair, &setup);
        if (kind >= FIRST) { /* TLS 1.3 has no warnings */
            assert_int_equal(tls_alert(pair.client, false, GNUTLS_A_NO_RENEGOTIATION), SEC_E_OK);
            struct cs_writer warning = alert_of(pair.client, none);
            assert_int_equal(tls_world_open_record(pair.server, warning.data, warning.size, buffers), SEC_E_OK);
            tls_expect_talk(&pair);
            cs_writer_drop(&warning);
        }
        assert_int_equal(tls_alert(pair.client, true, GNUTLS_A_ACCESS_DENIED), SEC_E_OK);
        struct cs_writer token = alert_of(pair.client, none);
        assert_int_equal(tls_seal_status(pair.client), SEC_E_CONTEXT_EXPIRED);
        assert_int_equal(tls_world_open_record(pair.server, token.data, token.size, buffers), SEC_E_LOGON_DENIED);
        assert_int_equal(tls_seal_status(pair.server), SEC_E_LOGON_DENIED);
        cs_writer_drop(&token);
        tls_world_close(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(either_side),
        cmocka_unit_test(wish_by_message),
        cmocka_unit_test(hello_by_message),
        cmocka_unit_test(not_in_tls1_3),
        cmocka_unit_test(client_certificate_later),
        cmocka_unit_test(credential_gone),
        cmocka_unit_test(ticket_of_another_credential),
        cmocka_unit_test(stricter_credential),
        cmocka_unit_test(server_certificate_changes),
        cmocka_unit_test(client_declines),
        cmocka_unit_test(wish_waits),
        cmocka_unit_test(alerts_before),
        cmocka_unit_test(shut_down_after),
        cmocka_unit_test(alerts_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
