/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user's credential cache, opened for one call, and its tickets in the form in which they cross the bridge.
 */
#include "kerberos_cache.h"
#include "utf16.h"

#include <stdlib.h>
#include <string.h>

enum { PRIMARY = 0x1, DELEGATED = 0x2 }; /* CacheFlags, as Windows's klist names them */

static char *copy_place(struct cs_span text)
{
    return text.size ? strndup((const char *)text.data, text.size) : NULL;
}

krb5_error_code kerberos_cache_open(const struct kerberos_request *request, struct kerberos_cache *cache)
{
    const struct kerberos_places places = {.config = copy_place(request->config),
                                           .ccache = copy_place(request->ccname)};
    *cache = (struct kerberos_cache){.logon.references = 1};
    krb5_error_code code = kerberos_open(&places, &cache->context);
    free(places.config);
    free(places.ccache);
    return code ? code : kerberos_cache_error(kerberos_open_user_cache(cache->context, &cache->logon));
}

void kerberos_cache_close(struct kerberos_cache *cache)
{
    if (!cache->context) return;
    kerberos_logon_drop(cache->context, &cache->logon);
    krb5_free_context(cache->context);
}

/* Heimdal 7.8, as MIT, removes a ticket from a file by setting its end to zero. */
bool kerberos_is_ticket(krb5_context context, const krb5_creds *creds)
{
    return creds->times.endtime && !krb5_is_config_principal(context, creds->server);
}

bool kerberos_is_tgs(krb5_context context, krb5_const_principal principal)
{
    const char *service = krb5_principal_get_comp_string(context, principal, 0);
    return service && !strcmp(service, KRB5_TGS_NAME);
}

static void write_text(const char *text, struct cs_writer *output)
{
    if (!cs_utf16_of(output, cs_span_of(text))) cs_write_u16(output, 0xFFFD); /* it is not UTF-8 */
}

uint32_t kerberos_write_parts(krb5_context context, krb5_const_principal principal, uint16_t between,
                              struct cs_writer *output)
{
    const uint32_t count = krb5_principal_get_num_comp(context, principal);
    for (uint32_t i = 0; i < count; i++) {
        if (i) cs_write_u16(output, between);
        write_text(krb5_principal_get_comp_string(context, principal, i), output);
    }
    return count;
}

static struct cs_run run_since(const struct cs_writer *bytes, size_t start)
{
    return (struct cs_run){(uint32_t)start, (uint32_t)(bytes->size - start)};
}

static struct cs_run write_name(krb5_context context, krb5_const_principal principal, struct kerberos_writing *writing)
{
    const size_t start = writing->bytes.size;
    writing->parts += kerberos_write_parts(context, principal, 0, &writing->bytes);
    cs_write_u16(&writing->bytes, 0);
    return run_since(&writing->bytes, start);
}

static struct cs_run write_realm(krb5_context context, krb5_const_principal principal, struct kerberos_writing *writing)
{
    const size_t start = writing->bytes.size;
    write_text(krb5_principal_get_realm(context, principal), &writing->bytes);
    cs_write_u16(&writing->bytes, 0);
    return run_since(&writing->bytes, start);
}

static struct cs_run write_encoded(const krb5_creds *creds, bool as_cred, bool with_key,
                                   struct kerberos_writing *writing)
{
    const size_t start = writing->bytes.size;
    if (!as_cred)
        cs_write_span(&writing->bytes, (struct cs_span){creds->ticket.data, creds->ticket.length});
    else if (!kerberos_write_cred(creds, with_key, &writing->bytes))
        writing->bytes.failed = true;
    return run_since(&writing->bytes, start);
}

static struct cs_run write_key(const krb5_creds *creds, bool with_key, struct kerberos_writing *writing)
{
    const size_t start = writing->bytes.size, size = creds->session.keyvalue.length;
    uint8_t *room = cs_write_room(&writing->bytes, size);
    if (room && with_key) memcpy(room, creds->session.keyvalue.data, size);
    return run_since(&writing->bytes, start);
}

/* Windows counts a flags word's bits from the left, as ASN.1 does, Heimdal from the right. */
static uint32_t flags_of(const krb5_creds *creds)
{
    const unsigned bits = TicketFlags2int(creds->flags.b);
    uint32_t flags = 0;
    for (unsigned i = 0; i < 32; i++)
        if (bits >> i & 1) flags |= UINT32_C(0x80000000) >> i;
    return flags;
}

static uint32_t cache_flags_of(krb5_context context, const krb5_creds *creds)
{
    if (!kerberos_is_tgs(context, creds->server) || !krb5_realm_compare(context, creds->client, creds->server))
        return 0;
    return creds->flags.b.forwarded ? DELEGATED : PRIMARY;
}

static krb5_enctype ticket_etype(const krb5_creds *creds)
{
    Ticket ticket = {0};
    size_t size;
    if (decode_Ticket(creds->ticket.data, creds->ticket.length, &ticket, &size)) return KRB5_ENCTYPE_NULL;
    const krb5_enctype etype = ticket.enc_part.etype;
    free_Ticket(&ticket);
    return etype;
}

static int64_t filetime_of(krb5_timestamp time)
{
    const int64_t epoch = INT64_C(11644473600); /* seconds from 1601 to 1970 */
    return time ? ((int64_t)time + epoch) * 10000000 : 0;
}

void kerberos_write_ticket(const struct kerberos_cache *cache, const krb5_creds *creds, enum kerberos_form form,
                           bool as_cred, struct kerberos_writing *writing)
{
    const krb5_times *times = &creds->times;
    struct cs_ticket ticket = {
        .start = filetime_of(times->starttime ? times->starttime : times->authtime),
        .end = filetime_of(times->endtime),
        .renew = creds->flags.b.renewable ? filetime_of(times->renew_till) : 0,
        .skew = (int64_t)cache->logon.offset * 10000000,
        .client = write_name(cache->context, creds->client, writing),
        .client_realm = write_realm(cache->context, creds->client, writing),
        .server = write_name(cache->context, creds->server, writing),
        .server_realm = write_realm(cache->context, creds->server, writing),
        .client_type = (int32_t)creds->client->name.name_type,
        .server_type = (int32_t)creds->server->name.name_type,
        .etype = ticket_etype(creds),
        .session_key_type = creds->session.keytype,
        .flags = flags_of(creds),
        .cache_flags = cache_flags_of(cache->context, creds),
    };
    if (form != KERBEROS_LISTED) {
        ticket.encoded = write_encoded(creds, as_cred, form == KERBEROS_WHOLE, writing);
        ticket.session_key = write_key(creds, form == KERBEROS_WHOLE, writing);
    }
    cs_write_span(&writing->tickets, (struct cs_span){(const uint8_t *)&ticket, sizeof ticket});
    writing->count++;
}

SECURITY_STATUS kerberos_finish_answer(struct kerberos_writing *writing, struct kerberos_answer *answer)
{
    cs_write_span(&writing->tickets, cs_written(&writing->bytes));
    const bool failed = writing->tickets.failed || writing->bytes.failed || writing->tickets.size > INT32_MAX;
    cs_writer_drop(&writing->bytes);
    if (failed) {
        cs_writer_drop(&writing->tickets);
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    *answer = (struct kerberos_answer){writing->tickets, writing->count, writing->parts};
    return SEC_E_OK;
}
