/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets with PACs.
 */
#include "pac_ticket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void require(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "pac_ticket: %s\n", what);
    abort();
}

krb5_keyblock pac_ticket_key(krb5_context krb5, const char *service, int *kvno)
{
    krb5_principal principal;
    krb5_keytab keytab = NULL;
    krb5_keytab_entry entry;
    krb5_keyblock key;
    require(!krb5_parse_name(krb5, service, &principal) && !krb5_kt_default(krb5, &keytab), "no keytab");
    require(!krb5_kt_get_entry(krb5, keytab, principal, 0, ETYPE_NULL, &entry), "no key");
    require(!krb5_copy_keyblock_contents(krb5, &entry.keyblock, &key), "no memory");
    *kvno = (int)entry.vno;
    krb5_kt_free_entry(krb5, &entry);
    krb5_kt_close(krb5, keytab);
    krb5_free_principal(krb5, principal);
    return key;
}

static void add_element(AuthorizationData *data, int32_t type, const void *bytes, size_t size)
{
    AuthorizationDataElement element = {.ad_type = type, .ad_data = {size, (void *)(uintptr_t)bytes}};
    require(!add_AuthorizationData(data, &element), "no memory");
}

/* Each in a container of its own, as a client's and a KDC's stand side by side. */
static void add_pacs(const struct pac_ticket *ticket, AuthorizationData *data)
{
    for (unsigned i = 0; i < ticket->pac_count; i++) {
        AuthorizationData inner = {0};
        void *bytes;
        size_t size, written;
        int error;
        add_element(&inner, KRB5_AUTHDATA_WIN2K_PAC, ticket->pacs[i].data, ticket->pacs[i].size);
        ASN1_MALLOC_ENCODE(AuthorizationData, bytes, size, &inner, &written, error);
        require(!error && size == written, "authorization data");
        add_element(data, KRB5_AUTHDATA_IF_RELEVANT, bytes, size);
        free(bytes);
        free_AuthorizationData(&inner);
    }
}

/* Seals PART for the service. */
static void seal(const struct pac_ticket *ticket, const EncTicketPart *part, EncryptedData *sealed)
{
    krb5_crypto crypto;
    void *bytes;
    size_t size, written;
    int error;
    ASN1_MALLOC_ENCODE(EncTicketPart, bytes, size, part, &written, error);
    require(!error && size == written, "a ticket's inside");
    require(!krb5_crypto_init(ticket->krb5, ticket->key, ETYPE_NULL, &crypto), "no such key");
    require(!krb5_encrypt_EncryptedData(ticket->krb5, crypto, KRB5_KU_TICKET, bytes, size, ticket->kvno, sealed),
            "encryption");
    krb5_crypto_destroy(ticket->krb5, crypto);
    free(bytes);
}

/* The ticket for CREDS, whose other members are set. */
static void encode(const struct pac_ticket *ticket, krb5_creds *creds)
{
    AuthorizationData data = {0};
    EncTicketPart part = {.flags = {.initial = 1, .pre_authent = 1}, .key = creds->session};
    Ticket encoded = {.tkt_vno = 5, .realm = creds->server->realm, .sname = creds->server->name};
    size_t written;
    int error;
    add_pacs(ticket, &data);
    part.crealm = creds->client->realm;
    part.cname = creds->client->name;
    part.authtime = ticket->authtime;
    part.endtime = ticket->endtime;
    part.authorization_data = data.len ? &data : NULL;
    seal(ticket, &part, &encoded.enc_part);
    ASN1_MALLOC_ENCODE(Ticket, creds->ticket.data, creds->ticket.length, &encoded, &written, error);
    require(!error && creds->ticket.length == written, "a ticket");
    free_EncryptedData(&encoded.enc_part);
    free_AuthorizationData(&data);
}

static void store(const struct pac_ticket *ticket, krb5_creds *creds)
{
    krb5_ccache ccache;
    require(!krb5_cc_default(ticket->krb5, &ccache), "no cache");
    require(!krb5_cc_initialize(ticket->krb5, ccache, creds->client), "no cache");
    require(!krb5_cc_store_cred(ticket->krb5, ccache, creds), "the cache takes no ticket");
    krb5_cc_close(ticket->krb5, ccache);
}

void pac_ticket_store(const struct pac_ticket *ticket)
{
    krb5_creds creds = {.times = {.authtime = ticket->authtime, .endtime = ticket->endtime}};
    require(!krb5_parse_name(ticket->krb5, ticket->client, &creds.client), "a client");
    require(!krb5_parse_name(ticket->krb5, ticket->service, &creds.server), "a service");
    require(!krb5_generate_random_keyblock(ticket->krb5, ticket->key->keytype, &creds.session), "a key");
    encode(ticket, &creds);
    store(ticket, &creds);
    krb5_free_cred_contents(ticket->krb5, &creds);
}
