/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fuzz target: AP-REQs, as a server reads them, changed outside, inside the ticket and inside the authenticator, whose
 * keys are known. Input: a byte that says where, and the changes (changes.h); or the token, the checksum, or what the
 * authenticator's AD-IF-RELEVANT has, as it is.
 */
#include "changes.h"
#include "kerberos_authdata.h"
#include "kerberos_checksum.h"
#include "kerberos_service.h"
#include "ticket_forge.h"

#include <stdio.h>
#include <stdlib.h>

enum where { IN_TOKEN, IN_TICKET, IN_AUTHENTICATOR, WHOLE_TOKEN, WHOLE_CHECKSUM, WHOLE_AUTHDATA, PLACES };

static struct kerberos_service service;

static void close_service(void)
{
    kerberos_service_close(&service);
}

static void open_service(void)
{
    if (service.krb5) return;
    kerberos_service_open(&service);
    atexit(close_service);
}

struct changes {
    enum where where;
    struct cs_reader *input;
};

static void change(void *data, enum ticket_layer layer, struct cs_writer *encoding)
{
    const struct changes *changes = data;
    if (changes->where == (layer == TICKET_PART ? IN_TICKET : IN_AUTHENTICATOR))
        fuzz_change(encoding, changes->input, 4);
}

/* What a token can bring about: the statuses that errors.tsv and kerberos_status.c have for one. */
static bool is_expected(SECURITY_STATUS status)
{
    static const SECURITY_STATUS expected[] = {
        SEC_E_OK,        SEC_I_CONTINUE_NEEDED, SEC_E_INVALID_TOKEN,     SEC_E_LOGON_DENIED, SEC_E_WRONG_PRINCIPAL,
        SEC_E_TIME_SKEW, SEC_E_CONTEXT_EXPIRED, SEC_E_KDC_UNKNOWN_ETYPE, SEC_E_NO_KERB_KEY};
    bool found = false;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) found |= status == expected[i];
    return found;
}

static void offer(struct cs_span token)
{
    const SECURITY_STATUS status = kerberos_service_offer(&service, token);
    const bool complete = cs_context_session(service.pair.server) != NULL;
    if (!is_expected(status)) fprintf(stderr, "status %08x\n", (unsigned)status);
    fuzz_require(is_expected(status), "a status that no token brings about");
    fuzz_require(complete == (status == SEC_E_OK), "a session without SEC_E_OK, or the other way round");
}

/* What is read of a checksum reads the same when it is written anew. */
static void checksum(struct cs_span bytes)
{
    struct kerberos_checksum read, again;
    struct cs_writer written = {0};
    if (!kerberos_checksum_read(bytes, &read)) return;
    kerberos_checksum_write(&written, &read);
    fuzz_require(kerberos_checksum_read(cs_written(&written), &again) && again.flags == read.flags &&
                     again.delegated.size == read.delegated.size,
                 "a checksum that reads otherwise when written anew");
    cs_writer_drop(&written);
}

/* What is read of authorization data reads the same when it is written anew. */
static void authdata(const AuthorizationData *data)
{
    struct kerberos_authdata said, again;
    AuthorizationData written = {0, NULL};
    if (kerberos_authdata_read(data, &said) == SEC_E_OK) {
        fuzz_require(!kerberos_authdata_write(said.target, &written) &&
                         kerberos_authdata_read(&written, &again) == SEC_E_OK &&
                         again.options == KERBEROS_AP_OPTIONS_CBT && again.target.size == said.target.size,
                     "authorization data that reads otherwise when written anew");
        kerberos_authdata_drop(&again);
    }
    free_AuthorizationData(&written);
    kerberos_authdata_drop(&said);
}

/* What a client of ours says; or the rest of INPUT in its place. */
static AuthorizationData said_by(enum where where, struct cs_reader *input)
{
    static const uint8_t target[] = {'H', 0, '/', 0, 's', 0};
    AuthorizationData data = {0, NULL};
    if (where == WHOLE_AUTHDATA)
        ticket_forge_add(&data, KRB5_AUTHDATA_IF_RELEVANT, fuzz_rest(input));
    else
        fuzz_require(!kerberos_authdata_write((struct cs_span){target, sizeof target}, &data), "authorization data");
    return data;
}

static void forged(enum where where, struct cs_reader *input)
{
    struct ticket_forge forge = ticket_forge_right(service.krb5, &service.key);
    struct changes changes = {where, input};
    struct cs_writer token = {0};
    forge.edit = change;
    forge.edit_data = &changes;
    if (where == WHOLE_CHECKSUM) forge.checksum = fuzz_rest(input);
    checksum(forge.checksum);
    AuthorizationData data = said_by(where, input);
    authdata(&data);
    forge.said = &data;
    ticket_forge(&forge, &token);
    if (where == IN_TOKEN) fuzz_change(&token, input, 4);
    offer(cs_written(&token));
    cs_writer_drop(&token);
    free_AuthorizationData(&data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cs_reader input = cs_reader_of((struct cs_span){data, size});
    const enum where where = cs_read_u8(&input) % PLACES;
    open_service();
    fuzz_seed_random(1);
    if (where == WHOLE_TOKEN)
        offer(fuzz_rest(&input));
    else
        forged(where, &input);
    return 0;
}
