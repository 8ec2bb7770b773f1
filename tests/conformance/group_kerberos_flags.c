/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos's flags: what a client is granted, and what of it the server learns by the checksum of the authenticator.
 */
#include "groups.h"
#include "kerberos_realm.h"

#define TO_SERVER "attributes flags Kerberos 8003 checksum (documented)"
#define INTEGRITY_ALWAYS "attributes flags Kerberos NO_INTEGRITY"

static const struct conformance_case cases[] = {
    {"kerberos-flags/none.client", INTEGRITY_ALWAYS, "integrity", NULL, WINE8_DIFFERS},
    {"kerberos-flags/none.server", TO_SERVER, "integrity", NULL, WINE8_DIFFERS},
    {"kerberos-flags/no-integrity.client", INTEGRITY_ALWAYS, "", NULL, WINE8_DIFFERS},
    {"kerberos-flags/no-integrity.server", TO_SERVER, "", NULL, WINE8_DIFFERS},
    {"kerberos-flags/mutual.client", TO_SERVER, "mutual integrity", NULL, WINE8_DIFFERS},
    {"kerberos-flags/mutual.server", TO_SERVER, "mutual integrity", NULL, WINE8_DIFFERS},
    {"kerberos-flags/sealed.client", TO_SERVER, "confidentiality integrity", NULL, WINE_SAME},
    {"kerberos-flags/sealed.server", TO_SERVER, "confidentiality integrity", NULL, WINE_SAME},
    {"kerberos-flags/ordered.client", TO_SERVER, "replay sequence integrity", NULL, WINE8_DIFFERS},
    {"kerberos-flags/ordered.server", TO_SERVER, "replay sequence integrity", NULL, WINE8_DIFFERS},
    {"kerberos-flags/identify.client", TO_SERVER, "integrity identify", NULL, WINE8_DIFFERS},
    {"kerberos-flags/identify.server", TO_SERVER, "integrity identify", NULL, WINE8_DIFFERS},
    {"kerberos-flags/dce.client", TO_SERVER, "mutual integrity dce", NULL, WINE8_DIFFERS},
    {"kerberos-flags/dce.server", TO_SERVER, "mutual integrity dce", NULL, WINE8_DIFFERS},
};

/* What a flag means, and its number in each role. */
struct flag {
    const char *name;
    ULONG client, server;
};

static const struct flag flags[] = {
    {"mutual", ISC_RET_MUTUAL_AUTH, ASC_RET_MUTUAL_AUTH},
    {"replay", ISC_RET_REPLAY_DETECT, ASC_RET_REPLAY_DETECT},
    {"sequence", ISC_RET_SEQUENCE_DETECT, ASC_RET_SEQUENCE_DETECT},
    {"confidentiality", ISC_RET_CONFIDENTIALITY, ASC_RET_CONFIDENTIALITY},
    {"integrity", ISC_RET_INTEGRITY, ASC_RET_INTEGRITY},
    {"identify", ISC_RET_IDENTIFY, ASC_RET_IDENTIFY},
    {"dce", ISC_RET_USED_DCE_STYLE, ASC_RET_USED_DCE_STYLE},
};

/* The names of those that ATTRIBUTES has. TEXT holds OBSERVED_MAX bytes; returned. */
static const char *names_of(ULONG attributes, bool client, char *text)
{
    size_t used = 0;

    text[0] = 0;
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if (attributes & (client ? flags[i].client : flags[i].server))
            used += (size_t)snprintf(text + used, OBSERVED_MAX - used, "%s%s", used ? " " : "", flags[i].name);
    return text;
}

static const struct request {
    const char *client_id, *server_id;
    ULONG flags;
} requests[] = {
    {"kerberos-flags/none.client", "kerberos-flags/none.server", 0},
    {"kerberos-flags/no-integrity.client", "kerberos-flags/no-integrity.server", ISC_REQ_NO_INTEGRITY},
    {"kerberos-flags/mutual.client", "kerberos-flags/mutual.server", ISC_REQ_MUTUAL_AUTH},
    {"kerberos-flags/sealed.client", "kerberos-flags/sealed.server", ISC_REQ_CONFIDENTIALITY},
    {"kerberos-flags/ordered.client", "kerberos-flags/ordered.server", ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT},
    {"kerberos-flags/identify.client", "kerberos-flags/identify.server", ISC_REQ_IDENTIFY},
    {"kerberos-flags/dce.client", "kerberos-flags/dce.server", ISC_REQ_MUTUAL_AUTH | ISC_REQ_USE_DCE_STYLE},
};

static void run_flags(struct conformance_run *run)
{
    struct kerberos_realm realm;
    struct spnego_pair pair;
    char text[OBSERVED_MAX];

    if (!kerberos_realm_find(run, &realm)) return;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        if (!kerberos_open_pair(run, &realm, &pair, requests[i].flags)) continue;
        observe(run, requests[i].client_id, "%s", names_of(spnego_last_leg(&pair.client)->attributes, true, text));
        observe(run, requests[i].server_id, "%s", names_of(spnego_last_leg(&pair.server)->attributes, false, text));
        spnego_pair_close(&pair);
    }
}

const struct conformance_group kerberos_flags_group = {
    .name = "kerberos-flags", .cases = cases, .case_count = COUNT_OF(cases), .run = run_flags};
