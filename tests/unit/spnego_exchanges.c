/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Negotiate's exchanges over NTLM: legs, statuses and granted flags as Windows was observed (attributes.tsv,
 * Negotiate), what package lists do, and peers that begin and end in other ways.
 */
#include "spnego_peers.h"
#include "spnego_vectors.h"
#include "unit.h"

#include <string.h>

static const struct cs_span nothing = {NULL, 0};

/* Legs */

/* One exchange, leg by leg; what each granted. */
enum { CLIENT_1, SERVER_1, CLIENT_2, SERVER_2, CLIENT_3, LEGS };

static void run_legs(struct pair *pair, uint32_t granted[LEGS])
{
    assert_int_equal(pair_client_step(pair, nothing), SEC_I_CONTINUE_NEEDED);
    granted[CLIENT_1] = pair->client_leg.granted;
    assert_int_equal(cs_token(pair->client).data[0], 0x60);
    assert_int_equal(pair_server_step(pair, cs_token(pair->client)), SEC_I_CONTINUE_NEEDED);
    granted[SERVER_1] = pair->server_leg.granted;
    assert_int_equal(pair_client_step(pair, cs_token(pair->server)), SEC_I_CONTINUE_NEEDED);
    granted[CLIENT_2] = pair->client_leg.granted;
    assert_int_equal(pair_server_step(pair, cs_token(pair->client)), SEC_E_OK);
    granted[SERVER_2] = pair->server_leg.granted;
    assert_int_equal(spnego_peers_resp(pair->server).state, SPNEGO_ACCEPT_COMPLETED);
    assert_int_equal(pair_client_step(pair, cs_token(pair->server)), SEC_E_OK);
    granted[CLIENT_3] = pair->client_leg.granted;
    assert_int_equal(cs_token(pair->client).size, 0);
}

/* fContextReq 0 */
static void flags_without_request(void **state)
{
    const uint32_t replay_and_sequence = ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT;
    const uint32_t client = ISC_REQ_MUTUAL_AUTH | replay_and_sequence | ISC_REQ_INTEGRITY;
    struct pair_setup setup = known_setup();
    struct pair pair;
    uint32_t granted[LEGS];
    (void)state;
    setup.client_request = setup.server_request = 0;
    pair_open(&pair, "Negotiate", &setup);
    run_legs(&pair, granted);
    assert_int_equal(granted[CLIENT_1], ISC_RET_INTERMEDIATE_RETURN);
    assert_int_equal(granted[SERVER_1], replay_and_sequence);
    assert_int_equal(granted[CLIENT_2], client);
    assert_int_equal(granted[SERVER_2], replay_and_sequence | ASC_REQ_INTEGRITY);
    assert_int_equal(granted[CLIENT_3], client);
    pair_close(&pair);
}

/* All five asked for: all five on every client leg */
static void flags_with_request(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    uint32_t granted[LEGS];
    (void)state;
    setup.client_request = ISC_REQ_MUTUAL_AUTH | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT |
                           ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY;
    pair_open(&pair, "Negotiate", &setup);
    run_legs(&pair, granted);
    assert_int_equal(granted[CLIENT_1] & setup.client_request, setup.client_request);
    assert_int_equal(granted[CLIENT_2], setup.client_request);
    assert_int_equal(granted[CLIENT_3], setup.client_request);
    expect_messages_pass(&pair);
    pair_close(&pair);
}

/* What goes over the wire is what the capture has: fields, states, MICs. */
static void tokens_as_captured(void **state)
{
    struct pair_setup setup = known_setup();
    struct mitm mitm = {.edit = NULL};
    struct pair pair;
    struct spnego_init init;
    struct spnego_resp resp[3];
    (void)state;
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(mitm_run(&mitm, &pair), SEC_E_OK);
    assert_int_equal(spnego_init_read(mitm_message(&mitm, 1), &init), SEC_E_OK);
    for (unsigned i = 0; i < 3; i++) assert_int_equal(spnego_resp_read(mitm_message(&mitm, i + 2), &resp[i]), SEC_E_OK);
    expect_hex(init.mech_list, spnego_smb_mech_list);
    assert_int_equal(ntlm_message_type(init.mech_token), NTLM_NEGOTIATE);
    assert_int_equal(resp[0].state, SPNEGO_ACCEPT_INCOMPLETE);
    assert_true(spnego_same_oid(resp[0].supported_mech, spnego_ntlm));
    assert_int_equal(ntlm_message_type(resp[0].response_token), NTLM_CHALLENGE_MESSAGE);
    assert_null(resp[0].mech_list_mic.data);
    assert_int_equal(resp[1].state, SPNEGO_ACCEPT_INCOMPLETE);
    assert_null(resp[1].supported_mech.data);
    assert_int_equal(ntlm_message_type(resp[1].response_token), NTLM_AUTHENTICATE);
    assert_int_equal(resp[1].mech_list_mic.size, 16);
    assert_int_equal(resp[2].state, SPNEGO_ACCEPT_COMPLETED);
    assert_null(resp[2].supported_mech.data);
    assert_null(resp[2].response_token.data);
    assert_int_equal(resp[2].mech_list_mic.size, 16);
    pair_close(&pair);
    mitm_end(&mitm);
}

static void loopback_and_wrong_password(void **state)
{
    struct pair_setup loopback = loopback_setup("HOST/localhost"), wrong = known_setup();
    struct pair pair;
    (void)state;
    pair_open(&pair, "Negotiate", &loopback);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    expect_messages_pass(&pair);
    pair_close(&pair);
    wrong.password = "wrong";
    pair_open(&pair, "Negotiate", &wrong);
    assert_int_equal(pair_run(&pair), SEC_E_LOGON_DENIED);
    pair_close(&pair);
}

/* Package lists */

/* "NTLM": raw tokens, two client legs */
static void ntlm_alone_is_bare(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    setup.client_packages = "NTLM";
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_client_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(ntlm_message_type(cs_token(pair.client)), NTLM_NEGOTIATE);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(ntlm_message_type(cs_token(pair.server)), NTLM_CHALLENGE_MESSAGE);
    assert_int_equal(pair_client_step(&pair, cs_token(pair.server)), SEC_E_OK);
    assert_int_equal(ntlm_message_type(cs_token(pair.client)), NTLM_AUTHENTICATE);
    assert_int_equal(pair_server_step(&pair, cs_token(pair.client)), SEC_E_OK);
    assert_int_equal(cs_token(pair.server).size, 0);
    expect_messages_pass(&pair);
    pair_close(&pair);
}

/* Lists that leave NTLM in: SPNEGO, and the five legs of "!Kerberos" */
static void lists_that_wrap(void **state)
{
    static const char *const lists[] = {"!Kerberos", "!kerberos", "Kerberos,NTLM", "kerberos,ntlm", "!Kerberos,NTLM"};
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct pair_setup setup = known_setup();
        struct pair pair;
        uint32_t granted[LEGS];
        setup.client_packages = lists[i];
        pair_open(&pair, "Negotiate", &setup);
        run_legs(&pair, granted);
        expect_messages_pass(&pair);
        pair_close(&pair);
    }
}

/* Lists that leave nothing: a credential, but no context on either side (errors.tsv, SEC_E_NO_CREDENTIALS) */
static void lists_that_exclude(void **state)
{
    static const char *const lists[] = {"!NTLM,!Kerberos", "!ntlm,!kerberos", "NegoExtender", "!NTLM,NTLM,!Kerberos",
                                        "NTLM,!NTLM",      "NTLMv2",          "NTL"};
    (void)state;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        struct pair_setup setup = known_setup();
        struct pair pair;
        setup.client_packages = setup.server_packages = lists[i];
        pair_open(&pair, "Negotiate", &setup);
        assert_int_equal(pair_client_step(&pair, nothing), SEC_E_NO_CREDENTIALS);
        assert_int_equal(pair_server_step(&pair, nothing), SEC_E_NO_CREDENTIALS);
        pair_close(&pair);
    }
}

/* An acceptor without NTLM takes it neither wrapped nor bare. */
static void acceptor_without_ntlm(void **state)
{
    static const char *const clients[] = {NULL, "NTLM"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pair_setup setup = known_setup();
        struct pair pair;
        setup.client_packages = clients[i];
        setup.server_packages = "!NTLM";
        pair_open(&pair, "Negotiate", &setup);
        assert_int_equal(pair_run(&pair), SEC_E_INVALID_TOKEN);
        pair_close(&pair);
    }
}

/* Other beginnings */

/* The server speaks first: NegTokenInit2 with the hint, and then takes the client's NegTokenInit. */
static void server_speaks_first(void **state)
{
    struct pair_setup setup = known_setup();
    struct spnego_init hints;
    struct pair pair;
    (void)state;
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_server_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(spnego_init_read(cs_token(pair.server), &hints), SEC_E_OK);
    assert_true(spnego_same_oid(hints.mechs[hints.mech_count - 1], spnego_ntlm));
    assert_int_equal(hints.hint_name.size, 36);
    assert_memory_equal(hints.hint_name.data, "not_defined_in_RFC4178@please_ignore", 36);
    assert_null(hints.mech_token.data);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    expect_messages_pass(&pair);
    pair_close(&pair);
}

/* But only once. */
static void server_speaks_first_once(void **state)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    (void)state;
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_server_step(&pair, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&pair, nothing), SEC_E_INVALID_TOKEN);
    pair_close(&pair);
}

/* A client of the NTLM package to a server of Negotiate; with hints before it, too */
static void bare_ntlm_is_taken(void **state)
{
    struct pair_setup setup = known_setup();
    (void)state;
    for (int hints = 0; hints < 2; hints++) {
        struct spnego_peers peers;
        spnego_peers_open(&peers, &setup);
        if (hints) assert_int_equal(mitm_to_server(&peers.negotiate, nothing), SEC_I_CONTINUE_NEEDED);
        struct cs_span token = spnego_peers_ntlm_client(&peers, nothing);
        assert_int_equal(mitm_to_server(&peers.negotiate, token), SEC_I_CONTINUE_NEEDED);
        token = spnego_peers_ntlm_client(&peers, cs_token(peers.negotiate.server));
        assert_int_equal(mitm_to_server(&peers.negotiate, token), SEC_E_OK);
        const struct pair both = {.client = peers.ntlm.client, .server = peers.negotiate.server};
        expect_messages_pass(&both);
        spnego_peers_close(&peers);
    }
}

/* From the stranger's NTLM NEGOTIATE on, in NegTokenResp: up to the acceptor's last word */
static void expect_stranger_finishes(struct spnego_peers *peers)
{
    struct spnego_resp message = {.state = SPNEGO_ACCEPT_INCOMPLETE};
    struct pair both = {.server = peers->negotiate.server};
    message.response_token = spnego_peers_ntlm_client(peers, spnego_peers_resp(both.server).response_token);
    both.client = peers->ntlm.client;
    struct cs_session *session = cs_context_session(both.client);
    message.mech_list_mic = spnego_peers_make_mic(peers, session);
    assert_int_equal(spnego_peers_to_server(peers, &message), SEC_E_OK);
    message = spnego_peers_resp(both.server);
    assert_int_equal(message.state, SPNEGO_ACCEPT_COMPLETED);
    assert_int_equal(spnego_peers_verify_mic(peers, session, message.mech_list_mic), SEC_E_OK);
    session->protection->rewind(session);
    expect_messages_pass(&both);
}

/* NTLM first, but no mechToken: the server asks for it, and no MIC is required since the first choice was taken. */
static void no_optimistic_token(void **state)
{
    struct pair_setup setup = known_setup();
    struct spnego_peers peers;
    struct spnego_resp message = {.state = SPNEGO_NO_STATE};
    (void)state;
    spnego_peers_open(&peers, &setup);
    assert_int_equal(spnego_peers_offer(&peers, &spnego_ntlm, 1, nothing), SEC_I_CONTINUE_NEEDED);
    struct spnego_resp answer = spnego_peers_resp(peers.negotiate.server);
    assert_int_equal(answer.state, SPNEGO_ACCEPT_INCOMPLETE);
    assert_true(spnego_same_oid(answer.supported_mech, spnego_ntlm));
    assert_null(answer.response_token.data);
    message.response_token = spnego_peers_ntlm_client(&peers, nothing);
    assert_int_equal(spnego_peers_to_server(&peers, &message), SEC_I_CONTINUE_NEEDED);
    expect_stranger_finishes(&peers);
    spnego_peers_close(&peers);
}

/* A first mechanism that cannot run here: its token is dropped, and a MIC asked for. */
static void expect_request_mic(const struct cs_span *mechs, size_t count, struct cs_span optimistic)
{
    struct pair_setup setup = known_setup();
    struct spnego_peers peers;
    struct spnego_resp message = {.state = SPNEGO_ACCEPT_INCOMPLETE};
    setup.server_packages = "!Kerberos";
    spnego_peers_open(&peers, &setup);
    assert_int_equal(spnego_peers_offer(&peers, mechs, count, optimistic), SEC_I_CONTINUE_NEEDED);
    struct spnego_resp answer = spnego_peers_resp(peers.negotiate.server);
    assert_int_equal(answer.state, SPNEGO_REQUEST_MIC);
    assert_true(spnego_same_oid(answer.supported_mech, spnego_ntlm));
    assert_null(answer.response_token.data);
    message.response_token = spnego_peers_ntlm_client(&peers, nothing);
    assert_int_equal(spnego_peers_to_server(&peers, &message), SEC_I_CONTINUE_NEEDED);
    expect_stranger_finishes(&peers);
    spnego_peers_close(&peers);
}

static void unknown_mechanism_first(void **state)
{
    static const uint8_t private_oid[] = {0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0x7D, 0x01};
    const struct cs_span entra[] = {spnego_negoex, spnego_ntlm};
    const struct cs_span windows[] = {spnego_ms_krb5, spnego_krb5, spnego_negoex, spnego_ntlm};
    const struct cs_span stranger[] = {{private_oid, sizeof private_oid}, spnego_ntlm};
    (void)state;
    expect_request_mic(entra, 2, cs_span_of("NEGOEXTS"));
    expect_request_mic(entra, 2, nothing);
    expect_request_mic(windows, 4, cs_span_of("an AP-REQ"));
    expect_request_mic(stranger, 2, cs_span_of("whatever"));
}

/* The initiator's view of a server of another make */

struct stranger {
    enum spnego_state first, last; /* negState of the challenge, and of the end */
    bool names_mechanism, mic;
    const char *token;            /* one more than NTLM has */
    enum spnego_state left_aside; /* negState of a message before, for the optimistic token; completed: none */
};

/* Tells the client of PEERS to go on with NTLM, without an answer to its token. */
static SECURITY_STATUS leave_token_aside(struct spnego_peers *peers, enum spnego_state negotiated)
{
    const struct spnego_resp message = {.state = negotiated, .supported_mech = spnego_ntlm};
    return spnego_peers_to_client(peers, &message);
}

/* The same token once more, in answer */
static struct cs_span expect_token_again(struct spnego_peers *peers, struct cs_span first, enum spnego_state negotiated)
{
    struct cs_writer kept = {0};
    cs_write_span(&kept, first);
    assert_int_equal(leave_token_aside(peers, negotiated), SEC_I_CONTINUE_NEEDED);
    const struct spnego_resp answer = spnego_peers_resp(peers->negotiate.client);
    assert_int_equal(answer.response_token.size, kept.size);
    assert_memory_equal(answer.response_token.data, kept.data, kept.size);
    assert_null(answer.mech_list_mic.data);
    cs_writer_drop(&kept);
    return answer.response_token;
}

/* A whole exchange with that server; what the client makes of its last message */
static SECURITY_STATUS run_with_server(const struct stranger *stranger)
{
    struct pair_setup setup = known_setup();
    struct spnego_peers peers;
    struct spnego_resp message = {.state = stranger->first};
    spnego_peers_open(&peers, &setup);
    struct pair *client = &peers.negotiate;
    assert_int_equal(pair_client_step(client, nothing), SEC_I_CONTINUE_NEEDED);
    struct cs_span token = spnego_peers_init(&peers).mech_token;
    if (stranger->left_aside) token = expect_token_again(&peers, token, stranger->left_aside);
    message.response_token = spnego_peers_ntlm_server(&peers, token);
    if (stranger->names_mechanism) message.supported_mech = spnego_ntlm;
    assert_int_equal(spnego_peers_to_client(&peers, &message), SEC_I_CONTINUE_NEEDED);
    const struct spnego_resp answer = spnego_peers_resp(client->client);
    assert_int_equal(spnego_peers_ntlm_server(&peers, answer.response_token).size, 0);
    struct cs_session *session = cs_context_session(peers.ntlm.server);
    assert_int_equal(spnego_peers_verify_mic(&peers, session, answer.mech_list_mic), SEC_E_OK);
    message = (struct spnego_resp){.state = stranger->last};
    if (stranger->token) message.response_token = cs_span_of(stranger->token);
    if (stranger->mic) message.mech_list_mic = spnego_peers_make_mic(&peers, session);
    const SECURITY_STATUS status = spnego_peers_to_client(&peers, &message);
    if (status == SEC_E_OK) {
        session->protection->rewind(session);
        const struct pair both = {.client = client->client, .server = peers.ntlm.server};
        expect_messages_pass(&both);
    }
    spnego_peers_close(&peers);
    return status;
}

struct stranger_case {
    struct stranger server;
    SECURITY_STATUS status;
};

static void expect_statuses(const struct stranger_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) assert_int_equal(run_with_server(&cases[i].server), cases[i].status);
}

static void states_of_the_server(void **state)
{
    static const struct stranger_case cases[] = {
        {{SPNEGO_ACCEPT_INCOMPLETE, SPNEGO_ACCEPT_COMPLETED, true, true, NULL, 0}, SEC_E_OK},
        {{SPNEGO_ACCEPT_INCOMPLETE, SPNEGO_ACCEPT_COMPLETED, true, true, "NTLMSSP", 0}, SEC_E_INVALID_TOKEN},
        {{SPNEGO_ACCEPT_INCOMPLETE, SPNEGO_ACCEPT_COMPLETED, false, true, NULL, 0}, SEC_E_OK},
        {{SPNEGO_REQUEST_MIC, SPNEGO_ACCEPT_COMPLETED, true, true, NULL, 0}, SEC_E_OK},
        {{SPNEGO_REQUEST_MIC, SPNEGO_ACCEPT_COMPLETED, true, false, NULL, 0}, SEC_E_INVALID_TOKEN},
        {{SPNEGO_ACCEPT_INCOMPLETE, SPNEGO_NO_STATE, true, true, NULL, 0}, SEC_E_OK},
        {{SPNEGO_ACCEPT_INCOMPLETE, SPNEGO_ACCEPT_INCOMPLETE, true, true, NULL, 0}, SEC_E_INVALID_TOKEN},
        {{SPNEGO_REQUEST_MIC, SPNEGO_REQUEST_MIC, true, true, NULL, 0}, SEC_E_INVALID_TOKEN},
        {{SPNEGO_REQUEST_MIC, SPNEGO_NO_STATE, true, false, NULL, 0}, SEC_E_INVALID_TOKEN},
        {{SPNEGO_ACCEPT_INCOMPLETE, SPNEGO_REJECT, true, true, NULL, 0}, SEC_E_LOGON_DENIED},
        {{SPNEGO_ACCEPT_INCOMPLETE, SPNEGO_REJECT, true, false, NULL, 0}, SEC_E_LOGON_DENIED},
        {{SPNEGO_REQUEST_MIC, SPNEGO_REJECT, true, false, NULL, 0}, SEC_E_LOGON_DENIED},
    };
    (void)state;
    expect_statuses(cases, sizeof cases / sizeof *cases);
}

/* An acceptor that takes the first mechanism but not its optimistic token: NTLM begins again, and all goes on. */
static void optimistic_token_left_aside(void **state)
{
    static const struct stranger_case cases[] = {
        {{SPNEGO_ACCEPT_INCOMPLETE, SPNEGO_ACCEPT_COMPLETED, false, true, NULL, SPNEGO_ACCEPT_INCOMPLETE}, SEC_E_OK},
        {{SPNEGO_ACCEPT_INCOMPLETE, SPNEGO_ACCEPT_COMPLETED, true, true, NULL, SPNEGO_NO_STATE}, SEC_E_OK},
        {{SPNEGO_ACCEPT_INCOMPLETE, SPNEGO_ACCEPT_COMPLETED, false, true, NULL, SPNEGO_REQUEST_MIC}, SEC_E_OK},
        {{SPNEGO_ACCEPT_INCOMPLETE, SPNEGO_ACCEPT_COMPLETED, false, false, NULL, SPNEGO_REQUEST_MIC},
         SEC_E_INVALID_TOKEN},
        {{SPNEGO_ACCEPT_INCOMPLETE, SPNEGO_ACCEPT_INCOMPLETE, false, true, NULL, SPNEGO_ACCEPT_INCOMPLETE},
         SEC_E_INVALID_TOKEN},
    };
    (void)state;
    expect_statuses(cases, sizeof cases / sizeof *cases);
}

/* The first answer already ends it: rejected, or complete before NTLM is */
static void early_end(void **state)
{
    static const struct {
        enum spnego_state state;
        SECURITY_STATUS status;
    } cases[] = {{SPNEGO_REJECT, SEC_E_LOGON_DENIED}, {SPNEGO_ACCEPT_COMPLETED, SEC_E_INVALID_TOKEN}};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (int with_token = 0; with_token < 2; with_token++) {
            struct pair_setup setup = known_setup();
            struct spnego_peers peers;
            struct spnego_resp message = {.state = cases[i].state, .supported_mech = spnego_ntlm};
            spnego_peers_open(&peers, &setup);
            assert_int_equal(pair_client_step(&peers.negotiate, nothing), SEC_I_CONTINUE_NEEDED);
            const struct cs_span token = spnego_peers_ntlm_server(&peers, spnego_peers_init(&peers).mech_token);
            if (with_token) message.response_token = token;
            assert_int_equal(spnego_peers_to_client(&peers, &message), cases[i].status);
            assert_null(cs_context_session(peers.negotiate.client));
            spnego_peers_close(&peers);
        }
}

/* NTLM does not begin again twice, nor once it was answered, nor for one who says that all is done. */
static void token_left_aside_too_late(void **state)
{
    struct pair_setup setup = known_setup();
    struct spnego_peers peers;
    struct spnego_resp message = {.state = SPNEGO_ACCEPT_INCOMPLETE, .supported_mech = spnego_ntlm};
    (void)state;
    for (int answered = 0; answered < 2; answered++) {
        spnego_peers_open(&peers, &setup);
        assert_int_equal(pair_client_step(&peers.negotiate, nothing), SEC_I_CONTINUE_NEEDED);
        message.response_token = nothing;
        if (answered) message.response_token = spnego_peers_ntlm_server(&peers, spnego_peers_init(&peers).mech_token);
        assert_int_equal(spnego_peers_to_client(&peers, &message), SEC_I_CONTINUE_NEEDED);
        assert_int_equal(leave_token_aside(&peers, SPNEGO_ACCEPT_INCOMPLETE), SEC_E_INVALID_TOKEN);
        spnego_peers_close(&peers);
    }
    spnego_peers_open(&peers, &setup);
    assert_int_equal(pair_client_step(&peers.negotiate, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(leave_token_aside(&peers, SPNEGO_ACCEPT_COMPLETED), SEC_E_INVALID_TOKEN);
    spnego_peers_close(&peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_without_request),
        cmocka_unit_test(flags_with_request),
        cmocka_unit_test(tokens_as_captured),
        cmocka_unit_test(loopback_and_wrong_password),
        cmocka_unit_test(ntlm_alone_is_bare),
        cmocka_unit_test(lists_that_wrap),
        cmocka_unit_test(lists_that_exclude),
        cmocka_unit_test(acceptor_without_ntlm),
        cmocka_unit_test(server_speaks_first),
        cmocka_unit_test(server_speaks_first_once),
        cmocka_unit_test(bare_ntlm_is_taken),
        cmocka_unit_test(no_optimistic_token),
        cmocka_unit_test(unknown_mechanism_first),
        cmocka_unit_test(states_of_the_server),
        cmocka_unit_test(early_end),
        cmocka_unit_test(optimistic_token_left_aside),
        cmocka_unit_test(token_left_aside_too_late),
    };
    return cmocka_run_group_tests(tests, known_account, forget_account);
}
