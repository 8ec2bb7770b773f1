/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SPNEGO against whoever sits in between, or at the other end.
 *
 *  C1  the acceptor picks another mechanism
 *  C2  empty continuation tokens, of every kind, on every leg
 *  C3  no acceptable mechanism
 *  C4  other calls on a half-open context: every one, after every leg
 *  C6  the mechListMIC wrong, undecodable, missing when required, there when not, and too early
 * (C5: spnego_messages.c; C7: NegoEx is not offered)
 */
#include "spnego_peers.h"
#include "unit.h"

#include <string.h>

static const struct cs_span nothing = {NULL, 0};

/* C1 */
static void another_mechanism(void **state)
{
    static const uint8_t private_oid[] = {0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0x7D, 0x01};
    const struct cs_span picks[] = {
        spnego_krb5, spnego_ms_krb5, spnego_negoex, spnego_oid, {private_oid, sizeof private_oid}};
    (void)state;
    for (size_t i = 0; i < sizeof picks / sizeof *picks; i++)
        for (int with_token = 0; with_token < 2; with_token++) {
            struct pair_setup setup = known_setup();
            struct spnego_peers peers;
            struct spnego_resp message = {.state = SPNEGO_ACCEPT_INCOMPLETE, .supported_mech = picks[i]};
            setup.client_packages = "!Kerberos";
            spnego_peers_open(&peers, &setup);
            assert_int_equal(pair_client_step(&peers.negotiate, nothing), SEC_I_CONTINUE_NEEDED);
            const struct cs_span token = spnego_peers_ntlm_server(&peers, spnego_peers_init(&peers).mech_token);
            if (with_token) message.response_token = token;
            assert_int_equal(spnego_peers_to_client(&peers, &message), SEC_E_INVALID_TOKEN);
            message.supported_mech = spnego_ntlm;
            assert_int_equal(spnego_peers_to_client(&peers, &message), SEC_E_INVALID_TOKEN);
            spnego_peers_close(&peers);
        }
}

/* Runs legs of PAIR until COUNT of them are done, the client's first. */
static void run_some_legs(struct pair *pair, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct cs_span input = i ? cs_token(i % 2 ? pair->client : pair->server) : nothing;
        const SECURITY_STATUS status = i % 2 ? pair_server_step(pair, input) : pair_client_step(pair, input);
        assert_int_equal(status, i < 3 ? SEC_I_CONTINUE_NEEDED : SEC_E_OK);
    }
}

/* C2 */
static void empty_continuation(void **state)
{
    static const char *const empty[] = {
        "",
        "a1023000",           /* a NegTokenResp of nothing */
        "a1073005a0030a0101", /* of a state */
        "a1073005a0030a0103",
        "a1083006a0030a0101"
        "0000",
        "a10d300ba0030a0101a2020400"
        "0000",
        "a10b3009a0030a0101a2020400", /* with an empty token */
        "a10b3009a0030a0101a3020400", /* with an empty MIC */
        "a10f300da0030a0101a2020400a3020400",
    };
    (void)state;
    for (unsigned legs = 1; legs < 4; legs++)
        for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
            struct pair_setup setup = known_setup();
            struct bytes bytes = unhex(empty[i]);
            struct pair pair;
            if (legs == 1 && !bytes.size) continue; /* the acceptor then speaks first */
            pair_open(&pair, "Negotiate", &setup);
            run_some_legs(&pair, legs);
            const bool server = legs % 2;
            SECURITY_STATUS (*const deliver)(struct pair *, struct cs_span) = server ? mitm_to_server : mitm_to_client;
            assert_int_equal(deliver(&pair, span_over(&bytes)), SEC_E_INVALID_TOKEN);
            assert_null(cs_context_session(server ? pair.server : pair.client));
            pair_close(&pair);
        }
}

/* C3 */
static void no_acceptable_mechanism(void **state)
{
    struct cs_span mechs[SPNEGO_MOST_MECHS];
    (void)state;
    for (size_t i = 0; i < SPNEGO_MOST_MECHS; i++) mechs[i] = i % 2 ? spnego_negoex : spnego_krb5;
    for (size_t count = 0; count <= SPNEGO_MOST_MECHS; count++)
        for (int with_token = 0; with_token < 2; with_token++) {
            struct pair_setup setup = known_setup();
            struct spnego_peers peers;
            setup.server_packages = "!Kerberos";
            spnego_peers_open(&peers, &setup);
            const struct cs_span token = with_token ? cs_span_of("whatever") : nothing;
            assert_int_equal(spnego_peers_offer(&peers, mechs, count, token), SEC_E_INVALID_TOKEN);
            assert_int_equal(spnego_peers_offer(&peers, &spnego_ntlm, 1, nothing), SEC_E_INVALID_TOKEN);
            spnego_peers_close(&peers);
        }
}

/* C4: a context that is half-open has no session to use and no other role, and may be given up at any time. */
static void half_open(void **state)
{
    (void)state;
    for (unsigned legs = 1; legs < 4; legs++) {
        struct pair_setup setup = known_setup();
        struct pair pair;
        uint8_t room[8];
        pair_open(&pair, "Negotiate", &setup);
        run_some_legs(&pair, legs);
        struct cs_context *side = legs % 2 ? pair.client : pair.server;
        assert_null(cs_context_session(side));
        const uint32_t number = (legs % 2 ? &pair.client_leg : &pair.server_leg)->token_number;
        assert_int_equal(cs_fetch_token(side, number, room, sizeof room), SEC_E_BUFFER_TOO_SMALL);
        struct cs_leg leg = {.input = cs_span_of("whatever"), .room = SIZE_MAX};
        struct cs_context *other = side;
        assert_int_equal(legs % 2 ? cs_accept(&other, &leg) : cs_initialize(&other, &leg), SEC_E_INVALID_HANDLE);
        assert_ptr_equal(other, side);
        assert_null(cs_context_session(side));
        pair_close(&pair);
    }
}

/* C4: what it was called with meanwhile does not show. */
static void half_open_goes_on(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    pair_open(&pair, "Negotiate", &setup);
    for (unsigned i = 0; i < 5; i++) {
        const struct cs_span input = i ? cs_token(i % 2 ? pair.client : pair.server) : nothing;
        const SECURITY_STATUS status = i % 2 ? pair_server_step(&pair, input) : pair_client_step(&pair, input);
        struct cs_leg leg = {.input = cs_span_of("whatever"), .room = SIZE_MAX};
        assert_int_equal(status, i < 3 ? SEC_I_CONTINUE_NEEDED : SEC_E_OK);
        assert_int_equal(i % 2 ? cs_initialize(&pair.server, &leg) : cs_accept(&pair.client, &leg),
                         SEC_E_INVALID_HANDLE);
    }
    expect_messages_pass(&pair);
    pair_close(&pair);
}

/* A context that is complete, or has failed, takes nothing more. */
static void after_the_end(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    assert_int_equal(pair_client_step(&pair, nothing), SEC_E_INVALID_HANDLE);
    assert_int_equal(pair_server_step(&pair, nothing), STATUS_LOGON_FAILURE);
    expect_messages_pass(&pair);
    pair_close(&pair);
    pair_open(&pair, "Negotiate", &setup);
    run_some_legs(&pair, 2);
    assert_int_equal(pair_client_step(&pair, cs_span_of("whatever")), SEC_E_INVALID_TOKEN);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_INVALID_TOKEN);
    pair_close(&pair);
}

/* C6 */

enum mic { NO_MIC, RIGHT, WRONG, OF_ANOTHER_LIST, SHORT, EMPTY };

/* The stranger's MIC by SESSION, of that kind; it lies in PEERS. */
static struct cs_span mic_of_kind(struct spnego_peers *peers, struct cs_session *session, enum mic kind)
{
    struct cs_writer list = peers->mech_list;
    if (kind == NO_MIC) return nothing;
    if (kind == OF_ANOTHER_LIST) peers->mech_list.size -= 2;
    struct cs_span mic = spnego_peers_make_mic(peers, session);
    peers->mech_list = list;
    if (kind == WRONG) peers->mic[5] ^= 1;
    if (kind == SHORT) mic.size = 15;
    if (kind == EMPTY) mic.size = 0;
    return mic;
}

/* A stranger's client whose first choice is taken, or is not; what the server makes of its MIC */
static SECURITY_STATUS run_client_with(bool required, enum mic kind)
{
    struct pair_setup setup = known_setup();
    struct spnego_peers peers;
    const struct cs_span mechs[] = {spnego_negoex, spnego_ntlm};
    struct spnego_resp message = {.state = SPNEGO_NO_STATE};
    spnego_peers_open(&peers, &setup);
    assert_int_equal(spnego_peers_offer(&peers, required ? mechs : mechs + 1, required ? 2 : 1, nothing),
                     SEC_I_CONTINUE_NEEDED);
    message.response_token = spnego_peers_ntlm_client(&peers, nothing);
    assert_int_equal(spnego_peers_to_server(&peers, &message), SEC_I_CONTINUE_NEEDED);
    message.response_token = spnego_peers_ntlm_client(&peers, spnego_peers_resp(peers.negotiate.server).response_token);
    struct cs_session *session = cs_context_session(peers.ntlm.client);
    message.mech_list_mic = mic_of_kind(&peers, session, kind);
    const SECURITY_STATUS status = spnego_peers_to_server(&peers, &message);
    if (status < 0) assert_null(cs_context_session(peers.negotiate.server));
    if (status == SEC_E_OK) {
        const struct spnego_resp answer = spnego_peers_resp(peers.negotiate.server);
        const struct pair both = {.client = peers.ntlm.client, .server = peers.negotiate.server};
        assert_int_equal(answer.mech_list_mic.data != NULL, kind != NO_MIC);
        if (kind != NO_MIC) {
            assert_int_equal(spnego_peers_verify_mic(&peers, session, answer.mech_list_mic), SEC_E_OK);
            session->protection->rewind(session);
        }
        expect_messages_pass(&both);
    }
    spnego_peers_close(&peers);
    return status;
}

static void mic_of_the_client(void **state)
{
    (void)state;
    for (int required = 0; required < 2; required++) {
        assert_int_equal(run_client_with(required, NO_MIC), required ? SEC_E_INVALID_TOKEN : SEC_E_OK);
        assert_int_equal(run_client_with(required, RIGHT), SEC_E_OK);
        assert_int_equal(run_client_with(required, WRONG), SEC_E_MESSAGE_ALTERED);
        assert_int_equal(run_client_with(required, OF_ANOTHER_LIST), SEC_E_MESSAGE_ALTERED);
        assert_int_equal(run_client_with(required, SHORT), SEC_E_INVALID_TOKEN);
        assert_int_equal(run_client_with(required, EMPTY), SEC_E_INVALID_TOKEN);
    }
}

/* A stranger's server that asks for a MIC, or does not; what the client makes of the server's own */
static SECURITY_STATUS run_server_with(bool required, enum mic kind)
{
    struct pair_setup setup = known_setup();
    struct spnego_peers peers;
    struct spnego_resp message = {.state = required ? SPNEGO_REQUEST_MIC : SPNEGO_ACCEPT_INCOMPLETE,
                                  .supported_mech = spnego_ntlm};
    spnego_peers_open(&peers, &setup);
    assert_int_equal(pair_client_step(&peers.negotiate, nothing), SEC_I_CONTINUE_NEEDED);
    message.response_token = spnego_peers_ntlm_server(&peers, spnego_peers_init(&peers).mech_token);
    assert_int_equal(spnego_peers_to_client(&peers, &message), SEC_I_CONTINUE_NEEDED);
    spnego_peers_ntlm_server(&peers, spnego_peers_resp(peers.negotiate.client).response_token);
    message = (struct spnego_resp){.state = SPNEGO_ACCEPT_COMPLETED};
    message.mech_list_mic = mic_of_kind(&peers, cs_context_session(peers.ntlm.server), kind);
    const SECURITY_STATUS status = spnego_peers_to_client(&peers, &message);
    assert_int_equal(status == SEC_E_OK, cs_context_session(peers.negotiate.client) != NULL);
    spnego_peers_close(&peers);
    return status;
}

static void mic_of_the_server(void **state)
{
    (void)state;
    for (int required = 0; required < 2; required++) {
        assert_int_equal(run_server_with(required, NO_MIC), required ? SEC_E_INVALID_TOKEN : SEC_E_OK);
        assert_int_equal(run_server_with(required, RIGHT), SEC_E_OK);
        assert_int_equal(run_server_with(required, WRONG), SEC_E_MESSAGE_ALTERED);
        assert_int_equal(run_server_with(required, OF_ANOTHER_LIST), SEC_E_MESSAGE_ALTERED);
        assert_int_equal(run_server_with(required, SHORT), SEC_E_INVALID_TOKEN);
        assert_int_equal(run_server_with(required, EMPTY), SEC_E_INVALID_TOKEN);
    }
}

/* A MIC before there is a key: with NTLM's first token, with no token, and with the challenge */
static void mic_too_early(void **state)
{
    static const uint8_t mic[SPNEGO_PEERS_MIC] = {1};
    const struct cs_span early = {mic, sizeof mic};
    struct pair_setup setup = known_setup();
    (void)state;
    for (int with_token = 0; with_token < 2; with_token++) {
        struct spnego_resp message = {.state = SPNEGO_ACCEPT_INCOMPLETE, .mech_list_mic = early};
        struct spnego_peers peers;
        spnego_peers_open(&peers, &setup);
        assert_int_equal(spnego_peers_offer(&peers, &spnego_ntlm, 1, nothing), SEC_I_CONTINUE_NEEDED);
        if (with_token) message.response_token = spnego_peers_ntlm_client(&peers, nothing);
        assert_int_equal(spnego_peers_to_server(&peers, &message), SEC_E_INVALID_TOKEN);
        spnego_peers_close(&peers);
    }
    struct spnego_resp message = {.state = SPNEGO_ACCEPT_INCOMPLETE, .mech_list_mic = early};
    struct spnego_peers peers;
    spnego_peers_open(&peers, &setup);
    assert_int_equal(pair_client_step(&peers.negotiate, nothing), SEC_I_CONTINUE_NEEDED);
    message.response_token = spnego_peers_ntlm_server(&peers, spnego_peers_init(&peers).mech_token);
    assert_int_equal(spnego_peers_to_client(&peers, &message), SEC_E_MESSAGE_ALTERED);
    spnego_peers_close(&peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_mechanism),       cmocka_unit_test(empty_continuation),
        cmocka_unit_test(no_acceptable_mechanism), cmocka_unit_test(half_open),
        cmocka_unit_test(half_open_goes_on),       cmocka_unit_test(after_the_end),
        cmocka_unit_test(mic_of_the_client),       cmocka_unit_test(mic_of_the_server),
        cmocka_unit_test(mic_too_early),
    };
    return cmocka_run_group_tests(tests, known_account, forget_account);
}
