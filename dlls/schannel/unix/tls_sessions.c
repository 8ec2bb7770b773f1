/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions that clients may resume: a small table for the process. One is resumed only by the credential that made it,
 * towards the same name, and where the same was asked of the peer's certificate: what a program that trusts anybody has
 * agreed to is nothing to one that does not.
 */
#include "tls_context.h"

#include "secure.h"
#include "session.h"
#include "utf16.h"

#include <gnutls/ocsp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SESSIONS = 64 };

struct session {
    struct cs_span key, data;
    int64_t until; /* FILETIME, UTC */
    int64_t end;   /* of what was stapled: resumed later, it would leave the certificate without an answer */
};

/* Once it is full, the next one round gives way. Keys and data are owned. */
static struct {
    bool works;
    pthread_mutex_t lock;
    struct session sessions[SESSIONS];
    size_t next;
} table;

static void start_table(void)
{
    table.works = cs_lock_init(&table.lock);
}

/* False: there is no table. After a thread has died with the lock nobody knows which of the entries are still whole:
 * they are let go of as they are. */
static bool lock_table(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_table);
    if (table.works && !cs_lock(&table.lock)) memset(table.sessions, 0, sizeof table.sessions);
    return table.works;
}

static struct session *find(struct cs_span key)
{
    for (size_t i = 0; i < SESSIONS; i++) {
        struct session *session = &table.sessions[i];
        if (session->key.size == key.size && key.size && !memcmp(session->key.data, key.data, key.size)) return session;
    }
    return NULL;
}

static void drop(struct session *session)
{
    cs_span_drop(&session->key);
    cs_span_drop(&session->data);
}

static bool make_key(const struct tls_context *context, bool trusted, struct cs_writer *key)
{
    if (!context->credential->resume || !context->name.size || context->srtp.count) return false;
    cs_write_u64(key, context->credential->number);
    cs_write_u8(key, trusted);
    cs_write_u8(key, context->datagram);
    cs_write_span(key, context->name);
    return !key->failed;
}

void tls_sessions_offer(struct tls_context *context)
{
    struct cs_writer key = {0};
    if (!lock_table()) return;
    struct session *session =
        make_key(context, context->leg_flags & TLS_LEG_TRUST_PEER, &key) ? find(cs_written(&key)) : NULL;
    if (session) {
        context->session_until = session->until;
        if (session->until > cs_now() && time(NULL) <= session->end)
            gnutls_session_set_data(context->session, session->data.data, session->data.size);
        drop(session); /* RFC 8446 C.4: a ticket that is shown twice links the two connections */
    }
    cs_unlock(&table.lock);
    cs_writer_drop(&key);
}

static struct session *find_free(void)
{
    for (size_t i = 0; i < SESSIONS; i++)
        if (!table.sessions[i].key.size) return &table.sessions[i];
    return NULL;
}

/* SESSION's key and data become the table's. */
static void enter(struct session *session)
{
    if (!lock_table()) return;
    struct session *place = find(session->key);
    if (!place) place = find_free();
    if (!place) place = &table.sessions[table.next++ % SESSIONS];
    drop(place);
    *place = *session;
    *session = (struct session){0};
    cs_unlock(&table.lock);
}

/* In TLS 1.3 there is nothing to keep before a ticket has come, nor twice of the same. */
static bool has_ticket(struct tls_context *context)
{
    const bool came = context->ticket_came;
    context->ticket_came = false;
    return came || gnutls_protocol_get_version(context->session) < GNUTLS_TLS1_3;
}

/* The first end of what was stapled to the chain. What is outdated already has not answered anything. */
static int64_t end_of_stapled(const struct tls_context *context)
{
    const int64_t now = time(NULL);
    int64_t first = INT64_MAX;
    unsigned count = 0;
    gnutls_datum_t response;
    gnutls_certificate_get_peers(context->session, &count);
    for (unsigned i = 0; i < count; i++) {
        if (gnutls_ocsp_status_request_get2(context->session, i, &response)) continue;
        const int64_t end = tls_stapled_end((struct cs_span){response.data, response.size});
        if (end >= now && end < first) first = end;
    }
    return first;
}

/* Once a handshake, for a server may send any number of tickets after it. One that resumes a session goes on with its
 * keys, or certificates, and does not make it last longer (SCHANNEL_CRED, dwSessionLifespan). */
void tls_sessions_date(struct tls_context *context)
{
    if (context->server) return;
    context->stapled_end = end_of_stapled(context);
    if (!gnutls_session_is_resumed(context->session))
        context->session_until = cs_now() + (int64_t)context->credential->lifespan * 10000;
}

void tls_sessions_keep(struct tls_context *context)
{
    struct cs_writer key = {0};
    gnutls_datum_t data;
    struct session session = {.until = context->session_until, .end = context->stapled_end};
    if (!context->server && make_key(context, context->trusted, &key) && has_ticket(context) &&
        !gnutls_session_get_data2(context->session, &data)) {
        if (cs_span_copy(&session.key, cs_written(&key)) &&
            cs_span_copy(&session.data, (struct cs_span){data.data, data.size}))
            enter(&session);
        drop(&session);
        cs_wipe(data.data, data.size);
        gnutls_free(data.data);
    }
    cs_writer_drop(&key);
}

void tls_sessions_forget(uint64_t credential)
{
    if (!lock_table()) return;
    for (size_t i = 0; i < SESSIONS; i++) {
        struct cs_reader key = cs_reader_of(table.sessions[i].key);
        if (table.sessions[i].key.size && cs_read_u64(&key) == credential) drop(&table.sessions[i]);
    }
    cs_unlock(&table.lock);
}
