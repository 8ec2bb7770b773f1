/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The context attributes that NTLM grants, leg by leg, on a loopback pair.
 */
#include "exchange.h"
#include "groups.h"
#include "status.h"

#define NOTHING "attributes flags NTLM client 0"
#define ALLOCATED "attributes flags NTLM ALLOCATE_MEMORY"
#define SEALED "attributes flags NTLM CONFIDENTIALITY|INTEGRITY"
#define IMPLIED "attributes flags all REPLAY_DETECT (documented)"

static const struct conformance_case cases[] = {
    {"flags/none.client-first", NOTHING, "0x00000000", NULL, WINE_NEEDS_HELPER},
    {"flags/none.server-first", NOTHING, "0x00000000", NULL, WINE_NEEDS_HELPER},
    {"flags/none.client-last", NOTHING, "0x00000000", NULL, WINE_DIFFERS},
    {"flags/none.server-last", NOTHING, "0x00000000", NULL, WINE_DIFFERS},
    {"flags/allocate.client-first", ALLOCATED, "0x00000100", NULL, WINE8_DIFFERS},
    {"flags/allocate.server-first", ALLOCATED, "0x00000100", NULL, WINE8_DIFFERS},
    {"flags/allocate.client-last", ALLOCATED, "0x00000100", NULL, WINE_DIFFERS},
    {"flags/allocate.server-last", ALLOCATED, "0x00000000", NULL, WINE_DIFFERS},
    {"flags/allocate.last-output", ALLOCATED, "0 bytes at NULL", NULL, WINE_DIFFERS},
    {"flags/seal.client-first", SEALED, "0x00010010", NULL, WINE_NEEDS_HELPER},
    {"flags/seal.server-first", SEALED, "0x0002001c", NULL, WINE_DIFFERS},
    {"flags/seal.client-last", SEALED, "0x0001001c", NULL, WINE_DIFFERS},
    {"flags/seal.server-last", SEALED, "0x0002001c", NULL, WINE_DIFFERS},
    {"flags/replay.client-last-integrity", IMPLIED, "granted", NULL, WINE_DIFFERS},
    {"flags/sequence.client-last-integrity", IMPLIED, "granted", NULL, WINE_DIFFERS},
    {"flags/no-integrity.client-last-integrity", "attributes flags all NO_INTEGRITY (documented)", "not granted", NULL,
     WINE_DIFFERS},
};

static const char *const leg_names[LEG_COUNT] = {"client-first", "server-first", "client-last", "server-last"};

static void observe_legs(struct conformance_run *run, const char *what, const struct exchange *exchange)
{
    char id[64];

    for (int i = 0; i < LEG_COUNT; i++) {
        const struct leg *leg = &exchange->legs[i];

        if (!leg->made || (leg->status != SEC_E_OK && leg->status != SEC_I_CONTINUE_NEEDED)) continue;
        snprintf(id, sizeof(id), "flags/%s.%s", what, leg_names[i]);
        observe(run, id, "0x%08lx", leg->attributes);
    }
}

static bool exchange_flags(struct conformance_run *run, struct exchange *exchange, ULONG client, ULONG server)
{
    const struct exchange_request request = {
        .client_flags = client, .server_flags = server, .data_representation = SECURITY_NATIVE_DREP};
    char text[OUTCOME_MAX];
    bool complete = exchange_run(exchange, &request);

    if (!complete) not_reached(run, "%s", exchange_outcome(exchange, text));
    return complete;
}

static void allocated(struct conformance_run *run)
{
    struct exchange exchange;
    bool complete = exchange_flags(run, &exchange, ISC_REQ_ALLOCATE_MEMORY, ASC_REQ_ALLOCATE_MEMORY);
    const struct leg *last = &exchange.legs[SERVER_LAST];

    observe_legs(run, "allocate", &exchange);
    if (complete)
        observe(run, "flags/allocate.last-output", "%lu bytes at %s", last->output.size,
                last->output_pointer ? "memory" : "NULL");
    exchange_close(&exchange);
}

static void legs_with(struct conformance_run *run, const char *what, ULONG client, ULONG server)
{
    struct exchange exchange;

    exchange_flags(run, &exchange, client, server);
    observe_legs(run, what, &exchange);
    exchange_close(&exchange);
}

static void integrity_of(struct conformance_run *run, const char *id, ULONG client)
{
    struct exchange exchange;

    if (exchange_flags(run, &exchange, client, 0))
        observe(run, id, exchange.legs[CLIENT_LAST].attributes & ISC_RET_INTEGRITY ? "granted" : "not granted");
    exchange_close(&exchange);
}

static void run_flags(struct conformance_run *run)
{
    legs_with(run, "none", 0, 0);
    legs_with(run, "seal", ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY, ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY);
    integrity_of(run, "flags/replay.client-last-integrity", ISC_REQ_REPLAY_DETECT);
    integrity_of(run, "flags/sequence.client-last-integrity", ISC_REQ_SEQUENCE_DETECT);
    integrity_of(run, "flags/no-integrity.client-last-integrity", ISC_REQ_INTEGRITY | ISC_REQ_NO_INTEGRITY);
    /* Last: Wine's acceptor writes through the NULL pointer that waits for an allocation. */
    allocated(run);
}

const struct conformance_group flags_group = {
    .name = "flags", .cases = cases, .case_count = COUNT_OF(cases), .run = run_flags};
