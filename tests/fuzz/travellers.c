/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clients made without a KDC, and what servers do with them.
 */
#include "travellers.h"

#include "client.h"
#include "fuzz.h"
#include "heimdal_leaks.h"
#include "kerberos_service.h"
#include "kerberos_tickets.h"
#include "kerberos_token.h"
#include "ticket_forge.h"
#include "utf16.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FORWARDED = 1, SHOWN = 2, GROUPS = 3, LASTING = 36000 };

static struct kerberos_service service;
static struct cs_writer forwarded, shown;

static void close_service(void)
{
    cs_writer_drop(&forwarded);
    cs_writer_drop(&shown);
    kerberos_service_close(&service);
}

/* ---- what they bring along (kerberos_travel.c) ---- */

static void write_storage(struct cs_writer *packed, krb5_storage *storage)
{
    krb5_data data;
    fuzz_require(!krb5_storage_to_data(storage, &data), "storage");
    cs_write_u32(packed, (uint32_t)data.length);
    cs_write_span(packed, (struct cs_span){data.data, data.length});
    krb5_data_free(&data);
    krb5_storage_free(storage);
}

static void write_principal(struct cs_writer *packed, krb5_const_principal principal)
{
    krb5_storage *storage = krb5_storage_emem();
    fuzz_require(storage && !krb5_store_principal(storage, principal), "a principal");
    write_storage(packed, storage);
}

static void write_creds(struct cs_writer *packed, krb5_creds *creds)
{
    krb5_storage *storage = krb5_storage_emem();
    fuzz_require(storage && !krb5_store_creds(storage, creds), "a ticket");
    write_storage(packed, storage);
}

/* No configuration and no keytab but the environment's, as patient as can be short. */
static void write_head(struct cs_writer *packed, uint8_t kind, krb5_const_principal client)
{
    cs_write_u32(packed, 0);
    cs_write_u32(packed, 0);
    for (int i = 0; i < 3; i++) cs_write_u32(packed, 1);
    cs_write_u8(packed, 0);
    cs_write_u8(packed, kind);
    write_principal(packed, client);
    cs_write_u64(packed, (uint64_t)(time(NULL) + LASTING));
}

static void forge_request(struct cs_writer *written, struct kerberos_token *token)
{
    struct ticket_forge forge = ticket_forge_right(service.krb5, &service.key);
    forge.client = "peer";
    ticket_forge(&forge, written);
    fuzz_require(kerberos_token_read(cs_written(written), token), "a forged request");
}

/* A ticket for the service, of which the cache has none. */
static void write_service_ticket(struct cs_writer *packed, krb5_principal client, struct cs_span message)
{
    krb5_creds creds = {.client = client, .session = service.tgt};
    AP_REQ request;
    size_t size;
    int code;
    fuzz_require(!decode_AP_REQ(message.data, message.size, &request, &size), "a forged request");
    ASN1_MALLOC_ENCODE(Ticket, creds.ticket.data, creds.ticket.length, &request.ticket, &size, code);
    fuzz_require(
        !code && !krb5_make_principal(service.krb5, &creds.server, "EXAMPLE.TEST", "HTTP", "server.example.test", NULL),
        "a ticket");
    creds.times = (krb5_times){.authtime = 1, .starttime = 1, .endtime = time(NULL) + LASTING};
    write_creds(packed, &creds);
    krb5_free_principal(service.krb5, creds.server);
    krb5_data_free(&creds.ticket);
    free_AP_REQ(&request);
}

static void write_cache(struct cs_writer *packed, krb5_ccache ccache)
{
    krb5_cc_cursor cursor;
    krb5_creds creds;
    fuzz_require(!krb5_cc_start_seq_get(service.krb5, ccache, &cursor), "the ticket cache");
    while (!krb5_cc_next_cred(service.krb5, ccache, &cursor, &creds)) {
        write_creds(packed, &creds);
        krb5_free_cred_contents(service.krb5, &creds);
    }
    krb5_cc_end_seq_get(service.krb5, ccache, &cursor);
}

static SECURITY_STATUS log_on(struct cs_credential *credential, const char *target)
{
    struct cs_writer utf16 = {0};
    struct cs_context *context = NULL;
    fuzz_require(cs_utf16_of(&utf16, cs_span_of(target)), "memory");
    struct cs_leg leg = {.credential = credential,
                         .target = cs_written(&utf16),
                         .request = ISC_REQ_MUTUAL_AUTH | ISC_REQ_DELEGATE | ISC_REQ_CONFIDENTIALITY,
                         .room = UINT32_MAX};
    const SECURITY_STATUS status = cs_initialize(&context, &leg);
    const bool sent = context && cs_token(context).size;
    fuzz_require(sent == (status == SEC_E_OK || status == SEC_I_CONTINUE_NEEDED), "a token without its status");
    cs_context_release(context);
    cs_writer_drop(&utf16);
    return status;
}

/* Unchanged, the tickets are good for their service: else nothing behind that is ever reached. */
static void require_usable(struct cs_span onward)
{
    struct cs_credential *credential = cs_find_mechanism("Kerberos")->unpack_onward(onward);
    fuzz_require(credential && log_on(credential, "HTTP/server.example.test") == SEC_I_CONTINUE_NEEDED, "the tickets");
    cs_credential_release(credential);
}

static void open_service(void)
{
    struct cs_writer written = {0};
    struct kerberos_token token;
    krb5_ccache ccache;
    krb5_principal client = NULL;
    if (service.krb5) return;
    kerberos_service_open(&service);
    atexit(close_service);
    fuzz_require(!krb5_cc_default(service.krb5, &ccache) && !krb5_cc_get_principal(service.krb5, ccache, &client),
                 "the ticket cache");
    forge_request(&written, &token);
    write_head(&forwarded, FORWARDED, client);
    write_cache(&forwarded, ccache);
    write_service_ticket(&forwarded, client, token.message);
    write_head(&shown, SHOWN, client);
    cs_write_u32(&shown, (uint32_t)token.message.size);
    cs_write_span(&shown, token.message);
    krb5_free_principal(service.krb5, client);
    krb5_cc_close(service.krb5, ccache);
    cs_writer_drop(&written);
    require_usable(cs_written(&forwarded));
}

/* ---- who they are ---- */

/* S-1-5-21-1-2-3-LAST */
static struct cs_sid sid_of(uint8_t last)
{
    return (struct cs_sid){{1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, last}, 28};
}

static struct cs_logon *make_logon(void)
{
    struct cs_logon *logon = calloc(1, sizeof *logon);
    fuzz_require(logon && (logon->groups = calloc(GROUPS, sizeof *logon->groups)), "memory");
    fuzz_require(cs_span_copy(&logon->user, (struct cs_span){(const uint8_t *)"u", 2}) &&
                     cs_span_copy(&logon->domain, (struct cs_span){(const uint8_t *)"d", 2}),
                 "memory");
    logon->user_sid = sid_of(100);
    logon->primary_group = 1;
    logon->group_count = GROUPS;
    for (uint8_t i = 0; i < GROUPS; i++) logon->groups[i] = (struct cs_group){sid_of(i), 7};
    return logon;
}

void traveller_arrives(struct cs_session *session, enum traveller kind)
{
    const struct cs_mechanism *mechanism = cs_find_mechanism(session->package);
    open_service();
    if (kind == TRAVELLER_IDENTIFIED) session->flags |= ASC_REQ_IDENTIFY;
    if (kind == TRAVELLER_FORWARDED) session->flags |= ASC_REQ_DELEGATE;
    if (kind >= TRAVELLER_GROUPS) session->logon = make_logon();
    if (kind < TRAVELLER_FORWARDED || !mechanism->unpack_onward) return;
    session->onward = mechanism->unpack_onward(cs_written(kind == TRAVELLER_SHOWN ? &shown : &forwarded));
    fuzz_require(session->onward, "what reaches others is not taken");
}

/* ---- what becomes of them ---- */

static void require_sid(const struct cs_sid *sid)
{
    fuzz_require(sid->size >= 8 && sid->size <= sizeof sid->bytes && sid->bytes[0] == 1 &&
                     sid->size == 8 + 4 * sid->bytes[1],
                 "a SID that is none");
}

static void require_well_formed(const struct cs_client *client)
{
    fuzz_require(client->level >= CS_LEVEL_IDENTIFICATION && client->level <= CS_LEVEL_DELEGATION, "a level");
    fuzz_require(client->logon && client->logon->group_count <= CS_LOGON_MOST_GROUPS, "groups");
    require_sid(&client->logon->user_sid);
    for (uint32_t i = 0; i < client->logon->group_count; i++) require_sid(&client->logon->groups[i].sid);
}

/* By PACKAGE, in the client's name. */
static void go_on(struct cs_client *client, const char *package, bool may)
{
    const struct cs_credential_request request = {.use = SECPKG_CRED_OUTBOUND,
                                                  .identity = {.kind = CS_IDENTITY_CLIENT},
                                                  .client = client,
                                                  .policy = cs_default_policy()};
    struct cs_credential *credential;
    fuzz_require(!cs_acquire_credential(cs_find_mechanism(package), &request, &credential), "a credential");
    const SECURITY_STATUS there = log_on(credential, "HTTP/server.example.test");
    const SECURITY_STATUS back = log_on(credential, "HTTP/back.example.test");
    fuzz_require(may || (there == SEC_E_NO_CREDENTIALS && back == SEC_E_NO_CREDENTIALS), "who may not goes on");
    cs_credential_release(credential);
}

void traveller_goes_on(struct cs_session *session)
{
    struct cs_client *client;
    const SECURITY_STATUS status = cs_client_of(session, &client);
    fuzz_require(status == (session->initiator ? SEC_E_NO_IMPERSONATION : SEC_E_OK), "whose client");
    if (status) return;
    require_well_formed(client);
    struct cs_credential *onward = cs_client_onward(client, cs_find_mechanism("Kerberos"));
    fuzz_require(!onward || (client->level > CS_LEVEL_IDENTIFICATION && !strcmp(client->package, "Kerberos")),
                 "what nobody may have");
    fuzz_require(!cs_client_onward(client, cs_find_mechanism("NTLM")), "NTLM goes on in a client's name");
    go_on(client, "Kerberos", onward != NULL);
    go_on(client, "NTLM", false);
    cs_credential_release(onward);
    cs_client_release(client);
}
