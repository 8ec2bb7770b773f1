/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The clients that a process may act for, by identifier.
 */
#include "client.h"

#include "secure.h"
#include "utf16.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHAINS = 256 };

/* The lock guards the chains, every client's count of references, and which client a session has. */
static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    bool usable;
    struct cs_client *chains[CHAINS];
} registry = {.once = PTHREAD_ONCE_INIT};

static void set_up(void)
{
    registry.usable = cs_lock_init(&registry.lock);
}

static bool enter(void)
{
    pthread_once(&registry.once, set_up);
    /* Whatever the thread that died under it was about, each step leaves chains that can be walked. */
    if (registry.usable) cs_lock(&registry.lock);
    return registry.usable;
}

static void leave(void)
{
    cs_unlock(&registry.lock);
}

static struct cs_client **find(const uint8_t id[CS_CLIENT_ID])
{
    struct cs_client **place = &registry.chains[id[0]];
    while (*place && !cs_same((*place)->id, id, CS_CLIENT_ID)) place = &(*place)->next;
    return place;
}

struct cs_client *cs_client_find(const uint8_t id[CS_CLIENT_ID])
{
    if (!enter()) return NULL;
    struct cs_client *client = *find(id);
    if (client) client->references++;
    leave();
    return client;
}

void cs_client_discard(struct cs_client *client)
{
    if (!client) return;
    cs_wipe((void *)(uintptr_t)client->packed.data, client->packed.size);
    cs_span_drop(&client->packed);
    cs_credential_release(client->onward);
    cs_logon_release(client->logon);
    cs_span_drop(&client->name);
    free(client);
}

void cs_client_release(struct cs_client *client)
{
    if (!client || !enter()) return;
    const bool last = --client->references == 0;
    if (last) *find(client->id) = client->next;
    leave();
    if (last) cs_client_discard(client);
}

/*
 * An account of no domain has a SID of this machine's making, the same at every logon: a hash of its name where others
 * have domain and account (MS-DTYP 2.4.2.4).
 */
static void make_sid(struct cs_span name, struct cs_sid *sid)
{
    static const uint8_t domain_account[12] = {1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0};
    static const char label[] = "Countersign account";
    struct cs_writer upper = {0};
    struct sha256_ctx sha;
    sha256_init(&sha);
    sha256_update(&sha, sizeof label, (const uint8_t *)label);
    cs_utf16_upper(&upper, name);
    if (upper.size) sha256_update(&sha, upper.size, upper.data);
    memcpy(sid->bytes, domain_account, sizeof domain_account);
    sha256_digest(&sha, 16, sid->bytes + sizeof domain_account);
    sid->size = sizeof domain_account + 16;
    cs_writer_drop(&upper);
}

static enum cs_level level_of(const struct cs_session *session)
{
    if (session->flags & ASC_REQ_IDENTIFY) return CS_LEVEL_IDENTIFICATION;
    return session->flags & ASC_REQ_DELEGATE ? CS_LEVEL_DELEGATION : CS_LEVEL_IMPERSONATION;
}

/* What SESSION knows of its client moves to CLIENT, but for its name, which queries ask for. */
static SECURITY_STATUS fill(struct cs_session *session, struct cs_client *client)
{
    client->references = 1; /* the session's */
    client->level = level_of(session);
    client->package = session->package;
    if (!cs_random(client->id, sizeof client->id)) return SEC_E_INTERNAL_ERROR;
    if (!cs_span_copy(&client->name, session->names)) return SEC_E_INSUFFICIENT_MEMORY;
    client->logon = session->logon ? session->logon : calloc(1, sizeof *client->logon);
    if (!client->logon) return SEC_E_INSUFFICIENT_MEMORY;
    session->logon = NULL;
    if (!client->logon->user_sid.size) make_sid(client->name, &client->logon->user_sid);
    /* Who lets itself be identified lets nobody act in its name. */
    if (client->level == CS_LEVEL_IDENTIFICATION) return SEC_E_OK;
    client->onward = session->onward;
    session->onward = NULL;
    return SEC_E_OK;
}

static void enrol(struct cs_client *client)
{
    client->next = registry.chains[client->id[0]];
    registry.chains[client->id[0]] = client;
}

static SECURITY_STATUS make(struct cs_session *session)
{
    struct cs_client *client = calloc(1, sizeof *client);
    if (!client) return SEC_E_INSUFFICIENT_MEMORY;
    SECURITY_STATUS status = fill(session, client);
    if (status) {
        cs_client_discard(client);
        return status;
    }
    enrol(client);
    session->client = client;
    return SEC_E_OK;
}

SECURITY_STATUS cs_client_of(struct cs_session *session, struct cs_client **client)
{
    if (session->initiator) return SEC_E_NO_IMPERSONATION;
    if (cs_session_retired(session)) return SEC_E_INVALID_HANDLE;
    if (!enter()) return SEC_E_INSUFFICIENT_MEMORY;
    SECURITY_STATUS status = session->client ? SEC_E_OK : make(session);
    if (status == SEC_E_OK) {
        *client = session->client;
        session->client->references++;
    }
    leave();
    return status;
}

/* Another thread may have unpacked it meanwhile: the first one counts. */
static struct cs_credential *keep_onward(struct cs_client *client, struct cs_credential *made)
{
    enter();
    struct cs_credential *kept = client->onward;
    if (!kept) client->onward = kept = made;
    cs_credential_addref(kept);
    leave();
    if (kept != made) cs_credential_release(made);
    return kept;
}

struct cs_credential *cs_client_onward(struct cs_client *client, const struct cs_mechanism *mechanism)
{
    if (!enter()) return NULL;
    struct cs_credential *onward = client->onward;
    if (onward && onward->mechanism != mechanism) onward = NULL;
    if (onward) cs_credential_addref(onward);
    leave();
    if (onward || !client->packed.size || !mechanism->unpack_onward || strcmp(mechanism->package, client->package))
        return onward;
    struct cs_credential *made = mechanism->unpack_onward(client->packed);
    return made ? keep_onward(client, made) : NULL;
}

SECURITY_STATUS cs_client_adopt(struct cs_session *session, struct cs_client *client)
{
    if (!enter()) return SEC_E_INSUFFICIENT_MEMORY;
    struct cs_client *known = *find(client->id);
    if (!known) enrol(client);
    session->client = known ? known : client;
    session->client->references++;
    leave();
    if (known) cs_client_discard(client);
    return SEC_E_OK;
}
