/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A man in the middle of user-to-user: he shows another's ticket, an old one or none, alters, cuts and repeats, and
 * drives clients over to it. Nothing but the KDC's ticket says whose the shown one is (RFC 4120 3.3.3, 3.7).
 *
 * Bug classes: A2 and C5 (cut and overlong encodings), C4 (what a half-open context yields), E1.
 */
#include "kerberos_user_to_user.h"
#include "realm.h"
#include "unit.h"

#include <der.h>
#include <krb5_err.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cs_span nothing;
static krb5_context krb5;

/* A client and an acceptor that have logged on already, so that a case costs no more than one exchange with the KDC. */
static struct pair world;

static int start(void **state)
{
    const struct pair_setup setup = realm_setup_user_to_user();
    (void)state;
    realm_start_peopled("");
    realm_add_user("peer", "Secret");
    realm_add_user("mallory", "Password");
    pair_open(&world, "Kerberos", &setup);
    return krb5_init_context(&krb5);
}

static int stop(void **state)
{
    (void)state;
    pair_close(&world);
    krb5_free_context(krb5);
    realm_end();
    return 0;
}

static void begin(uint32_t client_request)
{
    cs_context_release(world.client);
    cs_context_release(world.server);
    world.client = world.server = NULL;
    world.setup = realm_setup_user_to_user();
    world.setup.client_request |= client_request;
}

/* Up to where the acceptor has shown its ticket; the token is *reply. */
static void show(struct cs_writer *reply)
{
    begin(0);
    assert_int_equal(pair_client_step(&world, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&world, cs_token(world.client)), SEC_I_CONTINUE_NEEDED);
    reply->size = 0;
    cs_write_span(reply, cs_token(world.server));
}

/* What a client that has asked says to TOKEN. */
static SECURITY_STATUS answer(struct cs_span token)
{
    begin(0);
    assert_int_equal(pair_client_step(&world, nothing), SEC_I_CONTINUE_NEEDED);
    SECURITY_STATUS status = mitm_to_client(&world, token);
    assert_null(cs_context_session(world.client));
    if (status < 0) assert_int_equal(cs_token(world.client).size, 0);
    return status;
}

static SECURITY_STATUS answer_with(enum kerberos_token_kind kind, bool user_to_user, struct cs_span message)
{
    const struct kerberos_token token = {kind, true, message, user_to_user};
    struct cs_writer written = {0};
    kerberos_token_write(&written, &token);
    SECURITY_STATUS status = answer(cs_written(&written));
    cs_writer_drop(&written);
    return status;
}

static SECURITY_STATUS answer_with_ticket(struct cs_span ticket)
{
    struct cs_writer message = {0};
    kerberos_write_tgt_reply(ticket, &message);
    SECURITY_STATUS status = answer_with(KERBEROS_TGT_REPLY, true, cs_written(&message));
    cs_writer_drop(&message);
    return status;
}

/* The ticket for SERVER in the user's cache, or from the KDC with what is there. */
static krb5_creds *ticket_for(const char *server)
{
    krb5_ccache ccache;
    krb5_principal principal;
    krb5_creds *creds = NULL;
    assert_int_equal(krb5_cc_default(krb5, &ccache), 0);
    assert_int_equal(krb5_parse_name(krb5, server, &principal), 0);
    assert_int_equal(krb5_get_creds(krb5, NULL, ccache, principal, &creds), 0);
    krb5_free_principal(krb5, principal);
    krb5_cc_close(krb5, ccache);
    return creds;
}

static SECURITY_STATUS answer_with_creds(const char *server)
{
    krb5_creds *creds = ticket_for(server);
    SECURITY_STATUS status = answer_with_ticket((struct cs_span){creds->ticket.data, creds->ticket.length});
    krb5_free_creds(krb5, creds);
    return status;
}

/* Whoever answers for the target with a ticket of his own is not the target: also where the KDC calls him by name. */
static void shown_by_another(void **state)
{
    (void)state;
    realm_kinit("mallory", "Password");
    assert_int_equal(answer_with_creds("krbtgt/EXAMPLE.TEST"), SEC_E_WRONG_PRINCIPAL);
    realm_kinit("user", "Password"); /* the client's own */
    assert_int_equal(answer_with_creds("krbtgt/EXAMPLE.TEST"), SEC_E_WRONG_PRINCIPAL);
    realm_kdestroy();
}

static void no_tgt_at_all(void **state)
{
    (void)state;
    realm_kinit("peer", "Secret");
    assert_int_equal(answer_with_creds("HTTP/server.example.test"), SEC_E_NO_TGT_REPLY);
    assert_int_equal(answer_with_creds("krbtgt/EXAMPLE.TEST"), SEC_I_CONTINUE_NEEDED);
    realm_kdestroy();
}

static void expired(void **state)
{
    (void)state;
    if (system("printf 'Secret\n' | kinit.heimdal --password-file=STDIN --lifetime=1s peer >/dev/null")) abort();
    krb5_creds *creds = ticket_for("krbtgt/EXAMPLE.TEST");
    const struct cs_span ticket = {creds->ticket.data, creds->ticket.length};
    sleep(2);
    assert_int_equal(answer_with_ticket(ticket), SEC_E_NO_TGT_REPLY);
    krb5_free_creds(krb5, creds);
    realm_kdestroy();
}

/* The ticket's ciphertext is the KDC's to open. Its name and its realm are nobody's word. */
static void ticket_altered(void **state)
{
    struct cs_writer reply = {0};
    struct kerberos_token token;
    struct cs_span ticket;
    (void)state;
    show(&reply);
    assert_true(kerberos_token_read(cs_written(&reply), &token));
    assert_true(kerberos_read_tgt_reply(token.message, &ticket));
    uint8_t *last = reply.data + reply.size - 1;
    for (int i = 0; i < 100; i += 9) {
        last[-i] ^= 1;
        assert_int_equal(answer(cs_written(&reply)), SEC_E_NO_TGT_REPLY);
        last[-i] ^= 1;
    }
    assert_int_equal(answer(cs_written(&reply)), SEC_I_CONTINUE_NEEDED);
    cs_writer_drop(&reply);
}

static void cut_short(void **state)
{
    struct cs_writer reply = {0};
    (void)state;
    show(&reply);
    for (size_t size = 0; size < reply.size; size++)
        assert_int_equal(answer((struct cs_span){reply.data, size}), SEC_E_INVALID_TOKEN);
    cs_write_u8(&reply, 0);
    assert_int_equal(answer(cs_written(&reply)), SEC_E_INVALID_TOKEN);
    cs_writer_drop(&reply);
}

/* The message cut inside a frame that fits, and with something behind the ticket. */
static void cut_inside(void **state)
{
    struct cs_writer reply = {0}, longer = {0};
    struct kerberos_token token;
    struct cs_span ticket;
    (void)state;
    show(&reply);
    assert_true(kerberos_token_read(cs_written(&reply), &token));
    assert_true(kerberos_read_tgt_reply(token.message, &ticket));
    for (size_t size = 0; size < ticket.size; size++)
        assert_int_equal(answer_with_ticket((struct cs_span){ticket.data, size}), SEC_E_INVALID_TOKEN);
    cs_write_span(&longer, ticket);
    cs_write_u16(&longer, 0x0005);
    assert_int_equal(answer_with_ticket(cs_written(&longer)), SEC_E_INVALID_TOKEN);
    cs_writer_drop(&longer);
    cs_writer_drop(&reply);
}

/* What else an acceptor, or somebody in its place, may answer. */
static void no_reply(void **state)
{
    struct cs_writer reply = {0}, error = {0};
    struct kerberos_token token;
    const uint8_t bare[] = {0x6F, 0}, request[] = {0x30, 0x0A, 0xA0, 3, 2, 1, 5, 0xA1, 3, 2, 1, 16};
    (void)state;
    show(&reply);
    assert_true(kerberos_token_read(cs_written(&reply), &token));
    assert_int_equal(kerberos_write_error(krb5, KRB5KDC_ERR_NONE + KERBEROS_ERR_NO_TGT, NULL, nothing, &error), 0);
    assert_int_equal(answer_with(KERBEROS_ERROR, true, cs_written(&error)), SEC_E_NO_TGT_REPLY);
    assert_int_equal(answer_with(KERBEROS_TGT_REPLY, false, token.message), SEC_E_INVALID_TOKEN);
    assert_int_equal(answer_with(KERBEROS_TGT_REQUEST, true, token.message), SEC_E_INVALID_TOKEN);
    assert_int_equal(answer_with(KERBEROS_TGT_REPLY, true, (struct cs_span){request, sizeof request}),
                     SEC_E_INVALID_TOKEN);
    assert_int_equal(answer(token.message), SEC_E_INVALID_TOKEN);
    assert_int_equal(answer((struct cs_span){bare, sizeof bare}), SEC_E_INVALID_TOKEN);
    assert_int_equal(answer(nothing), SEC_E_INVALID_TOKEN);
    cs_writer_drop(&reply);
    cs_writer_drop(&error);
}

/* A ticket that is shown where none was asked for, or once more. */
static void shown_out_of_turn(void **state)
{
    struct cs_writer reply = {0};
    (void)state;
    show(&reply);
    assert_int_equal(mitm_to_client(&world, cs_written(&reply)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(mitm_to_client(&world, cs_written(&reply)), SEC_E_INVALID_TOKEN);
    begin(0);
    world.setup.client_request &= ~ISC_REQ_USE_SESSION_KEY;
    assert_int_equal(pair_client_step(&world, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(mitm_to_client(&world, cs_written(&reply)), SEC_E_INVALID_TOKEN);
    cs_writer_drop(&reply);
}

/* A client that was to use user-to-user takes no ordinary exchange for it, whatever the acceptor is told. */
static void taken_away(void **state)
{
    struct cs_writer request = {0};
    struct kerberos_token token;
    (void)state;
    begin(0);
    world.setup.client_request &= ~ISC_REQ_USE_SESSION_KEY;
    assert_int_equal(pair_client_step(&world, nothing), SEC_I_CONTINUE_NEEDED);
    cs_write_span(&request, cs_token(world.client)); /* an ordinary AP-REQ, to an acceptor that has shown its ticket */
    begin(0);
    assert_int_equal(pair_client_step(&world, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&world, cs_token(world.client)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&world, cs_written(&request)), SEC_E_INVALID_TOKEN);
    begin(0); /* and one framed as user-to-user */
    assert_int_equal(pair_client_step(&world, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&world, cs_token(world.client)), SEC_I_CONTINUE_NEEDED);
    struct cs_writer framed = {0};
    assert_true(kerberos_token_read(cs_written(&request), &token));
    token.user_to_user = true;
    kerberos_token_write(&framed, &token);
    assert_int_equal(pair_server_step(&world, cs_written(&framed)), SEC_E_NO_KERB_KEY);
    cs_writer_drop(&framed);
    cs_writer_drop(&request);
}

/* The AP-REQ again, to a context that has shown the same ticket; and its AP-REP to another client. */
static void replayed(void **state)
{
    struct cs_writer reply = {0}, request = {0}, last = {0};
    (void)state;
    show(&reply);
    assert_int_equal(pair_client_step(&world, cs_written(&reply)), SEC_I_CONTINUE_NEEDED);
    cs_write_span(&request, cs_token(world.client));
    assert_int_equal(pair_server_step(&world, cs_written(&request)), SEC_E_OK);
    cs_write_span(&last, cs_token(world.server));
    show(&reply);
    assert_int_equal(pair_client_step(&world, cs_written(&reply)), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(pair_server_step(&world, cs_written(&request)), SEC_E_LOGON_DENIED);
    assert_int_equal(pair_client_step(&world, cs_written(&last)), SEC_E_WRONG_PRINCIPAL);
    cs_writer_drop(&reply);
    cs_writer_drop(&request);
    cs_writer_drop(&last);
}

/* An ordinary client of a service is told that it wants user-to-user: by itself with a ticket of its own. */
static SECURITY_STATUS drive_over(struct cs_span data, bool twice)
{
    struct cs_writer error = {0}, written = {0};
    begin(0);
    world.setup.client_request &= ~ISC_REQ_USE_SESSION_KEY;
    assert_int_equal(pair_client_step(&world, nothing), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(kerberos_write_error(krb5, KRB5_AP_ERR_USER_TO_USER_REQUIRED, NULL, data, &error), 0);
    kerberos_token_write(&written, &(struct kerberos_token){KERBEROS_ERROR, true, cs_written(&error), false});
    SECURITY_STATUS status = mitm_to_client(&world, cs_written(&written));
    if (twice && status >= 0) status = mitm_to_client(&world, cs_written(&written));
    assert_null(cs_context_session(world.client));
    cs_writer_drop(&error);
    cs_writer_drop(&written);
    return status;
}

static void driven_over(void **state)
{
    struct cs_writer reply = {0};
    krb5_creds *creds;
    (void)state;
    realm_kinit("mallory", "Password");
    creds = ticket_for("krbtgt/EXAMPLE.TEST");
    kerberos_write_tgt_reply((struct cs_span){creds->ticket.data, creds->ticket.length}, &reply);
    assert_int_equal(drive_over(cs_written(&reply), false), SEC_E_WRONG_PRINCIPAL);
    assert_int_equal(drive_over(nothing, false), SEC_E_NO_TGT_REPLY);
    assert_int_equal(drive_over((struct cs_span){reply.data, reply.size - 1}, false), SEC_E_INVALID_TOKEN);
    krb5_free_creds(krb5, creds);
    realm_kinit("peer", "Secret");
    creds = ticket_for("krbtgt/EXAMPLE.TEST");
    reply.size = 0;
    kerberos_write_tgt_reply((struct cs_span){creds->ticket.data, creds->ticket.length}, &reply);
    assert_int_equal(drive_over(cs_written(&reply), false), SEC_I_CONTINUE_NEEDED);
    assert_int_equal(drive_over(cs_written(&reply), true), SEC_E_NO_TGT_REPLY); /* once */
    krb5_free_creds(krb5, creds);
    cs_writer_drop(&reply);
    realm_kdestroy();
}

/* SEC_CHANNEL_BINDINGS of TEXT, good until the next call. */
static struct cs_span bindings(uint8_t room[64], const char *text)
{
    const uint32_t words[8] = {0, 0, 0, 0, 0, 0, (uint32_t)strlen(text), 32};
    memcpy(room, words, sizeof words);
    memcpy(room + sizeof words, text, strlen(text));
    return (struct cs_span){room, sizeof words + strlen(text)};
}

static void channel_bindings(void **state)
{
    const struct {
        const char *client, *server;
        SECURITY_STATUS status;
    } cases[] = {{"one", "one", SEC_E_OK}, {"one", "two", SEC_E_BAD_BINDINGS}, {NULL, "one", SEC_E_BAD_BINDINGS}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t rooms[2][64];
        begin(0);
        if (cases[i].client) world.setup.client_bindings = bindings(rooms[0], cases[i].client);
        world.setup.server_bindings = bindings(rooms[1], cases[i].server);
        assert_int_equal(pair_run(&world), cases[i].status);
    }
    world.setup = realm_setup_user_to_user();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shown_by_another), cmocka_unit_test(no_tgt_at_all),     cmocka_unit_test(expired),
        cmocka_unit_test(ticket_altered),   cmocka_unit_test(cut_short),         cmocka_unit_test(cut_inside),
        cmocka_unit_test(no_reply),         cmocka_unit_test(shown_out_of_turn), cmocka_unit_test(taken_away),
        cmocka_unit_test(replayed),         cmocka_unit_test(driven_over),       cmocka_unit_test(channel_bindings),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
