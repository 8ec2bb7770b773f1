/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos through Negotiate, which prefers it where a ticket can be had.
 */
#include "attributes.h"
#include "groups.h"
#include "kerberos_realm.h"

#include <string.h>

#define FLAGS (ISC_REQ_MUTUAL_AUTH | ISC_REQ_CONFIDENTIALITY)
#define LEGS "attributes flags Negotiate mechListMIC (accept-complete together with the AP-REP)"
#define SIZES "max token 48000, signature 28, block 1, trailer 76"

static const struct conformance_case cases[] = {
    {"kerberos-negotiate/legs", LEGS, "client SEC_I_CONTINUE_NEEDED, server SEC_E_OK, client SEC_E_OK", NULL,
     WINE_SAME},
    {"kerberos-negotiate/first-token", LEGS, "SPNEGO", NULL, WINE8_DIFFERS},
    {"kerberos-negotiate/client.package", "attributes PACKAGE_INFO Negotiate", "Kerberos", NULL, WINE8_DIFFERS},
    {"kerberos-negotiate/server.package", "attributes PACKAGE_INFO Negotiate", "Kerberos", NULL, WINE8_DIFFERS},
    {"kerberos-negotiate/client.sizes", "attributes SIZES Negotiate over Kerberos", SIZES, NULL, WINE8_DIFFERS},
    {"kerberos-negotiate/server.sizes", "attributes SIZES Negotiate over Kerberos", SIZES, NULL, WINE8_DIFFERS},
    {"kerberos-negotiate/names.form", "attributes NAMES Kerberos+Negotiate", "DOMAIN\\user", NULL, WINE8_DIFFERS},
    {"kerberos-negotiate/bare-token", "attributes flags Negotiate (a server takes raw Kerberos)", "SEC_E_OK", NULL,
     WINE_SAME},
};

static struct spnego_request negotiate_request(const struct kerberos_realm *realm)
{
    struct spnego_request request = kerberos_request(realm, FLAGS);

    request.package = NULL;
    return request;
}

static const char *first_token_name(const struct spnego_side *client)
{
    static const unsigned char spnego[] = {6, 6, 0x2b, 6, 1, 5, 5, 2};

    for (size_t i = 1; i + sizeof(spnego) <= 16; i++)
        if (!memcmp(client->output + i, spnego, sizeof(spnego))) return "SPNEGO";
    return "something else";
}

static void attributes(struct conformance_run *run, struct spnego_pair *pair)
{
    char text[OBSERVED_MAX];

    observe(run, "kerberos-negotiate/client.package", "%s", package_text(&pair->client.context, text));
    observe(run, "kerberos-negotiate/server.package", "%s", package_text(&pair->server.context, text));
    observe(run, "kerberos-negotiate/client.sizes", "%s", sizes_text(&pair->client.context, text));
    observe(run, "kerberos-negotiate/server.sizes", "%s", sizes_text(&pair->server.context, text));
    names_text(&pair->server.context, text);
    observe(run, "kerberos-negotiate/names.form", "%s", name_form(text));
}

static void exchange(struct conformance_run *run, const struct kerberos_realm *realm)
{
    const struct spnego_request request = negotiate_request(realm);
    struct spnego_pair pair;
    char text[SPNEGO_OUTCOME_MAX];

    if (spnego_pair_open(&pair, &request) && spnego_client_leg(&pair, &request)) {
        observe(run, "kerberos-negotiate/first-token", "%s", first_token_name(&pair.client));
        while (spnego_server_leg(&pair, &request) && spnego_client_leg(&pair, &request))
            ;
    }
    observe(run, "kerberos-negotiate/legs", "%s", spnego_outcome(&pair, text));
    if (pair.server.leg_count && !spnego_last_leg(&pair.server)->status) attributes(run, &pair);
    spnego_pair_close(&pair);
}

/* A client of Kerberos alone, and a server of Negotiate. */
static void bare_token(struct conformance_run *run, const struct kerberos_realm *realm)
{
    const struct spnego_request bare = kerberos_request(realm, FLAGS), request = negotiate_request(realm);
    struct spnego_pair from, to;

    if (spnego_pair_open(&to, &request) & spnego_pair_open(&from, &bare) && spnego_client_leg(&from, &bare)) {
        to.client.leg_count = 1;
        to.client.legs[0].size = from.client.legs[0].size;
        memcpy(to.client.output, from.client.output, from.client.legs[0].size);
        spnego_server_leg(&to, &request);
        observe_status(run, "kerberos-negotiate/bare-token", spnego_last_leg(&to.server)->status);
    }
    spnego_pair_close(&from);
    spnego_pair_close(&to);
}

static void run_negotiate(struct conformance_run *run)
{
    struct kerberos_realm realm;

    if (!kerberos_realm_find(run, &realm)) return;
    exchange(run, &realm);
    bare_token(run, &realm);
}

const struct conformance_group kerberos_negotiate_group = {
    .name = "kerberos-negotiate", .cases = cases, .case_count = COUNT_OF(cases), .run = run_negotiate};
