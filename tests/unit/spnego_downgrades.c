/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Downgrades by a man in the middle of Negotiate: every bit of every token changed, mechanisms added, removed and
 * exchanged, MICs stripped, states overwritten, NTLM's flags edited and NTLM laid bare. What comes of it is a failure,
 * or the mechanism, flags and keys of the run without the attacker.
 */
#include "spnego_peers.h"
#include "unit.h"

#include <string.h>

static const struct cs_span nothing = {NULL, 0};

/* What the run without the attacker comes to */
struct outcome {
    uint32_t client_flags, server_flags, client_granted, server_granted;
};

static struct outcome outcome_of(const struct pair *pair)
{
    return (struct outcome){cs_context_session(pair->client)->flags, cs_context_session(pair->server)->flags,
                            pair->client_leg.granted, pair->server_leg.granted};
}

static struct outcome undisturbed(void)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    pair_open(&pair, "Negotiate", &setup);
    assert_int_equal(pair_run(&pair), SEC_E_OK);
    const struct outcome outcome = outcome_of(&pair);
    pair_close(&pair);
    return outcome;
}

static void expect_undisturbed(const struct pair *pair)
{
    const struct outcome outcome = outcome_of(pair), expected = undisturbed();
    const struct cs_session *client = cs_context_session(pair->client), *server = cs_context_session(pair->server);
    assert_memory_equal(&outcome, &expected, sizeof outcome);
    assert_string_equal(client->package, "NTLM");
    assert_string_equal(server->package, "NTLM");
    assert_int_equal(client->session_key_size, 16);
    assert_int_equal(server->session_key_size, 16);
    assert_memory_equal(client->session_key, server->session_key, 16);
}

/* Message NUMBER as its receiver got it has a MIC. */
static bool mitm_has_mic(const struct mitm *mitm, unsigned number)
{
    struct spnego_resp message;
    return spnego_resp_read(mitm_message(mitm, number), &message) == SEC_E_OK && message.mech_list_mic.data;
}

/*
 * Whether a MIC was taken out: it then counts for the side that made it, and messages have other sequence numbers at
 * the two ends, so that none is taken. They are in the last two messages.
 */
static bool mitm_strips_mic(const struct mitm *mitm)
{
    const unsigned last = mitm_message(mitm, MITM_MESSAGES).size ? MITM_MESSAGES : 4;
    return !mitm_has_mic(mitm, last - 1) || !mitm_has_mic(mitm, last);
}

/* An attack on a whole exchange: its status, which is a failure, or the exchange came to what it would have. */
static SECURITY_STATUS run_attacked(struct mitm *mitm)
{
    struct pair_setup setup = known_setup();
    struct pair pair;
    pair_open(&pair, "Negotiate", &setup);
    const SECURITY_STATUS status = mitm_run(mitm, &pair);
    assert_true(status == SEC_E_OK || status < 0);
    if (status == SEC_E_OK)
        expect_undisturbed(&pair);
    else
        assert_null(cs_context_session(pair.client));
    if (status == SEC_E_OK && !mitm_strips_mic(mitm)) expect_messages_pass(&pair);
    pair_close(&pair);
    mitm_end(mitm);
    return status;
}

struct flip {
    unsigned number;
    size_t bit;
    bool beyond; /* the message has no such bit */
};

static void flip_bit(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    struct flip *flip = mitm->data;
    if (number != flip->number) return;
    flip->beyond = flip->bit / 8 >= message->size;
    if (!flip->beyond) message->data[flip->bit / 8] ^= (uint8_t)(1 << flip->bit % 8);
}

static void flip_every_bit_of(unsigned number)
{
    struct flip flip = {.number = number};
    unsigned refused = 0;
    for (; !flip.beyond; flip.bit++) {
        struct mitm mitm = {.edit = flip_bit, .data = &flip};
        refused += run_attacked(&mitm) < 0;
    }
    assert_true(refused > flip.bit / 2);
}

static void every_bit_of_init(void **state)
{
    (void)state;
    flip_every_bit_of(1);
}

static void every_bit_of_challenge(void **state)
{
    (void)state;
    flip_every_bit_of(2);
}

static void every_bit_of_authenticate(void **state)
{
    (void)state;
    flip_every_bit_of(3);
}

static void every_bit_of_accept(void **state)
{
    (void)state;
    flip_every_bit_of(4);
}

/* What the attacker makes of the client's offer, of the two MICs and of the request for one */
struct downgrade {
    struct cs_span before, behind; /* mechanisms added */
    bool remove, drop_token, strip_client_mic, strip_server_mic, hide_request;
};

static void rewrite_offer(const struct downgrade *downgrade, struct cs_writer *message)
{
    struct spnego_init old, made = {.mech_count = 0};
    struct cs_writer written = {0};
    assert_int_equal(spnego_init_read(cs_written(message), &old), SEC_E_OK);
    if (downgrade->before.data) made.mechs[made.mech_count++] = downgrade->before;
    for (size_t i = 0; i < old.mech_count && !downgrade->remove; i++) made.mechs[made.mech_count++] = old.mechs[i];
    if (downgrade->behind.data) made.mechs[made.mech_count++] = downgrade->behind;
    if (!downgrade->drop_token) made.mech_token = old.mech_token;
    spnego_init_write(&written, &made);
    cs_writer_drop(message);
    *message = written;
}

static void rewrite_answer(const struct downgrade *downgrade, bool client, struct cs_writer *message)
{
    struct spnego_resp resp;
    struct cs_writer written = {0};
    assert_int_equal(spnego_resp_read(cs_written(message), &resp), SEC_E_OK);
    if (client ? downgrade->strip_client_mic : downgrade->strip_server_mic) resp.mech_list_mic = nothing;
    if (downgrade->hide_request && resp.state == SPNEGO_REQUEST_MIC) resp.state = SPNEGO_ACCEPT_INCOMPLETE;
    spnego_resp_write(&written, &resp);
    cs_writer_drop(message);
    *message = written;
}

static void downgrade_message(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    if (number == 1)
        rewrite_offer(mitm->data, message);
    else
        rewrite_answer(mitm->data, number % 2, message);
}

static SECURITY_STATUS run_downgrade(struct downgrade downgrade)
{
    struct mitm mitm = {.edit = downgrade_message, .data = &downgrade};
    return run_attacked(&mitm);
}

static void offer_changed(void **state)
{
    (void)state;
    assert_int_equal(run_downgrade((struct downgrade){.remove = true}), SEC_E_INVALID_TOKEN);
    assert_int_equal(run_downgrade((struct downgrade){.remove = true, .before = spnego_negoex}), SEC_E_INVALID_TOKEN);
    assert_int_equal(run_downgrade((struct downgrade){.before = spnego_negoex}), SEC_E_MESSAGE_ALTERED);
    assert_int_equal(run_downgrade((struct downgrade){.before = spnego_negoex, .hide_request = true}),
                     SEC_E_MESSAGE_ALTERED);
    assert_int_equal(run_downgrade((struct downgrade){.behind = spnego_negoex}), SEC_E_MESSAGE_ALTERED);
    assert_int_equal(run_downgrade((struct downgrade){.behind = spnego_ntlm}), SEC_E_MESSAGE_ALTERED);
}

/* Without its optimistic token the client begins again with the same mechanism; a list that was edited shows. */
static void token_dropped(void **state)
{
    (void)state;
    assert_int_equal(run_downgrade((struct downgrade){.drop_token = true}), SEC_E_OK);
    assert_int_equal(run_downgrade((struct downgrade){.drop_token = true, .before = spnego_negoex}),
                     SEC_E_MESSAGE_ALTERED);
    assert_int_equal(run_downgrade((struct downgrade){.drop_token = true, .behind = spnego_negoex}),
                     SEC_E_MESSAGE_ALTERED);
    assert_int_equal(run_downgrade((struct downgrade){.drop_token = true, .remove = true, .before = spnego_negoex}),
                     SEC_E_INVALID_TOKEN);
}

/* The acceptor's first token taken away: the client begins again, and the acceptor does not. */
static void drop_challenge(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    struct spnego_resp resp;
    struct cs_writer written = {0};
    (void)mitm;
    if (number != 2) return;
    assert_int_equal(spnego_resp_read(cs_written(message), &resp), SEC_E_OK);
    resp.response_token = nothing;
    spnego_resp_write(&written, &resp);
    cs_writer_drop(message);
    *message = written;
}

static void challenge_dropped(void **state)
{
    struct mitm mitm = {.edit = drop_challenge};
    (void)state;
    assert_int_equal(run_attacked(&mitm), SEC_E_INVALID_TOKEN);
    assert_int_equal(mitm.refused, 3);
}

/* Where the first choice was taken no MIC is required: nothing is lost with it (run_attacked). */
static void mic_stripped(void **state)
{
    (void)state;
    run_downgrade((struct downgrade){.strip_client_mic = true});
    run_downgrade((struct downgrade){.strip_server_mic = true});
    run_downgrade((struct downgrade){.strip_client_mic = true, .strip_server_mic = true});
    run_downgrade((struct downgrade){.behind = spnego_negoex, .strip_client_mic = true});
    run_downgrade((struct downgrade){.drop_token = true, .strip_client_mic = true, .strip_server_mic = true});
    for (int both = 0; both < 2; both++)
        assert_int_equal(
            run_downgrade((struct downgrade){
                .before = spnego_negoex, .strip_client_mic = true, .strip_server_mic = both, .hide_request = both}),
            SEC_E_INVALID_TOKEN);
}

/* The states that an attacker may write over each of the last three messages: none makes more of the exchange. */
static void overwrite_state(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    struct spnego_resp resp;
    struct cs_writer written = {0};
    if (number != mitm->target_message) return;
    assert_int_equal(spnego_resp_read(cs_written(message), &resp), SEC_E_OK);
    resp.state = (enum spnego_state)mitm->set;
    spnego_resp_write(&written, &resp);
    cs_writer_drop(message);
    *message = written;
}

static void states_overwritten(void **state)
{
    (void)state;
    for (unsigned number = 2; number <= 4; number++)
        for (uint32_t negotiated = SPNEGO_ACCEPT_COMPLETED; negotiated <= SPNEGO_NO_STATE; negotiated++) {
            struct mitm mitm = {.edit = overwrite_state, .target_message = number, .set = negotiated};
            const SECURITY_STATUS status = run_attacked(&mitm);
            if (negotiated == SPNEGO_REJECT) assert_int_equal(status, SEC_E_LOGON_DENIED);
        }
}

/* NTLM's flags inside SPNEGO: its own MIC covers them. */
static void edit_inner_flags(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    static const size_t offsets[] = {MITM_NEGOTIATE_FLAGS, MITM_CHALLENGE_FLAGS, MITM_AUTHENTICATE_FLAGS};
    struct spnego_init init;
    struct spnego_resp resp;
    if (number != mitm->target_message) return;
    const SECURITY_STATUS status =
        number == 1 ? spnego_init_read(cs_written(message), &init) : spnego_resp_read(cs_written(message), &resp);
    assert_int_equal(status, SEC_E_OK);
    const struct cs_span token = number == 1 ? init.mech_token : resp.response_token;
    const size_t offset = (size_t)(token.data - message->data) + offsets[number - 1];
    const uint32_t flags = mitm_word(cs_written(message), offset);
    mitm_set_word(message, offset, (flags & ~mitm->clear) | mitm->set);
}

static void inner_flags_edited(void **state)
{
    static const uint32_t flags[] = {NTLMSSP_NEGOTIATE_SIGN,     NTLMSSP_NEGOTIATE_SEAL,
                                     NTLMSSP_NEGOTIATE_KEY_EXCH, NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY,
                                     NTLMSSP_NEGOTIATE_128,      NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL};
    (void)state;
    for (unsigned number = 1; number <= 3; number++)
        for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
            struct mitm mitm = {.edit = edit_inner_flags, .target_message = number, .clear = flags[i]};
            assert_true(run_attacked(&mitm) < 0);
        }
}

/* SPNEGO taken off on the server's side, and put on again, without MICs, on the client's */
static void lay_bare(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    struct cs_writer written = {0};
    struct spnego_init init;
    struct spnego_resp resp = {.state = number == 2 ? SPNEGO_ACCEPT_INCOMPLETE : SPNEGO_ACCEPT_COMPLETED};
    (void)mitm;
    if (number == 1 && spnego_init_read(cs_written(message), &init) == SEC_E_OK)
        cs_write_span(&written, init.mech_token);
    if (number == 3 && spnego_resp_read(cs_written(message), &resp) == SEC_E_OK)
        cs_write_span(&written, resp.response_token);
    if (number == 2) resp.response_token = cs_written(message);
    if (number % 2 == 0) spnego_resp_write(&written, &resp);
    cs_writer_drop(message);
    *message = written;
}

static void laid_bare(void **state)
{
    struct mitm mitm = {.edit = lay_bare};
    (void)state;
    run_attacked(&mitm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_of_init),
        cmocka_unit_test(every_bit_of_challenge),
        cmocka_unit_test(every_bit_of_authenticate),
        cmocka_unit_test(every_bit_of_accept),
        cmocka_unit_test(offer_changed),
        cmocka_unit_test(token_dropped),
        cmocka_unit_test(challenge_dropped),
        cmocka_unit_test(mic_stripped),
        cmocka_unit_test(states_overwritten),
        cmocka_unit_test(inner_flags_edited),
        cmocka_unit_test(laid_bare),
    };
    return cmocka_run_group_tests(tests, known_account, forget_account);
}
