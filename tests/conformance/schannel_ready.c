/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of schannel_pair.h tells a group's run; other programs have none.
 */
#include "schannel_pair.h"

bool schannel_pair_ready(struct conformance_run *run, struct schannel_pair *pair, const struct schannel_setup *setup)
{
    char client[OBSERVED_MAX], server[OBSERVED_MAX];

    if (schannel_pair_run(pair, setup)) return true;
    not_reached(run, "no connection: client %s, server %s", schannel_outcome(&pair->client, client),
                schannel_outcome(&pair->server, server));
    schannel_pair_close(pair);
    return false;
}
