/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Negotiate over NTLM, leg by leg: statuses, what travels, the flags that are granted, and logons that must fail.
 */
#include "exchange.h"
#include "groups.h"
#include "spnego_pair.h"
#include "status.h"

#include <string.h>

#define LISTS "attributes flags Negotiate PackageList"
#define NOTHING "attributes flags Negotiate client 0"
#define ALL_FIVE "attributes flags Negotiate all five"
#define FIVE                                                                                                           \
    (ISC_REQ_MUTUAL_AUTH | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT | ISC_REQ_CONFIDENTIALITY |                 \
     ISC_REQ_INTEGRITY)
#define GOES_ON "SEC_E_OK or SEC_I_CONTINUE_NEEDED"

static const struct conformance_case cases[] = {
    {"spnego/wrapped.legs", LISTS,
     "client SEC_I_CONTINUE_NEEDED, server SEC_I_CONTINUE_NEEDED, client SEC_I_CONTINUE_NEEDED, server SEC_E_OK, "
     "client SEC_E_OK",
     NULL, WINE_DIFFERS},
    {"spnego/wrapped.first-token", LISTS, "SPNEGO", NULL, WINE_DIFFERS},
    {"spnego/wrapped.last-output", LISTS, "0 bytes", NULL, WINE_DIFFERS},
    {"spnego/bare.legs", LISTS,
     "client SEC_I_CONTINUE_NEEDED, server SEC_I_CONTINUE_NEEDED, client SEC_E_OK, server SEC_E_OK", NULL,
     WINE_DIFFERS},
    {"spnego/bare.first-token", LISTS, "NTLMSSP", NULL, WINE_NEEDS_HELPER},
    {"spnego/hints.status", "attributes flags Negotiate no input token", "SEC_I_CONTINUE_NEEDED", NULL,
     WINE_NEEDS_HELPER},
    {"spnego/hints.name", "attributes flags Negotiate no input token", "yes", NULL, WINE_NEEDS_HELPER},
    {"spnego/identity.first", "behaviour 59", GOES_ON, NULL, WINE_NEEDS_HELPER},
    {"spnego/identity.output-type", "behaviour 58", "2", NULL, WINE_NEEDS_HELPER},
    {"spnego/identity.output-size", "behaviour 58", "below cbMaxToken", NULL, WINE_NEEDS_HELPER},
    {"spnego/identity.no-credential", "behaviour 57", GOES_ON, NULL, WINE_NEEDS_HELPER},
    {"spnego/identity.server-first", "behaviour 60", "SEC_I_CONTINUE_NEEDED", NULL, WINE_NEEDS_HELPER},
    {"spnego/identity.server-last", "behaviour 60", GOES_ON " or SEC_E_LOGON_DENIED", NULL, WINE_DIFFERS},
    {"spnego/wrong-password", "errors AcceptSecurityContext/NTLM+Negotiate wrong password", "SEC_E_LOGON_DENIED", NULL,
     WINE_DIFFERS},
    {"spnego/unknown-target", "errors AcceptSecurityContext/Negotiate unknown SPN", "SEC_E_LOGON_DENIED", NULL,
     WINE_DIFFERS},
    {"spnego/garbage.server", "errors AcceptSecurityContext/Negotiate INVALID_TOKEN (documented)",
     "SEC_E_INVALID_TOKEN", NULL, WINE8_DIFFERS},
    {"spnego/garbage.client", "errors InitializeSecurityContext/Negotiate INVALID_TOKEN (documented)",
     "SEC_E_INVALID_TOKEN", NULL, WINE_SAME},
    {"spnego/flags-none.client-1", NOTHING, "0x00001000", NULL, WINE_DIFFERS},
    {"spnego/flags-none.server-1", NOTHING, "0x0000000c", NULL, WINE_DIFFERS},
    {"spnego/flags-none.client-2", NOTHING, "0x0001000e", NULL, WINE_DIFFERS},
    {"spnego/flags-none.server-2", NOTHING, "0x0002000c", NULL, WINE_DIFFERS},
    {"spnego/flags-five.client-1", ALL_FIVE, "0x0001001e", NULL, WINE_DIFFERS},
    {"spnego/flags-five.client-2", ALL_FIVE, "0x0001001e", NULL, WINE_DIFFERS},
    {"spnego/flags-five.client-3", ALL_FIVE, "0x0001001e", NULL, WINE_DIFFERS},
    {"spnego/flags-seal.client-last", "attributes flags all CONFIDENTIALITY|INTEGRITY (documented)", "granted", NULL,
     WINE_DIFFERS},
    {"spnego/flags-seal.server-last", "attributes flags all CONFIDENTIALITY|INTEGRITY (documented)", "granted", NULL,
     WINE_DIFFERS},
};

static const char *token_kind(const struct spnego_leg *leg)
{
    const unsigned char initial_context_token = 0x60; /* RFC 2743, 3.1 */

    if (leg->size >= 8 && !memcmp(leg->start, "NTLMSSP", 8)) return "NTLMSSP";
    return leg->size && leg->start[0] == initial_context_token ? "SPNEGO" : "something else";
}

static void package_lists(struct conformance_run *run)
{
    struct spnego_request request = {.packages = SPNEGO_NO_KERBEROS};
    struct spnego_pair pair;
    char text[SPNEGO_OUTCOME_MAX];

    if (spnego_pair_run(&pair, &request))
        observe(run, "spnego/wrapped.last-output", "%lu bytes", spnego_last_leg(&pair.client)->size);
    observe(run, "spnego/wrapped.legs", "%s", spnego_outcome(&pair, text));
    observe(run, "spnego/wrapped.first-token", "%s", token_kind(&pair.client.legs[0]));
    spnego_pair_close(&pair);
    request.packages = "NTLM";
    spnego_pair_run(&pair, &request);
    observe(run, "spnego/bare.legs", "%s", spnego_outcome(&pair, text));
    observe(run, "spnego/bare.first-token", "%s", token_kind(&pair.client.legs[0]));
    spnego_pair_close(&pair);
}

/* The server is asked before the client has said anything. */
static void hints(struct conformance_run *run)
{
    const struct spnego_request request = {.packages = NULL};
    struct spnego_pair pair;

    if (spnego_pair_open(&pair, &request)) {
        spnego_server_leg(&pair, &request);
        observe_status(run, "spnego/hints.status", pair.server.legs[0].status);
        observe_bool(run, "spnego/hints.name", pair.server.legs[0].with_hint);
    }
    spnego_pair_close(&pair);
}

static void first_leg_of_identity(struct conformance_run *run, const struct spnego_pair *pair)
{
    const struct spnego_leg *leg = &pair->client.legs[0];

    observe_status(run, "spnego/identity.first", leg->status);
    observe(run, "spnego/identity.output-type", "%lu", leg->output_type);
    if (leg->size && leg->size < pair->max_token)
        observe(run, "spnego/identity.output-size", "below cbMaxToken");
    else
        observe(run, "spnego/identity.output-size", "%lu of %lu bytes", leg->size, pair->max_token);
}

/* An account that is not there, as Wine's own test of these rows has it. */
static void unknown_identity(struct conformance_run *run)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = ansi_identity("testuser", "WORKGROUP", "testpass");
    const struct spnego_request request = {.identity = &identity};
    struct spnego_pair pair;

    spnego_pair_run(&pair, &request);
    first_leg_of_identity(run, &pair);
    if (pair.server.leg_count) observe_status(run, "spnego/identity.server-first", pair.server.legs[0].status);
    if (pair.client.leg_count > 1) observe_status(run, "spnego/identity.no-credential", pair.client.legs[1].status);
    if (pair.server.leg_count > 1)
        observe_status(run, "spnego/identity.server-last", spnego_last_leg(&pair.server)->status);
    spnego_pair_close(&pair);
}

/* Only the server's last answer tells of the logon; an exchange that ended before it is not reached. */
static void denied(struct conformance_run *run, const char *id, const struct spnego_request *request)
{
    struct spnego_pair pair;

    spnego_pair_run(&pair, request);
    if (pair.server.leg_count > 1) observe_status(run, id, spnego_last_leg(&pair.server)->status);
    spnego_pair_close(&pair);
}

static void denials(struct conformance_run *run)
{
    char user[256];
    DWORD size = sizeof(user);
    SEC_WINNT_AUTH_IDENTITY_A identity;
    struct spnego_request request = {.target = "HOST/UNKNOWN_HOST_NAME"};

    denied(run, "spnego/unknown-target", &request);
    if (!GetUserNameA(user, &size)) return;
    identity = ansi_identity(user, NULL, "this is not the password");
    request = (struct spnego_request){.identity = &identity};
    denied(run, "spnego/wrong-password", &request);
}

/* What SIDE has sent arrives as something else. */
static void garble(struct spnego_side *side)
{
    memset(side->output, 0xa5, spnego_last_leg(side)->size);
}

static void garbage(struct conformance_run *run)
{
    const struct spnego_request request = {.packages = SPNEGO_NO_KERBEROS};
    struct spnego_pair pair;

    if (spnego_pair_open(&pair, &request) && spnego_client_leg(&pair, &request)) {
        garble(&pair.client);
        spnego_server_leg(&pair, &request);
        observe_status(run, "spnego/garbage.server", pair.server.legs[0].status);
    }
    spnego_pair_close(&pair);
    if (spnego_pair_open(&pair, &request) && spnego_client_leg(&pair, &request) && spnego_server_leg(&pair, &request)) {
        garble(&pair.server);
        spnego_client_leg(&pair, &request);
        observe_status(run, "spnego/garbage.client", pair.client.legs[1].status);
    }
    spnego_pair_close(&pair);
}

/* The granted flags of the first COUNT legs of a side, those of MASK. */
static void observe_flags(struct conformance_run *run, const char *what, const struct spnego_side *side, unsigned count,
                          ULONG mask)
{
    char id[64];

    for (unsigned i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "spnego/%s-%u", what, i + 1);
        observe(run, id, "0x%08lx", side->legs[i].attributes & mask);
    }
}

static void granted(struct conformance_run *run, const char *id, const struct spnego_side *side, ULONG flags)
{
    const ULONG attributes = spnego_last_leg(side)->attributes;

    if ((attributes & flags) == flags)
        observe(run, id, "granted");
    else
        observe(run, id, "0x%08lx", attributes);
}

static void flags(struct conformance_run *run)
{
    struct spnego_pair pair;

    if (!spnego_open_pair(run, &pair, 0)) return;
    observe_flags(run, "flags-none.client", &pair.client, 2, ~0UL);
    observe_flags(run, "flags-none.server", &pair.server, 2, ~0UL);
    spnego_pair_close(&pair);
    if (!spnego_open_pair(run, &pair, FIVE)) return;
    observe_flags(run, "flags-five.client", &pair.client, pair.client.leg_count < 3 ? pair.client.leg_count : 3, FIVE);
    spnego_pair_close(&pair);
    if (!spnego_open_pair(run, &pair, ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY)) return;
    granted(run, "spnego/flags-seal.client-last", &pair.client, ISC_RET_CONFIDENTIALITY | ISC_RET_INTEGRITY);
    granted(run, "spnego/flags-seal.server-last", &pair.server, ASC_RET_CONFIDENTIALITY | ASC_RET_INTEGRITY);
    spnego_pair_close(&pair);
}

static void run_spnego(struct conformance_run *run)
{
    unknown_identity(run);
    flags(run);
    denials(run);
    package_lists(run);
    hints(run);
    garbage(run);
}

const struct conformance_group spnego_exchange_group = {
    .name = "spnego", .cases = cases, .case_count = COUNT_OF(cases), .run = run_spnego};
