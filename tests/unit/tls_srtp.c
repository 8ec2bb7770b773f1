/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Schannel: keys of SRTP agreed on over DTLS (RFC 5764; sspi.h SECBUFFER_SRTP_PROTECTION_PROFILES and
 * _MASTER_KEY_IDENTIFIER, schannel.h SECPKG_ATTR_SRTP_PARAMETERS).
 */
#include "tls_datagram_unit.h"

/* RFC 5764 4.1.2, RFC 7714 14.2 */
#define SHA1_80 "0100"
#define SHA1_32 "0200"
#define GCM_128 "0700"
#define GCM_256 "0800"

/* The buffers of one side, in hex; NULL: not given. */
struct wishes {
    const char *profiles, *identifier;
};

struct side {
    struct bytes profiles, identifier;
};

static void read_wishes(struct side *side, const struct wishes *wishes)
{
    if (wishes->profiles) side->profiles = unhex(wishes->profiles);
    if (wishes->identifier) side->identifier = unhex(wishes->identifier);
}

/* Setup keeps pointing at the two sides. */
static struct tls_world_setup setup_of(const struct side *client, const struct side *server)
{
    return (struct tls_world_setup){ONLY_DTLS1_2,
                                    .key = TLS_WORLD_P256,
                                    .client_profiles = span_over(&client->profiles),
                                    .client_identifier = span_over(&client->identifier),
                                    .server_profiles = span_over(&server->profiles),
                                    .server_identifier = span_over(&server->identifier)};
}

static void expect_agreed(struct tls_context *context, uint16_t profile, const char *identifier)
{
    const struct bytes wanted = unhex(identifier);
    struct cs_writer agreed = {0};
    assert_int_equal(tls_query_bytes(context, TLS_SRTP, &agreed), SEC_E_OK);
    struct cs_reader reader = cs_reader_of(cs_written(&agreed));
    assert_int_equal(cs_read_u16(&reader), profile);
    assert_int_equal(reader.remaining, wanted.size);
    if (wanted.size) assert_memory_equal(reader.next, span_over(&wanted).data, wanted.size);
    cs_writer_drop(&agreed);
}

/* RFC 5764 4.2: the exporter's bytes are both sides' keys, then both salts, as GnuTLS derives them. */
static void expect_keys(const struct tls_world_pair *pair, uint16_t profile)
{
    enum { KEY = 16, SALT = 14, BOTH = 2 * (KEY + SALT) };
    struct cs_writer client = {0}, server = {0}, wanted = {0};
    uint8_t room[BOTH];
    gnutls_datum_t parts[4]; /* the client's key and salt, the server's */
    const struct cs_span label = cs_span_of("EXTRACTOR-dtls_srtp"), none = {NULL, 0};
    assert_int_equal(tls_export(pair->client, label, none, BOTH, &client), SEC_E_OK);
    assert_int_equal(tls_export(pair->server, label, none, BOTH, &server), SEC_E_OK);
    assert_memory_equal(client.data, server.data, BOTH);
    if (profile <= 2) { /* those of RFC 3711: GnuTLS knows the lengths of no others */
        gnutls_session_t session = pair->server->session;
        assert_int_equal(gnutls_srtp_get_keys(session, room, BOTH, parts, parts + 1, parts + 2, parts + 3), BOTH);
        const unsigned order[] = {0, 2, 1, 3};
        for (unsigned i = 0; i < 4; i++)
            cs_write_span(&wanted, (struct cs_span){parts[order[i]].data, parts[order[i]].size});
        assert_int_equal(wanted.size, BOTH);
        assert_memory_equal(wanted.data, client.data, BOTH);
    }
    cs_writer_drop(&client);
    cs_writer_drop(&server);
    cs_writer_drop(&wanted);
}

/* ---- what comes out ---- */

/* The client's order decides. A server answers the client's identifier, unless its program has named another. */
static void agreed(void **state)
{
    static const struct {
        struct wishes client, server;
        uint16_t profile;
        const char *identifier;
    } cases[] = {
        {{"0200" SHA1_80, NULL}, {"0200" SHA1_80, NULL}, 1, ""},
        {{"0400" SHA1_32 SHA1_80, NULL}, {"0400" SHA1_80 SHA1_32, NULL}, 2, ""},
        {{"0400" GCM_256 SHA1_80, NULL}, {"0200" SHA1_80, NULL}, 1, ""},
        {{"0400" GCM_128 SHA1_80, NULL}, {"0600" SHA1_80 GCM_256 GCM_128, NULL}, 7, ""},
        {{"0200"
          "3412",
          NULL},
         {"0200"
          "3412",
          NULL},
         0x1234,
         ""},                                                    /* which ones there are is the program's to know */
        {{"0200" SHA1_80, NULL}, {"0200" SHA1_32, NULL}, 0, ""}, /* none in common */
        {{"0200" SHA1_80, NULL}, {NULL, NULL}, 0, ""},           /* the server knows of none */
        {{NULL, NULL}, {"0200" SHA1_80, NULL}, 0, ""},           /* nor the client */
        {{NULL, "0141"}, {"0200" SHA1_80, "0141"}, 0, ""},       /* an identifier alone says nothing */
        {{"0000", NULL}, {"0200" SHA1_80, NULL}, 0, ""},         /* an empty list is none */
        {{"0200" SHA1_80, "0141"}, {"0200" SHA1_80, NULL}, 1, "41"},
        {{"0200" SHA1_80, "03414243"}, {"0200" SHA1_80, "03414243"}, 1, "414243"},
        {{"0200" SHA1_80, "03414243"}, {"0200" SHA1_80, "03414244"}, 0, ""},
        {{"0200" SHA1_80, "03414243"}, {"0200" SHA1_80, "024142"}, 0, ""},
        {{"0200" SHA1_80, NULL}, {"0200" SHA1_80, "0141"}, 1, ""}, /* the client has none: so be it */
        {{"0200" SHA1_80, "00"}, {"0200" SHA1_80, "0141"}, 1, ""},
        {{"0a00" GCM_128 GCM_256 SHA1_32 "0900" SHA1_80, NULL}, {"0200" SHA1_80, NULL}, 0, ""}, /* the fifth */
        {{"0200" SHA1_80, NULL}, {"0a00" GCM_128 GCM_256 SHA1_32 "0900" SHA1_80, NULL}, 0, ""},
        {{"0200" SHA1_80 "ff", "0141ff"}, {"0200" SHA1_80 "ffff", NULL}, 1, "41"}, /* behind them is nothing */
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        struct side client = {0}, server = {0};
        struct tls_network network;
        struct tls_world_pair pair;
        read_wishes(&client, &cases[i / 2].client);
        read_wishes(&server, &cases[i / 2].server);
        struct tls_world_setup setup = setup_of(&client, &server);
        if (i % 2) {
            setup.address = dtls_address;
            setup.mtu = 300;
        }
        dtls_open_through(&network, &pair, &setup);
        expect_agreed(pair.client, cases[i / 2].profile, cases[i / 2].identifier);
        expect_agreed(pair.server, cases[i / 2].profile, cases[i / 2].identifier);
        if (cases[i / 2].profile) expect_keys(&pair, cases[i / 2].profile);
        dtls_expect_talk(&pair);
        dtls_close(&network);
    }
}

static void longest_identifier(void **state)
{
    struct side both = {.profiles = unhex("0200" SHA1_80)};
    uint8_t identifier[256];
    struct tls_network network;
    struct tls_world_pair pair;
    struct cs_writer agreed = {0};
    (void)state;
    memset(identifier, 0x5A, sizeof identifier);
    identifier[0] = 255;
    struct tls_world_setup setup = setup_of(&both, &both);
    setup.client_identifier = setup.server_identifier = (struct cs_span){identifier, sizeof identifier};
    dtls_open_through(&network, &pair, &setup);
    assert_int_equal(tls_query_bytes(pair.client, TLS_SRTP, &agreed), SEC_E_OK);
    assert_int_equal(agreed.size, 2 + 255);
    assert_memory_equal(agreed.data + 2, identifier + 1, 255);
    cs_writer_drop(&agreed);
    dtls_close(&network);
}

/*
 * GnuTLS 3.7 overwrites memory when it resumes a session that had profiles: neither side keeps such a one, nor resumes
 * any with profiles. Each handshake agrees anew.
 */
static void never_resumed(void **state)
{
    static const struct {
        const char *first, *second;
        uint16_t profile;
        bool resumed;
    } cases[] = {{"0200" SHA1_80, "0200" SHA1_80, 1, false},
                 {"0200" SHA1_80, "0200" SHA1_32, 2, false},
                 {"0200" SHA1_80, "0000", 0, false},
                 {"0000", "0200" SHA1_32, 2, false},
                 {"0000", "0000", 0, true}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct side first = {.profiles = unhex(cases[i].first)}, second = {.profiles = unhex(cases[i].second)};
        struct tls_network network;
        struct tls_world_pair pair;
        struct tls_info info;
        struct tls_world_setup setup = setup_of(&first, &first), later = setup_of(&second, &second);
        setup.resume = later.resume = true;
        dtls_open_through(&network, &pair, &setup);
        tls_network_clear(&network);
        tls_world_hang_up(&pair);
        pair.client_status = pair.server_status = SEC_I_CONTINUE_NEEDED;
        network = (struct tls_network){.pair = &pair, .setup = &later};
        assert_true(tls_network_shake(&network));
        assert_int_equal(tls_query(pair.client, &info), SEC_E_OK);
        assert_int_equal(info.resumed, cases[i].resumed);
        expect_agreed(pair.client, cases[i].profile, "");
        expect_agreed(pair.server, cases[i].profile, "");
        dtls_close(&network);
    }
}

/* A server gives no ticket for a session with profiles: it would read it in the next handshake. */
static void no_tickets(void **state)
{
    enum { SESSION_TICKET = 35, USE_SRTP = 14 };
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct side both = {.profiles = unhex(i ? "0200" SHA1_80 : "0000")};
        struct tls_world_setup setup = setup_of(&both, &both);
        struct tls_network network;
        struct tls_world_pair pair;
        struct cs_writer numbers = {0};
        bool ticket = false, srtp = false;
        setup.resume = true;
        dtls_open_through(&network, &pair, &setup);
        assert_int_equal(tls_query_bytes(pair.server, TLS_EXTENSIONS, &numbers), SEC_E_OK);
        struct cs_reader reader = cs_reader_of(cs_written(&numbers));
        while (reader.remaining) {
            const uint16_t number = cs_read_u16(&reader);
            ticket |= number == SESSION_TICKET;
            srtp |= number == USE_SRTP;
        }
        assert_int_equal(ticket, !i);
        assert_int_equal(srtp, i);
        cs_writer_drop(&numbers);
        dtls_close(&network);
    }
}

/* A server that gives tickets all the same is not asked to resume: the client has kept nothing. */
static void client_keeps_nothing(void **state)
{
    const struct side both = {.profiles = unhex("0200" SHA1_80)};
    struct tls_world_setup setup = setup_of(&both, &both);
    struct tls_network network;
    struct tls_world_pair pair;
    (void)state;
    setup.resume = true;
    setup.address = dtls_address;
    dtls_open_network(&network, &pair, &setup);
    for (unsigned i = 0; i < 2; i++) {
        tls_network_leg(&network, true, (struct cs_span){NULL, 0});
        assert_true(tls_network_deliver(&network, false)); /* it wants a cookie, and has not begun */
        assert_int_equal(gnutls_session_ticket_enable_server(pair.server->session, &pair.server_credential->ticket_key),
                         0);
        assert_true(tls_network_shake(&network));
        assert_true(pair.client->ticket_came);
        assert_false(gnutls_session_is_resumed(pair.client->session));
        expect_agreed(pair.client, 1, "");
        tls_network_clear(&network);
        tls_world_hang_up(&pair);
        pair.client_status = pair.server_status = SEC_I_CONTINUE_NEEDED;
        network = (struct tls_network){.pair = &pair, .setup = &setup};
    }
    dtls_close(&network);
}

/* Streams have no SRTP: whatever the buffers say, nobody looks at them. */
static void not_of_streams(void **state)
{
    static const char *const profiles[] = {"0200" SHA1_80, "ffff", "0100aa"};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof profiles / sizeof *profiles; i++) {
        const struct side both = {.profiles = unhex(profiles[i / 2]), .identifier = unhex(i % 2 ? "0141" : "ff")};
        struct tls_world_setup setup = setup_of(&both, &both);
        struct tls_world_pair pair;
        setup.datagram = false;
        setup.client_protocols = setup.server_protocols = 0;
        tls_open_through(&pair, &setup);
        expect_agreed(pair.client, 0, "");
        expect_agreed(pair.server, 0, "");
        tls_world_close(&pair);
    }
}

/* ---- what is wrong ---- */

/* Sizes that are not there, and half a number, as APPLICATION_PROTOCOLS has it. */
static void bad_buffers(void **state)
{
    static const struct wishes bad[] = {
        {"01", NULL},
        {"0200", NULL},
        {"020001", NULL},
        {"0300" SHA1_80 "00", NULL},
        {"0100" SHA1_80, NULL},
        {"0400" SHA1_80, NULL},
        {"ffff" SHA1_80, NULL},
        {"0b00" SHA1_80 SHA1_80 SHA1_80 SHA1_80 SHA1_80 "00", NULL},
        {"0200" SHA1_80, "01"},
        {"0200" SHA1_80, "ff41"},
        {"0200" SHA1_80, "0341"},
        {NULL, "0241"},
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof bad / sizeof *bad; i++) {
        const bool client = i % 2;
        struct side side = {0}, none = {0};
        struct tls_world_pair pair;
        struct cs_writer out = {0};
        size_t consumed;
        read_wishes(&side, &bad[i / 2]);
        const struct tls_world_setup setup = client ? setup_of(&side, &none) : setup_of(&none, &side);
        assert_int_equal(tls_world_open(&pair, &setup), SEC_E_OK);
        const struct cs_span input = {client ? NULL : (const uint8_t *)"", 0};
        const SECURITY_STATUS status = tls_world_leg(&pair, &setup, client, input, &consumed, &out);
        if (status != SEC_E_INVALID_TOKEN) fail_msg("%zu: %08x", i, (unsigned)status);
        assert_int_equal(out.size, 0);
        tls_world_close(&pair);
    }
}

static void not_before_the_end(void **state)
{
    const struct side both = {.profiles = unhex("0200" SHA1_80)};
    const struct tls_world_setup setup = setup_of(&both, &both);
    struct tls_network network;
    struct tls_world_pair pair;
    struct cs_writer none = {0};
    (void)state;
    dtls_open_network(&network, &pair, &setup);
    tls_network_leg(&network, true, (struct cs_span){NULL, 0});
    assert_true(tls_network_deliver(&network, false));
    assert_true(tls_network_deliver(&network, true));
    assert_int_equal(tls_query_bytes(pair.client, TLS_SRTP, &none), SEC_E_INVALID_HANDLE);
    assert_int_equal(tls_query_bytes(pair.server, TLS_SRTP, &none), SEC_E_INVALID_HANDLE);
    dtls_close(&network);
}

/* ---- peers and forgers ---- */

/* Somebody under way, who writes one run of bytes over another, as long. */
struct forger {
    struct tls_network network;
    bool of_client;
    struct bytes from, to;
    unsigned found;
};

static enum tls_fate forge(struct tls_network *network, bool from_client, unsigned number, struct cs_writer *datagram)
{
    struct forger *forger = (struct forger *)network;
    const struct cs_span from = span_over(&forger->from), to = span_over(&forger->to);
    (void)number;
    if (from_client != forger->of_client) return TLS_FATE_ARRIVES;
    uint8_t *at = memmem(datagram->data, datagram->size, from.data, from.size);
    if (at) memcpy(at, to.data, to.size);
    forger->found += at != NULL;
    return TLS_FATE_ARRIVES;
}

/* A server must choose what was offered, and answer the identifier that was, if any (RFC 5764 4.1.1, 4.1.3): the
 * client finds out before it answers. What is under way changed is found by the Finished, at the latest. */
static void forged(void **state)
{
    static const struct {
        bool of_client;
        const char *from, *to;
        SECURITY_STATUS client, server; /* 0: does not get through, whatever it says */
    } cases[] = {
        {false, "000e000700020001024142", "000e000700020002024142", SEC_E_ILLEGAL_MESSAGE, 0}, /* not offered */
        {false, "000e000700020001024142", "000e000700020000024142", SEC_E_ILLEGAL_MESSAGE, 0},
        {false, "000e000700020001024142", "000e000700020001024143", SEC_E_ILLEGAL_MESSAGE, 0}, /* another identifier */
        {false, "000e000700020001024142", "000e000700020001014142", SEC_E_ILLEGAL_MESSAGE, 0},
        {false, "000e000700020001024142", "000e000700020001034142", SEC_E_INVALID_TOKEN, 0}, /* cut */
        {false, "000e000700020001024142", "000e000700030001024142", SEC_E_INVALID_TOKEN, 0},
        {false, "000e000700020001024142", "000e000700040001024142", SEC_E_INVALID_TOKEN, 0}, /* two profiles */
        {false, "000e000700020001024142",
         "000e00070002000700"
         "4142",
         0, 0}, /* offered, but not what was said */
        {false, "000e000700020001024142", "000e000700020001004142", 0, 0},
        {false, "000e000700020001024142", "8a0e000700020001024142", 0, 0}, /* it is gone */
        {true, "000e0009000400010007024142", "000e0009000400070001024142", 0, 0},
        {true, "000e0009000400010007024142", "000e0009000400010007024143", 0, 0},
        {true, "000e0009000400010007024142", "8a0e0009000400010007024142", 0, 0},
        {true, "000e0009000400010007024142", "000e0009000400010007034142", 0, SEC_E_INVALID_TOKEN},
        {true, "000e0009000400010007024142", "000e0009000300010007024142", 0, SEC_E_INVALID_TOKEN},
        {true, "000e0009000400010007024142", "000e0009000a00010007024142", 0, SEC_E_INVALID_TOKEN},
        {true, "000e0009000400010007024142", "000e0009ffff00010007024142", 0, SEC_E_INVALID_TOKEN},
    };
    const struct side client = {.profiles = unhex("0400" SHA1_80 GCM_128), .identifier = unhex("024142")};
    const struct side server = {.profiles = unhex("0400" SHA1_80 GCM_128)};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct tls_world_setup setup = setup_of(&client, &server);
        struct forger forger = {
            .of_client = cases[i].of_client, .from = unhex(cases[i].from), .to = unhex(cases[i].to)};
        struct tls_world_pair pair;
        dtls_open_network(&forger.network, &pair, &setup);
        forger.network.fate = forge;
        if (tls_network_shake(&forger.network)) fail_msg("%zu: through", i);
        assert_true(forger.found);
        if (cases[i].client && pair.client_status != cases[i].client)
            fail_msg("%zu: client %08x", i, (unsigned)pair.client_status);
        if (cases[i].server && pair.server_status != cases[i].server)
            fail_msg("%zu: server %08x", i, (unsigned)pair.server_status);
        dtls_close(&forger.network);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agreed),         cmocka_unit_test(longest_identifier),   cmocka_unit_test(never_resumed),
        cmocka_unit_test(no_tickets),     cmocka_unit_test(client_keeps_nothing), cmocka_unit_test(bad_buffers),
        cmocka_unit_test(not_of_streams), cmocka_unit_test(not_before_the_end),   cmocka_unit_test(forged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
