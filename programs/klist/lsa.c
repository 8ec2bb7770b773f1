/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kerberos by way of the LSA.
 */
#include "klist.h"

static LUID own_logon_id(void)
{
    TOKEN_STATISTICS statistics = {.AuthenticationId.LowPart = 0};
    DWORD size;
    HANDLE token;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return statistics.AuthenticationId;
    GetTokenInformation(token, TokenStatistics, &statistics, sizeof statistics, &size);
    CloseHandle(token);
    return statistics.AuthenticationId;
}

NTSTATUS lsa_open(struct lsa *lsa, LUID logon_id)
{
    static char name[] = MICROSOFT_KERBEROS_NAME_A;
    LSA_STRING package = {sizeof name - 1, sizeof name, name};
    *lsa = (struct lsa){.own_id = own_logon_id(), .logon_id = logon_id};
    NTSTATUS status = LsaConnectUntrusted(&lsa->connection);
    if (status) return status;
    status = LsaLookupAuthenticationPackage(lsa->connection, &package, &lsa->package);
    if (status) LsaDeregisterLogonProcess(lsa->connection);
    return status;
}

NTSTATUS lsa_call(const struct lsa *lsa, void *request, ULONG size, void **response)
{
    ULONG response_size;
    NTSTATUS protocol, status = LsaCallAuthenticationPackage(lsa->connection, lsa->package, request, size, response,
                                                             &response_size, &protocol);
    return status ? status : protocol;
}
