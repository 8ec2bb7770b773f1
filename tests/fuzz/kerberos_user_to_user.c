/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: whole exchanges of Kerberos user-to-user in both roles, with any of the messages changed on its way, and
 * a KDC that knows the ticket which was shown from every other. Input: a byte of options, and for each message how many
 * changes, and those; or, with the option for it, one of the two messages as it is.
 */
#include "changes.h"
#include "fuzz_kdc.h"
#include "kerberos_service.h"
#include "kerberos_user_to_user.h"
#include "pac_forge.h"
#include "ticket_forge.h"

#include <errno.h>
#include <krb5_err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ONE_WAY = 1, SERVER_WANTS_IT = 2, WHOLE_MESSAGE = 4, MOST_CHANGES = 3 };

static struct kerberos_service service;
static struct pair pair;
static struct cs_writer shown; /* the ticket-granting ticket as the acceptor has it */

static void close_world(void)
{
    pair_close(&pair);
    cs_writer_drop(&shown);
    kerberos_service_close(&service);
}

/* The ticket of peer@EXAMPLE.TEST under KEY, whose session key is that of ticket_forge.c; the caller frees *creds. */
static krb5_error_code make_ticket(krb5_context context, const krb5_keyblock *key, krb5_const_principal client,
                                   krb5_const_principal server, krb5_creds **creds)
{
    struct ticket_forge forge = ticket_forge_right(context, key);
    struct cs_writer written = {0};
    struct kerberos_token token;
    AP_REQ request;
    size_t size;
    int code;
    forge.client = "peer";
    ticket_forge(&forge, &written);
    fuzz_require(kerberos_token_read(cs_written(&written), &token) &&
                     !decode_AP_REQ(token.message.data, token.message.size, &request, &size),
                 "a forged request");
    krb5_creds *made = calloc(1, sizeof *made);
    fuzz_require(made != NULL, "memory");
    ASN1_MALLOC_ENCODE(Ticket, made->ticket.data, made->ticket.length, &request.ticket, &size, code);
    if (!code) code = krb5_copy_principal(context, client, &made->client);
    if (!code) code = krb5_copy_principal(context, server, &made->server);
    made->session = pac_key(context, forge.session_type, 0x5E);
    made->times = (krb5_times){.authtime = forge.start, .starttime = forge.start, .endtime = forge.end};
    fuzz_require(!code, "a ticket");
    free_AP_REQ(&request);
    cs_writer_drop(&written);
    *creds = made;
    return 0;
}

/* Gives a ticket for what was shown, and for nothing else. */
static krb5_error_code answer(krb5_context context, const struct kerberos_logon *logon, krb5_const_principal server,
                              struct cs_span tgt, krb5_creds **creds)
{
    const bool own = tgt.size == shown.size && !memcmp(tgt.data, shown.data, tgt.size);
    return own ? make_ticket(context, &service.tgt, logon->client, server, creds) : KRB5KRB_AP_ERR_BAD_INTEGRITY;
}

/* The service's ordinary ticket into the user's cache, for clients that do not ask for user-to-user themselves. */
static void store_ticket(krb5_ccache ccache, krb5_principal peer)
{
    krb5_principal server;
    krb5_creds *creds = NULL;
    fuzz_require(!krb5_make_principal(service.krb5, &server, "EXAMPLE.TEST", "HTTP", "server.example.test", NULL) &&
                     !make_ticket(service.krb5, &service.key, peer, server, &creds) &&
                     !krb5_cc_store_cred(service.krb5, ccache, creds),
                 "the ticket cache");
    krb5_free_creds(service.krb5, creds);
    krb5_free_principal(service.krb5, server);
}

static void read_shown(krb5_ccache ccache, krb5_principal peer)
{
    krb5_creds wanted = {.client = peer}, found = {0};
    fuzz_require(
        !krb5_make_principal(service.krb5, &wanted.server, "EXAMPLE.TEST", KRB5_TGS_NAME, "EXAMPLE.TEST", NULL) &&
            !krb5_cc_retrieve_cred(service.krb5, ccache, 0, &wanted, &found),
        "the ticket cache");
    cs_write_span(&shown, (struct cs_span){found.ticket.data, found.ticket.length});
    krb5_free_cred_contents(service.krb5, &found);
    krb5_free_principal(service.krb5, wanted.server);
}

static void open_world(void)
{
    const struct pair_setup setup = {.target = "HTTP/server.example.test"};
    krb5_ccache ccache;
    krb5_principal peer = NULL;
    if (service.krb5) return;
    kerberos_service_open(&service);
    fuzz_require(!krb5_cc_default(service.krb5, &ccache) && !krb5_cc_get_principal(service.krb5, ccache, &peer),
                 "the ticket cache");
    read_shown(ccache, peer);
    store_ticket(ccache, peer);
    krb5_free_principal(service.krb5, peer);
    krb5_cc_close(service.krb5, ccache);
    pair_open(&pair, "Kerberos", &setup);
    fuzz_kdc_answer = answer;
    atexit(close_world);
}

struct changes {
    struct cs_reader *input;
    bool changed;
};

static void change(struct mitm *mitm, unsigned number, struct cs_writer *message)
{
    struct changes *changes = mitm->data;
    (void)number;
    const unsigned most = cs_read_u8(changes->input) % (MOST_CHANGES + 1);
    changes->changed |= fuzz_change(message, changes->input, most);
}

/* What a KRB-ERROR can say, which anybody can make: each code of the protocol's (RFC 4120 7.5.9). */
static bool is_of_an_error(SECURITY_STATUS status)
{
    for (krb5_error_code code = 1; code < 128; code++)
        if (kerberos_status(KRB5KDC_ERR_NONE + code) == status) return true;
    return false;
}

/* What a message can bring about: the statuses that errors.tsv and kerberos_status.c have for one. */
static bool is_expected(SECURITY_STATUS status)
{
    static const SECURITY_STATUS expected[] = {
        SEC_E_OK,          SEC_I_CONTINUE_NEEDED,   SEC_E_INVALID_TOKEN, SEC_E_LOGON_DENIED,
        SEC_E_TIME_SKEW,   SEC_E_CONTEXT_EXPIRED,   SEC_E_NO_TGT_REPLY,  SEC_E_WRONG_PRINCIPAL,
        SEC_E_NO_KERB_KEY, SEC_E_KDC_UNKNOWN_ETYPE, SEC_E_NO_CREDENTIALS};
    bool found = is_of_an_error(status);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) found |= status == expected[i];
    return found;
}

/* Both sides are of user-to-user, with the same key: nobody on the way has a part in either. */
static void require_right_sessions(bool server_wants_it)
{
    struct cs_session *client = cs_context_session(pair.client), *server = cs_context_session(pair.server);
    fuzz_require(client && server, "a session that is not there");
    fuzz_require(server->flags & ASC_REQ_USE_SESSION_KEY || !server_wants_it, "an ordinary exchange");
    fuzz_require((client->flags & ISC_REQ_USE_SESSION_KEY) == (server->flags & ASC_REQ_USE_SESSION_KEY),
                 "an exchange that is two things");
    fuzz_require(client->session_key_size == server->session_key_size &&
                     !memcmp(client->session_key, server->session_key, client->session_key_size),
                 "keys that differ");
    fuzz_require_messages_pass(client, server);
    fuzz_require_messages_pass(server, client);
}

static void exchange(unsigned options, struct cs_reader *input)
{
    struct changes changes = {.input = input};
    struct mitm mitm = {.edit = change, .data = &changes};
    cs_context_release(pair.client);
    cs_context_release(pair.server);
    pair.client = pair.server = NULL;
    pair.setup.client_request = options & ONE_WAY && !(options & SERVER_WANTS_IT) ? 0 : ISC_REQ_MUTUAL_AUTH;
    pair.setup.server_request = options & SERVER_WANTS_IT ? ASC_REQ_USE_SESSION_KEY : 0;
    if (!(options & SERVER_WANTS_IT)) pair.setup.client_request |= ISC_REQ_USE_SESSION_KEY;
    const SECURITY_STATUS status = mitm_run(&mitm, &pair);
    mitm_end(&mitm);
    if (!is_expected(status)) fprintf(stderr, "status %08x\n", (unsigned)status);
    fuzz_require(is_expected(status), "a status that no message brings about");
    if (status == SEC_E_OK) require_right_sessions(options & SERVER_WANTS_IT);
    if (!changes.changed) fuzz_require(status == SEC_E_OK, "an exchange that nobody changed");
}

/* A reply has one encoding, and a request is read whole or not at all. */
static void whole_message(struct cs_span message)
{
    struct cs_writer written = {0};
    struct cs_span ticket;
    Principal wanted;
    if (kerberos_read_tgt_reply(message, &ticket)) {
        kerberos_write_tgt_reply(ticket, &written);
        fuzz_require(written.size == message.size && !memcmp(written.data, message.data, written.size),
                     "a reply that reads otherwise than it is written");
    }
    const bool read = kerberos_read_tgt_request(message, &wanted);
    fuzz_require(read || (!wanted.realm && !wanted.name.name_string.len), "half a request");
    free_Principal(&wanted);
    cs_writer_drop(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader input = cs_reader_of((struct cs_span){data, size});
    const unsigned options = cs_read_u8(&input);
    open_world();
    if (options & WHOLE_MESSAGE)
        whole_message(fuzz_rest(&input));
    else
        exchange(options, &input);
    return 0;
}
