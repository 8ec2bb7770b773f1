/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The logon session of this process, and the untrusted connection to the local security authority.
 */
#include "groups.h"
#include "status.h"

#include <ntsecapi.h>

static const struct conformance_case cases[] = {
    {"logon/session.status", "behaviour 8", "SEC_E_OK", NULL, WINE_SAME},
    {"logon/session.size", "behaviour 9", "full", NULL, WINE8_DIFFERS},
    {"logon/session.id", "behaviour 10", "yes", NULL, WINE_SAME},
    {"logon/session.package", "behaviour 11", "yes", NULL, WINE_SAME},
    {"logon/session.free", "behaviour 11", "SEC_E_OK", NULL, WINE_SAME},
    {"logon/connect", "behaviour 50", "SEC_E_OK", NULL, WINE_SAME},
    {"logon/disconnect", "behaviour 50", "SEC_E_OK", NULL, WINE_SAME},
};

static bool own_logon_id(LUID *id)
{
    TOKEN_STATISTICS statistics;
    HANDLE token;
    DWORD size;
    BOOL ok;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
    ok = GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &size);
    CloseHandle(token);
    *id = statistics.AuthenticationId;
    return ok;
}

static void observe_session(struct conformance_run *run, const SECURITY_LOGON_SESSION_DATA *data, LUID id)
{
    /* The short structure of Windows 2000 ends before the fields that Vista appended. */
    if (data->Size >= sizeof(*data))
        observe(run, "logon/session.size", "full");
    else
        observe(run, "logon/session.size", "%lu of %u bytes", data->Size, (unsigned)sizeof(*data));
    observe_bool(run, "logon/session.id", data->LogonId.LowPart == id.LowPart && data->LogonId.HighPart == id.HighPart);
    observe_bool(run, "logon/session.package", data->AuthenticationPackage.Length > 0);
}

static void query_session(struct conformance_run *run)
{
    SECURITY_LOGON_SESSION_DATA *data = NULL;
    LUID id;
    NTSTATUS status;

    if (!own_logon_id(&id)) {
        not_reached(run, "no token statistics");
        return;
    }
    status = LsaGetLogonSessionData(&id, &data);
    observe_status(run, "logon/session.status", status);
    if (status || !data) return;
    observe_session(run, data, id);
    observe_status(run, "logon/session.free", LsaFreeReturnBuffer(data));
}

static void connect_untrusted(struct conformance_run *run)
{
    HANDLE lsa = NULL;
    NTSTATUS status = LsaConnectUntrusted(&lsa);

    observe_status(run, "logon/connect", status);
    if (!status) observe_status(run, "logon/disconnect", LsaDeregisterLogonProcess(lsa));
}

static void run_logon(struct conformance_run *run)
{
    query_session(run);
    connect_untrusted(run);
}

const struct conformance_group logon_group = {
    .name = "logon", .cases = cases, .case_count = COUNT_OF(cases), .run = run_logon};
