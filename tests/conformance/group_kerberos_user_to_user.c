/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos's user-to-user: a user who accepts with the session key of his ticket-granting ticket, here from himself.
 */
#include "groups.h"
#include "kerberos_realm.h"

#include <string.h>

#define DRAFT "draft-swift-win2k-krb-user2user (MS-KILE)"
#define FLAGS "attributes flags Kerberos 8003 checksum (documented); sspi.h USE_SESSION_KEY"
#define LEGS                                                                                                           \
    "client SEC_I_CONTINUE_NEEDED, server SEC_I_CONTINUE_NEEDED, client SEC_I_CONTINUE_NEEDED, server SEC_E_OK, "      \
    "client SEC_E_OK"
#define ONE_WAY "client SEC_I_CONTINUE_NEEDED, server SEC_I_CONTINUE_NEEDED, client SEC_E_OK, server SEC_E_OK"

static const struct conformance_case cases[] = {
    {"kerberos-user-to-user/legs", DRAFT, LEGS, NULL, WINE8_DIFFERS},
    {"kerberos-user-to-user/request", DRAFT, "user-to-user, KERB-TGT-REQUEST", NULL, WINE8_DIFFERS},
    {"kerberos-user-to-user/reply", DRAFT, "user-to-user, KERB-TGT-REPLY", NULL, WINE8_DIFFERS},
    {"kerberos-user-to-user/ap-req", DRAFT, "user-to-user, AP-REQ", NULL, WINE8_DIFFERS},
    {"kerberos-user-to-user/ap-rep", DRAFT, "user-to-user, AP-REP", NULL, WINE8_DIFFERS},
    {"kerberos-user-to-user/flags.client", FLAGS, "use-session-key", NULL, WINE8_DIFFERS},
    {"kerberos-user-to-user/flags.server", FLAGS, "use-session-key", NULL, WINE8_DIFFERS},
    {"kerberos-user-to-user/one-way", DRAFT, ONE_WAY, NULL, WINE8_DIFFERS},
    {"kerberos-user-to-user/message", DRAFT, "read", NULL, WINE8_DIFFERS},
    {"kerberos-user-to-user/negotiate.legs", DRAFT, LEGS, NULL, WINE8_DIFFERS},
};

/* The token id stands behind the object identifier, which is the same there and in RFC 2743's frame. */
static const char *token_name(const struct spnego_side *side)
{
    static const unsigned char oid[] = {6, 10, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2, 3};
    static const struct {
        unsigned char id[2];
        const char *name;
    } names[] = {{{1, 0}, "user-to-user, AP-REQ"},
                 {{2, 0}, "user-to-user, AP-REP"},
                 {{3, 0}, "user-to-user, KRB-ERROR"},
                 {{4, 0}, "user-to-user, KERB-TGT-REQUEST"},
                 {{4, 1}, "user-to-user, KERB-TGT-REPLY"}};
    const unsigned char *token = side->output;

    if (spnego_last_leg(side)->size < 32) return "too short";
    token += token[1] < 0x80 ? 2 : 2 + (token[1] & 3);
    if (memcmp(token, oid, sizeof(oid))) return "another mechanism";
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (!memcmp(token + sizeof(oid), names[i].id, 2)) return names[i].name;
    return "user-to-user, something else";
}

static struct spnego_request between_users(const struct kerberos_realm *realm, ULONG flags)
{
    struct spnego_request request = kerberos_request(realm, flags | ISC_REQ_USE_SESSION_KEY);

    request.server_identity = &realm->identity;
    request.target = realm->user;
    return request;
}

static void flags_and_message(struct conformance_run *run, struct spnego_pair *pair)
{
    char text[] = "between users", token[256];
    SecBuffer buffers[] = {{sizeof(token), SECBUFFER_TOKEN, token}, {sizeof(text), SECBUFFER_DATA, text}};
    SecBufferDesc message = {SECBUFFER_VERSION, COUNT_OF(buffers), buffers};
    SECURITY_STATUS status;

    observe(run, "kerberos-user-to-user/flags.client", "%s",
            spnego_last_leg(&pair->client)->attributes & ISC_RET_USE_SESSION_KEY ? "use-session-key" : "");
    observe(run, "kerberos-user-to-user/flags.server", "%s",
            spnego_last_leg(&pair->server)->attributes & ASC_RET_USE_SESSION_KEY ? "use-session-key" : "");
    status = MakeSignature(&pair->client.context, 0, &message, 0);
    if (!status) status = VerifySignature(&pair->server.context, &message, 0, NULL);
    observe(run, "kerberos-user-to-user/message", "%s", status ? "not read" : "read");
}

static void exchange(struct conformance_run *run, const struct kerberos_realm *realm)
{
    static const char *const ids[] = {"kerberos-user-to-user/request", "kerberos-user-to-user/reply",
                                      "kerberos-user-to-user/ap-req", "kerberos-user-to-user/ap-rep"};
    const struct spnego_request request = between_users(realm, ISC_REQ_MUTUAL_AUTH);
    struct spnego_pair pair;
    char text[SPNEGO_OUTCOME_MAX];
    bool goes_on = spnego_pair_open(&pair, &request);

    for (size_t i = 0; i <= COUNT_OF(ids) && goes_on; i++) {
        goes_on = i % 2 ? spnego_server_leg(&pair, &request) : spnego_client_leg(&pair, &request);
        if (goes_on && i < COUNT_OF(ids)) observe(run, ids[i], "%s", token_name(i % 2 ? &pair.server : &pair.client));
    }
    observe(run, "kerberos-user-to-user/legs", "%s", spnego_outcome(&pair, text));
    if (pair.client.leg_count == 3 && !spnego_last_leg(&pair.client)->status) flags_and_message(run, &pair);
    spnego_pair_close(&pair);
}

static void run_user_to_user(struct conformance_run *run)
{
    struct kerberos_realm realm;
    struct spnego_request request;

    if (!kerberos_realm_find(run, &realm)) return;
    exchange(run, &realm);
    request = between_users(&realm, 0);
    spnego_observe(run, "kerberos-user-to-user/one-way", &request);
    request = between_users(&realm, ISC_REQ_MUTUAL_AUTH);
    request.package = NULL;
    spnego_observe(run, "kerberos-user-to-user/negotiate.legs", &request);
}

const struct conformance_group kerberos_user_to_user_group = {
    .name = "kerberos-user-to-user", .cases = cases, .case_count = COUNT_OF(cases), .run = run_user_to_user};
