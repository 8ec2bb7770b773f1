/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is said of a session's client.
 */
#include "logon.h"

#include "utf16.h"

#include <stdlib.h>

void cs_logon_drop(struct cs_logon *logon)
{
    cs_span_drop(&logon->user);
    cs_span_drop(&logon->domain);
    free(logon->groups);
    *logon = (struct cs_logon){.group_count = 0};
}

void cs_logon_release(struct cs_logon *logon)
{
    if (!logon) return;
    cs_logon_drop(logon);
    free(logon);
}
