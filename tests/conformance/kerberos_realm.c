/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The realm of the groups of Kerberos, and its one pair of user and service.
 */
#include "kerberos_realm.h"
#include "exchange.h"

static bool read_variable(const char *name, char *value)
{
    const DWORD length = GetEnvironmentVariableA(name, value, REALM_NAME_MAX);

    return length && length < REALM_NAME_MAX;
}

bool kerberos_realm_find(struct conformance_run *run, struct kerberos_realm *realm)
{
    struct {
        const char *name;
        char *value;
    } variables[] = {
        {"CONFORMANCE_KERBEROS_REALM", realm->realm},
        {"CONFORMANCE_KERBEROS_USER", realm->user},
        {"CONFORMANCE_KERBEROS_PASSWORD", realm->password},
        {"CONFORMANCE_KERBEROS_TARGET", realm->target},
    };

    for (size_t i = 0; i < COUNT_OF(variables); i++)
        if (!read_variable(variables[i].name, variables[i].value)) {
            not_run(run, "no realm: %s is not set", variables[i].name);
            return false;
        }
    realm->identity = ansi_identity(realm->user, realm->realm, realm->password);
    return true;
}

struct spnego_request kerberos_request(const struct kerberos_realm *realm, ULONG flags)
{
    return (struct spnego_request){
        .package = "Kerberos",
        .identity = &realm->identity,
        .target = realm->target,
        .client_flags = flags,
        .server_flags = flags & ISC_REQ_USE_DCE_STYLE ? ASC_REQ_USE_DCE_STYLE : 0,
    };
}

bool kerberos_open_pair(struct conformance_run *run, const struct kerberos_realm *realm, struct spnego_pair *pair,
                        ULONG flags)
{
    const struct spnego_request request = kerberos_request(realm, flags);
    char text[SPNEGO_OUTCOME_MAX];

    if (spnego_pair_run(pair, &request)) return true;
    not_reached(run, "%s", spnego_outcome(pair, text));
    spnego_pair_close(pair);
    return false;
}
